// SPDX-License-Identifier: BSL-1.0
// Quirks of Linux's listeners, by number. Each is either something that a preset does on purpose, as its kernel does,
// or something that cannot happen here: then the attack is run and fails.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_4_4.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/counters.hpp"
#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::C;
using test::counters_text;
using test::script;
using test::tuple;

namespace {

using before = preset::linux_2_6_32;
using old = preset::linux_3_12;
using modern = preset::linux_6_18;

constexpr flags synack = flag::syn | flag::ack;

template <class S>
std::uint32_t held(const S& s) {
  return s.listener.request_count();
}

}  // namespace

// net/ipv4/tcp_minisocks.c of 3.12, tcp_check_req; 4.10 closed the door at the SYN (5ea8ea2cb7f1).
TEST_CASE("Q1: a client is connected, the server waits: 3.12 at any time, 6.18 for SYNs from before the overflow") {
  script<old> s{0};
  CHECK(s.connect(0, 0) == 1);
  CHECK(s.syn(1) == verdict::admitted);  // and now the client is ESTABLISHED
  CHECK(s.ack(1) == verdict::overflow_kept);
  CHECK(s.waits(1));
  s.run_until(at(1.6));
  CHECK(s.out.last().flags == synack);  // which makes the client send its ACK again
  CHECK(s.listener.accept());
  CHECK(s.ack(1) == verdict::promoted);

  script<modern> m{1};
  CHECK(m.connect(0, 0) == 1);
  CHECK(m.syn(1) == verdict::admitted);
  CHECK(m.syn(2) == verdict::admitted);
  CHECK(m.ack(1) == verdict::promoted);
  CHECK(m.ack(2) == verdict::overflow_kept);
  CHECK(m.syn(3) == verdict::dropped_accept_full);
}

// include/net/sock.h, sk_acceptq_is_full: A > N, so that listen(0) still takes one (64a146513f8f).
TEST_CASE("Q2: a backlog of N lets N + 1 connections wait, in every Linux; with >= listen(0) would take nobody") {
  for (int n = 0; n < 20; ++n) {
    CAPTURE(n);
    CHECK(script<before>{n}.connect(0, n + 4) == n + 1);
    CHECK(script<old>{n}.connect(0, n + 4) == n + 1);
    CHECK(script<modern>{n}.connect(0, n + 4) == n + 1);
    CHECK(script<with<modern, waiting<exactly_backlog>>>{n}.connect(0, n + 4) == n);
  }
}

// inet_csk_reqsk_queue_is_full was Q >= N from 4.4 to 2024 (ef547f2ac16b, mended by 3479c7549fb1).
TEST_CASE("Q3: listen(0) without cookies took nobody from 4.4 to 2024; 6.18 takes one") {
  script<preset::linux_4_4> s{0};
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.syn(0) == verdict::dropped_request_full);
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.syn(0) == verdict::cookie_sent);

  script<modern> m{0};
  m.listener.set(tunable::syncookies, 0);
  CHECK(m.syn(0) == verdict::admitted);
}

// sk_max_ack_backlog was an unsigned short until 5.10, and 2.6.32 does not bound somaxconn.
TEST_CASE("Q4: listen(65536) in 16 bits is listen(0); and 65535 in 16 bits never wraps here") {
  script<with<before, waiting<backlog_16_bits>>> s{0};
  CHECK(s.listener.set(tunable::somaxconn, 100000) == set_status::ok);
  CHECK(s.listener.listen(65536));
  CHECK(s.listener.backlog() == 65536);
  CHECK(s.connect(0, 9) == 1);

  CHECK_FALSE(backlog_16_bits::full({.accepted = 65535, .requests = 0}, 65535));
  CHECK(backlog_16_bits::full({.accepted = 65536, .requests = 0}, 65535));
  CHECK(backlog_plus_one::full({.accepted = 0xffffffffU, .requests = 0}, 0xfffffffeU));
}

// tcp_v4_conn_request of 3.12 leaves through drop_and_free after it has sent a cookie.
TEST_CASE("Q5: 3.12 counts a ListenDrops for every cookie that it sends, 6.18 none") {
  script<old> s{1};
  for (int i = 0; i < 16; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.listener.counters().listen_drops == 0);
  for (int i = 16; i < 21; ++i) CHECK(s.syn(i) == verdict::cookie_sent);
  CHECK(counters_text(s.listener.counters()) == "ListenDrops=5 TCPReqQFullDoCookies=5 SyncookiesSent=5");

  script<modern> m{1};
  for (int i = 0; i < 7; ++i) m.syn(i);
  CHECK(counters_text(m.listener.counters()) == "TCPReqQFullDoCookies=5 SyncookiesSent=5");
}

// tcp_v4_conn_request of 3.12: without a timestamp and tw_recycle `dst` is never looked up, so nobody is proven.
TEST_CASE("Q6: 3.12 finds nobody proven; here the stack says who is, and a peer that has connected is not by itself") {
  script<old> s{1};
  s.listener.set(tunable::syncookies, 0);
  s.listener.set(tunable::max_syn_backlog, 16);
  CHECK(s.connect(0, 0) == 1);
  for (int i = 1; i <= 13; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(0) == verdict::dropped_last_quarter);  // it has been here before
  s.facts.proven = true;
  CHECK(s.syn(0) == verdict::admitted);
}

