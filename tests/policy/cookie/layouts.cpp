// SPDX-License-Identifier: BSL-1.0
// Each codec's own layout: its tables, its bits, what it loses (kernels.md 4.3 and 4.4, peers.md).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/policy/cookies.hpp>
#include <vector>

#include "policy/cookie/support.hpp"

using namespace listenq;
using test::maker;
using test::numbers;
using test::peer4;
using test::peer6;

namespace {

struct kept {
  std::uint16_t offered, back;
};

template <class Codec, class Peer>
void check_mss(const Peer& peer, std::initializer_list<kept> rows) {
  for (const kept& r : rows) {
    CAPTURE(r.offered);
    CHECK(maker<Codec>{}.mss(peer.facts(), r.offered) == r.back);
  }
}

constexpr cookie_options all_on{.sack = true, .ecn = true};

// What Linux 3.12 hashes in minute 0x12c, as one message of whole blocks: what is said, then the secret's first twelve
// words, over and over; behind those that it takes stand the five to start from.
std::uint32_t sha1_of_message(const static_array<std::uint32_t, 17>& secret, const cookie_facts& f) {
  std::vector<std::uint32_t> message(f.words, f.words + f.word_count);
  message.back() = std::rotl(message.back(), 16);
  message.push_back(0x2c010000);
  std::size_t filled = 0;
  for (; message.size() % 16 != 0; ++filled) message.push_back(secret[filled % 12]);
  sha1_state s;
  for (std::size_t i = 0; i < 5; ++i) s.word[i] = secret[std::min<std::size_t>(filled, 12) + i];
  for (std::size_t at = 0; at < message.size(); at += 16) {
    static_array<std::uint32_t, 16> block{};
    for (std::size_t i = 0; i < 16; ++i) block[i] = message[at + i];
    sha1_absorb(s, block);
  }
  return s.word[1];
}

template <std::size_t N>
void check_sha1_mac() {
  CAPTURE(N);
  auto random = numbers(5);
  linux_3_12_cookie_key k;
  for (std::uint32_t& w : k.tuple) w = random();
  for (std::uint32_t& w : k.minute) w = random();
  test::peer_of<N> peer;
  for (std::uint32_t& w : peer.words) w = random();
  for (const int half : {0, 1}) {
    const std::uint32_t expected = sha1_of_message(half == 0 ? k.tuple : k.minute, peer.facts());
    CHECK(detail::linux_sha1_mac(k, peer.facts(), 0x12c, half) == expected);
    CHECK(linux_3_12_cookie::mac(k, peer.facts(), 0x12c, half) == expected);
    CHECK(linux_2_6_32_cookie::mac(k, peer.facts(), 0x12c, half) == expected);
  }
}

// A layout whose MAC is only which half was asked for.
struct halves_layout {
  static constexpr duration period = second;
  static constexpr std::uint32_t ages = 1;
  static constexpr std::uint32_t count(instant now) { return static_cast<std::uint32_t>(now / period); }
  static constexpr std::uint32_t mac(int, const cookie_facts&, std::uint32_t, int half) {
    return static_cast<std::uint32_t>(half + 1) * 1000U;
  }
};

}  // namespace

