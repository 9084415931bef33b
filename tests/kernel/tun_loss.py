"""A megabyte each way with one segment in twenty lost in either direction, handshakes and FINs included."""
import tempfile
import time

from netns import check, finish
from tunnel import OURS4, OURS6, Server, curl, enter, noise, pattern

enter("curl", limit_s=85)
body = noise(1_000_000, 11)
expected = pattern(1_000_000)
with tempfile.NamedTemporaryFile() as file:
    file.write(body)
    file.flush()
    runs = []
    for host in (OURS4, f"[{OURS6}]"):
        runs.append((f"{host} down", (f"http://{host}/bytes/1000000",), expected))
        runs.append((f"{host} up and down", ("--data-binary", f"@{file.name}", f"http://{host}/echo"), body))
    for seed, (name, arguments, wanted) in enumerate(runs, 1):
        server = Server("--loss", 0.05, "--seed", seed)
        begin = time.monotonic()
        check(f"{name}: intact", curl(*arguments, limit_s=40) == (wanted, 0))
        print(f"{name}: {time.monotonic() - begin:.1f} s")
        server.stop()
finish()
