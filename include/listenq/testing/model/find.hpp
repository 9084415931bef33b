// SPDX-License-Identifier: BSL-1.0
// Finding: random scripts against a listener until one shows that it does not keep a promise; then the shortest such
// script, and what can be shown of it: the commands, the sockets as `ss` lists them, the segments as a Mermaid diagram.
//
//   if (const auto found = find_counterexample<my_listener>(rules_of<my_listener>())) std::cout << found->text();
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/testing/model/command.hpp>
#include <listenq/testing/model/run.hpp>
#include <listenq/testing/shrink.hpp>
#include <listenq/transport/recorders.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace listenq::testing {

/// The same script in single steps: a flood is its SYNs.
inline script unfolded(const script& s) {
  script all{.backlog = s.backlog};
  for (const command& c : s.commands) {
    if (c.what != op::flood) {
      all.commands.push_back(c);
      continue;
    }
    for (std::uint32_t k = first_of_flood; k < end_of_flood(c.value); ++k) all.commands.push_back({op::syn, k, 0});
  }
  return all;
}

/// A script as short as can be, of commands as plain and numbers as small as can be, for which `fails(script)` is true
/// as it is for `s`.
template <class Fails>
script shrunk(const script& s, Fails&& fails) {
  script best = unfolded(s);
  if (!fails(std::as_const(best))) best = s;
  const auto with_commands = [&](const std::vector<command>& c) { return fails(script{best.backlog, c}); };
  const auto with_backlog = [&](int n) { return fails(script{n, best.commands}); };
  for (script before; !(before == best);) {
    before = best;
    best.commands = shortest_failing(std::move(best.commands), with_commands);
    best.backlog = smallest_failing(best.backlog, with_backlog);
    for (std::size_t i = 0; i < best.commands.size(); ++i) {
      const auto with = [&](const command& c) {
        script other = best;
        other.commands[i] = c;
        if (!fails(std::as_const(other))) return false;
        best = std::move(other);
        return true;
      };
      const command c = best.commands[i];
      if (c.what != op::syn && !with({op::syn, c.client, 0}) && c.what != op::ack) with({op::ack, c.client, 0});
      const op what = best.commands[i].what;
      smallest_failing(c.client, [&](std::uint32_t n) { return with({what, n, best.commands[i].value}); });
      smallest_failing(c.value, [&](std::uint32_t n) { return with({what, best.commands[i].client, n}); });
    }
  }
  return best;
}

/// What there is and what there should be, as `ss -tan` lists sockets; the last column says where the two differ.
inline std::string socket_table(const failure& f) {
  std::ostringstream out;
  const auto line = [&out](const std::string& state, std::uint64_t in, std::uint64_t n, const std::string& local,
                           const std::string& peer, const char* remark) {
    const auto padded = [](std::string s, std::size_t width) {
      s.resize(std::max(s.size(), width), ' ');
      return s;
    };
    std::string text = padded(state, 10) + padded(std::to_string(in), 8) + padded(std::to_string(n), 8) +
                       padded(local, 20) + padded(peer, 20) + remark;
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  };
  out << "State     Recv-Q  Send-Q  Local Address:Port  Peer Address:Port\n";
  const std::string here = to_text(client_key(0).local());
  if (f.listening) line("LISTEN", f.waiting.size(), f.n, here, "0.0.0.0:*", "");
  const auto rows = [&](const char* state, const std::vector<four_tuple>& due, const std::vector<four_tuple>& is) {
    for (const four_tuple& k : due) {
      const bool there = std::find(is.begin(), is.end(), k) != is.end();
      line(state, 0, 0, here, to_text(k.peer()), there ? "" : "missing");
    }
    for (const four_tuple& k : is) {
      const bool expected = std::find(due.begin(), due.end(), k) != due.end();
      if (!expected) line(state, 0, 0, here, to_text(k.peer()), "not expected");
    }
  };
  rows("SYN-RECV", f.requests_due, f.requests);
  rows("ESTAB", f.waiting_due, f.waiting);
  return out.str();
}

/// The segments of a failure as a Mermaid sequence diagram.
inline std::string mermaid(const failure& f) {
  std::ostringstream out;
  mermaid_recorder record{out};
  const endpoint here = client_key(0).local();
  for (const passed_segment& p : f.passed) {
    const endpoint& peer = p.segment.destination == here ? p.segment.source : p.segment.destination;
    record.name(peer, "C" + std::to_string(client_of({peer.address, here.address, peer.port, here.port})));
  }
  record.name(here, "S", true);
  for (const passed_segment& p : f.passed) record.record(p.at, p.segment);
  return out.str();
}

struct counterexample {
  testing::script script{};  ///< the shortest
  testing::failure failure{};
  std::uint64_t seed = 0;  ///< of the random script in which it was found
  std::string text() const {
    return "found with seed " + std::to_string(seed) + ", and then:\n" + failure.text() + '\n' + socket_table(failure) +
           '\n' + mermaid(failure);
  }
};

/// Plays `scripts` random ones, with seeds from `first_seed` on; the first that fails is made as short as can be.
inline std::optional<counterexample> find_counterexample(const rules& promised, const subject_maker& make,
                                                         std::uint64_t scripts = 1000, std::uint64_t first_seed = 1) {
  const auto run = [&](const script& s) { return run_against_model(s, promised, make); };
  for (std::uint64_t seed = first_seed; seed < first_seed + scripts; ++seed) {
    const script s = random_script(seed);
    if (!run(s)) continue;
    counterexample found{.script = shrunk(s, [&run](const script& shorter) { return run(shorter).has_value(); })};
    found.failure = *run(found.script);
    found.seed = seed;
    return found;
  }
  return std::nullopt;
}
/// The same for a listener of type `L` that needs no values.
template <class L>
std::optional<counterexample> find_counterexample(const rules& promised, std::uint64_t scripts = 1000,
                                                  std::uint64_t first_seed = 1) {
  return find_counterexample(
      promised, [] { return std::make_unique<subject_of<L>>(); }, scripts, first_seed);
}

}  // namespace listenq::testing
