// SPDX-License-Identifier: BSL-1.0
// The cookies of a burst: while SYNs are answered by cookies, what the codec hashes for them is found eight at a time,
// before the first of them is looked at. Whether one gets a cookie is decided later and elsewhere; then what was found
// is used, if the time and the key are still those that it was found for.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/detail/state.hpp>
#include <listenq/detail/tuple_hash.hpp>
#include <listenq/policy/cookie/codec.hpp>

namespace listenq::detail {

/// What has been found for a cookie, if anything.
struct found_macs {
  bool any = false;
  number_pair pair{};
};

/// Of a segment that is looked at for itself, nothing has been found.
struct nothing_ahead {};

/// Can its codec? Four-tuples have an odd number of words in most families; for others nothing is found.
template <class Cookies, std::size_t Words>
inline constexpr bool signs_eight = false;
template <class Cookies, std::size_t Words>
requires Cookies::possible inline constexpr bool signs_eight<Cookies, Words> =
    Words % 2 == 1 && requires(const typename Cookies::codec::key_type& key,
                               const std::uint64_t (&pairs)[(Words + 1) / 2][8], eight_macs& out) {
  { Cookies::codec::hashes_eight() } -> std::same_as<bool>;
  Cookies::codec::macs_of_eight(key, pairs, instant{}, out);
};

/// For bursts of up to `Most`.
template <class L, std::size_t Most,
          bool = signs_eight<typename policies<L>::cookies, key_words<typename policies<L>::family>::count>>
struct cookies_ahead {
  constexpr void look(const state<L>&, const typename state<L>::segment_type*, std::size_t) noexcept {}
  static constexpr nothing_ahead of(std::size_t) noexcept { return {}; }
};

template <class L, std::size_t Most>
class cookies_ahead<L, Most, true> {
  using words_type = key_words<typename policies<L>::family>;
  using codec = typename policies<L>::cookies::codec;

 public:
  /// With fewer SYNs in a row of eight most of it would be in vain.
  static constexpr std::size_t least = 4;

  /// `n` segments will come next.
  void look(const state<L>& l, const typename state<L>::segment_type* s, std::size_t n) noexcept {
    found_ = 0;
    if (!codec::hashes_eight() || !l.signs_next()) return;
    at_ = l.now;
    key_changes_ = l.key_changes;
    // All are put down before any is hashed: what was just written in eight pieces cannot be read in one yet.
    std::uint64_t words[rows][pairs][8];
    for (std::size_t from = 0; from < n; from += 8) {
      std::size_t syns = 0;
      for (std::size_t k = 0; k < 8; ++k) {
        const auto& one = s[from + k < n ? from + k : from];
        if (one.flags.has(flag::syn)) ++syns;
        put(words[from / 8], k, words_type{one});
      }
      if (syns >= least) found_ |= 1U << (from / 8);
    }
    const auto signer = l.cookies.get().keys.signer(l.now);
    for (std::size_t row = 0; row * 8 < n; ++row) {
      if ((found_ >> row & 1U) != 0) codec::macs_of_eight(signer.key, words[row], l.now, macs_[row]);
    }
  }

  /// What was found for the `i`-th.
  class view {
   public:
    constexpr found_macs macs(const state<L>& l) const noexcept {
      const std::size_t row = i_ / 8;
      if ((all_.found_ >> row & 1U) == 0 || all_.at_ != l.now || all_.key_changes_ != l.key_changes) return {};
      return {true, {all_.macs_[row].a[i_ % 8], all_.macs_[row].b[i_ % 8]}};
    }

   private:
    friend class cookies_ahead;
    constexpr view(const cookies_ahead& all, std::size_t i) noexcept : all_{all}, i_{i} {}
    const cookies_ahead& all_;
    std::size_t i_;
  };
  view of(std::size_t i) const noexcept { return {*this, i}; }

 private:
  static constexpr std::size_t rows = (Most + 7) / 8, pairs = (words_type::count + 1) / 2;

  static void put(std::uint64_t (&words)[pairs][8], std::size_t k, const words_type& w) noexcept {
    for (std::size_t i = 0; i < w.count / 2; ++i) {
      words[i][k] = w.word[2 * i] | std::uint64_t{w.word[2 * i + 1]} << 32;
    }
    words[pairs - 1][k] = w.word[w.count - 1];
  }

  instant at_ = 0;
  std::uint16_t key_changes_ = 0;
  std::uint32_t found_ = 0;  ///< a bit for each row of eight
  eight_macs macs_[rows];
};

}  // namespace listenq::detail
