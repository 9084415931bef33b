// SPDX-License-Identifier: BSL-1.0
// The listener: one segment in, at most one segment out to its sender, and a timer. It owns the two queues and asks the
// policies; it reads no clock, sends nothing by itself, allocates only in listen() and throws nothing.
//
//   receive:  find the request by four-tuple
//     found ................. check the request (`validation`) -> answer, forget, or finish -> accept queue
//     not found, SYN ........ the gates in order (`admission`) -> cookie, drop, reset, evict, or store and SYN-ACK
//     not found, ACK ........ cookie -> accept queue, or RST
//     not found, RST ........ nothing
//   tick:     every due request once, in deadline order (or the hand's sweep) -> SYN-ACK again, or forget
//
// It is not a connection: it never sees a byte of payload, and a finished handshake leaves it as a handle.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/composition.hpp>
#include <listenq/outcome.hpp>
#include <listenq/queue/accept_queue.hpp>
#include <listenq/queue/answers.hpp>
#include <listenq/queue/request_queue.hpp>
#include <listenq/sink.hpp>
#include <optional>
#include <type_traits>

namespace listenq {

template <class Clamp, class Sizing, class Waiting, class Schedule, class Pressure, class Clockwork, class Admission,
          class RequestFull, class AcceptFullAtSyn, class AcceptFullAtAck, class Cookies, class Validation,
          class Deferral, class FastOpen, class Hashing, class Isn, class Family, class Storage, class Counters,
          class Observer, class Closing, class SendFailure, class AbortedChild, class Offer, class Budget, class Child,
          class Tunables>
class basic_listener {
 public:
  using addressing_type = Family;
  using segment_type = basic_segment<Family>;
  using key_type = basic_four_tuple<Family>;
  using handshake_type = basic_handshake<Family>;
  /// What waits in the accept queue and what `accept` hands out.
  using handle_type = typename Child::template entry<Family>;
  using request_type = request<Family>;

 private:
  template <class... Ps>
  static constexpr tunable_set all_tunables = (tunable_set{} | ... | tunables_of<Ps>);
  using requests_type = request_queue<Family, Clockwork, Schedule::classes, evicts<RequestFull>, Storage>;
  using accepted_type = accept_queue<handle_type, Storage>;

 public:
  using tunables_type = tunable_values<
      all_tunables<Clamp, Sizing, Waiting, Schedule, Pressure, Clockwork, Admission, RequestFull, AcceptFullAtSyn,
                   AcceptFullAtAck, Cookies, Validation, Deferral, FastOpen, Closing, SendFailure, Offer>,
      Tunables>;

  /// Bytes that a request costs, its place in the hash table, the table and the timer links included.
  static constexpr std::size_t bytes_per_request = sizeof(typename requests_type::cell);

  static_assert(
      !Cookies::possible || Admission::any([]<class G>() { return G::owner == gate_owner::request_queue; }),
      "listenq::listener: cookies are asked for at gates::request_queue, and this admission has no such gate.");
  static_assert(std::is_empty_v<Budget> || Admission::any([]<class G>() { return G::owner == gate_owner::budget; }),
                "listenq::listener: a budget is asked at gates::budget, and this admission has no such gate.");
  static_assert(!FastOpen::possible, "listenq::listener: connections cannot be opened at the SYN yet.");

  /// Policies with state (keys, logs, memory) can be passed by value in any order; the others are made from nothing.
  template <class... Values>
  constexpr explicit basic_listener(const Values&... values) {
    static_assert((is_policy<Values> && ...),
                  "listenq::listener: a value was passed that is none of this listener's policies.");
    (take(values), ...);
  }

  // --- the application's side -----------------------------------------------------------------------------------

  /// Starts to listen, or, if it already does, changes the backlog: nobody who waits is thrown out by a smaller one.
  /// `storage_too_small` leaves everything as it was. A listen() after close() starts with nothing of the old one.
  constexpr listen_result listen(int backlog, instant now = 0) noexcept {
    now = advance(now);
    const std::uint32_t n = Clamp::clamp(backlog, tunables_);
    const bool again = listening_;
    const std::uint32_t limit = again && Sizing::once ? limit_ : Sizing::limit(n, tunables_);
    const std::uint32_t slots = limit > 0 ? limit : 1;
    const std::uint32_t waiting = Waiting::capacity(n) > 0 ? Waiting::capacity(n) : 1;
    if (requests_.most(storage_.get()) < slots) {
      return {listen_status::storage_too_small, slots, requests_.most(storage_.get())};
    }
    if (!reserve(accepted_, waiting)) return {listen_status::storage_too_small, waiting, accepted_.capacity()};
    const bool grows = slots > requests_.capacity();
    if (!reserve(requests_, slots)) return {listen_status::storage_too_small, slots, requests_.capacity()};
    if (!again) {
      requests_.clear();
      while (accepted_.size() > 0) accepted_.pop();
      last_cookie_ = -never;
    } else if (grows) {
      requests_.rehash([this](const key_type& k) { return low(hash(k)); });
    }
    backlog_ = n;
    limit_ = limit;
    listening_ = true;
    if constexpr (requires { observer_.get().on_listen(now, n); }) observer_.get().on_listen(now, n);
    return {};
  }

