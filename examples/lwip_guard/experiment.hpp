// SPDX-License-Identifier: BSL-1.0
// One experiment: a flood of SYNs from addresses that do not exist, and honest clients in the middle of it.
#pragma once

#include <array>
#include <cstddef>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <optional>

namespace lwip_guard {

struct setting {
  bool guarded = false;
  std::size_t pcb_limit = 0;  ///< 0: PCBs come from malloc
  std::size_t syns = 0;       ///< of the flood, evenly over ten seconds
  std::size_t bytes = 0;      ///< that each client sends and wants back
};

struct honest {
  bool connected = false;
  bool intact = false;  ///< everything came back, and nothing else
  bool was_reset = false;
  listenq::duration waited = 0;  ///< until it was connected
  std::size_t echoed = 0;
  listenq::tcp_options agreed{};  ///< what the SYN-ACK said
};

struct result {
  std::size_t syns = 0;      ///< of the flood
  std::size_t syn_acks = 0;  ///< repeated ones included
  std::size_t pcbs = 0;      ///< at most, before the clients come
  std::size_t bytes = 0;     ///< at most, before the clients come; lwIP's, beyond those at rest
  std::size_t guard_bytes = 0;
  std::size_t accepted = 0;         ///< connections that lwIP's application has been given
  std::size_t widest = 0;           ///< window that the clients were offered, bytes
  std::array<honest, 2> clients{};  ///< one with Linux's options, one with none
};

/// Ten seconds of flood; the clients come after eight of them and have seven seconds to connect. In a process of its
/// own, because there can be but one lwIP in each. Nothing if that process failed.
std::optional<result> run(const setting& s);

}  // namespace lwip_guard
