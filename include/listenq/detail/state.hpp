// SPDX-License-Identifier: BSL-1.0
// The state of a listener, and the few things that everything in it needs: the hash of a four-tuple, the facts that
// policies are shown, the sending of an answer. What happens to a segment is decided in on_syn, on_request and on_ack,
// what happens to a timer in ageing.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/composition.hpp>
#include <listenq/detail/parts.hpp>
#include <listenq/detail/tuple_hash.hpp>
#include <listenq/outcome.hpp>
#include <listenq/queue/accept_queue.hpp>
#include <listenq/queue/answers.hpp>
#include <listenq/sink.hpp>
#include <optional>
#include <type_traits>

namespace listenq::detail {

constexpr std::uint32_t low(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h); }
constexpr std::uint32_t high(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h >> 32); }

/// A copy, field by field. In one piece, as clang copies it, it would be read in another piece than it was written in,
/// and the CPU waits for that. For the same reason what happens often notes nothing in an outcome whose address a
/// function that is not inlined has seen: it would have to be in memory.
[[gnu::always_inline]] constexpr outcome copied(const outcome& o) noexcept { return {o.verdict, o.flags, o.stages}; }

/// Hands `s` over and notes in `o` what became of it.
template <addressing A, class Sink>
[[gnu::always_inline]] constexpr send_result answer(const basic_segment<A>& s, Sink& out, outcome& o) {
  const send_result sent = out.send(s);
  if (sent == send_result::sent) {
    o.stages.add(stage::answered);
    if (s.flags.has(flag::rst)) o.stages.add(stage::answered_reset);
  } else {
    o.stages.add(stage::send_failed);
  }
  return sent;
}
/// Answers `s`, whose flags are `f`, with RST, unless it is one; what became of it.
template <addressing A, class Sink>
[[gnu::always_inline]] constexpr stages answer_reset(const basic_segment<A>& s, flags f, Sink& out) {
  outcome o;
  if (!f.has(flag::rst)) answer(reset_for(s, f), out, o);
  return o.stages;
}
template <addressing A, class Sink>
constexpr stages answer_reset(const basic_segment<A>& s, Sink& out) {
  return answer_reset(s, s.flags, out);
}

/// What of the segment that makes a connection is passed on to it.
template <class Child, class Segment>
constexpr decltype(auto) passed_on(const Segment& s) noexcept {
  if constexpr (requires { Child::most_bytes; }) {
    Segment part = s;
    if (s.payload.size > Child::most_bytes) {
      part.payload.size = Child::most_bytes;
      part.flags = s.flags.without(flag::fin);
    }
    return part;
  } else {
    return (s);
  }
}

struct inside;

template <class L>
struct state {
  using p = policies<L>;
  using family = typename p::family;
  using segment_type = basic_segment<family>;
  using key_type = basic_four_tuple<family>;
  using handshake_type = basic_handshake<family>;
  using handle_type = typename p::child::template entry<family>;
  using requests_type = typename requests_for<p>::type;
  using request_type = typename requests_type::request_type;
  using stored_type = typename requests_type::stored_type;  ///< what is kept of a request
  using index = typename requests_type::index;
  using tunables_type = tunable_values<p::tunable_members, typename p::tunables>;
  static constexpr index npos = requests_type::npos;

  requests_type requests{};
  accept_queue<handle_type, typename p::storage> accepted{};
  instant now = 0;
  std::uint32_t backlog = 0;
  std::uint32_t limit = 0;
  bool listening = false;
  bool shut_down = false;         ///< it has left LISTEN, and the socket is still there
  std::uint16_t key_changes = 0;  ///< of the cookies' keys, modulo 2^16
  [[no_unique_address]] tunables_type tunables{};
  [[no_unique_address]] std::conditional_t<p::clockwork::sweeps, detail::hand, no_hand> hand{};
  [[no_unique_address]] std::conditional_t<draws<p>, draw_count, no_draws> drawn{};
  [[no_unique_address]] held<slot::hashing, typename p::hashing> hashing{};
  [[no_unique_address]] tuple_hash<typename p::hashing, family> tuples{};
  [[no_unique_address]] held<slot::cookies, typename p::cookies> cookies{};
  [[no_unique_address]] held<slot::counters, typename p::counters> counters{};
  [[no_unique_address]] held<slot::observer, typename p::observer> observer{};
  [[no_unique_address]] held<slot::budget, typename p::budget> budget{};
  [[no_unique_address]] std::conditional_t<p::requests::borrows && !std::is_empty_v<typename p::budget>,
                                           budget_hook<key_type, typename p::budget>, no_hook>
      hook{};
  [[no_unique_address]] held<slot::fast_open, typename p::fast_open> fast_open{};
  [[no_unique_address]] held<slot::storage, typename p::storage> storage{};
  [[no_unique_address]] held<slot::request_full, typename p::request_full> on_request_full{};
  [[no_unique_address]] held<slot::accept_full_at_syn, typename p::accept_full_at_syn> on_accept_full{};

