// SPDX-License-Identifier: BSL-1.0
// ICMP errors as frames, made without the code that reads them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/ipv4.hpp>
#include <listenq/wire/ipv6.hpp>
#include <memory_frames.hpp>

namespace support {

struct complaint {
  std::uint8_t type = 3;
  std::uint8_t code = 1;
  std::size_t quoted = 28;  ///< bytes of the packet that it quotes
  std::uint32_t rest = 0;   ///< what the second four bytes hold
};

/// From `router` to the source of `about`, an IPv4 packet.
inline frame complaint4(const frame& about, const listenq::ipv4::address& router, const complaint& c = {}) {
  using namespace listenq::wire;
  const std::size_t n = std::min(c.quoted, about.size());
  frame f(20 + 8 + n);
  std::copy_n(about.begin(), n, f.begin() + 28);
  std::byte* const p = f.data() + 20;
  store8(p, c.type);
  store8(p + 1, c.code);
  store32(p + 4, c.rest);
  store16(p + 2, checksum({p, 8 + n}));
  write_ipv4({.source = router, .destination = {load32(about.data() + 12)}, .protocol = 1}, 8 + n,
             {f.data(), f.size()});
  return f;
}

/// The same for an IPv6 packet.
inline frame complaint6(const frame& about, const listenq::ipv6::address& router, const complaint& c) {
  using namespace listenq::wire;
  const std::size_t n = std::min(c.quoted, about.size());
  frame f(40 + 8 + n);
  std::copy_n(about.begin(), n, f.begin() + 48);
  std::byte* const p = f.data() + 40;
  const std::byte* const to = about.data() + 8;
  const listenq::ipv6::address told{{load32(to), load32(to + 4), load32(to + 8), load32(to + 12)}};
  store8(p, c.type);
  store8(p + 1, c.code);
  store32(p + 4, c.rest);
  store16(p + 2, checksum({p, 8 + n}, pseudo_header_sum(router, told, 8 + n, 58)));
  write_ipv6({.source = router, .destination = told, .next_header = 58}, 8 + n, {f.data(), f.size()});
  return f;
}

}  // namespace support
