// SPDX-License-Identifier: BSL-1.0
// The driver: plays a script against a subject, with clients that remember what they were answered, and holds every
// step against the ledger, against the invariants and against what the rules of the composition predict.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <boost/hana/for_each.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <listenq/testing/ledger.hpp>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "script.hpp"
#include "subject.hpp"

namespace property {

/// How often each verdict has come so far, in all scripts.
inline std::array<std::uint64_t, verdict_count> seen{};

/// Is it a verdict of a `validation` that is not Linux's?
constexpr bool of_other_tables(verdict v) noexcept {
  return v == verdict::duplicate_unsent || v == verdict::wrong_ack_forgotten || v == verdict::wrong_ack_resent ||
         v == verdict::wrong_timestamp;
}

struct broken {
  std::string what;
};

inline constexpr std::byte payload[13]{};

struct cookie {
  seq_number iss = 0;
  seq_number irs = 0;
  instant at = 0;
  bool current = true;  ///< the listener has not been closed since
};

struct client {
  seq_number isn = 0;
  seq_number iss = 0;    ///< of the last SYN-ACK
  std::uint32_t ts = 0;  ///< its timestamp
  bool answered = false;
  std::vector<cookie> cookies{};  ///< sent to it
  seq_number limited_iss = 0;     ///< the request that last got a rate-limited answer, and when
  instant limited_at = -1;
  bool postponed = false;    ///< since then timers were put off, so that its mark may have come round
  unsigned late_sweeps = 0;  ///< times that the hand ran while its request was due and did not come to it
};

class world {
 public:
  explicit world(std::unique_ptr<subject> s)
      : part_{std::move(s)}, rules_{&part_->promised()}, ledger_{*part_, expectations()} {
    for (unsigned i = 0; i < clients_.size(); ++i) clients_[i].isn = 1000 * i + 7;
    check_state();
  }
  world(const world& other, std::unique_ptr<subject> copy) : world{other} {
    part_ = std::move(copy);
    rules_ = &part_->promised();
  }

  void play(int backlog) { listen(backlog); }

  void play(const command& c) {
    line l{c, now_};
    history_.push_back(l);
    step(c);
    check_state();
    line& done = history_.back();
    done.requests = part_->request_count();
    done.young = part_->young_count();
    done.waiting = part_->accept_count();
    note(done.requests, done.young, done.waiting);
    note(part_->next_deadline().value_or(-1));
  }

  /// Nothing may remain: not for ever while it listens, nothing at all once it is closed.
  void finish(bool close_at_once) {
    out_.answer = send_result::sent;
    if (!close_at_once) drain();
    const bool stay = rules_->closing == closing_answer::leave_to_timer || outlives();
    close();
    if (!stay && part_->request_count() != 0) fail("requests are left after close");
    drain();
    if (part_->request_count() != 0 || part_->next_deadline()) fail("something is left after close and all timers");
  }

  /// Null if the listener cannot be copied.
  std::unique_ptr<world> copy() const {
    std::unique_ptr<subject> c = part_->clone();
    return c == nullptr ? nullptr : std::make_unique<world>(*this, std::move(c));
  }

  const std::vector<std::uint64_t>& transcript() const { return transcript_; }

  std::string told() const {
    std::ostringstream s;
    s << "composition: " << rules_->name << '\n';
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const line& l = history_[i];
      s << "  #" << i << "  t=" << static_cast<double>(l.at) / second << "  " << l.c;
      for (const verdict v : l.verdicts) s << " -> " << name_of(v);
      s << "   Q " << l.requests << " Y " << l.young << " A " << l.waiting << '\n';
    }
    return s.str();
  }

 private:
  // Copies all but the subject.
  world(const world& o)
      : part_{},
        rules_{o.rules_},
        ledger_{o.ledger_},
        out_{o.out_},
        clients_{o.clients_},
        now_{o.now_},
        told_{o.told_},
        last_cookie_{o.last_cookie_},
        n_{o.n_},
        limit_{o.limit_},
        room_{o.room_},
        stored_{o.stored_},
        gone_{o.gone_},
        history_{o.history_},
        transcript_{o.transcript_} {}

  struct line {
    command c{};
    instant at = 0;
    std::vector<verdict> verdicts{};
    std::uint32_t requests = 0, young = 0, waiting = 0;
  };
  using request_type = subject::request_type;
  struct view {
    std::vector<request_type> requests;
    std::uint32_t q = 0, y = 0, a = 0;
    bool listening = false;
    std::optional<instant> next;
    const request_type* find(const four_tuple& k) const {
      for (const auto& r : requests) {
        if (r.key == k) return &r;
      }
      return nullptr;
    }
  };

