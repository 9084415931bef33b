# SPDX-License-Identifier: BSL-1.0
"""Puts faults into the core, one at a time, and says which test noticed each. See README.md beside this file."""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = ROOT / "include" / "listenq"
BUILD = ROOT / "build" / "mutation"
TREE = BUILD / "tree"

# Presets hold no logic; describe, explain and mirror only show what the others decide.
PLACES = ["*.hpp", "detail/*.hpp", "queue/*.hpp", "policy/**/*.hpp", "wire/*.hpp", "stream/*.hpp"]
NO_LOGIC = {"mirror.hpp", "describe.hpp", "explain.hpp", "chrono.hpp", "listenq.hpp", "version.hpp"}
BESIDE_THE_CORE = ("wire/", "stream/")
ROOMS = ["policy", "detail", "queue", "core", "quirks", "security"]
ROOMS_BESIDE = ["wire", "stream"]
LATER = ["preset", "static", "testing", "transport"]  # built only if the others leave a fault unnoticed
BLOCK = 1000  # numbers for each header, so that a change in one does not renumber, and build, the others


def headers_with_logic():
    found = {path for place in PLACES for path in LIBRARY.glob(place)}
    return sorted(p.relative_to(LIBRARY).as_posix() for p in found if p.name not in NO_LOGIC)


