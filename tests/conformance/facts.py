"""What is known of the systems that the presets are named after, cell by cell, against what the lab prints.

Each group says where its numbers were read. A cell is one number or one answer of one preset; nothing is computed from
the presets themselves.
"""
import functools
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from recordings import lab  # noqa: E402

LAB = sys.argv[1]
cells, wrong = 0, []


@functools.lru_cache(None)
def explain(preset, backlog, *options):
    return lab(["explain", "--preset", preset, "--backlog", backlog, *options, "--json", "-"])


@functools.lru_cache(None)
def matrix():
    run = subprocess.run([LAB, "matrix", "--json"], text=True, capture_output=True, timeout=300, check=True)
    return json.loads(run.stdout)


@functools.lru_cache(None)
def nstat(preset, *options):
    return lab(["--preset", preset, *options, "--json", "-"])["nstat"]


def cell(source, where, found, expected):
    global cells
    cells += 1
    if found != expected:
        wrong.append(f"{source}: {where}: {found}, expected {expected}")


def limits(source, field, presets, table, *options):
    """`table`: listen()'s argument -> the number."""
    for preset in presets.split():
        for backlog, expected in table.items():
            cell(source, f"{preset} listen({backlog}) {' '.join(options)} {field}",
                 explain(preset, backlog, *options)[field], expected)


def answers(source, table, presets, expected):
    """`expected`: a column of the matrix -> its cell."""
    t = matrix()[table]
    for preset in presets.split():
        for column, value in expected.items():
            row = t["rows"].get(preset)
            cell(source, f"{table}, {preset}, {column}", row and row[t["columns"].index(column)], value)


def times(source, presets, syn_acks, dead, *options):
    for preset in presets.split():
        e = explain(preset, 16, *options)
        for i, t in enumerate(syn_acks):
            cell(source, f"{preset}: SYN-ACK {i}", (e["syn_ack_at_s"] + [None] * 20)[i], t)
        cell(source, f"{preset}: SYN-ACKs", len(e["syn_ack_at_s"]), len(syn_acks))
        cell(source, f"{preset}: given up at", e["dies_at_s"], dead)


RAISED = ("--somaxconn", "65535", "--max-syn-backlog", "1024")

# --- how listen()'s number is read ------------------------------------------------------------------------------------

limits("net/socket.c, listen: unsigned, at most somaxconn, 128", "backlog", "linux-2.4 linux-2.6.32 linux-3.12 linux-4.4",
       {-1: 128, 0: 0, 1: 1, 127: 127, 128: 128, 129: 128, 511: 128})
limits("net/socket.c, since 5.4: somaxconn 4096", "backlog", "linux-5.15 linux-6.18",
       {-1: 4096, 0: 0, 511: 511, 4096: 4096, 4097: 4096, 65535: 4096})
limits("FreeBSD 13.0, solisten_proto: negative or too large is somaxconn", "backlog", "freebsd-13",
       {-1: 128, 0: 0, 5: 5, 128: 128, 129: 128})
limits("NetBSD, solisten: negative is 0", "backlog", "netbsd", {-1: 0, -100: 0, 0: 0, 5: 5, 129: 128})
limits("OpenBSD, solisten: at least 80", "backlog", "openbsd", {-1: 128, 0: 80, 5: 80, 79: 80, 80: 80, 81: 81, 129: 128})
limits("XNU, solisten: 0 is somaxconn, too", "backlog", "xnu", {-1: 128, 0: 128, 1: 1, 127: 127, 129: 128})
limits("lwIP, tcp_listen_with_backlog: a byte, 0 is 1", "backlog", "lwip", {0: 1, 1: 1, 255: 255, 256: 255, 5000: 255})
limits("gVisor, Listen: at most 1024", "backlog", "gvisor", {1: 1, 1024: 1024, 1025: 1024})
limits("KB127144: NT 4 Server takes at most 200", "backlog", "windows-nt", {5: 5, 200: 200, 201: 200})

# --- how many finished connections wait -------------------------------------------------------------------------------

limits("sk_acceptq_is_full: A > N", "accept_slots", "linux-2.4 linux-2.6.32 linux-3.12 linux-4.4 linux-5.15 linux-6.18",
       {0: 1, 1: 2, 5: 6, 16: 17, 128: 129})
