"""SYN cookies with this kernel as the client: always and under pressure, with and without timestamps to hold options."""
import tempfile

from netns import check, equal, finish, sysctl
from tunnel import ACK, OURS4, OURS6, SYN, Server, connect, curl, enter, inject, noise, pattern, negotiated

enter("curl")
expected = pattern(200_000)
body = noise(200_000, 3)
with tempfile.NamedTemporaryFile() as file:
    file.write(body)
    file.flush()
    for timestamps in (1, 0):
        sysctl("net.ipv4.tcp_timestamps", timestamps)
        server = Server("--syncookies", 2, "--backlog", 4)
        for host in (OURS4, f"[{OURS6}]"):
            name = f"timestamps {timestamps}, {host}"
            check(f"{name}: 200 kB come", curl(f"http://{host}/bytes/200000") == (expected, 0))
            check(f"{name}: 200 kB go and come", curl("--data-binary", f"@{file.name}", f"http://{host}/echo") == (body, 0))
        with connect() as s:
            # What a cookie cannot carry the SYN-ACK must not offer.
            equal(f"timestamps {timestamps}: options", negotiated(s), {"ts", "sack", "wscale"} if timestamps else set())
        state = server.wait_for(lambda s: s["counters"]["TcpExtSyncookiesRecv"] == 5)
        equal(f"timestamps {timestamps}: cookies sent", state["counters"]["TcpExtSyncookiesSent"], 5)
        equal(f"timestamps {timestamps}: cookies received", state["counters"]["TcpExtSyncookiesRecv"], 5)
        equal(f"timestamps {timestamps}: requests", state["requests"], 0)
        for port in range(1, 101):
            inject("10.77.0.99", port, ACK, seq=5, ack=port * 7919)
        state = server.wait_for(lambda s: s["counters"]["TcpExtSyncookiesFailed"] == 100)
        equal(f"timestamps {timestamps}: forgeries refused", state["counters"]["TcpExtSyncookiesFailed"], 100)
        equal(f"timestamps {timestamps}: and no more received", state["counters"]["TcpExtSyncookiesRecv"], 5)
        server.stop()

sysctl("net.ipv4.tcp_timestamps", 1)
server = Server("--backlog", 8)
for port in range(1, 201):  # from nobody: the SYN-ACKs are lost
    inject("10.77.0.99", port, SYN, seq=port)
state = server.wait_for(lambda s: s["counters"]["TcpExtSyncookiesSent"] > 0)
equal("a flood fills the request queue", state["requests"], 9)
for i in range(20):
    check(f"client {i} in the flood", curl(f"http://{OURS4}/")[1] == 0)
    inject("10.77.0.99", 300 + i, SYN)
state = server.state()
check("they came by cookies", state["counters"]["TcpExtSyncookiesRecv"] >= 20)
equal("and all were accepted", state["accepted"], 20)
server.stop()
finish()
