// SPDX-License-Identifier: BSL-1.0
#include "usage.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace lab {

namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

std::string range(auto least, auto most) { return std::to_string(least) + ".." + std::to_string(most); }

}  // namespace

void refuse(const std::string& option, const std::string& value, const std::string& allowed) {
  throw usage_error(option + ": '" + value + "' is not allowed; allowed: " + allowed);
}

int to_int(const std::string& option, const std::string& text, int least, int most) {
  const auto n = number<int>(text);
  if (!n || *n < least || *n > most) refuse(option, text, "a whole number, " + range(least, most));
  return *n;
}

std::uint32_t to_count(const std::string& option, const std::string& text, std::uint32_t most, std::uint32_t least) {
  const auto n = number<std::uint32_t>(text);
  if (!n || *n < least || *n > most) refuse(option, text, "a whole number, " + range(least, most));
  return *n;
}

std::uint64_t to_seed(const std::string& option, const std::string& text) {
  const auto n = number<std::uint64_t>(text);
  if (!n) refuse(option, text, "a whole number, " + range(0, std::numeric_limits<std::uint64_t>::max()));
  return *n;
}

duration to_duration(const std::string& option, const std::string& text, const char* allowed) {
  std::string digits = text;
  double unit = 1e6;
  for (const auto& [suffix, length] : {std::pair{"us", 1.0}, std::pair{"ms", 1e3}, std::pair{"s", 1e6}}) {
    if (!digits.ends_with(suffix)) continue;
    digits.resize(digits.size() - std::string_view(suffix).size());
    unit = length;
    break;
  }
  const auto n = number<double>(digits);
  if (!n || !(*n >= 0 && *n * unit <= 31536000e6)) refuse(option, text, allowed);
  return std::llround(*n * unit);
}

double to_probability(const std::string& option, const std::string& text) {
  const auto p = number<double>(text);
  if (!p || !(*p >= 0 && *p <= 1)) refuse(option, text, "a probability, 0..1");
  return *p;
}

const preset_entry* to_preset(const std::string& option, const std::string& text) {
  const preset_entry* p = find_preset(text);
  if (p == nullptr) refuse(option, text, preset_names());
  return p;
}

}  // namespace lab
