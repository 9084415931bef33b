// SPDX-License-Identifier: BSL-1.0
// queue/compact_requests.hpp: what a request of 32 bytes keeps, what time looks like in 28 bits, and what stands in
// for a pointer to a request. How a queue behaves with this layout otherwise, request_queue.cpp says.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/compact.hpp>
#include <listenq/mirror.hpp>
#include <listenq/queue/request_queue.hpp>
#include <random>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/script.hpp"

using namespace listenq;

namespace {

template <addressing A, class Storage = at_listen>
using compact_queue = request_queue<A, exact<>, 4, detail::one_line, Storage, detail::compact_layout<A>>;
using queue = compact_queue<ipv4>;
using layout = detail::compact_layout<ipv4>;

constexpr duration tick = layout::tick;
constexpr duration reach = tick << 28;  // moments as far apart as this look alike in 28 bits
constexpr duration day = 86'400 * second;

template <addressing A = ipv4>
constexpr request<A> make(std::uint16_t port, instant deadline = 0) {
  request<A> r;
  r.key = {test::host<A>(2), test::host<A>(1), port, 20000};
  r.irs = port;
  r.deadline = deadline;
  return r;
}

/// The requests of ports 1 to `n`, at the indices 0 to n - 1; a port is its request's hash.
struct filled {
  at_listen source{};
  queue q{};
  explicit filled(std::uint16_t n, instant deadline = 0) {
    REQUIRE(q.reserve(16, source));
    for (std::uint16_t port = 1; port <= n; ++port) REQUIRE(q.insert(make(port, deadline), port) == port - 1U);
  }
  instant deadline(std::uint32_t i) const { return q.deadline(i); }
};

/// What is kept of a request, but its deadline.
template <addressing A>
auto kept(const request<A>& r) {
  return std::tuple{r.key.peer_port,
                    r.key.local_port,
                    r.key.peer_address == test::host<A>(2),
                    r.key.local_address == test::host<A>(1),
                    r.irs,
                    r.iss,
                    r.ts_recent,
                    r.peer_mss,
                    r.timeouts,
                    bool{r.window_scaling},
                    r.send_scale,
                    bool{r.sack},
                    bool{r.timestamps},
                    bool{r.ecn},
                    bool{r.acked},
                    bool{r.unreachable}};
}

using with_room = with<compact_listener, cookies<no_cookies>>;

template <addressing A>
std::size_t cells_on_two_lines() {
  using cell = detail::compact_request<A>;
  at_listen source;
  at_listen::array<cell, stored::requests> cells;
  REQUIRE(cells.reserve(1001, source));
  const auto copy = cells;
  std::size_t n = 0;
  for (const auto* all : {&std::as_const(cells), &copy}) {
    for (std::size_t i = 0; i < 1001; ++i) {
      const auto at = reinterpret_cast<std::uintptr_t>(&(*all)[i]);
      n += at / 64 != (at + sizeof(cell) - 1) / 64;
    }
  }
  return n;
}

}  // namespace

// --- bytes

static_assert(sizeof(detail::compact_request<ipv4>) == 32);
static_assert(alignof(detail::compact_request<ipv4>) == 32);
static_assert(sizeof(detail::compact_request<ipv6>) == 56);
static_assert(sizeof(detail::compact_request<dual>) == 56);
static_assert(std::is_trivially_copyable_v<detail::compact_request<ipv4>>);
static_assert(compact_queue<ipv4>::bytes_each == 32 + 4 + 8 + 8 + 4);  // chain, timer, age, bucket

// A cell of 32 bytes wherever the heap happens to put it: two cache misses for every other request.
TEST_CASE("no request for IPv4 lies across two lines of the cache, also after its queue was copied") {
  CHECK(cells_on_two_lines<ipv4>() == 0);
  CHECK(cells_on_two_lines<ipv6>() > 0);  // the count counts
}

// --- what is kept

