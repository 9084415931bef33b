// SPDX-License-Identifier: BSL-1.0
#include "segment_text.hpp"

#include <listenq/transport/traced.hpp>
#include <sstream>

namespace lab {

namespace {

constexpr std::string_view letters = "FSRP.UEW";

}  // namespace

std::string letters_of(flags f) {
  std::string s;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if ((f.bits >> i & 1) != 0) s += letters[i];
  }
  return s;
}

std::optional<flags> flags_of(std::string_view text) {
  flags f{};
  if (text == "-") return f;
  for (const char c : text) {
    const std::size_t i = letters.find(c);
    if (i == std::string_view::npos) return std::nullopt;
    f = f | flags{static_cast<std::uint8_t>(1U << i)};
  }
  return text.empty() ? std::nullopt : std::optional(f);
}

std::string options_text(const tcp_options& o, bool syn) {
  segment s;
  s.flags = syn ? flag::syn : flag::ack;
  s.options = o;
  std::ostringstream line;
  text_recorder(line).record(0, s);
  const std::string text = line.str();
  const std::size_t from = text.find('[', text.find("options"));
  if (text.find("options") == std::string::npos) return {};
  return text.substr(from + 1, text.find(']', from) - from - 1);
}

relative_numbers::numbers relative_numbers::of(const packet& p) {
  const segment& s = p.segment;
  pair& isn = known_[p.port()];
  auto& ours = p.to_server() ? isn.client : isn.server;
  const auto& theirs = p.to_server() ? isn.server : isn.client;
  if (s.flags.has(flag::syn) && !s.flags.has(flag::rst)) ours = s.seq;
  return {s.seq - ours.value_or(0), s.flags.has(flag::ack) ? s.ack - theirs.value_or(0) : 0};
}

}  // namespace lab
