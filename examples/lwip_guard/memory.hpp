// SPDX-License-Identifier: BSL-1.0
// What lwIP takes: the example stands between it and malloc, counts, and can bound its pool of PCBs. Debian's lwIP
// takes everything from malloc; on a device there are MEMP_NUM_TCP_PCB of them and no more.
#pragma once

#include <cstddef>

namespace lwip_guard {

struct lwip_memory {
  std::size_t pcb_limit = 0;  ///< 0: as many as malloc yields
  std::size_t pcbs = 0;
  std::size_t most_pcbs = 0;
  std::size_t bytes = 0;
  std::size_t most_bytes = 0;

  /// From now on the maxima are those of what is to come.
  void forget_maxima() {
    most_pcbs = pcbs;
    most_bytes = bytes;
  }
};

/// The one there is; lwIP is global, too.
extern lwip_memory memory;

}  // namespace lwip_guard