// Two fields that share a bit, a scale that reaches into the deadline, a number that loses its upper half.
TEST_CASE_TEMPLATE("what is kept of a request comes back whatever it is, and whatever its deadline does meanwhile", A,
                   ipv4, ipv6, dual, tagged<ipv4>) {
  at_listen source;
  compact_queue<A> q;
  REQUIRE(q.reserve(4, source));
  constexpr instant due = 2 * reach + 7 * tick;
  for (unsigned scale = 0; scale <= 15; ++scale) {  // 15: none
    for (unsigned marks = 0; marks < 32; ++marks) {
      for (const bool high : {false, true}) {
        request<A> r = make<A>(high ? 65535 : 0, due);
        r.key.local_port = high ? 65535 : 0;
        r.irs = high ? 0xffffffffU : 0;
        r.iss = high ? 0 : 0xffffffffU;
        r.ts_recent = high ? 0x80000000U : 0x7fffffffU;
        r.peer_mss = high ? 65535 : 0;
        r.timeouts = high ? 255 : 0;
        r.window_scaling = scale < 15;
        r.send_scale = static_cast<std::uint8_t>(scale % 15);
        r.sack = (marks & 1) != 0;
        r.timestamps = (marks & 2) != 0;
        r.ecn = (marks & 4) != 0;
        r.acked = (marks & 8) != 0;
        r.unreachable = (marks & 16) != 0;
        const auto i = q.insert(r, 5);
        REQUIRE(i != q.npos);
        CHECK(kept<A>(q.whole(i)) == kept(r));
        CHECK(q.whole(i).deadline == due);
        CHECK(q.deadline(i) == due);
        CHECK(q.whole(i).live);
        for (const instant other : {reach - tick, instant{0}, 2 * reach - 1, 3 * tick}) {
          q.restart(i, other);
          CHECK(kept<A>(q.whole(i)) == kept(r));
        }
        q.time_out(i, reach + tick);
        r.timeouts = high ? 255 : 1;
        CHECK(kept<A>(q.whole(i)) == kept(r));
        q.start_over(i, reach - tick);
        r.timeouts = 0;
        CHECK(kept<A>(q.whole(i)) == kept(r));
        CHECK(q.find(r.key, 5) == i);
        q.remove(i, 5);
        CHECK_FALSE(q.whole(i).live);
      }
    }
  }
  CHECK(q.size() == 0);
  CHECK(q.young() == 0);
}

// The same fields, changed where they lie: whoever changes one changes its neighbour.
TEST_CASE("what is changed of a stored request is changed, and nothing else, nor its timer") {
  filled f{3, 4 * tick};
  f.q.time_out(0, 5 * tick);
  auto& r = f.q[0];
  request<ipv4> due = f.q.whole(0);
  const auto expect = [&] {
    CHECK(kept<ipv4>(f.q.whole(0)) == kept(due));
    CHECK(f.deadline(0) == 5 * tick);
    CHECK(f.q.first_due() == 1);
    CHECK(kept<ipv4>(f.q.whole(1)) == kept(make(2)));
  };
  for (const bool on : {true, false, true}) {
    r.acked = due.acked = on, expect();
    r.ecn = due.ecn = on, expect();
    r.unreachable = due.unreachable = on, expect();
    r.sack = due.sack = on, expect();
    r.timestamps = due.timestamps = on, expect();
    r.window_scaling = due.window_scaling = on, expect();
    due.send_scale = on ? 14 : 1;
    r.send_scale = due.send_scale & 15U, expect();
    r.ts_recent = due.ts_recent = on ? 0xffffffffU : 0, expect();
  }
  f.q.start_over(0, 3 * tick);
  due.timeouts = 0;
  CHECK(kept<ipv4>(f.q.whole(0)) == kept(due));
  CHECK(f.q.first_due() == 0);
  CHECK(f.q.young() == 3);
}

