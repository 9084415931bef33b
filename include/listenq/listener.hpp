// SPDX-License-Identifier: BSL-1.0
// The listener: one segment in, at most one segment out to its sender, and a timer. It owns the two queues and asks the
// policies; it reads no clock, sends nothing by itself, allocates only in listen() and throws nothing.
//
//   receive:  find the request by four-tuple
//     found ................. check the request (`validation`) -> answer, forget, or finish -> accept queue
//     not found, SYN ........ the gates in order (`admission`) -> cookie, drop, reset, evict, open at once (fast
//                             open), or store and SYN-ACK
//     not found, ACK ........ cookie -> accept queue, or RST
//     not found, RST ........ nothing
//   tick:     every due request once, in deadline order (or the hand's sweep) -> SYN-ACK again, or forget
//
// It is not a connection: it never sees a byte of payload, and a finished handshake leaves it as a handle.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/burst.hpp>
#include <listenq/detail/ageing.hpp>
#include <listenq/detail/dispatch.hpp>
#include <listenq/detail/soundness.hpp>
#include <listenq/detail/state.hpp>
#include <optional>
#include <type_traits>

namespace listenq {

template <class Composition>
class basic_listener {
  using p = Composition;
  friend struct detail::inside;
  using state_type = detail::state<basic_listener>;
  using requests_type = typename state_type::requests_type;
  static_assert(detail::sound<p>::value);

 public:
  using addressing_type = typename p::family;
  using segment_type = basic_segment<typename p::family>;
  using key_type = basic_four_tuple<typename p::family>;
  using handshake_type = basic_handshake<typename p::family>;
  using request_type = typename state_type::request_type;
  /// What waits in the accept queue and what `accept` hands out.
  using handle_type = typename state_type::handle_type;
  using tunables_type = typename state_type::tunables_type;

  /// Bytes that a request costs, its place in the hash table, the table and the timer links included.
  static constexpr std::size_t bytes_per_request = requests_type::bytes_each;

  /// Policies with state (keys, logs, memory) can be passed by value in any order; the others are made from nothing.
  template <class... Values>
  constexpr explicit basic_listener(const Values&... values) {
    static_assert((is_policy<Values> && ...),
                  "listenq::listener: a value was passed that is none of this listener's policies.");
    (take(values), ...);
    state_.tuples.begin(state_.hashing.get());
  }

  // --- the application's side -----------------------------------------------------------------------------------

  /// Starts to listen, or, if it already does, changes the backlog: nobody who waits is thrown out by a smaller one.
  /// `storage_too_small` leaves everything as it was. A listen() after close() starts with nothing of the old one,
  /// unless its requests outlive it (`closing`); after shutdown() it finds those that were left to their timer.
  constexpr listen_result listen(int backlog, instant now = 0) noexcept {
    now = state_.advance(now);
    const std::uint32_t n = p::clamp::clamp(backlog, state_.tunables);
    const bool again = state_.listening;
    const std::uint32_t limit = again && p::sizing::once ? state_.limit : p::sizing::limit(n, state_.tunables);
    const std::uint32_t slots = limit > 0 ? limit : 1;
    const std::uint32_t waiting = p::waiting::capacity(n) > 0 ? p::waiting::capacity(n) : 1;
    const std::uint64_t room = room_for_requests(waiting);
    if (room < slots) return {listen_status::storage_too_small, slots, room};
    if (!reserve(state_.accepted, waiting)) {
      return {listen_status::storage_too_small, waiting, state_.accepted.capacity()};
    }
    const bool grows = slots > state_.requests.capacity();
    // The sum does not wrap: no table has room for 2^30. Where requests are borrowed, there is nothing to reserve.
    if ((!grows || !reserve(state_.requests, slots + spare)) && !reserve(state_.requests, slots)) {
      return {listen_status::storage_too_small, slots, state_.requests.capacity()};
    }
    if constexpr (requires(typename p::budget & b) { b.listens(limit, std::uint64_t{}); }) {
      // One word is hashed, of a key that hashes two for random numbers and more for peers.
      const std::uint32_t word = 0;
      if (!state_.budget.get().listens(limit, state_.hashing.get().hash(&word, 1))) return {listen_status::no_share};
    }
    if (!again) {
      if (!keeps_requests()) {
        if constexpr (requires { state_.observer.get().on_left_over(now, std::uint32_t{}); }) {
          if (state_.requests.size() > 0) state_.observer.get().on_left_over(now, state_.requests.size());
        }
        state_.forget_all();
      }
      if constexpr (p::cookies::possible) state_.cookies.get().reset();
    }
    if (grows) state_.requests.rehash([this](const key_type& k) { return detail::low(state_.hash(k)); });
    const listen_effect effect = !again                                         ? listen_effect::started
                                 : state_.backlog != n || state_.limit != limit ? listen_effect::backlog_changed
                                                                                : listen_effect::none;
    state_.backlog = n;
    state_.limit = limit;
    state_.listening = true;
    if constexpr (requires { state_.observer.get().on_listen(now, n); }) state_.observer.get().on_listen(now, n);
    return {.effect = effect};
  }

