// SPDX-License-Identifier: BSL-1.0
// Bursts: the same, to the bit, as one segment after the other.
#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/policy/aes128.hpp>
#include <listenq/preset/catalogue.hpp>
#include <listenq/queue/shared_requests.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "random_peers.hpp"

using namespace listenq;

namespace {

struct tape {
  random_peers* peers = nullptr;
  std::vector<segment> sent{};
  std::vector<handshake> children{};
  send_result answer = send_result::sent;
  send_result send(const segment& s) {
    sent.push_back(s);
    return answer;
  }
  bool make_child(const handshake& h, const segment&) {
    children.push_back(h);
    return true;
  }
  template <class Handle>
  static void reset_child(const Handle&) {}
};

bool same(const tape& a, const tape& b) {
  return a.children == b.children &&
         std::equal(a.sent.begin(), a.sent.end(), b.sent.begin(), b.sent.end(),
                    [](const segment& x, const segment& y) { return all_of(x) == all_of(y); });
}

/// Plays the same segments to two listeners, in bursts of up to 20 and one by one; how many of them there were.
template <class L>
int side_by_side(std::uint64_t seed) {
  auto bursts = std::make_unique<L>(siphash<2, 4>{{7, 8}});
  auto singles = std::make_unique<L>(siphash<2, 4>{{7, 8}});
  random_peers peers{seed};
  const int backlog = static_cast<int>(seed % 9);
  REQUIRE(bursts->listen(backlog));
  REQUIRE(singles->listen(backlog));
  instant now = 0;
  int played = 0;
  for (int i = 0; i < 40; ++i) {
    now += peers.up_to(600'000);
    std::vector<segment> burst(peers.up_to(20));
    for (segment& s : burst) s = peers.next(now);
    tape a, b;
    a.answer = b.answer = peers.up_to(9) == 0 ? send_result::failed : send_result::sent;
    std::vector<outcome> x, y;
    bursts->receive(burst, now, a, [&](const segment& s, const outcome& o) {
      CHECK(&s == &burst[x.size()]);
      x.push_back(o);
    });
    for (const segment& s : burst) y.push_back(singles->receive(s, now, b));
    bursts->tick(now, a);
    singles->tick(now, b);
    while (peers.up_to(2) == 0) CHECK(bursts->accept(now).status == singles->accept(now).status);
    CHECK(x == y);
    CHECK(same(a, b));
    CHECK(bursts->request_count() == singles->request_count());
    CHECK(bursts->young_count() == singles->young_count());
    CHECK(bursts->accept_count() == singles->accept_count());
    CHECK(bursts->next_deadline() == singles->next_deadline());
    CHECK(bursts->counters() == singles->counters());
    for (const segment& s : a.sent) peers.hear(s);
    played += static_cast<int>(burst.size());
  }
  return played;
}

}  // namespace

// Two segments of one peer in one burst, acted on by hashes and a look at the table from before the first of them.
TEST_CASE("a burst has the outcomes, answers and state of its segments one by one, in every preset") {
  preset::for_each([]<class L>(const preset::about& about) {
    CAPTURE(std::string{about.name});
    int played = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) played += side_by_side<L>(seed);
    CHECK(played > 3000);
  });
}

namespace {

// More requests than are taken to be in the cache, bursts longer than what is looked at ahead, chains of several: a
// look ahead that goes astray, or that goes beyond the end of a burst.
template <class Door>
void crowd(Door& bursts, Door& singles, std::uint32_t peers) {
  constexpr std::size_t size = 70;
  REQUIRE(bursts.listen(static_cast<int>(peers)));
  REQUIRE(singles.listen(static_cast<int>(peers)));
  std::vector<segment> syns;
  for (std::uint32_t i = 0; i < peers; ++i) {
    syns.push_back({.source = {ip(10, 0, 1, static_cast<std::uint8_t>(i >> 16)), static_cast<std::uint16_t>(i)},
                    .destination = {ip(10, 0, 0, 2), 80},
                    .flags = flag::syn});
  }
  const auto play = [&](const std::vector<segment>& all, instant now, verdict expected) {
    tape a, b;
    std::size_t seen = 0, as_expected = 0;
    for (std::size_t at = 0; at < all.size(); at += size) {
      const std::vector<segment> burst(all.begin() + static_cast<std::ptrdiff_t>(at),
                                       all.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, all.size())));
      bursts.receive(burst, now, a, [&](const segment&, const outcome& o) {
        as_expected += o.verdict == expected;
        ++seen;
      });
    }
    CHECK(seen == all.size());
    CHECK(as_expected == all.size());
    for (const segment& s : all) singles.receive(s, now, b);
    CHECK(same(a, b));
    CHECK(bursts.counters() == singles.counters());
    CHECK(bursts.next_deadline() == singles.next_deadline());
    return a.sent;
  };
  const std::vector<segment> answers = play(syns, 10, verdict::admitted);
  REQUIRE(answers.size() == peers);
  std::vector<segment> strays;  // many of them lead to a bucket without anybody
  for (std::uint16_t i = 0; i < 200; ++i) {
    strays.push_back({.source = {ip(10, 0, 0, 3), i}, .destination = {ip(10, 0, 0, 2), 80}, .flags = flag::ack});
  }
  play(strays, 15, verdict::stray);
  std::vector<segment> acks;
  for (const segment& s : answers) {
    acks.push_back(
        {.source = s.destination, .destination = s.source, .seq = s.ack, .ack = s.seq + 1, .flags = flag::ack});
  }
  // The oldest and the newest first, then each leaves its list from the middle.
  const endpoint newest = acks.back().source;
  const auto turn = [&](const segment& s) {
    return s.source == newest ? -1 : s.source.port % 7 * 10'000 + s.source.port;
  };
  std::sort(acks.begin(), acks.end(), [&](const segment& x, const segment& y) { return turn(x) < turn(y); });
  play(acks, 20, verdict::promoted);
  CHECK(bursts.request_count() == 0);
  CHECK(bursts.accept_count() == peers);
}

}  // namespace

