// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/wire/ipv4.hpp>
#include <listenq/wire/ipv6.hpp>
#include <vector>

namespace {

using namespace listenq;
using wire::parse_error;

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}
byte_view view(const std::vector<std::byte>& b) { return {b.data(), b.size()}; }

// A TCP datagram with four bytes in it, options of `words` words in the header, and a right checksum.
std::vector<std::byte> datagram(std::size_t words = 0) {
  std::vector<std::byte> b(20 + 4 * words + 4, std::byte{1});
  const wire::ipv4_header header{.source = ip(10, 0, 0, 1), .destination = ip(10, 0, 0, 2)};
  REQUIRE(wire::write_ipv4(header, 4 * words + 4, {b.data(), b.size()}) == 20);
  wire::store8(b.data(), static_cast<std::uint8_t>(0x45 + words));
  return b;
}
void fix(std::vector<std::byte>& b) {
  wire::store16(b.data() + 10, 0);
  wire::store16(b.data() + 10, wire::checksum({b.data(), (wire::load8(b.data()) & 0xfU) * 4U}));
}

std::vector<std::byte> packet6(std::uint8_t next_header = 6) {
  std::vector<std::byte> b(44, std::byte{7});
  const wire::ipv6_header header{.source = {{0x20010db8, 0, 0, 1}},
                                 .destination = {{0x20010db8, 0, 0, 2}},
                                 .flow_label = 0xabcde,
                                 .traffic_class = 0x2e,
                                 .next_header = next_header};
  REQUIRE(wire::write_ipv6(header, 4, {b.data(), b.size()}) == 40);
  return b;
}

// Bug: a header that cannot be made or read at compile time.
template <class Header>
constexpr bool round_trip_at_compile_time(const Header& header) {
  std::array<std::byte, 60> b{};
  if constexpr (requires { header.ttl; }) {
    const std::size_t size = wire::write_ipv4(header, 3, {b.data(), b.size()});
    const auto back = wire::parse_ipv4({b.data(), size + 3});
    return back && back.header == header && back.payload.size == 3 && back.payload.data == b.data() + 20;
  } else {
    const std::size_t size = wire::write_ipv6(header, 3, {b.data(), b.size()});
    const auto back = wire::parse_ipv6({b.data(), size + 3});
    return back && back.header == header && back.payload.size == 3 && back.payload.data == b.data() + 40;
  }
}
static_assert(round_trip_at_compile_time(wire::ipv4_header{.source = ip(1, 2, 3, 4),
                                                           .destination = ip(255, 254, 253, 252),
                                                           .identification = 0xbeef,
                                                           .traffic_class = 3,
                                                           .ttl = 1,
                                                           .dont_fragment = false}));
static_assert(round_trip_at_compile_time(wire::ipv6_header{
    .source = {{1, 2, 3, 4}}, .destination = {{5, 6, 7, 8}}, .flow_label = 0xfffff, .traffic_class = 0xff}));

}  // namespace

TEST_CASE("ipv4: a header from the outside world verifies and says what it says") {
  // Bug: our own writer and reader agreeing on the same mistake. (A well-known UDP datagram, checksum b861.)
  std::vector<std::byte> b = bytes_of({0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                       0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7});
  b.resize(0x73);
  const wire::ipv4_packet p = wire::parse_ipv4(view(b));
  CHECK(p.error == parse_error::not_tcp);
  CHECK(p.header.protocol == 17);
  CHECK(p.header.source == ip(192, 168, 0, 1));
  CHECK(p.header.destination == ip(192, 168, 0, 199));
  CHECK(p.header.ttl == 64);
  CHECK(p.header.dont_fragment);
  CHECK(p.payload.size == 0x73 - 20);
}

TEST_CASE("ipv4: a written header is these twenty bytes") {
  // Bug: a field at the wrong offset, DF missing, TTL other than 64.
  std::array<std::byte, 20> b{};
  const wire::ipv4_header header{.source = ip(127, 0, 0, 1), .destination = ip(127, 0, 0, 2)};
  REQUIRE(wire::write_ipv4(header, 40, {b.data(), b.size()}) == 20);
  const auto expected = bytes_of({0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0x3c, 0xb9, 127, 0, 0, 1, 127, 0, 0, 2});
  CHECK(std::vector<std::byte>(b.begin(), b.end()) == expected);
}

TEST_CASE("ipv4: options of the header are skipped") {
  // Bug: the payload taken from offset 20 whatever IHL says.
  for (std::size_t words : {1U, 10U}) {
    std::vector<std::byte> b = datagram(words);
    fix(b);
    const auto p = wire::parse_ipv4(view(b));
    CHECK(p.error == parse_error::none);
    CHECK(p.payload.data == b.data() + 20 + 4 * words);
    CHECK(p.payload.size == 4);
  }
}