// net/core/request_sock.c, reqsk_queue_alloc.
TEST_CASE("Q7: the old table is at least 16, the power of two above N, and up to twice max_syn_backlog") {
  const auto room = [](int n, std::uint32_t max_syn_backlog) {
    old l;
    l.set(tunable::somaxconn, 65535);
    l.set(tunable::max_syn_backlog, max_syn_backlog);
    l.listen(n);
    return l.request_limit();
  };
  CHECK(room(0, 1024) == 16);
  CHECK(room(15, 1024) == 16);
  CHECK(room(16, 1024) == 32);
  CHECK(room(127, 1024) == 128);
  CHECK(room(128, 1024) == 256);
  CHECK(room(511, 1024) == 512);
  CHECK(room(65535, 1024) == 2048);
  CHECK(room(4096, 128) == 256);
  CHECK(room(4096, 1) == 16);
}

// inet_listen of 3.12 makes the table only when the socket was closed.
TEST_CASE("Q8: listen again changes the accept queue of 3.12, not its table; on 6.18 it changes both") {
  script<old> s{1};
  CHECK(s.listener.listen(100));
  CHECK(s.listener.backlog() == 100);
  CHECK(s.listener.request_limit() == 16);
  script<modern> m{1};
  CHECK(m.listener.listen(100));
  CHECK(m.listener.request_limit() == 101);
}

// tcp_check_req: where there is no child, the segment goes, and what came with it.
TEST_CASE(
    "Q9: data that come with an ACK into a full accept queue are lost; sent again they are in time, or too late") {
  script<old> s{0};
  CHECK(s.connect(0, 0) == 1);
  CHECK(s.syn(1) == verdict::admitted);
  CHECK(s.data(1, 1000) == verdict::overflow_kept);
  CHECK(s.out.children == 1);
  auto late = s;
  CHECK(s.listener.accept());
  CHECK(s.data(1, 1000) == verdict::promoted);

  const auto resets = [](const auto& x) {
    int n = 0;
    for (std::size_t i = 0; i < x.out.count; ++i) n += x.out[i].flags.has(flag::rst);
    return n;
  };
  late.run_until(at(70));
  CHECK_FALSE(late.waits(1));
  CHECK(resets(late) == 0);  // a client that only reads waits for ever
  CHECK(late.listener.accept());
  CHECK(late.data(1, 1000) == verdict::stray);
  CHECK(resets(late) == 1);
}

// net/ipv4/syncookies.c, tcp_get_cookie_sock: no child, no request, no word.
TEST_CASE("Q10: a good cookie that finds no room is lost in silence, and only the client can try again") {
  script<modern> s{1};
  s.listener.set(tunable::syncookies, 2);
  s.listener.set(tunable::abort_on_overflow, 1);
  for (int i = 0; i < 3; ++i) CHECK(s.syn(i) == verdict::cookie_sent);
  CHECK(s.ack(0) == verdict::cookie_promoted);
  CHECK(s.ack(1) == verdict::cookie_promoted);
  const std::size_t sent = s.out.count;
  CHECK(s.ack(2) == verdict::cookie_overflow);
  CHECK_FALSE(s.listener.next_deadline());
  s.run_until(at(50));
  CHECK(s.out.count == sent);
  CHECK(s.listener.accept());
  CHECK(s.data(2) == verdict::cookie_promoted);
}

// cookie_v4_check makes the child without asking inet_csk(sk)->icsk_accept_queue.rskq_defer_accept.
TEST_CASE("Q11: a cookie is finished by a bare ACK even where TCP_DEFER_ACCEPT waits for data") {
  script<modern> s{4};
  s.listener.set(tunable::defer_accept, 10);
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.ack(0) == verdict::deferred);
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(1) == verdict::cookie_sent);
  CHECK(s.ack(1) == verdict::cookie_promoted);
}

// tcp_check_req of 3.12: "embryonic_reset"; 6.18.44 was recorded answering RSTs as RFC 5961 wants it, SYNs not.
TEST_CASE("Q14: a RST anywhere in the window kills a request on 3.12, and another SYN does on 6.18, too") {
  const test::sending near_rst{.flags = flag::rst, .seq = 100};
  const test::sending near_syn{.flags = flag::syn, .seq = 100};
  script<old> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.send(0, near_rst) == verdict::request_reset);
  CHECK(s.send(1, near_syn) == verdict::request_reset_by_syn);
  CHECK(s.out.last().flags.has(flag::rst));
  CHECK(held(s) == 0);

  script<modern> m{4};
  m.syn(0), m.syn(1);
  CHECK(m.send(0, near_rst) == verdict::challenged);
  CHECK(m.send(1, near_syn) == verdict::request_reset_by_syn);
  CHECK(m.waits(0));
}

