// SPDX-License-Identifier: BSL-1.0
// Counters that add up: every inbound segment ends in exactly one verdict of exactly one cause, every timer in one, and
// the records alone say where each request and each connection went. Run as a random life over presets and variants.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/catalogue.hpp>
#include <listenq/queue/shared_requests.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <string>

#include "support/script.hpp"

using namespace listenq;
using test::C;
using test::script;
using test::tuple;

namespace counting {

/// A budget that limits nobody and hears from the queue itself why each request leaves.
struct departures_heard {
  static constexpr const char* name = "departures_heard";
  std::array<std::uint64_t, 7> left_by{};
  std::uint64_t in = 0;
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) {
    return true;
  }
  template <addressing A>
  constexpr void entered(const basic_four_tuple<A>&) {
    ++in;
  }
  template <addressing A>
  constexpr void left(const basic_four_tuple<A>&, departure why) {
    ++left_by[static_cast<std::size_t>(why)];
  }
};

/// A gate of the user's own.
struct few_young {
  static constexpr const char* name = "few_young";
  static constexpr gate_owner owner = gate_owner::gate;
  static constexpr syn_answer answer = syn_answer::drop;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) { return f.young % 3 == 2; }
};

}  // namespace counting

namespace {

using counting::departures_heard;
using counting::few_young;
using heard_gates = in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue,
                             gates::refusal, gates::last_quarter>;

template <class L>
using watched = with<L, observer<by_cause<policy_of<L, slot::counters>>>>;

/// Counts by itself what a listener's calls return.
struct tally {
  std::array<std::uint64_t, verdict_count> verdicts{};
  std::uint64_t segments = 0;
  std::uint64_t timers = 0;
  std::uint64_t resent = 0;
  std::uint64_t forgotten = 0;
  fast_open_option cookie{};  ///< the last one that a peer was given
};

template <class L>
void random_step(script<L>& s, splitmix64& dice, tally& t) {
  const auto below = [&dice](std::uint64_t n) { return static_cast<int>(dice.next() % n); };
  const auto note = [&](verdict v) {
    ++t.verdicts[static_cast<std::size_t>(v)];
    ++t.segments;
  };
  const int peer = below(24);
  s.facts = {.isn = below(40) == 0 ? 77U : 0U, .proven = below(8) == 0, .refused = below(30) == 0};
  tcp_options o;
  o.timestamps = below(3) == 0;
  o.ts_value = static_cast<std::uint32_t>(below(3));
  o.ts_echo = static_cast<std::uint32_t>(below(2) * 12345);
  switch (below(19)) {
    case 0:
    case 1:
    case 2:
    case 3:
      if (below(3) == 0) o.fast_open = below(3) == 0 ? fast_open_option::request() : t.cookie;
      note(s.send(peer, {.flags = flag::syn, .bytes = o.fast_open.has_cookie() ? 13U : 0U, .options = o}));
      if (s.out.count > 0 && s.out.last().options.fast_open.has_cookie()) t.cookie = s.out.last().options.fast_open;
      return;
    case 4:
    case 5:
      return note(s.ack(peer));
    case 6:
      return note(s.data(peer, static_cast<std::size_t>(below(100))));
    case 7: {
      const flags any[] = {
          flag::rst, flag::rst | flag::ack, flag::syn | flag::ack, flag::syn | flag::fin, flag::fin | flag::ack,
          flag::none};
      const std::int64_t at[] = {0, 1, 2, 500, -5, 70000};
      return note(s.send(peer, {.flags = any[below(6)], .seq = at[below(6)], .ack = at[below(3)], .options = o}));
    }
    case 8:
      return note(s.send(peer, {.flags = flag::ack, .seq = 1, .ack = below(3), .options = o}));
    case 9:
      return note(s.send(peer, {.flags = flag::syn, .seq = below(2) * 40}));
    case 10:
    case 11: {
      const auto due = s.listener.next_deadline();
      const auto sum = s.tick(due && below(4) != 0 ? std::max(*due, s.now) : s.now + below(3000) * millisecond);
      t.timers += sum.timers, t.resent += sum.resent, t.forgotten += sum.forgotten;
      return;
    }
    case 12:
      s.listener.accept(s.now);
      return;
    case 13:
      s.listener.child_gone(tuple(peer));
      return;
    case 14:
      s.listener.unreachable(tuple(peer), s.iss(peer) + static_cast<seq_number>(below(2)), s.now,
                             static_cast<icmp_error>(below(8)));
      return;
    case 15:
      if (below(4) == 0) s.listener.close(s.out, s.now);
      if (below(6) == 0) s.listener.shutdown(shutdown_how::read, s.out, s.now);
      if (below(2) == 0) s.listener.listen(below(6), s.now);
      return;
    case 16: {
      const struct {
        tunable which;
        std::uint32_t most;
      } knobs[] = {{tunable::syncookies, 3},   {tunable::abort_on_overflow, 2}, {tunable::synack_retries, 6},
                   {tunable::defer_accept, 8}, {tunable::max_syn_backlog, 40},  {tunable::somaxconn, 12},
                   {tunable::fastopen, 4},     {tunable::fastopen_qlen, 4}};
      const auto& k = knobs[below(8)];
      s.listener.set(k.which, static_cast<std::uint32_t>(below(k.most)), s.now);
      return;
    }
    case 17:
      if constexpr (policy_of<L, slot::fast_open>::possible) {
        s.listener.child_settled(tuple(peer), static_cast<fast_open_end>(below(3)), s.now);
      }
      return;
    default:
      s.out.answer = below(3) == 0 ? (below(2) == 0 ? send_result::failed : send_result::later) : send_result::sent;
      s.out.takes_children = below(4) != 0;
  }
}

template <class L>
void check_books(const script<L>& s, const tally& t, std::uint64_t lost = 0) {
  const auto& books = s.listener.observer();
  std::uint64_t sum = 0;
  for (std::size_t v = 0; v < verdict_count; ++v) {
    sum += t.verdicts[v];
    CHECK(books.times(static_cast<verdict>(v)) == t.verdicts[v]);
  }
  CHECK(sum == t.segments);
  CHECK(books.segments == t.segments);
  std::uint64_t of_segments = 0;
  std::uint64_t of_timers = 0;
  for (std::size_t i = 0; i < cause_count; ++i) {
    if (causes[i].what == record_kind::of_segment) of_segments += books.rows[i].times;
    if (causes[i].what == record_kind::of_timer) of_timers += books.rows[i].times;
  }
  CHECK(of_segments == t.segments);
  CHECK(of_timers == t.timers);
  CHECK(books.timers == t.timers);
  CHECK(books.times(timer_verdict::resent) - books.times(timer_outcome{timer_verdict::resent, false}) == t.resent);
  CHECK(books.times(timer_verdict::expired) + books.times(timer_verdict::send_failed) +
            books.times(timer_verdict::orphaned) + books.times(timer_verdict::paused) ==
        t.forgotten);
  CHECK(books.requests.there() == s.listener.request_count() + lost);
  CHECK(books.connections.there() == s.listener.accept_count());
}

template <class L>
tally live(std::uint64_t seed, const L& from = L{}) {
  using heard = policy_of<L, slot::budget>;
  CAPTURE(seed);
  splitmix64 dice{seed};
  script<L> s{static_cast<int>(seed % 5), from};
  tally t;
  policy_of<L, slot::counters> recount;
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t before = t.segments;
    random_step(s, dice, t);
    if (t.segments != before) recount.count(s.last);
    if (i % 97 == 0 || i > 3950) {
      check_books(s, t);
      if constexpr (std::same_as<heard, departures_heard>) {
        const auto& books = s.listener.observer();
        for (std::size_t d = 0; d < 7; ++d) {
          CAPTURE(d);
          // What was stored and taken back because its SYN-ACK failed is no request by the records.
          const bool at_syn = static_cast<departure>(d) == departure::send_failed;
          CHECK(s.listener.budget().left_by[d] ==
                books.requests.left[d] + (at_syn ? books.times(verdict::dropped_send_failed) : 0));
        }
        CHECK(s.listener.budget().in == books.requests.stored + books.times(verdict::dropped_send_failed));
      }
    }
  }
  CHECK(t.segments > 1500);
  CHECK(t.timers > 0);
  // The same function of the same records: nothing is counted by hand, nothing is forgotten.
  using counters_type = policy_of<L, slot::counters>;
  const auto& books = s.listener.observer();
  for (const auto& n : counters_type::names) {
    std::uint64_t sum = 0;
    std::uint64_t of_segments = 0;
    for (std::size_t i = 0; i < cause_count; ++i) {
      sum += books.rows[i].counters.values().*n.value;
      if (causes[i].what == record_kind::of_segment) of_segments += books.rows[i].counters.values().*n.value;
    }
    CAPTURE(n.name);
    CHECK(sum == s.listener.counters().*n.value);
    CHECK(of_segments == recount.values().*n.value);
  }
  return t;
}

