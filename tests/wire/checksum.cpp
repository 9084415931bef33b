// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/wire/checksum.hpp>
#include <string>
#include <vector>

namespace {

using namespace listenq;

struct generator {
  std::uint64_t state;
  std::uint32_t operator()() {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state >> 32);
  }
};

std::vector<std::byte> random_bytes(generator& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 0xff);
  return bytes;
}

// RFC 1071 as its first page says it, with nothing clever.
constexpr std::uint16_t textbook(const std::byte* p, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += std::to_integer<std::uint32_t>(p[i]) << (i % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

constexpr std::array<std::byte, 8> rfc_example{std::byte{0x00}, std::byte{0x01}, std::byte{0xf2}, std::byte{0x03},
                                               std::byte{0xf4}, std::byte{0xf5}, std::byte{0xf6}, std::byte{0xf7}};

// Bug: the sum works at run time only, or reads words in the machine's order; a tail that is left out there.
constexpr bool sums_of_every_size() {
  std::array<std::byte, 70> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(0xf1 * i % 256);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    if (wire::ones_sum({bytes.data(), size}) != textbook(bytes.data(), size)) return false;
  }
  return true;
}
static_assert(sums_of_every_size());
static_assert(wire::ones_sum({rfc_example.data(), 8}) == 0xddf2);
static_assert(wire::checksum({rfc_example.data(), 8}) == 0x220d);
static_assert(wire::updated(0xdd2f, 0x5555, 0x3285) == 0x0000);

}  // namespace

TEST_CASE("checksum: the example of RFC 1071 section 3 sums to ddf2") {
  // Bug: byte order of the fast path; the example is the only sum the RFC gives.
  const wire::byte_span none{};
  CHECK(wire::ones_sum({rfc_example.data(), rfc_example.size()}) == 0xddf2);
  CHECK(wire::checksum({rfc_example.data(), rfc_example.size()}) == 0x220d);
  CHECK(wire::ones_sum(none) == 0);
  CHECK(wire::ones_sum(none, 0x1234) == 0x1234);
}

TEST_CASE("checksum: an odd last byte is the high half of a word") {
  // Bug: the last byte added as the low half, which only odd sizes show.
  const std::array<std::byte, 3> bytes{std::byte{0x01}, std::byte{0x02}, std::byte{0x03}};
  CHECK(wire::ones_sum({bytes.data(), 3}) == 0x0402);
  CHECK(wire::ones_sum({bytes.data(), 1}) == 0x0100);
}

TEST_CASE("checksum: the fast sum equals the textbook sum for every size and alignment") {
  // Bug: a tail of 1..7 bytes skipped or counted twice, or a carry lost between words.
  generator random{1};
  const std::vector<std::byte> bytes = random_bytes(random, 300);
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t size = 0; size < 200; ++size) {
      CAPTURE(from);
      CAPTURE(size);
      REQUIRE(wire::ones_sum({bytes.data() + from, size}) == textbook(bytes.data() + from, size));
      const std::uint32_t more = 0xabcdU + textbook(bytes.data() + from, size);
      REQUIRE(wire::ones_sum({bytes.data() + from, size}, 0xabcd) == (more > 0xffff ? more - 0xffff : more));
    }
  }
}

TEST_CASE("checksum: no carry is lost when every word is ffff") {
  // Bug: a 64-bit sum that wraps without end-around carry; random bytes hardly ever show it.
  for (std::size_t size : {8U, 16U, 24U, 40U, 65535U}) {
    const std::vector<std::byte> bytes(size, std::byte{0xff});
    CAPTURE(size);
    CHECK(wire::ones_sum({bytes.data(), size}, 0xffff) == (size % 2 == 0 ? 0xffff : 0xff00));
  }
}

// Bug caught: a sum of 2^64 that becomes 0 where it should become 1.
TEST_CASE("checksum: a carry out of each number of eight bytes comes back in") {
  for (std::size_t words = 2; words <= 6; ++words) {
    for (std::size_t at = 1; at < words; ++at) {
      std::vector<std::byte> bytes(8 * words);
      for (std::size_t i = 0; i < 8; ++i) bytes[i] = std::byte{0xff};
      bytes[8 * at + 7] = std::byte{1};
      CAPTURE(words);
      CAPTURE(at);
      CHECK(wire::ones_sum({bytes.data(), bytes.size()}) == textbook(bytes.data(), bytes.size()));
      bytes[8 * at] = std::byte{0x80};
      CHECK(wire::ones_sum({bytes.data(), bytes.size()}, 0xffff) == textbook(bytes.data(), bytes.size()));
    }
  }
}

