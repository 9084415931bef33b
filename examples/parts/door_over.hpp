// SPDX-License-Identifier: BSL-1.0
// A door over one preset. The preset gets one answer changed by the mirror: an observer that passes on which timers
// were due, and counts by cause. Everything else is the preset's own.
#pragma once

#include <listenq/describe.hpp>
#include <listenq/mirror.hpp>
#include <utility>

#include "door.hpp"

namespace lab {

/// Told by the listener of everything; passes timers on.
template <class Counters>
struct reporter : by_cause<Counters> {
  static constexpr const char* name = "reporter";
  door* to = nullptr;
  void on_timer(instant now, const four_tuple& key, timer_outcome t) {
    by_cause<Counters>::on_timer(now, key, t);
    if (to != nullptr && to->on_timer) to->on_timer(now, key, t);
  }
};

template <class Preset>
using reported = with<Preset, observer<reporter<policy_of<Preset, slot::counters>>>>;

template <class Preset>
class door_over final : public listenq::testing::listener_behind<reported<Preset>, door> {
  using base = listenq::testing::listener_behind<reported<Preset>, door>;
  using counters_type = policy_of<Preset, slot::counters>;
  using base::inner;

 public:
  explicit door_over(const stack_keys* keys) : base(make(keys)) { inner.observer().to = this; }

  counts counters() const override { return counts_of(inner.counters()); }
  std::vector<cause_line> causes() const override {
    std::vector<cause_line> lines;
    for (std::size_t i = 0; i < listenq::cause_count; ++i) {
      const cause& c = listenq::causes[i];
      const auto& row = inner.observer().rows[i];
      if (row.times > 0) lines.push_back({row.times, name_of(c), c.why, rule(i), counts_of(row.counters.values())});
    }
    return lines;
  }
  std::vector<door::request_type> requests() const override {
    std::vector<door::request_type> all;
    inner.for_each_request([&all](const door::request_type& r) { all.push_back(r); });
    return all;
  }
  std::string rule(std::size_t cause) const override { return rule_text<Preset>(listenq::causes[cause]); }

 private:
  static counts counts_of(const auto& values) {
    counts all;
    for (const auto& n : counters_type::names) {
      if (values.*n.value != 0) all[n.name] = values.*n.value;
    }
    return all;
  }
  static reported<Preset> make(const stack_keys* keys) {
    if (keys == nullptr) return reported<Preset>{};
    const stack_keys& k = *keys;
    using hashing_policy = policy_of<Preset, slot::hashing>;
    using cookies_policy = policy_of<Preset, slot::cookies>;
    hashing_policy h{};
    h.key = k.hash;
    policy_of<Preset, slot::fast_open> f{};
    if constexpr (requires { f.keys; }) f.keys = k.fast_open;
    if constexpr (cookies_policy::possible) {
      cookies_policy c{};
      c.keys.seed(k.cookie);
      return reported<Preset>(h, c, f);
    } else {
      return reported<Preset>(h, f);
    }
  }
};

}  // namespace lab