// A table with another order, or rounding up (golden/extra.json: 300 and 600 -> 536, 1440 -> 1440, 9000 -> 1460).
TEST_CASE("a cookie carries the largest MSS of its table that was offered, or the smallest") {
  check_mss<linux_6_18_cookie>(peer4(), {{0, 536},
                                         {300, 536},
                                         {600, 536},
                                         {1299, 536},
                                         {1300, 1300},
                                         {1439, 1300},
                                         {1440, 1440},
                                         {1459, 1440},
                                         {1460, 1460},
                                         {9000, 1460},
                                         {65535, 1460}});
  check_mss<linux_6_18_cookie>(peer6(),
                               {{536, 1220}, {1419, 1220}, {1420, 1420}, {1440, 1440}, {8939, 1440}, {8940, 8940}});
  check_mss<linux_3_12_cookie>(peer4(), {{0, 64},
                                         {511, 64},
                                         {512, 512},
                                         {536, 536},
                                         {1023, 536},
                                         {1024, 1024},
                                         {1440, 1440},
                                         {1460, 1460},
                                         {4311, 1460},
                                         {4312, 4312},
                                         {8960, 8960},
                                         {65535, 8960}});
  check_mss<linux_3_12_cookie>(peer6(),
                               {{536, 536}, {1220, 1220}, {1419, 1220}, {1420, 1420}, {4400, 4400}, {8940, 8940}});
  check_mss<linux_2_6_32_cookie>(peer4(), {{0, 64}, {255, 64}, {256, 256}, {1460, 1460}, {4312, 4312}, {8960, 4312}});
  check_mss<linux_2_6_32_cookie>(peer6(), {{256, 256}, {1440, 1440}});
  check_mss<freebsd_13_cookie>(peer4(), {{0, 216},
                                         {535, 216},
                                         {536, 536},
                                         {1199, 536},
                                         {1200, 1200},
                                         {1360, 1360},
                                         {1400, 1400},
                                         {1440, 1440},
                                         {1451, 1440},
                                         {1452, 1452},
                                         {1460, 1460},
                                         {9000, 1460}});
  check_mss<bernstein_cookie<>>(peer4(), {{0, 64}, {1460, 1460}, {65535, 4312}});
  check_mss<gvisor_cookie>(peer4(), {{0, 536}, {1300, 1300}, {1440, 1440}, {1460, 1460}});
  check_mss<tldk_cookie>(peer4(), {{0, 536}, {1300, 1300}, {1459, 1440}, {1460, 1460}});
  check_mss<tldk_cookie>(peer6(), {{1219, 1220}, {1420, 1420}, {1440, 1440}, {8940, 8940}});
}

// `>` for `>=` in its source: an MSS that is in the table comes back as the entry below, unless it is the interface's.
TEST_CASE("Onload rounds down even what is in its table") {
  check_mss<onload_cookie<>>(peer4(),
                             {{0, 64}, {512, 64}, {513, 512}, {536, 512}, {1440, 1220}, {1459, 1440}, {1460, 1460}});
  check_mss<onload_cookie<9000>>(peer4(), {{1460, 1440}, {1461, 1460}, {8999, 1460}, {9000, 9000}});
}

// An index behind the table would read behind it; an age behind the last one would let old cookies in.
TEST_CASE_TEMPLATE("of all ages and indexes exactly those of the table pass", Codec, linux_2_6_32_cookie,
                   linux_3_12_cookie, linux_6_18_cookie, gvisor_cookie) {
  constexpr std::uint32_t entries = sizeof(Codec::mss_table[0]) / sizeof(std::uint16_t);
  const maker<Codec> m;
  const auto peer = peer4();
  const instant now = 1000 * Codec::period;
  int good = 0;
  for (std::uint32_t age = 0; age < 256; ++age) {
    const seq_number first = m.make(peer.facts(), {.mss = 0}, now - age * Codec::period);
    for (int index = -2; index < 10; ++index) {
      const auto back = m.check(peer.facts(), first + static_cast<std::uint32_t>(index), now);
      good += back.has_value();
      if (back) CHECK(back->mss == Codec::mss_table[0][index]);
    }
  }
  CHECK(good == static_cast<int>(Codec::ages * entries));
}

// The layout of secure_tcp_syn_cookie, built here out of its parts.
TEST_CASE("Linux: MAC + ISN + (minutes << 24) + ((MAC of the minute + index) mod 2^24)") {
  const maker<linux_6_18_cookie> m;
  const auto peer = peer4();
  const auto mac = [&](const siphash_key& k, std::uint32_t t) {
    const std::uint32_t words[] = {peer.words[0], peer.words[1], peer.words[2], t};
    return static_cast<std::uint32_t>(siphash<>{k}.hash(words, 4));
  };
  const std::uint32_t expected =
      mac(m.key.tuple, 0) + peer.isn + (300U << 24) + ((mac(m.key.minute, 300) + 2) & 0xffffffU);
  CHECK(m.make(peer.facts(), {.mss = 1440}, 300 * 60 * second + 7) == expected);
}

