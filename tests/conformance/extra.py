"""The odds and ends of Linux 6.18: cookies that come back or do not, TIME-WAIT, what listen() and accept() make of it.

Every row of the recording is a small story of its own, told by its name; where it has a "log", that is what the client
sent (">") and got. What had to be there before (connections that wait, cookies sent to others) is told by the name and
done here by the scripts below. Rows say one or more of: answer, nstat, state, seg (how the server cuts 4000 bytes),
equal (are two ISNs equal?), listen (ss's queues), accept and recv (what the calls return).
"""
import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import SERVER_COUNTERS, Report, differing_counters, lab, load  # noqa: E402

PORT = 52000
OTHER = 40000  # ports of those who came before
COUNTERS = SERVER_COUNTERS + ("TcpOutRsts",)
Story = collections.namedtuple("Story", "options lines stimulus_at")


def story(options, lines, stimulus_at=0.0):
    return Story({"backlog": 16, "syncookies": 1} | options, lines, stimulus_at)


def handshakes(count, at=0.0):
    """Others who finish their handshakes and wait to be accepted."""
    for port in range(OTHER, OTHER + count):
        yield f"{at} {port} S C+0 - 0 mss=1460"
        yield f"{at + 0.01} {port} . C+1 S+1 0"


def sent(row, at=0.0, options="mss=1460"):
    """What the client of the log sends; the options are its SYN's."""
    for sign, t, flags, seq, ack, length, _ in row["log"]:
        if sign == ">":
            number = "-" if ack is None else f"S{ack:+d}"
            yield f"{at + t} {PORT} {flags} C{seq:+d} {number} {length} {options if flags == 'S' else ''}"


def last_sent(row, at=0.0):
    return at + [t for sign, t, *_ in row["log"] if sign == ">"][-1]


def cookie_to_somebody(at=0.0):
    yield f"{at} {OTHER} S C+0 - 0 mss=1460"


def stray_ack(row):
    if "after overflow" in row["name"]:
        return story({"syncookies": 2}, [*cookie_to_somebody(), *sent(row, 1)], 1)
    return story({}, [*sent(row)])


def good_cookie(row):
    return story({"syncookies": 2}, [*sent(row)], last_sent(row))


def full_accept_queue(row):
    cookies = row["name"][-1] if "syncookies=" in row["name"] else 2
    return story({"backlog": 1, "syncookies": cookies}, [*handshakes(2), *sent(row, 1)], 1)


def same_syn_twice(_):
    return story({"syncookies": 2}, [f"{t} {PORT} S C+0 - 0 mss=1460" for t in (0, 0.1)])


def cookie_options(row):
    options = {"no options": "", "TS": "ts=5000", "wscale only": "ws=7"}[row["what"].split(": ")[1]]
    return story({"syncookies": 2}, [*sent(row, options=options)])


def cookie_mss(row):
    mss = row["name"].split()[-1]
    return story({"syncookies": 2}, [f"0 {PORT} S C+0 - 0 mss={mss}", f"0.1 {PORT} . C+1 S+1 0", "0.2 accept",
                                     f"0.3 send {PORT} 4000"], 0.2)


def relisten(row):
    return story({"backlog": 3}, [*handshakes(4), "0.5 listen 1", "0.6 accept 3", *sent(row, 1)], 1)


def listen_number(row):
    number = re.search(r"-?\d+", row["name"])[0]
    return story({"backlog": 16, "somaxconn": 4096}, [*handshakes(1), f"1 listen {number}"])


def before_accept(row):
    end = "F." if "FIN" in row["name"] else "R"
    data = [f"0.2 {PORT} P. C+1 S+1 13"] if "data13" in row["name"] else []
    after = f"C+{14 if data else 1}"
    return story({"backlog": 8}, [f"0 {PORT} S C+0 - 0 mss=1460", f"0.1 {PORT} . C+1 S+1 0", *data,
                                  f"0.3 {PORT} {end} {after} {'S+1' if end == 'F.' else '-'} 0", "0.4 accept",
                                  f"0.5 recv {PORT} 100", f"0.6 recv {PORT} 100"])


def time_wait(row):
    closes_at = [t for sign, t, flags, *_ in row["log"] if sign == "<" and "F" in flags][0]
    return story({}, [*sent(row), f"{closes_at - 0.01} accept", f"{closes_at} close {PORT}"], last_sent(row))


STORIES = (("cookie: bare ACK", stray_ack), ("cookie: good ACK", good_cookie), ("cookie: SYN with", full_accept_queue),
           ("cookie: same SYN", same_syn_twice), ("cookie SYN-ACK options", cookie_options),
           ("cookie MSS", cookie_mss), ("accept queue full", full_accept_queue), ("relisten", relisten),
           ("listen(", listen_number), ("RST before", before_accept), ("data13 +", before_accept),
           ("TIME-WAIT", time_wait))


def without_chance(text):
    return re.sub(r"TS val \d+", "TS val X", text)


def answers(ours, since):
    """Numbers of the server relative to its first ISN, as the recording has them."""
    flow = ours["flows"][str(PORT)]
    isn, first = (flow["isns"][-1:] or [0])[0], (flow["isns"] or [0])[0]
    for at, flags, seq, ack, length, window, options in flow["answers"]:
        if at >= since:
            seq += (isn - first) % 2**32
            text = f"{flags} seq=S{seq:+d} ack={'-' if ack is None else f'C{ack:+d}'} len={length} win {window}"
            yield without_chance(text + (f" <{options}>" if options else ""))


def recv_text(result):
    return result.get("err", result.get("len"))


def differences(row, told, ours):
    pairs = []
    if "answer" in row:
        pairs.append(("answer", [without_chance(a) for a in row["answer"]], list(answers(ours, told.stimulus_at))))
    if "state" in row:
        pairs.append(("state", row["state"], ours["final"][str(PORT)]))
    if "seg" in row:
        pairs.append(("segments", row["seg"], [a[4] for a in ours["flows"][str(PORT)]["answers"] if a[4] > 0]))
    if "equal" in row:
        pairs.append(("equal ISNs", row["equal"], len(ours["flows"][str(PORT)]["isns"]) == 1))
    if "listen" in row:
        pairs.append(("listen", [int(n) for n in row["listen"][0]], list(ours["listen"].values())))
    if "accept" in row:
        pairs.append(("accepted", 1, len(ours["accepted"])))
    if "recv" in row:
        recorded = row["recv"] if isinstance(row["recv"], list) else [row["recv"]]
        pairs.append(("recv", [recv_text(r) for r in recorded],
                      [result for _, _, result in ours["received"]][:len(recorded)]))
    for what, recorded, was in pairs:
        if recorded != was:
            yield f"{what}: recorded {recorded}, ours {was}"
    if not pairs:
        yield "says nothing that is compared"
    if "nstat" in row:
        moved = collections.Counter()
        for outcome in ours["outcomes"]:
            if outcome["t"] >= told.stimulus_at:
                moved.update(outcome["counters"])
        yield from differing_counters(row["nstat"], moved, COUNTERS)


report = Report()
for number, row in enumerate(load("extra")["rows"]):
    told = next(make for start, make in STORIES if row["name"].startswith(start))(row)
    arguments = ["inject", "--preset", "linux-6.18"]
    for name, value in told.options.items():
        arguments += [f"--{name}", value]
    report.run(f"{number} {row['name']}", list(differences(row, told, lab(arguments, stdin="\n".join(told.lines)))))
report.close()
