// SPDX-License-Identifier: BSL-1.0
// Key rings: which key signs a cookie, which ones still verify. Two listeners with equal rings (and, where the codec
// binds the bucket, equal hashing keys) finish each other's handshakes, on one machine or on two.
//
// When to use which: `static_key` as Linux (one secret from boot to shutdown); `rotated<overlap>` where you bring new
// keys while it runs, with `listener.rotate_cookie_keys(key, now)`; `derived_keys<period>` where keys are to change by
// themselves and machines that share a secret and a clock are to agree (FreeBSD changes one of two every 15 s).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/hashing.hpp>
#include <listenq/static_array.hpp>
#include <listenq/time.hpp>
#include <type_traits>

namespace listenq {

/// A key of any size out of a secret and a number: SipHash-2-4 of (number, 0), (number, 1), ... in a row. The same on
/// all machines of one byte order.
template <class Key>
constexpr Key expand_key(const siphash_key& secret, std::uint32_t number) noexcept {
  static_assert(sizeof(Key) % sizeof(std::uint64_t) == 0, "listenq: a key is a multiple of eight bytes.");
  static_array<std::uint64_t, sizeof(Key) / sizeof(std::uint64_t)> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::uint32_t words[] = {number, static_cast<std::uint32_t>(i)};
    bits[i] = siphash<2, 4>{secret}.hash(words, 2);
  }
  return __builtin_bit_cast(Key, bits);  // what std::bit_cast is; not every libc++ has that
}

/// A key and how many there were before it; a codec may put the number's lowest bits into the cookie.
template <class Key>
struct numbered_key {
  Key key{};
  std::uint32_t number = 0;
  friend constexpr bool operator==(const numbered_key&, const numbered_key&) = default;
};

/// The same where the key lies: nobody copies it to make a cookie.
template <class Key>
struct numbered_key_view {
  const Key& key;
  std::uint32_t number = 0;
  constexpr operator numbered_key<Key>() const noexcept { return {key, number}; }
};

/// `signer(now)` yields the key that signs; `any(now, f)` tries `f(numbered_key)` with those that verify, the newest
/// first, until it is true; `seed(secret)` makes all keys anew out of one secret.
template <class R, class Key>
concept key_ring = std::default_initializable<R> && std::is_copy_constructible_v<R> &&
    requires(R& r, const R& c, instant now, const siphash_key& secret, bool (*f)(const numbered_key<Key>&)) {
  { c.signer(now) } -> std::convertible_to<numbered_key<Key>>;
  { c.any(now, f) } -> std::same_as<bool>;
  r.seed(secret);
};

/// Can its keys be changed from outside?
template <class R, class Key>
concept rotatable = requires(R& r, const Key& key, instant now) {
  r.rotate(key, now);
};

/// One key. A new one ends all cookies of the old one at once.
struct static_key {
  static constexpr const char* name = "static_key";
  template <class Key>
  struct ring {
    Key key{};

    constexpr numbered_key_view<Key> signer(instant) const noexcept { return {key, 0}; }
    template <class F>
    constexpr bool any(instant, F f) const {
      return f(numbered_key<Key>{key, 0});
    }
    constexpr void seed(const siphash_key& secret) noexcept { key = expand_key<Key>(secret, 0); }
    constexpr void rotate(const Key& to, instant) noexcept { key = to; }
  };
};

/// The newest key signs; the one before it verifies for `Overlap` after it was replaced, that instant not included.
template <duration Overlap>
struct rotated {
  static_assert(Overlap > 0, "listenq: rotated<overlap> needs an overlap; without one it is static_key.");
  static constexpr const char* name = "rotated";
  static constexpr duration overlap = Overlap;
  template <class Key>
  struct ring {
    numbered_key<Key> current{};
    Key previous{};
    instant previous_until = -never;

    constexpr numbered_key_view<Key> signer(instant) const noexcept { return {current.key, current.number}; }
    template <class F>
    constexpr bool any(instant now, F f) const {
      return f(current) || (now < previous_until && f(numbered_key<Key>{previous, current.number - 1}));
    }
    constexpr void seed(const siphash_key& secret) noexcept { *this = {.current = {expand_key<Key>(secret, 0), 0}}; }
    constexpr void rotate(const Key& to, instant now) noexcept {
      previous = current.key;
      previous_until = after(now, Overlap);
      current = {to, current.number + 1};
    }
  };
};

/// A key for each `Period`, all out of one secret; that of the period before verifies, too. So a cookie is good for one
/// to two periods. Costs a few more SipHashes a cookie and no memory (FreeBSD, syncookie_reseed, draws them instead).
template <duration Period>
struct derived_keys {
  static_assert(Period > 0, "listenq: derived_keys<period> needs a period above 0.");
  static constexpr const char* name = "derived_keys";
  static constexpr duration period = Period;
  template <class Key>
  struct ring {
    siphash_key secret{};

    constexpr numbered_key<Key> signer(instant now) const noexcept { return of(count(now)); }
    template <class F>
    constexpr bool any(instant now, F f) const {
      const std::uint32_t n = count(now);
      return f(of(n)) || (now >= Period && f(of(n - 1)));
    }
    constexpr void seed(const siphash_key& to) noexcept { secret = to; }

   private:
    static constexpr std::uint32_t count(instant now) noexcept { return static_cast<std::uint32_t>(now / Period); }
    constexpr numbered_key<Key> of(std::uint32_t n) const noexcept { return {expand_key<Key>(secret, n), n}; }
  };
};

}  // namespace listenq