// inet_csk_reqsk_queue_prune, reqsk_timer_handler: `|| inet_rsk(req)->acked`.
TEST_CASE("Q15: a SYN-ACK that cannot be sent again ends its request, unless its ACK was there; harmless forgives it") {
  const auto left = [](auto s) {
    s.connect(0, 0);
    s.syn(1);
    s.out.answer = send_result::failed;
    s.run_until(at(1.6));
    return held(s);
  };
  CHECK(left(script<old>{1}) == 0);
  CHECK(left(script<modern>{1}) == 0);
  CHECK(left(script<with<modern, send_failure<harmless>>>{1}) == 1);

  script<old> acked{0};
  acked.connect(0, 0);
  acked.syn(1);
  CHECK(acked.ack(1) == verdict::overflow_kept);
  acked.out.answer = send_result::failed;
  acked.run_until(at(1.6));
  CHECK(acked.waits(1));
}

// tcp_v4_conn_request, tcp_conn_request: `&& !isn`.
TEST_CASE("Q16: a SYN that follows a TIME-WAIT passes a full request queue of Linux; a syncache lets nobody pass") {
  const auto over = [](auto s) {
    s.listener.set(tunable::syncookies, 0);
    while (!s.listener.request_full()) s.syn(static_cast<int>(held(s)));
    const std::uint32_t full = held(s);
    s.facts.isn = 77;
    s.syn(1000);
    return held(s) - full;
  };
  CHECK(over(script<old>{1}) == 1);
  CHECK(over(script<modern>{1}) == 1);
  CHECK(over(script<with<modern, admission<syncache_gates>>>{1}) == 0);
}

// struct request_sock of 3.12 and later has 7 bits for num_timeout, the sysctl 8: from 128 retries on it wraps.
TEST_CASE("Q17: 255 retries end after 255 retries; a request is young once, and no shift runs over") {
  script<modern> s{4};
  s.listener.set(tunable::synack_retries, 255);
  s.syn(0);
  bool once = true;
  std::uint32_t sent = 0;
  for (auto due = s.listener.next_deadline(); due && sent < 1000; due = s.listener.next_deadline()) {
    once = once && (s.listener.young_count() == 1) == (sent == 0) && *due - s.now <= 120 * second;
    sent += s.tick(*due).resent;
  }
  CHECK(once);
  CHECK(sent == 255);
  CHECK(held(s) == 0);
  CHECK(s.listener.young_count() == 0);
}

// tcp_synq_no_recent_overflow: TCP_TIMEOUT_FALLBACK in 3.12, TCP_SYNCOOKIE_VALID in 6.18.
TEST_CASE("Q18: an ACK is tried as a cookie for 3 s after the last cookie on 3.12, for 120 s on 6.18") {
  const auto tried = [](auto s, double when) {
    s.listener.set(tunable::syncookies, 2);
    s.syn(0);
    s.now = at(when);
    s.ack(0);
    return s.last.stages.has(stage::cookie_checked);
  };
  CHECK(tried(script<old>{1}, 2.9));
  CHECK_FALSE(tried(script<old>{1}, 3.1));
  CHECK(tried(script<modern>{1}, 119.9));
  CHECK_FALSE(tried(script<modern>{1}, 120.1));
}

// cookie_v4_check of 3.12 counts before it leaves, whatever the reason.
TEST_CASE(
    "Q19: where cookies are allowed, 3.12 counts every stray ACK as a failed cookie, 6.18 only what it has tried") {
  script<old> s{1};
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.ack(0) == verdict::stray);
  CHECK(s.listener.counters().syncookies_failed == 0);
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.ack(0) == verdict::stray);
  CHECK(s.rst(0) == verdict::ignored);
  CHECK(s.listener.counters().syncookies_failed == 1);

  script<modern> m{1};
  CHECK(m.ack(0) == verdict::stray);
  CHECK(m.listener.counters().syncookies_failed == 0);
  m.listener.set(tunable::syncookies, 2);
  m.syn(0);
  CHECK(m.ack(1) == verdict::stray);
  CHECK(m.listener.counters().syncookies_failed == 1);
}

// inet_csk_accept does not look at the state of what it hands out.
TEST_CASE("Q22: a connection that was reset while it waited keeps its slot; Linux hands it out, the BSDs say aborted") {
  script<modern> s{0};
  CHECK(s.connect(0, 0) == 1);
  CHECK(s.listener.child_gone(tuple(0)));
  CHECK(s.syn(1) == verdict::dropped_accept_full);
  CHECK(s.listener.accept().status == accept_status::ok);
  CHECK(s.syn(1) == verdict::admitted);

  script<preset::freebsd_13> b{0};
  CHECK(b.connect(0, 0) == 1);
  CHECK(b.listener.child_gone(tuple(0)));
  CHECK(b.syn(1) == verdict::admitted);
  CHECK(b.ack(1) == verdict::overflow_reset);
  CHECK(b.listener.accept().status == accept_status::aborted);
  CHECK(b.connect(2, 2) == 1);
}
