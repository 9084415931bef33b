"""A TUN interface: the machine's kernel on one side, this process on the other."""
import fcntl
import os
import select
import struct
import time

from machine.segment import echo_reply_number, echo_request
from netns import run, sysctl

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
KERNEL = "10.9.0.1"
MARKER = "10.9.255.254"  # whose echo requests mark the end of what came before them


class Tun:
    def __init__(self, name="tun0"):
        self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
        # One processor, so that the kernel takes all that is sent in its order.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        sysctl("net.ipv6.conf.tun0.disable_ipv6", 1)
        run("ip", "address", "add", f"{KERNEL}/16", "dev", name)
        run("ip", "link", "set", name, "up", "mtu", 1500)
        self._marks = 0

    def close(self):
        os.close(self._file)

    def send(self, packet):
        os.write(self._file, packet)

    def received(self, until):
        """Packets as they come, until that moment of time.monotonic()."""
        while True:
            try:
                yield os.read(self._file, 65535)
                continue
            except BlockingIOError:
                pass
            left = until - time.monotonic()
            if left <= 0:
                return
            select.select([self._file], [], [], left)

    def settled(self):
        """All packets until the kernel has dealt with everything sent before: an echo request comes back after it."""
        self._marks = (self._marks + 1) % 65536
        self.send(echo_request(MARKER, KERNEL, self._marks))
        packets = []
        for packet in self.received(time.monotonic() + 20):
            if echo_reply_number(packet) == self._marks:
                return packets
            packets.append(packet)
        raise RuntimeError("the kernel does not answer a ping")
