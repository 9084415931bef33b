// SPDX-License-Identifier: BSL-1.0
// listener.hpp: time that comes with every call, numbers of a listen() that fails, policies that are passed by value.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using plain = with<preset::linux_6_18, cookies<no_cookies>>;
using opening = with<plain, fast_open<linux_fast_open<>>>;

std::vector<std::vector<std::uint32_t>> hashed;
struct spy_hash {
  static std::uint64_t hash(const std::uint32_t* words, std::size_t count) noexcept {
    hashed.emplace_back(words, words + count);
    return 5;
  }
};

}  // namespace

// --- time -----------------------------------------------------------------------------------------------------------

// A call that drops its time leaves the next SYN's deadline in the past.
TEST_CASE("listen, accept, close and child_settled move time on") {
  const auto deadline_of_a_syn_at_once = [](auto& s) {
    s.now = 0;
    s.syn(0);
    return *s.listener.next_deadline();
  };
  script<plain> listens{3};
  listens.listener.listen(3, at(10));
  CHECK(deadline_of_a_syn_at_once(listens) == at(11));
  script<plain> accepts{3};
  accepts.listener.accept(at(20));
  CHECK(deadline_of_a_syn_at_once(accepts) == at(21));
  script<plain> closes{3};
  closes.listener.close(closes.out, at(30));
  closes.listener.listen(3, 0);
  CHECK(deadline_of_a_syn_at_once(closes) == at(31));
  script<opening> settles{3};
  settles.listener.child_settled(test::tuple(9), fast_open_end::finished, at(40));
  CHECK(deadline_of_a_syn_at_once(settles) == at(41));
}

// --- listen ---------------------------------------------------------------------------------------------------------

TEST_CASE("a listen() without room says how much it needs: one of each at least") {
  using nobody = with<plain, sizing<pipeline<exactly<0>>>, waiting<exactly_backlog>, storage<caller_memory>>;
  nobody none{caller_memory{nullptr, 0}};
  const listen_result r = none.listen(0);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.needed == 1);
  CHECK(r.have == 0);
  using two = with<plain, sizing<pipeline<exactly<2>>>, storage<caller_memory>>;
  two needs_two{caller_memory{nullptr, 0}};
  CHECK(needs_two.listen(0).needed == 2);
}

// The memory of the caller is divided before any of it is taken: a listen() that fails says what there would have been.
TEST_CASE("a listen() without room for one of both queues names the requests, and takes no memory") {
  constexpr std::size_t request = plain::bytes_per_request, connection = 16;  // four-tuple and mark
  alignas(16) std::byte block[3 * request + 3 * connection];
  const auto listened = [&block]<class L>(L, std::size_t bytes, int backlog) {
    L l{caller_memory{block, bytes}};
    const listen_result r = l.listen(backlog);
    CHECK(l.listening() == static_cast<bool>(r));
    return r;
  };
  const auto fails = [](const listen_result& r, std::uint64_t needed, std::uint64_t have) {
    return r.status == listen_status::storage_too_small && r.needed == needed && r.have == have;
  };
  using one = with<plain, sizing<pipeline<exactly<1>>>, waiting<exactly_backlog>, storage<caller_memory>>;
  using three = with<one, sizing<pipeline<exactly<3>>>>;
  using none = with<one, sizing<pipeline<exactly<0>>>>;
  CHECK(fails(listened(one{}, 0, 5), 1, 0));
  CHECK(fails(listened(one{}, request, 5), 1, 0));  // the connections have no room, so the requests have none
  CHECK(fails(listened(three{}, 2 * request + connection, 1), 3, 2));
  // Where nobody may wait or begin, there is a place for one all the same.
  CHECK(fails(listened(none{}, connection, 1), 1, 0));
  CHECK(fails(listened(one{}, request, 0), 1, 0));
  CHECK(listened(one{}, request + connection, 0));
  with<plain, sizing<pipeline<exactly<0>>>, waiting<exactly_backlog>, storage<fixed<1, 1>>> least;
  CHECK(least.listen(0));
}

namespace {

// Promises more than it gives.
struct overcommitted {
  template <class T, stored Role>
  struct array : fixed<8>::array<T, Role> {
    static constexpr std::size_t most(const overcommitted&) noexcept { return 100; }
    static constexpr std::size_t capacity() noexcept { return Role == stored::requests ? 0 : 8; }
    static constexpr bool reserve(std::size_t n, overcommitted&) noexcept {
      return Role == stored::connections && n <= 8;
    }
  };
};

}  // namespace

