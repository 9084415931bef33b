// SPDX-License-Identifier: BSL-1.0
// Words into values. Whatever is wrong with one ends as a `usage_error`: one line that names where it stands and says
// what is allowed there.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "presets.hpp"

namespace lab {

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "--gap: 'x' is not allowed; allowed: seconds".
[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& allowed);

int to_int(const std::string& option, const std::string& text, int least, int most);
std::uint32_t to_count(const std::string& option, const std::string& text, std::uint32_t most, std::uint32_t least = 0);
std::uint64_t to_seed(const std::string& option, const std::string& text);
/// Seconds, with a fraction if need be, or a number with s, ms or us behind it; as microseconds; at most a year.
duration to_duration(const std::string& option, const std::string& text, const char* allowed = "seconds, 0..31536000");
double to_probability(const std::string& option, const std::string& text);
const preset_entry* to_preset(const std::string& option, const std::string& text);

}  // namespace lab