  struct accepted_connection {
    accept_status status = accept_status::would_block;
    handle_type handle{};
    constexpr explicit operator bool() const noexcept { return status == accept_status::ok; }
  };

  /// The connection that finished first. Nothing waits: `would_block`.
  constexpr accepted_connection accept(instant now = 0) noexcept {
    now = state_.advance(now);
    accepted_connection r;
    if (!state_.listening) {
      r.status = accept_status::not_listening;
    } else if (state_.accepted.size() > 0) {
      const auto e = state_.accepted.pop();
      r.status = p::aborted_child::reports && e.aborted ? accept_status::aborted : accept_status::ok;
      r.handle = e.handle;
    }
    if constexpr (requires { state_.observer.get().on_accept(now, r.status); })
      state_.observer.get().on_accept(now, r.status);
    return r;
  }

  /// The stack says that a waiting connection is no more (RST). It keeps its slot until `accept` takes it out. False if
  /// it does not wait here. O(accept queue).
  constexpr bool child_gone(const handle_type& handle) noexcept { return state_.accepted.abort(handle); }

  /// The stack says that the handshake of a connection that was made at its SYN (`handshake::fast_open`) has ended:
  /// once for each of them, whatever became of it, also after close(). Until then it counts against the bound of
  /// `fast_open`. False, and nothing happens, if there is none. O(accept queue) after a RST, else O(1).
  constexpr bool child_settled(const handle_type& handle, fast_open_end how, instant now = 0) noexcept
      requires(p::fast_open::possible) {
    now = state_.advance(now);
    if (how == fast_open_end::reset && !state_.listening) how = fast_open_end::gone;
    return state_.fast_open.get().ended(how, how == fast_open_end::reset && state_.accepted.contains(handle), now);
  }

  /// Stops listening. Waiting connections are handed back through `out.reset_child(handle)`, oldest first; requests end
  /// as `closing` says. From now on every segment finds a closed port.
  template <class Sink>
  constexpr close_summary close(Sink& out, instant now = 0) {
    static_assert(
        requires(const handle_type& h) { out.reset_child(h); },
        "listenq::listener: close(sink) needs sink.reset_child(handle): waiting connections must be reset.");
    now = state_.advance(now);
    close_summary sum;
    state_.shut_down = false;
    if (!state_.listening) return sum;
    state_.listening = false;
    while (state_.accepted.size() > 0) {
      const handle_type handle = state_.accepted.pop().handle;
      if constexpr (requires { out.reset_child(handle); }) out.reset_child(handle);
      ++sum.children;
    }
    if constexpr (p::fast_open::possible) state_.fast_open.get().closed();
    if constexpr (p::closing::requests == closing_answer::forget || p::closing::requests == closing_answer::reset) {
      for (index i = state_.requests.next_stored(); i != npos; i = state_.requests.next_stored(i)) {
        if constexpr (p::closing::requests == closing_answer::reset) out.send(detail::reset_of(state_.requests[i]));
        ++sum.requests;
      }
      state_.forget_all();
    }
    if constexpr (requires { state_.observer.get().on_close(now, sum); }) state_.observer.get().on_close(now, sum);
    return sum;
  }

