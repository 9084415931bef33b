// SPDX-License-Identifier: BSL-1.0
// policy/cookies.hpp: when, and the layout of Linux 6.18 (kernels.md 4.3).
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <listenq/policy/cookies.hpp>
#include <random>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

using codec = linux_6_18_cookie;

const codec keyed{.tuple_key = {{1, 2}}, .period_key = {{3, 4}}};
constexpr std::array<std::uint32_t, 3> words{0x0a000002, 0x0a000001, 0x75314e20};

// A source of random 32-bit numbers.
auto numbers(std::uint32_t seed) {
  return [engine = std::mt19937{seed}]() mutable { return static_cast<std::uint32_t>(engine()); };
}

cookie_facts facts(seq_number isn, std::uint16_t mss = 1460) { return {words.data(), words.size(), isn, mss}; }

std::uint16_t round_trip(std::uint16_t mss) {
  return keyed.check(facts(77), keyed.make(facts(77, mss), 5 * second), 6 * second).value_or(0);
}

}  // namespace

// A table with another order, or rounding up (golden/extra.json: 300 and 600 -> 536, 1440 -> 1440, 9000 -> 1460).
TEST_CASE("a cookie carries the largest MSS of its table that was offered, or the smallest") {
  struct row {
    std::uint16_t offered, kept;
  };
  constexpr row rows[] = {{0, 536},     {300, 536},   {535, 536},   {536, 536},   {537, 536},
                          {600, 536},   {1299, 536},  {1300, 1300}, {1439, 1300}, {1440, 1440},
                          {1459, 1440}, {1460, 1460}, {1461, 1460}, {9000, 1460}, {65535, 1460}};
  for (const row& r : rows) {
    CAPTURE(r.offered);
    CHECK(round_trip(r.offered) == r.kept);
  }
}

// The sum done in another width, or the peer's ISN forgotten on one side.
TEST_CASE("every cookie checks out, whatever the ISN and the time") {
  auto random = numbers(1);
  for (int i = 0; i < 20000; ++i) {
    const seq_number isn = random();
    const instant now = static_cast<instant>(random()) * 20 * second;
    CHECK(keyed.check(facts(isn), keyed.make(facts(isn), now), now) == 1460);
  }
}

// kernels.md 6, invariant 18. A MAC that leaves something out lets half or all of these through; 4 of 2^24 may.
TEST_CASE("a wrong bit anywhere fails") {
  auto random = numbers(2);
  int tried = 0;
  int passed = 0;
  const auto attempt = [&](const cookie_facts& f, seq_number cookie, instant now) {
    ++tried;
    passed += keyed.check(f, cookie, now).has_value();
  };
  for (int round = 0; round < 200; ++round) {
    const seq_number isn = random();
    const instant now = static_cast<instant>(random()) * second;
    const seq_number cookie = keyed.make(facts(isn), now);
    for (unsigned bit = 0; bit < 32; ++bit) {
      // The lowest two bits of the cookie or of the ISN move the MSS index, which is not protected.
      if (bit >= 2) attempt(facts(isn), cookie ^ (1U << bit), now);
      if (bit >= 2) attempt(facts(isn ^ (1U << bit)), cookie, now);
      for (std::size_t word = 0; word < words.size(); ++word) {
        auto other = words;
        other[word] ^= 1U << bit;
        attempt({other.data(), other.size(), isn, 1460}, cookie, now);
      }
    }
  }
  CHECK(tried > 30000);
  CHECK(passed <= 1);
}

// An index behind the table would read behind it.
TEST_CASE("an MSS index that the table does not have is no cookie") {
  const seq_number largest = keyed.make(facts(1, 1460), 0);
  CHECK(keyed.check(facts(1), largest, 0));
  CHECK_FALSE(keyed.check(facts(1), largest + 1, 0));
  CHECK_FALSE(keyed.check(facts(1), keyed.make(facts(1, 536), 0) - 1, 0));
}

// Another listener's keys: both must count.
TEST_CASE("a cookie made with other keys fails") {
  const seq_number cookie = keyed.make(facts(1), 0);
  CHECK_FALSE(codec{.tuple_key = {{9, 2}}, .period_key = {{3, 4}}}.check(facts(1), cookie, 0));
  CHECK_FALSE(codec{.tuple_key = {{1, 2}}, .period_key = {{9, 4}}}.check(facts(1), cookie, 0));
}

