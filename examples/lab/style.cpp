// SPDX-License-Identifier: BSL-1.0
#include "style.hpp"

#include <unistd.h>

#include <cstdlib>
#include <ostream>

namespace lab {

style style::of_stdout() {
  const char* const no = std::getenv("NO_COLOR");
  return style(::isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0'));
}

std::string style::wrap(const char* code, std::string_view s) const {
  if (!colours_ || s.empty()) return std::string(s);
  return "\033[" + std::string(code) + 'm' + std::string(s) + "\033[0m";
}

void paragraph(std::ostream& out, std::string_view first, std::string_view text) {
  const std::string margin(first.size(), ' ');
  std::string line(first);
  bool empty = true;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (!empty && line.size() + 1 + word.size() > columns) {
      out << line << '\n';
      line = margin;
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  }
  out << line << '\n';
}

}  // namespace lab
