"""Fast open at this machine's kernel and at the preset of its version: cookies, connections made at their SYN, the bound
on those that are unfinished, the place that one keeps which its peer resets after accept().

Each script begins with a new listener and a peer that has asked for its cookie.
"""
import pathlib
import sys
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import Machine, by_lab, enter_machine  # noqa: E402
from netns import check, equal, finish, sysctl  # noqa: E402

# With this key the kernel gives 10.9.0.2 this cookie at 10.9.0.1: the one in tests/policy/fast_open.cpp.
KEY = "00112233-44556677-8899aabb-ccddeeff"
# A SYN-ACK comes again after 1 s: a script that took longer is played again.
SCRIPT_LIMIT_S, TRIES = 0.8, 10


class Script(NamedTuple):
    name: str
    lines: str
    qlen: int = 4
    backlog: int = 8
    bits: int = 3
    syncookies: int = 1


SCRIPTS = [
    Script("a request for a cookie", "1 S C+0 - 0 mss=1460,fo / 1 . C+1 S+1 0 / accept"),
    Script("all options beside it", "1 S C+0 - 0 mss=1460,sack,ts=5000,ws=10,fo / 1 . C+1 S+1 0 ts=5001:T+0"),
    Script("the experimental option", "1 S C+0 - 0 mss=1460,xfo / 2 S C+0 - 13 mss=1460,xfo=latest / accept"),
    Script("a request with data", "1 S C+0 - 13 mss=1460,fo / 1 P. C+1 S+1 13"),
    Script("a good cookie and data", "1 S C+0 - 13 mss=1460,fo=latest / accept / 1 . C+14 S+1 0 / accept"),
    Script("a good cookie, data and options",
           "1 S C+0 - 13 mss=1460,sack,ts=5000,ws=10,fo=latest / accept / 1 . C+14 S+1 0 ts=5001:T+0"),
    Script("a good cookie without data", "1 S C+0 - 0 mss=1460,fo=latest / accept / 1 . C+1 S+1 0"),
    Script("accepted after its final ACK", "1 S C+0 - 13 mss=1460,fo=latest / 1 . C+14 S+1 0 / accept"),
    Script("a wrong cookie", "1 S C+0 - 13 mss=1460,fo=wrong / accept / 1 P. C+1 S+1 13 / accept"),
    Script("a cookie of another size", "1 S C+0 - 13 mss=1460,fo=0102030405060708090a / accept"),
    Script("data without a cookie", "1 S C+0 - 13 mss=1460 / accept / 1 . C+1 S+1 0"),
    Script("the SYN again", "1 S C+0 - 13 mss=1460,fo=latest / 1 S C+0 - 13 mss=1460,fo=latest"),
    Script("a wrong ACK", "1 S C+0 - 13 mss=1460,fo=latest / 1 . C+14 S+777 0 / 1 . C+14 S+1 0"),
    Script("the bound", "1 S C+0 - 13 mss=1460,fo=latest / 2 S C+0 - 13 mss=1460,fo=latest / "
           "3 S C+0 - 13 mss=1460,fo=latest / 4 S C+0 - 0 mss=1460,fo / accept / 5 S C+0 - 13 mss=1460,fo=latest / "
           "6 S C+0 - 13 mss=1460 / 1 . C+14 S+1 0 / 7 S C+0 - 13 mss=1460,fo=latest", qlen=2),
    Script("a reset before accept()", "1 S C+0 - 13 mss=1460,fo=latest / 1 R C+14 - 0 / accept / "
           "2 S C+0 - 13 mss=1460,fo=latest", qlen=1),
    Script("a reset after accept()", "1 S C+0 - 13 mss=1460,fo=latest / accept / 1 R C+14 - 0 / "
           "2 S C+0 - 13 mss=1460,fo=latest / 2 . C+1 S+1 0", qlen=1),
    Script("a reset after the final ACK", "1 S C+0 - 13 mss=1460,fo=latest / accept / 1 . C+14 S+1 0 / 1 R C+14 - 0 / "
           "2 S C+0 - 13 mss=1460,fo=latest", qlen=1),
    Script("a full accept queue", "1 S C+0 - 0 mss=1460 / 1 . C+1 S+1 0 / 2 S C+0 - 13 mss=1460,fo=latest / "
           "3 S C+0 - 13 mss=1460,fo=latest / accept / 3 S C+0 - 13 mss=1460,fo=latest", backlog=1),
    Script("off for listeners", "1 S C+0 - 0 mss=1460,fo / 2 S C+0 - 13 mss=1460,fo=latest", bits=1),
    Script("no bound set", "1 S C+0 - 0 mss=1460,fo / 2 S C+0 - 13 mss=1460,fo=latest", qlen=0),
    Script("the backlog for a bound", "1 S C+0 - 13 mss=1460,fo=latest / 2 S C+0 - 13 mss=1460,fo=latest",
           qlen=0, backlog=1, bits=0x402),
    Script("no cookie needed", "1 S C+0 - 13 mss=1460 / 2 S C+0 - 0 mss=1460 / 3 S C+0 - 0 mss=1460,fo / "
           "4 S C+0 - 13 mss=1460,fo=wrong", bits=0x203),
    Script("SYN cookies for every SYN", "1 S C+0 - 13 mss=1460,fo=latest / 2 S C+0 - 0 mss=1460,fo", syncookies=2),
]


