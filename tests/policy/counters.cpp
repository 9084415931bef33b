// SPDX-License-Identifier: BSL-1.0
// policy/counters.hpp: kernels.md 2.8 row by row. A row lists every counter that moves; all others must stay at 0.
#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <listenq/policy/counters.hpp>
#include <string>

#include "support/counters.hpp"

using namespace listenq;
using test::counters_text;

namespace {

using c2632 = linux_counters<linux_era::v2_6_32>;
using c312 = linux_counters<linux_era::v3_12>;
using c618 = linux_counters<linux_era::v6_18>;

template <class C>
std::string counts(verdict v, std::initializer_list<stage> found = {}) {
  outcome o{v};
  for (const stage s : found) o.stages.add(s);
  C c;
  c.count(o);
  return counters_text(c.values());
}
template <class C>
std::string counts(timer_outcome t) {
  C c;
  c.count(t);
  return counters_text(c.values());
}

struct row {
  verdict v;
  std::initializer_list<stage> found;
  const char *in_2632, *in_312, *in_618;
};

void check(const row& r) {
  CAPTURE(std::string{name_of(r.v)});
  CHECK(counts<c2632>(r.v, r.found) == r.in_2632);
  CHECK(counts<c312>(r.v, r.found) == r.in_312);
  CHECK(counts<c618>(r.v, r.found) == r.in_618);
}

constexpr const char* drop = "ListenDrops=1";
constexpr const char* overflow = "ListenOverflows=1 ListenDrops=1";

}  // namespace

// Each line is one that monitoring systems alarm on; a counter too many is as wrong as one too few.
TEST_CASE("a SYN that is refused") {
  check({verdict::admitted, {stage::answered}, "", "", ""});
  check({verdict::dropped_request_full,
         {stage::request_full},
         "",
         "ListenDrops=1 TCPReqQFullDrop=1",
         "ListenDrops=1 TCPReqQFullDrop=1"});
  check({verdict::dropped_accept_full, {stage::accept_full}, "", overflow, overflow});
  check({verdict::dropped_accept_full,
         {stage::accept_full, stage::request_full, stage::cookie_wanted},
         "",
         "ListenOverflows=1 ListenDrops=1 TCPReqQFullDoCookies=1",
         "ListenOverflows=1 ListenDrops=1 TCPReqQFullDoCookies=1"});
  for (const verdict v : {verdict::dropped_last_quarter, verdict::dropped_no_memory, verdict::dropped_over_budget,
                          verdict::dropped_by_gate, verdict::dropped_refused, verdict::dropped_send_failed}) {
    check({v, {}, "", drop, drop});
  }
  check({verdict::reset_request_full,
         {stage::request_full, stage::answered, stage::answered_reset},
         "OutRsts=1",
         "OutRsts=1 ListenDrops=1 TCPReqQFullDrop=1",
         "OutRsts=1 ListenDrops=1 TCPReqQFullDrop=1"});
  check({verdict::reset_accept_full,
         {stage::accept_full, stage::answered, stage::answered_reset},
         "OutRsts=1",
         "OutRsts=1 ListenOverflows=1 ListenDrops=1",
         "OutRsts=1 ListenOverflows=1 ListenDrops=1"});
}

// Quirk 5: 3.12 counts a ListenDrops for every cookie it sends.
TEST_CASE("a cookie that is sent") {
  check({verdict::cookie_sent,
         {stage::request_full, stage::cookie_wanted, stage::answered},
         "SyncookiesSent=1",
         "ListenDrops=1 TCPReqQFullDoCookies=1 SyncookiesSent=1",
         "TCPReqQFullDoCookies=1 SyncookiesSent=1"});
  // Bug caught: what else such a SYN has met forgotten.
  check({verdict::cookie_sent,
         {stage::request_full, stage::cookie_wanted, stage::answered, stage::fast_open_asked},
         "SyncookiesSent=1 TCPFastOpenCookieReqd=1",
         "ListenDrops=1 TCPReqQFullDoCookies=1 SyncookiesSent=1 TCPFastOpenCookieReqd=1",
         "TCPReqQFullDoCookies=1 SyncookiesSent=1 TCPFastOpenCookieReqd=1"});
}

TEST_CASE("a cookie that comes back") {
  check({verdict::cookie_promoted,
         {stage::cookie_checked, stage::cookie_valid},
         "PassiveOpens=1 SyncookiesRecv=1",
         "PassiveOpens=1 SyncookiesRecv=1",
         "PassiveOpens=1 SyncookiesRecv=1"});
  constexpr const char* no_room = "ListenOverflows=1 ListenDrops=1 SyncookiesRecv=1";
  check({verdict::cookie_overflow,
         {stage::cookie_checked, stage::cookie_valid, stage::accept_full},
         no_room,
         no_room,
         no_room});
  constexpr const char* bad = "OutRsts=1 SyncookiesFailed=1";
  check({verdict::stray, {stage::cookie_checked, stage::answered, stage::answered_reset}, bad, bad, bad});
  check({verdict::stray, {stage::answered, stage::answered_reset}, "OutRsts=1", "OutRsts=1", "OutRsts=1"});
  // Quirk 19: a stray ACK is a failed cookie, even if none was sent lately.
  check({verdict::stray, {stage::cookie_late, stage::answered, stage::answered_reset}, bad, bad, "OutRsts=1"});
  check({verdict::ignored, {}, "", "", ""});
  check({verdict::not_listening, {stage::answered, stage::answered_reset}, "OutRsts=1", "OutRsts=1", "OutRsts=1"});
}

