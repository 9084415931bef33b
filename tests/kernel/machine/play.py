"""Scripts in the language of `lab inject`, played by a listening socket of the machine's kernel and by the lab.

Both yield a list of steps, one for each line: the answers to that line, the state of its port after it, the counters
that it moved. Lines follow each other as fast as the kernel deals with them; the lab is given times so close that no
timer can run. Where times matter a test sends and listens by itself (`Listener.send`, `Machine.receive`).
"""
import ctypes
import os
import pathlib
import re
import socket
import struct
import sys
import time
from typing import NamedTuple

from machine import segment
from machine.diag import Diag
from machine.tun import KERNEL, Tun
from netns import counters, enter, skip, sysctl

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))
from recordings import SERVER_COUNTERS, lab  # noqa: E402

PRESET, VERSION = "linux-6.18", "6.18."
COUNTERS = SERVER_COUNTERS + (
    "TcpOutRsts", "TcpAttemptFails", "TcpRetransSegs", "TcpExtTCPSynRetrans", "TcpExtPAWSEstab", "TcpExtTSEcrRejected",
    "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPChallengeACK", "TcpExtTCPACKSkippedChallenge",
    "TcpExtTCPDeferAcceptDrop", "TcpExtTCPFastOpenPassive", "TcpExtTCPFastOpenPassiveFail",
    "TcpExtTCPFastOpenListenOverflow", "TcpExtTCPFastOpenCookieReqd", "TcpExtTCPFastOpenPassiveAltKey")
SYSCTLS = {"somaxconn": "net.core.somaxconn", "max_syn_backlog": "net.ipv4.tcp_max_syn_backlog",
           "syncookies": "net.ipv4.tcp_syncookies", "abort_on_overflow": "net.ipv4.tcp_abort_on_overflow",
           "synack_retries": "net.ipv4.tcp_synack_retries", "fastopen": "net.ipv4.tcp_fastopen"}
PEER = "10.9.1.1"
_libc = ctypes.CDLL(None, use_errno=True)
SO_LINGER_0 = struct.pack("ii", 1, 0)


class Answer(NamedTuple):
    at: float
    flags: str
    seq: int  # relative to the server's ISN
    ack: int | None  # relative to the client's ISN
    size: int
    window: int
    options: str

    def text(self):
        """Without what is chance: times, the value of the server's clock, fast-open cookies."""
        options = re.sub(r"TS val \d+", "TS val X", self.options)
        options = re.sub(r"cookie [0-9a-f]{16}\b", "cookie X", options)
        number = "-" if self.flags == "R." else f"S{self.seq:+d}"  # a RST with ACK has number 0
        acked = "-" if self.ack is None else f"C{self.ack:+d}"
        return f"{self.flags} seq={number} ack={acked} len={self.size} win={self.window} <{options}>"


class Step(NamedTuple):
    """What a line has led to. `verdict`: the lab's word, "" for a deed. `answers`: [(port, Answer)]."""
    line: str
    verdict: str
    answers: list
    state: str
    counters: dict
    accepted: list

    def texts(self, port=None):
        """The answers to the line's port, or those to `port`."""
        port = port or int(self.line.split()[1])
        return [answer.text() for to, answer in self.answers if to == port]


def signed(number):
    number %= 2**32
    return number - 2**32 if number >= 2**31 else number


def enter_machine(*tools, limit_s=60):
    """netns.enter for a test that compares the preset with this machine's kernel."""
    if not sys.argv[1:]:
        skip("it compares this kernel with the lab, and there is no lab")
    if not os.uname().release.startswith(VERSION):
        skip(f"this kernel is {os.uname().release}, and the preset that it is compared with is {PRESET}")
    enter(*tools, tun=True, limit_s=limit_s)
    sysctl("net.ipv4.tcp_no_metrics_save", 1)  # no run makes the peer of the next one a proven one
    for name, value in (("somaxconn", 4096), ("max_syn_backlog", 2048), ("syncookies", 1), ("abort_on_overflow", 0)):
        tune(name, value)


def tune(name, value):
    """Sets one of the lab's tunables in the kernel."""
    sysctl(SYSCTLS[name], value)


def moved(before, after):
    return {name: after[name] - before[name] for name in COUNTERS if after[name] != before[name]}


