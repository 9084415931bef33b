// SPDX-License-Identifier: BSL-1.0
// policy/bsd_validation.hpp: each rule of the syncaches, judged and at work in a listener (kernels.md 2.4, 2.5, 4.4,
// 4.5).
#include <doctest/doctest.h>

#include <listenq/listener.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::C;
using test::script;

namespace {

using a = request_answer;
using here = listener_answer;
constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin, PSH = flag::psh;

using freebsd = listener<validation<freebsd_validation>, offer<linux_6_18_offer>, accept_full_at_ack<reset>>;
using netbsd = listener<validation<netbsd_validation>, offer<linux_6_18_offer>>;

// A user's: what is done for a duplicate SYN is not done for a wrong ACK, though both get the SYN-ACK again.
struct eager : netbsd_validation {
  static constexpr duplicate_rules duplicate{
      .restarts = restart::timer, .echo = echo_rule::refresh_or_drop, .dies_unsent = true};
};

constexpr tcp_options stamped(std::uint32_t value, std::uint32_t echo = 0) {
  return {.timestamps = true, .ts_value = value, .ts_echo = echo};
}
constexpr std::int64_t window = 64240, window_ts = 65160;

}  // namespace

// --- the tables, at compile time ---

static_assert(freebsd_validation::judge({.flags = SYN, .at_isn = true}) == a::resend);
static_assert(freebsd_validation::judge({.flags = SYN}) == a::resend);
static_assert(freebsd_validation::judge({.flags = SYN, .in_window = true, .starts_in_window = true}) == a::resend);
static_assert(freebsd_validation::judge({.flags = SYN | FIN, .at_isn = true}) == a::resend);
static_assert(freebsd_validation::judge({.flags = SYN | ACK, .at_isn = true, .ack_right = true}) ==
              a::forget_and_reset);
static_assert(freebsd_validation::judge({.flags = ACK, .exact = true, .starts_in_window = true, .ack_right = true}) ==
              a::finish);
static_assert(freebsd_validation::judge({.flags = ACK | FIN, .starts_in_window = true, .ack_right = true}) ==
              a::finish);
static_assert(freebsd_validation::judge({.flags = ACK, .exact = true, .starts_in_window = true}) ==
              a::forget_and_reset);
static_assert(freebsd_validation::judge({.flags = ACK, .at_isn = true, .ack_right = true}) == a::forget_and_reset);
static_assert(freebsd_validation::judge({.flags = ACK, .at_right_edge = true, .ack_right = true}) ==
              a::forget_and_reset);
static_assert(freebsd_validation::judge({.flags = ACK, .old_timestamp = true}) == a::ignore);
static_assert(freebsd_validation::judge({.flags = ACK, .no_timestamp = true}) == a::ignore);
static_assert(freebsd_validation::judge(
                  {.flags = ACK, .exact = true, .starts_in_window = true, .ack_right = true, .bad_echo = true}) ==
              a::finish);
static_assert(freebsd_validation::judge({.flags = RST, .exact = true, .starts_in_window = true}) == a::forget);
static_assert(freebsd_validation::judge({.flags = RST | ACK, .exact = true, .old_timestamp = true}) == a::forget);
static_assert(freebsd_validation::judge({.flags = RST, .starts_in_window = true}) == a::challenge);
static_assert(freebsd_validation::judge({.flags = RST, .in_window = true, .at_right_edge = true}) == a::ignore);
static_assert(freebsd_validation::judge({.flags = RST, .at_isn = true}) == a::ignore);
static_assert(freebsd_validation::judge({.flags = FIN, .exact = true, .starts_in_window = true}) == a::ignore);
static_assert(freebsd_validation::judge({}) == a::ignore);

static_assert(netbsd_validation::judge({.flags = SYN, .at_isn = true}) == a::resend);
static_assert(netbsd_validation::judge({.flags = SYN, .in_window = true, .starts_in_window = true}) == a::resend);
static_assert(netbsd_validation::judge({.flags = SYN | ACK, .starts_in_window = true, .ack_right = true}) ==
              a::reset_and_keep);
static_assert(netbsd_validation::judge({.flags = ACK, .exact = true, .starts_in_window = true, .ack_right = true}) ==
              a::finish);
