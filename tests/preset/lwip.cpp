// SPDX-License-Identifier: BSL-1.0
// preset/lwip.hpp: a byte of backlog for both queues.
#include <doctest/doctest.h>

#include <listenq/preset/lwip.hpp>
#include <string>

#include "support/preset_numbers.hpp"
#include "support/script.hpp"

using namespace listenq;
using namespace listenq::test;
using preset::lwip;

TEST_CASE("N places, half-open ones included; the next SYN is dropped") {
  CHECK(waiting_for_accept<lwip>(5) == 5);
  CHECK(half_open<lwip>(5) == room{5, "dropped_accept_full"});
}

// OpenBK7231T_App#2191: 0 becomes 1.
TEST_CASE("0 is 1, and a byte ends at 255") {
  CHECK(explain<lwip>(0).backlog == 1);
  CHECK(explain<lwip>(255).backlog == 255);
  CHECK(explain<lwip>(5000).backlog == 255);
}

TEST_CASE("SYN-ACKs at 3 and 9 s, dead at 20 s") {
  CHECK(life<lwip>() == std::vector<std::int64_t>{0, 3000, 9000, 20000});
}

// liblwip 2.1.3 as Debian has it was given the same segments in the same state. Bug caught: a handshake that the real
// one finishes is refused, or a request that it keeps is ended.
TEST_CASE("what a request meets, as lwIP itself was seen to answer") {
  constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin;
  struct row {
    const char* stimulus;
    sending with;
    const char* answer;
    bool waits;
    bool finished = false;
  };
  const char *const syn_ack = "S.", *const ack = ".";
  const row rows[] = {
      {"the SYN again", {.flags = SYN}, syn_ack, true},
      {"a SYN with another ISN", {.flags = SYN, .seq = 5000}, "", true},
      {"an ACK of what was not sent", {.flags = ACK, .seq = 1, .ack = 2}, "R", true},
      {"an ACK of our ISN alone", {.flags = ACK, .seq = 1, .ack = 0}, "R", true},
      {"the exact RST", {.flags = RST, .seq = 1}, "", false},
      {"the same with ACK", {.flags = RST | ACK, .seq = 1, .ack = 1}, "", false},
      {"a RST in the window", {.flags = RST, .seq = 500}, ack, true},
      {"a RST outside", {.flags = RST, .seq = 90000}, "", true},
      {"a RST at the ISN", {.flags = RST}, "", true},
      {"the ACK from further on", {.flags = ACK, .seq = 5000, .ack = 1}, "", false, true},
      {"the ACK from anywhere", {.flags = ACK, .seq = 900000, .ack = 1}, "", false, true},
      {"FIN+ACK", {.flags = FIN | ACK, .seq = 1, .ack = 1}, "", false, true},
      {"a FIN alone", {.flags = FIN, .seq = 1}, "", true},
      {"no flags", {.seq = 1}, "", true},
  };
  for (const row& r : rows) {
    CAPTURE(r.stimulus);
    script<lwip> s{4};
    s.syn(0, {.mss = 1460});
    const auto iss = s.iss(0);
    const std::size_t before = s.out.count;
    CHECK((s.send(0, r.with) == verdict::promoted) == r.finished);
    const std::string said = s.out.count == before ? "" : text(s.out.last(), s.client_isn, iss);
    CHECK(said.substr(0, said.find(' ')) == r.answer);
    CHECK(s.waits(0) == r.waits);
  }
}
