// SPDX-License-Identifier: BSL-1.0
// detail/ageing.hpp: what a timer notes of itself, and the steps of the hand.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "detail/support.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using plain = with<preset::linux_6_18, cookies<no_cookies>>;

// --- spies --------------------------------------------------------------------------------------------------------

std::vector<timer_outcome> timers;
struct timer_watcher {
  [[maybe_unused]] static constexpr const char* name = "timer_watcher";
  template <addressing A>
  void on_timer(instant, const basic_four_tuple<A>&, const timer_outcome& t) noexcept {
    timers.push_back(t);
  }
};
// A request whose ACK has come is not asked again.
struct silent_when_acked : no_deferral {
  static constexpr timeout_answer at_timeout(const timeout_facts& f, const tunable_source auto&) noexcept {
    return {.expire = f.timeouts >= f.threshold, .resend = !f.acked};
  }
};
struct always_fatal {
  static constexpr bool forgets(const send_failure_facts&) noexcept { return true; }
};

}  // namespace

// A timer that sends nothing taken for one whose SYN-ACK failed: under a strict rule its request would go.
TEST_CASE("a timer that only waits is named so, and is no failure to send") {
  script<with<plain, observer<timer_watcher>, deferral<silent_when_acked>, send_failure<always_fatal>>> s{1};
  s.syn(0);
  s.connect(1, 2);
  CHECK(s.ack(0) == verdict::overflow_kept);
  timers.clear();
  const tick_summary sum = s.tick(at(1));
  REQUIRE(timers.size() == 1);
  CHECK(timers[0].verdict == timer_verdict::waited);
  CHECK(!timers[0].sent);
  CHECK(s.waits(0));
  CHECK(sum.timers == 1);
  CHECK(sum.resent + sum.forgotten == 0);
}

// num_retrans counts what left, num_timeout what passed: `ss` shows both.
TEST_CASE("a request counts its timeouts, and of its SYN-ACKs those that left again; both stop at 255") {
  script<with<plain, send_failure<harmless>, schedule<doubling<1 * second, 1000, 1 * second>>>> s{3};
  s.syn(0);
  CHECK(s.request(0).retransmits == 0);
  s.tick(at(1));
  CHECK(s.request(0).retransmits == 1);
  s.out.answer = send_result::failed;
  s.tick(at(2));
  CHECK(s.request(0).retransmits == 1);
  CHECK(s.request(0).timeouts == 2);
  s.out.answer = send_result::sent;
  s.run_until(at(253));
  CHECK(s.request(0).retransmits == 252);
  CHECK(s.request(0).timeouts == 253);
  s.run_until(at(300));
  CHECK(s.request(0).retransmits == 255);
  CHECK(s.request(0).timeouts == 255);
}

TEST_CASE("a repeated answer to a duplicate SYN counts too, up to 255") {
  script<with<preset::linux_3_12, cookies<no_cookies>>> s{3};
  s.syn(0);
  for (int i = 0; i < 254; ++i) s.syn(0);
  CHECK(s.request(0).retransmits == 254);
  for (int i = 0; i < 3; ++i) s.syn(0);
  CHECK(s.request(0).retransmits == 255);
}

// The last timestamp not noted: the echo of the second SYN-ACK would be one that nobody sent.
TEST_CASE("the timestamp of a SYN-ACK that was sent again may be echoed, one of a later moment may not") {
  for (const bool by_timer : {true, false}) {
    for (const std::uint32_t later : {0U, 1U}) {
      CAPTURE(by_timer);
      CAPTURE(later);
      plain l;
      REQUIRE(l.listen(2));
      segment syn{.source = {ip(10, 0, 0, 1), 1000}, .destination = {ip(10, 0, 0, 2), 80}, .seq = 7};
      syn.flags = flag::syn;
      syn.options.timestamps = true, syn.options.ts_value = 5;
      const auto first = l.receive(syn, 0);
      REQUIRE(first.reply);
      test::recorder<> out;
      if (by_timer) {
        l.tick(at(1), out);
      } else {
        l.receive(syn, at(1), out);
      }
      REQUIRE(out.count == 1);
      CHECK(out.kept[0].options.ts_value == first.reply->options.ts_value + 1000);
      segment ack = syn;
      ack.flags = flag::ack;
      ack.seq = syn.seq + 1, ack.ack = first.reply->seq + 1;
      ack.options.ts_echo = out.kept[0].options.ts_value + later;
      CHECK((l.receive(ack, at(1)).outcome.verdict == verdict::promoted) == (later == 0));
    }
  }
}

