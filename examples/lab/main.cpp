// SPDX-License-Identifier: BSL-1.0
// The lab: the articles' experiments with listen(fd, backlog) on this library's listener, in virtual time. Without
// arguments the three of them; with options one run of your own; `explain`, `inject`, `matrix`, `explore`,
// `simulate`, `attacks`, `replay` and `sizing` beside.
#include <cstring>
#include <exception>
#include <iostream>

#include "commands.hpp"
#include "usage.hpp"

int main(int argc, char** argv) {
  try {
    const char* const command = argc > 1 ? argv[1] : "";
    if (std::strcmp(command, "explain") == 0) return lab::explain_command(argc - 1, argv + 1);
    if (std::strcmp(command, "inject") == 0) return lab::inject_command(argc - 1, argv + 1);
    if (std::strcmp(command, "matrix") == 0) return lab::matrix_command(argc - 1, argv + 1);
    if (std::strcmp(command, "explore") == 0) return lab::explore_command(argc - 1, argv + 1);
    if (std::strcmp(command, "simulate") == 0) return lab::simulate_command(argc - 1, argv + 1);
    if (std::strcmp(command, "attacks") == 0) return lab::attacks_command(argc - 1, argv + 1);
    if (std::strcmp(command, "replay") == 0) return lab::replay_command(argc - 1, argv + 1);
    if (std::strcmp(command, "sizing") == 0) return lab::sizing_command(argc - 1, argv + 1);
    return lab::run_command(argc, argv);
  } catch (const lab::usage_error& e) {
    std::cerr << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "lab: " << e.what() << '\n';
    return 1;
  }
}
