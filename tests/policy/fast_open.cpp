// SPDX-License-Identifier: BSL-1.0
// policy/fast_open.hpp: the cookie, the two eras' rules for a SYN (kernels.md 4.6), the bound and its quarantine.
#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <listenq/policy/fast_open.hpp>
#include <type_traits>

#include "support/tuning.hpp"

using namespace listenq;
using test::tuning;

namespace {

using modern = linux_fast_open<linux_era::v6_18, 8>;
using first = linux_fast_open<linux_era::v3_12, 8>;

// net.ipv4.tcp_fastopen_key = 00112233-44556677-8899aabb-ccddeeff
constexpr siphash_key recorded_key{0x4455667700112233U, 0xccddeeff8899aabbU};
constexpr siphash_key other_key{1, 2};
constexpr std::uint32_t addresses[] = {0x0a090002, 0x0a090001};  // 10.9.0.2 asks 10.9.0.1

constexpr auto on(std::uint32_t qlen, std::uint32_t bits = 2) {
  return tuning({{tunable::fastopen, bits}, {tunable::fastopen_qlen, qlen}});
}

constexpr fast_open_facts syn(const fast_open_option& o, bool data = false, instant now = 0) {
  return {.words = addresses, .word_count = 2, .option = o, .data = data, .backlog = 5, .now = now};
}
constexpr fast_open_option request(bool experimental = false) {
  fast_open_option o = fast_open_option::request();
  o.experimental = experimental;
  return o;
}
constexpr fast_open_option cookie_of(const siphash_key& k, bool experimental = false) {
  return modern::cookie(syn(request(experimental)), k);
}
constexpr fast_open_option spoilt(fast_open_option o) {
  o.bytes[7] ^= 1;
  return o;
}
stages of(std::initializer_list<stage> all) {
  stages s;
  for (const stage one : all) s.add(one);
  return s;
}
bool nothing(const fast_open_answer& a) { return !a.opens && !a.offer.present() && !a.renewal.present(); }

}  // namespace

TEST_CASE("no_fast_open says so at compile time and holds nothing") {
  CHECK_FALSE(no_fast_open::possible);
  CHECK(std::is_empty_v<no_fast_open>);
}

// Recorded on 6.18.44. Words in the wrong byte order or the two addresses exchanged: no machine with the same key would
// know the cookie.
TEST_CASE("the cookie is the kernel's, byte for byte, over either IP") {
  constexpr fast_open_option recorded{.bytes = {0xb5, 0x77, 0xc5, 0x61, 0xd8, 0x96, 0x57, 0xab}, .size = 8};
  CHECK(cookie_of(recorded_key) == recorded);
  CHECK(cookie_of(recorded_key, true).same_cookie(recorded));
  CHECK(cookie_of(recorded_key, true).experimental);
  constexpr std::uint32_t v6[] = {0xfd090000, 0, 0, 2, 0xfd090000, 0, 0, 1};  // fd09::2 asks fd09::1
  constexpr fast_open_option recorded_v6{.bytes = {0x42, 0x31, 0xf1, 0x39, 0xc2, 0x94, 0xc9, 0x0c}, .size = 8};
  CHECK(modern::cookie({.words = v6, .word_count = 8, .option = request()}, recorded_key) == recorded_v6);
}

TEST_CASE("another address or another key is another cookie") {
  constexpr std::uint32_t swapped[] = {addresses[1], addresses[0]};
  fast_open_facts f = syn(request());
  f.words = swapped;
  CHECK_FALSE(modern::cookie(f, recorded_key).same_cookie(cookie_of(recorded_key)));
  CHECK_FALSE(cookie_of(other_key).same_cookie(cookie_of(recorded_key)));
}

