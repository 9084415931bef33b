// SPDX-License-Identifier: BSL-1.0
// What a handshake is made of, by itself and beside what else one could take: the keyed hash, the request table against
// maps, the timers against a multimap and a heap, a timer that fires.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <listenq/detail/tuple_hash.hpp>
#include <listenq/listener.hpp>
#include <listenq/policy/aes128.hpp>
#include <map>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "contenders/from_containers.hpp"
#include "support/doors.hpp"
#include "support/peers.hpp"

using namespace bench;

namespace {

// --- the keyed hash of a four-tuple

/// Segments to one local address, as a listener hashes them.
template <class Hash, addressing A>
struct to_hash {
  const Hash hash{{1, 2}};
  detail::tuple_hash<Hash, A> tuples{};
  basic_segment<A> s{};
  to_hash() {
    s.destination.port = 80;
    tuples.begin(hash);
  }
};
/// Each port depends on the hash before.
template <class Hash, addressing A>
void hash_latency(benchmark::State& run) {
  to_hash<Hash, A> t;
  for (auto _ : run) t.s.source.port = static_cast<std::uint16_t>(t.tuples.next(t.hash, t.s));
  benchmark::DoNotOptimize(t.s);
}
template <class Hash, addressing A>
void hash_throughput(benchmark::State& run) {
  to_hash<Hash, A> t;
  std::uint64_t sum = 0;
  for (auto _ : run) {
    ++t.s.source.port;
    sum += t.tuples.next(t.hash, t.s);
  }
  benchmark::DoNotOptimize(sum);
}
/// An item is a segment, of eight.
template <class Hash, addressing A>
void hash_eight(benchmark::State& run) {
  if (!Hash::hashes_eight()) return run.SkipWithError("this CPU cannot");
  to_hash<Hash, A> t;
  const std::vector<basic_segment<A>> burst(8, t.s);
  std::uint64_t hashes[1][8]{};
  while (run.KeepRunningBatch(8)) {
    t.tuples.of_rows(t.hash, burst.data(), 8, hashes);
    benchmark::DoNotOptimize(hashes[0][7]);
  }
}

// --- the table: one comes and one goes, of N; both are found by their hash

std::uint32_t keyed(const four_tuple& k) noexcept { return static_cast<std::uint32_t>(keyed_hash{}(k)); }

struct library_table {
  using queue = request_queue<ipv4, sweep<>, 1, detail::no_order, at_listen>;
  queue requests{};
  explicit library_table(std::uint32_t n) {
    at_listen memory;
    requests.reserve(n, memory);
  }
  void insert(const four_tuple& k, seq_number irs) {
    const auto i = requests.take();
    requests[i] = {.key = k, .irs = irs};
    requests.store(i, 0, keyed(k));
  }
  bool erase(const four_tuple& k) {
    const std::uint32_t h = keyed(k);
    const auto i = requests.find(k, h);
    if (i == queue::npos) return false;
    requests.remove(i, h);
    return true;
  }
};
template <class Map>
struct map_table {
  Map requests{};
  explicit map_table(std::uint32_t n) { requests.reserve(n); }
  void insert(const four_tuple& k, seq_number irs) { requests.try_emplace(k, request<ipv4>{.key = k, .irs = irs}); }
  bool erase(const four_tuple& k) {
    const auto i = requests.find(k);
    if (i == requests.end()) return false;
    requests.erase(i);
    return true;
  }
};

struct random_numbers {
  std::uint64_t state = 88172645463325252U;
  std::size_t below(std::size_t n) noexcept {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::size_t>((state >> 32) * n >> 32);
  }
};

template <class Table>
void table_of(benchmark::State& run, bool anybody) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  Table requests{n + 1};
  peers<> from;
  std::vector<std::uint32_t> held(n);
  std::uint32_t next = 0;
  for (auto& h : held) {
    h = next++;
    requests.insert(four_tuple_of(from.syn(h)), h);
  }
  random_numbers draw;
  std::uint64_t bad = 0;
  for (auto _ : run) {
    std::uint32_t& h = held[anybody ? draw.below(n) : next % n];
    requests.insert(four_tuple_of(from.syn(next)), next);
    bad += !requests.erase(four_tuple_of(from.syn(h)));
    h = next++;
  }
  if (bad != 0) run.SkipWithError("one was not there");
}

// --- the timers: one of N is cancelled and set again

