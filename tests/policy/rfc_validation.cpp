// SPDX-License-Identifier: BSL-1.0
// policy/rfc_validation.hpp: SYN-RECEIVED after a passive open as RFC 793, RFC 9293 and RFC 5961 have it, line by line.
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
using f = request_facts;
constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin;

using classic = listener<validation<rfc793_validation>>;
using standard = listener<validation<rfc9293_validation>>;
using careful = listener<validation<rfc5961_validation>>;

constexpr std::int64_t window = 64240;
constexpr tcp_options stamped(std::uint32_t value) { return {.timestamps = true, .ts_value = value}; }

// What the three say to one segment.
struct row {
  f facts;
  a old, now, careful;
};
constexpr f inside(flags x, bool right = false) {
  return {.flags = x, .in_window = true, .starts_in_window = true, .ack_right = right};
}
constexpr f next(flags x, bool right = false) {
  return {.flags = x, .exact = true, .in_window = true, .starts_in_window = true, .ack_right = right};
}
constexpr f edge(flags x, bool right = false) {
  return {.flags = x, .in_window = true, .at_right_edge = true, .ack_right = right};
}
constexpr f old(f x) {
  x.old_timestamp = true;
  return x;
}
constexpr f bare(f x) {
  x.no_timestamp = true;
  return x;
}
constexpr row rows[] = {
    // 1: the sequence number
    {{.flags = ACK, .ack_right = true}, a::ack, a::ack, a::ack},
    {{.flags = ACK}, a::ack, a::ack, a::ack},
    {edge(ACK, true), a::ack, a::ack, a::ack},
    {{.flags = FIN}, a::ack, a::ack, a::ack},
    {old(next(ACK, true)), a::ack, a::ack, a::ack},
    {bare(next(ACK, true)), a::finish, a::ignore, a::ignore},
    // no window at all: the next number is the only one
    {{.flags = ACK, .exact = true, .in_window = true, .at_right_edge = true, .ack_right = true},
     a::finish,
     a::finish,
     a::finish},
    {{.flags = SYN, .exact = true, .in_window = true, .at_right_edge = true},
     a::forget_and_reset,
     a::forget,
     a::challenge},
    // 2: RST
    {next(RST), a::forget, a::forget, a::forget},
    {old(next(RST)), a::forget, a::forget, a::forget},
    {bare(next(RST)), a::forget, a::forget, a::forget},
    {inside(RST), a::forget, a::challenge, a::challenge},
    {inside(RST | ACK, true), a::forget, a::challenge, a::challenge},
    {edge(RST), a::ack, a::ignore, a::ignore},
    {{.flags = RST, .at_isn = true}, a::ack, a::ignore, a::ignore},
    {next(RST | SYN), a::forget, a::forget, a::forget},
    // 4: SYN
    {{.flags = SYN, .at_isn = true}, a::ack, a::ack, a::challenge},
    {{.flags = SYN}, a::ack, a::ack, a::challenge},
    {next(SYN), a::forget_and_reset, a::forget, a::challenge},
    {inside(SYN), a::forget_and_reset, a::forget, a::challenge},
    {inside(SYN | ACK, true), a::forget_and_reset, a::forget, a::challenge},
    {{.flags = SYN | ACK, .at_isn = true, .ack_right = true}, a::ack, a::ack, a::challenge},
    // left of the window, but what is behind it is not: FIN or data
    {{.flags = SYN | FIN, .at_isn = true, .in_window = true}, a::ignore, a::ignore, a::challenge},
    {{.flags = SYN, .in_window = true}, a::ignore, a::ignore, a::challenge},
    {{.flags = SYN | ACK, .at_isn = true, .in_window = true, .ack_right = true}, a::finish, a::finish, a::challenge},
    // 5: ACK
    {next(flag::none), a::ignore, a::ignore, a::ignore},
    {next(FIN), a::ignore, a::ignore, a::ignore},
    {next(ACK, true), a::finish, a::finish, a::finish},
    {inside(ACK | FIN, true), a::finish, a::finish, a::finish},
    {next(ACK), a::reset_and_keep, a::reset_and_keep, a::reset_and_keep},
};
constexpr bool hold() {
  for (const row& r : rows) {
    if (rfc793_validation::judge(r.facts) != r.old) return false;
    if (rfc9293_validation::judge(r.facts) != r.now) return false;
    if (rfc5961_validation::judge(r.facts) != r.careful) return false;
  }
  return true;
}

}  // namespace

static_assert(hold());
static_assert(rfc793_validation::at_listener(SYN) == here::gates);
static_assert(rfc793_validation::at_listener(SYN | FIN) == here::gates);
static_assert(rfc793_validation::at_listener(SYN | ACK) == here::reset);
static_assert(rfc793_validation::at_listener(ACK) == here::cookie);
static_assert(rfc793_validation::at_listener(RST | ACK) == here::ignore);
static_assert(rfc793_validation::at_listener(RST | SYN) == here::ignore);
static_assert(rfc793_validation::at_listener(FIN) == here::ignore);
static_assert(rfc793_validation::at_listener({}) == here::ignore);