// What a request had before its cell was used again, or what happens to lie there.
TEST_CASE("what is not kept of a request is 0") {
  filled f{1};
  request<ipv4> r = make(2);
  r.first_ts = r.last_ts = 0xffffffffU;
  r.answered_at = 65535;
  r.retransmits = 255;
  r.answered = true;
  const request<ipv4> is = f.q.whole(f.q.insert(r, 2));
  CHECK(is.first_ts == 0);
  CHECK(is.last_ts == 0);
  CHECK(is.answered_at == 0);
  CHECK(is.retransmits == 0);
  CHECK_FALSE(is.answered);
  static_assert(!detail::compact_request<ipv4>::limited(0, second));  // nothing to remember it by
}

// The options, marks and age of whoever had the cell before.
TEST_CASE("a newcomer in the cell of one that is gone has nothing of it") {
  test::script<with_room> s{4};
  s.syn(0, {.mss = 1400, .window_scale = 14, .sack_permitted = true, .timestamps = true, .ts_value = 77});
  const auto i = kept(s.request(0));
  s.run_until(4 * second);
  CHECK(s.request(0).timeouts == 2);
  CHECK(s.rst(0) == verdict::request_reset);
  CHECK(s.syn(1) == verdict::admitted);
  const request<ipv4> is = s.request(1);
  CHECK(kept(is) != i);
  CHECK(is.peer_mss == 536);
  CHECK_FALSE((is.window_scaling || is.sack || is.timestamps || is.ecn || is.acked || is.unreachable));
  CHECK(is.send_scale == 0);
  CHECK(is.ts_recent == 0);
  CHECK(is.timeouts == 0);
}

// --- deadlines

// A timer that fires before its time: the SYN-ACK goes out again while the ACK is on its way.
TEST_CASE("a deadline is rounded up to a tick of 4096 us, never down, and never beyond the end of time") {
  CHECK(tick == 4096);
  constexpr instant last = never / tick * tick;
  const auto rounded = [](instant at) { return queue::rounded(at); };
  for (const instant base : {instant{0}, 5 * tick, second / tick * tick, reach, 3 * reach + 17 * tick, last - tick}) {
    CAPTURE(base);
    CHECK(rounded(base) == base);
    CHECK(rounded(base + 1) == base + tick);
    CHECK(rounded(base + tick - 1) == base + tick);
    CHECK(rounded(base + tick) == base + tick);
  }
  for (const instant at : {last, last + 1, never - 1, never}) CHECK(rounded(at) == last);

  for (const instant at : {instant{0}, instant{1}, tick, tick + 1, second, second + 1, reach - 1, reach + 1, 900 * day,
                           last - 1, last, last + 1, never - 1, never}) {
    CAPTURE(at);
    filled f{0};
    const auto i = f.q.insert(make(1, at), 1);
    CHECK(f.deadline(i) == rounded(at));
    f.q.restart(i, 0);
    f.q.restart(i, at);
    CHECK(f.deadline(i) == rounded(at));
    f.q.time_out(i, at);
    CHECK(f.deadline(i) == rounded(at));
    f.q.start_over(i, at);
    CHECK(f.deadline(i) == rounded(at));
  }
}

// Deadlines that are compared as they are stored: after 12 days those of tomorrow lie before those of yesterday.
TEST_CASE("deadlines that are moved on are told apart for years, whatever their order") {
  filled f{6};
  std::mt19937 engine{1};
  std::array<instant, 6> due{};
  for (instant now = 0; now < 6 * reach; now += 3 * day + 12'345'677) {
    for (std::uint32_t i = 0; i < 6; ++i) {
      due[i] = queue::rounded(now + static_cast<instant>(engine() % 64) * (reach / 200) + i * 3 * tick);
      f.q.restart(i, due[i]);
    }
    for (std::uint32_t i = 0; i < 6; ++i) CHECK(f.deadline(i) == due[i]);
    CHECK(f.deadline(f.q.first_due()) == *std::min_element(due.begin(), due.end()));
  }
}

