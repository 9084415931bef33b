# SPDX-License-Identifier: BSL-1.0
"""Lines that no test ran and branches that none took, from gcovr's report.

usage: uncovered.py REPORT.json ROOT     prints a table and the places; exit status 1 when there is one
"""
import json
import pathlib
import sys

report, root = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
lines = lines_run = branches = branches_taken = 0
open_places = []
for file in sorted(report["files"], key=lambda f: f["file"]):
    source = (root / file["file"]).read_text().splitlines()
    for line in file["lines"]:
        if line.get("gcovr/noncode"):
            continue
        lines += 1
        lines_run += line["count"] > 0
        taken = [b["count"] > 0 for b in line["branches"] if not b.get("throw")]
        branches += len(taken)
        branches_taken += sum(taken)
        missing = [] if line["count"] else ["never run"]
        if line["count"] and not all(taken):
            missing.append(f"{taken.count(False)} of {len(taken)} branches never taken")
        if missing:
            open_places.append(f"{file['file']}:{line['line_number']}: {missing[0]}\n"
                               f"    | {source[line['line_number'] - 1].strip()}")
print("\n".join(open_places))
print(f"lines {lines_run} of {lines}, branches {branches_taken} of {branches}")
sys.exit(1 if open_places else 0)