  struct accepted_connection {
    accept_status status = accept_status::would_block;
    handle_type handle{};
    constexpr explicit operator bool() const noexcept { return status == accept_status::ok; }
  };

  /// The connection that finished first. Nothing waits: `would_block`.
  constexpr accepted_connection accept(instant now = 0) noexcept {
    now = advance(now);
    accepted_connection r;
    if (!listening_) {
      r.status = accept_status::not_listening;
    } else if (accepted_.size() > 0) {
      const auto e = accepted_.pop();
      r.status = AbortedChild::reports && e.aborted ? accept_status::aborted : accept_status::ok;
      r.handle = e.handle;
    }
    if constexpr (requires { observer_.get().on_accept(now, r.status); }) observer_.get().on_accept(now, r.status);
    return r;
  }

  /// The stack says that a waiting connection is no more (RST). It keeps its slot until `accept` takes it out. False if
  /// it does not wait here. O(accept queue).
  constexpr bool child_gone(const handle_type& handle) noexcept { return accepted_.abort(handle); }

  /// Stops listening. Waiting connections are handed back through `out.reset_child(handle)`, oldest first; requests end
  /// as `closing` says. From now on every segment finds a closed port.
  template <class Sink>
  constexpr close_summary close(Sink& out, instant now = 0) {
    static_assert(
        requires(const handle_type& h) { out.reset_child(h); },
        "listenq::listener: close(sink) needs sink.reset_child(handle): waiting connections must be reset.");
    now = advance(now);
    close_summary sum;
    if (!listening_) return sum;
    listening_ = false;
    while (accepted_.size() > 0) {
      out.reset_child(accepted_.pop().handle);
      ++sum.children;
    }
    if (Closing::requests != closing_answer::leave_to_timer) {
      for (index i = requests_.next_stored(); i != npos; i = requests_.next_stored(i)) {
        if (Closing::requests == closing_answer::reset) send_reset_to(requests_[i], out);
        budget_.get().left(requests_[i].key, departure::closed);
        ++sum.requests;
      }
      requests_.clear();
      hand_ = {};
    }
    if constexpr (requires { observer_.get().on_close(now, sum); }) observer_.get().on_close(now, sum);
    return sum;
  }

  /// Changes a tunable, as an administrator would. What was read at listen() stays until the next one.
  constexpr set_status set(tunable t, std::uint32_t value, instant now = 0) noexcept {
    advance(now);
    if (!tunables_type::members.has(t)) return set_status::not_tunable;
    if (value > max_of(t)) return set_status::out_of_range;
    tunables_.assign(t, value);
    return set_status::ok;
  }

  // --- the network's side ---------------------------------------------------------------------------------------

  /// One inbound segment. What it gives rise to goes into `out`, at most one segment to its sender. `facts` is what
  /// only the outer stack knows. `now` that lies in the past counts as no time passed. O(1).
  template <sink<Family> Sink>
  constexpr outcome receive(const segment_type& s, instant now, Sink& out, const arrival& facts = {}) {
    now = advance(now);
    const outcome o = listening_ ? dispatch(s, now, out, facts) : closed(s, out);
    counters_.get().count(o);
    if constexpr (requires { observer_.get().on_segment(now, s, o); }) observer_.get().on_segment(now, s, o);
    return o;
  }

  /// What `receive` without a sink yields: the outcome, the answer if there is one, and, where the handshake finished,
  /// its record.
  struct step {
    listenq::outcome outcome{};
    std::optional<segment_type> reply{};
    std::optional<handshake_type> finished{};
  };

  /// The same for those who would rather have the answer returned. Not for stacks that make handles of their own.
  constexpr step receive(const segment_type& s, instant now,
                         const arrival& facts = {}) requires(std::same_as<handle_type, key_type> ||
                                                             std::same_as<handle_type, handshake_type>) {
    step r;
    step_sink out{r};
    r.outcome = receive(s, now, out, facts);
    return r;
  }

