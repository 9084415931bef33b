"""The articles' experiment on Linux 6.18: who connects, every packet of every client, the socket tables, the counters."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import Report, differing_counters, in_time, lab, load  # noqa: E402


def arguments(c):
    accept = {"never": "never", "accept": "always", "late": f"at={c.get('late_s')}"}[c["accept"]]
    s = c["sysctls"]
    return ["--preset", "linux-6.18", "--backlog", c["backlog"], "--clients", c["clients"], "--gap", c["gap_s"],
            "--accept", accept, "--data-after", 2, "--abort-on-overflow", c["abort_on_overflow"],
            "--syncookies", c["syncookies"], "--max-syn-backlog", s["net.ipv4.tcp_max_syn_backlog"],
            "--somaxconn", s["net.core.somaxconn"], "--synack-retries", s["net.ipv4.tcp_synack_retries"],
            "--until", c["dur_s"], "--json", "-"]


def by_client(packets, n):
    return [[p for p in packets if p[2] == i] for i in range(n)]


def racing(ours, snap):
    """The ports whose data are sent as the snapshot is taken (0.1 s apart, 2 s later, the plan makes them meet): the
    recorder saw them arrived in 16 runs, not yet in 22."""
    return {str(c["port"]) for c in ours["clients"] if c["sent"] is not None and abs(c["sent"] - snap["t"]) < 0.02}


def differences(recorded, ours):
    c = recorded["config"]
    for key in ("connect_ok_1500ms", "connect_ok_total"):
        if recorded[key] != ours[key]:
            yield f"{key}: recorded {recorded[key]}, ours {ours[key]}"
    for r, o in zip(recorded["clients"], ours["clients"]):
        if (r["ok"] is None) != (o["ok"] is None) or r["err"] != o["err"] or r["port"] != o["port"]:
            yield f"client {r['i']}: recorded {r['ok']} {r['err']}, ours {o['ok']} {o['err']}"
    for i, (r, o) in enumerate(zip(by_client(recorded["packets"], c["clients"]), by_client(ours["packets"], c["clients"]))):
        if [p[3:] for p in r] != [p[3:] for p in o]:
            yield f"client {i}: recorded {[p[3:] for p in r]}, ours {[p[3:] for p in o]}"
            continue
        for a, b in zip(r, o):
            if not in_time(a[1] / 1e6, b[1] / 1e6):
                yield f"client {i} {a[3:]}: recorded at {a[1]} us, ours at {b[1]} us"
    for name, r in recorded["snaps"].items():
        o = ours["snaps"].get(name)
        if o is None:
            yield f"no snapshot {name}"
            continue
        for part in ("listen", "server", "client"):
            a, b = ({p: v for p, v in s[part].items() if p not in racing(ours, o)} for s in (r, o))
            if a != b or r[part].keys() != o[part].keys():
                yield f"{name} {part}: recorded {r[part]}, ours {o[part]}"
    if [a[0] for a in recorded["accepted"]] != [a[0] for a in ours["accepted"]]:
        yield f"accepted: recorded {recorded['accepted']}, ours {ours['accepted']}"
    yield from differing_counters(recorded["nstat"], ours["nstat"])


report = Report()
for run in load("connects")["runs"]:
    report.run(run["config"]["id"], list(differences(run, lab(arguments(run["config"])))))
report.close()