// A listener that slept is woken: what was due in the meantime must not look as if it were due in weeks.
TEST_CASE("a deadline is exact as long as it lies less than 2^28 ticks before the latest there was") {
  filled f{1, 3 * tick};
  const instant latest = 3 * tick + reach - tick;
  const auto late = f.q.insert(make(2, latest), 2);
  CHECK(f.deadline(0) == 3 * tick);
  CHECK(f.deadline(late) == latest);
  CHECK(f.q.first_due() == 0);
  static_assert(layout::longest == reach / 2);  // so that one that is not yet due is far from the edge
}

// It would be due in the future, and its peer would never be answered again.
TEST_CASE("a deadline that lies more than 2^28 ticks back when it is stored counts as long past") {
  for (const duration ago : {reach, reach + tick, 2 * reach, 5 * reach + 3 * tick}) {
    CAPTURE(ago);
    filled f{1, 6 * reach};
    const auto i = f.q.insert(make(2, 6 * reach - ago), 2);
    CHECK(f.deadline(i) == 5 * reach + tick);
    CHECK(f.q.first_due() == i);
    f.q.restart(0, 6 * reach);
    f.q.restart(i, 6 * reach - ago);
    CHECK(f.deadline(i) == 5 * reach + tick);
    CHECK(f.q.first_due() == i);
  }
}

TEST_CASE("a request that nobody has looked at for longer than that is due no later than the latest one") {
  filled f{1, tick};
  for (const instant latest : {reach, reach + tick, reach + 2 * tick, 2 * reach - tick, 7 * reach + 5 * tick}) {
    CAPTURE(latest);
    const auto i = f.q.insert(make(2, latest), 2);
    CHECK(f.deadline(i) == latest);
    CHECK(f.deadline(0) <= latest);
    f.q.remove(i, 2);
  }
}

// The latest moment stays behind in the queue that was copied.
TEST_CASE("a copy of a queue has the deadlines of the original, and goes its own way") {
  filled f{1, 5 * reach + tick};
  queue copy = f.q;
  CHECK(copy.deadline(0) == 5 * reach + tick);
  copy.restart(0, 9 * reach);
  CHECK(copy.deadline(0) == 9 * reach);
  CHECK(f.deadline(0) == 5 * reach + tick);
}

TEST_CASE("a queue that was cleared keeps time") {
  filled f{3, 2 * reach};
  f.q.clear();
  const auto i = f.q.insert(make(7, 2 * reach + tick), 7);
  CHECK(f.deadline(i) == 2 * reach + tick);
  CHECK(f.q.first_due() == i);
}

// --- what stands in for a pointer

static_assert(std::is_same_v<detail::found_request<request<ipv4>, false>, const request<ipv4>*>);
static_assert(std::is_same_v<detail::found_request<request<ipv4>, true>, detail::request_copy<request<ipv4>>>);
static_assert(!std::is_convertible_v<detail::request_copy<request<ipv4>>, bool>);  // not a number by accident

// Nothing that compares as something: every lookup finds a request.
TEST_CASE("a copy that was found is used as a pointer is: compared with nothing, asked, followed") {
  using copy = detail::request_copy<request<ipv4>>;
  const copy none = nullptr;
  CHECK(none == nullptr);
  CHECK_FALSE(none != nullptr);
  CHECK_FALSE(none);
  copy some = make(5, 6);
  CHECK(some != nullptr);
  CHECK_FALSE(some == nullptr);
  CHECK(some);
  CHECK(some->irs == 5);
  CHECK((*some).deadline == 6);
  CHECK(&*some == some.operator->());
  some = nullptr;
  CHECK(some == nullptr);
}

