// error: accept_full_at_syn_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `accept_full_at_syn`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<accept_full_at_syn<keep>> l;
