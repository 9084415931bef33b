// SPDX-License-Identifier: BSL-1.0
// Published defects of listeners, by number: the attack is run against a composition of its kind and fails.
//
// Q28 is not here: CVE-2024-36905 is a shutdown() of a fast-open child in SYN_RECV; children belong to the stack.
// Q30 is not here: CVE-2017-5972 is the contention for a listener's lock; a listener here has no lock and one thread.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <map>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::recorder;
using test::script;
using test::tuple;

namespace {

using old = preset::linux_3_12;
using modern = preset::linux_6_18;

/// Looks at the listener while it sends, as a timer on another processor would.
template <class L>
struct onlooker : recorder<typename L::addressing_type> {
  const L* of = nullptr;
  bool whole = true;
  send_result send(const segment& s) {
    if (of != nullptr && s.flags.has(flag::syn)) {
      const auto* r = of->find_request(tuple(s.destination.port - test::first_port));
      whole = whole && r != nullptr && of->request_count() > 0 && of->next_deadline().has_value();
    }
    return recorder<typename L::addressing_type>::send(s);
  }
};

}  // namespace

// CVE-2026-53260: reqsk_queue_hash_req starts the timer before the reference that the timer will drop is taken.
TEST_CASE("Q25: a request is stored, findable and timed before its first SYN-ACK leaves") {
  script<modern, onlooker<modern>> s{4};
  s.out.of = &s.listener;
  for (int i = 0; i < 4; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.out.whole);
  script<old, onlooker<old>> o{4};
  o.out.of = &o.listener;
  o.syn(0);
  o.syn(1);
  CHECK(o.listener.find_request(tuple(1)) != nullptr);
}

// CVE-2025-40186: where the listener closed meanwhile, tcp_conn_request gave the place of a fast-open child back twice.
TEST_CASE("Q26: the place of a fast-open child is given back once, also where its listener closes meanwhile") {
  using policy = policy_of<modern, slot::fast_open>;
  script<modern> s{4, modern{policy{fast_open_keys{{1, 2}, {3, 4}, true}}}};
  s.listener.set(tunable::fastopen, 3);
  s.listener.set(tunable::fastopen_qlen, 2);
  tcp_options o;
  o.fast_open = fast_open_option::request();
  CHECK(s.syn(9, o) == verdict::admitted);
  o.fast_open = s.out.last().options.fast_open;
  for (int i = 0; i < 2; ++i) {
    CHECK(s.send(i, {.flags = flag::syn, .bytes = 13, .options = o}) == verdict::fast_opened);
  }
  CHECK(s.listener.fast_open().pending() == 2);
  s.listener.close(s.out, s.now);
  CHECK(s.out.resets == 2);
  CHECK(s.listener.child_settled(tuple(0), fast_open_end::gone, s.now));
  CHECK(s.listener.child_settled(tuple(1), fast_open_end::gone, s.now));
  CHECK(s.listener.fast_open().pending() == 0);
  CHECK_FALSE(s.listener.child_settled(tuple(0), fast_open_end::gone, s.now));
  CHECK(s.listener.fast_open().pending() == 0);
}

// Upstream e8c526f2bdf1: a request that left while its timer ran was freed under the timer.
TEST_CASE("Q27: a request that has left leaves no timer behind, however it left") {
  const auto silent = [](auto&& leave) {
    script<modern> s{4};
    s.syn(0), s.syn(1);
    s.run_until(at(1));  // its timer has just run
    leave(s);
    CHECK_FALSE(s.waits(0));
    CHECK(s.waits(1));
    const std::size_t sent = s.out.count;
    s.run_until(at(70));
    CHECK(s.out.count == sent + 4);  // those of peer 1, at 3, 7, 15, 31 s
    for (std::size_t i = sent; i < s.out.count; ++i) CHECK(s.out[i].destination == tuple(1).peer());
    CHECK_FALSE(s.listener.next_deadline());
  };
  silent([](auto& s) { CHECK(s.ack(0) == verdict::promoted); });
  silent([](auto& s) { CHECK(s.rst(0) == verdict::request_reset); });
  silent([](auto& s) { CHECK(s.listener.unreachable(tuple(0), s.iss(0), s.now) == icmp_verdict::ended); });
}

// Upstream 198bc90e0e73: a second listen() initialised the accept queue's lock again.
TEST_CASE("Q29: listen again, ten times over, builds no queue anew: everybody waits in the old order") {
  script<modern> s{4};
  CHECK(s.connect(0, 1) == 2);
  s.syn(2), s.syn(3);
  for (int n = 0; n < 10; ++n) CHECK(s.listener.listen(n));
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.ack(3) == verdict::promoted);
  for (int i = 0; i < 4; ++i) CHECK(s.listener.accept().handle == tuple(i));
  CHECK_FALSE(s.listener.accept());
}

