// SPDX-License-Identifier: BSL-1.0
// Reads the words of an event log's line, one after the other, as what they ought to be. Whether all of them were can
// be asked at the end.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <string_view>
#include <system_error>

namespace listenq::testing::detail {

struct log_words {
  std::string_view rest;
  bool good = true;  ///< false as soon as a word is not what it should be

  std::string_view word() noexcept {
    const std::size_t from = rest.find_first_not_of(' ');
    if (from == std::string_view::npos) {
      rest = {};
      return {};
    }
    rest.remove_prefix(from);
    const std::string_view w = rest.substr(0, rest.find(' '));
    rest.remove_prefix(w.size());
    return w;
  }
  bool at_end() noexcept { return rest.find_first_not_of(' ') == std::string_view::npos; }
  template <class T>
  T number(std::string_view w, int base = 10) noexcept {
    T value{};
    const char* const end = w.data() + w.size();
    const auto [stop, error] = std::from_chars(w.data(), end, value, base);
    good = good && error == std::errc{} && stop == end && !w.empty();
    return value;
  }
  template <class T>
  T number() noexcept {
    return number<T>(word());
  }
  template <class Names>
  std::uint8_t one_of(const Names& names, std::string_view w) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (w == names[i]) return static_cast<std::uint8_t>(i);
    }
    good = false;
    return 0;
  }
  endpoint peer() noexcept {
    const std::string_view w = word();
    const std::size_t colon = w.find(':');
    if (colon == std::string_view::npos) good = false;
    endpoint e;
    std::string_view a = w.substr(0, colon);
    for (int i = 0; good && i < 4; ++i) {
      const std::size_t dot = i < 3 ? a.find('.') : a.size();
      if (dot == std::string_view::npos) good = false;
      e.address.value = e.address.value << 8 | number<std::uint8_t>(a.substr(0, dot));
      a.remove_prefix(std::min(a.size(), dot + (i < 3 ? 1 : 0)));
    }
    if (good) e.port = number<std::uint16_t>(w.substr(colon + 1));
    return e;
  }
  four_tuple key() noexcept {
    const endpoint p = peer();
    const endpoint l = peer();
    return {p.address, l.address, p.port, l.port};
  }
};

}  // namespace listenq::testing::detail
