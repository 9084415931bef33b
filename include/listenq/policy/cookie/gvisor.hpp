// SPDX-License-Identifier: BSL-1.0
// The cookie of gVisor (pkg/tcpip/transport/tcp/accept.go, createCookie and isCookieValid). The layout is that of
// `counted_cookie`: t counts 64 s modulo 256, three are good, the MAC is the first word of a whole SHA-1, the index has
// 2 bits.
#pragma once

#include <cstddef>
#include <listenq/policy/cookie/codec.hpp>
#include <listenq/policy/cookie/key_ring.hpp>
#include <listenq/policy/cookie/sha1.hpp>
#include <listenq/policy/cookie/window.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

/// nonce[2], each as long as a block of SHA-1.
struct gvisor_cookie_key {
  static_array<std::uint32_t, 16> tuple{};
  static_array<std::uint32_t, 16> time{};
  friend constexpr bool operator==(const gvisor_cookie_key&, const gvisor_cookie_key&) = default;
};

/// Good for two to three periods of 64 s, again after 256. Only the MSS comes back; its SYN-ACK offers nothing else but
/// timestamps. A bad cookie gets no answer there, here a RST as every stray ACK.
struct gvisor_cookie : detail::counted_mss<gvisor_cookie>, detail::plain_timestamps {
  static constexpr const char* name = "gvisor_cookie";
  using key_type = gvisor_cookie_key;
  using keys = static_key;
  using window = while_request_full;
  static constexpr cookie_capacity carries{};

  static constexpr duration period = 64 * second;
  static constexpr std::uint32_t ages = 3;
  static constexpr std::uint16_t mss_table[2][4] = {{536, 1300, 1440, 1460}, {536, 1300, 1440, 1460}};

  static constexpr std::uint32_t count(instant now) noexcept {
    return static_cast<std::uint32_t>(now / period) & 0xffU;
  }
  /// Our port, the peer's, t, the nonce, our address, the peer's.
  static constexpr std::uint32_t mac(const key_type& key, const cookie_facts& f, std::uint32_t t, int half) noexcept {
    const std::size_t address = (f.word_count - 1) / 2;
    const std::uint32_t ports = f.words[2 * address];
    sha1 h;
    h.add_word((ports << 16) | (ports >> 16));
    h.add_word(t & 0xffU);
    for (const std::uint32_t w : half == 0 ? key.tuple : key.time) h.add_word(w);
    for (std::size_t i = 0; i < address; ++i) h.add_word(f.words[address + i]);
    for (std::size_t i = 0; i < address; ++i) h.add_word(f.words[i]);
    return h.digest()[0];
  }
};

}  // namespace listenq
