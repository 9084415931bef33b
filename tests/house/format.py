#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""All C++ is as clang-format leaves it.

usage: format.py [ROOT]     exit status 77 when there is no clang-format
"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])


def main():
    tool = shutil.which("clang-format")
    if tool is None:
        print("SKIPPED: there is no clang-format here, so nothing was checked")
        return 77
    files = sorted(str(path) for room in ("include", "tests", "examples", "benchmarks")
                   for path in (ROOT / room).rglob("*.[hc]pp"))
    result = subprocess.run([tool, "--dry-run", "-Werror", "--style=file", *files]) if files else None
    return 1 if result and result.returncode else 0


sys.exit(main())
