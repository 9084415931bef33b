// SPDX-License-Identifier: BSL-1.0
// A stack over one listener type. The preset gets one answer changed by the mirror: an observer that tells the stack
// which timers were due, and counts by cause. Everything else is the preset's own.
#pragma once

#include <listenq/describe.hpp>
#include <listenq/mirror.hpp>

#include "stack.hpp"

namespace lab {

template <class Preset>
class stack_over final : public stack {
  using counters_type = policy_of<Preset, slot::counters>;
  /// Told by the listener of everything; passes timers on.
  struct reporter : by_cause<counters_type> {
    static constexpr const char* name = "reporter";
    stack_over* to = nullptr;
    reporter() = default;
    explicit reporter(stack_over* s) : to(s) {}
    void on_timer(instant now, const four_tuple& key, timer_outcome t) {
      by_cause<counters_type>::on_timer(now, key, t);
      if (to != nullptr) to->timer_fired(now, key, t);
    }
  };
  using listener_type = with<Preset, observer<reporter>>;

 public:
  stack_over(const kernel_profile& profile, const stack_keys& keys, stack_hooks hooks)
      : stack(profile, std::move(hooks)), listener_(make(keys, reporter{this})) {}

  listen_result listen(int backlog, instant now) override { return listener_.listen(backlog, now); }
  set_status set(tunable t, std::uint32_t value) override { return listener_.set(t, value); }
  std::uint32_t get(tunable t) const override { return listener_.get(t); }
  queue_state queues() const override {
    return {.requests = listener_.request_count(),
            .young = listener_.young_count(),
            .waiting = listener_.accept_count(),
            .backlog = listener_.backlog(),
            .request_limit = listener_.request_limit(),
            .request_full = listener_.request_full(),
            .accept_full = listener_.accept_full()};
  }
  counts counters() const override { return counts_of(listener_.counters()); }
  std::vector<cause_line> causes() const override {
    std::vector<cause_line> lines;
    for (std::size_t i = 0; i < listenq::causes.size(); ++i) {
      const cause& c = listenq::causes[i];
      const auto& row = listener_.observer().rows[i];
      if (row.times > 0) {
        lines.push_back({row.times, name_of(c), c.why, rule_text<Preset>(c), counts_of(row.counters.values())});
      }
    }
    return lines;
  }
  std::vector<request_type> requests() const override {
    std::vector<request_type> all;
    listener_.for_each_request([&all](const request_type& r) { all.push_back(r); });
    return all;
  }
  void close(instant now) override {
    sink out{*this, now};
    listener_.close(out, now);
  }
  using stack::close;
  void shutdown(instant now) override {
    sink out{*this, now};
    listener_.shutdown(shutdown_how::both, out, now);
  }
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, icmp_error error, instant now) override {
    return listener_.unreachable(key, seq, now, error);
  }

 private:
  static counts counts_of(const auto& values) {
    counts all;
    for (const auto& n : counters_type::names) {
      if (values.*n.value != 0) all[n.name] = values.*n.value;
    }
    return all;
  }
  static listener_type make(const stack_keys& k, reporter r) {
    using hashing_policy = policy_of<Preset, slot::hashing>;
    using cookies_policy = policy_of<Preset, slot::cookies>;
    hashing_policy h{};
    h.key = k.hash;
    policy_of<Preset, slot::fast_open> f{};
    if constexpr (requires { f.keys; }) f.keys = k.fast_open;
    if constexpr (cookies_policy::possible) {
      cookies_policy c{};
      c.keys.seed(k.cookie);
      return listener_type(h, c, f, r);
    } else {
      return listener_type(h, f, r);
    }
  }

  outcome listener_receive(const segment& s, instant now, const arrival& facts) override {
    sink out{*this, now};
    return listener_.receive(s, now, out, facts);
  }
  void listener_tick(instant now) override {
    sink out{*this, now};
    listener_.tick(now, out);
  }
  std::optional<instant> listener_deadline() const override { return listener_.next_deadline(); }
  std::optional<four_tuple> listener_accept(instant now) override {
    const auto a = listener_.accept(now);
    if (!a) return std::nullopt;
    return a.handle;
  }
  void listener_child_gone(const four_tuple& key) override { listener_.child_gone(key); }
  void listener_child_settled(const four_tuple& key, fast_open_end how, instant now) override {
    if constexpr (requires { listener_.child_settled(key, how, now); }) listener_.child_settled(key, how, now);
  }

  listener_type listener_;
};

}  // namespace lab
