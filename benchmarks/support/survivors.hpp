// SPDX-License-Identifier: BSL-1.0
// How many honest handshakes survive in a queue that is always full, by the numbers of NANOG 1996 (random drop against
// drop oldest), beside their closed forms. tests/eviction_math.cpp holds the library to them; this shows them.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <listenq/listener.hpp>

#include "peers.hpp"

namespace bench {

struct flooded_queue {
  std::uint32_t length;     ///< L
  std::uint32_t rate;       ///< R, SYNs a second
  duration round_trip;      ///< t, from the SYN to its ACK
  double thread;            ///< what the thread says of random drop; 0: nothing
  double between() const {  ///< SYNs in a round trip
    return std::floor(rate * (static_cast<double>(round_trip) / second));
  }
  double if_random() const { return std::pow(1 - 1.0 / length, between()); }
  double if_oldest() const { return between() < length ? 1 : 0; }
};

inline constexpr flooded_queue nanog[] = {
    {382, 100, 250 * millisecond, 0.93}, {383, 1200, 250 * millisecond, 0.456}, {383, 1500, 250 * millisecond, 0},
    {383, 1600, 250 * millisecond, 0},   {383, 2700, 250 * millisecond, 0},     {260, 130, second, 0},
    {260, 130, 2100 * millisecond, 0},
};

template <class RequestFull>
using flooded = listener<RequestFull, sizing<same_as_backlog>, cookies<no_cookies>, counters<no_counters>,
                         schedule<fixed_lifetime<1000 * second>>, waiting<reached<pipeline<exactly<60000>>>>>;

/// A queue of `Door` stands full; every 101st SYN is honest and its ACK comes a round trip later. The share of those
/// whose handshake is finished.
template <class Door>
double survivors(const flooded_queue& q, int honest) {
  struct pending {
    std::uint32_t number;
    instant due;
    memory_of_peer heard;
  };
  Door door{siphash<>{{1996, 9}}};
  if (!door.listen(static_cast<int>(q.length))) return -1;
  peers<> from;
  std::deque<pending> waiting;
  memory_of_peer out;
  int asked = 0, finished = 0;
  for (std::uint32_t n = 0; asked < honest; ++n) {
    const instant now = static_cast<instant>(n) * second / q.rate;
    for (; !waiting.empty() && waiting.front().due < now; waiting.pop_front()) {
      const pending& p = waiting.front();
      ++asked;
      finished += door.receive(from.ack(p.number, p.heard), now, out).verdict == verdict::promoted ? 1 : 0;
      door.accept(now);
    }
    door.receive(from.syn(n), now, out);
    if (n > 3 * q.length && n % 101 == 0) waiting.push_back({n, now + q.round_trip, out});
  }
  return static_cast<double>(finished) / asked;
}

}  // namespace bench
