// SPDX-License-Identifier: BSL-1.0
// listener.hpp: nothing of a listener that was closed comes back (kernels.md 6, invariant 36; FreeBSD-SA-02:20), and
// where a kernel does let something through, that, as this kernel's behaviour.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <memory>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::recorder;
using test::script;
using test::tuple;

namespace {

using modern = preset::linux_6_18;

template <class L>
void close(script<L>& s) {
  s.listener.close(s.out, s.now);
}

/// Everything that can end a request of a closed listener, for a composition: it must not connect anybody.
template <class L>
void check_nothing_returns() {
  for (const bool listens_again : {false, true}) {
    CAPTURE(listens_again);
    script<L> s{4};
    for (int i = 0; i < 4; ++i) s.syn(i);
    s.connect(4, 5);
    const std::size_t children = s.out.children;
    close(s);
    CHECK(s.listener.accept_count() == 0);
    if (listens_again) {
      REQUIRE(s.listener.listen(4, s.now));
      CHECK(s.listener.request_count() == 0);
      CHECK_FALSE(s.listener.next_deadline());
    }
    const verdict no = listens_again ? verdict::stray : verdict::not_listening;
    CHECK(s.ack(0) == no);
    CHECK(s.data(1) == no);
    CHECK(s.out.last().flags == flag::rst);
    s.rst(2);
    s.run_until(at(300));
    CHECK(s.ack(3) == no);
    CHECK(s.ack(4) == no);  // its connection waited, and has been reset
    CHECK(s.out.children == children);
    CHECK(s.listener.accept_count() == 0);
    CHECK(s.listener.request_count() == 0);
    CHECK(s.listener.young_count() == 0);
    CHECK_FALSE(s.listener.next_deadline());
  }
}

}  // namespace

TEST_CASE("a request of a closed listener never becomes a connection: all presets, both clockworks, all closings") {
  check_nothing_returns<modern>();
  check_nothing_returns<preset::linux_3_12>();
  check_nothing_returns<preset::linux_2_6_32>();
  check_nothing_returns<with<modern, closing<forget_requests>>>();
  check_nothing_returns<with<modern, closing<abort_requests>>>();
  check_nothing_returns<with<modern, clockwork<sweep<>>>>();
  check_nothing_returns<with<preset::linux_3_12, closing<leave_to_timer>>>();
  check_nothing_returns<with<modern, family<ipv6>>>();
}

// The timer of a request that is no more, found by the listener that has its place.
TEST_CASE("a request left to its timer does not time out in the next listener") {
  script<modern> s{4};
  s.syn(0);
  close(s);
  s.listener.listen(4, at(0.5));
  s.now = at(0.5);
  s.syn(0);  // the same four-tuple, anew
  CHECK(s.listener.next_deadline() == at(1.5));
  CHECK(s.tick(at(1)).timers == 0);
  CHECK(s.request(0).timeouts == 0);
}

TEST_CASE("leave_to_timer under a hand: every request goes in silence when the hand comes round") {
  script<with<preset::linux_3_12, closing<leave_to_timer>>> s{16};
  for (int i = 0; i < 10; ++i) s.syn(i);
  const std::size_t sent = s.out.count;
  CHECK(s.listener.close(s.out).requests == 0);
  CHECK(s.listener.request_count() == 10);
  CHECK(s.listener.next_deadline() == at(1));
  s.run_until(at(2));
  CHECK(s.listener.request_count() == 0);
  CHECK(s.out.count == sent);
  CHECK_FALSE(s.listener.next_deadline());
}

// A SYN to a closed port gets its RST and takes the request with it: it cannot be answered from the old one.
TEST_CASE("a duplicate SYN for a request of a closed listener is refused, and the request ends") {
  script<modern> s{4};
  s.syn(0);
  const seq_number old = s.iss(0);
  close(s);
  CHECK(s.syn(0) == verdict::not_listening);
  CHECK(s.out.last().flags == (flag::rst | flag::ack));
  CHECK_FALSE(s.waits(0));
  s.now = at(0.3);
  s.listener.listen(4, s.now);
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.iss(0) != old);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = static_cast<std::int32_t>(old - s.iss(0)) + 1}) ==
        verdict::wrong_ack);
}

TEST_CASE("a queued handle of the old listener is nobody's in the new one") {
  script<modern> s{4};
  s.connect(0, 1);
  close(s);
  CHECK(s.out.resets == 2);
  s.listener.listen(4);
  CHECK_FALSE(s.listener.child_gone(tuple(0)));
  CHECK(s.listener.accept().status == accept_status::would_block);
  s.connect(2, 2);
  CHECK(s.listener.accept().handle == tuple(2));
  close(s);
  CHECK(s.out.resets == 2);  // and is not reset a second time
}

