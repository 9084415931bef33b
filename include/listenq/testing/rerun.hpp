// SPDX-License-Identifier: BSL-1.0
// rerun: what would another listener have made of it? Plays the inputs of an event log, a capture's or a recorded
// run's, to a listener of any composition. Its ISNs and its clock are its own, so what clients acknowledge and echo is
// translated, a wrong number into one that is wrong by as much. The world reacts as far as a log can tell:
//
// - what a client said to an answer that it does not get here is withheld, and so is what it said after a RST;
// - a client that finished its handshake in the log, and gets no answer here, sends its SYN again after 1, 3, 7, 15, 31
//   and 63 s, and acknowledges whatever SYN-ACK comes, after its own time there and back (`persistent`);
// - a client that was never answered in the log cannot be told from a forged one and says what it said there;
// - a connection takes its segments until a RST, or a SYN after a FIN.
//
// It is no simulation: clients do not slow down, networks do not fill up, and nobody comes later for being served
// later.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/recording.hpp>
#include <listenq/testing/replay.hpp>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/testing/rerun/logged_attempts.hpp>
#include <listenq/testing/rerun/options.hpp>
#include <listenq/testing/rerun/report.hpp>
#include <optional>
#include <queue>
#include <span>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace listenq::testing {

namespace detail {

template <loggable L>
class rerunner {
 public:
  rerunner(const logged_attempts& there, L& door, const rerun_options& o)
      : there_(there),
        log_(there.log()),
        door_(door),
        tap_(door, o.log),
        options_(o),
        accept_(o.accept.when != accept_model::kind::recorded || there.accepts() ? o.accept.when
                                                                                 : accept_model::kind::always),
        by_peer_(there.by_peer()) {}

  rerun_report run() {
    const bool listens = std::any_of(log_.begin(), log_.end(), [](auto& e) { return e.kind == log_kind::listen; });
    if (!log_.empty()) now_ = log_.front().at;
    const instant began = now_;
    if (!listens) tap_.listen(options_.backlog.value_or(128), began - options_.head_start);
    if (accept_ == accept_model::kind::every) plan(now_ + options_.accept.time, deed::accept, {});
    if (accept_ == accept_model::kind::from) plan(options_.accept.time, deed::accept, {});
    for (std::size_t i = 0; i < log_.size(); ++i) {
      pass_time(log_[i].at);
      play(i);
    }
    report_.length = now_ - began;
    for (const auto& [key, all] : by_peer_) {
      for (const attempt& a : all) {
        report_.honest += a.honest() ? 1 : 0;
        report_.honest_lost += a.honest() && !a.finished ? 1 : 0;
      }
    }
    return report_;
  }

 private:
  static constexpr duration longest_patience = 64 * second;  ///< then a client gives up
  enum class deed : std::uint8_t { syn, ack, accept };
  struct plan_entry {
    instant at;
    std::uint64_t order;
    deed what;
    four_tuple key;
    std::size_t which;  ///< attempt
    friend bool operator>(const plan_entry& a, const plan_entry& b) noexcept {
      return std::tie(a.at, a.order) > std::tie(b.at, b.order);
    }
  };
  struct connection_here {
    typename L::handle_type handle;
    bool accepted = false;
    bool ended = false;    ///< somebody has sent a FIN
    bool pending = false;  ///< fast open: its handshake has not ended
  };
  struct outlet {
    rerunner& in;
    send_result send(const segment& s) {
      in.sent(s);
      return send_result::sent;
    }
    bool make_child(const handshake& h, const segment&) {
      in.connected(h);
      return true;
    }
    void reset_child(const typename L::handle_type& h) { in.children_.erase(log_key(h)); }
  };

  /// RSTs to a peer here: how many more than there, and when the last one was.
  struct reset_count {
    std::int64_t more = 0;
    instant last = 0;
  };
  /// Has a RST that its server there did not send reached it?
  bool was_reset(const four_tuple& key, duration round_trip) const {
    const auto r = resets_.find(key);
    return r != resets_.end() && r->second.more > 0 && now_ - r->second.last >= round_trip;
  }

