// SPDX-License-Identifier: BSL-1.0
// The hand-written floor and the library's composition, held against each other on random streams of events: a
// comparison of their costs means something only if they do the same.
#include "floor/linux_6_18.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <string>
#include <vector>

#include "random_peers.hpp"

using namespace listenq;

namespace {

struct sent {
  std::vector<segment> all{};
  std::vector<handshake> children{};
  send_result answer = send_result::sent;
  bool takes_children = true;
  send_result send(const segment& s) {
    all.push_back(s);
    return answer;
  }
  bool make_child(const handshake& h, const segment&) {
    children.push_back(h);
    return takes_children;
  }
};

bool same(const sent& a, const sent& b) {
  if (a.all.size() != b.all.size() || a.children != b.children) return false;
  for (std::size_t i = 0; i < a.all.size(); ++i) {
    if (all_of(a.all[i]) != all_of(b.all[i])) return false;
  }
  return true;
}

struct pair_of_listeners {
  preset::linux_6_18 library{siphash<2, 4>{{7, 8}}};
  floor_of::linux_6_18 floor{siphash<2, 4>{{7, 8}}};
  random_peers peers;
  instant now = 0;
  std::vector<verdict> seen{};

  pair_of_listeners(std::uint64_t seed, std::uint32_t backlog) : peers{seed} {
    REQUIRE(library.listen(static_cast<int>(backlog)));
    REQUIRE(floor.listen(backlog));
  }

  std::uint32_t up_to(std::uint32_t n) { return peers.up_to(n); }

  void tune(tunable t, std::uint32_t value) {
    REQUIRE(library.set(t, value, now) == set_status::ok);
    auto& f = floor.tuned;
    (t == tunable::syncookies          ? f.syncookies
     : t == tunable::max_syn_backlog   ? f.max_syn_backlog
     : t == tunable::synack_retries    ? f.synack_retries
     : t == tunable::abort_on_overflow ? f.abort_on_overflow
                                       : f.defer_accept) = value;
  }

  void step() {
    sent a, b;
    const auto mood = up_to(30);
    a.answer = b.answer = mood == 0 ? send_result::failed : mood == 1 ? send_result::later : send_result::sent;
    a.takes_children = b.takes_children = mood != 2;
    const std::uint32_t what = up_to(40);
    if (what < 28) {
      const segment s = peers.next(now);
      const arrival facts{.isn = up_to(50) == 0 ? 77U : 0U, .proven = up_to(9) == 0, .refused = up_to(40) == 0};
      const outcome x = library.receive(s, now, a, facts);
      const outcome y = floor.receive(s, now, b, facts);
      CHECK(x == y);
      seen.push_back(x.verdict);
      for (const segment& answer : a.all) peers.hear(answer);
    } else if (what < 32) {
      const auto x = library.accept(now);
      const auto y = floor.accept(now);
      REQUIRE(bool{x} == y.has_value());
      if (y) CHECK(x.handle == *y);
    } else if (what < 38) {
      now += what < 36 ? up_to(400'000) : up_to(20'000'000);
      library.tick(now, a);
      floor.tick(now, b);
    } else {
      const std::uint32_t t = up_to(4);
      if (t == 0) tune(tunable::syncookies, up_to(2));
      if (t == 1) tune(tunable::max_syn_backlog, up_to(8));
      if (t == 2) tune(tunable::synack_retries, up_to(5));
      if (t == 3) tune(tunable::abort_on_overflow, up_to(1));
      if (t == 4) tune(tunable::defer_accept, up_to(3) == 0 ? up_to(9) : 0);
    }
    CHECK(same(a, b));
    CHECK(library.request_count() == floor.request_count());
    CHECK(library.young_count() == floor.young_count());
    CHECK(library.accept_count() == floor.accept_count());
    CHECK(library.next_deadline() == floor.next_deadline());
    CHECK(library.counters() == floor.counters());
  }
};

}  // namespace

// A floor that forgets a check would be faster for nothing, and the comparison a lie.
TEST_CASE("the hand-written floor and linux_6_18 do the same with random events") {
  std::array<std::uint32_t, verdict_count> seen{};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    pair_of_listeners both{seed, static_cast<std::uint32_t>(seed % 9)};
    for (int i = 0; i < 250; ++i) both.step();
    for (const verdict v : both.seen) ++seen[static_cast<std::size_t>(v)];
  }
  // What it must have come across for that to mean anything.
  for (const verdict v : {verdict::admitted,
                          verdict::cookie_sent,
                          verdict::dropped_request_full,
                          verdict::dropped_accept_full,
                          verdict::dropped_last_quarter,
                          verdict::dropped_refused,
                          verdict::duplicate_syn,
                          verdict::wrong_ack,
                          verdict::cookie_in_vain,
                          verdict::out_of_window,
                          verdict::wrong_timestamp,
                          verdict::challenged,
                          verdict::request_reset,
                          verdict::request_reset_by_syn,
                          verdict::no_ack,
                          verdict::deferred,
                          verdict::promoted,
                          verdict::overflow_kept,
                          verdict::overflow_reset,
                          verdict::cookie_promoted,
                          verdict::cookie_overflow,
                          verdict::stray,
                          verdict::ignored}) {
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[static_cast<std::size_t>(v)] > 0);
  }
}
