// SPDX-License-Identifier: BSL-1.0
// What does one answer cost? A full handshake (SYN, SYN-ACK, ACK, accept) among a number of half-open connections, for
// the preset and for variants of it that differ in one slot. Read the rows against the first one, never as absolute
// times.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

using namespace listenq;

namespace {

/// The `n`-th of many peers: all different, none special.
segment from(std::uint32_t n, flags f, seq_number seq, seq_number ack = 0) {
  return {.source = {{0x0a000000U + (n >> 15)}, static_cast<std::uint16_t>(n & 0x7fffU)},
          .destination = {ip(192, 0, 2, 1), 80},
          .seq = seq,
          .ack = ack,
          .flags = f};
}

template <class L>
void handshake(benchmark::State& run) {
  const auto half_open = static_cast<std::uint32_t>(run.range(0));
  L door{siphash<2, 4>{{1, 2}}};
  door.set(tunable::somaxconn, 4 * half_open);
  door.set(tunable::syncookies, 0);
  door.set(tunable::max_syn_backlog, 0x7fffffff);
  if (!door.listen(static_cast<int>(2 * half_open))) run.SkipWithError("no room");
  std::uint32_t next = 0;
  seq_number iss = 0;
  std::vector<seq_number> waiting(half_open);
  for (; next < half_open; ++next) waiting[next] = door.receive(from(next, flag::syn, 1), 0).reply->seq;
  std::uint64_t bad = 0;
  for (auto _ : run) {
    const std::uint32_t oldest = next - half_open;
    iss = door.receive(from(next, flag::syn, 1), 0).reply->seq;
    seq_number& place = waiting[next % half_open];
    const auto last = door.receive(from(oldest, flag::ack, 2, place + 1), 0).outcome.verdict;
    bad += last != verdict::promoted || !door.accept();
    place = iss;
    ++next;
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
}

template <class L>
void add(const char* name) {
  benchmark::RegisterBenchmark(name, handshake<L>)->Arg(1 << 8)->Arg(1 << 12)->Arg(1 << 16);
}

const bool registered = [] {
  using preset::linux_6_18;
  add<linux_6_18>("linux_6_18");
  add<with<linux_6_18, request_full<evict_oldest>>>("request_full<evict_oldest>");
  add<with<linux_6_18, clockwork<exact<tie_order::oldest_first>>>>("clockwork<exact<oldest_first>>");
  add<with<linux_6_18, pressure<no_pressure>>>("pressure<no_pressure>");
  add<with<linux_6_18, counters<no_counters>>>("counters<no_counters>");
  add<with<linux_6_18, cookies<no_cookies>>>("cookies<no_cookies>");
  add<with<linux_6_18, child<deferred_child>>>("child<deferred_child>");
  return true;
}();

}  // namespace
