// SPDX-License-Identifier: BSL-1.0
// The policy x attack matrix of benchmarks/attacks.cpp: the same seed yields the same survivors, and they are those
// that the closed forms expect.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <string>

#include "support/any_door.hpp"
#include "support/survivors.hpp"
#include "support/under_attack.hpp"

using namespace bench;

namespace {

const testing::attack& named(const std::string& name) {
  for (const testing::attack& a : testing::attacks) {
    if (name == a.name) return a;
  }
  FAIL("there is no such attack");
  return testing::attacks[0];
}

template <class... Options>
survival survives(const char* attack, std::uint64_t seed = 1, std::uint32_t syncookies = 0) {
  door_of<listener<Options...>> door{listener<Options...>{}};
  return under_attack(door, named(attack), 10 * second, 128, seed, 0,
                      [=](any_door& d) { d.set(tunable::syncookies, syncookies, 0); });
}

}  // namespace

// A host that is chosen by an address in memory, a map without order, the machine's clock.
TEST_CASE("the same seed, the same survivors; another seed, others") {
  const survival a = survives<request_full<evict_random>>("flood");
  const survival b = survives<request_full<evict_random>>("flood");
  const survival c = survives<request_full<evict_random>>("flood", 2);
  CHECK(a.attempts > 100);
  CHECK(a.served == b.served);
  CHECK(a.syns == b.syns);
  CHECK(a.digest == b.digest);
  CHECK(a.most_bytes == b.most_bytes);
  CHECK(a.digest != c.digest);
  CHECK(a.same_again);
  CHECK(c.same_again);
}

// 2000 SYNs a second, a round trip of 40 ms, 129 places: R t = 80 < L. An eviction that takes the newest, a queue that
// is only half used, cookies that are sent although they are off.
TEST_CASE("a spoofed flood: dropped, evicted at random, evicted by age, answered by cookies") {
  const double between = 2000 * 0.04;
  const double random = 100 * std::pow(1 - 1.0 / 129, between);
  CHECK(survives<>("peace").served_percent() >= 97);
  CHECK(survives<request_full<drop>>("flood").served_percent() <= 15);
  CHECK(survives<request_full<evict_oldest>>("flood").served_percent() >= 97);
  CHECK(survives<cookies<under_pressure_if_tuned<linux_6_18_cookie>>>("flood", 1, 1).served_percent() >= 97);
  const double seen = survives<request_full<evict_random>>("flood").served_percent();
  CAPTURE(seen);
  CAPTURE(random);
  CHECK(std::abs(seen - random) <= 6);
}

// A round trip that is counted in SYNs of another rate, an ACK that comes one SYN late.
TEST_CASE("survivors beside their closed forms") {
  for (const flooded_queue& q : nanog) {
    CAPTURE(q.rate);
    constexpr int honest = 1000;
    const double p = q.if_random();
    const double random = survivors<flooded<request_full<evict_random>>>(q, honest);
    CHECK(std::abs(random - p) <= 4 * std::sqrt(p * (1 - p) / honest) + 0.001);
    CHECK(survivors<flooded<request_full<evict_oldest>>>(q, honest) == q.if_oldest());
    if (q.thread != 0) CHECK(std::abs(p - q.thread) < 0.01);
  }
}
