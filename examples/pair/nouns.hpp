// SPDX-License-Identifier: BSL-1.0
// What the program talks about: its settings, what a client sees and what the server knows, as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pair {

using namespace listenq;

// One family for all transports, so that it is one and the same listener type everywhere. UDP needs the tag, for the
// outer port; elsewhere it is 0.
using family = tagged<ipv4>;
using segment_type = basic_segment<family>;

inline constexpr std::uint16_t server_port = 20000;  // the articles'
inline constexpr std::uint16_t first_client_port = 30001;
inline constexpr std::string_view greeting = "hello, world!";

struct preset_entry;

struct settings {
  const preset_entry* preset = nullptr;
  int backlog = 1;
  bool abort_on_overflow = false;
  unsigned clients = 3;
};

/// How connect() ended, and what became of the connection.
enum class connect_result : unsigned char { unanswered, connected, refused, reset, timed_out };

/// What one client sees.
struct client_view {
  std::uint16_t port = 0;
  connect_result result = connect_result::unanswered;
  std::size_t sent = 0;    ///< bytes
  std::size_t acked = 0;   ///< of those
  std::size_t echoed = 0;  ///< bytes that came back
};

/// What the server has of one client.
enum class known_as : unsigned char { nothing, request, waiting, accepted };

struct server_row {
  std::uint16_t port = 0;
  known_as what = known_as::nothing;
  std::size_t bytes = 0;  ///< received from it
};

struct server_view {
  std::size_t requests = 0;
  std::size_t waiting = 0;
  std::vector<std::pair<std::string, std::uint64_t>> counters{};  ///< those above 0, under the preset's own names
  std::vector<server_row> rows{};
};

/// Both sides at one moment.
struct look {
  server_view server{};
  std::vector<client_view> clients{};
};

/// The whole experiment: while the server sleeps, and after it has called accept().
struct table {
  look before{};
  look after{};
};

}  // namespace pair