static_assert(netbsd_validation::judge({.flags = ACK, .at_right_edge = true, .ack_right = true}) == a::finish);
static_assert(netbsd_validation::judge({.flags = ACK, .exact = true, .starts_in_window = true}) == a::resend);
static_assert(netbsd_validation::judge({.flags = ACK, .at_isn = true, .ack_right = true}) == a::resend);
static_assert(netbsd_validation::judge(
                  {.flags = ACK, .exact = true, .starts_in_window = true, .ack_right = true, .old_timestamp = true}) ==
              a::finish);
static_assert(netbsd_validation::judge({.flags = RST, .exact = true, .starts_in_window = true}) == a::forget);
static_assert(netbsd_validation::judge({.flags = RST, .at_isn = true}) == a::forget);
static_assert(netbsd_validation::judge({.flags = RST, .starts_in_window = true}) == a::ignore);
static_assert(netbsd_validation::judge({.flags = RST | ACK}) == a::ignore);
static_assert(netbsd_validation::judge({.flags = FIN | PSH, .exact = true}) == a::reset_and_keep);
static_assert(netbsd_validation::judge({}) == a::reset_and_keep);
static_assert(openbsd_validation::judge({.flags = ACK, .at_isn = true}) == a::resend);

// A listener that knows nothing of the sender.
static_assert(freebsd_validation::at_listener(SYN) == here::gates);
static_assert(freebsd_validation::at_listener(SYN | FIN) == here::gates);
static_assert(freebsd_validation::at_listener(SYN | ACK) == here::reset);
static_assert(freebsd_validation::at_listener(ACK) == here::cookie);
static_assert(freebsd_validation::at_listener(ACK | FIN) == here::cookie);
static_assert(freebsd_validation::at_listener(FIN) == here::ignore);
static_assert(freebsd_validation::at_listener({}) == here::ignore);
static_assert(freebsd_validation::at_listener(RST) == here::ignore);
static_assert(freebsd_validation::at_listener(RST | ACK) == here::ignore);
static_assert(freebsd_validation::at_listener(RST | SYN) == here::ignore);
static_assert(netbsd_validation::at_listener(SYN) == here::gates);
static_assert(netbsd_validation::at_listener(SYN | FIN) == here::gates);
static_assert(netbsd_validation::at_listener(SYN | ACK) == here::reset);
static_assert(netbsd_validation::at_listener(ACK) == here::cookie);
static_assert(netbsd_validation::at_listener(FIN) == here::reset);
static_assert(netbsd_validation::at_listener({}) == here::reset);
static_assert(netbsd_validation::at_listener(RST) == here::ignore);
static_assert(netbsd_validation::at_listener(RST | SYN | ACK) == here::ignore);

// --- FreeBSD at work ---

// kernels.md 7, quirk 13: the second attempt from a port gets the SYN-ACK of the first.
TEST_CASE("freebsd: a SYN with another ISN gets the SYN-ACK of the old one") {
  script<freebsd> s{4};
  s.syn(0);
  const seq_number iss = s.out.last().seq;
  for (const std::int64_t isn : {0, 1, 500, -500, 100000}) {
    CHECK(s.send(0, {.flags = SYN, .seq = isn}) == verdict::duplicate_syn);
    CHECK(s.out.last().flags == (SYN | ACK));
    CHECK(s.out.last().seq == iss);
    CHECK(s.out.last().ack == C + 1);
  }
  CHECK(s.listener.request_count() == 1);
}

// A restart of the current timeout only (Linux) would leave it at 2 s more, and old.
TEST_CASE("freebsd: a duplicate SYN starts the schedule over, and the request is young again") {
  script<freebsd> s{4};
  s.syn(0);
  s.tick(at(1));
  CHECK(s.listener.young_count() == 0);
  CHECK(s.listener.next_deadline() == at(3));
  s.now = at(1.5);
  s.syn(0);
  CHECK(s.request(0).timeouts == 0);
  CHECK(s.listener.young_count() == 1);
  CHECK(s.listener.next_deadline() == at(2.5));
  s.tick(at(2.5));
  CHECK(s.listener.young_count() == 0);
  CHECK(s.listener.next_deadline() == at(4.5));
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.listener.young_count() == 0);
}

