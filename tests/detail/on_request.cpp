// SPDX-License-Identifier: BSL-1.0
// detail/on_request.hpp: what a later segment changes in a request, and what an outcome says about timestamps. Which
// answer a segment gets is `validation`'s; it is tested in policy/*validation.cpp.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/policy/bsd_validation.hpp>
#include <listenq/policy/rfc_validation.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "detail/support.hpp"

using namespace listenq;
using test::at;
using test::script;

namespace {

constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst;

using plain = with<preset::linux_6_18, cookies<no_cookies>>;
using old = with<preset::linux_3_12, cookies<no_cookies>>;
template <class V>
using judged = with<plain, validation<V>>;

struct ecn_offer : linux_6_18_offer {
  static constexpr bool ecn = true;
};

constexpr tcp_options stamped(std::uint32_t value, std::uint32_t echo = 0) {
  tcp_options o;
  o.timestamps = true;
  o.ts_value = value;
  o.ts_echo = echo;
  return o;
}
// A stamped segment of peer 0 that acknowledges our SYN; it echoes what our SYN-ACK said.
template <class S>
verdict stamped_ack(S& s, std::int64_t seq, std::uint32_t value, std::size_t bytes = 0) {
  return s.send(0,
                {.flags = ACK, .seq = seq, .ack = 1, .bytes = bytes, .options = stamped(value, s.request(0).last_ts)});
}
constexpr stages set_of(std::initializer_list<stage> all) {
  stages s;
  for (const stage x : all) s.add(x);
  return s;
}

}  // namespace

// --- the short ways -----------------------------------------------------------------------------------------------

namespace {

// Only a PSH finishes a handshake, and only a SYN with URG gets the SYN-ACK again.
struct particular : linux_validation<linux_era::v6_18> {
  static constexpr request_answer judge(const request_facts& f) noexcept {
    const request_answer a = linux_validation::judge(f);
    if (a == request_answer::finish && !f.flags.has(flag::psh)) return request_answer::ignore;
    if (a == request_answer::resend && !f.flags.has(flag::urg)) return request_answer::ignore;
    return a;
  }
};

}  // namespace

// What is nearly always the answer, taken for what is always the answer.
TEST_CASE("a validation that will not finish on the ordinary ACK, or not repeat for the ordinary SYN, has its way") {
  script<judged<particular>> s{3};
  s.syn(0);
  s.now = at(0.6);
  CHECK(s.syn(0) == verdict::no_ack);
  CHECK(s.out.count == 1);
  CHECK(s.send(0, {.flags = SYN | flag::urg}) == verdict::duplicate_syn);
  CHECK(s.ack(0) == verdict::no_ack);
  CHECK(s.waits(0));
  CHECK(s.data(0) == verdict::promoted);
}

// --- duplicate SYNs -----------------------------------------------------------------------------------------------

// A forged SYN with a timestamp of 2^31 - 1 ahead would make every later segment of the peer an old one.
TEST_CASE("a later SYN's timestamp: Linux keeps the first one's, NetBSD takes the later one's") {
  script<plain> keeps{3};
  keeps.syn(0, stamped(100));
  keeps.now = at(0.6);
  CHECK(keeps.syn(0, stamped(200)) == verdict::duplicate_syn);
  CHECK(keeps.out.last().options.ts_echo == 100);
  script<judged<netbsd_validation>> takes{3};
  takes.syn(0, stamped(100));
  CHECK(takes.syn(0, stamped(200)) == verdict::duplicate_syn);
  CHECK(takes.out.last().options.ts_echo == 200);
  takes.syn(0);  // without: nothing to take
  CHECK(takes.out.last().options.ts_echo == 200);
}

TEST_CASE("timestamps that the first SYN did not offer come in by no later one") {
  script<judged<netbsd_validation>> s{3};
  s.syn(0);
  s.syn(0, stamped(200));
  CHECK(!s.out.last().options.timestamps);
  CHECK(s.request(0).ts_recent == 0);
}

TEST_CASE("a later SYN that asks for no ECN ends it on FreeBSD, changes nothing on Linux, and begins it nowhere") {
  const auto ece = [](const auto& s) { return s.out.last().flags.has(flag::ece); };
  const auto asking = SYN | flag::ece | flag::cwr;
  script<with<plain, offer<ecn_offer>>> linux_{3};
  linux_.send(0, {.flags = asking});
  CHECK(ece(linux_));
  linux_.now = at(0.6);
  linux_.syn(0);
  CHECK(ece(linux_));
  script<with<judged<freebsd_validation>, offer<ecn_offer>>> freebsd{3};
  freebsd.send(0, {.flags = asking});
  freebsd.send(0, {.flags = asking});
  CHECK(ece(freebsd));
  freebsd.syn(0);
  CHECK(!ece(freebsd));
  freebsd.send(0, {.flags = asking});
  CHECK(!ece(freebsd));
}

