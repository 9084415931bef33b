// SPDX-License-Identifier: BSL-1.0
// The options of a TCP header (RFC 9293 3.1), bytes <-> values: those that a handshake negotiates, and the timestamps.
// Unknown ones are passed over. It knows no header: tcp.hpp does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/wire/checksum.hpp>

namespace listenq::wire {

/// Something in the option list that is not as it should be. The segment is valid all the same, as Linux has it.
enum class option_fault : unsigned char {
  none,
  truncated_option,   ///< the length byte is missing or reaches past the header; parsing stopped there
  bad_option_length,  ///< a length of 0 or 1; parsing stopped there
  wrong_option_size,  ///< a known option of another size than its own; it was skipped and parsing went on
};
inline constexpr std::size_t option_fault_count = 4;

/// Largest window scale (RFC 7323 2.3). A larger one is read and written as this.
inline constexpr std::uint8_t max_window_scale = 14;
constexpr std::uint8_t clamped_scale(std::uint8_t shift) noexcept {
  return shift > max_window_scale ? max_window_scale : shift;
}

/// The magic number of the experimental fast-open option (Linux, TCPOPT_FASTOPEN_MAGIC; RFC 6994).
inline constexpr std::uint16_t fast_open_magic = 0xf989;

/// Reads a cookie of `size` bytes: as Linux's tcp_parse_fastopen_option, an odd size changes nothing and another wrong
/// size leaves no option. False if the size was wrong.
constexpr bool read_fast_open(fast_open_option& o, const std::byte* p, std::size_t size, bool experimental) noexcept {
  if (size % 2 != 0) return false;
  o = {};
  if (size != 0 && (size < o.least || size > o.most)) return false;
  for (std::size_t i = 0; i < size; ++i) o.bytes[i] = load8(p + i);
  o.size = static_cast<std::uint8_t>(size);
  o.experimental = experimental;
  return true;
}

/// Bytes that a fast-open option takes with its padding; 0 for one that is absent or whose size is wrong.
constexpr std::size_t fast_open_size(const fast_open_option& o) noexcept {
  if (!o.asks() && !o.has_cookie()) return 0;
  return (o.size + (o.experimental ? std::size_t{7} : std::size_t{5})) / 4 * 4;
}

/// The options that were understood, and the first fault among them.
struct parsed_options {
  tcp_options options{};
  option_fault fault = option_fault::none;
};

namespace detail {

/// Any list of options, one after the other.
[[gnu::noinline]] constexpr option_fault read_option_list(tcp_options& o, byte_view bytes, bool syn) noexcept {
  option_fault fault = option_fault::none;
  const std::byte* p = bytes.data;
  std::size_t left = bytes.size;
  const auto note = [&fault](option_fault f) noexcept {
    if (fault == option_fault::none) fault = f;
  };
  for (std::size_t length{}; left != 0; p += length, left -= length) {
    const std::uint8_t kind = load8(p);
    length = 1;
    if (kind == 0) break;     // end of list
    if (kind == 1) continue;  // no operation
    if (left < 2) {
      note(option_fault::truncated_option);
      break;
    }
    length = load8(p + 1);
    if (length < 2) {
      note(option_fault::bad_option_length);
      break;
    }
    if (length > left) {
      note(option_fault::truncated_option);
      break;
    }
    const std::size_t proper = kind == 2 ? 4U : kind == 3 ? 3U : kind == 4 ? 2U : kind == 8 ? 10U : length;
    if (length != proper) {
      note(option_fault::wrong_option_size);
    } else if (kind == 2 && syn) {
      if (const std::uint16_t mss = load16(p + 2); mss != 0) o.mss = mss;
    } else if (kind == 3 && syn) {
      o.window_scale = clamped_scale(load8(p + 2));
    } else if (kind == 4 && syn) {
      o.sack_permitted = true;
    } else if (kind == 8) {
      o.timestamps = true;
      o.ts_value = load32(p + 2);
      o.ts_echo = load32(p + 6);
    } else if (kind == 34 && syn) {
      if (!read_fast_open(o.fast_open, p + 2, length - 2, false)) note(option_fault::wrong_option_size);
    } else if (kind == 254 && syn && length >= 4 && load16(p + 2) == fast_open_magic) {
      if (!read_fast_open(o.fast_open, p + 4, length - 4, true)) note(option_fault::wrong_option_size);
    }
  }
  return fault;
}

/// The layout of nearly every SYN's 20 bytes of options (see write_options): is it that one, and what it says, into
/// `o`, in which there is none yet.
[[gnu::always_inline]] constexpr bool are_usual_syn_options(const std::byte* p) noexcept {
  return load16(p) == 0x0204 && load32(p + 4) == 0x0402'080a && (load32(p + 16) & 0xffff'ff00U) == 0x0103'0300;
}
[[gnu::always_inline]] constexpr void read_usual_syn_options(tcp_options& o, const std::byte* p) noexcept {
  o.mss = load16(p + 2);
  o.window_scale = clamped_scale(load8(p + 19));
  o.sack_permitted = true;
  o.timestamps = true;
  o.ts_value = load32(p + 8);
  o.ts_echo = load32(p + 12);
}

/// That layout and the one that nearly every other segment has, a word at a time. False, and nothing is read, if it is
/// another one.
[[gnu::always_inline]] constexpr bool read_usual_options(tcp_options& o, byte_view bytes, bool syn) noexcept {
  const std::byte* p = bytes.data;
  if (syn) {
    if (bytes.size != 20 || !are_usual_syn_options(p)) return false;
    read_usual_syn_options(o, p);
    return true;
  }
  if (bytes.size != 12 || load32(p) != 0x0101'080a) return false;
  o.timestamps = true;
  o.ts_value = load32(p + 4);
  o.ts_echo = load32(p + 8);
  return true;
}

/// Reads options into `o`, in which there is none yet, and returns the first fault.
[[gnu::always_inline]] constexpr option_fault read_options(tcp_options& o, byte_view bytes, bool syn) noexcept {
  return read_usual_options(o, bytes, syn) ? option_fault::none : read_option_list(o, bytes, syn);
}

/// Writes 32-bit words in a row and returns their sum, for the checksum. It is summed from the values: reading back
/// what was just stored would stall.
template <class... Words>
[[gnu::always_inline]] constexpr std::uint64_t put(std::byte* out, Words... words) noexcept {
  std::size_t at = 0;
  ((store32(out + at, words), at += 4), ...);
  return (std::uint64_t{words} + ...);
}

}  // namespace detail

/// Reads an option list: the header's bytes after the first 20. MSS, window scale, SACK-permitted and fast open count
/// only in a SYN (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2, RFC 7413 2) and are ignored elsewhere; an MSS of 0 is no MSS;
/// of duplicates the later wins; what a fault hides is absent.
constexpr parsed_options parse_options(byte_view bytes, bool syn) noexcept {
  parsed_options result;
  result.fault = detail::read_options(result.options, bytes, syn);
  return result;
}

/// Bytes that `write_options` takes: 0..40, a multiple of 4.
constexpr std::size_t options_size(const tcp_options& o, bool syn) noexcept {
  std::size_t size = o.timestamps ? 12 : 0;
  if (!syn) return size;
  if (o.mss != 0) size += 4;
  if (o.sack_permitted && !o.timestamps) size += 4;
  if (o.has_window_scale()) size += 4;
  return size + fast_open_size(o.fast_open);
}

/// Writes options in Linux's order, each group a multiple of 4 bytes: MSS; SACK-permitted and timestamps together, or
/// either behind two NOPs; NOP and window scale; fast open and NOPs. Without SYN only the timestamps are written. `out`
/// has at least `options_size` bytes. Returns the sum of the 32-bit words, for the checksum.
constexpr std::uint64_t write_options(const tcp_options& o, bool syn, std::byte* out) noexcept {
  std::uint64_t sum = 0;
  const auto word = [&](std::uint32_t v) noexcept {
    sum += detail::put(out, v);
    out += 4;
  };
  const bool sack = syn && o.sack_permitted;
  if (syn && o.mss != 0) word(0x0204'0000U | o.mss);
  if (o.timestamps) {
    word(sack ? 0x0402'080aU : 0x0101'080aU);
    word(o.ts_value);
    word(o.ts_echo);
  } else if (sack) {
    word(0x0101'0402U);
  }
  if (!syn) return sum;
  if (o.has_window_scale()) word(0x0103'0300U | clamped_scale(o.window_scale));
  const fast_open_option& f = o.fast_open;
  const std::size_t head = f.experimental ? 4 : 2;
  const auto byte_at = [&](std::size_t i) noexcept -> std::uint32_t {
    if (i == 0) return f.experimental ? 254 : 34;
    if (i == 1) return static_cast<std::uint32_t>(head + f.size);
    if (i < head) return i == 2 ? fast_open_magic >> 8 : fast_open_magic & 0xff;
    return i - head < f.size ? f.bytes[i - head] : 1U;
  };
  for (std::size_t i = 0; i < fast_open_size(f); i += 4) {
    word(byte_at(i) << 24 | byte_at(i + 1) << 16 | byte_at(i + 2) << 8 | byte_at(i + 3));
  }
  return sum;
}

}  // namespace listenq::wire
