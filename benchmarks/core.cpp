// SPDX-License-Identifier: BSL-1.0
// A full handshake (SYN, SYN-ACK, ACK, accept) on parsed segments among N half-open connections: the library one by one
// and in bursts, the hand-written floor, and two that users write. Run with --benchmark_enable_random_interleaving, or
// by `run`: only rows of one process, taken in turns, can be compared.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <memory>
#include <string>
#include <vector>

#include "contenders/from_containers.hpp"
#include "floor/linux_6_18.hpp"
#include "support/doors.hpp"
#include "support/peers.hpp"

using namespace bench;

namespace {

enum class life { fifo, random };

/// Who waits for its final ACK. With `fifo` the oldest finishes, with `random` anybody: FIFO flatters every free list.
struct crowd {
  struct one {
    std::uint32_t number;
    memory_of_peer heard;
  };
  std::vector<one> waiting;
  std::uint32_t next = 0;
  std::uint64_t draw = 88172645463325252U;

  explicit crowd(std::uint32_t n) : waiting(n) {}
  std::size_t who(life l) noexcept {
    if (l == life::fifo) return next % waiting.size();
    draw ^= draw << 13;
    draw ^= draw >> 7;
    draw ^= draw << 17;
    return static_cast<std::size_t>((draw >> 32) * waiting.size() >> 32);
  }
};

template <class Door, class A = ipv4>
void one_by_one(benchmark::State& run, life lives) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  auto door = std::make_unique<Door>(siphash<2, 4>{{1, 2}});
  if (!open(*door, 2 * n)) return run.SkipWithError("no room");
  peers<A> from;
  crowd c{n};
  instant now = 0;
  for (auto& w : c.waiting) {
    w.number = c.next++;
    door->receive(from.syn(w.number), now, w.heard);
  }
  std::uint64_t bad = 0;
  for (auto _ : run) {
    now += 1;
    auto& w = c.waiting[c.who(lives)];
    memory_of_peer heard;
    bad += door->receive(from.syn(c.next), now, heard).verdict != verdict::admitted;
    bad += door->receive(from.ack(w.number, w.heard), now, w.heard).verdict != verdict::promoted;
    bad += !door->accept(now);
    w = {c.next++, heard};
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
  run.SetItemsProcessed(run.iterations());
}

/// The same in bursts of 32 segments: the final ACKs of sixteen, then the SYNs of sixteen others.
template <class Door, class A = ipv4>
void in_bursts(benchmark::State& run, life lives) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  auto door = std::make_unique<Door>(siphash<2, 4>{{1, 2}});
  if (!open(*door, 2 * n)) return run.SkipWithError("no room");
  peers<A> from;
  crowd c{n};
  instant now = 0;
  for (auto& w : c.waiting) {
    w.number = c.next++;
    door->receive(from.syn(w.number), now, w.heard);
  }
  constexpr std::uint32_t pairs = 16;
  std::vector<basic_segment<A>> burst(2 * pairs);
  std::fill_n(burst.begin(), pairs, from.ack(0, {}));
  std::fill_n(burst.begin() + pairs, pairs, from.syn(0));
  struct listening_peers {
    crowd& c;
    std::size_t slots[pairs]{};
    std::uint32_t answered = 0;
    send_result send(const basic_segment<A>& s) noexcept {
      c.waiting[slots[answered++ % pairs]].heard = {s.seq, s.options.ts_value};
      return send_result::sent;
    }
  } out{c};
  std::uint64_t bad = 0;
  while (run.KeepRunningBatch(pairs)) {
    now += pairs;
    for (std::uint32_t i = 0; i < pairs; ++i) {
      // Nobody twice in a burst: random lives draw from a sixteenth each.
      const std::size_t part = c.waiting.size() / pairs;
      const std::size_t slot = lives == life::fifo ? (c.next + i) % c.waiting.size() : c.who(lives) / pairs + i * part;
      out.slots[i] = slot;
      from.make_ack(burst[i], c.waiting[slot].number, c.waiting[slot].heard);
      from.make_syn(burst[pairs + i], c.next + i);
      c.waiting[slot].number = c.next + i;
    }
    c.next += pairs;
    door->receive(burst, now, out);
    for (std::uint32_t i = 0; i < pairs; ++i) bad += !door->accept(now);
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
  run.SetItemsProcessed(run.iterations());
}

/// What making the segments and remembering the answers costs, in every other row too.
void driver(benchmark::State& run, life lives) {
  peers<> from;
  crowd c{static_cast<std::uint32_t>(run.range(0))};
  for (auto _ : run) {
    auto& w = c.waiting[c.who(lives)];
    benchmark::DoNotOptimize(&from.syn(c.next));
    benchmark::DoNotOptimize(&from.ack(w.number, w.heard));
    benchmark::ClobberMemory();
    w = {c.next++, {}};
  }
}

using v6 = listener<clockwork<exact<tie_order::newest_first>>, validation<linux_validation<linux_era::v6_18>>,
                    accept_full_at_ack<abort_if_tuned>, deferral<defer_accept<>>, family<ipv6>>;

using compact_4 = with<preset::linux_6_18, requests<compact_requests>, clockwork<sweep<10 * millisecond>>,
                       validation<linux_validation<linux_era::v3_12>>>;
using compact_6 = with<compact_4, family<ipv6>>;

void add(const char* name, void (*f)(benchmark::State&, life)) {
  for (const life l : {life::fifo, life::random}) {
    const std::string row = std::string{name} + (l == life::fifo ? "/fifo" : "/random");
    benchmark::RegisterBenchmark(row.c_str(), f, l)->Arg(1 << 8)->Arg(1 << 12)->Arg(1 << 16)->Arg(1 << 20);
  }
}

const bool registered = [] {
  add("driver", driver);
  add("library", one_by_one<preset::linux_6_18>);
  add("library_in_bursts", in_bursts<preset::linux_6_18>);
  add("floor", one_by_one<floor_of::linux_6_18>);
  add("naive", one_by_one<naive>);
  add("careful", one_by_one<careful>);
  add("library_ipv6", one_by_one<v6, ipv6>);
  add("library_ipv6_in_bursts", in_bursts<v6, ipv6>);
  add("compact", one_by_one<compact_4>);
  add("compact_in_bursts", in_bursts<compact_4>);
  add("compact_ipv6_in_bursts", in_bursts<compact_6, ipv6>);
  return true;
}();

}  // namespace
