// SPDX-License-Identifier: BSL-1.0
// detail/on_syn.hpp: who makes room for whom, who hears of it, and what a syncache notes of it.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "detail/support.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using plain = with<preset::linux_6_18, cookies<no_cookies>>;

// Both queues share the slots, and a request goes where the accept queue has no room.
using shared_slots = with<plain, waiting<sum_to_backlog>>;

// A syncache in which peer n is in bucket n modulo 8.
template <class Sizing, class RequestFull, class... More>
using cache =
    listener<hashing<test::by_number>, sizing<Sizing>, request_full<RequestFull>, admission<syncache_gates>, More...>;
using resting = cookies<pausing<in_every_iss<freebsd_13_cookie>>>;

template <class... Options>
struct opts {
  template <class L>
  using on = with<L, Options...>;
};

template <class S>
instant overflowed(const S& s, int peer) {
  return s.listener.bucket_overflow(test::tuple(peer));
}

}  // namespace

// --- what a bucket notes ------------------------------------------------------------------------------------------

// FreeBSD opens its window, and pauses, by these times.
TEST_CASE("a bucket that is full notes when, and a pause begins, even if the SYN is only dropped") {
  script<cache<syncache<8, 2>, drop, resting>> s{3};
  s.syn(1), s.syn(9);
  CHECK(overflowed(s, 1) < 0);
  s.now = at(5);
  CHECK(s.syn(17) == verdict::dropped_request_full);
  CHECK(s.last.stages.has(stage::bucket_full));
  CHECK(overflowed(s, 1) == at(5));
  CHECK(overflowed(s, 2) < 0);
  CHECK(s.syn(2) == verdict::cookie_sent);  // in the pause cookies are all there is
  CHECK(!s.waits(2));
}

TEST_CASE("the whole full and the bucket not: its oldest goes, the bucket notes it, and a pause begins") {
  script<cache<syncache<8, 4, 3>, evict_in_bucket, resting>> s{3};
  s.syn(1), s.syn(9), s.syn(2);
  s.now = at(5);
  CHECK(s.syn(17) == verdict::admitted);
  CHECK(!s.last.stages.has(stage::bucket_full));
  CHECK(overflowed(s, 1) == at(5));
  CHECK(s.syn(10) == verdict::cookie_sent);  // and not in the place of the other one of its bucket
  CHECK(s.waits(2));
}

TEST_CASE("NetBSD takes the next bucket's oldest, and the newcomer's bucket has not overflowed") {
  script<cache<syncache<8, 4, 3>, evict_from_here_on>> s{3};
  s.syn(1), s.syn(2), s.syn(3);
  s.now = at(5);
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK(s.listener.request_count() == 3);
  CHECK(overflowed(s, 0) < 0);
  CHECK(overflowed(s, 1) < 0);
}

// Without a secret of its own a reseeded cache is one that everybody can aim at.
TEST_CASE("a reseeded syncache puts a newcomer where its secret says") {
  using l = cache<syncache<8, 4, 32, reseeded<1000>>, evict_in_bucket>;
  script<l> s{3};
  const auto place = [](std::uint64_t seed, std::uint32_t hash) {
    const std::uint64_t mixed = (hash ^ (seed >> 32)) * (2 * seed + 1);
    return static_cast<std::uint32_t>(mixed / 0x100000000U % 8);
  };
  struct draws {
    static std::uint64_t hash(const std::uint32_t* words, std::size_t n) noexcept {
      return n == 2 ? 0x7123456789abcdefU + words[0] : test::by_number::hash(words, n);
    }
  };
  script<with<l, hashing<draws>>> drawn{3};
  drawn.syn(0);
  for (const int peer : {0, 1, 2, 3, 4, 5, 6, 70, 800}) {
    CHECK(drawn.listener.bucket_of(test::tuple(peer)) == place(0x7123456789abcdefU, static_cast<std::uint32_t>(peer)));
  }
}

// A set that its last newcomer has used up takes no more; a request in it has not moved.
TEST_CASE("a request of a reseeded syncache is in its old bucket when newcomers go to the other set") {
  script<cache<syncache<8, 4, 32, reseeded<2>>, evict_in_bucket>> s{3};
  const std::uint32_t before = s.listener.bucket_of(test::tuple(0));
  s.syn(0);
  const std::uint32_t stored = s.listener.bucket_of(test::tuple(0));
  s.syn(1);
  CHECK(before < 8);
  CHECK(s.listener.bucket_of(test::tuple(0)) == stored);
  CHECK(s.listener.bucket_length(stored) > 0);
  CHECK(s.listener.bucket_of(test::tuple(2)) >= 8);
}

