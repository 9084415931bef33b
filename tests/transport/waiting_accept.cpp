// SPDX-License-Identifier: BSL-1.0
// transport/waiting_accept.hpp: who gets a connection, who wakes, and when it is too late.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <listenq/listenq.hpp>
#include <listenq/transport/in_memory.hpp>
#include <listenq/transport/waiting_accept.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using door = listener<>;
using accepted = door::accepted_connection;

int peer_of(const accepted& a) { return a.handle.peer_port - test::first_port; }

/// A server in a network, to which clients connect at given times; a millisecond each way.
struct world {
  network net{};
  network::port server{};
  std::vector<network::port> clients{};
  door l{};
  test::recorder<> out{};
  virtual_acceptor<door, network> acceptor{l, net};
  network::wake timer{net, [this] { turn(); }};

  explicit world(int backlog = 8) {
    net.add_host(ip(10, 0, 0, 1)), net.add_host(ip(10, 0, 0, 2));
    net.set_default_link({.delay = millisecond});
    server = net.bind(ip(10, 0, 0, 1), test::server_port).port;
    server.on_arrival([this] { turn(); });
    l.listen(backlog);
  }
  void turn() {
    while (const auto s = server.receive()) l.receive(*s, net.now(), server);
    l.tick(net.now(), server);
    timer.set(l.next_deadline());
    acceptor.serve();
  }
  /// SYN at `when`; the handshake is finished three milliseconds later.
  void connect(int peer, instant when) {
    clients.push_back(net.bind(ip(10, 0, 0, 2), static_cast<std::uint16_t>(test::first_port + peer)).port);
    const std::size_t i = clients.size() - 1;
    net.at(when, [this, i, peer] { clients[i].send(from(peer, flag::syn, 1, 0)); });
    clients[i].on_arrival([this, i, peer] {
      while (const auto s = clients[i].receive()) {
        if (s->flags.has(flag::syn)) clients[i].send(from(peer, flag::ack, 2, s->seq + 1));
      }
    });
  }
  static segment from(int peer, flags f, seq_number seq, seq_number ack) {
    return {test::tuple(peer).peer(), test::tuple(peer).local(), seq, ack, f};
  }
};

}  // namespace

// --- in virtual time

TEST_CASE("accept returns at the first connection, at its instant and not later") {
  world w;
  w.connect(3, at(0.5));
  const accepted a = w.acceptor.accept(2 * second);
  CHECK(a.status == accept_status::ok);
  CHECK(peer_of(a) == 3);
  CHECK(w.net.now() == at(0.503));
  CHECK(w.acceptor.waiting() == 0);
}

TEST_CASE("accept returns at its timeout, and leaves the connection that comes after it to the next") {
  world w;
  w.connect(3, at(0.5));
  CHECK(w.acceptor.accept(500 * millisecond).status == accept_status::would_block);
  CHECK(w.net.now() == at(0.5));
  CHECK(w.acceptor.waiting() == 0);
  w.net.run_until(at(1));
  CHECK(w.l.accept_count() == 1);
  CHECK(peer_of(w.acceptor.accept(at_once)) == 3);
  CHECK(w.acceptor.accept(at_once).status == accept_status::would_block);
  CHECK(w.acceptor.wakeups() == 0);
}

// Deliveries come before timers at one instant; a timer that went first would lose the connection.
TEST_CASE("a connection that comes at the very instant of the timeout counts") {
  world w;
  w.connect(3, at(0.5));
  CHECK(w.acceptor.accept(503 * millisecond).status == accept_status::ok);
}

TEST_CASE("each connection wakes one, the one who has waited longest") {
  world w;
  std::vector<std::pair<char, int>> got;
  for (const char who : std::string{"abc"}) {
    w.acceptor.accept(no_limit, [&got, who](const accepted& a) { got.emplace_back(who, peer_of(a)); });
  }
  CHECK(w.acceptor.waiting() == 3);
  w.connect(1, at(0.1)), w.connect(2, at(0.2));
  w.net.run_until(at(1));
  CHECK(got == std::vector<std::pair<char, int>>{{'a', 1}, {'b', 2}});
  CHECK(w.acceptor.waiting() == 1);
  CHECK(w.acceptor.wakeups() == 2);
  CHECK(w.l.accept_count() == 0);
}

TEST_CASE("who gives up leaves the line, and the others keep their order") {
  world w;
  std::string got;
  w.acceptor.accept(no_limit, [&got](const accepted&) { got += 'a'; });
  w.acceptor.accept(50 * millisecond, [&got](const accepted& a) { got += a ? '?' : 'b'; });
  w.acceptor.accept(no_limit, [&got](const accepted&) { got += 'c'; });
  w.connect(1, at(0.1)), w.connect(2, at(0.2)), w.connect(3, at(0.3));
  w.net.run_until(at(1));
  CHECK(got == "bac");
  CHECK(w.l.accept_count() == 1);
}

TEST_CASE("who is served may wait again, and stands last then") {
  world w;
  std::string got;
  std::function<void(const accepted&)> a = [&](const accepted& c) {
    got += 'a';
    if (c) w.acceptor.accept(no_limit, a);
  };
  w.acceptor.accept(no_limit, a);
  w.acceptor.accept(no_limit, [&got](const accepted&) { got += 'b'; });
  for (int i = 0; i < 4; ++i) w.connect(i, at(0.1 * (i + 1)));
  w.net.run_until(at(1));
  CHECK(got == "abaa");
}

