// SPDX-License-Identifier: BSL-1.0
// The nouns that every part of the lab speaks: what the server's queues hold, what was decided and why, what a run
// leaves behind. Plain values; nothing here runs or prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/stream/established.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lab {

using namespace listenq;

inline constexpr ipv4::address loopback = ip(127, 0, 0, 1);
inline constexpr std::uint16_t server_port = 20000;
inline constexpr std::uint16_t first_client_port = 30001;
inline constexpr std::uint16_t first_preload_port = 42001;

/// What the rules of a listener look at, under the kernel's names: qlen, qlen_young, sk_ack_backlog,
/// sk_max_ack_backlog.
struct queue_state {
  std::uint32_t requests = 0;
  std::uint32_t young = 0;
  std::uint32_t waiting = 0;
  std::uint32_t backlog = 0;
  std::uint32_t request_limit = 0;
  bool request_full = false;
  bool accept_full = false;
};

/// One decision of the listener: about a segment, or about a request whose timer was due.
struct decision {
  instant at = 0;
  std::uint16_t port = 0;  ///< of the client
  bool is_timer = false;
  outcome segment{};      ///< what became of the segment
  timer_outcome timer{};  ///< what the timer did
  listenq::flags flags{};
  std::size_t payload = 0;
  queue_state before{};
  queue_state after{};
};

/// A socket, or a request that tools show as one.
struct socket_row {
  endpoint local{};
  endpoint remote{};
  connection_state state = connection_state::closed;
  bool listens = false;
  std::size_t receive_queue = 0;
  std::size_t send_queue = 0;
  std::optional<duration> timer{};  ///< how long until it is due
  unsigned retransmits = 0;

  bool is_servers() const noexcept { return local.port == server_port; }
};

/// All sockets at one moment.
struct snapshot {
  std::string name;
  instant at = 0;
  queue_state queues{};
  std::vector<socket_row> sockets{};
};

struct packet {
  instant at = 0;
  listenq::segment segment{};  ///< its payload is empty; the bytes are below
  std::vector<std::byte> payload{};
  bool lost = false;
  bool preload = false;

  bool to_server() const noexcept { return segment.destination.port == server_port; }
  std::uint16_t port() const noexcept { return to_server() ? segment.source.port : segment.destination.port; }
};

struct console_line {
  instant at = 0;
  std::string text;
};

/// How it went for one client program.
struct client_log {
  std::uint16_t port = 0;
  instant start = 0;
  std::optional<instant> connected{};  ///< connect(2) returned 0
  std::string error{};                 ///< errno's name, if it returned -1
  std::optional<instant> failed{};
  std::optional<instant> sent{};  ///< the first bytes
  std::string received{};         ///< what a later recv(2) said: an errno's name
  std::vector<console_line> console{};
};

/// Counters by the names that the system's own tool prints; those that are 0 may be missing.
using counts = std::map<std::string, std::uint64_t>;

/// One cause of what happened at the listener.
struct cause_line {
  std::uint64_t times = 0;
  std::string verdict;
  std::string why;
  std::string rule;  ///< the preset's answer that made it so; empty if none did
  counts moved;
};

/// What a run leaves behind.
struct record {
  std::vector<client_log> clients;
  std::vector<console_line> server_console;
  std::vector<packet> packets;
  std::vector<decision> decisions;
  std::vector<snapshot> snapshots;
  std::vector<std::pair<instant, queue_state>> depths;  ///< whenever a queue had become longer or shorter
  counts counters;                                      ///< nstat's names; changes since the first client began
  std::vector<cause_line> causes;
  std::vector<std::pair<std::uint16_t, instant>> accepted;
  std::map<std::uint16_t, std::vector<std::pair<std::size_t, instant>>> server_read;
};

}  // namespace lab
