// SPDX-License-Identifier: BSL-1.0
// The engine in WebAssembly: Module.ccall('explorer', 'string', ['string'], [request]).
#include <emscripten/emscripten.h>

#include <string>

#include "command.hpp"

extern "C" EMSCRIPTEN_KEEPALIVE const char* explorer(const char* request) {
  static std::string answer;
  answer = explorer::answer(request);
  return answer.c_str();
}