TEST_CASE("an entry marked as gone does not mark the one that takes its slot") {
  script<with<modern, aborted_child<reported>>> s{1};
  s.connect(0, 0);
  s.listener.child_gone(tuple(0));
  close(s);
  s.listener.listen(1);
  s.connect(0, 0);
  CHECK(s.listener.accept().status == accept_status::ok);
}

// The stamp of the last cookie belongs to the listener, its secret to the machine. So a new listener refuses an old
// cookie, until it has sent one of its own. Measured on 6.18.44, tcp_syncookies=2: RST, then SyncookiesRecv.
TEST_CASE("a cookie sent before close is stray at the next listener, until that sends one, too (Linux)") {
  script<modern> s{4};
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(0) == verdict::cookie_sent);
  close(s);
  CHECK(s.ack(0) == verdict::not_listening);
  s.listener.listen(4);
  CHECK(s.ack(0) == verdict::stray);
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
  CHECK(s.syn(1) == verdict::cookie_sent);
  CHECK(s.ack(0) == verdict::cookie_promoted);
  CHECK(s.listener.accept().handle == tuple(0));
}

// Measured on 6.18.44: the final ACK after shutdown(SHUT_RD) and listen() makes a connection; without the listen() it
// gets a RST and the request is gone.
TEST_CASE("shutdown and listen again before the timer: the request is good again (Linux 6.18)") {
  script<modern> s{4};
  s.syn(0), s.syn(1), s.syn(2);
  s.connect(3, 3);
  const shutdown_result r = s.listener.shutdown(shutdown_how::read, s.out);
  CHECK(r.status == shutdown_status::ok);
  CHECK(r.closed.children == 1);
  CHECK(s.out.resets == 1);
  CHECK(s.listener.accept().status == accept_status::not_listening);
  CHECK(s.ack(0) == verdict::not_listening);
  CHECK(s.listener.listen(9).effect == listen_effect::started);
  CHECK(s.listener.request_count() == 2);
  CHECK(s.listener.young_count() == 2);
  CHECK(s.listener.next_deadline() == at(1));
  CHECK(s.ack(0) == verdict::stray);
  CHECK(s.ack(1) == verdict::promoted);
  s.run_until(at(1));
  CHECK(s.request(2).timeouts == 1);
  CHECK(s.ack(3) == verdict::stray);
}

TEST_CASE("shutdown and listen again with a larger table: what was left is found") {
  script<modern> s{63};
  for (int i = 0; i < 64; ++i) s.syn(i);
  s.listener.shutdown(shutdown_how::both, s.out);
  REQUIRE(s.listener.listen(300));
  for (int i = 0; i < 64; ++i) CHECK(s.ack(i) == verdict::promoted);
}

TEST_CASE("shutdown and listen again on 3.12: the table is new, and nothing of the old one is there") {
  script<preset::linux_3_12> s{4};
  s.syn(0);
  CHECK(s.listener.shutdown(shutdown_how::both, s.out).closed.requests == 1);
  s.listener.listen(4);
  CHECK(s.ack(0) == verdict::stray);
}

TEST_CASE("close, after a shutdown before, ends what the shutdown had left") {
  script<modern> s{4};
  s.syn(0);
  s.listener.shutdown(shutdown_how::read, s.out);
  s.listener.listen(4);
  close(s);
  s.listener.listen(4);
  CHECK(s.listener.request_count() == 0);
  s.syn(1);
  s.listener.shutdown(shutdown_how::read, s.out);
  close(s);  // it no longer listens, but now the socket is gone, too
  s.listener.listen(4);
  CHECK(s.listener.request_count() == 0);
}

// inet_shutdown: a listener that no longer writes still listens. A second shutdown: ENOTCONN.
TEST_CASE("shutdown for writing has no effect; shutdown of what does not listen is an error") {
  script<modern> s{4};
  s.syn(0);
  CHECK(s.listener.shutdown(shutdown_how::write, s.out).status == shutdown_status::no_effect);
  CHECK(s.listener.listening());
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.listener.shutdown(shutdown_how::both, s.out).status == shutdown_status::ok);
  CHECK(s.listener.shutdown(shutdown_how::both, s.out).status == shutdown_status::not_listening);
  CHECK(s.listener.shutdown(shutdown_how::write, s.out).status == shutdown_status::not_listening);
}

