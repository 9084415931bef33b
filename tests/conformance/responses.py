"""One stimulus in every state of a server on Linux 6.18: the answer, the state after it, the counters that moved.

Every row of the recording is one short life of port 41001: a handshake up to the row's state, the stimulus, and in
most rows a probe (what a well-behaved client would send next) that shows what the stimulus has left behind. "log" is
that life: [">" or "<", time, flags, seq, ack, bytes, window and options], seq and ack relative to the ISNs, and ["#",
0, text...] where the probe begins or the server closes.
"""
import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import SERVER_COUNTERS, Report, differing_counters, lab, load  # noqa: E402

PORT = "41001"
HANDSHAKE = {"CLOSED": 0, "LISTEN": 0, "SYN_RECV": 1, "SYN_RECV+TS": 1, "ESTAB": 2, "ESTAB(not accepted)": 2}
COUNTERS = SERVER_COUNTERS + (
    "TcpOutRsts", "TcpExtTCPSynRetrans", "TcpRetransSegs", "TcpAttemptFails", "TcpExtPAWSEstab",
    "TcpExtTSEcrRejected", "TcpExtTCPACKSkippedSynRecv", "TcpExtTCPChallengeACK")
NEVER = 1e9
Script = collections.namedtuple("Script", "lines stimulus_at probe_at")


def relative(base, offset):
    return "-" if offset is None else f"{base}{offset:+d}"


def first_syn_options(row):
    """The log has no options of what the client sent: they follow from the first SYN-ACK's."""
    offered = " ".join(packet[6] for packet in row["log"] if packet[0] == "<" and "S" in packet[2])
    options = [] if row["state"] == "LISTEN" and "no options" in row["stimulus"] else ["mss=1460"]
    return options + [text for sign, text in (("sackOK", "sack"), ("wscale", "ws=10"), ("TS val", "ts=5000"))
                      if sign in offered]


def timestamp(row, flags, probing):
    """The timestamp option of a later segment in the rows with timestamps; what is wrong with it the stimulus says."""
    stimulus = "" if probing else row["stimulus"]
    if not row["state"].endswith("+TS") or "no TS" in stimulus:
        return []
    value = 4000 if "older" in stimulus else 5001
    echo = "T-1000000" if "ecr too old" in stimulus else "T+0"
    return [f"ts={value}:{echo}" if "." in flags else f"ts={value}"]


def script_of(row):
    lines, sent, syn_sent, probing = [], 0, False, False
    stimulus_at, probe_at = None, NEVER
    for i, (sign, at, flags, seq, ack, length, _) in enumerate(row["log"]):
        if sign == "#" and flags == "server close()":
            stimulus_at = row["log"][i + 1][1]
            lines.append(f"{stimulus_at} close {PORT}")
        elif sign == "#":
            probing = True
        if sign != ">":
            continue
        if probing:
            probe_at = min(probe_at, at)
        if sent == HANDSHAKE[row["state"]] and stimulus_at is None:
            stimulus_at = at
        first_syn = "S" in flags and not syn_sent
        syn_sent = syn_sent or first_syn
        options = first_syn_options(row) if first_syn else timestamp(row, flags, probing)
        options += ["win=0"] if "win 0" in row["stimulus"] else []
        lines.append(f"{at} {PORT} {flags} {relative('C', seq)} {relative('S', ack)} {length} {','.join(options)}")
        sent += 1
        if sent == 2 and row["state"] == "ESTAB":
            lines.append(f"{at + 0.01} accept")
    return Script(lines, stimulus_at, probe_at)


def without_chance(text):
    """ISN and clock of the server are random: so are timestamps, and numbers that have nothing to do with its ISN."""
    return re.sub(r"TS val \d+", "TS val X", re.sub(r"seq=S[+-]\d{7,}", "seq=X", text))


def answer_text(answer):
    _, flags, seq, ack, length, window, options = answer
    text = f"{flags} seq=S{seq:+d} ack={relative('C', ack)} len={length} win {window}"
    return without_chance(text + (f" <{options}>" if options else ""))


def counters_of_stimulus(ours, script):
    """The recorded counters are the stimulus's (and its time's): without the handshake's and the probe's."""
    counters = collections.Counter(ours["nstat"])
    for outcome in ours["outcomes"]:
        if not script.stimulus_at <= outcome["t"] < script.probe_at:
            counters.subtract(outcome["counters"])
    return counters


def differences(row, script, ours):
    answers = ours["flows"][PORT]["answers"]
    ours_now = [answer_text(a) for a in answers if script.stimulus_at <= a[0] < script.probe_at]
    recorded_now = [without_chance(text) for text in row["answer"] if not text.startswith("[")]  # [server close()]
    if ours_now != recorded_now:
        yield f"answer: recorded {recorded_now}, ours {ours_now}"
    state = [state for at, state in ours["states"][PORT] if at < script.probe_at][-1]
    if state != row["state_after"]:
        yield f"state: recorded {row['state_after']}, ours {state}"
    if row["probe"]:
        ours_then = [answer_text(a).split(" win")[0] for a in answers if a[0] >= script.probe_at]
        recorded_then = [without_chance(text) for text in row["probe"]["answer"]]
        if ours_then != recorded_then:
            yield f"answer to the probe: recorded {recorded_then}, ours {ours_then}"
        if ours["final"][PORT] != row["probe"]["state"]:
            yield f"state after the probe: recorded {row['probe']['state']}, ours {ours['final'][PORT]}"
    # What an established connection counts (TcpExtTCPChallengeACK, TcpOutRsts...) is not the listener's.
    names = SERVER_COUNTERS if row["state"].startswith("ESTAB") else COUNTERS
    yield from differing_counters(row["nstat"], counters_of_stimulus(ours, script), names)


report, left_out = Report(), []
for number, row in enumerate(load("responses")["runs"]):
    if "checksum" in row["stimulus"]:  # a listenq::segment has none: whoever takes it off the wire has checked it
        left_out.append(number)
        continue
    script = script_of(row)
    arguments = ["inject", "--preset", "linux-6.18", "--backlog", 16, "--syncookies", row["syncookies"]]
    arguments += ["--closed"] if row["state"] == "CLOSED" else []
    ours = lab(arguments, stdin="\n".join(script.lines))
    name = f"{number} {row['state']}, {row['stimulus']}, syncookies {row['syncookies']}"
    report.run(name, list(differences(row, script, ours)))
print(f"left out, since segments have no checksum: rows {', '.join(map(str, left_out))} ({len(left_out)})")
report.close()
