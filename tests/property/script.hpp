// SPDX-License-Identifier: BSL-1.0
// The script: what rapidcheck generates, shrinks and prints: a backlog and a list of commands. Every command makes
// sense in every state, so that any sublist of a script is a script.
#pragma once

#include <rapidcheck.h>

#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace property {

enum class op {
  syn,          // from a client, again if it has a request
  new_syn,      // with another ISN: in the window of its request, or out of it
  tw_syn,       // a TIME-WAIT has chosen the ISN
  proven_syn,   // the peer has connected before
  refused_syn,  // the firewall says no
  syn_fin,
  flood,  // a SYN each of many other clients
  ack,
  wrong_ack,
  data,      // the final ACK with 13 bytes
  fin,       // the final ACK with FIN
  late,      // data with an old timestamp
  rst,       // exactly right
  rst_near,  // in the window
  rst_far,   // out of the window
  garbage,   // any flags, any numbers near the right ones
  wait,      // time passes, ticks come when they are due
  wrap,      // 2^16 steps of 4 ms pass between two answers to a request
  jump,      // time passes, one late tick
  next,      // to the next deadline, one tick
  accept,
  child_gone,
  listen,
  close,
  tune,
  sink,      // sent, failed, later
  children,  // the stack makes them or refuses
  unreachable,
  fork,  // from here on a copy lives along
};
inline const char* const op_names[] = {"syn",   "new_syn",  "tw_syn",    "proven_syn",  "refused_syn", "syn_fin",
                                       "flood", "ack",      "wrong_ack", "data",        "fin",         "late",
                                       "rst",   "rst_near", "rst_far",   "garbage",     "wait",        "wrap",
                                       "jump",  "next",     "accept",    "child_gone",  "listen",      "close",
                                       "tune",  "sink",     "children",  "unreachable", "fork"};

static_assert(std::size(op_names) == static_cast<std::size_t>(op::fork) + 1);

struct command {
  op what = op::syn;
  unsigned client = 0;
  unsigned value = 0;
};

struct scenario {
  int backlog = 0;
  std::vector<command> commands{};
};

inline std::ostream& operator<<(std::ostream& out, const command& c) {
  return out << op_names[static_cast<std::size_t>(c.what)] << " client " << c.client << " value " << c.value;
}
inline void showValue(const command& c, std::ostream& out) { out << c; }
inline void showValue(const scenario& s, std::ostream& out) {
  out << "listen(" << s.backlog << "), then\n";
  for (std::size_t i = 0; i < s.commands.size(); ++i) out << "  #" << i << ' ' << s.commands[i] << '\n';
}

inline rc::Gen<command> any_command() {
  return rc::gen::apply(
      [](op what, unsigned client, unsigned value) {
        return command{what, client, value};
      },
      rc::gen::weightedElement<op>(
          {{14, op::syn},        {3, op::new_syn},    {3, op::tw_syn},      {2, op::proven_syn}, {1, op::syn_fin},
           {1, op::refused_syn}, {5, op::flood},      {14, op::ack},        {2, op::wrong_ack},  {5, op::data},
           {1, op::fin},         {2, op::late},       {3, op::rst},         {2, op::rst_near},   {2, op::rst_far},
           {4, op::garbage},     {8, op::wait},       {1, op::wrap},        {3, op::jump},       {6, op::next},
           {6, op::accept},      {1, op::child_gone}, {4, op::listen},      {1, op::close},      {5, op::tune},
           {4, op::sink},        {1, op::children},   {1, op::unreachable}, {1, op::fork}}),
      rc::gen::inRange(0U, 8U), rc::gen::inRange(0U, 1000U));
}

inline rc::Gen<scenario> any_scenario() {
  return rc::gen::apply(
      [](int backlog, std::vector<command> c) {
        return scenario{backlog, std::move(c)};
      },
      rc::gen::weightedOneOf<int>({{9, rc::gen::inRange(0, 7)}, {1, rc::gen::inRange(-2, 40)}}),
      rc::gen::scale(1.5, rc::gen::container<std::vector<command>>(any_command())));
}

/// A thousand cases for each composition, the same in every run, so that a failure can only come from a change; fifty
/// thousand new ones with LISTENQ_LONG=1. RC_PARAMS, where it is set, has the last word: the line that rapidcheck
/// prints after a failure goes there. False where RC_PARAMS was set.
inline const bool standard_run = [] {
  const char* const more = std::getenv("LISTENQ_LONG");
  const bool many = more != nullptr && std::string{more} == "1";
  const bool standard = std::getenv("RC_PARAMS") == nullptr;
  setenv("RC_PARAMS", many ? "max_success=50000" : "max_success=1000 seed=20271", 0);
  return standard;
}();

}  // namespace property

namespace rc {
template <>
struct Arbitrary<property::scenario> {
  static Gen<property::scenario> arbitrary() { return property::any_scenario(); }
};
}  // namespace rc
