// SPDX-License-Identifier: BSL-1.0
// Quirks of groups of listeners on one port (SO_REUSEPORT), by number.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <listenq/group.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::C;
using test::recorder;
using test::tuple;

namespace {

using member = preset::linux_6_18;

/// Two listeners with room for eight each; the first has one connection that waits and one request.
template <class G>
struct pair_of_listeners {
  G group;
  std::array<member, 2> each;
  recorder<> out{};
  int waits = 0;
  int half = 0;

  explicit pair_of_listeners(bool migrates) {
    for (member& l : each) REQUIRE(group.join(l, 8) == join_status::ok);
    REQUIRE(group.migrate(migrates));
    group.waits(each[1], 5);
    waits = peer_of_first(0);
    half = peer_of_first(waits + 1);
    syn(waits);
    ack(waits);
    syn(half);
  }
  int peer_of_first(int from) {
    while (group.choose(tuple(from)) != &each[0]) ++from;
    return from;
  }
  verdict send(int peer, flags f, seq_number seq, seq_number ack) {
    segment s{.source = tuple(peer).peer(), .destination = tuple(peer).local(), .seq = seq, .ack = ack, .flags = f};
    return group.receive(s, 0, out).verdict;
  }
  verdict syn(int peer) { return send(peer, flag::syn, C, 0); }
  verdict ack(int peer) {
    for (std::size_t back = 1; back <= out.count; ++back) {
      const segment& s = out[out.count - back];
      if (s.flags.has(flag::syn) && s.destination == tuple(peer).peer()) {
        return send(peer, flag::ack, C + 1, s.seq + 1);
      }
    }
    return verdict::ignored;
  }
};

}  // namespace

// The reason for tcp_migrate_req (bpf list, msg30220): siblings could have taken them.
TEST_CASE("Q23: a listener of a group that closes loses its requests and its queue, unless they migrate") {
  pair_of_listeners<group<member>> p{false};
  CHECK(p.group.leave(p.each[0], p.out).children == 1);
  CHECK(p.out.resets == 1);
  CHECK(p.ack(p.half) == verdict::stray);
  CHECK(p.out.last().flags.has(flag::rst));
  CHECK(p.each[1].accept_count() == 0);

  pair_of_listeners<group<member>> m{true};
  CHECK(m.group.leave(m.each[0], m.out).children == 0);
  CHECK(m.out.resets == 0);
  CHECK(m.ack(m.half) == verdict::promoted);
  CHECK(m.each[1].accept().handle == tuple(m.waits));
  CHECK(m.each[1].accept().handle == tuple(m.half));
}

// CVE-2026-46015, inet_csk_listen_stop of 6.18.24: the migrated child is queued and nobody is told.
TEST_CASE("Q24: a connection that migrates wakes an accepter; as 6.18.24 has it, it does not") {
  pair_of_listeners<group<member>> p{true};
  const auto before = p.group.counters().wakeups;
  p.group.leave(p.each[0], p.out);
  CHECK(p.each[1].accept_count() == 1);
  CHECK(p.group.counters().wakeups == before + 1);

  pair_of_listeners<group<member, 16, found::everywhere, wake_one_except_migrated>> q{true};
  const auto then = q.group.counters().wakeups;
  q.group.leave(q.each[0], q.out);
  CHECK(q.each[1].accept_count() == 1);
  CHECK(q.group.counters().wakeups == then);
}