// kernels.md 5, FreeBSD soclose: the syncache entries are not the socket's.
TEST_CASE("outlive_listener: SYN-ACKs go on, a closed port answers RST, and the next listener finishes the handshake") {
  script<with<modern, closing<outlive_listener>>> s{4};
  s.syn(0);
  s.connect(1, 1);
  CHECK(s.listener.close(s.out).requests == 0);
  CHECK(s.out.resets == 1);
  const std::size_t sent = s.out.count;
  s.run_until(at(1));
  CHECK(s.out.count == sent + 1);
  CHECK(s.out.last().flags == (flag::syn | flag::ack));
  CHECK(s.ack(0) == verdict::not_listening);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(s.waits(0));
  s.listener.listen(40);
  CHECK(s.listener.request_count() == 1);
  CHECK(s.listener.young_count() == 0);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.ack(1) == verdict::stray);
}

TEST_CASE("outlive_listener: a request still dies of age, with nobody listening") {
  script<with<modern, closing<outlive_listener>>> s{4};
  s.syn(0);
  close(s);
  s.run_until(at(62));
  CHECK(s.waits(0));
  s.run_until(at(63));
  CHECK_FALSE(s.waits(0));
  CHECK_FALSE(s.listener.next_deadline());
}

namespace {

using pool_type = shared_requests<ipv4, 2, tie_order::newest_first>;
using borrower = with<modern, requests<borrowed<pool_type>>>;

segment segment_from(int peer, flags f, seq_number seq, seq_number ack = 0) {
  return {tuple(peer).peer(), tuple(peer).local(), seq, ack, f};
}

}  // namespace

// FreeBSD-SA-02:20 (b): an entry of the shared cache that points to a listener which is no more.
TEST_CASE("a shared queue: what a closed listener has left is neither its neighbour's nor its successor's") {
  pool_type pool{8};
  recorder<> out;
  auto neighbour = std::make_unique<borrower>(borrowed<pool_type>{&pool});
  neighbour->listen(4);
  seq_number iss = 0;
  {
    borrower first{borrowed<pool_type>{&pool}};
    first.listen(4);
    first.receive(segment_from(0, flag::syn, test::C), 0, out);
    first.receive(segment_from(1, flag::syn, test::C), 0, out);
    iss = first.find_request(tuple(0))->iss;
    first.close(out);
    CHECK(first.request_count() == 2);
    CHECK(pool.size() == 2);
    CHECK(neighbour->receive(segment_from(0, flag::ack, test::C + 1, iss + 1), 0, out).verdict == verdict::stray);
    CHECK(first.receive(segment_from(0, flag::ack, test::C + 1, iss + 1), 0, out).verdict == verdict::not_listening);
    CHECK(pool.size() == 1);
  }
  CHECK(pool.size() == 0);
  borrower successor{borrowed<pool_type>{&pool}};  // it has the first one's place in the pool
  successor.listen(4);
  CHECK(successor.request_count() == 0);
  CHECK_FALSE(successor.next_deadline());
  CHECK(successor.receive(segment_from(1, flag::ack, test::C + 1, iss + 1), 0, out).verdict == verdict::stray);
  CHECK(successor.find_request(tuple(1)) == nullptr);
  CHECK(out.children == 0);
}

TEST_CASE("a shared queue: what is left to its timer takes room until then, and none after") {
  pool_type pool{3};
  recorder<> out;
  borrower a{borrowed<pool_type>{&pool}};
  borrower b{borrowed<pool_type>{&pool}};
  a.set(tunable::syncookies, 0), b.set(tunable::syncookies, 0);
  a.listen(4), b.listen(4);
  for (int i = 0; i < 3; ++i) a.receive(segment_from(i, flag::syn, test::C), 0, out);
  a.close(out);
  CHECK(b.receive(segment_from(7, flag::syn, test::C), 0, out).verdict == verdict::dropped_request_full);
  CHECK(a.tick(at(1), out).forgotten == 3);
  CHECK(b.receive(segment_from(7, flag::syn, test::C), at(1), out).verdict == verdict::admitted);
  CHECK(a.listen(4, at(1)));
  CHECK(a.request_count() == 0);
  CHECK(b.request_count() == 1);
}

TEST_CASE("a shared queue: a listener that forgets at close gives its room back at once, and takes nobody else's") {
  pool_type pool{4};
  recorder<> out;
  using forgetful = with<borrower, closing<forget_requests>>;
  forgetful a{borrowed<pool_type>{&pool}};
  borrower b{borrowed<pool_type>{&pool}};
  a.listen(4), b.listen(4);
  for (int i = 0; i < 3; ++i) a.receive(segment_from(i, flag::syn, test::C), 0, out);
  b.receive(segment_from(5, flag::syn, test::C), 0, out);
  CHECK(a.close(out).requests == 3);
  CHECK(pool.size() == 1);
  CHECK(b.request_count() == 1);
  CHECK(b.find_request(tuple(5)) != nullptr);
}
