"""Final ACKs that meet a full accept queue on Linux 6.18, with real client kernels whose third ACKs were lost at first."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import Report, differing_counters, in_time, lab, load  # noqa: E402

BURST = 0.3  # when the lab's clients start


def arguments(c):
    return ["--preset", "linux-6.18", "--backlog", c["backlog"], "--clients", c["burst"], "--gap", 0,
            "--preload", c["backlog"], "--lose-acks-until", BURST + 0.5, "--data-after", 2,
            "--accept", f"once={BURST + c['late']}" if "late" in c else "never", "--abort-on-overflow", c["abort"],
            "--syncookies", c["syncookies"], "--max-syn-backlog", 2048, "--until", BURST + c["dur"], "--json", "-"]


def differences(recorded, ours):
    flows = {p: [[f[0], f[1], f[2], f[3]] for f in fs] for p, fs in recorded["flows"].items()}
    for i, (port, r) in enumerate(sorted(flows.items())):
        o = [[p[1] / 1e6, ">" if p[3] == "c>s" else "<", p[4], p[7]] for p in ours["packets"] if p[2] == i]
        # Each kind of packet on its own: late timers of both ends can meet in a recording and swap.
        for kind in sorted({tuple(f[1:]) for f in r + o}):
            there, here = ([f for f in flow if tuple(f[1:]) == kind] for flow in (r, o))
            if len(there) != len(here):
                yield f"{port} {kind}: recorded {there}, ours {here}"
                continue
            for a, b in zip(there, here):
                if not in_time(a[0] - r[0][0], b[0]):
                    yield f"{port} {a[1:]}: recorded at {a[0]}, ours at {b[0]}"
    ok = sum(c["ok"] is not None for c in ours["clients"])
    if ok != recorded["connect_ok"]:
        yield f"connect_ok: recorded {recorded['connect_ok']}, ours {ok}"
    if len(recorded["accepted"]) != len(ours["accepted"]):
        yield f"accepted: recorded {recorded['accepted']}, ours {ours['accepted']}"
    yield from differing_counters(recorded["nstat"], ours["nstat"])


report = Report()
for run in load("overflow")["runs"]:
    if run["config"]["id"].startswith("k_"):
        report.run(run["config"]["id"], list(differences(run, lab(arguments(run["config"])))))
report.close()
