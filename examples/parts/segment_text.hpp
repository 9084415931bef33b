// SPDX-License-Identifier: BSL-1.0
// Segments in the short spelling of tcpdump and of the recordings: flags as letters, numbers relative to the ISNs.
#pragma once

#include <map>
#include <string>

#include "nouns.hpp"

namespace lab {

/// `S.`, `P.`, `R`, in the order F S R P . U E W that tcpdump has; empty for no flags.
std::string letters_of(flags f);
/// The other way; nothing if there is another letter in it. A lone `-` means none.
std::optional<flags> flags_of(std::string_view letters);

/// `mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 10`; empty when there are none.
std::string options_text(const tcp_options& o, bool syn);

/// Remembers the ISNs of each connection and makes numbers relative to them.
class relative_numbers {
 public:
  struct numbers {
    seq_number seq = 0;  ///< relative to the sender's ISN, absolute where that is not known
    seq_number ack = 0;  ///< relative to the receiver's; 0 without ACK flag
  };
  numbers of(const packet& p);

 private:
  struct pair {
    std::optional<seq_number> client;
    std::optional<seq_number> server;
  };
  std::map<std::uint16_t, pair> known_;
};

}  // namespace lab
