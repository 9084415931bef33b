// SPDX-License-Identifier: BSL-1.0
// A listener side by side with its model: what is done to the one is done to the other, and all that they say is
// compared; the invariants and the ledger are asked, clients read their answers. The first thing that is wrong stays.
// What is done, and when, is somebody else's affair (trial.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/testing/ledger.hpp>
#include <listenq/testing/model.hpp>
#include <listenq/testing/model/clients.hpp>
#include <listenq/testing/model/compare.hpp>
#include <listenq/testing/model/expectations_of.hpp>
#include <listenq/testing/model/failure.hpp>
#include <listenq/testing/model/subject.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace listenq::testing {

class side_by_side {
  /// What the ledger calls.
  auto violated() {
    return [this](invariant i) {
      if (!wrong_) wrong_ = difference{about(i).name, about(i).sentence, "a state that breaks it", about(i).source};
    };
  }

 public:
  side_by_side(std::unique_ptr<subject> l, const rules& promised)
      : l_{std::move(l)}, model_{promised}, ledger_{*l_, expectations_of(promised)} {}
  /// Of the listener, too; there is none in the copy where that cannot be copied.
  side_by_side(const side_by_side& o)
      : l_{o.l_->clone()},
        model_{o.model_},
        ledger_{o.ledger_},
        out_{o.out_},
        clients_{o.clients_},
        now_{o.now_},
        told_{o.told_},
        fingerprint_{o.fingerprint_},
        wrong_{o.wrong_},
        passed_{o.passed_} {}
  side_by_side& operator=(const side_by_side&) = delete;

