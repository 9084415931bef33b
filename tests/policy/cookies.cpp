// SPDX-License-Identifier: BSL-1.0
// policy/cookies.hpp: when, and what the codec's defaults are. The layouts are in cookie/.
#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <listenq/policy/cookies.hpp>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

using codec = linux_6_18_cookie;

auto sysctl(std::uint32_t v) { return tuning({{tunable::syncookies, v}}); }

}  // namespace

TEST_CASE("when: never, under pressure, always, in every ISS, or as tcp_syncookies says") {
  for (const std::uint32_t v : {0U, 1U, 2U}) {
    CHECK(no_cookies::mode(sysctl(v)) == cookie_mode::off);
    CHECK(under_pressure<codec>::mode(sysctl(v)) == cookie_mode::under_pressure);
    CHECK(always<codec>::mode(sysctl(v)) == cookie_mode::always);
    CHECK(in_every_iss<freebsd_13_cookie>::mode(sysctl(v)) == cookie_mode::beside_requests);
  }
  CHECK(tunables_of<always<codec>> == tunable_set{});
  CHECK(tunables_of<in_every_iss<freebsd_13_cookie>> == tunable_set{});
  CHECK_FALSE(no_cookies::possible);
  CHECK(always<codec>::possible);
}

// 2.6.32 knows no 2: kernels.md 2.1 step 1 against 2.2 step 1.
TEST_CASE("what 0, 1 and 2 mean") {
  using since_3_12 = cookies_if_tuned<codec>;
  CHECK(since_3_12::mode(sysctl(0)) == cookie_mode::off);
  CHECK(since_3_12::mode(sysctl(1)) == cookie_mode::under_pressure);
  CHECK(since_3_12::mode(sysctl(2)) == cookie_mode::always);
  using before = under_pressure_if_tuned<codec>;
  CHECK(before::mode(sysctl(0)) == cookie_mode::off);
  CHECK(before::mode(sysctl(1)) == cookie_mode::under_pressure);
  CHECK(before::mode(sysctl(2)) == cookie_mode::under_pressure);
  using bsd = in_every_iss_if_tuned<freebsd_13_cookie>;
  CHECK(bsd::mode(sysctl(0)) == cookie_mode::off);
  CHECK(bsd::mode(sysctl(1)) == cookie_mode::beside_requests);
  CHECK(bsd::mode(sysctl(2)) == cookie_mode::always);
  CHECK(tunables_of<since_3_12> == tunable_set{tunable::syncookies});
  CHECK(tunables_of<before> == tunable_set{tunable::syncookies});
  CHECK(tunables_of<pausing<bsd>> == tunable_set{tunable::syncookies});
}

// kernels.md 4.2: 3 s up to 3.12, 120 s now; 4.4: 15 s a bucket. Linux's secrets are never changed, FreeBSD's are.
TEST_CASE("keys and window are the codec's, unless others are named") {
  CHECK(std::same_as<always<linux_2_6_32_cookie>::window_type, after_cookie<3 * second>>);
  CHECK(std::same_as<always<linux_3_12_cookie>::window_type, after_cookie<3 * second>>);
  CHECK(std::same_as<always<linux_6_18_cookie>::window_type, after_cookie<120 * second, 1 * second>>);
  CHECK(std::same_as<in_every_iss<freebsd_13_cookie>::window_type, after_bucket_overflow<15 * second>>);
  CHECK(std::same_as<always<linux_6_18_cookie>::key_source, static_key>);
  CHECK(std::same_as<always<freebsd_13_cookie>::key_source, derived_keys<15 * second>>);
  using mine = always<linux_6_18_cookie, rotated<60 * second>, any_time>;
  CHECK(std::same_as<mine::key_source, rotated<60 * second>>);
  CHECK(std::same_as<mine::window_type, any_time>);
}

// A key that signs but does not verify, or the other way round.
TEST_CASE("an issuer checks what it makes, and forgets its window at a new listen()") {
  constexpr std::uint32_t words[] = {0x0a000002, 0x0a000001, 0x75314e20};
  always<linux_6_18_cookie, rotated<60 * second>> p;
  p.keys.seed({1, 2});
  const cookie_facts f{words, 3, 77};
  const seq_number old = p.make(f, {.mss = 1440}, 5 * second);
  p.keys.rotate({{3, 4}, {5, 6}}, 6 * second);
  const seq_number young = p.make(f, {.mss = 1300}, 7 * second);
  CHECK(p.check(f, old, 8 * second)->mss == 1440);
  CHECK(p.check(f, young, 8 * second)->mss == 1300);
  CHECK_FALSE(p.check(f, old, 66 * second));
  CHECK_FALSE(p.check(f, young + 7, 8 * second));
  p.window.sent(8 * second);
  CHECK(p.window.open({.now = 9 * second}));
  p.reset();
  CHECK_FALSE(p.window.open({.now = 9 * second}));
}