// EINVAL for everybody, not only for the first.
TEST_CASE("a close wakes all who wait: not_listening") {
  world w;
  std::vector<accept_status> got;
  for (int i = 0; i < 3; ++i) {
    w.acceptor.accept(i == 1 ? second : no_limit, [&got](const accepted& a) { got.push_back(a.status); });
  }
  w.l.close(w.out);
  w.acceptor.serve();
  CHECK(got == std::vector<accept_status>(3, accept_status::not_listening));
  w.net.run_until(at(5));
  CHECK(got.size() == 3);  // the timeout of one who has gone calls nobody
  CHECK(w.acceptor.accept(second).status == accept_status::not_listening);
}

TEST_CASE("where nothing can ever come, a wait without limit ends") {
  world w;
  CHECK(w.acceptor.accept(no_limit).status == accept_status::would_block);
  CHECK(w.acceptor.waiting() == 0);
}

TEST_CASE("who waits when the acceptor goes is not called") {
  world w;
  int called = 0;
  {
    virtual_acceptor<door, network> gone{w.l, w.net};
    gone.accept(second, [&called](const accepted&) { ++called; });
  }
  w.net.run_until(at(2));
  CHECK(called == 0);
}

// --- with threads

namespace {

struct threads_world {
  script<door> s;
  threaded_acceptor<door> acceptor;
  explicit threads_world(int backlog = 64) : s{backlog}, acceptor{s.listener} {}
  /// A whole handshake, in two steps of the listener.
  void connect(int peer) {
    acceptor.with([&](door&) { s.syn(peer); });
    acceptor.with([&](door&) { s.ack(peer); });
  }
  void until_waiting(std::size_t n) const {
    while (acceptor.waiting() != n) std::this_thread::yield();
  }
};

}  // namespace

TEST_CASE("threads: at_once does not wait, and takes what is there") {
  threads_world w;
  CHECK(w.acceptor.accept(at_once).status == accept_status::would_block);
  w.connect(5);
  CHECK(peer_of(w.acceptor.accept(at_once)) == 5);
  CHECK(w.acceptor.wakeups() == 0);
  CHECK(w.acceptor.with([](door& l) { return l.backlog(); }) == 64);
}

TEST_CASE("threads: when the time is up accept returns, and has left the line") {
  threads_world w;
  CHECK(w.acceptor.accept(1).status == accept_status::would_block);
  CHECK(w.acceptor.waiting() == 0);
  w.connect(5);
  CHECK(w.acceptor.wakeups() == 0);
  CHECK(w.acceptor.accept(1).status == accept_status::ok);
}

// Measured on 6.18.44: 0 1 2 3.
TEST_CASE("threads: connections go to those who wait in the order in which they came, one each") {
  threads_world w;
  constexpr int n = 4;
  std::vector<int> got(n, -1);
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&w, &got, i] { got[static_cast<std::size_t>(i)] = peer_of(w.acceptor.accept()); });
    w.until_waiting(static_cast<std::size_t>(i) + 1);
  }
  for (int i = 0; i < n; ++i) w.connect(10 + i);
  for (std::thread& t : threads) t.join();
  CHECK(got == std::vector<int>{10, 11, 12, 13});
  CHECK(w.acceptor.wakeups() == n);
  CHECK(w.acceptor.with([](door& l) { return l.accept_count(); }) == 0);
}

TEST_CASE("threads: a longer wait than any clock can count is a wait for ever, not one for no time") {
  threads_world w;
  accepted a;
  std::thread t{[&] { a = w.acceptor.accept(std::numeric_limits<duration>::max()); }};
  w.until_waiting(1);
  w.connect(1);
  t.join();
  CHECK(a.status == accept_status::ok);
}

TEST_CASE("threads: a close ends every wait") {
  threads_world w;
  std::vector<accept_status> got(3);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 3; ++i) threads.emplace_back([&w, &got, i] { got[i] = w.acceptor.accept().status; });
  w.until_waiting(3);
  w.acceptor.with([&](door& l) { l.close(w.s.out); });
  for (std::thread& t : threads) t.join();
  CHECK(got == std::vector<accept_status>(3, accept_status::not_listening));
}

// Two wake-ups for one connection, one for two, or a connection handed out twice: the sums differ.
TEST_CASE("threads: many accept while many connect; every connection is accepted once") {
  threads_world w{200};
  constexpr int threads_of_each = 4;
  constexpr int each = 50;
  std::vector<int> seen(threads_of_each * each, 0);
  std::vector<std::vector<int>> got(threads_of_each);
  std::vector<std::thread> threads;
  for (int t = 0; t < threads_of_each; ++t) {
    threads.emplace_back([&w, &mine = got[static_cast<std::size_t>(t)]] {
      while (true) {
        const accepted a = w.acceptor.accept(mine.size() % 3 == 0 ? 1 : no_limit);
        if (a.status == accept_status::not_listening) return;
        if (a) mine.push_back(peer_of(a));
      }
    });
  }
  std::vector<std::thread> clients;
  for (int t = 0; t < threads_of_each; ++t) {
    clients.emplace_back([&w, t] {
      for (int i = 0; i < each; ++i) w.connect(t * each + i);
    });
  }
  for (std::thread& t : clients) t.join();
  while (w.acceptor.with([](door& l) { return l.accept_count(); }) > 0) std::this_thread::yield();
  w.acceptor.with([&](door& l) { l.close(w.s.out); });
  for (std::thread& t : threads) t.join();
  for (const auto& one : got) {
    for (const int peer : one) ++seen[static_cast<std::size_t>(peer)];
  }
  CHECK(std::count(seen.begin(), seen.end(), 1) == threads_of_each * each);
}
