// SPDX-License-Identifier: BSL-1.0
// The run: a script played against a listener and its model, with clients that remember what they were answered. After
// every command the listener is compared with the model, and the invariants and the ledger are asked; a copy taken at a
// `fork` must go on alike, a second run must do the same, and close must leave nothing.
//
//   const auto wrong = run_against_model<my_listener>(random_script(seed));     // nothing: all is well
//
// It neither makes scripts (command.hpp, or a generator of yours) nor shortens them (shrink.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/testing/ledger.hpp>
#include <listenq/testing/model.hpp>
#include <listenq/testing/model/command.hpp>
#include <listenq/testing/model/compare.hpp>
#include <listenq/testing/model/rules_of.hpp>
#include <listenq/testing/model/subject.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace listenq::testing {

/// A segment that passed while a script was played; its payload is gone.
struct passed_segment {
  instant at = 0;
  listenq::segment segment{};
};

/// A command, when it was played, and what became of it.
struct played_command {
  command what{};
  instant at = 0;
  std::vector<verdict> verdicts{};
  std::uint32_t requests = 0, young = 0, waiting = 0;
};

/// What went wrong with a script, and the way there.
struct failure {
  difference wrong{};
  std::string name{};  ///< of the composition
  int backlog = 0;
  std::vector<played_command> history{};  ///< the last one is where it went wrong
  std::vector<passed_segment> passed{};   ///< both ways
  bool listening = false;
  std::uint64_t n = 0;                     ///< the backlog that is in force
  std::vector<four_tuple> requests_due{};  ///< what there should have been
  std::vector<four_tuple> waiting_due{};
  std::vector<four_tuple> requests{};  ///< what there was
  std::vector<four_tuple> waiting{};

  std::string text() const {
    std::string s = name + ", listen(" + std::to_string(backlog) + ")\n";
    for (std::size_t i = 0; i < history.size(); ++i) {
      const played_command& c = history[i];
      s += "  #" + std::to_string(i) + "  t=" + time_text(c.at) + "  " + to_text(c.what);
      for (const verdict v : c.verdicts) s += std::string{" -> "} + name_of(v);
      s += "   Q " + std::to_string(c.requests) + " Y " + std::to_string(c.young) + " A " + std::to_string(c.waiting) +
           '\n';
    }
    return s + wrong.text() + '\n';
  }
};

/// What the ledger is to know of these rules.
inline expectations expectations_of(const rules& r) {
  expectations e;
  e.evicted = victims::anybody;
  if (r.request_full.what == syn_rule::evict_oldest) e.evicted = victims::oldest;
  if (r.request_full.what == syn_rule::evict_in_bucket) e.evicted = victims::oldest_in_bucket;
  if (r.request_full.what == syn_rule::evict_from_here_on) e.evicted = victims::oldest_from_here_on;
  const bool one_rule = r.accept_full_at_syn.what <= syn_rule::reset ||
                        r.accept_full_at_syn.what == r.request_full.what ||
                        r.accept_full_at_syn.what == syn_rule::drop_above_young ||
                        r.accept_full_at_syn.what == syn_rule::drop_above_share;
  if (!one_rule) e.evicted = victims::anybody;
  if (r.buckets > 0) e.buckets = r.buckets;
  const auto gate =
      std::find_if(r.gates.begin(), r.gates.end(), [](const gate_rule& g) { return g.what == gate_step::request; });
  e.bounds_requests = gate != r.gates.end();
  // Whoever passes a full bucket, or has somebody of another one make room, makes it longer.
  const syn_rule full = r.request_full.what;
  const bool keeps_depth = e.bounds_requests && gate->strict &&
                           (full == syn_rule::drop || full == syn_rule::reset || full == syn_rule::evict_in_bucket ||
                            full == syn_rule::evict_from_here_on || full == syn_rule::drop_unless_both_full);
  if (r.buckets > 0 && keeps_depth) e.most_in_bucket = r.depth;
  e.exact_deadlines = r.sweep == 0;
  e.waiting_counts_requests = r.accept_full({.accepted = 0, .requests = unbounded / 2, .backlog = 1});
  e.duplicates_start_over = r.duplicate.restarts == restart::schedule;
  e.requests_outlive_close = r.closing == closing_answer::outlive;
  e.cookies_hide_requests = r.cookies.when == cookie_when::in_iss || r.cookies.when == cookie_when::in_iss_if_tuned;
  e.counts = r.counts >= counting::linux_2_6_32 && r.counts <= counting::linux_6_18;
  e.counts_cookies = r.counts != counting::linux_2_6_32;
  return e;
}

