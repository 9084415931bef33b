// SPDX-License-Identifier: BSL-1.0
// Shrinking: a long list that fails becomes a short one that fails. Delta debugging (Zeller and Hildebrandt 2002):
// leave out halves, then quarters, ... until no single element can be left out. It needs no framework, and knows
// nothing of what is in the list.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace listenq::testing {

/// `list`, of which `fails(list)` is true, without whatever it fails without too: nothing more can be left out of it
/// alone. `fails` is asked about n log n lists for a good part, n^2 at worst.
template <class T, class Fails>
std::vector<T> shortest_failing(std::vector<T> list, Fails&& fails) {
  for (std::size_t chunk = std::max<std::size_t>(1, list.size() / 2);; chunk = std::max<std::size_t>(1, chunk / 2)) {
    bool shorter = false;
    for (std::size_t from = 0; from < list.size();) {
      std::vector<T> rest;
      rest.reserve(list.size());
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i < from || i >= from + chunk) rest.push_back(list[i]);
      }
      if (fails(std::as_const(rest))) {
        list = std::move(rest);
        shorter = true;
      } else {
        from += chunk;
      }
    }
    if (chunk == 1 && !shorter) return list;
  }
}

/// The smallest number that `fails(n)` is still true for, as far as 0, 1, 2 and halves of `n` tell.
template <class N, class Fails>
N smallest_failing(N n, Fails&& fails) {
  for (const N small : {N{0}, N{1}, N{2}}) {
    if (small < n && fails(small)) return small;
  }
  while (n / 2 > 2 && fails(static_cast<N>(n / 2))) n = static_cast<N>(n / 2);
  return n;
}

}  // namespace listenq::testing
