// SPDX-License-Identifier: BSL-1.0
// What the listener tells its policies. Spies stand in the slots and keep what they were told; every number in a
// listener's state is another one, so that a fact that is left out, or mistaken for its neighbour, shows.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <optional>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using plain = with<preset::linux_6_18, cookies<no_cookies>>;

// --- spies --------------------------------------------------------------------------------------------------------

overflow_facts at_request_full, at_accept_full, at_ack;
pressure_facts pressed;
timeout_facts timed_out;
icmp_facts unreached;
syn_facts at_gate;
std::vector<departure> departures;

struct spy_full {
  static syn_answer on_request_full(const overflow_facts& f) noexcept {
    at_request_full = f;
    return syn_answer::drop;
  }
  static syn_answer on_accept_full(const overflow_facts& f) noexcept {
    at_accept_full = f;
    return syn_answer::admit;
  }
  static ack_answer on_overflow(const overflow_facts& f, const tunable_source auto&) noexcept {
    at_ack = f;
    return ack_answer::keep;
  }
};
struct spy_pressure {
  static std::uint32_t threshold(const pressure_facts& f) noexcept {
    pressed = f;
    return f.retries;
  }
};
struct spy_deferral : no_deferral {
  static timeout_answer at_timeout(const timeout_facts& f, const tunable_source auto& t) noexcept {
    timed_out = f;
    return no_deferral::at_timeout(f, t);
  }
};
struct spy_icmp {
  static icmp_answer on_icmp(const icmp_facts& f) noexcept {
    unreached = f;
    return icmp_answer::note;
  }
};
struct spy_gate {
  static constexpr gate_owner owner = gate_owner::gate;
  static constexpr syn_answer answer = syn_answer::drop;
  static bool closed(const syn_facts& f, const tunable_source auto&) noexcept {
    at_gate = f;
    return false;
  }
};
struct spy_budget {
  int held = 0;
  template <addressing A>
  constexpr bool allows(const basic_four_tuple<A>&) const noexcept {
    return true;
  }
  template <addressing A>
  void entered(const basic_four_tuple<A>&) noexcept {
    ++held;
  }
  template <addressing A>
  void left(const basic_four_tuple<A>&, departure why) noexcept {
    --held;
    departures.push_back(why);
  }
};

// A hash that anybody can foretell, and the words that it was asked about.
std::vector<std::vector<std::uint32_t>> hashed;
struct spy_hash {
  static constexpr std::uint64_t value = 0x123456789abcdef0U;
  static std::uint64_t hash(const std::uint32_t* words, std::size_t count) noexcept {
    hashed.emplace_back(words, words + count);
    return value;
  }
};

// A codec that keeps what it was told; the cookie itself is another's.
cookie_facts made_for, checked_for;
cookie_options made_of;
template <class Codec>
struct spy_codec : Codec {
  using key_type = typename Codec::key_type;
  static seq_number make(const key_type& key, std::uint32_t number, const cookie_facts& f, const cookie_options& o,
                         instant now) noexcept {
    made_for = f, made_of = o;
    return Codec::make(key, number, f, o, now);
  }
  static std::optional<cookie_options> check(const key_type& key, std::uint32_t number, const cookie_facts& f,
                                             seq_number cookie, instant now) noexcept {
    checked_for = f;
    return Codec::check(key, number, f, cookie, now);
  }
};

template <class... Options>
using spied = with<plain, request_full<spy_full>, accept_full_at_syn<spy_full>, accept_full_at_ack<spy_full>,
                   pressure<spy_pressure>, deferral<spy_deferral>, icmp<spy_icmp>, Options...>;

// 3 connections wait, where 3 are full; 5 requests, of which 2 are young; it is second 2.
template <class L>
script<L> busy() {
  script<L> s{2};
  s.connect(10, 11);
  for (const int peer : {0, 1, 2}) s.syn(peer);
  s.run_until(at(1));
  s.now = at(1.5);
  s.connect(12, 12);
  s.syn(3);
  s.syn(4);
  s.now = at(2);
  return s;
}

}  // namespace