using again = repeats_syn_ack<rfc793_validation>;
static_assert(again::judge({.flags = SYN, .at_isn = true}) == a::resend);
static_assert(again::judge({.flags = SYN | FIN, .at_isn = true}) == a::resend);
static_assert(again::judge({.flags = SYN | ACK, .at_isn = true, .ack_right = true}) == a::ack);
static_assert(again::judge({.flags = SYN | RST, .at_isn = true}) == a::ack);
static_assert(again::judge(next(SYN)) == a::forget_and_reset);
static_assert(again::at_listener(FIN) == here::ignore);

using killed = takes_any_rst<rfc5961_validation>;
static_assert(killed::judge(inside(RST)) == a::forget);
static_assert(killed::judge(next(RST)) == a::forget);
static_assert(killed::judge(inside(RST | ACK)) == a::forget);
static_assert(killed::judge(edge(RST | ACK)) == a::ignore);
static_assert(killed::judge({.flags = RST, .at_isn = true}) == a::ignore);
static_assert(killed::judge(inside(SYN)) == a::challenge);
static_assert(killed::rate_limit == rfc5961_validation::rate_limit);

static_assert(lwip_validation::judge(next(RST)) == a::forget);
static_assert(lwip_validation::judge(inside(RST)) == a::challenge);
static_assert(lwip_validation::judge(edge(RST)) == a::challenge);
static_assert(lwip_validation::judge({.flags = RST}) == a::ignore);
static_assert(lwip_validation::judge({.flags = SYN | RST, .at_isn = true}) == a::ignore);
static_assert(lwip_validation::judge({.flags = SYN, .at_isn = true}) == a::resend);
static_assert(lwip_validation::judge(next(SYN)) == a::ignore);
static_assert(lwip_validation::judge({.flags = ACK, .ack_right = true}) == a::finish);
static_assert(lwip_validation::judge({.flags = FIN | ACK, .ack_right = true, .old_timestamp = true}) == a::finish);
static_assert(lwip_validation::judge(inside(ACK)) == a::reset_and_keep);
static_assert(lwip_validation::judge(next(FIN)) == a::ignore);

using blind = blind_to_sequence<repeats_syn_ack<rfc793_validation>>;
static_assert(blind::judge({.flags = RST}) == a::forget);
static_assert(blind::judge({.flags = ACK, .ack_right = true}) == a::finish);
static_assert(blind::judge(edge(ACK, true)) == a::finish);
static_assert(blind::judge({.flags = ACK}) == a::reset_and_keep);
static_assert(blind::judge({.flags = SYN}) == a::forget_and_reset);
static_assert(blind::judge({.flags = SYN, .at_isn = true}) == a::resend);

// The table again, where a failing row can be seen.
TEST_CASE("the three tables, row by row") {
  int number = 0;
  for (const row& r : rows) {
    CAPTURE(++number);
    CHECK(rfc793_validation::judge(r.facts) == r.old);
    CHECK(rfc9293_validation::judge(r.facts) == r.now);
    CHECK(rfc5961_validation::judge(r.facts) == r.careful);
  }
}

// peers.md, gVisor: the same ISN is out of the window.
TEST_CASE("rfc793: a duplicate SYN gets a bare ACK and no SYN-ACK, and restarts nothing") {
  script<classic> s{4};
  s.syn(0);
  s.now = at(0.5);
  CHECK(s.syn(0) == verdict::out_of_window);
  CHECK(s.out.last().flags == ACK);
  CHECK(s.out.last().seq == s.iss(0) + 1);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.request(0).deadline == at(1));
}

TEST_CASE("rfc793: a SYN in the window takes the request away and gets a RST") {
  script<classic> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = SYN, .seq = 1}) == verdict::request_reset_by_syn);
  CHECK(s.out.last().flags == (RST | ACK));
  CHECK_FALSE(s.waits(0));
}

// RFC 9293 3.10.7.4: "trimming off any portions that lie outside the window (including SYN and FIN)". Bug caught: a SYN
// that comes again with data or FIN takes its own request away.
TEST_CASE("rfc793: the SYN again with data or FIN is trimmed, and without ACK ignored") {
  script<classic> s{4};
  s.send(0, {.flags = SYN, .bytes = 13});
  CHECK(s.send(0, {.flags = SYN, .bytes = 13}) == verdict::no_ack);
  CHECK(s.send(0, {.flags = SYN | FIN}) == verdict::no_ack);
  CHECK(s.out.count == 1);
  CHECK(s.ack(0) == verdict::promoted);
}