// cookie_hash of 3.12, built out of sha1_absorb: four words said, twelve of the secret, five to start from; for IPv6
// ten, six and five.
TEST_CASE("Linux 3.12: where the words of the secret go") {
  linux_3_12_cookie_key k;
  for (std::uint32_t i = 0; i < 17; ++i) k.tuple[i] = 100 + i;
  const auto four = peer4();
  static_array<std::uint32_t, 16> block{four.words[0], four.words[1], std::rotl(four.words[2], 16), 0x2c010000};
  for (std::uint32_t i = 0; i < 12; ++i) block[4 + i] = 100 + i;
  sha1_state s{{112, 113, 114, 115, 116}};
  sha1_absorb(s, block);
  CHECK(detail::linux_sha1_mac(k, four.facts(), 0x12c, 0) == s.word[1]);

  const auto six = peer6();
  for (std::size_t i = 0; i < 8; ++i) block[i] = six.words[i];
  block[8] = std::rotl(six.words[8], 16);
  block[9] = 0x2c010000;
  for (std::uint32_t i = 0; i < 6; ++i) block[10 + i] = 100 + i;
  s = {{106, 107, 108, 109, 110}};
  sha1_absorb(s, block);
  CHECK(detail::linux_sha1_mac(k, six.facts(), 0x12c, 0) == s.word[1]);
}

// A peer whose cookie another machine with the same key does not know: it makes the count one more, on both sides.
TEST_CASE_TEMPLATE("the count of a cookie is that of whole periods since the origin", Codec, linux_2_6_32_cookie,
                   linux_3_12_cookie, linux_6_18_cookie, gvisor_cookie) {
  const maker<Codec> m;
  const auto peer = peer4();
  const cookie_facts f = peer.facts();
  for (const std::uint32_t count : {0U, 1U, 254U, 255U, 256U, 300U}) {
    CAPTURE(count);
    const std::uint32_t expected =
        Codec::mac(m.key, f, 0, 0) + peer.isn + (count << 24) + (Codec::mac(m.key, f, count, 1) & 0xffffffU);
    CHECK(m.make(f, {.mss = 0}, count * Codec::period) == expected);
    CHECK(m.make(f, {.mss = 0}, (count + instant{1}) * Codec::period - 1) == expected);
  }
}

// A layout may keep its two secrets in an array: a half that is neither 0 nor 1 would read behind it.
TEST_CASE("the MAC of a counted cookie is asked for half 0 and half 1, and for no other") {
  using counted = detail::counted_cookie<halves_layout>;
  const auto peer = peer4();
  const seq_number cookie = counted::make(0, peer.facts(), 3, 5 * second);
  CHECK(cookie == 1000U + peer.isn + (5U << 24) + 2003U);
  CHECK(counted::index_in(0, peer.facts(), 1000U + peer.isn + (5U << 24) + 2003U, 5 * second, 4) == 3U);
}

// The way for IPv6 is another one than that for IPv4. A number added to either would cancel out between making and
// checking; only another machine would see it.
TEST_CASE("Linux 6.18: SipHash of the four-tuple and the minute, over either IP") {
  const maker<linux_6_18_cookie> m;
  const auto four = peer4();
  const auto six = peer6();
  const std::uint32_t said4[] = {four.words[0], four.words[1], four.words[2], 300};
  std::array<std::uint32_t, 10> said6{};
  std::copy(six.words.begin(), six.words.end(), said6.begin());
  said6[9] = 300;
  for (const int half : {0, 1}) {
    const siphash<> h{half == 0 ? m.key.tuple : m.key.minute};
    CHECK(linux_6_18_cookie::mac(m.key, four.facts(), 300, half) == static_cast<std::uint32_t>(h.hash(said4, 4)));
    CHECK(linux_6_18_cookie::mac(m.key, six.facts(), 300, half) ==
          static_cast<std::uint32_t>(h.hash(said6.data(), said6.size())));
  }
}

