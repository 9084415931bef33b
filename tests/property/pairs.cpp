// SPDX-License-Identifier: BSL-1.0
// The table of pairs is complete: any two options that can be in one composition are in one; which cannot, and why, is
// printed. The rows themselves are played by pairs/rows.cpp.
#include "pairs/options.hpp"
#include "pairs/table.hpp"

#include <cstdio>
#include <cstring>
#include <map>
#include <set>

using namespace property;

namespace {

/// Two answers, each a slot and a place.
using pair_of_answers = std::array<std::size_t, 4>;

std::set<pair_of_answers> pairs_in(std::size_t rows) {
  std::set<pair_of_answers> found;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < slot_count; ++i) {
      for (std::size_t j = i + 1; j < slot_count; ++j) {
        found.insert({i, place_of(pair_rows[r][i]), j, place_of(pair_rows[r][j])});
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("every pair of options is in the table, or no composition can have it") {
  const auto answers = all_answers();
  for (const char* row : pair_rows) REQUIRE(std::strlen(row) == slot_count);
  const std::set<pair_of_answers> all = pairs_in(std::size(pair_rows));
  const std::set<pair_of_answers> early = pairs_in(60);
  std::size_t possible = 0;
  std::size_t in_ordinary_run = 0;
  std::map<std::string, std::string> impossible;
  for (std::size_t i = 0; i < slot_count; ++i) {
    for (std::size_t j = i + 1; j < slot_count; ++j) {
      for (std::size_t a = 0; a < answers[i].size(); ++a) {
        for (std::size_t b = 0; b < answers[j].size(); ++b) {
          const pair_of_answers both{i, a, j, b};
          const std::string names = answers[i][a].name + " with " + answers[j][b].name;
          CAPTURE(names);
          if (const char* const why = unsupported(answers[i][a], answers[j][b]); why != nullptr) {
            CHECK(all.count(both) == 0);
            impossible[why] += "\n    " + names;
            continue;
          }
          ++possible;
          CHECK(all.count(both) == 1);
          in_ordinary_run += early.count(both);
        }
      }
    }
  }
  for (const auto& [why, which] : impossible)
    std::printf("no composition has, because %s:%s\n", why.c_str(), which.c_str());
  std::printf("%zu pairs of options, %zu of them in the first 60 compositions of %zu\n", possible, in_ordinary_run,
              std::size(pair_rows));
  CHECK(10 * in_ordinary_run > 9 * possible);
}
