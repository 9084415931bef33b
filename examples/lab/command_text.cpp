// SPDX-License-Identifier: BSL-1.0
#include "command_text.hpp"

#include <array>
#include <charconv>

namespace lab {

namespace {

/// Microseconds as seconds, all digits that there are and no more.
std::string seconds(duration d) {
  std::string fraction = std::to_string(d % second);
  fraction.insert(0, 6 - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return std::to_string(d / second) + (fraction.empty() ? "" : "." + fraction);
}

/// The shortest digits that mean this very number.
std::string digits(double x) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), x).ptr;
  return {text.data(), end};
}

std::string word_of(const accept_rule& a) {
  switch (a.when) {
    case accept_rule::kind::never:
      return "never";
    case accept_rule::kind::always:
      return "always";
    case accept_rule::kind::from:
      return "at=" + seconds(a.at);
    case accept_rule::kind::once:
      return "once=" + seconds(a.at);
  }
  return {};
}

}  // namespace

std::string option_of(tunable t) {
  std::string s = "--";
  for (const char* c = name_of(t); *c != '\0'; ++c) s += *c == '_' ? '-' : *c;
  return s;
}

std::string command_of(const settings& s) {
  const settings usual;
  std::string text = "./examples/run";
  const auto add = [&text](const std::string& option, const std::string& value) { text += ' ' + option + ' ' + value; };
  add("--preset", std::string(s.preset->name));
  add("--backlog", std::to_string(s.backlog));
  add("--clients", std::to_string(client_count(s)));
  if (s.gap != usual.gap) add("--gap", seconds(s.gap));
  if (s.accept.when != usual.accept.when) add("--accept", word_of(s.accept));
  if (s.data_after != usual.data_after) add("--data-after", s.data_after ? seconds(*s.data_after) : "never");
  if (s.fast_open) text += " --fast-open";
  if (s.echo) text += " --echo";
  for (const auto& [t, value] : s.tunables) add(option_of(t), std::to_string(value));
  if (s.preload != usual.preload) add("--preload", std::to_string(s.preload));
  if (s.lose_acks_until != usual.lose_acks_until) add("--lose-acks-until", seconds(s.lose_acks_until));
  if (s.loss != usual.loss) add("--loss", digits(s.loss));
  if (s.rtt != usual.rtt) add("--rtt", seconds(s.rtt));
  if (s.wakeup != usual.wakeup) add("--wakeup", seconds(s.wakeup));
  if (s.until) add("--until", seconds(*s.until));
  add("--seed", std::to_string(s.seed));
  return text;
}

}  // namespace lab
