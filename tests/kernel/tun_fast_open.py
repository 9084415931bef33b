"""Fast open with this kernel as the client: a cookie, then requests in the SYN, then a server with other keys."""
import socket
import struct

from netns import check, counters, equal, finish, sysctl
from tunnel import OURS4, OURS6, PORT, Server, enter

MSG_FASTOPEN, SYN_DATA_ACKED = 0x20000000, 32  # the latter of tcpi_options


def get(host):
    """One request that goes with the SYN if this kernel has a cookie: the reply, and whether it did."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as s:
        # With a timeout of Python's the call would not wait, and without a cookie yield EINPROGRESS.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            s.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 20, 0))
        s.sendto(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(), MSG_FASTOPEN, (host, PORT))
        reply = b""
        while more := s.recv(65536):
            reply += more
        went_with_syn = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 6)[5] & SYN_DATA_ACKED
        return reply, bool(went_with_syn)


def moved(before):
    after = counters()
    return {name: after[name] - before[name] for name in after
            if name.startswith("TcpExtTCPFastOpenActive") and after[name] != before[name]}


enter()
sysctl("net.ipv4.tcp_fastopen", 1)
options = ("--fastopen", 2, "--fastopen-qlen", 8)
for host in (OURS4, OURS6):
    server = Server(*options)
    expected, early = get(host)
    check(f"{host}: the first reply", expected.startswith(b"HTTP/1.1 200"))
    equal(f"{host}: the first request waits for the handshake", early, False)
    before = counters()
    for i in range(20):
        equal(f"{host}: request {i} goes with the SYN", get(host), (expected, True))
    equal(f"{host}: this kernel counts them", moved(before), {"TcpExtTCPFastOpenActive": 20})
    state = server.wait_for(lambda s: s["counters"]["TcpExtTCPFastOpenPassive"] == 20)
    ours = {name: value for name, value in state["counters"].items() if "FastOpen" in name and value}
    equal(f"{host}: so do we", ours, {"TcpExtTCPFastOpenPassive": 20, "TcpExtTCPFastOpenCookieReqd": 1})
    equal(f"{host}: all were accepted", state["accepted"], 21)
    server.stop()

    # Its cookies are made with other keys: the request comes again after the handshake, and the new cookie is good.
    server = Server(*options)
    before = counters()
    equal(f"{host}: an old cookie is no cookie, and does no harm", get(host), (expected, False))
    equal(f"{host}: this kernel sees it", moved(before), {"TcpExtTCPFastOpenActiveFail": 1})
    equal(f"{host}: the new one is good", get(host), (expected, True))
    state = server.wait_for(lambda s: s["counters"]["TcpExtTCPFastOpenPassive"] == 1)
    equal(f"{host}: one failed, one did not",
          (state["counters"]["TcpExtTCPFastOpenPassiveFail"], state["counters"]["TcpExtTCPFastOpenPassive"]), (1, 1))
    server.stop()

server = Server("--fastopen", 2, "--fastopen-qlen", 0)
reply, early = get(OURS4)
check("a listener without fast open answers the old cookie's request all the same", reply.startswith(b"HTTP/1.1 200"))
equal("and takes nothing from the SYN", early, False)
equal("nor offers it", server.state()["counters"]["TcpExtTCPFastOpenPassive"], 0)
server.stop()
finish()
