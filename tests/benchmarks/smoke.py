#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs a benchmark program with next to nothing to do, and makes the report of it.

usage: smoke.py [--timed] PROGRAM     --timed: it uses Google Benchmark
"""
import pathlib
import subprocess
import sys
import tempfile

REPORT = pathlib.Path(__file__).parents[2] / "benchmarks" / "report.py"


def main():
    program = pathlib.Path(sys.argv[-1])
    name = program.stem
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/{name}.json"
        if "--timed" in sys.argv:
            arguments = ["--benchmark_min_time=0.0001", "--benchmark_filter=-/(4096|65536|1048576)$",
                         f"--benchmark_out={out}", "--benchmark_out_format=json"]
        else:
            arguments = ["--smoke", "--out", out]
        command = [sys.executable, str(program)] if program.suffix == ".py" else [str(program)]
        subprocess.run(command + arguments, check=True, stdout=subprocess.DEVNULL)
        text = subprocess.run([sys.executable, str(REPORT), folder, "--compare", out, name], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        print(text)
        if f"### {name}" not in text or len(rows) < 4:
            print("the report has no rows")
            return 1
        if "Against" not in text or not any(line.endswith("| +0 % |") for line in rows):
            print("a comparison with itself finds no equal rows")
            return 1
    return 0


sys.exit(main())
