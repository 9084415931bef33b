// SPDX-License-Identifier: BSL-1.0
// policy/observer.hpp: the event log.
#include <doctest/doctest.h>

#include <array>
#include <listenq/policy/observer.hpp>

using namespace listenq;

namespace {

segment some_segment() {
  segment s;
  s.source = {ip(10, 0, 0, 2), 30001};
  s.destination = {ip(10, 0, 0, 1), 20000};
  s.flags = flag::syn;
  s.seq = 7;
  s.ack = 8;
  return s;
}

}  // namespace

// A write past the end of the caller's memory, or one event too few.
TEST_CASE("the log fills the caller's memory exactly and counts what did not fit") {
  std::array<basic_event<ipv4>, 4> memory{};
  memory[3].at = 999;
  event_log<> log{memory.data(), 3};
  for (int i = 0; i < 5; ++i) log.on_listen(i, 1);
  CHECK(log.size == 3);
  CHECK(log.lost == 2);
  CHECK(memory[2].at == 2);
  CHECK(memory[3].at == 999);
}

TEST_CASE("a log without memory loses everything and touches nothing") {
  event_log<> log;
  log.on_accept(1, accept_status::ok);
  CHECK(log.size == 0);
  CHECK(log.lost == 1);
}

// A field in the wrong place: replays would be of something else.
TEST_CASE("each kind of event says what happened, to whom and when") {
  std::array<basic_event<ipv4>, 6> memory{};
  event_log<> log{memory.data(), memory.size()};
  outcome o{verdict::duplicate_syn};
  o.stages.add(stage::rate_limited);
  log.on_segment(10, some_segment(), o);
  log.on_timer(20, four_tuple_of(some_segment()), {timer_verdict::expired, false});
  log.on_accept(30, accept_status::aborted);
  log.on_listen(40, 511);
  log.on_close(50, {.children = 3, .requests = 4});
  log.on_icmp(60, four_tuple_of(some_segment()), icmp_verdict::wrong_number);
  CHECK(log.size == memory.size());

  CHECK(memory[0].at == 10);
  CHECK(memory[0].kind == event_kind::received);
  CHECK(memory[0].key == four_tuple_of(some_segment()));
  CHECK(memory[0].verdict == static_cast<std::uint8_t>(verdict::duplicate_syn));
  CHECK(memory[0].stages == o.stages);
  CHECK(memory[0].segment_flags == flag::syn);
  CHECK(memory[0].seq == 7);
  CHECK(memory[0].ack == 8);
  CHECK(memory[1].at == 20);
  CHECK(memory[1].kind == event_kind::timed_out);
  CHECK(memory[1].key == four_tuple_of(some_segment()));
  CHECK(memory[1].verdict == static_cast<std::uint8_t>(timer_verdict::expired));
  CHECK(memory[2].kind == event_kind::accepted);
  CHECK(memory[2].verdict == static_cast<std::uint8_t>(accept_status::aborted));
  CHECK(memory[3].kind == event_kind::listening);
  CHECK(memory[3].seq == 511);
  CHECK(memory[4].at == 50);
  CHECK(memory[4].kind == event_kind::closed);
  CHECK(memory[4].seq == 4);
  CHECK(memory[4].ack == 3);
  CHECK(memory[5].at == 60);
  CHECK(memory[5].kind == event_kind::icmp);
  CHECK(memory[5].key == four_tuple_of(some_segment()));
  CHECK(memory[5].verdict == static_cast<std::uint8_t>(icmp_verdict::wrong_number));
}

// Leftovers in what a kind has no use for: equal events that do not compare equal.
TEST_CASE("what a kind of event has no use for is empty") {
  std::array<basic_event<ipv4>, 5> memory{};
  for (auto& e : memory) e = {99, four_tuple_of(some_segment()), event_kind::received, 9, {9}, flag::fin, 9, 9};
  event_log<> log{memory.data(), memory.size()};
  log.on_timer(1, four_tuple_of(some_segment()), {timer_verdict::expired, false});
  log.on_icmp(2, four_tuple_of(some_segment()), icmp_verdict::ended);
  log.on_accept(3, accept_status::would_block);
  log.on_listen(4, 0);
  log.on_close(5, {.children = 0, .requests = 0});
  REQUIRE(log.size == memory.size());
  for (const auto& e : memory) {
    CAPTURE(e.at);
    CHECK(e.stages == stages{});
    CHECK(e.segment_flags == flags{});
    CHECK(e.seq == 0);
    CHECK(e.ack == 0);
    CHECK((e.key == four_tuple{}) == (e.at > 2));
    if (e.at > 3) CHECK(e.verdict == 0);
  }
}
