// SPDX-License-Identifier: BSL-1.0
// policy/bsd_counters.hpp: a row for each counter. A row lists every counter that moves; all others must stay at 0.
#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <listenq/policy/bsd_counters.hpp>
#include <string>

using namespace listenq;

namespace {

/// The counters that moved, without prefix: "sc_added=1".
template <class C>
std::string text(const C& c) {
  std::string t;
  for (const auto& n : C::names) {
    if (c.values().*n.value == 0) continue;
    std::string name = n.name;
    name = name.substr(name.rfind("tcps_", 0) == 0 ? 5 : 9);
    t += (t.empty() ? "" : " ") + name + "=" + std::to_string(c.values().*n.value);
  }
  return t;
}

template <class C>
std::string counts(verdict v, std::initializer_list<stage> found = {}, flags f = {}) {
  outcome o{v};
  for (const stage s : found) o.stages.add(s);
  o.flags = f;
  C c;
  c.count(o);
  return text(c);
}
template <class C>
std::string counts(timer_outcome t) {
  C c;
  c.count(t);
  return text(c);
}
template <class C>
std::string counts(icmp_verdict v) {
  C c;
  c.count(v);
  return text(c);
}

using f = freebsd_counters;
using n = netbsd_counters;
using o = openbsd_counters;
using x = xnu_counters;

/// All three syncaches, as FreeBSD, NetBSD and OpenBSD spell it.
void check(verdict v, std::initializer_list<stage> found, const char* in_f, const char* in_n, const char* in_o) {
  CAPTURE(std::string{name_of(v)});
  CHECK(counts<f>(v, found) == in_f);
  CHECK(counts<n>(v, found) == in_n);
  CHECK(counts<o>(v, found) == in_o);
}

}  // namespace

TEST_CASE("BSD: a SYN") {
  check(verdict::admitted, {stage::answered}, "sc_added=1", "SC_ADDED=1", "sc_added=1");
  check(verdict::admitted, {stage::evicted, stage::bucket_full}, "sc_added=1 sc_bucketoverflow=1",
        "SC_ADDED=1 SC_BUCKETOVERFLOW=1", "sc_added=1 sc_bucketoverflow=1");
  check(verdict::admitted, {stage::evicted}, "sc_added=1 sc_zonefail=1", "SC_ADDED=1 SC_OVERFLOWED=1",
        "sc_added=1 sc_overflowed=1");
  check(verdict::dropped_no_memory, {}, "sc_zonefail=1", "", "dropsyn=1");
  check(verdict::dropped_accept_full, {}, "listendrop=1", "", "dropsyn=1");
  check(verdict::dropped_send_failed, {}, "sc_dropped=1", "SC_DROPPED=1", "sc_dropped=1");
  check(verdict::duplicate_syn, {stage::answered}, "sc_dupsyn=1", "SC_DUPESYN=1", "sc_dupesyn=1");
  check(verdict::duplicate_unsent, {stage::send_failed}, "sc_dupsyn=1 sc_dropped=1", "SC_DUPESYN=1", "sc_dupesyn=1");
  CHECK(counts<f>(verdict::admitted, {stage::answered, stage::cookie_in_iss}) == "sc_added=1 sc_sendcookie=1");
  CHECK(counts<f>(verdict::cookie_sent, {stage::answered}) == "sc_sendcookie=1");
  CHECK(counts<f>(verdict::cookie_sent, {stage::send_failed}) == "sc_dropped=1 sc_sendcookie=1");
}

TEST_CASE("BSD: a final ACK") {
  check(verdict::promoted, {}, "sc_completed=1 accepts=1", "SC_COMPLETED=1 ACCEPTS=1", "sc_completed=1 accepts=1");
  check(verdict::overflow_kept, {stage::accept_full}, "sc_aborted=1 listendrop=1", "SC_ABORTED=1", "sc_aborted=1");
  check(verdict::overflow_reset, {stage::accept_full}, "sc_aborted=1 listendrop=1", "SC_ABORTED=1", "sc_aborted=1");
  check(verdict::overflow_forgotten, {stage::accept_full}, "sc_aborted=1 listendrop=1", "SC_ABORTED=1", "sc_aborted=1");
  CHECK(counts<f>(verdict::cookie_promoted, {stage::cookie_checked, stage::cookie_valid}) ==
        "sc_completed=1 sc_recvcookie=1 accepts=1");
  CHECK(counts<f>(verdict::cookie_overflow, {stage::cookie_checked, stage::cookie_valid, stage::accept_full}) ==
        "sc_aborted=1 sc_recvcookie=1 listendrop=1");
  CHECK(counts<f>(verdict::stray, {stage::cookie_checked}, flag::ack) == "");
}

