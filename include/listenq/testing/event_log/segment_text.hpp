// SPDX-License-Identifier: BSL-1.0
// Segments and four-tuples as words of an event log's line, and segments read back. event_log_text.hpp says which word
// stands where.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log/words.hpp>
#include <listenq/transport/text.hpp>
#include <string>
#include <string_view>

namespace listenq::testing::detail {

inline constexpr std::string_view log_flags = "FSRP.UEW";

inline std::string log_text(const four_tuple& key) { return to_text(key.peer()) + ' ' + to_text(key.local()); }

inline std::string log_text(const fast_open_option& o) {
  std::string t(o.experimental ? "xtfo=" : "tfo=");
  for (std::size_t i = 0; i < o.size; ++i) {
    t += "0123456789abcdef"[o.bytes[i] >> 4];
    t += "0123456789abcdef"[o.bytes[i] & 15];
  }
  return t;
}

inline std::string log_text(const segment& s) {
  std::string t = to_text(s.source) + ' ' + to_text(s.destination) + ' ';
  for (std::size_t i = 0; i < 8; ++i) {
    if ((s.flags.bits >> i & 1) != 0) t += log_flags[i];
  }
  if (s.flags.bits == 0) t += '-';
  t.append(" ").append(std::to_string(s.seq)).append(" ").append(std::to_string(s.ack));
  t.append(" ").append(std::to_string(s.window)).append(" ").append(std::to_string(s.payload.size)).append(" ");
  const tcp_options& o = s.options;
  const std::size_t before = t.size();
  const auto option = [&t, before](const std::string& text) {
    if (t.size() > before) t += ',';
    t += text;
  };
  if (o.mss != 0) option("mss=" + std::to_string(o.mss));
  if (o.sack_permitted) option("sack");
  if (o.timestamps) option("ts=" + std::to_string(o.ts_value) + ':' + std::to_string(o.ts_echo));
  if (o.has_window_scale()) option("ws=" + std::to_string(o.window_scale));
  if (o.fast_open.present()) option(log_text(o.fast_open));
  if (t.size() == before) t += '-';
  return t;
}

inline void read_log_option(log_words& w, std::string_view text, tcp_options& o) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1);
  if (name == "mss") {
    o.mss = w.number<std::uint16_t>(value);
  } else if (name == "sack") {
    o.sack_permitted = true;
  } else if (name == "ws") {
    o.window_scale = w.number<std::uint8_t>(value);
  } else if (name == "ts") {
    const std::size_t colon = std::min(value.find(':'), value.size());
    o.timestamps = true;
    o.ts_value = w.number<std::uint32_t>(value.substr(0, colon));
    o.ts_echo = w.number<std::uint32_t>(value.substr(std::min(value.size(), colon + 1)));
  } else if ((name == "tfo" || name == "xtfo") && value.size() % 2 == 0 && value.size() / 2 <= o.fast_open.most) {
    o.fast_open = fast_open_option::request();
    o.fast_open.experimental = name == "xtfo";
    o.fast_open.size = static_cast<std::uint8_t>(value.size() / 2);
    for (std::size_t i = 0; i < value.size(); i += 2) {
      o.fast_open.bytes[i / 2] = w.number<std::uint8_t>(value.substr(i, 2), 16);
    }
  } else {
    w.good = false;
  }
}

inline segment read_log_segment(log_words& w) {
  segment s;
  s.source = w.peer();
  s.destination = w.peer();
  const std::string_view letters = w.word();
  for (const char c : letters == "-" ? std::string_view{} : letters) {
    const std::size_t bit = log_flags.find(c);
    w.good = w.good && bit != std::string_view::npos;
    if (w.good) s.flags.bits = static_cast<std::uint8_t>(s.flags.bits | 1U << bit);
  }
  w.good = w.good && !letters.empty();
  s.seq = w.number<seq_number>();
  s.ack = w.number<seq_number>();
  s.window = w.number<std::uint16_t>();
  s.payload.size = w.number<std::uint16_t>();
  std::string_view options = w.word();
  w.good = w.good && !options.empty();
  while (w.good && options != "-" && !options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    read_log_option(w, options.substr(0, comma), s.options);
    options.remove_prefix(std::min(options.size(), comma + 1));
  }
  return s;
}

}  // namespace listenq::testing::detail
