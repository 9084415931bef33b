// SPDX-License-Identifier: BSL-1.0
// Evictions in a listener: whom each answer takes, when nobody is taken, who is told. The models' own answers are in
// policy/eviction.cpp, the odds in eviction_math.cpp.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

using plain = with<preset::linux_6_18, cookies<no_cookies>>;

// A SYN of each peer from `first` to `last` that is not there yet.
template <class S>
void syns(S& s, int first, int last) {
  for (int i = first; i <= last; ++i) s.syn(i);
}

// Peers whose requests belong to `bucket`, the first `count` of them.
template <class S>
std::vector<int> peers_of(const S& s, std::uint32_t bucket, std::size_t count) {
  std::vector<int> found;
  for (int i = 0; found.size() < count && i < 20000; ++i) {
    if (s.listener.bucket_of(tuple(i)) == bucket) found.push_back(i);
  }
  REQUIRE(found.size() == count);
  return found;
}

}  // namespace

// --- random
// -----------------------------------------------------------------------------------------------------------

// A generator that starts anew for each SYN, or that everybody with the default seed shares.
TEST_CASE("evict_random: somebody goes, whom the key decides, the same each time") {
  using l = with<plain, request_full<evict_random>>;
  const auto survivors = [](std::uint64_t key) {
    script<l> s{15, l{siphash<>{{key, 7}}}};
    syns(s, 0, 39);
    CHECK(s.listener.request_count() == 16);
    CHECK(s.last.stages.has(stage::evicted));
    std::vector<int> left;
    for (int i = 0; i < 40; ++i) {
      if (s.waits(i)) left.push_back(i);
    }
    return left;
  };
  CHECK(survivors(1) == survivors(1));
  CHECK(survivors(1) != survivors(2));
  CHECK(survivors(1).front() < 24);  // neither the oldest go nor the newest
  CHECK(survivors(1).back() == 39);  // the newcomer itself is never the victim
}

// --- most retried
// -----------------------------------------------------------------------------------------------------

TEST_CASE("evict_most_retried: who has been asked most often in vain goes first, then who is due first") {
  script<with<plain, request_full<evict_most_retried>>> s{3};
  s.syn(0);
  s.now = at(0.5);
  s.syn(1);
  s.run_until(at(1.2));  // peer 0 has been asked twice
  syns(s, 2, 3);
  s.syn(4);
  CHECK_FALSE(s.waits(0));
  s.syn(5);
  CHECK_FALSE(s.waits(1));  // all young now: the one due first
  CHECK(s.listener.request_count() == 4);
}

// Onload boots the oldest out and drops the SYN all the same; who had sent its ACK hears of it.
TEST_CASE("drop_and_evict_if_both_full: a request goes and the SYN does not come in") {
  using l = with<plain, request_full<drop_and_evict_if_both_full>, accept_full_at_syn<admit>, clockwork<exact<>>>;
  script<l> s{1};
  syns(s, 0, 1);
  CHECK(s.syn(2) == verdict::dropped_request_full);  // the accept queue is empty
  CHECK_FALSE(s.last.stages.has(stage::evicted));
  s.ack(0), s.ack(1);
  syns(s, 3, 4);
  REQUIRE(s.listener.accept_full());
  const std::size_t sent = s.out.count;
  CHECK(s.syn(5) == verdict::dropped_request_full);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.last.stages.has(stage::evicted_reset));
  CHECK(s.out.count == sent);
  CHECK_FALSE(s.waits(3));
  CHECK_FALSE(s.waits(5));
  CHECK(s.ack(4) == verdict::overflow_kept);
  s.syn(6);
  const seq_number iss = s.iss(4);
  CHECK(s.syn(7) == verdict::dropped_request_full);
  CHECK(s.last.stages.has(stage::evicted_reset));
  CHECK_FALSE(s.last.stages.has(stage::answered));
  CHECK(s.out.last().flags == (flag::rst | flag::ack));
  CHECK(s.out.last().destination == tuple(4).peer());
  CHECK(s.out.last().seq == iss + 1);
}

// A row where gates stand before the lookup: the victim can be the very one that sends its SYN again.
TEST_CASE("a duplicate SYN that meets the full gate before the lookup can cost its own request") {
  using l = with<plain, request_full<drop_and_evict_if_both_full>, accept_full_at_syn<admit>,
                 admission<in_order<gates::strict_request_queue, gates::known_request>>>;
  script<l> s{0};
  s.connect(0, 0);
  s.syn(1);
  CHECK(s.syn(1) == verdict::dropped_request_full);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.waits(1));
}

// --- told
// -------------------------------------------------------------------------------------------------------------

