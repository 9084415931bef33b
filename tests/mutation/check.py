# SPDX-License-Identifier: BSL-1.0
"""Puts faults into the core, one at a time, and says which test noticed each. See README.md beside this file."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = ROOT / "include" / "listenq"
BUILD = ROOT / "build" / "mutation"
TREE = BUILD / "tree"

# The core. Presets hold no logic; describe, explain and mirror only show what the others decide.
PLACES = ["*.hpp", "detail/*.hpp", "queue/*.hpp", "policy/**/*.hpp", "wire/*.hpp", "stream/*.hpp"]
NOT_CORE = {"mirror.hpp", "describe.hpp", "explain.hpp", "chrono.hpp", "listenq.hpp", "version.hpp"}
ROOMS = ["policy", "detail", "queue", "core", "wire", "stream", "preset", "quirks", "static", "testing", "transport"]


def core():
    found = {path for place in PLACES for path in LIBRARY.glob(place)}
    return sorted(p.relative_to(LIBRARY).as_posix() for p in found if p.name not in NOT_CORE)


def put(path, text):
    """Writes a file unless it says that already: what is not written is not compiled again."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


# --- the changed copy ---------------------------------------------------------------------------------------------------

def with_runtime_checks(text, name):
    """A static_assert at namespace scope becomes a test case, so that it meets the faults, too."""
    out, at = [], 0
    for match in re.finditer(r"^static_assert\(", text, re.MULTILINE):
        end, depth = match.end(), 1
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        inside = re.sub(r',\s*"[^"]*"\s*$', "", text[match.end():end - 1])
        line = text.count("\n", 0, match.start()) + 1
        out += [text[at:match.start()], f'TEST_CASE("static_assert, {name}:{line}") {{ CHECK(({inside})); }}']
        at = end
    if not out:
        return text
    out.append(text[at:])
    return "#include <doctest/doctest.h>\n" + "".join(out)


def named_faults():
    with open(HERE / "faults.toml", "rb") as file:
        return tomllib.load(file).get("fault", [])


def accepted():
    with open(HERE / "accepted.toml", "rb") as file:
        return {(a["file"], a["line"], a["fault"]): a["reason"] for a in tomllib.load(file).get("accepted", [])}


def make_faults():
    """Writes build/mutation/tree; the faults that are in it."""
    import schemata
    faults, headers = [], {}
    for file in core():
        headers[str(LIBRARY / file)] = schemata.Header(file, (LIBRARY / file).read_text(), faults)
    source = BUILD / "all.cpp"
    put(source, "".join(f"#include <listenq/{file}>\n" for file in core()))
    schemata.walk(schemata.parse(source, [f"-I{ROOT / 'include'}"]), headers)
    by_file = {h.file: h for h in headers.values()}
    for f in named_faults():
        by_file[f["file"]].named(f["name"], f["find"], f["put"], f["rule"])
    times = collections.Counter()
    for fault in faults:
        times[fault.key] += 1
        if times[fault.key] > 1:
            fault.change += f" #{times[fault.key]}"
    for path in (ROOT / "include").rglob("*.hpp"):
        name = path.relative_to(LIBRARY).as_posix()
        put(TREE / "include" / "listenq" / name, by_file[name].changed() if name in by_file else path.read_text())
    put(TREE / "include" / "listenq_fault.hpp", (HERE / "fault.hpp").read_text())
    wanted = set()
    for path in (ROOT / "tests").rglob("*"):
        name = path.relative_to(ROOT / "tests")
        if path.suffix not in (".cpp", ".hpp") or name.parts[0] in ("compile_fail", "consumer", "mutation"):
            continue
        wanted.add(TREE / "tests" / name)
        put(TREE / "tests" / name, with_runtime_checks(path.read_text(), name) if path.suffix == ".cpp"
            else path.read_text())
    for path in (TREE / "tests").rglob("*.?pp"):
        if path not in wanted:
            path.unlink()
    return faults


CMAKE = """cmake_minimum_required(VERSION 3.25)
project(listenq_mutation CXX)
find_package(doctest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(Threads REQUIRED)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
include_directories(include tests tests/support)
include_directories(SYSTEM "$<TARGET_PROPERTY:rapidcheck,INTERFACE_INCLUDE_DIRECTORIES>")
add_compile_options(-O0 -w -Wno-narrowing)
add_library(main STATIC "@HERE@/main.cpp")
link_libraries(main rapidcheck Threads::Threads)
@TARGETS@
"""