// --- two full queues ----------------------------------------------------------------------------------------------

// `young` for `requests`, a clock of the last segment, a limit that is the backlog's: policies would still compile.
TEST_CASE("a full queue is told both lengths, Y, N, both limits and the time") {
  auto s = busy<spied<sizing<pipeline<exactly<5>>>>>();
  REQUIRE(s.listener.request_count() == 5);
  s.syn(5);
  const overflow_facts& f = at_request_full;
  CHECK(f.lengths.accepted == 3);
  CHECK(f.lengths.requests == 5);
  CHECK(f.young == 2);
  CHECK(f.backlog == 2);
  CHECK(f.limit == 5);
  CHECK(f.accept_slots == 3);
  CHECK(f.accept_full);
  CHECK(!f.cookie);
  CHECK(f.now == at(2));
}

TEST_CASE("a full accept queue is told the same, at the SYN and at the final ACK") {
  auto s = busy<spied<sizing<pipeline<exactly<9>>>>>();
  at_accept_full = at_ack = {};
  s.syn(5);
  s.now = at(2.25);
  s.ack(5);
  const overflow_facts seen[] = {at_accept_full, at_ack};
  for (const overflow_facts& f : seen) {
    CHECK(f.lengths.accepted == 3);
    CHECK(f.backlog == 2);
    CHECK(f.limit == 9);
    CHECK(f.accept_slots == 3);
    CHECK(f.accept_full);
    CHECK(!f.cookie);
  }
  CHECK(seen[0].lengths.requests == 5);
  CHECK(seen[1].lengths.requests == 6);
  CHECK(seen[0].young == 2);
  CHECK(seen[1].young == 3);
  CHECK(seen[0].now == at(2));
  CHECK(seen[1].now == at(2.25));
}

TEST_CASE("a gate is told what the SYN meets") {
  using l =
      spied<sizing<pipeline<exactly<5>>>, admission<in_order<gates::known_request, spy_gate, gates::request_queue>>>;
  auto s = busy<l>();
  s.facts = {.isn = 0, .proven = true, .refused = false};
  s.syn(5);
  CHECK(at_gate.lengths.accepted == 3);
  CHECK(at_gate.lengths.requests == 5);
  CHECK(at_gate.young == 2);
  CHECK(at_gate.backlog == 2);
  CHECK(at_gate.limit == 5);
  CHECK(at_gate.request_full);
  CHECK(at_gate.accept_full);
  CHECK(at_gate.proven);
  CHECK(!at_gate.refused);
  CHECK(!at_gate.isn_chosen);
  CHECK(!at_gate.cookies_always);
  s.facts = {.isn = 77, .proven = false, .refused = true};
  s.syn(6);
  CHECK(!at_gate.proven);
  CHECK(at_gate.refused);
  CHECK(at_gate.isn_chosen);

  script<l> quiet{2};
  quiet.syn(0);
  CHECK(!at_gate.request_full);
  CHECK(!at_gate.accept_full);
  CHECK(at_gate.lengths.accepted + at_gate.lengths.requests == 0);
}

// --- timers -------------------------------------------------------------------------------------------------------

TEST_CASE("pressure is told Q, Y, N, the limit and the schedule's retries") {
  auto s = busy<spied<sizing<pipeline<exactly<9>>>>>();
  s.listener.set(tunable::synack_retries, 4);
  s.tick(at(2.5));  // the two young ones; they are still young when it is asked for the first of them
  CHECK(pressed.requests == 5);
  CHECK(pressed.limit == 9);
  CHECK(pressed.backlog == 2);
  CHECK(pressed.retries == 4);
  CHECK(pressed.young == 1);  // asked last for the second one
}

TEST_CASE("a timeout is told how many came before it, how many may come, and whether the ACK has come") {
  script<spied<>> s{0};
  s.connect(10, 10);
  s.syn(0);
  s.tick(at(1));
  CHECK(timed_out.timeouts == 0);
  CHECK(timed_out.threshold == 5);
  CHECK(!timed_out.acked);
  CHECK(s.ack(0) == verdict::overflow_kept);
  s.tick(at(3));
  CHECK(timed_out.timeouts == 1);
  CHECK(timed_out.acked);
}

