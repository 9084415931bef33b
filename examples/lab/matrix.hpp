// SPDX-License-Identifier: BSL-1.0
// The conformance matrix: presets against scenarios. Every cell is what came out when the scenario was run; nothing is
// looked up. Which scenarios there are, the *_scenarios.cpp files say.
#pragma once

#include <string>
#include <vector>

#include "presets.hpp"

namespace lab {

/// One scenario over all presets: a row a preset, a column a variation.
struct matrix_table {
  std::string name;   ///< for --only and as a key
  std::string title;  ///< a line
  std::string note;   ///< how to read a cell
  std::vector<std::string> columns;
  std::vector<std::string> (*row)(const preset_entry&);  ///< empty: does not apply to this preset
};

std::vector<matrix_table> queue_tables();
std::vector<matrix_table> overflow_tables();
std::vector<matrix_table> segment_tables();
std::vector<matrix_table> time_tables();
std::vector<matrix_table> life_tables();
std::vector<matrix_table> cookie_tables();
std::vector<matrix_table> fast_open_tables();

}  // namespace lab
