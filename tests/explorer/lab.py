# SPDX-License-Identifier: BSL-1.0
"""The engine and the lab, asked for the same, say the same: who connects, every segment, every counter of the listener,
every cause. usage: lab.py EXPLORER_NATIVE LAB"""
import json
import subprocess
import sys
import unittest

from engine import Engine

PROGRAM, LAB = sys.argv[1], sys.argv[2]
del sys.argv[1:]
CASES = [("linux-3.12", 1, 3, 20), ("linux-3.12", 1, 3, 200000), ("linux-6.18", 0, 3, 20), ("linux-2.6.32", 4, 9, 20),
         ("freebsd-13", 1, 5, 20), ("windows-2003", 1, 4, 2000)]


def in_lab(preset, backlog, clients, rtt):
    run = subprocess.run([LAB, "--preset", preset, "--backlog", str(backlog), "--clients", str(clients), "--gap", "0.1",
                          "--rtt", f"{rtt / 1e6:.6f}", "--json", "-"],
                         stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return json.loads(run.stdout)


def micros(seconds):
    return None if seconds is None else round(seconds * 1e6)


class Lab(unittest.TestCase):
    def test_the_same_run(self):
        # A world of its own: another seed, another order of timers, a client that does not behave as the lab's.
        engine = Engine(PROGRAM)
        for case in CASES:
            preset, backlog, clients, rtt = case
            lab = in_lab(*case)
            state = engine.ask("script", world=0, settings={"preset": preset, "backlog": backlog, "rtt": rtt},
                               actions=[{"at": 300000 + 100000 * i, "what": "syn"} for i in range(clients)],
                               until=micros(lab["config"]["dur_s"]))
            with self.subTest(preset=preset, backlog=backlog):
                self.assertEqual([c["connected"] for c in state["clients"]], [micros(c["ok"]) for c in lab["clients"]])
                letters = {"S": "S", "S.": "SA", ".": "A", "P.": "PA", "R": "R", "R.": "RA", "F.": "FA"}
                theirs = sorted((at + 300000, port, way == "c>s", letters[flags], seq, ack, size)
                                for at, _, port, way, flags, seq, ack, size in lab["packets"])
                events = [e for e in engine.events() if e["kind"] == "segment"] + \
                    [{**f, "at": f["arrives"]} for f in state["wire"]]
                ours = sorted((e["sent"], e["client"], e["to_server"], e["flags"], e["seq"], e["ack"], e["bytes"])
                              for e in events)
                self.assertEqual(ours, theirs)
                listeners = {n: v for c in lab["causes"] for n, v in c["counters"].items()}
                for name in listeners:
                    self.assertEqual(state["counters"][name],
                                     sum(c["counters"].get(name, 0) for c in lab["causes"]), name)
                self.assertEqual([(c["verdict"], c["times"]) for c in state["causes"]],
                                 [(c["verdict"], c["times"]) for c in lab["causes"]])
                self.assertEqual(state["ss"][0]["recv_q"], lab["snaps"]["end"]["listen"]["recvq"])
        engine.close()


unittest.main()
