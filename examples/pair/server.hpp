// SPDX-License-Identifier: BSL-1.0
// The articles' server: listen(), sleep, then accept() whoever comes, and send back what they say. The listener's type
// is hidden: a preset's file makes one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nouns.hpp"
#include "wire.hpp"

namespace pair {

class server {
 public:
  virtual ~server() = default;
  /// What the program prints while it runs; nothing by default.
  std::function<void(const std::string&)> say = [](const std::string&) {};

  virtual bool listen(instant now) = 0;
  /// One round; true if there may be more to do at once.
  virtual bool turn(instant now) = 0;
  virtual std::optional<instant> next_deadline() = 0;
  /// It has slept long enough.
  virtual void wake(instant now) = 0;
  virtual server_view view() = 0;
};

struct preset_entry {
  std::string_view name;  ///< as on the command line
  bool knows_abort;       ///< does tcp_abort_on_overflow mean anything to it?
  std::unique_ptr<server> (*make)(wire&, const settings&);
};

extern const preset_entry linux_3_12_entry;
extern const preset_entry linux_6_18_entry;
extern const preset_entry freebsd_13_entry;

const preset_entry* find_preset(std::string_view name);
std::string preset_names();

}  // namespace pair