def in_core(file):
    return not file.startswith(BESIDE_THE_CORE)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A line on stderr every few seconds."""

    def __init__(self, every=10):
        self.every, self.last = every, time.monotonic()

    def __call__(self, text):
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            say("  " + text)


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
    """The faults of all headers, and a header with them: a map from name to schemata.Header."""
    import schemata
    faults, headers = [], {}
    for n, file in enumerate(headers_with_logic()):
        headers[str(LIBRARY / file)] = schemata.Header(file, (LIBRARY / file).read_text(), faults, n * BLOCK)
    source = BUILD / "all.cpp"
    put(source, "".join(f"#include <listenq/{header.file}>\n" for header in headers.values()))
    schemata.walk(schemata.parse(source, [f"-I{ROOT / 'include'}"]), headers)
    by_file = {h.file: h for h in headers.values()}
    for f in named_faults():
        by_file[f["file"]].named(f["name"], f["find"], f["put"], f["rule"])
    times = collections.Counter()
    for fault in faults:
        times[fault.key] += 1
        if times[fault.key] > 1:
            fault.change += f" #{times[fault.key]}"
    most = collections.Counter(fault.file for fault in faults).most_common(1)
    assert not most or most[0][1] < BLOCK, f"too many faults in {most}"
    return faults, by_file


def write_tree(by_file):
    """Writes build/mutation/tree; a number that changes with what is in it."""
    written = {}
    for path in (ROOT / "include").rglob("*.hpp"):
        name = path.relative_to(LIBRARY).as_posix()
        written[TREE / "include" / "listenq" / name] = (by_file[name].changed() if name in by_file
                                                        else path.read_text())
    written[TREE / "include" / "listenq_fault.hpp"] = (HERE / "fault.hpp").read_text()
    for path in (ROOT / "tests").rglob("*"):
        name = path.relative_to(ROOT / "tests")
        if path.suffix not in (".cpp", ".hpp") or name.parts[0] in ("compile_fail", "consumer", "mutation"):
            continue
        written[TREE / "tests" / name] = (with_runtime_checks(path.read_text(), name) if path.suffix == ".cpp"
                                          else path.read_text())
    for path in TREE.glob("*/**/*.?pp"):
        if path not in written:
            path.unlink()
    stamp = hashlib.sha256((HERE / "main.cpp").read_bytes())
    for path, text in sorted(written.items()):
        put(path, text)
        stamp.update(f"{path}\0{text}\0".encode())
    return stamp.hexdigest()[:16]


CMAKE = """cmake_minimum_required(VERSION 3.25)
project(listenq_mutation CXX)
find_package(doctest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(Threads REQUIRED)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
include_directories(include tests tests/support)
include_directories(SYSTEM "$<TARGET_PROPERTY:rapidcheck,INTERFACE_INCLUDE_DIRECTORIES>")
add_compile_options(-O0 -w -Wno-narrowing @FLAGS@)
add_library(main STATIC "@HERE@/main.cpp")
link_libraries(main rapidcheck Threads::Threads)
@TARGETS@
"""


def compiler():
    """clang++ takes half the time of g++. With the CPU's vectors switched on everywhere the functions of fault.hpp can
    take and return those of siphash_lanes.hpp. A CPU without AVX-512 cannot be asked about that header."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text().split()
    flags = [f"-m{vectors}" for vectors in ("avx2", "avx512f") if vectors in cpu]
    for name in ("clang++-19", "clang++-18", "clang++-16", "clang++-15", "clang++"):
        if shutil.which(name):
            return name, ["-fbracket-depth=2000", *flags]
    return "g++", flags


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
    name, flags = compiler()
    out_dir = BUILD / f"out-{name}"
    put(TREE / "CMakeLists.txt", CMAKE.replace("@HERE@", str(HERE)).replace("@TARGETS@", "\n".join(targets))
        .replace("@FLAGS@", " ".join(flags)))
    log = BUILD / "build.log"
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    with open(log, "w", buffering=1) as out:
        for command in (["cmake", "-S", TREE, "-B", out_dir, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={name}", *launcher],
                        ["cmake", "--build", out_dir, "--target", *rooms, "--", "-k0"]):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       errors="replace", start_new_session=True)
            progress = Progress()
            try:
                for line in process.stdout:
                    out.write(line)
                    if line.startswith("["):
                        progress(line.split("]")[0][1:].replace("/", " of ") + " built")
            except KeyboardInterrupt:
                os.killpg(process.pid, signal.SIGTERM)  # with the compilers that it has started
                process.wait()
                raise
            if process.wait() != 0:
                raise SystemExit(f"The changed copy does not build; see {log}\n" + "".join(
                    line for line in open(log, errors="replace") if ": error:" in line)[:3000])
    return {room: out_dir / room for room in rooms}


# --- runs -----------------------------------------------------------------------------------------------------------------

# Many draws for one small claim: they notice little that nothing else does, and take most of the time.
SLOW = ("random ACKs pass*,with everything but the MAC*,evict_*newcomers*,evict_random*,drop: L*,*holds what explain*,"
        "every segment and every timer*,two listeners over one*")


def record(room, program, stamp, slow):
    """What each of its test cases reaches: name -> (seconds, numbers of faults)."""
    file = BUILD / "reached" / f"{room}.{stamp}{'' if slow else '.long'}"
    if not file.exists():
        for old in file.parent.glob(f"{room}.*"):
            old.unlink()
        partial = BUILD / "runs" / f"{room}.{os.getpid()}.reached"
        env = dict(os.environ, LISTENQ_FAULT_REACHED=str(partial))
        done = subprocess.run([program, "--minimal", f"--test-case-exclude={slow}"], env=env, capture_output=True,
                              text=True, check=False, cwd=BUILD)
        if done.returncode != 0:
            raise SystemExit(f"{room} fails without any fault:\n{done.stdout[-3000:]}")
        partial.rename(file)
        say(f"  {room}")
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
    try:
        # In a session of its own: Ctrl-C must not look like a test that fails.
        process = subprocess.run([program, "--minimal", "--no-breaks"], env=env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, cwd=BUILD, check=False, start_new_session=True,
                                 timeout=600, preexec_fn=lambda: (
                                     resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1)),
                                     resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
                                     resource.setrlimit(resource.RLIMIT_CORE, (0, 0))))
    except subprocess.TimeoutExpired:
        return "? (waits for ever)"
    finally:
        names.unlink()
    if process.returncode == 0:
        return None
    how = f" ({signal.Signals(-process.returncode).name})" if process.returncode < 0 else ""
    started = [line[1:] for line in process.stderr.decode(errors="replace").splitlines() if line.startswith("@")]
    return (started[-1] if started else "?") + how


def notice(fault, programs, reached, before, excused=False):
    """(room, test case) that notices the fault; (None, why) if none does. Of an excused one the hundred quickest tests
    are asked only."""
    room, test = before or (None, None)
    if room in programs and test in reached[room]:
        if found := run(programs[room], fault, [test], reached[room][test][0]):
            return room, found
    # First a few that are quick and reach little else, of all rooms; then the quick ones; then all the others.
    able = sorted((took * (100 + len(numbers)), took, room, name) for room, cases in reached.items()
                  for name, (took, numbers) in cases.items() if fault.number in numbers)
    if not able:
        return None, "not reached"
    tried = 0
    for most in (12, 100) if excused else (12, 100, len(able)):
        of_rooms = collections.defaultdict(list)
        for _, took, room, name in able[tried:most]:
            of_rooms[room].append((took, name))
        tried = max(tried, most)
        for room, tests in sorted(of_rooms.items(), key=lambda r: sum(t for t, _ in r[1])):
            if found := run(programs[room], fault, [n for _, n in tests], sum(t for t, _ in tests)):
                return room, found
    return None, "unnoticed"