/// One listener, its model, its ledger and its clients. Plays command by command; the first thing that is wrong ends
/// it.
class trial {
 public:
  trial(std::unique_ptr<subject> l, const rules& promised)
      : l_{std::move(l)}, model_{promised}, ledger_{*l_, expectations_of(promised)} {
    for (std::uint32_t i = 0; i < client_count; ++i) clients_[i].isn = 1000 * i + 7;
  }
  /// Of the listener, too; `l_` is null where that cannot be copied.
  trial(const trial& o)
      : l_{o.l_->clone()},
        model_{o.model_},
        ledger_{o.ledger_},
        out_{o.out_},
        clients_{o.clients_},
        now_{o.now_},
        told_{o.told_},
        fingerprint_{o.fingerprint_},
        wrong_{o.wrong_},
        backlog_{o.backlog_},
        history_{o.history_},
        passed_{o.passed_} {}
  trial& operator=(const trial&) = delete;
  bool has_listener() const noexcept { return l_ != nullptr; }

  /// The first listen().
  bool start(int backlog) {
    backlog_ = backlog;
    listen(backlog);
    return !wrong_;
  }
  /// False, and nothing more is to be played, if something is wrong.
  bool play(const command& c) {
    if (wrong_) return false;
    history_.push_back({c, now_});
    step(c);
    played_command& done = history_.back();
    done.requests = l_->request_count();
    done.young = l_->young_count();
    done.waiting = l_->accept_count();
    note(done.requests, done.young, done.waiting, l_->next_deadline().value_or(-1));
    return !wrong_;
  }
  /// Nothing may remain: not for ever while it listens, nothing at all once it is closed and its timers have run.
  bool finish(bool close_at_once) {
    out_.answer = send_result::sent;
    if (!close_at_once) drain();
    close();
    drain();
    if (!wrong_ && l_->next_deadline() && !waits_for_ever()) fail("after close and all timers", "nothing", "a timer");
    return !wrong_;
  }

  const subject& listener() const noexcept { return *l_; }
  const model& expected() const noexcept { return model_; }
  instant now() const noexcept { return now_; }
  /// A hash of everything that it has said and done.
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  std::optional<failure> wrong() const {
    if (!wrong_) return std::nullopt;
    failure f{*wrong_, model_.promised().name, backlog_, history_, passed_, l_->listening(), l_->backlog()};
    for (const half_open& r : model_.requests()) f.requests_due.push_back(r.key);
    for (const waiting_connection& w : model_.waiting()) f.waiting_due.push_back(w.key);
    for (const request<ipv4>& r : l_->requests()) f.requests.push_back(r.key);
    f.waiting = l_->waiting();
    return f;
  }
  /// Something else that is wrong, to be said with the same story.
  void fail(const char* what, const char* expected, const char* came) {
    if (!wrong_) wrong_ = difference{what, expected, came, ""};
  }
  /// Called with each verdict, for statistics.
  std::function<void(verdict)> on_verdict{};

 private:
  struct client {
    seq_number isn = 0;
    seq_number iss = 0;    ///< of the last SYN-ACK
    std::uint32_t ts = 0;  ///< its timestamp
  };
  static constexpr std::array<std::byte, 13> payload{};

