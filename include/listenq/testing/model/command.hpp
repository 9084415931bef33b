// SPDX-License-Identifier: BSL-1.0
// Commands: what a generator, a fuzzer or a hand writes down to be played against a listener and its model. Every
// command makes sense in every state, so that any part of a script is a script: what fails can be made shorter
// (shrink.hpp) until nothing can be left out.
//
// It is not a log of segments: which numbers a command's segment carries depends on what its client was answered
// (run.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <listenq/transport/splitmix64.hpp>
#include <string>
#include <vector>

namespace listenq::testing {

enum class op : std::uint8_t {
  syn,          ///< from a client, again if it has a request
  new_syn,      ///< with another ISN: in the window of its request, or out of it
  tw_syn,       ///< a TIME-WAIT has chosen our ISN
  proven_syn,   ///< the peer has connected before
  refused_syn,  ///< the firewall says no
  syn_fin,
  ecn_syn,  ///< asks for ECN
  flood,    ///< a SYN each of many other clients
  ack,
  wrong_ack,
  data,         ///< the final ACK with 13 bytes
  fin,          ///< the final ACK with FIN
  late,         ///< data with an old timestamp
  echo,         ///< the final ACK with a timestamp echoed that nobody sent
  rst,          ///< exactly right
  rst_near,     ///< in the window
  rst_far,      ///< out of the window
  garbage,      ///< any flags, any numbers near the right ones
  wait,         ///< time passes, ticks come when they are due
  half_second,  ///< a SYN again, 500 ms but for a few, and once more
  wrap,         ///< 2^16 steps of 4 ms pass between two answers to a request
  jump,         ///< time passes, one late tick
  next,         ///< to the next deadline, one tick
  accept,
  child_gone,  ///< a waiting connection is reset
  listen,
  close,
  shutdown,
  tune,
  sink,      ///< from now on segments are sent, fail, or are to come later
  children,  ///< from now on the stack makes them or refuses
  unreachable,
  fork,  ///< from here on a copy of the listener lives along
};
inline constexpr std::size_t op_count = static_cast<std::size_t>(op::fork) + 1;

constexpr const char* name_of(op o) noexcept {
  constexpr const char* names[] = {
      "syn",       "new_syn",     "tw_syn", "proven_syn", "refused_syn", "syn_fin", "ecn_syn",    "flood",   "ack",
      "wrong_ack", "data",        "fin",    "late",       "echo",        "rst",     "rst_near",   "rst_far", "garbage",
      "wait",      "half_second", "wrap",   "jump",       "next",        "accept",  "child_gone", "listen",  "close",
      "shutdown",  "tune",        "sink",   "children",   "unreachable", "fork"};
  static_assert(std::size(names) == op_count);
  return names[static_cast<std::size_t>(o)];
}

/// The clients of a flood: from the eighth on, so many as `value` says.
inline constexpr std::uint32_t first_of_flood = 8;
constexpr std::uint32_t end_of_flood(std::uint32_t value) noexcept { return first_of_flood + 1 + value % 24; }

/// `client` counts modulo 32. What `value` means is the command's own affair; every number is good.
struct command {
  op what = op::syn;
  std::uint32_t client = 0;
  std::uint32_t value = 0;
  friend constexpr bool operator==(const command&, const command&) = default;
};

struct script {
  int backlog = 0;  ///< what listen() is called with at first
  std::vector<command> commands{};
  friend bool operator==(const script&, const script&) = default;
};

inline std::string to_text(const command& c) {
  return std::string{name_of(c.what)} + " client " + std::to_string(c.client) + " value " + std::to_string(c.value);
}
inline std::string to_text(const script& s) {
  std::string text = "listen(" + std::to_string(s.backlog) + ")\n";
  for (std::size_t i = 0; i < s.commands.size(); ++i) {
    text += '#' + std::to_string(i) + ' ' + to_text(s.commands[i]) + '\n';
  }
  return text;
}

/// How often each command is drawn: handshakes most, ends least.
struct command_weight {
  op what;
  std::uint32_t weight;
};
inline constexpr command_weight command_weights[] = {
    {op::syn, 14},     {op::new_syn, 3},     {op::tw_syn, 3},   {op::proven_syn, 2}, {op::refused_syn, 1},
    {op::syn_fin, 1},  {op::ecn_syn, 1},     {op::flood, 5},    {op::ack, 14},       {op::wrong_ack, 2},
    {op::data, 5},     {op::fin, 1},         {op::late, 2},     {op::echo, 1},       {op::rst, 3},
    {op::rst_near, 2}, {op::rst_far, 2},     {op::garbage, 4},  {op::wait, 8},       {op::half_second, 1},
    {op::wrap, 1},     {op::jump, 3},        {op::next, 6},     {op::accept, 6},     {op::child_gone, 1},
    {op::listen, 4},   {op::close, 1},       {op::shutdown, 1}, {op::tune, 5},       {op::sink, 4},
    {op::children, 1}, {op::unreachable, 1}, {op::fork, 1}};
inline constexpr std::uint32_t command_weights_sum = [] {
  std::uint32_t sum = 0;
  for (const command_weight& w : command_weights) sum += w.weight;
  return sum;
}();

/// The command that `draw`, any number, stands for.
constexpr op op_of(std::uint32_t draw) noexcept {
  draw %= command_weights_sum;
  for (const command_weight& w : command_weights) {
    if (draw < w.weight) return w.what;
    draw -= w.weight;
  }
  return op::syn;
}

/// A script of at most `most` commands; the same for the same seed, on every machine.
inline script random_script(std::uint64_t seed, std::size_t most = 60) {
  splitmix64 draw{seed};
  const auto number = [&draw](std::uint64_t up_to) { return static_cast<std::uint32_t>(draw.up_to(up_to)); };
  script s{.backlog = static_cast<int>(number(7))};
  for (std::uint64_t n = draw.up_to(most); n > 0; --n) {
    const op what = op_of(number(0xffffffffU));
    const std::uint32_t client = number(7);
    s.commands.push_back({what, client, number(999)});
  }
  return s;
}

}  // namespace listenq::testing