  /// An ICMP error about a SYN-ACK of ours: ends the request if `seq` is that SYN-ACK's (Linux, tcp_v4_err).
  constexpr bool unreachable(const key_type& key, seq_number seq, instant now) noexcept {
    advance(now);
    const std::uint64_t h = hash(key);
    const index i = requests_.find(key, low(h));
    const bool ends = listening_ && i != npos && requests_[i].iss == seq;
    if (ends) forget_request(i, h, departure::reset);
    counters_.get().count_unreachable(ends);
    return ends;
  }

  /// Lets time pass: every request that is due is handled once, in order; SYN-ACKs go into `out`. If `out` says
  /// `later`, the rest stays due.
  template <sink<Family> Sink>
  constexpr tick_summary tick(instant now, Sink& out) {
    now = advance(now);
    tick_summary sum;
    if constexpr (Clockwork::sweeps) {
      sweep_once(now, out, sum);
    } else {
      for (index i = requests_.first_due(); i != npos && requests_[i].deadline <= now; i = requests_.first_due()) {
        if (!time_out(i, now, threshold(), out, sum)) break;
      }
    }
    return sum;
  }

  /// When `tick` has something to do next; nothing while no request waits. It may lie in the past.
  constexpr std::optional<instant> next_deadline() const noexcept {
    if constexpr (Clockwork::sweeps) {
      if (requests_.size() == 0) return std::nullopt;
      return hand_.due;
    } else {
      const index i = requests_.first_due();
      if (i == npos) return std::nullopt;
      return requests_[i].deadline;
    }
  }

  // --- looking at it --------------------------------------------------------------------------------------------

  constexpr bool listening() const noexcept { return listening_; }
  /// N, after `clamp`.
  constexpr std::uint32_t backlog() const noexcept { return backlog_; }
  /// Q, Y and A; how many requests fit.
  constexpr std::uint32_t request_count() const noexcept { return requests_.size(); }
  constexpr std::uint32_t young_count() const noexcept { return requests_.young(); }
  constexpr std::uint32_t accept_count() const noexcept { return accepted_.size(); }
  constexpr std::uint32_t request_limit() const noexcept { return limit_; }
  constexpr bool request_full() const noexcept { return requests_.size() >= limit_; }
  constexpr bool accept_full() const noexcept { return Waiting::full({accepted_.size(), requests_.size()}, backlog_); }
  constexpr decltype(auto) counters() const noexcept { return counters_.get().values(); }
  constexpr std::uint32_t get(tunable t) const noexcept { return tunables_[t]; }
  constexpr auto& observer() noexcept requires(!std::is_empty_v<Observer>) { return observer_.get(); }
  /// The request of a four-tuple, or nothing; the pointer is good until the next call that changes the listener.
  constexpr const request_type* find_request(const key_type& key) const noexcept {
    const index i = requests_.find(key, low(hash(key)));
    return i == npos ? nullptr : &requests_[i];
  }
  /// Calls `f(const request_type&)` for every request, in no particular order.
  template <class F>
  constexpr void for_each_request(F&& f) const {
    for (index i = requests_.next_stored(); i != npos; i = requests_.next_stored(i)) f(requests_[i]);
  }
  /// Calls `f(const handle_type&)` for every waiting connection, oldest first.
  template <class F>
  constexpr void for_each_waiting(F&& f) const {
    for (std::size_t i = 0; i < accepted_.size(); ++i) f(accepted_[i].handle);
  }

 private:
  using index = typename requests_type::index;
  static constexpr index npos = requests_type::npos;

  template <class V>
  static constexpr bool is_policy = std::same_as<V, Hashing> || std::same_as<V, Cookies> || std::same_as<V, Counters> ||
                                    std::same_as<V, Observer> || std::same_as<V, Budget> || std::same_as<V, Storage>;

  template <class V>
  constexpr void take(const V& v) {
    const auto into = [&v]<class H>(H& h) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(h.get())>, V> && !std::is_empty_v<V>) h.get() = v;
    };
    into(hashing_), into(cookies_), into(counters_), into(observer_), into(budget_), into(storage_);
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

  constexpr instant advance(instant now) noexcept { return now_ = now > now_ ? now : now_; }

  template <class Queue>
  constexpr bool reserve(Queue& q, std::uint32_t n) noexcept {
    decltype(auto) source = storage_.get();
    return q.reserve(n, source);
  }

  // --- hashing ---