// --- ICMP ---------------------------------------------------------------------------------------------------------

TEST_CASE("an ICMP policy is told the error, the family, the timeouts and whether there was one before") {
  script<spied<>> s{3};
  s.syn(0);
  s.tick(at(1));
  s.tick(at(3));
  const auto key = test::tuple(0);
  CHECK(s.listener.unreachable(key, s.iss(0), at(4), icmp_error::time_exceeded) == icmp_verdict::noted);
  CHECK(unreached.error == icmp_error::time_exceeded);
  CHECK(!unreached.ipv6);
  CHECK(!unreached.noted);
  CHECK(unreached.retries == 2);
  s.listener.unreachable(key, s.iss(0), at(4));
  CHECK(unreached.noted);
  CHECK(unreached.error == icmp_error::host_unreachable);

  script<spied<family<ipv6>>> v6{3};
  v6.syn(0);
  v6.listener.unreachable(test::tuple<ipv6>(0), v6.iss(0), at(1));
  CHECK(unreached.ipv6);
}

// --- budgets ------------------------------------------------------------------------------------------------------

// A `left` that is forgotten leaks a slot for ever (picotcp#53, gvisor#11535); a wrong reason makes a wrong statistic.
TEST_CASE("a budget hears why each request left, and is empty when nobody waits") {
  using gated =
      with<plain, budget<spy_budget>,
           admission<in_order<gates::known_request, gates::request_queue, gates::accept_queue, gates::budget>>>;
  const auto why = [](auto& s) {
    CHECK(s.listener.request_count() == 0);
    CHECK(s.listener.budget().held == 0);
    const std::vector<departure> all = departures;
    departures.clear();
    return all;
  };
  using reasons = std::vector<departure>;
  script<gated> s{3};
  why(s);
  s.connect(0, 0);
  CHECK(why(s) == reasons{departure::promoted});
  s.syn(1);
  s.rst(1);
  CHECK(why(s) == reasons{departure::reset});
  s.syn(2);
  s.listener.unreachable(test::tuple(2), s.iss(2), s.now);
  CHECK(why(s) == reasons{departure::reset});
  s.syn(3);
  s.run_until(at(100));
  CHECK(why(s) == reasons{departure::expired});
  s.syn(4);
  s.out.answer = send_result::failed;
  s.run_until(at(200));
  CHECK(why(s) == reasons{departure::send_failed});
  s.out.answer = send_result::sent;
  s.syn(5);
  s.listener.close(s.out, s.now);
  s.run_until(at(300));
  CHECK(why(s) == reasons{departure::closed});
  s.listener.listen(3, s.now);
  s.syn(6);
  s.listener.close(s.out, s.now);
  s.ack(6);  // what is left to its timer ends at its next segment
  CHECK(why(s) == reasons{departure::closed});

  script<with<gated, closing<forget_requests>>> forgets{3};
  for (const int peer : {0, 1, 2}) forgets.syn(peer);
  forgets.listener.close(forgets.out, 0);
  CHECK(why(forgets) == reasons{departure::closed, departure::closed, departure::closed});

  script<with<gated, request_full<evict_oldest>>> evicts{0};
  evicts.syn(0), evicts.syn(1);
  CHECK(departures == reasons{departure::evicted});
  CHECK(evicts.listener.budget().held == 1);
  evicts.rst(1);
  why(evicts);

  using full = with<gated, accept_full_at_syn<admit>>;
  script<with<full, accept_full_at_ack<reset>>> resets{0};
  resets.connect(0, 0), resets.connect(1, 1);
  CHECK(why(resets) == reasons{departure::promoted, departure::overflow});
}

// --- the hash -----------------------------------------------------------------------------------------------------

