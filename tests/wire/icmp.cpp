// SPDX-License-Identifier: BSL-1.0
// wire/icmp.hpp: the reply to a ping, and all that gets none.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <listenq/wire/icmp.hpp>
#include <vector>

using namespace listenq;
using namespace listenq::wire;

namespace {

using bytes = std::vector<std::byte>;

// An echo request of `size` bytes of ICMP, made without the code under test.
bytes ping4(std::size_t size = 16, std::uint8_t type = 8) {
  bytes b(20 + size);
  for (std::size_t i = 20; i < b.size(); ++i) b[i] = static_cast<std::byte>(i * 7);
  if (size > 0) store8(b.data() + 20, type);
  if (size > 1) store8(b.data() + 21, 0);
  if (size > 3) {
    store16(b.data() + 22, 0);
    store16(b.data() + 22, checksum({b.data() + 20, size}));
  }
  const ipv4_header h{.source = ip(10, 0, 0, 1),
                      .destination = ip(10, 0, 0, 2),
                      .identification = 77,
                      .traffic_class = 4,
                      .protocol = protocol_icmp};
  write_ipv4(h, size, {b.data(), b.size()});
  return b;
}

constexpr ipv6::address one{{0xfd770000, 0, 0, 1}}, two{{0xfd770000, 0, 0, 2}};

bytes ping6(std::size_t size = 16, std::uint8_t type = 128) {
  bytes b(40 + size);
  store8(b.data() + 40, type);
  store16(b.data() + 42, checksum({b.data() + 40, size}, pseudo_header_sum(one, two, size, protocol_icmpv6)));
  write_ipv6({.source = one, .destination = two, .traffic_class = 5, .next_header = protocol_icmpv6}, size,
             {b.data(), b.size()});
  return b;
}

echo_answer answer(const bytes& in, bytes& out) {
  return answer_echo({in.data(), in.size()}, {out.data(), out.size()});
}
echo_error error_of(const bytes& in) {
  bytes out(2000);
  const echo_answer a = answer(in, out);
  CHECK((a.size == 0) == (a.error != echo_error::none));
  return a.error;
}

}  // namespace

// Bug caught: addresses not swapped, a checksum that the pinging kernel drops, a payload it does not recognise.
TEST_CASE("an IPv4 echo request is answered with its own bytes") {
  const bytes in = ping4();
  bytes out(100);
  const echo_answer a = answer(in, out);
  REQUIRE(a);
  CHECK(a.size == in.size());
  const ipv4_packet p = parse_ipv4({out.data(), a.size});
  CHECK(p.error == parse_error::not_tcp);
  CHECK(p.header.source == ip(10, 0, 0, 2));
  CHECK(p.header.destination == ip(10, 0, 0, 1));
  CHECK(p.header.protocol == protocol_icmp);
  CHECK(p.header.traffic_class == 4);
  CHECK(p.header.identification == 77);
  CHECK(p.header.dont_fragment);
  CHECK(load8(p.payload.data) == 0);
  CHECK(verify(p.payload));
  CHECK(std::equal(in.begin() + 24, in.end(), p.payload.begin() + 4));
}

// Bug caught: ICMPv6 summed without its pseudo-header, or with TCP's protocol number in it.
TEST_CASE("an IPv6 echo request is answered under the pseudo-header's sum") {
  const bytes in = ping6(9);
  bytes out(in.size());
  const echo_answer a = answer(in, out);
  REQUIRE(a);
  const ipv6_packet p = parse_ipv6({out.data(), a.size});
  CHECK(p.header.source == two);
  CHECK(p.header.destination == one);
  CHECK(p.header.next_header == 58);
  CHECK(p.header.traffic_class == 5);
  CHECK(load8(p.payload.data) == 129);
  CHECK(verify(p.payload, pseudo_header_sum(two, one, p.payload.size, 58)));
}

// Bug caught: a sum of 0 over a reply that is zero all through, which no kernel takes (RFC 1071: it has to be ffff).
TEST_CASE("the answer to an echo request of nothing but zeros has a sum that verifies") {
  bytes in = ping4(12);
  std::fill(in.begin() + 21, in.end(), std::byte{0});
  store16(in.data() + 22, checksum({in.data() + 20, 12}));
  bytes out(100);
  const echo_answer a = answer(in, out);
  REQUIRE(a);
  CHECK(verify(parse_ipv4({out.data(), a.size}).payload));
}

// Bug caught: answering a reply, so that two hosts ping each other for ever; reading past a short message.
TEST_CASE("what is no echo request, or a broken one, is refused by name") {
  CHECK(error_of(ping4(16, 0)) == echo_error::not_echo);
  CHECK(error_of(ping4(16, 3)) == echo_error::not_echo);
  CHECK(error_of(ping6(16, 129)) == echo_error::not_echo);
  CHECK(error_of(ping6(16, 133)) == echo_error::not_echo);
  CHECK(error_of({}) == echo_error::not_echo);
  bytes padded = ping4(0);  // the padding of its frame is no message
  padded.resize(60, std::byte{8});
  CHECK(error_of(padded) == echo_error::not_echo);
  for (std::size_t size = 1; size < 8; ++size) CHECK(error_of(ping4(size)) == echo_error::too_short);
  CHECK(error_of(ping4(8)) == echo_error::none);
  bytes wrong = ping4();
  wrong.back() ^= std::byte{1};
  CHECK(error_of(wrong) == echo_error::bad_checksum);
  wrong = ping6();
  wrong.back() ^= std::byte{1};
  CHECK(error_of(wrong) == echo_error::bad_checksum);
  bytes code = ping4();  // code 1, with a sum that allows for it
  store8(code.data() + 21, 1);
  store16(code.data() + 22, updated(load16(code.data() + 22), 0x0800, 0x0801));
  CHECK(error_of(code) == echo_error::not_echo);
}

// Bug caught: writing past a small buffer.
TEST_CASE("an answer that does not fit is not written") {
  for (const bytes& in : {ping4(), ping6()}) {
    for (std::size_t room = 0; room < in.size(); ++room) {
      bytes out(room);
      CHECK(answer(in, out).error == echo_error::no_room);
    }
  }
}

// Bug caught: a UDP datagram whose first byte is 8 taken for a ping.
TEST_CASE("another protocol is no echo, whatever its bytes") {
  bytes four = ping4(), six = ping6();
  store8(four.data() + 9, 17);
  store16(four.data() + 10, 0);
  store16(four.data() + 10, checksum({four.data(), 20}));
  store8(six.data() + 6, 17);
  for (const bytes& in : {four, six}) {
    bytes out(100);
    CHECK(answer(in, out).error == echo_error::not_echo);
    CHECK(out == bytes(100));
  }
}