  bool has_listener() const noexcept { return l_ != nullptr; }
  const subject& listener() const noexcept { return *l_; }
  const model& expected() const noexcept { return model_; }
  const script_clients& clients() const noexcept { return clients_; }
  instant now() const noexcept { return now_; }
  const std::vector<passed_segment>& passed() const noexcept { return passed_; }
  const std::optional<difference>& wrong() const noexcept { return wrong_; }
  /// A hash of everything that it has said and done.
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }

  /// Something else that is wrong.
  void fail(const char* what, const char* expected, const char* came) {
    if (!wrong_) wrong_ = difference{what, expected, came, ""};
  }
  /// Adds to the fingerprint.
  template <class... Ts>
  void note(Ts... values) {
    ((fingerprint_ = (fingerprint_ ^ static_cast<std::uint64_t>(values)) * 0x100000001b3U), ...);
  }

  // --- the world ---

  /// Time goes on; the listener hears of it when it is told something.
  void advance(instant to) noexcept { now_ = std::max(now_, to); }
  /// From now on what is sent fails, or waits, or not.
  void let_sink_say(send_result answer) noexcept { out_.answer = answer; }
  void refuse_children(bool on) noexcept { out_.refuses_children = on; }

  /// A segment of one of the clients (`client_key`), unless its connection would have taken it; the verdict.
  std::optional<verdict> deliver(const segment& s, const arrival& facts = {}) {
    const four_tuple key = four_tuple_of(s);
    const std::vector<four_tuple> waiting = l_->waiting();
    if (wrong_ || std::find(waiting.begin(), waiting.end(), key) != waiting.end()) return std::nullopt;
    // One client's segments come with a clock that lags, which counts as no time passed.
    const instant at = key == client_key(6) && told_ == now_ ? now_ - 700 * millisecond : now_;
    const std::vector<half_open> before = model_.requests();
    choices chosen;
    chosen.bucket = l_->bucket_of(key);
    pass(s);
    const outcome o = l_->receive(s, at, out_, facts);
    told_ = now_;
    result came = taken();
    came.verdict = o.verdict;
    came.met = o.stages;
    note(o.verdict, o.stages.bits);
    look_at_choices(key, o, came, before, chosen);
    const prediction p = model_.receive(s, at, around(), facts, chosen);
    hold(p, came);
    ledger_.received(*l_, s, facts, o, came.sent, violated());
    if (!wrong_ && came.verdict && o.flags != s.flags) fail("the flags in the outcome", "the segment's", "others");
    return o.verdict;
  }
  void unreachable(const four_tuple& key, seq_number seq, icmp_error error) {
    const icmp_verdict v = l_->unreachable(key, seq, now_, error);
    told_ = now_;
    note(v);
    result came;
    came.said = name_of(v);
    hold(model_.unreachable(key, seq, now_, error), came);
    ledger_.unreachable(*l_, key, v == icmp_verdict::ended, violated());
  }
  void tick() {
    if (wrong_) return;
    const std::vector<request<ipv4>> before = l_->requests();
    const tick_summary t = l_->tick(now_, out_);
    told_ = now_;
    result came = taken();
    came.said = std::to_string(t.timers) + " timers, " + std::to_string(t.resent) + " resent, " +
                std::to_string(t.forgotten) + " forgotten" + (t.later ? ", later" : "");
    choices chosen;
    chosen.later = t.later;
    for (const request<ipv4>& r : before) {
      const request<ipv4>* const after = l_->find_request(r.key);
      if (after == nullptr || after->timeouts != r.timeouts || after->deadline != r.deadline) {
        chosen.visited.push_back(r.key);
      }
    }
    hold(model_.tick(now_, around(), chosen), came);
    ledger_.ticked(*l_, now_, t, came.sent, violated());
    note(t.timers, t.resent, t.forgotten, t.later);
  }

  // --- the application ---

  void listen(int backlog) {
    if (wrong_) return;
    const listen_result r = l_->listen(backlog, now_);
    told_ = now_;
    note(r.status, r.effect);
    result came;
    came.said = r.status == listen_status::storage_too_small ? "storage_too_small"
                : r.effect == listen_effect::started         ? "started"
                : r.effect == listen_effect::backlog_changed ? "backlog changed"
                                                             : "nothing changed";
    choices chosen;
    chosen.no_memory = r.status == listen_status::storage_too_small;
    hold(model_.listen(backlog, now_, chosen), came);
    ledger_.listened(*l_, static_cast<bool>(r), violated());
  }
  void accept() {
    const auto [status, handle] = l_->accept(now_);
    note(status, handle.peer_port);
    std::optional<four_tuple> who;
    const prediction p = model_.accept(now_, who);
    static constexpr const char* names[] = {"ok", "would_block", "aborted", "not_listening"};
    result came;
    came.said = names[static_cast<std::size_t>(status)];
    hold(p, came);
    if (!wrong_ && who && handle != *who)
      wrong_ = difference{"accept()", to_text(who->peer()), to_text(handle.peer()), p.rule};
    ledger_.accepted(*l_, status, handle, violated());
  }
  void close() {
    if (wrong_) return;
    const close_summary c = l_->close(out_, now_);
    closed(model_.close(now_, around()), c);
  }
  void shut(shutdown_how how) {
    const shutdown_result r = l_->shutdown(how, out_, now_);
    const prediction p = model_.shut(how, now_, around());
    if (r.status == shutdown_status::ok) return closed(p, r.closed, true);
    result came;
    came.said = r.status == shutdown_status::no_effect ? "no_effect" : "not_listening";
    hold(p, came);
    ledger_.touched(*l_, violated());
  }
  void set(tunable t, std::uint32_t value) {
    if (wrong_) return;
    static constexpr const char* names[] = {"ok", "not_tunable", "out_of_range"};
    result came;
    came.said = names[static_cast<std::size_t>(l_->set(t, value, now_))];
    told_ = now_;
    hold(model_.set(t, value, now_), came);
    ledger_.touched(*l_, violated());
  }
  void child_gone(const four_tuple& key) {
    result came;
    came.said = l_->child_gone(key) ? "yes" : "no";
    hold(model_.child_gone(key), came);
    ledger_.touched(*l_, violated());
  }

 private:
  void closed(const prediction& p, const close_summary& c, bool shut_down = false) {
    told_ = now_;
    result came = taken();
    came.said = std::to_string(c.children) + " children, " + std::to_string(c.requests) + " requests";
    hold(p, came);
    ledger_.closed(*l_, c, came.reset, came.sent, violated(), shut_down);
    note(c.children, c.requests);
  }
  void look_at_choices(const four_tuple& key, const outcome& o, const result& came,
                       const std::vector<half_open>& before, choices& chosen) const {
    chosen.limited = o.stages.has(stage::rate_limited);
    chosen.no_memory = o.verdict == verdict::dropped_no_memory;
    // A cookie's numbers are not those of the request that may be there, too.
    const request<ipv4>* const own = o.verdict == verdict::cookie_sent ? nullptr : l_->find_request(key);
    if (own != nullptr) {
      chosen.stored_in = l_->bucket_of(key);
      chosen.iss = own->iss;
      if (model_.promised().keeps_answers) chosen.clock = own->last_ts;
    }
    for (const segment& s : came.sent) {
      if (s.destination != key.peer() || !s.flags.has(flag::ack) || s.flags.has(flag::rst)) continue;
      if (s.flags.has(flag::syn)) chosen.iss = s.seq;
      if (s.options.timestamps) chosen.clock = s.options.ts_value;
    }
    if (!came.made.empty()) chosen.ts_offset = came.made.front().ts_offset;
    for (const half_open& r : before) {
      if (r.key != key && l_->find_request(r.key) == nullptr) chosen.victim = r.key;
    }
  }
  void note(const segment& s) {
    note(s.destination.port, s.flags.bits, s.seq, s.ack, s.window, s.options.ts_value, s.options.ts_echo,
         s.options.mss);
  }
  void hold(const prediction& p, const result& came) {
    if (!wrong_) wrong_ = compare(*l_, model_, p, came);
    for (const segment& s : came.sent) {
      note(s);
      pass(s);
      clients_.learn(s);
    }
  }
  void pass(const segment& s) {
    passed_.push_back({now_, s});
    passed_.back().segment.payload.data = nullptr;
  }
  result taken() {
    result r;
    r.sent = std::exchange(out_.sent, {});
    r.made = std::exchange(out_.made, {});
    r.reset = std::exchange(out_.reset, {});
    return r;
  }
  surroundings around() const { return {out_.answer, out_.refuses_children}; }

  std::unique_ptr<subject> l_;
  model model_;
  ledger<subject> ledger_;
  port out_{};
  script_clients clients_{};
  instant now_ = 5 * second;
  instant told_ = 0;  ///< the latest time that the listener has been told
  std::uint64_t fingerprint_ = 0xcbf29ce484222325U;
  std::optional<difference> wrong_{};
  std::vector<passed_segment> passed_{};
};

}  // namespace listenq::testing
