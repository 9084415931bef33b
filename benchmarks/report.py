#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes tables, plots and a comparison of what the programs have written.

usage: report.py RESULTS [--compare OLD.json] [--readme FILE] NAME...

NAME.json is Google Benchmark's, or tables of one of our own programs (support/tables.hpp). Of Google Benchmark's
repetitions a row is the lower decile of the CPU times: other work on the machine makes repetitions slower, never faster.
FILE is Markdown; what is between `<!-- NAME 2 -->` and `<!-- end -->` becomes the second table of NAME.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

# The row that the others of a program are to be read against.
BASES = {"policies": "linux_6_18", "overload": "handshake"}


def times_of(data):
    """Name -> nanoseconds of CPU, the lower decile; and name -> bytes a request, where a program says so."""
    times, sizes = {}, {}
    # As they were registered, not as they took turns.
    for b in sorted(data["benchmarks"], key=lambda b: (b["family_index"], b["per_family_instance_index"])):
        if b.get("run_type") == "iteration" and not b.get("error_occurred"):
            times.setdefault(b["run_name"], []).append(b["cpu_time"])
            if "bytes" in b:
                sizes[b["run_name"]] = b["bytes"]
    return {name: sorted(t)[len(t) // 10] for name, t in times.items()}, sizes


def errors_of(data):
    return sorted({f"{b['name']}: {b['error_message']}" for b in data.get("benchmarks", []) if b.get("error_occurred")})


def rows(path):
    """Name -> number, of a file of either kind, or of an earlier all.json."""
    data = json.loads(path.read_text())
    if "benchmarks" in data:
        return times_of(data)[0]
    if "tables" in data:
        return {f"{t['title']} | {r['name']} | {c}": v for t in data["tables"] if t["plot"] != "curves" for r in t["rows"]
                for c, v in zip(t["columns"], r["cells"]) if v is not None}
    return {name: v for program in data.values() for name, v in program.items()}


def split(name):
    """`library/fifo/4096` -> ("library/fifo", 4096); a row without a number -> (name, None)."""
    match = re.fullmatch(r"(.*?)/(\d+)(?:/.*)?", name)
    return (match[1], int(match[2])) if match else (name, None)


def markdown(head, lines):
    return ["| " + " | ".join(head) + " |", "|:--|" + "--:|" * (len(head) - 1)] + \
           ["| " + " | ".join(cells) + " |" for cells in lines] + [""]


def timed_table(name, measured, sizes):
    columns = sorted({n for _, n in map(split, measured) if n is not None})
    by_row, bytes_of = {}, {}
    for full, ns in measured.items():
        row, n = split(full)
        by_row.setdefault(row, {})[n] = ns
        if full in sizes:
            bytes_of[row] = sizes[full]
    if any(None in cells for cells in by_row.values()):
        columns.append(None)
    base = by_row.get(BASES.get(name))
    head = ["ns of CPU"] + ["ns" if n is None else str(n) for n in columns]
    head += [f"x {BASES[name]}" + ("" if n is None else f", {n}") for n in columns] if base else []
    head += ["bytes a request"] if bytes_of else []
    lines = []
    for row, cells in by_row.items():
        line = [row] + [f"{cells[n]:.1f}" if n in cells else "" for n in columns]
        line += [f"{cells[n] / base[n]:.2f}" if n in cells and n in base else "" for n in columns] if base else []
        line += [f"{bytes_of[row]:.0f}" if row in bytes_of else ""] if bytes_of else []
        lines.append(line)
    return markdown(head, lines)


def given_tables(name, data):
    """A list of tables, each the lines of it."""
    texts = []
    for t in data["tables"]:
        if t["plot"] == "curves":
            continue
        cells = [[r["name"]] + ["" if v is None else f"{v:.{t['digits']}f}" for v in r["cells"]] for r in t["rows"]]
        texts.append([t["title"] + ".", ""] + markdown([""] + t["columns"], cells) +
                     ([t["note"], ""] if t["note"] else []))
    return texts + [[f"Skipped: {s}.", ""] for s in data["skipped"]]


def put_into(path, name, texts, when):
    """Each table in its place, if it has one."""
    text = path.read_text()
    for i, lines in enumerate(texts, 1):
        place = re.compile(rf"(<!-- {name} {i} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = place.sub(lambda m: m[1] + "\n".join(lines + [f"({when})", ""]) + "\n" + m[2], text)
    path.write_text(text)


def gnuplot(script):
    if shutil.which("gnuplot"):
        subprocess.run(["gnuplot"], input=script + "\n", text=True, check=True)


def plot_lines(path, series, x, y, log="xy"):
    script = [f"set terminal svg size 900,500 font 'sans,12'\nset output '{path}'",
              "".join(f"set logscale {axis} {2 if axis == 'x' else 10}\n" for axis in log),
              f"set key outside\nset grid\nset xlabel '{x}'\nset ylabel '{y}'",
              "plot " + ", ".join(f"'-' with linespoints pointsize 0.5 title \"{row}\" noenhanced" for row in series)]
    for points in series.values():
        script += [f"{a} {b}" for a, b in points] + ["e"]
    gnuplot("\n".join(script))


def plot_times(folder, name, measured):
    """Time over the number of half-open connections, for rows that have several of them."""
    series = {}
    for full, ns in measured.items():
        row, n = split(full)
        if n is not None:
            series.setdefault(row, []).append((n, ns))
    series = {row: sorted(points) for row, points in series.items() if len(points) > 1}
    if series:
        plot_lines(folder / f"{name}.svg", series, "half-open connections", "ns of CPU")


def plot_heat(path, t):
    """A square for each cell, 0 red to 100 green, the number in it."""
    high, wide = len(t["rows"]), len(t["columns"])
    names = ", ".join(f"\"{r['name']}\" {high - 1 - i}" for i, r in enumerate(t["rows"]))
    heads = ", ".join(f'"{c}" {i}' for i, c in enumerate(t["columns"]))
    cells = [(i, high - 1 - k, v) for k, r in enumerate(t["rows"]) for i, v in enumerate(r["cells"]) if v is not None]
    data = "\n".join(f"{x} {y} {v:.0f}" for x, y, v in cells) + "\ne"
    gnuplot("\n".join([
        f"set terminal svg size {320 + 75 * wide},{90 + 24 * high} font 'sans,11'\nset output '{path}'",
        f"set title \"{t['title']}\" noenhanced\nunset key\nunset colorbox\nset cbrange [0:100]",
        "set palette defined (0 '#d73027', 50 '#fee08b', 100 '#66bd63')",
        f"set ytics ({names}) noenhanced\nset xtics ({heads}) noenhanced",
        f"set xrange [-0.5:{wide - 0.5}]\nset yrange [-0.5:{high - 0.5}]",
        "plot '-' using 1:2:3 with image, '-' using 1:2:(sprintf('%d', $3)) with labels", data, data]))


def plot_tables(folder, name, data):
    for i, t in enumerate(data["tables"]):
        path = folder / (f"{name}.svg" if i == 0 else f"{name}_{i + 1}.svg")
        if t["plot"] == "heat":
            plot_heat(path, t)
        elif t["plot"] in ("lines", "curves"):
            series = {r["name"]: [(float(c), v) for c, v in zip(t["columns"], r["cells"]) if v] for r in t["rows"]}
            plot_lines(path, {row: points for row, points in series.items() if points}, "", t["title"])


def compare(old, new):
    lines = []
    for name in new:
        if name in old:
            change = f"{100 * (new[name] / old[name] - 1):+.0f} %" if old[name] else ""
            lines.append([name.replace(" | ", ": "), f"{old[name]:.1f}", f"{new[name]:.1f}", change])
    return markdown(["row", "before", "now", ""], lines)


def context_of(context):
    return f"{context['date'][:10]}, {context['num_cpus']} CPUs, load {context['load_avg'][0]:.1f} at the start"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--compare", type=pathlib.Path)
    parser.add_argument("--readme", type=pathlib.Path)
    parser.add_argument("names", nargs="+")
    asked = parser.parse_args()
    lines, everything, failed, context = [], {}, [], None
    for name in asked.names:
        path = asked.results / f"{name}.json"
        data = json.loads(path.read_text())
        context = context or data["context"]
        everything[name] = rows(path)
        failed += [f"{name}: {e}" for e in errors_of(data)]
        if "benchmarks" in data:
            measured, sizes = times_of(data)
            texts = [timed_table(name, measured, sizes)]
            plot_times(asked.results, name, measured)
        else:
            texts = given_tables(name, data)
            plot_tables(asked.results, name, data)
        lines += [f"### {name}", ""] + [line for table in texts for line in table]
        if asked.readme:
            put_into(asked.readme, name, texts, context_of(data["context"]))
    lines.append(context_of(context) + ".")
    if asked.compare:
        flat = {name: v for program in everything.values() for name, v in program.items()}
        lines += ["", f"Against {asked.compare.name}:", ""] + compare(rows(asked.compare), flat)
    text = "\n".join(lines) + "\n"
    (asked.results / "all.json").write_text(json.dumps(everything, indent=1))
    (asked.results / "results.md").write_text(text)
    print(text)
    for f in failed:
        print(f, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