// --- who makes room -----------------------------------------------------------------------------------------------

// The RST is that policy's affair whose gate asked.
TEST_CASE(
    "evicted for the accept queue: the peer hears of it if that gate's policy tells, whatever the other one does") {
  script<with<shared_slots, accept_full_at_syn<told<evict_oldest>>>> tells{1};
  tells.syn(0);
  CHECK(tells.syn(1) == verdict::admitted);
  CHECK(tells.last.stages.has(stage::evicted_reset));
  CHECK(tells.out[tells.out.count - 2].flags.has(flag::rst));
  CHECK(!tells.waits(0));
  script<with<shared_slots, accept_full_at_syn<evict_oldest>, request_full<told<evict_oldest>>>> silent{1};
  silent.syn(0);
  CHECK(silent.syn(1) == verdict::admitted);
  CHECK(!silent.last.stages.has(stage::evicted_reset));
  CHECK(silent.out.count == 2);
}

TEST_CASE("one request is enough to make room, none is not, and then no later gate is asked") {
  using l = with<shared_slots, accept_full_at_syn<evict_oldest>>;
  script<l> s{1};
  s.connect(0, 0);
  s.facts.refused = true;  // what the gate behind says
  CHECK(s.syn(1) == verdict::dropped_accept_full);
  CHECK(!s.last.stages.has(stage::evicted));
  s.facts.refused = false;
  s.listener.accept();
  s.syn(1);
  CHECK(s.syn(2) == verdict::admitted);
  CHECK(s.waits(2));
  CHECK(!s.waits(1));
  s.facts.refused = true;
  CHECK(s.syn(3) == verdict::dropped_refused);
  CHECK(s.waits(2));
}

namespace {

template <syn_answer Answer>
struct answers {
  static constexpr syn_answers evictions{Answer};
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return Answer; }
};

}  // namespace

TEST_CASE("drop at a full accept queue is a drop there, and evicts nobody") {
  script<with<shared_slots, accept_full_at_syn<drop>>> s{1};
  s.syn(0);
  s.facts.refused = true;
  CHECK(s.syn(1) == verdict::dropped_accept_full);
  CHECK(s.waits(0));
  script<with<shared_slots, accept_full_at_syn<answers<syn_answer::drop_and_evict_most_retried>>>> both{1};
  both.syn(0);
  both.facts.refused = true;
  CHECK(both.syn(1) == verdict::dropped_accept_full);
  CHECK(both.waits(0));
}

namespace {

// Says that it may ask for `Named`, and asks for `Asked`.
template <syn_answer Named, syn_answer Asked = syn_answer::evict_oldest>
struct names {
  static constexpr syn_answers evictions{Named};
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return Asked; }
};

}  // namespace

// Whoever goes instead has been chosen by a rule that nobody asked for.
TEST_CASE("an eviction that the policy has not named finds nobody: the SYN is dropped") {
  const auto answer = [](auto s) {
    s.syn(0);
    s.syn(1);
    const bool first_is_left = s.waits(0);
    CHECK(!s.last.stages.has(stage::evicted));
    return first_is_left ? s.last.verdict : verdict::promoted;
  };
  using one = with<plain, sizing<pipeline<exactly<1>>>>;
  CHECK(answer(script<with<one, request_full<names<syn_answer::evict_random>>>>{3}) == verdict::dropped_request_full);
  CHECK(answer(script<with<one, request_full<names<syn_answer::evict_most_retried>>>>{3}) ==
        verdict::dropped_request_full);
  CHECK(answer(script<cache<syncache<1, 1>, names<syn_answer::evict_in_bucket>>>{3}) == verdict::dropped_request_full);
  CHECK(answer(script<cache<syncache<1, 1>, names<syn_answer::evict_from_here_on>>>{3}) ==
        verdict::dropped_request_full);
}

namespace {

std::uint32_t next_draw = 0;
struct chosen_draws {
  static std::uint64_t hash(const std::uint32_t* words, std::size_t n) noexcept {
    if (n > 2) return test::by_number::hash(words, n);
    const std::uint64_t draw = next_draw;
    next_draw += 0x10000001U;
    return draw << 32;
  }
};

}  // namespace

