// SPDX-License-Identifier: BSL-1.0
// The engine on a command line: a request a line on standard input, an answer a line on standard output.
#include <iostream>
#include <string>

#include "command.hpp"

int main() {
  std::string request;
  while (std::getline(std::cin, request)) std::cout << explorer::answer(request) << std::endl;
}