// CVE-2023-1206 (IPv6); OpenBSD gives a bucket that overflows a new secret.
TEST_CASE("Q31: peers that meet in one bucket under one key are strangers under another") {
  using table = listener<family<ipv6>, sizing<syncache<64, 8>>, request_full<evict_in_bucket>,
                         admission<syncache_gates>, hashing<siphash<2, 4>>>;
  const auto key = [](std::uint32_t n) {
    basic_four_tuple<ipv6> k = tuple<ipv6>(0);
    k.peer_address.value[3] = n;
    return k;
  };
  table first{siphash<2, 4>{{1, 2}}};
  table other{siphash<2, 4>{{3, 4}}};
  first.listen(1), other.listen(1);
  std::vector<std::uint32_t> aimed;
  for (std::uint32_t n = 0; aimed.size() < 64; ++n) {
    if (first.bucket_of(key(n)) == 0) aimed.push_back(n);
  }
  std::map<std::uint32_t, int> spread;
  int fullest = 0;
  for (const std::uint32_t n : aimed) fullest = std::max(fullest, ++spread[other.bucket_of(key(n))]);
  CHECK(spread.size() > 30);  // 40.6 of 64 on average
  CHECK(fullest <= 8);
}

// FreeBSD-SA-02:20: an entry of the syncache pointed to the listener that had been there before.
TEST_CASE("Q32: nothing of a listener that was closed comes back with the next one on its port") {
  const auto nothing = [](auto s) {
    s.syn(0);
    s.listener.close(s.out, s.now);
    CHECK(s.listener.listen(4));
    CHECK(s.listener.request_count() == 0);
    const std::size_t children = s.out.children;
    CHECK(s.ack(0) == verdict::stray);
    CHECK(s.out.children == children);
    s.run_until(at(70));
    for (std::size_t i = 1; i < s.out.count; ++i) CHECK(s.out[i].flags.has(flag::rst));
  };
  nothing(script<old>{4});
  nothing(script<modern>{4});
  nothing(script<with<modern, closing<abort_requests>>>{4});

  script<modern> c{4};
  c.listener.set(tunable::syncookies, 2);
  CHECK(c.syn(0) == verdict::cookie_sent);
  c.listener.close(c.out, c.now);
  CHECK(c.listener.listen(4));
  CHECK(c.ack(0) == verdict::stray);  // the old listener's cookies are no overflow of the new one
}

// FreeBSD-SA-03:03: 32 bits of key can be found by trying.
TEST_CASE("Q33: a cookie hangs on every one of 256 bits of key") {
  static_assert(sizeof(linux_6_18_cookie_key) == 32);
  const std::array<std::uint32_t, 3> words{0x0a000002, 0x0a000001, 0x75314e20};
  const cookie_facts f{.words = words.data(), .word_count = words.size(), .peer_isn = 0x10000000};
  const linux_6_18_cookie_key base{{1, 2}, {3, 4}};
  const seq_number cookie = linux_6_18_cookie::make(base, 0, f, {}, 0);
  int taken = 0;
  for (unsigned bit = 0; bit < 256; ++bit) {
    linux_6_18_cookie_key other = base;
    siphash_key& k = bit < 128 ? other.tuple : other.minute;
    (bit % 128 < 64 ? k.k0 : k.k1) ^= std::uint64_t{1} << (bit % 64);
    CHECK(linux_6_18_cookie::make(other, 0, f, {}, 0) != cookie);
    taken += linux_6_18_cookie::check(other, 0, f, cookie, 0).has_value();
  }
  CHECK(taken == 0);
}

// DragonFly: one MD5 context for all processors, so that cookies were refused exactly when there were many.
TEST_CASE("Q34: under a flood, at two listeners in turns, every honest cookie is taken") {
  using flooded = with<modern, cookies<always<linux_6_18_cookie>>>;
  script<flooded> a{4000};
  script<flooded> b{4000};
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    a.syn(i);
    b.syn(i + 5000);
    b.syn(i);
    a.syn(i + 5000);
    taken += a.ack(i) == verdict::cookie_promoted;
    taken += b.ack(i) == verdict::cookie_promoted;
  }
  CHECK(taken == 2000);
}

// CVE-2026-23450: SMC's hook was called for a listener that was on its way out.
TEST_CASE("Q35: a listener that was closed asks nobody for a child") {
  const auto asked = [](auto s) {
    s.syn(0);
    s.listener.close(s.out, s.now);
    CHECK(s.ack(0) == verdict::not_listening);
    CHECK(s.data(0) == verdict::not_listening);
    return s.out.children;
  };
  CHECK(asked(script<old>{4}) == 0);
  CHECK(asked(script<modern>{4}) == 0);

  script<modern> c{4};
  c.listener.set(tunable::syncookies, 2);
  c.syn(0);
  c.listener.close(c.out, c.now);
  CHECK(c.ack(0) == verdict::not_listening);
  CHECK(c.out.children == 0);
}
