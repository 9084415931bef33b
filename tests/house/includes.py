#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Who may include what in include/listenq, and what may stand at the top of the repository.

usage: includes.py [ROOT]     prints `file:line: what is wrong`; exit status 1 when it printed anything
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
LIBRARY = ROOT / "include" / "listenq"

# The core does without these, and so does all that it includes.
NOT_IN_CORE = re.compile(
    r"(chrono|iostream|ranges|thread|mutex|memory|vector|map|unordered_map|string|functional|unistd\.h)$"
    r"|(sys|netinet|arpa|boost)/")
NOT_CORE = {"mirror.hpp", "describe.hpp", "explain.hpp", "chrono.hpp"}
CORE_ROOMS = {"", "detail", "policy", "queue", "preset"}

# May be left out of the umbrella header.
OPT_IN = re.compile(r"(mirror|describe|explain|chrono)\.hpp$|(describe|transport|stream|testing|wire|preset)/")

# segment <- policy <- queue <- listener <- preset; wire, stream and transport beside them. Not even through another
# header; transport/pump.hpp is the one place where a transport and a listener meet.
BELOW = {
    "policy/": r"(queue|preset|transport|stream|wire)/|listener\.hpp$",
    "queue/": r"(preset|transport|stream|wire)/|listener\.hpp$",
    "listener.hpp": r"(preset|transport|stream|wire)/",
    "wire/": r"(queue|preset)/|listener\.hpp$",
    "stream/": r"(queue|preset)/|listener\.hpp$",
    "transport/": r"(queue|preset)/|listener\.hpp$",
}
PUMP = "transport/pump.hpp"

# Hana a header at a time, and none of those that cost most.
HANA = re.compile(r"boost/hana/(?!(map|set|string|define_struct|experimental)\.hpp$)\w+\.hpp$")
ASIO = re.compile(r"boost/asio([./]|$)")
BOOST = {"mirror.hpp": HANA,
         **{f"transport/udp_{name}.hpp": ASIO for name in ("tunnel", "service", "stream", "acceptor")},
         "transport/loopback.hpp": re.compile(r"boost/lockfree/spsc_queue\.hpp$")}

TOP_LEVEL = set("""CMakeLists.txt include tests examples benchmarks LICENSE README.md
                   .ci .clang-format .clang-tidy .gitignore .github""".split())

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

broken = []


def report(name, line, what):
    broken.append(f"include/listenq/{name}:{line}: {what}")


class Header:
    def __init__(self, path):
        self.name = path.relative_to(LIBRARY).as_posix()
        self.room = self.name.rpartition("/")[0]
        self.core = self.room.split("/")[0] in CORE_ROOMS and self.name not in NOT_CORE
        self.directives = []  # (line, text)
        self.ours = []        # (line, name of a header of ours)
        self.others = []      # (line, what stands between < and >)
        # Comments go, lines and string literals stay.
        text = COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else "\n" * m[0].count("\n"), path.read_text("utf-8"))
        for line, content in enumerate(text.split("\n"), 1):
            if re.match(r"\s*#", content):
                self.directives.append((line, content.strip()))
            if match := INCLUDE.match(content):
                self.classify(path, line, *match.groups())

    def classify(self, path, line, bracket, target):
        near = (path.parent / target).resolve()
        if bracket == '"' and near.is_file() and near.is_relative_to(LIBRARY):
            self.ours.append((line, near.relative_to(LIBRARY).as_posix()))
        elif target.startswith("listenq/"):
            self.ours.append((line, target.removeprefix("listenq/")))
        else:
            self.others.append((line, target))


def reached(headers, start, stop=()):
    """Each header reachable from `start`: (name, line of the include in `start`, the way there)."""
    seen, todo = {start}, [(name, line, [name]) for line, name in headers[start].ours]
    while todo:
        name, line, way = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name, line, way
        if name in headers and name not in stop:
            todo += [(next_name, line, way + [next_name]) for _, next_name in headers[name].ours]


def via(way):
    return f" (through {' -> '.join(way[:-1])})" if len(way) > 1 else ""


def check_core(headers, header):
    for line, target in header.others:
        if NOT_IN_CORE.match(target):
            report(header.name, line, f"a core header includes <{target}>")
    for name, line, way in reached(headers, header.name):
        if name in headers and not headers[name].core:
            for _, target in headers[name].others:
                if NOT_IN_CORE.match(target):
                    report(header.name, line, f"a core header includes <{target}> (through {' -> '.join(way)})")


def check_boost(header):
    for line, target in header.others:
        if target.startswith("boost/"):
            allowed = BOOST.get(header.name)
            if allowed is None:
                report(header.name, line, f"only {' and '.join(BOOST)} may include Boost: <{target}>")
            elif not allowed.match(target):
                report(header.name, line, f"this part of Boost is not allowed here: <{target}>")


def check_layers(headers, header):
    for line, name in header.ours:
        if name not in headers:
            report(header.name, line, f"there is no include/listenq/{name}")
    if header.name == PUMP:
        for line, name in header.ours:
            if re.match(r"(queue|preset)/", name):
                report(header.name, line, f"includes {name}, which is above it")
        return
    for below, above in BELOW.items():
        if not header.name.startswith(below):
            continue
        for name, line, way in reached(headers, header.name, stop={PUMP}):
            if re.match(above, name):
                report(header.name, line, f"includes {name}, which is above it{via(way)}")


def check_macros(header):
    if not header.directives or not re.fullmatch(r"#\s*pragma\s+once", header.directives[0][1]):
        report(header.name, header.directives[0][0] if header.directives else 1, "#pragma once must come first")
    for line, text in header.directives:
        if re.match(r"#\s*define\b", text) and header.name != "version.hpp":
            report(header.name, line, "only version.hpp may define macros")


def check_umbrella(headers):
    if not headers:
        return
    if "listenq.hpp" not in headers:
        report("listenq.hpp", 1, "there is no umbrella header")
        return
    listed = {name for _, name in headers["listenq.hpp"].ours} | {"listenq.hpp"}
    for name in headers:
        if name not in listed and not name.startswith("detail/") and not OPT_IN.match(name):
            report(name, 1, "neither in listenq.hpp nor opt-in")


def check_top_level():
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, text=True) if (ROOT / ".git").exists() else None
    if listing is not None and listing.returncode == 0:
        entries = {name.split("/")[0] for name in listing.stdout.split("\0") if name}
    else:  # an archive of the tree, or a checkout that belongs to somebody else
        entries = {path.name for path in ROOT.iterdir()} - {".git", "build"}
    for name in sorted(entries - TOP_LEVEL):
        broken.append(f"{name}:1: does not belong at the top of the repository")


def main():
    headers = {}
    for path in sorted(LIBRARY.rglob("*.hpp")) if LIBRARY.is_dir() else []:
        header = Header(path)
        headers[header.name] = header
    for header in headers.values():
        if header.core:
            check_core(headers, header)
        check_boost(header)
        check_layers(headers, header)
        check_macros(header)
    check_umbrella(headers)
    check_top_level()
    for line in broken:
        print(line)
    print(f"{len(headers)} headers, {len(broken)} broken rules")
    return 1 if broken else 0


sys.exit(main())
