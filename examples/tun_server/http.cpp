// SPDX-License-Identifier: BSL-1.0
#include "http.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace tun_server {

namespace {

std::string lower(std::string_view s) {
  std::string r(s);
  std::transform(r.begin(), r.end(), r.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return r;
}

std::optional<std::size_t> number(std::string_view s) {
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return n;
}

/// The line that `rest` begins with, which is taken off it.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 2, rest.size()));
  return line;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 1;
  for (char& c : bytes) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return bytes;
}

constexpr std::string_view page =
    "<!doctype html>\n<title>listenq</title>\n<p>Hello. The handshake of this connection was accepted by "
    "listenq.</p>\n";

}  // namespace

void exchange::take(std::string_view bytes) {
  if (answered_) return;
  in_ += bytes;
  if (!head_read_) {
    const std::size_t end = in_.find("\r\n\r\n");
    if (std::min(end, in_.size()) > head_limit) return respond("431 Request Header Fields Too Large", "text/plain", "");
    if (end == std::string::npos) return;
    head_read_ = true;
    read_head(std::string_view(in_).substr(0, end));
    in_.erase(0, end + 4);
  }
  if (!answered_ && in_.size() >= body_size_) answer();
}

void exchange::read_head(std::string_view head) {
  std::string_view line = next_line(head);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first || line.substr(last + 1, 5) != "HTTP/") {
    return respond("400 Bad Request", "text/plain", "That is not HTTP.\n");
  }
  method_ = line.substr(0, first);
  target_ = line.substr(first + 1, last - first - 1);
  bool waits = false;
  while (!head.empty()) {
    line = next_line(head);
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string field = lower(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
    if (field == "content-length") {
      const auto n = number(value);
      if (!n) return respond("400 Bad Request", "text/plain", "Content-Length is not a number.\n");
      if (*n > body_limit) return respond("413 Content Too Large", "text/plain", "");
      body_size_ = *n;
    } else if (field == "transfer-encoding") {
      return respond("411 Length Required", "text/plain", "Chunked bodies are not for this server.\n");
    } else if (field == "expect") {
      waits = true;
    }
  }
  if (waits) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
}

void exchange::answer() {
  constexpr std::string_view bytes = "/bytes/";
  const bool gets = method_ == "GET" || method_ == "HEAD";
  if (gets && target_ == "/") return respond("200 OK", "text/html; charset=utf-8", page);
  if (gets && target_.starts_with(bytes)) {
    const auto n = number(std::string_view(target_).substr(bytes.size()));
    if (n && *n <= body_limit) return respond("200 OK", "application/octet-stream", pattern(*n));
  }
  if ((method_ == "POST" || method_ == "PUT") && target_ == "/echo") {
    return respond("200 OK", "application/octet-stream", std::string_view(in_).substr(0, body_size_));
  }
  respond("404 Not Found", "text/plain", "There are / and /bytes/N to GET, and /echo to POST to.\n");
}

void exchange::respond(std::string_view status, std::string_view type, std::string_view body) {
  out_ += "HTTP/1.1 ";
  out_ += status;
  out_ += "\r\nServer: listenq\r\nConnection: close\r\nContent-Type: ";
  out_ += type;
  out_ += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  if (method_ != "HEAD") out_ += body;
  answered_ = true;
  in_.clear();
}

}  // namespace tun_server
