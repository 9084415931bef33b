// SPDX-License-Identifier: BSL-1.0
// wire/icmp_error.hpp: which segment an ICMP error is about, and all that is none.
#include <doctest/doctest.h>

#include <complaints.hpp>
#include <initializer_list>
#include <listenq/wire/icmp_error.hpp>

using namespace listenq;
using namespace listenq::wire;
using support::complaint;
using support::complaint4;
using support::complaint6;
using support::frame;
using support::frame_of;

namespace {

constexpr ipv4::address us4 = ip(10, 0, 0, 2), peer4 = ip(10, 8, 0, 9), router4 = ip(10, 0, 0, 1);
constexpr ipv6::address us6{{0xfd770000, 0x01020304, 0x05060708, 2}}, peer6{{0xfd880000, 0x11121314, 0x15161718, 9}},
    router6{{0xfd770000, 0, 0, 1}};

template <addressing A>
basic_segment<A> syn_ack(const typename A::address& from, const typename A::address& to) {
  basic_segment<A> s{{from, 80}, {to, 4000}, 0xabcdef01, 1001, flag::syn | flag::ack};
  s.options.mss = 1460;
  return s;
}
const frame ours4 = frame_of(syn_ack<ipv4>(us4, peer4));
const frame ours6 = frame_of(syn_ack<ipv6>(us6, peer6));

template <addressing A>
icmp_report<A> read(const frame& f) {
  return read_icmp_error<A>({f.data(), f.size()});
}
quote_error error4(const frame& f) { return read<dual>(f).error; }
quote_error error6(const frame& f) { return read<dual>(f).error; }

void fix_sum4(frame& f) {
  store16(f.data() + 22, 0);
  store16(f.data() + 22, checksum({f.data() + 20, f.size() - 20}));
}

}  // namespace

// Bug caught: the quoted segment's destination taken for us, ports swapped, a number read from where the ack is.
TEST_CASE("an error names the segment that it quotes, seen from its sender") {
  const auto a = read<ipv4>(complaint4(ours4, router4));
  REQUIRE(a);
  CHECK(a.about == basic_four_tuple<ipv4>{peer4, us4, 4000, 80});
  CHECK(a.seq == 0xabcdef01);
  CHECK(a.reporter == router4);
  CHECK(a.told == us4);
  CHECK(a.what == icmp_error::host_unreachable);
  const auto b = read<dual>(complaint4(ours4, router4));
  REQUIRE(b);
  CHECK(b.about == basic_four_tuple<dual>{dual::mapped(peer4), dual::mapped(us4), 4000, 80});
  CHECK(b.told == dual::mapped(us4));
  const auto c = read<ipv6>(complaint6(ours6, router6, {1, 3, 48}));
  REQUIRE(c);
  CHECK(c.about == basic_four_tuple<ipv6>{peer6, us6, 4000, 80});
  CHECK(c.seq == 0xabcdef01);
  CHECK(c.reporter == router6);
  CHECK(c.told == us6);
  CHECK(read<dual>(complaint6(ours6, router6, {1, 3, 48})).about == basic_four_tuple<dual>{peer6, us6, 4000, 80});
  CHECK_FALSE(read<ipv6>(complaint4(ours4, router4)));
  CHECK_FALSE(read<ipv4>(complaint6(ours6, router6, {1, 3, 48})));
}

// Bug caught: a code in the wrong row, so that a hop that is down for a moment ends a handshake, or the other way
// round.
TEST_CASE("types and codes of IPv4 say what RFC 792 and RFC 1812 call them") {
  const auto of = [](std::uint8_t type, std::uint8_t code) {
    const auto r = read<ipv4>(complaint4(ours4, router4, {type, code}));
    CHECK(r);
    return r.what;
  };
  CHECK(of(3, 0) == icmp_error::network_unreachable);
  CHECK(of(3, 1) == icmp_error::host_unreachable);
  CHECK(of(3, 2) == icmp_error::protocol_unreachable);
  CHECK(of(3, 3) == icmp_error::port_unreachable);
  CHECK(of(3, 4) == icmp_error::other);
  for (std::uint8_t code = 5; code < 16; ++code) CHECK(of(3, code) == icmp_error::prohibited);
  CHECK(of(3, 16) == icmp_error::other);
  CHECK(of(11, 0) == icmp_error::time_exceeded);
  CHECK(of(11, 1) == icmp_error::other);
  CHECK(of(12, 0) == icmp_error::parameter_problem);
  CHECK(read<ipv4>(complaint4(ours4, router4, {3, 4, 28, 1400})).mtu == 1400);
  CHECK(read<ipv4>(complaint4(ours4, router4, {3, 1, 28, 1400})).mtu == 0);
  CHECK(read<ipv4>(complaint4(ours4, router4, {12, 4, 28, 1400})).mtu == 0);
}

