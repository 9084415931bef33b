// SPDX-License-Identifier: BSL-1.0
// transport/framed.hpp and transport/captured.hpp: frames in, segments or counted refusals out, and back.
#include <doctest/doctest.h>

#include <complaints.hpp>
#include <listenq/transport/captured.hpp>
#include <listenq/transport/framed.hpp>
#include <memory_frames.hpp>
#include <numeric>

using namespace listenq;
using support::frame;
using support::frame_of;
using support::memory_frames;

namespace {

constexpr dual::address client4 = dual::mapped(ip(10, 0, 0, 1));
constexpr dual::address server4 = dual::mapped(ip(10, 0, 0, 2));
constexpr dual::address client6{{0xfd770000, 0, 0, 1}};
constexpr dual::address server6{{0xfd770000, 0, 0, 2}};

basic_segment<dual> syn(const dual::address& from, const dual::address& to) {
  basic_segment<dual> s;
  s.source = {from, 4000};
  s.destination = {to, 80};
  s.seq = 1000;
  s.flags = flag::syn;
  s.options.mss = 1400;
  return s;
}

frame ping(const ipv4::address& from, const ipv4::address& to) {
  frame f(28);
  wire::store8(f.data() + 20, 8);
  wire::store16(f.data() + 22, wire::checksum({f.data() + 20, 8}));
  wire::write_ipv4({.source = from, .destination = to, .protocol = wire::protocol_icmp}, 8, {f.data(), f.size()});
  return f;
}

using wired = framed_transport<memory_frames&, dual>;
static_assert(transport<wired>);

std::uint64_t sum(const frame_counts& c) {
  return std::accumulate(c.refused.begin(), c.refused.end(), c.segments + c.echoes + c.bad_echoes + c.not_ours) +
         std::accumulate(c.bad_errors.begin(), c.bad_errors.end(), c.bad_source + c.errors);
}

}  // namespace

TEST_CASE("framed: frames of both families become segments, segments become frames") {
  memory_frames below;
  wired wire(below);
  below.in = {frame_of(syn(client4, server4)), frame_of(syn(client6, server6))};
  const auto a = wire.receive();
  REQUIRE(a);
  CHECK(a->source == basic_endpoint<dual>{client4, 4000});
  CHECK(a->options.mss == 1400);
  const auto b = wire.receive();
  REQUIRE(b);
  CHECK(b->destination == basic_endpoint<dual>{server6, 80});
  CHECK_FALSE(wire.receive());
  CHECK(wire.send(*a) == send_result::sent);
  CHECK(wire.send(*b) == send_result::sent);
  CHECK(below.out == std::vector<frame>{frame_of(*a), frame_of(*b)});
  CHECK(wire.limits().max_payload == 1440);
}

// Bug caught: a malformed frame that ends the loop, so that the good one behind it waits for the next.
TEST_CASE("framed: each kind of refusal has its counter, and the counters add up") {
  memory_frames below;
  wired wire(below);
  wire.add_address(server4);
  const frame good = frame_of(syn(client4, server4));
  frame bad_sum = good;
  bad_sum[30] ^= std::byte{1};
  frame bad_ip_sum = good;
  bad_ip_sum[9] ^= std::byte{1};
  frame fragment = good;
  fragment[6] |= std::byte{0x20};
  wire::store16(fragment.data() + 10, wire::updated(wire::load16(fragment.data() + 10), 0x4000, 0x6000));
  frame offset = good;
  offset[32] = std::byte{0x40};
  const frame shortened(good.begin(), good.begin() + 30);
  frame faulty = good;  // the MSS option says that it is longer than the header
  faulty[41] = std::byte{9};
  wire::store16(faulty.data() + 36, wire::updated(wire::load16(faulty.data() + 36), 0x0204, 0x0209));
  frame broken_ping = ping(ip(10, 0, 0, 1), ip(10, 0, 0, 2));
  broken_ping.back() ^= std::byte{1};
  below.in = {{},
              shortened,
              bad_sum,
              bad_ip_sum,
              fragment,
              offset,
              frame_of(syn(client4, dual::mapped(ip(10, 0, 0, 9)))),
              frame_of(syn(dual::mapped(ip(224, 0, 0, 1)), server4)),
              frame_of(syn(dual::mapped(ip(255, 255, 255, 255)), server4)),
              frame_of(syn(dual::mapped(ip(0, 0, 0, 0)), server4)),
              broken_ping,
              support::complaint4(frame_of(syn(server4, client4)), ip(10, 0, 0, 1)),
              support::complaint4(frame_of(syn(server4, client4)), ip(10, 0, 0, 1), {3, 1, 27}),
              support::complaint4(frame_of(syn(server4, client4)), ip(10, 0, 0, 1), {5, 1, 28}),
              faulty,
              good};
  const std::size_t all = below.in.size();
  std::size_t segments = 0;
  while (wire.receive()) ++segments;
  const frame_counts& c = wire.counts();
  CHECK(segments == 2);
  CHECK(c.received == all);
  CHECK(sum(c) == all);
  CHECK(c.of(wire::parse_error::too_short) == 1);
  CHECK(c.of(wire::parse_error::bad_length) == 1);
  CHECK(c.of(wire::parse_error::bad_checksum) == 1);
  CHECK(c.of(wire::parse_error::bad_ip_checksum) == 1);
  CHECK(c.of(wire::parse_error::fragment) == 1);
  CHECK(c.of(wire::parse_error::bad_data_offset) == 1);
  CHECK(c.not_ours == 1);
  CHECK(c.bad_source == 3);
  CHECK(c.bad_echoes == 1);
  CHECK(c.errors == 1);
  CHECK(c.of(wire::quote_error::no_ports) == 1);
  CHECK(c.of(wire::parse_error::not_tcp) == 1);  // the redirect
  CHECK(c.of(wire::option_fault::truncated_option) == 1);
  CHECK(c.of(wire::option_fault::none) == 1);
  CHECK(c.sent == 0);
}

