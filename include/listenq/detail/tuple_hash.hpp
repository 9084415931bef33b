// SPDX-License-Identifier: BSL-1.0
// The keyed hash of a four-tuple: of one, of the next one, of a burst. Which of these the hashing policy makes
// cheaper is its own affair; all are the same hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <type_traits>

namespace listenq::detail {

/// The words of a four-tuple, as hashes and cookies read it.
template <addressing A>
struct key_words {
  static constexpr std::size_t count = 2 * A::words + 1;
  std::uint32_t word[count]{};
  constexpr explicit key_words(const basic_four_tuple<A>& k) noexcept {
    fill(k.peer_address, k.local_address, k.peer_port, k.local_port);
  }
  constexpr explicit key_words(const basic_segment<A>& s) noexcept {
    fill(s.source.address, s.destination.address, s.source.port, s.destination.port);
  }

 private:
  [[gnu::always_inline]] constexpr void fill(const typename A::address& peer, const typename A::address& local,
                                             std::uint16_t peer_port, std::uint16_t local_port) noexcept {
    for (std::size_t i = 0; i < A::words; ++i) {
      word[i] = A::word(peer, i);
      word[A::words + i] = A::word(local, i);
    }
    word[2 * A::words] = (std::uint32_t{peer_port} << 16) | local_port;
  }
};

/// A four-tuple as hashes read it that can go on from an opening: blocks of eight bytes, our side first, because it is
/// the same in all tuples of a listener that has one address. Where the last block is half a port, its top byte has the
/// length already, which hashes put there: beside the port it takes no constant of eight bytes.
template <addressing A>
struct tuple_blocks {
  static constexpr bool odd = A::words % 2 != 0;  ///< then each port fills its side up, else both are at the end
  static constexpr std::size_t bytes = 8 * A::words + (odd ? 6 : 4);
  static constexpr std::size_t count = A::words / 2 + 1;
  std::uint64_t local[(A::words + 1) / 2]{};
  std::uint64_t peer[count]{};

  constexpr explicit tuple_blocks(const basic_four_tuple<A>& k) noexcept
      : tuple_blocks{{k.peer_address, k.peer_port}, {k.local_address, k.local_port}} {}
  constexpr explicit tuple_blocks(const basic_segment<A>& s) noexcept : tuple_blocks{s.source, s.destination} {}

 private:
  [[gnu::always_inline]] constexpr tuple_blocks(const basic_endpoint<A>& from, const basic_endpoint<A>& to) noexcept {
    put(local, to, 0);
    put(peer, from, bytes << 24);
    if constexpr (!odd) peer[count - 1] = (std::uint64_t{from.port} << 16) | to.port;
  }
  template <std::size_t N>
  [[gnu::always_inline]] static constexpr void put(std::uint64_t (&side)[N], const basic_endpoint<A>& e,
                                                   std::uint32_t above) noexcept {
    for (std::size_t i = 0; i + 1 < A::words; i += 2) {
      side[i / 2] = A::word(e.address, i) | (std::uint64_t{A::word(e.address, i + 1)} << 32);
    }
    if constexpr (odd) side[A::words / 2] = A::word(e.address, A::words - 1) | (std::uint64_t{e.port | above} << 32);
  }
};

/// Hashes all of each four-tuple.
template <class Hashing, addressing A>
struct tuple_hash {
  static constexpr bool hashes_eight =
      requires(const Hashing& h, const std::uint32_t (&words)[1][8], std::uint64_t (&out)[8]) {
    h.hash_eight(words, out);
  };

  /// Of a four-tuple, or of that of a segment.
  template <class Key>
  [[gnu::always_inline]] static constexpr std::uint64_t of(const Hashing& hashing, const Key& k) noexcept {
    const key_words<A> w{k};
    if constexpr (requires { hashing.hash(w.word); }) {
      return hashing.hash(w.word);
    } else {
      return hashing.hash(w.word, w.count);
    }
  }
  /// The same, where the one after it will probably have the same local side.
  [[gnu::always_inline]] constexpr std::uint64_t next(const Hashing& hashing, const basic_segment<A>& s) noexcept {
    return of(hashing, s);
  }
  /// The same of `n` segments, eight in a row. Only where `Hashing::hashes_eight()`.
  template <std::size_t Rows>
  void of_rows(const Hashing& hashing, const basic_segment<A>* s, std::size_t n, std::uint64_t (&h)[Rows][8]) noexcept {
    for (std::size_t from = 0; from < n; from += 8) {
      std::uint32_t words[key_words<A>::count][8];
      for (std::size_t k = 0; k < 8; ++k) {
        const key_words<A> w{s[from + k < n ? from + k : from]};
        for (std::size_t i = 0; i < w.count; ++i) words[i][k] = w.word[i];
      }
      hashing.hash_eight(words, h[from / 8]);
    }
  }
  /// The key is another one now.
  constexpr void begin(const Hashing&) noexcept {}
};

/// Goes on from what has become of the hash after our side, which is kept for the last local side that was seen.
template <class Hashing, addressing A>
requires requires { typename Hashing::opening; }
struct tuple_hash<Hashing, A> {
  static constexpr bool hashes_eight = requires { Hashing::hashes_eight(); };

  template <class Key>
  static constexpr std::uint64_t of(const Hashing& hashing, const Key& k) noexcept {
    const tuple_blocks<A> b{k};
    return hashing.template go_on<b.bytes>(hashing.open(b.local), b.peer);
  }
  [[gnu::always_inline]] constexpr std::uint64_t next(const Hashing& hashing, const basic_segment<A>& s) noexcept {
    const tuple_blocks<A> b{s};
    if (local_.port != s.destination.port || !(local_.address == s.destination.address)) [[unlikely]]
      move(hashing, s.destination);
    return hashing.template go_on<b.bytes>(opening_, b.peer);
  }
  template <std::size_t Rows>
  void of_rows(const Hashing& hashing, const basic_segment<A>* s, std::size_t n, std::uint64_t (&h)[Rows][8]) noexcept {
    if (!(local_ == s[0].destination)) move(hashing, s[0].destination);
    // All are put down before any is hashed: what was just written in eight pieces cannot be read in one yet.
    std::uint64_t blocks[Rows][tuple_blocks<A>::count][8];
    bool same[Rows];
    for (std::size_t from = 0; from < n; from += 8) {
      bool all = true;
      for (std::size_t k = 0; k < 8; ++k) {
        const basic_segment<A>& one = s[from + k < n ? from + k : from];
        const tuple_blocks<A> b{one};
        for (std::size_t i = 0; i < b.count; ++i) blocks[from / 8][i][k] = b.peer[i];
        all = all && one.destination == local_;
      }
      same[from / 8] = all;
    }
    for (std::size_t from = 0; from < n; from += 8) {
      if (same[from / 8]) {
        hashing.template go_on_eight<tuple_blocks<A>::bytes>(opening_, blocks[from / 8], h[from / 8]);
      } else {
        for (std::size_t k = from; k < n && k < from + 8; ++k) h[from / 8][k - from] = of(hashing, s[k]);
      }
    }
  }
  constexpr void begin(const Hashing& hashing) noexcept { move(hashing, {}); }

 private:
  [[gnu::noinline]] constexpr void move(const Hashing& hashing, const basic_endpoint<A>& local) noexcept {
    const tuple_blocks<A> b{
        basic_four_tuple<A>{.peer_address = {}, .local_address = local.address, .local_port = local.port}};
    local_ = local;
    opening_ = hashing.open(b.local);
  }
  basic_endpoint<A> local_{};
  typename Hashing::opening opening_{};
};

}  // namespace listenq::detail
