// SPDX-License-Identifier: BSL-1.0
// The slowest event, not the mean: every SYN while a listener fills from nothing, every final ACK while it empties.
// Containers that grow move everything they hold in one insert; a listener that has its memory never does. What the
// operating system takes away would be in every maximum: what seems to have taken more than 20 us is read in CPU time,
// each figure is the least of three runs, and the row `nothing` shows what is left of it. The last table counts steps
// instead: the same on every machine.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "contenders/from_containers.hpp"
#include "support/doors.hpp"
#include "support/peers.hpp"
#include "support/tables.hpp"
#include "support/tail.hpp"

using namespace bench;

namespace {

/// Takes nothing, keeps nothing: what is left is the clock and the operating system.
struct nothing {
  explicit nothing(siphash<2, 4>) {}
  static bool listen(std::uint32_t) { return true; }
  template <class Sink>
  static outcome receive(const segment& s, instant, Sink&) {
    return {s.flags.has(flag::syn) ? verdict::admitted : verdict::promoted};
  }
  static bool accept(instant) { return true; }
};

constexpr double percentiles[] = {0.5, 0.99, 0.999, 0.9999};

struct tails {
  table filling{
      .title = "A SYN, while the listener fills",
      .columns = {"half", "99 %", "99.9 %", "99.99 %", "slowest", "listen()"},
      .note = "ns; the least of three runs; beyond 20 us CPU time. In listen() the library takes its memory."};
  table emptying{.title = "A final ACK and its accept, while it empties",
                 .columns = {"half", "99 %", "99.9 %", "99.99 %", "slowest"},
                 .note = "ns, as above; the oldest finishes first."};
  table shape{.title = "SYNs of a million that take so many ns",
              .digits = 2,
              .plot = "curves",
              .note = "Columns are where a bucket ends; of the first run."};
  report& out;
  double ns;

  explicit tails(report& r) : out(r), ns(ns_per_tick()) {
    for (std::size_t b = first; b < last; ++b)
      shape.columns.push_back(std::to_string(std::lround(histogram::end_of(b) * ns)));
  }
  static constexpr std::size_t first = 4 * 4, last = 4 * 28;