TEST_CASE("freebsd: a duplicate SYN brings its own timestamp, and without one there are none any more") {
  script<freebsd> s{4};
  s.syn(0, stamped(5000));
  s.syn(0, stamped(6000));
  CHECK(s.out.last().options.ts_echo == 6000);
  CHECK(s.request(0).ts_recent == 6000);
  s.syn(0);
  CHECK_FALSE(s.out.last().options.timestamps);
  CHECK(s.out.last().window == window);
  s.syn(0, stamped(7000));  // they do not come back
  CHECK_FALSE(s.out.last().options.timestamps);
  CHECK(s.ack(0) == verdict::promoted);
}

// "Disable ECN if needed": a peer that falls back. Bug caught: ECN that a later SYN brings back.
TEST_CASE("freebsd: a duplicate SYN without ECN ends it, and none brings it") {
  script<freebsd> s{4};
  s.send(0, {.flags = SYN | flag::ece | flag::cwr});
  CHECK(s.out.last().flags.has(flag::ece));
  s.syn(0);
  CHECK_FALSE(s.out.last().flags.has(flag::ece));
  s.send(0, {.flags = SYN | flag::ece | flag::cwr});
  CHECK_FALSE(s.out.last().flags.has(flag::ece));
}

TEST_CASE("freebsd: a SYN-ACK for a duplicate SYN that cannot leave takes the request with it") {
  script<freebsd> s{4};
  s.syn(0);
  s.out.answer = send_result::failed;
  CHECK(s.syn(0) == verdict::duplicate_unsent);
  CHECK(s.last.stages.has(stage::send_failed));
  CHECK(s.listener.request_count() == 0);
  CHECK(s.listener.young_count() == 0);
}

// kernels.md 6, invariant 31: the entry goes first, then the number is looked at.
TEST_CASE("freebsd: a wrong ACK number ends the request with a RST") {
  script<freebsd> s{4};
  for (const std::int64_t wrong : {0, 2, 1000, -1000}) {
    s.syn(0);
    const seq_number iss = s.iss(0);
    CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = wrong}) == verdict::wrong_ack_forgotten);
    CHECK(s.out.last().flags == RST);
    CHECK(s.out.last().seq == iss + static_cast<seq_number>(wrong));
    CHECK(s.listener.request_count() == 0);
  }
  CHECK(s.ack(0) == verdict::stray);
}

TEST_CASE("freebsd: an ACK whose sequence number is outside (irs, irs + window] ends the request, too") {
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{-1}, window + 1, window + 2}) {
    script<freebsd> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = ACK, .seq = seq, .ack = 1}) == verdict::wrong_ack_forgotten);
    CHECK(s.out.last().flags == RST);
  }
  for (const std::int64_t seq : {std::int64_t{1}, std::int64_t{2}, window}) {
    script<freebsd> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = ACK, .seq = seq, .ack = 1}) == verdict::promoted);
  }
}

TEST_CASE("freebsd: SYN-ACK at a request drops it and gets a RST (syncache_badack)") {
  script<freebsd> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = SYN | ACK, .seq = 0, .ack = 1}) == verdict::request_reset_by_syn);
  CHECK(s.out.last().flags == RST);
  CHECK(s.listener.request_count() == 0);
}

TEST_CASE("freebsd: an old timestamp, or none where it was agreed on, is ignored in silence") {
  script<freebsd> s{4};
  s.syn(0, stamped(5000));
  const std::size_t sent = s.out.count;
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 1, .options = stamped(4999)}) == verdict::wrong_timestamp);
  CHECK(s.last.stages.has(stage::old_timestamp));
  CHECK_FALSE(s.last.stages.has(stage::no_timestamp));
  CHECK(s.ack(0) == verdict::wrong_timestamp);
  CHECK(s.last.stages.has(stage::no_timestamp));
  CHECK(s.out.count == sent);
  CHECK(s.waits(0));
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 1, .options = stamped(5000)}) == verdict::promoted);
}