  /// Leaves LISTEN without giving the socket up, as shutdown(2) does: like `close`, and nothing at all if only writing
  /// ends. In Linux a request points to its socket, not to the time when that listened: requests that `leave_to_timer`
  /// has left are good again after the next listen(), if it comes before their timer (inet_shutdown, 6.18.44 measured).
  template <class Sink>
  constexpr shutdown_result shutdown(shutdown_how how, Sink& out, instant now = 0) {
    if (!state_.listening) return {};
    if (how == shutdown_how::write) return {.status = shutdown_status::no_effect};
    const close_summary closed = close(out, now);
    state_.shut_down = true;
    return {.status = shutdown_status::ok, .closed = closed};
  }

  /// Changes a tunable, as an administrator would. What was read at listen() stays until the next one.
  constexpr set_status set(tunable t, std::uint32_t value, instant now = 0) noexcept {
    state_.advance(now);
    if (!tunables_type::members.has(t)) return set_status::not_tunable;
    if (value > max_of(t)) return set_status::out_of_range;
    state_.tunables.assign(t, value);
    return set_status::ok;
  }

  /// From now on cookies are signed with `key`; what the old one still verifies is the ring's affair (`static_key`:
  /// nothing, `rotated<d>`: cookies up to d old). Allocates nothing.
  template <class Key>
  constexpr void rotate_cookie_keys(const Key& key, instant now) noexcept
      requires(p::cookies::possible&& detail::rotates<typename p::cookies, Key>) {
    state_.cookies.get().keys.rotate(key, state_.advance(now));
    ++state_.key_changes;
  }
  /// The keys of its cookies: what another listener needs to finish the handshakes that this one began.
  constexpr const auto& cookie_keys() const noexcept requires(p::cookies::possible) {
    return state_.cookies.get().keys;
  }

  // --- the network's side ---------------------------------------------------------------------------------------

  /// One inbound segment. What it gives rise to goes into `out`, at most one segment to its sender. `facts` is what
  /// only the outer stack knows. `now` that lies in the past counts as no time passed. O(1).
  template <sink<addressing_type> Sink>
  constexpr outcome receive(const segment_type& s, instant now, Sink& out, const arrival& facts) {
    state_.advance(now);
    if (state_.listening) [[likely]] {
      return detail::dispatch(state_, s, state_.tuples.next(state_.hashing.get(), s), detail::nothing_ahead{}, out,
                              facts);
    }
    const outcome o = detail::on_closed(state_, s, out);
    return state_.noted_apart(s, o.verdict, o.stages);
  }
  /// The same where the outer stack has nothing to tell.
  template <sink<addressing_type> Sink>
  constexpr outcome receive(const segment_type& s, instant now, Sink& out) {
    state_.advance(now);
    if (state_.listening) [[likely]] {
      return detail::dispatch(state_, s, state_.tuples.next(state_.hashing.get(), s), detail::nothing_ahead{}, out,
                              arrival{});
    }
    const outcome o = detail::on_closed(state_, s, out);
    return state_.noted_apart(s, o.verdict, o.stages);
  }