// kernels.md 6, invariant 14: every overflow comes with a drop; invariant 15: PassiveOpens at the child, not at the
// SYN.
TEST_CASE("fast open: 6.18 counts what opened, 3.12 what had the option") {
  check({verdict::fast_opened,
         {stage::answered},
         "PassiveOpens=1",
         "PassiveOpens=1",
         "PassiveOpens=1 TCPFastOpenPassive=1"});
}

TEST_CASE("a final ACK") {
  check({verdict::promoted, {}, "PassiveOpens=1", "PassiveOpens=1", "PassiveOpens=1"});
  check({verdict::overflow_kept, {stage::accept_full}, overflow, overflow, overflow});
  check({verdict::overflow_forgotten, {stage::accept_full}, overflow, overflow, overflow});
  constexpr const char* aborted = "OutRsts=1 ListenOverflows=1 ListenDrops=1 EmbryonicRsts=1";
  check({verdict::overflow_reset,
         {stage::accept_full, stage::answered, stage::answered_reset},
         aborted,
         aborted,
         aborted});
  // The stack refused: not an overflow.
  check({verdict::overflow_kept, {stage::child_refused}, drop, drop, drop});
  check({verdict::cookie_overflow,
         {stage::cookie_checked, stage::cookie_valid, stage::child_refused},
         "ListenDrops=1 SyncookiesRecv=1",
         "ListenDrops=1 SyncookiesRecv=1",
         "ListenDrops=1 SyncookiesRecv=1"});
  check({verdict::deferred, {}, "", "TCPDeferAcceptDrop=1", "TCPDeferAcceptDrop=1"});
}

TEST_CASE("everything else that hits a request") {
  check({verdict::duplicate_syn, {stage::answered}, "", "RetransSegs=1", "RetransSegs=1 TCPSynRetrans=1"});
  check({verdict::duplicate_syn, {stage::send_failed}, "", "", ""});
  CHECK(counts<c618>(verdict::duplicate_syn, {stage::rate_limited}) == "TCPACKSkippedSynRecv=1");
  CHECK(counts<c618>(verdict::out_of_window, {stage::rate_limited}) == "TCPACKSkippedSynRecv=1");
  check({verdict::out_of_window, {stage::answered}, "", "", ""});
  check({verdict::out_of_window, {stage::old_timestamp, stage::answered}, "PAWSEstab=1", "PAWSEstab=1", "PAWSEstab=1"});
  CHECK(counts<c618>(verdict::out_of_window, {stage::bad_echo, stage::answered}) == "TSEcrRejected=1");
  CHECK(counts<c618>(verdict::challenged, {stage::answered}) == "TCPChallengeACK=1");
  CHECK(counts<c618>(verdict::challenged, {stage::rate_limited}) == "TCPACKSkippedChallenge=1");
  check({verdict::wrong_ack, {stage::answered, stage::answered_reset}, "OutRsts=1", "OutRsts=1", "OutRsts=1"});
  check({verdict::no_ack, {}, "", "", ""});
  constexpr const char* killed = "AttemptFails=1 EmbryonicRsts=1";
  check({verdict::request_reset, {}, killed, killed, killed});
  constexpr const char* killed_by_syn = "AttemptFails=1 OutRsts=1 EmbryonicRsts=1";
  check({verdict::request_reset_by_syn,
         {stage::answered, stage::answered_reset},
         killed_by_syn,
         killed_by_syn,
         killed_by_syn});
}

// golden/synack.json, "retries0": one timeout, nothing sent, TcpExtTCPTimeouts 1.
TEST_CASE("a timer") {
  CHECK(counts<c618>(timer_outcome{timer_verdict::resent, true}) == "RetransSegs=1 TCPTimeouts=1 TCPSynRetrans=1");
  CHECK(counts<c312>(timer_outcome{timer_verdict::resent, true}) == "RetransSegs=1 TCPTimeouts=1");
  CHECK(counts<c2632>(timer_outcome{timer_verdict::resent, true}) == "");
  CHECK(counts<c618>(timer_outcome{timer_verdict::resent, false}) == "TCPTimeouts=1");
  CHECK(counts<c618>(timer_outcome{timer_verdict::waited, false}) == "TCPTimeouts=1");
  CHECK(counts<c618>(timer_outcome{timer_verdict::expired, false}) == "TCPTimeouts=1");
  CHECK(counts<c312>(timer_outcome{timer_verdict::send_failed, false}) == "TCPTimeouts=1");
  CHECK(counts<c618>(timer_outcome{timer_verdict::orphaned, false}) == "");
}

