"""The scaffolding of the kernel tests: a namespace that is ours alone, and eyes for what a test leaves behind."""
import os
import socket
import sys

from netns import check, counters, enter, equal, finish, run, start, stop, sysctl, wait_until

enter()
equal("interfaces", [name for _, name in socket.if_nameindex()], ["lo"])

before = counters()["TcpActiveOpens"]
with socket.socket() as server, socket.socket() as client:
    server.bind(("127.0.0.1", 0))
    server.listen()
    client.connect(server.getsockname())
equal("counters of this namespace", counters()["TcpActiveOpens"] - before, 1)

sysctl("net.ipv4.tcp_timestamps", 0)
equal("sysctl", sysctl("net.ipv4.tcp_timestamps"), "0")
equal("a child is in the namespace", run("ip", "-br", "link").split()[0], "lo")

# What finish() would find: a child of ours that still runs.
sleeper = start(sys.executable, "-c", "import time; time.sleep(30)")
check("a child runs", wait_until(lambda: os.path.exists(f"/proc/{sleeper.pid}"), 1))
check("and ends when it is told to", stop(sleeper) != 0)
finish()