// kernels.md 4.6, tcp_try_fastopen.
TEST_CASE("6.18: a request gets a cookie, the right cookie opens, a wrong one gets the right one") {
  modern p(fast_open_keys{recorded_key, {}, false});
  const auto asked = p.on_syn(syn(request()), on(2));
  CHECK_FALSE(asked.opens);
  CHECK(asked.offer == cookie_of(recorded_key));
  CHECK(asked.met == of({stage::fast_open_asked}));
  for (const bool data : {false, true}) {  // also without data: the server may speak first
    const auto good = p.on_syn(syn(cookie_of(recorded_key), data), on(2));
    CHECK(good.opens);
    CHECK_FALSE(good.renewal.present());
    CHECK(good.met == stages{});
    CHECK(good.offer == cookie_of(recorded_key));  // for the case that the connection cannot be made
    const auto bad = p.on_syn(syn(spoilt(cookie_of(recorded_key)), data), on(2));
    CHECK_FALSE(bad.opens);
    CHECK(bad.offer == cookie_of(recorded_key));
    CHECK(bad.met == of({stage::fast_open_failed}));
  }
  fast_open_option shorter = cookie_of(recorded_key);
  shorter.size = 6;
  shorter.bytes[6] = shorter.bytes[7] = 0;
  CHECK(p.on_syn(syn(shorter), on(2)).met == of({stage::fast_open_failed}));
}

TEST_CASE("the answer has the form of the question, kind 34 or 254") {
  modern p(fast_open_keys{recorded_key, {}, false});
  CHECK(p.on_syn(syn(request(true)), on(2)).offer == cookie_of(recorded_key, true));
  CHECK(p.on_syn(syn(cookie_of(recorded_key, true)), on(2)).opens);
}

TEST_CASE("6.18: a cookie made with the backup key opens and is renewed; without a backup key it is wrong") {
  modern ring(fast_open_keys{recorded_key, other_key, true});
  const auto a = ring.on_syn(syn(cookie_of(other_key)), on(2));
  CHECK(a.opens);
  CHECK(a.renewal == cookie_of(recorded_key));
  CHECK(a.met == of({stage::fast_open_backup}));
  CHECK_FALSE(ring.on_syn(syn(cookie_of(recorded_key)), on(2)).renewal.present());
  modern alone(fast_open_keys{recorded_key, other_key, false});
  CHECK_FALSE(alone.on_syn(syn(cookie_of(other_key)), on(2)).opens);
}

// Bug caught: a listener that answers cookies while it is off, or opens for whoever comes.
TEST_CASE("6.18: nothing happens unless bit 2 and a bound are set, or to a SYN that wants nothing") {
  modern p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key);
  for (const auto& t : {on(2, 0), on(2, 1), on(0, 2), on(0, 0x202), on(2, 0x400)}) {
    CHECK(nothing(p.on_syn(syn(cookie, true), t)));
    CHECK(nothing(p.on_syn(syn(request()), t)));
    CHECK(p.on_syn(syn(request()), t).met == of({stage::fast_open_asked}));  // counted all the same
  }
  CHECK(nothing(p.on_syn(syn({}, true), on(2))));
  CHECK(nothing(p.on_syn(syn({}), on(2))));
}

TEST_CASE("bit 0x200: data need no cookie, and whoever shows or wants one needs no data") {
  modern p(fast_open_keys{recorded_key, {}, false});
  CHECK(p.on_syn(syn({}, true), on(2, 0x202)).opens);
  CHECK_FALSE(p.on_syn(syn({}), on(2, 0x202)).opens);
  CHECK(p.on_syn(syn(request()), on(2, 0x202)).opens);
  CHECK(p.on_syn(syn(spoilt(cookie_of(recorded_key))), on(2, 0x202)).opens);
}

TEST_CASE("the bound: as tuned, the backlog with bit 0x400, at most somaxconn (6.18) and at most the room there is") {
  CHECK(modern::limit(5, on(3)) == 3);
  CHECK(modern::limit(5, on(0)) == 0);
  CHECK(modern::limit(5, on(0, 0x402)) == 5);
  CHECK(modern::limit(5, on(3, 0x402)) == 3);
  CHECK(modern::limit(5, on(100)) == 8);
  const auto few = tuning({{tunable::fastopen, 2}, {tunable::fastopen_qlen, 7}, {tunable::somaxconn, 6}});
  CHECK(modern::limit(5, few) == 6);
  CHECK(first::limit(5, few) == 7);
}

