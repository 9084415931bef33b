// SPDX-License-Identifier: BSL-1.0
// family: which addresses the listener speaks; the models are in address.hpp.
// `ipv4` costs 64 bytes a request, `ipv6` and `dual` 88; `tagged<...>` tells equal addresses of different tenants
// apart.
#pragma once

#include <listenq/address.hpp>

namespace listenq {

using default_family = ipv4;

namespace slot {
struct family {
  static constexpr const char* name = "family";
};
}  // namespace slot
/// Keyword: the family of addresses.
template <addressing P = default_family>
struct family {
  using slot = listenq::slot::family;
  using policy = P;
};

}  // namespace listenq