TEST_CASE("told: the evicted peer gets a RST, the newcomer its SYN-ACK") {
  script<with<plain, request_full<told<evict_oldest>>>> s{0};
  s.syn(0);
  const seq_number iss = s.iss(0);
  CHECK(s.syn(1) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted_reset));
  CHECK_FALSE(s.last.stages.has(stage::answered_reset));
  REQUIRE(s.out.count == 3);
  CHECK(s.out[1].flags == (flag::rst | flag::ack));
  CHECK(s.out[1].destination == tuple(0).peer());
  CHECK(s.out[1].seq == iss + 1);
  CHECK(s.out[2].flags == (flag::syn | flag::ack));
  CHECK(s.out[2].destination == tuple(1).peer());
  s.out.answer = send_result::failed;
  CHECK(s.syn(2) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.last.stages.has(stage::evicted_reset));
}

// Two segments do not fit into one `reply`.
template <class L>
concept answers_by_return = requires(L& l, const segment& s) {
  l.receive(s, 0);
};
static_assert(answers_by_return<with<plain, request_full<evict_oldest>>>);
static_assert(!answers_by_return<with<plain, request_full<told<evict_oldest>>>>);

// --- where both queues are counted
// ------------------------------------------------------------------------------------

using xnu_like =
    with<plain, waiting<sum_to_backlog>, sizing<same_as_backlog>, accept_full_at_syn<evict_oldest_or_random>,
         admission<in_order<gates::known_request, gates::accept_queue, gates::refusal>>>;

// A full accept queue for which requests are thrown out in vain.
TEST_CASE("at a full accept queue a request makes room where requests are counted") {
  script<xnu_like> s{3};
  s.connect(0, 0);
  syns(s, 1, 2);
  REQUIRE(s.listener.accept_full());
  CHECK(s.syn(3) == verdict::admitted);
  CHECK(s.last.stages.has(stage::accept_full));
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.waits(1));
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.ack(3) == verdict::promoted);
  CHECK(s.listener.accept_count() == 3);
  CHECK(s.syn(4) == verdict::dropped_accept_full);  // nobody left to evict
  CHECK_FALSE(s.last.stages.has(stage::evicted));
  s.listener.accept(), s.listener.accept();
  CHECK(s.syn(5) == verdict::admitted);
  s.listener.listen(1);
  CHECK(s.syn(6) == verdict::dropped_accept_full);  // one less would not do
  CHECK(s.waits(5));
}

// tcp_dropdropablreq's comment: a one in qlen + 1 chance that nobody goes, for fairness.
TEST_CASE("a random or nobody: with Q requests, one SYN in Q + 1 is dropped") {
  script<xnu_like> s{9};
  syns(s, 0, 8);
  int dropped = 0;
  constexpr int n = 30000;
  for (int i = 0; i < n; ++i) dropped += s.syn(9 + i) == verdict::dropped_accept_full ? 1 : 0;
  CHECK(s.listener.request_count() == 9);
  CHECK(dropped > n / 10 - 4 * 52);  // binomial: sigma is 52; one in Q would be 6.4 sigma away
  CHECK(dropped < n / 10 + 4 * 52);
}

// --- syncache
// ---------------------------------------------------------------------------------------------------------

using bsd_cache = with<plain, sizing<syncache<8, 3, 20>>, admission<syncache_gates>>;

// The oldest of all taken for the oldest of the bucket, or a neighbour's bucket.
TEST_CASE("evict_in_bucket: the oldest of the newcomer's bucket, and only when that is full") {
  script<with<bsd_cache, request_full<evict_in_bucket>>> s{1};
  const auto here = peers_of(s, 5, 5);
  const auto there = peers_of(s, 6, 1);
  s.syn(there[0]);
  for (int i = 0; i < 3; ++i) CHECK(s.syn(here[static_cast<std::size_t>(i)]) == verdict::admitted);
  CHECK_FALSE(s.last.stages.has(stage::evicted));
  s.now = at(0.25);
  CHECK(s.listener.bucket_overflow(tuple(here[0])) < 0);
  CHECK(s.syn(here[3]) == verdict::admitted);
  CHECK(s.last.stages.has(stage::request_full));
  CHECK(s.last.stages.has(stage::bucket_full));
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.waits(here[0]));
  CHECK(s.waits(here[1]));
  CHECK(s.waits(there[0]));
  CHECK(s.listener.bucket_length(5) == 3);
  CHECK(s.listener.bucket_overflow(tuple(here[4])) == at(0.25));
  CHECK(s.listener.bucket_overflow(tuple(there[0])) < 0);
  CHECK(s.listener.request_count() == 4);
}

// FreeBSD: the zone is empty, the bucket is, too: nobody can be evicted.
TEST_CASE("evict_in_bucket: when the whole is full and the bucket is empty, the SYN is dropped") {
  script<with<bsd_cache, sizing<syncache<8, 3, 6>>, request_full<evict_in_bucket>>> s{1};
  for (const int i : peers_of(s, 1, 3)) s.syn(i);
  for (const int i : peers_of(s, 2, 3)) s.syn(i);
  const auto empty = peers_of(s, 3, 1);
  CHECK(s.syn(empty[0]) == verdict::dropped_request_full);
  CHECK_FALSE(s.last.stages.has(stage::bucket_full));
  const auto full = peers_of(s, 2, 4);
  CHECK(s.syn(full[3]) == verdict::admitted);
  CHECK_FALSE(s.waits(full[0]));
}

