"""The life of requests on this machine's kernel and on the preset of its version: when SYN-ACKs are sent again, when
requests are given up, what a second SYN does to the timer, TCP_DEFER_ACCEPT, and a crowd that shortens lives.

Each case is a listener of its own and all run at once, in real time. A kernel's timer may be late, and on a busy
machine so may this process: order and number of events must agree, times only roughly. Events that must not be
confused are therefore at least 0.4 s apart.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import PRESET, Machine, enter_machine  # noqa: E402
from netns import check, finish  # noqa: E402
from recordings import lab  # noqa: E402

END_S, SAMPLE_S = 17.0, 0.05
TOO_LATE_S = 0.3  # a line that was played later than that may have met another timer than it should: once more
EARLY_S, LATE_S, LATE_PART = 0.06, 0.4, 0.06
ANSWERS = ("S.", ".", "R", "R.")  # and whatever else is seen is a state
SYN = "{} {} S C+0 - 0 mss=1460"


class Case:
    """A listener, its script, and what was seen of it. `retries`: TCP_SYNCNT here, tcp_synack_retries in the lab."""

    def __init__(self, name, backlog, script, retries, defer=0, crowded=False):
        self.name, self.backlog, self.script, self.retries = name, backlog, script, retries
        self.defer, self.crowded = defer, crowded
        self.ports = sorted({int(line.split()[1]) for line in script if line.split()[1].isdigit()})
        self.seen = {port: [] for port in self.ports}  # [time, what]: answers, and the end of the request
        self.states = dict.fromkeys(self.ports, "none")

    def start(self, machine):
        options = {"TCP_SYNCNT": self.retries} | ({"TCP_DEFER_ACCEPT": self.defer} if self.defer else {})
        self.listener = machine.listen(self.backlog, **options)

    def look(self, now):
        for port in self.ports:
            state = self.listener.state(port)
            if self.states[port] != state:
                self.seen[port].append([now, state])
                self.states[port] = state

    def by_lab(self):
        result = lab(["inject", "--preset", PRESET, "--backlog", self.backlog, "--synack-retries", self.retries,
                      "--defer-accept", self.defer, "--until", END_S], stdin="\n".join(self.script))
        seen = {}
        for port in self.ports:
            states = [[at, state] for at, state in result["states"][str(port)] if state != "none" or at > 0]
            seen[port] = [[a[0], a[1]] for a in result["flows"][str(port)]["answers"]] + states
        return seen


def again(*times, port=41001):
    return [SYN.format(at, port) for at in times]


def crowd(size):
    return [SYN.format(0, 42000 + i) for i in range(size)]


def cases():
    ack, data = "{} 41001 . C+1 S+1 0", "{} 41001 P. C+1 S+1 9"
    yield from (Case(f"{retries} retries", 8, again(0), retries) for retries in (1, 2, 3))
    # The current timeout starts anew: 0.5+1; 2.2+2; 4.0 is too soon after 3.6 (500 ms).
    yield Case("a SYN again while young", 8, again(0, 0.5), 1)
    yield Case("a SYN again while old", 8, again(0, 1.6), 2)
    yield Case("SYNs too soon after each other", 8, again(0, 1.5, 1.7), 1)
    yield Case("many SYNs again", 8, again(0, 0.6, 1.2, 1.8, 4.5), 1)
    yield Case("the ACK after a timeout", 8, again(0) + [ack.format(1.5)], 3)
    yield Case("ACK, then nothing, deferred by 1 s", 8, again(0) + [ack.format(0.3)], 2, defer=1)
    yield Case("ACK, then nothing, deferred by 3 s", 8, again(0) + [ack.format(0.3)], 2, defer=3)
    yield Case("ACK at each SYN-ACK, deferred by 3 s", 8, again(0) + [ack.format(0.3), ack.format(1.6)], 2, defer=3)
    yield Case("data at last, deferred by 7 s", 8, again(0) + [ack.format(0.3), data.format(2.0)], 2, defer=7)
    yield Case("a bare SYN, deferred by 3 s", 8, again(0), 2, defer=3)
    # One connection waits, three handshakes begin, and for the last of them there is no room until 2.2 s.
    full = [SYN.format(0, 42000), "0 42000 . C+1 S+1 0", *[SYN.format(0.1, 43000 + i) for i in range(3)],
            *[f"0.3 {43000 + i} . C+1 S+1 0" for i in range(3)]]
    yield Case("no room at the final ACK", 2, full, 2)
    yield Case("room at last", 2, full + ["1.5 43002 . C+1 S+1 0", "2.2 accept 1", "3.6 43002 . C+1 S+1 0"], 2)
    yield Case("room at last, for data", 2, full + ["2.2 accept 1", "2.5 43002 P. C+1 S+1 7"], 2)
    yield Case("closed while a request waits", 4, again(0) + ["1.5 close"], 3)
    yield Case("closed, and then its ACK comes", 4, again(0) + ["1.5 close", ack.format(2.0)], 3)
    # 2 Q > max(8, N) from here on: the old ones lose retries.
    yield from (Case(f"a crowd of {size}, backlog {backlog}", backlog, crowd(size), 4, crowded=True)
                for backlog, size in ((8, 4), (8, 5), (3, 4), (11, 6), (20, 10), (20, 11), (20, 21)))
    # The young save the old: 2 Y > Q.
    yield Case("a crowd that newcomers follow", 12, crowd(5) + [SYN.format(2.4, 43000 + i) for i in range(4)], 3,
               crowded=True)


def play(machine, all_cases):
    """All scripts at once; every answer and every change of a state is noted. False if a line came too late."""
    for case in all_cases:
        case.start(machine)
    of = {case.listener: case for case in all_cases}
    lines = [(float(line.split()[0]), case, line) for case in all_cases for line in case.script]
    lines.sort(key=lambda timed: timed[0])
    began = time.monotonic()

    def note(answers):
        for listener, port, answer in answers:
            of[listener].seen[port].append([answer.at - began, answer.flags])

    sample, in_time = 0, True
    while (now := time.monotonic() - began) < END_S:
        while lines and lines[0][0] <= now:
            at, case, line = lines.pop(0)
            in_time = in_time and now - at < TOO_LATE_S
            case.listener.act(line, isn=0xFFFFFFF0)
            note(machine.settle())
        for case in all_cases:
            case.look(time.monotonic() - began)
        sample = max(sample + SAMPLE_S, time.monotonic() - began)
        note(machine.receive(began + min([sample] + [at for at, _, _ in lines[:1]])))
    return in_time


def in_time(kernel, ours):
    return ours - EARLY_S <= kernel <= ours * (1 + LATE_PART) + LATE_S


def differing(name, kernel, ours):
    kernel, ours = ([[round(at, 2), what] for at, what in sorted(side)] for side in (kernel, ours))
    same = [what for _, what in kernel] == [what for _, what in ours]
    if not same or not all(in_time(k[0], o[0]) for k, o in zip(kernel, ours)):
        yield f"{name}: kernel {kernel}, ours {ours}"


def differences(case):
    """Of answers and of states, of each port. Requests that came in the same moment are compared as a set: whose timer
    runs first of those that are due together is the kernel's chance, and the first to die spares the others."""
    ours = case.by_lab()
    for answers in (True, False):
        kernels, labs = ([[event for event in side[port] if (event[1] in ANSWERS) == answers] for port in case.ports]
                         for side in (case.seen, ours))
        if case.crowded:
            kernels, labs = (sorted(side, key=lambda events: (len(events), events)) for side in (kernels, labs))
        for port, theirs, mine in zip(case.ports, kernels, labs):
            yield from differing(port, theirs, mine)


enter_machine(limit_s=80)
machine = Machine()
for attempt in range(3):
    all_cases = list(cases())
    if play(machine, all_cases):
        break
    for case in all_cases:
        case.listener.close()
for case in all_cases:
    check(case.name, list(differences(case)))
machine.close()
finish()
