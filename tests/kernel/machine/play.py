"""One script of `lab inject`, played twice: by a listening socket of the machine's kernel, and by the lab.

Both yield a list of steps, one for each line of the script: the answers to that line, the state of its port after it,
the counters that it moved. A script's times matter to `at_their_times` only; otherwise lines follow each other as fast
as the kernel deals with them, and the lab is given times so close that no timer can run.
"""
import contextlib
import os
import pathlib
import re
import socket
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
    "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPChallengeACK",
    "TcpExtTCPACKSkippedChallenge")
PEER = "10.9.1.1"


class Answer(NamedTuple):
    at: float
    flags: str
    seq: int  # relative to the server's ISN
    ack: int | None  # relative to the client's ISN
    size: int
    window: int
    options: str

    def text(self):
        """Without what is chance: times, and the value of the server's clock."""
        options = re.sub(r"TS val \d+", "TS val X", self.options)
        number = "-" if self.flags == "R." else f"S{self.seq:+d}"  # a RST with ACK has number 0
        acked = "-" if self.ack is None else f"C{self.ack:+d}"
        return f"{self.flags} seq={number} ack={acked} len={self.size} win={self.window} <{options}>"


class Step(NamedTuple):
    line: str
    verdict: str  # the lab's word for it
    answers: list
    state: str
    counters: dict


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


def moved(before, after):
    return {name: after[name] - before[name] for name in COUNTERS if after[name] != before[name]}


class Machine:
    """The kernel, a TUN interface to it, and one listening socket at a time."""

    def __init__(self):
        self.tun, self.diag = Tun(), Diag()
        self.listener, self.port = None, 20000
        self.late = []  # segments to ports that nobody had asked about
        self._flows = {}

    def close(self):
        self.stop_listening()
        self.diag.close()
        self.tun.close()

    def listen(self, backlog, **options):
        """A new listener on a port of its own. Options: socket options of IPPROTO_TCP by name."""
        self.stop_listening()
        self.port += 1
        self.listener = socket.socket()
        for name, value in options.items():
            self.listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self.listener.bind((KERNEL, self.port))
        self.listener.listen(backlog)
        self.listener.setblocking(False)
        self._flows = {}

    def stop_listening(self):
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    def waiting(self):
        """How many connections wait to be accepted."""
        row = self.diag.row(KERNEL, self.port)
        return row.receive_queue if row else 0

    def state(self, port):
        return self.diag.state(KERNEL, self.port, PEER, port)

    def accept(self):
        """Ports of the connections that wait, in their order. They are closed by RST."""
        ports = []
        with contextlib.suppress(BlockingIOError):
            while True:
                child, (_, port) = self.listener.accept()
                ports.append(port)
                child.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                child.close()
        self.tun.settled()
        return ports

    def step(self, line, isn):
        """Sends what a line of a script says and waits until the kernel has dealt with it. `isn`: the client's ISN of
        a new port."""
        port = int(line.split()[1])
        before = counters()
        self.send(line, isn)
        answers = [a for p, a in self.answers(self.tun.settled()) if p == port]
        return Step(line, "", answers, self.state(port), moved(before, counters()))

    def forget(self, port):
        """Ends the request of a port by a RST that is exact, so that its timer disturbs nobody."""
        flow = self._flows.get(port)
        if flow and "A" in flow:
            self.tun.send(segment.pack(segment.Segment(
                PEER, KERNEL, port, self.port, flow["A"], 0, "R", 0, b"", b"")))
            self.tun.settled()

    def send(self, line, isn):
        _, port, flags, seq, ack, size, *options = line.split()
        flow = self._flows.setdefault(int(port), {"C": isn, "S": 0, "T": 0})
        flow.setdefault("sent", time.monotonic())

        def number(text):
            base, offset = (flow[text[0]], text[1:]) if text[0] in flow else (0, text)
            return base + int(offset or 0)

        window, wanted = 64240, {}
        for option in options[0].split(",") if options else []:
            name, _, value = option.partition("=")
            if name == "win":
                window = int(value)
            elif name == "ts":
                value, _, echo = value.partition(":")
                wanted["ts"] = (number(value), number(echo) if echo else 0)
            else:
                wanted[name] = int(value or 1)
        self.tun.send(segment.pack(segment.Segment(
            PEER, KERNEL, int(port), self.port, number(seq), 0 if ack == "-" else number(ack), flags.replace("-", ""),
            window, segment.pack_options(wanted), b"x" * int(size))))

    def answers(self, packets):
        """(port, Answer) of each packet that is a segment of this listener's."""
        for data in packets:
            s = segment.unpack(data)
            if s is None or s.source_port != self.port or s.destination_port not in self._flows:
                continue
            flow = self._flows[s.destination_port]
            if "S" in s.flags:
                flow["S"], flow["A"] = s.seq, s.ack
                flow["T"] = segment.timestamp_of(s.options) or 0
            yield s.destination_port, Answer(
                time.monotonic(), s.flags, signed(s.seq - flow["S"]), signed(s.ack - flow["C"]) if "." in s.flags else None,
                len(s.payload), s.window, segment.options_text(s.options))


def by_lab(lines, *arguments):
    """The steps of the lab. Lines may have any times; they are given new ones, a microsecond apart."""
    script = [" ".join([f"{i / 1e6:.6f}", *line.split()[1:]]) for i, line in enumerate(lines)]
    result = lab(["inject", "--preset", PRESET, *arguments], stdin="\n".join(script))
    at = {outcome["line"]: outcome for outcome in result["outcomes"]}
    steps = []
    for i, line in enumerate(lines):
        port = line.split()[1]
        answers = [Answer(*a) for a in result["flows"][port]["answers"] if abs(a[0] - i / 1e6) < 5e-7]
        state = [s for t, s in result["states"][port] if t < i / 1e6 + 5e-7][-1]
        outcome = at[i + 1]
        steps.append(Step(line, outcome["verdict"], answers, state,
                          {k: v for k, v in outcome["counters"].items() if k in COUNTERS}))
    return steps