// NetBSD: SC_BUCKETOVERFLOW, else SC_OVERFLOWED and the first bucket that is not empty.
TEST_CASE("evict_from_here_on: the own bucket if it has anybody, else the next one's oldest") {
  script<with<bsd_cache, sizing<syncache<8, 3, 6>>, request_full<evict_from_here_on>>> s{1};
  const auto one = peers_of(s, 1, 3);
  const auto two = peers_of(s, 2, 4);
  for (const int i : one) s.syn(i);
  for (int i = 0; i < 3; ++i) s.syn(two[static_cast<std::size_t>(i)]);
  const auto three = peers_of(s, 3, 1);
  CHECK(s.syn(three[0]) == verdict::admitted);
  CHECK_FALSE(s.last.stages.has(stage::bucket_full));
  CHECK_FALSE(s.waits(one[0]));  // 4 to 7 and 0 are empty
  CHECK(s.syn(two[3]) == verdict::admitted);
  CHECK(s.last.stages.has(stage::bucket_full));
  CHECK_FALSE(s.waits(two[0]));
  CHECK(s.listener.request_count() == 6);
}

// OpenBSD: lookups go by each set's own secret; here a request is found whatever the secrets are (invariant 44).
TEST_CASE("a syncache that is reseeded loses nobody and fills no bucket beyond its depth") {
  using l = with<plain, sizing<syncache<8, 3, 20, reseeded<10>>>, admission<syncache_gates>,
                 request_full<evict_from_here_on>>;
  script<l> s{1};
  std::vector<int> known;
  for (int i = 0; i < 400; ++i) {
    s.syn(i);
    if (s.waits(i)) known.push_back(i);
    if (i % 3 == 0) s.rst(i / 2);
    std::erase_if(known, [&s](int peer) { return !s.waits(peer); });
    CHECK(known.size() == s.listener.request_count());
    std::uint32_t sum = 0;
    for (std::uint32_t b = 0; b < 16; ++b) {
      CHECK(s.listener.bucket_length(b) <= 3);
      sum += s.listener.bucket_length(b);
    }
    CHECK(sum == s.listener.request_count());
    CHECK(s.listener.request_count() <= 40);
  }
}

// A TIME-WAIT's ISN opens Linux's gate; a syncache has no such door (kernels.md 2.0, 2.4, 2.5).
TEST_CASE("a chosen ISN does not pass a syncache's bound, and its SYN-ACK carries that ISN") {
  script<with<bsd_cache, request_full<evict_in_bucket>>> s{1};
  const auto here = peers_of(s, 5, 4);
  for (int i = 0; i < 3; ++i) s.syn(here[static_cast<std::size_t>(i)]);
  s.facts.isn = 4711;
  CHECK(s.syn(here[3]) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK(s.out.last().seq == 4711);
  CHECK(s.listener.bucket_length(5) == 3);
}

// --- two predicates for one accept queue
// ------------------------------------------------------------------------------

// kernels.md 2.5, 1.2: NetBSD refuses a SYN once so_qlen > N, but promotes up to 3N/2 of both queues; with FreeBSD 4's
// 3N/2 of the accept queue alone, that is UNP's N + 1.
TEST_CASE("the gate at the SYN has its own bound, the final ACK the other one's") {
  using l =
      with<plain, admission<bsd_gates>, waiting<sum_to_three_halves_plus_one>, accept_full_at_ack<listenq::reset>>;
  script<l> s{4};
  CHECK(s.connect(0, 4) == 5);  // A = 5 > 4
  CHECK(s.syn(5) == verdict::dropped_accept_full);
  s.listener.accept();
  syns(s, 5, 8);                               // A = 4, Q = 4
  CHECK(s.ack(5) == verdict::overflow_reset);  // 4 + 3 > 6
  CHECK(s.ack(6) == verdict::promoted);
  CHECK(s.syn(9) == verdict::dropped_accept_full);
}

// --- drop_if_young_above: Onload before it followed Linux -----------------------------------------------------------

TEST_CASE("with the accept queue full, young requests up to a quarter of the smaller queue are let in") {
  script<with<plain, accept_full_at_syn<drop_if_young_above<1, 4>>, waiting<exactly_backlog>,
              sizing<pipeline<exactly<64>>>>>
      s{8};
  CHECK(s.connect(0, 7) == 8);
  for (int i = 10; i < 13; ++i) CHECK(s.syn(i) == verdict::admitted);  // young before: 0, 1, 2
  CHECK(s.syn(13) == verdict::dropped_accept_full);
  s.run_until(at(1));
  CHECK(s.syn(13) == verdict::admitted);  // nobody is young any more
}
