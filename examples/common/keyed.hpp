// SPDX-License-Identifier: BSL-1.0
// A listener of any composition with fresh secrets for all that it has to keep secret.
#pragma once

#include <listenq/mirror.hpp>

#include "runtime.hpp"

namespace programs {

template <class Listener>
Listener keyed() {
  using namespace listenq;
  using hashing_policy = policy_of<Listener, slot::hashing>;
  using cookies_policy = policy_of<Listener, slot::cookies>;
  hashing_policy h{};
  h.key = fresh_key();
  policy_of<Listener, slot::fast_open> f{};
  if constexpr (requires { f.keys; }) f.keys.primary = fresh_key();
  if constexpr (cookies_policy::possible) {
    cookies_policy c{};
    c.keys.seed(fresh_key());
    return Listener(h, c, f);
  } else {
    return Listener(h, f);
  }
}

}  // namespace programs