struct library_timers {
  request_queue<ipv4, exact<>, 6, detail::no_order, at_listen> requests{};
  explicit library_timers(std::uint32_t n) {
    at_listen memory;
    requests.reserve(n, memory);
    for (std::uint32_t i = 0; i < n; ++i) requests.insert(request<ipv4>{.deadline = i}, i);
  }
  void again(std::uint32_t i, instant at) { requests.restart(i, at); }
};
struct multimap_timers {
  std::multimap<instant, std::uint32_t> timers{};
  std::vector<std::multimap<instant, std::uint32_t>::iterator> of;
  explicit multimap_timers(std::uint32_t n) : of(n) {
    for (std::uint32_t i = 0; i < n; ++i) of[i] = timers.emplace(i, i);
  }
  void again(std::uint32_t i, instant at) {
    timers.erase(of[i]);
    of[i] = timers.emplace(at, i);
  }
};
/// A heap cannot cancel: what is out of date is thrown away when it comes to the top.
struct heap_timers {
  struct one {
    instant at;
    std::uint32_t of;
    bool operator<(const one& o) const noexcept { return at > o.at; }
  };
  std::priority_queue<one> timers{};
  std::vector<instant> due;
  explicit heap_timers(std::uint32_t n) : due(n) {
    for (std::uint32_t i = 0; i < n; ++i) timers.push({due[i] = i, i});
  }
  void again(std::uint32_t i, instant at) {
    timers.push({due[i] = at, i});
    while (timers.top().at != due[timers.top().of]) timers.pop();
  }
};

template <class Timers>
void timers_of(benchmark::State& run) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  Timers timers{n};
  random_numbers draw;
  instant now = n;
  for (auto _ : run) timers.again(static_cast<std::uint32_t>(draw.below(n)), ++now + second);
}

// --- a timer that fires: the SYN-ACK again, an item is a request

template <class L>
void fired(benchmark::State& run) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  L door{siphash<2, 4>{{1, 2}}};
  if (!open(door, 2 * n)) return run.SkipWithError("no room");
  peers<> from;
  memory_of_peer heard;
  for (std::uint32_t i = 0; i < n; ++i) door.receive(from.syn(i), static_cast<instant>(i) * second / n, heard);
  constexpr std::uint32_t batch = 1024;
  std::uint32_t done = 0;
  while (run.KeepRunningBatch(batch)) {
    for (; done < batch && door.next_deadline();) done += door.tick(*door.next_deadline(), heard).timers;
    done -= std::min(done, batch);
  }
  if (door.request_count() != n) run.SkipWithError("requests were forgotten");
}
/// Every second, for ever.
using every_second = schedule<doubling<second, 1'000'000, second>>;

template <class F, class... Rest>
void add(const std::string& name, F f, Rest... rest) {
  benchmark::RegisterBenchmark(name.c_str(), f, rest...)->Arg(1 << 8)->Arg(1 << 12)->Arg(1 << 16)->Arg(1 << 20);
}
template <class Hash, addressing A>
void add_hash(const std::string& name) {
  benchmark::RegisterBenchmark((name + " latency").c_str(), hash_latency<Hash, A>);
  benchmark::RegisterBenchmark((name + " throughput").c_str(), hash_throughput<Hash, A>);
  benchmark::RegisterBenchmark((name + " eight at once").c_str(), hash_eight<Hash, A>);
}

const bool registered = [] {
  add_hash<siphash<2, 4>, ipv4>("siphash<2, 4> ipv4");
  add_hash<siphash<1, 3>, ipv4>("siphash<1, 3> ipv4");
  add_hash<aes128, ipv4>("aes128 ipv4");
  add_hash<siphash<2, 4>, ipv6>("siphash<2, 4> ipv6");
  add_hash<aes128, ipv6>("aes128 ipv6");
  for (const bool anybody : {false, true}) {
    const std::string life = anybody ? " random" : " fifo";
    add("table" + life, table_of<library_table>, anybody);
    add("unordered_map" + life, table_of<map_table<std::unordered_map<four_tuple, request<ipv4>, keyed_hash>>>,
        anybody);
    add("unordered_flat_map" + life,
        table_of<map_table<boost::unordered_flat_map<four_tuple, request<ipv4>, keyed_hash>>>, anybody);
  }
  add("timers", timers_of<library_timers>);
  add("multimap", timers_of<multimap_timers>);
  add("priority_queue", timers_of<heap_timers>);
  add("fired exact", fired<listener<every_second, pressure<no_pressure>>>);
  add("fired hand", fired<listener<every_second, pressure<no_pressure>, clockwork<sweep<>>>>);
  return true;
}();

}  // namespace
