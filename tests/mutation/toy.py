# SPDX-License-Identifier: BSL-1.0
"""schemata.py on a header of a few lines: are its faults the ones that are meant, and is each one a fault that a run can
see, and nothing without it? check.py: does it refuse what it cannot do, and keep what it has found? Skipped where
libclang's bindings are not installed."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import check
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
// Decided at compile time, and left alone.
template <class T>
inline constexpr bool small = true;
template <class T>
requires(sizeof(T) > 4) inline constexpr bool small<T> = sizeof(T) < 9;
template <class T>
struct box {};
template <class T>
requires(sizeof(T) == 4) struct box<T> {
  int room[4][2]{};
};
// Pointers, arrays and vectors are added, too.
inline int second(const int (&numbers)[4]) noexcept { return *(numbers + 1); }
inline void fill(int (&numbers)[4]) noexcept {
  int* const third = numbers + 2;
  third[0] = 3;
}
using four [[gnu::vector_size(16)]] = int;
inline int shifted(four v) noexcept { return (v << 2)[0]; }
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
  std::printf("%d %d %d %d %d ", c.ask() == answer::drop, d.ask() == answer::drop, d.many(), e.many(), counter{}.n);
  int room[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  int(&numbers)[4] = *reinterpret_cast<int(*)[4]>(room + 4);
  numbers[2] = 0;
  fill(numbers);
  std::printf("%d %d %d\\n", second(numbers), numbers[2], shifted(four{8}));
}
"""
EXPECTED = {"a < b -> true", "a < b -> false", "a < b -> a <= b", "++n; -> (nothing)",
            "n = n + least; -> (nothing)", "n + least -> n - least", "n > 5 && n != 7 -> n != 7",
            "n > 5 && n != 7 -> n > 5", "n > 5 -> n >= 5", "n != 7 -> n == 7", "5 -> 5 + 1", "7 -> 7 + 1",
            "many() -> true", "many() -> false", "answer::drop -> answer::keep", "answer::keep -> answer::drop",
            "numbers + 1 -> numbers - 1", "1 -> 1 + 1", "numbers + 2 -> numbers - 2", "2 -> 2 + 1", "0 -> 0 + 1",
            "3 -> 3 + 1", "third[0] = 3; -> (nothing)", "v << 2 -> v >> 2", "return *(numbers + 1) -> return *(numbers + 1) + 1",
            "return (v << 2)[0] -> return (v << 2)[0] + 1"}
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
    assert right == "2 2 7 6 1 0 0 0 0 5 3 32\n", right
    for fault in faults:
        seen = output(fault.number) != right
        assert seen == (fault.change not in SAME), fault
    # What is not one of the faults, or not there, is refused before anything is built.
    script = pathlib.Path(__file__).parent / "check.py"
    for arguments in (["--only", "no_such_header"], ["--rooms", "no_such_room"], ["--sample", "0"]):
        done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and f"{arguments[0]}" in done.stderr.splitlines()[-1], (arguments, done)
    given = argparse.Namespace(all=False, only=None, named=False, again=False, sample=None, seed=1)
    for change in ({"only": ["other.hpp"]}, {"named": True}, {"again": True}):
        chosen, why = check.select(argparse.Namespace(**{**vars(given), **change}), faults, {})
        assert not chosen and why, change
    beside = schemata.Fault("wire/toy.hpp", 1, "a < b", "a < b -> a <= b")
    assert check.select(given, [*faults, beside], {})[0] == faults
    assert check.select(argparse.Namespace(**{**vars(given), "all": True}), [beside], {})[0] == [beside]

    # A result is kept as soon as there is one, and half a line of a killed run harms nothing.
    check.RESULTS = here / "results.jsonl"
    asked = []
    check.notice = lambda fault, *rest: asked.append(fault) or (
        (None, "unnoticed") if fault is faults[0] else ("room", "a test"))
    found = {}
    assert check.try_all(faults[:2], {}, {}, "these", {}, found)
    assert [found[f.number][0] for f in faults[:2]] == [None, "room"], found
    with open(check.RESULTS, "a") as file:
        file.write('[["toy.hpp", "half')
    before = check.earlier_results()
    assert before == {faults[0].key: (None, "unnoticed", "these"), faults[1].key: ("room", "a test", "these")}, before
    check.compact(before)
    assert check.earlier_results() == before and asked == faults[:2]
    # Rooms that are asked later do not make a fault one that nothing reaches.
    check.notice = lambda fault, *rest: (None, "not reached")
    check.try_all([faults[0]], {}, {}, "these", {}, found)
    assert found[faults[0].number] == (None, "unnoticed")
    given.again = True
    assert check.select(given, faults, before)[0] == [faults[0]]
print(f"{len(EXPECTED)} faults, each as it should be")