  bool outlives() const { return rules_->closing == closing_answer::outlive; }
  testing::expectations expectations() const {
    testing::expectations e;
    e.requests_outlive_close = outlives();
    e.duplicates_start_over = rules_->at_request == table::freebsd;
    e.exact_deadlines = !rules_->sweeps;
    e.counts = rules_->counts;
    e.waiting_counts_requests = rules_->full(0, 1000000, 1);
    e.counts_cookies = rules_->counts_cookies;
    e.evicted = rules_->victims;
    if (rules_->buckets > 0) {
      e.buckets = rules_->buckets;
      e.most_in_bucket = rules_->depth;
    }
    return e;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw broken{what + "\n" + told() + "  now t=" + std::to_string(now_) + " us, Q " +
                 std::to_string(part_->request_count()) + " Y " + std::to_string(part_->young_count()) + " A " +
                 std::to_string(part_->accept_count()) + "\n"};
  }
  void expect(bool holds, const char* what) const {
    if (!holds) fail(what);
  }
  /// What the ledger calls.
  auto violated() {
    return [this](testing::invariant i) {
      const testing::description d = testing::about(i);
      fail(std::string{d.name} + ": " + d.sentence);
    };
  }
  template <class... Ts>
  void note(Ts... values) {
    (transcript_.push_back(static_cast<std::uint64_t>(values)), ...);
  }
  void note(const segment& s) {
    note(s.destination.port, s.flags.bits, s.seq, s.ack, s.window, s.options.ts_value, s.options.ts_echo,
         s.options.mss);
  }
  view look() const {
    view v;
    part_->for_each_request([&v](const request_type& r) { v.requests.push_back(r); });
    v.q = part_->request_count();
    v.y = part_->young_count();
    v.a = part_->accept_count();
    v.listening = part_->listening();
    v.next = part_->next_deadline();
    return v;
  }
  void check_state() {
    testing::for_each_violation(*part_, violated(), expectations());
    if (!part_->listening()) return;
    expect(part_->backlog() == n_, "the backlog is not what clamp promises");
    expect(part_->request_limit() == limit_, "the request limit is not what sizing promises");
    expect(part_->request_full() == (part_->request_count() >= limit_), "request_full() is not Q >= limit");
    expect(part_->accept_full() == rules_->full(part_->accept_count(), part_->request_count(), n_),
           "accept_full() is not what waiting promises");
  }

  // --- time ---

