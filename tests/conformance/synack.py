"""The life of requests on Linux 6.18: when their SYN-ACKs are sent again, when they are given up, TCP_DEFER_ACCEPT.

Every run of the recording is one listener and some client ports that send SYNs, bare ACKs and data at recorded times
and never answer a SYN-ACK of their own accord. Times of a flow count from its first SYN; both histories are samples
(0.1 s apart) of how many requests and established connections the server had.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import SERVER_COUNTERS, Report, differing_counters, in_time, lab, load  # noqa: E402

COUNTERS = SERVER_COUNTERS + (
    "TcpExtTCPSynRetrans", "TcpExtTCPTimeouts", "TcpRetransSegs", "TcpExtTCPDeferAcceptDrop",
    "TcpExtTCPACKSkippedSynRecv")
# The other recorded sysctl, tcp_rto_max_ms, is no option of the lab: the recording shows that it does not shorten the
# times between SYN-ACKs.
OPTION = {"net.ipv4.tcp_syncookies": "--syncookies", "net.ipv4.tcp_synack_retries": "--synack-retries"}
SAMPLING = 0.15  # how much later than the change a sample can be


def is_crowd(config):
    """press_*: many requests at once, a crowded queue shortens some lives."""
    return "syns" in config


def arrival(config, flow_number, recorded_at, flags):
    if is_crowd(config):
        return flow_number * config["gap"] + recorded_at
    # The recorder sent its ACKs 0.1 s after the nominal time of a SYN-ACK timer (7.1 after 7, 15.1 after 15), but the
    # kernel's timers were up to 0.155 s late, so that these ACKs came before them. The lab's timers are punctual: the
    # ACKs are moved to before the nominal time.
    if config["id"] == "defer5_ackeach" and flags == "." and recorded_at > 7:
        return recorded_at - 0.12
    return recorded_at


def repeat(run):
    config, script = run["config"], []
    numbers = {"S": "C+0 - 0 mss=1460", ".": "C+1 S+1 0", "P.": "C+1 S+1 5"}
    for i, flow in enumerate(run["flows"]):
        for at, flags in flow["client"]:
            script.append(f"{arrival(config, i, at, flags):.6f} {flow['port']} {flags} {numbers[flags]}")
    arguments = ["inject", "--preset", "linux-6.18", "--backlog", config["backlog"], "--until", config["dur"]]
    if "defer" in config:
        arguments += ["--defer-accept", config["defer"]]
    for name, value in config.get("sysctls", {}).items():
        if name in OPTION:
            arguments += [OPTION[name], value]
    return lab(arguments, stdin="\n".join(script))


def syn_acks(ours, port):
    """When our flow got SYN-ACKs, since its first SYN."""
    flow = ours["flows"][str(port)]
    return [answer[0] - flow["client"][0][0] for answer in flow["answers"] if answer[1] == "S."]


def differing_times(name, recorded, ours):
    if len(recorded) != len(ours) or not all(map(in_time, recorded, ours)):
        yield f"SYN-ACKs of {name}: recorded {recorded}, ours {ours}"


def differing_flows(run, ours):
    for flow in run["flows"]:
        yield from differing_times(flow["port"], flow["synack_s"], syn_acks(ours, flow["port"]))
        others = [answer[1] for answer in ours["flows"][str(flow["port"])]["answers"] if answer[1] != "S."]
        if others != [answer[1] for answer in flow["other"]]:
            yield f"other answers to {flow['port']}: recorded {flow['other']}, ours {others}"


def differing_crowds(run, ours):
    """How many flows got how many SYN-ACKs, and when. Which port's request is the one that is given up early is not
    compared: it depends on whose timer happens to run first, of timers that are due in the same instant."""
    recorded_flows = sorted((flow["synack_s"] for flow in run["flows"]), key=len)
    our_flows = sorted((syn_acks(ours, flow["port"]) for flow in run["flows"]), key=len)
    for i, (recorded, our) in enumerate(zip(recorded_flows, our_flows)):
        yield from differing_times(f"the flow with the {i + 1}. fewest", recorded, our)


def differing_histories(name, recorded, ours, crowd):
    if crowd:  # the burst of SYNs was sampled half-way, the lab's history has every step: only plateaus count
        recorded, ours = ([row for row, following in zip(rows, rows[1:] + [[1e9, 0]]) if following[0] - row[0] > 0.5]
                          for rows in (recorded, ours))
    if [row[1] for row in recorded] != [row[1] for row in ours]:
        yield f"{name}: recorded {recorded}, ours {ours}"
        return
    for (recorded_at, number), (our_at, _) in zip(recorded, ours):
        if not any(in_time(recorded_at - delay, our_at) for delay in (0, SAMPLING)):
            yield f"{name} {number}: recorded at {recorded_at}, ours at {our_at}"


def differences(run, ours):
    crowd = is_crowd(run["config"])
    yield from (differing_crowds if crowd else differing_flows)(run, ours)
    for name in ("syn_recv_history", "estab_history"):
        yield from differing_histories(name, run[name], ours[name], crowd)
    yield from differing_counters(run["nstat"], ours["nstat"], COUNTERS)


report = Report()
for run in load("synack")["runs"]:
    report.run(run["config"]["id"], list(differences(run, repeat(run))))
report.close()
