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
import pathlib
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = ROOT / "include" / "listenq"
sys.path.insert(0, str(HERE.parent / "mutation"))
import check  # noqa: E402  which headers are the core, with stream/ and wire/

CORE = set(check.core())
ROOMS = ("core", "stream", "wire", "testing", "transport")


def room(file):
    first = file.split("/")[0]
    return first if first in ROOMS else "core" if file in CORE else None


def gcov(object_file):
    command = ["gcov", "--json-format", "--branch-counts", "--branch-probabilities", "--stdout", object_file]
    return subprocess.run(command, check=True, capture_output=True).stdout


def read(build):
    """(file, line) -> times run; (file, line) -> {kinds of its branches: times taken}."""
    run, taken = collections.Counter(), collections.defaultdict(dict)
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
                        kinds = tuple(b["throw"] for b in line["branches"])
                        counts = [b["count"] for b in line["branches"]]
                        before = taken[place].get(kinds, [0] * len(kinds))
                        taken[place][kinds] = [a + b for a, b in zip(before, counts)]
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
        branches = [count > 0 for kinds, counts in taken[file, number].items()
                    for thrown, count in zip(kinds, counts) if not thrown]
        total[room(file)].update(lines=1, run=times > 0, branches=len(branches), taken=sum(branches))
        if times > 0 and all(branches):
            continue
        missing = f"{branches.count(False)} of {len(branches)} branches" if times > 0 else "never run"
        text = (LIBRARY / file).read_text().splitlines()[number - 1].strip()
        if (file, text, missing) in excused:
            needed.add((file, text, missing))
            total[room(file)].update(excused_lines=times == 0, excused=branches.count(False))
        elif file in CORE:
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
