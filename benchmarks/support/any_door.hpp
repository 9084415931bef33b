// SPDX-License-Identifier: BSL-1.0
// A listener of any composition behind virtual functions, as far as `simulation` asks: the network, the hosts and the
// attackers are compiled once, not for each policy. What went into it can be played to another one of its kind, and
// what that takes is the listener's work alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/listener.hpp>
#include <listenq/testing/any_listener.hpp>
#include <listenq/testing/event_log.hpp>
#include <memory>
#include <optional>
#include <span>

namespace bench {

using namespace listenq;

/// What became of the segments, and the most that there was of everything.
struct played {
  std::array<std::uint64_t, verdict_count> verdicts{};
  std::uint64_t syns = 0;
  std::uint64_t segments = 0;
  std::size_t most_bytes = 0;  ///< of requests and waiting connections
};

class any_door {
 public:
  using segment_type = segment;
  using key_type = four_tuple;
  using handle_type = four_tuple;
  using request_type = request<ipv4>;
  using outlet = testing::any_outlet;
  struct accepted_connection {
    accept_status status = accept_status::would_block;
    four_tuple handle{};
  };

  virtual ~any_door() = default;
  virtual std::unique_ptr<any_door> another() const = 0;  ///< as it was before anything happened
  virtual std::size_t bytes_per_request() const = 0;
  virtual listen_result listen(int backlog, instant now) = 0;
  virtual outcome receive(const segment& s, instant now, outlet& out, const arrival& facts) = 0;
  virtual tick_summary tick(instant now, outlet& out) = 0;
  virtual accepted_connection accept(instant now) = 0;
  virtual bool child_gone(const four_tuple& key) = 0;
  virtual close_summary close(outlet& out, instant now) = 0;
  virtual set_status set(tunable t, std::uint32_t value, instant now) = 0;
  virtual std::optional<instant> next_deadline() const = 0;
  virtual bool listening() const = 0;
  virtual bool accept_full() const = 0;
  virtual std::uint32_t request_count() const = 0;
  virtual std::uint32_t young_count() const = 0;
  virtual std::uint32_t accept_count() const = 0;
  virtual std::uint32_t request_limit() const = 0;
  virtual void for_each_waiting(const std::function<void(const four_tuple&)>& f) const = 0;
  /// Plays what a log says went in, to a stack that takes everything.
  virtual void play(std::span<const testing::log_entry> inputs) = 0;
  virtual played watch(std::span<const testing::log_entry> inputs) = 0;
};

template <class L>
class door_of final : public any_door {
  using handle = typename L::handle_type;

 public:
  explicit door_of(const L& l) : inner(l), first_(l) {}

  std::unique_ptr<any_door> another() const override { return std::make_unique<door_of>(first_); }
  std::size_t bytes_per_request() const override { return L::bytes_per_request; }
  listen_result listen(int backlog, instant now) override { return inner.listen(backlog, now); }
  outcome receive(const segment& s, instant now, outlet& out, const arrival& facts) override {
    return inner.receive(s, now, out, facts);
  }
  tick_summary tick(instant now, outlet& out) override { return inner.tick(now, out); }
  accepted_connection accept(instant now) override {
    const auto a = inner.accept(now);
    return {a.status, testing::log_key(a.handle)};
  }
  bool child_gone(const four_tuple& key) override {
    std::optional<handle> found;
    inner.for_each_waiting([&](const handle& h) {
      if (testing::log_key(h) == key) found = h;
    });
    return found && inner.child_gone(*found);
  }
  close_summary close(outlet& out, instant now) override {
    struct by_key {
      outlet& to;
      send_result send(const segment& s) { return to.send(s); }
      void reset_child(const handle& h) { to.reset_child(testing::log_key(h)); }
    } by{out};
    return inner.close(by, now);
  }
  set_status set(tunable t, std::uint32_t value, instant now) override { return inner.set(t, value, now); }
  std::optional<instant> next_deadline() const override { return inner.next_deadline(); }
  bool listening() const override { return inner.listening(); }
  bool accept_full() const override { return inner.accept_full(); }
  std::uint32_t request_count() const override { return inner.request_count(); }
  std::uint32_t young_count() const override { return inner.young_count(); }
  std::uint32_t accept_count() const override { return inner.accept_count(); }
  std::uint32_t request_limit() const override { return inner.request_limit(); }
  void for_each_waiting(const std::function<void(const four_tuple&)>& f) const override {
    inner.for_each_waiting([&f](const handle& h) { f(testing::log_key(h)); });
  }

