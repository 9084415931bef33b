# SPDX-License-Identifier: BSL-1.0
"""schemata.py on a header of a few lines: are its faults the ones that are meant, and is each one a fault that a run can
see, and nothing without it? Skipped where libclang's bindings are not installed."""
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import schemata
except ImportError as missing:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):  # what the bindings belong to
        os.execv("/usr/bin/python3", ["/usr/bin/python3", __file__])
    print(missing)
    sys.exit(77)

TOY = """#pragma once
enum class answer { keep, drop };
template <class T>
constexpr T larger(T a, T b) noexcept {
  if (a < b) return b;
  return a;
}
struct counter {
  static constexpr int least = 1 + 1;
  static_assert(least < 3);
  int n = 0;
  constexpr void count() noexcept {
    ++n;
    if constexpr (least > 1) n = n + least;
  }
  constexpr bool many() const noexcept { return n > 5 && n != 7; }
  constexpr answer ask() const noexcept { return many() ? answer::drop : answer::keep; }
};
static_assert(larger(1, 2) == 2);
"""
MAIN = """#include "toy.hpp"
#include <cstdio>
int main() {
  counter c, d;
  c.count(), c.count();
  d.n = 7;
  counter e;
  e.n = 5;
  std::printf("%d %d %d %d ", larger(1, 2), larger(2, 1), larger(c.n, 7), c.n);
  std::printf("%d %d %d %d %d\\n", c.ask() == answer::drop, d.ask() == answer::drop, d.many(), e.many(), counter{}.n);
}
"""
EXPECTED = {"a < b -> true", "a < b -> false", "a < b -> a <= b", "++n; -> (nothing)",
            "n = n + least; -> (nothing)", "n + least -> n - least", "n > 5 && n != 7 -> n != 7",
            "n > 5 && n != 7 -> n > 5", "n > 5 -> n >= 5", "n != 7 -> n == 7", "5 -> 5 + 1", "7 -> 7 + 1",
            "many() -> true", "many() -> false", "answer::drop -> answer::keep", "answer::keep -> answer::drop"}
SAME = {"a < b -> a <= b"}  # the larger of two equals is the same, whichever it is

with tempfile.TemporaryDirectory() as name:
    here = pathlib.Path(name)
    toy = here / "toy.hpp"
    toy.write_text(TOY)
    faults = []
    header = schemata.Header("toy.hpp", TOY, faults)
    schemata.walk(schemata.parse(toy, ["-xc++-header"]), {str(toy): header})
    made = {f.change for f in faults}
    assert made == EXPECTED, (made - EXPECTED, EXPECTED - made)

    toy.write_text(header.changed())
    (here / "main.cpp").write_text(MAIN)
    (here / "listenq_fault.hpp").write_text((pathlib.Path(__file__).parent / "fault.hpp").read_text())
    subprocess.run(["g++", "-std=c++20", "-w", "-I", here, here / "main.cpp", "-o", here / "main"], check=True)

    def output(number):
        return subprocess.run([here / "main"], env=dict(os.environ, LISTENQ_FAULT=str(number)), check=True,
                              capture_output=True, text=True).stdout

    right = output(-1)
    assert right == "2 2 7 6 1 0 0 0 0\n", right
    for fault in faults:
        seen = output(fault.number) != right
        assert seen == (fault.change not in SAME), fault
print(f"{len(EXPECTED)} faults, each as it should be")
