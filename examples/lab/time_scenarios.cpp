// SPDX-License-Identifier: BSL-1.0
// When a SYN-ACK comes again, and when a request is given up.
#include <cstdio>

#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;
constexpr instant long_enough = 2000 * second;
constexpr int most_shown = 8;

std::string in_seconds(instant t) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(t) / 1e6);
  std::string s = text;
  if (s.ends_with(".0")) s.resize(s.size() - 2);
  return s;
}

/// Runs every timer until the peer's request is gone; its SYN-ACKs and the end.
std::vector<std::string> watch(bench& b) {
  std::string times;
  instant died = b.now();
  std::vector<emitted> out = b.taken();
  while (b.waits(probe) && b.now() < long_enough) {
    const auto due = b.kernel().next_deadline();
    if (!due) break;
    b.pass(*due);
    for (emitted& e : b.taken()) out.push_back(std::move(e));
    died = b.now();
  }
  const bool stays = b.waits(probe);
  std::string end;
  int sent = 0;
  for (const emitted& e : out) {
    if (e.segment.destination.port != probe) continue;
    if (e.segment.flags.has(flag::syn)) {
      if (++sent <= most_shown) times += (times.empty() ? "" : " ") + in_seconds(e.at);
    } else if (e.segment.flags.has(flag::rst)) {
      end = " RST";
    }
  }
  if (sent > most_shown) times += " ...";
  return {times.empty() ? "-" : times, stays ? "never" : in_seconds(died) + end};
}

std::vector<std::string> schedule_row(const preset_entry& p) {
  bench b(p, 16);
  const auto o = b.syn(probe);
  std::vector<std::string> cells = watch(b);
  if (o->verdict == verdict::cookie_sent) cells[1] = "nothing kept";
  return cells;
}

/// A request queue one short of full, or of 2,000: when its requests end.
std::vector<std::string> pressed_row(const preset_entry& p) {
  std::uint32_t room = 0;
  {
    bench scout(p, 16);
    while (room < 2000) {
      const auto o = scout.syn(static_cast<std::uint16_t>(bench::first_filler + room));
      if (o->verdict != verdict::admitted || o->stages.has(stage::evicted)) break;
      ++room;
    }
  }
  if (room < 2) return {"-", "-", "-"};
  bench b(p, 16);
  for (std::uint32_t i = 0; i + 1 < room; ++i) b.syn(static_cast<std::uint16_t>(bench::first_filler + i));
  const std::uint32_t all = b.kernel().queues().requests;
  instant first = 0;
  std::uint32_t late = 0;
  while (b.kernel().queues().requests > 0 && b.now() < long_enough) {
    const auto due = b.kernel().next_deadline();
    if (!due) return {"never", "", "never"};
    if (b.now() <= 10 * second && *due > 10 * second) late = b.kernel().queues().requests;
    b.pass(*due);
    if (first == 0 && b.kernel().queues().requests < all) first = b.now();
  }
  return {in_seconds(first), std::to_string(late) + " of " + std::to_string(all), in_seconds(b.now())};
}

/// A duplicate of the SYN half-way to the first timeout.
std::vector<std::string> duplicate_row(const preset_entry& p) {
  bench b(p, 16);
  b.syn(probe);
  const auto due = b.kernel().next_deadline();
  if (!due) return {"-", "nothing kept"};
  b.pass(b.now() + (*due - b.now()) * 7 / 10);
  b.syn(probe);
  return watch(b);
}

}  // namespace

std::vector<matrix_table> time_tables() {
  return {{"schedule",
           "When the SYN-ACK is sent, and when the request is given up",
           "listen(16), one SYN, no ACK; seconds since the SYN, with the bucket that seed 1 picks where a hand sweeps.",
           {"SYN-ACK at", "given up at"},
           schedule_row},
          {"pressed",
           "When requests are given up in a crowded queue",
           "listen(16), SYNs at once until the request queue is one short of full (at most 2,000), no ACK.",
           {"the first at", "left after 10 s", "the last at"},
           pressed_row},
          {"repeated",
           "The same when the peer repeats its SYN",
           "listen(16), one SYN, and the same SYN again after 0.7 of the first timeout.",
           {"SYN-ACK at", "given up at"},
           duplicate_row}};
}

}  // namespace lab