TEST_CASE("freebsd: RST exact ends the request, in the window it is challenged, outside it is ignored") {
  const auto rst = [](std::int64_t seq) {
    script<freebsd> s{4};
    s.syn(0);
    const std::size_t sent = s.out.count;
    const verdict v = s.send(0, {.flags = RST, .seq = seq});
    CHECK(s.out.count == sent + (v == verdict::challenged ? 1 : 0));
    CHECK(s.waits(0) == (v != verdict::request_reset));
    if (v == verdict::challenged) {
      CHECK(s.out.last().flags == ACK);
      CHECK(s.out.last().seq == s.iss(0) + 1);
      CHECK(s.out.last().ack == C + 1);
    }
    return v;
  };
  CHECK(rst(1) == verdict::request_reset);
  CHECK(rst(2) == verdict::challenged);
  CHECK(rst(window) == verdict::challenged);
  CHECK(rst(window + 1) == verdict::out_of_window);
  CHECK(rst(0) == verdict::out_of_window);
  CHECK(rst(-1000) == verdict::out_of_window);
}

// freebsd-net/tcp-testsuite, state-event-engine/rcv-rst-syn-rcvd and rcv-rst-ack-syn-rcvd, via-listen: four places of
// SEG.SEQ by four of SEG.ACK, which does not matter, by net.inet.tcp.insecure_rst.
TEST_CASE("freebsd: a RST in SYN-RCVD as FreeBSD's own test suite has it") {
  const auto rst = []<class V>(V, flags f, std::int64_t seq, std::int64_t ack) {
    script<listener<validation<V>, offer<linux_6_18_offer>>> s{1};
    s.syn(0);
    return s.send(0, {.flags = f, .seq = seq, .ack = ack});
  };
  constexpr std::int64_t right = window;  // RCV.NXT + RCV.WND - 1
  for (const std::int64_t ack : {-1, 0, 1, 2}) {
    for (const flags f : {RST, RST | ACK}) {
      constexpr freebsd_validation secure;
      CHECK(rst(secure, f, 0, ack) == verdict::out_of_window);
      CHECK(rst(secure, f, 1, ack) == verdict::request_reset);
      CHECK(rst(secure, f, right, ack) == verdict::challenged);
      CHECK(rst(secure, f, right + 1, ack) == verdict::out_of_window);
      constexpr takes_any_rst<freebsd_validation> insecure;
      CHECK(rst(insecure, f, 0, ack) == verdict::out_of_window);
      CHECK(rst(insecure, f, 1, ack) == verdict::request_reset);
      CHECK(rst(insecure, f, right, ack) == verdict::request_reset);
      CHECK(rst(insecure, f, right + 1, ack) == verdict::out_of_window);
    }
  }
}

TEST_CASE("freebsd: challenge ACKs are not limited per request") {
  script<freebsd> s{4};
  s.syn(0);
  for (int i = 0; i < 3; ++i) {
    const std::size_t sent = s.out.count;
    CHECK(s.send(0, {.flags = RST, .seq = 2}) == verdict::challenged);
    CHECK(s.out.count == sent + 1);
  }
}

TEST_CASE("freebsd: FIN, data and nothing without ACK are ignored, at a request and without one") {
  script<freebsd> s{4};
  s.syn(0);
  const std::size_t sent = s.out.count;
  for (const flags f : {FIN, PSH, flag::none}) {
    CHECK(s.send(0, {.flags = f, .seq = 1, .bytes = 5}) == verdict::no_ack);
    CHECK(s.send(1, {.flags = f, .seq = 1, .bytes = 5}) == verdict::ignored);
  }
  CHECK(s.out.count == sent);
  CHECK(s.waits(0));
}

TEST_CASE("freebsd: SYN with FIN opens, SYN-ACK and a stray ACK get a RST, SYN with RST nothing") {
  script<freebsd> s{4};
  CHECK(s.send(0, {.flags = SYN | FIN}) == verdict::admitted);
  CHECK(s.send(1, {.flags = SYN | ACK, .ack = 777}) == verdict::stray);
  CHECK(s.out.last().flags == RST);
  CHECK(s.send(1, {.flags = ACK, .seq = 1, .ack = 777}) == verdict::stray);
  const std::size_t sent = s.out.count;
  CHECK(s.send(1, {.flags = SYN | RST}) == verdict::ignored);
  CHECK(s.send(1, {.flags = RST | ACK, .ack = 777}) == verdict::ignored);
  CHECK(s.out.count == sent);
}