/// Adds what verdicts there were to `reached`.
template <class L>
void lives(tally& reached) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const tally t = live<watched<L>>(seed);
    for (std::size_t v = 0; v < verdict_count; ++v) reached.verdicts[v] += t.verdicts[v];
  }
}
template <class L>
void lives() {
  tally ignored;
  lives<L>(ignored);
}

using before = preset::linux_2_6_32;
using old = preset::linux_3_12;
using modern = preset::linux_6_18;
template <class L>
using heard = with<L, budget<departures_heard>, admission<heard_gates>>;
using cache = with<heard<modern>, sizing<syncache<4, 3, 9>>, cookies<no_cookies>>;

}  // namespace

TEST_CASE("every segment and every timer has one cause, and the causes are the whole: presets") {
  preset::for_each([]<class L>(const preset::about& a) {
    CAPTURE(std::string{a.name});
    lives<L>();
  });
}

TEST_CASE("what the records say of each request is what the queue says: presets and their endings") {
  lives<heard<before>>();
  lives<heard<old>>();
  lives<heard<modern>>();
  lives<with<heard<modern>, closing<abort_requests>, send_failure<harmless>, accept_full_at_ack<forget>>>();
  lives<with<heard<old>, closing<leave_to_timer>, send_failure<fatal>, aborted_child<reported>>>();
  lives<with<heard<modern>, cookies<always<linux_6_18_cookie>>, accept_full_at_syn<admit>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<reset>, accept_full_at_syn<reset>>>();
}

