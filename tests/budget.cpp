// SPDX-License-Identifier: BSL-1.0
// Budgets in a listener: what they are worth under a flood, and that they count exactly the requests there are, whoever
// ends them. The models alone are in policy/prefix_budget.cpp and policy/shared_budget.cpp.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/queue/shared_requests.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using gates_with_budget = in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue,
                                   gates::refusal, gates::last_quarter>;
using cookieless = with<preset::linux_6_18, cookies<no_cookies>>;
template <class B, class Base = cookieless>
using budgeted = with<Base, budget<B>, admission<gates_with_budget>>;

template <addressing A>
basic_segment<A> from(typename A::address a, std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
  basic_segment<A> s;
  s.source = {a, port};
  s.destination = {test::host<A>(1), 80};
  s.flags = f;
  s.seq = seq;
  s.ack = ack;
  return s;
}
segment syn(ipv4::address a, std::uint16_t port) { return from<ipv4>(a, port, flag::syn, 7); }

/// Ten seconds: 1,000 SYNs a second from one /24, 20 honest clients a second from elsewhere that ACK 100 ms later; the
/// application accepts at once. How many of the honest ones get through, of 200.
template <class L>
int honest_under_flood() {
  L l{siphash<>{{2002, 4987}}};
  l.listen(128);
  null_sink out;
  std::vector<std::pair<instant, segment>> acks;
  int through = 0;
  for (std::uint32_t ms = 0; ms < 10200; ++ms) {
    const instant now = ms * millisecond;
    while (l.next_deadline() && *l.next_deadline() <= now) l.tick(now, out);
    if (ms < 10000) {
      l.receive(syn({0xcb007100U + ms % 256}, static_cast<std::uint16_t>(1024 + ms)), now, out);  // 203.0.113.0/24
      if (ms % 50 == 0) {
        const ipv4::address a{0x0a000000U + (ms << 8)};
        const auto step = l.receive(syn(a, 5000), now);
        if (step.outcome.verdict == verdict::admitted) {
          acks.emplace_back(now + 100 * millisecond, from<ipv4>(a, 5000, flag::ack, 8, step.reply->seq + 1));
        }
      }
    }
    for (const auto& [when, ack] : acks) {
      if (when == now && l.receive(ack, now, out).verdict == verdict::promoted) ++through;
    }
    while (l.accept(now)) {
    }
  }
  return through;
}

}  // namespace

// What it is for. The flood fills listen(128) in an eighth of a second; a budget leaves three quarters to everybody
// else.
TEST_CASE("1,000 SYNs a second from one /24: without a budget hardly anybody gets through, with one everybody does") {
  CHECK(honest_under_flood<cookieless>() <= 6);
  CHECK(honest_under_flood<budgeted<per_prefix<24, 64>>>() == 200);
  using old = with<preset::linux_3_12, tunables<defaults<tuned<tunable::somaxconn, 128>, tuned<tunable::syncookies, 0>,
                                                         tuned<tunable::max_syn_backlog, 1024>>>>;
  CHECK(honest_under_flood<old>() <= 12);
  CHECK(honest_under_flood<budgeted<per_prefix<24, 64>, old>>() == 200);
}

// The share is the listener's affair: it follows from what listen() yields, and a second listen() is told, too.
TEST_CASE("the share follows the limit of listen()") {
  budgeted<per_prefix<24, 64>> l;
  l.listen(127);
  CHECK(l.budget().share() == 32);
  l.listen(15);
  CHECK(l.budget().share() == 4);
  null_sink out;
  int in = 0;
  for (std::uint8_t i = 0; i < 20; ++i) in += l.receive(syn(ip(1, 2, 3, i), 9), 0, out).verdict == verdict::admitted;
  CHECK(in == 4);
  CHECK(l.receive(syn(ip(1, 2, 3, 99), 9), 0, out).verdict == verdict::dropped_over_budget);
  CHECK(l.receive(syn(ip(1, 2, 3, 0), 9), 0, out).verdict == verdict::duplicate_syn);
}

