// SPDX-License-Identifier: BSL-1.0
// What programs have planned, in the order in which they planned it when it falls on the same instant. Kernel timers
// do not go through here: they have an order of their own (the network's).
#pragma once

#include <functional>
#include <listenq/transport/in_memory.hpp>
#include <map>
#include <utility>

#include "nouns.hpp"

namespace lab {

class agenda {
 public:
  explicit agenda(network& net) : net_(net) {}

  void at(instant when, std::function<void()> f) {
    plans_.emplace(when, std::move(f));
    net_.at(when, [this] {
      const auto first = plans_.begin();
      const std::function<void()> plan = std::move(first->second);
      plans_.erase(first);
      plan();
    });
  }
  void after(duration d, std::function<void()> f) { at(net_.now() + d, std::move(f)); }

 private:
  network& net_;
  std::multimap<instant, std::function<void()>> plans_;
};

}  // namespace lab
