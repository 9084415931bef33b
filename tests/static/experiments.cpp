// SPDX-License-Identifier: BSL-1.0
// The three experiments of the first article, computed by the compiler: listen(1), three clients in a row, nobody
// accepts (1.4), somebody does (1.5), tcp_abort_on_overflow (1.6). To compile is to pass.
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using preset::linux_2_6_32;
using preset::linux_3_12;
using preset::linux_6_18;

constexpr flags synack = flag::syn | flag::ack;

// 1.4: "even with a backlog of 1, two connections", and a third client that is connected while the server says
// SYN_RECV.
template <class L>
constexpr bool never_accept(instant resend_from, instant resend_until) {
  script<L> s{1};
  for (int i = 0; i < 2; ++i) {
    if (s.syn(i) != verdict::admitted || s.out.last().flags != synack) return false;
    if (s.ack(i) != verdict::promoted) return false;
  }
  // qlen 0, young 0, sk_ack_backlog 2 > 1: full, but nobody is young, so the SYN is admitted and answered.
  if (!s.listener.accept_full() || s.syn(2) != verdict::admitted) return false;
  if (s.out.last().flags != synack) return false;  // the client's connect() returns
  // The final ACK finds no room; the request stays, now with qlen 1 and young 1.
  const std::size_t sent = s.out.count;
  if (s.ack(2) != verdict::overflow_kept || s.out.count != sent) return false;
  if (!s.waits(2) || !s.request(2).acked) return false;
  if (s.listener.request_count() != 1 || s.listener.young_count() != 1 || s.listener.accept_count() != 2) return false;
  if (s.listener.counters().listen_overflows != 1 || s.listener.counters().listen_drops != 1) return false;
  // Its 13 bytes are dropped, too, and the SYN-ACK is sent again.
  s.now = at(0.5);
  if (s.data(2) != verdict::overflow_kept) return false;
  while (s.out.count == sent) s.tick(*s.listener.next_deadline());
  if (s.now < resend_from || s.now > resend_until || s.out.last().flags != synack) return false;
  // Once somebody accepts, the next ACK gets through.
  return s.listener.accept().handle == test::tuple(0) && s.data(2) == verdict::promoted &&
         s.listener.accept_count() == 2 && s.listener.request_count() == 0;
}
static_assert(never_accept<linux_3_12>(at(1), at(1.4)));
static_assert(never_accept<linux_2_6_32>(at(3), at(4.4)));

// 1.5: a server that accepts serves everybody.
template <class L>
constexpr bool accept_each() {
  script<L> s{1};
  for (int i = 0; i < 5; ++i) {
    if (s.syn(i) != verdict::admitted || s.ack(i) != verdict::promoted) return false;
    const auto a = s.listener.accept();
    if (a.status != accept_status::ok || a.handle != test::tuple(i)) return false;
  }
  return s.listener.accept().status == accept_status::would_block && s.listener.counters().passive_opens == 5 &&
         s.listener.counters().listen_overflows == 0;
}
static_assert(accept_each<linux_2_6_32>());
static_assert(accept_each<linux_3_12>());
static_assert(accept_each<linux_6_18>());

// 1.6: "Connection reset by peer": SYN, SYN-ACK, ACK, RST.
template <class L>
constexpr bool abort_on_overflow() {
  script<L> s{1};
  s.listener.set(tunable::abort_on_overflow, 1);
  s.connect(0, 1);
  if (s.syn(2) != verdict::admitted || s.out.last().flags != synack) return false;
  const seq_number iss = s.out.last().seq;
  if (s.ack(2) != verdict::overflow_reset) return false;
  return s.out.last().flags == flag::rst && s.out.last().seq == iss + 1 && s.out.last().window == 0 && !s.waits(2) &&
         s.listener.counters().embryonic_rsts == 1 && s.listener.accept_count() == 2;
}
static_assert(abort_on_overflow<linux_2_6_32>());
static_assert(abort_on_overflow<linux_3_12>());

// Today the third client is not even answered (since 4.10).
constexpr bool third_client_of_today() {
  script<linux_6_18> s{1};
  s.connect(0, 1);
  const std::size_t sent = s.out.count;
  return s.syn(2) == verdict::dropped_accept_full && s.out.count == sent && s.listener.request_count() == 0 &&
         s.listener.counters().listen_overflows == 1;
}
static_assert(third_client_of_today());

// Cookies, copies, growth and close work in the compiler, too.
constexpr bool a_whole_life() {
  script<linux_6_18> s{0};
  s.syn(0);
  if (s.syn(1) != verdict::cookie_sent || s.ack(1) != verdict::cookie_promoted) return false;
  script<linux_6_18> copy = s;
  if (!copy.listener.listen(20) || !copy.waits(0)) return false;
  if (copy.connect(2, 12) != 11) return false;
  copy.run_until(at(70));
  if (copy.listener.request_count() != 0 || !s.waits(0)) return false;
  return copy.listener.close(copy.out).children == 12 && copy.syn(0) == verdict::not_listening;
}
static_assert(a_whole_life());

}  // namespace