  void tick() {
    const view was = look();
    const bool sweeps_now = rules_->sweeps && was.next && *was.next <= now_;
    out_.sent.clear();
    const tick_summary t = part_->tick(now_, out_);
    told_ = now_;
    ledger_.ticked(*part_, now_, t, out_.sent, violated());
    note(t.timers, t.resent, t.forgotten, t.later);
    for (const segment& s : out_.sent) note(s);
    for (client& c : clients_) c.postponed = c.postponed || t.later;
    std::uint64_t threshold = kernel_threshold(was);
    const bool known_threshold = rules_->sweeps || t.timers == 1 || rules_->crowd == crowding::none;
    for (const request_type& r : was.requests) {
      const request_type* const after = part_->find_request(r.key);
      const bool touched = after == nullptr || after->timeouts != r.timeouts || after->deadline != r.deadline;
      if (touched) timed_out(r, after, was.listening || outlives(), threshold, known_threshold);
      late(r, touched, sweeps_now && !t.later, t.later);
    }
    if (rules_->newest_first && !t.later) check_ties(was);
    if (rules_->sweeps) {
      expect(sweeps_now || t.timers == 0, "the hand moved before its time");
      const auto next = part_->next_deadline();
      expect(!sweeps_now || t.later || !next || *next == now_ + 200 * millisecond, "the hand's next run is wrong");
    }
    learn();
  }
  /// reqsk_timer_handler and inet_csk_reqsk_queue_prune, word for word.
  std::uint64_t kernel_threshold(const view& v) const {
    std::uint64_t retries = rules_->retries ? part_->get(tunable::synack_retries) : 0;
    bool crowded = false;
    if (rules_->crowd == crowding::half_table) crowded = 2 * std::uint64_t{v.q} >= limit_;
    if (rules_->crowd == crowding::half_backlog) crowded = 2 * std::uint64_t{v.q} > std::max<std::uint64_t>(8, n_);
    std::uint64_t young = 2 * std::uint64_t{v.y};
    while (crowded && retries > 2 && v.q >= young) {
      --retries;
      young *= 2;
    }
    return retries;
  }
  std::uint64_t deferred_timeouts() const {
    const std::uint32_t seconds = rules_->defer_unit == 0 ? 0 : part_->get(tunable::defer_accept);
    std::uint64_t n = 0;
    for (duration covered = 0; covered < duration{seconds} * second; ++n) {
      covered += doubled(rules_->defer_unit, static_cast<unsigned>(n));
    }
    return n;
  }
  void timed_out(const request_type& r, const request_type* after, bool listening, std::uint64_t threshold,
                 bool known_threshold) const {
    const std::uint64_t d = deferred_timeouts();
    const std::uint64_t retries = rules_->retries ? part_->get(tunable::synack_retries) : 0;
    const bool failing = out_.answer == send_result::failed;
    const auto expires = [&](std::uint64_t most) {
      return r.timeouts >= most && (d == 0 || !r.acked || r.timeouts >= d);
    };
    const bool resends = d == 0 || !r.acked || r.timeouts + std::uint64_t{1} >= d;
    const bool postponed = out_.answer == send_result::later && resends && listening && !expires(threshold);
    const bool lost = failing && resends && !r.acked && !rules_->failures_harmless;
    expect(!postponed || !known_threshold, "a SYN-ACK was postponed and its timer went on");
    if (after != nullptr) {
      expect(listening, "a request outlived its timer though the listener is closed");
      expect(!expires(retries), "a request outlived synack_retries");
      expect(!known_threshold || !expires(threshold), "a request outlived the threshold");
      expect(!lost, "a request outlived a SYN-ACK that could not leave");
      expect(after->deadline == now_ + rules_->wait(r.timeouts + 1U), "the next timeout is not what schedule promises");
      const unsigned resent = r.retransmits + (told_again(r) ? 1U : 0U);
      expect(after->retransmits == std::min(resent, 255U), "retransmits does not count the SYN-ACKs sent again");
      if (out_.answer == send_result::sent) {
        expect(told_again(r) == resends, "a SYN-ACK was sent again, or not, against the rule of TCP_DEFER_ACCEPT");
      }
    } else {
      const std::uint64_t least = known_threshold ? threshold : std::min<std::uint64_t>(2, retries);
      expect(!listening || lost || expires(least), "a request died before its time");
      expect(!told_again(r), "a request that died was sent a SYN-ACK");
    }
  }
  bool told_again(const request_type& r) const {
    return std::any_of(out_.sent.begin(), out_.sent.end(),
                       [&r](const segment& s) { return s.destination == r.key.peer(); });
  }
  /// A hand comes round: nothing stays due for more runs than that takes.
  void late(const request_type& r, bool touched, bool ran, bool postponed) {
    unsigned& runs = of(r.key).late_sweeps;
    if (touched || postponed || r.deadline > now_) {
      runs = 0;
    } else if (ran) {
      std::uint64_t nr = 1;
      while (nr * 2 <= room_) nr *= 2;
      const auto budget =
          std::max<std::uint64_t>(1, 2 * (nr / static_cast<std::uint64_t>(rules_->wait(0) / (200 * millisecond))));
      expect(++runs <= (nr + budget - 1) / budget, "the hand did not come round in time");
    }
  }
  /// Of those that are due at the same instant and were armed in one list, the newest goes first.
  void check_ties(const view& was) const {
    const segment* last = nullptr;
    for (const segment& s : out_.sent) {
      const request_type* const b = was.find({s.destination.address, s.source.address, s.destination.port, 80});
      if (last != nullptr && b != nullptr && b->timeouts == 0) {
        const request_type* const a =
            was.find({last->destination.address, last->source.address, last->destination.port, 80});
        if (a != nullptr && a->timeouts == 0 && a->retransmits == 0 && b->retransmits == 0 &&
            a->deadline == b->deadline) {
          const auto place = [this](const four_tuple& k) {
            return std::find(stored_.rbegin(), stored_.rend(), k) - stored_.rbegin();
          };
          expect(place(a->key) < place(b->key), "of two that were due at once, the older went first");
        }
      }
      last = &s;
    }
  }
  void pass(duration d) {
    const instant end = now_ + d;
    for (int i = 0; i < 500; ++i) {
      const auto next = part_->next_deadline();
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      tick();
      const auto after = part_->next_deadline();
      if (after && *after <= now_) break;  // postponed by the sink
    }
    if (const auto next = part_->next_deadline(); next && *next < end) {
      for (client& c : clients_) c.postponed = true;
    }
    now_ = end;
  }
  void drain() {
    part_->set(tunable::synack_retries, 5);  // 255 of them take hours
    for (int i = 0; i < 20000 && part_->next_deadline(); ++i) {
      now_ = std::max(now_, *part_->next_deadline());
      const bool open = part_->listening();
      tick();
      if (!open && !outlives()) expect(out_.sent.empty(), "a closed listener sent a SYN-ACK");
    }
    expect(part_->request_count() == 0, "requests live for ever");
  }

  // --- segments ---

  client& of(const four_tuple& k) { return clients_[k.peer_port - 30000U]; }
  static bool has_timestamps(unsigned i) { return i % 2 == 1; }
  std::uint32_t clock_of(unsigned i) const { return static_cast<std::uint32_t>(now_ / millisecond) + 1000 * i; }

  segment from(unsigned i, flags f, seq_number seq, seq_number ack) const {
    segment s;
    s.source = client_key(i).peer();
    s.destination = client_key(i).local();
    s.flags = f;
    s.seq = seq;
    s.ack = ack;
    s.window = 65535;
    if (f.has(flag::syn)) {
      s.options.mss = i % 3 == 0 ? 1460 : 536;
      s.options.sack_permitted = i % 4 < 2;
      if (i % 2 == 1) s.options.window_scale = 7;
    }
    if (has_timestamps(i) && !f.has(flag::rst)) {
      s.options.timestamps = true;
      s.options.ts_value = clock_of(i);
      s.options.ts_echo = f.has(flag::ack) ? clients_[i].ts : 0;
    }
    return s;
  }

  bool has_child(const four_tuple& k) const {
    bool found = false;
    part_->for_each_waiting([&](const four_tuple& h) { found = found || h == k; });
    return found;
  }