TEST_CASE("rfc793: any RST in the window takes the request away, none outside does, and none is answered") {
  for (const std::int64_t seq : {std::int64_t{1}, std::int64_t{2}, window}) {
    script<classic> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = RST, .seq = seq}) == verdict::request_reset);
    CHECK(s.out.count == 1);
  }
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{-1}, window + 1, window + 2}) {
    script<classic> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = RST, .seq = seq}) == verdict::out_of_window);
    CHECK(s.out.count == 1);
    CHECK(s.waits(0));
  }
}

// RFC 793 itself says SND.UNA =< SEG.ACK; RFC 1122 4.2.2.20 corrects it.
TEST_CASE("an ACK of our ISN alone finishes nothing") {
  script<classic> s{4};
  s.syn(0);
  CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 0}) == verdict::wrong_ack);
  CHECK(s.out.last().flags == RST);
  CHECK(s.waits(0));
}

TEST_CASE("rfc9293: a SYN in the window ends the request in silence, a RST counts only if exact") {
  script<standard> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.send(0, {.flags = SYN, .seq = 5}) == verdict::request_reset);
  CHECK(s.out.count == 2);
  CHECK(s.send(1, {.flags = RST, .seq = 2}) == verdict::challenged);
  CHECK(s.out.last().flags == ACK);
  CHECK(s.waits(1));
  CHECK(s.rst(1) == verdict::request_reset);
}

// Bug caught: the rate limit asked of the wrong policy, or shared by all requests.
TEST_CASE("rfc5961: a SYN is challenged wherever it lies, once per 500 ms; the real peer's RST then ends the request") {
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-500}, std::int64_t{100000}}) {
    script<careful> s{4};
    s.syn(0);
    CHECK(s.send(0, {.flags = SYN, .seq = seq}) == verdict::challenged);
    CHECK(s.out.last().flags == ACK);
    CHECK(s.out.last().ack == C + 1);
    CHECK(s.out.count == 2);
    CHECK(s.send(0, {.flags = SYN, .seq = seq}) == verdict::challenged);
    CHECK(s.last.stages.has(stage::rate_limited));
    CHECK(s.out.count == 2);
    s.now = at(0.5);
    CHECK(s.send(0, {.flags = SYN, .seq = seq}) == verdict::challenged);
    CHECK(s.out.count == 3);
    CHECK(s.rst(0) == verdict::request_reset);
    CHECK(s.send(0, {.flags = SYN, .seq = seq}) == verdict::admitted);
  }
}

// RFC 7323 3.2.
TEST_CASE("rfc9293: a segment without the timestamps agreed on is dropped, but a RST counts") {
  script<standard> s{4};
  s.syn(0, stamped(5000));
  CHECK(s.ack(0) == verdict::wrong_timestamp);
  CHECK(s.last.stages.has(stage::no_timestamp));
  CHECK(s.out.count == 1);
  CHECK(s.rst(0) == verdict::request_reset);
  script<classic> o{4};
  o.syn(0, stamped(5000));
  CHECK(o.ack(0) == verdict::promoted);
}

// peers.md, NuttX: any RST kills.
TEST_CASE("blind_to_sequence: a RST from anywhere ends the request") {
  script<listener<validation<blind_to_sequence<rfc793_validation>>>> s{4};
  for (const std::int64_t seq : {-100000, 0, 1, 70000}) {
    s.syn(0);
    CHECK(s.send(0, {.flags = RST, .seq = seq}) == verdict::request_reset);
  }
}

// A base that asks for the edge would reject the very next segment of a peer without a window.
TEST_CASE("blind_to_sequence: its base is shown the facts of the very next segment, whatever came") {
  struct shows : rfc793_validation {
    static constexpr request_answer judge(const request_facts& f) noexcept {
      return f.exact && f.in_window && f.starts_in_window && !f.at_right_edge ? a::finish : a::ignore;
    }
  };
  CHECK(blind_to_sequence<shows>::judge({.at_right_edge = true}) == a::finish);
  CHECK(blind_to_sequence<shows>::judge({}) == a::finish);
}

TEST_CASE("repeats_syn_ack: the SYN again gets the SYN-ACK again, another SYN what the table says") {
  script<listener<validation<repeats_syn_ack<rfc793_validation>>>> s{4};
  s.syn(0);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.out.last().flags == (SYN | ACK));
  CHECK(s.send(0, {.flags = SYN, .seq = 7}) == verdict::request_reset_by_syn);
}

// RFC 5961 3.2 stops short of the edge; lwIP does not (tcp_process).
TEST_CASE("lwIP: a RST at the right edge of the window is challenged, one behind it ignored") {
  script<listener<validation<lwip_validation>, offer<linux_6_18_offer>>> s{4};
  s.syn(0);
  constexpr std::int64_t edge_at = 1 + linux_6_18_offer::window;
  CHECK(s.send(0, {.flags = RST, .seq = edge_at - 1}) == verdict::challenged);
  CHECK(s.send(0, {.flags = RST, .seq = edge_at}) == verdict::challenged);
  CHECK(s.send(0, {.flags = RST, .seq = edge_at + 1}) == verdict::out_of_window);
  CHECK(s.waits(0));
}
