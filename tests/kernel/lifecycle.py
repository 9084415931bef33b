"""How listeners and requests end, on this machine's kernel: shutdown, close and listen again, ICMP errors, SO_REUSEPORT
with tcp_migrate_req off and on, the order of those who wait in accept(). What it finds is what tests/group.cpp,
tests/listener_generations.cpp and the `icmp` cases of tests/listener.cpp say of linux_6_18, by the same numbers."""
import contextlib
import errno
import os
import select
import socket
import struct
import threading
import time

import netns
from machine import segment
from machine.tun import KERNEL, Tun
from netns import check, counters, equal, finish, sysctl, wait_until

PEER = "10.9.1.1"
ISN = 1000
if not os.uname().release.startswith("6.18."):
    netns.skip(f"this kernel is {os.uname().release}, and what is said of it was measured on 6.18")
netns.enter(tun=True)
tun = Tun()
ports = iter(range(20000, 30000))
clients = iter(range(40000, 60000))
iss = {}


def listener(backlog, port=None, group=False):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if group:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((KERNEL, port or next(ports)))
    s.setblocking(False)
    s.listen(backlog)
    return s


def give(client, server, flags, seq=0, ack=0):
    """Sends one segment; the flags of what comes back to that client."""
    tun.send(segment.pack(segment.Segment(PEER, KERNEL, client, server, ISN + seq, ack, flags, 64240, b"", b"")))
    return answers(client, tun.settled())


def answers(client, packets):
    flags = []
    for s in filter(None, map(segment.unpack, packets)):
        if "S" in s.flags:
            iss[s.destination_port] = s.seq
        if s.destination_port == client:
            flags.append(s.flags)
    return flags


def syn(client, server):
    return give(client, server, "S")


def ack(client, server):
    return give(client, server, ".", 1, iss[client] + 1)


def connect(client, server):
    syn(client, server)
    return ack(client, server)


def accepted(s):
    """The clients' ports of all that wait."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            child, (_, port) = s.accept()
            found.append(port)
            child.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            child.close()
    tun.settled()
    return found


def icmp(kind, code, client, server, seq):
    """An ICMP error about our SYN-ACK, as a router would send it."""
    quoted = segment.pack(segment.Segment(KERNEL, PEER, server, client, seq, ISN + 1, "S.", 64240, b"", b""))[:28]
    body = struct.pack("!BBHI", kind, code, 0, 0) + quoted
    body = body[:2] + struct.pack("!H", segment.checksum(body)) + body[4:]
    tun.send(segment.packet(PEER, KERNEL, segment.ICMP, body))
    tun.settled()


def moved(before, *names):
    after = counters()
    return tuple(after[name] - before[name] for name in names)


def error_of(f):
    try:
        f()
    except OSError as e:
        return e.errno
    return 0


def shutdown_and_listen():
    s, client = listener(4), next(clients)
    port = s.getsockname()[1]
    s.shutdown(socket.SHUT_WR)
    equal("after SHUT_WR a SYN is answered", syn(client, port), ["S."])
    s.shutdown(socket.SHUT_RD)
    equal("accept after SHUT_RD", error_of(s.accept), errno.EINVAL)
    equal("shutdown again", error_of(lambda: s.shutdown(socket.SHUT_RD)), errno.ENOTCONN)
    s.listen(4)
    equal("after listen again the old request's ACK is good", (ack(client, port), accepted(s)), ([], [client]))
    other = next(clients)
    syn(other, port)
    s.shutdown(socket.SHUT_RD)
    equal("without listen it gets a RST", ack(other, port), ["R"])
    s.close()


def close_and_listen():
    s, client, cookie = listener(4), next(clients), next(clients)
    port = s.getsockname()[1]
    syn(client, port)
    sysctl("net.ipv4.tcp_syncookies", 2)
    syn(cookie, port)
    s.close()
    s = listener(4, port)
    equal("a request of the closed one gets a RST", (ack(client, port), accepted(s)), (["R"], []))
    equal("and so does its cookie", ack(cookie, port), ["R"])
    syn(next(clients), port)
    equal("until the new one has sent a cookie, too", (ack(cookie, port), accepted(s)), ([], [cookie]))
    sysctl("net.ipv4.tcp_syncookies", 1)
    s.close()


def icmp_errors():
    errors = {"network": (3, 0), "host": (3, 1), "protocol": (3, 2), "port": (3, 3), "prohibited": (3, 13),
              "time": (11, 0), "parameter": (12, 0), "too big": (3, 4)}
    ended = []
    for name, (kind, code) in errors.items():
        s, client = listener(4), next(clients)
        port = s.getsockname()[1]
        syn(client, port)
        icmp(kind, code, client, port, iss[client])
        if ack(client, port) == ["R"]:
            ended.append(name)
        s.close()
        tun.settled()
    equal("ICMP errors that end a request", ended, ["network", "host", "time", "parameter"])
    s, client = listener(4), next(clients)
    port = s.getsockname()[1]
    syn(client, port)
    before = counters()
    icmp(3, 1, client, port, iss[client] + 1)
    equal("another number", moved(before, "TcpExtOutOfWindowIcmps", "TcpExtListenDrops"), (1, 0))
    s.close()
    icmp(3, 1, client, port, iss[client])
    equal("after close it still ends the request", moved(before, "TcpExtListenDrops"), (1,))


def group(migrate, backlog_a, backlog_b):
    """Two listeners on one port, and for each the clients' ports that belong to it."""
    sysctl("net.ipv4.tcp_migrate_req", migrate)
    a = listener(32, group=True)
    port = a.getsockname()[1]
    b = listener(32, port, group=True)
    tried = [next(clients) for _ in range(32)]
    for client in tried:
        connect(client, port)
    of_a, of_b = accepted(a), accepted(b)
    check("both have work", bool(of_a and of_b))
    a.listen(backlog_a)
    b.listen(backlog_b)
    return a, b, port, of_a, of_b