// `<=` for `<`: three periods; or an age that is not taken modulo 256.
TEST_CASE("a cookie is good in its minute and in the next one") {
  for (const instant made : {instant{0}, 59 * second, 60 * second, 255 * 60 * second, 100000 * 60 * second + 1}) {
    CAPTURE(made);
    const instant minute = made / (60 * second) * (60 * second);
    const seq_number cookie = keyed.make(facts(5), made);
    CHECK(keyed.check(facts(5), cookie, made));
    CHECK(keyed.check(facts(5), cookie, minute + 120 * second - 1));
    CHECK_FALSE(keyed.check(facts(5), cookie, minute + 120 * second));
    if (minute > 0) CHECK_FALSE(keyed.check(facts(5), cookie, minute - 1));  // not made yet
  }
}

// golden/extra.json, "same SYN twice".
TEST_CASE("the same SYN in the same minute gets the same cookie, in the next minute another") {
  CHECK(keyed.make(facts(5), 1 * second) == keyed.make(facts(5), 59 * second));
  CHECK(keyed.make(facts(5), 59 * second) != keyed.make(facts(5), 60 * second));
}

// kernels.md 6, invariant 20. Without stepping back, half of the timestamps would lie in the future and PAWS would
// reject what follows.
TEST_CASE("options survive in the timestamp, which is never later than the clock nor 128 ms older") {
  auto random = numbers(3);
  for (int i = 0; i < 20000; ++i) {
    const std::uint32_t clock = random();
    tcp_options o;
    o.sack_permitted = (random() & 1U) != 0;
    if ((random() & 1U) != 0) o.window_scale = static_cast<std::uint8_t>(random() % 15);
    const bool ecn = (random() & 1U) != 0;
    const std::uint32_t ts = codec::encode(clock, o, ecn);
    CHECK(clock - ts < 128);
    const auto back = codec::decode(ts);
    REQUIRE(back);
    CHECK(back->sack_permitted == o.sack_permitted);
    CHECK(back->window_scale == o.window_scale);
    CHECK(back->timestamps);
    CHECK(codec::ecn(ts) == ecn);
  }
}

// The clock's first 64 ms: one step back goes round.
TEST_CASE("a clock near zero wraps backwards") {
  for (std::uint32_t clock = 0; clock < 64; ++clock) {
    const std::uint32_t ts = codec::encode(clock, {}, true);
    CHECK(clock - ts < 128);
    CHECK((ts & 0x3f) == 0x2f);
  }
}

// The bits of net/ipv4/syncookies.c: 0-3 the scale, 15 for none, 4 SACK, 5 ECN.
TEST_CASE("the layout of the timestamp's low six bits") {
  tcp_options o;
  CHECK((codec::encode(6400, o, false) & 0x3f) == 0x0f);
  o.window_scale = 7;
  CHECK((codec::encode(6400, o, false) & 0x3f) == 0x07);
  o.sack_permitted = true;
  CHECK((codec::encode(6400, o, false) & 0x3f) == 0x17);
  CHECK((codec::encode(6400, o, true) & 0x3f) == 0x37);
  CHECK(codec::decode(0x1234c7)->window_scale == 7);
  CHECK(codec::decode(0x0f)->window_scale == tcp_options::no_window_scale);
}

TEST_CASE("when: never, under pressure, always, or as tcp_syncookies says") {
  const auto sysctl = [](std::uint32_t v) { return tuning({{tunable::syncookies, v}}); };
  for (const std::uint32_t v : {0U, 1U, 2U}) {
    CHECK(no_cookies::mode(sysctl(v)) == cookie_mode::off);
    CHECK(under_pressure<codec>::mode(sysctl(v)) == cookie_mode::under_pressure);
    CHECK(always<codec>::mode(sysctl(v)) == cookie_mode::always);
  }
  CHECK(cookies_if_tuned<codec>::mode(sysctl(0)) == cookie_mode::off);
  CHECK(cookies_if_tuned<codec>::mode(sysctl(1)) == cookie_mode::under_pressure);
  CHECK(cookies_if_tuned<codec>::mode(sysctl(2)) == cookie_mode::always);
  CHECK(tunables_of<cookies_if_tuned<codec>> == tunable_set{tunable::syncookies});
  CHECK(tunables_of<always<codec>> == tunable_set{});
  CHECK_FALSE(no_cookies::possible);
  CHECK(always<codec>::possible);
}
