// SPDX-License-Identifier: BSL-1.0
// policy/lifecycle.hpp: closing, send_failure, aborted_child. What they do to a listener, tests/listener_life.cpp says.
#include <doctest/doctest.h>

#include <concepts>
#include <listenq/policy/lifecycle.hpp>

using namespace listenq;

TEST_CASE("the closing models say what becomes of requests") {
  CHECK(forget_requests::requests == closing_answer::forget);
  CHECK(leave_to_timer::requests == closing_answer::leave_to_timer);
  CHECK(abort_requests::requests == closing_answer::reset);
  CHECK(outlive_listener::requests == closing_answer::outlive);
}

// `acked` ignored: a request whose ACK has come would die of a full transmit queue (kernels.md 3.2).
TEST_CASE("when a SYN-ACK cannot leave: by model, first or resent, ACK seen or not") {
  struct row {
    bool resent, acked, fatal_forgets, fatal_when_resent_forgets, fatal_at_first_forgets;
  };
  constexpr row rows[] = {{false, false, true, false, true},
                          {true, false, true, true, false},
                          {false, true, false, false, true},
                          {true, true, false, false, false}};
  for (const row& r : rows) {
    CAPTURE(r.resent);
    CAPTURE(r.acked);
    const send_failure_facts f{.resent = r.resent, .acked = r.acked};
    CHECK(fatal::forgets(f) == r.fatal_forgets);
    CHECK(fatal_when_resent::forgets(f) == r.fatal_when_resent_forgets);
    CHECK(fatal_at_first::forgets(f) == r.fatal_at_first_forgets);
    CHECK_FALSE(harmless::forgets(f));
  }
}

TEST_CASE("Linux returns a reset connection, the BSDs report it") {
  CHECK_FALSE(returned::reports);
  CHECK(reported::reports);
}

TEST_CASE("the defaults are Linux 6.18's") {
  CHECK(std::same_as<default_closing, leave_to_timer>);
  CHECK(std::same_as<default_send_failure, fatal_when_resent>);
  CHECK(std::same_as<default_aborted_child, returned>);
}