TEST_CASE("what the records say of each request is what the queue says: evictions") {
  lives<with<heard<modern>, cookies<no_cookies>, request_full<evict_oldest>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<evict_random>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<evict_most_retried>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<drop_and_evict_if_both_full>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<evict_oldest_or_random>, waiting<sum_to_backlog>,
             accept_full_at_syn<evict_oldest_or_random>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<told<evict_oldest>>>>();
  lives<with<cache, request_full<evict_in_bucket>>>();
  lives<with<cache, request_full<evict_from_here_on>, sizing<syncache<4, 3, 9, reseeded<20>>>>>();
}

TEST_CASE("counters of the other systems add up, too") {
  lives<with<cache, request_full<evict_in_bucket>, counters<freebsd_counters>>>();
  lives<with<heard<modern>, counters<freebsd_counters>>>();
  lives<with<cache, request_full<evict_from_here_on>, counters<netbsd_counters>>>();
  lives<with<cache, request_full<evict_from_here_on>, counters<openbsd_counters>>>();
  lives<with<heard<modern>, cookies<no_cookies>, request_full<evict_oldest>, counters<xnu_counters>>>();
  lives<with<modern, counters<no_counters>>>();
}

TEST_CASE("what the records say of each request is what the queue says: other systems' rules") {
  tally reached;
  using freebsd =
      with<cache, request_full<evict_in_bucket>, counters<freebsd_counters>, validation<freebsd_validation>,
           closing<outlive_listener>, send_failure<fatal>, icmp<second_error_after<3>>, accept_full_at_ack<reset>,
           admission<in_order<gates::known_request, gates::budget, gates::strict_request_queue, gates::refusal>>>;
  lives<freebsd>(reached);
  lives<with<freebsd, cookies<in_every_iss_if_tuned<freebsd_13_cookie>>>>(reached);
  lives<with<freebsd, cookies<pausing<in_every_iss_if_tuned<freebsd_13_cookie>, 2 * second>>>>(reached);
  lives<with<freebsd, validation<netbsd_validation>, counters<netbsd_counters>, closing<forget_requests>,
             send_failure<harmless>, request_full<evict_from_here_on>>>(reached);
  lives<with<heard<modern>, validation<rfc5961_validation>, closing<abort_requests>>>(reached);
  lives<with<heard<old>, validation<rfc793_validation>, closing<outlive_listener>>>(reached);
  lives<with<heard<modern>, accept_full_at_ack<forget>, request_full<reset>, cookies<no_cookies>,
             accept_full_at_syn<reset>>>(reached);
  lives<with<modern, admission<in_order<gates::known_request, few_young, gates::request_queue, gates::accept_queue,
                                        gates::refusal, gates::last_quarter>>>>(reached);
  lives<with<modern, cookies<no_cookies>, storage<fixed<4, 6>>, sizing<pipeline<at_most<4>>>,
             budget<per_prefix<24, 64, times<1, 2>>>, admission<heard_gates>>>(reached);
  lives<with<modern, cookies<no_cookies>, storage<fixed<4, 6>>, sizing<pipeline<at_most<4>>>>>(reached);
  // What no life has come upon has not been checked. (The cookie of an earlier SYN needs two ISNs of one peer at once.)
  for (std::size_t v = 0; v < verdict_count; ++v) {
    CAPTURE(std::string{name_of(static_cast<verdict>(v))});
    CHECK((reached.verdicts[v] > 0 || static_cast<verdict>(v) == verdict::cookie_in_vain));
  }
}