// What is said ends in the middle of a block, with it, or a word or two behind it: a block that is stirred in twice or
// not at all, more of the secret than there is of it, another place to start from.
TEST_CASE("Linux 3.12 and 2.6.32: the hash is that of one message, however long the addresses are") {
  check_sha1_mac<3>();
  check_sha1_mac<9>();
  check_sha1_mac<15>();
  check_sha1_mac<16>();
  check_sha1_mac<17>();
  check_sha1_mac<18>();
  check_sha1_mac<31>();
  check_sha1_mac<35>();
}

// Addresses with more words than a block has.
TEST_CASE("Linux 3.12: a four-tuple longer than a block counts to its last word") {
  const maker<linux_3_12_cookie> m;
  for (std::size_t word = 0; word < 35; ++word) {
    test::peer_of<35> peer;
    const seq_number cookie = m.make(peer.facts(), {}, 0);
    peer.words[word] = 1;
    CHECK(m.make(peer.facts(), {}, 0) != cookie);
  }
}

// The bits of net/ipv4/syncookies.c: 0-3 the scale, 15 for none, 4 SACK, 5 ECN.
TEST_CASE("Linux: the timestamp's low six bits") {
  using codec = linux_6_18_cookie;
  CHECK((codec::stamp(6400, {}) & 0x3f) == 0x0f);
  CHECK((codec::stamp(6400, {.send_scale = 7}) & 0x3f) == 0x07);
  CHECK((codec::stamp(6400, {.send_scale = 7, .sack = true}) & 0x3f) == 0x17);
  CHECK((codec::stamp(6400, {.send_scale = 0, .sack = true, .ecn = true}) & 0x3f) == 0x30);
  CHECK((linux_3_12_cookie::stamp(6400, {.ecn = true}) & 0x3f) == 0x2f);
  // Of the clock's own bits none is left in their place.
  CHECK(codec::stamp(6400 + 63, {.send_scale = 6}) == 6400 + 6);
  CHECK(codec::stamp(6400 + 63, {.send_scale = 0}) == 6400);
  cookie_options o;
  REQUIRE(codec::unstamp(0x1234c7, all_on, o));
  CHECK(o.send_scale == 7);
  CHECK_FALSE(o.sack);
  o = {};
  REQUIRE(codec::unstamp(0x0f, all_on, o));
  CHECK_FALSE(o.scales());
}

TEST_CASE("Linux 2.6.32: nine bits, both scales and SACK") {
  using codec = linux_2_6_32_cookie;
  CHECK((codec::stamp(6400, {}) & 0x1ff) == 0);
  CHECK((codec::stamp(6400, {.send_scale = 7, .receive_scale = 6}) & 0x1ff) == 0x67);
  CHECK((codec::stamp(6400, {.send_scale = 7, .receive_scale = 6, .sack = true}) & 0x1ff) == 0x167);
  CHECK((codec::stamp(6400, {.receive_scale = 6, .ecn = true}) & 0x1ff) == 0);  // our scale alone is none
  cookie_options o;
  CHECK(codec::unstamp(0x167, all_on, o));
  CHECK(o == cookie_options{.send_scale = 7, .receive_scale = 6, .sack = true});
  o = {};
  CHECK(codec::unstamp(0x60, all_on, o));
  CHECK(o.send_scale == 0);  // a peer's scale of 0 beside one of ours
  o = {};
  CHECK(codec::unstamp(0x100, all_on, o));
  CHECK_FALSE(o.scales());
}