  template <class Door>
  void row(const char* name, std::uint32_t n) {
    constexpr std::size_t runs = 3;
    std::vector<histogram> syns(runs), acks(runs);
    std::vector<double> listens(runs);
    std::vector<memory_of_peer> heard(n);
    peers<> from;
    for (std::size_t r = 0; r < runs; ++r) {
      const auto door = std::make_unique<Door>(siphash<2, 4>{{1, 2}});
      const double before = cpu_ns();
      bool good = open(*door, n);
      listens[r] = cpu_ns() - before;
      stopwatch watch{ns};
      for (std::uint32_t i = 0; i < n; ++i) {
        const segment& s = from.syn(i);
        watch.start();
        const outcome o = door->receive(s, 0, heard[i]);
        syns[r].add(watch.stop());
        good = good && o.verdict == verdict::admitted;
      }
      for (std::uint32_t i = 0; i < n; ++i) {
        const segment& s = from.ack(i, heard[i]);
        watch.start();
        const outcome o = door->receive(s, 1, heard[i]);
        const bool accepted = bool{door->accept(1)};
        acks[r].add(watch.stop());
        good = good && o.verdict == verdict::promoted && accepted;
      }
      if (!good) out.wrong.push_back(std::string{name} + ": a handshake did not finish");
    }
    const auto least = [this](const std::vector<histogram>& all, auto what) {
      double v = what(all[0]);
      for (const histogram& h : all) v = std::min(v, static_cast<double>(what(h)));
      return v * ns;
    };
    const auto cells = [&](const std::vector<histogram>& all) {
      std::vector<std::optional<double>> c;
      for (const double p : percentiles)
        c.emplace_back(least(all, [p](const histogram& h) { return h.percentile(p); }));
      c.emplace_back(least(all, [](const histogram& h) { return static_cast<double>(h.most()); }));
      return c;
    };
    const std::string full = std::string{name} + ", to " + std::to_string(n);
    auto c = cells(syns);
    c.emplace_back(*std::min_element(listens.begin(), listens.end()));
    filling.add(full, c);
    emptying.add(full, cells(acks));
    table::row shares{.name = full};
    for (std::size_t b = first; b < last; ++b) {
      const double share = 1e6 * syns[0].share(b);
      shares.cells.push_back(share > 0 ? std::optional{share} : std::nullopt);
    }
    shape.rows.push_back(shares);
  }
};

four_tuple key_of(peers<>& from, std::uint32_t i) { return four_tuple_of(from.syn(i)); }

/// The longest chain that a look-up walks in a full table, and how many entries one insert moves.
template <class Clockwork = sweep<>>
std::uint32_t longest_chain(std::uint32_t n) {
  request_queue<ipv4, Clockwork, 1, detail::no_order, at_listen> q;
  at_listen memory;
  if (!q.reserve(n, memory)) return 0;
  const siphash<2, 4> keyed{{1, 2}};
  peers<> from;
  for (std::uint32_t i = 0; i < n; ++i) {
    const four_tuple k = key_of(from, i);
    const std::uint32_t words[] = {k.peer_address.value, k.local_address.value,
                                   (std::uint32_t{k.peer_port} << 16) | k.local_port};
    request<ipv4> r;
    r.key = k;
    q.insert(r, static_cast<std::uint32_t>(keyed.hash(words)));
  }
  std::uint32_t longest = 0;
  for (std::uint32_t b = 0; b < q.buckets(); ++b) {
    std::uint32_t length = 0;
    for (auto i = q.bucket_front(b); i != q.npos; i = q.bucket_next(i)) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

template <class Map>
std::size_t most_moved(std::uint32_t n) {
  Map map;
  peers<> from;
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::size_t buckets = map.bucket_count();
    const std::size_t held = map.size();
    map.emplace(key_of(from, i), i);
    if (map.bucket_count() != buckets) most = std::max(most, held);
  }
  return most;
}
std::size_t longest_bucket(std::uint32_t n) {
  std::unordered_map<four_tuple, std::uint32_t, mixing_hash> map;
  peers<> from;
  for (std::uint32_t i = 0; i < n; ++i) map.emplace(key_of(from, i), i);
  std::size_t longest = 0;
  for (std::size_t b = 0; b < map.bucket_count(); ++b) longest = std::max(longest, map.bucket_size(b));
  return longest;
}

/// The most timers that one tick handles. N requests come evenly in a second.
template <class L>
std::uint32_t most_timers(std::uint32_t n, duration step) {
  L door{siphash<2, 4>{{1, 2}}};
  if (!open(door, n)) return 0;
  peers<> from;
  memory_of_peer heard;
  std::uint32_t most = 0, sent = 0;
  for (instant now = 0; now < 6 * second; now += step) {
    for (; sent < n && static_cast<instant>(sent) * second / n <= now; ++sent) door.receive(from.syn(sent), now, heard);
    most = std::max(most, door.tick(now, heard).timers);
  }
  return most;
}

void count_steps(report& out, const std::vector<std::uint32_t>& sizes) {
  table t{.title = "Steps of the worst single event, counted",
          .note =
              "The same on every machine. Entries moved: by one insert while a map grows; the library's table never "
              "does. A tick: N requests came "
              "evenly within a second; `exact` ticked every ms, the hand every 200 ms, as it wants to be."};
  for (const std::uint32_t n : sizes) t.columns.push_back(std::to_string(n));
  const auto row = [&](const char* name, auto value) {
    table::row r{.name = name};
    for (const std::uint32_t n : sizes) r.cells.emplace_back(static_cast<double>(value(n)));
    t.rows.push_back(r);
  };
  row("longest chain, library", [](std::uint32_t n) { return longest_chain(n); });
  row("longest chain, unordered_map", longest_bucket);
  row("entries moved, unordered_map", most_moved<std::unordered_map<four_tuple, std::uint32_t, mixing_hash>>);
  row("entries moved, unordered_flat_map",
      most_moved<boost::unordered_flat_map<four_tuple, std::uint32_t, keyed_hash>>);
  row("timers in a tick, exact", [](std::uint32_t n) { return most_timers<listener<>>(n, millisecond); });
  row("timers in a run of the hand",
      [](std::uint32_t n) { return most_timers<listener<clockwork<sweep<>>>>(n, 200 * millisecond); });
  out.tables.push_back(t);
}

}  // namespace

int main(int argc, char** argv) {
  report out{argc, argv};
  tails t{out};
  const unsigned bits = out.by_effort(12U, 16U, 20U);
  const std::uint32_t n = 1U << bits;
  t.row<nothing>("nothing", n);
  t.row<preset::linux_6_18>("library", n);
  t.row<naive>("naive", n);
  t.row<careful>("careful", n);
  out.tables = {t.filling, t.emptying, t.shape};
  std::vector<std::uint32_t> sizes;
  for (unsigned b = 12; b <= bits; b += 4) sizes.push_back(1U << b);
  count_steps(out, sizes);
  return out.write();
}