limits("FreeBSD 13.0, sonewconn: qlen > 3 * qlimit / 2; freebsd-net, January 2009: 193 of 128", "accept_slots",
       "freebsd-13", {0: 1, 1: 2, 2: 4, 3: 5, 5: 8, 100: 151, 128: 193})
limits("NetBSD, sonewconn: > 3N/2", "accept_slots", "netbsd", {0: 1, 1: 2, 2: 4, 5: 8, 128: 193})
limits("OpenBSD, sonewconn: > 3N, and N is 80 at least", "accept_slots", "openbsd", {0: 241, 5: 241, 100: 301, 128: 385})
limits("XNU, sonewconn_internal: inc + comp >= N", "accept_slots", "xnu", {0: 128, 1: 1, 5: 5, 128: 128})
limits("TCP/IP Illustrated vol. 1, figure 18.23, traditional BSD", "accept_slots", "bsd-classic",
       {0: 1, 1: 2, 2: 4, 3: 5, 4: 7, 5: 8})
limits("gVisor, accept.go: full at the capacity, which is one more", "accept_slots", "gvisor", {1: 2, 5: 6, 1024: 1025})
limits("Shadow, states.rs: backlog + 1", "accept_slots", "shadow", {0: 1, 1: 2, 5: 6})
limits("mTCP, api.c: N", "accept_slots", "mtcp", {1: 1, 5: 5, 511: 511})
limits("Seastar, tcp.hh: pending + ready >= N", "accept_slots", "seastar", {1: 1, 5: 5, 100: 100})
limits("smoltcp: a socket is a connection", "accept_slots", "smoltcp", {0: 1, 5: 1, 100: 1})
answers("what fits is what waits in the end", "waiting", "linux-2.6.32 linux-3.12", {"1": "2", "5": "6", "128": "129", "511": "129"})
answers("what fits is what waits in the end", "waiting", "linux-6.18", {"1": "2", "5": "6", "128": "129", "511": "512", "-1": "4097"})
answers("FreeBSD 7.1, netstat -L: 193/0/128", "waiting", "freebsd-13", {"128": "193", "5": "8", "0": "1"})
answers("OpenBSD, tcp_input: so_qlen > so_qlimit ends it one by one at 81", "waiting", "openbsd", {"0": "81", "5": "81", "128": "129"})
answers("XNU", "waiting", "xnu", {"0": "128", "1": "1", "5": "5"})

# --- how many requests wait -------------------------------------------------------------------------------------------

TABLE = {0: 16, 1: 16, 7: 16, 8: 16, 15: 16, 16: 32, 31: 32, 32: 64, 63: 64, 64: 128, 127: 128, 128: 256, 255: 256,
         256: 512, 511: 512, 512: 1024, 1023: 1024, 1024: 2048, 65535: 2048}
limits("reqsk_queue_alloc, somaxconn raised", "request_slots", "linux-2.6.32 linux-3.12", TABLE, *RAISED)
limits("reqsk_queue_alloc, max_syn_backlog 128: 256 from 128 on", "request_slots", "linux-2.6.32 linux-3.12",
       {127: 128, 128: 256, 511: 256, 65535: 256}, "--somaxconn", "65535", "--max-syn-backlog", "128")
limits("reqsk_queue_alloc, somaxconn 128", "request_slots", "linux-2.6.32 linux-3.12",
       {16: 32, 50: 64, 64: 128, 100: 128, 128: 256, 511: 256, 512: 256, 1024: 256})
limits("commit ef547f2ac16b: Q >= N", "request_slots", "linux-4.4 linux-5.15", {0: 0, 1: 1, 5: 5, 128: 128})
limits("commit 3479c7549fb1: Q > N", "request_slots", "linux-6.18", {0: 1, 1: 2, 5: 6, 128: 129, 511: 512, 4096: 4097})
limits("FreeBSD: 512 buckets of 30", "request_slots", "freebsd-4 freebsd-13", {1: 15360, 128: 15360})
limits("NetBSD: 10255 in all", "request_slots", "netbsd", {1: 10255, 128: 10255})
limits("Onload, EF_TCP_BACKLOG_MAX", "request_slots", "onload", {1: 256, 100: 256})
limits("gVisor, accept.go: capacity - 1", "request_slots", "gvisor", {1: 1, 5: 5})
limits("Shadow, states.rs: backlog + 1", "request_slots", "shadow", {0: 1, 5: 6})
answers("a flood fills it; tcp_syncookies is 0 by default", "half_open", "linux-2.6.32",
        {"0": "16 drop", "5": "16 drop", "16": "32 drop", "128": "256 drop"})