// kernels.md 4.3: 3.12 refuses an ECN bit that it did not offer, 6.18 passes over it, 2.6.32 passes over SACK.
TEST_CASE("bits that show an option that was never on offer") {
  const auto takes = [](auto codec, std::uint32_t echo, const cookie_options& offered) {
    cookie_options o;
    const bool ok = decltype(codec)::unstamp(echo, offered, o);
    const bool invented = (o.sack && !offered.sack) || (o.ecn && !offered.ecn);
    return ok && !invented;
  };
  CHECK_FALSE(takes(linux_6_18_cookie{}, 0x1f, {.ecn = true}));
  CHECK_FALSE(takes(linux_3_12_cookie{}, 0x1f, {.ecn = true}));
  CHECK(takes(linux_6_18_cookie{}, 0x2f, {.sack = true}));
  CHECK_FALSE(takes(linux_3_12_cookie{}, 0x2f, {.sack = true}));
  CHECK(takes(linux_3_12_cookie{}, 0x0f, {}));  // nothing is shown of what was not offered
  CHECK(takes(linux_2_6_32_cookie{}, 0x100, {}));
  CHECK(takes(onload_cookie<>{}, 0x100, {}));
}

// Our scale and the peer's exchanged, or a scale that reads as SACK.
TEST_CASE("Onload: nine bits, our scale below the peer's, then SACK") {
  using codec = onload_cookie<>;
  CHECK((codec::stamp(6400, {}) & 0x1ff) == 0);
  CHECK((codec::stamp(6400, {.send_scale = 7, .receive_scale = 6}) & 0x1ff) == 0x76);
  CHECK((codec::stamp(6400, {.send_scale = 7, .receive_scale = 6, .sack = true}) & 0x1ff) == 0x176);
  CHECK((codec::stamp(6400, {.receive_scale = 6, .sack = true}) & 0x1ff) == 0x100);  // our scale alone is none
  cookie_options o;
  CHECK(codec::unstamp(0x176, all_on, o));
  CHECK(o == cookie_options{.send_scale = 7, .receive_scale = 6, .sack = true});
  o = {};
  CHECK(codec::unstamp(0x071, all_on, o));
  CHECK(o == cookie_options{.send_scale = 7, .receive_scale = 1});
  o = {};
  CHECK(codec::unstamp(0x100, all_on, o));
  CHECK_FALSE(o.scales());
}

// A timestamp that is ahead of the clock by one, or an option read out of one that carries none.
TEST_CASE_TEMPLATE("where nothing rides in the timestamp it is the clock's", Codec, freebsd_13_cookie,
                   bernstein_cookie<>, gvisor_cookie) {
  for (const std::uint32_t clock : {0U, 6401U, 0xffffffffU}) {
    CHECK(Codec::stamp(clock, {.send_scale = 7, .receive_scale = 6, .sack = true, .ecn = true}) == clock);
  }
  cookie_options o;
  CHECK(Codec::unstamp(0x1ff, all_on, o));
  CHECK(o == cookie_options{});
}

// kernels.md 6, invariant 20. Without stepping back, half of the timestamps would lie in the future and PAWS would
// reject what follows; near zero a step back goes round.
TEST_CASE_TEMPLATE("a stamped clock is never ahead, nor two steps behind", Codec, linux_2_6_32_cookie,
                   linux_3_12_cookie, linux_6_18_cookie, onload_cookie<>, tldk_cookie) {
  constexpr std::uint32_t step = Codec::carries.sack && !Codec::carries.ecn ? 512 : 64;
  auto random = numbers(3);
  for (int i = 0; i < 5000; ++i) {
    const std::uint32_t clock = i < 600 ? static_cast<std::uint32_t>(i) : random();
    cookie_options o{.send_scale = static_cast<std::uint8_t>(random() % 15), .receive_scale = 10};
    o.sack = (random() & 1U) != 0;
    o.ecn = (random() & 1U) != 0;
    CHECK(clock - Codec::stamp(clock, o) < 2 * step);
  }
}

