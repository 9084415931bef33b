// SPDX-License-Identifier: BSL-1.0
// fast_open: may data in a SYN make a connection before the handshake is finished (RFC 7413)?
// The only model so far is "no": a SYN's data are not acknowledged, its cookie option is not answered.
#pragma once

#include <concepts>

namespace listenq {

/// `possible`: may a SYN open a connection at once?
template <class P>
concept fast_open_policy = std::default_initializable<P> && requires {
  { P::possible } -> std::convertible_to<bool>;
};

/// Never; the data come again after the handshake.
struct no_fast_open {
  static constexpr const char* name = "no_fast_open";
  static constexpr bool possible = false;
};

using default_fast_open = no_fast_open;

namespace slot {
struct fast_open {
  static constexpr const char* name = "fast_open";
};
}  // namespace slot
/// Keyword: data in the SYN?
template <fast_open_policy P = default_fast_open>
struct fast_open {
  static_assert(!P::possible, "listenq: fast_open<...>: a listener cannot open connections at the SYN yet.");
  using slot = listenq::slot::fast_open;
  using policy = P;
};

}  // namespace listenq
