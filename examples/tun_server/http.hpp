// SPDX-License-Identifier: BSL-1.0
// As much of HTTP/1.1 as curl and a browser need to be answered once: bytes in, bytes out, no sockets, no time.
//   GET /            a page that says hello
//   GET /bytes/N     N bytes, the same ones every time
//   POST|PUT /echo   the body that came
// One request a connection; chunked bodies are refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tun_server {

/// One request and its answer.
class exchange {
 public:
  static constexpr std::size_t head_limit = 16 * 1024;         ///< bytes of request line and headers: 431 beyond
  static constexpr std::size_t body_limit = 64 * 1024 * 1024;  ///< 413 beyond; of /bytes, too

  /// Bytes from the client, in order.
  void take(std::string_view bytes);
  /// What is to be sent next; `sent` says how much of it was taken.
  std::string_view pending() const { return std::string_view(out_).substr(sent_); }
  void sent(std::size_t n) { sent_ += n; }
  /// The answer is complete: after `pending` there is no more.
  bool answered() const { return answered_; }

 private:
  void read_head(std::string_view head);
  void answer();
  void respond(std::string_view status, std::string_view type, std::string_view body);

  std::string in_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string method_;
  std::string target_;
  std::size_t body_size_ = 0;
  bool head_read_ = false;
  bool answered_ = false;
};

}  // namespace tun_server
