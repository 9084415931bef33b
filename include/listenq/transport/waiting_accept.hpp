// SPDX-License-Identifier: BSL-1.0
// Waiting for accept(): callers who block until a connection comes, a time has passed, or the listener closes. Who has
// waited longest is served first, and each connection wakes exactly one of them: Linux's exclusive wait in
// inet_csk_wait_for_connect (measured on 6.18.44: four threads, four connections, in order). Nobody who comes later
// overtakes, and nobody is woken in vain.
//
//   transport                     what waits                      with what
//   in_memory                     a callback, or the simulation   `virtual_acceptor`
//   loopback, udp_tunnel, tun     a thread                        `threaded_acceptor`
//   udp_tunnel with Asio          a coroutine                     udp_acceptor.hpp
//
// A time that has passed is `would_block`, as with SO_RCVTIMEO (EAGAIN); a listener that does not listen, or no longer
// does, is `not_listening` (EINVAL). It waits for connections only: who drives the listener is the caller's business.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <listenq/outcome.hpp>
#include <listenq/time.hpp>
#include <mutex>
#include <optional>
#include <utility>

namespace listenq {

/// Wait for ever; wait not at all.
inline constexpr duration no_limit = -1;
inline constexpr duration at_once = 0;

/// For threads. Everything that touches the listener goes through `with`, from whatever thread; `accept` may be called
/// from many at a time.
template <class Listener>
class threaded_acceptor {
 public:
  using accepted = typename Listener::accepted_connection;

  /// The listener must outlive it, and nobody may wait when it is destroyed.
  explicit threaded_acceptor(Listener& l) noexcept : listener_(l) {}
  threaded_acceptor(const threaded_acceptor&) = delete;
  threaded_acceptor& operator=(const threaded_acceptor&) = delete;

  /// Calls `f(listener)` while nobody else can and yields what it yields; then those who wait get what has come.
  /// `f` must not call back.
  template <class F>
  auto with(F&& f) {
    const std::lock_guard lock{mutex_};
    const serving after{*this};
    return std::forward<F>(f)(listener_);
  }

  /// The connection that finished first, waiting `timeout` µs for it at the most, below 0 for ever. O(1).
  accepted accept(duration timeout = no_limit) {
    std::unique_lock lock{mutex_};
    // Where somebody waits, nothing is there to be taken.
    if (accepted a = listener_.accept(); a.status != accept_status::would_block || timeout == at_once) return a;
    const auto me = line_.emplace(line_.end());
    const auto served = [&me] { return me->got.has_value(); };
    if (timeout < 0) {
      me->wake.wait(lock, served);
    } else {
      me->wake.wait_for(lock, std::chrono::microseconds{timeout < longest ? timeout : longest}, served);
    }
    const accepted a = me->got.value_or(accepted{});
    line_.erase(me);
    return a;
  }

  /// How many callers wait now.
  std::size_t waiting() const {
    const std::lock_guard lock{mutex_};
    std::size_t n = 0;
    for (const waiter& w : line_) n += w.got ? 0U : 1U;
    return n;
  }
  /// Callers that were woken so far, by a connection or by a close.
  std::size_t wakeups() const {
    const std::lock_guard lock{mutex_};
    return wakeups_;
  }

 private:
  struct waiter {
    std::condition_variable wake;
    std::optional<accepted> got;
  };
  struct serving {
    threaded_acceptor& of;
    ~serving() { of.serve(); }
  };
  static constexpr duration longest = duration{365} * 86400 * second;

  void serve() {
    for (waiter& w : line_) {
      if (w.got) continue;
      if (listener_.listening() && listener_.accept_count() == 0) return;
      w.got = listener_.accept();
      ++wakeups_;
      w.wake.notify_one();
    }
  }

  Listener& listener_;
  mutable std::mutex mutex_;
  std::list<waiter> line_;
  std::size_t wakeups_ = 0;
};

/// For a virtual clock: who waits is a callback, which is called exactly once. `Clock` is a `basic_network` or a
/// `virtual_clock`. At one instant segments come before timers, so a connection that comes when the time is up counts.
template <class Listener, class Clock>
class virtual_acceptor {
 public:
  using accepted = typename Listener::accepted_connection;
  using callback = std::function<void(const accepted&)>;

  /// Both must outlive it. Who still waits when it is destroyed is not called.
  virtual_acceptor(Listener& l, Clock& c) noexcept : listener_(l), clock_(c) {}
  virtual_acceptor(const virtual_acceptor&) = delete;
  virtual_acceptor& operator=(const virtual_acceptor&) = delete;
  ~virtual_acceptor() {
    for (const waiter& w : line_) clock_.cancel(w.timer);
  }

  /// Calls `f` with the connection that finished first: now, if there is one, else after at most `timeout` µs, below 0
  /// whenever one comes.
  void accept(duration timeout, callback f) { wait(timeout, std::move(f)); }

  /// The same as a call that blocks: the network runs on meanwhile. `would_block` also if nothing can ever come,
  /// because the network is idle.
  accepted accept(duration timeout = no_limit) requires requires(Clock& c) { c.step(); }
  {
    std::optional<accepted> got;
    const auto me = wait(timeout, [&got](const accepted& a) { got = a; });
    while (!got && clock_.step()) {
    }
    if (!got) leave(me);
    return got.value_or(accepted{});
  }

  /// To be called whenever the listener has taken segments, let time pass, or closed: those who wait get what has come.
  void serve() {
    while (!line_.empty() && (!listener_.listening() || listener_.accept_count() > 0)) {
      const accepted a = listener_.accept(clock_.now());
      ++wakeups_;
      leave(line_.begin())(a);
    }
  }

  /// As those of `threaded_acceptor`.
  std::size_t waiting() const noexcept { return line_.size(); }
  std::size_t wakeups() const noexcept { return wakeups_; }

 private:
  using timer_id = decltype(std::declval<Clock&>().at(instant{}, std::function<void()>{}));
  struct waiter {
    callback f;
    timer_id timer{};
  };
  using place = typename std::list<waiter>::iterator;

  place wait(duration timeout, callback f) {
    const accepted a = listener_.accept(clock_.now());
    if (a.status != accept_status::would_block || timeout == at_once) {
      f(a);
      return line_.end();
    }
    const auto me = line_.insert(line_.end(), {std::move(f), {}});
    if (timeout > 0) me->timer = clock_.at(after(clock_.now(), timeout), [this, me] { leave(me)(accepted{}); });
    return me;
  }
  callback leave(place me) {
    callback f = std::move(me->f);
    clock_.cancel(me->timer);
    line_.erase(me);
    return f;
  }

  Listener& listener_;
  Clock& clock_;
  std::list<waiter> line_;
  std::size_t wakeups_ = 0;
};

}  // namespace listenq
