// SPDX-License-Identifier: BSL-1.0
// What the catalogue says of a preset beside its type: its name, its time, and how well it is founded. No preset is
// included here.
#pragma once

#include <cstdint>

namespace listenq::preset {

enum class family : std::uint8_t { linux_kernel, bsd, other_kernel, user_space };

/// What a preset rests on. None claims more than its header says.
enum class standing : std::uint8_t {
  recorded,  ///< held against recordings of that kernel
  read,      ///< read in the source that its header names
  partial,   ///< read in part; its header says which answers are taken from elsewhere
  fitted,    ///< made to yield numbers that somebody measured
};

constexpr const char* name_of(standing s) noexcept {
  constexpr const char* names[] = {"recorded", "read", "partial", "fitted"};
  return names[static_cast<int>(s)];
}

struct about {
  const char* name;   ///< as on a command line: linux-3.12
  const char* title;  ///< as in a sentence: Linux 3.12
  const char* era;    ///< when it was, or was read
  preset::family family;
  preset::standing standing;
};

}  // namespace listenq::preset
