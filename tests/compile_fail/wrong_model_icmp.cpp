// error: icmp_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `icmp`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<icmp<harmless>> l;