  /// A burst (a span, a vector, an array): the same, to the bit, as `receive` for one after the other, but segments are
  /// hashed eight at a time, and what `looked_at_ahead` of them lead to is fetched ahead, which pays where the queues
  /// are larger than the cache (benchmarks/README.md). `seen(segment, outcome)` is told of each. All payloads must stay
  /// valid meanwhile. Whose segments have an `arrival` to tell calls `receive` for each.
  template <row_of<segment_type> Burst, sink<addressing_type> Sink, class Seen>
  constexpr void receive(const Burst& burst, instant now, Sink& out, Seen&& seen) {
    const segment_type* s = detail::data_of(burst);
    std::size_t left = detail::size_of(burst);
    if constexpr (state_type::may_look_ahead) {
      constexpr std::size_t most = looked_at_ahead, least = 4;
      detail::cookies_ahead<basic_listener, most> cookies;
      while (left >= least && state_.looks_ahead()) {
        const std::size_t n = left < most ? left : most;
        std::uint64_t hashes[most / 8][8];
        state_.look_ahead(s, n, hashes);
        state_.advance(now);
        cookies.look(state_, s, n);
        std::size_t i = 0;
        for (; i < n && state_.listening; ++i) {  // `seen` may close it
          seen(s[i], detail::dispatch(state_, s[i], hashes[i / 8][i % 8], cookies.of(i), out, arrival{}));
        }
        s += i;
        left -= i;
      }
    }
    for (std::size_t i = 0; i < left; ++i) seen(s[i], receive(s[i], now, out));
  }
  template <row_of<segment_type> Burst, sink<addressing_type> Sink>
  constexpr void receive(const Burst& segments, instant now, Sink& out) {
    receive(segments, now, out, [](const segment_type&, const outcome&) {});
  }

  /// What `receive` without a sink yields: the outcome, the answer if there is one, and, where the handshake finished,
  /// its record.
  struct step {
    listenq::outcome outcome{};
    std::optional<segment_type> reply{};
    std::optional<handshake_type> finished{};
  };

  /// The same for those who would rather have the answer returned. Not for stacks that make handles of their own, nor
  /// where an evicted peer is sent something, too.
  constexpr step receive(const segment_type& s, instant now, const arrival& facts = {}) requires(
      (std::same_as<handle_type, key_type> ||
       std::same_as<handle_type, handshake_type>)&&!tells_evicted<typename p::request_full> &&
      !tells_evicted<typename p::accept_full_at_syn>) {
    step r;
    step_sink out{r};
    r.outcome = receive(s, now, out, facts);
    return r;
  }

  /// An ICMP error about a segment of ours to the peer of `key` that began at `seq` (the error quotes both). Only one
  /// about a SYN-ACK is any of a listener's business; whether it ends the request is asked of `icmp`. Also after close,
  /// for requests that were left to their timer, as in Linux. O(1).
  constexpr icmp_verdict unreachable(const key_type& key, seq_number seq, instant now,
                                     icmp_error error = icmp_error::host_unreachable) noexcept {
    now = state_.advance(now);
    const icmp_verdict v = detail::on_icmp(state_, key, seq, error);
    state_.counters.get().count(v);
    if constexpr (requires { state_.observer.get().on_icmp(now, key, v); }) state_.observer.get().on_icmp(now, key, v);
    return v;
  }

  /// Lets time pass: every request that is due is handled once, in order; SYN-ACKs go into `out`. If `out` says
  /// `later`, the rest stays due, and so it does after `most` timers: who may not be kept long comes back while
  /// `later` is set in what this yields. O(timers that were due), at most O(most); a hand also looks at its buckets.
  template <sink<addressing_type> Sink>
  constexpr tick_summary tick(instant now, Sink& out, std::uint32_t most = 0xffffffffU) {
    state_.advance(now);
    tick_summary sum;
    if constexpr (p::clockwork::sweeps) {
      detail::sweep_once(state_, out, sum, most);
    } else {
      detail::handle_due(state_, out, sum, most);
    }
    return sum;
  }

