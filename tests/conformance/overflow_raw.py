"""Final ACKs that meet a full accept queue on Linux 6.18, from raw sockets: no client kernel has a say.

Every raw_* run of the recording fills the accept queue with `preloaded` connections, then ports from 43001 send a SYN
each at once, 50 ms later their ACKs, in most runs another ACK after every further SYN-ACK and data at 2 s. Nobody
accepts, or once at `late`. Recorded counters begin after the preload.
"""
import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import SERVER_COUNTERS, Report, differing_counters, in_time, lab, load  # noqa: E402

COUNTERS = SERVER_COUNTERS + ("TcpExtTCPSynRetrans", "TcpExtTCPTimeouts", "TcpRetransSegs", "TcpOutRsts")
BURST = 0.01  # when the recorded part begins; the preload is at 0
FIRST_PRELOADED = 42001
FIRST_ACKS_DONE = 0.5  # the recorder's look at the tables after the first ACKs, before any timer
PRUNED_AT = 7


def repeat(run):
    config, script = run["config"], []
    for i in range(run["preloaded"]):
        script += [f"0.0 {FIRST_PRELOADED + i} S C+0 - 0 mss=1460", f"0.0 {FIRST_PRELOADED + i} . C+1 S+1 0"]
    for port, packets in run["flows"].items():
        for at, direction, flags, length in packets:
            if direction == ">":
                numbers = "C+0 - 0 mss=1460" if flags == "S" else f"C+1 S+1 {length}"
                script.append(f"{at + BURST:.6f} {port} {flags} {numbers}")
    if "late" in config:
        script.append(f"{config['late'] + BURST} accept all")
    return lab(["inject", "--preset", "linux-6.18", "--backlog", config["backlog"],
                "--abort-on-overflow", config["abort"], "--syncookies", config["syncookies"],
                "--until", config["dur"]], stdin="\n".join(script))


def like_ours(run):
    """raw_b8_ab0_sc1 as if the kernel had given up those requests of a crowded queue that the lab gives up.

    At 7 s the timers of eight requests are due in the same instant, and the queue is crowded: those that run first are
    pruned, the others get a fourth SYN-ACK (and their clients answer it). Which timers run first is the kernel's
    chance. Until then these ports behave alike, so what each did from 7 s on goes to a port that had as many SYN-ACKs
    in the lab.
    """
    def by_syn_acks(count_of):
        return sorted(run["flows"], key=lambda port: (count_of(port), port))

    def part(port, late):
        return [packet for packet in run["flows"][port] if (packet[0] >= PRUNED_AT) == late]

    ours = repeat(run)["flows"]
    recorded_order = by_syn_acks(lambda port: sum(packet[2] == "S." for packet in run["flows"][port]))
    our_order = by_syn_acks(lambda port: sum(answer[1] == "S." for answer in ours[port]["answers"]))
    end_of = dict(zip(our_order, recorded_order))
    return run | {"flows": {port: part(port, late=False) + part(end_of[port], late=True) for port in run["flows"]}}


def counters_without_preload(ours):
    counters = collections.Counter(ours["nstat"])
    for outcome in ours["outcomes"]:
        if outcome["t"] < BURST:
            counters.subtract(outcome["counters"])
    return counters


def tables_at(ours, at):
    return {table: [number for since, number in ours[f"{table}_history"] if since <= at][-1]
            for table in ("syn_recv", "estab")}


def differences(run, ours):
    for port, packets in run["flows"].items():
        recorded = [packet for packet in packets if packet[1] == "<"]
        answers = ours["flows"][port]["answers"]
        if [packet[2:4] for packet in recorded] != [[answer[1], answer[4]] for answer in answers]:
            yield f"answers to {port}: recorded {recorded}, ours {answers}"
        elif not all(in_time(packet[0], answer[0] - BURST) for packet, answer in zip(recorded, answers)):
            yield f"times of the answers to {port}: recorded {recorded}, ours {answers}"
    for when, recorded, at in (("the first ACKs", run["after_ack"], BURST + FIRST_ACKS_DONE),
                               ("the run", run["final"], run["config"]["dur"])):
        tables = tables_at(ours, at)
        if any(tables[table] != recorded[table] for table in tables):
            yield f"after {when}: recorded {recorded}, ours {tables}"
    accepted = [port for port, _ in ours["accepted"]]
    if accepted != [port for port, _ in run["accepted"]]:
        yield f"accepted: recorded {run['accepted']}, ours {ours['accepted']}"
    yield from differing_counters(run["nstat"], counters_without_preload(ours), COUNTERS)


report = Report()
for run in load("overflow")["runs"]:
    if run["config"]["id"].startswith("raw_"):
        run = like_ours(run) if run["config"]["id"] == "raw_b8_ab0_sc1" else run
        report.run(run["config"]["id"], list(differences(run, repeat(run))))
report.close()
