#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The first ```cpp block of README.md is examples/hello.cpp, byte for byte; every preset has a row in its table and a line
in the catalogue.

usage: readme.py [ROOT]
"""
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])


def presets_left_out():
    """Presets that README.md or the catalogue does not name."""
    folder = ROOT / "include/listenq/preset"
    readme = (ROOT / "README.md").read_text("utf-8")
    catalogue = (folder / "catalogue.hpp").read_text("utf-8")
    for header in sorted(folder.glob("*.hpp")):
        if header.stem in ("about", "catalogue"):
            continue
        if f"| `{header.stem}` |" not in readme:
            yield f"README.md:1: has no row for the preset {header.stem}"
        if f"operator()<{header.stem}>" not in catalogue:
            yield f"{header.relative_to(ROOT).parent}/catalogue.hpp:1: has no line for the preset {header.stem}"


def main():
    missing = list(presets_left_out())
    for line in missing:
        print(line)
    if missing:
        return 1
    for name in ("README.md", "examples/hello.cpp"):
        if not (ROOT / name).is_file():
            print(f"{name}:1: is missing")
            return 1
    readme = (ROOT / "README.md").read_bytes().decode("utf-8")
    example = (ROOT / "examples/hello.cpp").read_bytes().decode("utf-8")
    block = re.search(r"^```cpp\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    if not block:
        print("README.md:1: has no ```cpp block")
        return 1
    if block[1].rstrip("\n") == example.rstrip("\n"):
        return 0
    print(f"README.md:{readme.count(chr(10), 0, block.start()) + 1}: differs from examples/hello.cpp")
    sys.stdout.writelines(difflib.unified_diff(block[1].splitlines(True), example.splitlines(True),
                                               "README.md", "examples/hello.cpp"))
    return 1


sys.exit(main())
