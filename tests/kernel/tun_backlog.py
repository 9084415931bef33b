"""listen(B) and nobody who accepts: how many of this kernel's connects succeed, and what meets those that come too late.

Each experiment goes step by step, so that nothing depends on how fast the machine is: the next client begins when the
server has said what became of the last. Only 3.12 has a clock in it (a young request turns old after a second): an
experiment that took longer is repeated.
"""
import contextlib
import socket
import time

from netns import check, equal, finish, wait_until
from tunnel import OURS4, Server, begin_connect, connect, enter, is_connected

enter(limit_s=85)
LATE = ("TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPReqQFullDrop", "TcpExtTCPReqQFullDoCookies")


def one_by_one(server, clients):
    """How many of them believe that they are connected, and the server's state: each begins when the one before has
    either connected or been turned away."""
    sockets, believers, turned_away = [], 0, 0
    try:
        for _ in range(clients):
            s = begin_connect()
            sockets.append(s)
            refused = server.state()["counters"]["TcpExtListenDrops"]
            while not is_connected(s) and refused <= turned_away:
                time.sleep(0.005)
                refused = server.state()["counters"]["TcpExtListenDrops"]
            believers += is_connected(s)
            if not is_connected(s):
                break  # and so would all others
            turned_away = refused
        return believers, server.state()
    finally:
        for s in sockets:
            s.close()


def experiment(preset, backlog, expected_believers, *options):
    for _ in range(5):
        server = Server("--preset", preset, "--backlog", backlog, "--accept", 0, *options)
        start = time.monotonic()
        believers, state = one_by_one(server, backlog + 6)
        took = time.monotonic() - start
        server.stop()
        if took < 0.9:
            break
    name = f"{preset}, listen({backlog}) {' '.join(options)}".strip()
    equal(f"{name}: connects that succeed", believers, expected_believers)
    equal(f"{name}: connections that wait", state["waiting"], backlog + 1)
    equal(f"{name}: nobody was accepted", state["accepted"], 0)


for backlog in (0, 1, 4):
    experiment("linux-6.18", backlog, backlog + 1)  # a SYN at a full accept queue is dropped
    experiment("linux-3.12", backlog, backlog + 3)  # unless fewer than two young ones wait: two more believe it
experiment("linux-4.4", 4, 4 + 3)

# FreeBSD 13 asks about its accept queue at the final ACK only: 3N/2 + 1 wait, whoever comes later is reset.
for backlog in (1, 4):
    server = Server("--preset", "freebsd-13", "--backlog", backlog, "--accept", 0)
    with contextlib.ExitStack() as clients:
        room = 3 * backlog // 2 + 1
        for i in range(room + 2):
            s = connect()
            if not isinstance(s, str):
                clients.push(s)
                if i >= room:
                    try:
                        s = s.recv(1)
                    except OSError as e:
                        s = type(e).__name__
            if i >= room:
                equal(f"freebsd-13, listen({backlog}): client {i + 1}", s, "ConnectionResetError")
            else:
                server.wait_for(lambda n: n["waiting"] == i + 1)
        equal(f"freebsd-13, listen({backlog}): connections that wait", server.state()["waiting"], room)
    server.stop()

# The kernel's own listener, in the same experiment: what linux-6.18 says of it.
for backlog in (0, 1, 4):
    with socket.socket() as listener, contextlib.ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        for _ in range(backlog + 1):
            s = connect(*listener.getsockname())
            check(f"the kernel's listen({backlog}): connects", not isinstance(s, str))
            clients.push(s)
        late = clients.enter_context(begin_connect(*listener.getsockname()))
        wait_until(lambda: is_connected(late), 0.3)
        check(f"the kernel's listen({backlog}): one more does not", not is_connected(late))

# All at once: whoever believes what, B + 1 wait.
server = Server("--backlog", 3, "--accept", 0)
with contextlib.ExitStack() as clients:
    sockets = [clients.enter_context(begin_connect()) for _ in range(20)]
    state = server.wait_for(lambda s: s["waiting"] == 4 and sum(s["counters"][n] for n in LATE) > 0)
    equal("20 at once, listen(3): connections that wait", state["waiting"], 4)
    equal("20 at once, listen(3): children", state["host"]["children"], 4)
    check("20 at once, listen(3): at least as many believe it", sum(map(is_connected, sockets)) >= 4)
server.stop()

# The third client of listen(0) under 3.12: kept waiting, or told by a RST.
for abort in (0, 1):
    server = Server("--preset", "linux-3.12", "--backlog", 0, "--accept", 0, "--abort-on-overflow", abort)
    with contextlib.ExitStack() as clients:
        clients.push(connect())
        s = connect()
        if isinstance(s, str):  # the RST may be faster than connect() returns
            equal(f"abort {abort}: connect", s, "ConnectionResetError" if abort else "")
        else:
            clients.push(s)
            state = server.wait_for(lambda n: n["counters"]["TcpExtListenOverflows"] > 0)
            s.settimeout(5 if abort else 0.3)
            try:
                s.send(b"hello")
                got = s.recv(1)
            except OSError as e:
                got = type(e).__name__
            expected = ("ConnectionResetError", "BrokenPipeError") if abort else ("TimeoutError",)
            check(f"abort {abort}: {got} at the second client", got in expected)
            equal(f"abort {abort}: requests kept", state["requests"], 0 if abort else 1)
    server.stop()
finish()