TEST_CASE("checksum: parts may be summed one by one") {
  // Bug: `start` ignored or added in the wrong byte order, which would break the pseudo-header.
  generator random{2};
  for (int i = 0; i < 200; ++i) {
    const std::size_t first = random() % 20 * 2;
    const std::vector<std::byte> bytes = random_bytes(random, first + random() % 50);
    const std::uint16_t part = wire::ones_sum({bytes.data(), first});
    REQUIRE(wire::ones_sum({bytes.data() + first, bytes.size() - first}, part) == textbook(bytes.data(), bytes.size()));
  }
}

TEST_CASE("checksum: verify accepts what checksum made and refuses any flipped bit") {
  // Bug: verify that compares with 0 instead of ffff, or leaves out the last byte.
  generator random{3};
  std::vector<std::byte> bytes = random_bytes(random, 41);
  wire::store16(bytes.data() + 16, 0);
  wire::store16(bytes.data() + 16, wire::checksum({bytes.data(), bytes.size()}, 0x77));
  REQUIRE(wire::verify({bytes.data(), bytes.size()}, 0x77));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    REQUIRE_FALSE(wire::verify({bytes.data(), bytes.size()}, 0x77));
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

TEST_CASE("checksum: bytes that are all zero do not verify") {
  // Bug: 0 taken for ffff, its other spelling: a zeroed header would pass.
  const std::array<std::byte, 20> zero{};
  CHECK_FALSE(wire::verify({zero.data(), zero.size()}));
}

TEST_CASE("checksum: the example of RFC 1624 section 4 gives 0000 and not ffff") {
  // Bug: equation 2 of RFC 1141 instead of equation 3; this is the case that the RFC was written for.
  CHECK(wire::updated(0xdd2f, 0x5555, 0x3285) == 0x0000);
}

TEST_CASE("checksum: an incremental update equals the full sum") {
  // Bug: a complement missing, or the halves of a 32-bit field folded wrongly.
  generator random{4};
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> bytes = random_bytes(random, 40);
    const std::uint16_t before = wire::checksum({bytes.data(), bytes.size()});
    const std::size_t at = random() % 19 * 2;
    if (i % 2 == 0) {
      const std::uint16_t was = wire::load16(bytes.data() + at);
      const auto is = static_cast<std::uint16_t>(random());
      wire::store16(bytes.data() + at, is);
      REQUIRE(wire::updated(before, was, is) == wire::checksum({bytes.data(), bytes.size()}));
    } else {
      const std::uint32_t was = wire::load32(bytes.data() + at);
      const std::uint32_t is = random();
      wire::store32(bytes.data() + at, is);
      REQUIRE(wire::updated32(before, was, is) == wire::checksum({bytes.data(), bytes.size()}));
    }
  }
}

TEST_CASE("checksum: the IPv4 pseudo-header is twelve bytes: addresses, 0, 6, length") {
  // Bug: protocol in the wrong half of its word, or an address with its halves lost.
  std::array<std::byte, 12> bytes{};
  wire::store32(bytes.data(), 0xc0a80001);
  wire::store32(bytes.data() + 4, 0xfffefdfc);
  wire::store8(bytes.data() + 9, 6);
  wire::store16(bytes.data() + 10, 0xfff0);
  CHECK(wire::pseudo_header_sum(ip(192, 168, 0, 1), ip(255, 254, 253, 252), 0xfff0) ==
        textbook(bytes.data(), bytes.size()));
}

