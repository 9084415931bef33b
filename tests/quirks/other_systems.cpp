// SPDX-License-Identifier: BSL-1.0
// Quirks of listeners beside Linux's, by number.
#include <doctest/doctest.h>

#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/openbsd.hpp>
#include <listenq/preset/windows_2003.hpp>
#include <listenq/preset/windows_nt.hpp>
#include <listenq/preset/xnu.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::C;
using test::script;

// FreeBSD, syncache_expand and rst_on_sock_fail; osv#283.
TEST_CASE("Q12: a swarm of connects: FreeBSD answers every SYN and resets who comes too late, Linux 6.18 drops SYNs") {
  constexpr int clients = 10;
  script<preset::freebsd_13> s{2};
  for (int i = 0; i < clients; ++i) CHECK(s.syn(i) == verdict::admitted);
  int connected = 0;
  for (int i = 0; i < clients; ++i) connected += s.ack(i) == verdict::promoted;
  CHECK(connected == 4);
  CHECK(s.last.verdict == verdict::overflow_reset);
  CHECK(s.out.last().flags.has(flag::rst));
  CHECK(s.listener.request_count() == 0);
  CHECK(s.data(clients - 1) == verdict::stray);

  script<preset::linux_6_18> m{2};
  CHECK(m.connect(0, clients - 1) == 3);
  CHECK(m.last.verdict != verdict::overflow_reset);
  CHECK(m.listener.request_count() == 0);
}

// FreeBSD, syncache_add: "we do not check the sequence number to see if this is a real retransmit".
TEST_CASE(
    "Q13: FreeBSD answers a SYN with a new ISN for the old one, so that the peer's ACK can only fail; Linux does not") {
  script<preset::freebsd_13> s{4};
  CHECK(s.syn(0) == verdict::admitted);
  s.client_isn = C + 100000;  // the same port, another attempt
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.ack(0) == verdict::wrong_ack_forgotten);

  script<preset::linux_6_18> m{4};
  m.syn(0);
  m.client_isn = C + 100000;
  CHECK(m.syn(0) == verdict::out_of_window);
  CHECK(m.out.last().flags == flag::ack);
  m.client_isn = C;
  CHECK(m.ack(0) == verdict::promoted);
}

// XNU, solisten; OpenBSD, solisten with sominconn 80.
TEST_CASE("Q20: listen(0) means 128 on XNU, and listen(5) means 80 on OpenBSD") {
  preset::xnu xnu;
  xnu.listen(0);
  CHECK(xnu.backlog() == 128);
  xnu.listen(1);
  CHECK(xnu.backlog() == 1);
  preset::openbsd openbsd;
  openbsd.listen(5);
  CHECK(openbsd.backlog() == 80);
  openbsd.listen(-1);
  CHECK(openbsd.backlog() == 128);
}

// Microsoft KB 113576 and the Winsock team's note of 2005: it depends on the protection against SYN attacks.
TEST_CASE("Q21: Windows resets at the SYN, or, with its protection against SYN attacks, after the handshake") {
  script<preset::windows_nt> s{1};
  CHECK(s.connect(0, 0) == 1);
  CHECK(s.syn(1) == verdict::reset_accept_full);
  CHECK(s.out.last().flags.has(flag::rst));

  script<preset::windows_2003> p{1};
  CHECK(p.connect(0, 0) == 1);
  CHECK(p.syn(1) == verdict::admitted);
  CHECK(p.ack(1) == verdict::overflow_reset);
  CHECK(p.out.last().flags.has(flag::rst));
}