static_assert(freebsd_main_validation::judge({.flags = ACK, .old_timestamp = true}) == a::ignore);
static_assert(freebsd_main_validation::judge(
                  {.flags = ACK, .exact = true, .starts_in_window = true, .ack_right = true, .no_timestamp = true}) ==
              a::ignore);
static_assert(freebsd_main_validation::judge({.flags = ACK, .at_right_edge = true, .ack_right = true}) == a::ack);
static_assert(freebsd_main_validation::judge({.flags = SYN | ACK, .exact = true, .starts_in_window = true}) ==
              a::forget_and_reset);
static_assert(freebsd_main_validation::judge({.flags = SYN}) == a::resend);
static_assert(freebsd_main_validation::judge({.flags = RST | ACK, .starts_in_window = true}) == a::challenge);
static_assert(freebsd_main_validation::duplicate == freebsd_validation::duplicate);

// Bug caught: whoever forges SYN+ACKs has our RSTs sent to others.
TEST_CASE("freebsd main: a SYN+ACK that nobody asked for gets no answer, on 13 a RST") {
  script<listener<validation<freebsd_main_validation>>> now{4};
  CHECK(now.send(0, {.flags = SYN | ACK, .ack = 777, .bytes = 3}) == verdict::ignored);
  CHECK(now.out.count == 0);
  CHECK(now.send(0, {.flags = ACK, .ack = 777}) == verdict::stray);
  CHECK(now.out.last().flags == RST);
  CHECK(now.syn(0) == verdict::admitted);
  script<listener<validation<freebsd_validation>>> then{4};
  CHECK(then.send(0, {.flags = SYN | ACK, .ack = 777}) == verdict::stray);
  CHECK(then.out.last().flags == RST);
}

// What is new is for ACKs only, and for those that have good timestamps.
TEST_CASE("freebsd main: a SYN, a RST, a SYN+ACK and an ACK with wrong timestamps get what they get on 13") {
  script<listener<validation<freebsd_main_validation>, offer<linux_6_18_offer>>> s{4};
  s.syn(0, stamped(1000));
  CHECK(s.syn(0, stamped(1001)) == verdict::duplicate_syn);
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 1, .options = stamped(1)}) == verdict::wrong_timestamp);
  CHECK(s.ack(0) == verdict::wrong_timestamp);
  CHECK(s.send(0, {.flags = RST, .seq = 2}) == verdict::challenged);
  CHECK(s.send(0, {.flags = SYN | ACK, .seq = 1, .ack = 1}) == verdict::request_reset_by_syn);
}

TEST_CASE("freebsd main: a wrong ACK gets a RST, one outside the window an ACK, and the request stays") {
  script<listener<validation<freebsd_main_validation>, offer<linux_6_18_offer>>> s{4};
  s.syn(0);
  for (const std::int64_t wrong : {0, 2, -1000}) {
    CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = wrong}) == verdict::wrong_ack);
    CHECK(s.out.last().flags == RST);
  }
  for (const std::int64_t seq : {std::int64_t{0}, window + 1}) {
    CHECK(s.send(0, {.flags = ACK, .seq = seq, .ack = 7}) == verdict::out_of_window);
    CHECK(s.out.last().flags == ACK);
    CHECK(s.out.last().seq == s.iss(0) + 1);
  }
  CHECK(s.send(0, {.flags = ACK, .seq = window, .ack = 1}) == verdict::promoted);
}

// --- NetBSD at work ---

TEST_CASE("netbsd: a wrong number in an ACK gets the SYN-ACK again and changes nothing") {
  script<netbsd> s{4};
  s.syn(0);
  const instant deadline = s.request(0).deadline;
  s.now = at(0.5);
  struct wrong {
    std::int64_t seq, ack;
  };
  for (const wrong w : {wrong{1, 0}, wrong{1, 2}, wrong{0, 1}, wrong{window + 2, 1}, wrong{-1000, 1}}) {
    CHECK(s.send(0, {.flags = ACK, .seq = w.seq, .ack = w.ack}) == verdict::wrong_ack_resent);
    CHECK(s.out.last().flags == (SYN | ACK));
    CHECK(s.out.last().seq == s.iss(0));
    CHECK(s.out.last().ack == C + 1);
  }
  CHECK(s.request(0).deadline == deadline);
  CHECK(s.request(0).retransmits == 0);
  CHECK(s.send(0, {.flags = ACK, .seq = window + 1, .ack = 1}) == verdict::promoted);  // the right edge is inside
}