TEST_CASE("BSD: a RST, a SYN-ACK, and what is neither SYN nor ACK") {
  check(verdict::request_reset, {}, "sc_reset=1", "SC_RESET=1", "sc_reset=1");
  CHECK(counts<f>(verdict::request_reset, {}, flag::rst) == "sc_reset=1");
  CHECK(counts<f>(verdict::request_reset, {}, flag::rst | flag::syn | flag::ack) == "sc_reset=1");
  CHECK(counts<f>(verdict::challenged, {stage::answered}, flag::rst) == "badrst=1");
  CHECK(counts<f>(verdict::out_of_window, {}, flag::rst) == "badrst=1");
  CHECK(counts<f>(verdict::out_of_window, {}, flag::ack) == "");
  CHECK(counts<f>(verdict::ignored, {}, flag::rst) == "badrst=1");
  CHECK(counts<f>(verdict::not_listening, {}, flag::rst) == "");
  CHECK(counts<f>(verdict::request_reset_by_syn, {}, flag::syn | flag::ack) == "sc_badack=1 badsyn=1");
  CHECK(counts<f>(verdict::request_reset_by_syn, {}, flag::syn) == "");
  CHECK(counts<f>(verdict::wrong_ack_forgotten, {}, flag::ack) == "");
  check(verdict::wrong_ack_resent, {}, "", "", "");
  CHECK(counts<f>(verdict::stray, {}, flag::syn | flag::ack) == "badsyn=1");
  CHECK(counts<f>(verdict::ignored, {}, flag::none) == "badsyn=1");
  CHECK(counts<f>(verdict::no_ack, {}, flag::fin) == "badsyn=1");
}

TEST_CASE("BSD: a timer") {
  constexpr timer_outcome sent{timer_verdict::resent, true};
  constexpr timer_outcome unsent{timer_verdict::resent, false};
  CHECK(counts<f>(sent) == "sc_retransmitted=1");
  CHECK(counts<f>(unsent) == "");
  CHECK(counts<n>(unsent) == "SC_RETRANSMITTED=1");
  CHECK(counts<o>(sent) == "sc_retransmitted=1");
  CHECK(counts<f>(timer_outcome{timer_verdict::expired}) == "sc_stale=1");
  CHECK(counts<n>(timer_outcome{timer_verdict::expired}) == "SC_TIMED_OUT=1");
  CHECK(counts<o>(timer_outcome{timer_verdict::expired}) == "sc_timed_out=1");
  CHECK(counts<f>(timer_outcome{timer_verdict::send_failed}) == "sc_dropped=1");
  CHECK(counts<f>(timer_outcome{timer_verdict::orphaned}) == "");
}

TEST_CASE("BSD: an ICMP error counts where it ends an entry") {
  CHECK(counts<f>(icmp_verdict::ended) == "sc_unreach=1");
  CHECK(counts<n>(icmp_verdict::ended) == "SC_UNREACH=1");
  CHECK(counts<o>(icmp_verdict::ended) == "sc_unreach=1");
  CHECK(counts<f>(icmp_verdict::noted) == "");
  CHECK(counts<n>(icmp_verdict::wrong_number) == "");
}

TEST_CASE("XNU: a SYN without room, also where somebody made room; an ACK for nobody") {
  CHECK(counts<x>(verdict::admitted) == "");
  CHECK(counts<x>(verdict::admitted, {stage::evicted}) == "listendrop=1");
  CHECK(counts<x>(verdict::dropped_accept_full) == "listendrop=1");
  CHECK(counts<x>(verdict::dropped_request_full, {stage::evicted}) == "listendrop=1");
  CHECK(counts<x>(verdict::stray) == "badsyn=1");
  CHECK(counts<x>(timer_outcome{timer_verdict::expired}) == "");
  CHECK(counts<x>(icmp_verdict::ended) == "");
}

// Two names for one number, or a number that no name of any system shows.
TEST_CASE("BSD: every counter has one name in each system that has it, and is had by one at least") {
  bsd_counter_values shown;
  const auto mark = [&shown](const auto& names) {
    for (const auto& a : names) {
      shown.*a.value = 1;
      int same = 0;
      for (const auto& b : names) same += a.value == b.value || std::strcmp(a.name, b.name) == 0;
      CHECK(same == 1);
    }
  };
  mark(f::names), mark(n::names), mark(o::names), mark(x::names);
  const std::uint64_t* const first = &shown.added;
  for (std::size_t i = 0; i < sizeof shown / sizeof(std::uint64_t); ++i) CHECK(first[i] == 1);
}

TEST_CASE("XNU: every SYN that found no room, and every one that another had to go for") {
  for (const verdict v : {verdict::dropped_request_full, verdict::dropped_accept_full, verdict::dropped_no_memory}) {
    CHECK(counts<xnu_counters>(v) == "listendrop=1");
  }
  CHECK(counts<xnu_counters>(verdict::admitted, {stage::evicted}) == "listendrop=1");
  CHECK(counts<xnu_counters>(verdict::dropped_over_budget) == "");
  CHECK(counts<xnu_counters>(verdict::admitted) == "");
}
