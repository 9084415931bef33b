// SPDX-License-Identifier: BSL-1.0
// What other stacks seem to do wrong at their listeners (read in their sources, not run): P1 to P8, each run here.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/seastar.hpp>
#include <listenq/preset/shadow.hpp>
#include <listenq/testing/invariants.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::C;
using test::script;
using test::tuple;

namespace {

using before = preset::linux_2_6_32;
using old = preset::linux_3_12;
using modern = preset::linux_6_18;

}  // namespace

// Seastar, net/tcp.hh: the count of pending handshakes falls only when one succeeds.
TEST_CASE("P1: after any number of failed handshakes, failed in any way, there is as much room as before") {
  const auto empties = [](auto fail) {
    const auto run = [&fail](auto s) {
      s.listener.set(tunable::syncookies, 0);
      for (int round = 0; round < 300; ++round) {
        s.syn(0);
        fail(s);
        CHECK(s.listener.request_count() == 0);
        CHECK(s.listener.young_count() == 0);
      }
      while (s.listener.request_count() < s.listener.request_limit()) {
        CHECK(s.syn(static_cast<int>(s.listener.request_count())) == verdict::admitted);
      }
    };
    run(script<before>{1});
    run(script<old>{1});
    run(script<modern>{1});
  };
  empties([](auto& s) { s.rst(0); });
  empties([](auto& s) { s.send(0, {.flags = flag::syn, .seq = 100}); });
  empties([](auto& s) { s.listener.unreachable(tuple(0), s.iss(0), s.now); });
  empties([](auto& s) { s.run_until(s.now + at(200)); });
  empties([](auto& s) {
    s.out.answer = send_result::failed;
    s.run_until(s.now + at(6));
    s.out.answer = send_result::sent;
  });
  empties([](auto& s) {
    s.out.takes_children = false;
    s.listener.set(tunable::abort_on_overflow, 1);
    s.ack(0);
    s.out.takes_children = true;
  });
  empties([](auto& s) {
    s.listener.close(s.out, s.now);
    s.ack(0);
    s.listener.listen(1);
  });
}

// The leak itself is left out of the preset: what Seastar counts is the requests that there are.
TEST_CASE("P1 in the preset of Seastar: after 300 handshakes that failed the port does not answer RST") {
  script<preset::seastar> s{4};
  for (int i = 0; i < 300; ++i) {
    CHECK(s.syn(i) == verdict::admitted);
    i % 2 == 0 ? static_cast<void>(s.rst(i)) : s.run_until(s.now + at(70));
  }
  CHECK(s.connect(1000, 1003) == 4);
}

// mTCP, tcp_in.c: the listener is looked up again at the final ACK and used unchecked.
TEST_CASE("P2: a listener that closes between SYN and ACK: the ACK gets a RST, and no child is made") {
  const auto check = [](auto s) {
    s.syn(0);
    s.listener.close(s.out, s.now);
    CHECK(s.ack(0) == verdict::not_listening);
    CHECK(s.out.last().flags.has(flag::rst));
    CHECK(s.out.last().seq == s.iss(0) + 1);
    CHECK(s.out.children == 0);
    CHECK(s.listener.request_count() == 0);
    CHECK(s.listener.accept().status == accept_status::not_listening);
  };
  check(script<old>{1});
  check(script<modern>{1});
}