TEST_CASE("ipv4: padding behind the total length is not payload") {
  // Bug: an Ethernet frame's padding becoming data.
  std::vector<std::byte> b = datagram();
  b.resize(60);
  CHECK(wire::parse_ipv4(view(b)).payload.size == 4);
}

TEST_CASE("ipv4: fewer than 20 bytes are too short") {
  // Bug: reading past the end of a runt.
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<std::byte> b = datagram();
    b.resize(size);
    b.shrink_to_fit();
    CHECK(wire::parse_ipv4(view(b)).error == parse_error::too_short);
  }
}

TEST_CASE("ipv4: another version is named") {
  // Bug: an IPv6 packet read as IPv4.
  std::vector<std::byte> b = datagram();
  wire::store8(b.data(), 0x65);
  fix(b);
  CHECK(wire::parse_ipv4(view(b)).error == parse_error::bad_version);
}

TEST_CASE("ipv4: a header length below 20 or beyond the bytes is named") {
  // Bug: a checksum over bytes that are not there.
  std::vector<std::byte> b = datagram();
  wire::store8(b.data(), 0x44);
  fix(b);
  CHECK(wire::parse_ipv4(view(b)).error == parse_error::bad_header_length);
  wire::store8(b.data(), 0x4f);
  CHECK(wire::parse_ipv4(view(b)).error == parse_error::bad_header_length);
}

TEST_CASE("ipv4: a total length below the header or beyond the bytes is named") {
  // Bug: a payload of negative size, or one past the end.
  for (unsigned total : {0U, 19U, 25U, 0xffffU}) {
    std::vector<std::byte> b = datagram();
    wire::store16(b.data() + 2, static_cast<std::uint16_t>(total));
    fix(b);
    CAPTURE(total);
    CHECK(wire::parse_ipv4(view(b)).error == parse_error::bad_length);
  }
}

