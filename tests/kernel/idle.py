"""A server that has nothing to do sleeps, and holds no more descriptors than before its clients came: tun_server, the
echo server over UDP, and the articles' server over both."""
import pathlib
import re
import signal
import subprocess
import sys
import time

import netns
from netns import check, enter, equal, finish, start, stop, wait_until

if len(sys.argv) < 4 or not all(pathlib.Path(p).exists() for p in sys.argv[1:]):
    netns.skip("usage: idle.py PATH-OF-TUN_SERVER PATH-OF-UDP_ECHO PATH-OF-PAIR; not all were built")
TUN_SERVER, UDP_ECHO, PAIR = sys.argv[1:4]
SECONDS, MOST_WAKEUPS = 1, 20  # some timers of its connections, and whatever a kernel sends on a new interface
enter("curl", tun=True)


def wakeups(child):
    """How often it has gone to sleep, which a program that polls does thousands of times a second, or been taken off
    the processor, which one that spins is."""
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    return sum(int(n) for n in re.findall(r"voluntary_ctxt_switches:\t(\d+)", status))


def ticks(child):
    """Time of the processor that it has used, in ticks."""
    return sum(map(int, pathlib.Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))


def descriptors(child):
    return len(list(pathlib.Path(f"/proc/{child.pid}/fd").iterdir()))


def run(name, server, client, times=20):
    """`server`: its arguments, and the pipe on which it says that it is ready."""
    child = start(*server, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(f"{name}: ready", bool(child.stdout.readline()))
    before = descriptors(child)
    for _ in range(times):
        done = subprocess.run([str(word) for word in client], capture_output=True, timeout=20)
        check(f"{name}: served", done.returncode == 0)
    wait_until(lambda: descriptors(child) == before, 5)
    equal(f"{name}: descriptors", descriptors(child), before)
    asleep, used = wakeups(child), ticks(child)
    time.sleep(SECONDS)
    asleep, used = wakeups(child) - asleep, ticks(child) - used
    print(f"{name}: {asleep} times awake in {SECONDS} s, {used} ticks")
    check(f"{name}: it sleeps", asleep <= MOST_WAKEUPS and used <= 2)
    child.send_signal(signal.SIGTERM)
    stop(child)


run("tun_server", [TUN_SERVER, "--setup", "10.77.0.1"], ["curl", "--silent", "--noproxy", "*", "http://10.77.0.2/"])
run("udp_echo", [UDP_ECHO, "server", "127.0.0.1", "7100"], [UDP_ECHO, "client", "127.0.0.1", "7100", "hello"])
for way in ("udp", "tun"):
    run(f"pair over {way}", [PAIR, "server", "--over", way, "--sleep", "0"], [PAIR, "client", "--over", way])
finish()
