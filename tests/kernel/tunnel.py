"""The server on a TUN interface that the tun_*.py tests talk to, and what they talk with."""
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import time

import netns

OURS4, OURS6 = "10.77.0.2", "fd77::2"  # the server's addresses
KERNEL4, KERNEL6 = "10.77.0.1", "fd77::1"  # this kernel's end
PORT = 80


def enter(*tools, **more):
    """As netns.enter, for a test that ctest hands the server's program."""
    if len(sys.argv) < 2 or not pathlib.Path(sys.argv[1]).exists():
        netns.skip("usage: <test> PATH-OF-TUN_SERVER; it was not built")
    # What an earlier run or the test's environment says about proxies is not meant for this namespace.
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        del os.environ[name]
    netns.enter(*tools, tun=True, **more)


class Server:
    """The program, running and reachable at OURS4 and OURS6. `options` are its own."""

    def __init__(self, *options):
        self.child = netns.start(sys.argv[1], "--setup", KERNEL4, "--setup", KERNEL6, "--port", PORT, *options,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.child.stderr.readline()
        if not said.startswith("Listening"):
            raise RuntimeError(f"the server says: {said}{self.child.stderr.read()}")

    def state(self):
        """What it counts and holds at this moment."""
        self.child.send_signal(signal.SIGUSR1)
        return json.loads(self.child.stdout.readline())

    def wait_for(self, condition, limit_s=10):
        """The state when `condition(state)` holds, or the last one."""
        end = time.monotonic() + limit_s
        while not condition(now := self.state()) and time.monotonic() < end:
            time.sleep(0.01)
        return now

    def stop(self):
        """Ends it; its last words."""
        self.child.send_signal(signal.SIGTERM)
        last = json.loads(self.child.stdout.readline())
        netns.equal("the server's status", netns.stop(self.child), 0)
        return last


def curl(*arguments, limit_s=20):
    """What curl writes to standard output (bytes), and its status."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(limit_s),
                           *map(str, arguments)], capture_output=True, timeout=limit_s + 5)
    return done.stdout, done.returncode


def connect(address=OURS4, port=PORT, limit_s=5.0):
    """A connected socket, or the exception's name."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(limit_s)
    try:
        s.connect((address, port))
        return s
    except OSError as e:
        s.close()
        return type(e).__name__


def pattern(size):
    """The bytes of GET /bytes/<size>."""
    x, out = 1, bytearray()
    for _ in range(size):
        x = (x * 1664525 + 1013904223) & 0xffffffff
        out.append(x >> 24)
    return bytes(out)


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def ping(address, size=56, limit_s=5.0):
    """Is an echo request answered with its own bytes?"""
    six = ":" in address
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    number, data = 4711, noise(size, 1)
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, protocol) as s:
        s.settimeout(limit_s)
        message = struct.pack("!BBHHH", 128 if six else 8, 0, 0, number, 1) + data
        if not six:
            message = message[:2] + struct.pack("!H", internet_sum(message)) + message[4:]
        s.sendto(message, (address, 0))
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            try:
                reply, sender = s.recvfrom(65536)
            except TimeoutError:
                return False
            reply = reply if six else reply[(reply[0] & 15) * 4:]
            if sender[0] == address and reply[0] == (129 if six else 0):
                return reply[4:] == message[4:]
    return False


def internet_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def begin_connect(address=OURS4, port=PORT):
    """A socket whose SYN is on its way."""
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex((address, port))
    return s


def is_connected(s):
    """Has the handshake ended, as this kernel sees it?"""
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1  # TCP_ESTABLISHED


def negotiated(s):
    """Which of ts, sack and wscale this kernel has agreed on for a connected socket (tcpi_options)."""
    bits = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 6)[5]
    return {name for bit, name in ((1, "ts"), (2, "sack"), (4, "wscale")) if bits & bit}


SYN, RST, ACK = 2, 4, 16


def bare(source, source_port, flags, seq, ack, port=PORT):
    """A TCP segment to the server without options or payload, as an IPv4 packet."""
    ends = socket.inet_aton(source) + socket.inet_aton(OURS4)
    head = struct.pack("!HHIIBBHHH", source_port, port, seq, ack, 5 << 4, flags, 64240, 0, 0)
    total = internet_sum(ends + struct.pack("!HH", socket.IPPROTO_TCP, len(head)) + head)
    head = head[:16] + struct.pack("!H", total) + head[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(head), 0, 0, 64, socket.IPPROTO_TCP, 0) + ends + head


def inject(source, source_port, flags, seq=1000, ack=0, port=PORT):
    """One such segment from an address that may be nobody's: a client that is not there."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(bare(source, source_port, flags, seq, ack, port), (OURS4, 0))
