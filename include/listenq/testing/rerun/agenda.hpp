// SPDX-License-Identifier: BSL-1.0
// What a re-run plans to do between the entries of the log: a client's next SYN or ACK, the application's next accept.
#pragma once

#include <cstdint>
#include <functional>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/time.hpp>
#include <queue>
#include <tuple>
#include <vector>

namespace listenq::testing::detail {

enum class deed : std::uint8_t { syn, ack, accept };

struct plan {
  instant at;
  std::uint64_t order;
  deed what;
  attempt* whose;  ///< null: the application's
  friend bool operator>(const plan& a, const plan& b) noexcept {
    return std::tie(a.at, a.order) > std::tie(b.at, b.order);
  }
};

/// Plans come in the order of their time; those of the same time in the order in which they were made.
class agenda {
 public:
  void add(instant at, deed what, attempt* whose = nullptr) { plans_.push({at, ++made_, what, whose}); }
  instant next() const { return plans_.empty() ? never : plans_.top().at; }
  plan take() {
    const plan p = plans_.top();
    plans_.pop();
    return p;
  }

 private:
  std::priority_queue<plan, std::vector<plan>, std::greater<>> plans_{};
  std::uint64_t made_ = 0;
};

}  // namespace listenq::testing::detail