  void plan(instant at, deed what, const four_tuple& key, std::size_t which = 0) {
    plans_.push({at, ++planned_, what, key, which});
  }
  queue_lengths_now lengths() const { return {door_.request_count(), door_.young_count(), door_.accept_count()}; }

  // --- time ---

  void pass_time(instant to) {
    for (;;) {
      const std::optional<instant> due = door_.next_deadline();
      const instant planned = plans_.empty() ? never : plans_.top().at;
      const instant next = std::min(due.value_or(never), planned);
      if (next > to) break;
      now_ = std::max(now_, next);
      if (due && *due <= planned) {
        outlet out{*this};
        const tick_summary t = tap_.tick(now_, out);
        report_.timed_out += t.forgotten;
        if (t.timers == 0 && door_.next_deadline() == due) break;  // nothing that time alone would change
      } else {
        const plan_entry p = plans_.top();
        plans_.pop();
        carry_out(p);
      }
      settle();
    }
    now_ = std::max(now_, to);
  }
  void carry_out(const plan_entry& p) {
    if (p.what == deed::accept) {
      if (accept_ == accept_model::kind::from) return;  // from now on `settle` does
      accept_one();
      plan(now_ + std::max<duration>(options_.accept.time, 1), deed::accept, {});
      return;
    }
    attempt& a = by_peer_[p.key][p.which];
    if (a.finished || a.was_reset) return;
    if (p.what == deed::syn) {
      if (a.answered) return;
      ++report_.added;
      repeat_syn(p.key, p.which, a);
      give(rerun_step::none, log_[a.syn].segment, log_[a.syn].facts);
    } else {
      a.acks = false;
      ++report_.added;
      segment s = log_[a.final_ack].segment;
      a.translate(s);
      give(rerun_step::none, s, {});
    }
  }
  /// Plans the SYN after one of `a` at `last_syn`.
  void repeat_syn(const four_tuple& key, std::size_t which, attempt& a) {
    if (a.patience < longest_patience) plan(std::max(now_, a.last_syn + a.patience), deed::syn, key, which);
    a.last_syn += a.patience;
    a.patience *= 2;
  }

  // --- entries ---

  void play(std::size_t i) {
    const log_entry& e = log_[i];
    outlet out{*this};
    switch (e.kind) {
      case log_kind::listen:
        tap_.listen(options_.backlog.value_or(static_cast<int>(e.what)), now_);
        break;
      case log_kind::in:
        heard(i);
        break;
      case log_kind::out:
        seen(i);
        break;
      case log_kind::accept:
        if (accept_ == accept_model::kind::recorded) accept_one();
        break;
      case log_kind::close:
        tap_.close(out, now_);
        break;
      case log_kind::shutdown:
        tap_.shutdown(static_cast<shutdown_how>(e.what), out, now_);
        break;
      case log_kind::set:
        if (!options_.kept.has(static_cast<tunable>(e.what))) tap_.set(static_cast<tunable>(e.what), e.value, now_);
        break;
      case log_kind::gone:
        if (const auto c = children_.find(e.key); c != children_.end()) gone(c);
        break;
      case log_kind::settled:
        if (const auto c = children_.find(e.key); c != children_.end()) {
          settled(c->second, static_cast<fast_open_end>(e.what));
        }
        break;
      case log_kind::icmp: {
        segment about;
        about.flags = flag::ack;
        about.ack = e.value + 1;
        const auto n = current_.find(e.key);
        attempt* const a = n == current_.end() ? nullptr : spoken_by(by_peer_[e.key], n->second, about, i);
        if (a != nullptr && a->answered) {
          a->translate(about);
          tap_.unreachable(e.key, about.ack - 1, now_, static_cast<icmp_error>(e.what));
        }
        break;
      }
      case log_kind::child:
        if (e.result != 0) connected_there_.insert(e.key);
        break;
      case log_kind::reset:
      case log_kind::tick:
        break;  // here they are the listener's own affair
    }
    settle();
  }