// Bug caught: answering pings for everybody's address, or to a multicast group.
TEST_CASE("framed: a ping to one of our addresses is answered, and no segment comes of it") {
  memory_frames below;
  wired wire(below);
  wire.add_address(server4);
  below.in = {ping(ip(10, 0, 0, 1), ip(10, 0, 0, 2)), ping(ip(10, 0, 0, 1), ip(10, 0, 0, 3)),
              ping(ip(224, 0, 0, 1), ip(10, 0, 0, 2))};
  CHECK_FALSE(wire.receive());
  REQUIRE(below.out.size() == 1);
  CHECK(wire::parse_ipv4({below.out[0].data(), below.out[0].size()}).header.destination == ip(10, 0, 0, 1));
  CHECK(wire.counts().echoes == 1);
  CHECK(wire.counts().not_ours == 1);
  CHECK(wire.counts().bad_source == 1);
  CHECK(wire.counts().sent == 1);
}

// Bug caught: reading a question whose answer cannot leave; counting what must wait as sent or lost.
TEST_CASE("framed: what the frames below cannot take is not read, and is counted as what it is") {
  memory_frames below;
  wired wire(below);
  below.open = false;
  below.in = {frame_of(syn(client4, server4))};
  CHECK_FALSE(wire.receive());
  CHECK(below.in.size() == 1);
  below.answer = send_result::later;
  CHECK(wire.send(syn(server4, client4)) == send_result::later);
  CHECK(wire.counts().not_sent == 0);
  below.answer = send_result::failed;
  CHECK(wire.send(syn(server4, client4)) == send_result::failed);
  CHECK(wire.counts().not_sent == 1);
}

TEST_CASE("framed: a segment longer than the MTU fails, one as long leaves") {
  memory_frames below;
  below.longest = 100;
  wired wire(below);
  auto s = syn(server6, client6);
  s.flags = flag::ack;
  const frame payload(41);
  s.payload = {payload.data(), 41};
  CHECK(wire.send(s) == send_result::failed);
  s.payload.size = wire.limits().max_payload;
  CHECK(s.payload.size == 40);
  CHECK(wire.send(s) == send_result::sent);
}

// Bug caught: 1460 offered over IPv6, so that a peer with a larger MTU sends what does not fit through ours.
TEST_CASE("framed: a SYN offers no more than the MTU has room for, other segments are left alone") {
  memory_frames below;
  wired wire(below);
  const auto offered = [&](basic_segment<dual> s, std::uint16_t mss) {
    s.options.mss = mss;
    REQUIRE(wire.send(s) == send_result::sent);
    return wire::read_packet<dual>({below.out.back().data(), below.out.back().size()}).segment.options.mss;
  };
  CHECK(offered(syn(server4, client4), 1460) == 1460);
  CHECK(offered(syn(server4, client4), 65000) == 1460);
  CHECK(offered(syn(server6, client6), 1460) == 1440);
  CHECK(offered(syn(server6, client6), 1439) == 1439);
  CHECK(offered(syn(server6, client6), 0) == 0);
  below.longest = 30;
  framed_transport<memory_frames&, dual> narrow(below);
  CHECK(narrow.send(syn(server6, client6)) == send_result::failed);
}

// Bug caught: a capture without the frames that were refused, or with those that had to wait twice.
TEST_CASE("captured: every frame that passes is in the capture, with its direction") {
  memory_frames below;
  frame file;
  const auto write = [&file](byte_view b) { file.insert(file.end(), b.begin(), b.end()); };
  captured frames(below, write, [] { return instant{5}; });
  static_assert(frame_transport<decltype(frames)>);
  const std::size_t head = file.size();
  const auto block = [&file](std::size_t from) { return wire::load8(file.data() + from); };
  below.in = {frame{std::byte{0xff}}};
  CHECK(frames.receive());
  CHECK_FALSE(frames.receive());
  const std::size_t one = file.size();
  CHECK(block(head) == 6);
  const frame sent(4, std::byte{1});
  below.answer = send_result::later;
  frames.send({sent.data(), sent.size()});
  CHECK(file.size() == one);
  below.answer = send_result::failed;
  frames.send({sent.data(), sent.size()});
  const std::size_t two = file.size();
  CHECK(two > one);
  below.answer = send_result::sent;
  frames.send({sent.data(), sent.size()});
  CHECK(file.size() - two == 32 + 4 + 8 + 4);
  CHECK(two - one == 32 + 4 + 8 + 4 + 4 + 8);
  CHECK(frames.mtu() == 1500);
}
