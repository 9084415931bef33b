// SPDX-License-Identifier: BSL-1.0
// stream/child.hpp: a listener's record read as a connection's beginning.
#include <doctest/doctest.h>

#include <listenq/stream/child.hpp>

using namespace listenq;

// Bug caught: a window shifted by a scale that was never agreed on; our MSS taken for theirs.
TEST_CASE("a child begins with what the handshake agreed on, and with nothing else") {
  handshake h;
  h.key = {ip(10, 0, 0, 1), ip(10, 0, 0, 2), 4000, 80};
  h.iss = 5;
  h.irs = 7;
  h.ts_recent = 11;
  h.ts_offset = 13;
  h.window = 65160;
  h.peer_mss = 1400;
  h.send_scale = 9;
  h.receive_scale = 10;
  segment last;
  last.window = 17;
  const established bare = child_of(h, last, 1000);
  CHECK(bare.tuple == h.key);
  CHECK(bare.iss == 5);
  CHECK(bare.irs == 7);
  CHECK(bare.ts_offset == 13);
  CHECK(bare.theirs.mss == 1400);
  CHECK(bare.ours.mss == 1000);
  CHECK_FALSE(bare.scaled());
  CHECK_FALSE(bare.ours.has_window_scale());
  CHECK_FALSE(bare.timestamps());
  CHECK(bare.our_window == 65160);
  CHECK(bare.peer_window == 17);

  h.window_scaling = h.timestamps = h.sack = true;
  const established full = child_of(h, last);
  CHECK(full.peer_shift() == 9);
  CHECK(full.our_shift() == 10);
  CHECK(full.timestamps());
  CHECK(full.theirs.ts_value == 11);
  CHECK(full.theirs.sack_permitted);
  CHECK(full.ours.mss == 0);
}

// Bug caught: repeating data after 200 ms to a peer that is a second away, since nobody told the connection.
TEST_CASE("the handshake's round trip is read off the echoed timestamp") {
  handshake h;
  h.timestamps = true;
  h.ts_offset = 0xffffff00U;
  segment last;
  last.flags = flag::ack;
  last.options.timestamps = true;
  last.options.ts_echo = timestamp_at(5 * second, h.ts_offset);
  CHECK(round_trip(h, last, 5 * second + 300 * millisecond) == 300 * millisecond);
  CHECK(round_trip(h, last, 5 * second) == 0);
  CHECK(round_trip(h, last, 65 * second) == 0);
  CHECK(round_trip(h, last, 4 * second) == 0);
  last.flags = flag::syn;  // of a fast open: its echo means nothing
  CHECK(round_trip(h, last, 6 * second) == 0);
  last.flags = flag::ack;
  CHECK(round_trip(h, last, 6 * second) == second);
  last.options.timestamps = false;
  CHECK(round_trip(h, last, 6 * second) == 0);
  last.options.timestamps = true;
  h.timestamps = false;
  CHECK(round_trip(h, last, 6 * second) == 0);
}

// Bug caught: a child of a fast open that says in its SYN-ACK what limits its segments, or one that has no MSS to say.
TEST_CASE("our MSS is the limit on segments; without one that of the SYN-ACK, if the child repeats it") {
  handshake h;
  h.mss = 1460;
  CHECK(child_of(h, segment{}).ours.mss == 0);
  CHECK(child_of(h, segment{}, 1000).ours.mss == 1000);
  CHECK(opening_of(h) == opening::passive);
  h.fast_open = true;
  CHECK(child_of(h, segment{}).ours.mss == 1460);
  CHECK(child_of(h, segment{}, 1000).ours.mss == 1000);
  CHECK(opening_of(h) == opening::fast);
}
