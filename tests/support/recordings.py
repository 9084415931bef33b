"""Holds runs of the lab against recordings of a real kernel.

A recorded time may be late (kernel timers are coarse: up to 6 % + 120 ms) and is hardly ever early (60 ms); the lab's
times are the nominal ones. Everything else must be equal.
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent / "conformance" / "recordings"
SERVER_COUNTERS = (
    "TcpPassiveOpens", "TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPReqQFullDrop",
    "TcpExtTCPReqQFullDoCookies", "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed",
    "TcpExtEmbryonicRsts")


def load(name):
    return json.loads((HERE / f"{name}.json").read_text())


def lab(arguments, stdin=None):
    """Runs the lab, whose path is this script's first argument; its standard output as JSON."""
    done = subprocess.run([sys.argv[1], *map(str, arguments)], input=stdin, text=True, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"lab {' '.join(map(str, arguments))}: status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def in_time(recorded, ours):
    return ours - 0.060 <= recorded <= ours * 1.06 + 0.120


class Report:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def run(self, name, problems):
        if problems:
            self.failed += 1
            for p in problems[:8]:
                print(f"{name}: {p}")
        else:
            self.passed += 1

    def close(self):
        print(f"{self.passed} recordings agree, {self.failed} do not")
        sys.exit(1 if self.failed or not self.passed else 0)


def differing_counters(recorded, ours, names=SERVER_COUNTERS):
    return [f"{n}: recorded {recorded.get(n, 0)}, ours {ours.get(n, 0)}"
            for n in names if recorded.get(n, 0) != ours.get(n, 0)]