// gVisor, dispatcher.go: racing deliveries may exceed the bound of the accept queue.
TEST_CASE("P3: whatever the order of SYNs, ACKs and accepts, no more than N + 1 connections wait") {
  std::array<int, 6> order{0, 1, 2, 3, 4, 5};  // odd: a SYN and an ACK of three peers
  int orders = 0;
  do {
    for (const int accept_after : {2, 4, 6}) {
      script<old> s{1};
      s.connect(10, 10);
      std::uint32_t most = 0;
      for (int i = 0; i < 6; ++i) {
        if (i == accept_after) s.listener.accept();
        const int peer = order[static_cast<std::size_t>(i)] / 2;
        order[static_cast<std::size_t>(i)] % 2 == 0 ? s.syn(peer) : s.ack(peer);
        most = std::max(most, s.listener.accept_count());
      }
      for (int peer = 0; peer < 3; ++peer) s.ack(peer);
      most = std::max(most, s.listener.accept_count());
      CHECK(most <= 2);
      testing::for_each_violation(s.listener, [](testing::invariant i) { FAIL_CHECK(testing::about(i).name); },
                                  {.exact_deadlines = false});
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(orders == 720);
}

// Shadow, states.rs: with a full queue every SYN is dropped before the lookup.
TEST_CASE("P4: a known peer's SYN is answered while both queues are full, unless the gates stand before the lookup") {
  const auto again = [](auto s) {
    s.listener.set(tunable::syncookies, 0);
    s.syn(0), s.syn(1);
    s.ack(1);
    s.syn(1);
    s.listener.listen(0);
    CHECK(s.listener.accept_full() == (s.listener.accept_count() > 0));
    s.now = at(0.6);
    return s.syn(0);
  };
  CHECK(again(script<modern>{1}) == verdict::duplicate_syn);
  CHECK(again(script<old>{1}) == verdict::duplicate_syn);
  CHECK(again(script<preset::shadow>{1}) == verdict::dropped_request_full);
}

// picoTCP, pico_tcp.c: sequence numbers compared as plain integers.
TEST_CASE("P5: every comparison of numbers holds across the end of the number space") {
  for (const seq_number isn : {0xffffffffU, 0xfffffffeU, 0xffffff00U, 0x7fffffffU, 0x80000000U, 0U}) {
    CAPTURE(isn);
    const auto fresh = [isn] {
      script<with<modern, listenq::isn<fixed_isn<0xffffffffU>>>> s{4};
      s.client_isn = isn;
      CHECK(s.syn(0) == verdict::admitted);
      return s;
    };
    CHECK(fresh().ack(0) == verdict::promoted);
    CHECK(fresh().data(0) == verdict::promoted);
    CHECK(fresh().rst(0) == verdict::request_reset);
    CHECK(fresh().send(0, {.flags = flag::rst, .seq = 300}) == verdict::challenged);
    CHECK(fresh().send(0, {.flags = flag::rst, .seq = -300}) == verdict::out_of_window);
    CHECK(fresh().send(0, {.flags = flag::rst, .seq = 70000}) == verdict::out_of_window);
    CHECK(fresh().send(0, {.flags = flag::ack, .seq = 1, .ack = 0}) == verdict::wrong_ack);
    CHECK(fresh().send(0, {.flags = flag::ack, .seq = 1, .ack = 2}) == verdict::wrong_ack);
    CHECK(fresh().send(0, {.flags = flag::ack, .seq = 70000, .ack = 1}) == verdict::out_of_window);
    CHECK(fresh().syn(0) == verdict::duplicate_syn);
  }
}

// NuttX, tcp_input.c: any RST kills.
TEST_CASE("P6: a RST ends a request at the very next number on 6.18, within the window on 3.12, outside it nowhere") {
  const auto verdict_at = [](auto s, std::int64_t seq) {
    s.syn(0);
    const auto v = s.send(0, {.flags = flag::rst, .seq = seq});
    CHECK(s.waits(0) == (v != verdict::request_reset));
    return v;
  };
  script<modern> probe{4};
  probe.syn(0);
  const std::int64_t window = probe.out.last().window;
  CHECK(window > 1000);
  for (const std::int64_t seq : {std::int64_t{0}, 1 + window + 1, std::int64_t{-1}, std::int64_t{0x80000000}}) {
    CAPTURE(seq);
    CHECK(verdict_at(script<modern>{4}, seq) == verdict::out_of_window);
  }
  CHECK(verdict_at(script<modern>{4}, 1) == verdict::request_reset);
  CHECK(verdict_at(script<modern>{4}, 2) == verdict::challenged);
  CHECK(verdict_at(script<modern>{4}, window) == verdict::challenged);

  script<old> old_probe{4};
  old_probe.syn(0);
  const std::int64_t old_window = old_probe.out.last().window;
  CHECK(verdict_at(script<old>{4}, 0) == verdict::out_of_window);
  CHECK(verdict_at(script<old>{4}, 1) == verdict::request_reset);
  CHECK(verdict_at(script<old>{4}, old_window) == verdict::request_reset);
  CHECK(verdict_at(script<old>{4}, old_window + 2) == verdict::out_of_window);
}

// IncludeOS, listener.cpp: half-open connections are told apart by their remote end alone.
TEST_CASE("P7: one peer address and port to two addresses and two ports of ours are four requests") {
  modern l{siphash<2, 4>{{1, 2}}};
  l.listen(8);
  for (const std::uint32_t address : {1U, 3U}) {
    for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{443}}) {
      segment s;
      s.source = {test::host<ipv4>(2), 30001};
      s.destination = {test::host<ipv4>(address), port};
      s.flags = flag::syn;
      s.seq = C + address + port;
      const auto step = l.receive(s, 0);
      CHECK(step.outcome.verdict == verdict::admitted);
      CHECK(step.reply->source == s.destination);
      CHECK(step.reply->ack == s.seq + 1);
    }
  }
  CHECK(l.request_count() == 4);
  segment rst;
  rst.source = {test::host<ipv4>(2), 30001};
  rst.destination = {test::host<ipv4>(1), 443};
  rst.flags = flag::rst;
  rst.seq = C + 1 + 443 + 1;
  CHECK(l.receive(rst, 0).outcome.verdict == verdict::request_reset);
  CHECK(l.request_count() == 3);
}

// ENet, protocol.c: channels are allocated before the peer's address is proven.
TEST_CASE("P8: a flood of unproven peers makes no child and takes no byte beyond the request's place") {
  script<modern> s{64};
  for (int i = 0; i < 5000; ++i) s.syn(i);
  CHECK(s.out.children == 0);
  CHECK(s.listener.accept_count() == 0);
  CHECK(s.listener.request_count() == 65);

  // All that a full listener may ever use, counted out beforehand; nothing else is asked for.
  using counted_out = with<modern, storage<fixed<65, 65>>>;
  script<counted_out> f{64};
  for (int i = 0; i < 5000; ++i) f.syn(i);
  CHECK(f.listener.request_count() == 65);
  using for_one = with<modern, storage<fixed<1, 1>>>;
  static_assert(sizeof(counted_out) - sizeof(for_one) < 64 * (modern::bytes_per_request + 24));
}
