// SPDX-License-Identifier: BSL-1.0
// Plays a log to a listener, entry by entry, with what time brings between two of them. What clients make of the
// answers is in clients.hpp, what becomes of connections in connections.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/recording.hpp>
#include <listenq/testing/replay.hpp>
#include <listenq/testing/rerun/agenda.hpp>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/testing/rerun/clients.hpp>
#include <listenq/testing/rerun/connections.hpp>
#include <listenq/testing/rerun/logged_attempts.hpp>
#include <listenq/testing/rerun/options.hpp>
#include <listenq/testing/rerun/report.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <span>

namespace listenq::testing::detail {

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
        clients_(there, o.persistent, plans_),
        connections_(tap_) {}

  rerun_report run() {
    const bool listens = std::any_of(log_.begin(), log_.end(), [](auto& e) { return e.kind == log_kind::listen; });
    if (!log_.empty()) now_ = log_.front().at;
    const instant began = now_;
    if (!listens) tap_.listen(options_.backlog.value_or(128), began - options_.head_start);
    if (accept_ == accept_model::kind::every) plans_.add(now_ + options_.accept.time, deed::accept);
    if (accept_ == accept_model::kind::from) plans_.add(options_.accept.time, deed::accept);
    for (std::size_t i = 0; i < log_.size(); ++i) {
      pass_time(log_[i].at);
      play(i);
    }
    report_.length = now_ - began;
    clients_.tell(report_);
    return report_;
  }

 private:
  struct outlet {
    rerunner& in;
    send_result send(const segment& s) {
      in.sent(s);
      return send_result::sent;
    }
    bool make_child(const handshake& h, const segment&) {
      ++in.report_.connections;
      in.connections_.made(h);
      in.clients_.connected(h);
      return true;
    }
    void reset_child(const typename L::handle_type& h) { in.connections_.reset(log_key(h)); }
  };

  queue_lengths_now lengths() const { return {door_.request_count(), door_.young_count(), door_.accept_count()}; }

  // --- time ---

  void pass_time(instant to) {
    for (;;) {
      const std::optional<instant> due = door_.next_deadline();
      const instant planned = plans_.next();
      const instant next = std::min(due.value_or(never), planned);
      if (next > to) break;
      now_ = std::max(now_, next);
      if (due && *due <= planned) {
        outlet out{*this};
        const tick_summary t = tap_.tick(now_, out);
        report_.timed_out += t.forgotten;
        if (t.timers == 0 && door_.next_deadline() == due) break;  // nothing that time alone would change
      } else {
        carry_out(plans_.take());
      }
      settle();
    }
    now_ = std::max(now_, to);
  }
  void carry_out(const plan& p) {
    if (p.what == deed::accept) {
      if (accept_ == accept_model::kind::from) return;  // from now on `settle` does
      accept_one();
      plans_.add(now_ + std::max<duration>(options_.accept.time, 1), deed::accept);
      return;
    }
    const std::optional<addition> x = clients_.carry_out(p, now_);
    if (!x) return;
    ++report_.added;
    give(rerun_step::none, x->segment, x->facts);
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
        seen(e.segment);
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
        connections_.gone(e.key, now_);
        break;
      case log_kind::settled:
        connections_.settled(e.key, static_cast<fast_open_end>(e.what), now_);
        break;
      case log_kind::icmp:
        if (const auto seq = clients_.quoted(i)) {
          tap_.unreachable(e.key, *seq, now_, static_cast<icmp_error>(e.what));
        }
        break;
      case log_kind::child:
        if (e.result != 0) connections_.made_there(e.key);
        break;
      case log_kind::reset:
      case log_kind::tick:
        break;  // here they are the listener's own affair
    }
    settle();
  }
  /// A client says something in the log.
  void heard(std::size_t i) {
    const four_tuple key = four_tuple_of(log_[i].segment);
    connections_.passed_by_there(key, now_);
    attempt& a = clients_.speaker(i);
    const std::optional<segment> s = clients_.says(a, i, connections_.has(key), now_);
    if (!s) {
      ++report_.withheld;
      return;
    }
    give(i, *s, log_[i].facts);
    clients_.said(a, i);
  }
  /// The server says something in the log.
  void seen(const segment& s) {
    clients_.hear_there(s, now_);
    if (is_syn_ack(s)) return;
    if (accept_ == accept_model::kind::observed && (s.payload.size > 0 || s.flags.has(flag::fin))) {
      while (connections_.waits(peer_of(s)) && accept_one()) {
      }
    }
    connections_.said_there(s);
  }

  /// A segment arrives: at its connection, or at the listener.
  void give(std::size_t entry, segment s, const arrival& facts) {
    s.payload = blank_payload(s.payload.size);
    if (connections_.take(s, now_)) {
      ++report_.to_connections;
      return;
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
  void sent(const segment& s) {
    report_.resets += s.flags.has(flag::rst) ? 1 : 0;
    if (is_syn_ack(s)) {
      ++report_.syn_acks;
      syn_acked_ = true;
    }
    clients_.hear(s, now_);
  }

  // --- the application ---

  bool accept_one() {
    const auto r = tap_.accept(now_);
    if (r.status != accept_status::ok && r.status != accept_status::aborted) return false;
    ++report_.accepted;
    connections_.accepted(log_key(r.handle));
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
  agenda plans_{};
  clients clients_;
  connections<L> connections_;
  instant now_ = 0;
  bool syn_acked_ = false;
  rerun_report report_{};
};

}  // namespace listenq::testing::detail
