// SPDX-License-Identifier: BSL-1.0
// stream/connector.hpp: SYN schedules, and every answer that SYN-SENT can get.
#include <doctest/doctest.h>

#include <listenq/stream/connector.hpp>
#include <vector>

using namespace listenq;

namespace {

constexpr four_tuple tuple{ip(10, 0, 0, 1), ip(10, 0, 0, 2), 20000, 30001};  // peer, local

struct recorder {
  std::vector<segment> sent;
  send_result answer = send_result::sent;
  send_result send(const segment& s) {
    if (answer != send_result::later) sent.push_back(s);
    return answer;
  }
};
static_assert(sink<recorder, ipv4>);

struct run {
  std::vector<double> syns;  // seconds
  double end = -1;
};

run unanswered(const kernel_profile& p) {
  connector c(p, tuple, 1000);
  recorder out;
  run r;
  c.start(0, out);
  std::size_t seen = 0;
  instant now = 0;
  for (;;) {
    for (; seen < out.sent.size(); ++seen) r.syns.push_back(static_cast<double>(now) / second);
    const auto due = c.next_deadline();
    if (!due) break;
    now = *due;
    if (c.tick(now, out) == connector_event::timed_out) r.end = static_cast<double>(now) / second;
  }
  return r;
}

segment from_peer(flags f, seq_number seq, seq_number ack) {
  segment s;
  s.source = tuple.peer();
  s.destination = tuple.local();
  s.flags = f;
  s.seq = seq;
  s.ack = ack;
  s.window = 64240;
  return s;
}

struct syn_sent {
  connector c{profile::linux_6_18, tuple, 1000, 77};
  recorder out;
  syn_sent() {
    c.start(0, out);
    out.sent.clear();
  }
};

}  // namespace

// Bug caught: 3 s doubled from the second interval on, or five retries counted as six.
TEST_CASE("2.6.32 sends SYNs at 0 3 9 21 45 93 s and gives up at 189 s") {
  const run r = unanswered(profile::linux_2_6_32);
  CHECK(r.syns == std::vector<double>{0, 3, 9, 21, 45, 93});
  CHECK(r.end == 189);
}

// Bug caught: tcp_syn_retries taken as SYNs in all.
TEST_CASE("3.12 sends SYNs at 0 1 3 7 15 31 63 s and gives up at 127 s") {
  const run r = unanswered(profile::linux_3_12);
  CHECK(r.syns == std::vector<double>{0, 1, 3, 7, 15, 31, 63});
  CHECK(r.end == 127);
}

// Bug caught: tcp_syn_linear_timeouts forgotten, or eating into tcp_syn_retries.
TEST_CASE("6.18 sends SYNs at 0 1 2 3 4 5 7 11 19 35 67 s and gives up at 131 s") {
  const run r = unanswered(profile::linux_6_18);
  CHECK(r.syns == std::vector<double>{0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67});
  CHECK(r.end == 131);
}

// Bug caught: a SYN without our options or with an ACK; Send-Q 0 in SYN-SENT (golden: ss shows 1).
TEST_CASE("a SYN offers what the profile says and counts in Send-Q") {
  connector c(profile::linux_3_12, tuple, 1000, 500);
  recorder out;
  CHECK(c.unacked() == 0);
  c.start(2 * second, out);
  REQUIRE(out.sent.size() == 1);
  const segment& s = out.sent[0];
  CHECK(s.flags == flag::syn);
  CHECK(s.seq == 1000);
  CHECK(s.source == tuple.local());
  CHECK(s.destination == tuple.peer());
  CHECK(s.window == 32792);
  CHECK(s.options.mss == 16396);
  CHECK(s.options.window_scale == 6);
  CHECK(s.options.sack_permitted);
  CHECK(s.options.ts_value == 2500);
  CHECK(c.unacked() == 1);
  CHECK(c.state() == connection_state::syn_sent);
}

// Bug caught: the third ACK without acknowledging the SYN, or with an unscaled window (articles: win 513).
TEST_CASE("a good SYN-ACK is acknowledged and connects") {
  connector c(profile::linux_3_12, tuple, 1000);
  recorder out;
  c.start(0, out);
  auto s = from_peer(flag::syn | flag::ack, 9000, 1001);
  s.options = profile::linux_3_12.offer;
  s.options.ts_value = 4242;
  CHECK(c.receive(s, 3 * millisecond, out) == connector_event::connected);
  REQUIRE(out.sent.size() == 2);
  CHECK(out.sent[1].flags == flag::ack);
  CHECK(out.sent[1].seq == 1001);
  CHECK(out.sent[1].ack == 9001);
  CHECK(out.sent[1].window == 513);
  CHECK(out.sent[1].options.ts_value == 3);
  CHECK(out.sent[1].options.ts_echo == 4242);
  CHECK(c.state() == connection_state::established);
  CHECK(c.established().irs == 9000);
  CHECK(c.established().rtt == 3 * millisecond);
  CHECK(!c.next_deadline());
}

