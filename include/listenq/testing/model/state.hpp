// SPDX-License-Identifier: BSL-1.0
// What the model remembers, what it predicts, and what the rules leave to the listener. Plain values: lists in the
// order in which things came, counters by name. Nothing here decides anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/testing/model/counting.hpp>
#include <listenq/testing/model/rules.hpp>
#include <listenq/time.hpp>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace listenq::testing {

/// A request, as the model has it.
struct half_open {
  four_tuple key{};
  seq_number irs = 0;
  seq_number iss = 0;
  instant deadline = 0;
  unsigned timeouts = 0;     ///< 0: young
  unsigned retransmits = 0;  ///< SYN-ACKs sent again
  bool acked = false;
  bool unreachable = false;  ///< an ICMP error has been noted
  std::uint16_t peer_mss = 536;
  std::uint8_t send_scale = 0;
  bool window_scaling = false;
  bool sack = false;
  bool timestamps = false;
  bool ecn = false;
  std::uint32_t ts_recent = 0;
  std::uint32_t first_ts = 0;
  std::uint32_t last_ts = 0;
  std::optional<instant> answered_at{};  ///< when it last got an answer of those that are limited
  std::uint64_t armed = 0;               ///< its timer was the so many-th to be set
  std::uint32_t bucket = 0;
  unsigned late_runs = 0;  ///< of the hand, while it was due
};

/// A connection that waits for accept().
struct waiting_connection {
  four_tuple key{};
  bool aborted = false;
};

/// Four-tuples in some order, for maps.
struct by_name {
  bool operator()(const four_tuple& a, const four_tuple& b) const noexcept {
    const auto name = [](const four_tuple& k) {
      return std::tuple{k.peer_address.value, k.local_address.value, k.peer_port, k.local_port};
    };
    return name(a) < name(b);
  }
};
template <class T>
using by_four_tuple_map = std::map<four_tuple, T, by_name>;

/// The sink and the stack around the listener.
struct surroundings {
  send_result answer = send_result::sent;
  bool refuses_children = false;
};

/// What the rules do not fix: what the listener chose. The model takes it and holds it to what the rules do say.
struct choices {
  std::optional<seq_number> iss{};           ///< of the SYN-ACK, or of the request that was stored
  std::optional<std::uint32_t> clock{};      ///< the timestamp in the answer, or that of the stored request
  std::optional<std::uint32_t> ts_offset{};  ///< of the connection that was made
  std::uint32_t bucket = 0;                  ///< of the sender's four-tuple, before the step
  std::optional<std::uint32_t> stored_in{};  ///< and after it
  std::optional<four_tuple> victim{};        ///< whose request went, beside the sender's own
  std::vector<four_tuple> visited{};         ///< whose requests the hand came to, in order
  bool limited = false;                      ///< an answer was held back
  bool no_memory = false;                    ///< there was no room for the request, or for what listen() asks for
  bool later = false;                        ///< the sink asked to come back
};

/// What a step does beside what the queues show afterwards.
struct result {
  std::optional<listenq::verdict> verdict{};
  listenq::stages met{};
  std::vector<segment> sent{};
  std::vector<handshake> made{};    ///< children
  std::vector<four_tuple> reset{};  ///< children handed back
  std::string said{};               ///< what the call returned, in words
};

/// The model's word on a step: what must come, by which rule, and whether a choice broke one.
struct prediction {
  result due{};
  const char* rule = "";
  bool any_order = false;  ///< of what is sent
  std::string broken{};    ///< a sentence; empty: every choice was allowed
};

}  // namespace listenq::testing
