// SPDX-License-Identifier: BSL-1.0
// Words of the command line into values. Whatever is wrong ends as one `usage_error`: one line that names the option
// and says what is allowed.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "settings.hpp"

namespace lab {

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "--gap: 'x' is not allowed; allowed: seconds".
[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& allowed);

int to_int(const std::string& option, const std::string& text, int least, int most);
std::uint32_t to_count(const std::string& option, const std::string& text, std::uint32_t most);
std::uint64_t to_seed(const std::string& option, const std::string& text);
/// Seconds, with a fraction if need be, as microseconds; at most a year.
duration to_duration(const std::string& option, const std::string& text, const char* allowed = "seconds, 0..31536000");
double to_probability(const std::string& option, const std::string& text);
const preset_entry* to_preset(const std::string& option, const std::string& text);

/// The options that choose a preset and its tunables, for every command that has them.
class preset_options {
 public:
  explicit preset_options(CLI::App& app);
  /// After parsing: refuses a tunable that the preset does not read.
  void check();
  const preset_entry* preset = &linux_3_12_entry;
  int backlog = 1;
  tunable_values_set tunables{};

 private:
  void add(CLI::App& app, const char* name, tunable t, const char* help);
};

/// Parses; false if only help was asked for (it has been printed then).
bool parse(CLI::App& app, int argc, const char* const* argv);

}  // namespace lab
