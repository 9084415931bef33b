#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes a table, plots and a comparison of what Google Benchmark has written.

usage: report.py RESULTS [--compare OLD.json] NAME...

A row is the lower decile of its repetitions' CPU times: other work on the machine makes repetitions slower, never faster.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys


def rows(path):
    """Name -> nanoseconds of CPU, the lower decile."""
    times = {}
    for b in json.loads(path.read_text())["benchmarks"]:
        if b.get("run_type") == "iteration" and not b.get("error_occurred"):
            times.setdefault(b["run_name"], []).append(b["cpu_time"])
    return {name: sorted(t)[len(t) // 10] for name, t in times.items()}


def split(name):
    """`library/fifo/4096` -> ("library/fifo", 4096); a row without a number -> (name, None)."""
    match = re.fullmatch(r"(.*?)/(\d+)(?:/.*)?", name)
    return (match[1], int(match[2])) if match else (name, None)


def table(name, measured):
    sizes = sorted({n for _, n in map(split, measured) if n is not None})
    by_row = {}
    for full, ns in measured.items():
        row, n = split(full)
        by_row.setdefault(row, {})[n] = ns
    heads = [str(n) for n in sizes]
    if any(None in cells for cells in by_row.values()):
        heads.append("ns")
    lines = [f"### {name}", "", "| ns of CPU | " + " | ".join(heads) + " |", "|:--|" + "--:|" * len(heads)]
    for row, cells in by_row.items():
        columns = [cells.get(n) for n in sizes] + ([cells.get(None)] if "ns" in heads else [])
        lines.append(f"| {row} | " + " | ".join("" if c is None else f"{c:.1f}" for c in columns) + " |")
    return lines + [""]


def plot(folder, name, measured):
    """Time over the number of half-open connections, for rows that have several of them."""
    series = {}
    for full, ns in measured.items():
        row, n = split(full)
        if n is not None:
            series.setdefault(row, []).append((n, ns))
    series = {row: sorted(points) for row, points in series.items() if len(points) > 1}
    if not series or not shutil.which("gnuplot"):
        return
    script = [f"set terminal svg size 900,500 font 'sans,12'\nset output '{folder / (name + '.svg')}'",
              "set logscale x 2\nset logscale y 10\nset key outside\nset grid",
              "set xlabel 'half-open connections'\nset ylabel 'ns of CPU'",
              "plot " + ", ".join(f"'-' with linespoints title '{row}' noenhanced" for row in series)]
    for points in series.values():
        script += [f"{n} {ns}" for n, ns in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def compare(old, new):
    lines = ["| row | before | now | |", "|:--|--:|--:|--:|"]
    for name in new:
        if name in old:
            lines.append(f"| {name} | {old[name]:.1f} | {new[name]:.1f} | {100 * (new[name] / old[name] - 1):+.0f} % |")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--compare", type=pathlib.Path)
    parser.add_argument("names", nargs="+")
    asked = parser.parse_args()
    lines, everything = [], {}
    for name in asked.names:
        measured = rows(asked.results / f"{name}.json")
        everything.update(measured)
        lines += table(name, measured)
        plot(asked.results, name, measured)
    context = json.loads((asked.results / f"{asked.names[0]}.json").read_text())["context"]
    lines.append(f"{context['date'][:10]}, {context['num_cpus']} CPUs, load {context['load_avg'][0]:.1f} at the start.")
    if asked.compare:
        lines += ["", f"Against {asked.compare.name}:", ""] + compare(rows(asked.compare), everything)
    text = "\n".join(lines) + "\n"
    (asked.results / "results.md").write_text(text)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