// Bug caught: a round trip taken from a repeated SYN (Karn), which would stretch every later timeout.
TEST_CASE("a repeated SYN measures no round trip") {
  syn_sent t;
  t.c.tick(second, t.out);
  CHECK(t.c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), second + 5, t.out) == connector_event::connected);
  CHECK(t.c.established().rtt == 0);
}

// Bug caught: timestamps or scaling used though only one side offered them.
TEST_CASE("an option counts only when both sides sent it") {
  syn_sent t;
  t.c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), 1, t.out);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(!t.out.sent[0].options.timestamps);
  CHECK(t.out.sent[0].window == 64240);
  CHECK(t.c.established().peer_shift() == 0);
}

// Bug caught: ECONNREFUSED missed, so that a closed port looks like a silent one.
TEST_CASE("RST with a good ACK refuses the connection") {
  syn_sent t;
  CHECK(t.c.receive(from_peer(flag::rst | flag::ack, 0, 1001), 1, t.out) == connector_event::refused);
  CHECK(t.out.sent.empty());
  CHECK(t.c.state() == connection_state::closed);
  CHECK(!t.c.next_deadline());
}

// Bug caught: a blind RST that guesses nothing kills the attempt (RFC 9293 3.10.7.3).
TEST_CASE("RST without ACK or with a wrong one is ignored") {
  syn_sent t;
  CHECK(t.c.receive(from_peer(flag::rst, 0, 0), 1, t.out) == connector_event::none);
  CHECK(t.c.receive(from_peer(flag::rst | flag::ack, 0, 1002), 1, t.out) == connector_event::none);
  CHECK(t.c.receive(from_peer(flag::rst | flag::ack, 0, 1000), 1, t.out) == connector_event::none);
  CHECK(t.out.sent.empty());
  CHECK(t.c.state() == connection_state::syn_sent);
}

// Bug caught: connecting to an old incarnation's SYN-ACK, or giving up because of one.
TEST_CASE("a SYN-ACK with a wrong ack gets a RST at that number and the attempt goes on") {
  for (const seq_number ack : {1000U, 1002U, 0U}) {
    syn_sent t;
    CHECK(t.c.receive(from_peer(flag::syn | flag::ack, 9000, ack), 1, t.out) == connector_event::none);
    REQUIRE(t.out.sent.size() == 1);
    CHECK(t.out.sent[0].flags == flag::rst);
    CHECK(t.out.sent[0].seq == ack);
    CHECK(t.c.state() == connection_state::syn_sent);
  }
}

// Bug caught: a bare ACK or a bare SYN taken for a SYN-ACK.
TEST_CASE("a bare ACK and a bare SYN do not connect") {
  syn_sent t;
  CHECK(t.c.receive(from_peer(flag::ack, 9000, 1001), 1, t.out) == connector_event::none);
  CHECK(t.c.receive(from_peer(flag::syn, 9000, 0), 1, t.out) == connector_event::none);
  CHECK(t.out.sent.empty());
  CHECK(t.c.state() == connection_state::syn_sent);
}

// Bug caught: iss + 1 computed in a wider type.
TEST_CASE("an ISN of 2^32 - 1 is acknowledged by 0") {
  connector c(profile::linux_6_18, tuple, 0xffffffffU);
  recorder out;
  c.start(0, out);
  CHECK(c.receive(from_peer(flag::syn | flag::ack, 0xffffffffU, 0), 1, out) == connector_event::connected);
  CHECK(out.sent.back().seq == 0);
  CHECK(out.sent.back().ack == 0);
}

// Bug caught: a postponed SYN counted as sent, so that it leaves a second late and one is missing at the end.
TEST_CASE("a SYN that the sink postpones stays due and is not counted") {
  syn_sent t;
  t.out.answer = send_result::later;
  t.c.tick(second, t.out);
  CHECK(t.c.syns_sent() == 1);
  CHECK(t.c.next_deadline() == second);
  t.out.answer = send_result::sent;
  t.c.tick(second + 10, t.out);
  CHECK(t.c.syns_sent() == 2);
  CHECK(t.c.next_deadline() == 2 * second + 10);
}

// Bug caught: a late tick sending all the SYNs it missed in one burst.
TEST_CASE("a late tick repeats the SYN once and goes on from there") {
  syn_sent t;
  t.c.tick(10 * second, t.out);
  CHECK(t.out.sent.size() == 1);
  CHECK(t.c.next_deadline() == 11 * second);
}

// Bug caught: a SYN-ACK after close() resurrecting the attempt.
TEST_CASE("an aborted attempt stays silent") {
  syn_sent t;
  t.c.abort();
  CHECK(t.c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), 1, t.out) == connector_event::none);
  CHECK(t.out.sent.empty());
  CHECK(!t.c.next_deadline());
}

// Bug caught: any hidden dependence on run time; a whole active open is a constant expression.
TEST_CASE("a handshake works at compile time") {
  constexpr bool ok = [] {
    connector c(profile::linux_6_18, tuple, 1);
    null_sink out;
    c.start(0, out);
    segment s;
    s.flags = flag::syn | flag::ack;
    s.ack = 2;
    return c.receive(s, 1, out) == connector_event::connected;
  }();
  static_assert(ok);
  CHECK(ok);
}

