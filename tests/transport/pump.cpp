// SPDX-License-Identifier: BSL-1.0
// transport/pump.hpp: a transport and a listener joined.
#include <doctest/doctest.h>

#include <deque>
#include <listenq/transport/pump.hpp>
#include <optional>
#include <vector>

using namespace listenq;

namespace {

/// A transport whose ends are two containers; `room` answers fit.
struct wire {
  using addressing_type = ipv4;
  std::deque<segment> in{};
  std::vector<segment> out{};
  std::size_t room = 100;

  std::optional<segment> receive() {
    if (in.empty()) return std::nullopt;
    const segment s = in.front();
    in.pop_front();
    return s;
  }
  send_result send(const segment& s) {
    out.push_back(s);
    return send_result::sent;
  }
  bool writable() const { return out.size() < room; }
  transport_limits limits() const { return {}; }
};
static_assert(transport<wire>);

segment syn(std::uint16_t port) { return {{ip(10, 0, 0, 2), port}, {ip(10, 0, 0, 1), 80}, 7, 0, flag::syn}; }

}  // namespace

// Answers that go nowhere, or a caller who is told of fewer segments than were read.
TEST_CASE("every waiting segment is received once, and its answer goes back") {
  wire w;
  listener<> door;
  door.listen(8);
  w.in = {syn(1), syn(2), syn(1)};
  std::vector<verdict> seen;
  CHECK(pump(w, door, 0, [&](const segment&, const outcome& o) { seen.push_back(o.verdict); }) == 3);
  CHECK(seen == std::vector{verdict::admitted, verdict::admitted, verdict::duplicate_syn});
  CHECK(w.out.size() == 3);
  CHECK(w.out[1].destination.port == 2);
  CHECK(pump(w, door, 0) == 0);
}

// A question that is read although its answer would not fit: the answer would be lost.
TEST_CASE("nothing is read and no timer fires while no answer fits") {
  wire w;
  listener<> door;
  door.listen(8);
  w.in = {syn(1), syn(2)};
  w.room = 1;
  CHECK(pump(w, door, 0) == 1);
  CHECK(w.in.size() == 1);
  CHECK(pump(w, door, 5 * second) == 0);
  CHECK(door.young_count() == 1);
  w.out.clear();
  CHECK(pump(w, door, 5 * second) == 1);
}

// Timers that are left to somebody else.
TEST_CASE("what is due is sent again after the segments") {
  wire w;
  listener<> door;
  door.listen(8);
  w.in = {syn(1)};
  pump(w, door, 0);
  pump(w, door, second);
  REQUIRE(w.out.size() == 2);
  CHECK(w.out[1].flags == (flag::syn | flag::ack));
}
