// SPDX-License-Identifier: BSL-1.0
// transport/udp_tunnel.hpp: datagrams of any bytes, over the loopback interface. Each is handed out as the segment that
// wire/ reads in it, or counted as what was wrong with it, once; and what is handed out can be sent.
#include <boost/asio/io_context.hpp>
#include <listenq/transport/udp_tunnel.hpp>
#include <numeric>

#include "input.hpp"

namespace {

using namespace listenq;
using boost::asio::ip::udp;
using fuzz::expect;

constexpr std::size_t mtu = 700;

struct sockets {
  boost::asio::io_context context{};
  udp::endpoint here{boost::asio::ip::address_v4::loopback(), 0};
  udp_tunnel tunnel{context.get_executor(), mtu};
  udp::socket peer{context, here};
  sockets() {
    const auto error = tunnel.open(here);
    expect(!error, "a tunnel opens on the loopback interface");
    peer.non_blocking(true);
  }
};

std::uint64_t counted(const udp_tunnel_counts& c) {
  return std::accumulate(c.refused.begin(), c.refused.end(), c.received + c.beyond_mtu + c.unreadable);
}

void datagram(sockets& at, byte_view bytes, bool mend) {
  fuzz::exact_copy d(bytes);
  const ipv4::address loopback{0x7f000001};
  if (mend && d.size() >= 20) {
    wire::store16(d.data() + 16, 0);
    wire::store16(d.data() + 16, wire::checksum(d.view(), wire::pseudo_header_sum(loopback, loopback, d.size())));
  }
  const std::uint64_t before = counted(at.tunnel.counts());
  boost::system::error_code e;
  at.peer.send_to(boost::asio::buffer(d.data(), d.size()), at.tunnel.local_endpoint(), 0, e);
  if (e) return;
  const auto in = at.tunnel.receive();
  expect(counted(at.tunnel.counts()) == before + 1, "each datagram is counted once");
  const auto due = wire::parse_tcp<ipv4>(d.view(), loopback, loopback);
  const bool fits = d.size() <= mtu - 28;
  expect(in.has_value() == (fits && due), "a segment is handed out where there is one");
  expect(!fits || due || at.tunnel.counts().of(due.error) > 0, "and what is none is counted by name");
  if (!in) return;
  expect(in->source.address == udp_tunnel::address_of(at.peer.local_endpoint()) &&
             in->destination.address == at.tunnel.local_address() && in->source.port == due.segment.source.port &&
             in->seq == due.segment.seq && in->flags == due.segment.flags && in->options == due.segment.options &&
             fuzz::same_bytes(in->payload, due.segment.payload),
         "it is the one that was sent, and knows both outer endpoints");
  auto back = *in;
  back.source = in->destination;
  back.destination = in->source;
  const bool short_enough = back.payload.size <= at.tunnel.limits().max_payload;
  expect(at.tunnel.send(back) == (short_enough ? send_result::sent : send_result::failed), "it can be sent back");
  std::byte heard[mtu];
  const std::size_t size = at.peer.receive(boost::asio::buffer(heard), 0, e);
  expect(!short_enough || (!e && wire::parse_tcp<ipv4>({heard, size}, loopback, loopback)), "and arrives sound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static sockets at;
  fuzz::input in(data, size);
  while (!in.empty()) {
    const unsigned what = in.byte();
    const std::size_t long_one = (what & 3U) == 0 ? in.word() % 1000U : in.byte();
    datagram(at, in.take(long_one), (what & 128U) != 0);
  }
  return 0;
}
