"""How many requests a listener of this machine's kernel holds, and the preset of its version: bursts of SYNs against
backlog x tcp_syncookies x tcp_max_syn_backlog x somaxconn. Nobody sends a third ACK.

"fate" of a SYN: R a request, C a cookie, D dropped.
"""
import itertools
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import PRESET, Machine, enter_machine, moved, tune  # noqa: E402
from netns import check, counters, finish  # noqa: E402
from recordings import SERVER_COUNTERS, lab  # noqa: E402

SEED, RUNS = 44, 80
FIRST_PORT = 1024
LETTER = {"admitted": "R", "cookie_sent": "C"}
BACKLOGS = [-3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 15, 16, 17, 24, 31, 33, 40, 2**31 - 1]


def fates(letters):
    return "".join(f"{letter}{len(list(same))}" for letter, same in itertools.groupby(letters))


def burst(machine, backlog, tunables, syns):
    for name, value in tunables.items():
        tune(name, value)
    listener = machine.listen(backlog)
    before = counters()
    ports = range(FIRST_PORT, FIRST_PORT + syns)
    for port in ports:
        listener.send(f"0 {port} S C+0 - 0 mss=1460", isn=port)
    answered = {port for _, port, answer in machine.settle() if answer.flags == "S."}
    after = counters()
    held = {port for port in ports if listener.state(port) == "SYN-RECV"}
    letters = ["R" if port in held else "C" if port in answered else "D" for port in ports]
    for port in held:
        listener.forget(port)
    listener.close()
    return fates(letters), {name: value for name, value in moved(before, after).items() if name in SERVER_COUNTERS}


def by_lab(backlog, tunables, syns):
    script = "\n".join(f"0 {FIRST_PORT + i} S C+0 - 0 mss=1460" for i in range(syns))
    arguments = [word for name, value in tunables.items() for word in (f"--{name.replace('_', '-')}", value)]
    result = lab(["inject", "--preset", PRESET, f"--backlog={backlog}", *arguments], stdin=script)
    letters = [LETTER.get(outcome["verdict"], "D") for outcome in result["outcomes"]]
    return fates(letters), {name: value for name, value in result["nstat"].items() if name in SERVER_COUNTERS}


enter_machine()
print(f"seed {SEED}")
machine = Machine()
chance = random.Random(SEED)
for _ in range(RUNS):
    backlog = chance.choice(BACKLOGS)
    tunables = {"syncookies": chance.choice([0, 0, 1, 2]),
                "max_syn_backlog": chance.choice([1, 2, 4, 7, 9, 16, 20, 30, 64, 2048]),
                "somaxconn": chance.choice([0, 1, 5, 16, 32, 50])}
    theirs, ours = burst(machine, backlog, tunables, 60), by_lab(backlog, tunables, 60)
    check(f"backlog {backlog}, {tunables}", [] if theirs == ours else [f"kernel {theirs}, ours {ours}"])
machine.close()
finish()