// One in Q or in Q + 2 is a difference that no small sample shows.
TEST_CASE("a random one or nobody: with three requests, nobody for the lowest quarter of the numbers drawn") {
  using l = with<plain, hashing<chosen_draws>, sizing<pipeline<exactly<3>>>,
                 request_full<names<syn_answer::evict_random_or_none, syn_answer::evict_random_or_none>>>;
  const auto nobody = [](std::uint32_t draw) {
    script<l> s{3};
    s.syn(0), s.syn(1), s.syn(2);
    next_draw = draw;
    s.syn(3);
    CHECK(s.listener.request_count() == 3);
    CHECK(s.waits(3) == (s.last.verdict == verdict::admitted));
    return s.last.verdict == verdict::dropped_request_full;
  };
  CHECK(nobody(0));
  CHECK(nobody(0x3fffffffU));
  CHECK(!nobody(0x40000000U));
  CHECK(!nobody(0x7fffffffU));
  CHECK(!nobody(0x80000000U));
  CHECK(!nobody(0xffffffffU));
}

TEST_CASE("two gates ask for room: who asked first says how, whichever gate that is") {
  using full_at_one = with<plain, sizing<pipeline<exactly<1>>>, waiting<sum_to_backlog>>;
  using requests_first =
      with<full_at_one, admission<in_order<gates::known_request, gates::request_queue, gates::accept_queue>>>;
  using accept_first =
      with<full_at_one, admission<in_order<gates::known_request, gates::accept_queue, gates::request_queue>>>;
  const auto told_of_it = [](auto s) {
    s.syn(0);
    CHECK(s.syn(1) == verdict::admitted);
    CHECK(!s.waits(0));
    return s.last.stages.has(stage::evicted_reset);
  };
  using at_requests = opts<request_full<told<evict_oldest>>, accept_full_at_syn<evict_oldest>>;
  using at_accept = opts<request_full<evict_oldest>, accept_full_at_syn<told<evict_oldest>>>;
  CHECK(told_of_it(script<at_requests::on<requests_first>>{1}));
  CHECK(!told_of_it(script<at_requests::on<accept_first>>{1}));
  CHECK(!told_of_it(script<at_accept::on<requests_first>>{1}));
  CHECK(told_of_it(script<at_accept::on<accept_first>>{1}));
}

// A neighbour's request has made room, or one of its own: only the first is lost to a neighbour.
TEST_CASE("over a pool: who has no request evicts a neighbour's, who evicts its own has lost none to a neighbour") {
  using pool = shared_requests<ipv4, 2, tie_order::newest_first>;
  using l = with<plain, requests<borrowed<pool>>, request_full<evict_oldest>, sizing<pipeline<exactly<9>>>>;
  pool p{2};
  l a{borrowed<pool>{&p}}, b{borrowed<pool>{&p}};
  REQUIRE(a.listen(8));
  REQUIRE(b.listen(8));
  test::recorder<> out;
  const auto syn = [&out](l& to, int peer) {
    return to.receive({test::tuple(peer).peer(), test::tuple(peer).local(), 7, 0, flag::syn}, 0, out, {}).verdict;
  };
  syn(a, 0), syn(a, 1);
  CHECK(syn(a, 2) == verdict::admitted);
  CHECK(a.request_count() == 2);
  CHECK(a.lost_to_neighbours() == 0);
  CHECK(syn(b, 3) == verdict::admitted);
  CHECK(b.request_count() == 1);
  CHECK(a.lost_to_neighbours() == 1);
}

TEST_CASE("the last quarter of max_syn_backlog: the SYN is dropped, and the outcome says for what") {
  script<plain> s{20};
  s.listener.set(tunable::syncookies, 0);
  s.listener.set(tunable::max_syn_backlog, 4);
  for (int i = 0; i < 4; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(4) == verdict::dropped_last_quarter);
  CHECK(s.out.count == 4);
}

// --- cookies ------------------------------------------------------------------------------------------------------

// The low bits of the timestamp are the cookie's: a clock that is 1 ms ahead shows at the 64th.
TEST_CASE("a cookie's timestamp is this millisecond's") {
  script<with<preset::linux_6_18, cookies<always<linux_6_18_cookie>>, hashing<test::by_number>>> s{3};
  tcp_options o;
  o.timestamps = true;
  o.ts_value = 1;
  const auto sent_at = [&](instant ms) {
    s.now = ms * millisecond;
    s.syn(0, o);  // hash 0: no shift; no window scale: 15
    return s.out.last().options.ts_value;
  };
  CHECK(sent_at(78) == 15);
  CHECK(sent_at(79) == 64 + 15);
  CHECK(sent_at(127) == 64 + 15);
  CHECK(sent_at(128) == 64 + 15);
}