def build(rooms):
    """Builds a program for each room: all its test files, or for a property one. Their paths."""
    targets = []
    for room in rooms:
        if room.startswith("property_"):
            sources = [f"tests/property/{room.removeprefix('property_')}.cpp"]
        else:
            pattern = "*.cpp" if room == "core" else f"{room}/**/*.cpp"
            sources = sorted(p.relative_to(TREE).as_posix() for p in (TREE / "tests").glob(pattern))
        targets.append(f"add_executable({room} {' '.join(sources)})")
    put(TREE / "CMakeLists.txt", CMAKE.replace("@HERE@", str(HERE)).replace("@TARGETS@", "\n".join(targets)))
    log = BUILD / "build.log"
    with open(log, "w") as out:
        for command in (["cmake", "-S", TREE, "-B", BUILD / "out", "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
                         *os.environ.get("LISTENQ_CMAKE", "").split()],
                        ["cmake", "--build", BUILD / "out", "--", "-k0"]):
            if subprocess.run(command, stdout=out, stderr=out, check=False).returncode != 0:
                raise SystemExit(f"The changed copy does not build; see {log}\n" + "".join(
                    line for line in open(log, errors="replace") if ": error:" in line)[:3000])
    return {room: BUILD / "out" / room for room in rooms}


# --- runs -----------------------------------------------------------------------------------------------------------------

# Many draws for one small claim: they notice little that nothing else does, and take most of the time.
SLOW = ("random ACKs pass*,with everything but the MAC*,evict_*newcomers*,evict_random*,drop: L*,*holds what explain*,"
        "what a codec carries*,every segment and every timer*,two listeners over one*")


def record(room, program, slow=SLOW):
    """What each of its test cases reaches: name -> (seconds, numbers of faults)."""
    file = BUILD / f"{room}.reached"
    env = dict(os.environ, LISTENQ_FAULT_REACHED=str(file))
    done = subprocess.run([program, "--minimal", f"--test-case-exclude={slow}"], env=env, capture_output=True,
                          text=True, check=False, cwd=BUILD)
    if done.returncode != 0:
        raise SystemExit(f"{room} fails without any fault:\n{done.stdout[-3000:]}")
    reached = {}
    for line in file.read_text().splitlines():
        name, micros, _, numbers = line.split("\t")
        reached[name] = int(micros) / 1e6, set(map(int, numbers.split()))
    return reached


def run(program, fault, tests, seconds):
    """The name of the test case that notices, or None."""
    names = BUILD / "runs" / f"{program.name}.{fault.number}"
    names.write_text("\n".join(tests) + "\n")
    env = dict(os.environ, LISTENQ_FAULT=str(fault.number), LISTENQ_FAULT_TESTS=str(names))
    limit = int(2 + 10 * seconds)  # of processor time
    process = subprocess.run([program, "--minimal", "--no-breaks"], env=env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, cwd=BUILD, check=False, preexec_fn=lambda: (
                                 resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1)),
                                 resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
                                 resource.setrlimit(resource.RLIMIT_CORE, (0, 0))))
    names.unlink()
    if process.returncode == 0:
        return None
    how = f" ({signal.Signals(-process.returncode).name})" if process.returncode < 0 else ""
    started = [line[1:] for line in process.stderr.decode(errors="replace").splitlines() if line.startswith("@")]
    return (started[-1] if started else "?") + how


def notice(fault, programs, reached, before):
    """(room, test case) that notices the fault; (None, None) if none does."""
    known = before.get("|".join(fault.key))
    if known and known[0] in programs and known[1] in reached[known[0]]:
        room, test = known
        if found := run(programs[room], fault, [test], reached[room][test][0]):
            return room, found
    # First a few that are quick and reach little else, of all rooms; then the quick ones; then all the others.
    able = sorted((took * (100 + len(numbers)), took, room, name) for room, cases in reached.items()
                  for name, (took, numbers) in cases.items() if fault.number in numbers)
    tried = 0
    for most in (12, 100, len(able)):
        of_rooms = collections.defaultdict(list)
        for _, took, room, name in able[tried:most]:
            of_rooms[room].append((took, name))
        tried = max(tried, most)
        for room, tests in sorted(of_rooms.items(), key=lambda r: sum(t for t, _ in r[1])):
            if found := run(programs[room], fault, [n for _, n in tests], sum(t for t, _ in tests)):
                return room, found
    return None, None