SUCCESS, FAILURE = "TcpExtTCPMigrateReqSuccess", "TcpExtTCPMigrateReqFailure"


def leave_without_migration():
    a, b, port, (waits, half, *_), _ = group(0, 4, 4)
    connect(waits, port)
    syn(half, port)
    a.close()
    equal("a connection that waits is reset", answers(waits, tun.settled()), ["R."])
    equal("the request's ACK gets a RST", (ack(half, port), accepted(b)), (["R"], []))
    b.close()


def leave_with_migration():
    a, b, port, (first, second, half, *_), (own, *_) = group(1, 2, 0)
    connect(own, port)
    for client in (first, second):
        connect(client, port)
    syn(half, port)
    before = counters()
    ready = select.epoll()
    ready.register(b.fileno(), select.EPOLLIN | select.EPOLLET)
    ready.poll(0)
    a.close()
    equal("two have moved, past the sibling's limit", moved(before, SUCCESS, FAILURE), (2, 0))
    check("and the sibling's waiters wake", bool(ready.poll(1)))
    ready.close()
    before = counters()
    equal("an ACK while the sibling is full is dropped", ack(half, port), [])
    equal("and counted", moved(before, "TcpExtListenOverflows", "TcpExtListenDrops", SUCCESS, FAILURE), (1, 1, 0, 1))
    before = counters()
    sent = answers(half, tun.received(time.monotonic() + 1.6))
    equal("the timer sends a SYN-ACK", sent[:1], ["S."])
    equal("and migrates the request", moved(before, SUCCESS, FAILURE), (1, 0))
    equal("the sibling's own comes first, then those that moved", accepted(b), [own, first, second])
    equal("now there is room", (ack(half, port), accepted(b)), ([], [half]))
    b.close()


def group_grows():
    a, b, port, of_a, of_b = group(0, 64, 64)
    for client in of_a + of_b:
        syn(client, port)
    more = [listener(64, port, group=True) for _ in range(2)]
    for client in of_a + of_b:
        ack(client, port)
    equal("a request stays where it was", (sorted(accepted(a)), sorted(accepted(b))), (sorted(of_a), sorted(of_b)))
    for s in (a, b, *more):
        s.close()


def who_waits_longest():
    s = listener(8)
    s.setblocking(True)
    port = s.getsockname()[1]
    served = []

    def wait(number):
        child, _ = s.accept()
        served.append(number)
        child.close()

    def sleeping(thread):
        with open(f"/proc/self/task/{thread.native_id}/wchan", encoding="ascii") as wchan:
            return wchan.read() == "inet_csk_accept"

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        wait_until(lambda: sleeping(threads[-1]), 0.3)
    for number in range(4):
        connect(next(clients), port)
        wait_until(lambda: len(served) > number, 2)
    for thread in threads:
        thread.join(5)
    equal("who has waited longest is served first", served, [0, 1, 2, 3])
    s.close()


shutdown_and_listen()
close_and_listen()
icmp_errors()
leave_without_migration()
leave_with_migration()
group_grows()
who_waits_longest()
tun.close()
finish()
