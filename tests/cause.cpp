// SPDX-License-Identifier: BSL-1.0
// cause.hpp: the table of causes.
#include <doctest/doctest.h>

#include <cstddef>
#include <listenq/cause.hpp>
#include <listenq/describe.hpp>
#include <listenq/listener.hpp>
#include <string>

using namespace listenq;

namespace {

outcome met(verdict v, std::initializer_list<stage> found = {}) {
  outcome o{v};
  for (const stage s : found) o.stages.add(s);
  return o;
}
std::string why(const outcome& o) { return causes[cause_index(o)].why; }

}  // namespace

// A record without a cause, or with another verdict's: the table would not add up.
TEST_CASE("every verdict, with any stages, has a cause of that verdict") {
  for (std::size_t v = 0; v < verdict_count; ++v) {
    for (unsigned bit = 0; bit <= 32; ++bit) {
      outcome o{static_cast<verdict>(v)};
      o.stages.bits = bit == 32 ? ~0U : 1U << bit;
      const cause& c = causes[cause_index(o)];
      CHECK(c.what == record_kind::of_segment);
      CHECK(c.verdict == v);
      CHECK((c.met.bits & ~o.stages.bits) == 0);
      CHECK(std::string{name_of(c)} == name_of(o.verdict));
    }
  }
  for (const timer_verdict v : {timer_verdict::resent, timer_verdict::waited, timer_verdict::expired,
                                timer_verdict::send_failed, timer_verdict::orphaned, timer_verdict::paused}) {
    for (const bool sent : {false, true}) {
      for (const bool pruned : {false, true}) {
        const cause& c = causes[cause_index(timer_outcome{v, sent, pruned})];
        CHECK(c.what == record_kind::of_timer);
        CHECK(c.verdict == static_cast<std::uint8_t>(v));
        CHECK(std::string{name_of(c)} == name_of(v));
      }
    }
  }
  for (const icmp_verdict v : {icmp_verdict::ended, icmp_verdict::noted, icmp_verdict::ignored,
                               icmp_verdict::wrong_number, icmp_verdict::no_request}) {
    const cause& c = causes[cause_index(v)];
    CHECK(c.what == record_kind::of_icmp);
    CHECK(c.verdict == static_cast<std::uint8_t>(v));
    CHECK(std::string{name_of(c)} == name_of(v));
  }
}

// A row that another row above it hides would never be counted.
TEST_CASE("every row of the table is the cause of some record") {
  for (std::size_t i = 0; i < cause_count; ++i) {
    const cause& c = causes[i];
    CAPTURE(c.why);
    if (c.what == record_kind::of_segment) {
      CHECK(cause_index({static_cast<verdict>(c.verdict), {}, c.met}) == i);
    } else if (c.what == record_kind::of_timer) {
      const auto v = static_cast<timer_verdict>(c.verdict);
      const bool unsent = (c.met.bits & detail::timer_unsent) != 0;
      CHECK(cause_index(timer_outcome{v, !unsent, (c.met.bits & detail::timer_pruned) != 0}) == i);
    } else {
      CHECK(cause_index(static_cast<icmp_verdict>(c.verdict)) == i);
    }
  }
}

// Two rows that read the same could as well be one; a slot that there is not would print no rule.
TEST_CASE("no two rows of a verdict read the same, and each names a slot or none") {
  const std::string composition = describe<listener<>>();
  for (std::size_t i = 0; i < cause_count; ++i) {
    CAPTURE(causes[i].why);
    const std::string slot = causes[i].slot;
    CHECK((slot.empty() || composition.find('\n' + slot + ' ') != std::string::npos));
    for (std::size_t j = 0; j < i; ++j) {
      const bool same_verdict = causes[i].what == causes[j].what && causes[i].verdict == causes[j].verdict;
      CHECK_FALSE((same_verdict && std::string{causes[i].why} == causes[j].why));
    }
  }
}

// The stage that is told is the one that decided.
TEST_CASE("where one verdict has several causes, the stages tell which") {
  CHECK(why(met(verdict::admitted)) == "stored");
  CHECK(why(met(verdict::admitted, {stage::answered, stage::accept_full})) ==
        "stored although the accept queue is full");
  CHECK(why(met(verdict::admitted, {stage::evicted, stage::accept_full})) == "stored in another request's place");
  CHECK(why(met(verdict::cookie_sent, {stage::request_full, stage::cookie_wanted})) ==
        "the request queue is full: a cookie");
  CHECK(why(met(verdict::cookie_sent, {stage::cookie_wanted})) == "a cookie, as always");
  CHECK(why(met(verdict::dropped_accept_full, {stage::accept_full})) == "the accept queue is full");
  CHECK(why(met(verdict::dropped_accept_full, {stage::accept_full, stage::cookie_wanted})) ==
        "a cookie was due, but the accept queue is full");
  CHECK(why(met(verdict::overflow_kept, {stage::child_refused})) == "the stack made no child: kept");
  CHECK(why(met(verdict::out_of_window, {stage::old_timestamp, stage::rate_limited})) ==
        "a timestamp of the past (PAWS)");
  CHECK(why(met(verdict::stray, {stage::cookie_checked, stage::cookie_valid})) ==
        "a cookie whose options are not on offer");
  CHECK(why(met(verdict::stray, {stage::cookie_late})) == "an ACK, and no cookie was sent lately");
}

// A row under the wrong kind would be taken for another record's, a search that begins behind its row or ends anywhere
// else would send the books elsewhere.
TEST_CASE("a row is of the kind that it was made for, and a record of no row has the number of rows") {
  const auto is = [](const cause& c, record_kind what, unsigned v, std::uint32_t met) {
    return c.what == what && c.verdict == v && c.met.bits == met && std::string{c.slot} == "s" &&
           std::string{c.why} == "w";
  };
  CHECK(is(detail::at(verdict::promoted, "s", "w"), record_kind::of_segment, static_cast<unsigned>(verdict::promoted),
           0));
  CHECK(is(detail::at(verdict::stray, stage::cookie_late, "s", "w"), record_kind::of_segment,
           static_cast<unsigned>(verdict::stray), static_cast<std::uint32_t>(stage::cookie_late)));
  CHECK(is(detail::at(timer_verdict::expired, detail::timer_pruned, "s", "w"), record_kind::of_timer,
           static_cast<unsigned>(timer_verdict::expired), detail::timer_pruned));
  CHECK(is(detail::at(icmp_verdict::noted, "s", "w"), record_kind::of_icmp, static_cast<unsigned>(icmp_verdict::noted),
           0));
  for (std::size_t i = 0; i < cause_count; ++i) {
    CHECK(detail::find_cause(causes[i].what, causes[i].verdict, causes[i].met.bits) == i);
  }
  for (const record_kind what : {record_kind::of_segment, record_kind::of_timer, record_kind::of_icmp}) {
    CHECK(detail::find_cause(what, 255, ~0U) == cause_count);
  }
}