  /// When `tick` has something to do next; nothing while no request waits. It may lie in the past.
  constexpr std::optional<instant> next_deadline() const noexcept {
    if constexpr (p::clockwork::sweeps) {
      if (state_.requests.size() == 0) return std::nullopt;
      return state_.hand.due;
    } else {
      const index i = state_.requests.first_due();
      if (i == npos) return std::nullopt;
      return state_.requests.deadline(i);
    }
  }

  // --- looking at it --------------------------------------------------------------------------------------------

  constexpr bool listening() const noexcept { return state_.listening; }
  /// N, after `clamp`.
  constexpr std::uint32_t backlog() const noexcept { return state_.backlog; }
  /// Q, Y and A; how many requests fit.
  constexpr std::uint32_t request_count() const noexcept { return state_.requests.size(); }
  constexpr std::uint32_t young_count() const noexcept { return state_.requests.young(); }
  constexpr std::uint32_t accept_count() const noexcept { return state_.accepted.size(); }
  constexpr std::uint32_t request_limit() const noexcept { return state_.limit; }
  constexpr bool request_full() const noexcept { return state_.request_full(); }
  constexpr bool accept_full() const noexcept { return state_.accept_full(); }
  /// The budget with its counts; is what it counts exactly the requests that there are? True if it does not say.
  constexpr const auto& budget() const noexcept requires(!std::is_empty_v<typename p::budget>) {
    return state_.budget.get();
  }
  constexpr bool budget_balanced() const {
    const auto for_each_key = [&l = *this](auto&& f) { l.for_each_request([&f](const request_type& r) { f(r.key); }); };
    if constexpr (requires(const typename p::budget& b) { b.balanced(for_each_key); }) {
      return state_.budget.get().balanced(for_each_key);
    } else {
      return true;
    }
  }
  /// Requests of this listener that others evicted from the queue that they share.
  constexpr std::uint64_t lost_to_neighbours() const noexcept {
    if constexpr (p::requests::borrows) {
      return state_.requests.lost();
    } else {
      return 0;
    }
  }
  /// The bucket of a syncache that the request of a four-tuple is in or would go to, numbered from 0 over all sets.
  constexpr std::uint32_t bucket_of(const key_type& key) const noexcept requires bucketed<typename p::sizing> {
    const std::uint32_t h = detail::low(state_.hash(key));
    const index i = state_.requests.find(key, h);
    const auto& order = state_.requests.order();
    return i == npos ? order.place(h) : order.place_of(state_.requests.links_of(i), h);
  }
  /// How many requests, whoever's, a bucket holds.
  constexpr std::uint32_t bucket_length(std::uint32_t bucket) const noexcept requires bucketed<typename p::sizing> {
    return state_.requests.order().length(bucket);
  }
  /// When the bucket that a newcomer would go to was last found full; long before 0 if it never was.
  constexpr instant bucket_overflow(const key_type& key) const noexcept requires bucketed<typename p::sizing> {
    return state_.bucket_overflow(state_.hash(key));
  }
  /// The fast-open policy: its keys, which can be changed at any time, and what it counts.
  constexpr auto& fast_open() noexcept requires(p::fast_open::possible) { return state_.fast_open.get(); }
  constexpr const auto& fast_open() const noexcept requires(p::fast_open::possible) { return state_.fast_open.get(); }
  constexpr decltype(auto) counters() const noexcept { return state_.counters.get().values(); }
  constexpr std::uint32_t get(tunable t) const noexcept { return state_.tunables[t]; }
  constexpr auto& observer() noexcept requires(!std::is_empty_v<typename p::observer>) { return state_.observer.get(); }
  constexpr const auto& observer() const noexcept requires(!std::is_empty_v<typename p::observer>) {
    return state_.observer.get();
  }
  /// The request of a four-tuple, or nothing: a pointer that is good until the next call that changes the listener. Of
  /// compact requests it points to a copy, which it holds.
  constexpr detail::found_request<request_type, detail::is_compact<typename p::requests>> find_request(
      const key_type& key) const noexcept {
    const index i = state_.requests.find(key, detail::low(state_.hash(key)));
    if (i == npos) return nullptr;
    if constexpr (detail::is_compact<typename p::requests>) {
      return state_.requests.whole(i);
    } else {
      return &state_.requests.whole(i);
    }
  }
  /// Calls `f(const request_type&)` for every request, in no particular order.
  template <class F>
  constexpr void for_each_request(F&& f) const {
    for (index i = state_.requests.next_stored(); i != npos; i = state_.requests.next_stored(i)) {
      f(state_.requests.whole(i));
    }
  }
  /// Calls `f(const handle_type&)` for every waiting connection, oldest first.
  template <class F>
  constexpr void for_each_waiting(F&& f) const {
    for (std::size_t i = 0; i < state_.accepted.size(); ++i) f(state_.accepted[i].handle);
  }

