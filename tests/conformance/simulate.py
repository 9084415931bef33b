#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every preset against thousands of hosts and what a few seeds draw: no invariant breaks, a run repeats, and under a
flood those live that are known to.

usage: simulate.py LAB
"""
import json
import subprocess
import sys

LAB = sys.argv[1]
problems = []


def lab(*options):
    run = subprocess.run([LAB, *options], capture_output=True, text=True)
    if run.returncode not in (0, 1) or not run.stdout:
        sys.exit(f"lab {' '.join(options)}: status {run.returncode}\n{run.stderr}")
    return run.stdout


def simulate(*options):
    return [json.loads(line) for line in lab("simulate", *options, "--json", "-").splitlines()]


def check(what, holds):
    if not holds:
        problems.append(what)


rows = simulate("--seed", "1", "--runs", "4", "--events", "30000")
again = {(r["preset"], r["seed"]): r["digest"] for r in simulate("--seed", "2", "--events", "30000")}
for r in rows:
    name = f"{r['preset']}, seed {r['seed']} ({r['against']})"
    check(f"{name}: {r['broken']} is broken", r["broken"] is None)
    check(f"{name}: {r['events']} events", r["events"] == 30000)
    check(f"{name}: nothing was seen", sum(r["verdicts"].values()) > 1000)
    check(f"{name}: it does not repeat", again.get((r["preset"], r["seed"]), r["digest"]) == r["digest"])
check("presets differ", len({r["digest"] for r in rows if r["seed"] == 1}) > 10)


def survivors(preset):
    lines = [line.split() for line in lab("attacks", "--preset", preset, "--markdown").splitlines()]
    head = [c.strip() for c in " ".join(lines[0]).strip("| ").split("|")]
    cells = [c.strip() for c in " ".join(lines[2]).strip("| ").split("|")]
    return dict(zip(head, cells[1:]))


# With cookies a flood costs nobody his connection; without, the request queue is the flood's.
for preset in ("linux-3.12", "linux-6.18"):
    table = survivors(preset)
    check(f"{preset}: {table}", int(table["peace"]) >= 95 and int(table["flood"]) >= 95 and int(table["prefix"]) >= 95)
table = survivors("linux-2.6.32")
check(f"linux-2.6.32: {table}", int(table["peace"]) >= 95 and int(table["flood"]) <= 30)

print(f"{len(rows)} runs, {sum(r['events'] for r in rows)} events; {len(problems)} problems")
for p in problems:
    print(p)
sys.exit(1 if problems else 0)
