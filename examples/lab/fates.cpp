// SPDX-License-Identifier: BSL-1.0
#include "fates.hpp"

#include <map>
#include <tuple>

#include "segment_text.hpp"

namespace lab {

namespace {

/// What happened to a client, apart from when it began and who it was.
using fate = std::vector<std::tuple<bool, std::string, seq_number, seq_number, std::size_t, bool>>;

}  // namespace

std::vector<std::vector<std::uint16_t>> alike_clients(const record& r) {
  std::map<std::uint16_t, fate> fates;
  relative_numbers numbers;
  for (const packet& p : r.packets) {
    const auto n = numbers.of(p);
    fates[p.port()].emplace_back(p.to_server(), letters_of(p.segment.flags), n.seq, n.ack, p.payload.size(), p.lost);
  }
  std::vector<std::vector<std::uint16_t>> groups;
  std::map<fate, std::size_t> group_of;
  for (const client_log& c : r.clients) {
    const std::size_t i = group_of.try_emplace(fates[c.port], groups.size()).first->second;
    if (i == groups.size()) groups.emplace_back();
    groups[i].push_back(c.port);
  }
  return groups;
}

std::string others(const std::vector<std::uint16_t>& ports) {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 1; i < ports.size() && i <= most; ++i) text += (i > 1 ? ", " : "") + std::to_string(ports[i]);
  if (ports.size() > most + 1) text += " and " + std::to_string(ports.size() - most - 1) + " more";
  return text;
}

}  // namespace lab