# --- results: a line for each fault, written as soon as it is known ------------------------------------------------------

RESULTS = BUILD / "results.jsonl"
JOBS = int(os.environ.get("LISTENQ_JOBS", os.cpu_count()))


def earlier_results():
    """key -> (room or None, test or why not, stamp of the tree); of several, the last."""
    found = {}
    if RESULTS.exists():
        for line in RESULTS.read_text().splitlines():
            try:
                key, room, test, stamp = json.loads(line)
                found[tuple(key)] = room, test, stamp
            except ValueError:  # the end of a run that was killed
                continue
    return found


def compact(before):
    """Writes the results anew, one line for each fault."""
    whole = RESULTS.with_suffix(".new")
    whole.write_text("".join(json.dumps([key, *result]) + "\n" for key, result in before.items()))
    whole.replace(RESULTS)


def write_report(faults, found):
    with open(BUILD / "report.txt", "w") as report:
        for fault in sorted(faults, key=lambda f: f.number):
            room, test = found[fault.number]
            report.write(f"{fault.file}:{fault.line}: {fault.name or fault.change}\n"
                         f"    {f'{room}: {test}' if room else test.upper()}\n")


def try_all(to_try, programs, reached, stamp, before, found, excused=()):
    """Adds to `found`: number -> (room, test case), or (None, why). False if it was interrupted."""
    progress, stop, missed = Progress(), threading.Event(), 0

    def one(fault):
        return (None, "interrupted") if stop.is_set() else notice(fault, programs, reached,
                                                                  before.get(fault.key, (None, None))[:2],
                                                                  fault.key in excused)
    with open(RESULTS, "a", buffering=1) as results, concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        waiting = {pool.submit(one, fault): fault for fault in to_try}
        try:
            for n, done in enumerate(concurrent.futures.as_completed(waiting), 1):
                fault, (room, test) = waiting[done], done.result()
                if room is None and found.get(fault.number, (None, "not reached"))[1] != "not reached":
                    test = "unnoticed"
                found[fault.number] = room, test
                results.write(json.dumps([fault.key, room, test, stamp]) + "\n")
                missed += room is None
                progress(f"{n} of {len(to_try)}, {missed} of them not noticed")
        except KeyboardInterrupt:
            stop.set()
            return False
    return True


def select(given, faults, before):
    """The faults to try, or a sentence why there are none."""
    chosen = [f for f in faults if given.only or given.all or in_core(f.file)]
    for asked, keep, why in (
            (given.only, lambda f: any(o in f.file for o in given.only), f"no fault in --only {given.only}"),
            (given.named, lambda f: f.name, "no fault of faults.toml is among them (--named)"),
            (given.again, lambda f: before.get(f.key, ("?",))[0] is None, "no fault of these went unnoticed last time")):
        if asked:
            chosen = [f for f in chosen if keep(f)]
            if not chosen:
                return [], why
    if given.sample is not None and given.sample < len(chosen):
        chosen = random.Random(given.seed).sample(chosen, given.sample)
    return chosen, ""


