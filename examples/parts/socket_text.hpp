// SPDX-License-Identifier: BSL-1.0
// The names of a socket's states as netstat spells them; `state_name` of the library has ss's.
#pragma once

#include "nouns.hpp"

namespace lab {

/// `SYN_RECV`, `ESTABLISHED`, `LISTEN`; `CLOSE` where there is no connection.
const char* netstat_name(const socket_row& r);

}  // namespace lab
