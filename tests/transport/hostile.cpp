// SPDX-License-Identifier: BSL-1.0
// transport/framed.hpp under transport/host.hpp: whatever bytes come, each frame is counted once and the host lives.
#include <doctest/doctest.h>

#include <complaints.hpp>
#include <listenq/listenq.hpp>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <memory_frames.hpp>
#include <numeric>

using namespace listenq;
using support::frame;
using support::frame_of;

namespace {

using door = listener<family<dual>, child<handles<connection_id>>>;
using wired = framed_transport<support::memory_frames&, dual>;

constexpr dual::address us4 = dual::mapped(ip(10, 0, 0, 2)), us6{{0xfd770000, 0, 0, 2}};

// A segment of one of a few peers to one of a few ports: often one that a connection has to judge.
basic_segment<dual> random_segment(splitmix64& random, const std::vector<std::byte>& bytes, seq_number heard) {
  basic_segment<dual> s;
  const bool six = random.next() % 4 == 0;
  const auto last = static_cast<std::uint32_t>(random.next() % 3);
  s.source.address = six ? dual::address{{0xfd770000, 0, 0, 10 + last}}
                         : dual::mapped(ip(10, 0, 0, static_cast<std::uint8_t>(10 + last)));
  s.destination.address = six ? us6 : us4;
  s.source.port = static_cast<std::uint16_t>(4000 + random.next() % 3);
  s.destination.port = static_cast<std::uint16_t>(80 + random.next() % 2);
  const flags usual[] = {flag::syn, flag::ack, flag::ack, flag::ack | flag::psh, flag::ack | flag::fin, flag::rst};
  const auto kind = random.next() % 7;
  s.flags = kind < 6 ? usual[kind] : flags{static_cast<std::uint8_t>(random.next())};
  s.seq = 1000 + (s.flags.has(flag::syn) ? 0U : 1U) + static_cast<seq_number>(random.next() % 3 * 500);
  s.ack = heard + static_cast<seq_number>(random.next() % 3);
  s.window = static_cast<std::uint16_t>(random.next());
  s.options.mss = static_cast<std::uint16_t>(random.next() % 3 * 700);
  s.options.timestamps = random.next() % 2 == 0;
  s.options.ts_value = static_cast<std::uint32_t>(random.next() % 5);
  if (random.next() % 2 == 0) s.options.window_scale = static_cast<std::uint8_t>(random.next() % 20);
  s.payload = {bytes.data(), random.next() % 2 * random.next() % 1200};
  return s;
}

}  // namespace

// Bug caught: a read past a frame's end (under ASan), a frame counted twice or not at all, a connection that never
// ends.
TEST_CASE("hostile frames: random segments, many of them damaged") {
  splitmix64 random{99}, luck{7};
  const std::vector<std::byte> bytes(1500, std::byte{'x'});
  support::memory_frames below;
  wired wire(below);
  wire.add_address(us4);
  wire.add_address(us6);
  host<wired, door> h(wire, door{}, {.max_connections = 8});
  REQUIRE(h.listen(80, 3, 0));
  instant now = 0;
  std::uint64_t given = 0;
  seq_number heard = 0;
  frame answer;
  std::vector<connection_id> open;
  for (int step = 0; step < 20000; ++step) {
    frame f = frame_of(random_segment(random, bytes, heard));
    for (auto damage = random.next() % 8; damage > 5; --damage) {
      f[random.next() % f.size()] ^= static_cast<std::byte>(1U << random.next() % 8);
      if (random.next() % 3 == 0) f.resize(1 + random.next() % f.size());
    }
    below.in.push_back(f);
    ++given;
    if (!answer.empty() && luck.next() % 8 == 0) {  // a router complains of our last SYN-ACK
      const support::complaint what{static_cast<std::uint8_t>(luck.next() % 5),
                                    static_cast<std::uint8_t>(luck.next() % 4), 10 + luck.next() % 60};
      frame e = wire::load8(answer.data()) >> 4 == 4 ? support::complaint4(answer, ip(10, 0, 0, 1), what)
                                                     : support::complaint6(answer, us6, what);
      if (luck.next() % 4 == 0) e[luck.next() % e.size()] ^= static_cast<std::byte>(1U << luck.next() % 8);
      below.in.push_back(e);
      ++given;
    }
    now += static_cast<instant>(random.next() % (step % 500 == 0 ? 100 * second : 5 * millisecond));
    h.poll(now);
    for (const frame& out : below.out) {
      const auto p = wire::read_packet<dual>({out.data(), out.size()});
      if (!p || !p.segment.flags.has(flag::syn)) continue;
      heard = p.segment.seq + 1;
      answer = out;
      if (random.next() % 4 == 0) continue;  // a client that finishes its handshake
      basic_segment<dual> last;
      last.source = p.segment.destination;
      last.destination = p.segment.source;
      last.seq = p.segment.ack;
      last.ack = heard;
      last.flags = flag::ack;
      last.window = 5000;
      below.in.push_back(frame_of(last));
      ++given;
    }
    below.out.clear();
    h.poll(now);
    if (const auto id = h.accept(80, now)) open.push_back(*id);
    while (const auto e = h.next_event()) {
      std::byte to[700];
      h.read(e->id, to, sizeof to, now);
      h.send(e->id, {bytes.data(), bytes.size()}, now);
    }
    if (open.size() > 4) {
      if (random.next() % 2 == 0) {
        h.close(open.front(), now);
      } else {
        h.abort(open.front(), now);
      }
      open.erase(open.begin());
    }
  }
  const frame_counts& c = wire.counts();
  CHECK(c.received == given);
  CHECK(c.received == std::accumulate(c.refused.begin(), c.refused.end(), c.segments + c.echoes + c.bad_echoes) +
                          std::accumulate(c.bad_errors.begin(), c.bad_errors.end(), c.errors) + c.not_ours +
                          c.bad_source);
  CHECK(c.errors > 100);
  const auto& verdicts = h.counts().errors;
  CHECK(std::accumulate(verdicts.begin(), verdicts.end(), std::uint64_t{0}) == c.errors);
  CHECK(h.counts().of(icmp_verdict::ended) > 0);
  CHECK(c.segments == h.counts().to_connections + h.counts().to_listeners + h.counts().to_nobody);
  CHECK(h.counts().children > 100);
  CHECK(h.counts().to_connections > 1000);
  CHECK(h.connections() <= 8);
  for (const connection_id id : open) h.abort(id, now);
  h.close_port(80, now);
  while (const auto next = h.next_deadline()) h.poll(now = *next);
  CHECK(h.connections() == 0);
}
