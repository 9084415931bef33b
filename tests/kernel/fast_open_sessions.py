"""Fast open at this machine's kernel and at the preset of its version, by chance: SYNs that ask for a cookie, show the
right one or a wrong one, with data and without; final ACKs and RSTs of what they have opened; accept before and after
the handshake is finished. TCP_FASTOPEN's bound and net.ipv4.tcp_fastopen are random. fast_open.py has the stories.
"""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import Machine, by_lab, enter_machine, first_difference, tune  # noqa: E402
from netns import check, finish  # noqa: E402

SEED, SESSIONS, LINES = 7413, 60, 30
LIMIT_S = 0.4


class Session:
    def __init__(self, chance):
        self.chance, self.next_port, self.size = chance, 1024, {}
        self.backlog = chance.choice([0, 1, 2, 3, 8])
        self.cookies = chance.choice([0, 1, 1, 2])
        self.lines = [f"0 set fastopen {chance.choice([3, 3, 3, 2, 1, 0x203, 0x403])}",
                      f"0 set fastopen_qlen {chance.choice([1, 2, 3, 5, 100])}", self.syn("fo")]
        self.lines += [self.line() for _ in range(LINES)]

    def line(self):
        kinds = {self.request: 5, self.right: 30, self.wrong: 5, self.plain: 6, self.last_ack: 24, self.reset: 8,
                 self.again: 5, self.accept: 12, self.change: 3}
        return self.chance.choices(list(kinds), list(kinds.values()))[0]()

    def syn(self, option, size=None):
        port, self.next_port = self.next_port, self.next_port + 1
        size = self.chance.choice([0, 9, 9, 400]) if size is None else size
        self.size[port] = size
        others = self.chance.choice(["mss=1460", "mss=1460,sack,ws=7", ""])
        return f"0 {port} S C+0 - {size} {','.join(filter(None, [others, option]))}".rstrip()

    def port(self):
        return self.chance.choice(sorted(self.size))

    def request(self):
        return self.syn("fo")

    def right(self):
        return self.syn("fo=latest")

    def wrong(self):
        return self.syn(f"fo={self.chance.choice(['wrong', '01234567'])}")

    def plain(self):
        return self.syn("")

    def last_ack(self):
        """Of all that its SYN carried, or of the SYN alone."""
        port = self.port()
        return f"0 {port} . C+{1 + self.chance.choice([0, self.size[port]])} S+1 0"

    def reset(self):
        port = self.port()
        return f"0 {port} R C+{1 + self.chance.choice([0, self.size[port]])} - 0"

    def again(self):
        return f"0 {self.port()} S C+0 - 0 mss=1460"

    def accept(self):
        return f"0 accept {self.chance.choice(['1', '1', 'all'])}"

    def change(self):
        return f"0 set fastopen_qlen {self.chance.choice([1, 2, 4])}"


def played(machine, number):
    for attempt in range(20):
        session = Session(random.Random(f"{SEED} {number}"))
        tune("syncookies", session.cookies)
        listener = machine.listen(session.backlog)
        began = time.monotonic()
        steps = [listener.step(line, 0xFFFFFF00) for line in session.lines]
        fast = time.monotonic() - began < LIMIT_S
        for port in session.size:
            listener.forget(port)
        listener.close()
        if fast:
            return session, steps
    raise RuntimeError(f"session {number} never ends within {LIMIT_S} s")


def compare(machine, number):
    session, steps = played(machine, number)
    ours = by_lab(session.lines, "--backlog", session.backlog, "--syncookies", session.cookies)
    return first_difference(steps, ours, f"backlog {session.backlog}, syncookies {session.cookies}", ("promoted",))


enter_machine()
print(f"seed {SEED}")
machine = Machine()
for number in range(SESSIONS):
    check(f"session {number}", compare(machine, number))
machine.close()
finish()