answers("a flood fills it, then a cookie", "half_open", "linux-3.12",
        {"0": "16 cookie", "5": "16 cookie", "16": "32 cookie", "128": "256 cookie"})
answers("a flood fills it", "half_open_cookieless", "linux-2.6.32 linux-3.12",
        {"0": "16 drop", "5": "16 drop", "16": "32 drop", "128": "256 drop"})
answers("Q > N, then a cookie", "half_open", "linux-6.18", {"0": "1 cookie", "1": "2 cookie", "16": "17 cookie", "128": "129 cookie"})
answers("Q >= N, then a cookie", "half_open", "linux-4.4 linux-5.15", {"0": "0 cookie", "1": "1 cookie", "16": "16 cookie"})
answers("Q >= N: listen(0) without cookies admits nobody", "half_open_cookieless", "linux-4.4 linux-5.15", {"0": "0 drop", "1": "1 drop"})
answers("NetBSD and OpenBSD evict", "half_open", "netbsd openbsd", {"5": "10255 evicts"})
answers("XNU evicts where both together have reached N", "half_open", "xnu", {"1": "1 evicts", "5": "5 evicts", "128": "128 evicts"})
answers("KB113576: RST beyond the backlog", "half_open", "windows-nt", {"1": "1 RST", "5": "5 RST", "128": "128 RST"})
answers("Seastar: like a closed port", "half_open", "seastar", {"0": "0 RST", "1": "1 RST", "5": "5 RST", "128": "128 RST"})
answers("smoltcp: no backlog", "half_open", "smoltcp", {"0": "1 RST", "5": "1 RST", "1024": "1 RST"})
answers("mTCP: the pool is empty", "half_open", "mtcp", {"5": "10000 RST"})
answers("lwIP: accepts_pending >= backlog", "half_open", "lwip", {"0": "1 drop", "5": "5 drop", "1024": "255 drop"})
answers("VPP: no bound by listen()", "half_open", "vpp", {"0": "all", "5": "all"})

for preset in ("linux-2.6.32", "linux-3.12"):
    for most, expected in {80: 61, 128: 97, 256: 193, 512: 385, 1024: 769}.items():
        cell("tcp_v4_conn_request: max - Q < max >> 2 is for proven peers", f"{preset} max_syn_backlog {most}",
             explain(preset, 65535, "--somaxconn", "65535", "--max-syn-backlog", most, "--syncookies", "0")["unproven_slots"], expected)
for most, expected in {80: 61, 128: 97, 256: 193, 512: 385, 1024: 769}.items():
    cell("tcp_conn_request: max - Q < max >> 2 is for proven peers", f"linux-6.18 max_syn_backlog {most}",
         explain("linux-6.18", 4096, "--max-syn-backlog", most, "--syncookies", "0")["unproven_slots"], expected)

# --- when SYN-ACKs are sent, and who dies sooner ----------------------------------------------------------------------