  /// A client says something in the log.
  void heard(std::size_t i) {
    segment s = log_[i].segment;
    const four_tuple key = four_tuple_of(s);
    if (connected_there_.erase(key) != 0) {  // there it came to the listener: that connection was no more
      if (const auto c = children_.find(key); c != children_.end()) gone(c);
    }
    std::vector<attempt>& all = by_peer_[key];
    std::size_t& begun = current_[key];
    if (begun < all.size() && (all[begun].syn == i || all[begun].syn == attempt::none)) ++begun;
    if (is_syn(s)) {
      attempt& a =
          *std::find_if(all.begin(), all.end(), [&s](auto& x) { return x.syn != attempt::none && x.irs == s.seq; });
      if (a.late) {
        ++report_.withheld;
        return;
      }
      a.last_syn = now_;
      if (a.syn != i) a.patience = std::min(2 * a.patience, longest_patience);
      give(i, s, log_[i].facts);
      return;
    }
    attempt& a = *spoken_by(all, begun, s, i);
    if (a.answer < i) {
      const bool told_otherwise = !a.answered || was_reset(key, a.round_trip);
      if ((told_otherwise || a.late) && children_.find(key) == children_.end()) {
        ++report_.withheld;
        return;
      }
      a.translate(s);
    } else if (s.flags.has(flag::ack)) {
      ++report_.untranslated;
    }
    give(i, s, log_[i].facts);
    // The server there was content with what it got, this one is not: the client will say it again when asked.
    if (options_.persistent && i == a.final_ack && i > a.last_answer && !a.finished) a.insists = true;
  }
  /// The server says something in the log.
  void seen(std::size_t i) {
    const segment& s = log_[i].segment;
    const four_tuple key = peer_of(s);
    if (is_syn_ack(s)) {
      const auto peer = by_peer_.find(key);
      attempt* const a = peer == by_peer_.end() ? nullptr : answered_by(peer->second, s);
      if (a == nullptr) return;
      a->add({s.seq, s.options.ts_value, a->our_iss, a->our_stamp, a->answered});
      if (options_.persistent && a->honest() && !a->answered && !a->late && !a->was_reset) {
        a->late = true;
        repeat_syn(key, static_cast<std::size_t>(a - peer->second.data()), *a);
      }
      return;
    }
    if (s.flags.has(flag::rst)) --resets_[key].more;
    const auto c = children_.find(key);
    if (c == children_.end()) return;
    if (accept_ == accept_model::kind::observed && (s.payload.size > 0 || s.flags.has(flag::fin))) {
      while (!c->second.accepted && accept_one()) {
      }
    }
    if (s.flags.has(flag::fin)) c->second.ended = true;
    if (s.flags.has(flag::rst) && c->second.accepted) children_.erase(c);
  }

  /// A segment arrives: at its connection, or at the listener.
  void give(std::size_t entry, segment s, const arrival& facts) {
    const four_tuple key = four_tuple_of(s);
    s.payload = blank_payload(s.payload.size);
    if (const auto c = children_.find(key); c != children_.end()) {
      if (!(s.flags.has(flag::syn) && c->second.ended)) {
        ++report_.to_connections;
        to_connection(c, s);
        return;
      }
      children_.erase(c);
    }
    rerun_step step{entry, now_, s, {}, lengths(), {}};
    outlet out{*this};
    syn_acked_ = false;
    step.outcome = tap_.receive(s, now_, out, facts);
    step.after = lengths();
    ++report_.segments;
    ++report_.verdicts[static_cast<std::size_t>(step.outcome.verdict)];
    if (entry != rerun_step::none && is_syn(s)) {
      ++report_.syns;
      report_.syns_alike += syn_acked_ == there_.answered(entry) ? 1 : 0;
    }
    if (options_.step) options_.step(step);
  }
  using child_iterator = typename std::unordered_map<four_tuple, connection_here, key_hash>::iterator;
  void to_connection(child_iterator c, const segment& s) {
    if (s.flags.has(flag::rst)) {
      settled(c->second, fast_open_end::reset);
      gone(c);
      return;
    }
    if (s.flags.has(flag::ack)) settled(c->second, fast_open_end::finished);
    if (s.flags.has(flag::fin)) c->second.ended = true;
  }
  void settled(connection_here& c, fast_open_end how) {
    if (!std::exchange(c.pending, false)) return;
    if constexpr (requires { tap_.child_settled(c.handle, how, now_); }) tap_.child_settled(c.handle, how, now_);
  }
  void gone(child_iterator c) {
    if (!c->second.accepted) tap_.child_gone(c->second.handle, now_);
    children_.erase(c);
  }

