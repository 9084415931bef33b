"""A SYN flood from addresses where nobody is, forged ACKs and RSTs among it, and this kernel's clients in between: with
cookies everybody is served, IPv4 and IPv6; without them nobody is while it lasts, and everybody when it is over."""
import pathlib
import sys

from netns import check, equal, finish, start, stop
from tunnel import OURS4, OURS6, Server, begin_connect, connect, enter, is_connected

CLIENTS, BETWEEN = 50, 20  # clients of each family, and the least forged segments from one to the next
FLOOD = f"""
import random, socket, sys, time
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import tunnel
chance = random.Random(1)
kinds = [tunnel.SYN] * 8 + [tunnel.ACK, tunnel.RST]
packets = [tunnel.bare("10.88.%d.%d" % (chance.randrange(256), chance.randrange(256)), chance.randrange(1, 65536),
                       chance.choice(kinds), chance.randrange(2**32), chance.randrange(2**32)) for _ in range(5000)]
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
    print("begins", flush=True)
    while True:
        for i, packet in enumerate(packets):
            s.sendto(packet, ("{OURS4}", 0))
            if i % 50 == 49:
                time.sleep(0.001)
"""


def flood():
    child = start(sys.executable, "-c", FLOOD, stdout=-1, text=True)
    child.stdout.readline()
    return child


def served(address):
    """One client from connect to the end of the page."""
    s = connect(address, limit_s=20)
    if isinstance(s, str):
        return s
    with s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := s.recv(4096):
            answer += piece
    return answer[:15]


enter(limit_s=85)
# Backlog 8 is full at once. FreeBSD never refuses: it evicts somebody, whose ACK is then a cookie.
for name, options in {"linux-6.18": (), "linux-3.12": ("--preset", "linux-3.12"),
                      "freebsd-13": ("--preset", "freebsd-13"),
                      "always cookies": ("--syncookies", 2)}.items():
    server = Server("--backlog", 8, *options)
    attack = flood()
    limit = server.wait_for(lambda s: sum(s["counters"].values()) > 200)["requests"]
    for address in (OURS4, OURS6):
        answers = set()
        for _ in range(CLIENTS):
            seen = server.state()["host"]["to_listeners"]
            server.wait_for(lambda s: s["host"]["to_listeners"] >= seen + BETWEEN)
            answers.add(served(address))
        equal(f"{name}, {address}: all {CLIENTS} are served", answers, {b"HTTP/1.1 200 OK"})
    state = server.state()
    equal(f"{name}: accepted", state["accepted"], 2 * CLIENTS)
    forged = state["host"]["to_listeners"] - 2 * state["accepted"]
    print(f"{name}: {forged} forged segments, {limit} requests in the flood")
    check(f"{name}: it was a flood", forged >= BETWEEN * state["accepted"])
    stop(attack)
    server.stop()

# Without cookies a full queue refuses everybody; a request lives for a second, so that the flood is soon forgotten.
server = Server("--backlog", 8, "--syncookies", 0)
attack = flood()
full = server.wait_for(lambda s: s["counters"]["TcpExtTCPReqQFullDrop"] > 200)
equal("no cookies: requests", full["requests"], 9)
with begin_connect() as s:
    before = full["counters"]["TcpExtTCPReqQFullDrop"]
    server.wait_for(lambda n: n["counters"]["TcpExtTCPReqQFullDrop"] > before + 1000)
    check("no cookies: nobody gets in", not is_connected(s))
    equal("no cookies: nobody was accepted", server.state()["accepted"], 0)
    stop(attack)
    server.stop()
server = Server("--backlog", 8, "--syncookies", 0, "--synack-retries", 0)
attack = flood()
full = server.wait_for(lambda s: s["counters"]["TcpExtTCPReqQFullDrop"] > 200)
stop(attack)
equal("no cookies: served when it is over", served(OURS4), b"HTTP/1.1 200 OK")
equal("no cookies: the flood is forgotten", server.wait_for(lambda s: s["requests"] == 0)["requests"], 0)
server.stop()
finish()