  void play(std::span<const testing::log_entry> inputs) override {
    taking out;
    for (const testing::log_entry& e : inputs) step(e, out);
  }
  played watch(std::span<const testing::log_entry> inputs) override {
    using waiting_entry = typename accept_queue<handle, at_listen>::entry;
    taking out;
    played p;
    for (const testing::log_entry& e : inputs) {
      const outcome o = step(e, out);
      p.most_bytes = std::max(
          p.most_bytes, inner.request_count() * L::bytes_per_request + inner.accept_count() * sizeof(waiting_entry));
      if (e.kind != testing::log_kind::in) continue;
      ++p.verdicts[static_cast<std::size_t>(o.verdict)];
      ++p.segments;
      p.syns += e.segment.flags.has(flag::syn) ? 1U : 0U;
    }
    return p;
  }

  L inner;

 private:
  struct taking final : outlet {
    send_result send(const segment&) override { return send_result::sent; }
    bool make_child(const handshake&, const segment&) override { return true; }
    void reset_child(const four_tuple&) override {}
  };
  outcome step(const testing::log_entry& e, outlet& out) {
    switch (e.kind) {
      case testing::log_kind::in:
        return inner.receive(e.segment, e.at, out, e.facts);
      case testing::log_kind::tick:
        inner.tick(e.at, out);
        break;
      case testing::log_kind::accept:
        inner.accept(e.at);
        break;
      case testing::log_kind::gone:
        child_gone(e.key);
        break;
      case testing::log_kind::listen:
        inner.listen(static_cast<int>(e.what), e.at);
        break;
      case testing::log_kind::close:
        close(out, e.at);
        break;
      default:
        break;
    }
    return {};
  }
  L first_;
};

/// As `simulation` holds it: a value.
class held_door {
 public:
  using segment_type = any_door::segment_type;
  using key_type = any_door::key_type;
  using handle_type = any_door::handle_type;
  using request_type = any_door::request_type;

  explicit held_door(any_door& d) : to_(&d) {}
  listen_result listen(int backlog, instant now) { return to_->listen(backlog, now); }
  auto accept(instant now) { return to_->accept(now); }
  bool child_gone(const four_tuple& key) { return to_->child_gone(key); }
  set_status set(tunable t, std::uint32_t value, instant now) { return to_->set(t, value, now); }
  std::optional<instant> next_deadline() const { return to_->next_deadline(); }
  bool listening() const { return to_->listening(); }
  bool accept_full() const { return to_->accept_full(); }
  std::uint32_t request_count() const { return to_->request_count(); }
  std::uint32_t young_count() const { return to_->young_count(); }
  std::uint32_t accept_count() const { return to_->accept_count(); }
  std::uint32_t request_limit() const { return to_->request_limit(); }
  static counter_values counters() { return {}; }
  /// Requests are not shown: whole states are looked at by the tests.
  static const request_type* find_request(const four_tuple&) { return nullptr; }
  template <class F>
  static void for_each_request(F&&) {}
  template <class F>
  void for_each_waiting(F&& f) const {
    to_->for_each_waiting(f);
  }

  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out, const arrival& facts) {
    through<Sink> o{out};
    return to_->receive(s, now, o, facts);
  }
  template <class Sink>
  tick_summary tick(instant now, Sink& out) {
    through<Sink> o{out};
    return to_->tick(now, o);
  }
  template <class Sink>
  close_summary close(Sink& out, instant now) {
    through<Sink> o{out};
    return to_->close(o, now);
  }

 private:
  template <class Sink>
  struct through final : any_door::outlet {
    explicit through(Sink& s) : to(s) {}
    send_result send(const segment& s) override { return to.send(s); }
    bool make_child(const handshake& h, const segment& last) override { return to.make_child(h, last); }
    void reset_child(const four_tuple& key) override { to.reset_child(key); }
    Sink& to;
  };
  any_door* to_;
};

}  // namespace bench