TEST_CASE("an ICMP error counts a drop where it ended a request") {
  c618 c;
  for (const auto v : {icmp_verdict::ignored, icmp_verdict::noted, icmp_verdict::no_request}) c.count(v);
  CHECK(counters_text(c.values()) == "");
  c.count(icmp_verdict::ended);
  CHECK(counters_text(c.values()) == drop);
  c2632 old;
  old.count(icmp_verdict::ended);
  CHECK(counters_text(old.values()) == "");
  old.count(icmp_verdict::wrong_number);
  CHECK(counters_text(old.values()) == "OutOfWindowIcmps=1");
}

// A counter without a name, or two names for one counter: nstat would lie.
TEST_CASE("every counter has a name of its own, and every name a counter") {
  CHECK(counter_names.size() * sizeof(std::uint64_t) == sizeof(counter_values));
  for (const counter_name& c : counter_names) {
    CHECK(std::strncmp(c.name, "Tcp", 3) == 0);
    counter_values v;
    v.*c.value = 7;
    int moved = 0;
    int same_name = 0;
    for (const counter_name& d : counter_names) {
      moved += v.*d.value == 7;
      same_name += std::strcmp(c.name, d.name) == 0;
    }
    CHECK(moved == 1);
    CHECK(same_name == 1);
  }
}

TEST_CASE("sums add up over many outcomes") {
  c618 c;
  for (int i = 0; i < 3; ++i) c.count(outcome{verdict::promoted});
  for (int i = 0; i < 2; ++i) c.count(outcome{verdict::dropped_accept_full});
  CHECK(counters_text(c.values()) == "PassiveOpens=3 ListenOverflows=2 ListenDrops=2");
}

TEST_CASE("no_counters counts nothing") {
  no_counters c;
  c.count(outcome{verdict::promoted});
  c.count(timer_outcome{timer_verdict::resent, true});
  c.count(icmp_verdict::ended);
  CHECK(counters_text(c.values()) == "");
}

// Each of these is a line of `nstat`: one for another is a wrong diagnosis.
TEST_CASE("fast open: what was tried, asked for, wrong, or one too many") {
  constexpr verdict in = verdict::admitted;
  check(
      {in, {stage::fast_open_asked}, "TCPFastOpenCookieReqd=1", "TCPFastOpenCookieReqd=1", "TCPFastOpenCookieReqd=1"});
  check({in,
         {stage::fast_open_failed},
         "TCPFastOpenPassiveFail=1",
         "TCPFastOpenPassiveFail=1",
         "TCPFastOpenPassiveFail=1"});
  check({in,
         {stage::fast_open_full},
         "TCPFastOpenListenOverflow=1",
         "TCPFastOpenListenOverflow=1",
         "TCPFastOpenListenOverflow=1"});
  CHECK(counts<c312>(in, {stage::fast_open_tried}) == "TCPFastOpenPassive=1");
  CHECK(counts<c618>(in, {stage::fast_open_tried}) == "");
  CHECK(counts<c618>(verdict::fast_opened, {stage::fast_open_backup}) ==
        "PassiveOpens=1 TCPFastOpenPassive=1 TCPFastOpenPassiveAltKey=1");
  CHECK(counts<c618>(in, {stage::fast_open_backup}) == "");
}

TEST_CASE("3.12 counts a child that it could not make once, and the SYN that it drops for it again") {
  for (const verdict v : {verdict::dropped_accept_full, verdict::dropped_refused}) {
    const bool full = v == verdict::dropped_accept_full;
    CHECK(
        counts<c312>(v, {stage::fast_open_failed}) ==
        (full ? "ListenOverflows=1 ListenDrops=2 TCPFastOpenPassiveFail=1" : "ListenDrops=2 TCPFastOpenPassiveFail=1"));
    CHECK(
        counts<c618>(v, {stage::fast_open_failed}) ==
        (full ? "ListenOverflows=1 ListenDrops=1 TCPFastOpenPassiveFail=1" : "ListenDrops=1 TCPFastOpenPassiveFail=1"));
    CHECK(counts<c312>(v) == (full ? overflow : drop));
  }
  CHECK(counts<c312>(verdict::dropped_last_quarter, {stage::fast_open_failed}) ==
        "ListenDrops=1 TCPFastOpenPassiveFail=1");
  CHECK(counts<c312>(verdict::dropped_send_failed, {stage::fast_open_failed}) ==
        "ListenDrops=1 TCPFastOpenPassiveFail=1");
}

TEST_CASE("4.4 counts no failed cookie for an ACK that came too late") {
  using c44 = linux_counters<linux_era::v4_4>;
  CHECK(counts<c44>(verdict::stray, {stage::cookie_late}) == "");
  CHECK(counts<c312>(verdict::stray, {stage::cookie_late}) == "SyncookiesFailed=1");
}

TEST_CASE("a SYN that a gate answers with RST is a drop and no repetition") {
  check({verdict::dropped_by_gate,
         {stage::answered, stage::answered_reset},
         "OutRsts=1",
         "OutRsts=1 ListenDrops=1",
         "OutRsts=1 ListenDrops=1"});
}
