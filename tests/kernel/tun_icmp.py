"""ICMP errors about SYN-ACKs. This kernel is the router between our server and the rest of the network, which is a TUN
interface of the test's: first it says itself that a client cannot be reached, then the test forges errors of every type
and code, over IPv4 and IPv6. This kernel's own listener gets the same ones, and must count them as our preset does."""
import os
import signal
import socket
import struct
import sys

from machine.segment import TCP, checksum, packet
from machine.tun import KERNEL, Tun
from netns import check, counters, equal, finish, run, start, stop, sysctl, wait_until
from tunnel import OURS4, OURS6, PORT, Server, enter

KERNEL6, PEER, PEER6 = "fd79::1", "10.9.1.1", "fd79::9"
LOST, LOST6 = "10.88.0.9", "fd88::9"  # where the routes of the test say that there is nobody
ICMP, ICMP6 = 1, 58
SYN, ACK, SYN_ACK = 2, 16, 18
COUNTERS = ("TcpExtListenDrops", "TcpExtOutOfWindowIcmps")


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def ip(source, destination, protocol, body):
    if ":" not in source:
        return packet(source, destination, protocol, body)
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + packed(source) + packed(destination) + body


def summed(source, destination, protocol, body, at):
    """`body` with its checksum, which lies at `at`, over the pseudo-header."""
    head = packed(source) + packed(destination) + struct.pack("!II", len(body), protocol)
    return body[:at] + struct.pack("!H", checksum(head + body)) + body[at + 2:]


def tcp(source, source_port, destination, port, flags, seq, ack=0):
    body = struct.pack("!HHIIBBHHH", source_port, port, seq, ack, 5 << 4, flags, 64240, 0, 0)
    return ip(source, destination, TCP, summed(source, destination, TCP, body, 16))


def complaint(about, type_, code, reporter, quoted=None):
    """An ICMP error that quotes `about`, the packet, to its sender."""
    six = about[0] >> 4 == 6
    told = socket.inet_ntop(socket.AF_INET6, about[8:24]) if six else socket.inet_ntoa(about[12:16])
    body = struct.pack("!BBHI", type_, code, 0, 1300) + about[:quoted]
    if six:
        return ip(reporter, told, ICMP6, summed(reporter, told, ICMP6, body, 2))
    return ip(reporter, told, ICMP, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def tcp_at(data):
    return 40 if data[0] >> 4 == 6 else 20


class Ours:
    """Our server, seen from outside."""

    def __init__(self, server):
        self.server, self.addresses, self.port = server, {False: OURS4, True: OURS6}, PORT

    def settle(self):
        return self.server.state()

    def counters(self):
        return {name: self.server.state()["counters"][name] for name in COUNTERS}


class Theirs:
    """This kernel's own listener."""

    def __init__(self):
        self.addresses = {False: KERNEL, True: KERNEL6}
        self.socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1000)
        self.port = self.socket.getsockname()[1]

    def settle(self):
        pass

    def counters(self):
        return {name: counters()[name] for name in COUNTERS}


enter("unshare", "nsenter", limit_s=85)
for name in ("all", "default"):
    sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
sysctl("net.ipv4.ip_forward", 1)
sysctl("net.ipv6.conf.all.forwarding", 1)
sysctl("net.ipv4.icmp_ratelimit", 0)
sysctl("net.ipv6.icmp.ratelimit", 0)
sysctl("net.ipv4.icmp_msgs_per_sec", 100000)
outside = Tun()
sysctl("net.ipv6.conf.tun0.disable_ipv6", 0)
run("ip", "address", "add", f"{KERNEL6}/64", "dev", "tun0", "nodad")
run("ip", "route", "add", "unreachable", "10.88.0.0/24")
run("ip", "route", "add", "prohibit", "10.88.1.0/24")
run("ip", "route", "add", "prohibit", "fd88:1::/64")
run("ip", "route", "add", "unreachable", "fd88::/64")
next_port = iter(range(1000, 65000))


