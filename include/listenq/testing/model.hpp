// SPDX-License-Identifier: BSL-1.0
// The model: a listener written the slow, obvious way, straight from the rules: a list of requests, a list of waiting
// connections, counters by name. It does not share a line with the listener's queues. For every step it says what must
// come: the verdict, the answer, who is made and who is reset, both queues and the counters.
//
//   testing::rules promised = testing::rules_of<my_listener>();  // rules_of.hpp
//   const auto wrong = testing::run_against_model<my_listener>(script);  // run.hpp
//
// What is not the rules' business (an ISS out of a keyed hash, a random victim, a bucket) it takes as the listener
// chose it, and holds it to what the rules do say of it. It does not cover groups, a request queue that several
// listeners share, and data or fast-open options in a SYN.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/testing/model/judge.hpp>
#include <listenq/testing/model/rules.hpp>
#include <listenq/testing/model/state.hpp>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace listenq::testing {

/// One listener, as its rules have it. IPv4; the runner translates other families. Each step takes `now` (which never
/// goes back: an earlier one counts as no time passed) and yields what the listener must have done.
class model {
 public:
  explicit model(rules r) : rules_{std::move(r)}, tunables_{rules_.tunables} {}

  // --- the application's side ---

  prediction listen(int backlog, instant now, const choices& chosen);
  /// `who`: whose connection must come out; nothing where none waits.
  prediction accept(instant now, std::optional<four_tuple>& who);
  prediction child_gone(const four_tuple& key);
  prediction close(instant now, const surroundings& around);
  prediction shut(shutdown_how how, instant now, const surroundings& around);
  prediction set(tunable t, std::uint32_t value, instant now);

  // --- the network's side ---