// Bug caught: a second start that sends another SYN, or one that revives what was given up.
TEST_CASE("an attempt starts once, and what was given up stays so") {
  fast_open_cache<ipv4, 1> store;
  syn_sent t;
  t.c.start(1, t.out);
  CHECK(t.c.start(1, t.out, store, {}) == 0);
  t.c.abort();
  t.c.start(2, t.out);
  CHECK(t.c.start(2, t.out, store, {}) == 0);
  CHECK(t.out.sent.empty());
  CHECK(t.c.syns_sent() == 1);
  CHECK(t.c.state() == connection_state::closed);
  connector c(profile::linux_6_18, tuple, 1000);
  recorder out;
  out.answer = send_result::later;
  c.start(0, out);
  out.answer = send_result::sent;
  c.start(0, out);  // the postponed SYN is tick's
  CHECK(c.start(0, out, store, {}) == 0);
  CHECK(out.sent.empty());
}

// RFC 6298 2.2: from when the SYN has left.
TEST_CASE("the round trip is measured from the SYN, whenever that was") {
  connector c(profile::linux_6_18, tuple, 1000);
  recorder out;
  c.start(2 * second, out);
  c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), 2 * second + 3 * millisecond, out);
  CHECK(c.established().rtt == 3 * millisecond);
}

// Bug caught: a tick before the first SYN, or before its time, that sends one.
TEST_CASE("nothing is due before the start, nor before the interval is over") {
  connector c(profile::linux_6_18, tuple, 1000);
  recorder out;
  CHECK(c.tick(100 * second, out) == connector_event::none);
  CHECK(out.sent.empty());
  syn_sent t;
  t.c.tick(second - 1, t.out);
  CHECK(t.out.sent.empty());
}

// Bug caught: close() of the attempt closing the connection that came of it.
TEST_CASE("abort after the handshake leaves the result alone") {
  syn_sent t;
  REQUIRE(t.c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), 1, t.out) == connector_event::connected);
  t.c.abort();
  CHECK(t.c.state() == connection_state::established);
}

// Bug caught: an ACK believed before anything has left, because it names the number that our SYN will have.
TEST_CASE("nothing can acknowledge a SYN that the sink has postponed") {
  connector c(profile::linux_6_18, tuple, 1000);
  recorder out;
  out.answer = send_result::later;
  c.start(0, out);
  out.answer = send_result::sent;
  CHECK(c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), 1, out) == connector_event::none);
  REQUIRE(out.sent.size() == 1);
  CHECK(out.sent[0].flags == flag::rst);
  CHECK(c.state() == connection_state::syn_sent);
}

// Bug caught: timestamps in the SYN of a profile that offers none.
TEST_CASE("a profile without timestamps sends none") {
  kernel_profile p = profile::linux_6_18;
  p.offer.timestamps = false;
  connector c(p, tuple, 1000, 77);
  recorder out;
  c.start(second, out);
  REQUIRE(out.sent.size() == 1);
  CHECK(out.sent[0].options == p.offer);
}

// Bug caught: a SYN from a timer that nobody stopped; an outcome before there is one.
TEST_CASE("a tick tells nothing but the end, and after the handshake nothing is due") {
  connector c(profile::linux_6_18, tuple, 1000);
  recorder out;
  CHECK(c.outcome() == connector_event::none);
  c.start(0, out);
  CHECK(c.tick(second, out) == connector_event::none);
  CHECK(c.outcome() == connector_event::none);
  REQUIRE(c.receive(from_peer(flag::syn | flag::ack, 9000, 1001), second, out) == connector_event::connected);
  CHECK(c.outcome() == connector_event::connected);
  out.sent.clear();
  CHECK(c.tick(1000 * second, out) == connector_event::none);
  CHECK(out.sent.empty());
}

// RFC 7323 3.2: in a SYN the echo is 0. Bug caught: an ACK without the timestamps that were agreed on.
TEST_CASE("SYN and ACK are stamped") {
  connector c(profile::linux_6_18, tuple, 1000, 77);
  recorder out;
  c.start(second, out);
  segment s = from_peer(flag::syn | flag::ack, 9000, 1001);
  s.options.timestamps = true;
  s.options.ts_value = 5;
  c.receive(s, 2 * second, out);
  REQUIRE(out.sent.size() == 2);
  CHECK(out.sent[0].options.timestamps);
  CHECK(out.sent[0].options.ts_value == 1077);
  CHECK(out.sent[0].options.ts_echo == 0);
  CHECK(out.sent[1].options.timestamps);
  CHECK(out.sent[1].options.ts_value == 2077);
  CHECK(out.sent[1].options.ts_echo == 5);
}

TEST_CASE("an ordinary attempt learns no cookie") {
  fast_open_cache<ipv4, 1> store;
  syn_sent t;
  segment s = from_peer(flag::syn | flag::ack, 9000, 1001);
  s.options.fast_open = {.bytes = {1, 2, 3, 4}, .size = 4};
  REQUIRE(t.c.receive(s, 1, t.out) == connector_event::connected);
  t.c.learn(store);
  CHECK(store.find(tuple.peer_address).cookie.asks());
}