TEST_CASE("netbsd: a duplicate SYN, whatever its ISN, gets the SYN-ACK again and does not touch the timer") {
  script<netbsd> s{4};
  s.syn(0, stamped(5000));
  s.now = at(0.4);
  CHECK(s.send(0, {.flags = SYN, .seq = 700, .options = stamped(6000)}) == verdict::duplicate_syn);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.out.last().options.ts_echo == 6000);
  CHECK(s.request(0).deadline == at(1));
  CHECK(s.request(0).retransmits == 0);
  CHECK(s.syn(0) == verdict::duplicate_syn);  // without timestamps: the old one goes on being echoed
  CHECK(s.out.last().options.ts_echo == 6000);
}

TEST_CASE("netbsd: a wrong ACK does not bring a timestamp of its own") {
  script<netbsd> s{4};
  s.syn(0, stamped(5000));
  s.send(0, {.flags = ACK, .seq = 1, .ack = 0, .options = stamped(9000)});
  CHECK(s.out.last().options.ts_echo == 5000);
}

TEST_CASE("the rules for a duplicate SYN are not those for an ACK that gets the SYN-ACK again") {
  script<listener<validation<eager>>> s{4};
  s.syn(0, stamped(5000));
  s.now = at(0.4);
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 0}) == verdict::wrong_ack_resent);
  CHECK(s.out.last().options.timestamps);
  CHECK(s.request(0).deadline == at(1));
  CHECK(s.request(0).retransmits == 0);
  s.out.answer = send_result::failed;
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 0}) == verdict::wrong_ack_resent);
  CHECK(s.waits(0));
  s.out.answer = send_result::sent;
  CHECK(s.syn(0, stamped(5001)) == verdict::duplicate_syn);
  CHECK(s.request(0).deadline == at(1.4));
  CHECK(s.request(0).retransmits == 1);
}

TEST_CASE("netbsd: a RST counts at irs and irs + 1 only, and is never challenged") {
  for (const std::int64_t seq : {0, 1}) {
    script<netbsd> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = RST, .seq = seq}) == verdict::request_reset);
    CHECK(s.listener.request_count() == 0);
  }
  for (const std::int64_t seq : {-1, 2, 1000}) {
    script<netbsd> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = RST | ACK, .seq = seq, .ack = 1}) == verdict::out_of_window);
    CHECK(s.out.count == 1);
    CHECK(s.waits(0));
  }
}

TEST_CASE("netbsd: SYN-ACK, and what has none of SYN, ACK and RST, gets a RST wherever it comes") {
  script<netbsd> s{4};
  s.syn(0);
  for (const int peer : {0, 1}) {
    for (const flags f : {SYN | ACK, FIN, flag::none}) {
      const std::size_t sent = s.out.count;
      CHECK(s.send(peer, {.flags = f, .seq = 1, .ack = 1}) == (peer == 0 ? verdict::wrong_ack : verdict::stray));
      CHECK(s.out.count == sent + 1);
      CHECK(s.out.last().flags.has(RST));
    }
  }
  CHECK(s.waits(0));
}

// kernels.md 4.5 names no timestamp test.
TEST_CASE("netbsd: old timestamps do not matter at a request") {
  script<netbsd> s{4};
  s.syn(0, stamped(5000));
  CHECK(s.send(0, {.flags = ACK, .seq = window_ts + 1, .ack = 1, .options = stamped(1)}) == verdict::promoted);
}

// syncache_badack: a SYN in an otherwise perfect final ACK must not finish the handshake.
TEST_CASE("FreeBSD: a SYN-ACK at a request ends it, however right it is") {
  const request_facts right{
      .flags = SYN | ACK, .exact = true, .in_window = true, .starts_in_window = true, .ack_right = true};
  CHECK(freebsd_validation::judge(right) == request_answer::forget_and_reset);
  request_facts without = right;
  without.flags = ACK;
  CHECK(freebsd_validation::judge(without) == request_answer::finish);
}