def lines_of(script):
    """What is sent: first of all the request for a cookie, then the script at its ports."""
    lines = ["0 49999 S C+0 - 0 mss=1460,fo", "0 49999 R C+1 - 0"]
    for line in script.lines.split(" / "):
        port, _, rest = line.partition(" ")
        lines.append(f"0 {port}" if port == "accept" else f"0 {41000 + int(port)} {rest}")
    return lines


def played(machine, script, isn):
    """The kernel's steps, or None if they took too long."""
    sysctl("net.ipv4.tcp_fastopen", script.bits)
    sysctl("net.ipv4.tcp_syncookies", script.syncookies)
    options = {"TCP_FASTOPEN": script.qlen} if script.qlen else {}
    listener = machine.listen(script.backlog, **options)
    begin = time.monotonic()
    steps = [listener.step(line, isn) for line in lines_of(script)]
    taken = time.monotonic() - begin
    listener.close()
    machine.tun.settled()
    return steps if taken < SCRIPT_LIMIT_S else None


def differences(theirs, ours):
    if theirs.state != ours.state:
        yield f"state: kernel {theirs.state}, ours {ours.state}"
    if theirs.accepted != ours.accepted:
        yield f"accepted: kernel {theirs.accepted}, ours {ours.accepted}"
    said, say = [[(port, a.text()) for port, a in step.answers] for step in (theirs, ours)]
    if said != say:
        yield f"answers: kernel {said}, ours {say}"
    # What happens inside a connection is the connection's own.
    if ours.verdict != "connection" and theirs.counters != ours.counters:
        yield f"counters: kernel {theirs.counters}, ours {ours.counters}"


enter_machine()
sysctl("net.ipv4.tcp_fastopen_key", KEY)
machine = Machine()
left_out = []
for number, script in enumerate(SCRIPTS):
    theirs = None
    for attempt in range(TRIES):
        theirs = played(machine, script, 1000 + 100000 * (TRIES * number + attempt))
        if theirs is not None:
            break
    if theirs is None:
        left_out.append(script.name)
        continue
    ours = by_lab(lines_of(script), "--backlog", script.backlog, "--fastopen", script.bits, "--fastopen-qlen",
                  script.qlen, "--syncookies", script.syncookies)
    check(script.name, [f"{t.line}: {d}" for t, o in zip(theirs, ours) for d in differences(t, o)])
equal("scripts that this machine was too slow for", left_out, [])
equal("the number of scripts", len(SCRIPTS), 23)
machine.close()
finish()
