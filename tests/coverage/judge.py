# SPDX-License-Identifier: BSL-1.0
"""Lines that no test ran and branches that none took; accepted.toml excuses some, with reasons.

usage: judge.py BUILD [--part]    prints the places and a table; exit status 1 when there is a place. The same table for
each header: BUILD/report.txt.
--part: only some rooms of tests ran, so nothing is said of excuses that are no longer needed.

It asks gcov itself: gcovr adds branch 2 of one instantiation to branch 2 of another even where `if constexpr` has left
them different branches, and takes the edge of an exception for a branch where it was never run. Here instantiations are
added up when they have as many branches, those of exceptions left out.
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


def ours(branches):
    """How often each was taken. A call that may throw has two edges, the way back and, behind it, that of the exception:
    neither is a branch of ours, and whether there are any depends on what else the compiler has seen of the function."""
    counts = []
    for branch in branches:
        if branch["throw"]:
            counts.pop()
        else:
            counts.append(branch["count"])
    return counts


def folded(named, strung):
    """Rows of one place, one an instantiation, added up where they are as long. Those of a lambda gcov strings together,
    and some of them it gives no name: the longest that all of these rows may be made of is one instantiation's."""
    rows = named + strung
    if strung:
        one = math.gcd(*map(len, rows))
        rows = [row[i:i + one] for row in rows for i in range(0, len(row), one)]
    sums = {}
    for row in rows:
        sums[len(row)] = [a + b for a, b in zip(sums.get(len(row), [0] * len(row)), row)]
    return [count for counts in sums.values() for count in counts]


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
                        if counts := ours(line["branches"]):
                            (named if "function_name" in line else strung)[place].append(counts)
    return run, {place: folded(named[place], strung[place]) for place in run}


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
        for whole in room(file), file:
            total[whole].update(lines=1, run=times > 0, branches=len(branches), taken=sum(branches))
        if times > 0 and all(branches):
            continue
        missing = f"{branches.count(False)} of {len(branches)} branches" if times > 0 else "never run"
        if (file, text, missing) in excused:
            needed.add((file, text, missing))
            for whole in room(file), file:
                total[whole].update(excused_lines=times == 0, excused=branches.count(False))
        elif file in WITH_LOGIC:
            places.append(f"{file}:{number}: {missing}\n    | {text}")
    for place in places:
        print(place)
        status = 1
    for key in [] if "--part" in sys.argv else sorted(excused - needed):
        print("accepted.toml: no longer needed:", " | ".join(key))
        status = 1

    def row(name):
        c = total[name]
        return (f"{name}: {c['run']} of {c['lines']} lines, {c['taken']} of {c['branches']} branches; "
                f"excused {c['excused_lines']} and {c['excused']}")
    print(*map(row, ROOMS), sep="\n")
    headers = sorted(total.keys() - set(ROOMS))
    pathlib.Path(sys.argv[1], "report.txt").write_text("".join(f"{row(name)}\n" for name in headers))
    return status


if __name__ == "__main__":
    sys.exit(main())
