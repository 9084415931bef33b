#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A line for each test in a JUnit report of ctest: pass, fail or skip, a tab, the test's name.

usage: results.py REPORT
"""
import sys
import xml.etree.ElementTree

for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
    status, skipped = case.get("status"), case.find("skipped")
    if status == "run":
        verdict = "pass"
    elif status == "disabled" or (skipped is not None and skipped.get("message", "").startswith("SKIP_")):
        verdict = "skip"
    else:  # also what could not be started
        verdict = "fail"
    print(f"{verdict}\t{case.get('name')}")