class Machine:
    """The kernel and a TUN interface to it."""

    def __init__(self):
        self.tun, self.diag = Tun(), Diag()
        self.listeners = {}
        self._next_port = 20000

    def close(self):
        for listener in list(self.listeners.values()):
            listener.close()
        self.diag.close()
        self.tun.close()

    def listen(self, backlog, **options):
        """A new listener on a port of its own. `options`: socket options of IPPROTO_TCP by name."""
        self._next_port += 1
        listener = Listener(self, self._next_port, backlog, options)
        self.listeners[listener.port] = listener
        return listener

    def receive(self, until):
        """(listener, port, Answer) as they come, until that moment of time.monotonic()."""
        for data in self.tun.received(until):
            yield from self.read(data)

    def settle(self):
        """(listener, port, Answer) of everything that the kernel has sent when it has dealt with what it got so far."""
        return [answer for data in self.tun.settled() for answer in self.read(data)]

    def read(self, data):
        s = segment.unpack(data)
        if s is not None and s.source_port in self.listeners:
            listener = self.listeners[s.source_port]
            yield listener, s.destination_port, listener.read(s)


class Flow:
    """What is known of a client's port: its ISN (C), the server's (S), the clock of its latest SYN-ACK (T)."""

    def __init__(self, isn):
        self.numbers = {"C": isn, "S": 0, "T": 0}
        self.next = None  # the number that the server expects next, as its SYN-ACK said

    def resolve(self, text):
        base, offset = (self.numbers[text[0]], text[1:]) if text[0] in self.numbers else (0, text)
        return base + int(offset or 0)


class Listener:
    """A listening socket, whose connections stay open until it is closed."""

    def __init__(self, machine, port, backlog, options):
        self.machine, self.port = machine, port
        self._flows, self._children = {}, []
        self.cookie = bytes(range(1, 9))  # the fast-open cookie that the kernel gave last
        self._socket = socket.socket()
        for name, value in options.items():
            self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._socket.bind((KERNEL, port))
        self._socket.setblocking(False)
        self.listen(backlog)

    def close(self):
        self._socket.close()
        for child in self._children:
            child.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, SO_LINGER_0)
            child.close()
        self._children = []
        self.machine.listeners.pop(self.port, None)

    def listen(self, backlog):
        """Again, with another backlog. Python's own listen would make 0 of a negative one."""
        if _libc.listen(self._socket.fileno(), backlog) != 0:
            raise OSError(ctypes.get_errno(), "listen")

    def waiting(self):
        """How many connections wait to be accepted."""
        row = self.machine.diag.row(KERNEL, self.port)
        return row.receive_queue if row else 0

    def state(self, port):
        """As ss prints it, or "none"."""
        return self.machine.diag.state(KERNEL, self.port, PEER, port)

    def accept(self, most=None):
        """The connections that wait, in their order: (port, socket)."""
        accepted = []
        while most is None or len(accepted) < most:
            try:
                child, (_, port) = self._socket.accept()
            except BlockingIOError:
                break
            self._children.append(child)
            accepted.append((port, child))
        return accepted

    def step(self, line, isn=0):
        """Does what a line of a script says and waits until the kernel has dealt with it."""
        before = counters()
        accepted = self.act(line, isn)
        answers = [(port, answer) for listener, port, answer in self.machine.settle() if listener is self]
        port = line.split()[1]
        state = self.state(int(port)) if port.isdigit() else ""
        return Step(line, "", answers, state, moved(before, counters()), accepted)

    def act(self, line, isn=0):
        """Does what a line of a script says; the ports that were accepted. `isn`: the client's, if its port is new."""
        words = line.split()[1:]
        if words[0] == "accept":
            most = None if words[1:] == ["all"] else int((words[1:] or [1])[0])
            return [port for port, _ in self.accept(most)]
        if words[0] == "listen":
            self.listen(int(words[1]))
        elif words[:2] == ["set", "fastopen_qlen"]:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, int(words[2]))
        elif words[0] == "set":
            tune(words[1], words[2])
        elif words[0] == "close":
            self._socket.close()
        else:
            self.send(line, isn)
        return []

    def send(self, line, isn=0):
        """Sends the segment of a line."""
        _, port, flags, seq, ack, size, *options = line.split()
        flow = self._flows.setdefault(int(port), Flow(isn))
        window, wanted = 64240, {}
        for option in options[0].split(",") if options else []:
            name, _, value = option.partition("=")
            if name == "win":
                window = int(value)
            elif name == "ts":
                value, _, echo = value.partition(":")
                wanted["ts"] = (flow.resolve(value), flow.resolve(echo or "0"))
            elif name in ("fo", "xfo"):
                wrong = bytes([self.cookie[0] ^ 255]) + self.cookie[1:]
                wanted[name] = {"latest": self.cookie, "wrong": wrong}.get(value) or bytes.fromhex(value)
            else:
                wanted[name] = int(value or 1)
        self._transmit(int(port), flow.resolve(seq), 0 if ack == "-" else flow.resolve(ack), flags.replace("-", ""),
                       window, segment.pack_options(wanted), b"x" * int(size))

    def forget(self, port):
        """Ends the request of a port by a RST that is exact, so that its timer disturbs nobody."""
        flow = self._flows.get(port)
        if flow and flow.next is not None:
            self._transmit(port, flow.next, 0, "R", 0, b"", b"")
            self.machine.settle()

    def _transmit(self, port, *rest):
        self.machine.tun.send(segment.pack(segment.Segment(PEER, KERNEL, port, self.port, *rest)))

    def read(self, s):
        flow = self._flows[s.destination_port]
        if "S" in s.flags:
            flow.numbers["S"], flow.next = s.seq, s.ack
            flow.numbers["T"] = segment.timestamp_of(s.options) or 0
            self.cookie = segment.cookie_of(s.options) or self.cookie
        return Answer(time.monotonic(), s.flags, signed(s.seq - flow.numbers["S"]),
                      signed(s.ack - flow.numbers["C"]) if "." in s.flags else None, len(s.payload), s.window,
                      segment.options_text(s.options))


