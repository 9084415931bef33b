# SPDX-License-Identifier: BSL-1.0
"""Lines that no test ran and branches that none took; accepted.toml excuses some, with reasons.

usage: judge.py BUILD [--part]    prints the places and a table; exit status 1 when there is a place.
--part: only some rooms of tests ran, so nothing is said of excuses that are no longer needed.

It asks gcov itself: gcovr adds branch 2 of one instantiation to branch 2 of another even where `if constexpr` has left
them different branches, and takes the edge of an exception for a branch where it was never run. Here instantiations are
added up when they have the same branches, edges of exceptions left out.
"""
import collections
import concurrent.futures
import json
import math
import pathlib
import re
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = ROOT / "include" / "listenq"
sys.path.insert(0, str(HERE.parent / "mutation"))
import check  # noqa: E402  which headers have logic, and which of them are the core

WITH_LOGIC = set(check.headers_with_logic())
ROOMS = ("core", "stream", "wire", "testing", "transport")


def room(file):
    first = file.split("/")[0]
    return first if first in ROOMS else "core" if file in WITH_LOGIC else None


# What the language writes for us has no branches of ours.
DEFAULTED = re.compile(r"= default;$")


def gcov(object_file):
    command = ["gcov", "--json-format", "--branch-counts", "--branch-probabilities", "--stdout", object_file]
    return subprocess.run(command, check=True, capture_output=True).stdout


def folded(rows):
    """Rows of (edge of an exception?, times taken), one an instantiation, added up where they are of one kind. gcov strings
    the instantiations of a lambda together to one row: the longest row that all of them repeat is one instantiation's."""
    kinds = [tuple(thrown for thrown, _ in row) for row in rows]
    one = kinds[0][:math.gcd(*map(len, kinds))]
    if all(k == one * (len(k) // len(one)) for k in kinds):
        rows = [row[i:i + len(one)] for row in rows for i in range(0, len(row), len(one))]
    sums = {}
    for row in rows:
        kind = tuple(thrown for thrown, _ in row)
        sums[kind] = [a + count for a, (_, count) in zip(sums.get(kind, [0] * len(kind)), row)]
    return [count for kind, counts in sums.items() for thrown, count in zip(kind, counts) if not thrown]


def read(build):
    """(file, line) -> times run; (file, line) -> times that each of its branches was taken."""
    run, named, strung = collections.Counter(), collections.defaultdict(list), collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for out in pool.map(gcov, sorted(build.rglob("*.gcda"))):
            for unit in map(json.loads, out.splitlines()):
                for file in unit["files"]:
                    path = pathlib.Path(unit["current_working_directory"], file["file"])
                    if not path.is_relative_to(LIBRARY):
                        continue
                    name = path.relative_to(LIBRARY).as_posix()
                    for line in file["lines"]:
                        place = name, line["line_number"]
                        run[place] += line["count"]
                        if line["branches"]:
                            row = [(b["throw"], b["count"]) for b in line["branches"]]
                            (named if "function_name" in line else strung)[place].append(row)
    taken = {}
    for place in run:
        kinds = collections.defaultdict(list)
        for row in named[place]:
            kinds[tuple(thrown for thrown, _ in row)].append(row)
        taken[place] = [count for rows in kinds.values() for count in folded(rows)]
        if strung[place]:
            taken[place] += folded(strung[place])
    return run, taken


def main():
    run, taken = read(pathlib.Path(sys.argv[1]).resolve())
    excused = {(a["file"], a["line"], a["missing"])
               for a in tomllib.loads((HERE / "accepted.toml").read_text()).get("accepted", [])}
    needed, places, status = set(), [], 0
    total = collections.defaultdict(collections.Counter)
    for (file, number), times in sorted(run.items()):
        if room(file) is None:
            continue
        text = (LIBRARY / file).read_text().splitlines()[number - 1].strip()
        branches = [] if DEFAULTED.search(text) else [count > 0 for count in taken[file, number]]
        total[room(file)].update(lines=1, run=times > 0, branches=len(branches), taken=sum(branches))
        if times > 0 and all(branches):
            continue
        missing = f"{branches.count(False)} of {len(branches)} branches" if times > 0 else "never run"
        if (file, text, missing) in excused:
            needed.add((file, text, missing))
            total[room(file)].update(excused_lines=times == 0, excused=branches.count(False))
        elif file in WITH_LOGIC:
            places.append(f"{file}:{number}: {missing}\n    | {text}")
    for place in places:
        print(place)
        status = 1
    for key in [] if "--part" in sys.argv else sorted(excused - needed):
        print("accepted.toml: no longer needed:", " | ".join(key))
        status = 1
    for name in ROOMS:
        c = total[name]
        print(f"{name}: {c['run']} of {c['lines']} lines, {c['taken']} of {c['branches']} branches; "
              f"excused {c['excused_lines']} and {c['excused']}")
    return status


if __name__ == "__main__":
    sys.exit(main())
