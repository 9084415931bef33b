// SPDX-License-Identifier: BSL-1.0
// How text looks: colours where there is a terminal that wants them, lines of at most 100 columns everywhere.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

namespace lab {

class style {
 public:
  /// Colours only if standard output is a terminal and NO_COLOR is not set.
  static style of_stdout();
  explicit style(bool colours) : colours_(colours) {}

  std::string heading(std::string_view s) const { return wrap("1;36", s); }
  std::string strong(std::string_view s) const { return wrap("1", s); }
  std::string good(std::string_view s) const { return wrap("32", s); }
  std::string bad(std::string_view s) const { return wrap("31", s); }
  std::string dim(std::string_view s) const { return wrap("2", s); }

 private:
  std::string wrap(const char* code, std::string_view s) const;
  bool colours_;
};

inline constexpr std::size_t columns = 100;

/// `text` in lines that begin with `first`, then with as many spaces.
void paragraph(std::ostream& out, std::string_view first, std::string_view text);

}  // namespace lab
