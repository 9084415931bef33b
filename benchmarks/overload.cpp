// SPDX-License-Identifier: BSL-1.0
// What a segment costs when there is no room for it: SYNs at a full request queue by what the policy answers, at a full
// accept queue, final ACKs that find no room, stray ACKs, duplicates, cookies. Overload must be cheaper than service:
// the row `handshake` is what they are compared with. 4096 half-open connections throughout.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <memory>
#include <vector>

#include "support/doors.hpp"
#include "support/peers.hpp"

using namespace bench;

namespace {

constexpr std::uint32_t half_open = 4096;

template <class... Options>
using door = listener<validation<linux_validation<linux_era::v6_18>>, deferral<defer_accept<>>, Options...>;
template <class RequestFull>
using without_cookies = door<RequestFull, cookies<no_cookies>, pressure<no_pressure>>;
using syncache_door = door<sizing<syncache<512, 30, half_open>>, admission<syncache_gates>, cookies<no_cookies>,
                           request_full<evict_in_bucket>, pressure<no_pressure>>;

/// A door and the peers before it, of whom the first `half_open` wait for their final ACK.
template <class L>
struct crowd {
  std::unique_ptr<L> to = std::make_unique<L>(siphash<2, 4>{{1, 2}});
  peers<> from{};
  std::vector<memory_of_peer> heard = std::vector<memory_of_peer>(2 * half_open);
  std::uint32_t next = 0;
  instant now = 0;
  bool good;

