"""A burst of SYNs on Linux 6.18: which of them become requests, which are answered with a cookie, which are dropped.

Every run of the recording is one listener (backlog, tcp_max_syn_backlog, tcp_syncookies) that gets `syns` SYNs, each
from its own port; nobody ever sends the third ACK. "rle" is the fate of the SYNs in their order as [letter, how many]:
R a request, C a cookie, D dropped.
"""
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import Report, differing_counters, lab, load  # noqa: E402

FIRST_PORT = 1024
LETTER = {"admitted": "R", "cookie_sent": "C"}  # every other verdict is a kind of drop


def burst(config):
    script = "\n".join(f"0.0 {FIRST_PORT + i} S C+0 - 0 mss=1460" for i in range(config["syns"]))
    return lab(["inject", "--preset", "linux-6.18", "--backlog", config["backlog"],
                "--max-syn-backlog", config["max_syn_backlog"], "--syncookies", config["syncookies"]], stdin=script)


def differences(recorded, ours):
    letters = [LETTER.get(outcome["verdict"], "D") for outcome in ours["outcomes"]]
    fates = [[letter, len(list(group))] for letter, group in itertools.groupby(letters)]
    if fates != recorded["rle"]:
        yield f"fates: recorded {recorded['rle']}, ours {fates}"
    requests = ours["syn_recv_history"][-1][1]
    if requests != recorded["final_syn_recv"]:
        yield f"requests at the end: recorded {recorded['final_syn_recv']}, ours {requests}"
    yield from differing_counters(recorded["nstat"], ours["nstat"])


report = Report()
for run in load("halfopen")["runs"]:
    report.run(run["config"]["id"], list(differences(run, burst(run["config"]))))
report.close()
