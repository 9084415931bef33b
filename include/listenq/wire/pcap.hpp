// SPDX-License-Identifier: BSL-1.0
// Reads capture files: pcap (both byte orders, micro- and nanoseconds) and pcapng (sections of either byte order,
// several interfaces, any resolution). Sans-I/O: the file is a view of bytes, and packets are views into it. It reads
// no link layer (link.hpp does) and repairs nothing: at the first thing that is wrong it stops and names it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/pcapng.hpp>
#include <optional>

namespace listenq::wire {

/// Why a capture cannot be read on. The packets before it are good.
enum class capture_error : unsigned char {
  none,
  not_a_capture,        ///< no magic number of pcap or pcapng at the beginning
  unknown_version,      ///< pcap other than 2.x, pcapng other than 1.x
  truncated,            ///< the file ends within a header, a packet or a block
  bad_block,            ///< pcapng: a length that cannot be, or a section without a byte order
  unknown_interface,    ///< pcapng: a packet of an interface that was not described before
  too_many_interfaces,  ///< pcapng: more than `capture_reader::most_interfaces` in a section
};
inline constexpr std::size_t capture_error_count = 7;

/// The enumerator's name.
constexpr const char* name(capture_error e) noexcept {
  constexpr std::array<const char*, capture_error_count> names{
      "none", "not_a_capture", "unknown_version", "truncated", "bad_block", "unknown_interface", "too_many_interfaces"};
  return names[static_cast<std::size_t>(e)];
}

/// One packet of a capture, as it lies there.
struct captured_packet {
  instant at = 0;          ///< microseconds since 1970, rounded down; 0..2^62. A packet without a time has the last one
  std::uint32_t link = 0;  ///< its link type, a number of tcpdump.org's list (LINKTYPE_...)
  byte_view bytes{};       ///< into the file
  std::uint32_t size = 0;  ///< bytes that it had on the wire
  direction way = direction::unknown;  ///< pcapng alone says it
  byte_view comment{};                 ///< the first one (pcapng), not zero-terminated; empty if there is none
  /// False where the capture has only the beginning (a snap length).
  constexpr bool whole() const noexcept { return bytes.size >= size; }
};

/// Reads a capture from its first byte to its last. Allocates nothing.
class capture_reader {
 public:
  static constexpr std::size_t most_interfaces = 64;  ///< of one section

  constexpr explicit capture_reader(byte_view file) noexcept : rest_(file) {
    if (rest_.size >= 4 && load32(rest_.data) == section_header) {
      blocks_ = true;
    } else {
      error_ = begin_pcap();
    }
  }

  /// The next packet. Nothing: that was the last, or `error()` says why not. O(packet).
  constexpr std::optional<captured_packet> next() noexcept {
    while (error_ == capture_error::none && rest_.size != 0) {
      captured_packet p;
      if (blocks_ ? next_block(p) : next_record(p)) return p;
    }
    return std::nullopt;
  }
  constexpr capture_error error() const noexcept { return error_; }
  /// pcapng: blocks that are no packets and that nothing here understands (names, statistics, ...).
  constexpr std::size_t skipped() const noexcept { return skipped_; }

 private:
  static constexpr std::uint32_t section_header = 0x0a0d'0d0a;
  static constexpr std::uint64_t latest = std::uint64_t{1} << 62;

  struct interface {
    std::uint32_t link = 0;
    std::uint32_t snap = 0;       ///< 0: no limit
    std::uint8_t resolution = 6;  ///< if_tsresol: a power of 10, or of 2 with the highest bit
    std::int64_t offset = 0;      ///< if_tsoffset: seconds
  };

  constexpr bool fail(capture_error e) noexcept {
    error_ = e;
    return false;
  }
  constexpr std::uint16_t word16(const std::byte* p) const noexcept {
    const unsigned v = load16(p);
    return static_cast<std::uint16_t>(swapped_ ? (v >> 8 | v << 8) & 0xffff : v);
  }
  constexpr std::uint32_t word32(const std::byte* p) const noexcept {
    if (!swapped_) return load32(p);
    return std::uint32_t{word16(p + 2)} << 16 | word16(p);
  }
  constexpr void drop(std::size_t n) noexcept { rest_ = {rest_.data + n, rest_.size - n}; }
  constexpr instant since_1970(std::uint64_t us) noexcept {
    return last_ = static_cast<instant>(us < latest ? us : latest);
  }

