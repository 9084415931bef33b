"""Floods at this machine's kernel, captured as an administrator would (dumpcap), and replayed under the preset of its
version: the same SYNs are answered, the same clients connect, the same counters move.

usage: replay.py LAB [CAPTURE]     CAPTURE.pcapng and CAPTURE.json are kept: see tests/conformance/recordings
"""
import json
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import Machine, enter_machine, moved, tune  # noqa: E402
from netns import check, counters, finish, start, stop, wait_until  # noqa: E402
from floods import differences  # noqa: E402

SEED = 45
LAST = 0x1a57c0de
FLOODS = [(8, 0, "never"), (8, 1, "never"), (3, 1, "always"), (16, 2, "never"), (0, 1, "never"), (1, 0, "always")]
OPTIONS = ["", "mss=1460", "mss=1460,sack,ts=7,ws=7", "mss=536,ws=2", "mss=1460,ts=9"]


def flood(machine, chance, backlog, syncookies, accept):
    """Sixty SYNs, many of them by clients that go on; what the kernel did."""
    tune("syncookies", syncookies)
    listener = machine.listen(backlog)
    before = counters()
    accepted = []
    port, pending = 1024, []
    for _ in range(60):
        port += 1
        options = chance.choice(OPTIONS)
        step = listener.step(f"0 {port} S C+0 - 0 {options}".rstrip(), chance.randrange(2**32))
        if any(answer.flags == "S." for _, answer in step.answers) and chance.random() < 0.5:
            pending.append((port, "ts=8:T" if "ts=" in options else ""))
        if chance.random() < 0.2:
            listener.step(f"0 {port} S C+0 - 0 {options}".rstrip())  # the same SYN again
        if pending and chance.random() < 0.7:
            last, stamp = pending.pop(chance.randrange(len(pending)))
            listener.step(f"0 {last} . C+1 S+{chance.choice([1, 1, 1, 1, 5])} 0 {stamp}".rstrip())
            if accept == "always":
                accepted += listener.accept()
    after = counters()
    connections = len(accepted) + len(listener.accept())
    facts = {"port": listener.port, "backlog": backlog, "syncookies": syncookies, "accept": accept,
             "connections": connections, "counters": moved(before, after)}
    listeners.append(listener)
    return facts


enter_machine("dumpcap")
print(f"seed {SEED}")
machine = Machine()
listeners = []
keep = sys.argv[2] if len(sys.argv) > 2 else None
with tempfile.TemporaryDirectory() as folder:
    capture = pathlib.Path(keep + ".pcapng" if keep else f"{folder}/flood.pcapng")
    log = open(f"{folder}/log", "w")
    only = ["-f", "tcp"] if keep else []  # else pings, too
    dumpcap = start("dumpcap", "-q", "-i", "tun0", *only, "-w", capture, stdout=log, stderr=log)
    wait_until(lambda: "File:" in pathlib.Path(f"{folder}/log").read_text(), 10)
    chance = random.Random(SEED)
    facts = [flood(machine, chance, *f) for f in FLOODS]
    # The capture is behind: it has all when it has what was sent last, to another port.
    listeners.append(machine.listen(1))
    listeners[-1].step("0 1024 S C+0 - 0", LAST)
    wait_until(lambda: LAST.to_bytes(4, "big") in capture.read_bytes(), 20)
    stop(dumpcap, 2)
    log.close()
    for f in facts:
        check(f"backlog {f['backlog']}, syncookies {f['syncookies']}, accepts {f['accept']}", differences(capture, f))
    check("the floods did something", sum(f["connections"] for f in facts) > 30)
    if keep:
        pathlib.Path(keep + ".json").write_text(json.dumps(facts, indent=1) + "\n")
for listener in listeners:
    listener.close()
machine.close()
finish()