  explicit crowd(std::uint32_t room, std::uint32_t syncookies = 0) : good(open(*to, room, syncookies)) {
    for (; next < half_open && good; ++next)
      good = to->receive(from.syn(next), 0, heard[next]).verdict == verdict::admitted;
  }
  outcome syn(std::uint32_t n) { return to->receive(from.syn(n), now, heard[n % heard.size()]); }
  outcome ack(std::uint32_t n) { return to->receive(from.ack(n, heard[n % heard.size()]), now, heard[0]); }
};

/// Does `event(crowd)` as long as it yields `expected`.
template <class L, class Event>
void repeat(benchmark::State& run, crowd<L> c, verdict expected, Event event) {
  std::uint64_t bad = 0;
  for (auto _ : run) bad += event(c).verdict != expected;
  if (bad != 0 || !c.good) run.SkipWithError("another outcome than meant");
}

void handshake(benchmark::State& run) {
  crowd<preset::linux_6_18> c{2 * half_open};
  std::uint64_t bad = 0;
  for (auto _ : run) {
    ++c.now;
    bad += c.syn(c.next).verdict != verdict::admitted;
    bad += c.ack(c.next - half_open).verdict != verdict::promoted;
    bad += !c.to->accept(c.now);
    ++c.next;
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
}

/// SYNs of strangers at a queue that is full to the last place.
template <class L>
void syn_at_full_table(benchmark::State& run, verdict expected) {
  repeat(run, crowd<L>{half_open - 1}, expected, [](auto& c) { return c.syn(c.next++); });
}
void syn_at_full_syncache(benchmark::State& run) {
  crowd<syncache_door> c{half_open};
  for (; c.next < 8 * half_open; ++c.next) c.syn(c.next);
  repeat(run, std::move(c), verdict::admitted, [](auto& d) { return d.syn(d.next++); });
}
void stray_ack(benchmark::State& run) {
  repeat(run, crowd<preset::linux_6_18>{half_open - 1}, verdict::stray, [](auto& c) { return c.ack(c.next++); });
}
/// Of requests that wait; each again only after its rate limit is over, or before.
void duplicate_syn(benchmark::State& run, bool limited) {
  crowd<preset::linux_6_18> first{half_open - 1};
  std::uint32_t again = 0;
  if (limited) {
    for (std::uint32_t n = 0; n < half_open; ++n) first.syn(n);
  }
  repeat(run, std::move(first), verdict::duplicate_syn, [&](auto& c) {
    if (!limited) c.now += 600 * millisecond / half_open;
    again = (again + 1) % half_open;
    return c.syn(again);
  });
}
void cookie_sent(benchmark::State& run) {
  repeat(run, crowd<preset::linux_6_18>{half_open - 1, 1}, verdict::cookie_sent,
         [](auto& c) { return c.syn(c.next++); });
}
/// The ACKs of 1024 peers that were all sent a cookie, again and again.
void cookie_ack(benchmark::State& run) {
  crowd<preset::linux_6_18> c{half_open - 1, 1};
  constexpr std::uint32_t peers_served = 1024;
  for (std::uint32_t i = 0; i < peers_served; ++i) c.syn(half_open + i);
  std::uint32_t n = 0;
  repeat(run, std::move(c), verdict::cookie_promoted, [&](auto& d) {
    n = (n + 1) % peers_served;
    const outcome o = d.ack(half_open + n);
    d.to->accept(d.now);
    return o;
  });
}
void cookie_ack_forged(benchmark::State& run) {
  crowd<preset::linux_6_18> c{half_open - 1, 1};
  c.syn(half_open);
  repeat(run, std::move(c), verdict::stray, [](auto& d) { return d.ack(2 * half_open + d.next++ % half_open); });
}

/// The accept queue is full and nobody accepts; there is room for requests.
template <class L>
crowd<L> nobody_accepts() {
  crowd<L> c{half_open};
  for (std::uint32_t n = 0; n < half_open; ++n) c.ack(n);
  for (std::uint32_t n = c.next; !c.to->accept_full(); ++n) {
    c.syn(n);
    c.ack(n);
  }
  return c;
}
template <class L>
void syn_at_full_accept_queue(benchmark::State& run, verdict expected) {
  auto c = nobody_accepts<L>();
  c.next = 4 * half_open;
  repeat(run, std::move(c), expected, [](auto& d) { return d.syn(d.next++); });
}
using admits = without_cookies<accept_full_at_syn<admit>>;
/// A request's final ACK, which finds no room and tries again.
void ack_at_full_accept_queue(benchmark::State& run) {
  auto c = nobody_accepts<admits>();
  const std::uint32_t first = 4 * half_open;
  for (std::uint32_t n = 0; n < 1024; ++n) c.syn(first + n);
  std::uint32_t n = 0;
  repeat(run, std::move(c), verdict::overflow_kept, [&](auto& d) {
    n = (n + 1) % 1024;
    return d.ack(first + n);
  });
}
/// A SYN that is admitted and the final ACK that finds no room and is reset.
void handshake_reset_at_full_accept_queue(benchmark::State& run) {
  auto c = nobody_accepts<door<accept_full_at_syn<admit>, accept_full_at_ack<reset>, cookies<no_cookies>>>();
  c.next = 4 * half_open;
  repeat(run, std::move(c), verdict::overflow_reset, [](auto& d) {
    d.syn(d.next);
    return d.ack(d.next++);
  });
}

const bool registered = [] {
  const auto add = [](const char* name, auto f, auto... rest) { benchmark::RegisterBenchmark(name, f, rest...); };
  add("handshake", handshake);
  add("syn_at_full_table drop", syn_at_full_table<without_cookies<request_full<drop>>>, verdict::dropped_request_full);
  add("syn_at_full_table reset", syn_at_full_table<without_cookies<request_full<reset>>>, verdict::reset_request_full);
  add("syn_at_full_table evict_oldest", syn_at_full_table<without_cookies<request_full<evict_oldest>>>,
      verdict::admitted);
  add("syn_at_full_table evict_random", syn_at_full_table<without_cookies<request_full<evict_random>>>,
      verdict::admitted);
  add("syn_at_full_table evict_most_retried", syn_at_full_table<without_cookies<request_full<evict_most_retried>>>,
      verdict::admitted);
  add("syn_at_full_syncache evict_in_bucket", syn_at_full_syncache);
  add("syn_at_full_table cookie", cookie_sent);
  add("cookie_ack", cookie_ack);
  add("cookie_ack forged", cookie_ack_forged);
  add("stray_ack", stray_ack);
  add("duplicate_syn answered", duplicate_syn, false);
  add("duplicate_syn rate_limited", duplicate_syn, true);
  add("syn_at_full_accept_queue drop", syn_at_full_accept_queue<without_cookies<accept_full_at_syn<drop>>>,
      verdict::dropped_accept_full);
  add("syn_at_full_accept_queue reset", syn_at_full_accept_queue<without_cookies<accept_full_at_syn<reset>>>,
      verdict::reset_accept_full);
  add("ack_at_full_accept_queue keep", ack_at_full_accept_queue);
  add("handshake_at_full_accept_queue reset", handshake_reset_at_full_accept_queue);
  return true;
}();

}  // namespace