TEST_CASE("a crowd comes and finishes in bursts of 70 as it would one by one") {
  listener<> bursts{siphash<2, 4>{{7, 8}}}, singles{siphash<2, 4>{{7, 8}}};
  crowd(bursts, singles, 3000);
}

// More than the next cache holds: other steps ahead.
TEST_CASE("and a crowd of 70,000") {
  listener<> bursts{siphash<2, 4>{{7, 8}}}, singles{siphash<2, 4>{{7, 8}}};
  bursts.set(tunable::somaxconn, 100'000), singles.set(tunable::somaxconn, 100'000);
  crowd(bursts, singles, 70'000);
}

TEST_CASE("so does one whose requests are in a pool") {
  using pool = shared_requests<>;
  using door = listener<requests<borrowed<pool>>>;
  for (const std::uint32_t peers : {3000U, 70'000U}) {
    CAPTURE(peers);
    pool here{peers}, there{peers};
    door bursts{borrowed<pool>{&here}, siphash<2, 4>{{7, 8}}}, singles{borrowed<pool>{&there}, siphash<2, 4>{{7, 8}}};
    bursts.set(tunable::somaxconn, 100'000), singles.set(tunable::somaxconn, 100'000);
    crowd(bursts, singles, peers);
  }
}

// An array knows how long it is by its type only.
TEST_CASE("a burst may be an array") {
  listener<> door;
  REQUIRE(door.listen(20));
  segment burst[6];
  for (std::uint16_t i = 0; i < 6; ++i) burst[i] = {.source = {ip(10, 0, 0, 1), i}, .flags = flag::syn};
  tape out;
  int seen = 0;
  door.receive(burst, 0, out, [&](const segment& s, const outcome&) {
    CHECK(s.source.port == seen);
    ++seen;
  });
  CHECK(seen == 6);
}

namespace {

int vectors_asked = 0;
// As on a CPU that has them not: an instruction of theirs would end the program.
struct without_vectors : siphash<2, 4> {
  static constexpr bool hashes_eight() noexcept { return false; }
  template <std::size_t N>
  void hash_eight(const std::uint32_t (&)[N][8], std::uint64_t (&)[8]) const noexcept {
    ++vectors_asked;
  }
};

}  // namespace

TEST_CASE("where hashing says that it does not hash eight at once, a burst does not ask it to") {
  listener<hashing<without_vectors>> door;
  REQUIRE(door.listen(20));
  std::vector<segment> burst(9, segment{.source = {ip(10, 0, 0, 1), 1}, .flags = flag::syn});
  for (std::size_t i = 0; i < burst.size(); ++i) burst[i].source.port = static_cast<std::uint16_t>(i + 1);
  tape out;
  door.receive(burst, 0, out);
  CHECK(vectors_asked == 0);
  CHECK(door.request_count() == 9);
}

// A burst that a closed port swallows, or that it hashes over buckets that it does not have.
TEST_CASE("a burst at a listener that does not listen gets its RSTs") {
  listener<> door;
  std::vector<segment> burst(9, segment{.source = {ip(10, 0, 0, 1), 1}, .flags = flag::syn});
  tape out;
  int closed = 0;
  door.receive(burst, 0, out, [&](const segment&, const outcome& o) { closed += o.verdict == verdict::not_listening; });
  CHECK(closed == 9);
  CHECK(out.sent.size() == 9);
  // Nor one that has memory from the time when it did.
  REQUIRE(door.listen(4));
  door.close(out);
  closed = 0;
  door.receive(burst, 0, out, [&](const segment&, const outcome& o) { closed += o.verdict == verdict::not_listening; });
  CHECK(closed == 9);
  CHECK(door.request_count() == 0);
}

// Requests and answers of a listener that is no more.
TEST_CASE("who closes the listener in the middle of a burst closes it for the rest of the burst") {
  listener<> door{siphash<2, 4>{{7, 8}}};
  REQUIRE(door.listen(20));
  std::vector<segment> burst(12, segment{.source = {ip(10, 0, 0, 1), 1}, .flags = flag::syn});
  for (std::size_t i = 0; i < burst.size(); ++i) burst[i].source.port = static_cast<std::uint16_t>(i + 1);
  tape out;
  std::vector<verdict> seen;
  door.receive(burst, 0, out, [&](const segment&, const outcome& o) {
    seen.push_back(o.verdict);
    if (seen.size() == 3) door.close(out);
  });
  REQUIRE(seen.size() == 12);
  CHECK(std::count(seen.begin(), seen.end(), verdict::admitted) == 3);
  CHECK(std::count(seen.begin() + 3, seen.end(), verdict::not_listening) == 9);
  CHECK(door.request_count() == 3);  // they are left to their timers
}

// Hashes that nobody has computed: all of a burst in one bucket, and not found by the next segment.
TEST_CASE("a hash that cannot do eight at once is asked for each segment of a burst") {
  struct ports {
    static constexpr std::uint64_t hash(const std::uint32_t* words, std::size_t n) noexcept {
      return words[n - 1] >> 16;
    }
  };
  listener<hashing<ports>> door;
  REQUIRE(door.listen(20));
  std::vector<segment> burst(9);
  for (std::uint16_t i = 0; i < 9; ++i) burst[i] = {.source = {ip(10, 0, 0, 1), i}, .flags = flag::syn};
  tape out;
  door.receive(burst, 0, out);
  CHECK(door.request_count() == 9);
  for (const segment& s : burst) CHECK(door.find_request(four_tuple_of(s)) != nullptr);
}

template <class Hash, addressing A>
struct way {
  using hash = Hash;
  using addresses = A;
};

// The hash goes on from the local side that was seen last: one that is not looked at again, or one for a whole burst. A
// peer's port, or its last word, that is in no block: all of them in one bucket, with one ISN.
TEST_CASE_TEMPLATE("segments for several local addresses and ports hash as they would alone, one by one and in bursts",
                   Way, way<siphash<2, 4>, ipv4>, way<siphash<2, 4>, ipv6>, way<aes128, ipv4>, way<aes128, ipv6>) {
  using A = typename Way::addresses;
  using door_type = listener<hashing<typename Way::hash>, family<A>, offer<linux_6_18_offer>>;
  const typename Way::hash keyed{{7, 8}};
  const auto address = [](std::uint8_t last) -> typename A::address {
    if constexpr (std::same_as<A, ipv4>) {
      return ip(10, 0, 0, last);
    } else {
      return {{0xfd000000U, 0, 0, last}};
    }
  };
  std::vector<basic_segment<A>> burst;
  for (std::uint16_t i = 0; i < 21; ++i) {
    basic_segment<A> s;
    s.source = {address(static_cast<std::uint8_t>(100 + i / 2)), static_cast<std::uint16_t>(1000 + i % 2)};
    // The first and the last of eight come to the same side, which those between them do not.
    const int side = i % 8 == 7 ? 0 : i % 8;
    s.destination = {address(side % 3 == 0 ? 1 : 2), static_cast<std::uint16_t>(side % 4 < 2 ? 80 : 81)};
    s.flags = flag::syn;
    burst.push_back(s);
  }
  door_type singles{keyed}, bursts{keyed}, near{keyed};
  REQUIRE(singles.listen(64));
  REQUIRE(bursts.listen(64));
  REQUIRE(near.listen(64));
  null_sink out;
  for (const auto& s : burst) singles.receive(s, 0, out);
  bursts.receive(burst, 0, out);
  std::set<seq_number> numbers;
  for (const auto& s : burst) {
    door_type alone{keyed};
    REQUIRE(alone.listen(64));
    alone.receive(s, 0, out);
    const auto* expected = alone.find_request(four_tuple_of(s));
    REQUIRE(expected != nullptr);
    numbers.insert(expected->iss);
    for (const door_type* door : {&singles, &bursts}) {
      const auto* r = door->find_request(four_tuple_of(s));
      REQUIRE(r != nullptr);
      CHECK(r->iss == expected->iss);
    }
  }
  CHECK(numbers.size() == burst.size());

  // And those that all come to one local side.
  for (auto& s : burst) s.destination = burst[0].destination;
  near.receive(burst, 0, out);
  for (const auto& s : burst) {
    door_type alone{keyed};
    REQUIRE(alone.listen(64));
    alone.receive(s, 0, out);
    REQUIRE(near.find_request(four_tuple_of(s)) != nullptr);
    CHECK(near.find_request(four_tuple_of(s))->iss == alone.find_request(four_tuple_of(s))->iss);
  }
}

constexpr bool in_a_constant() {
  listener<storage<fixed<8>>> door;
  door.listen(4);
  segment burst[5];
  for (std::uint16_t i = 0; i < 5; ++i) burst[i] = {.source = {ip(10, 0, 0, 1), i}, .flags = flag::syn};
  null_sink out;
  door.receive(burst, 0, out);
  return door.request_count() == 5;
}
static_assert(in_a_constant());
