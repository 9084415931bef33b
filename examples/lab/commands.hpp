// SPDX-License-Identifier: BSL-1.0
// The lab's commands. Each takes the words behind its name and returns the exit status; what the user did wrong leaves
// as a `usage_error`.
#pragma once

namespace lab {

int run_command(int argc, const char* const* argv);
int explain_command(int argc, const char* const* argv);
int inject_command(int argc, const char* const* argv);
int matrix_command(int argc, const char* const* argv);
int explore_command(int argc, const char* const* argv);
int simulate_command(int argc, const char* const* argv);
int attacks_command(int argc, const char* const* argv);
int replay_command(int argc, const char* const* argv);
int sizing_command(int argc, const char* const* argv);

/// The articles' three experiments. `proc`: socket tables as /proc/net/tcp.
int experiments(bool proc);

}  // namespace lab
