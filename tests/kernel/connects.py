"""The articles' experiment with this machine's kernel on both ends and with the preset of its version: who of N clients
connects to a server with backlog 0..8 that never accepts, accepts at once, or accepts late; what of their data arrives.

All servers of one tcp_abort_on_overflow run at once. Where SYNs that are sent again find room, clients start 0.1 s
apart: closer ones would be sent again at one tick of the kernel's timers.
"""
import errno
import pathlib
import selectors
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.diag import Diag  # noqa: E402
from machine.play import PRESET, SERVER_COUNTERS, enter_machine, tune  # noqa: E402
from netns import check, counters, finish  # noqa: E402
from recordings import lab  # noqa: E402

HOST, FIRST_SERVER, FIRST_CLIENT = "127.0.0.1", 21001, 30001
# How the server accepts: its backlogs, how many clients more than that, how far apart.
WAYS = {"never": (range(9), 4, 0.01), "always": (range(9), 4, 0.01), "late": (range(5), 3, 0.1)}
START_S, LATE_S, DATA_AFTER_S, END_S = 0.3, 2.1, 1.0, 4.9
TOO_LATE_S = 2.25  # the SYNs that are sent again from 2.3 s on must find an empty queue
MESSAGE = b"hello, world\n"


class Case:
    def __init__(self, port, backlog, accept):
        self.port, self.backlog, self.accept = port, backlog, accept
        _, more, self.gap = WAYS[accept]
        self.size = backlog + more
        self.clients, self.children, self.accepted = [], [], []
        self.connected, self.sent = {}, set()
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind((HOST, port))
        self.server.setblocking(False)
        self.server.listen(backlog)

    def connect(self, number, selector):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.bind((HOST, FIRST_CLIENT + number))
        client.setblocking(False)
        self.clients.append(client)
        if client.connect_ex((HOST, self.port)) == errno.EINPROGRESS:
            selector.register(client, selectors.EVENT_WRITE, (self, number))
        if self.accept == "always":
            self.take()

    def take(self):
        try:
            while True:
                child, (_, port) = self.server.accept()
                self.children.append(child)
                self.accepted.append(port)
        except BlockingIOError:
            pass

    def picture(self, diag):
        """What there is at the end: as the lab's snapshot has it."""
        server, client = {}, {}
        for i in range(len(self.clients)):
            port = FIRST_CLIENT + i
            row = diag.row(HOST, self.port, HOST, port)
            if row and row.state != "LISTEN":
                server[str(port)] = [row.state, row.receive_queue]
            row = diag.row(HOST, port, HOST, self.port)
            if row:
                client[str(port)] = row.state
        row = diag.row(HOST, self.port)
        return {"listen": [row.receive_queue, row.send_queue], "server": server, "client": client}

    def close(self):
        for s in (self.server, *self.clients, *self.children):
            s.close()


def play(cases):
    """Events in their order, each not before its time. False if it was too late with one that matters."""
    selector = selectors.DefaultSelector()
    plan = [(START_S + i * c.gap, lambda c=c, i=i: c.connect(i, selector)) for c in cases for i in range(c.size)]
    plan += [(LATE_S, lambda c=c: c.take()) for c in cases if c.accept == "late"]
    began, in_time = time.monotonic(), True
    while (now := time.monotonic() - began) < END_S:
        for at, deed in [event for event in sorted(plan, key=lambda event: event[0]) if event[0] <= now]:
            deed()
            in_time = in_time and (at != LATE_S or time.monotonic() - began < TOO_LATE_S)
        plan = [event for event in plan if event[0] > now]
        for key, _ in selector.select(min([0.02] + [max(0, at - now) for at, _ in plan])):
            case, number = key.data
            selector.unregister(key.fileobj)
            case.connected[number] = time.monotonic() - began
            plan.append((case.connected[number] + DATA_AFTER_S, lambda s=key.fileobj: s.send(MESSAGE)))
        for case in cases:
            if case.accept == "late" and now > LATE_S:
                case.take()
    selector.close()
    return in_time


def by_lab(case, abort):
    accept = f"at={LATE_S}" if case.accept == "late" else case.accept
    return lab(["--preset", PRESET, "--backlog", case.backlog, "--clients", case.size, "--gap", case.gap,
                "--accept", accept, "--data-after", DATA_AFTER_S, "--abort-on-overflow", abort, "--until", END_S,
                "--json", "-"])


def differences(case, picture, ours):
    connected = sorted(case.connected)
    expected = [client["i"] for client in ours["clients"] if client["ok"] is not None]
    if connected != expected:
        yield f"connected: kernel {connected}, ours {expected}"
    at_once = [i for i in connected if case.connected[i] < LATE_S]
    expected = [client["i"] for client in ours["clients"] if client["ok"] is not None and client["ok"] < LATE_S]
    if at_once != expected:
        yield f"connected at once: kernel {at_once}, ours {expected}"
    if case.accepted != [port for port, _ in ours["accepted"]]:
        yield f"accepted: kernel {case.accepted}, ours {ours['accepted']}"
    end = ours["snaps"]["end"]
    read = {port: sum(size for size, _ in reads) for port, reads in ours["srvdata"].items()}  # here nobody reads
    expected = {"listen": [end["listen"]["recvq"], end["listen"]["sendq"]],
                "server": {port: [row[0], row[1] + read.get(port, 0)] for port, row in end["server"].items()},
                "client": {port: row[0] for port, row in end["client"].items()}}
    for part, value in expected.items():
        if picture[part] != value:
            yield f"{part} at the end: kernel {picture[part]}, ours {value}"


def compare(diag, abort):
    tune("abort_on_overflow", abort)
    for _ in range(4):
        cases = [Case(FIRST_SERVER + 100 * k + backlog, backlog, accept)
                 for k, accept in enumerate(WAYS) for backlog in WAYS[accept][0]]
        before = counters()
        if play(cases):
            break
        for case in cases:
            case.close()
    pictures = [case.picture(diag) for case in cases]
    after = counters()
    total = dict.fromkeys(SERVER_COUNTERS, 0)
    for case, picture in zip(cases, pictures):
        case.close()
        ours = by_lab(case, abort)
        for name in total:
            total[name] += ours["nstat"].get(name, 0)
        check(f"backlog {case.backlog}, accept {case.accept}, abort {abort}", list(differences(case, picture, ours)))
    here = {name: after[name] - before[name] for name in total}
    check(f"counters, abort {abort}", [f"{name}: kernel {here[name]}, ours {total[name]}"
                                       for name in total if here[name] != total[name]])


enter_machine()
diag = Diag()
for abort in (0, 1):
    compare(diag, abort)
diag.close()
finish()
