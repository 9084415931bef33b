// SPDX-License-Identifier: BSL-1.0
// Policies for tests that want to know beforehand where a request goes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "support/script.hpp"

namespace listenq::test {

/// Peer n hashes to n: it is in bucket n modulo their number. Random numbers are the words they are made of.
struct by_number {
  static constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t count) noexcept {
    const std::uint64_t h = count < 3 ? words[0] : (words[count - 1] >> 16) - first_port;
    return h | h << 32;
  }
};

}  // namespace listenq::test