TEST_CASE("types and codes of IPv6 say what RFC 4443 calls them") {
  const auto of = [](std::uint8_t type, std::uint8_t code) {
    const auto r = read<ipv6>(complaint6(ours6, router6, {type, code, 48}));
    CHECK(r);
    return r.what;
  };
  constexpr icmp_error unreachable[] = {icmp_error::network_unreachable, icmp_error::prohibited,
                                        icmp_error::host_unreachable,    icmp_error::host_unreachable,
                                        icmp_error::port_unreachable,    icmp_error::prohibited,
                                        icmp_error::prohibited,          icmp_error::prohibited};
  for (std::uint8_t code = 0; code < 8; ++code) CHECK(of(1, code) == unreachable[code]);
  CHECK(of(2, 0) == icmp_error::other);
  CHECK(of(3, 0) == icmp_error::time_exceeded);
  CHECK(of(4, 1) == icmp_error::parameter_problem);
  CHECK(read<ipv6>(complaint6(ours6, router6, {2, 0, 48, 1280})).mtu == 1280);
  CHECK(read<ipv6>(complaint6(ours6, router6, {2, 0, 48, 70000})).mtu == 0xffff);
  CHECK(read<ipv6>(complaint6(ours6, router6, {1, 0, 48, 1280})).mtu == 0);
}

// Bug caught: reading past a quote that was cut (under ASan), or ports of 0 taken from what is not there.
TEST_CASE("a quote that is cut short is refused by name at every length") {
  for (std::size_t n = 0; n < 28; ++n) {
    const auto e = error4(complaint4(ours4, router4, {3, 1, n}));
    CHECK(e == (n < 20 ? quote_error::bad_quote : quote_error::no_ports));
  }
  CHECK(error4(complaint4(ours4, router4, {3, 1, 28})) == quote_error::none);
  for (std::size_t n = 0; n < 48; ++n) {
    const auto e = error6(complaint6(ours6, router6, {1, 3, n}));
    CHECK(e == (n < 40 ? quote_error::bad_quote : quote_error::no_ports));
  }
  CHECK(error6(complaint6(ours6, router6, {1, 3, 48})) == quote_error::none);
  for (std::size_t n = 0; n < 8; ++n) {
    frame f = complaint4(ours4, router4);
    f.resize(20 + n);
    write_ipv4({.source = router4, .destination = us4, .protocol = protocol_icmp}, n, {f.data(), f.size()});
    CHECK(error4(f) == quote_error::too_short);
  }
}

// Bug caught: an error believed before its sum is.
TEST_CASE("one wrong bit anywhere in the message is a wrong sum") {
  const frame a = complaint4(ours4, router4);
  for (std::size_t i = 21; i < a.size(); ++i) {  // another type may be another message
    frame f = a;
    f[i] ^= std::byte{0x10};
    CHECK(error4(f) == quote_error::bad_checksum);
    CHECK(read<ipv4>(f).what == icmp_error::other);  // and says nothing
  }
  const frame b = complaint6(ours6, router6, {1, 3, 48});
  for (std::size_t i = 41; i < b.size(); ++i) {
    frame f = b;
    f[i] ^= std::byte{0x10};
    CHECK(error6(f) == quote_error::bad_checksum);
    CHECK(read<ipv6>(f).what == icmp_error::other);
  }
  frame other_router = b;  // ICMPv6 sums its addresses, too
  other_router[23] ^= std::byte{1};
  CHECK(error6(other_router) == quote_error::bad_checksum);
}

