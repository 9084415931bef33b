"""Floods that were captured at a real kernel, and what the kernel did in them, beside a replay under its preset.

A flood is one listener in a capture: {"port", "backlog", "syncookies", "accept" (never or always), "accepted" (how many
connections accept() yielded), "counters" (that moved)}.
"""
from recordings import lab

PRESET = "linux-6.18"


def differences(capture, flood):
    """How the replay differs from the kernel; empty if it does not."""
    run = lab(["replay", "--pcap", capture, "--port", flood["port"], "--preset", PRESET, "--backlog", flood["backlog"],
               "--syncookies", flood["syncookies"], "--accept", flood["accept"], "--clients", "as-recorded", "--json",
               "-"])
    there, (here,) = run["there"], run["runs"]
    verdicts, counters = here["verdicts"], flood["counters"]

    def counted(*names):
        return sum(verdicts.get(name, 0) for name in names)

    found = []
    for what, kernel, ours in (
            ("the file ends early", None, run["error"]),
            ("SYNs", there["syns"], here["syns"]),
            ("SYNs answered alike", there["syns"], here["syns_alike"]),
            ("parts from the record at", None, here["parts_from_record"]),
            ("withheld", 0, here["withheld"]),
            ("SYN-ACKs", there["syn_acks"], here["syn_acks"]),
            ("RSTs", there["resets"], here["resets"]),
            ("connections", flood["connections"], here["connections"]),
            ("cookies sent", counters.get("TcpExtSyncookiesSent", 0), counted("cookie_sent")),
            ("cookies received", counters.get("TcpExtSyncookiesRecv", 0), counted("cookie_promoted", "cookie_overflow")),
            ("SYNs and ACKs that found no room", counters.get("TcpExtListenOverflows", 0),
             counted("dropped_accept_full", "overflow_kept", "cookie_overflow"))):
        if kernel != ours:
            found.append(f"{what}: kernel {kernel}, ours {ours}")
    return found
