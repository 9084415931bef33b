// SPDX-License-Identifier: BSL-1.0
// A network interface set up with ip(8): what an administrator would type.
#pragma once

#include <listenq/address.hpp>
#include <string>
#include <vector>

namespace programs {

std::string address_text(const listenq::dual::address&);

/// Sets `interface` up and gives the kernel's end each of `theirs`, with those of `ours` of the same family as its
/// peers. Yields the command that failed; empty: none.
std::string set_up_interface(const std::string& interface, const std::vector<listenq::dual::address>& theirs,
                             const std::vector<listenq::dual::address>& ours);

}  // namespace programs
