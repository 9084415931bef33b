// SPDX-License-Identifier: BSL-1.0
// explain.hpp: the values of the kernels' tables, and that a listener does what explain says of it.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/explain.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

using namespace listenq;

namespace {

constexpr segment from(std::uint32_t n, flags f, seq_number seq, seq_number ack = 0) {
  return {{{0x0a000000U + (n >> 8)}, static_cast<std::uint16_t>(1024 + (n & 0xffU))},
          {ip(127, 0, 0, 1), 20000},
          seq,
          ack,
          f};
}

/// Requests that a flood of SYNs leaves behind.
template <class L>
std::uint32_t flooded(int backlog) {
  L l;
  l.listen(backlog);
  for (std::uint32_t n = 0; n < 5000; ++n) l.receive(from(n, flag::syn, 1), 0);
  return l.request_count();
}

/// Connections that wait when `clients` came one after the other, and the young requests behind them.
template <class L>
std::pair<std::uint32_t, std::uint32_t> connected(int backlog, std::uint32_t clients) {
  L l;
  l.listen(backlog);
  for (std::uint32_t n = 0; n < clients; ++n) {
    const auto answer = l.receive(from(n, flag::syn, 1), 0);
    if (answer.reply) l.receive(from(n, flag::ack, 2, answer.reply->seq + 1), 0);
  }
  return {l.accept_count(), l.young_count()};
}

/// When the SYN-ACKs of one unanswered SYN leave, and when it is forgotten, on a clock of 1 ms.
template <class L>
std::pair<std::vector<instant>, instant> life(int backlog) {
  struct {
    std::vector<instant> at{};
    instant now = 0;
    send_result send(const segment&) {
      at.push_back(now);
      return send_result::sent;
    }
  } out;
  L l;
  l.listen(backlog);
  l.receive(from(0, flag::syn, 1), 0, out);
  while (l.request_count() > 0) {
    out.now = *l.next_deadline();
    l.tick(out.now, out);
  }
  return {out.at, out.now};
}

}  // namespace

// The articles' listen(1), and the numbers that their prose gets wrong.
TEST_CASE("listen(1) on 3.12: 2 connections, 16 requests in 16 buckets, 2 young ones beyond") {
  constexpr explanation e = explain<preset::linux_3_12>(1);
  static_assert(e.backlog == 1 && e.accept_slots == 2 && e.request_slots == 16 && e.buckets == 16);
  static_assert(e.young_when_full == 2U && e.pruning_from == 8U && e.pruned_at == 7 * second);
  static_assert(e.dies_at == 63 * second && e.syn_acks() == 6 && e.syn_ack_at[5] == 31 * second);
  CHECK(e.late_by == 400 * millisecond);
}

// A first timeout of 1 s taken for 2.6.32's 3 s.
TEST_CASE("2.6.32 resends at 3, 9, 21, 45, 93 s, up to 1.4 s late, and forgets at 189 s") {
  constexpr explanation e = explain<preset::linux_2_6_32>(1);
  CHECK(e.syn_ack_at[1] == 3 * second);
  CHECK(e.syn_ack_at[5] == 93 * second);
  CHECK(e.dies_at == 189 * second);
  CHECK(e.late_by == 1400 * millisecond);
}

// A setting that is parsed and then not used.
TEST_CASE("settings change what reads them and nothing else") {
  constexpr explanation e = explain<preset::linux_6_18>(
      16, {{tunable::syncookies, 0}, {tunable::max_syn_backlog, 8}, {tunable::synack_retries, 2}});
  CHECK(e.request_slots == 17);
  CHECK(e.unproven_slots == 7);  // 8 - (8 >> 2) + 1, recorded
  CHECK(e.cookies == cookie_mode::off);
  CHECK(e.dies_at == 7 * second);
  CHECK(explain<preset::linux_6_18>(16, {{tunable::syncookies, 2}}).cookies == cookie_mode::always);
  CHECK(explain<listener<clamp<as_is>>>(9, {{tunable::somaxconn, 1}}) == explain<listener<clamp<as_is>>>(9));
}

// What a full queue answers, told from the wrong slot.
TEST_CASE("when_full is request_full's answer, and every SYN is admitted where no rule stops it") {
  CHECK(explain<listener<>>(4).when_full == syn_answer::drop);
  CHECK(explain<listener<request_full<reset>>>(4).when_full == syn_answer::reset);
  CHECK(explain<listener<request_full<evict_oldest>>>(4).when_full == syn_answer::evict_oldest);
  CHECK(explain<listener<>>(4).young_when_full == 0U);
  CHECK_FALSE(explain<listener<accept_full_at_syn<admit>>>(4).young_when_full.has_value());
  CHECK_FALSE(explain<listener<pressure<no_pressure>>>(4).pruning_from.has_value());
}

// A second copy of the rules that drifts from the first: explain must say what the listener does.
TEST_CASE_TEMPLATE("a listener holds what explain says", L, preset::linux_2_6_32, preset::linux_3_12,
                   preset::linux_6_18, with<preset::linux_3_12, waiting<three_halves_plus_one>>) {
  for (const int backlog : {0, 1, 7, 8, 16, 127, 128, 511, -1}) {
    CAPTURE(backlog);
    const explanation e = explain<L>(backlog);
    CHECK(flooded<L>(backlog) == e.unproven_slots);
    const auto [waiting_now, young] = connected<L>(backlog, e.accept_slots + 5);
    CHECK(waiting_now == e.accept_slots);
    CHECK(young == *e.young_when_full);
  }
}

// A schedule that is summed up wrongly. The hand may come later, by what explain says, at each of the timeouts.
TEST_CASE_TEMPLATE("SYN-ACKs leave and requests die when explain says", L, preset::linux_2_6_32, preset::linux_3_12,
                   preset::linux_6_18, listener<schedule<fixed_lifetime<5 * second>>>) {
  const explanation e = explain<L>(1);
  const auto [sent, died] = life<L>(1);
  REQUIRE(sent.size() == e.syn_acks());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK(sent[i] >= e.syn_ack_at[i]);
    CHECK(sent[i] <= e.syn_ack_at[i] + e.late_by * static_cast<duration>(i));
  }
  CHECK(died >= e.dies_at);
  CHECK(died <= e.dies_at + e.late_by * static_cast<duration>(sent.size()));
}