// --- the hand -----------------------------------------------------------------------------------------------------

namespace {

// 16 buckets, six in a visit, the first visit one second after the first request.
using swept = with<preset::linux_3_12, cookies<no_cookies>, hashing<test::by_number>>;

template <class S>
std::vector<int> sent_since(const S& s, std::size_t from) {
  std::vector<int> peers;
  for (; from < s.out.count; ++from) peers.push_back(s.out[from].destination.port - test::first_port);
  return peers;
}

}  // namespace

// A hand that goes the other way, or one bucket too far: every recorded retransmission time would be another.
TEST_CASE("a visit goes up through its buckets, in each from the newest to the oldest") {
  script<swept> s{3};
  for (const int peer : {5, 3, 19, 6, 11, 0}) s.syn(peer);
  const std::size_t before = s.out.count;
  s.tick(at(1));
  CHECK(sent_since(s, before) == std::vector<int>{0, 19, 3, 5});
  s.tick(at(1.2));
  CHECK(sent_since(s, before + 4) == std::vector<int>{6, 11});
}

TEST_CASE("17 visits to a timeout and 16 buckets: one bucket a visit") {
  script<with<swept, schedule<doubling<3400 * millisecond, 5>>>> s{3};
  for (const int peer : {0, 1, 2}) s.syn(peer);
  const std::size_t before = s.out.count;
  s.tick(at(3.4));
  CHECK(sent_since(s, before) == std::vector<int>{0});
  s.tick(at(3.6));
  CHECK(sent_since(s, before) == std::vector<int>{0, 1});
}

TEST_CASE("a tick before its time does not move the hand") {
  script<swept> s{3};
  s.syn(0), s.syn(7);
  s.tick(at(1));
  const std::size_t before = s.out.count;
  for (const double t : {1.05, 1.1, 1.15, 1.19}) s.tick(at(t));
  CHECK(s.out.count == before);
  CHECK(s.listener.next_deadline() == at(1.2));
  s.tick(at(1.2));
  CHECK(sent_since(s, before) == std::vector<int>{7});
}

// The kernel's timer does not run for an empty queue.
TEST_CASE("while nobody waits the hand stands still") {
  script<swept> s{3};
  s.syn(0);
  s.tick(at(1));  // buckets 0 to 5
  s.rst(0);
  for (int i = 0; i < 20; ++i) s.tick(at(2 + i));
  s.syn(8);
  CHECK(s.listener.next_deadline() == at(22));
  const std::size_t before = s.out.count;
  s.tick(at(22));
  CHECK(sent_since(s, before) == std::vector<int>{8});
}

// Whoever is in a bucket that the table got by growing waits there, and is not handled with the old one.
TEST_CASE("a listen that makes the table larger spreads the requests over the new buckets") {
  using grows = with<swept, sizing<pipeline<at_least<8>, plus<1>, roundup_pow_of_two>>>;
  script<grows> s{7};  // 16 buckets
  s.syn(1), s.syn(17);
  s.listener.listen(31, 0);  // 32 buckets: a visit takes 12 of them
  const std::size_t before = s.out.count;
  s.tick(at(1));
  CHECK(sent_since(s, before) == std::vector<int>{1});
  s.tick(at(1.2));
  CHECK(sent_since(s, before) == std::vector<int>{1, 17});
}
