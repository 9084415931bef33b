// SPDX-License-Identifier: BSL-1.0
// The command line: what the commands have in common. What its words mean is in usage.hpp.
#pragma once

#include <CLI/CLI.hpp>

#include "usage.hpp"

namespace lab {

/// The options that choose a preset and its tunables, for every command that has them.
class preset_options {
 public:
  enum class backlogs { one, none };  ///< is there `--backlog`?
  explicit preset_options(CLI::App& app, backlogs how = backlogs::one);
  /// After parsing: refuses a tunable that the preset does not read.
  void check();
  const preset_entry* preset = find_preset("linux-3.12");
  int backlog = 1;
  tunable_values_set tunables{};

 private:
  void add(CLI::App& app, const char* name, tunable t, const char* help);
};

/// Parses; false if only help was asked for (it has been printed then).
bool parse(CLI::App& app, int argc, const char* const* argv);

}  // namespace lab