 private:
  using index = typename state_type::index;
  static constexpr index npos = state_type::npos;

  template <class V>
  static constexpr bool is_policy = std::same_as<V, typename p::hashing> || std::same_as<V, typename p::cookies> ||
                                    std::same_as<V, typename p::counters> || std::same_as<V, typename p::observer> ||
                                    std::same_as<V, typename p::budget> || std::same_as<V, typename p::storage> ||
                                    std::same_as<V, typename p::fast_open> ||
                                    std::same_as<V, typename p::request_full> ||
                                    std::same_as<V, typename p::accept_full_at_syn> ||
                                    (std::same_as<V, typename p::requests> && p::requests::borrows) ||
                                    requires(typename p::budget& b, const V& v) {
    b.attach(v);
  };

  template <class V>
  constexpr void take(const V& v) {
    const auto into = [&v]<class Slot, class P>(detail::held<Slot, P>& h) {
      if constexpr (!std::is_empty_v<P>) {
        if constexpr (requires { h.get().attach(v); }) {
          h.get().attach(v);
        } else if constexpr (std::same_as<P, V>) {
          h.get() = v;
        }
      }
    };
    if constexpr (std::same_as<V, typename p::requests> && p::requests::borrows) state_.join(v.pool);
    into(state_.hashing), into(state_.cookies), into(state_.counters), into(state_.observer), into(state_.budget),
        into(state_.storage), into(state_.fast_open), into(state_.on_request_full), into(state_.on_accept_full);
  }

  struct step_sink {
    step& r;
    constexpr send_result send(const segment_type& s) noexcept {
      r.reply = s;
      return send_result::sent;
    }
    constexpr bool make_child(const handshake_type& h, const segment_type&) noexcept {
      r.finished = h;
      return true;
    }
  };

  /// Cells beyond the limit, for SYNs whose ISN a TIME-WAIT has chosen: those the limit does not stop.
  static constexpr std::uint32_t spare = 8;

  /// Are the requests that are left those of the listener that starts to listen now?
  constexpr bool keeps_requests() const noexcept {
    return p::closing::requests == closing_answer::outlive ||
           (p::closing::requests == closing_answer::leave_to_timer && state_.shut_down);
  }
  /// How many requests fit beside `waiting` connections. Asked before either takes its part, so that a listen() that
  /// fails costs no memory of the caller's.
  constexpr std::uint64_t room_for_requests(std::uint32_t waiting) const noexcept {
    if constexpr (std::is_empty_v<typename p::storage>) {
      return state_.requests.most(typename p::storage{});
    } else {
      typename p::storage trial = state_.storage.get();
      return state_.accepted.could_reserve(waiting, trial) ? state_.requests.most(trial) : 0;
    }
  }
  template <class Queue>
  constexpr bool reserve(Queue& q, std::uint32_t n) noexcept {
    decltype(auto) source = state_.storage.get();
    return q.reserve(n, source);
  }

  state_type state_{};
};

}  // namespace listenq