TEST_CASE("ipv4: any flipped bit of the header is noticed") {
  // Bug: the checksum not verified, or over 20 bytes only when there are options.
  std::vector<std::byte> b = datagram(2);
  fix(b);
  REQUIRE(wire::parse_ipv4(view(b)));
  for (std::size_t bit = 0; bit < 28 * 8; ++bit) {
    b[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CAPTURE(bit);
    REQUIRE_FALSE(wire::parse_ipv4(view(b)));
    if (bit >= 32) REQUIRE(wire::parse_ipv4(view(b)).error == parse_error::bad_ip_checksum);
    b[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

TEST_CASE("ipv4: first, middle and last fragments are all named") {
  // Bug: only MF tested (the last fragment passes) or only the offset (the first one passes); DF taken for either.
  for (unsigned field : {0x2000U, 0x2001U, 0x0001U, 0x1fffU, 0x6000U}) {
    std::vector<std::byte> b = datagram();
    wire::store16(b.data() + 6, static_cast<std::uint16_t>(field));
    fix(b);
    CAPTURE(field);
    CHECK(wire::parse_ipv4(view(b)).error == parse_error::fragment);
  }
}

TEST_CASE("ipv4: a datagram that does not fit is not written") {
  // Bug: a length that wraps at 65536, or a write past a small buffer.
  std::array<std::byte, 20> b{};
  CHECK(wire::write_ipv4({}, 0, {b.data(), 19}) == 0);
  CHECK(wire::write_ipv4({}, 65516, {b.data(), b.size()}) == 0);
  CHECK(b == std::array<std::byte, 20>{});
  CHECK(wire::write_ipv4({}, 65515, {b.data(), b.size()}) == 20);
  CHECK(wire::load16(b.data() + 2) == 65535);
}

TEST_CASE("ipv6: a written header is these forty bytes") {
  // Bug: traffic class and flow label shifted wrongly, length counting the header.
  const std::vector<std::byte> b = packet6();
  const auto expected = bytes_of({0x62, 0xea, 0xbc, 0xde, 0, 4, 6, 64,                          //
                                  0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 1,  //
                                  0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 2, 7, 7, 7, 7});
  CHECK(b == expected);
}

TEST_CASE("ipv6: padding behind the payload length is not payload") {
  // Bug: all that is in the buffer taken for payload.
  std::vector<std::byte> b = packet6();
  b.resize(60);
  const auto p = wire::parse_ipv6(view(b));
  CHECK(p.error == parse_error::none);
  CHECK(p.payload.size == 4);
  CHECK(p.payload.data == b.data() + 40);
}

TEST_CASE("ipv6: fewer than 40 bytes are too short, another version is named") {
  // Bug: reading past the end of a runt; an IPv4 packet read as IPv6.
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::byte> b = packet6();
    b.resize(size);
    b.shrink_to_fit();
    CHECK(wire::parse_ipv6(view(b)).error == parse_error::too_short);
  }
  std::vector<std::byte> b = packet6();
  wire::store8(b.data(), 0x45);
  CHECK(wire::parse_ipv6(view(b)).error == parse_error::bad_version);
}

TEST_CASE("ipv6: a payload length beyond the bytes is named") {
  // Bug: a payload past the end.
  std::vector<std::byte> b = packet6();
  wire::store16(b.data() + 4, 5);
  CHECK(wire::parse_ipv6(view(b)).error == parse_error::bad_length);
}

TEST_CASE("ipv6: fragments, extension headers and other protocols are told apart") {
  // Bug: a Hop-by-Hop header parsed as TCP, or all three lumped together.
  CHECK(wire::parse_ipv6(view(packet6(44))).error == parse_error::fragment);
  for (unsigned next : {0U, 43U, 51U, 60U, 135U, 139U, 140U}) {
    CHECK(wire::parse_ipv6(view(packet6(static_cast<std::uint8_t>(next)))).error == parse_error::extension_header);
  }
  for (unsigned next : {17U, 58U, 59U, 255U}) {
    const std::vector<std::byte> b = packet6(static_cast<std::uint8_t>(next));
    const auto p = wire::parse_ipv6(view(b));
    CHECK(p.error == parse_error::not_tcp);
    CHECK(p.header.next_header == next);
    CHECK(p.payload.size == 4);
  }
}

TEST_CASE("ipv6: a packet that does not fit is not written") {
  // Bug: a jumbogram with a wrapped length, or a write past a small buffer.
  std::array<std::byte, 40> b{};
  CHECK(wire::write_ipv6({}, 0, {b.data(), 39}) == 0);
  CHECK(wire::write_ipv6({}, 65536, {b.data(), b.size()}) == 0);
  CHECK(b == std::array<std::byte, 40>{});
  CHECK(wire::write_ipv6({}, 65535, {b.data(), b.size()}) == 40);
}

TEST_CASE("a datagram may be nothing but its header") {
  std::vector<std::byte> b(20);
  const wire::ipv4_header header{.source = ip(10, 0, 0, 1), .destination = ip(10, 0, 0, 2)};
  REQUIRE(wire::write_ipv4(header, 0, {b.data(), b.size()}) == 20);
  CHECK(wire::parse_ipv4(view(b)).error == parse_error::none);
  CHECK(wire::parse_ipv4(view(b)).payload.size == 0);
  std::vector<std::byte> longest(60);  // 40 bytes of options and nothing else
  REQUIRE(wire::write_ipv4(header, 40, {longest.data(), longest.size()}) == 20);
  wire::store8(longest.data(), 0x4f);
  fix(longest);
  CHECK(wire::parse_ipv4(view(longest)).error == parse_error::none);
  std::vector<std::byte> six(40);
  REQUIRE(wire::write_ipv6({}, 0, {six.data(), six.size()}) == 40);
  CHECK(wire::parse_ipv6(view(six)).error == parse_error::none);
}

TEST_CASE("the first bit of the fragment field means nothing, the second that it must stay whole") {
  for (const unsigned bits : {0U, 0x4000U, 0x8000U, 0xc000U}) {
    auto b = datagram();
    wire::store16(b.data() + 6, static_cast<std::uint16_t>(bits));
    fix(b);
    CHECK(wire::parse_ipv4(view(b)).error == parse_error::none);
    CHECK(wire::parse_ipv4(view(b)).header.dont_fragment == ((bits & 0x4000U) != 0));
  }
}

TEST_CASE("IPv6: traffic class, flow label and hop limit as they were sent, also those that are not the default") {
  std::vector<std::byte> b(44);
  const wire::ipv6_header header{.flow_label = 0x12345, .traffic_class = 0x81, .hop_limit = 3};
  REQUIRE(wire::write_ipv6(header, 4, {b.data(), b.size()}) == 40);
  CHECK(wire::parse_ipv6(view(b)).header.hop_limit == 3);
  CHECK(wire::parse_ipv6(view(b)).header.traffic_class == 0x81);
  CHECK(wire::parse_ipv6(view(b)).header.flow_label == 0x12345);
}

// Bug caught: DF whatever the header says.
TEST_CASE("IPv4: all of a header that is not the default comes back") {
  std::vector<std::byte> b(24);
  const wire::ipv4_header header{.source = ip(1, 2, 3, 4),
                                 .destination = ip(255, 254, 253, 252),
                                 .identification = 0xbeef,
                                 .traffic_class = 3,
                                 .ttl = 1,
                                 .dont_fragment = false};
  REQUIRE(wire::write_ipv4(header, 4, {b.data(), b.size()}) == 20);
  CHECK(wire::parse_ipv4(view(b)).header == header);
}