TEST_CASE("a budget and a storage that refuse have causes of their own") {
  using tight = with<modern, cookies<no_cookies>, storage<fixed<4, 6>>, sizing<pipeline<at_most<4>>>,
                     budget<per_prefix<24, 64, times<1, 2>>>, admission<heard_gates>>;
  lives<tight>();
}

// tcps_badrst and tcps_badsyn need to know what kind of segment it was.
TEST_CASE("an outcome carries the flags of its segment, to the caller and to the counters") {
  script<with<modern, counters<freebsd_counters>>> s{2};
  s.syn(0);
  s.rst(1);
  CHECK(s.last.flags == flag::rst);
  s.send(2, {.flags = flag::none});
  CHECK(s.listener.counters() == bsd_counter_values{.added = 1, .badsyn = 1, .badrst = 1});
}

// Two listeners over one syncache: who is evicted may be the neighbour's.
TEST_CASE("where a queue is shared, the books of all add up to what is in it") {
  using shape = syncache<4, 3, 9>;
  using pool_type = shared_requests<ipv4, 16, tie_order::oldest_first, at_listen, shape>;
  using sharing = watched<with<modern, cookies<no_cookies>, sizing<shape>, clockwork<exact<tie_order::oldest_first>>,
                               request_full<evict_in_bucket>, requests<borrowed<pool_type>>>>;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    pool_type pool;
    sharing a{borrowed<pool_type>{&pool}};
    sharing b{borrowed<pool_type>{&pool}};
    REQUIRE(a.listen(2));
    REQUIRE(b.listen(2));
    splitmix64 dice{seed};
    test::recorder<> out;
    instant now = 0;
    for (int i = 0; i < 4000; ++i) {
      sharing& l = dice.next() % 2 == 0 ? a : b;
      const auto key = tuple(static_cast<int>(dice.next() % 24));
      segment s{.source = key.peer(), .destination = key.local(), .seq = C, .flags = flag::syn};
      const auto* const r = l.find_request(key);
      switch (dice.next() % 6) {
        case 0:
          if (r == nullptr) break;
          s.flags = dice.next() % 2 == 0 ? flag::rst : flag::ack;
          s.seq = C + 1;
          s.ack = r->iss + 1;
          break;
        case 1:
          now += second;
          a.tick(now, out);
          b.tick(now, out);
          break;
        case 2:
          l.accept(now);
          break;
        default:
          break;
      }
      l.receive(s, now, out);
      const auto& books_a = a.observer().requests;
      const auto& books_b = b.observer().requests;
      REQUIRE(books_a.there() + books_b.there() == std::uint64_t{a.request_count()} + b.request_count());
      // An eviction stands in the books of whom it was for; whose request it was, that one knows.
      REQUIRE(books_a.stored - books_a.by(departure::promoted) - books_a.by(departure::reset) -
                  books_a.by(departure::expired) >=
              std::uint64_t{a.request_count()} + a.lost_to_neighbours());
    }
    CHECK(a.lost_to_neighbours() > 0);
    CHECK(b.lost_to_neighbours() > 0);
  }
}
