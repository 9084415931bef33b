#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a translation unit pays: for including the core, for a composition more, for the mirror.

usage: compile_time.py [--quick | --smoke] [--out FILE]

Each row is a file that is compiled again and again, in turns with the others, by every compiler that there is and without
a cache of what they have compiled; it is the least CPU time, and `more` what it took beyond the row that it builds on.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]

CORE = "#include <listenq/listenq.hpp>\nusing namespace listenq;\n"
# Compositions that differ: each is a type of its own to the compiler.
NAMED = "template <int N> using door = listener<request_full<reset>, isn<fixed_isn<N>>>;\n"
NAME = "static_assert(door<{0}>::bytes_per_request > 0);\n"
USE = """outcome use{0}(door<{0}>& d, const segment& s, null_sink& out) {{
  d.listen(5, 0);
  d.tick(1, out);
  d.accept(2);
  return d.receive(s, 3, out);
}}
"""
MIRROR = "#include <listenq/mirror.hpp>\n#include <listenq/preset/linux_6_18.hpp>\n"
CHANGE = "static_assert(sizeof(with<preset::linux_6_18, isn<fixed_isn<{0}>>>) > 0);\n"


def many(text, n):
    return "".join(text.format(i) for i in range(n))


FRONT, BACK = ["-fsyntax-only"], ["-O2", "-c", "-o", os.devnull]
# name -> (source, flags, what it is compared with, how many of them there are in it)
ROWS = {
    "an empty file": ("", FRONT, None, 1),
    "<listenq/listenq.hpp>": (CORE, FRONT, "an empty file", 1),
    "<vector>, <string>, <algorithm>": ("#include <vector>\n#include <string>\n#include <algorithm>\n", FRONT,
                                        "an empty file", 1),
    "<listenq/mirror.hpp> (Hana)": (CORE + MIRROR, FRONT, "<listenq/listenq.hpp>", 1),
    "a composition": (CORE + NAMED + many(NAME, 1), FRONT, "<listenq/listenq.hpp>", 1),
    "each composition more": (CORE + NAMED + many(NAME, 11), FRONT, "a composition", 10),
    "a composition changed by the mirror": (CORE + MIRROR + many(CHANGE, 1), FRONT, "<listenq/mirror.hpp> (Hana)", 1),
    "each change by the mirror more": (CORE + MIRROR + many(CHANGE, 11), FRONT, "a composition changed by the mirror", 10),
    "<listenq/listenq.hpp>, -O2": (CORE, BACK, None, 1),
    "a composition used, -O2": (CORE + NAMED + many(USE, 1), BACK, "<listenq/listenq.hpp>, -O2", 1),
    "each composition used more, -O2": (CORE + NAMED + many(USE, 3), BACK, "a composition used, -O2", 2),
}


def cpu_of(command):
    """Seconds of CPU of a command, user and system; None if it fails."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.stderr.write(errors.decode())
        return None
    return used.ru_utime + used.ru_stime


def compilers():
    """name -> path, none of them a cache that only looks like a compiler."""
    found = {}
    for name in ("g++", "clang++-19", "clang++-18", "clang++-16", "clang++-15", "clang++"):
        for folder in ("/usr/bin", "/usr/local/bin", *os.environ.get("PATH", "").split(":")):
            path = shutil.which(name, path=folder)
            if path and "ccache" not in os.path.realpath(path):
                kind = "g++" if name == "g++" else "clang++"
                found.setdefault(kind, path)
                break
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    asked = parser.parse_args()
    times = 1 if asked.smoke else 2 if asked.quick else 10
    rows = {n: r for n, r in ROWS.items() if not asked.smoke or not ("more" in n or "mirror" in n or "-O2" in n)}
    found = compilers()
    if asked.smoke:
        found = dict(list(found.items())[:1])
    load = os.getloadavg()[0]
    least = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for i, (name, (source, _, _, _)) in enumerate(rows.items()):
            files[name] = pathlib.Path(folder) / f"{i}.cpp"
            files[name].write_text(source)
        for _ in range(times):
            for kind, compiler in found.items():
                for name, (_, flags, _, _) in rows.items():
                    took = cpu_of([compiler, "-std=c++20", f"-I{ROOT / 'include'}", *flags, str(files[name])])
                    if took is None:
                        print(f"{compiler} does not take {name}", file=sys.stderr)
                        return 1
                    least[kind, name] = min(took, least.get((kind, name), took))
    kinds = list(found)
    table = {"title": "Compile time, ms of CPU", "digits": 1, "plot": "",
             "columns": [c for kind in kinds for c in (kind, "more")], "rows": [],
             "note": f"The least of {times}. more: beyond the row that it is compared with, for each: an empty file for "
                     "headers; the header for a composition; one composition for the next ones. -fsyntax-only where it "
                     "does not say -O2."}
    for name, (_, _, base, count) in rows.items():
        cells = []
        for kind in kinds:
            ms = 1000 * least[kind, name]
            cells += [ms, (ms - 1000 * least[kind, base]) / count if base else None]
        table["rows"].append({"name": name, "cells": cells})
    skipped = [f"{kind}: there is none" for kind in ("g++", "clang++") if kind not in found]
    result = {"context": {"date": datetime.datetime.now().isoformat(timespec="seconds"), "num_cpus": os.cpu_count(),
                          "load_avg": [load]}, "tables": [table], "skipped": skipped}
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1))
    else:
        for row in table["rows"]:
            print(f"{row['name']:44}" + "".join(f"{'' if c is None else round(c, 1):>10}" for c in row["cells"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
