#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""`lab sizing`: the window, the rows and the warnings of a few questions; what it refuses; and the README's example.

usage: sizing.py LAB
"""
import json
import pathlib
import re
import subprocess
import sys

LAB = sys.argv[1]
README = pathlib.Path(__file__).parents[2] / "README.md"
problems = []


def run(*options):
    return subprocess.run([LAB, "sizing", *options], capture_output=True, text=True)


def answer(*options):
    done = run(*options, "--json", "-")
    if done.returncode != 0:
        sys.exit(f"sizing {' '.join(options)}: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def check(what, holds):
    if not holds:
        problems.append(what)


usual = ("--rate", "2000", "--stall", "300ms", "--burst", "20", "--service", "2500", "--deadline", "3", "--clients", "200000")
a = answer(*usual, "--backlog", "128", "511", "2000")
rows = {r["backlog"]: r for r in a["rows"]}
check("the window is 600..7500", (a["window"]["least"], a["window"]["most"], a["window"]["empty"]) == (600, 7500, False))
check("one stall in a hundred brings more than 800..1000", 800 < a["window"]["with_margin"] < 1000)
check("100 requests on average, Erlang-B wants 128", a["requests"]["mean"] == 100 and a["requests"]["poisson"] == 128)
check("bursts want more", a["requests"]["bursty"] > 200)
check("a stall overflows 128", abs(rows[128]["closed"]["stall_loss"] - (600 - 129) / 20000) < 1e-6)
check("M/M/1/K sees no loss at 128, the simulation does, and says so",
      rows[128]["closed"]["loss"] < 1e-9 and rows[128]["simulated"]["loss"] > 0.02
      and rows[128]["disagree"]["what"] == "loss" and "no stalls" in rows[128]["disagree"]["text"])
check("2000 are enough", rows[2000]["simulated"]["loss"] == 0 and "listen(2000)" in a["advice"])
check("the wait is the stall's", 200000 < rows[2000]["simulated"]["p99"] < 500000)
check("the steps are those of a SYN", [s["at"] for s in rows[128]["simulated"]["steps"]][0] == 1000000)
check("shares of a histogram", abs(sum(h["share"] for h in rows[2000]["simulated"]["histogram"]) - 1) < 0.001)
check("the same seed, the same answer", a == answer(*usual, "--backlog", "128", "511", "2000"))
check("another seed, another", a != answer(*usual, "--backlog", "128", "511", "2000", "--seed", "2"))

# In the limit that the closed forms know, nothing disagrees.
plain = answer("--rate", "500", "--service", "1000", "--rtt", "0", "--backlog", "16", "64", "--clients", "100000")
check("Poisson, no stalls: both agree", all(r["disagree"] is None for r in plain["rows"]))
check("and who believes in Poisson is warned", any("over-dispersed" in w for w in plain["warnings"]))

empty = answer("--rate", "500", "--stall", "2", "--service", "600", "--deadline", "1", "--clients", "50000")
check("an empty window has a remedy", empty["window"]["empty"] and "1000 accepts a second" in empty["window"]["remedy"])
over = answer("--rate", "200", "--service", "100", "--clients", "20000", "--backlog", "64", "4096")
check("overload", over["load"]["overloaded"] and any("50 %" in w and "buys only delay" in w for w in over["warnings"]))
check("a bigger backlog fails more", over["rows"][1]["simulated"]["beyond"] > over["rows"][0]["simulated"]["beyond"])
kernel = answer("--rate", "100", "--never-ack", "0.01", "--rtt", "200ms", "--clients", "20000")
check("the kernel's own remark: 83 half-open", round(kernel["requests"]["mean"]) == 83)
clamped = answer("--rate", "100", "--backlog", "511", "--preset", "linux-3.12", "--clients", "20000")
check("somaxconn", clamped["rows"][0]["in_force"] == 128 and any("somaxconn" in w for w in clamped["warnings"]))
tuned = answer("--rate", "100", "--backlog", "511", "--preset", "linux-3.12", "--somaxconn", "1024", "--clients", "20000")
check("somaxconn raised", tuned["rows"][0]["in_force"] == 511)

for options, what in ((("--rate", "0"), "--rate"), ((), "--rate"), (("--rate", "9", "--stall", "20"), "--stall"),
                      (("--rate", "9", "--deadline", "0"), "--deadline"), (("--rate", "9", "--backlog", "-1"), "--backlog"),
                      (("--rate", "9", "--syns", "x"), "doubling, linear"), (("--rate", "9", "--stall", "3x"), "300ms"),
                      (("--rate", "100000", "--stall", "1", "--every", "3600"), "--clients")):
    done = run(*options)
    check(f"{options}: refused with a sentence, not '{done.stderr.strip()}'",
          done.returncode == 2 and what in done.stderr and done.stderr.count("\n") == 1)

# What the README shows is what it prints.
shown = re.search(r"^```\n\./examples/run sizing ([^\n]*)\n```\n\n```\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
check("the README has no example", shown is not None)
if shown:
    check("the README's example prints something else", run(*shown[1].split()).stdout == shown[2])

for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