  /// Delivers `s`, unless its connection would have taken it. `due`: the verdict that the rules demand, if they do.
  template <class Due>
  void deliver(const segment& s, const arrival& facts, Due&& due) {
    const four_tuple key = four_tuple_of(s);
    if (has_child(key)) return;
    const view was = look();
    const request_type* const known = was.find(key);
    out_.sent.clear();
    out_.made.clear();
    const std::optional<verdict> wanted =
        was.listening ? due(was, known) : std::optional<verdict>{verdict::not_listening};
    // One client's segments come with a clock that lags, which counts as no time passed.
    const bool lags = key == client_key(6) && told_ == now_;
    const outcome o = part_->receive(s, lags ? now_ - 700 * millisecond : now_, out_, facts);
    told_ = now_;
    if (!history_.empty()) history_.back().verdicts.push_back(o.verdict);
    ++seen[static_cast<std::size_t>(o.verdict)];
    ledger_.received(*part_, s, facts, o, out_.sent, violated());
    note(o.verdict, o.stages.bits);
    for (const segment& r : out_.sent) note(r);
    if (wanted && *wanted != o.verdict) {
      fail(std::string{"the rules demand "} + name_of(*wanted) + ", not " + name_of(o.verdict));
    }
    const bool queued = o.verdict == verdict::promoted || o.verdict == verdict::cookie_promoted;
    expect(out_.made.size() == (queued ? 1U : 0U), "a child was made and not queued, or queued and not made");
    if (o.verdict == verdict::admitted) {
      expect(part_->find_request(key)->deadline == now_ + rules_->wait(0), "the first timeout is wrong");
      expect(!rules_->sweeps || was.q != 0 || part_->next_deadline() == now_ + rules_->wait(0),
             "the hand does not start one timeout after the first request");
      stored_.push_back(key);
      of(key).late_sweeps = 0;
      of(key).limited_at = -1;
    }
    if (o.verdict == verdict::cookie_sent) last_cookie_ = now_;
    if (known != nullptr) check_restart(o, *known, part_->find_request(key));
    if (o.verdict == verdict::cookie_sent && !out_.sent.empty()) {
      of(key).cookies.push_back({out_.sent[0].seq, s.seq, now_});
    }
    if (s.flags.has(flag::ack)) check_cookie(s, o, known != nullptr);
    if (rules_->exact_rst && known != nullptr) check_rate(s, o, *known);
    learn();
  }

  /// tcp_check_req: what answers a duplicate SYN restarts the timer, nothing else moves a deadline. FreeBSD's starts
  /// with the first timeout again.
  void check_restart(const outcome& o, const request_type& was, const request_type* now) const {
    if (now == nullptr) return;
    const bool restarts =
        o.verdict == verdict::duplicate_syn && o.stages.has(stage::answered) && rules_->restarts_timer;
    const auto timeouts = rules_->at_request == table::freebsd ? 0U : was.timeouts;
    expect(now->deadline == (restarts ? now_ + rules_->wait(timeouts) : was.deadline),
           "a segment moved a deadline, or did not, against the rule");
    expect(now->retransmits == (restarts && was.retransmits < 255 ? was.retransmits + 1 : was.retransmits),
           "retransmits does not count the SYN-ACKs sent again");
  }
  void check_cookie(const segment& s, const outcome& o, bool known) {
    bool fresh = false;
    bool ours = false;
    for (const cookie& c : of(four_tuple_of(s)).cookies) {
      // The ISN is added to the cookie (secure_tcp_syn_cookie), so a neighbour reads as another MSS of the table.
      const auto off = static_cast<std::int32_t>((s.ack - 1 - c.iss) - (s.seq - 1 - c.irs));
      ours = ours || (std::abs(off) < rules_->cookie_entries && now_ - c.at < rules_->cookie_life);
      if (c.iss != s.ack - 1 || c.irs != s.seq - 1) continue;
      fresh = fresh || (c.current && now_ - c.at < 60 * second);
    }
    expect(!o.stages.has(stage::cookie_valid) || ours, "a cookie was taken that nobody sent, or an old one");
    expect(!o.stages.has(stage::cookie_checked) || now_ - last_cookie_ <= rules_->cookie_window,
           "an ACK was tried as a cookie long after the last one");
    // 6.18 renews its stamp once a second.
    const bool open = now_ - last_cookie_ <= rules_->cookie_window - 1 * second;
    const bool tried = part_->listening() && !known && cookies_on() && open && !s.flags.any(flag::syn | flag::rst);
    expect(!(tried && fresh) || o.stages.has(stage::cookie_valid), "a fresh cookie was not taken");
  }
  bool cookies_on() const {
    return rules_->cookies == cookie_rule::tuned ? part_->get(tunable::syncookies) != 0
                                                 : rules_->cookies != cookie_rule::none;
  }
  bool cookies_for_all() const {
    return rules_->cookies == cookie_rule::always ||
           (rules_->cookies == cookie_rule::tuned && rules_->two_is_for_all && part_->get(tunable::syncookies) == 2);
  }
  /// At most one answer in 500 ms to a request (its clock has steps of 4 ms), bare data and FIN aside; none held back
  /// else.
  void check_rate(const segment& s, const outcome& o, const request_type& r) {
    const bool limited_kind = o.verdict == verdict::duplicate_syn || o.verdict == verdict::challenged ||
                              (o.verdict == verdict::out_of_window && !s.flags.has(flag::rst));
    const bool may_loop = s.seq == s.end() || s.flags.any(flag::syn | flag::rst);
    if (!limited_kind || !may_loop) return;
    client& c = of(r.key);
    const bool soon = c.limited_at >= 0 && c.limited_iss == r.iss && now_ - c.limited_at < 496 * millisecond;
    if (o.stages.has(stage::rate_limited)) {
      expect(c.postponed || (c.limited_at >= 0 && c.limited_iss == r.iss && now_ - c.limited_at < 504 * millisecond),
             "an answer was held back though there was none in the last 500 ms");
      return;
    }
    expect(!soon, "two answers to a request in 500 ms");
    c.limited_at = now_;
    c.postponed = false;
    c.limited_iss = r.iss;
  }

