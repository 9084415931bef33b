// SPDX-License-Identifier: BSL-1.0
// detail/on_ack.hpp: what an outcome says of a cookie that comes back, and what becomes of the record.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/cookie/freebsd_13.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "detail/support.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

using always_cookies = with<preset::linux_6_18, cookies<always<linux_6_18_cookie>>>;

overflow_facts told_at_ack;
struct resets_and_tells {
  static ack_answer on_overflow(const overflow_facts& f, const tunable_source auto&) noexcept {
    told_at_ack = f;
    return ack_answer::reset;
  }
};
// A cookie in every ISS, and RST at a full accept queue.
using in_every = with<preset::linux_6_18, cookies<in_every_iss<freebsd_13_cookie, freebsd_13_cookie::keys, any_time>>,
                      accept_full_at_ack<resets_and_tells>, accept_full_at_syn<admit>, request_full<evict_oldest>,
                      sizing<pipeline<exactly<1>>>>;

constexpr stages set_of(std::initializer_list<stage> all) {
  stages s;
  for (const stage x : all) s.add(x);
  return s;
}

}  // namespace

// TcpExtListenOverflows counts one of the two and not the other.
TEST_CASE(
    "a cookie that finds the queue full is not offered to the stack; one that the stack refuses found no full queue") {
  script<always_cookies> s{0};
  s.syn(0), s.syn(1), s.syn(2);
  s.ack(0);
  CHECK(s.out.children == 1);
  CHECK(s.ack(1) == verdict::cookie_overflow);
  CHECK(s.last.stages == set_of({stage::cookie_checked, stage::cookie_valid, stage::accept_full}));
  CHECK(s.out.children == 1);
  s.listener.accept();
  s.out.takes_children = false;
  CHECK(s.ack(2) == verdict::cookie_overflow);
  CHECK(s.last.stages == set_of({stage::cookie_checked, stage::cookie_valid, stage::child_refused}));
}

TEST_CASE("a cookie in every ISS: one that finishes gets no RST, one without room gets what accept_full_at_ack says") {
  script<in_every> s{0};
  s.syn(0), s.syn(1), s.syn(2);  // 2 has evicted 1, which had evicted 0
  const std::size_t sent = s.out.count;
  CHECK(s.ack(0) == verdict::cookie_promoted);
  CHECK(s.out.count == sent);
  CHECK(s.ack(1) == verdict::cookie_overflow);
  CHECK(s.out.count == sent + 1);
  CHECK(s.out.last().flags == flag::rst);
  CHECK(told_at_ack.cookie);
  CHECK(told_at_ack.lengths.accepted == 1);
  CHECK(s.ack(2) == verdict::overflow_reset);
  CHECK(!told_at_ack.cookie);
}

TEST_CASE("the record says whether a request or a cookie made it") {
  script<always_cookies> c{1};
  c.syn(0);
  const auto by_cookie = c.listener.receive(c.segment(0, {.flags = flag::ack, .seq = 1, .ack = 1}), 0);
  REQUIRE(by_cookie.finished);
  CHECK(by_cookie.finished->cookie);
  script<preset::linux_6_18> r{1};
  r.syn(0);
  const auto by_request = r.listener.receive(r.segment(0, {.flags = flag::ack, .seq = 1, .ack = 1}), 0);
  REQUIRE(by_request.finished);
  CHECK(!by_request.finished->cookie);
}

// A stray ACK is told apart earlier; this one comes by its request.
TEST_CASE("without cookies a wrong ACK at a request is not tried as one") {
  script<preset::linux_6_18> s{1};
  s.listener.set(tunable::syncookies, 0);
  s.syn(0);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 777}) == verdict::wrong_ack);
  CHECK(s.last.stages == set_of({stage::answered, stage::answered_reset}));
}
