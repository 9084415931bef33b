// SPDX-License-Identifier: BSL-1.0
// stream/established.hpp: names, windows, scales, timestamps.
#include <doctest/doctest.h>

#include <listenq/stream/established.hpp>
#include <string>

using namespace listenq;

// Bug caught: a name that `ss` does not print, so that the lab's snapshots never match the recordings.
TEST_CASE("state names are those of ss") {
  using s = connection_state;
  CHECK(std::string(state_name(s::established)) == "ESTAB");
  CHECK(std::string(state_name(s::syn_sent)) == "SYN-SENT");
  CHECK(std::string(state_name(s::syn_received)) == "SYN-RECV");
  CHECK(std::string(state_name(s::fin_wait_1)) == "FIN-WAIT-1");
  CHECK(std::string(state_name(s::fin_wait_2)) == "FIN-WAIT-2");
  CHECK(std::string(state_name(s::close_wait)) == "CLOSE-WAIT");
  CHECK(std::string(state_name(s::closing)) == "CLOSING");
  CHECK(std::string(state_name(s::last_ack)) == "LAST-ACK");
  CHECK(std::string(state_name(s::time_wait)) == "TIME-WAIT");
  CHECK(std::string(state_name(s::closed)) == "UNCONN");
}

// Bug caught: a shift of 15 or more taken as it is (RFC 7323 2.3), or one side's scale used alone.
TEST_CASE("scales count when both sides have one, and at most 14") {
  established e;
  e.ours.window_scale = 20;
  CHECK(e.our_shift() == 0);
  e.theirs.window_scale = 3;
  CHECK(e.our_shift() == 14);
  CHECK(e.peer_shift() == 3);
  e.ours.window_scale = tcp_options::no_window_scale;
  CHECK(e.peer_shift() == 0);
}

// Bug caught: timestamps sent to a peer that has none, or expected of one (RFC 7323 2.2: both SYNs).
TEST_CASE("timestamps are in use when both SYNs had them") {
  established e;
  for (const bool ours : {false, true}) {
    for (const bool theirs : {false, true}) {
      e.ours.timestamps = ours;
      e.theirs.timestamps = theirs;
      CHECK(e.timestamps() == (ours && theirs));
    }
  }
}

// Bug caught: a window that scaling makes smaller than what is held (Linux: 32792 at 6 is 513, 64240 at 10 is 63).
TEST_CASE("the first scaled window is rounded up") {
  established e;
  e.our_window = 32792;
  CHECK(e.first_window() == 32792);
  e.ours.window_scale = e.theirs.window_scale = 6;
  CHECK(e.first_window() == 513);
  e.our_window = 64240;
  e.ours.window_scale = 10;
  CHECK(e.first_window() == 63);
}

// Bug caught: an offset added before the division, or a sum wider than 32 bits.
TEST_CASE("TSval is milliseconds plus the offset, modulo 2^32") {
  CHECK(timestamp_at(2'999, 10) == 12);
  CHECK(timestamp_at(second, 0xffffffffU) == 999);
}