// Whoever restates one of these mixes breaks every recorded ISN and every peer's timestamp clock at the next update.
TEST_CASE("the hash is of three words; its upper half is the ISN's, both halves shift the timestamp") {
  using l = with<plain, hashing<spy_hash>, isn<rfc6528>, offer<linux_6_18_offer>>;
  hashed.clear();
  script<l> s{3};
  s.now = at(8);
  tcp_options o;
  o.timestamps = true;
  o.ts_value = 5;
  s.syn(7, o);
  REQUIRE(!hashed.empty());
  CHECK(hashed.back() == std::vector<std::uint32_t>{0x0a000002, 0x0a000001, (30008U << 16) | 20000U});
  CHECK(s.out.last().seq == 0x12345678U + 2000000U);
  const std::uint32_t high = 0x12345678U, low = 0x9abcdef0U;
  const std::uint32_t shift = (low ^ ((high << 15) | (high >> 17))) * 0x9e3779b1U;
  CHECK(s.out.last().options.ts_value == 8000U + shift);
  CHECK(s.ack(7) == verdict::promoted);
}

TEST_CASE("IPv6: the hash is of nine words, in the order of the wire") {
  hashed.clear();
  script<with<plain, hashing<spy_hash>, family<ipv6>>> s{3};
  auto syn = s.segment(0, {.flags = flag::syn});
  for (std::size_t i = 0; i < 4; ++i) {
    syn.source.address.value[i] = 0x10U + static_cast<std::uint32_t>(i);
    syn.destination.address.value[i] = 0x20U + static_cast<std::uint32_t>(i);
  }
  s.receive(syn);
  CHECK(hashed.back() ==
        std::vector<std::uint32_t>{0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x23, (30001U << 16) | 20000U});
}

// A count that stands still draws the same victim each time; a third word would collide with no peer, but one less is
// what a shared budget seeds itself with.
TEST_CASE("random numbers are hashes of a count: each another one") {
  hashed.clear();
  script<with<plain, hashing<spy_hash>, request_full<evict_random>>> s{0};
  for (int peer = 0; peer < 4; ++peer) s.syn(peer);
  std::vector<std::vector<std::uint32_t>> drawn;
  for (const auto& words : hashed) {
    if (words.size() == 2) drawn.push_back(words);
  }
  CHECK(drawn == std::vector<std::vector<std::uint32_t>>{{0, 0}, {1, 0}, {2, 0}});
}

// --- cookies ------------------------------------------------------------------------------------------------------

// A cookie that does not know the peer's ISN passes for every one (RFC 4987 3.6).
TEST_CASE("a codec is told the four-tuple, the peer's ISN, the family, and what was negotiated") {
  using l = with<preset::linux_6_18, cookies<always<spy_codec<linux_6_18_cookie>>>>;
  script<l> s{3};
  s.client_isn = 0x1234;
  tcp_options o;
  o.mss = 1400, o.sack_permitted = true, o.timestamps = true, o.ts_value = 9, o.window_scale = 5;
  s.send(0, {.flags = flag::syn | flag::ece | flag::cwr, .options = o});
  CHECK(made_for.peer_isn == 0x1234);
  CHECK(made_for.word_count == 3);
  CHECK(!made_for.ipv6);
  CHECK(made_for.bucket == 0);
  CHECK(made_of.mss == 1400);
  CHECK(made_of.sack);
  CHECK(made_of.send_scale == 5);
  CHECK(made_of.receive_scale == linux_6_18_offer::window_scale);
  s.ack(0);
  CHECK(checked_for.peer_isn == 0x1234);
  CHECK(checked_for.word_count == 3);
  CHECK(!checked_for.ipv6);

  script<with<l, family<ipv6>>> v6{3};
  v6.syn(0);
  CHECK(made_for.word_count == 9);
  CHECK(made_for.ipv6);
}

TEST_CASE("a syncache's codec is told the bucket, the same for SYN and ACK") {
  using l = listener<sizing<syncache<8, 2>>, admission<syncache_gates>, request_full<evict_in_bucket>,
                     cookies<in_every_iss<spy_codec<freebsd_13_cookie>>>>;
  script<l> s{3};
  int peer = 0;
  while (s.listener.bucket_of(test::tuple(peer)) != 5) ++peer;
  s.syn(peer);
  CHECK(made_for.bucket == 5);
}
