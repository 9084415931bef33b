// SPDX-License-Identifier: BSL-1.0
// explore: every interleaving of what can happen in a small world, breadth first, equal states once. It finds out how
// many states there are, whether each keeps the invariants, and the shortest way for each client to end "connected
// here, unknown there". It proves nothing about larger worlds; simulation is for those.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/testing/invariants.hpp>
#include <listenq/testing/small_world.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace listenq::testing {

struct explore_options {
  world_options world{};
  std::uint32_t depth = 1000;           ///< moves in a row, at most
  std::size_t most_states = 1'000'000;  ///< it stops there, and says so
  expectations expected{};              ///< of each state
};

/// A way from the beginning: the moves, and what the listener said to each segment that arrived.
struct world_trace {
  std::vector<world_move> moves{};
  std::vector<std::optional<verdict>> verdicts{};
};

struct exploration {
  std::size_t states = 0;             ///< different ones
  std::size_t transitions = 0;        ///< moves tried
  std::uint32_t depth = 0;            ///< moves to the farthest state
  bool complete = false;              ///< no state beyond `depth` or `most_states` was left out
  std::optional<invariant> broken{};  ///< the first invariant found broken, and the way there
  world_trace to_broken{};
  std::array<std::optional<world_trace>, 4> stranded{};  ///< for each client, the shortest way to be stranded
};

/// Explores all worlds that begin with `door`. Stops at the first broken invariant. Memory: a listener for each state
/// of the widest layer, and 24 bytes or so for every state.
template <observable L>
exploration explore(const L& door, const explore_options& o = {}) {
  using world = small_world<L>;
  struct step {
    std::uint32_t parent = 0;
    world_move move{};
  };
  struct open_state {
    std::uint32_t id = 0;
    world at;
  };
  exploration result;
  std::vector<step> steps;
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  std::vector<open_state> layer;
  std::vector<open_state> next;

  const auto trace_to = [&](std::uint32_t id) {
    world_trace t;
    for (; id != 0; id = steps[id].parent) t.moves.insert(t.moves.begin(), steps[id].move);
    world again{door, o.world};
    for (const world_move& m : t.moves) t.verdicts.push_back(again.make(m));
    return t;
  };
  // False when there is nothing more to look for.
  const auto look = [&](const open_state& s) {
    for (std::size_t c = 0; c < s.at.clients().size(); ++c) {
      if (!result.stranded[c] && s.at.stranded(c)) result.stranded[c] = trace_to(s.id);
    }
    for_each_violation(
        s.at.door(),
        [&](invariant i) {
          if (!result.broken) {
            result.broken = i;
            result.to_broken = trace_to(s.id);
          }
        },
        o.expected);
    return !result.broken;
  };

  steps.push_back({});
  layer.push_back({0, world{door, o.world}});
  known.emplace(layer.front().at.fingerprint(), 0);
  bool going = look(layer.front());
  bool cut = false;
  for (std::uint32_t depth = 1; going && !layer.empty(); ++depth) {
    if (depth > o.depth) {
      cut = true;
      break;
    }
    next.clear();
    for (const open_state& s : layer) {
      s.at.for_each_move([&](const world_move& m) {
        if (!going) return;
        ++result.transitions;
        open_state to{static_cast<std::uint32_t>(steps.size()), s.at};
        to.at.make(m);
        if (!known.emplace(to.at.fingerprint(), to.id).second) return;
        if (steps.size() >= o.most_states) {
          cut = true;
          return;
        }
        steps.push_back({s.id, m});
        going = look(to);
        next.push_back(std::move(to));
      });
    }
    if (!next.empty()) result.depth = depth;
    layer.swap(next);
  }
  result.states = steps.size();
  result.complete = going && !cut;
  return result;
}

/// A trace as a list of sentences, one a line: "client 1: its SYN arrives: admitted".
inline std::string to_text(const world_trace& t) {
  const auto segment_name = [](flags f) {
    if (f.has(flag::rst)) return "RST";
    if (f.has(flag::syn | flag::ack)) return "SYN-ACK";
    return f.has(flag::syn) ? "SYN" : "ACK";
  };
  std::string text;
  const auto add = [&text](auto... parts) { (text.append(parts), ...); };
  for (std::size_t i = 0; i < t.moves.size(); ++i) {
    const world_move& m = t.moves[i];
    const std::string who = "client " + std::to_string(m.client + 1);
    const char* const what = segment_name(m.flags);
    switch (m.kind) {
      case move_kind::connect:
        add(who, ": connect()");
        break;
      case move_kind::to_server:
        add(who, ": its ", what, " arrives");
        break;
      case move_kind::duplicate:
        add(who, ": its ", what, " arrives, and will arrive again");
        break;
      case move_kind::to_client:
        add(who, ": receives the ", what);
        break;
      case move_kind::lose:
        add(who, m.outbound ? ": the " : ": its ", what, " is lost");
        break;
      case move_kind::tick:
        add("a timer of the listener fires");
        break;
      case move_kind::accept:
      case move_kind::close:
      case move_kind::listen:
        add(name_of(m.kind), "()");
        break;
    }
    if (i < t.verdicts.size() && t.verdicts[i]) add(": ", name_of(*t.verdicts[i]));
    add("\n");
  }
  return text;
}

}  // namespace listenq::testing
