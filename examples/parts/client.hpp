// SPDX-License-Identifier: BSL-1.0
// The articles' client program on the client's kernel: connect(), then 13 bytes, then perhaps the echo loop. It fills
// in a `client_log` and knows nothing of the server but its address.
#pragma once

#include <functional>
#include <listenq/stream/connection.hpp>
#include <listenq/stream/connector.hpp>
#include <memory>
#include <optional>

#include "agenda.hpp"
#include "nouns.hpp"

namespace lab {

/// What a client does, and with which kernel.
struct client_plan {
  kernel_profile profile{};
  std::uint16_t port = 0;
  seq_number iss = 0;
  std::uint32_t ts_offset = 0;
  duration wakeup = 0;                          ///< from the SYN-ACK's arrival to connect()'s return
  std::optional<duration> data_after{};         ///< from then to the first bytes
  fast_open_cache<ipv4, 1>* known = nullptr;    ///< fast open: the bytes go with the SYN, as far as this allows it
  bool echo = false;                            ///< wait for the answer, send again 2 s later, and so on
  bool mute = false;                            ///< says nothing after its first SYN until it is told to acknowledge
  std::function<bool(const segment&)> lost{};   ///< asked of each segment that is sent; such a one never leaves
  std::function<void(const segment&)> heard{};  ///< told of each segment that arrives, before anything comes of it
  std::function<void()> changed{};              ///< connect() has returned, or the connection is no more
};

class client {
 public:
  client(network& net, agenda& plans, client_plan plan, client_log& log);
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void start();
  /// Gives up silently, as if the program had never been.
  void vanish();
  /// The program has waited long enough: connect() is given up, or the connection closed.
  void give_up();
  /// Its ACK again, or the one that a mute client owes. False if there is nothing to acknowledge.
  bool acknowledge();
  /// Sends a RST and is gone. False if it has nothing to reset.
  bool reset();
  /// Writes its 13 bytes. False if there is no connection.
  bool speak();

  /// The socket as tools show it; nothing when there is none.
  std::optional<socket_row> socket() const;
  bool connected() const noexcept { return connection_ != nullptr; }
  const client_log& log() const noexcept { return log_; }
  std::uint64_t syn_repetitions() const noexcept;
  std::uint64_t data_repetitions() const noexcept;
  /// Timeouts of SYN and data; a tail loss probe is none.
  std::uint64_t timeouts() const noexcept;
  unsigned syns_sent() const noexcept { return connector_.syns_sent(); }

 private:
  struct sink {
    client& of;
    send_result send(const segment& s);
  };

  void arrived();
  void take(const segment& s);
  void returned();
  void refused();
  void fail(const char* error, const char* message);
  void say(std::string text);
  void write();
  void react(connection_events e);
  void tick();
  void rearm();
  void drop_socket();
  void later(duration d, void (client::*f)());

  network& net_;
  agenda& plans_;
  client_plan plan_;
  client_log& log_;
  network::port port_{};
  connector connector_;
  std::unique_ptr<listenq::connection> connection_;
  network::wake wake_;
  bool back_ = false;                    // connect() has returned
  bool reset_ = false;                   // a RST came
  std::size_t carried_ = 0;              // bytes of the first write that have arrived with the SYN
  std::optional<segment> unanswered_{};  // the SYN-ACK that a mute client keeps to itself
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);  // what it has planned asks whether it still is
};

}  // namespace lab
