// SPDX-License-Identifier: BSL-1.0
// The characteristic numbers of a preset, found by sending it segments: how many clients connect, how many requests it
// holds, when SYN-ACKs leave, what is said when it is full.
#pragma once

#include <cstdint>
#include <listenq/explain.hpp>
#include <string>
#include <vector>

#include "support/script.hpp"

namespace listenq::test {

/// Clients 10 ms apart, nobody accepts, no timer runs: how many get a SYN-ACK for their SYN and no RST for their ACK
/// (UNP, figure 4.10, counts connect() calls that have returned).
template <class L>
int connects(int backlog, int clients = 30) {
  script<L> s{backlog};
  int n = 0;
  for (int i = 0; i < clients; ++i) {
    s.now = i * 10 * millisecond;
    const std::size_t before = s.out.count;
    s.syn(i);
    if (s.out.count == before || s.out.last().flags.has(flag::rst)) continue;
    s.ack(i);
    n += !s.out.last().flags.has(flag::rst);
  }
  return n;
}

/// The same for backlogs 0 to 14.
template <class L>
std::vector<int> figure_4_10() {
  std::vector<int> all;
  for (int n = 0; n <= 14; ++n) all.push_back(connects<L>(n));
  return all;
}

/// SYNs of different peers at once: how many are stored until one is not, or stores itself in another's place.
struct room {
  int held = 0;
  std::string then;  ///< the verdict, with "evicted" where a request had to go
  friend bool operator==(const room&, const room&) = default;
};
template <class L>
room half_open(int backlog, int most = 2000) {
  script<L> s{backlog};
  room r;
  for (; r.held < most; ++r.held) {
    s.syn(r.held);
    if (s.last.verdict != verdict::admitted || s.last.stages.has(stage::evicted)) break;
  }
  r.then = r.held == most ? "more" : name_of(s.last.verdict);
  if (s.last.stages.has(stage::evicted)) r.then += " evicted";
  return r;
}

/// Finished handshakes that wait for accept(), each finished before the next SYN.
template <class L>
std::uint32_t waiting_for_accept(int backlog, int most = 500) {
  script<L> s{backlog};
  for (int i = 0; i < most; ++i) s.syn(i), s.ack(i);
  return s.listener.accept_count();
}

/// Milliseconds after the SYN: its SYN-ACKs, then the end of the request; at most `most` numbers.
template <class L>
std::vector<std::int64_t> life(std::size_t most = 12) {
  script<L> s{16};
  s.syn(0);
  std::vector<std::int64_t> times{0};
  while (s.waits(0) && times.size() < most) {
    const std::size_t before = s.out.count;
    s.tick(*s.listener.next_deadline());
    if (s.out.count > before || !s.waits(0)) times.push_back(s.now / millisecond);
  }
  return times;
}

/// One slot is left, `rivals` requests want it: what the ACK of the last one gets.
template <class L>
std::string late_ack(int backlog, int rivals = 2) {
  const int slots = static_cast<int>(waiting_for_accept<L>(backlog));
  script<L> s{backlog};
  for (int i = 1; i < slots; ++i) s.syn(i), s.ack(i);
  for (int i = 0; i < rivals; ++i) s.syn(1000 + i);
  for (int i = 0; i < rivals; ++i) s.ack(1000 + i);
  return name_of(s.last.verdict);
}

/// What a SYN gets while the accept queue is full and no request waits.
template <class L>
std::string late_syn(int backlog) {
  const int slots = static_cast<int>(waiting_for_accept<L>(backlog));
  script<L> s{backlog};
  for (int i = 0; i < slots; ++i) s.syn(i), s.ack(i);
  s.syn(1000);
  return name_of(s.last.verdict);
}

}  // namespace listenq::test