  prediction receive(const segment& s, instant now, const surroundings& around, const arrival& facts,
                     const choices& chosen);
  prediction unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error);
  prediction tick(instant now, const surroundings& around, const choices& chosen);

  // --- what there must be now ---

  const rules& promised() const noexcept { return rules_; }
  const std::vector<half_open>& requests() const noexcept { return requests_; }         ///< oldest first
  const std::vector<waiting_connection>& waiting() const noexcept { return waiting_; }  ///< first to be accepted first
  const counter_map& counters() const noexcept { return counters_; }
  bool listening() const noexcept { return listening_; }
  std::uint64_t backlog() const noexcept { return n_; }
  std::uint64_t limit() const noexcept { return limit_; }
  std::uint32_t get(tunable t) const noexcept { return tunables_[static_cast<std::size_t>(t)]; }
  bool accept_full() const { return rules_.accept_full(now_there()); }
  bool request_full() const noexcept { return requests_.size() >= limit_; }
  std::uint64_t young() const noexcept {
    return static_cast<std::uint64_t>(
        std::count_if(requests_.begin(), requests_.end(), [](const half_open& r) { return r.timeouts == 0; }));
  }
  std::optional<instant> next_deadline() const {
    if (requests_.empty()) return std::nullopt;
    if (rules_.sweep > 0) return hand_due_;
    return std::min_element(requests_.begin(), requests_.end(),
                            [](const half_open& a, const half_open& b) { return a.deadline < b.deadline; })
        ->deadline;
  }
  const half_open* find(const four_tuple& key) const noexcept {
    for (const half_open& r : requests_) {
      if (r.key == key) return &r;
    }
    return nullptr;
  }

 private:
  enum class mode : std::uint8_t { off, under_pressure, beside, always };
  struct eviction {
    syn_rule how = syn_rule::admit;
    gate_step asked = gate_step::request;
    bool tells = false;
    bool tells_if_acked = false;
  };

  // What holds now (this header).
  lengths now_there() const noexcept { return {waiting_.size(), requests_.size(), young(), n_, limit_}; }
  void happens(happening h) { testing::count(counters_, h, rules_.counts); }
  void advance(instant now) noexcept { now_ = std::max(now_, now); }
  half_open* own(const four_tuple& key) noexcept {
    for (half_open& r : requests_) {
      if (r.key == key) return &r;
    }
    return nullptr;
  }
  void forget(const four_tuple& key) {
    std::erase_if(requests_, [&key](const half_open& r) { return r.key == key; });
  }
  void forget_all();
  mode cookie_mode() const noexcept;
  mode cookie_mode_tuned() const noexcept;
  bool looks_up_requests() const noexcept;
  void pause();
  std::uint64_t in_bucket(std::uint32_t bucket) const noexcept;
  std::uint64_t in_set_of(std::uint32_t bucket) const noexcept;

  // SYNs (model/syn.hpp).
  struct syn_step {
    const segment& s;
    const surroundings& around;
    const arrival& facts;
    const choices& chosen;
    mode cookies;
    bool full = false;     ///< no room for this one's request
    bool crowded = false;  ///< nor in its bucket
    eviction room{};
  };
  void on_syn(const segment& s, const surroundings& around, const arrival& facts, const choices& chosen, prediction& p);
  std::optional<verdict> at_gate(const gate_rule& g, syn_step& step, prediction& p);
  std::optional<verdict> at_request_gate(const gate_rule& g, syn_step& step, prediction& p);
  std::optional<verdict> at_accept_gate(const gate_rule& g, syn_step& step, prediction& p);
  syn_rule answer_now(const syn_answer_rule& rule);
  syn_rule by_load();
  bool over_budget(const four_tuple& key) const;
  void hold_bucket(const four_tuple& key, const choices& chosen, prediction& p);
  const half_open* victim(syn_rule how, const choices& chosen, prediction& p) const;
  bool evict(const eviction& how, const syn_step& step, prediction& p);
  void store(const syn_step& step, prediction& p);
  void enter_set(std::uint32_t bucket, prediction& p);
  void send_cookie(const syn_step& step, prediction& p);
  void remember_cookie(const half_open& r, const choices& chosen);
  void count_refusal(verdict v);

  // Everything else that arrives (model/ack.hpp).
  struct ack_step {
    const segment& s;
    const surroundings& around;
    const choices& chosen;
  };
  meeting meet(const half_open& r, const segment& s) const;
  void at_request(half_open& r, const ack_step& step, prediction& p);
  void finish(half_open& r, const ack_step& step, prediction& p);
  void answer_again(half_open& r, const ack_step& step, prediction& p);
  void ack_back(half_open& r, const ack_step& step, prediction& p);
  void note_timestamps(const meeting& m, prediction& p);
  void on_stray(const ack_step& step, prediction& p);
  void on_stray_ack(const ack_step& step, bool has_request, prediction& p);
  bool cookie_may_come(const choices& chosen) const;
  std::optional<half_open> read_cookie(const ack_step& step, prediction& p);
  bool held_back(half_open& r, const choices& chosen) const;

  // Time (model/age.hpp).
  std::uint64_t threshold() const;
  std::uint64_t deferred_timeouts() const;
  const half_open* first_due() const;
  bool goes_first(const half_open& a, const half_open& b) const;
  bool time_out(half_open& r, std::uint64_t threshold, const surroundings& around, tick_summary& sum, prediction& p);
  void sweep(const surroundings& around, const choices& chosen, tick_summary& sum, prediction& p);

  // Segments of ours (model/reply.hpp).
  std::uint32_t clock_for(const four_tuple& key, const choices& chosen) { return clock_for(key, clock(), chosen); }
  std::uint32_t clock_for(const four_tuple& key, std::uint32_t due, const choices& chosen);
  std::uint32_t offset_of(const four_tuple& key) const;
  std::uint32_t clock() const noexcept { return static_cast<std::uint32_t>(now_ / millisecond); }
  void negotiate(half_open& r, const segment& syn) const;
  cookie_options kept_of(const half_open& r) const;
  std::uint32_t window_of(const half_open& r) const noexcept {
    return r.timestamps ? rules_.offer.window_with_timestamps : rules_.offer.window;
  }
  segment syn_ack_of(const half_open& r, std::uint32_t ts) const;
  segment ack_of(const half_open& r, std::uint32_t ts) const;
  static segment reset_of(const half_open& r);
  handshake handshake_of(const half_open& r, bool by_cookie) const;
  send_result send(const segment& s, const surroundings& around, prediction& p);
  void say_reset(const segment& to, const surroundings& around, prediction& p);
  bool make_child(const half_open& r, bool by_cookie, const surroundings& around, const choices& chosen, prediction& p);

  static void forbid(prediction& p, const char* sentence) {
    if (p.broken.empty()) p.broken = sentence;
  }

  rules rules_;
  std::array<std::uint32_t, tunable_count> tunables_;
  std::vector<half_open> requests_{};
  std::vector<waiting_connection> waiting_{};
  counter_map counters_{};
  instant now_ = 0;
  bool listening_ = false;
  bool shut_down_ = false;
  std::uint64_t n_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t cells_ = 0;  ///< requests that the memory holds
  std::uint64_t armed_ = 0;
  instant hand_due_ = 0;

  // What the listener has shown of itself.
  by_four_tuple_map<seq_number> isn_offset_{};    ///< of a four-tuple's ISN from the clock of RFC 6528
  by_four_tuple_map<std::uint32_t> ts_offset_{};  ///< of a peer's timestamp clock
  by_four_tuple_map<std::uint32_t> bucket_{};
  by_four_tuple_map<std::vector<sent_cookie>> cookies_{};

  // Cookies.
  instant last_cookie_ = -never;
  std::map<std::uint32_t, instant> overflowed_{};  ///< buckets, when they last did
  instant paused_until_ = -never;
  unsigned backoff_ = 0;

  // Of `oldest_or_any`: SYNs that were refused in this second and, a second, when one was refused last.
  std::int64_t this_second_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t refused_before_ = 0;

  // Of a syncache with two sets: newcomers that the active one takes still.
  std::uint32_t active_set_ = 0;
  std::array<std::uint32_t, 2> uses_left_{};
};

}  // namespace listenq::testing

#include <listenq/testing/model/ack.hpp>
#include <listenq/testing/model/age.hpp>
#include <listenq/testing/model/cookie.hpp>
#include <listenq/testing/model/life.hpp>
#include <listenq/testing/model/reply.hpp>
#include <listenq/testing/model/syn.hpp>