times("2.6.32: TCP_TIMEOUT_INIT 3 s, five retries", "linux-2.6.32", [0, 3, 9, 21, 45, 93], 189)
times("3.12 and 6.18: 1 s, five retries", "linux-3.12 linux-4.4 linux-5.15 linux-6.18", [0, 1, 3, 7, 15, 31], 63)
times("tcp_synack_retries 2", "linux-3.12 linux-6.18", [0, 1, 3], 7, "--synack-retries", "2")
times("FreeBSD, tcp_rexmit_initial, rexmtlimit 3", "freebsd-13", [0, 1, 3, 7], 15)
times("TCPTV_SRTTDFLT 3 s, until 75 s are over", "netbsd openbsd", [0, 3, 9, 21, 45], 93)
times("USITS '97: 4.4BSD sends at 6 and 30 s, gives up at 75 s", "bsd-classic", [0, 6, 30], 75)
times("gVisor, connect.go: doubling from 1 s until 120 s are exceeded", "gvisor", [0, 1, 3, 7, 15, 31, 63], 127)
times("Onload, tcp_timer.c; Seastar, tcp.hh: five, doubling from 1 s", "onload seastar", [0, 1, 3, 7, 15, 31], 63)
times("Shadow: 60 s, nothing sent again", "shadow", [0], 60)
times("lwIP: SYN_RCVD ends after 20 s", "lwip", [0, 3, 9], 20)
cell("mTCP, timer.c: 16 times", "mtcp", explain("mtcp", 16)["retries"], 16)
for i, t in enumerate([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5, 191.5]):
    cell("mTCP, timer.c: 500 ms, seven doublings", f"mtcp, SYN-ACK {i}", explain("mtcp", 16)["syn_ack_at_s"][i], t)
for i, t in enumerate([0, 0.2, 0.4, 0.6, 1.0, 1.8]):
    cell("VPP, tcp_output.c: 200 ms three times, then doubling", f"vpp, SYN-ACK {i}", explain("vpp", 16)["syn_ack_at_s"][i], t)

limits("inet_csk_reqsk_queue_prune: from Q >= nr / 2", "pruning_from", "linux-2.6.32 linux-3.12", {1: 8, 16: 16, 128: 128})
limits("reqsk_timer_handler: 2Q > max(8, N)", "pruning_from", "linux-6.18", {1: None, 7: 5, 8: 5, 16: 9, 128: 65, 511: 256})
limits("no such rule", "pruning_from", "freebsd-13 netbsd openbsd xnu gvisor", {128: None})
limits("under full pressure 21 s", "pruned_at_s", "linux-2.6.32", {1: 21, 128: 21})
limits("under full pressure 7 s", "pruned_at_s", "linux-3.12 linux-6.18", {16: 7, 128: 7})
limits("the hand: 2 * (nr / 15) buckets, the whole table in 8 runs", "late_by_s", "linux-2.6.32", {1: 1.4})
limits("the hand: 2 * (nr / 5) buckets, the whole table in 3 runs", "late_by_s", "linux-3.12", {1: 0.4, 128: 0.4})

# --- what a full accept queue means -----------------------------------------------------------------------------------

limits("tcp_v4_conn_request: refused while young > 1", "young_when_full", "linux-2.4 linux-2.6.32 linux-3.12 linux-4.4", {1: 2, 128: 2})
limits("commit 5ea8ea2cb7f1: refused", "young_when_full", "linux-5.15 linux-6.18", {1: 0, 128: 0})
limits("FreeBSD 13: no test at the SYN", "young_when_full", "freebsd-13", {1: None, 128: None})
limits("Onload, ci_tcp_handle_rx_listen: more than a quarter young", "young_when_full", "onload", {8: 3, 100: 26})

FULL = ("none young", "1 young", "2 young", "3 young")
for presets, row in {
    "linux-2.6.32 linux-3.12 linux-4.4": ("S.", "S.", "-", "-"),
    "linux-5.15 linux-6.18": ("-", "-", "-", "-"),
    "freebsd-13 windows-2003 mtcp": ("S.", "S.", "S.", "S."),
    "freebsd-4 netbsd openbsd gvisor shadow lwip bsd-classic": ("-", "-", "-", "-"),
}.items():
    answers("a SYN at a full accept queue", "syn_at_full", presets, dict(zip(FULL, row)))
answers("a SYN at a full accept queue gets a RST", "syn_at_full", "windows-nt seastar smoltcp", {"none young": "R."})

answers("tcp_check_req: acked, kept", "ack_at_full", "linux-2.6.32 linux-3.12 linux-4.4 linux-5.15 linux-6.18",
        {"ACK + data": "- kept", "again": "- kept", "after accept()": ". done", "abort_on_overflow": "R gone"})
answers("syncache_expand, rst_on_sock_fail", "ack_at_full", "freebsd-13", {"ACK + data": "R gone"})
answers("MSDN wndp, 2005: a full backlog then resets", "ack_at_full", "windows-2003", {"ACK + data": "R gone"})
answers("tcp_in.c: TCP_NOT_ACCEPTED, RST", "ack_at_full", "mtcp", {"ACK + data": "R gone"})
answers("the ACK is dropped, the request stays", "ack_at_full", "gvisor shadow onload", {"ACK + data": "- kept", "after accept()": ". done"})

