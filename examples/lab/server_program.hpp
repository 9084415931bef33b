// SPDX-License-Identifier: BSL-1.0
// The articles' server program on top of a stack: accept() as the rule says, then read and say nothing, or read, sleep
// a second and answer with the time of day.
#pragma once

#include "agenda.hpp"
#include "settings.hpp"
#include "stack.hpp"

namespace lab {

class server_program {
 public:
  /// `moved` is called after everything that may have changed the stack's deadlines.
  server_program(network& net, agenda& plans, stack& kernel, const settings& s, record& out,
                 std::function<void()> moved);

  /// To be called whenever the stack has handled something.
  void look();
  void stirred(std::uint16_t port, connection_events e);

 private:
  void accept_all();
  void read(stack::child& c);
  void answer(std::uint16_t port, std::string text);
  void say(std::string text);

  network& net_;
  agenda& plans_;
  stack& kernel_;
  const settings& settings_;
  record& out_;
  std::function<void()> moved_;
  std::set<std::uint16_t> asleep_;  // threads in their sleep(1)
  bool accepting_ = false;
};

}  // namespace lab
