#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The engine in WebAssembly, under Node, answers what the native engine answers, byte for byte.

The requests are the stories, some that are wrong, and random sessions from a fixed seed: worlds with random settings in
which random things are done, every state, event and export looked at. What this would catch: a width or an alignment
that another machine has otherwise, a number printed by another library, memory that was never written, an optimiser
that went too far, a trap.
usage: wasm.py NATIVE SITE [SEED]     exit status 77 when there is no Node or no engine.wasm
"""
import json
import pathlib
import random
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
SESSIONS = 40
WRONG = ["", "{", "[]", "7", "null", '"open"', "{}", '{"do":"dance"}', '{"do":"state","world":3}',
         '{"do":"state","world":-1}', '{"do":"open","settings":{"preset":"windows-95"}}',
         '{"do":"open","settings":{"backlog":"many"}}', '{"do":"advance","to":-1}', '{"do":"script","until":"x"}',
         '{"do":"open","settings":{"rtt":1e400}}', '{"do":"open","settings":{"seed":18446744073709551616}}',
         '{"do":"export","world":0,"as":"poem"}', '{"do":"sizing"}', '{"do":"open","settings":{"loss":"\\ud800"}}',
         '{"do":"öffne"}', '{"do":"' + "x" * 5000 + '"}', "[" * 2000]


def stories(site):
    for story in json.loads((site / "stories.json").read_text(encoding="utf-8")):
        yield {"do": "script", "world": 0, "settings": story["settings"], "actions": story["actions"],
               "until": story["until"]}
        yield {"do": "events", "world": 0, "since": 0}
        for form in ("pcap", "mermaid", "cpp", "ss", "nstat", "json"):
            yield {"do": "export", "world": 0, "as": form}


def settings(draw, presets):
    """Random settings; a few of them refused."""
    preset = draw.choice(presets)
    chosen = {"preset": preset["name"], "seed": draw.randrange(2**32), "backlog": draw.choice([-1, 0, 1, 2, 5, 64, 1000])}
    values = {"somaxconn": [1, 16, 128], "max_syn_backlog": [4, 64, 1024], "syncookies": [0, 1, 2],
              "abort_on_overflow": [0, 1], "synack_retries": [0, 1, 5, 9]}
    chosen["tunables"] = {name: draw.choice(values[name]) for name in preset["tunables"]
                          if name in values and draw.random() < 0.4}
    if draw.random() < 0.5:
        chosen["rtt"] = draw.choice([0, 20, 999, 50_000, 200_000, 1_500_000])
    if draw.random() < 0.4:
        chosen["loss"] = draw.choice([0.01, 0.1, 1 / 3, 0.9])
    if draw.random() < 0.6:
        chosen["arrivals"] = {"rate": draw.choice([0.5, 3, 20, 150]), "burst": draw.choice([1, 2, 9])}
    if draw.random() < 0.6:
        stall = draw.choice([None, {"from": 700_000, "for": 2_000_000}])
        chosen["accept"] = {"every": draw.choice([1000, 40_000, 300_000]), "stall": stall}
    if draw.random() < 0.3:
        chosen["flood"] = {"rate": draw.choice([5, 60]), "answers": draw.random() < 0.5}
    if draw.random() < 0.3:
        chosen["patience"] = draw.choice([None, 100_000, 2_000_000])
    if draw.random() < 0.3:
        chosen["data_after"] = draw.choice([None, 0, 500_000])
    return chosen


def session(draw, presets):
    world, now = draw.randrange(2), 0
    yield {"do": "open", "world": world, "settings": settings(draw, presets)}
    for _ in range(draw.randrange(4, 25)):
        what = draw.random()
        if what < 0.3:
            now += draw.choice([1, 1000, 200_000, 1_100_000, 7_000_000])
            yield {"do": "advance", "world": world, "to": now}
        elif what < 0.4:
            yield {"do": "step", "world": world}
        elif what < 0.9:
            act = draw.choice(["syn", "syn", "syn", "raw_syn", "ack", "rst", "data", "accept", "accept", "tick", "close",
                               "listen"])
            more = {"client": draw.randrange(6)} if draw.random() < 0.6 and act not in ("accept", "tick") else {}
            yield {"do": "act", "world": world, "what": act, **more}
        else:
            name, value = draw.choice([("backlog", 3), ("rtt", 30_000), ("loss", 0.25), ("syncookies", 1),
                                       ("synack_retries", 2), ("accept", {"every": 10_000, "stall": None})])
            yield {"do": "set", "world": world, "name": name, "value": value}
    yield {"do": "state", "world": world}
    yield {"do": "events", "world": world, "since": draw.choice([0, 3])}
    for form in draw.sample(["pcap", "mermaid", "cpp", "ss", "nstat", "json"], 2):
        yield {"do": "export", "world": world, "as": form}


def sizings(presets):
    """The calculator: its closed forms are floating point from end to end."""
    for preset in [p["name"] for p in presets][::9]:
        for rate, burst, stall, service in ((300, 20, 50_000, 400), (90, 1, 0, 100), (70, 3, 200_000, 65)):
            yield {"do": "sizing", "preset": preset, "syns": "doubling", "seed": 1, "clients": 20_000, "rate": rate,
                   "burst": burst, "stall": stall, "every": 1_000_000, "service": service, "rtt": 50_000,
                   "deadline": 3_000_000, "never_ack": 0.01}


def answers(command, lines):
    done = subprocess.run(command, input="".join(line + "\n" for line in lines).encode(), capture_output=True, timeout=900)
    found = done.stdout.split(b"\n")[:-1]
    if done.returncode != 0 or len(found) != len(lines):
        where = lines[len(found)] if len(found) < len(lines) else "?"
        print(f"{command[0]}: status {done.returncode} after {len(found)} of {len(lines)} answers, at {where[:200]}\n"
              f"{done.stderr.decode(errors='replace')[-600:]}")
        sys.exit(1)
    return found


def main():
    native, site = sys.argv[1], pathlib.Path(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if shutil.which("node") is None or not (site / "engine.wasm").exists():
        print("SKIPPED: there is no Node here, or the page has not been built")
        return SKIPPED
    presets = json.loads(answers([native], ['{"do":"presets"}'])[0])["presets"]
    draw = random.Random(seed)
    requests = [json.dumps(r) for r in [{"do": "presets"}, *stories(site), *sizings(presets)]] + WRONG
    for _ in range(SESSIONS):
        requests += [json.dumps(r) for r in session(draw, presets)]
    ours = answers([native], requests)
    theirs = answers(["node", str(HERE / "wasm_lines.js"), str(site)], requests)
    wrong = [(r, a, b) for r, a, b in zip(requests, ours, theirs) if a != b]
    for request, a, b in wrong[:5]:
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        print(f"{request[:300]}\n  natively ...{a[max(0, at - 60):at + 60]}\n  in wasm  ...{b[max(0, at - 60):at + 60]}")
    refused = sum(a.startswith(b'{"error"') for a in ours)
    print(f"{len(requests)} requests, {refused} refused, {sum(map(len, ours))} bytes of answers, seed {seed};"
          f" {len(wrong)} answered otherwise in WebAssembly")
    if refused < len(WRONG) - 2 or refused > len(requests) // 3:
        print("so many were refused that little was compared, or wrong ones were not")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