# --- odd segments -----------------------------------------------------------------------------------------------------

LINUX = "linux-2.6.32 linux-3.12 linux-4.4 linux-5.15 linux-6.18"
answers("tcp_check_req 2", "syn_at_request", LINUX, {"same": "S. kept"})
answers("tcp_check_req 7: an in-window SYN kills the request and gets a RST", "syn_at_request", LINUX, {"+100": "R. gone"})
answers("tcp_check_req 4: out of window, a bare ACK", "syn_at_request", LINUX, {"-1": ". kept", "+100000": ". kept"})
answers("tcp_check_req 3: a wrong ACK gets a RST, the request stays", "ack_at_request", LINUX, {"ack +1": "R kept", "ack -1": "R kept"})
answers("tcp_check_req 13", "ack_at_request", LINUX, {"right": "- done", "right+13": ". done"})
answers("tcp_check_req 7: any RST in the window", "other_at_request", "linux-2.6.32 linux-3.12 linux-4.4 linux-5.15",
        {"R exact": "- gone", "R +99": "- gone", "R before": "- kept", "R beyond": "- kept"})
answers("recorded from 6.18.44: challenge unless exact", "other_at_request", "linux-6.18",
        {"R exact": "- gone", "R +99": ". kept", "R before": "- kept", "R beyond": "- kept"})
answers("tcp_check_req 8: no ACK flag, silence", "other_at_request", LINUX, {"F": "- kept", "none": "- kept"})
answers("tcp_check_req 1, 4: PAWS", "times_at_request", LINUX, {"old value": ". kept"})
answers("6.18: TSecr must have been sent", "times_at_request", "linux-6.18", {"echo too new": ". kept", "echo too old": ". kept"})

answers("syncache_add: the number of a second SYN is not compared", "syn_at_request", "freebsd-13",
        {"same": "S. kept", "+100": "S. kept", "-1": "S. kept", "+100000": "S. kept"})
answers("syncache_expand: the entry goes before its ack is looked at", "ack_at_request", "freebsd-13",
        {"right": "- done", "ack +1": "R gone", "ack -1": "R gone", "seq +100000": "R gone"})
answers("syncache_chkrst: exact, else a challenge ACK in the window", "other_at_request", "freebsd-13",
        {"R exact": "- gone", "R +99": ". kept", "R beyond": "- kept", "R before": "- kept"})
answers("syncache_badack: SYN-ACK", "syn_at_request", "freebsd-13", {"SA, right": "R gone", "SA, wrong": "R gone"})
answers("syn_cache_add: the number of a second SYN is not compared", "syn_at_request", "netbsd openbsd",
        {"same": "S. kept", "+100": "S. kept", "+100000": "S. kept"})
answers("syn_cache_get: the SYN-ACK again, the entry stays", "ack_at_request", "netbsd openbsd",
        {"right": "- done", "ack +1": "S. kept", "ack -1": "S. kept", "seq +100000": "S. kept"})
answers("syn_cache_reset: irs and irs + 1", "other_at_request", "netbsd openbsd",
        {"R exact": "- gone", "R at ISN": "- gone", "R +99": "- kept", "R before": "- kept", "R beyond": "- kept"})

answers("LISTEN: an ACK gets a RST, a RST nothing", "stray", LINUX + " freebsd-13 netbsd openbsd xnu",
        {"A": "R", "SA": "R", "R": "-", "RA": "-"})
answers("2.6.32 takes SYN with FIN, later ones do not", "stray", "linux-2.6.32", {"SF": "S."})
answers("2.6.32 takes SYN with FIN, later ones do not", "stray", "linux-3.12 linux-6.18", {"SF": "-"})
answers("NetBSD, OpenBSD: none of SYN, ACK, RST gets a RST", "stray", "netbsd openbsd", {"none": "R."})

cell("2.6.32: a duplicate SYN does not move the timer", "linux-2.6.32, given up at",
     matrix()["repeated"]["rows"]["linux-2.6.32"][1], matrix()["schedule"]["rows"]["linux-2.6.32"][1])
