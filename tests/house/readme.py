#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The first ```cpp block of README.md is examples/hello.cpp, byte for byte.

usage: readme.py [ROOT]
"""
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])


def main():
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
