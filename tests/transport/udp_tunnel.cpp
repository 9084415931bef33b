// SPDX-License-Identifier: BSL-1.0
// transport/udp_tunnel.hpp: real datagrams on 127.0.0.1 and ::1.
#include <doctest/doctest.h>

#include <poll.h>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/transport/lossy.hpp>
#include <listenq/transport/pump.hpp>
#include <listenq/transport/udp_tunnel.hpp>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

using namespace listenq;
namespace asio = boost::asio;
using asio::ip::udp;

static_assert(transport<udp_tunnel>);
static_assert(transport<basic_udp_tunnel<ipv6>>);
static_assert(transport<basic_udp_tunnel<dual>>);
static_assert(transport<lossy<udp_tunnel&>>);

namespace {

udp::endpoint at(const char* address, std::uint16_t port = 0) { return {asio::ip::make_address(address), port}; }

/// Waits until something can be read, at most 10 s.
bool readable(udp::socket& s) {
  ::pollfd one{s.native_handle(), POLLIN, 0};
  return ::poll(&one, 1, 10'000) == 1;
}

template <class Tunnel>
auto next(Tunnel& t) {
  REQUIRE(readable(t.socket()));
  return t.receive();
}

template <class A>
struct pair {
  asio::io_context context{};
  basic_udp_tunnel<A> server{context.get_executor()};
  basic_udp_tunnel<A> client{context.get_executor()};
  explicit pair(const char* address) {
    REQUIRE(!server.open(at(address)));
    REQUIRE(!client.open(at(address)));
  }
  basic_segment<tagged<A>> from_client(flags f, seq_number seq, seq_number ack = 0) const {
    basic_segment<tagged<A>> s;
    s.source = {client.local_address(), 40000};
    s.destination = {server.local_address(), 80};
    s.flags = f;
    s.seq = seq;
    s.ack = ack;
    return s;
  }
};

template <class A>
void shakes_hands(const char* address) {
  pair<A> p{address};
  listener<family<tagged<A>>> door;
  door.listen(4);
  REQUIRE(p.client.send(p.from_client(flag::syn, 7)) == send_result::sent);
  REQUIRE(readable(p.server.socket()));
  CHECK(pump(p.server, door, 0) == 1);
  const auto syn_ack = next(p.client);
  REQUIRE(syn_ack);
  CHECK(syn_ack->flags == (flag::syn | flag::ack));
  CHECK(syn_ack->ack == 8);
  CHECK(syn_ack->source == p.from_client(flag::syn, 0).destination);
  CHECK(syn_ack->options.mss == 1500 - (std::is_same_v<A, ipv4> ? 20 : 40) - 8 - 20);  // not 1460: it would not fit
  REQUIRE(p.client.send(p.from_client(flag::ack, 8, syn_ack->seq + 1)) == send_result::sent);
  REQUIRE(readable(p.server.socket()));
  CHECK(pump(p.server, door, 1) == 1);
  const auto c = door.accept();
  REQUIRE(c);
  CHECK(c.handle.peer() == p.from_client(flag::syn, 0).source);
}

}  // namespace

// A field in the wrong byte order, the checksum over the wrong addresses, the UDP port lost from the address.
TEST_CASE("a handshake over IPv4, IPv6 and both") {
  SUBCASE("ipv4") { shakes_hands<ipv4>("127.0.0.1"); }
  SUBCASE("ipv6") { shakes_hands<ipv6>("::1"); }
  SUBCASE("dual on IPv4") { shakes_hands<dual>("127.0.0.1"); }
  SUBCASE("dual on IPv6") { shakes_hands<dual>("::1"); }
}

// A layout that only we can read: another header in front, an option or the checksum in another place.
TEST_CASE("the datagram is a TCP segment and nothing else, its checksum over the outer addresses") {
  asio::io_context context;
  udp_tunnel t{context.get_executor()};
  REQUIRE(!t.open(at("127.0.0.1")));
  udp::socket plain{context, at("127.0.0.1")};
  const std::string text = "hi!";
  basic_segment<tagged<ipv4>> s;
  s.source = {t.local_address(), 0x1234};
  s.destination = {udp_tunnel::address_of(plain.local_endpoint()), 0x5678};
  s.seq = 0x01020304;
  s.ack = 0x05060708;
  s.flags = flag::psh | flag::ack;
  s.window = 0x090a;
  s.payload = {reinterpret_cast<const std::byte*>(text.data()), text.size()};
  REQUIRE(t.send(s) == send_result::sent);
  std::array<unsigned char, 64> got{};
  udp::endpoint from;
  REQUIRE(plain.receive_from(asio::buffer(got), from) == 23);
  CHECK(from == t.local_endpoint());
  const unsigned char expected[] = {0x12, 0x34, 0x56, 0x78, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x18, 9, 10};
  for (std::size_t i = 0; i < sizeof expected; ++i) CHECK(got[i] == expected[i]);
  CHECK(got[18] == 0);  // urgent pointer
  CHECK(got[19] == 0);
  CHECK(std::string(got.begin() + 20, got.begin() + 23) == text);
  // RFC 1071 by hand: 127.0.0.1 twice, protocol 6, 23 bytes, and all words, the odd byte padded with zero.
  std::uint32_t sum = 2 * (0x7f00 + 0x0001) + 6 + 23;
  got[23] = 0;
  for (std::size_t i = 0; i < 24; i += 2) sum += static_cast<std::uint32_t>(got[i] << 8 | got[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  CHECK(sum == 0xffff);
}

// The key without the outer endpoint: whoever guesses the numbers finishes or kills somebody else's handshake.
TEST_CASE("a segment from another outer endpoint neither finishes nor resets a handshake") {
  pair<ipv4> p{"127.0.0.1"};
  udp_tunnel other{p.context.get_executor()};
  REQUIRE(!other.open(at("127.0.0.1")));
  listener<family<tagged<ipv4>>> door;
  door.listen(4);
  const auto deliver = [&](udp_tunnel& by, const basic_segment<tagged<ipv4>>& s) {
    REQUIRE(by.send(s) == send_result::sent);
    REQUIRE(readable(p.server.socket()));
    verdict v{};
    REQUIRE(pump(p.server, door, 0, [&](const auto&, const outcome& o) { v = o.verdict; }) == 1);
    return v;
  };
  CHECK(deliver(p.client, p.from_client(flag::syn, 7)) == verdict::admitted);
  const auto syn_ack = next(p.client);
  REQUIRE(syn_ack);
  // The same TCP ports and the right numbers, and even the address that the segment claims.
  CHECK(deliver(other, p.from_client(flag::rst, 8)) == verdict::ignored);
  CHECK(deliver(other, p.from_client(flag::ack, 8, syn_ack->seq + 1)) == verdict::stray);
  CHECK(door.request_count() == 1);
  CHECK(door.accept_count() == 0);
  CHECK(deliver(p.client, p.from_client(flag::ack, 8, syn_ack->seq + 1)) == verdict::promoted);
}

// Bytes that are no segment must be counted under their name and must not stop what comes behind them.
TEST_CASE("malformed datagrams are counted by kind and dropped") {
  pair<ipv4> p{"127.0.0.1"};
  udp::socket plain{p.context, at("127.0.0.1")};
  const auto raw = [&](const std::vector<unsigned char>& bytes) {
    plain.send_to(asio::buffer(bytes), p.server.local_endpoint());
  };
  std::vector<unsigned char> header(20);
  raw({});
  raw(std::vector<unsigned char>(19));
  header[12] = 0x40;
  raw(header);
  header[12] = 0x60;
  raw(header);
  header[12] = 0x50;
  raw(header);
  raw(std::vector<unsigned char>(1473));
  REQUIRE(p.client.send(p.from_client(flag::syn, 7)) == send_result::sent);
  // Datagrams on loopback arrive in order.
  const auto s = next(p.server);
  REQUIRE(s);
  CHECK(s->seq == 7);
  const udp_tunnel_counts& c = p.server.counts();
  CHECK(c.of(wire::parse_error::too_short) == 2);
  CHECK(c.of(wire::parse_error::bad_data_offset) == 2);
  CHECK(c.of(wire::parse_error::bad_checksum) == 1);
  CHECK(std::accumulate(c.refused.begin(), c.refused.end(), std::uint64_t{}) == 5);
  CHECK(c.beyond_mtu == 1);
  CHECK(c.unreadable == 0);
  CHECK(c.received == 1);
  CHECK(c.of(wire::option_fault::none) == 1);
}

// A datagram that IP would have to fragment.
TEST_CASE("no segment is longer than the MTU allows") {
  asio::io_context context;
  udp_tunnel t{context.get_executor(), 600};
  REQUIRE(!t.open(at("127.0.0.1")));
  CHECK(t.limits().max_payload == 600 - 20 - 8 - 20 - 12);
  CHECK(udp_tunnel{context.get_executor(), 1}.limits().max_payload == 576 - 60);
  CHECK(basic_udp_tunnel<ipv6>{context.get_executor()}.limits().max_payload == 1500 - 80);
  const std::vector<std::byte> bytes(541);
  basic_segment<tagged<ipv4>> s;
  s.destination = {t.local_address(), 1};
  s.payload = {bytes.data(), 540};
  CHECK(t.send(s) == send_result::sent);
  s.payload.size = 541;
  CHECK(t.send(s) == send_result::failed);
  CHECK(t.counts().too_long == 1);
  CHECK(t.counts().sent == 1);
  const auto in = next(t);
  REQUIRE(in);
  CHECK(in->payload.size == 540);
}

// An address that makes every checksum wrong, taken without a word.
TEST_CASE("open names its errors and leaves nothing open") {
  asio::io_context context;
  udp_tunnel t{context.get_executor()};
  CHECK(t.open(at("0.0.0.0")) == boost::system::errc::address_not_available);
  CHECK(t.open(at("::1")) == boost::system::errc::address_family_not_supported);
  CHECK(basic_udp_tunnel<ipv6>{context.get_executor()}.open(at("127.0.0.1")) ==
        boost::system::errc::address_family_not_supported);
  CHECK(t.open(at("192.0.2.1")) == boost::system::errc::address_not_available);
  CHECK(!t.socket().is_open());
  CHECK(!t.writable());
  CHECK(!t.receive());
  CHECK(t.send({}) == send_result::failed);
  CHECK(!t.open(at("127.0.0.1")));
  CHECK(t.writable());
  CHECK(t.local_endpoint().port() != 0);
  CHECK(t.open(udp_tunnel{context.get_executor()}.local_endpoint()));  // "any" again: closed
  CHECK(!t.writable());
}
