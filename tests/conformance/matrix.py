"""The matrix of presets against scenarios, run anew, is the one that is checked in.

A cell that changes is a listener that answers otherwise than before. Where that is meant, write the new one:
    ./examples/run matrix --markdown >examples/matrix.md
"""
import difflib
import pathlib
import subprocess
import sys

COPY = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "matrix.md"

fresh = subprocess.run([sys.argv[1], "matrix", "--markdown"], text=True, capture_output=True, timeout=300, check=True)
kept = COPY.read_text()
for line in difflib.unified_diff(kept.splitlines(), fresh.stdout.splitlines(), "checked in", "run", lineterm="", n=0):
    print(line)
tables, cells = kept.count("\n## "), sum(line.count("|") - 2 for line in kept.splitlines() if line.startswith("| "))
print(f"{tables} tables, {cells} cells")
sys.exit(fresh.stdout != kept)
