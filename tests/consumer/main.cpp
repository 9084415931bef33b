// SPDX-License-Identifier: BSL-1.0
// A program of somebody else's: it needs nothing but the target listenq::listenq.
#include <listenq/listenq.hpp>
#include <listenq/mirror.hpp>
#include <listenq/version.hpp>

static_assert(LISTENQ_VERSION_MAJOR == 0);

int main() { return 0; }