TEST_CASE("find_request yields a copy of what is there now, which later events do not change") {
  test::script<compact_listener> s{4};
  CHECK(s.listener.find_request(test::tuple(0)) == nullptr);
  s.syn(0, {.mss = 1400, .sack_permitted = true});
  const auto before = s.listener.find_request(test::tuple(0));
  REQUIRE(before);
  CHECK(before->peer_mss == 1400);
  CHECK(before->sack);
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(before->key == test::tuple(0));
  CHECK(s.listener.find_request(test::tuple(0)) == nullptr);
}

// --- how long

namespace {

template <duration Last>
struct third_is {
  static constexpr std::uint32_t classes = 3;
  static constexpr duration timeout(std::uint32_t n) { return n < 2 ? second : Last; }
};

}  // namespace

// A schedule is measured by its first timeout, or a timeout of just half of all ticks does not pass.
TEST_CASE("a schedule suits compact requests if none of its timeouts is longer than half of what 28 bits tell apart") {
  constexpr duration longest = layout::longest;
  CHECK(longest / day == 6);
  CHECK(detail::waits_at_most<third_is<longest>>(longest));
  CHECK_FALSE(detail::waits_at_most<third_is<longest + 1>>(longest));
  CHECK(detail::waits_at_most<fixed_lifetime<longest>>(longest));
  CHECK_FALSE(detail::waits_at_most<fixed_lifetime<longest + 1>>(longest));
  CHECK(detail::waits_at_most<from_1s>(120 * second));
  CHECK_FALSE(detail::waits_at_most<from_1s>(8 * second));
}

// --- at compile time

namespace {

constexpr bool a_queue_in_a_constant() {
  using small = compact_queue<ipv4, fixed<4>>;
  fixed<4> source;
  small q;
  if (!q.reserve(4, source)) return false;
  for (std::uint16_t port = 1; port <= 4; ++port) {
    const auto i = q.take();
    q[i].key = make(port).key;
    q[i].window_scaling = true;
    q[i].send_scale = 7;
    q.store(i, port * tick - 1, port);
  }
  q.time_out(q.find(make(1).key, 1), 6 * tick);
  q[1].acked = true;
  q.remove(q.find(make(3).key, 3), 3);
  return q.first_due() == 1 && q.whole(1).acked && q.whole(1).deadline == 2 * tick && q.whole(0).timeouts == 1 &&
         q.deadline(0) == 6 * tick && q.whole(3).send_scale == 7 && q.young() == 2 && q.size() == 3;
}
static_assert(a_queue_in_a_constant());

// A SYN, its SYN-ACK twice, the ACK.
constexpr bool a_handshake_in_a_constant() {
  using door = listener<requests<compact_requests>, clockwork<sweep<10 * millisecond>>,
                        validation<linux_validation<linux_era::v3_12>>, storage<fixed<8>>>;
  test::script<door> s{3};
  if (s.syn(0) != verdict::admitted || s.syn(1) != verdict::admitted) return false;
  s.run_until(4 * second);
  if (s.request(0).timeouts != 2 || s.out.count < 6) return false;
  return s.ack(0) == verdict::promoted && s.rst(1) == verdict::request_reset && s.listener.accept() &&
         s.listener.request_count() == 0;
}
static_assert(a_handshake_in_a_constant());

constexpr bool compact_listener_in_a_constant() {
  compact_listener door;
  if (!door.listen(2)) return false;
  segment s{.source = {ip(10, 0, 0, 1), 1}, .destination = {ip(10, 0, 0, 2), 80}, .seq = 5, .flags = flag::syn};
  const auto first = door.receive(s, 0);
  if (first.outcome.verdict != verdict::admitted || !first.reply || !door.find_request(four_tuple_of(s))) return false;
  s.flags = flag::ack;
  s.seq = 6;
  s.ack = first.reply->seq + 1;
  const auto second_step = door.receive(s, 10);
  return second_step.outcome.verdict == verdict::promoted && second_step.finished && door.accept();
}
static_assert(compact_listener_in_a_constant());

}  // namespace
