// SPDX-License-Identifier: BSL-1.0
// The engine in WebAssembly: Module.ccall('explorer', 'string', ['string'], [request]).
#include <emscripten/emscripten.h>

#include <string>

#include "command.hpp"

// In C++ a namespace has that name.
extern "C" EMSCRIPTEN_KEEPALIVE const char* call(const char* request) __asm__("explorer");

const char* call(const char* request) {
  static std::string answer;
  answer = explorer::answer(request);
  return answer.c_str();
}