  /// Borrows from a pool. From now on this stays where it is.
  template <class Pool>
  constexpr void join(Pool* to) noexcept {
    if constexpr (std::is_empty_v<typename p::budget>) {
      requests.attach(to);
    } else {
      hook.budget = &budget.get();
      requests.attach(to, &hook);
    }
  }

  constexpr instant advance(instant to) noexcept {
    if (to > now) now = to;
    return now;
  }

  /// Of a four-tuple, or of that of a segment.
  template <class Key>
  [[gnu::always_inline]] constexpr std::uint64_t hash(const Key& k) const noexcept {
    return tuples.of(hashing.get(), k);
  }
  /// Can a burst be looked at before it is acted on, as far as types tell?
  static constexpr bool may_look_ahead = tuple_hash<typename p::hashing, family>::hashes_eight;
  /// And now, on this CPU?
  constexpr bool looks_ahead() const noexcept requires may_look_ahead {
    return listening && p::hashing::hashes_eight();
  }
  /// As many requests as the innermost cache holds are there without being fetched; of as many as the next one holds,
  /// fetching more than the nearest costs what it saves.
  static constexpr std::uint32_t in_first_cache = (std::uint32_t{1} << 16) / requests_type::bytes_each;
  static constexpr std::uint32_t in_second_cache = (std::uint32_t{1} << 22) / requests_type::bytes_each;
  /// The hashes of the four-tuples of `n` segments, eight in a row, with what they lead to on its way to the cache.
  template <std::size_t Rows>
  void look_ahead(const segment_type* s, std::size_t n, std::uint64_t (&h)[Rows][8]) noexcept requires may_look_ahead {
    const auto hash_of = [&h](std::size_t k) { return low(h[k / 8][k % 8]); };
    tuples.of_rows(hashing.get(), s, n, h);
    if (requests.size() <= in_first_cache) return;
    for (std::size_t k = 0; k < n; ++k) requests.fetch_bucket(hash_of(k));
    if (requests.size() > in_second_cache) {
      requests.template fetch_chains<8 * Rows>(n, hash_of);
    } else {
      for (std::size_t k = 0; k < n; ++k) {
        if (!s[k].flags.has(flag::syn)) requests.fetch_first(hash_of(k));
      }
    }
  }
  /// A number that nobody without the key can foretell: the hash of a count. Of two words, and a four-tuple has three
  /// or more: it is no peer's hash.
  constexpr std::uint64_t draw() noexcept requires draws<p> {
    const std::uint32_t words[] = {low(drawn.value), high(drawn.value)};
    ++drawn.value;
    return hashing.get().hash(words, 2);
  }
  /// The shift of this peer's timestamp clock: another mix of the same hash than its ISN.
  static constexpr std::uint32_t ts_offset(std::uint64_t h) noexcept {
    return p::offer::keyed_clock ? (low(h) ^ std::rotl(high(h), 15)) * 0x9e3779b1U : 0;
  }

  /// Are cookies all there is for now? Only where a policy has pauses.
  constexpr bool paused() const noexcept {
    if constexpr (pauses<typename p::cookies>) {
      return p::cookies::mode(tunables) != cookie_mode::off && cookies.get().paused(now);
    } else {
      return false;
    }
  }
  /// A bucket has lost a request for want of room.
  constexpr void pause() noexcept {
    if constexpr (pauses<typename p::cookies>) {
      if (p::cookies::mode(tunables) != cookie_mode::off) cookies.get().overflowed(now);
    }
  }
  constexpr cookie_mode mode() const noexcept { return paused() ? cookie_mode::always : p::cookies::mode(tunables); }
  /// Does a segment find its request? Not where cookies are all there is (FreeBSD, syncache_cookiesonly).
  constexpr bool sees_requests() const noexcept {
    if constexpr (p::cookies::possible) {
      return !p::cookies::in_iss || mode() != cookie_mode::always;
    } else {
      return true;
    }
  }
  /// Will a SYN probably be answered by a cookie and nothing else?
  constexpr bool signs_next() const noexcept {
    const cookie_mode m = mode();
    return (m == cookie_mode::always || (m == cookie_mode::under_pressure && request_full())) && !accept_full();
  }
  constexpr cookie_facts cookie_for(const key_words<family>& w, const key_type& key, seq_number peer_isn,
                                    std::uint64_t h) const noexcept {
    cookie_facts f{
        .words = w.word, .word_count = w.count, .peer_isn = peer_isn, .ipv6 = is_ipv6<family>(key.peer_address)};
    if constexpr (bucketed<typename p::sizing>) f.bucket = requests.order().place(low(h));
    return f;
  }