TEST_CASE("an IPv6 /64 is one peer, another one is not") {
  using l6 = budgeted<per_prefix<>, with<cookieless, family<ipv6>>>;
  l6 l;
  l.listen(15);
  null_sink out;
  const auto try_from = [&](std::uint32_t network, std::uint32_t host) {
    return l.receive(from<ipv6>(ipv6::address{{0x20010db8, network, host * 77, host}}, 9, flag::syn, 7), 0, out)
        .verdict;
  };
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(try_from(1, i) == verdict::admitted);
  CHECK(try_from(1, 4) == verdict::dropped_over_budget);
  CHECK(try_from(2, 4) == verdict::admitted);
}

// A departure that nobody is told of: the budget would fill up for ever. Cookies, overflow, close, re-listen, timers.
TEST_CASE("a budget counts exactly the live requests, through everything that can end one") {
  using l = budgeted<every<per_prefix<24, 64, exactly<3>, 16, 2>, per_prefix<8, 64, times<1>>>,
                     with<cookieless, request_full<evict_random>, send_failure<fatal>, closing<abort_requests>>>;
  script<l> s{5};
  std::uint32_t random = 1;
  for (int i = 0; i < 4000; ++i) {
    random = random * 1664525U + 1013904223U;
    const int peer = static_cast<int>((random >> 8) % 25);
    switch ((random >> 16) % 12) {
      case 0:
        s.ack(peer);
        break;
      case 1:
        s.rst(peer);
        break;
      case 2:
        s.now += 700 * millisecond;
        s.tick(s.now);
        break;
      case 3:
        s.listener.accept();
        break;
      case 4:
        s.send(peer, {.flags = flag::syn, .seq = 5});
        break;
      case 5:
        if (i % 50 == 0) s.listener.close(s.out, s.now), s.listener.listen(static_cast<int>(random >> 20) % 9, s.now);
        break;
      case 6:
        s.out.answer = i % 3 == 0 ? send_result::failed : send_result::sent;
        break;
      case 7:
        s.listener.unreachable(test::tuple(peer), s.iss(peer), s.now);
        break;
      default:
        s.syn(peer);
    }
    REQUIRE(s.listener.budget_balanced());
  }
  s.out.answer = send_result::sent;
  s.listener.close(s.out, s.now);
  CHECK(s.listener.request_count() == 0);
  CHECK(s.listener.budget().first.used(test::tuple(0)) == 0);
  CHECK(s.listener.budget_balanced());
}

// --- several listeners
// ------------------------------------------------------------------------------------------------

TEST_CASE("listeners with one pool of slots: the busy one leaves the other its reserve, and gives back what it had") {
  slot_pool<> slots{20};
  using l = budgeted<shared_budget<>>;
  using wide = with<l, sizing<pipeline<exactly<100>>>>;
  l quiet{shared_budget<>{&slots, 5}};
  {
    wide busy{shared_budget<>{&slots}};
    REQUIRE(busy.listen(1));
    REQUIRE(quiet.listen(50));
    null_sink out;
    for (std::uint16_t i = 0; i < 40; ++i) busy.receive(syn(ip(1, 1, 1, 1), i), 0, out);
    CHECK(busy.request_count() == 15);
    for (std::uint16_t i = 0; i < 40; ++i) quiet.receive(syn(ip(1, 1, 1, 1), i), 0, out);
    CHECK(quiet.request_count() == 5);
    CHECK(busy.budget_balanced());
    CHECK(quiet.budget_balanced());
  }
  null_sink out;
  for (std::uint16_t i = 0; i < 40; ++i) quiet.receive(syn(ip(1, 1, 1, 1), i), 0, out);
  CHECK(quiet.request_count() == 20);
}

TEST_CASE("without a pool for its budget listen() fails by name and changes nothing") {
  budgeted<shared_budget<>> l;
  CHECK(l.listen(5).status == listen_status::no_share);
  CHECK_FALSE(l.listening());
  slot_pool<> slots{3};
  budgeted<every<per_prefix<>, shared_budget<>>> greedy{shared_budget<>{&slots, 4}};
  CHECK(greedy.listen(5).status == listen_status::no_share);
  budgeted<every<per_prefix<>, shared_budget<>>> modest{shared_budget<>{&slots, 3}};
  CHECK(modest.listen(5));
}

