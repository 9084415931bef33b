// SPDX-License-Identifier: BSL-1.0
// One of the two in a terminal of its own.
#pragma once

#include "clients.hpp"
#include "server.hpp"
#include "transports.hpp"

namespace pair {

int complain(const std::string& why);
/// Serves until a signal, and then says what it has.
int serve_alone(server&, wire&, const alone&);
/// Until all clients have their bytes back; says what they saw.
int connect_alone(clients&, const settings&);

}  // namespace pair
