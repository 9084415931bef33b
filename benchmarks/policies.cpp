// SPDX-License-Identifier: BSL-1.0
// What does one answer cost? A full handshake (SYN, SYN-ACK, ACK, accept) among N half-open connections, for the preset
// and for each of `variants.hpp`. Read the rows against the first one, never as absolute times.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "support/doors.hpp"
#include "support/each_variant.hpp"
#include "support/peers.hpp"

using namespace bench;

namespace {

template <class L>
void handshake(benchmark::State& run) {
  const auto half_open = static_cast<std::uint32_t>(run.range(0));
  auto door = std::make_unique<L>();
  if (!open(*door, 2 * half_open)) return run.SkipWithError("no room");
  peers<> from;
  std::vector<memory_of_peer> waiting(half_open);
  std::uint32_t next = 0;
  instant now = 0;
  for (; next < half_open; ++next) door->receive(from.syn(next), now, waiting[next]);
  std::uint64_t bad = 0;
  for (auto _ : run) {
    memory_of_peer& place = waiting[next % half_open];
    const memory_of_peer oldest = place;
    now += 1;
    door->receive(from.syn(next), now, place);
    bad += door->receive(from.ack(next - half_open, oldest), now, place).verdict != verdict::promoted;
    bad += !door->accept(now);
    ++next;
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
  run.counters["bytes"] = L::bytes_per_request;
}

const bool registered = [] {
  each_variant([]<class L>(const std::string& name) {
    benchmark::RegisterBenchmark(name.c_str(), handshake<L>)->Arg(1 << 8)->Arg(1 << 12)->Arg(1 << 16);
  });
  return true;
}();

}  // namespace
