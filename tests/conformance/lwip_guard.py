#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A flood against lwIP alone and against lwIP behind the guard: who is served, and what it costs.

It runs examples/lwip_guard, which prints the table that is read here. Without a liblwip there is no such program.
"""

import re
import subprocess
import sys

SKIPPED = 77


def table(program, *options):
    """The rows, each a dictionary by the name of the column, and what stands below the table."""
    out = subprocess.run([program, *options], check=True, capture_output=True, text=True, timeout=60).stdout
    lines = out.splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rows = [{name: int(c) if c.isdigit() else c for name, c in zip(cells[0], row)} for row in cells[2:]]
    return rows, [line for line in lines if not line.startswith("|")]


def clients(row):
    return [row["client with options"], row["client without options"]]


class Checks:
    failed = 0

    def that(self, truth, rule, seen):
        if not truth:
            Checks.failed += 1
            print(f"not so: {rule}\n  {seen}")


def main():
    if len(sys.argv) < 2:
        print("There is no lwip_guard: liblwip-dev is not installed.")
        return SKIPPED
    program, check = sys.argv[1], Checks()
    intact = re.compile(r"\d+ ms, 100000 bytes intact")

    (heap, pool, guarded), below = table(program)
    # The clients come after 8 of 10 seconds, and lwIP keeps a half-open PCB for 20.
    check.that(heap["PCBs"] >= 7900, "each SYN takes a PCB as long as there are any", heap)
    check.that(heap["bytes"] >= 250 * heap["PCBs"], "and memory for it", heap)
    check.that(all(map(intact.fullmatch, clients(heap))), "malloc never ends here, so clients are served", heap)
    check.that(pool["PCBs"] == 64, "the flood takes every PCB of the pool", pool)
    check.that(clients(pool) == ["never connected"] * 2, "and no client gets one", pool)
    check.that(guarded["PCBs"] == 0 and guarded["bytes"] == 0, "behind the guard, lwIP never hears of the flood", guarded)
    check.that(guarded["SYN-ACKs"] >= guarded["SYNs"] + 2 == 10002, "all SYNs are answered", guarded)
    check.that(guarded["guard"] <= 2048, "by an object of fixed size", guarded)
    check.that(all(map(intact.fullmatch, clients(guarded))), "clients are served, both ways", guarded)
    check.that("given 2 connections" in " ".join(below), "the application sees the clients and nobody else", below)
    # What this lwIP can do was agreed on, by a cookie, and nothing was with a client that has no options.
    check.that(re.search(r"^  MSS \d+, window scale \d+, ", "\n".join(below), re.M), "window scale is agreed on", below)
    check.that(re.search(r"^  MSS \d+, no window scale, no SACK, no timestamps$", "\n".join(below), re.M),
               "but not with who has none", below)
    widest = int(re.search(r"widest window .* (\d+) bytes", "\n".join(below))[1])
    check.that(60000 < widest < 65536, "a window is scaled by both sides or by none (TCP_WND is 65535)", widest)

    (*_, calm), _ = table(program, "--syns", "0", "--pcbs", "2")
    check.that(all(map(intact.fullmatch, clients(calm))), "without a flood requests are kept, and no cookies sent", calm)
    check.that(calm["SYN-ACKs"] == 2, "and their SYN-ACKs come once", calm)

    (*_, small), _ = table(program, "--pcbs", "1")
    check.that(intact.fullmatch(clients(small)[0]), "with one PCB, one client is served", small)
    check.that(clients(small)[1].endswith(" 0 bytes then reset"), "and a second one hears that it is not", small)

    (*_, long), _ = table(program, "--bytes", "1000000")
    check.that(all(re.fullmatch(r"\d+ ms, 1000000 bytes intact", c) for c in clients(long)),
               "a megabyte goes both ways through windows that are scaled", long)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