  /// Clients read their SYN-ACKs.
  void learn() {
    for (const segment& s : out_.sent) {
      if (!s.flags.has(flag::syn | flag::ack)) continue;
      client& c = clients_[s.destination.port - 30000U];
      c.answered = true;
      c.iss = s.seq;
      c.isn = s.ack - 1;
      c.ts = s.options.ts_value;
    }
  }

  // --- what the rules demand ---

  struct refusal {
    bool sure = true;
    std::optional<verdict> as{};
  };
  refusal of_full_accept_queue(const view& was) const {
    const bool full = rules_->full_at_syn == nullptr ? rules_->full(was.a, was.q, n_) : rules_->full_at_syn(was.a, n_);
    if (!full) return {};
    switch (rules_->accept_full_at_syn) {
      case at_full::drop:
        return {.as = verdict::dropped_accept_full};
      case at_full::reset:
        return {.as = verdict::reset_accept_full};
      case at_full::drop_above_one_young:
        if (was.y > 1) return {.as = verdict::dropped_accept_full};
        return {};
      case at_full::evict_maybe:
        return {.sure = false};
      default:
        return {};
    }
  }
  /// Is there no room for a request of this client?
  bool full_for(const view& was, const four_tuple& key) const {
    if (was.q >= limit_) return true;
    return rules_->buckets > 0 && part_->bucket_length(part_->bucket_of(key)) >= rules_->depth;
  }
  std::optional<verdict> of_full_request_queue(const view& was, const four_tuple& key) const {
    const bool nobody = rules_->victims == testing::victims::oldest_in_bucket
                            ? part_->bucket_length(part_->bucket_of(key)) == 0
                            : was.q == 0;
    if (rules_->request_full == at_full::reset) return verdict::reset_request_full;
    if (rules_->request_full == at_full::drop || nobody) return verdict::dropped_request_full;
    return std::nullopt;
  }
  std::optional<verdict> of_syn(const view& was, const segment& s, const arrival& facts,
                                const request_type* known) const {
    if (known == nullptr && s.flags.has(flag::fin) && !rules_->syn_fin) return verdict::ignored;
    const four_tuple key = four_tuple_of(s);
    bool cookie_wanted = false;
    bool replaces = false;
    for (const gate_step g : rules_->gates) {
      if (g == gate_step::known) {
        if (known != nullptr) return at_request(s, *known);
        const auto of_same_peer = std::count_if(was.requests.begin(), was.requests.end(), [&s](const request_type& r) {
          return r.key.peer_address == s.source.address;
        });
        if (of_same_peer >= rules_->most_of_a_peer) return verdict::dropped_over_budget;
      } else if (g == gate_step::request) {
        if ((!full_for(was, key) && !cookies_for_all()) || (facts.isn != 0 && !rules_->strict)) continue;
        if (cookies_on()) {
          cookie_wanted = true;
          continue;
        }
        if (const auto v = of_full_request_queue(was, key)) return *v;
        replaces = true;
      } else if (g == gate_step::accept) {
        const refusal r = of_full_accept_queue(was);
        if (!r.sure) return std::nullopt;
        if (r.as) return *r.as;
      } else if (g == gate_step::refusal) {
        if (facts.refused) return verdict::dropped_refused;
      } else {
        const std::int64_t most = part_->get(tunable::max_syn_backlog);
        const bool no_cookies_here = part_->get(tunable::syncookies) == 0 && !cookie_wanted;
        if (no_cookies_here && facts.isn == 0 && !facts.proven && most - std::int64_t{was.q} < most / 4) {
          return verdict::dropped_last_quarter;
        }
      }
    }
    if (cookie_wanted) return verdict::cookie_sent;
    if (!replaces && was.q >= limit_) {  // no gate stops it: it is a question of memory
      if (!rules_->on_the_heap) return std::nullopt;
      if (was.q >= room_) return verdict::dropped_no_memory;
    }
    if (out_.answer == send_result::failed && rules_->first_failure_fatal) return verdict::dropped_send_failed;
    return verdict::admitted;
  }
  /// A SYN or a RST of the driver's, for which there is a request.
  verdict at_request(const segment& s, const request_type& r) const {
    const std::uint32_t off = s.seq - r.irs;
    const table t = rules_->at_request;
    const bool inside = off >= 1 && off <= 1000;
    if (s.flags.has(flag::rst)) {
      if (t == table::netbsd) return off <= 1 ? verdict::request_reset : verdict::out_of_window;
      if (!inside) return verdict::out_of_window;
      const bool any = t == table::linux_old || t == table::rfc793;
      return off == 1 || any ? verdict::request_reset : verdict::challenged;
    }
    if (t == table::freebsd && out_.answer == send_result::failed) return verdict::duplicate_unsent;
    if (t == table::freebsd || t == table::netbsd) return verdict::duplicate_syn;
    if (t == table::rfc5961) return verdict::challenged;
    const bool is_linux = t == table::linux_old || t == table::linux_6_18;
    if (is_linux && off == 0) return verdict::duplicate_syn;
    if (off == 0 && s.flags.has(flag::fin)) return verdict::no_ack;  // the FIN is inside, the SYN is cut off
    if (!inside) return verdict::out_of_window;
    return t == table::rfc9293 ? verdict::request_reset : verdict::request_reset_by_syn;
  }
  /// An ACK with the next number, to whom the number that it acknowledges matters; what is wrong with it, if anything.
  std::optional<verdict> of_wrong_ack(const segment& s, const request_type& r) const {
    const table t = rules_->at_request;
    const bool old = r.timestamps && s.options.timestamps && s.options.ts_value == 1;
    const bool none = r.timestamps && !s.options.timestamps;
    if (t == table::freebsd && (old || none)) return verdict::wrong_timestamp;
    if (t != table::netbsd && t != table::freebsd) {
      if (old) return verdict::out_of_window;
      if (none && (t == table::rfc9293 || t == table::rfc5961)) return verdict::wrong_timestamp;
    }
    if (s.ack == r.iss + 1) return std::nullopt;
    return t == table::freebsd  ? verdict::wrong_ack_forgotten
           : t == table::netbsd ? verdict::wrong_ack_resent
                                : verdict::wrong_ack;
  }
  verdict of_overflow() const {
    const bool aborts = part_->get(tunable::abort_on_overflow) != 0;
    switch (rules_->accept_full_at_ack) {
      case at_full::keep:
        return verdict::overflow_kept;
      case at_full::reset:
        return verdict::overflow_reset;
      case at_full::as_tuned:
        return aborts ? verdict::overflow_reset : verdict::overflow_kept;
      default:
        return verdict::overflow_forgotten;
    }
  }
  std::optional<verdict> of_ack(const view& was, const segment& s, const request_type* known) const {
    if (known == nullptr) {
      if (cookies_on()) return std::nullopt;
      return verdict::stray;
    }
    const bool full = rules_->full(was.a, was.q - 1, n_);  // its own slot goes with it
    const table t = rules_->at_request;
    const bool is_linux = t == table::linux_old || t == table::linux_6_18;
    if (is_linux && s.ack != known->iss + 1) {  // a cookie of an earlier SYN, perhaps
      if (cookies_on() && t == table::linux_6_18) return std::nullopt;
      return verdict::wrong_ack;
    }
    if (s.seq != known->irs + 1) return std::nullopt;
    if (const std::optional<verdict> v = of_wrong_ack(s, *known)) return v;
    if (known->timeouts < deferred_timeouts() && s.end() == s.seq) return verdict::deferred;
    return full || out_.refuses_children ? of_overflow() : verdict::promoted;
  }

