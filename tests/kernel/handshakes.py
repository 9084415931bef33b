"""What a connection starts with on this machine's kernel and on the preset of its version: the peer's MSS, window
scales, SACK, timestamps, ECN. With a request, with a cookie, and with net.ipv4.tcp_timestamps switched off.

What the kernel's connection has is read from TCP_INFO of the accepted socket. What a cookie restores lies in the
timestamp that comes back, so final ACKs echo it rightly, not at all, or with its low bits changed.
"""
import pathlib
import random
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine.play import PRESET, Machine, enter_machine, tune  # noqa: E402
from netns import check, finish, sysctl  # noqa: E402
from recordings import lab  # noqa: E402

SEED, ROWS = 7323, 160
BACKLOG = 4096
TIMESTAMPS, SACK, WSCALE, ECN = 1, 2, 4, 8  # tcpi_options
STAMP_BYTES = 12  # that each segment of a connection with timestamps has less for data
OUR_MSS = 1460
SIZES = ["", 0, 100, 200, 535, 536, 537, 1000, 1299, 1300, 1301, 1439, 1440, 1441, 1459, 1460, 1461, 9000, 65535]
ECHOES = ["T+0"] * 6 + ["T-1", "T-15", "T-16", "T-63", "T-64", "0", ""]


def row(chance, port):
    """A SYN and its final ACK."""
    options = []
    mss, scale = chance.choice(SIZES), chance.choice(["", "", 0, 1, 7, 13, 14, 15])
    stamped = chance.random() < 0.6
    if mss != "":
        options.append(f"mss={mss}")
    if chance.random() < 0.5:
        options.append("sack")
    if scale != "":
        options.append(f"ws={scale}")
    if stamped:
        options.append(f"ts={chance.choice([0, 1, 9000])}")
    flags = chance.choice(["S", "SEW", "SE", "SW"])
    echo = chance.choice(ECHOES)
    last = f" ts=9001:{echo}" if stamped and echo else ""
    return [f"0 {port} {flags} C+0 - 0 {','.join(options)}".rstrip(), f"0 {port} . C+1 S+1 0{last}"]


def kernels(child):
    """What a connection of the kernel's has."""
    info = child.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    options, scales = info[5], info[6]
    send, receive = (scales & 15, scales >> 4) if options & WSCALE else (None, None)
    return {"mss": struct.unpack_from("=I", info, 16)[0], "sack": bool(options & SACK),
            "timestamps": bool(options & TIMESTAMPS), "ecn": bool(options & ECN), "send_scale": send,
            "receive_scale": receive}


def ours(shake):
    """The same of a handshake of the library's. The kernel says how much data fits into a segment."""
    values = {name: shake[name] for name in ("sack", "timestamps", "ecn", "send_scale", "receive_scale")}
    return {"mss": min(shake["mss"], OUR_MSS) - (STAMP_BYTES if shake["timestamps"] else 0)} | values


def without_timestamps(line):
    """What a kernel with net.ipv4.tcp_timestamps = 0 sees."""
    words = line.split(" ", 6)
    return " ".join(words[:6] + [",".join(option for option in "".join(words[6:]).split(",") if "ts=" not in option)])


def compare(machine, syncookies, timestamps):
    tune("syncookies", syncookies)
    sysctl("net.ipv4.tcp_timestamps", timestamps)
    chance = random.Random(f"{SEED} {syncookies} {timestamps}")
    listener = machine.listen(BACKLOG)
    rows = [row(chance, 1024 + i) for i in range(ROWS)]
    for lines in rows:
        for line in lines:
            listener.step(line, chance.randrange(2**32))
    theirs = {str(port): kernels(child) for port, child in listener.accept()}
    listener.close()
    lines = [line if timestamps else without_timestamps(line) for lines in rows for line in lines]
    script = "\n".join(f"{i / 1e5:.5f} {line.split(' ', 1)[1]}" for i, line in enumerate(lines))
    result = lab(["inject", "--preset", PRESET, "--backlog", BACKLOG, "--syncookies", syncookies], stdin=script)
    mine = {port: ours(shake) for port, shake in result["handshakes"].items()}
    for i, lines in enumerate(rows):
        a, b = (side.get(str(1024 + i)) for side in (theirs, mine))
        problems = [] if a == b else [f"{' / '.join(lines)}: kernel {a}, ours {b}"]
        check(f"syncookies {syncookies}, timestamps {timestamps}", problems)


enter_machine()
print(f"seed {SEED}")
machine = Machine()
for syncookies in (0, 2):
    for timestamps in (1, 0, 2):
        compare(machine, syncookies, timestamps)
machine.close()
finish()