  struct key_words {
    static constexpr std::size_t count = 2 * Family::words + 1;
    std::uint32_t word[count]{};
    constexpr explicit key_words(const key_type& k) noexcept {
      for (std::size_t i = 0; i < Family::words; ++i) {
        word[i] = Family::word(k.peer_address, i);
        word[Family::words + i] = Family::word(k.local_address, i);
      }
      word[2 * Family::words] = (std::uint32_t{k.peer_port} << 16) | k.local_port;
    }
  };
  constexpr std::uint64_t hash(const key_type& k) const noexcept {
    const key_words w{k};
    return hashing_.get().hash(w.word, key_words::count);
  }
  static constexpr std::uint32_t low(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h); }
  static constexpr std::uint32_t high(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h >> 32); }
  /// The shift of this peer's timestamp clock: a different mix of the same hash than its ISN.
  static constexpr std::uint32_t ts_offset(std::uint64_t h) noexcept {
    return Offer::keyed_clock ? (low(h) ^ std::rotl(high(h), 15)) * 0x9e3779b1U : 0;
  }

  // --- facts ---

  constexpr queue_lengths lengths() const noexcept { return {accepted_.size(), requests_.size()}; }
  constexpr overflow_facts overflow(bool cookie) const noexcept {
    return {.lengths = lengths(), .young = requests_.young(), .backlog = backlog_, .cookie = cookie};
  }
  constexpr std::uint32_t threshold() const noexcept {
    return Pressure::threshold({.requests = requests_.size(),
                                .young = requests_.young(),
                                .limit = limit_,
                                .backlog = backlog_,
                                .retries = Schedule::retries(tunables_)});
  }

  // --- sending ---

  template <class Sink>
  static constexpr send_result answer(const segment_type& s, Sink& out, outcome& o) {
    const send_result sent = out.send(s);
    if (sent == send_result::sent) {
      o.stages.add(stage::answered);
      if (s.flags.has(flag::rst)) o.stages.add(stage::answered_reset);
    } else {
      o.stages.add(stage::send_failed);
    }
    return sent;
  }
  /// RST, unless the segment was one.
  template <class Sink>
  static constexpr void answer_reset(const segment_type& s, Sink& out, outcome& o) {
    if (!s.flags.has(flag::rst)) answer(reset_for(s), out, o);
  }
  template <class Sink>
  static constexpr void send_reset_to(const request_type& r, Sink& out) {
    segment_type s = segment_to_peer(r.key);
    s.flags = flag::rst | flag::ack;
    s.seq = r.iss + 1;
    s.ack = r.irs + 1;
    out.send(s);
  }
  constexpr segment_type next_syn_ack(request_type& r, std::uint64_t h, instant now) noexcept {
    r.last_ts = detail::timestamp(now, ts_offset(h));
    return detail::syn_ack<Offer>(r, r.last_ts);
  }

  constexpr void forget_request(index i, std::uint64_t h, departure why) noexcept {
    budget_.get().left(requests_[i].key, why);
    requests_.remove(i, low(h));
  }

  // --- segments ---

  template <class Sink>
  constexpr outcome closed(const segment_type& s, Sink& out) {
    outcome o{verdict::not_listening};
    if (requests_.size() > 0) {
      const key_type key = four_tuple_of(s);
      const std::uint64_t h = hash(key);
      const index i = requests_.find(key, low(h));
      if (i != npos) forget_request(i, h, departure::closed);
    }
    answer_reset(s, out, o);
    return o;
  }

  template <class Sink>
  constexpr outcome dispatch(const segment_type& s, instant now, Sink& out, const arrival& facts) {
    const key_type key = four_tuple_of(s);
    const std::uint64_t h = hash(key);
    const index i = requests_.find(key, low(h));
    if (s.flags.has(flag::syn) && !s.flags.any(flag::ack | flag::rst)) return on_syn(s, key, h, i, now, out, facts);
    if (i != npos) return on_request(s, h, i, now, out);
    if (s.flags.has(flag::ack)) return on_stray_ack(s, key, h, now, out);
    return {verdict::ignored};
  }

  template <class Sink>
  constexpr outcome on_syn(const segment_type& s, const key_type& key, std::uint64_t h, index i, instant now, Sink& out,
                           const arrival& facts) {
    if (i == npos && s.flags.has(flag::fin) && !Validation::syn_fin) return {verdict::ignored};
    outcome o{verdict::admitted};
    const cookie_mode mode = Cookies::mode(tunables_);
    const syn_facts f{.lengths = lengths(),
                      .young = requests_.young(),
                      .backlog = backlog_,
                      .limit = limit_,
                      .request_full = request_full(),
                      .accept_full = accept_full(),
                      .isn_chosen = facts.isn != 0,
                      .proven = facts.proven,
                      .refused = facts.refused,
                      .cookies_always = mode == cookie_mode::always};
    bool known = false;
    const bool refused = Admission::any([&]<class G>() {
      if constexpr (G::owner == gate_owner::known_request) {
        return known = i != npos;
      } else if constexpr (G::owner == gate_owner::budget) {
        return !budget_.get().allows(key) && refuse(verdict::dropped_over_budget, s, out, o);
      } else {
        return G::closed(f, tunables_) && at_closed_gate<G>(s, f, mode, out, o);
      }
    });
    if (known) return on_request(s, h, i, now, out);
    if (refused) return o;
    if (o.stages.has(stage::cookie_wanted)) {
      if constexpr (Cookies::possible) send_cookie(s, key, h, now, out, o);
    } else {
      store(s, key, h, now, out, facts, o);
    }
    return o;
  }

  template <class Sink>
  constexpr bool refuse(verdict v, const segment_type& s, Sink& out, outcome& o) {
    o.verdict = v;
    if (v == verdict::reset_request_full || v == verdict::reset_accept_full) answer_reset(s, out, o);
    return true;
  }

  /// True if the SYN ends here.
  template <class G, class Sink>
  constexpr bool at_closed_gate(const segment_type& s, const syn_facts& f, cookie_mode mode, Sink& out, outcome& o) {
    if constexpr (G::owner == gate_owner::request_queue) {
      if (f.request_full) o.stages.add(stage::request_full);
      if (mode != cookie_mode::off) {
        o.stages.add(stage::cookie_wanted);
        return false;
      }
      switch (RequestFull::on_request_full(overflow(false))) {
        case syn_answer::admit:
          return false;
        case syn_answer::drop:
          return refuse(verdict::dropped_request_full, s, out, o);
        case syn_answer::reset:
          return refuse(verdict::reset_request_full, s, out, o);
        case syn_answer::evict_oldest:
          return evict_oldest_request(o) ? false : refuse(verdict::dropped_request_full, s, out, o);
      }
      return false;
    } else if constexpr (G::owner == gate_owner::accept_queue) {
      o.stages.add(stage::accept_full);
      switch (AcceptFullAtSyn::on_accept_full(overflow(o.stages.has(stage::cookie_wanted)))) {
        case syn_answer::drop:
          return refuse(verdict::dropped_accept_full, s, out, o);
        case syn_answer::reset:
          return refuse(verdict::reset_accept_full, s, out, o);
        default:
          return false;
      }
    } else if constexpr (G::owner == gate_owner::refusal) {
      return refuse(verdict::dropped_refused, s, out, o);
    } else if constexpr (G::owner == gate_owner::last_quarter) {
      // Not asked of a SYN that a cookie answers: it takes no room.
      return !o.stages.has(stage::cookie_wanted) && refuse(verdict::dropped_last_quarter, s, out, o);
    } else {
      refuse(verdict::dropped_by_gate, s, out, o);
      if (G::answer == syn_answer::reset) answer_reset(s, out, o);
      return true;
    }
  }

  constexpr bool evict_oldest_request(outcome& o) noexcept {
    if constexpr (evicts<RequestFull>) {
      const index i = requests_.oldest();
      if (i == npos) return false;
      forget_request(i, hash(requests_[i].key), departure::evicted);
      o.stages.add(stage::evicted);
      return true;
    } else {
      return false;
    }
  }

  template <class Sink>
  constexpr void store(const segment_type& s, const key_type& key, std::uint64_t h, instant now, Sink& out,
                       const arrival& facts, outcome& o) {
    request_type r;
    r.key = key;
    r.irs = s.seq;
    r.iss = facts.isn != 0 ? facts.isn : Isn::isn(high(h), now);
    detail::negotiate<Offer>(r, s, true);
    r.deadline = after(now, Schedule::timeout(0));
    const bool was_empty = requests_.size() == 0;
    const index i = requests_.insert(r, low(h));
    if (i == npos) {
      o.verdict = verdict::dropped_no_memory;
      return;
    }
    budget_.get().entered(key);
    const segment_type syn_ack = next_syn_ack(requests_[i], h, now);
    requests_[i].first_ts = requests_[i].last_ts;
    if (answer(syn_ack, out, o) == send_result::failed && SendFailure::forgets({.resent = false, .acked = false})) {
      forget_request(i, h, departure::send_failed);
      o.verdict = verdict::dropped_send_failed;
      return;
    }
    if constexpr (Clockwork::sweeps) {
      if (was_empty) hand_.due = requests_[i].deadline;
    }
  }

  template <class Sink>
  constexpr void send_cookie(const segment_type& s, const key_type& key, std::uint64_t h, instant now, Sink& out,
                             outcome& o) {
    const key_words w{key};
    const auto& codec = cookies_.get().codec;
    request_type r;
    r.key = key;
    r.irs = s.seq;
    detail::negotiate<Offer>(r, s, s.options.timestamps);
    r.iss = codec.make({w.word, key_words::count, r.irs, r.peer_mss}, now);
    tcp_options bits;
    bits.sack_permitted = r.sack;
    if (r.window_scaling) bits.window_scale = r.send_scale;
    const std::uint32_t clock = codec.encode(detail::timestamp(now, 0), bits, r.ecn);
    last_cookie_ = now;
    o.verdict = verdict::cookie_sent;
    answer(detail::syn_ack<Offer>(r, clock + ts_offset(h)), out, o);
  }

  // --- no request ---

  template <class Sink>
  constexpr outcome on_stray_ack(const segment_type& s, const key_type& key, std::uint64_t h, instant now, Sink& out) {
    outcome o{s.flags.has(flag::rst) ? verdict::ignored : verdict::stray};
    if constexpr (Cookies::possible) {
      if (!s.flags.any(flag::syn | flag::rst) && Cookies::mode(tunables_) != cookie_mode::off &&
          now < after(last_cookie_, cookies_.get().codec.overflow_window)) {
        request_type r;
        if (recover(r, s, key, h, now, o)) return finish_cookie(r, s, h, out, o);
      }
    }
    answer_reset(s, out, o);
    return o;
  }

  /// Rebuilds the request from the cookie in an ACK.
  constexpr bool recover(request_type& r, const segment_type& s, const key_type& key, std::uint64_t h, instant now,
                         outcome& o) noexcept {
    const key_words w{key};
    const auto& codec = cookies_.get().codec;
    o.stages.add(stage::cookie_checked);
    const auto mss = codec.check({w.word, key_words::count, s.seq - 1, 0}, s.ack - 1, now);
    if (!mss) return false;
    o.stages.add(stage::cookie_valid);
    r.key = key;
    r.irs = s.seq - 1;
    r.iss = s.ack - 1;
    r.peer_mss = *mss;
    if (s.options.timestamps && s.options.ts_echo != 0) {
      const std::uint32_t echo = s.options.ts_echo - ts_offset(h);
      const auto bits = codec.decode(echo);
      if (!bits || (bits->sack_permitted && !Offer::sack)) return false;
      r.timestamps = true;
      r.ts_recent = s.options.ts_value;
      r.sack = bits->sack_permitted;
      r.window_scaling = bits->has_window_scale();
      r.send_scale = r.window_scaling ? bits->window_scale : std::uint8_t{0};
      r.ecn = Offer::ecn && codec.ecn(echo);
    }
    return true;
  }

  template <class Sink>
  constexpr outcome finish_cookie(const request_type& r, const segment_type& s, std::uint64_t h, Sink& out, outcome o) {
    if (accept_full()) {
      o.stages.add(stage::accept_full);
      o.verdict = verdict::cookie_overflow;
    } else if (!queue_child(detail::finished<Offer>(r, ts_offset(h), true), s, out)) {
      o.stages.add(stage::child_refused);
      o.verdict = verdict::cookie_overflow;
    } else {
      o.verdict = verdict::cookie_promoted;
    }
    return o;
  }

  // --- at a request ---

  static constexpr request_facts judge_by(const request_type& r, const segment_type& s) noexcept {
    request_facts f;
    f.flags = s.flags;
    f.at_isn = s.seq == r.irs;
    f.exact = s.seq == r.irs + 1;
    f.in_window = in_window(s.seq, s.end(), r.irs + 1, r.irs + 1 + detail::offered_window<Offer>(r));
    f.ack_right = s.flags.has(flag::ack) && s.ack == r.iss + 1;
    if (r.timestamps && s.options.timestamps) {
      f.old_timestamp = r.ts_recent != 0 && seq_before(s.options.ts_value, r.ts_recent);
      const std::uint32_t echo = s.options.ts_echo;
      f.bad_echo = echo != 0 && echo - r.first_ts > r.last_ts - r.first_ts;
    }
    return f;
  }

  template <class Sink>
  constexpr outcome on_request(const segment_type& s, std::uint64_t h, index i, instant now, Sink& out) {
    request_type& r = requests_[i];
    const request_facts f = judge_by(r, s);
    const request_answer a = Validation::judge(f);
    outcome o;
    if (f.old_timestamp && a != request_answer::reset_and_keep) {
      o.stages.add(stage::old_timestamp);
    } else if (f.bad_echo && !Validation::late_timestamps && a == request_answer::ack) {
      o.stages.add(stage::bad_echo);
    }
    if (Validation::late_timestamps && r.timestamps && s.options.timestamps && !seq_after(s.seq, r.irs + 1) &&
        (a == request_answer::finish || a == request_answer::ignore)) {
      r.ts_recent = s.options.ts_value;
    }
    switch (a) {
      case request_answer::resend:
        o.verdict = verdict::duplicate_syn;
        resend(i, h, now, out, o);
        break;
      case request_answer::reset_and_keep:
        o.verdict = verdict::wrong_ack;
        answer_reset(s, out, o);
        break;
      case request_answer::ack:
        o.verdict = verdict::out_of_window;
        if (!s.flags.has(flag::rst)) ack_back(r, s, h, now, out, o);
        break;
      case request_answer::challenge:
        o.verdict = verdict::challenged;
        ack_back(r, s, h, now, out, o);
        break;
      case request_answer::forget:
        o.verdict = verdict::request_reset;
        forget_request(i, h, departure::reset);
        break;
      case request_answer::forget_and_reset:
        o.verdict = verdict::request_reset_by_syn;
        forget_request(i, h, departure::reset);
        answer_reset(s, out, o);
        break;
      case request_answer::ignore:
        o.verdict = verdict::no_ack;
        break;
      case request_answer::finish:
        finish(i, s, h, out, o);
        break;
    }
    return o;
  }

  template <class Sink>
  constexpr void resend(index i, std::uint64_t h, instant now, Sink& out, outcome& o) {
    request_type& r = requests_[i];
    if (r.limited(now, Validation::rate_limit)) {
      o.stages.add(stage::rate_limited);
      return;
    }
    answer(next_syn_ack(r, h, now), out, o);
    if (o.stages.has(stage::answered) && Validation::restarts_timer) {
      if (r.retransmits < 255) ++r.retransmits;
      requests_.restart(i, after(now, Schedule::timeout(r.timeouts)));
    }
  }

  template <class Sink>
  constexpr void ack_back(request_type& r, const segment_type& s, std::uint64_t h, instant now, Sink& out, outcome& o) {
    // Data without SYN do not make a loop of ACKs and are always answered (Linux, tcp_oow_rate_limited).
    const bool may_loop = s.payload.empty() || s.flags.has(flag::syn);
    if (may_loop && r.limited(now, Validation::rate_limit)) {
      o.stages.add(stage::rate_limited);
      return;
    }
    answer(detail::bare_ack<Offer>(r, detail::timestamp(now, ts_offset(h))), out, o);
  }

  template <class Sink>
  constexpr void finish(index i, const segment_type& s, std::uint64_t h, Sink& out, outcome& o) {
    request_type& r = requests_[i];
    if (s.end() == r.irs + 1 && Deferral::waits(r.timeouts, tunables_)) {
      r.acked = true;
      o.verdict = verdict::deferred;
      return;
    }
    if (accept_full()) {
      o.stages.add(stage::accept_full);
    } else if (queue_child(detail::finished<Offer>(r, ts_offset(h), false), s, out)) {
      forget_request(i, h, departure::promoted);
      o.verdict = verdict::promoted;
      return;
    } else {
      o.stages.add(stage::child_refused);
    }
    switch (AcceptFullAtAck::on_overflow(overflow(false), tunables_)) {
      case ack_answer::keep:
        r.acked = true;
        o.verdict = verdict::overflow_kept;
        break;
      case ack_answer::reset:
        o.verdict = verdict::overflow_reset;
        forget_request(i, h, departure::overflow);
        answer_reset(s, out, o);
        break;
      case ack_answer::forget:
        o.verdict = verdict::overflow_forgotten;
        forget_request(i, h, departure::overflow);
        break;
    }
  }

  /// Has the stack make its child and queues the handle; false if it would not.
  template <class Sink>
  constexpr bool queue_child(const handshake_type& shake, const segment_type& s, Sink& out) {
    if constexpr (std::same_as<handle_type, handshake_type> || std::same_as<handle_type, key_type>) {
      if constexpr (requires {
                      { out.make_child(shake, s) } -> std::convertible_to<bool>;
                    }) {
        if (!out.make_child(shake, s)) return false;
      }
      if constexpr (std::same_as<handle_type, handshake_type>)
        return accepted_.push(shake);
      else
        return accepted_.push(shake.key);
    } else {
      static_assert(
          requires {
            { out.make_child(shake, s) } -> std::convertible_to<std::optional<handle_type>>;
          },
          "listenq::listener: child<handles<H>> needs sink.make_child(handshake, segment) -> optional<H>.");
      const std::optional<handle_type> handle = out.make_child(shake, s);
      return handle && accepted_.push(*handle);
    }
  }

  // --- timers ---

  /// One timer. False if the sink asked to come back later: nothing has happened then.
  template <class Sink>
  constexpr bool time_out(index i, instant now, std::uint32_t threshold, Sink& out, tick_summary& sum) {
    const std::uint64_t h = hash(requests_[i].key);
    request_type& r = requests_[i];
    const key_type key = r.key;
    timer_outcome t;
    const timeout_answer a =
        Deferral::at_timeout({.timeouts = r.timeouts, .threshold = threshold, .acked = r.acked}, tunables_);
    if (!listening_) {
      t.verdict = timer_verdict::orphaned;
      forget_request(i, h, departure::closed);
    } else if (a.expire) {
      t.verdict = timer_verdict::expired;
      forget_request(i, h, departure::expired);
    } else {
      bool failed = false;
      if (a.resend) {
        const request_type before = r;
        const send_result sent = out.send(next_syn_ack(r, h, now));
        if (sent == send_result::later) {
          r = before;
          sum.later = true;
          return false;
        }
        t.sent = sent == send_result::sent;
        failed = !t.sent;
      } else {
        t.verdict = timer_verdict::waited;
      }
      if (failed && SendFailure::forgets({.resent = true, .acked = r.acked})) {
        t.verdict = timer_verdict::send_failed;
        forget_request(i, h, departure::send_failed);
      } else {
        if (t.sent && r.retransmits < 255) ++r.retransmits;
        if (r.answered && !r.limited(now, Validation::rate_limit)) r.answered = false;
        requests_.time_out(i, after(now, Schedule::timeout(r.timeouts + 1U)));
      }
    }
    ++sum.timers;
    if (t.sent) ++sum.resent;
    if (t.verdict != timer_verdict::resent && t.verdict != timer_verdict::waited) ++sum.forgotten;
    counters_.get().count(t);
    if constexpr (requires { observer_.get().on_timer(now, key, t); }) observer_.get().on_timer(now, key, t);
    return true;
  }

  /// The hand's visit to its next buckets, if it is due.
  template <class Sink>
  constexpr void sweep_once(instant now, Sink& out, tick_summary& sum) {
    if (requests_.size() == 0 || now < hand_.due) return;
    const std::uint32_t limit = threshold();
    std::uint32_t budget = Clockwork::budget(requests_.buckets(), Schedule::timeout(0));
    std::uint32_t bucket = hand_.bucket & (requests_.buckets() - 1);
    for (; budget > 0; --budget) {
      for (index i = requests_.bucket_front(bucket); i != npos;) {
        const index older = requests_.bucket_next(i);
        if (requests_[i].deadline <= now && !time_out(i, now, limit, out, sum)) {
          hand_.bucket = bucket;
          return;
        }
        i = older;
      }
      bucket = (bucket + 1) & (requests_.buckets() - 1);
    }
    hand_.bucket = bucket;
    hand_.due = after(now, Clockwork::period);
  }

  struct hand {
    instant due = 0;
    std::uint32_t bucket = 0;
  };
  struct no_hand {};

  requests_type requests_{};
  accepted_type accepted_{};
  instant now_ = 0;
  instant last_cookie_ = -never;
  std::uint32_t backlog_ = 0;
  std::uint32_t limit_ = 0;
  bool listening_ = false;
  [[no_unique_address]] tunables_type tunables_{};
  [[no_unique_address]] std::conditional_t<Clockwork::sweeps, hand, no_hand> hand_{};
  [[no_unique_address]] detail::held<slot::hashing, Hashing> hashing_{};
  [[no_unique_address]] detail::held<slot::cookies, Cookies> cookies_{};
  [[no_unique_address]] detail::held<slot::counters, Counters> counters_{};
  [[no_unique_address]] detail::held<slot::observer, Observer> observer_{};
  [[no_unique_address]] detail::held<slot::budget, Budget> budget_{};
  [[no_unique_address]] detail::held<slot::storage, Storage> storage_{};
};

}  // namespace listenq
