// SPDX-License-Identifier: BSL-1.0
// recording: a listener whose every call is written to an event log. It is called as the listener is, and passes on
// what goes in and what comes out; what it tells is enough to replay (replay.hpp). It keeps nothing but the entries of
// the call that is under way.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/testing/event_log.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace listenq::testing {

/// A listener that can be logged: IPv4, with the four-tuple or the record of the handshake as its handle.
template <class L>
concept loggable = std::same_as<typename L::segment_type, segment> &&
    (std::same_as<typename L::handle_type, four_tuple> || std::same_as<typename L::handle_type, handshake>);

/// Refers to a listener that must outlive it. Entries go to `to`, each call's after the call, its cause first; an empty
/// `to` costs a test of it. What is not told: rotated keys, and whatever the listener is asked and does not change.
template <loggable L>
class recording {
 public:
  using log_function = std::function<void(const log_entry&)>;
  using handle_type = typename L::handle_type;

  recording(L& door, log_function to) : door_(door), to_(std::move(to)) {}

  listen_result listen(int backlog, instant now = 0) {
    const listen_result r = door_.listen(backlog, now);
    log_entry e = entry(log_kind::listen, now, static_cast<std::uint8_t>(r.status));
    e.what = static_cast<std::uint32_t>(backlog);
    tell(e);
    return r;
  }
  auto accept(instant now = 0) {
    const auto r = door_.accept(now);
    log_entry e = entry(log_kind::accept, now, static_cast<std::uint8_t>(r.status));
    if (r.status == accept_status::ok || r.status == accept_status::aborted) e.key = log_key(r.handle);
    tell(e);
    return r;
  }
  bool child_gone(const handle_type& handle, instant now = 0) {
    const bool r = door_.child_gone(handle);
    log_entry e = entry(log_kind::gone, now, r ? 1 : 0);
    e.key = log_key(handle);
    tell(e);
    return r;
  }
  bool child_settled(const handle_type& handle, fast_open_end how, instant now = 0) requires requires(L& l) {
    l.child_settled(handle, how, now);
  }
  {
    const bool r = door_.child_settled(handle, how, now);
    log_entry e = entry(log_kind::settled, now, r ? 1 : 0);
    e.key = log_key(handle);
    e.what = static_cast<std::uint32_t>(how);
    tell(e);
    return r;
  }
  template <class Sink>
  close_summary close(Sink& out, instant now = 0) {
    tap<Sink> through{*this, out, now};
    const close_summary r = door_.close(through, now);
    log_entry e = entry(log_kind::close, now);
    e.counts = {r.children, r.requests, 0};
    tell(e);
    return r;
  }
  template <class Sink>
  shutdown_result shutdown(shutdown_how how, Sink& out, instant now = 0) {
    tap<Sink> through{*this, out, now};
    const shutdown_result r = door_.shutdown(how, through, now);
    log_entry e = entry(log_kind::shutdown, now, static_cast<std::uint8_t>(r.status));
    e.what = static_cast<std::uint32_t>(how);
    e.counts = {r.closed.children, r.closed.requests, 0};
    tell(e);
    return r;
  }
  set_status set(tunable t, std::uint32_t value, instant now = 0) {
    const set_status r = door_.set(t, value, now);
    log_entry e = entry(log_kind::set, now, static_cast<std::uint8_t>(r));
    e.what = static_cast<std::uint32_t>(t);
    e.value = value;
    tell(e);
    return r;
  }
  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out, const arrival& facts = {}) {
    tap<Sink> through{*this, out, now};
    const outcome r = door_.receive(s, now, through, facts);
    log_entry e = entry(log_kind::in, now, static_cast<std::uint8_t>(r.verdict));
    e.segment = without_bytes(s);
    e.facts = facts;
    e.stages = r.stages;
    tell(e);
    return r;
  }
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now,
                           icmp_error error = icmp_error::host_unreachable) {
    const icmp_verdict r = door_.unreachable(key, seq, now, error);
    log_entry e = entry(log_kind::icmp, now, static_cast<std::uint8_t>(r));
    e.key = key;
    e.value = seq;
    e.what = static_cast<std::uint32_t>(error);
    tell(e);
    return r;
  }
  template <class Sink>
  tick_summary tick(instant now, Sink& out) {
    tap<Sink> through{*this, out, now};
    const tick_summary r = door_.tick(now, through);
    log_entry e = entry(log_kind::tick, now, r.later ? 1 : 0);
    e.counts = {r.timers, r.resent, r.forgotten};
    tell(e);
    return r;
  }

 private:
  /// What the listener sends into: passes on, and notes the answer.
  template <class Sink>
  struct tap {
    recording& in;
    Sink& out;
    instant now;

    send_result send(const segment& s) {
      const send_result r = out.send(s);
      if (in.to_) {
        log_entry e = entry(log_kind::out, now, static_cast<std::uint8_t>(r));
        e.segment = without_bytes(s);
        in.outputs_.push_back(e);
      }
      return r;
    }
    bool make_child(const handshake& h, const segment& s) {
      bool r = true;
      if constexpr (requires { out.make_child(h, s); }) r = out.make_child(h, s);
      note(log_kind::child, h.key, r ? 1 : 0);
      return r;
    }
    void reset_child(const handle_type& h) {
      if constexpr (requires { out.reset_child(h); }) out.reset_child(h);
      note(log_kind::reset, log_key(h), 0);
    }
    void note(log_kind k, const four_tuple& key, std::uint8_t result) {
      if (!in.to_) return;
      log_entry e = entry(k, now, result);
      e.key = key;
      in.outputs_.push_back(e);
    }
  };

  static log_entry entry(log_kind k, instant at, std::uint8_t result = 0) {
    log_entry e;
    e.kind = k;
    e.decided = true;
    e.result = result;
    e.at = at;
    return e;
  }
  static segment without_bytes(segment s) {
    s.payload.data = nullptr;
    return s;
  }
  void tell(const log_entry& cause) {
    if (!to_) return;
    to_(cause);
    for (const log_entry& e : outputs_) to_(e);
    outputs_.clear();
  }

  L& door_;
  log_function to_;
  std::vector<log_entry> outputs_{};
};

}  // namespace listenq::testing
