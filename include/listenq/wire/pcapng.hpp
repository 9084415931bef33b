// SPDX-License-Identifier: BSL-1.0
// A capture file that Wireshark opens: blocks of pcapng (draft-ietf-opsawg-pcapng), little endian, one section, raw IP
// packets (LINKTYPE_RAW), microseconds. Sans-I/O: bytes leave through a callable. It writes; pcap.hpp reads, and
// transport/traced.hpp turns segments into the packets that go in here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <string_view>

namespace listenq::wire {

/// Which way a packet went, seen from whoever captured it.
enum class direction : unsigned char { unknown = 0, in = 1, out = 2 };

/// Writes a capture through `out(byte_view)`, called several times a block with bytes that are valid during the call.
/// Call `begin()` once, first. The caller sees to it that what `out` gets becomes one stream, in order.
template <class Out>
class pcapng_writer {
 public:
  static constexpr std::uint16_t linktype_raw = 101;  ///< a packet begins with its IPv4 or IPv6 header

  constexpr explicit pcapng_writer(Out out) noexcept : out_(static_cast<Out&&>(out)) {}

  /// The section header and one interface: microseconds (the default of `if_tsresol`), no snap length.
  constexpr void begin() noexcept {
    put32(0x0a0d'0d0a);  // Section Header Block
    put32(28);
    put32(0x1a2b'3c4d);
    put16(1);  // version 1.0
    put16(0);
    put32(0xffff'ffff);  // length of the section: not said
    put32(0xffff'ffff);
    put32(28);
    put32(1);  // Interface Description Block
    put32(20);
    put16(linktype_raw);
    put16(0);
    put32(0);
    put32(20);
  }

  /// One packet (Enhanced Packet Block). `at` is microseconds since 1970, a negative one counts as 0; `comment` shows
  /// up next to the packet, empty for none, cut after 65535 bytes. `packet` is shorter than 2^31 bytes.
  constexpr void packet(instant at, byte_view packet, direction way = direction::unknown,
                        std::string_view comment = {}) noexcept {
    comment = comment.substr(0, 0xffff);
    const auto size = static_cast<std::uint32_t>(packet.size);
    const auto comment_size = static_cast<std::uint32_t>(comment.size());
    const std::uint32_t flags_option = way != direction::unknown ? 8 : 0;
    const std::uint32_t comment_option = comment.empty() ? 0 : 4 + padded(comment_size);
    const std::uint32_t end_option = flags_option + comment_option != 0 ? 4 : 0;
    const std::uint32_t total = 32 + padded(size) + flags_option + comment_option + end_option;
    const auto time = static_cast<std::uint64_t>(std::max(at, instant{0}));

    put32(6);
    put32(total);
    put32(0);  // the interface
    put32(static_cast<std::uint32_t>(time >> 32));
    put32(static_cast<std::uint32_t>(time & 0xffff'ffff));
    put32(size);  // captured
    put32(size);  // on the wire
    out_(packet);
    pad(size);
    if (comment_option != 0) {
      put16(1);  // opt_comment
      put16(static_cast<std::uint16_t>(comment_size));
      for (const char c : comment) put8(static_cast<unsigned char>(c));
      pad(comment_size);
    }
    if (flags_option != 0) {
      put16(2);  // epb_flags
      put16(4);
      put32(static_cast<std::uint32_t>(way));
    }
    if (end_option != 0) put32(0);  // opt_endofopt
    put32(total);
  }

 private:
  static constexpr std::uint32_t padded(std::uint32_t size) noexcept { return (size + 3) & ~3U; }
  constexpr void put8(std::uint32_t v) noexcept {
    const auto byte = static_cast<std::byte>(v & 0xff);
    out_(byte_view{&byte, 1});
  }
  constexpr void put16(std::uint16_t v) noexcept {
    const std::byte bytes[] = {static_cast<std::byte>(v & 0xff), static_cast<std::byte>(v >> 8)};
    out_(byte_view{bytes, sizeof bytes});
  }
  constexpr void put32(std::uint32_t v) noexcept {
    const std::byte bytes[] = {static_cast<std::byte>(v & 0xff), static_cast<std::byte>(v >> 8 & 0xff),
                               static_cast<std::byte>(v >> 16 & 0xff), static_cast<std::byte>(v >> 24)};
    out_(byte_view{bytes, sizeof bytes});
  }
  constexpr void pad(std::uint32_t size) noexcept {
    for (; size % 4 != 0; ++size) put8(0);
  }

  Out out_;
};

}  // namespace listenq::wire