  // --- pcap ---

  constexpr capture_error begin_pcap() noexcept {
    if (rest_.size < 4) return capture_error::not_a_capture;
    const std::uint32_t magic = load32(rest_.data);
    constexpr std::uint32_t micro = 0xa1b2'c3d4;
    constexpr std::uint32_t nano = 0xa1b2'3c4d;
    swapped_ = magic == 0xd4c3'b2a1 || magic == 0x4d3c'b2a1;
    const std::uint32_t straight = word32(rest_.data);
    if (straight != micro && straight != nano) return capture_error::not_a_capture;
    nanoseconds_ = straight == nano;
    if (rest_.size < 24) return capture_error::truncated;
    if (word16(rest_.data + 4) != 2) return capture_error::unknown_version;
    link_ = word32(rest_.data + 20) & 0xffff;  // above it: does a frame end in a check sequence?
    drop(24);
    return capture_error::none;
  }
  constexpr bool next_record(captured_packet& p) noexcept {
    if (rest_.size < 16) return fail(capture_error::truncated);
    const std::byte* const h = rest_.data;
    const std::uint32_t captured = word32(h + 8);
    if (captured > rest_.size - 16) return fail(capture_error::truncated);
    const std::uint32_t fraction = word32(h + 4);
    p.at = since_1970(std::uint64_t{word32(h)} * 1'000'000 + (nanoseconds_ ? fraction / 1000 : fraction));
    p.link = link_;
    p.bytes = {h + 16, captured};
    p.size = word32(h + 12);
    drop(std::size_t{16} + captured);
    return true;
  }

  // --- pcapng ---

  /// True if the block was a packet.
  constexpr bool next_block(captured_packet& p) noexcept {
    if (rest_.size < 12) return fail(capture_error::truncated);
    const std::byte* const b = rest_.data;
    if (load32(b) == section_header) error_ = begin_section();
    if (error_ != capture_error::none) return false;
    const std::uint32_t type = word32(b);  // a section header's reads the same both ways
    const std::size_t total = word32(b + 4);
    if (total < 12 || total % 4 != 0) return fail(capture_error::bad_block);
    if (total > rest_.size) return fail(capture_error::truncated);
    if (word32(b + total - 4) != total) return fail(capture_error::bad_block);
    const byte_view body{b + 8, total - 12};
    drop(total);
    switch (type) {
      case section_header:
        return false;
      case 1:
        return describe_interface(body);
      case 2:  // Packet Block, obsolete: a 16-bit interface and a count of drops
      case 6:  // Enhanced Packet Block
        return packet_block(body, type == 2, p);
      case 3:
        return simple_packet(body, p);
      default:
        ++skipped_;
        return false;
    }
  }
  constexpr capture_error begin_section() noexcept {
    const std::byte* const b = rest_.data;
    const std::uint32_t order = load32(b + 8);
    if (order != 0x1a2b'3c4d && order != 0x4d3c'2b1a) return capture_error::bad_block;
    swapped_ = order == 0x4d3c'2b1a;
    if (word32(b + 4) < 28) return capture_error::bad_block;
    if (rest_.size < 28) return capture_error::truncated;
    if (word16(b + 12) != 1) return capture_error::unknown_version;
    interfaces_ = 0;
    return capture_error::none;
  }
  constexpr bool describe_interface(byte_view body) noexcept {
    if (body.size < 8) return fail(capture_error::bad_block);
    if (interfaces_ == most_interfaces) return fail(capture_error::too_many_interfaces);
    interface& i = interface_[interfaces_++];
    i = {.link = word16(body.data), .snap = word32(body.data + 4)};
    for_each_option(behind(body, 8), [&](std::uint16_t code, byte_view v) noexcept {
      if (code == 9 && v.size == 1) i.resolution = load8(v.data);
      if (code == 14 && v.size == 8) {
        const std::uint64_t low = word32(v.data + (swapped_ ? 0 : 4));
        i.offset = static_cast<std::int64_t>(std::uint64_t{word32(v.data + (swapped_ ? 4 : 0))} << 32 | low);
      }
    });
    return false;
  }
  constexpr bool packet_block(byte_view body, bool obsolete, captured_packet& p) noexcept {
    if (body.size < 20) return fail(capture_error::bad_block);
    const std::uint32_t which = obsolete ? word16(body.data) : word32(body.data);
    if (which >= interfaces_) return fail(capture_error::unknown_interface);
    const std::uint32_t captured = word32(body.data + 12);
    if (captured > body.size - 20) return fail(capture_error::bad_block);
    const interface& i = interface_[which];
    p.at = since_1970(time_of(std::uint64_t{word32(body.data + 4)} << 32 | word32(body.data + 8), i));
    p.link = i.link;
    p.bytes = {body.data + 20, captured};
    p.size = word32(body.data + 16);
    for_each_option(behind(body, 20 + ((std::size_t{captured} + 3) & ~std::size_t{3})),
                    [&](std::uint16_t code, byte_view v) noexcept {
                      if (code == 1 && p.comment.empty()) p.comment = v;
                      if (code == 2 && v.size == 4) p.way = static_cast<direction>(word32(v.data) & 3);
                    });
    if (static_cast<unsigned char>(p.way) > 2) p.way = direction::unknown;
    return true;
  }
  constexpr bool simple_packet(byte_view body, captured_packet& p) noexcept {
    if (body.size < 4) return fail(capture_error::bad_block);
    if (interfaces_ == 0) return fail(capture_error::unknown_interface);
    p.size = word32(body.data);
    std::size_t captured = p.size;
    if (interface_[0].snap != 0) captured = std::min(captured, std::size_t{interface_[0].snap});
    if (captured > body.size - 4) return fail(capture_error::bad_block);
    p.at = last_;
    p.link = interface_[0].link;
    p.bytes = {body.data + 4, captured};
    return true;
  }

