// SPDX-License-Identifier: BSL-1.0
// Addresses, endpoints, times and flags as text, the way tcpdump and ss write them.
// It is for traces and messages; it parses nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <string>
#include <string_view>

namespace listenq {

/// Dotted decimal.
inline std::string to_text(const ipv4::address& a) {
  return std::to_string(a.value >> 24) + '.' + std::to_string(a.value >> 16 & 0xff) + '.' +
         std::to_string(a.value >> 8 & 0xff) + '.' + std::to_string(a.value & 0xff);
}

/// The recommended form (RFC 5952): lower case, the first longest run of two or more zero groups as `::`, IPv4-mapped
/// addresses in the mixed form.
inline std::string to_text(const ipv6::address& a) {
  if (dual::is_mapped(a)) return "::ffff:" + to_text(ipv4::address{a.value[3]});
  std::array<unsigned, 8> group{};
  for (std::size_t i = 0; i < 8; ++i) group[i] = a.value[i / 2] >> (i % 2 == 0 ? 16 : 0) & 0xffff;
  std::size_t run = 0;
  std::size_t run_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t n = 0;
    while (i + n < 8 && group[i + n] == 0) ++n;
    if (n > run_size) {
      run = i;
      run_size = n;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (run_size > 1 && i == run) {
      text += "::";
      i += run_size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    bool leading = true;
    for (unsigned shift = 16; shift != 0;) {
      const unsigned digit = group[i] >> (shift -= 4) & 0xf;
      leading = leading && digit == 0 && shift != 0;
      if (!leading) text += "0123456789abcdef"[digit];
    }
  }
  return text;
}

/// The address of an endpoint; a tag follows a `%`.
template <addressing A>
std::string address_text(const basic_endpoint<A>& e) {
  return to_text(e.address);
}
template <addressing Base>
std::string address_text(const basic_endpoint<tagged<Base>>& e) {
  return address_text(basic_endpoint<Base>{e.address.base, 0}) + '%' + std::to_string(e.address.tag);
}

/// `127.0.0.1:20000`, `[::1]:20000`.
template <addressing A>
std::string to_text(const basic_endpoint<A>& e) {
  const std::string address = address_text(e);
  const bool colons = address.find(':') != std::string::npos;
  return (colons ? '[' + address + ']' : address) + ':' + std::to_string(e.port);
}

/// Seconds with six decimals: `0.000012`.
inline std::string time_text(instant at) {
  const auto count = static_cast<std::uint64_t>(at);
  const std::uint64_t distance = at < 0 ? 0 - count : count;
  const std::string micros = std::to_string(distance % 1'000'000);
  return (at < 0 ? "-" : "") + std::to_string(distance / 1'000'000) + '.' + std::string(6 - micros.size(), '0') +
         micros;
}

/// The control bits in words: `SYN-ACK`, `PSH-ACK`, `none`.
inline std::string to_text(flags f) {
  static constexpr std::pair<flags, std::string_view> names[] = {
      {flag::syn, "SYN"}, {flag::fin, "FIN"}, {flag::rst, "RST"}, {flag::psh, "PSH"},
      {flag::urg, "URG"}, {flag::ack, "ACK"}, {flag::ece, "ECE"}, {flag::cwr, "CWR"}};
  std::string text;
  for (const auto& [bit, word] : names) {
    if (!f.has(bit)) continue;
    if (!text.empty()) text += '-';
    text += word;
  }
  return text.empty() ? "none" : text;
}

}  // namespace listenq
