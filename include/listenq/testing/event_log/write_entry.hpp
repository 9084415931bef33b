// SPDX-License-Identifier: BSL-1.0
// Writes an entry of an event log as a line. read_entry.hpp makes the entry of it again.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/event_log/names.hpp>
#include <listenq/testing/event_log/segment_text.hpp>
#include <string>

namespace listenq::testing {

/// The line of an entry, without its end.
inline std::string to_text(const log_entry& e) {
  using namespace detail;
  std::string t = std::to_string(e.at) + ' ' + name_of(e.kind);
  const auto add = [&t](const std::string& word) { t.append(" ").append(word); };
  const auto number = [&add](std::uint32_t n) { add(std::to_string(n)); };
  switch (e.kind) {
    case log_kind::listen:
      add(std::to_string(static_cast<std::int32_t>(e.what)));
      break;
    case log_kind::in:
      add(log_text(e.segment));
      if (e.facts.isn != 0) add("isn=" + std::to_string(e.facts.isn));
      if (e.facts.proven) add("proven");
      if (e.facts.refused) add("refused");
      break;
    case log_kind::out:
      add(log_text(e.segment));
      break;
    case log_kind::set:
      add(name_of(static_cast<tunable>(e.what)));
      number(e.value);
      break;
    case log_kind::shutdown:
      add(log_hows[e.what]);
      break;
    case log_kind::child:
    case log_kind::reset:
    case log_kind::gone:
      add(log_text(e.key));
      break;
    case log_kind::settled:
      add(log_text(e.key) + ' ' + log_ends[e.what]);
      break;
    case log_kind::icmp:
      add(log_text(e.key) + ' ' + std::to_string(e.value) + ' ' + log_errors[e.what]);
      break;
    case log_kind::tick:
    case log_kind::accept:
    case log_kind::close:
      break;
  }
  if (!e.decided) return t;
  t += " =";
  switch (e.kind) {
    case log_kind::listen:
      add(log_listened[e.result]);
      break;
    case log_kind::in: {
      std::array<char, 8> hex{};
      const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), e.stages.bits, 16).ptr;
      add(name_of(e.verdict()));
      add(std::string(hex.data(), end));
      break;
    }
    case log_kind::out:
      add(log_sent[e.result]);
      break;
    case log_kind::child:
    case log_kind::gone:
    case log_kind::settled:
      add(log_answers[e.result]);
      break;
    case log_kind::reset:
      break;
    case log_kind::tick:
      for (const std::uint32_t n : e.counts) number(n);
      if (e.result != 0) add("later");
      break;
    case log_kind::accept:
      add(log_accepted[e.result]);
      if (e.key != four_tuple{}) add(log_text(e.key));
      break;
    case log_kind::shutdown:
      add(log_shut[e.result]);
      [[fallthrough]];
    case log_kind::close:
      number(e.counts[0]);
      number(e.counts[1]);
      break;
    case log_kind::set:
      add(log_set[e.result]);
      break;
    case log_kind::icmp:
      add(log_icmp[e.result]);
      break;
  }
  return t;
}

}  // namespace listenq::testing
