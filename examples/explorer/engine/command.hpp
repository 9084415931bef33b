// SPDX-License-Identifier: BSL-1.0
// The engine behind the page as one function: a request in JSON in, an answer in JSON out. The page calls it in
// WebAssembly, tests call it in `explorer_native`, a line for each request: the same bytes in, the same bytes out.
//
// Requests, by "do": presets, open, advance, step, act, set, state, events, export, script, sizing. Times are
// microseconds since listen(). A wrong request changes nothing and answers {"error": "one sentence"}; nothing is
// thrown. A call handles so many events at most; if there are more, the answer says "more": true, and the same call
// goes on.
#pragma once

#include <string>
#include <string_view>

namespace explorer {

std::string answer(std::string_view request);

}  // namespace explorer
