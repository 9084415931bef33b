// SPDX-License-Identifier: BSL-1.0
// Codecs of SYN cookies: how an ISN is made of a SYN so that the ACK alone brings back what must be known.
// A codec is a layout and nothing else: no clock, no key of its own (key_ring.hpp), no opinion when a cookie is sent
// (../cookies.hpp) or how long one may still come back (window.hpp).
//
// When to use which: `linux_6_18_cookie` where peers send timestamps, `freebsd_13_cookie` where they may not: it alone
// fits MSS, window scale and SACK into the ISN. The others are there to be compared with. One ACK in so many passes if
// it is forged by somebody who knows the layout but sees no answer: 2^15 `tldk_cookie`; 2^24 `onload_cookie`,
// `bernstein_cookie`, `freebsd_13_cookie`; 2^27 `linux_2_6_32_cookie`, `linux_3_12_cookie`; 2^28 `gvisor_cookie`; 2^29
// `linux_6_18_cookie`.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/siphash_pair.hpp>
#include <listenq/segment.hpp>
#include <optional>
#include <type_traits>

namespace listenq {

/// Whom a cookie is for.
struct cookie_facts {
  const std::uint32_t* words = nullptr;  ///< the peer's address, ours, then both ports: the peer's in the upper half
  std::size_t word_count = 0;
  seq_number peer_isn = 0;
  bool ipv6 = false;                          ///< the tables of IPv6; a mapped IPv4 address is IPv4
  std::uint64_t bucket = 0;                   ///< of the syncache, 0 where there are none
  const detail::number_pair* macs = nullptr;  ///< what the codec's `macs_of_eight` has found for this very cookie
};

/// What a cookie is to remember. Whether there are timestamps is not in it: every ACK says that anew.
struct cookie_options {
  std::uint16_t mss = 536;                                 ///< the peer's, bytes
  std::uint8_t send_scale = tcp_options::no_window_scale;  ///< the peer's, 0..14 or none
  std::uint8_t receive_scale = 0;                          ///< ours, where the peer has one
  bool sack = false;
  bool ecn = false;
  constexpr bool scales() const noexcept { return send_scale != tcp_options::no_window_scale; }
  friend constexpr bool operator==(const cookie_options&, const cookie_options&) = default;
};

/// Which options, beside the MSS, come back; the SYN-ACK offers no other.
struct cookie_capacity {
  bool window_scale = false;
  bool sack = false;
  bool ecn = false;
  bool only_with_timestamps = false;  ///< they ride in our timestamp: without it none comes back
};

/// A layout.
///
/// - `make` yields our ISN; `check` yields what `cookie` itself tells, if it was made with this key and number of the
///   key for these facts and is not too old;
/// - `stamp` hides options in our timestamp, which must not run ahead of `clock` (milliseconds); `unstamp` adds what
///   the echo shows to `o`, and is false where that was never `offered`;
/// - `carries` is what comes back; `keys` and `window` are the defaults of the two other questions.
///
/// It may have `macs_of_eight(key, pairs, now, out)` and `hashes_eight()`, whether that is to be had here: for bursts
/// it finds what `make` would hash of eight four-tuples at once, and `make` is given it as `facts.macs`.
template <class C>
concept cookie_codec = std::is_empty_v<C> && std::is_trivially_copyable_v<typename C::key_type> &&
    std::default_initializable<typename C::key_type> &&
    requires(const typename C::key_type& key, const cookie_facts& f, const cookie_options& kept, cookie_options& o,
             std::uint32_t number, seq_number cookie, instant now, std::uint32_t clock) {
  { C::make(key, number, f, kept, now) } -> std::same_as<seq_number>;
  { C::check(key, number, f, cookie, now) } -> std::same_as<std::optional<cookie_options>>;
  { C::stamp(clock, kept) } -> std::same_as<std::uint32_t>;
  { C::unstamp(clock, kept, o) } -> std::same_as<bool>;
  { C::carries } -> std::convertible_to<cookie_capacity>;
  typename C::keys;
  typename C::window;
};

namespace detail {

/// The last entry that is not above `value`, or the first one. `table` ascends.
template <class T, std::size_t N>
constexpr std::uint32_t round_down(const T (&table)[N], std::uint32_t value) noexcept {
  std::uint32_t i = N - 1;
  while (i > 0 && value < table[i]) --i;
  return i;
}

/// `bits` in the place of the clock's low `Width` bits, a step back if that would run ahead of it.
template <unsigned Width>
constexpr std::uint32_t in_low_bits(std::uint32_t clock, std::uint32_t bits) noexcept {
  constexpr std::uint32_t step = 1U << Width;
  const std::uint32_t ts = (clock & ~(step - 1)) | bits;
  return ts > clock ? ts - step : ts;
}

/// The bytes of `v` in the other order: a number as a little-endian machine reads it off the wire.
constexpr std::uint32_t swapped(std::uint32_t v) noexcept {
  return (v << 24) | ((v & 0xff00U) << 8) | ((v >> 8) & 0xff00U) | (v >> 24);
}

/// The four-tuple followed by `more`, under SipHash-2-4.
template <std::size_t N>
constexpr std::uint64_t keyed_hash(const siphash_key& key, const cookie_facts& f,
                                   const std::uint32_t (&more)[N]) noexcept {
  if (f.word_count == 2 * ipv4::words + 1) {
    std::uint32_t words[2 * ipv4::words + 1 + N]{};
    for (std::size_t i = 0; i < 2 * ipv4::words + 1 + N; ++i) {
      words[i] = i < 2 * ipv4::words + 1 ? f.words[i] : more[i - (2 * ipv4::words + 1)];
    }
    return siphash<2, 4>{key}.hash(words);
  }
  const auto word = [&](std::size_t i) { return i < f.word_count ? f.words[i] : more[i - f.word_count]; };
  return siphash<2, 4>{key}.hash_bytes(word, 4 * (f.word_count + N));
}

/// The four-tuple, an odd number of words, followed by `more_a` under one key and by `more_b` under another: two of
/// `keyed_hash`, side by side.
[[gnu::always_inline]] constexpr number_pair keyed_hashes(const siphash_key& a, std::uint32_t more_a,
                                                          const siphash_key& b, std::uint32_t more_b,
                                                          const cookie_facts& f) noexcept {
  siphash_pair s{a, b};
  const std::size_t last = f.word_count - 1;
  for (std::size_t i = 0; i < last; i += 2) {
    const std::uint64_t block = f.words[i] | std::uint64_t{f.words[i + 1]} << 32;
    s.absorb({block, block});
  }
  s.absorb({f.words[last] | std::uint64_t{more_a} << 32, f.words[last] | std::uint64_t{more_b} << 32});
  return s.finish(4 * (f.word_count + 1));
}

/// The same of eight four-tuples at once, where `siphash<2, 4>::hashes_eight()`: `pairs[i][k]` are two words of the
/// k-th, the later one above, the last word alone.
template <std::size_t N>
void keyed_hashes_of_eight(const siphash_key& a, std::uint32_t more_a, const siphash_key& b, std::uint32_t more_b,
                           const std::uint64_t (&pairs)[N][8], eight_macs& out) noexcept {
  const auto hash = [&pairs](const siphash_key& key, std::uint32_t more, std::uint64_t(&to)[8]) {
    siphash<2, 4>::go_on_eight<8 * N>(siphash<2, 4>{key}.open(), pairs, to, std::uint64_t{more} << 32);
  };
  hash(a, more_a, out.a);
  hash(b, more_b, out.b);
}

/// Timestamps that tell the time and nothing else.
struct plain_timestamps {
  static constexpr std::uint32_t stamp(std::uint32_t clock, const cookie_options&) noexcept { return clock; }
  static constexpr bool unstamp(std::uint32_t, const cookie_options&, cookie_options&) noexcept { return true; }
};

/// The cookie that Linux has had since 2.1 (net/ipv4/syncookies.c, secure_tcp_syn_cookie): with t a count of periods,
///
///   MAC0(tuple) + the peer's ISN + (t << 24) + ((MAC1(tuple, t) + index) mod 2^24)
///
///   31      24 23                      0
///   t mod 256 | MAC1 + index of the MSS    all of it under MAC0 and the peer's ISN
///
/// `Layout` says `period`, `ages` (how many values of t are good), `count(now)`, `mac(key, facts, t, half)`; it may
/// have `macs(key, facts, t)`, for both MACs at once.
template <class Layout>
struct counted_cookie {
  template <class Key>
  [[gnu::always_inline]] static constexpr seq_number make(const Key& key, const cookie_facts& f, std::uint32_t index,
                                                          instant now) noexcept {
    const std::uint32_t t = Layout::count(now);
    if constexpr (requires { Layout::macs(key, f, t); }) {
      const number_pair mac = f.macs != nullptr ? *f.macs : Layout::macs(key, f, t);
      return put(static_cast<std::uint32_t>(mac.a), static_cast<std::uint32_t>(mac.b), f, t, index);
    } else {
      return put(Layout::mac(key, f, 0, 0), Layout::mac(key, f, t, 1), f, t, index);
    }
  }
  /// The index, of `count` that there are.
  template <class Key>
  static constexpr std::optional<std::uint32_t> index_in(const Key& key, const cookie_facts& f, seq_number cookie,
                                                         instant now, std::uint32_t count) noexcept {
    const std::uint32_t rest = cookie - Layout::mac(key, f, 0, 0) - f.peer_isn;
    const std::uint32_t t = Layout::count(now);
    const std::uint32_t age = (t - (rest >> 24)) & 0xffU;
    if (age >= Layout::ages) return std::nullopt;
    const std::uint32_t index = (rest - Layout::mac(key, f, t - age, 1)) & 0xffffffU;
    if (index >= count) return std::nullopt;
    return index;
  }

