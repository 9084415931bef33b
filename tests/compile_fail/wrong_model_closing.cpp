// error: closing_policy
// SPDX-License-Identifier: BSL-1.0
// A model of another concept behind the keyword `closing`.
#include <listenq/listener.hpp>

using namespace listenq;
listener<closing<harmless>> l;