  template <class... Ts>
  void note(Ts... values) {
    ((fingerprint_ = (fingerprint_ ^ static_cast<std::uint64_t>(values)) * 0x100000001b3U), ...);
  }
  void note(const segment& s) {
    note(s.destination.port, s.flags.bits, s.seq, s.ack, s.window, s.options.ts_value, s.options.ts_echo,
         s.options.mss);
  }
  /// What the ledger calls.
  auto violated() {
    return [this](invariant i) {
      if (!wrong_) wrong_ = difference{about(i).name, about(i).sentence, "a state that breaks it", about(i).source};
    };
  }
  void hold(const prediction& p, const result& came) {
    if (!wrong_) wrong_ = compare(*l_, model_, p, came);
    for (const segment& s : came.sent) {
      note(s);
      pass(s);
      learn(s);
    }
  }
  void pass(const segment& s) {
    passed_.push_back({now_, s});
    passed_.back().segment.payload.data = nullptr;
  }
  /// Clients read their SYN-ACKs.
  void learn(const segment& s) {
    if (!s.flags.has(flag::syn | flag::ack)) return;
    client& c = clients_[client_of({s.destination.address, s.source.address, s.destination.port, s.source.port})];
    c.iss = s.seq;
    c.isn = s.ack - 1;
    c.ts = s.options.ts_value;
  }
  result taken() {
    result r;
    r.sent = std::exchange(out_.sent, {});
    r.made = std::exchange(out_.made, {});
    r.reset = std::exchange(out_.reset, {});
    return r;
  }
  surroundings around() const { return {out_.answer, out_.refuses_children}; }

  // --- segments ---

 public:
  /// Delivers a segment of one of the clients (`client_key`), unless its connection would have taken it.
  void deliver(const segment& s, const arrival& facts = {}) {
    const four_tuple key = four_tuple_of(s);
    const std::vector<four_tuple> waiting = l_->waiting();
    if (wrong_ || std::find(waiting.begin(), waiting.end(), key) != waiting.end()) return;
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
    if (!history_.empty()) history_.back().verdicts.push_back(o.verdict);
    if (on_verdict) on_verdict(o.verdict);
    note(o.verdict, o.stages.bits);
    look_at_choices(key, o, came, before, chosen);
    const prediction p = model_.receive(s, at, around(), facts, chosen);
    hold(p, came);
    ledger_.received(*l_, s, facts, o, came.sent, violated());
    if (!wrong_ && came.verdict && o.flags != s.flags) fail("the flags in the outcome", "the segment's", "others");
  }

 private:
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
  segment from(std::uint32_t i, flags f, seq_number seq, seq_number ack) const {
    segment s{.source = client_key(i).peer(), .destination = client_key(i).local(), .seq = seq, .ack = ack, .flags = f};
    s.window = 65535;
    if (f.has(flag::syn)) {
      s.options.mss = i % 3 == 0 ? 1460 : i == 5 ? 40 : 536;
      s.options.sack_permitted = i % 4 < 2;
      if (i % 2 == 1) s.options.window_scale = i == 3 ? 15 : 7;
    }
    if (i % 2 == 1 && !f.has(flag::rst)) {
      s.options.timestamps = true;
      s.options.ts_value = static_cast<std::uint32_t>(now_ / millisecond) + 1000 * i;
      s.options.ts_echo = f.has(flag::ack) ? clients_[i].ts : 0;
    }
    return s;
  }
  void syn(std::uint32_t i, seq_number seq, flags f = flag::syn, const arrival& facts = {}) {
    deliver(from(i, f, seq, 0), facts);
  }
  enum class stamp : std::uint8_t { good, old, bad_echo };
  void ack(std::uint32_t i, seq_number off, flags f, std::size_t bytes, stamp with = stamp::good) {
    segment s = from(i, f, clients_[i].isn + 1, clients_[i].iss + 1 + off);
    if (with == stamp::old && s.options.timestamps) s.options.ts_value = 1;
    if (with == stamp::bad_echo && s.options.timestamps) s.options.ts_echo += 0x10000000U;
    s.payload = {payload.data(), bytes};
    deliver(s);
  }
  void garbage(std::uint32_t i, std::uint32_t value) {
    static constexpr std::array<seq_number, 6> off{0, 1, 2, 100, 70000, 0x90000000U};
    segment s = from(i, {static_cast<std::uint8_t>(value)}, clients_[i].isn + off[value / 7 % off.size()],
                     clients_[i].iss + off[value / 41 % off.size()] * 997);
    s.payload = {payload.data(), value % 5 == 0 ? payload.size() : 0};
    deliver(s);
  }

