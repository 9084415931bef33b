// SPDX-License-Identifier: BSL-1.0
// The model: it agrees with the listener whose rules it has, and with no other.
#include <doctest/doctest.h>

#include <functional>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/testing/model/run.hpp>
#include <string>

using namespace listenq;
using testing::rules;

namespace {

using linux_6_18 = preset::linux_6_18;

/// What is wrong with a 6.18 listener that is supposed to obey these, in the first script that shows it.
std::optional<testing::failure> found_by(const rules& promised, std::uint64_t scripts = 400) {
  for (std::uint64_t seed = 0; seed < scripts; ++seed) {
    if (auto f = testing::run_against_model<linux_6_18>(testing::random_script(seed), promised)) return f;
  }
  return std::nullopt;
}

struct change {
  const char* what;
  void (*to)(rules&);
};

}  // namespace

TEST_CASE("a listener agrees with the model of its own rules") {
  const auto f = found_by(testing::rules_of<linux_6_18>("Linux 6.18"));
  CHECK_MESSAGE(!f, f->text());
}

// It would catch a model that predicts nothing, or a comparison that looks at nothing.
TEST_CASE("each rule matters: another one is noticed") {
  using namespace testing;
  static constexpr change changes[] = {
      {"somaxconn is ignored",
       [](rules& r) {
         r.clamp = [](std::int64_t n, std::uint64_t) { return static_cast<std::uint64_t>(n < 0 ? 0 : n); };
       }},
      {"a request less fits", [](rules& r) { r.room = [](std::uint64_t n, std::uint64_t) { return n; }; }},
      {"the first listen() decides", [](rules& r) { r.sized_once = true; }},
      {"a connection less fits",
       [](rules& r) { r.accept_full = [](const lengths& l) { return l.accepted >= l.backlog; }; }},
      {"from 3 s", [](rules& r) { r.wait = [](unsigned n) { return (3 * second) << n; }; }},
      {"two retries", [](rules& r) { r.retries = 2; }},
      {"nobody is pruned", [](rules& r) { r.crowd = crowding::none; }},
      {"half of the table", [](rules& r) { r.crowd = crowding::half_table; }},
      {"the oldest timer first", [](rules& r) { r.newest_first = false; }},
      {"no last quarter", [](rules& r) { r.gates.pop_back(); }},
      {"a TIME-WAIT opens nothing", [](rules& r) { r.gates[1].strict = true; }},
      {"a full request queue resets", [](rules& r) { r.request_full.what = syn_rule::reset; }},
      {"two may be young",
       [](rules& r) { r.accept_full_at_syn = {.what = syn_rule::drop_above_young, .most_young = 2}; }},
      {"no cookies", [](rules& r) { r.cookies.when = cookie_when::never; }},
      {"cookies are tried for 119 s", [](rules& r) { r.cookies.window_length -= second; }},
      {"cookies live three minutes",
       [](rules& r) {
         r.cookies.read = [](const sent_cookie& c, seq_number value, seq_number, instant) {
           return value == c.value ? std::optional{c.kept} : std::nullopt;
         };
       }},
      {"another window", [](rules& r) { r.offer.window = 65535; }},
      {"no ECN", [](rules& r) { r.offer.ecn = false; }},
      {"a failure ends nothing", [](rules& r) { r.failure_ends = [](bool, bool) { return false; }; }},
      {"any RST ends a request", [](rules& r) { r.judge = judged_by_linux(linux_era::v4_4); }},
      {"SYN with FIN opens", [](rules& r) { r.at_listener = answered_by_linux(linux_era::v2_6_32); }},
      {"a duplicate SYN restarts nothing", [](rules& r) { r.duplicate.restarts = restart::nothing; }},
      {"no rate limit", [](rules& r) { r.rate_limit = 0; }},
      {"a limit of 496 ms", [](rules& r) { r.rate_limit -= 4 * millisecond; }},
      {"late timestamps count", [](rules& r) { r.late_timestamps = true; }},
      {"a wrong ACK is no cookie", [](rules& r) { r.tries_cookie = false; }},
      {"a bare ACK always finishes", [](rules& r) { r.deferral = deferral_rule::none; }},
      {"overflow always resets", [](rules& r) { r.accept_full_at_ack = ack_rule::reset; }},
      {"close forgets", [](rules& r) { r.closing = closing_answer::forget; }},
      {"a dead child is reported", [](rules& r) { r.reports_aborted = true; }},
      {"every ICMP error ends", [](rules& r) { r.icmp = [](const icmp_facts&) { return icmp_answer::end; }; }},
      {"counts as 3.12", [](rules& r) { r.counts = counting::linux_3_12; }},
  };
  for (const change& c : changes) {
    rules changed = rules_of<linux_6_18>();
    c.to(changed);
    CAPTURE(std::string{c.what});
    CHECK(found_by(changed));
  }
}

TEST_CASE("a difference says what was expected, what came, and by which rule") {
  rules changed = testing::rules_of<linux_6_18>("Linux 6.18");
  changed.accept_full_at_syn.what = testing::syn_rule::reset;
  const testing::script script{0, {{testing::op::syn, 0, 0}, {testing::op::ack, 0, 0}, {testing::op::syn, 1, 0}}};
  const auto f = testing::run_against_model<linux_6_18>(script, changed);
  REQUIRE(f);
  CHECK(f->wrong.text() ==
        "the verdict: expected reset_accept_full, came dropped_accept_full "
        "(accept_full_at_syn: the accept queue is full)");
  CHECK(f->history.size() == 3);
  CHECK(f->passed.size() == 4);
}