def answers(target):
    """All TCP segments that have come out of this namespace when the target has dealt with what it got."""
    target.settle()
    return [data for data in outside.settled() if data[6 if data[0] >> 4 == 6 else 9] == TCP]


def request(target, six):
    """A new request: its SYN-ACK."""
    port = next(next_port)
    outside.send(tcp(PEER6 if six else PEER, port, target.addresses[six], target.port, SYN, 1000))
    got = [data for data in answers(target) if struct.unpack_from("!H", data, tcp_at(data) + 2)[0] == port]
    equal("one answer to a SYN", [data[tcp_at(data) + 13] for data in got], [SYN_ACK])
    return got[0]


def lives(target, syn_ack):
    """Is its request still there? A final ACK finds it, or gets a RST. Nothing is left of it afterwards."""
    six, at = syn_ack[0] >> 4 == 6, tcp_at(syn_ack)
    port, seq = struct.unpack_from("!2xHI", syn_ack, at)
    source = PEER6 if six else PEER
    outside.send(tcp(source, port, target.addresses[six], target.port, ACK, 1001, seq + 1))
    resets = [data for data in answers(target) if data[tcp_at(data) + 13] & 4]
    if not resets:
        outside.send(tcp(source, port, target.addresses[six], target.port, 4, 1001))
    return not resets


def meets(target, six, type_, code, change=lambda about, error: error, quoted=None):
    """What an error did: whether the request has survived it, and the counters that moved."""
    syn_ack = request(target, six)
    before = target.counters()
    outside.send(change(syn_ack, complaint(syn_ack, type_, code, PEER6 if six else PEER, quoted)))
    answers(target)
    after = target.counters()
    return lives(target, syn_ack), {name: after[name] - before[name] for name in COUNTERS if after[name] != before[name]}