TEST_CASE("a SYN for which there is no memory gets a cookie only where every ISS is one") {
  struct always_admit {
    static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return syn_answer::admit; }
  };
  using l = with<preset::linux_6_18, request_full<always_admit>, storage<fixed<2>>>;
  const auto third = [](auto&& s) {
    s.syn(0), s.syn(1);
    return s.syn(2);
  };
  using freebsd = with<l, cookies<in_every_iss<freebsd_13_cookie, freebsd_13_cookie::keys, any_time>>>;
  CHECK(third(script<freebsd>{1}) == verdict::cookie_sent);
  script<freebsd> says{1};
  third(says);
  CHECK(says.last.stages.has(stage::cookie_in_iss));
  // The same where no gate is closed to it.
  script<freebsd> chosen{1};
  chosen.syn(0), chosen.syn(1);
  chosen.facts.isn = 77;
  CHECK(chosen.syn(2) == verdict::cookie_sent);
  CHECK(third(script<with<l, cookies<no_cookies>>>{1}) == verdict::dropped_no_memory);
  script<l> off{1};
  off.listener.set(tunable::syncookies, 0);
  CHECK(third(off) == verdict::dropped_no_memory);
  using pressed = with<l, cookies<under_pressure<linux_6_18_cookie>>, sizing<pipeline<exactly<2>>>,
                       admission<in_order<gates::known_request, gates::request_queue>>>;
  script<pressed> s{1};
  s.syn(0), s.syn(1);
  CHECK(s.syn(2) == verdict::cookie_sent);
}

namespace {

// Asks for the oldest to make room, and has not said that it may.
struct asks_unnamed {
  static constexpr syn_answers evictions{syn_answer::evict_random};
  static constexpr syn_answer on_accept_full(const overflow_facts&) noexcept { return syn_answer::evict_oldest; }
};

}  // namespace

// The cookie would be answered by an ACK for which the accept queue has no room either.
TEST_CASE("a cookie instead of a request is not sent where the accept queue wants room and nobody can go") {
  using l = with<preset::linux_6_18, sizing<pipeline<exactly<1>>>, waiting<sum_to_backlog>>;
  script<with<l, accept_full_at_syn<asks_unnamed>>> s{1};
  s.syn(0);
  CHECK(s.syn(1) == verdict::dropped_accept_full);
  CHECK(s.last.stages.has(stage::cookie_wanted));
  CHECK(s.out.count == 1);
  script<with<l, accept_full_at_syn<evict_oldest>>> room{1};
  room.syn(0);
  CHECK(room.syn(1) == verdict::cookie_sent);
  CHECK(!room.waits(0));
}

// --- a known request behind gates ---------------------------------------------------------------------------------

// Only a bare SYN meets the gates that stand before the lookup; anything else of a known peer is its request's.
TEST_CASE("NetBSD's gates: a full accept queue stops no segment of a request but its SYN") {
  script<with<plain, admission<bsd_gates>>> s{1};
  s.syn(0);
  s.connect(1, 2);
  REQUIRE(s.listener.accept_full());
  CHECK(s.send(0, {.flags = flag::psh, .seq = 1, .bytes = 3}) == verdict::no_ack);
  CHECK(s.send(0, {.flags = flag::syn | flag::ack, .seq = 1, .ack = 5}) == verdict::wrong_ack);
  CHECK(s.syn(0) == verdict::dropped_accept_full);
  CHECK(s.send(0, {.flags = flag::syn | flag::rst, .seq = 1}) == verdict::request_reset);
}

// Once it is through the gates that stand before, it is its request's affair and no later gate's.
TEST_CASE("NetBSD's gates: where they are open, a request's SYN is answered again") {
  script<with<plain, admission<bsd_gates>>> s{1};
  s.syn(0);
  s.now = at(0.6);
  CHECK(s.syn(0) == verdict::duplicate_syn);
  CHECK(s.out.count == 2);
  CHECK(s.listener.request_count() == 1);
}

TEST_CASE("under pressure: a SYN whose ISN is chosen, and for which there is no memory, gets no cookie") {
  script<with<preset::linux_6_18, storage<fixed<2>>>> s{1};
  s.syn(0), s.syn(1);
  s.facts.isn = 77;
  CHECK(s.syn(2) == verdict::dropped_no_memory);
  CHECK(!s.last.stages.has(stage::cookie_in_iss));
  CHECK(s.out.count == 2);
}
