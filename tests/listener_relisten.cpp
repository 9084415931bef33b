// SPDX-License-Identifier: BSL-1.0
// listener.hpp: listen() again with another number, preset by preset. kernels.md 5 and 6, invariant 37: nobody is lost,
// and the new number counts at once; where requests have a limit of their own, that is sized once.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

using modern = with<preset::linux_6_18, cookies<no_cookies>>;

/// Fills both queues: `a` wait for accept(), then requests from peer 100 on until one is refused; how many those are.
template <class L>
int fill(script<L>& s, int a) {
  s.connect(0, a - 1);
  int q = 0;
  while (q < 400 && s.syn(100 + q) == verdict::admitted) ++q;
  return q;
}

}  // namespace

TEST_CASE("listen says whether it started, changed the backlog, or changed nothing") {
  modern l;
  CHECK(l.listen(4).effect == listen_effect::started);
  CHECK(l.listen(4).effect == listen_effect::none);
  CHECK(l.listen(5).effect == listen_effect::backlog_changed);
  script<modern> s{4};
  s.listener.close(s.out);
  CHECK(s.listener.listen(4).effect == listen_effect::started);
  with<modern, storage<fixed<5>>> small;
  CHECK(small.listen(9).effect == listen_effect::none);
  CHECK(small.listen(4).effect == listen_effect::started);
  CHECK(small.listen(9).effect == listen_effect::none);
}

// On an old kernel only the accept queue's number changes, and that is a change.
TEST_CASE("where requests are sized once, a new backlog is still a change") {
  preset::linux_3_12 l;
  l.listen(1);
  CHECK(l.listen(2).effect == listen_effect::backlog_changed);
  CHECK(l.request_limit() == 16);
}

namespace {

struct relisten_row {
  int from, to;
  std::uint32_t limit_before, limit_after;
};

template <class L>
void check_rows(const std::vector<relisten_row>& rows) {
  for (const relisten_row& r : rows) {
    CAPTURE(r.from);
    CAPTURE(r.to);
    script<L> s{r.from};
    CHECK(s.listener.request_limit() == r.limit_before);
    const int q = fill(s, r.from / 2);
    CHECK(q == static_cast<int>(r.limit_before));
    std::vector<instant> deadlines;
    for (int i = 0; i < q; ++i) deadlines.push_back(s.request(100 + i).deadline);
    const auto next = s.listener.next_deadline();
    REQUIRE(s.listener.listen(r.to));
    CHECK(s.listener.request_limit() == r.limit_after);
    CHECK(s.listener.backlog() == static_cast<std::uint32_t>(r.to));
    // Nobody is lost, nobody's clock has moved.
    CHECK(s.listener.request_count() == r.limit_before);
    CHECK(s.listener.young_count() == r.limit_before);
    CHECK(s.listener.accept_count() == static_cast<std::uint32_t>(r.from / 2));
    CHECK(s.listener.next_deadline() == next);
    for (int i = 0; i < q; ++i) {
      REQUIRE(s.waits(100 + i));
      CHECK(s.request(100 + i).deadline == deadlines[static_cast<std::size_t>(i)]);
    }
    // Newcomers: as many as the limit in force has room for. (Old kernels also refuse them while two young ones wait at
    // a full accept queue.)
    int more = 0;
    const bool shut = s.listener.accept_full();
    while (more < 400 && s.syn(600 + more) == verdict::admitted) ++more;
    const int room = static_cast<int>(r.limit_after) - static_cast<int>(r.limit_before);
    CHECK(more == (room > 0 && !shut ? room : 0));
    // Those above a smaller limit can still finish.
    while (s.listener.accept()) {
    }
    for (int i = 0; i < q; ++i) {
      const bool fits = i <= r.to;
      CHECK(s.ack(100 + i) == (fits ? verdict::promoted : verdict::overflow_kept));
    }
    CHECK(s.listener.accept_count() == static_cast<std::uint32_t>(q < r.to + 1 ? q : r.to + 1));
  }
}

}  // namespace

