#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What README.md shows as the output of an example is its output.

A block follows `<!-- output of examples/NAME.cpp -->`, fenced or not, up to an empty line or the end of the fence.
usage: outputs.py README NAME=PROGRAM...
"""
import difflib
import pathlib
import re
import subprocess
import sys


def shown(readme, name):
    found = re.search(rf"^<!-- output of examples/{name}\.cpp -->\n(?:```\w*\n(.*?)^```$|(.*?)^$)", readme,
                      re.DOTALL | re.MULTILINE)
    return None if not found else (found[1] or found[2])


def main():
    readme = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    status = 0
    for pair in sys.argv[2:]:
        name, program = pair.split("=", 1)
        text = subprocess.run([program], text=True, capture_output=True, check=True).stdout
        block = shown(readme, name)
        if block is None:
            print(f"README.md:1: does not show the output of examples/{name}.cpp")
            status = 1
        elif block.rstrip("\n") != text.rstrip("\n"):
            print(f"README.md: the output of examples/{name}.cpp is another")
            sys.stdout.writelines(difflib.unified_diff(block.splitlines(True), text.splitlines(True)))
            status = 1
    return status


sys.exit(main())
