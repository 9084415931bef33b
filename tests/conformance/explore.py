#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Small worlds explored completely, preset by preset: the invariants hold in every state, abort on overflow strands
nobody, and the README's table says what comes out.

usage: explore.py LAB
"""
import json
import pathlib
import re
import subprocess
import sys

LAB = sys.argv[1]
README = pathlib.Path(__file__).parents[2] / "README.md"
problems = []


def explore(*options):
    run = subprocess.run([LAB, "explore", *options, "--json", "-"], capture_output=True, text=True)
    if run.returncode not in (0, 1) or not run.stdout:
        sys.exit(f"explore {' '.join(options)}: status {run.returncode}\n{run.stderr}")
    return json.loads(run.stdout)


def check(what, holds):
    if not holds:
        problems.append(what)


worlds = [
    ("--backlog", "0"),
    ("--backlog", "1", "--losses", "1", "--accepts", "1"),
    ("--backlog", "2", "--duplicates", "1", "--repeats", "1"),
    ("--backlog", "0", "--accepts", "1", "--closes", "1", "--depth", "12"),
]
# The first world for every preset, the larger ones for one of each kind.
kinds = ["linux-3.12", "linux-2.6.32", "linux-6.18", "freebsd-13", "openbsd", "xnu"]
states = 0
for world in worlds:
    for row in explore(*world) if world is worlds[0] else [explore("--preset", p, *world)[0] for p in kinds]:
        name = f"{row['preset']} {' '.join(world)}"
        states += row["states"]
        check(f"{name}: {row['broken']} is broken", row["broken"] is None)
        check(f"{name}: not complete", row["complete"] or "--depth" in world)
        check(f"{name}: fewer than 10 states", row["states"] >= 10)

# The article's third client: nothing was lost, and its last word is a timer of the listener.
third = explore("--preset", "linux-3.12", "--clients", "3", "--backlog", "1")[0]
check("three clients and listen(1): each can be the stranded one", len(third["stranded"]) == 3)
for client, way in third["stranded"].items():
    check(f"{client}: its ACK meets a full accept queue", f"{client}: its ACK arrives: overflow_kept" in way)
    check(f"{client}: its request dies", way.endswith("a timer of the listener fires\n"))
for preset in ("linux-3.12", "linux-2.6.32", "linux-6.18"):
    told = explore("--preset", preset, "--clients", "2", "--backlog", "0", "--abort-on-overflow", "1",
                   "--syncookies", "0")[0]
    check(f"{preset}: abort on overflow strands nobody", told["stranded"] == {})
    kept = explore("--preset", preset, "--clients", "3", "--backlog", "1", "--abort-on-overflow", "1")[0]
    check(f"{preset}: abort on overflow, cookies as they are", (kept["stranded"] == {}) == (preset != "linux-6.18"))

# The README's table, every preset: | linux-3.12 | 3 | 1 | 43569 | 168553 | 27 | hold | 1 2 3 | 14 |
table = {}
for line in re.findall(r"^\| [\w.-]+ \| 3 \| 1 \| .*\|$", README.read_text("utf-8"), re.M):
    cells = [c.strip() for c in line.strip("|").split("|")]
    table[cells[0]] = cells[3:]
for row in explore("--clients", "3", "--backlog", "1"):
    name, ways = row["preset"], row["stranded"]
    check(f"{name}: {row['broken']} is broken, or not complete", row["broken"] is None and row["complete"])
    found = [str(row[n]) for n in ("states", "transitions", "depth")] + [
        "hold", " ".join(c.split()[1] for c in ways) or "nobody",
        str(min(w.count("\n") for w in ways.values())) if ways else ""]
    said = table.pop(name, None)
    check(f"README: {name}: {said}, but it is {found}", said == found)
check(f"README: no such presets: {list(table)}", not table)

print(f"{states} states; {len(problems)} problems")
for p in problems:
    print(p)
sys.exit(1 if problems else 0)