// new (std::nothrow) that fails; a listener that goes on has a table without buckets.
TEST_CASE("memory that was promised for requests and is not there: listen() fails by name") {
  with<plain, storage<overcommitted>> l;
  const listen_result r = l.listen(3);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.needed == 4);
  CHECK(r.have == 0);
  CHECK(!l.listening());
}

namespace {

// Would take any number for what it has room for, as a machine with 2^32 cells would.
struct boundless {
  template <class T, stored Role>
  struct array : fixed<64>::array<T, Role> {
    static constexpr std::size_t most(const boundless&) noexcept { return 0xffffffffU; }
    static constexpr bool reserve(std::size_t n, boundless&) noexcept { return n <= 64; }
  };
};
// All the requests that can be numbered.
struct as_many_as_there_are {
  static constexpr bool once = false;
  static constexpr std::uint32_t limit(std::uint32_t, const tunable_source auto&) noexcept { return 0xffffffffU; }
};

}  // namespace

// The cells to spare added in 32 bits: room for seven would do for 2^32 - 1.
TEST_CASE("so many requests that no cell can be spared are asked for as they are") {
  with<plain, storage<boundless>, sizing<as_many_as_there_are>> l;
  const listen_result r = l.listen(3);
  CHECK(r.status == listen_status::storage_too_small);
  CHECK(r.needed == 0xffffffffU);
  CHECK(!l.listening());
}

// The number is the same, and yet as many requests as before do not fit.
TEST_CASE("listen() again: a limit that a tunable has changed is a change") {
  with<plain, sizing<pipeline<at_most<tunable::max_syn_backlog>>>> l;
  l.set(tunable::max_syn_backlog, 8);
  CHECK(l.listen(20).effect == listen_effect::started);
  CHECK(l.listen(20).effect == listen_effect::none);
  l.set(tunable::max_syn_backlog, 16);
  CHECK(l.listen(20).effect == listen_effect::backlog_changed);
  CHECK(l.request_limit() == 16);
}

namespace {

struct listening_budget {
  [[maybe_unused]] static constexpr const char* name = "listening_budget";
  std::uint32_t limit = 0;
  std::uint64_t seed = 0;
  constexpr bool listens(std::uint32_t l, std::uint64_t s) noexcept {
    limit = l, seed = s;
    return true;
  }
  template <addressing A>
  static constexpr bool allows(const basic_four_tuple<A>&) noexcept {
    return true;
  }
  template <addressing A>
  static constexpr void entered(const basic_four_tuple<A>&) noexcept {}
  template <addressing A>
  static constexpr void left(const basic_four_tuple<A>&, departure) noexcept {}
};

}  // namespace

// Two words are random numbers, three and more are peers: one is nobody's.
TEST_CASE("a budget's seed is the hash of one word") {
  hashed.clear();
  using l = with<plain, hashing<spy_hash>, budget<listening_budget>,
                 admission<in_order<gates::known_request, gates::budget, gates::request_queue>>>;
  script<l> s{3};
  REQUIRE(hashed.size() == 1);
  CHECK(hashed[0] == std::vector<std::uint32_t>{0});
  CHECK(s.listener.budget().seed == 5);
  CHECK(s.listener.budget().limit == s.listener.request_limit());
}

namespace {

std::vector<std::uint32_t> left_over;
struct watches_left_over {
  [[maybe_unused]] static constexpr const char* name = "watches_left_over";
  static void on_left_over(instant, std::uint32_t n) noexcept { left_over.push_back(n); }
};

}  // namespace

TEST_CASE("an observer hears of requests that a listen() found left over, if there are any") {
  left_over.clear();
  script<with<plain, observer<watches_left_over>>> s{3};
  s.listener.close(s.out, 0);
  s.listener.listen(3, 0);
  CHECK(left_over.empty());
  s.syn(0), s.syn(1);
  s.listener.close(s.out, 0);
  s.listener.listen(3, 0);
  CHECK(left_over == std::vector<std::uint32_t>{2});
}

TEST_CASE("shutdown says that it has worked, and what it has ended") {
  script<plain> s{3};
  s.connect(0, 0);
  const shutdown_result r = s.listener.shutdown(shutdown_how::read, s.out, 0);
  CHECK(r.status == shutdown_status::ok);
  CHECK(r.closed.children == 1);
  CHECK(s.listener.lost_to_neighbours() == 0);
}