// `>` for `>=`: one more than the bound.
TEST_CASE("as many unfinished connections as the bound says, then SYNs are ordinary and get no cookie either") {
  modern p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(p.on_syn(syn(cookie), on(2)).opens);
    p.opened();
  }
  CHECK(p.unfinished() == 2);
  const auto full = p.on_syn(syn(cookie, true), on(2));
  CHECK(nothing(full));
  CHECK(full.met == of({stage::fast_open_full}));
  CHECK(nothing(p.on_syn(syn(request()), on(2))));
  CHECK(p.on_syn(syn({}, true), on(2)).met == of({stage::fast_open_full}));  // data alone are counted, too
  CHECK(p.on_syn(syn({}), on(2)).met == stages{});
  CHECK(p.ended(fast_open_end::finished, true, 0));
  CHECK(p.on_syn(syn(cookie), on(2)).opens);
}

// reqsk_fastopen_remove: only a reset after accept() is kept, for 60 s.
TEST_CASE("what an end costs: a reset after accept() its place for 60 s, everything else nothing") {
  struct row {
    fast_open_end how;
    bool waits, kept;
  };
  constexpr row rows[] = {{fast_open_end::finished, false, false}, {fast_open_end::finished, true, false},
                          {fast_open_end::gone, false, false},     {fast_open_end::gone, true, false},
                          {fast_open_end::reset, true, false},     {fast_open_end::reset, false, true}};
  for (const row& r : rows) {
    modern p;
    p.opened();
    CHECK(p.ended(r.how, r.waits, 0));
    CHECK(p.unfinished() == 0);
    CHECK(p.pending() == (r.kept ? 1 : 0));
    CHECK_FALSE(p.ended(r.how, r.waits, 0));  // nobody is left to end
    CHECK(p.pending() == (r.kept ? 1 : 0));
  }
}

// kernels.md 6, invariant 38. A place given up too early, or all of them at once.
TEST_CASE("a place in quarantine is given up after 60 s, the oldest first, one for each SYN that needs it") {
  modern p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key);
  p.opened(), p.opened();
  p.ended(fast_open_end::reset, false, 1 * second);
  p.ended(fast_open_end::reset, false, 2 * second);
  CHECK(p.quarantined() == 2);
  CHECK(p.on_syn(syn(cookie, false, 61 * second - 1), on(2)).met == of({stage::fast_open_full}));
  CHECK(p.on_syn(syn(cookie, false, 61 * second), on(2)).opens);
  p.opened();
  CHECK(p.pending() == 2);
  CHECK_FALSE(p.on_syn(syn(cookie, false, 62 * second - 1), on(2)).opens);
  // A wrong cookie frees the place as well as a right one: the place comes first.
  CHECK(p.on_syn(syn(spoilt(cookie), false, 62 * second), on(2)).met == of({stage::fast_open_failed}));
  CHECK(p.quarantined() == 0);
  // While there is room nobody's quarantine ends.
  p.ended(fast_open_end::reset, false, 100 * second);
  CHECK(p.on_syn(syn(cookie, false, 1000 * second), on(2)).opens);
  CHECK(p.quarantined() == 1);
}

// The ring wraps: an entry overwritten or read from the wrong end.
TEST_CASE("the quarantine keeps its order however often it wraps") {
  modern p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key);
  for (int i = 0; i < 8; ++i) p.opened(), p.ended(fast_open_end::reset, false, i * second);
  for (int i = 8; i < 100; ++i) {
    const instant due = (i - 8 + 60) * second;
    CHECK_FALSE(p.on_syn(syn(cookie, false, due - 1), on(100)).opens);
    REQUIRE(p.on_syn(syn(cookie, false, due), on(100)).opens);
    p.opened();
    CHECK(p.ended(fast_open_end::reset, false, i * second));
    CHECK(p.quarantined() == 8);
  }
}

