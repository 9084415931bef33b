"""Segments of all kinds at this machine's kernel and at the preset of its version: answers, states, counters.

A row is the life of one port: perhaps a SYN, then odd segments with random flags, numbers around every edge and random
timestamps, then the ACK that a well-behaved client would send. The client's ISN lies close to the wrap of the numbers
in half of the rows. Once a segment belongs to a connection the rest of its row says nothing
about a listener.
"""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import Machine, by_lab, enter_machine, tune  # noqa: E402
from netns import check, finish  # noqa: E402

SEED, BATCHES, ROWS = 20261130, 4, 100  # for each tcp_syncookies; a listener for each batch
BACKLOG = 4096
# Two answers to a request are at least 0.5 s apart, or the second is left out: the segments of a row must be closer.
ROW_LIMIT_S = 0.4
PLAIN_WINDOW, TIMESTAMP_WINDOW = 64240, 65160
USUAL = [".", "P.", "F.", "S", "S.", "R", "R.", "F", "-", "P", "SF", "SR", "SR.", "SF.", "SEW", "SP", "U.", "FP.",
         "R.F"]
PROMOTED = ("promoted", "cookie_promoted")
OPTIONS = ["", "mss=1460", "mss=536,sack", "mss=1460,ws=7", "mss=1460,sack,ws=14", "mss=9000,ws=15", "sack", "ws=0",
           "mss=0", "mss=1460,ts=5000", "mss=1460,sack,ts=5000,ws=10", "mss=1000,ts=5000", "mss=1460,sack,ts=5000",
           "mss=1460,ts=0,ws=3", "mss=1460,sack,ts=4294967290,ws=7"]


def flags_of(chance):
    if chance.random() < 0.7:
        return chance.choice(USUAL)
    return "".join(letter for letter in "FSRP.UEW" if chance.random() < 0.4) or "-"


def timestamps(chance, first):
    value = (first + chance.choice([1, 1, 1, 0, -1, 1000, -1000, 2**31, 2**31 + 1, 2**31 - 1])) % 2**32
    value = chance.choice([value, value, value, 0])
    echo = chance.choice(["T+0"] * 5 + ["T+1000", "T-1000", "0", "T+2147483648", str(chance.randrange(2**32))])
    return f"ts={value}:{echo}"


def stimulus(chance, port, with_ts):
    flags = flags_of(chance)
    window = TIMESTAMP_WINDOW if with_ts is not None else PLAIN_WINDOW
    edges = [0, 1, 1, 1, 1, 2, -1, -5, -13, window - 1, window, window + 1, window + 2, window - 12, 2**31, 2**31 + 1,
             65535, 65536, chance.randrange(2**32)]
    seq = f"C{chance.choice(edges):+d}"
    ack = f"S{chance.choice([1] * 12 + [0, 2, -1, 777, 2**31, chance.randrange(2**32)]):+d}" if "." in flags else "-"
    size = chance.choice([0, 0, 0, 0, 1, 13, 500])
    options = []
    if chance.random() < (0.9 if with_ts is not None else 0.15):
        options.append(timestamps(chance, with_ts if with_ts is not None else 5000))
    if chance.random() < 0.15:
        options.append(chance.choice(["mss=1200", "sack", "ws=4", "win=0", "win=65535"]))
    return f"0 {port} {flags} {seq} {ack} {size} {','.join(options)}".rstrip()


def row(chance, port):
    """The lines of one port."""
    lines, with_ts = [], None
    if chance.random() < 0.85:
        options = chance.choice(OPTIONS)
        if "ts=" in options:
            with_ts = int(options.partition("ts=")[2].partition(",")[0])
        flags = chance.choice(["S", "S", "S", "SEW", "SP", "SE"])
        lines.append(f"0 {port} {flags} C+0 - {chance.choice([0, 0, 0, 10])} {options}".rstrip())
    lines += [stimulus(chance, port, with_ts) for _ in range(chance.choice([1, 1, 2, 3]))]
    newer = f" ts={(with_ts + 2) % 2**32}:T+0" if with_ts is not None else ""
    return lines + [f"0 {port} . C+1 S+1 0{newer}"]


def differences(theirs, ours):
    """What differs in one step of a request or of the listener. What the new connection itself answers to the segment
    that has made it is the connection's own."""
    if theirs.state != ours.state and {theirs.state, ours.state} & {"SYN-RECV", "none"}:
        yield f"state: kernel {theirs.state}, ours {ours.state}"
    moved = theirs.counters
    if ours.verdict in PROMOTED:
        moved = {name: value for name, value in moved.items() if name != "TcpExtTCPChallengeACK"}
    if moved != ours.counters:
        yield f"counters: kernel {moved}, ours {ours.counters}"
    if theirs.texts() != ours.texts() and ours.verdict not in PROMOTED:
        yield f"answers: kernel {theirs.texts()}, ours {ours.texts()}"


def played(listener, chance, lines_for):
    """The kernel's steps of a row, and the row, with a port at which it went fast enough."""
    state = chance.getstate()
    while True:
        chance.setstate(state)
        lines = lines_for(chance)
        isn = chance.choice([chance.randrange(2**32), 2**32 - chance.choice([1, 2, 3, 13, 1000, 64000, 65000])])
        began = time.monotonic()
        steps = [listener.step(line, isn) for line in lines]
        listener.forget(int(lines[0].split()[1]))
        if time.monotonic() - began < ROW_LIMIT_S:
            return lines, steps


def compare(machine, syncookies, batch):
    tune("syncookies", syncookies)
    listener = machine.listen(BACKLOG)
    chance = random.Random(f"{SEED} {syncookies} {batch}")
    ports = iter(range(1024, 65536))
    rows = [played(listener, chance, lambda c: row(c, next(ports))) for _ in range(ROWS)]
    ours = iter(by_lab([line for lines, _ in rows for line in lines], "--backlog", BACKLOG, "--syncookies", syncookies))
    listener.close()
    for number, (lines, steps) in enumerate(rows, batch * ROWS):
        problems = []
        connected = False
        for theirs, mine in [(s, next(ours)) for s in steps]:
            connected = connected or mine.verdict == "connection"
            if not connected and not problems:
                problems += [f"{theirs.line} ({mine.verdict}): {d}" for d in differences(theirs, mine)]
        if problems:
            problems += [f"in the row {' / '.join(lines)}"]
        check(f"syncookies {syncookies}, row {number}", problems)


enter_machine()
print(f"seed {SEED}")
machine = Machine()
for syncookies in (0, 2):
    for batch in range(BATCHES):
        compare(machine, syncookies, batch)
machine.close()
finish()
