# SPDX-License-Identifier: BSL-1.0
"""What can be taken away from a world is what it says: a capture, a diagram, tables, and C++ that compiles and does the
same. usage: exports.py EXPLORER_NATIVE COMPILER INCLUDE_FOLDER"""
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from engine import Engine

PROGRAM, COMPILER, INCLUDE = sys.argv[1:4]
del sys.argv[1:]
ACTIONS = [{"at": 300000, "what": "syn"}, {"at": 400000, "what": "syn"}, {"at": 500000, "what": "syn"},
           {"at": 900000, "what": "raw_syn"}, {"at": 1000000, "what": "rst", "client": 3},
           {"at": 3000000, "set": "synack_retries", "value": 2}, {"at": 9000000, "what": "accept"}]


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(PROGRAM)
        cls.folder = pathlib.Path(tempfile.mkdtemp())

    @classmethod
    def tearDownClass(cls):
        cls.engine.close()
        shutil.rmtree(cls.folder)

    def play(self, **settings):
        return self.engine.ask("script", world=0, settings={"backlog": 1, **settings}, actions=ACTIONS, until=12000000)

    def export(self, form, **more):
        answer = self.engine.ask("export", world=0, **{"as": form, **more})
        return answer.get("text", answer.get("base64"))

    def segments(self):
        return [e for e in self.engine.events() if e["kind"] == "segment"]

    def compile(self, name, text, *options):
        source = self.folder / f"{name}.cpp"
        source.write_text(text)
        return subprocess.run([COMPILER, "-std=c++20", "-I", INCLUDE, "-Wall", "-Wextra", "-Werror", *options, source],
                              capture_output=True, text=True, timeout=300)

    def test_the_capture_has_every_segment(self):
        # Bytes that no tool can read, or packets left out.
        self.play(rtt=2000)
        capture = self.folder / "x.pcapng"
        capture.write_bytes(base64.b64decode(self.export("pcap"), validate=True))
        self.assertEqual(capture.read_bytes()[:4], b"\x0a\x0d\x0d\x0a")
        if shutil.which("tshark") is None:
            self.skipTest("no tshark")
        read = subprocess.run(["tshark", "-r", capture, "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.flags.syn",
                               "-e", "tcp.checksum.status", "-o", "tcp.check_checksum:TRUE"],
                              capture_output=True, text=True, timeout=60)
        rows = [r.split("\t") for r in read.stdout.splitlines()]
        self.assertEqual(len(rows), len(self.segments()))
        self.assertEqual(sum(r[1] in ("1", "True") for r in rows), sum("S" in e["flags"] for e in self.segments()))
        self.assertNotIn("0", [r[2] for r in rows])  # 0 is a wrong checksum

    def test_the_diagram_has_an_arrow_for_each_segment(self):
        self.play(rtt=2000)
        arrow = re.compile(r"^    C\d+(->>|-x)S: |^    S(-->>|--x)C\d+: ")
        for client in (None, 2):
            lines = self.export("mermaid", **({} if client is None else {"client": client})).splitlines()
            self.assertEqual(lines[0], "sequenceDiagram")
            arrows = [l for l in lines if arrow.match(l)]
            self.assertEqual(len(arrows), len([e for e in self.segments() if client in (None, e["client"])]))
            self.assertEqual(len(lines), 1 + len(arrows) + sum(l.startswith("    participant ") for l in lines))

    def test_tables_are_those_of_the_state(self):
        state = self.play()
        rows = self.export("ss").splitlines()
        self.assertEqual(len(rows) - 1, len(state["ss"]))
        self.assertRegex(rows[1], r"^LISTEN +1 +1 ")
        nstat = dict(l.split() for l in self.export("nstat").splitlines()[1:])
        self.assertEqual(nstat, {k: str(v) for k, v in state["counters"].items()})
        whole = json.loads(self.export("json"))
        self.assertEqual(len(whole["events"]), len(self.engine.events()))
        self.assertEqual(whole["settings"], state["settings"])

    def test_the_program_of_every_preset_compiles(self):
        # A policy whose spelling is not C++, or a composition that is not allowed. All in one translation unit, each
        # in a namespace of its own: the headers are the most of it.
        includes, bodies = set(), []
        for p in self.engine.ask("presets")["presets"]:
            self.play(preset=p["name"], rtt=2000, flood={"rate": 1})
            lines = self.export("cpp").splitlines()
            includes |= {l for l in lines if l.startswith("#include")}
            body = "\n".join(l for l in lines if not l.startswith("#include"))
            body = body.replace("int main() {", "void play_it() {")
            bodies.append(f"namespace p{len(bodies)} {{\n{body}\n}}\n")
        whole = "\n".join(sorted(includes)) + "\n" + "".join(bodies) + "int main() { p0::play_it(); }\n"
        done = self.compile("all", whole, "-fsyntax-only")
        self.assertEqual(done.returncode, 0, done.stderr[:4000])
        self.assertGreaterEqual(len(bodies), 24)

    def test_a_program_does_what_was_seen(self):
        # A composition without its tunables, or calls in the wrong order.
        state = self.play(preset="linux-3.12", tunables={"synack_retries": 1, "max_syn_backlog": 64})
        text = self.export("cpp")
        self.assertIn("tuned<tunable::max_syn_backlog, 64>", text)
        self.assertIn("tuned<tunable::synack_retries, 2>", text)
        self.assertLess(text.index("set(0, tunable::synack_retries, 1);"), text.index("listen(0, 1);"))
        self.assertIn("set(3000000, tunable::synack_retries, 2);", text)
        done = self.compile("one", text, "-o", self.folder / "one")
        self.assertEqual(done.returncode, 0, done.stderr[:4000])
        said = subprocess.run([self.folder / "one"], capture_output=True, text=True, timeout=60, check=True).stdout
        verdicts = [f"port {30001 + e['client']}: {e['verdict']}" for e in self.segments() if e["verdict"]]
        self.assertEqual(re.findall(r"port \d+: \w+", said), verdicts)
        self.assertIn("accept(): port 30001", said)
        self.assertEqual(said.splitlines()[-1], f"{state['queues']['requests']} requests, "
                         f"{state['queues']['waiting']} connections wait for accept()")


unittest.main()