TEST_CASE("shutdown keeps requests for the next listen() only where they were left to their timer") {
  script<with<plain, closing<leave_to_timer>>> keeps{3};
  keeps.syn(0);
  keeps.listener.shutdown(shutdown_how::read, keeps.out, 0);
  keeps.listener.listen(3, 0);
  CHECK(keeps.waits(0));
  script<with<plain, closing<abort_requests>>> aborts{3};
  aborts.syn(0);
  aborts.listener.shutdown(shutdown_how::read, aborts.out, 0);
  aborts.listener.listen(3, 0);
  CHECK(!aborts.waits(0));
}

// --- policies by value
// ------------------------------------------------------------------------------------------------

namespace {

struct says {
  syn_answer at_requests = syn_answer::admit;
  constexpr syn_answer on_request_full(const overflow_facts&) const noexcept { return at_requests; }
};
struct says_too {
  syn_answer at_accept = syn_answer::admit;
  constexpr syn_answer on_accept_full(const overflow_facts&) const noexcept { return at_accept; }
};

}  // namespace

TEST_CASE("the answers at full queues, and counters that go on, can be passed by value") {
  using l = with<plain, request_full<says>, accept_full_at_syn<says_too>, sizing<pipeline<exactly<1>>>>;
  linux_counters<linux_era::v6_18> before;
  before.count(outcome{verdict::promoted});
  script<l> s{0, l{says_too{syn_answer::reset}, says{syn_answer::reset}, before}};
  CHECK(s.listener.counters().passive_opens == 1);
  s.syn(0);
  CHECK(s.syn(1) == verdict::reset_request_full);
  s.ack(0);
  CHECK(s.syn(1) == verdict::reset_accept_full);
}

// --- fast open
// ----------------------------------------------------------------------------------------------------------

namespace {

script<opening> opens(int backlog, std::uint32_t bits, std::uint32_t qlen) {
  script<opening> s{backlog};
  s.listener.set(tunable::fastopen, bits);
  s.listener.set(tunable::fastopen_qlen, qlen);
  return s;
}
fast_open_option cookie_for(script<opening>& s, const segment& syn) {
  segment asks = syn;
  asks.options.fast_open = fast_open_option::request();
  s.receive(asks);
  return s.out.last().options.fast_open;
}

}  // namespace

TEST_CASE("a fast-open cookie is for two addresses, whatever the ports") {
  auto s = opens(9, 2, 9);
  const segment syn = s.segment(0, {.flags = flag::syn});
  const fast_open_option cookie = cookie_for(s, syn);
  REQUIRE(cookie.has_cookie());
  segment other_port = syn;
  ++other_port.source.port;
  CHECK(cookie_for(s, other_port) == cookie);
  segment other_server = syn;
  ++other_server.destination.address.value;
  CHECK(!(cookie_for(s, other_server) == cookie));
  segment other_peer = syn;
  ++other_peer.source.address.value;
  CHECK(!(cookie_for(s, other_peer) == cookie));
}

TEST_CASE("the backlog bounds fast open where no bound is set, and only data open without an option") {
  auto s = opens(2, 0x602, 0);
  CHECK(s.send(0, {.flags = flag::syn}) == verdict::admitted);
  CHECK(s.send(1, {.flags = flag::syn, .bytes = 5}) == verdict::fast_opened);
  CHECK(s.send(2, {.flags = flag::syn, .bytes = 5}) == verdict::fast_opened);
  CHECK(s.send(3, {.flags = flag::syn, .bytes = 5}) == verdict::admitted);
  CHECK(s.last.stages.has(stage::fast_open_full));
}

TEST_CASE("a full accept queue: the stack is not asked for a fast-open child, and the outcome says why") {
  using lets_through = with<opening, accept_full_at_syn<admit>>;
  script<lets_through> s{0};
  s.listener.set(tunable::fastopen, 0x202);
  s.listener.set(tunable::fastopen_qlen, 9);
  s.connect(0, 0);
  const std::size_t children = s.out.children;
  s.send(1, {.flags = flag::syn, .bytes = 5});
  CHECK(s.out.children == children);
  CHECK(s.last.stages.has(stage::accept_full));
  CHECK(!s.last.stages.has(stage::child_refused));
}