// --- timestamps of segments that do not finish --------------------------------------------------------------------

TEST_CASE("old Linux: the ACK that finishes brings its timestamp, if it lies at the window's edge and both have them") {
  const auto finished = [](std::int64_t seq, const tcp_options& syn, const tcp_options& ack) {
    script<old> s{3};
    s.syn(0, syn);
    const auto r =
        s.listener.receive(s.segment(0, {.flags = ACK, .seq = seq, .ack = 1, .bytes = 4, .options = ack}), 0);
    REQUIRE(r.finished);
    return r.finished->ts_recent;
  };
  CHECK(finished(1, stamped(100), stamped(200)) == 200);
  CHECK(finished(2, stamped(100), stamped(200)) == 100);
  CHECK(finished(1, stamped(100), {}) == 100);
  CHECK(finished(1, {}, stamped(200)) == 0);
}

// It begins at the ISN, so it is no ordinary ACK, and goes the long way. 6.18 echoes what the SYN said.
TEST_CASE(
    "a final ACK that begins before the window's edge brings its timestamp on old Linux only, if both have them") {
  const auto finished = [](auto s, const tcp_options& syn) {
    s.syn(0, syn);
    const auto ack = stamped(200, s.request(0).last_ts);
    const auto r = s.listener.receive(s.segment(0, {.flags = ACK, .seq = 0, .ack = 1, .bytes = 4, .options = ack}), 0);
    REQUIRE(r.finished);
    return r.finished->ts_recent;
  };
  CHECK(finished(script<old>{3}, stamped(100)) == 200);
  CHECK(finished(script<old>{3}, {}) == 0);
  CHECK(finished(script<plain>{3}, stamped(100)) == 100);
}

TEST_CASE("a segment outside the window brings no timestamp") {
  script<old> s{3};
  s.syn(0, stamped(100));
  CHECK(stamped_ack(s, -50, 200) == verdict::out_of_window);
  CHECK(s.request(0).ts_recent == 100);
  CHECK(s.out.last().options.ts_echo == 100);
}

TEST_CASE("an ACK that would echo 0: none on Linux, with timestamps as RFC 7323 says elsewhere") {
  script<plain> linux_{3};
  linux_.syn(0, stamped(0));
  CHECK(stamped_ack(linux_, -50, 200) == verdict::out_of_window);
  CHECK(!linux_.out.last().options.timestamps);
  script<judged<rfc9293_validation>> rfc{3};
  rfc.syn(0, stamped(0));
  CHECK(stamped_ack(rfc, -50, 200) == verdict::out_of_window);
  CHECK(rfc.out.last().options.timestamps);
  CHECK(rfc.out.last().options.ts_echo == 0);
}

// --- what an outcome says -----------------------------------------------------------------------------------------

// PAWSEstab and TSEcrRejected count these.
TEST_CASE("out of the window with good timestamps: nothing is said about timestamps") {
  script<plain> s{3};
  s.syn(0, stamped(100));
  CHECK(stamped_ack(s, -50, 200) == verdict::out_of_window);
  CHECK(s.last.stages == set_of({stage::answered}));
}

TEST_CASE("an echo that we never sent is noted where it matters, and only there") {
  const auto noted = [](auto s) {
    s.syn(0, stamped(100));
    s.send(0, {.flags = ACK, .seq = -50, .ack = 1, .options = stamped(200, s.request(0).last_ts + 1000)});
    CHECK(s.last.verdict == verdict::out_of_window);
    return s.last.stages.has(stage::bad_echo);
  };
  CHECK(noted(script<plain>{3}));
  CHECK(!noted(script<old>{3}));
}

TEST_CASE("a RST that is ignored is ignored whatever its timestamps are") {
  script<judged<freebsd_validation>> s{3};
  s.syn(0, stamped(100));
  CHECK(s.send(0, {.flags = RST, .seq = -50, .options = stamped(50)}) == verdict::out_of_window);
  CHECK(s.last.stages == stages{});
  CHECK(s.rst(0) == verdict::request_reset);
}

// Before 6.18 was read, this was a cookie's way round an unfinished handshake.
TEST_CASE("a wrong ACK at a request is tried as a cookie on 6.18 only") {
  const auto answer = [](auto s) {
    s.listener.set(tunable::syncookies, 2);
    s.syn(0);
    const seq_number cookie = s.iss(0);
    s.listener.set(tunable::syncookies, 1);
    s.syn(0);
    return s.send(0, {.flags = ACK, .seq = 1, .ack = std::int64_t{cookie} - s.iss(0) + 1});
  };
  CHECK(answer(script<preset::linux_6_18>{0}) == verdict::cookie_in_vain);
  using before = with<preset::linux_6_18, validation<linux_validation<linux_era::v4_4>>>;
  CHECK(answer(script<before>{0}) == verdict::wrong_ack);
}