def main():
    parser = argparse.ArgumentParser(prog="tests/mutation/run", description=__doc__)
    parser.add_argument("--only", metavar="FILE", help="faults in files whose path holds FILE")
    parser.add_argument("--named", action="store_true", help="the named faults only")
    parser.add_argument("--sample", type=int, metavar="N", help="N faults, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="for the draw (1)")
    parser.add_argument("--again", action="store_true", help="only those that nothing noticed last time")
    parser.add_argument("--rooms", help="comma-separated rooms of tests to run instead of all")
    parser.add_argument("--long", action="store_true", help="with the property tests")
    parser.add_argument("--list", action="store_true", help="list the faults, run nothing")
    given = parser.parse_args()

    (BUILD / "runs").mkdir(parents=True, exist_ok=True)
    faults = make_faults()
    if given.list:
        for f in faults:
            print(f"{f.number}\t{f.file}:{f.line}\t{f.name or f.change}")
        return 0
    rooms = given.rooms.split(",") if given.rooms else list(ROOMS)
    if given.long:
        rooms += [f"property_{p.stem}" for p in sorted((ROOT / "tests" / "property").glob("*.cpp"))]
    begun = time.monotonic()
    programs = build(rooms)
    print(f"{len(faults)} faults, built in {time.monotonic() - begun:.0f} s", flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        reached = dict(zip(programs, pool.map(lambda r: record(*r, "" if given.long else SLOW), programs.items())))
    every = set().union(*(n for cases in reached.values() for _, n in cases.values()))

    results = BUILD / "results.json"
    before = json.loads(results.read_text()) if results.exists() else {}
    chosen = [f for f in faults if (not given.only or given.only in f.file) and (not given.named or f.name)]
    if given.again:
        chosen = [f for f in chosen if before.get("|".join(f.key), [None])[0] is None]
    if given.sample and given.sample < len(chosen):
        chosen = random.Random(given.seed).sample(chosen, given.sample)
    excused = accepted()

    to_run = [f for f in chosen if f.number in every]
    first = ("detail/", "queue/", "listener", "policy/", "group")  # what matters most, in case one stops it half-way
    to_run.sort(key=lambda f: next((i for i, start in enumerate(first) if f.file.startswith(start)), len(first)))
    begun, found = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(2) as pool, open(BUILD / "progress", "w", buffering=1) as progress:
        for fault, by in zip(to_run, pool.map(lambda f: notice(f, programs, reached, before), to_run)):
            found.append(by)
            if by[0]:
                progress.write(f"{len(found)} of {len(to_run)}\n")
            else:
                progress.write(f"{len(found)} of {len(to_run)}: unnoticed: {fault.file}:{fault.line}: "
                               f"{fault.name or fault.change}\n    | {fault.text}\n")
    for fault, by in zip(to_run, found):
        before["|".join(fault.key)] = by
    for fault in chosen:
        if fault.number not in every:
            before["|".join(fault.key)] = (None, "unreached")
    results.write_text(json.dumps(before, indent=0))

    by_room = collections.Counter(room for room, _ in found if room)
    unnoticed = [f for f, (room, _) in zip(to_run, found) if room is None]
    unreached = [f for f in chosen if f.number not in every]
    with open(BUILD / "report.txt", "w") as report:
        for fault, (room, test) in sorted(zip(to_run, found), key=lambda p: p[0].number):
            by = f"{room}: {test}" if room else "NOBODY"
            report.write(f"{fault.file}:{fault.line}: {fault.name or fault.change}\n    {by}\n")
        for fault in unreached:
            report.write(f"{fault.file}:{fault.line}: {fault.name or fault.change}\n    UNREACHED\n")
    status = 0
    for kind, those in (("unnoticed", unnoticed), ("not reached", unreached)):
        for f in sorted(those, key=lambda f: (f.file, f.line)):
            if f.key in excused:
                continue
            status = 1
            print(f"{kind}: {f.file}:{f.line}: {f.name + ': ' if f.name else ''}{f.change}\n    | {f.text}")
    stale = [] if given.only or given.named or given.sample or given.again else sorted(
        set(excused) - {f.key for f in unnoticed + unreached})
    for key in stale:
        print("accepted.toml: no longer needed:", " | ".join(key))
    open_ones = [f for f in unnoticed + unreached if f.key not in excused]
    print(f"{len(chosen)} faults, {len(to_run)} reached, {sum(by_room.values())} noticed, "
          f"{len(unnoticed) + len(unreached) - len(open_ones)} accepted with a reason, {len(open_ones)} open; "
          f"{time.monotonic() - begun:.0f} s")
    print("noticed by:", ", ".join(f"{room} {n}" for room, n in by_room.most_common()))
    print(f"Who noticed what: {BUILD / 'report.txt'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