// The schematic of tcp_syncache.c; the low byte is behind the MAC's highest.
TEST_CASE("FreeBSD: scale, MSS, SACK and the key's parity in the low byte") {
  maker<freebsd_13_cookie> m;
  const auto low = [&](const cookie_options& o) {
    const seq_number c = m.make(peer4().facts(), o, 0);
    return (c ^ (c >> 24)) & 0xffU;
  };
  CHECK(low({.mss = 0}) == 0);
  CHECK(low({.mss = 536}) == 0x04);
  CHECK(low({.mss = 1460}) == 0x1c);
  CHECK(low({.mss = 0, .sack = true}) == 0x02);
  CHECK(low({.mss = 0, .send_scale = 0}) == 0x20);
  CHECK(low({.mss = 0, .send_scale = 14}) == 0xe0);
  m.number = 7;
  CHECK(low({.mss = 0}) == 0x01);
  CHECK(low({.mss = 1460, .send_scale = 8, .sack = true, .ecn = true}) == 0xff);
}

// kernels.md 4.4: 3, 5 and those above 8 round down; no scale is not scale 0.
TEST_CASE("FreeBSD: the scales that come back") {
  const maker<freebsd_13_cookie> m;
  const auto peer = peer4();
  constexpr std::array<std::uint8_t, 15> back{0, 1, 2, 2, 4, 4, 6, 7, 8, 8, 8, 8, 8, 8, 8};
  for (std::uint8_t scale = 0; scale < 15; ++scale) {
    const auto o = m.check(peer.facts(), m.make(peer.facts(), {.send_scale = scale}, 0), 0);
    REQUIRE(o);
    CHECK(o->send_scale == back[scale]);
  }
  CHECK_FALSE(m.check(peer.facts(), m.make(peer.facts(), {}, 0), 0)->scales());
}

// syncookie_mac over the bytes as they are on the wire, by the other function that hashes bytes. The lowest byte of the
// fold is not sent; an addition in place of the last XOR shows only where that byte is full.
TEST_CASE("FreeBSD: what is hashed") {
  auto peer = peer4();
  peer.bucket = 0x1122334455667788;
  std::uint8_t bytes[] = {10, 0, 0, 2,    10,   0,    0,    1,    0x75, 0x31, 0x4e, 0x20, 0,
                          0,  0, 0, 0x1c, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
  const maker<freebsd_13_cookie> m;
  int full = 0;
  for (std::uint32_t i = 0; i < 1024; ++i) {
    peer.isn = 0x01020304 + i * 0x00010001;
    for (std::size_t byte = 0; byte < 4; ++byte) bytes[12 + byte] = static_cast<std::uint8_t>(peer.isn >> (8 * byte));
    const std::uint64_t h = siphash<>::of_bytes(m.key, bytes, sizeof bytes);
    const auto mac = static_cast<std::uint32_t>(h) ^ static_cast<std::uint32_t>(h >> 32);
    full += (mac & 0xffU) == 0xff;
    CHECK((m.make(peer.facts(), {.mss = 1460}, 0) & ~0xffU) == (mac & ~0xffU));
  }
  CHECK(full > 0);
}

// A key of odd number that reads as SACK.
TEST_CASE("FreeBSD: SACK comes back if it was there, whichever key is in use") {
  maker<freebsd_13_cookie> m;
  const auto peer = peer4();
  for (m.number = 0; m.number < 4; ++m.number) {
    for (const bool sack : {false, true}) {
      const auto o = m.check(peer.facts(), m.make(peer.facts(), {.sack = sack}, 0), 0);
      REQUIRE(o);
      CHECK(o->sack == sack);
    }
  }
}

// Two listeners' buckets, or one reseeded: the cookie of another bucket is none.
TEST_CASE("FreeBSD: a cookie belongs to its bucket and to keys of its parity") {
  maker<freebsd_13_cookie> m;
  auto peer = peer4();
  const seq_number cookie = m.make(peer.facts(), {}, 0);
  m.number = 2;
  CHECK(m.check(peer.facts(), cookie, 0));
  m.number = 1;
  CHECK_FALSE(m.check(peer.facts(), cookie, 0));
  m.number = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    peer.bucket = std::uint64_t{1} << bit;
    CHECK_FALSE(m.check(peer.facts(), cookie, 0));
  }
}

