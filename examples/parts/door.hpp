// SPDX-License-Identifier: BSL-1.0
// A listener of any preset, with what the lab wants to see of it beside its verdicts. Its type is hidden, so that the
// lab is compiled once; door_over.hpp is what each preset adds.
#pragma once

#include <cstddef>
#include <functional>
#include <listenq/policy/fast_open.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/testing/any_listener.hpp>
#include <string>
#include <vector>

#include "nouns.hpp"

namespace lab {

/// The keys that a seed stands for.
struct stack_keys {
  siphash_key hash{};
  siphash_key cookie{};  ///< the secret that all keys of cookies come from
  fast_open_keys fast_open{};
};

class door : public listenq::testing::any_listener {
 public:
  using request_type = request<ipv4>;

  /// Is told of every timer that was due.
  std::function<void(instant now, const four_tuple& key, timer_outcome)> on_timer;

  virtual counts counters() const = 0;
  virtual std::vector<cause_line> causes() const = 0;
  virtual std::vector<request_type> requests() const = 0;
  /// The preset's answer behind a cause, an index of `listenq::causes`; empty if none decided.
  virtual std::string rule(std::size_t cause) const = 0;

  queue_state queues() const {
    return {.requests = request_count(),
            .young = young_count(),
            .waiting = accept_count(),
            .backlog = backlog(),
            .request_limit = request_limit(),
            .request_full = request_full(),
            .accept_full = accept_full()};
  }
};

}  // namespace lab