def main():
    parser = argparse.ArgumentParser(prog="tests/mutation/run", description=__doc__)
    parser.add_argument("--all", action="store_true", help="wire/ and stream/, too")
    parser.add_argument("--only", metavar="FILE", action="append",
                        help="faults in headers whose path holds FILE; several times for several")
    parser.add_argument("--named", action="store_true", help="the named faults only")
    parser.add_argument("--sample", type=int, metavar="N", help="N faults, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="for the draw (1)")
    parser.add_argument("--again", action="store_true", help="only those that nothing noticed last time")
    parser.add_argument("--resume", action="store_true", help="keep the results that there are for these very sources")
    parser.add_argument("--rooms", help="comma-separated rooms of tests to run instead of all")
    parser.add_argument("--long", action="store_true", help="with the property tests")
    parser.add_argument("--list", action="store_true", help="list the faults, run nothing")
    given = parser.parse_args()

    # What cannot be done is refused before anything is built.
    for part in given.only or []:
        if not any(part in file for file in headers_with_logic()):
            parser.error(f"--only {part}: no header that gets faults has this in its path below include/listenq")
    if given.sample is not None and given.sample < 1:
        parser.error("--sample takes a number from 1 on")
    properties = [f"property_{p.stem}" for p in sorted((ROOT / "tests" / "property").glob("*.cpp"))]
    for room in given.rooms.split(",") if given.rooms else []:
        if room not in ROOMS + ROOMS_BESIDE + LATER + properties:
            parser.error(f"--rooms {room}: no such room; there are {', '.join(ROOMS + ROOMS_BESIDE + LATER)}")

    for place in ("runs", "reached"):
        (BUILD / place).mkdir(parents=True, exist_ok=True)
    say("reading the headers")
    faults, by_file = make_faults()
    before = earlier_results()
    chosen, why = select(given, faults, before)
    if not chosen:
        parser.error(why)
    if given.list:
        for f in chosen:
            print(f"{f.number}\t{f.file}:{f.line}\t{f.name or f.change}")
        return 0
    beside = any(not in_core(f.file) for f in chosen)
    groups = [given.rooms.split(",")] if given.rooms else [ROOMS + (ROOMS_BESIDE if beside else []), LATER]
    if given.long:
        groups[-1] = groups[-1] + properties
    # What matters most comes first, in case one stops it half-way.
    first = ("detail/", "queue/", "listener", "policy/", "group")
    chosen.sort(key=lambda f: next((i for i, start in enumerate(first) if f.file.startswith(start)), len(first)))

    begun = time.monotonic()

    def passed():
        return f"{time.monotonic() - begun:.0f} s after the start"

    stamp = write_tree(by_file)
    compact(before)
    excused = accepted()
    found, whole = {}, True
    if given.resume:
        found = {f.number: before[f.key][:2] for f in chosen if f.key in before and before[f.key][2] == stamp}
        say(f"{len(found)} results are there already")
    for n, rooms in enumerate(groups):
        to_try = [f for f in chosen if f.number not in found] if n == 0 else [
            f for f in chosen if f.number in found and found[f.number][0] is None]
        if not to_try or (n > 0 and all(f.key in excused for f in to_try)):
            continue
        say(f"building {', '.join(rooms)} with {len(faults)} faults in the headers, {len(to_try)} of them to be tried; "
            f"the log is {BUILD / 'build.log'}")
        programs = build(rooms)
        say(f"recording what each test reaches, {passed()}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            reached = dict(zip(programs, pool.map(lambda r: record(*r, stamp, "" if given.long else SLOW),
                                                  programs.items())))
        say(f"trying the faults, {passed()}; results go to {RESULTS}")
        whole = try_all(to_try, programs, reached, stamp, before, found, excused)
        if not whole:
            break

    tried = [f for f in chosen if f.number in found]
    write_report(tried, found)
    missed = sorted((f for f in tried if found[f.number][0] is None), key=lambda f: (f.file, f.line))
    open_ones = [f for f in missed if f.key not in excused]
    for f in open_ones:
        print(f"{found[f.number][1]}: {f.file}:{f.line}: {f.name + ': ' if f.name else ''}{f.change}\n    | {f.text}")
    whole = whole and not (given.named or given.sample or given.again or given.rooms)
    files = {f.file for f in chosen}
    stale = sorted(key for key in set(excused) - {f.key for f in missed} if key[0] in files) if whole else []
    for key in stale:
        print("accepted.toml: no longer needed:", " | ".join(key))
    by_room = collections.Counter(found[f.number][0] for f in tried if found[f.number][0])
    print(f"{len(tried)} faults, {sum(by_room.values())} noticed, {len(missed) - len(open_ones)} accepted with a reason, "
          f"{len(open_ones)} open; {(time.monotonic() - begun) / 60:.0f} minutes")
    print("noticed by:", ", ".join(f"{room} {n}" for room, n in by_room.most_common()))
    print(f"Who noticed what: {BUILD / 'report.txt'}")
    if interrupted_at := len(chosen) - len(tried):
        print(f"Interrupted: {interrupted_at} faults have not been tried; --resume goes on with them.")
        return 130
    return 1 if open_ones or stale else 0


def interrupted(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("Interrupted while building or recording.")
        sys.exit(130)