// The two fields of 8 bits, unhidden; 13 bytes under the MAC.
TEST_CASE("Onload: MSS, time and what is hashed") {
  const maker<onload_cookie<>> m;
  const auto peer = peer4();
  CHECK((m.make(peer.facts(), {.mss = 1460}, 8 * 35 * second) & 0xffU) == ((3U << 3) | 7U));
  const std::uint8_t bytes[] = {0x4e, 0x20, 0x75, 0x31, 10, 0, 0, 1, 10, 0, 0, 2, (3U << 3) | 7U};
  CHECK((m.make(peer.facts(), {.mss = 1460}, 8 * 35 * second) >> 8) ==
        (siphash<>::of_bytes(m.key, bytes, sizeof bytes) & 0xffffffU));
  auto other = peer;
  ++other.isn;  // not in it: peers.md
  CHECK(m.check(other.facts(), m.make(peer.facts(), {}, 0), 0));
}

TEST_CASE("Bernstein: the difference of the two ISNs is time, MSS, MAC") {
  const maker<bernstein_cookie<>> m;
  const auto peer = peer4();
  const seq_number difference = m.make(peer.facts(), {.mss = 1440}, 35 * 64 * second) - peer.isn;
  CHECK((difference >> 27) == 3);
  CHECK(((difference >> 24) & 7U) == 5);
  const std::uint32_t said[] = {peer.words[0], peer.words[1], peer.words[2], 35};
  CHECK((difference & 0xffffffU) == (siphash<>{m.key}.hash(said, 4) & 0xffffffU));
  CHECK_FALSE(bernstein_cookie<1>::check(m.key, 0, peer.facts(), difference + peer.isn, 36 * 64 * second));
  CHECK(bernstein_cookie<3>::check(m.key, 0, peer.facts(), difference + peer.isn, 37 * 64 * second));
}

// 0x20000 ms, and the clock rounded to 4 ms: 131 s and up to 3 ms.
TEST_CASE("TLDK: good for 131 seconds") {
  const maker<tldk_cookie> m;
  const auto peer = peer4();
  const seq_number cookie = m.make(peer.facts(), {}, 1003 * millisecond);
  CHECK(m.check(peer.facts(), cookie, (1000 + 0x20000) * millisecond));
  CHECK_FALSE(m.check(peer.facts(), cookie, (1001 + 0x20000) * millisecond));
  CHECK_FALSE(m.check(peer.facts(), cookie, 999 * millisecond));
  CHECK((tldk_cookie::stamp(6400, {.send_scale = 7}) == 6336 + 7));
}

// The clock's lowest bits in the place of the MSS, or a MAC that another machine does not make.
TEST_CASE("TLDK: the hash of four-tuple and ISN, plus the clock in steps of 4 ms, plus the MSS") {
  const maker<tldk_cookie> m;
  const auto peer = peer4();
  const std::uint32_t said[] = {peer.words[0], peer.words[1], peer.words[2], peer.isn};
  const auto mac = static_cast<std::uint32_t>(siphash<>{m.key}.hash(said, 4));
  for (std::uint32_t ms = 1000; ms < 1008; ++ms) {
    CAPTURE(ms);
    const std::uint32_t step = ms < 1004 ? 1000 : 1004;
    CHECK(m.make(peer.facts(), {.mss = 536}, ms * millisecond) == mac + step);
    CHECK(m.make(peer.facts(), {.mss = 1440}, ms * millisecond) == mac + step + 2);
    CHECK(m.mss(peer.facts(), 536, ms * millisecond) == 536);
    CHECK(m.mss(peer.facts(), 1300, ms * millisecond) == 1300);
  }
}

// cookieHash: the bytes in their order, by the function that takes bytes.
TEST_CASE("gVisor: what is hashed") {
  const maker<gvisor_cookie> m;
  const auto peer = peer4();
  sha1 h;
  for (const std::uint32_t w : {0x4e207531U, 0x000000ffU}) h.add_word(w);
  for (const std::uint32_t w : m.key.time) h.add_word(w);
  h.add_word(0x0a000001), h.add_word(0x0a000002);
  CHECK(gvisor_cookie::mac(m.key, peer.facts(), 0x1ff, 1) == h.digest()[0]);
}