  // --- what the listener does ---

  void sent(const segment& s) {
    const four_tuple key = peer_of(s);
    const auto peer = by_peer_.find(key);
    if (s.flags.has(flag::rst)) {
      ++report_.resets;
      ++resets_[key].more;
      resets_[key].last = now_;
      if (peer != by_peer_.end()) {
        for (attempt& a : peer->second) a.was_reset = a.was_reset || a.late || a.insists;
      }
    }
    if (!is_syn_ack(s)) return;
    ++report_.syn_acks;
    syn_acked_ = true;
    attempt* const a = peer == by_peer_.end() ? nullptr : answered_by(peer->second, s);
    if (a == nullptr) return;
    a->answered = true;
    a->our_iss = s.seq;
    a->our_stamp = s.options.ts_value;
    if ((a->late || a->insists) && !a->acks) {
      a->acks = true;
      plan(now_ + a->round_trip, deed::ack, key, static_cast<std::size_t>(a - peer->second.data()));
    }
  }
  void connected(const handshake& h) {
    ++report_.connections;
    connection_here c{.handle = {}, .pending = h.fast_open};
    if constexpr (std::same_as<typename L::handle_type, handshake>) {
      c.handle = h;
    } else {
      c.handle = h.key;
    }
    children_.insert_or_assign(h.key, c);
    const auto peer = by_peer_.find(h.key);
    if (peer == by_peer_.end()) return;
    for (attempt& a : peer->second) a.finished = a.finished || (a.syn != attempt::none && a.irs == h.irs);
  }
  bool accept_one() {
    const auto r = tap_.accept(now_);
    if (r.status != accept_status::ok && r.status != accept_status::aborted) return false;
    ++report_.accepted;
    if (const auto c = children_.find(log_key(r.handle)); c != children_.end()) c->second.accepted = true;
    return true;
  }
  void settle() {
    const queue_lengths_now q = lengths();
    report_.most_requests = std::max(report_.most_requests, q.requests);
    report_.most_waiting = std::max(report_.most_waiting, q.waiting);
    const bool takes =
        accept_ == accept_model::kind::always || (accept_ == accept_model::kind::from && now_ >= options_.accept.time);
    while (takes && door_.accept_count() > 0 && accept_one()) {
    }
  }

  const logged_attempts& there_;
  std::span<const log_entry> log_;
  L& door_;
  recording<L> tap_;
  const rerun_options& options_;
  accept_model::kind accept_;
  logged_attempts::attempts by_peer_;
  std::unordered_map<four_tuple, std::size_t, key_hash> current_{};  ///< how many attempts of a peer have begun
  std::unordered_map<four_tuple, connection_here, key_hash> children_{};
  std::unordered_set<four_tuple, key_hash> connected_there_{};
  std::unordered_map<four_tuple, reset_count, key_hash> resets_{};
  std::priority_queue<plan_entry, std::vector<plan_entry>, std::greater<>> plans_{};
  std::uint64_t planned_ = 0;
  instant now_ = 0;
  bool syn_acked_ = false;
  rerun_report report_{};
};

}  // namespace detail

/// Plays what came in to `door`, which has not listened yet, and says what became of it. `there` must outlive the call.
template <loggable L>
rerun_report rerun(const logged_attempts& there, L& door, const rerun_options& o = {}) {
  return detail::rerunner<L>(there, door, o).run();
}

}  // namespace listenq::testing