TEST_CASE("closing empties the quarantine; unfinished connections are still to end") {
  modern p;
  p.opened(), p.opened();
  p.ended(fast_open_end::reset, false, 0);
  p.closed();
  CHECK(p.quarantined() == 0);
  CHECK(p.unfinished() == 1);
}

// tcp_fastopen_check: its counters are at other places than those of 6.18.
TEST_CASE("3.12: the same questions, experimental option only") {
  first p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key, true);
  const auto asked = p.on_syn(syn(request(true)), on(2));
  CHECK(asked.offer == cookie);
  CHECK(asked.met == of({stage::fast_open_tried, stage::fast_open_asked}));
  const auto good = p.on_syn(syn(cookie, true), on(2));
  CHECK(good.opens);
  CHECK_FALSE(good.offer.present());
  CHECK(good.met == of({stage::fast_open_tried}));
  const auto bad = p.on_syn(syn(spoilt(cookie), true), on(2));
  CHECK_FALSE(bad.opens);
  CHECK(bad.offer == cookie);
  CHECK(bad.met == of({stage::fast_open_tried, stage::fast_open_failed}));
  for (const auto& o : {request(), cookie_of(recorded_key)}) {  // kind 34: not known yet
    CHECK(nothing(p.on_syn(syn(o, true), on(2))));
    CHECK(p.on_syn(syn(o, true), on(2)).met == stages{});
  }
}

TEST_CASE("3.12: a cookie counts as tried and failed where fast open is off, a request only as tried") {
  first p;
  for (const auto& t : {on(2, 1), on(0, 2)}) {
    CHECK(p.on_syn(syn(cookie_of(other_key, true)), t).met == of({stage::fast_open_tried, stage::fast_open_failed}));
    CHECK(p.on_syn(syn(request(true)), t).met == of({stage::fast_open_tried}));
  }
}

TEST_CASE("3.12: no room is no failure, bit 0x100 checks nothing, 0x200 wants data, 0x1000 opens always") {
  first p(fast_open_keys{recorded_key, {}, false});
  const auto wrong = spoilt(cookie_of(recorded_key, true));
  CHECK(p.on_syn(syn(wrong), on(1, 0x102)).opens);
  CHECK(p.on_syn(syn({}, true), on(1, 0x202)).opens);
  CHECK_FALSE(p.on_syn(syn({}), on(1, 0x202)).opens);
  CHECK_FALSE(p.on_syn(syn(wrong), on(1, 0x202)).opens);
  CHECK(p.on_syn(syn({}), on(1, 0x1002)).opens);
  p.opened();
  const auto full = p.on_syn(syn(wrong), on(1));
  CHECK(nothing(full));
  CHECK(full.met == of({stage::fast_open_tried, stage::fast_open_full}));
}

TEST_CASE("linux_fast_open names its tunables") {
  CHECK(tunables_of<modern> == tunable_set{tunable::fastopen, tunable::fastopen_qlen, tunable::somaxconn});
  CHECK(tunables_of<no_fast_open> == tunable_set{});
}

// The bytes as they are in the header, not as the machine keeps them: every bit of an address has its place.
TEST_CASE("the cookie is the hash of the addresses' bytes in the order of the wire") {
  for (int bit = 0; bit < 64; ++bit) {
    std::uint32_t words[2]{};
    words[bit / 32] = 1U << (bit % 32);
    std::uint32_t swapped[2]{};
    const int byte = bit % 32 / 8;
    swapped[bit / 32] = 1U << ((3 - byte) * 8 + bit % 8);
    const std::uint64_t h = siphash<2, 4>{other_key}.hash(swapped, 2);
    const fast_open_option o = modern::cookie({.words = words, .word_count = 2, .option = {}}, other_key);
    for (std::size_t i = 0; i < 8; ++i) CHECK(o.bytes[i] == static_cast<std::uint8_t>(h >> (8 * i)));
    CHECK(o.size == 8);
  }
}

