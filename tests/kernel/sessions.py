"""Many clients at one small listener of this machine's kernel and of the preset of its version, step by step.

A session is a listener with a random backlog, random tunables, perhaps TCP_DEFER_ACCEPT, and a few dozen lines: SYNs,
final ACKs, RSTs, FINs and data from a handful of ports, accept, listen() with another backlog, tunables changed on the
way, and at the end close and what the peers hear then. No timer runs. After every line the answers, the state of the
port, the counters and who was accepted must agree; what a connection answers is not a listener's business.
"""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import Machine, by_lab, enter_machine, first_difference, tune  # noqa: E402
from netns import check, finish  # noqa: E402

SEED, SESSIONS, LINES = 6180, 90, 45
LIMIT_S = 0.4  # the listener's shortest time is 0.5 s, between two answers to one request
DEFAULTS = {"somaxconn": 4096, "max_syn_backlog": 2048, "syncookies": 1, "abort_on_overflow": 0}
OPTIONS = ["mss=1460", "mss=1460", "", "mss=1400,sack,ws=7", "mss=1460,sack,ts=7000,ws=10", "mss=1300,ts=7000"]


class Session:
    """Chance's lines. Ports are numbered from `first_port` on; what a port's SYN had decides what its ACK has."""

    def __init__(self, chance, first_port):
        self.chance, self.next_port, self.options, self.finished = chance, first_port, {}, set()
        self.tunables = DEFAULTS | {
            "syncookies": chance.choice([0, 1, 1, 1, 2]), "abort_on_overflow": chance.choice([0, 0, 1]),
            "max_syn_backlog": chance.choice([4, 8, 11, 2048]), "somaxconn": chance.choice([3, 4096, 4096])}
        self.defer = chance.choice([0, 0, 0, 1, 5])
        self.backlog = chance.choice([-1, 0, 1, 1, 2, 2, 3, 4, 5, 7, 9])
        self.lines = [self.line() for _ in range(LINES)] + ["0 close"]
        self.lines += [self.final_ack(port) for port in chance.sample(sorted(self.options), min(4, len(self.options)))]

    def line(self):
        kinds = {self.syn: 36, self.known_ack: 30, self.again: 5, self.reset: 5, self.finish: 4, self.wrong: 4,
                 self.accept: 8, self.listen: 4, self.change: 4}
        kind = self.chance.choices(list(kinds), list(kinds.values()))[0]
        if not self.options and kind not in (self.accept, self.listen, self.change):
            kind = self.syn
        return kind()

    def port(self):
        return self.chance.choice(sorted(self.options))

    def syn(self):
        port, self.next_port = self.next_port, self.next_port + 1
        self.options[port] = self.chance.choice(OPTIONS)
        return self.again(port)

    def again(self, port=None):
        port = port or self.port()
        return f"0 {port} {self.chance.choice(['S', 'S', 'S', 'SEW'])} C+0 - 0 {self.options[port]}".rstrip()

    def stamped(self, port):
        return " ts=7001:T+0" if "ts=" in self.options[port] else ""

    def known_ack(self):
        return self.final_ack(self.port())

    def final_ack(self, port):
        flags, size = self.chance.choice([(".", 0), (".", 0), (".", 0), ("P.", 13)])
        return f"0 {port} {flags} C+1 S+1 {size}{self.stamped(port)}"

    def reset(self):
        """Not after a FIN: then which RST is exact depends on whether there was a connection."""
        port = self.port()
        if port in self.finished:
            return self.syn()
        return f"0 {port} {self.chance.choice(['R C+1 -', 'R. C+1 S+1', 'R C+2 -', 'R C+0 -'])} 0"

    def finish(self):
        port = self.port()
        self.finished.add(port)
        return f"0 {port} F. C+1 S+1 {self.chance.choice([0, 5])}{self.stamped(port)}"

    def wrong(self):
        port = self.port()
        numbers = self.chance.choice(["C+1 S-500", "C+1 S+900", "C+0 S+1", "C+2 S+1", "C-9 S+1", "C+70000 S+1"])
        return f"0 {port} . {numbers} 0{self.stamped(port)}"

    def accept(self):
        return f"0 accept {self.chance.choice(['1', '1', '2', 'all'])}"

    def listen(self):
        return f"0 listen {self.chance.choice([0, 1, 2, 3, 5, 8])}"

    def change(self):
        name, values = self.chance.choice([("syncookies", [0, 1, 2]), ("abort_on_overflow", [0, 1]),
                                           ("max_syn_backlog", [4, 8, 2048]), ("somaxconn", [2, 4096])])
        return f"0 set {name} {self.chance.choice(values)}"


def played(machine, number):
    """The session and the kernel's steps, from a run that was fast enough."""
    for attempt in range(20):
        session = Session(random.Random(f"{SEED} {number}"), 1024)
        for name, value in session.tunables.items():
            tune(name, value)
        listener = machine.listen(session.backlog, **({"TCP_DEFER_ACCEPT": session.defer} if session.defer else {}))
        isns = random.Random(number)
        began = time.monotonic()
        steps = [listener.step(line, isns.choice([isns.randrange(2**32), 2**32 - 1])) for line in session.lines]
        fast = time.monotonic() - began < LIMIT_S
        for port in session.options:
            listener.forget(port)
        listener.close()
        if fast:
            return session, steps
    raise RuntimeError(f"session {number} never ends within {LIMIT_S} s")


def compare(machine, number):
    session, steps = played(machine, number)
    arguments = [word for name, value in session.tunables.items() for word in (f"--{name.replace('_', '-')}", value)]
    ours = by_lab(session.lines, f"--backlog={session.backlog}", "--defer-accept", session.defer, *arguments)
    setting = f"backlog {session.backlog}, deferred {session.defer}, {session.tunables}"
    return first_difference(steps, ours, setting, ("promoted", "cookie_promoted"))


enter_machine()
print(f"seed {SEED}")
machine = Machine()
for number in range(SESSIONS):
    check(f"session {number}", compare(machine, number))
machine.close()
finish()