  // --- commands ---

  void syn(unsigned i, seq_number seq, flags f = flag::syn, const arrival& facts = {}) {
    const segment s = from(i, f, seq, 0);
    deliver(s, facts, [&](const view& was, const request_type* known) -> std::optional<verdict> {
      return of_syn(was, s, facts, known);
    });
  }
  void ack(unsigned i, seq_number wrong, flags f, std::size_t bytes, bool old = false) {
    const client& c = clients_[i];
    segment s = from(i, f, c.isn + 1, c.iss + 1 + wrong);
    if (old && s.options.timestamps) s.options.ts_value = 1;
    s.payload = {payload, bytes};
    deliver(s, {}, [&](const view& was, const request_type* known) { return of_ack(was, s, known); });
  }
  void rst(unsigned i, seq_number off) {
    const segment s = from(i, flag::rst, clients_[i].isn + 1 + off, 0);
    deliver(s, {}, [&](const view&, const request_type* known) -> std::optional<verdict> {
      return known == nullptr ? verdict::ignored : at_request(s, *known);
    });
  }
  void listen(int backlog) {
    const bool was = part_->listening();
    const listen_result r = part_->listen(backlog, now_);
    note(r.status);
    if (r) {
      n_ = rules_->clamp(backlog, part_->get(tunable::somaxconn));
      if (!was || !rules_->sized_once) limit_ = rules_->room(n_, part_->get(tunable::max_syn_backlog));
      if (std::max<std::uint64_t>(limit_, 1) > room_) {
        room_ = std::max<std::uint64_t>(limit_, 1) + 8;  // a few cells more, for SYNs that no limit stops
        for (client& c : clients_) c.late_sweeps = 0;    // another number of buckets: the hand starts a new round
      }
      if (!was) {
        for (client& c : clients_) {
          for (cookie& k : c.cookies) k.current = false;
        }
        last_cookie_ = -1000 * second;
      }
    } else {
      expect(!rules_->on_the_heap && r.needed > 0, "listen failed for want of storage that there is");
    }
    ledger_.listened(*part_, static_cast<bool>(r), violated());
  }
  void close() {
    out_.sent.clear();
    out_.reset.clear();
    const std::uint32_t q = part_->request_count();
    const bool was = part_->listening();
    const close_summary c = part_->close(out_, now_);
    ledger_.closed(*part_, c, out_.reset, out_.sent, violated());
    const bool tells = rules_->closing == closing_answer::reset && was && out_.answer == send_result::sent;
    expect(out_.sent.size() == (tells ? q : 0U), "close told peers what it should not, or did not what it should");
    gone_.clear();
    note(c.children, c.requests);
    for (const segment& s : out_.sent) note(s);
  }
  void tune(unsigned which, unsigned value) {
    static constexpr std::array<std::pair<tunable, std::uint32_t>, 18> choices{{{tunable::abort_on_overflow, 0},
                                                                                {tunable::abort_on_overflow, 1},
                                                                                {tunable::syncookies, 0},
                                                                                {tunable::syncookies, 1},
                                                                                {tunable::syncookies, 2},
                                                                                {tunable::syncookies, 3},
                                                                                {tunable::abort_on_overflow, 2},
                                                                                {tunable::syncookies, 0},
                                                                                {tunable::synack_retries, 0},
                                                                                {tunable::synack_retries, 2},
                                                                                {tunable::synack_retries, 5},
                                                                                {tunable::synack_retries, 255},
                                                                                {tunable::max_syn_backlog, 4},
                                                                                {tunable::max_syn_backlog, 1024},
                                                                                {tunable::somaxconn, 3},
                                                                                {tunable::somaxconn, 128},
                                                                                {tunable::defer_accept, 0},
                                                                                {tunable::defer_accept, 3}}};
    const auto [t, v] = choices[(which + value) % choices.size()];
    const std::uint32_t before = part_->get(t);
    const set_status said = part_->set(t, v);
    const bool too_large = (t == tunable::syncookies && v > 2) || (t == tunable::abort_on_overflow && v > 1);
    expect((said != set_status::ok || !too_large) && part_->get(t) == (said == set_status::ok ? v : before),
           "set said one thing and did another");
    note(said);
    ledger_.touched(*part_, violated());
  }
  void garbage(unsigned i, unsigned value) {
    static constexpr std::array<seq_number, 6> off{0, 1, 2, 100, 70000, 0x90000000U};
    const client& c = clients_[i];
    segment s = from(i, {static_cast<std::uint8_t>(value)}, c.isn + off[value / 7 % off.size()],
                     c.iss + off[value / 41 % off.size()] * 997);
    s.payload = {payload, value % 5 == 0 ? std::size_t{13} : std::size_t{0}};
    deliver(s, {}, [](const view&, const request_type*) -> std::optional<verdict> { return std::nullopt; });
  }

