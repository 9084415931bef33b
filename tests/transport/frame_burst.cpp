// SPDX-License-Identifier: BSL-1.0
// Bursts of frames against one frame after the other.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/transport/frame_burst.hpp>
#include <vector>

#include "random_peers.hpp"

using namespace listenq;

namespace {

struct tape {
  std::vector<segment> sent{};
  send_result send(const segment& s) {
    sent.push_back(s);
    return send_result::sent;
  }
};

}  // namespace

// A segment that is handed over twice or left out where a burst has more frames than are read at once, or one of them
// is broken.
TEST_CASE("a burst of frames has the outcomes of its frames one by one; what is none is refused by its error") {
  preset::linux_6_18 bursts{siphash<2, 4>{{7, 8}}}, singles{siphash<2, 4>{{7, 8}}};
  REQUIRE(bursts.listen(4));
  REQUIRE(singles.listen(4));
  random_peers peers{5};
  instant now = 0;
  std::size_t broken = 0;
  for (int i = 0; i < 200; ++i) {
    now += peers.up_to(300'000);
    std::vector<std::array<std::byte, 128>> bytes(peers.up_to(70));
    std::vector<byte_view> frames;
    for (auto& b : bytes) {
      const std::size_t size = wire::write_packet(peers.next(now), {b.data(), b.size()});
      if (peers.up_to(9) == 0) b[size - 1] ^= std::byte{1};
      frames.push_back({b.data(), size});
    }
    tape a, b;
    std::vector<outcome> x, y;
    std::size_t refused = 0, segments = 0;
    const std::size_t read = receive_frames(
        frames, bursts, now, a, [&](const segment&, const outcome& o) { x.push_back(o); },
        [&](const byte_view&, wire::parse_error e) { refused += e == wire::parse_error::bad_checksum; });
    for (const byte_view& f : frames) {
      const auto p = wire::read_packet<ipv4>(f);
      if (!p) continue;
      ++segments;
      y.push_back(singles.receive(p.segment, now, b));
    }
    CHECK(read == segments);
    CHECK(refused == frames.size() - segments);
    CHECK(x == y);
    REQUIRE(a.sent.size() == b.sent.size());
    for (std::size_t k = 0; k < a.sent.size(); ++k) CHECK(all_of(a.sent[k]) == all_of(b.sent[k]));
    while (peers.up_to(1) == 0) CHECK(bursts.accept(now).status == singles.accept(now).status);
    CHECK(bursts.counters() == singles.counters());
    for (const segment& s : a.sent) peers.hear(s);
    broken += refused;
  }
  CHECK(broken > 0);
}
