"""The articles' server and its clients over every transport: the same listener, so the same table; over TUN the clients
are this kernel's. Then each of the two by itself, as one would start them in two terminals."""
import pathlib
import re
import signal
import subprocess
import sys

import netns
from netns import check, enter, equal, finish, start, stop

if len(sys.argv) < 2 or not pathlib.Path(sys.argv[1]).exists():
    netns.skip("usage: pair.py PATH-OF-PAIR; it was not built")
PAIR = sys.argv[1]
enter(tun=True, limit_s=85)
WAYS = ["memory", "loopback", "udp", "tun"]


def play(*options):
    """The one table, as {port: (client before, server before, client after, server after)}; checks that it is one."""
    name = " ".join(options) or "as it is"
    done = subprocess.run([PAIR, "pair", "--over", "all", *options], text=True, capture_output=True, timeout=80)
    equal(f"{name}: status", (done.returncode, done.stderr), (0, ""))
    check(f"{name}: the same table", done.stdout.endswith(f"{', '.join(WAYS)}: the same table\n"))
    tables = re.split(r"^over (\w+): .*\n", done.stdout, flags=re.MULTILINE)[1:]
    equal(f"{name}: the transports", tables[::2], WAYS)
    texts = {re.sub(r"^  \(.*\)\n|^\w.*same table\n", "", text, flags=re.MULTILINE).strip() for text in tables[1::2]}
    equal(f"{name}: tables that differ", len(texts), 1)
    rows = {}
    for port, client, server in re.findall(r"^  (\d+)  (\S.{37})(\S.*)$", texts.pop() + "\n", flags=re.MULTILINE):
        rows.setdefault(int(port), []).extend((client.strip(), server))
    return rows


SERVED = ["connected  13 of 13 acked", "waiting, 13 bytes", "connected  13 of 13 acked, 13 back", "accepted, 13 bytes"]
STRANDED = ["connected  0 of 13 acked", "a request", *SERVED[2:]]
RESET = ["reset", "nothing"] * 2
UNANSWERED = ["no answer", "nothing", *SERVED[2:]]
# The articles' third client believes that it is connected; with abort on overflow it is told; FreeBSD always tells; a
# modern kernel has not answered its SYN.
equal("linux-3.12", play(), {30001: SERVED, 30002: SERVED, 30003: STRANDED})
equal("abort", play("--abort-on-overflow"), {30001: SERVED, 30002: SERVED, 30003: RESET})
equal("freebsd-13", play("--preset", "freebsd-13"), {30001: SERVED, 30002: SERVED, 30003: RESET})
equal("linux-6.18", play("--preset", "linux-6.18"), {30001: SERVED, 30002: SERVED, 30003: UNANSWERED})
equal("listen(0)", play("--preset", "linux-6.18", "--backlog", "0", "--clients", "2"), {30001: SERVED, 30002: UNANSWERED})
equal("room for all", play("--backlog", "8", "--clients", "6"), {30001 + i: SERVED for i in range(6)})

for way in ("udp", "tun"):
    server = start(PAIR, "server", "--over", way, "--sleep", "0.5", stdout=subprocess.PIPE, text=True)
    equal(f"{way}: the server's first words", server.stdout.readline(), "server is listening!\n")
    for i in (1, 2):
        client = subprocess.run([PAIR, "client", "--over", way], text=True, capture_output=True, timeout=30)
        equal(f"{way}: client {i}", (client.returncode, client.stdout.splitlines()[-1]),
              (0, "recv from server: hello, world!"))
    server.send_signal(signal.SIGINT)
    said = server.stdout.read().splitlines()
    equal(f"{way}: the server accepts both", sum(line.startswith("a client connected: IP ") for line in said), 2)
    equal(f"{way}: and hears them", sum(line.endswith(": hello, world!") for line in said), 2)
    equal(f"{way}: its status", stop(server), 0)

for arguments, word in ((("server", "--over", "memory"), "pair"), (("client", "--over", "udp", "--at", "nowhere"), "ADDR:PORT"),
                        (("pair", "--preset", "windows"), "linux-3.12"), (("pair", "--over", "pigeons"), "pigeons")):
    done = subprocess.run([PAIR, *arguments], text=True, capture_output=True, timeout=10)
    check(f"{arguments}: refused in a sentence", done.returncode != 0 and word in done.stderr)
finish()