// The neighbour's budget must hear of it: else it counts a request for ever that is gone.
TEST_CASE("a request that a neighbour evicts leaves its own listener's budget") {
  using pool = shared_requests<>;
  using l =
      budgeted<per_prefix<24, 64, exactly<3>>, with<cookieless, requests<borrowed<pool>>, request_full<evict_oldest>,
                                                    sizing<pipeline<exactly<9>>>, clockwork<exact<>>>>;
  pool p(4);
  l a{borrowed<pool>{&p}};
  l b{borrowed<pool>{&p}};
  REQUIRE(a.listen(9));
  REQUIRE(b.listen(9));
  null_sink out;
  for (std::uint8_t i = 0; i < 3; ++i) a.receive(syn(ip(1, 1, 1, i), 9), 0, out);
  CHECK(a.receive(syn(ip(1, 1, 1, 9), 9), 0, out).verdict == verdict::dropped_over_budget);
  for (std::uint8_t i = 0; i < 3; ++i) CHECK(b.receive(syn(ip(i, 1, 1, 1), 9), 0, out).verdict == verdict::admitted);
  CHECK(a.request_count() == 1);
  CHECK(a.lost_to_neighbours() == 2);
  CHECK(a.budget().used(four_tuple{ip(1, 1, 1, 1), {}, 1, 1}) == 1);
  CHECK(a.budget_balanced());
  CHECK(b.budget_balanced());
  CHECK(b.lost_to_neighbours() == 0);
  CHECK(a.receive(syn(ip(1, 1, 1, 9), 9), 0, out).verdict == verdict::admitted);
}

namespace {

/// Notes why the last request left.
struct noting {
  departure why = departure::closed;
  int here = 0;
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) noexcept {
    return true;
  }
  template <addressing A>
  constexpr void entered(const basic_four_tuple<A>&) noexcept {
    ++here;
  }
  template <addressing A>
  constexpr void left(const basic_four_tuple<A>&, departure d) noexcept {
    why = d;
    --here;
  }
};
using noted_gates = in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue>;
template <class Base>
using noted = with<Base, budget<noting>, admission<noted_gates>>;

template <class S>
bool left_as(const S& s, departure d) {
  return s.listener.request_count() == 0 && s.listener.budget().here == 0 && s.listener.budget().why == d;
}

}  // namespace

// A budget that punishes who lets requests expire, told that they were promoted, punishes nobody.
TEST_CASE("a budget is told why a request has left") {
  {
    script<noted<cookieless>> s{4};
    s.connect(0, 0);
    CHECK(left_as(s, departure::promoted));
    s.syn(1);
    s.send(1, {.flags = flag::rst, .seq = 1});
    CHECK(left_as(s, departure::reset));
    s.syn(1);
    s.listener.unreachable(test::tuple(1), s.iss(1), s.now, icmp_error::port_unreachable);
    s.run_until(at(200));
    CHECK(s.listener.request_count() == 0);
    s.syn(2);
    s.run_until(s.now + at(200));
    CHECK(left_as(s, departure::expired));
  }
  {
    script<noted<with<cookieless, accept_full_at_ack<forget>, accept_full_at_syn<admit>>>> s{0};
    s.connect(0, 0);
    s.syn(1), s.ack(1);
    CHECK(s.last.verdict == verdict::overflow_forgotten);
    CHECK(left_as(s, departure::overflow));
  }
  {
    script<noted<with<cookieless, accept_full_at_ack<reset>, accept_full_at_syn<admit>>>> s{0};
    s.connect(0, 0);
    s.syn(1), s.ack(1);
    CHECK(s.last.verdict == verdict::overflow_reset);
    CHECK(left_as(s, departure::overflow));
  }
  {
    script<noted<with<cookieless, validation<freebsd_validation>>>> s{4};
    s.syn(1);
    s.out.answer = send_result::failed;
    CHECK(s.syn(1) == verdict::duplicate_unsent);
    CHECK(left_as(s, departure::send_failed));
  }
  {
    // Two buckets of one: the second request of a bucket throws the first out, and then there is a pause.
    using resting = with<cookieless, sizing<syncache<1, 1>>, request_full<evict_in_bucket>,
                         cookies<pausing<in_every_iss<freebsd_13_cookie>>>>;
    script<noted<resting>> s{4};
    s.syn(1), s.syn(2);
    CHECK(s.listener.budget().why == departure::evicted);
    CHECK(s.listener.budget().here == 1);
    s.run_until(at(2));
    CHECK(left_as(s, departure::expired));
  }
}
