// SPDX-License-Identifier: BSL-1.0
// outcome.hpp: names and sets. Which outcome comes when, tests/listener.cpp says.
#include <doctest/doctest.h>

#include <cstring>
#include <listenq/outcome.hpp>
#include <string>

using namespace listenq;

// A verdict inserted without its name shifts every name behind it.
TEST_CASE("every verdict has the name it has in the source") {
  CHECK(std::string{name_of(verdict::admitted)} == "admitted");
  CHECK(std::string{name_of(verdict::dropped_last_quarter)} == "dropped_last_quarter");
  CHECK(std::string{name_of(verdict::reset_accept_full)} == "reset_accept_full");
  CHECK(std::string{name_of(verdict::duplicate_syn)} == "duplicate_syn");
  CHECK(std::string{name_of(verdict::promoted)} == "promoted");
  CHECK(std::string{name_of(verdict::overflow_forgotten)} == "overflow_forgotten");
  CHECK(std::string{name_of(verdict::cookie_in_vain)} == "cookie_in_vain");
  CHECK(std::string{name_of(verdict::cookie_overflow)} == "cookie_overflow");
  CHECK(std::string{name_of(verdict::not_listening)} == "not_listening");
  CHECK(static_cast<std::size_t>(verdict::not_listening) + 1 == verdict_count);
}

TEST_CASE("no two verdicts share a name, and none is without") {
  for (std::size_t i = 0; i < verdict_count; ++i) {
    REQUIRE(name_of(static_cast<verdict>(i)) != nullptr);
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(std::strcmp(name_of(static_cast<verdict>(i)), name_of(static_cast<verdict>(j))) != 0);
    }
  }
}

TEST_CASE("every timer verdict has its name") {
  CHECK(std::string{name_of(timer_verdict::resent)} == "resent");
  CHECK(std::string{name_of(timer_verdict::waited)} == "waited");
  CHECK(std::string{name_of(timer_verdict::expired)} == "expired");
  CHECK(std::string{name_of(timer_verdict::send_failed)} == "send_failed");
  CHECK(std::string{name_of(timer_verdict::orphaned)} == "orphaned");
  CHECK(std::string{name_of(timer_verdict::paused)} == "paused");
}

// Two stages with one bit: a full request queue would count as a full accept queue.
TEST_CASE("stages are a set, each with a bit of its own") {
  constexpr stage all[] = {
      stage::request_full,    stage::cookie_wanted,  stage::accept_full,      stage::rate_limited,
      stage::old_timestamp,   stage::bad_echo,       stage::cookie_checked,   stage::cookie_valid,
      stage::child_refused,   stage::evicted,        stage::answered,         stage::answered_reset,
      stage::send_failed,     stage::bucket_full,    stage::evicted_reset,    stage::fast_open_tried,
      stage::fast_open_asked, stage::fast_open_full, stage::fast_open_failed, stage::fast_open_backup,
      stage::no_timestamp,    stage::cookie_in_iss,  stage::cookie_late};
  for (const stage s : all) {
    stages one;
    one.add(s);
    for (const stage t : all) CHECK(one.has(t) == (s == t));
    one.add(s);
    CHECK(one.has(s));
  }
  stages both;
  both.add(stage::request_full);
  both.add(stage::accept_full);
  CHECK(both.has(stage::request_full));
  CHECK(both.has(stage::accept_full));
}

TEST_CASE("only ok is ok") {
  CHECK(listen_result{});
  CHECK_FALSE(listen_result{listen_status::storage_too_small, 2, 1});
}
