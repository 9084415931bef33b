// SPDX-License-Identifier: BSL-1.0
// any_listener: a listener of any composition behind virtual functions, for tools that are to be compiled once and not
// for each composition: replay, rerun and recording take it like any other. A call costs a jump and nothing is
// constexpr, so it is for tools alone. IPv4, with the four-tuple as the handle.
#pragma once

#include <concepts>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/icmp.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <optional>
#include <utility>

namespace listenq::testing {

/// What a listener sends into, and the stack behind it.
class any_outlet {
 public:
  virtual ~any_outlet() = default;
  virtual send_result send(const segment& s) = 0;
  virtual bool make_child(const handshake& h, const segment& last) = 0;
  virtual void reset_child(const four_tuple& key) = 0;
};

/// The functions of a listener, each as there. What a composition does not have answers no: a tunable `not_tunable`,
/// `child_settled` without fast open false.
class any_listener {
 public:
  using segment_type = segment;
  using key_type = four_tuple;
  using handle_type = four_tuple;
  struct accepted_connection {
    accept_status status = accept_status::would_block;
    four_tuple handle{};
    explicit operator bool() const noexcept { return status == accept_status::ok; }
  };

  any_listener() = default;
  any_listener(const any_listener&) = delete;
  any_listener& operator=(const any_listener&) = delete;
  virtual ~any_listener() = default;

  virtual listen_result listen(int backlog, instant now) = 0;
  virtual accepted_connection accept(instant now) = 0;
  virtual bool child_gone(const four_tuple& key) = 0;
  virtual bool child_settled(const four_tuple& key, fast_open_end how, instant now) = 0;
  virtual set_status set(tunable t, std::uint32_t value, instant now) = 0;
  virtual std::uint32_t get(tunable t) const = 0;
  virtual icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error) = 0;
  virtual std::optional<instant> next_deadline() const = 0;
  virtual std::uint32_t backlog() const = 0;
  virtual std::uint32_t request_count() const = 0;
  virtual std::uint32_t young_count() const = 0;
  virtual std::uint32_t accept_count() const = 0;
  virtual std::uint32_t request_limit() const = 0;
  virtual bool request_full() const = 0;
  virtual bool accept_full() const = 0;

  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out, const arrival& facts = {}) {
    through<Sink> o{out};
    return do_receive(s, now, o, facts);
  }
  template <class Sink>
  tick_summary tick(instant now, Sink& out) {
    through<Sink> o{out};
    return do_tick(now, o);
  }
  template <class Sink>
  close_summary close(Sink& out, instant now) {
    through<Sink> o{out};
    return do_close(o, now);
  }
  template <class Sink>
  shutdown_result shutdown(shutdown_how how, Sink& out, instant now) {
    through<Sink> o{out};
    return do_shutdown(how, o, now);
  }

 protected:
  virtual outcome do_receive(const segment& s, instant now, any_outlet& out, const arrival& facts) = 0;
  virtual tick_summary do_tick(instant now, any_outlet& out) = 0;
  virtual close_summary do_close(any_outlet& out, instant now) = 0;
  virtual shutdown_result do_shutdown(shutdown_how how, any_outlet& out, instant now) = 0;

 private:
  template <class Sink>
  struct through final : any_outlet {
    explicit through(Sink& s) : to(s) {}
    send_result send(const segment& s) override { return to.send(s); }
    bool make_child(const handshake& h, const segment& last) override { return to.make_child(h, last); }
    void reset_child(const four_tuple& key) override { to.reset_child(key); }
    Sink& to;
  };
};

/// `L` as an `any_listener`, or as a `Base` that has more of them. The listener itself is `inner`.
template <class L, std::derived_from<any_listener> Base = any_listener>
requires std::same_as<typename L::segment_type, segment> && std::same_as<typename L::handle_type, four_tuple>
class listener_behind : public Base {
 public:
  using typename Base::accepted_connection;

  explicit listener_behind(L l) : inner(std::move(l)) {}
  /// Makes the listener of policy values.
  template <class... Values>
  explicit listener_behind(std::in_place_t, const Values&... values) : inner(values...) {}

  listen_result listen(int backlog, instant now) override { return inner.listen(backlog, now); }
  accepted_connection accept(instant now) override {
    const auto a = inner.accept(now);
    return {a.status, a.handle};
  }
  bool child_gone(const four_tuple& key) override { return inner.child_gone(key); }
  bool child_settled(const four_tuple& key, fast_open_end how, instant now) override {
    if constexpr (requires { inner.child_settled(key, how, now); }) {
      return inner.child_settled(key, how, now);
    } else {
      return false;
    }
  }
  set_status set(tunable t, std::uint32_t value, instant now) override { return inner.set(t, value, now); }
  std::uint32_t get(tunable t) const override { return inner.get(t); }
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error) override {
    return inner.unreachable(key, seq, now, error);
  }
  std::optional<instant> next_deadline() const override { return inner.next_deadline(); }
  std::uint32_t backlog() const override { return inner.backlog(); }
  std::uint32_t request_count() const override { return inner.request_count(); }
  std::uint32_t young_count() const override { return inner.young_count(); }
  std::uint32_t accept_count() const override { return inner.accept_count(); }
  std::uint32_t request_limit() const override { return inner.request_limit(); }
  bool request_full() const override { return inner.request_full(); }
  bool accept_full() const override { return inner.accept_full(); }

  L inner;

 protected:
  outcome do_receive(const segment& s, instant now, any_outlet& out, const arrival& facts) override {
    return inner.receive(s, now, out, facts);
  }
  tick_summary do_tick(instant now, any_outlet& out) override { return inner.tick(now, out); }
  close_summary do_close(any_outlet& out, instant now) override { return inner.close(out, now); }
  shutdown_result do_shutdown(shutdown_how how, any_outlet& out, instant now) override {
    return inner.shutdown(how, out, now);
  }
};

}  // namespace listenq::testing