  void step(const command& c) {
    const unsigned i = c.client;
    const four_tuple key = client_key(i);
    const request_type* const r = part_->find_request(key);
    const seq_number isn = r != nullptr ? r->irs : clients_[i].isn;
    const seq_number iss = r != nullptr ? r->iss : clients_[i].iss;
    switch (c.what) {
      case op::syn:
        return syn(i, isn);
      case op::new_syn:
        return syn(i, isn + (c.value % 2 == 0 ? 100U : 0x20000U));
      case op::tw_syn:
        return syn(i, isn, flag::syn, {.isn = 0x80000001U + static_cast<seq_number>(now_ / 4)});
      case op::proven_syn:
        return syn(i, isn, flag::syn, {.proven = true});
      case op::refused_syn:
        return syn(i, isn, flag::syn, {.refused = true});
      case op::syn_fin:
        return syn(i, isn, flag::syn | flag::fin);
      case op::flood:
        for (unsigned k = 8; k < 9 + c.value % 24; ++k) {
          const request_type* const known = part_->find_request(client_key(k));
          syn(k, known != nullptr ? known->irs : clients_[k].isn);
        }
        return;
      case op::ack:
        return ack(i, 0, flag::ack, 0);
      case op::wrong_ack:
        return ack(i, 1000 + c.value, flag::ack, 0);
      case op::data:
        return ack(i, 0, flag::ack | flag::psh, sizeof payload);
      case op::fin:
        return ack(i, 0, flag::ack | flag::fin, 0);
      case op::late:
        return ack(i, 0, flag::ack | flag::psh, sizeof payload, true);
      case op::rst:
        return rst(i, 0);
      case op::rst_near:
        return rst(i, 100);
      case op::rst_far:
        return rst(i, 1U << 20);
      case op::garbage:
        return garbage(i, c.value);
      case op::wait:
        return pass(c.value * (c.client % 2 == 0 ? 10 : 70) * millisecond);
      case op::wrap:
        part_->set(tunable::synack_retries, 255);
        syn(i, isn);
        syn(i, isn);
        pass(262144 * millisecond - c.value * millisecond / 2);
        return syn(i, isn);
      case op::jump:
        now_ += c.value * 70 * millisecond;
        return tick();
      case op::next:
        now_ = std::max(now_, part_->next_deadline().value_or(now_));
        return tick();
      case op::accept: {
        const auto [status, handle] = part_->accept(now_);
        note(status, handle.peer_port);
        const auto reset = std::find(gone_.begin(), gone_.end(), handle);
        if (status == accept_status::ok || status == accept_status::aborted) {
          expect((status == accept_status::aborted) == (rules_->reports_aborted && reset != gone_.end()),
                 "accept() said aborted of a live child, or ok of a dead one");
          if (reset != gone_.end()) gone_.erase(reset);
        }
        return ledger_.accepted(*part_, status, handle, violated());
      }
      case op::child_gone: {
        const bool waits = has_child(key) && std::find(gone_.begin(), gone_.end(), key) == gone_.end();
        expect(part_->child_gone(key) == waits, "child_gone said yes of a stranger, or no of a child");
        if (waits) gone_.push_back(key);
        return ledger_.touched(*part_, violated());
      }
      case op::listen:
        return listen(static_cast<int>(c.value % 97 == 0 ? 40 : c.value % 9) - (c.value % 61 == 0 ? 42 : 0));
      case op::close:
        return close();
      case op::tune:
        return tune(c.client, c.value);
      case op::sink:
        out_.answer = c.value % 4 == 0   ? send_result::failed
                      : c.value % 4 == 1 ? send_result::later
                                         : send_result::sent;
        return;
      case op::children:
        out_.refuses_children = c.value % 2 == 1;
        return;
      case op::unreachable: {
        const bool right = c.value % 2 == 0;
        const icmp_verdict v = part_->unreachable(key, right ? iss : iss + 5, now_);
        const icmp_verdict expected = r == nullptr ? icmp_verdict::no_request
                                      : right      ? rules_->on_host_unreachable
                                                   : icmp_verdict::wrong_number;
        expect(v == expected, "unreachable ended the wrong request, or none");
        const bool ended = v == icmp_verdict::ended;
        note(ended);
        return ledger_.unreachable(*part_, key, ended, violated());
      }
      case op::fork:
        return;
    }
  }

