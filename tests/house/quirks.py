#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every known quirk of a listener is a test in tests/quirks, named after its number, or is listed there with the reason
why not: `Q7: ...` for those of kernels, `P7: ...` for those of other stacks.

usage: quirks.py [ROOT]
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
KNOWN = [f"Q{n}" for n in range(1, 36)] + [f"P{n}" for n in range(1, 9)]


def main():
    where = collections.defaultdict(list)
    for path in sorted((ROOT / "tests/quirks").glob("*.cpp")):
        text = path.read_text("utf-8")
        for match in re.finditer(r'^TEST_CASE\(\s*"([QP]\d+): \S|^// ([QP]\d+) is not here: \S', text, re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            where[match[1] or match[2]].append(f"{path.relative_to(ROOT)}:{line}")
    broken = [f"tests/quirks: {name} is neither tested nor listed" for name in KNOWN if name not in where]
    broken += [f"{places[0]}: {name} is no known quirk" for name, places in where.items() if name not in KNOWN]
    broken += [f"{places[1]}: {name} is at {places[0]}, too" for name, places in where.items() if len(places) > 1]
    print("\n".join(broken))
    return 1 if broken else 0


sys.exit(main())