  // --- time ---

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
  void let_pass(duration d) {
    const instant end = now_ + d;
    for (int i = 0; i < 500 && !wrong_; ++i) {
      const auto next = l_->next_deadline();
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      tick();
      const auto after = l_->next_deadline();
      if (after && *after <= now_) break;  // postponed by the sink
    }
    now_ = end;
  }
  void drain() {
    set(tunable::synack_retries, 5);  // 255 of them take hours
    set(tunable::defer_accept, 0);
    for (int i = 0; i < 20000 && !wrong_ && l_->next_deadline(); ++i) {
      now_ = std::max(now_, *l_->next_deadline());
      tick();
      if (waits_for_ever() &&
          std::all_of(model_.requests().begin(), model_.requests().end(), [](const half_open& r) { return r.acked; })) {
        break;
      }
    }
    const bool may_stay = waits_for_ever();
    if (!wrong_ && !may_stay && l_->request_count() != 0) fail("requests", "an end of each", "some that live for ever");
  }

  /// Where data are waited for, nothing ends a request whose ACK has come, but a close, if that ends requests at all.
  bool waits_for_ever() const {
    return model_.promised().deferral == deferral_rule::await_data &&
           (model_.listening() || model_.promised().closing == closing_answer::outlive);
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
  void closed(const prediction& p, const close_summary& c, bool shut_down = false) {
    told_ = now_;
    result came = taken();
    came.said = std::to_string(c.children) + " children, " + std::to_string(c.requests) + " requests";
    hold(p, came);
    ledger_.closed(*l_, c, came.reset, came.sent, violated(), shut_down);
    note(c.children, c.requests);
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
  void tune(std::uint32_t which) {
    using enum tunable;
    static constexpr std::pair<tunable, std::uint32_t> choices[] = {
        {abort_on_overflow, 0}, {abort_on_overflow, 1},  {syncookies, 0},        {syncookies, 1},
        {syncookies, 2},        {syncookies, 3},         {abort_on_overflow, 2}, {syncookies, 0},
        {synack_retries, 0},    {synack_retries, 2},     {synack_retries, 5},    {synack_retries, 255},
        {max_syn_backlog, 4},   {max_syn_backlog, 1024}, {somaxconn, 3},         {somaxconn, 128},
        {defer_accept, 0},      {defer_accept, 3}};
    const auto& [t, value] = choices[which % std::size(choices)];
    set(t, value);
  }
  void child_gone(const four_tuple& key) {
    result came;
    came.said = l_->child_gone(key) ? "yes" : "no";
    hold(model_.child_gone(key), came);
    ledger_.touched(*l_, violated());
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

  void step(const command& c) {
    const std::uint32_t i = c.client % client_count;
    const four_tuple key = client_key(i);
    const request<ipv4>* const r = l_->find_request(key);
    const seq_number isn = r != nullptr ? r->irs : clients_[i].isn;
    const seq_number iss = r != nullptr ? r->iss : clients_[i].iss;
    const duration unit = (c.client % 2 == 0 ? 10 : 70) * millisecond;
    const std::uint32_t value = c.value % 1000;
    switch (c.what) {
      case op::syn:
        return syn(i, isn);
      case op::new_syn:
        return syn(i, isn + (value % 2 == 0 ? 100U : 0x20000U));
      case op::tw_syn:
        return syn(i, isn, flag::syn, {.isn = 0x80000001U + static_cast<seq_number>(now_ / 4)});
      case op::proven_syn:
        return syn(i, isn, flag::syn, {.proven = true});
      case op::refused_syn:
        return syn(i, isn, flag::syn, {.refused = true});
      case op::syn_fin:
        return syn(i, isn, flag::syn | flag::fin);
      case op::ecn_syn:
        return syn(i, isn, flag::syn | flag::ece | flag::cwr);
      case op::flood:
        for (std::uint32_t k = first_of_flood; k < end_of_flood(value); ++k) {
          const request<ipv4>* const known = l_->find_request(client_key(k));
          syn(k, known != nullptr ? known->irs : clients_[k].isn);
        }
        return;
      case op::ack:
        return ack(i, 0, flag::ack, 0);
      case op::wrong_ack:
        return ack(i, value < 8 ? value - 4U : 1000 + value, flag::ack, 0);
      case op::data:
        return ack(i, 0, flag::ack | flag::psh, payload.size());
      case op::fin:
        return ack(i, 0, flag::ack | flag::fin, 0);
      case op::late:
        return ack(i, 0, flag::ack | flag::psh, payload.size(), stamp::old);
      case op::echo:
        return ack(i, 0, flag::ack, 0, stamp::bad_echo);
      case op::rst:
        return deliver(from(i, flag::rst, clients_[i].isn + 1, 0));
      case op::rst_near:
        return deliver(from(i, flag::rst, clients_[i].isn + 101, 0));
      case op::rst_far:
        return deliver(from(i, flag::rst, clients_[i].isn + (1U << 20), 0));
      case op::garbage:
        return garbage(i, value);
      case op::wait:
        return let_pass(value * unit);
      case op::half_second:
        syn(i, isn);
        let_pass(490 * millisecond + value % 20 * millisecond);
        return syn(i, isn);
      case op::wrap:
        set(tunable::synack_retries, 255);
        syn(i, isn);
        syn(i, isn);
        let_pass(262144 * millisecond - value * millisecond / 2);
        return syn(i, isn);
      case op::jump:
        now_ += duration{value} * 70 * millisecond;
        return tick();
      case op::next:
        now_ = std::max(now_, l_->next_deadline().value_or(now_));
        return tick();
      case op::accept:
        return accept();
      case op::child_gone:
        return child_gone(key);
      case op::listen:
        return listen(static_cast<int>(value % 97 == 0 ? 40 : value % 9) - (value % 61 == 0 ? 42 : 0));
      case op::close:
        return close();
      case op::shutdown:
        return shut(static_cast<shutdown_how>(value % 3));
      case op::tune:
        return tune(c.client + value);
      case op::sink:
        out_.answer = value % 4 == 0 ? send_result::failed : value % 4 == 1 ? send_result::later : send_result::sent;
        return;
      case op::children:
        out_.refuses_children = value % 2 == 1;
        return;
      case op::unreachable:
        return unreachable(key, value % 4 == 3 ? iss + 5 : iss, static_cast<icmp_error>(value / 4 % 8));
      case op::fork:
        return;
    }
  }

  std::unique_ptr<subject> l_;
  model model_;
  ledger<subject> ledger_;
  port out_{};
  std::array<client, client_count> clients_{};
  instant now_ = 5 * second;
  instant told_ = 0;  ///< the latest time that the listener has been told
  std::uint64_t fingerprint_ = 0xcbf29ce484222325U;
  std::optional<difference> wrong_{};
  int backlog_ = 0;
  std::vector<played_command> history_{};
  std::vector<passed_segment> passed_{};
};

/// Makes a listener, the same each time.
using subject_maker = std::function<std::unique_ptr<subject>()>;

/// Plays `s` against a listener and its model: once with a copy that lives along from the first `fork` on, and once
/// more. What is wrong, or nothing.
inline std::optional<failure> run_against_model(const script& s, const rules& promised, const subject_maker& make,
                                                const std::function<void(verdict)>& on_verdict = {}) {
  const auto play = [&](trial& t, bool forks) {
    std::unique_ptr<trial> copy;
    t.start(s.backlog);
    for (const command& c : s.commands) {
      if (forks && c.what == op::fork && !copy) {
        copy = std::make_unique<trial>(t);
        if (!copy->has_listener()) copy.reset();
      }
      if (!t.play(c)) return;
      if (copy) copy->play(c);
    }
    const bool at_once = s.commands.size() % 2 == 0;
    t.finish(at_once);
    if (!copy || t.wrong()) return;
    if (!copy->finish(at_once) || copy->fingerprint() != t.fingerprint()) {
      t.fail("a copy of the listener", "what the original does", "something else");
    }
  };
  trial first{make(), promised};
  first.on_verdict = on_verdict;
  play(first, true);
  if (first.wrong()) return first.wrong();
  trial second{make(), promised};
  play(second, false);
  if (!second.wrong() && second.fingerprint() != first.fingerprint()) {
    second.fail("the same script once more", "the same", "something else");
  }
  return second.wrong();
}

/// The same for a listener of type `L` that needs no values; the rules are those of its policies unless given.
template <class L>
std::optional<failure> run_against_model(const script& s, const rules& promised) {
  return run_against_model(s, promised, [] { return std::make_unique<subject_of<L>>(); });
}
template <class L>
std::optional<failure> run_against_model(const script& s) {
  return run_against_model<L>(s, rules_of<L>());
}

}  // namespace listenq::testing
