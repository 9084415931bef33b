// SPDX-License-Identifier: BSL-1.0
// replay: plays an event log to a listener, bit for bit, and reports the first entry that comes out differently. The
// listener must have the composition and the keys of the recorded one. What another composition makes of the same
// inputs is rerun.hpp's business.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/sink.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/event_log_text.hpp>
#include <listenq/testing/recording.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace listenq::testing {

/// Bytes to stand for a payload whose size alone is known.
inline byte_view blank_payload(std::size_t size) noexcept {
  static constexpr std::array<std::byte, 65535> zeros{};
  return {zeros.data(), size < zeros.size() ? size : zeros.size()};
}

/// The first entry that was not as recorded.
struct log_difference {
  std::size_t entry = 0;   ///< its index in the log
  std::string expected{};  ///< its line; empty if the listener did more than the log has
  std::string got{};       ///< empty if it did less
};

struct replay_report {
  std::size_t inputs = 0;  ///< that were played
  std::optional<log_difference> difference{};
  explicit operator bool() const noexcept { return !difference; }
};

/// Plays `log` until something differs. `door` is a listener that has not listened yet. Nothing is compared of a result
/// that the log does not know (a capture's), except what was sent.
template <loggable L>
replay_report replay(std::span<const log_entry> log, L& door) {
  struct scripted {
    std::span<const log_entry> outputs;
    std::size_t next_out = 0;
    std::size_t next_child = 0;
    const log_entry* take(log_kind k, std::size_t& from) {
      while (from < outputs.size() && outputs[from].kind != k) ++from;
      return from < outputs.size() ? &outputs[from++] : nullptr;
    }
    send_result send(const segment&) {
      const log_entry* e = take(log_kind::out, next_out);
      return e == nullptr ? send_result::sent : static_cast<send_result>(e->result);
    }
    bool make_child(const handshake&, const segment&) {
      const log_entry* e = take(log_kind::child, next_child);
      return e == nullptr || e->result != 0;
    }
    void reset_child(const typename L::handle_type&) {}
  };

  replay_report report;
  std::vector<log_entry> got;
  recording<L> tap(door, [&got](const log_entry& e) { got.push_back(e); });
  for (std::size_t i = 0; i < log.size();) {
    std::size_t end = i + 1;
    while (end < log.size() && log[end].is_output()) ++end;
    const log_entry& e = log[i];
    scripted out{log.subspan(i + 1, end - i - 1)};
    got.clear();
    switch (e.kind) {
      case log_kind::listen:
        tap.listen(static_cast<int>(e.what), e.at);
        break;
      case log_kind::in: {
        segment s = e.segment;
        s.payload = blank_payload(s.payload.size);
        tap.receive(s, e.at, out, e.facts);
        break;
      }
      case log_kind::tick:
        tap.tick(e.at, out);
        break;
      case log_kind::accept:
        tap.accept(e.at);
        break;
      case log_kind::close:
        tap.close(out, e.at);
        break;
      case log_kind::shutdown:
        tap.shutdown(static_cast<shutdown_how>(e.what), out, e.at);
        break;
      case log_kind::set:
        tap.set(static_cast<tunable>(e.what), e.value, e.at);
        break;
      case log_kind::gone:
      case log_kind::settled: {
        typename L::handle_type handle{};
        if constexpr (std::same_as<typename L::handle_type, four_tuple>) {
          handle = e.key;
        } else {
          handle.key = e.key;
          door.for_each_waiting([&](const typename L::handle_type& h) {
            if (log_key(h) == e.key) handle = h;
          });
        }
        if (e.kind == log_kind::gone) {
          tap.child_gone(handle, e.at);
        } else if constexpr (requires { tap.child_settled(handle, fast_open_end::gone, e.at); }) {
          tap.child_settled(handle, static_cast<fast_open_end>(e.what), e.at);
        }
        break;
      }
      case log_kind::icmp:
        tap.unreachable(e.key, e.value, e.at, static_cast<icmp_error>(e.what));
        break;
      case log_kind::out:
      case log_kind::child:
      case log_kind::reset:
        break;  // without a cause: the comparison says so
    }
    ++report.inputs;
    for (std::size_t k = 0; k < end - i || k < got.size(); ++k) {
      if (k < end - i && k < got.size()) {
        log_entry seen = got[k];
        if (!log[i + k].decided) {
          seen.decided = false;
          seen.result = 0;
          seen.stages = {};
        }
        if (seen == log[i + k]) continue;
      }
      report.difference = {i + k, k < end - i ? to_text(log[i + k]) : "", k < got.size() ? to_text(got[k]) : ""};
      return report;
    }
    i = end;
  }
  return report;
}

}  // namespace listenq::testing
