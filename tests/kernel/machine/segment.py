"""TCP over IPv4 as bytes: what is sent to the machine's kernel, and what it sends.

Flags are letters of "FSRP.UEW" as in `lab inject`; options are named as there: {"mss": 1460, "sack": True, "ws": 10,
"ts": (value, echo)}.
"""
import re
import socket
import struct
from typing import NamedTuple

FLAGS = "FSRP.UEW"
TCP, ICMP = 6, 1


class Segment(NamedTuple):
    source: str
    destination: str
    source_port: int
    destination_port: int
    seq: int
    ack: int
    flags: str
    window: int
    options: bytes
    payload: bytes


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, protocol, body):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def pack(s):
    options = s.options + b"\0" * (-len(s.options) % 4)
    bits = sum(1 << FLAGS.index(letter) for letter in s.flags)
    body = struct.pack("!HHIIBBHHH", s.source_port, s.destination_port, s.seq % 2**32, s.ack % 2**32,
                       (20 + len(options)) << 2, bits, s.window, 0, 0) + options + s.payload
    pseudo = socket.inet_aton(s.source) + socket.inet_aton(s.destination) + struct.pack("!HH", TCP, len(body))
    return packet(s.source, s.destination, TCP, body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:])


def unpack(data):
    """The TCP segment in an IPv4 packet, or None."""
    if data[0] >> 4 != 4 or data[9] != TCP:
        return None
    header = (data[0] & 15) * 4
    length = struct.unpack_from("!H", data, 2)[0]
    source_port, destination_port, seq, ack, offset, bits, window = struct.unpack_from("!HHIIBBH", data, header)
    start = header + (offset >> 4) * 4
    flags = "".join(letter for i, letter in enumerate(FLAGS) if bits >> i & 1)
    return Segment(socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20]), source_port, destination_port, seq,
                   ack, flags, window, data[header + 20:start], data[start:length])


def echo_request(source, destination, number):
    body = struct.pack("!BBHHH", 8, 0, 0, 7, number)
    return packet(source, destination, ICMP, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def echo_reply_number(data):
    """The number of the echo request that this packet answers, or None."""
    if data[0] >> 4 != 4 or data[9] != ICMP or data[(data[0] & 15) * 4] != 0:
        return None
    return struct.unpack_from("!H", data, (data[0] & 15) * 4 + 6)[0]


def pack_options(options):
    data = b""
    if "mss" in options:
        data += struct.pack("!BBH", 2, 4, options["mss"])
    if "sack" in options:
        data += b"\4\2"
    if "ts" in options:
        data += struct.pack("!BBII", 8, 10, options["ts"][0] % 2**32, options["ts"][1] % 2**32)
    if "ws" in options:
        data += struct.pack("!BBB", 3, 3, options["ws"])
    if "fo" in options:
        data += struct.pack("!BB", 34, 2 + len(options["fo"])) + options["fo"]
    if "xfo" in options:
        data += struct.pack("!BBH", 254, 4 + len(options["xfo"]), 0xF989) + options["xfo"]
    return data


def options_text(data):
    """As tcpdump prints them, which is how `lab inject` prints them."""
    words, at = [], 0
    while at < len(data):
        kind = data[at]
        if kind == 0:
            break
        if kind == 1:
            words.append("nop")
            at += 1
            continue
        size = data[at + 1]
        value = data[at + 2:at + size]
        if kind == 2:
            words.append(f"mss {int.from_bytes(value, 'big')}")
        elif kind == 3:
            words.append(f"wscale {value[0]}")
        elif kind == 4:
            words.append("sackOK")
        elif kind == 8:
            words.append("TS val {} ecr {}".format(*struct.unpack("!II", value)))
        elif kind == 34:
            words.append(f"tfo  cookie {value.hex()}")
        elif kind == 254 and value[:2] == b"\xf9\x89":
            words.append(f"exp-tfo cookie {value[2:].hex()}")
        else:
            words.append(f"option {kind} {value.hex()}")
        at += size
    return ",".join(words)


def cookie_of(data):
    """The fast-open cookie among these options, or None."""
    found = re.search("tfo +cookie ([0-9a-f]+)", options_text(data))
    return bytes.fromhex(found[1]) if found else None


def timestamp_of(data):
    """The timestamp value among these options, or None."""
    at = 0
    while at < len(data) and data[at] != 0:
        if data[at] == 8:
            return struct.unpack_from("!I", data, at + 2)[0]
        at += 1 if data[at] == 1 else data[at + 1]
    return None