  constexpr queue_lengths lengths() const noexcept { return {accepted.size(), requests.size()}; }
  constexpr bool request_full() const noexcept { return requests.full(limit); }
  /// When the bucket to which a four-tuple with this hash belongs was last found full; long ago if never.
  constexpr instant bucket_overflow(std::uint64_t h) const noexcept { return requests.order().overflowed(low(h)); }
  constexpr bool accept_full() const noexcept { return p::waiting::full(lengths(), backlog); }
  constexpr overflow_facts overflow(bool cookie) const noexcept {
    return {.lengths = lengths(),
            .young = requests.young(),
            .backlog = backlog,
            .cookie = cookie,
            .accept_full = accept_full(),
            .limit = limit,
            .accept_slots = p::waiting::capacity(backlog),
            .now = now};
  }
  constexpr std::uint32_t threshold() const noexcept {
    return p::pressure::threshold({.requests = requests.size(),
                                   .young = requests.young(),
                                   .limit = limit,
                                   .backlog = backlog,
                                   .retries = p::schedule::retries(tunables)});
  }

  /// Would this request live on if nobody pressed?
  constexpr bool would_live(const stored_type& r) const noexcept {
    const std::uint32_t retries = p::schedule::retries(tunables);
    return !p::deferral::at_timeout({.timeouts = r.timeouts, .threshold = retries, .acked = r.acked}, tunables).expire;
  }

  /// Counts and shows the record of a segment. Ends at which most segments come to the same record each call it
  /// themselves: there it is a constant to compilers.
  [[gnu::always_inline]] constexpr outcome noted(const segment_type& s, const outcome& o) {
    const outcome record{o.verdict, s.flags, o.stages};
    counters.get().count(record);
    if constexpr (requires { observer.get().on_segment(now, s, record); }) observer.get().on_segment(now, s, record);
    return record;
  }

  /// The same of what is rare.
  [[gnu::noinline]] constexpr outcome noted_apart(const segment_type& s, verdict v, stages met) {
    return noted(s, {.verdict = v, .stages = met});
  }

  template <half_open R>
  [[gnu::always_inline]] constexpr segment_type next_syn_ack(R& r, std::uint64_t h) const noexcept {
    const std::uint32_t ts = timestamp(now, ts_offset(h));
    note_timestamp(r, ts);
    return syn_ack<typename p::offer>(r, ts);
  }
  [[gnu::always_inline]] constexpr void forget_request(index i, std::uint64_t h, departure why) noexcept {
    budget.get().left(requests[i].key, why);
    requests.remove(i, low(h));
  }

  /// Ends a request, whoever of those who share the queue it belongs to, so that another one finds room.
  constexpr void evict(index i) noexcept {
    if constexpr (p::requests::borrows) {
      if (!requests.is_own(i)) return requests.evict_of_neighbour(i);
    }
    forget_request(i, hash(requests[i].key), departure::evicted);
  }

  /// Ends every request without a word.
  constexpr void forget_all() noexcept {
    for (index i = requests.next_stored(); i != npos; i = requests.next_stored(i)) {
      budget.get().left(requests[i].key, departure::closed);
    }
    requests.clear();
    hand = {};
  }

  /// Has the stack make the child of a request and queues the handle; false if it would not. `cookie`: the request
  /// comes out of one. Where nobody looks at the record, none is made.
  template <half_open R, class Sink>
  [[gnu::always_inline]] constexpr bool queue_child(const R& r, std::uint64_t h, bool cookie, const segment_type& last,
                                                    Sink& out) {
    if constexpr (std::same_as<handle_type, key_type> &&
                  !requires(const handshake_type& shake) { out.make_child(shake, last); }) {
      return accepted.push(r.key);
    } else {
      return queue_child(finished<typename p::offer>(r, ts_offset(h), cookie), last, out);
    }
  }
  /// The same where there is a record.
  template <class Sink>
  [[gnu::always_inline]] constexpr bool queue_child(const handshake_type& shake, const segment_type& last, Sink& out) {
    const segment_type& s = passed_on<typename p::child>(last);
    if constexpr (std::same_as<handle_type, handshake_type> || std::same_as<handle_type, key_type>) {
      if constexpr (requires { out.make_child(shake, s); }) {
        static_assert(
            requires {
              { out.make_child(shake, s) } -> std::convertible_to<bool>;
            },
            "listenq::listener: where the handle is the four-tuple or the record, make_child yields a bool.");
        if (!out.make_child(shake, s)) return false;
      }
      if constexpr (std::same_as<handle_type, handshake_type>) {
        return accepted.push(shake);
      } else {
        return accepted.push(shake.key);
      }
    } else {
      static_assert(
          requires {
            { out.make_child(shake, s) } -> std::convertible_to<std::optional<handle_type>>;
          },
          "listenq::listener: child<handles<H>> needs sink.make_child(handshake, segment) -> optional<H>.");
      const std::optional<handle_type> handle = out.make_child(shake, s);
      return handle && accepted.push(*handle);
    }
  }
};

}  // namespace listenq::detail
