// SPDX-License-Identifier: BSL-1.0
// What a seed stands for: the keys of a server, the ISNs of its clients. The same in every program.
#pragma once

#include <cstdint>

#include "door.hpp"

namespace lab {

/// The keys of a seed.
stack_keys keys_of(std::uint64_t seed);
/// The ISN of the client with this port.
seq_number client_isn(std::uint64_t seed, std::uint16_t port);

}  // namespace lab