def by_lab(lines, *arguments):
    """The steps of the lab. Whatever the times of the lines, they are given others, 10 microseconds apart."""
    step_s = 1e-5
    script = [" ".join([f"{i * step_s:.6f}", *line.split()[1:]]) for i, line in enumerate(lines)]
    result = lab(["inject", "--preset", PRESET, *arguments], stdin="\n".join(script))
    outcomes = {outcome["line"]: outcome for outcome in result["outcomes"]}

    def number(at):
        return round(at / step_s)

    answers = [[] for _ in lines]
    for port, flow in result["flows"].items():
        for answer in flow["answers"]:
            answers[number(answer[0])].append((int(port), Answer(*answer)))
    accepted = [[] for _ in lines]
    for port, at in result["accepted"]:
        accepted[number(at)].append(port)
    steps = []
    for i, line in enumerate(lines):
        port = line.split()[1]
        state = [s for at, s in result["states"][port] if number(at) <= i][-1] if port.isdigit() else ""
        outcome = outcomes.get(i + 1, {"verdict": "", "counters": {}})
        steps.append(Step(line, outcome["verdict"], answers[i], state,
                          {k: v for k, v in outcome["counters"].items() if k in COUNTERS}, accepted[i]))
    return steps


def differences(theirs, ours, connects):
    """How the kernel's step and ours differ. What the answer to a segment that ends as one of `connects` is, and what a
    connection answers, is not a listener's business."""
    if theirs.accepted != ours.accepted:
        yield f"accepted: kernel {theirs.accepted}, ours {ours.accepted}"
    if theirs.line == "0 close":
        resets = [sorted(port for port, answer in step.answers if "R" in answer.flags) for step in (theirs, ours)]
        if resets[0] != resets[1]:
            yield f"reset: kernel {resets[0]}, ours {resets[1]}"
        return
    if theirs.state != ours.state and {theirs.state, ours.state} & {"SYN-RECV", "none"}:
        yield f"state: kernel {theirs.state}, ours {ours.state}"
    if ours.verdict in ("connection", ""):
        return
    if theirs.counters != ours.counters:
        yield f"counters: kernel {theirs.counters}, ours {ours.counters}"
    if theirs.texts() != ours.texts() and ours.verdict not in connects:
        yield f"answers: kernel {theirs.texts()}, ours {ours.texts()}"


def first_difference(theirs, ours, setting, connects):
    """The first step at which two sessions differ: how, and all that led there; empty if there is none."""
    for i, (step, mine) in enumerate(zip(theirs, ours, strict=True)):
        problems = [f"line {i}, {step.line} ({mine.verdict}): {d}" for d in differences(step, mine, connects)]
        if problems:
            return problems + [f"{setting}: {' / '.join(s.line[2:] for s in theirs[:i + 1])}"]
    return []