TEST_CASE("listen again on 6.18: both limits follow, up and down") {
  check_rows<modern>({{4, 40, 5, 41}, {40, 4, 41, 5}, {4, 0, 5, 1}, {8, 200, 9, 201}, {200, 8, 201, 9}, {5, 5, 6, 6}});
}
TEST_CASE("listen again with the rule of 4.4 to 2024: both limits follow, and zero admits nobody") {
  check_rows<with<modern, sizing<same_as_backlog>>>({{4, 40, 4, 40}, {40, 4, 40, 4}, {4, 0, 4, 0}});
}
TEST_CASE("listen again on 3.12 and 2.6.32: the table stays as large as the first listen made it") {
  check_rows<preset::linux_3_12>({{4, 40, 16, 16}, {40, 4, 64, 64}, {4, 100, 16, 16}, {100, 0, 128, 128}});
  check_rows<preset::linux_2_6_32>({{4, 40, 16, 16}, {40, 4, 64, 64}});
}
TEST_CASE("listen again where a syncache holds the requests: its room is not listen's business") {
  using cache = with<modern, sizing<syncache<8, 8, 20>>, request_full<drop>, admission<syncache_gates>>;
  script<cache> s{4};
  const std::uint32_t before = s.listener.request_limit();
  s.syn(0), s.syn(1);
  CHECK(s.listener.listen(40));
  CHECK(s.listener.request_limit() == before);
  CHECK(s.waits(0));
  CHECK(s.ack(1) == verdict::promoted);
}

// A table that grows and is not spread anew finds nobody; one that is spread while the chains are walked, the wrong
// one.
TEST_CASE("a table that has grown finds everybody, drops the right one, and sweeps all") {
  const auto run = []<class L>(script<L> s, int first_backlog) {
    REQUIRE(s.listener.listen(first_backlog));
    const int q = fill(s, 0);
    REQUIRE(s.listener.listen(300));
    for (int i = 0; i < q; i += 3) CHECK(s.rst(100 + i) == verdict::request_reset);
    for (int i = 0; i < q; ++i) CHECK(s.waits(100 + i) == (i % 3 != 0));
    s.run_until(at(1000));
    CHECK(s.listener.request_count() == 0);
    CHECK_FALSE(s.listener.next_deadline());
  };
  run(script<modern>{1}, 63);
  run(script<with<modern, clockwork<sweep<>>>>{1}, 63);
}

// The limit for old requests under pressure is the new one's, at the next timer.
TEST_CASE("a smaller backlog makes a crowded queue of a quiet one, and timers notice") {
  script<modern> s{40};
  for (int i = 0; i < 12; ++i) s.syn(i);
  s.run_until(at(1));
  CHECK(s.listener.young_count() == 0);
  s.listener.listen(4);  // 12 of 5, none of them young: they get two retries instead of five
  s.run_until(at(3.5));
  CHECK(s.listener.request_count() == 12);
  s.run_until(at(7));
  CHECK(s.listener.request_count() < 12);
  script<modern> quiet{40};
  for (int i = 0; i < 12; ++i) quiet.syn(i);
  quiet.run_until(at(7));
  CHECK(quiet.listener.request_count() == 12);
}

// A ring of waiting connections that had wrapped round, and then grows.
TEST_CASE("growing keeps the order of those who wait, wherever the ring's head stands") {
  for (int head = 0; head < 5; ++head) {
    script<modern> s{4};
    int next = 0;
    int out = 0;
    for (int i = 0; i < head; ++i) {
      s.connect(next, next), ++next;
      CHECK(s.listener.accept().handle == tuple(out++));
    }
    s.connect(next, next + 4), next += 5;
    s.listener.listen(9);
    s.connect(next, next + 4), next += 5;
    while (out < next) CHECK(s.listener.accept().handle == tuple(out++));
    CHECK(s.listener.accept().status == accept_status::would_block);
  }
}

TEST_CASE("A > N after shrinking: a final ACK waits for two to be accepted, not one") {
  script<modern> s{3};
  s.syn(9);
  s.connect(0, 2);
  s.listener.listen(1);
  CHECK(s.ack(9) == verdict::overflow_kept);
  s.listener.accept();
  CHECK(s.ack(9) == verdict::overflow_kept);  // two wait, and two are more than one
  s.listener.accept();
  CHECK(s.ack(9) == verdict::promoted);
}

// Cookies that are on their way would come back to a shut window: an administrator who raises the backlog during a
// flood would throw out all who have got one.
TEST_CASE("listen again: the window of cookies stays as it is, also with another backlog") {
  script<preset::linux_6_18> s{1};
  s.syn(0), s.syn(1);
  REQUIRE(s.syn(2) == verdict::cookie_sent);
  s.listener.listen(3, s.now);
  CHECK(s.ack(2) == verdict::cookie_promoted);
}
