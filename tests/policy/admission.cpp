// SPDX-License-Identifier: BSL-1.0
// policy/admission.hpp: each gate by its facts; the order of rows of gates.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/policy/admission.hpp>
#include <string>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

template <class Row>
std::string order() {
  std::string names;
  Row::any([&]<class G>() {
    names += std::string{names.empty() ? "" : " "} + G::name;
    return false;
  });
  return names;
}

// How many requests enter while nothing but `last_quarter` refuses.
std::uint32_t cap(std::uint32_t max_syn_backlog) {
  const auto t = tuning({{tunable::max_syn_backlog, max_syn_backlog}, {tunable::syncookies, 0}});
  syn_facts f;
  while (!gates::last_quarter::closed(f, t)) ++f.lengths.requests;
  return f.lengths.requests;
}

}  // namespace

// Cookies for everybody forgotten; a TIME-WAIT SYN refused (kernels.md 2.0, step 2).
TEST_CASE("the request queue's gate is closed when it is full or cookies are for all, never to a chosen ISN") {
  const auto t = tuning({});
  using g = gates::request_queue;
  CHECK_FALSE(g::closed({}, t));
  CHECK(g::closed({.request_full = true}, t));
  CHECK(g::closed({.cookies_always = true}, t));
  CHECK_FALSE(g::closed({.request_full = true, .isn_chosen = true}, t));
  CHECK_FALSE(g::closed({.isn_chosen = true, .cookies_always = true}, t));
  CHECK_FALSE(g::closed({.accept_full = true}, t));
}

// A chosen ISN or a proven peer let past a full accept queue.
TEST_CASE("the accept queue's gate looks at the accept queue and nothing else") {
  using g = gates::accept_queue;
  CHECK_FALSE(g::closed({.request_full = true}, tuning({})));
  CHECK(g::closed({.accept_full = true, .isn_chosen = true, .proven = true}, tuning({})));
}

// A TIME-WAIT that passes a syncache's bound: no BSD lets it.
TEST_CASE("the strict gate is the same, but a chosen ISN opens nothing") {
  using g = gates::strict_request_queue;
  CHECK_FALSE(g::closed({}, tuning({})));
  CHECK(g::closed({.request_full = true}, tuning({})));
  CHECK(g::closed({.request_full = true, .isn_chosen = true}, tuning({})));
  CHECK(g::closed({.isn_chosen = true, .cookies_always = true}, tuning({})));
}

// NetBSD asks so_qlen > so_qlimit at the SYN and 3/2 of the sum at the ACK: one predicate for both would be wrong.
TEST_CASE("accept_queue_by has a test of its own and does not read `waiting`'s") {
  using g = gates::accept_queue_by<backlog_plus_one>;
  CHECK_FALSE(g::closed({.lengths = {4, 99}, .backlog = 4, .accept_full = true}, tuning({})));
  CHECK(g::closed({.lengths = {5, 0}, .backlog = 4}, tuning({})));
}

// `<=` for `<`, or a quarter rounded up (golden/halfopen.json: 8 -> 7, 128 -> 97; users.md T4).
TEST_CASE("the last quarter is kept: m - (m >> 2) + 1 requests of unproven peers") {
  struct row {
    std::uint32_t max_syn_backlog, most;
  };
  constexpr row rows[] = {{8, 7}, {80, 61}, {128, 97}, {256, 193}, {512, 385}, {1024, 769}, {2048, 1537}, {1, 2}};
  for (const row& r : rows) {
    CAPTURE(r.max_syn_backlog);
    CHECK(cap(r.max_syn_backlog) == r.most);
  }
}

// max - Q in unsigned arithmetic: more requests than the maximum would open the gate again.
TEST_CASE("the last quarter stays closed when there are more requests than the maximum") {
  syn_facts f;
  f.lengths.requests = 2000;
  CHECK(gates::last_quarter::closed(f, tuning({{tunable::max_syn_backlog, 1024}, {tunable::syncookies, 0}})));
  CHECK(gates::last_quarter::closed(f, tuning({{tunable::max_syn_backlog, 0}, {tunable::syncookies, 0}})));
}

// kernels.md 6, invariant 48: only without cookies, without a chosen ISN, never against a proven peer.
TEST_CASE("the last quarter is open with cookies on, to a chosen ISN and to proven peers") {
  const auto off = tuning({{tunable::max_syn_backlog, 8}, {tunable::syncookies, 0}});
  syn_facts f;
  f.lengths.requests = 8;
  CHECK(gates::last_quarter::closed(f, off));
  CHECK_FALSE(gates::last_quarter::closed(f, tuning({{tunable::max_syn_backlog, 8}, {tunable::syncookies, 1}})));
  CHECK_FALSE(gates::last_quarter::closed(f, tuning({{tunable::max_syn_backlog, 8}, {tunable::syncookies, 2}})));
  f.isn_chosen = true;
  CHECK_FALSE(gates::last_quarter::closed(f, off));
  f.isn_chosen = false;
  f.proven = true;
  CHECK_FALSE(gates::last_quarter::closed(f, off));
}

TEST_CASE("the refusal gate is the outer stack's no and nothing else") {
  CHECK(gates::refusal::closed({.refused = true}, tuning({})));
  CHECK_FALSE(gates::refusal::closed({.request_full = true, .accept_full = true}, tuning({})));
}

TEST_CASE("known_request and budget are no tests of their own") {
  CHECK_FALSE(gates::known_request::closed({.request_full = true, .accept_full = true}, tuning({})));
  CHECK_FALSE(gates::budget::closed({.request_full = true, .accept_full = true}, tuning({})));
}

// Linux with the accept queue first would count an overflow where the kernel counts a full request queue; a BSD with
// the lookup first would answer a duplicate SYN that the kernel drops.
TEST_CASE("the rows of gates have their kernel's order") {
  CHECK(order<linux_gates>() == "known_request request_queue accept_queue refusal last_quarter");
  CHECK(order<bsd_gates>() == "accept_queue_by known_request strict_request_queue refusal");
  CHECK(order<syncache_gates>() == "known_request strict_request_queue refusal");
}

// A fold that goes on after the first "yes".
TEST_CASE("visiting stops at the first gate that says yes") {
  int visited = 0;
  CHECK(linux_gates::any([&]<class G>() {
    ++visited;
    return std::same_as<G, gates::request_queue>;
  }));
  CHECK(visited == 2);
}

// A row that forgets the tunables of its gates: max_syn_backlog could not be set.
TEST_CASE("a row names the tunables of its gates") {
  CHECK(tunables_of<linux_gates> == tunable_set{tunable::max_syn_backlog, tunable::syncookies});
  CHECK(tunables_of<bsd_gates> == tunable_set{});
}
