"""Clients that differ: options on and off, killed in mid-handshake, gone without a word, and thousands one by one."""
import signal
import socket
import sys
import time

import netns
from netns import check, equal, finish, start, stop, sysctl
from tunnel import OURS4, OURS6, PORT, SYN, Server, connect, enter, inject, negotiated

MANY, MANY_S = 10_000, 40
enter(limit_s=85)

# What was negotiated, as this kernel sees it.
server = Server()
OPTIONS = {"tcp_timestamps": "ts", "tcp_sack": "sack", "tcp_window_scaling": "wscale"}
for off in (None, *OPTIONS):
    if off:
        sysctl(f"net.ipv4.{off}", 0)
    for address in (OURS4, OURS6):
        with connect(address) as s:
            equal(f"{address} without {off}", negotiated(s), {word for option, word in OPTIONS.items() if option != off})
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            check(f"{address} without {off}: an answer", s.recv(8) == b"HTTP/1.1")
    if off:
        sysctl(f"net.ipv4.{off}", 1)
server.stop()

# Killed between its SYN and our SYN-ACK: the kernel resets the handshake, and nothing is left.
server = Server("--accept", 0)
server.child.send_signal(signal.SIGSTOP)
client = start(sys.executable, "-c", f"""
import socket, time
s = socket.socket(); s.setblocking(False); s.connect_ex(("{OURS4}", {PORT})); print("sent", flush=True); time.sleep(60)
""", stdout=-1, text=True)
equal("the SYN is on its way", client.stdout.readline().strip(), "sent")
stop(client, signal.SIGKILL)
server.child.send_signal(signal.SIGCONT)
state = server.wait_for(lambda s: s["counters"]["TcpExtEmbryonicRsts"] == 1)
equal("killed: the request was reset", state["counters"]["TcpExtEmbryonicRsts"], 1)
equal("killed: no request is left", state["requests"], 0)

# Gone without a word: SYN-ACKs again, and others are served meanwhile.
inject("10.77.0.99", 4000, SYN)
state = server.wait_for(lambda s: s["counters"]["TcpRetransSegs"] > 0)
check("gone: the SYN-ACK was sent again", state["counters"]["TcpRetransSegs"] > 0)
equal("gone: its request waits", state["requests"], 1)
with connect() as s:
    equal("gone: somebody else waits to be accepted", server.wait_for(lambda n: n["waiting"] == 1)["waiting"], 1)
server.stop()

# One after another. The server closes first, so it has a TIME-WAIT for each of them, and ports come back.
server = Server()
begin, done = time.monotonic(), 0
try:
    while done < MANY and time.monotonic() < begin + MANY_S:
        with connect() as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := s.recv(4096):
                answer += piece
        if not answer.endswith(b"listenq.</p>\n"):
            break
        done += 1
except (OSError, AttributeError, TypeError) as e:
    check(f"connection {done}: {e!r}", False)
took = time.monotonic() - begin
print(f"{done} connections one after another in {took:.1f} s" + ("" if done == MANY else f", of {MANY}: no time for more"))
check("none of them failed", done == MANY or took >= MANY_S)
state = server.wait_for(lambda s: s["open"] == 0)
equal("all were accepted", state["accepted"], done)
equal("all opened by the handshake", state["counters"]["TcpPassiveOpens"], done)
equal("nothing waits", (state["waiting"], state["requests"]), (0, 0))
server.stop()
finish()
