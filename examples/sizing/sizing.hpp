// SPDX-License-Identifier: BSL-1.0
// How big should the backlog be? A question in an operator's words; an answer from closed forms and from a simulation
// with a preset's listener, with a sentence wherever the two part. Values in, values out; sizing_json.hpp is the same
// as JSON, the lab's `sizing` the same as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "closed_forms.hpp"
#include "crowd.hpp"
#include "presets.hpp"

namespace calculator {

/// Times are microseconds, rates a second. `people.clients` is not read.
struct question {
  const lab::preset_entry* preset = lab::find_preset("linux-6.18");
  lab::tunable_values_set tunables{};  ///< those that differ from the preset's
  crowd people{};
  std::vector<int> backlogs{};      ///< what listen() is called with; none: chosen around the window
  std::uint64_t clients = 150'000;  ///< to be counted in all rows together, about
};

/// One backlog.
struct row {
  int backlog = 0;
  std::uint32_t in_force = 0;       ///< what the clamp made of it
  std::uint32_t accept_slots = 0;   ///< finished connections that can wait
  std::uint32_t request_slots = 0;  ///< requests that peers without history can fill

  struct {
    double loss = 0;              ///< M/M/1/K; the connection in service is one of the K
    double wait = 0;              ///< mean
    std::optional<double> p99{};  ///< of all; none: that is one who never gets in, or who has given up
    double beyond = 0;            ///< lost, or too late
    double stall_loss = 0;        ///< what overflows in a stall if clients were a fluid, over all of a period
  } closed;
  crowd_report simulated{};
  std::optional<duration> p99{};  ///< simulated

  std::string parts_in{};          ///< loss, p99 or beyond; empty: the two agree
  std::optional<double> factor{};  ///< simulated over closed; none where one of them is 0
  std::string disagreement{};      ///< as a sentence
  std::string text{};              ///< what this row means
};

struct answer {
  calculator::window window{};
  double with_margin = 0;  ///< one stall in a hundred brings more
  std::string window_text{};
  std::string remedy{};  ///< of an empty window

  double load = 0;  ///< clients a second over what is accepted a second, stalls counted
  std::string load_text{};

  double requests = 0;             ///< half-open on average
  duration request_life = 0;       ///< of one that is never answered
  std::uint64_t request_need = 0;  ///< places that lose one in a thousand, Erlang-B
  std::uint64_t bursty_need = 0;   ///< the same for clients in bursts, negative binomial
  std::string request_text{};

  std::vector<row> rows{};
  std::vector<std::string> warnings{};
  std::string advice{};
  std::uint64_t clients = 0;  ///< that were counted
};

/// What is wrong with a question, as a sentence; empty: nothing.
std::string objection(const question& q);
/// The answer to a question without objection.
answer answer_to(question q);

/// 300 ms, 1.2 s, 63 s.
std::string time_text(double microseconds);
/// 0, 0.02 %, 2.9 %, 41 %.
std::string share_text(double share);

}  // namespace calculator