answers("the timer after a duplicate SYN: restarted", "repeated", "linux-6.18", {"SYN-ACK at": "0 0.7 1.7 3.7 7.7 15.7 31.7", "given up at": "63.7"})
answers("syncache_add: rxmits is 0 again", "repeated", "freebsd-13", {"SYN-ACK at": "0 0.7 1.7 3.7 7.7", "given up at": "15.7"})
answers("syn_cache_add: the timer is not touched", "repeated", "netbsd openbsd", {"SYN-ACK at": "0 2.1 3 9 21 45", "given up at": "93"})

# --- the end of a listener, of a connection ---------------------------------------------------------------------------

answers("inet_csk_listen_stop: children are reset, requests end in silence", "close", LINUX, {"at once": "R. R.", "in 10 s": "-", "ACK": "R"})
answers("syn_cache_cleanup", "close", "netbsd openbsd", {"at once": "R. R.", "in 10 s": "-", "ACK": "R"})
answers("XNU: so_incomp is aborted, too", "close", "xnu", {"at once": "R. R. R. R."})
answers("a second listen(): the new N at once, nobody is evicted", "again", LINUX, {"listen(2)": "3", "listen(6)": "4", "thrown out": "none"})
answers("inet_csk_accept returns it", "reset", LINUX, {"slots": "1", "accept()": "returns it"})
answers("ECONNABORTED", "reset", "freebsd-13 netbsd openbsd", {"accept()": "error"})

# --- cookies ----------------------------------------------------------------------------------------------------------

answers("syncookies.c 6.18: 536, 1300, 1440, 1460, rounded down", "cookie_options", "linux-6.18",
        {"300": "536", "536": "536", "1000": "536", "1400": "1300", "1460": "1460", "9000": "1460", "all": "1460 ws10 sack ts", "no timestamps": "1460"})
answers("syncookies.c 3.12: 64, 512, 536, 1024, 1440, 1460, 4312, 8960, rounded down", "cookie_options", "linux-3.12",
        {"300": "64", "536": "536", "1000": "536", "1400": "1024", "1460": "1460", "9000": "8960"})
answers("syncookies.c 6.18: two minutes at most", "cookie_life", "linux-6.18", {"alone": "119 s"})

# --- counters: six clients at listen(1), none accepted, before the first timeout --------------------------------------

SIX = ("--backlog", "1", "--clients", "6", "--gap", "0.01", "--data-after", "never", "--until", "1.2")
for preset, expected in {
    "linux-2.6.32": {"TcpPassiveOpens": 2, "TcpExtListenOverflows": 2, "TcpExtListenDrops": 2, "TcpExtEmbryonicRsts": 0},
    "linux-3.12": {"TcpPassiveOpens": 2, "TcpExtListenOverflows": 4, "TcpExtListenDrops": 4, "TcpExtEmbryonicRsts": 0},
    "linux-6.18": {"TcpPassiveOpens": 2, "TcpExtListenOverflows": 4, "TcpExtListenDrops": 4, "TcpExtEmbryonicRsts": 0},
}.items():
    for counter, value in expected.items():
        cell("tcp_v4_conn_request, tcp_v4_syn_recv_sock", f"{preset} {counter}", nstat(preset, *SIX).get(counter, 0), value)
for preset, expected in {
    "linux-2.6.32": {"TcpExtListenOverflows": 4, "TcpExtListenDrops": 4, "TcpExtEmbryonicRsts": 4},
    "linux-3.12": {"TcpExtListenOverflows": 4, "TcpExtListenDrops": 4, "TcpExtEmbryonicRsts": 4},
    "linux-6.18": {"TcpExtListenOverflows": 4, "TcpExtListenDrops": 4, "TcpExtEmbryonicRsts": 0},
}.items():
    for counter, value in expected.items():
        cell("the same with tcp_abort_on_overflow", f"{preset} {counter}",
             nstat(preset, *SIX, "--abort-on-overflow", "1").get(counter, 0), value)

for line in wrong:
    print(line)
print(f"{cells} cells, {len(wrong)} wrong")
sys.exit(1 if wrong or cells < 300 else 0)