# A client in a network of its own is killed between its SYN and our SYN-ACK, and its network goes with it. This comes
# first: the kernel says that there is no route five times (ip_error), and from then on once a second.
server = Server()
home = start("unshare", "--net", "sleep", "60")
check("the client has a network of its own", wait_until(
    lambda: os.readlink(f"/proc/{home.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 5))
run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(home.pid))
run("ip", "address", "add", "10.99.0.1/24", "dev", "near")
run("ip", "link", "set", "near", "up")
inside = ("nsenter", "--net", "--target", home.pid)
run(*inside, "ip", "address", "add", "10.99.0.2/24", "dev", "far")
run(*inside, "ip", "link", "set", "far", "up")
run(*inside, "ip", "route", "add", "default", "via", "10.99.0.1")
server.child.send_signal(signal.SIGSTOP)
client = start(*inside, sys.executable, "-c", f"""
import socket, time
s = socket.socket(); s.setblocking(False); s.connect_ex(("{OURS4}", {PORT})); time.sleep(0.2); print("sent", flush=True)
time.sleep(60)
""", stdout=-1, text=True)
equal("the SYN is on its way", client.stdout.readline().strip(), "sent")
stop(home, signal.SIGKILL)
stop(client, signal.SIGKILL)
check("the client's network is gone", wait_until(lambda: not run("ip", "route", "show", "10.99.0.0/24"), 10))
server.child.send_signal(signal.SIGCONT)
state = server.wait_for(lambda s: s["host"]["errors"]["ended"] == 1)
equal("killed with its network: the request ended", (state["host"]["errors"]["ended"], state["requests"]), (1, 0))
equal("and its SYN-ACK was not sent again", state["counters"]["TcpRetransSegs"], 0)
server.stop()

# The router itself. Linux over IPv4 ends a request on what may pass, over IPv6 on what may not; to 4.3 on both; FreeBSD
# only notes the first.
LOST_AT = {"v4 unreachable": LOST, "v4 prohibited": "10.88.1.9", "v6 no route": LOST6, "v6 prohibited": "fd88:1::9"}
EXPECTED = {"linux-6.18": ("ended", "ignored", "ignored", "ended"), "linux-3.12": ("ended",) * 4,
            "freebsd-13": ("noted",) * 4}
for preset, verdicts in EXPECTED.items():
    server = Server("--preset", preset)
    for (name, address), verdict in zip(LOST_AT.items(), verdicts):
        before = server.state()
        outside.send(tcp(address, 4000, OURS6 if ":" in address else OURS4, PORT, SYN, 1000))
        state = server.wait_for(lambda s: s["frames"]["errors"] > before["frames"]["errors"])
        errors = state["host"]["errors"]
        equal(f"{preset}, {name}", {v for v in errors if errors[v] > before["host"]["errors"][v]}, {verdict})
        equal(f"{preset}, {name}: requests", state["requests"] - before["requests"], 0 if verdict == "ended" else 1)
    server.stop()

# Forgers, at both listeners.
server = Server("--backlog", 500)
ours, theirs = Ours(server), Theirs()


def wrong_number(syn_ack, error):
    at = len(error) - len(syn_ack) + tcp_at(syn_ack) + 7
    flipped = bytearray(error)
    flipped[at] ^= 1  # and the sum allows for it
    sum_at = tcp_at(error) + 2
    old = struct.unpack_from("!H", error, sum_at)[0]
    delta = (flipped[at] - error[at]) * (1 if at % 2 else 256)
    new = ~(((~old & 0xffff) + delta) % 0xffff) & 0xffff
    struct.pack_into("!H", flipped, sum_at, new)
    return bytes(flipped)


def wrong_sum(_, error):
    return error[:-1] + bytes([error[-1] ^ 1])


def about_udp(syn_ack, error):
    six, changed = syn_ack[0] >> 4 == 6, bytearray(syn_ack)
    changed[6 if six else 9] = 17
    return complaint(bytes(changed), error[tcp_at(error)], error[tcp_at(error) + 1], PEER6 if six else PEER)


ALL = [(False, 3, code) for code in range(17)] + [(False, 11, 0), (False, 11, 1), (False, 12, 0), (False, 4, 0)]
ALL += [(True, 1, code) for code in range(9)] + [(True, 2, 0), (True, 3, 0), (True, 3, 1), (True, 4, 0), (True, 4, 1)]
compares = os.uname().release.startswith("6.18.")
for six, type_, code in ALL:
    row = meets(ours, six, type_, code)
    if compares:
        equal(f"{'v6' if six else 'v4'} {type_}/{code}: ours, as this kernel's", row, meets(theirs, six, type_, code))
    else:
        check(f"{'v6' if six else 'v4'} {type_}/{code}: {row}", row[0] == ("TcpExtListenDrops" not in row[1]))
survived = (True, {})
for six, type_, code, short in ((False, 3, 1, 20 + 7), (True, 1, 1, 40 + 7)):
    for name, change, quoted, expected in (
            ("a wrong number", wrong_number, None, (True, {"TcpExtOutOfWindowIcmps": 1})),
            ("a wrong sum", wrong_sum, None, survived), ("about UDP", about_udp, None, survived),
            ("a byte too short", lambda _, error: error, short, survived),
            ("nothing wrong", lambda _, error: error, short + 1, (False, {"TcpExtListenDrops": 1}))):
        name = f"{'v6' if six else 'v4'}: {name}"
        equal(f"{name}: ours", meets(ours, six, type_, code, change, quoted), expected)
        if compares:
            equal(f"{name}: this kernel's", meets(theirs, six, type_, code, change, quoted), expected)
bad = server.state()["frames"]["bad_errors"]
equal("and why they were refused", {k: v for k, v in bad.items() if v}, {"bad_checksum": 2, "not_tcp": 2, "no_ports": 2})
server.stop()
theirs.socket.close()
outside.close()
finish()
