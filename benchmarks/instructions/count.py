#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the instructions of the programs here with callgrind and compares them with table.json; more than
1 % above it fails.

The table is keyed by compiler, version and flags; a version that is not in it is skipped, loudly. Below the table by
more than 1 % is a reason to write it anew: `count.py --write` does that for the compilers that are here.

usage: count.py [--write] [COMPILER...]      (default: g++ and the newest clang++)
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
TABLE = HERE / "table.json"
PROGRAMS = ("count.cpp", "count_aes.cpp", "count_compact.cpp")
FLAGS = ("-O2", "-O3")
TOLERANCE = 0.01

# Composed from policies against written by hand: so many instructions more at most.
FLOORS = (("handshake_4096", "floor_handshake_4096", 1),)

# Row, divided by row, at most: what must hold whatever the compiler.
RATIOS = (
    ("handshake_1048576", "handshake_256", 1.01),
    ("syn_at_full_table", "handshake_4096", 0.30),
    ("stray_ack", "handshake_4096", 0.30),
    ("duplicate_syn", "handshake_4096", 0.52),
    ("aes_syn_at_full_table", "aes_handshake_4096", 0.27),
    ("aes_stray_ack", "aes_handshake_4096", 0.27),
    ("compact_syn_at_full_table", "compact_handshake_4096", 0.31),
    ("compact_stray_ack", "compact_handshake_4096", 0.32),
    ("compact_duplicate_syn", "compact_handshake_4096", 0.46),
)


def version(compiler):
    """What the table is keyed by: `g++ 12.2.0`, `clang++ 19.1.7`."""
    text = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout
    number = re.search(r"(\d+\.\d+\.\d+)", text.splitlines()[0])
    name = "clang++" if "clang" in text.splitlines()[0] else "g++"
    return f"{name} {number.group(1) if number else 'unknown'}"


def compilers():
    clang = next((c for c in ("clang++-19", "clang++-18", "clang++-16", "clang++-15", "clang++") if shutil.which(c)), None)
    return [c for c in ("g++", clang) if c and shutil.which(c)]


def count(compiler, flag, directory):
    """Rows of one build: instructions an event, and the sizes."""
    rows, sizes = {}, {}
    for source in PROGRAMS:
        program, out = directory / "count", directory / "callgrind"
        subprocess.run([compiler, "-std=c++20", flag, f"-I{INCLUDE}", str(HERE / source), "-o", str(program)], check=True)
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program)],
            capture_output=True, text=True, timeout=300)
        if run.returncode != 0:
            sys.exit(f"{source} with {compiler} {flag}: an event did not end as it should\n{run.stdout}{run.stderr}")
        events = {}
        for line in run.stdout.splitlines():
            words = line.split()
            if words[0] == "=":
                sizes[words[1]] = int(words[2])
            else:
                events[words[0]] = int(words[1])
        found = {}
        for dump in directory.glob("callgrind*"):
            text = dump.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)$", text, re.M)
            if name and total:
                found[name.group(1)] = round(int(total.group(1)) / events[name.group(1)], 1)
            dump.unlink()
        if found.keys() != events.keys():
            sys.exit(f"{source} with {compiler} {flag}: callgrind left {sorted(found)}, not {sorted(events)}")
        rows |= found
    return rows, sizes


def main():
    parser = argparse.ArgumentParser(description="Counts instructions and compares them with table.json.")
    parser.add_argument("--write", action="store_true", help="write the table for these compilers instead")
    parser.add_argument("compilers", nargs="*", help="default: g++ and the newest clang++")
    asked = parser.parse_args()
    if not shutil.which("valgrind") or not pathlib.Path("/usr/include/valgrind/callgrind.h").exists():
        print("skipped: there is no valgrind")
        return 77
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    faults, skipped, compared = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        for compiler in asked.compilers or compilers():
            key = version(compiler)
            for flag in FLAGS:
                if not asked.write and flag not in table.get("instructions", {}).get(key, {}):
                    skipped.append(f"{key} {flag}")
                    continue
                rows, sizes = count(compiler, flag, pathlib.Path(name))
                where = f"{key} {flag}"
                if asked.write:
                    table.setdefault("instructions", {}).setdefault(key, {})[flag] = rows
                    table["sizes"] = sizes
                    TABLE.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")
                before = table["instructions"][key][flag]
                compared += 1
                print(where)
                for row, value in rows.items():
                    old = before.get(row)
                    print(f"  {row:24} {value:8.1f}" + ("" if old in (None, value) else f"   table {old:8.1f}"))
                    if old is None:
                        faults.append(f"{where}: {row} is not in the table")
                    elif value > old * (1 + TOLERANCE):
                        faults.append(f"{where}: {row} takes {value} instructions, the table says {old}")
                    elif value < old * (1 - TOLERANCE):
                        print(f"  {row} is faster than the table: write it anew with count.py --write")
                for row in before.keys() - rows.keys():
                    if row.startswith("aes_") or "burst" in row:
                        print(f"  {row} is left out: this CPU has no {'AES' if row.startswith('aes_') else 'AVX2'}")
                        continue
                    faults.append(f"{where}: {row} is in the table and is not measured")
                for row, other, most in RATIOS:
                    if row not in rows:
                        continue
                    ratio = rows[row] / rows[other]
                    if ratio > most:
                        faults.append(f"{where}: {row} is {ratio:.3f} of {other}, more than {most}")
                for row, floor, most in FLOORS:
                    if rows[row] > rows[floor] + most:
                        faults.append(f"{where}: {row} takes {rows[row]} instructions, {floor} {rows[floor]}")
                if sizes != table["sizes"]:
                    faults.append(f"{where}: the sizes are {sizes}, the table says {table['sizes']}")
    for fault in faults:
        print(f"FAILED: {fault}")
    for key in skipped:
        print(f"SKIPPED: {key} is not in {TABLE.name}; count.py --write adds it")
    if faults:
        return 1
    return 0 if compared else 77


if __name__ == "__main__":
    sys.exit(main())
