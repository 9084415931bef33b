// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/wire/pcapng.hpp>
#include <string_view>
#include <vector>

namespace {

using namespace listenq;
using wire::direction;

struct to_vector {
  std::vector<std::byte>* bytes;
  void operator()(byte_view b) const { bytes->insert(bytes->end(), b.begin(), b.end()); }
};

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

std::vector<std::byte> packet(instant at, std::size_t size, direction way = direction::unknown,
                              std::string_view comment = {}) {
  std::vector<std::byte> bytes;
  wire::pcapng_writer writer{to_vector{&bytes}};
  const std::vector<std::byte> data(size, std::byte{0xee});
  writer.packet(at, {data.data(), data.size()}, way, comment);
  return bytes;
}

std::uint32_t little(const std::vector<std::byte>& b, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 4; i-- > 0;) v = v << 8 | std::to_integer<std::uint32_t>(b.at(at + i));
  return v;
}

struct counter {
  std::size_t* total;
  constexpr void operator()(byte_view b) const { *total += b.size; }
};
// Bug: a capture that cannot be laid out at compile time.
constexpr std::size_t size_at_compile_time() {
  std::size_t total = 0;
  wire::pcapng_writer writer{counter{&total}};
  writer.begin();
  const std::byte byte{};
  writer.packet(1, {&byte, 1}, direction::in, "why");
  return total;
}
static_assert(size_at_compile_time() == 28 + 20 + 32 + 4 + 8 + 8 + 4);

}  // namespace

TEST_CASE("pcapng: a capture begins with one section and one raw interface") {
  // Bug: a wrong magic, length or link type: Wireshark refuses the file or shows garbage.
  std::vector<std::byte> b;
  wire::pcapng_writer writer{to_vector{&b}};
  writer.begin();
  CHECK(b ==
        bytes_of({0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,  //
                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0,    0,                 //
                  1,    0,    0,    0,    20,   0,    0,    0,    101,  0,    0,    0,    0, 0, 0, 0, 20, 0, 0, 0}));
}

TEST_CASE("pcapng: a packet is padded to 32 bits and has its length at both ends") {
  // Bug: padding counted in the captured length, or left out: every later block is then garbage.
  for (std::size_t size = 0; size < 9; ++size) {
    const auto b = packet(0, size);
    const std::size_t padded = (size + 3) / 4 * 4;
    CAPTURE(size);
    REQUIRE(b.size() == 32 + padded);
    CHECK(little(b, 0) == 6);
    CHECK(little(b, 4) == b.size());
    CHECK(little(b, b.size() - 4) == b.size());
    CHECK(little(b, 20) == size);
    CHECK(little(b, 24) == size);
    for (std::size_t i = 0; i < padded; ++i) CHECK(b[28 + i] == (i < size ? std::byte{0xee} : std::byte{0}));
  }
}

TEST_CASE("pcapng: the time is microseconds, high word first") {
  // Bug: the halves swapped, or a time after 1970-01-01T01:11 cut to 32 bits.
  const auto b = packet(0x0001'0002'8003'0004, 0);
  CHECK(little(b, 12) == 0x0001'0002);
  CHECK(little(b, 16) == 0x8003'0004);
  CHECK(little(packet(-5, 0), 12) == 0);
  CHECK(little(packet(-5, 0), 16) == 0);
}

TEST_CASE("pcapng: comment and direction are options behind the packet, then the end of options") {
  // Bug: options without their end, or with padding counted in their length.
  const auto b = packet(0, 1, direction::out, "lost!");
  const auto options = bytes_of({1, 0, 5, 0, 'l', 'o', 's', 't', '!', 0, 0, 0, 2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0});
  REQUIRE(b.size() == 32 + 4 + options.size());
  CHECK(std::vector<std::byte>(b.begin() + 32, b.end() - 4) == options);
  CHECK(little(b, 4) == b.size());
  CHECK(little(b, b.size() - 4) == b.size());
  const auto in = packet(0, 0, direction::in);
  REQUIRE(in.size() == 32 + 8 + 4);
  CHECK(little(in, 28) == 0x0004'0002);
  CHECK(little(in, 32) == 1);
}

TEST_CASE("pcapng: a comment longer than its length field is cut") {
  // Bug: a 16-bit length that wraps while all the bytes are written.
  const std::vector<char> text(70000, 'x');
  const auto b = packet(0, 0, direction::unknown, {text.data(), text.size()});
  CHECK(b.size() == 32 + 4 + 65536 + 4);
  CHECK(little(b, 28) == (0xffff'0000U | 1U));
  CHECK(little(b, b.size() - 4) == b.size());
}
