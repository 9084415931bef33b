#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""wire/ and Wireshark read the same random packets: whole ones field by field, broken ones by what is wrong.

usage: tshark.py WIRE_DUMP     exit status 77 when there is no tshark
"""
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

COUNT = 4000
FIELDS = ["frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.seq_raw",
          "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.len", "tcp.options.mss_val",
          "tcp.options.wscale.shift", "tcp.options.sack_perm", "tcp.options.timestamp.tsval",
          "tcp.options.timestamp.tsecr", "tcp.checksum.status", "ip.checksum.status", "tcp.bogus_header_length", "_ws.malformed"]


def internet_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def options(r, syn):
    """Options in any order, each at most once; MSS, scale and SACK-permitted only where they count."""
    kinds = [struct.pack("!BBII", 8, 10, r.getrandbits(32), r.getrandbits(32)), b"\x01", b"\x01\x01",
             struct.pack("!BB", 253, 4) + r.randbytes(2)]
    if syn:
        kinds += [struct.pack("!BBH", 2, 4, r.randrange(1, 65536)), struct.pack("!BBB", 3, 3, r.randrange(15)), b"\x04\x02"]
    chosen = r.sample(kinds, r.randrange(len(kinds) + 1))
    data = b"".join(chosen)[:40]
    while len(data) % 4:
        data += b"\0"
    return data if len(b"".join(chosen)) <= 40 else b""


def packet(r):
    """A packet and the name of what is wrong with it, `none` for nothing."""
    six = r.random() < 0.4
    source, target = (r.randbytes(16), r.randbytes(16)) if six else (r.randbytes(4), r.randbytes(4))
    if six:  # no mapped addresses: dual reads those as IPv4's
        source, target = b"\x20" + source[1:], b"\x20" + target[1:]
    flags = r.getrandbits(8)
    opts = options(r, flags & 2)
    payload = r.randbytes(r.choice([0, 0, 1, 2, 3, 100, 1399]))
    tcp = struct.pack("!HHIIBBHHH", r.randrange(1, 65536), r.randrange(1, 65536), r.getrandbits(32), r.getrandbits(32),
                      (5 + len(opts) // 4) << 4, flags, r.getrandbits(16), 0, 0) + opts + payload
    length = struct.pack("!I", len(tcp))
    total = internet_sum(source + target + length + struct.pack("!I", 6) + tcp)
    tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]

    def whole(body, protocol=6, fragment=0x4000):
        if six:
            return struct.pack("!IHBB", 6 << 28 | r.getrandbits(28), len(body), protocol, 64) + source + target + body
        head = struct.pack("!BBHHHBBH", 0x45, r.getrandbits(8), 20 + len(body), r.getrandbits(16), fragment, 64, protocol,
                           0) + source + target
        return head[:10] + struct.pack("!H", internet_sum(head)) + head[12:] + body

    good = whole(tcp)
    damage = r.randrange(12)
    if damage == 0:
        bad = bytearray(tcp)
        bad[r.randrange(len(bad) // 4 * 4)] ^= 1 << r.randrange(8)
        if bad[12] >> 4 == tcp[12] >> 4:
            return whole(bytes(bad)), "bad_checksum"
    if damage == 1:
        bad = tcp[:12] + bytes([r.randrange(5) << 4]) + tcp[13:]
        return whole(bad), "bad_data_offset"
    if damage == 2 and len(tcp) < 60:
        return whole(tcp[:12] + b"\xf0" + tcp[13:]), "bad_data_offset"
    if damage == 3 and not six:
        bad = bytearray(good)
        bad[8] ^= 0x10  # TTL
        return bytes(bad), "bad_ip_checksum"
    if damage == 4 and not six:
        return whole(tcp, fragment=r.choice([0x2000, 0x0001, 0x2001])), "fragment"
    if damage == 5:
        return whole(tcp[:r.randrange(20)]), "too_short"
    if damage == 6:
        return whole(b"\x00\x35\x00\x35\x00\x08\x00\x00", protocol=17), "not_tcp"
    return good, "none"


def tshark(packets, directory):
    path = pathlib.Path(directory, "random.pcap")
    records = b"".join(struct.pack("<IIII", i, 0, len(p), len(p)) + p for i, p in enumerate(packets))
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + records)
    prefs = ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE", "tcp.desegment_tcp_streams:FALSE", "ip.defragment:FALSE",
             "tcp.analyze_sequence_numbers:FALSE", "tcp.relative_sequence_numbers:FALSE"]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    for p in prefs:
        command += ["-o", p]
    for f in FIELDS:
        command += ["-e", f]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [dict(zip(FIELDS, line.split("\t"))) for line in lines]


def reading_of(f):
    """A line as wire_dump would print it, less the fault."""
    syn = int(f["tcp.flags"], 16) & 2
    words = [f["ip.src"] or f["ipv6.src"], f["ip.dst"] or f["ipv6.dst"], f["tcp.srcport"], f["tcp.dstport"], f["tcp.seq_raw"],
             f["tcp.ack_raw"], str(int(f["tcp.flags"], 16) & 0xff), f["tcp.window_size_value"], f["tcp.len"],
             (f["tcp.options.mss_val"] or "0") if syn else "0", (f["tcp.options.wscale.shift"] or "-1") if syn else "-1",
             "1" if syn and f["tcp.options.sack_perm"] else "0"]
    if f["tcp.options.timestamp.tsval"]:
        words.append(f["tcp.options.timestamp.tsval"] + "/" + f["tcp.options.timestamp.tsecr"])
    return " ".join(["none", *words])


def main():
    if shutil.which("tshark") is None:
        print("SKIPPED: there is no tshark")
        return 77
    r = random.Random(20260101)
    made = [packet(r) for _ in range(COUNT)]
    data = b"".join(struct.pack("!H", len(p)) + p for p, _ in made)
    ours = subprocess.run([sys.argv[1]], input=data, capture_output=True, check=True).stdout.decode().splitlines()
    with tempfile.TemporaryDirectory() as directory:
        theirs = tshark([p for p, _ in made], directory)
    problems, agreed = [], {}
    if not len(ours) == len(theirs) == COUNT:
        problems.append(f"{len(ours)} lines of ours, {len(theirs)} of tshark's, {COUNT} packets")
    for (p, expected), line, f in zip(made, ours, theirs):
        name = f"packet {f['frame.number']} ({expected}), {p.hex()}"
        verdict = line.split()[0]
        if verdict != expected:
            problems.append(f"{name}: we say {verdict}")
        elif expected == "none" and (line.partition(" fault")[0] != reading_of(f) or f["tcp.checksum.status"] != "1"):
            problems.append(f"{name}:\n  ours:   {line}\n  tshark: {reading_of(f)}, checksum {f['tcp.checksum.status']}")
        elif expected == "bad_checksum" and f["tcp.checksum.status"] != "0":
            problems.append(f"{name}: tshark finds nothing wrong with the sum")
        elif expected == "bad_ip_checksum" and f["ip.checksum.status"] != "0":
            problems.append(f"{name}: tshark finds nothing wrong with the header's sum")
        elif expected in ("bad_data_offset", "too_short", "not_tcp") and f["tcp.window_size_value"] and not (
                f["tcp.bogus_header_length"] or f["_ws.malformed"]):
            problems.append(f"{name}: tshark reads it as a whole header")
        else:
            agreed[expected] = agreed.get(expected, 0) + 1
    for p in problems[:20]:
        print(p)
    print(f"{agreed}, {len(problems)} problems")
    return 1 if problems or len(agreed) < 7 else 0


sys.exit(main())
