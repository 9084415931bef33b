"""Ping and curl, over IPv4 and IPv6, talk to the server on a TUN interface; a megabyte goes each way."""
import tempfile

from netns import check, equal, finish
from tunnel import KERNEL4, OURS4, OURS6, Server, connect, curl, enter, noise, pattern, ping

enter("curl")
with tempfile.TemporaryDirectory() as directory:
    capture = f"{directory}/run.pcapng"
    server = Server("--pcap", capture)

    for address in (OURS4, OURS6):
        for size in (0, 56, 57, 1400):
            check(f"ping {address} with {size} bytes", ping(address, size))
    equal("a closed port refuses", connect(port=81), "ConnectionRefusedError")

    body = noise(1_000_000, 7)
    with open(f"{directory}/body", "wb") as file:
        file.write(body)
    expected = pattern(1_000_000)
    for host in (OURS4, f"[{OURS6}]"):
        page, status = curl(f"http://{host}/")
        equal(f"{host}: curl's status", status, 0)
        check(f"{host}: the page says hello", b"Hello" in page)
        check(f"{host}: a megabyte comes intact", curl(f"http://{host}/bytes/1000000") == (expected, 0))
        check(f"{host}: a megabyte goes and comes intact",
              curl("--data-binary", f"@{directory}/body", f"http://{host}/echo") == (body, 0))
        page, status = curl("--head", f"http://{host}/none")
        check(f"{host}: 404 for what is not there", page.startswith(b"HTTP/1.1 404"))

    state = server.wait_for(lambda s: s["open"] == 0)
    equal("accepted", state["accepted"], 8)
    equal("waiting", state["waiting"], 0)
    equal("requests", state["requests"], 0)
    equal("TcpPassiveOpens", state["counters"]["TcpPassiveOpens"], 8)
    frames = state["frames"]
    equal("pings answered", frames["echoes"], 8)
    equal("segments nobody wanted", state["host"]["to_nobody"], 1)
    refused = {k: v for k, v in frames["refused"].items() if v and k not in ("not_tcp", "extension_header")}
    equal("this kernel sends nothing malformed", refused, {})
    equal("each frame is counted once", frames["received"],
          frames["segments"] + frames["echoes"] + frames["bad_echoes"] + frames["not_ours"] + frames["bad_source"] +
          sum(frames["refused"].values()))

    server.stop()
    with open(capture, "rb") as file:
        data = file.read()
    check("the capture holds what came and went", len(data) > 5_000_000 and data[:4] == b"\x0a\x0d\x0d\x0a")
finish()