  /// What follows the first `n` bytes of `b`: a block is a multiple of four, so that padding never leads out of it.
  static constexpr byte_view behind(byte_view b, std::size_t n) noexcept { return {b.data + n, b.size - n}; }
  /// Calls `f(code, value)` for each option. A list that is cut off, or that has no end, ends where it ends.
  template <class F>
  constexpr void for_each_option(byte_view list, F&& f) const noexcept {
    while (!list.empty()) {
      const std::uint16_t code = word16(list.data);
      const std::size_t size = word16(list.data + 2);
      if (code == 0 || size > list.size - 4) return;
      f(code, byte_view{list.data + 4, size});
      list = behind(list, 4 + ((size + 3) & ~std::size_t{3}));
    }
  }
  /// Ticks of an interface's clock as microseconds since 1970; what lies before is 0.
  static constexpr std::uint64_t time_of(std::uint64_t ticks, const interface& i) noexcept {
    constexpr std::uint64_t million = 1'000'000;
    std::uint64_t us = ticks;
    unsigned n = i.resolution & 0x7fU;
    if ((i.resolution & 0x80U) != 0) {
      const unsigned spare = n - std::min(n, 44U);  // a million times 2^44 still fits
      ticks >>= std::min(spare, 63U);
      n -= spare;
      us = std::min(ticks >> n, latest / million) * million + ((ticks & ((std::uint64_t{1} << n) - 1)) * million >> n);
    } else {
      for (; n < 6; ++n) us = us > latest / 10 ? latest : us * 10;
      for (; n > 6; --n) us /= 10;
    }
    constexpr std::int64_t most = std::int64_t{1} << 41;  // seconds; far beyond 2^62 us
    const std::int64_t offset = std::clamp(i.offset, -most, most) * static_cast<std::int64_t>(million);
    return static_cast<std::uint64_t>(
        std::max(static_cast<std::int64_t>(std::min(us, latest)) + offset, std::int64_t{0}));
  }

  byte_view rest_;
  capture_error error_ = capture_error::none;
  bool blocks_ = false;
  bool swapped_{};
  bool nanoseconds_{};
  std::uint32_t link_{};
  std::size_t skipped_ = 0;
  instant last_ = 0;
  std::size_t interfaces_{};
  std::array<interface, most_interfaces> interface_{};
};

}  // namespace listenq::wire
