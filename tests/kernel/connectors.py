"""The mirror image: connectors of the library, over TUN, at a listening socket of this machine's kernel. They must fare
as the lab says that they would at the preset of its version: who connects, who is accepted, what the server has of
their data, what the kernel counts.

Each case has an interface, a subnet and a process of its own; all run at once.
"""
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.diag import Diag  # noqa: E402
from machine.play import PRESET, SERVER_COUNTERS, enter_machine  # noqa: E402
from netns import check, counters, finish, run, skip, start, stop  # noqa: E402
from recordings import lab  # noqa: E402

PORT, FIRST_CLIENT = 20000, 30001
BEFORE_S = 0.3  # when the lab's first client starts
GAP_S, DATA_AFTER_S, END_S = 0.1, 1.0, 4.6
CASES = [(0, 3, False), (1, 5, False), (3, 7, False), (5, 8, False), (0, 3, True), (2, 5, True), (3, 6, True)]
LATE_S, TOO_LATE_S = 1.8, 1.95  # SYNs are sent again from 1 s and from 2 s on


class Case:
    def __init__(self, number, backlog, clients, late):
        self.backlog, self.clients, self.late, self.accepted = backlog, clients, late, []
        self.interface, self.server, self.peer = f"tun{number}", f"10.20.{number}.1", f"10.20.{number}.2"
        self.program = start(sys.argv[2], self.interface, self.peer, self.server, PORT, clients, int(GAP_S * 1e6),
                             int(DATA_AFTER_S * 1e6), int(END_S * 1e6), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
        self.name = f"backlog {backlog}, {clients} clients, accept {'late' if late else 'never'}"

    def open(self):
        if self.program.stdout.readline() != "open\n":
            raise RuntimeError(f"{self.interface} could not be opened")
        run("ip", "address", "add", f"{self.server}/24", "dev", self.interface)
        run("ip", "link", "set", self.interface, "up")
        self.listener = socket.socket()
        self.listener.bind((self.server, PORT))
        self.listener.setblocking(False)
        self.listener.listen(self.backlog)
        self.children = []

    def go(self):
        self.program.stdin.write("go\n")
        self.program.stdin.flush()

    def take(self):
        try:
            while True:
                child, (_, port) = self.listener.accept()
                self.children.append(child)
                self.accepted.append(port)
        except BlockingIOError:
            pass

    def result(self, diag):
        """Of the clients, and of the kernel's sockets."""
        rows = [line.split() for line in self.program.stdout]
        server = {}
        for port, *_ in rows:
            row = diag.row(self.server, PORT, self.peer, int(port))
            if row and row.state != "LISTEN":
                server[port] = [row.state, row.receive_queue]
        row = diag.row(self.server, PORT)
        return {"ok": [int(ok) >= 0 for _, ok, *_ in rows], "at once": [0 <= int(ok) < 9e5 for _, ok, *_ in rows],
                "errors": [error for _, _, error, *_ in rows], "server": server, "accepted": self.accepted,
                "listen": [row.receive_queue, row.send_queue]}

    def expected(self):
        accept = f"at={LATE_S + BEFORE_S}" if self.late else "never"
        ours = lab(["--preset", PRESET, "--backlog", self.backlog, "--clients", self.clients, "--gap", GAP_S,
                    "--accept", accept, "--data-after", DATA_AFTER_S, "--until", END_S + BEFORE_S, "--json", "-"])
        end = ours["snaps"]["end"]
        read = {port: sum(size for size, _ in reads) for port, reads in ours["srvdata"].items()}  # here nobody reads
        ok = [client["ok"] for client in ours["clients"]]
        return ours["nstat"], {
            "ok": [at is not None for at in ok], "at once": [at is not None and at < BEFORE_S + 0.9 for at in ok],
            "errors": [client["err"] or "-" for client in ours["clients"]],
            "server": {port: [row[0], row[1] + read.get(port, 0)] for port, row in end["server"].items()},
            "accepted": [port for port, _ in ours["accepted"]],
            "listen": [end["listen"]["recvq"], end["listen"]["sendq"]]}


def play():
    """All cases, run; whether accept came in time; the counters that moved."""
    cases = [Case(i, backlog, clients, late) for i, (backlog, clients, late) in enumerate(CASES)]
    for case in cases:
        case.open()
    before, began = counters(), time.monotonic()
    for case in cases:
        case.go()
    time.sleep(max(0, began + LATE_S - time.monotonic()))
    in_time = True
    while any(case.program.poll() is None for case in cases):
        for case in cases:
            if case.late:
                case.take()
        in_time = in_time and (time.monotonic() - began < TOO_LATE_S or all(c.accepted for c in cases if c.late))
        time.sleep(0.02)
    return cases, in_time, {name: counters()[name] - before[name] for name in SERVER_COUNTERS}


if len(sys.argv) < 3:
    skip("usage: connectors.py LAB TUN_CONNECT; they were not built")
enter_machine()
diag = Diag()
for attempt in range(4):
    cases, in_time, moved = play()
    results = [case.result(diag) for case in cases]
    for case in cases:
        stop(case.program)
        for s in (case.listener, *case.children):
            s.close()
    if in_time:
        break
total = dict.fromkeys(SERVER_COUNTERS, 0)
for case, result in zip(cases, results):
    counted, expected = case.expected()
    for name in total:
        total[name] += counted.get(name, 0)
    check(case.name, [f"{part}: kernel {result[part]}, ours {value}" for part, value in expected.items()
                      if result[part] != value])
check("counters", [f"{name}: kernel {moved[name]}, ours {value}" for name, value in total.items()
                   if moved[name] != value])
diag.close()
finish()
