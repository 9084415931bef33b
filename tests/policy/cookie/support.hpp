// SPDX-License-Identifier: BSL-1.0
// Peers, options and random numbers for the tests of codecs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/cookies.hpp>
#include <random>

namespace listenq::test {

/// A source of random 32-bit numbers.
inline auto numbers(std::uint32_t seed) {
  return [engine = std::mt19937{seed}]() mutable { return static_cast<std::uint32_t>(engine()); };
}

/// A four-tuple's words and an ISN; nine words are IPv6.
template <std::size_t N = 3>
struct peer_of {
  std::array<std::uint32_t, N> words{};
  seq_number isn = 77;
  std::uint64_t bucket = 0;
  cookie_facts facts() const { return {words.data(), N, isn, N > 7, bucket}; }
};
inline peer_of<3> peer4() { return {{0x0a000002, 0x0a000001, 0x75314e20}}; }
inline peer_of<9> peer6() { return {{0x20010db8, 0, 0, 2, 0x20010db8, 0, 0, 1, 0x75314e20}}; }

/// A codec with keys of its own and the number of them.
template <class Codec>
struct maker {
  using key_type = typename Codec::key_type;
  key_type key = expand_key<key_type>({1, 2}, 0);
  std::uint32_t number = 0;

  seq_number make(const cookie_facts& f, const cookie_options& o, instant now) const {
    return Codec::make(key, number, f, o, now);
  }
  std::optional<cookie_options> check(const cookie_facts& f, seq_number cookie, instant now) const {
    return Codec::check(key, number, f, cookie, now);
  }
  /// The MSS that comes back, 0 if there is no cookie.
  std::uint16_t mss(const cookie_facts& f, std::uint16_t offered, instant now = 5 * second) const {
    const auto back = check(f, make(f, {.mss = offered}, now), now);
    return back ? back->mss : std::uint16_t{0};
  }
};

/// What comes back by the ISN and, if there are timestamps, by the echo.
template <class Codec>
std::optional<cookie_options> through(const cookie_facts& f, const cookie_options& o, instant now, bool timestamps,
                                      std::uint32_t clock,
                                      const cookie_options& offered = {.sack = true, .ecn = true}) {
  const maker<Codec> m;
  auto back = m.check(f, m.make(f, o, now), now);
  if (back && timestamps && !Codec::unstamp(Codec::stamp(clock, o), offered, *back)) return std::nullopt;
  return back;
}

}  // namespace listenq::test
