// SPDX-License-Identifier: BSL-1.0
// Reads the entry of an event log from its line, as write_entry.hpp writes it. Strict: lines are edited by hand, and
// what is not understood must not be taken for something else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/event_log/names.hpp>
#include <listenq/testing/event_log/segment_text.hpp>
#include <listenq/testing/event_log/words.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <string_view>

namespace listenq::testing {

/// Reads one line. Nothing, if it is not an entry from its first letter to its last.
inline std::optional<log_entry> read_log_entry(std::string_view line) {
  using namespace detail;
  log_entry e;
  log_words w{line};
  e.at = w.number<instant>();
  const std::string_view kind = w.word();
  std::size_t k = 0;
  while (k < log_kind_count && kind != name_of(static_cast<log_kind>(k))) ++k;
  if (k == log_kind_count) return std::nullopt;
  e.kind = static_cast<log_kind>(k);
  std::optional<std::string_view> pending;  // a word that was looked at and not used
  switch (e.kind) {
    case log_kind::listen:
      e.what = static_cast<std::uint32_t>(w.number<std::int32_t>());
      break;
    case log_kind::in:
    case log_kind::out:
      e.segment = read_log_segment(w);
      while (w.good && e.kind == log_kind::in && !w.at_end()) {
        const std::string_view more = w.word();
        if (more == "proven") {
          e.facts.proven = true;
        } else if (more == "refused") {
          e.facts.refused = true;
        } else if (more.starts_with("isn=")) {
          e.facts.isn = w.number<seq_number>(more.substr(4));
        } else {
          pending = more;
          break;
        }
      }
      break;
    case log_kind::set: {
      std::array<const char*, tunable_count> names{};
      for (std::size_t i = 0; i < tunable_count; ++i) names[i] = name_of(static_cast<tunable>(i));
      e.what = w.one_of(names, w.word());
      e.value = w.number<std::uint32_t>();
      break;
    }
    case log_kind::shutdown:
      e.what = w.one_of(log_hows, w.word());
      break;
    case log_kind::child:
    case log_kind::reset:
    case log_kind::gone:
      e.key = w.key();
      break;
    case log_kind::settled:
      e.key = w.key();
      e.what = w.one_of(log_ends, w.word());
      break;
    case log_kind::icmp:
      e.key = w.key();
      e.value = w.number<std::uint32_t>();
      e.what = w.one_of(log_errors, w.word());
      break;
    case log_kind::tick:
    case log_kind::accept:
    case log_kind::close:
      break;
  }
  if (!pending && w.at_end()) return w.good ? std::optional(e) : std::nullopt;
  e.decided = (pending ? *pending : w.word()) == "=";
  w.good = w.good && e.decided;
  switch (e.kind) {
    case log_kind::listen:
      e.result = w.one_of(log_listened, w.word());
      break;
    case log_kind::in:
      e.result = w.one_of(log_verdicts, w.word());
      e.stages.bits = w.number<std::uint32_t>(w.word(), 16);
      break;
    case log_kind::out:
      e.result = w.one_of(log_sent, w.word());
      break;
    case log_kind::child:
    case log_kind::gone:
    case log_kind::settled:
      e.result = w.one_of(log_answers, w.word());
      break;
    case log_kind::reset:
      break;
    case log_kind::tick:
      for (std::uint32_t& n : e.counts) n = w.number<std::uint32_t>();
      if (!w.at_end()) {
        e.result = 1;
        w.good = w.good && w.word() == "later";
      }
      break;
    case log_kind::accept:
      e.result = w.one_of(log_accepted, w.word());
      if (!w.at_end()) e.key = w.key();
      break;
    case log_kind::shutdown:
      e.result = w.one_of(log_shut, w.word());
      [[fallthrough]];
    case log_kind::close:
      e.counts[0] = w.number<std::uint32_t>();
      e.counts[1] = w.number<std::uint32_t>();
      break;
    case log_kind::set:
      e.result = w.one_of(log_set, w.word());
      break;
    case log_kind::icmp:
      e.result = w.one_of(log_icmp, w.word());
      break;
  }
  return w.good && w.at_end() ? std::optional(e) : std::nullopt;
}

}  // namespace listenq::testing