TEST_CASE("3.12: a place that says experimental and holds no option is no option") {
  fast_open_option none;
  none.experimental = true;
  first p;
  CHECK_FALSE(p.on_syn(syn(none, true), on(5)).opens);
  CHECK(p.on_syn(syn(none, true), on(5)).met == stages{});
}

TEST_CASE("3.12, 0x100: a cookie of any bytes opens, a request for one or a cookie of another size does not") {
  first p;
  fast_open_option o = cookie_of(other_key, true);
  CHECK(p.on_syn(syn(o), on(5, 0x102)).opens);
  o.size = 6;
  CHECK_FALSE(p.on_syn(syn(o), on(5, 0x102)).opens);
  CHECK_FALSE(p.on_syn(syn(request(true)), on(5, 0x102)).opens);
}

// The listener asks this before it asks the policy: a wrong no, and bit 0x1000 is dead on 3.12; a wrong yes, and every
// plain SYN pays for the question.
TEST_CASE("a SYN without option and data concerns 3.12 alone, and it where bit 0x1000 is on") {
  for (const bool option : {false, true}) {
    for (const bool data : {false, true}) {
      for (const auto& t : {on(2), on(0, 0), on(2, 0x1002), on(0x1000, 2), on(2, 0xefff)}) {
        CHECK(modern::concerned(option, data, t) == (option || data));
        CHECK(first::concerned(option, data, t) == (option || data || t[tunable::fastopen] == 0x1002));
      }
    }
  }
  CHECK(first::concerned(false, false, on(2, 0x1000)));
}

// A family of one's own may have longer addresses; they must not be written behind the place for the words.
TEST_CASE("of addresses longer than IPv6's the first sixteen words count") {
  std::uint32_t words[20];
  for (std::uint32_t i = 0; i < 20; ++i) words[i] = 0x01010101U * (i + 1);
  const auto cookie = [&](std::size_t n) {
    return modern::cookie({.words = words, .word_count = n, .option = request()}, other_key);
  };
  CHECK(cookie(17) == cookie(16));
  CHECK(cookie(20) == cookie(16));
  CHECK_FALSE(cookie(15) == cookie(16));
  words[15] ^= 1U;
  const auto other = cookie(20);
  words[15] ^= 1U;
  CHECK_FALSE(other == cookie(20));
}

// Data alone, or nothing at all, counted as a cookie that was wrong.
TEST_CASE("3.12: where fast open is off, a SYN without a cookie is tried and not failed") {
  first p;
  CHECK(p.on_syn(syn({}, true), on(2, 0x200)).met == of({stage::fast_open_tried}));
  CHECK(p.on_syn(syn({}, true), on(0, 0x202)).met == of({stage::fast_open_tried}));
  CHECK(p.on_syn(syn({}), on(2, 0x1000)).met == of({stage::fast_open_tried}));
}

// The ring of one place has no other to begin at.
TEST_CASE("a quarantine of one place gives it up after 60 s") {
  linux_fast_open<linux_era::v6_18, 1> p(fast_open_keys{recorded_key, {}, false});
  const auto cookie = cookie_of(recorded_key);
  for (const instant at : {1 * second, 100 * second}) {
    REQUIRE(p.on_syn(syn(cookie, false, at), on(5)).opens);
    p.opened();
    CHECK(p.ended(fast_open_end::reset, false, at));
    CHECK_FALSE(p.on_syn(syn(cookie, false, at + 60 * second - 1), on(5)).opens);
    CHECK(p.on_syn(syn(cookie, false, at + 60 * second), on(5)).opens);
    CHECK(p.quarantined() == 0);
  }
}