// Bug caught: ports of a UDP datagram, or of the middle of a fragment, taken for a segment's.
TEST_CASE("what is quoted must be the beginning of a TCP segment") {
  const auto quoting = [](std::size_t at, std::uint8_t value) {
    frame f = complaint4(ours4, router4);
    store8(f.data() + 28 + at, value);
    fix_sum4(f);
    return error4(f);
  };
  CHECK(quoting(9, 17) == quote_error::not_tcp);
  CHECK(quoting(7, 1) == quote_error::not_tcp);  // a fragment's offset
  CHECK(quoting(6, 0x20) == quote_error::none);  // the first fragment has the ports
  CHECK(quoting(0, 0x65) == quote_error::bad_quote);
  CHECK(quoting(0, 0x44) == quote_error::bad_quote);
  CHECK(quoting(0, 0x48) == quote_error::bad_quote);  // 32 bytes of header, 28 are there
  CHECK(quoting(2, 0xff) == quote_error::none);       // the whole segment's length
  CHECK(quoting(10, 0) == quote_error::none);         // another hop's sum
  frame seven = ours6;
  seven[6] = std::byte{44};
  CHECK(error6(complaint6(seven, router6, {1, 3, 48})) == quote_error::not_tcp);
}

// Bug caught: a quoted header with options whose length nobody looked at.
TEST_CASE("options in the quoted header are skipped") {
  frame with_options(ours4.begin(), ours4.begin() + 20);
  with_options.resize(24);
  with_options.insert(with_options.end(), ours4.begin() + 20, ours4.end());
  with_options[0] = std::byte{0x46};
  const auto r = read<ipv4>(complaint4(with_options, router4, {3, 1, 32}));
  REQUIRE(r);
  CHECK(r.seq == 0xabcdef01);
  CHECK(error4(complaint4(with_options, router4, {3, 1, 31})) == quote_error::no_ports);
}

// Bug caught: an echo or a redirect that ends a request.
TEST_CASE("other messages are no errors") {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 4, 5, 8, 9, 13, 40}) {
    CHECK(error4(complaint4(ours4, router4, {type, 1})) == quote_error::not_an_error);
  }
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 5, 100, 128, 129, 135, 137}) {
    CHECK(error6(complaint6(ours6, router6, {type, 0, 48})) == quote_error::not_an_error);
  }
  CHECK(error4(ours4) == quote_error::not_an_error);
  CHECK(error4({}) == quote_error::not_an_error);
  static_assert(read_icmp_error<dual>({}).error == quote_error::not_an_error);
}

// Bug caught: UDP that begins like an error; a message of no bytes read; a quoted header of the other version.
TEST_CASE("another protocol is no error, an empty message is too short, a quote is of the message's version") {
  frame udp4 = complaint4(ours4, router4), udp6 = complaint6(ours6, router6, {1, 3, 48});
  store8(udp4.data() + 9, 17);
  store16(udp4.data() + 10, 0);
  store16(udp4.data() + 10, checksum({udp4.data(), 20}));
  store8(udp6.data() + 6, 17);
  CHECK(error4(udp4) == quote_error::not_an_error);
  CHECK(error6(udp6) == quote_error::not_an_error);
  frame empty(40);
  write_ipv6({.source = router6, .destination = us6, .next_header = protocol_icmpv6}, 0, {empty.data(), empty.size()});
  CHECK(error6(empty) == quote_error::too_short);
  empty.resize(60, std::byte{128});  // the padding of its frame is no message
  CHECK(error6(empty) == quote_error::too_short);
  frame empty4(60, std::byte{8});
  write_ipv4({.source = router4, .destination = us4, .protocol = protocol_icmp}, 0, {empty4.data(), empty4.size()});
  CHECK(error4(empty4) == quote_error::too_short);
  frame other = ours6;
  store8(other.data(), 0x45);
  CHECK(error6(complaint6(other, router6, {1, 3, 48})) == quote_error::bad_quote);
}

TEST_CASE("a type that is none of the errors has no meaning of its own") {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 2, 4, 5, 10, 13, 255}) {
    CHECK(icmp4_error(type, 0) == icmp_error::other);
  }
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 2, 5, 128, 255}) {
    CHECK(icmp6_error(type, 0) == icmp_error::other);
  }
}
