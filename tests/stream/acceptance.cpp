// SPDX-License-Identifier: BSL-1.0
// stream/acceptance.hpp: what becomes of a segment before its ACK field, row by row (RFC 9293 3.10.7.4, RFC 5961,
// RFC 7323 5.3; Linux tcp_validate_incoming and tcp_timewait_state_process).
#include <doctest/doctest.h>

#include <listenq/stream/acceptance.hpp>

#include "support/script.hpp"

using namespace listenq;

namespace {

constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst;
constexpr seq_number next = 1000;  // what the connection expects; its window is 500 bytes

struct seen {
  listenq::flags flags{};
  seq_number seq = next;
  std::size_t bytes = 0;
  tcp_options options{};
};
constexpr tcp_options stamped(std::uint32_t value) {
  tcp_options o;
  o.timestamps = true;
  o.ts_value = value;
  return o;
}

acceptance of(const seen& x, bool challenges = true, bool time_wait = false, const peer_timestamps& ts = {},
              instant now = 0) {
  segment s;
  s.flags = x.flags;
  s.seq = x.seq;
  s.options = x.options;
  s.payload = test::bytes(x.bytes);
  const receive_half received{next - 1, 500, 1};
  return judge(s, received, ts, time_wait, challenges, now);
}
acceptance in_time_wait(const seen& x, const peer_timestamps& ts = {}) { return of(x, true, true, ts); }

}  // namespace

TEST_CASE("in the window a segment passes, outside it is answered: always if it has bytes") {
  CHECK(of({.flags = ACK}) == acceptance::passes);
  CHECK(of({.flags = ACK, .bytes = 10}) == acceptance::passes);
  CHECK(of({.flags = ACK, .seq = next + 600}) == acceptance::challenged);
  CHECK(of({.flags = ACK, .seq = next - 600}) == acceptance::challenged);
  CHECK(of({.flags = ACK, .seq = next + 600, .bytes = 10}) == acceptance::acknowledged);
}

TEST_CASE("a RST ends it where it is exact, is challenged in the window, ignored outside; RFC 793 takes any in it") {
  CHECK(of({.flags = RST}) == acceptance::ends);
  CHECK(of({.flags = RST, .seq = next + 1}) == acceptance::challenged);
  CHECK(of({.flags = RST, .seq = next + 1}, false) == acceptance::ends);
  CHECK(of({.flags = RST, .seq = next + 600}) == acceptance::dropped);
  CHECK(of({.flags = RST, .seq = next - 1}) == acceptance::dropped);
}

TEST_CASE("a SYN is challenged; RFC 793 kills for one in the window, and lets an old one pass") {
  for (const seq_number seq : {next, next + 1, next + 600, next - 1}) {
    CHECK(of({.flags = SYN, .seq = seq}) == acceptance::challenged);
  }
  CHECK(of({.flags = SYN, .seq = next}, false) == acceptance::kills);
  CHECK(of({.flags = SYN, .seq = next + 5}, false) == acceptance::kills);
  CHECK(of({.flags = SYN, .seq = next - 1, .bytes = 5}, false) == acceptance::passes);
}

// A SYN that a TIME-WAIT swallows costs its client a minute; one that it lets in too easily an old duplicate.
TEST_CASE("TIME-WAIT: a bare SYN beyond what was received is a new connection") {
  CHECK(in_time_wait({.flags = SYN, .seq = next + 1}) == acceptance::reuses);
  CHECK(in_time_wait({.flags = SYN, .seq = next + 100000}) == acceptance::reuses);
  CHECK(in_time_wait({.flags = SYN, .seq = next}) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN, .seq = next - 1}) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN | ACK, .seq = next + 1}) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN | RST, .seq = next + 1}) == acceptance::challenged);
  CHECK(in_time_wait({.flags = ACK, .seq = next + 1}) == acceptance::passes);
  CHECK(in_time_wait({.flags = flag::fin, .seq = next + 1}) == acceptance::passes);
  CHECK(of({.flags = SYN, .seq = next + 1}) == acceptance::challenged);
}

TEST_CASE("TIME-WAIT: or one with a later timestamp, wherever it begins; not with the same one or an older one") {
  const peer_timestamps ts{.in_use = true, .recent = 100, .taken_at = 0};
  CHECK(in_time_wait({.flags = SYN, .seq = next - 50, .options = stamped(101)}, ts) == acceptance::reuses);
  CHECK(in_time_wait({.flags = SYN, .seq = next - 50, .options = stamped(100)}, ts) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN, .seq = next + 50, .options = stamped(100)}, ts) == acceptance::reuses);
  CHECK(in_time_wait({.flags = SYN, .seq = next + 50, .options = stamped(99)}, ts) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN, .seq = next - 50}, ts) == acceptance::challenged);
  const peer_timestamps unused{.in_use = false, .recent = 100, .taken_at = 0};
  CHECK(in_time_wait({.flags = SYN, .seq = next - 50, .options = stamped(101)}, unused) == acceptance::challenged);
  CHECK(in_time_wait({.flags = SYN, .seq = next + 50, .options = stamped(99)}, unused) == acceptance::reuses);
}

TEST_CASE("PAWS: an older timestamp is out, for 24 days, if both have them; a RST needs none") {
  peer_timestamps ts{.in_use = true};
  ts.take(stamped(100), 7 * second);
  CHECK(ts.recent == 100);
  CHECK(ts.taken_at == 7 * second);
  const instant limit = 7 * second + peer_timestamps::outdated;
  CHECK(of({.flags = ACK, .options = stamped(99)}, true, false, ts, limit - 1) == acceptance::challenged);
  CHECK(of({.flags = ACK, .options = stamped(99)}, true, false, ts, limit) == acceptance::passes);
  CHECK(of({.flags = ACK, .bytes = 5, .options = stamped(99)}, true, false, ts, 0) == acceptance::acknowledged);
  CHECK(of({.flags = ACK, .options = stamped(100)}, true, false, ts) == acceptance::passes);
  CHECK(of({.flags = ACK}, true, false, ts) == acceptance::passes);
  CHECK(of({.flags = RST, .options = stamped(99)}, true, false, ts) == acceptance::ends);
  ts.in_use = false;
  CHECK(of({.flags = ACK, .options = stamped(99)}, true, false, ts) == acceptance::passes);
}