TEST_CASE("checksum: the IPv6 pseudo-header is forty bytes: addresses, length, 6") {
  // Bug: words of the address left out.
  const ipv6::address a{{0x20010db8, 0x00010203, 0xfffffffe, 0x00000001}};
  const ipv6::address b{{0xfe800000, 0x00000000, 0x89abcdef, 0xffff0002}};
  std::array<std::byte, 40> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    wire::store32(bytes.data() + 4 * i, a.value[i]);
    wire::store32(bytes.data() + 16 + 4 * i, b.value[i]);
  }
  wire::store32(bytes.data() + 32, 0x0001'2345);
  wire::store32(bytes.data() + 36, 6);
  CHECK(wire::pseudo_header_sum(a, b, 0x0001'2345) == textbook(bytes.data(), bytes.size()));
}

TEST_CASE("checksum: between IPv4-mapped addresses both pseudo-headers agree") {
  // Bug: `dual` would refuse every IPv4 packet.
  const ipv4::address a = ip(10, 1, 2, 3);
  const ipv4::address b = ip(172, 16, 255, 254);
  CHECK(wire::pseudo_header_sum(dual::mapped(a), dual::mapped(b), 40) == wire::pseudo_header_sum(a, b, 40));
}

TEST_CASE("checksum: loads and stores are big-endian and need no alignment") {
  // Bug: host order, or a store that writes a neighbour.
  std::array<std::byte, 8> bytes{};
  wire::store32(bytes.data() + 1, 0x01020304);
  wire::store16(bytes.data() + 5, 0xa0b0);
  CHECK(bytes == std::array<std::byte, 8>{std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                          std::byte{0xa0}, std::byte{0xb0}, std::byte{0}});
  std::array<std::byte, 8> slowly = bytes;
  wire::detail::store32_by_bytes(slowly.data() + 1, 0x01020304);
  CHECK(slowly == bytes);
  wire::detail::store32_by_bytes(slowly.data(), 0x8090a0b0);
  wire::store32(bytes.data(), 0x8090a0b0);
  CHECK(slowly == bytes);
  wire::store32(bytes.data() + 1, 0x01020304);
  CHECK(wire::load32(bytes.data() + 1) == 0x01020304);
  CHECK(wire::load16(bytes.data() + 5) == 0xa0b0);
}

// Bug caught: sums that are right at compile time and wrong at run time, or the other way round.
TEST_CASE("checksum: a number in the machine's order is the same in one piece and byte by byte") {
  generator random{6};
  const std::vector<std::byte> b = random_bytes(random, 64);
  for (std::size_t at = 0; at + 8 <= b.size(); ++at) {
    using namespace wire::detail;
    REQUIRE(load_native<std::uint16_t>(&b[at]) == load_native_by_bytes<std::uint16_t>(&b[at]));
    REQUIRE(load_native<std::uint32_t>(&b[at]) == load_native_by_bytes<std::uint32_t>(&b[at]));
    REQUIRE(load_native<std::uint64_t>(&b[at]) == load_native_by_bytes<std::uint64_t>(&b[at]));
  }
}

TEST_CASE("checksum: every parse error has its own name") {
  // Bug: an enumerator added without a name, or one name twice.
  std::vector<std::string> names;
  CHECK(std::string(wire::name(wire::parse_error::none)) == "none");
  CHECK(std::string(wire::name(wire::parse_error::bad_checksum)) == "bad_checksum");
  for (int e = 0; e <= static_cast<int>(wire::parse_error::bad_checksum); ++e) {
    const std::string name = wire::name(static_cast<wire::parse_error>(e));
    for (const std::string& other : names) CHECK(name != other);
    names.push_back(name);
  }
  CHECK(names.size() == 11);
}

// A carry out of the second fold: without both folds of 32 bits the last 16-bit fold loses it.
TEST_CASE("fold keeps the sum modulo 65535, and zero for zero only") {
  CHECK(wire::fold(0xffff'ffff'ffff'0001U) == 1);
  CHECK(wire::fold(0) == 0);
  CHECK(wire::fold(~std::uint64_t{0}) == 0xffff);
  CHECK(wire::fold(0xffff'0000U) == 0xffff);
  generator random{5};
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t sum = std::uint64_t{random()} << 32 | random();
    CHECK(wire::fold(sum) % 0xffffU == sum % 0xffffU);
    CHECK((wire::fold(sum) == 0) == (sum == 0));
  }
}

TEST_CASE("behind: all of it leaves nothing, which begins at the end") {
  std::array<std::byte, 4> b{};
  const wire::byte_span all{b.data(), b.size()};
  CHECK(wire::behind(all, 4).data == b.data() + 4);
  CHECK(wire::behind(all, 4).size == 0);
  CHECK(wire::behind(all, 5).data == nullptr);
  CHECK(wire::behind(all, 0).size == 4);
}