  std::unique_ptr<subject> part_;
  const rules* rules_;
  testing::ledger<subject> ledger_;
  port out_{};
  std::array<client, 32> clients_{};
  instant now_ = 5 * second;
  instant told_ = 0;  ///< the latest time that the listener has been told
  instant last_cookie_ = -1000 * second;
  std::uint64_t n_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t room_ = 0;
  std::vector<four_tuple> stored_{};  ///< every request there was, in order
  std::vector<four_tuple> gone_{};    ///< children that were reset while they waited
  std::vector<line> history_{};
  std::vector<std::uint64_t> transcript_{};
};

/// Plays the script; a copy taken at the first `fork` plays the rest as well and must do the same.
inline std::vector<std::uint64_t> play(std::unique_ptr<subject> s, const scenario& script) {
  world w{std::move(s)};
  w.play(script.backlog);
  std::unique_ptr<world> copy;
  for (const command& c : script.commands) {
    if (c.what == op::fork && !copy) copy = w.copy();
    w.play(c);
    if (copy) copy->play(c);
  }
  const bool at_once = script.commands.size() % 2 == 0;
  w.finish(at_once);
  if (copy) {
    copy->finish(at_once);
    if (copy->transcript() != w.transcript()) throw broken{"a copy behaves otherwise than its original\n" + w.told()};
  }
  return w.transcript();
}

/// The property of one composition. `make` makes a listener of it, the same each time.
inline bool holds(const std::string& name, const std::function<std::unique_ptr<subject>()>& make) {
  return rc::check(name, [&make](const scenario& script) {
    try {
      const auto once = play(make(), script);
      if (play(make(), script) != once) RC_FAIL("the same script, the same listener, another run");
    } catch (const broken& b) {
      RC_FAIL(b.what);
    }
  });
}
template <class L>
bool holds(const std::string& name) {
  return holds(name, [&name] { return std::make_unique<part<L>>(rules_of<L>(name)); });
}

/// `Base` and each row of it with one answer, or a few, changed.
template <class Base, class Rows>
void hold_all(const std::string& base, const Rows& rows) {
  int number = 0;
  boost::hana::for_each(rows, [&](auto row) {
    using L = typename decltype(row)::type;
    const std::string name = base + difference<Base, L>() + " (" + std::to_string(number++) + ')';
    CAPTURE(name);
    CHECK(holds<L>(name));
  });
}

}  // namespace property
