#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Captures and event logs that are played again: the lab's own captures decide as the run that they are of, floods at a
real kernel (recordings/floods.pcap, made by kernel/replay.py) do under its preset what they did there, an event log
replays bit for bit, and what is broken is named.

usage: replay.py LAB
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from floods import differences  # noqa: E402
from recordings import HERE, Report, lab, load  # noqa: E402

SYNS = {"admitted", "duplicate_syn", "cookie_sent", "dropped_accept_full", "dropped_request_full"}
report = Report()
folder = tempfile.TemporaryDirectory()
CAPTURE, LOG, OTHER = (f"{folder.name}/{name}" for name in ("run.pcapng", "run.log", "other.log"))


def replay(*arguments):
    return lab(["replay", *arguments, "--json", "-"])


def refused(*arguments):
    """The one line that the lab says to what it cannot read."""
    done = subprocess.run([sys.argv[1], "replay", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.stderr.strip() if done.returncode == 2 else f"status {done.returncode}"


# The lab's own captures. Its clients and its server go on as they did; the verdicts are the same, in number and kind.
for preset in ("linux-2.6.32", "linux-3.12", "linux-6.18", "freebsd-13", "openbsd", "linux-5.15"):
    for backlog, accept, seed in ((0, "never", 1), (1, "never", 2), (4, "always", 3)):
        run = lab(["--preset", preset, "--backlog", backlog, "--clients", 9, "--gap", "0.01", "--data-after", 2, "--accept",
                   accept, "--seed", seed, "--loss", "0.05", "--pcap", CAPTURE, "--json", "-"])
        here = replay("--pcap", CAPTURE, "--preset", preset, "--backlog", backlog, "--accept", accept,
                      "--seed", seed, "--head-start", "0.3")["runs"][0]
        verdicts = {}
        for cause in run["causes"]:
            verdicts[cause["verdict"]] = verdicts.get(cause["verdict"], 0) + cause["times"]
        timers = {"resent", "waited", "expired", "send_failed", "orphaned", "paused"}
        theirs = {verdict: n for verdict, n in verdicts.items() if verdict not in timers}
        problems = [] if theirs == here["verdicts"] else [f"verdicts {theirs}, replayed {here['verdicts']}"]
        for name, expected in (("syns_alike", here["syns"]), ("withheld", 0), ("added", 0),
                               ("parts_from_record", None)):
            if here[name] != expected:
                problems.append(f"{name} {here[name]}")
        report.run(f"{preset}, backlog {backlog}, accepts {accept}", problems)

# A real kernel's.
for flood in load("floods"):
    report.run(f"flood at port {flood['port']}", differences(HERE / "floods.pcap", flood))
without = replay("--pcap", HERE / "floods.pcap", "--port", 20002, "--preset", "linux-6.18,backlog=8", "--preset",
                 "linux-6.18,backlog=8,syncookies=0", "--preset", "linux-6.18,backlog=64", "--accept", "never")
first, none, larger = without["runs"]
report.run("what would no cookies, or a longer queue, have done", [
    f"{what}: {run}" for what, holds, run in (
        ("fewer connect", none["connections"] < first["connections"], none),
        ("no cookies", "cookie_sent" not in none["verdicts"] and none["verdicts"]["dropped_request_full"] > 0, none),
        ("nobody is dropped", {"admitted", "duplicate_syn"} == {v for v in larger["verdicts"] if v in SYNS}, larger),
        ("it parts", none["parts_from_first"] is not None, none), ("it parts", larger["parts_from_first"] is not None, larger))
    if not holds])

# Event logs.
for preset in ("linux-3.12", "linux-6.18", "freebsd-13", "netbsd", "onload"):
    for seed in (3, 7):
        lab(["simulate", "--preset", preset, "--seed", seed, "--events", 6000, "--log", LOG, "--json", "-"])
        again = replay("--log", LOG, "--record", OTHER)
        third = replay("--log", OTHER)
        report.run(f"log of {preset}, seed {seed}", [
            f"{what} {value}" for what, value, expected in (
                ("exact", again["exact"], True), ("the re-run's log is exact", third["exact"], True),
                ("preset", again["runs"][0]["preset"], preset)) if value != expected])
lines = pathlib.Path(LOG).read_text().splitlines()
place = next(i for i, line in enumerate(lines) if " = admitted " in line)
lines[place] = lines[place].replace(" = admitted ", " = cookie_sent ")
pathlib.Path(OTHER).write_text("\n".join(lines) + "\n")
changed = subprocess.run([sys.argv[1], "replay", "--log", OTHER], capture_output=True, text=True, timeout=60)
report.run("a log that was changed", [] if changed.returncode == 1 and lines[place] in changed.stdout else [changed.stdout])

# What is broken.
whole = (HERE / "floods.pcap").read_bytes()
pathlib.Path(CAPTURE).write_bytes(whole[:1000])
report.run("a capture that ends early", [] if replay("--pcap", CAPTURE)["error"] == "truncated" else ["is not noticed"])
pathlib.Path(CAPTURE).write_bytes(whole[:24])
report.run("an empty capture", [] if replay("--pcap", CAPTURE)["there"]["segments"] == 0 else ["is not empty"])
pathlib.Path(CAPTURE).write_bytes(b"no capture at all")
pathlib.Path(LOG).write_text("listenq event log 1\n0 listen 1 = ok\n5 nonsense\n")
for arguments, words in ((("--pcap", CAPTURE), "a pcap or pcapng capture"), (("--pcap", "/nowhere"), "can be read"),
                         (("--log", CAPTURE), "not_a_log"), (("--log", LOG), "line 3: bad_line"), ((), "give one of"),
                         (("--pcap", CAPTURE, "--log", LOG), "give one of"),
                         (("--pcap", HERE / "floods.pcap", "--preset", "linux-6.18,colour=3"), "somaxconn"),
                         (("--pcap", HERE / "floods.pcap", "--accept", "soon"), "observed")):
    said = refused(*arguments)
    report.run(f"replay {' '.join(map(str, arguments))}", [] if words in said and "\n" not in said else [said])
report.close()