 private:
  static constexpr seq_number put(std::uint32_t mac0, std::uint32_t mac1, const cookie_facts& f, std::uint32_t t,
                                  std::uint32_t index) noexcept {
    return mac0 + f.peer_isn + (t << 24) + ((mac1 + index) & 0xffffffU);
  }
};

/// An index as what it stands for.
template <class T, std::size_t N>
constexpr std::optional<cookie_options> with_mss(const T (&table)[N], std::optional<std::uint32_t> index) noexcept {
  if (!index) return std::nullopt;
  return cookie_options{.mss = table[*index]};
}

/// A counted cookie with one of two tables of as many entries: of `Layout::mss_table` the MSS of IPv4 and of IPv6.
template <class Layout>
struct counted_mss {
  template <class Key>
  [[gnu::always_inline]] static constexpr seq_number make(const Key& key, std::uint32_t, const cookie_facts& f,
                                                          const cookie_options& o, instant now) noexcept {
    return counted_cookie<Layout>::make(key, f, round_down(Layout::mss_table[f.ipv6], o.mss), now);
  }
  template <class Key>
  static constexpr std::optional<cookie_options> check(const Key& key, std::uint32_t, const cookie_facts& f,
                                                       seq_number cookie, instant now) noexcept {
    const auto& table = Layout::mss_table[f.ipv6];
    return with_mss(table, counted_cookie<Layout>::index_in(key, f, cookie, now, sizeof(table) / sizeof(table[0])));
  }
};

/// Six bits of our timestamp (Linux since 2.6.36): 0-3 the peer's window scale, 15 for none, 4 SACK, 5 ECN.
/// `EcnMustBeOffered`: an ECN bit that was never on offer spoils the cookie, instead of being passed over.
template <bool EcnMustBeOffered>
struct linux_timestamps {
  static constexpr cookie_capacity carries{
      .window_scale = true, .sack = true, .ecn = true, .only_with_timestamps = true};
  static constexpr std::uint32_t stamp(std::uint32_t clock, const cookie_options& o) noexcept {
    return in_low_bits<6>(clock,
                          (o.scales() ? o.send_scale & 0xfU : 0xfU) | (o.sack ? 0x10U : 0U) | (o.ecn ? 0x20U : 0U));
  }
  static constexpr bool unstamp(std::uint32_t echo, const cookie_options& offered, cookie_options& o) noexcept {
    o.sack = (echo & 0x10U) != 0;
    const bool ecn = (echo & 0x20U) != 0;
    o.ecn = ecn && offered.ecn;
    if ((echo & 0xfU) != 0xfU) o.send_scale = static_cast<std::uint8_t>(echo & 0xfU);
    return (offered.sack || !o.sack) && (offered.ecn || !ecn || !EcnMustBeOffered);
  }
};

}  // namespace detail

}  // namespace listenq
