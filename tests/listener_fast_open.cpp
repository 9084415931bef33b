// SPDX-License-Identifier: BSL-1.0
// detail/on_fast_open.hpp: what the listener does with a SYN that may open its connection at once.
#include <doctest/doctest.h>

#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "support/counters.hpp"
#include "support/script.hpp"

using namespace listenq;
using namespace listenq::test;

namespace {

using modern = preset::linux_6_18;
using old = preset::linux_3_12;

constexpr fast_open_keys keys{{1, 2}, {3, 4}, true};

template <class L>
struct fast : script<L> {
  constexpr explicit fast(int backlog, std::uint32_t qlen = 2)
      : script<L>{backlog, L{policy_of<L, slot::fast_open>{keys}}} {
    this->listener.set(tunable::fastopen, 3);
    this->listener.set(tunable::fastopen_qlen, qlen);
  }
  static constexpr bool experimental = policy_of<L, slot::fast_open>::era == linux_era::v3_12;

  constexpr verdict syn_with(int peer, const fast_open_option& o, std::size_t n = 0) {
    tcp_options t{.mss = 1460};
    t.fast_open = o;
    if (o.present()) t.fast_open.experimental = experimental;
    return this->send(peer, {.flags = flag::syn, .bytes = n, .options = t});
  }
  constexpr verdict ask(int peer) { return syn_with(peer, fast_open_option::request()); }
  /// The cookie that a peer gets when it asks; all peers here have one address.
  constexpr fast_open_option cookie() {
    script<L> other{1, L{policy_of<L, slot::fast_open>{keys}}};
    other.listener.set(tunable::fastopen, 3);
    other.listener.set(tunable::fastopen_qlen, 1);
    tcp_options t;
    t.fast_open = fast_open_option::request();
    t.fast_open.experimental = experimental;
    other.syn(0, t);
    return other.out.last().options.fast_open;
  }
  constexpr verdict open(int peer, std::size_t n = 13) { return syn_with(peer, cookie(), n); }
  constexpr bool settle(int peer, fast_open_end how) {
    return this->listener.child_settled(tuple(peer), how, this->now);
  }
};

}  // namespace

TEST_CASE("a SYN that asks for a cookie becomes a request; the SYN-ACK brings the cookie, its repetition does not") {
  fast<modern> s{4};
  CHECK(s.ask(0) == verdict::admitted);
  CHECK(s.waits(0));
  const fast_open_option offer = s.out.last().options.fast_open;
  CHECK(offer.size == 8);
  CHECK(s.out.last().ack == C + 1);
  s.run_until(at(1));
  REQUIRE(s.out.count == 2);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  s.now = at(1.6);
  CHECK(s.ask(0) == verdict::duplicate_syn);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(counters_text(s.listener.counters()).find("TCPFastOpenCookieReqd=1") != std::string::npos);
}

// kernels.md 6, invariant 39: it counts as waiting, never as a request.
TEST_CASE("fast_opened: the connection waits at once, the SYN-ACK acknowledges the data, no request is stored") {
  fast<modern> s{4};
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.out.children == 1);
  CHECK(s.listener.accept_count() == 1);
  CHECK(s.listener.request_count() == 0);
  CHECK(s.listener.next_deadline() == std::nullopt);
  REQUIRE(s.out.count == 1);
  CHECK(s.out.last().flags == (flag::syn | flag::ack));
  CHECK(s.out.last().ack == C + 14);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  CHECK(s.listener.fast_open().unfinished() == 1);
  CHECK(s.listener.accept().handle == tuple(0));
  CHECK(counters_text(s.listener.counters()) == "PassiveOpens=1 TCPFastOpenPassive=1");
}

TEST_CASE("fast_opened: without data the SYN alone is acknowledged") {
  fast<modern> s{4};
  CHECK(s.open(0, 0) == verdict::fast_opened);
  CHECK(s.out.last().ack == C + 1);
}

TEST_CASE("the child's record says that its handshake is unfinished, and what the SYN-ACK said") {
  modern l{linux_fast_open<>{keys}};
  l.listen(4);
  l.set(tunable::fastopen, 2);
  l.set(tunable::fastopen_qlen, 1);
  fast<modern> s{4};
  tcp_options t{.mss = 1000, .window_scale = 3, .sack_permitted = true, .timestamps = true, .ts_value = 77};
  t.fast_open = s.cookie();
  const auto step = l.receive(s.segment(0, {.flags = flag::syn, .bytes = 5, .options = t}), 0);
  REQUIRE(step.finished);
  REQUIRE(step.reply);
  CHECK(step.finished->fast_open);
  CHECK_FALSE(step.finished->cookie);
  CHECK(step.finished->iss == step.reply->seq);
  CHECK(step.finished->irs == C);
  CHECK(step.finished->mss == step.reply->options.mss);
  CHECK(step.finished->peer_mss == 1000);
  CHECK(step.finished->ts_recent == 77);
  CHECK(step.reply->options.ts_echo == 77);
  CHECK(step.reply->ack == C + 6);
}

TEST_CASE("a wrong cookie: an ordinary handshake, the right cookie in the SYN-ACK, no data acknowledged") {
  fast<modern> s{4};
  fast_open_option wrong = s.cookie();
  wrong.bytes[0] ^= 1;
  CHECK(s.syn_with(0, wrong, 13) == verdict::admitted);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.out.last().options.fast_open == s.cookie());
  CHECK(s.out.children == 0);
  CHECK(counters_text(s.listener.counters()) == "TCPFastOpenPassiveFail=1");
  CHECK(s.data(0) == verdict::promoted);  // and the data come again
}

TEST_CASE("a cookie of the backup key opens and brings a new one") {
  fast<modern> s{4};
  const fast_open_option earlier = s.cookie();
  s.listener.fast_open().keys = {{5, 6}, keys.primary, true};
  CHECK(s.syn_with(0, earlier, 13) == verdict::fast_opened);
  const fast_open_option renewed = s.out.last().options.fast_open;
  CHECK(renewed.size == 8);
  CHECK_FALSE(renewed.same_cookie(earlier));
  CHECK(counters_text(s.listener.counters()) == "PassiveOpens=1 TCPFastOpenPassive=1 TCPFastOpenPassiveAltKey=1");
  CHECK(s.syn_with(1, renewed, 13) == verdict::fast_opened);
  CHECK_FALSE(s.out.last().options.fast_open.present());
}

// kernels.md 6, invariant 38.
TEST_CASE("at the bound a SYN with a good cookie is an ordinary one, until a child is settled") {
  fast<modern> s{8, 2};
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.open(1) == verdict::fast_opened);
  CHECK(s.open(2) == verdict::admitted);
  CHECK(s.out.last().ack == C + 1);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  CHECK(s.listener.counters().fast_open_listen_overflow == 1);
  CHECK(s.listener.counters().fast_open_passive_fail == 0);
  s.listener.accept();
  CHECK(s.open(3) == verdict::admitted);  // accept() finishes no handshake
  CHECK(s.settle(0, fast_open_end::finished));
  CHECK(s.open(4) == verdict::fast_opened);
}

// Bug caught: the quarantine of those who were never accepted, or none of those who were.
TEST_CASE("a child that its peer resets: its place is free at once before accept(), after 60 s behind it") {
  fast<modern> s{8, 1};
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.settle(0, fast_open_end::reset));
  CHECK(s.listener.child_gone(tuple(0)));
  CHECK(s.listener.fast_open().pending() == 0);
  CHECK(s.listener.accept_count() == 1);  // it still waits, as any other
  CHECK(s.listener.accept());

  CHECK(s.open(1) == verdict::fast_opened);
  CHECK(s.listener.accept());
  s.now = at(10);
  CHECK(s.settle(1, fast_open_end::reset));
  CHECK(s.listener.fast_open().quarantined() == 1);
  CHECK(s.open(2) == verdict::admitted);
  s.now = at(70) - 1;
  CHECK(s.open(3) == verdict::admitted);
  s.now = at(70);
  CHECK(s.open(4) == verdict::fast_opened);
}

TEST_CASE("child_settled says no when no such connection is unfinished") {
  fast<modern> s{4};
  CHECK_FALSE(s.settle(0, fast_open_end::finished));
  CHECK(s.syn(1) == verdict::admitted);
  CHECK(s.ack(1) == verdict::promoted);
  CHECK_FALSE(s.settle(1, fast_open_end::reset));
}

TEST_CASE("close hands fast-open children back; settled later, they count no more, and nobody is in quarantine") {
  fast<modern> s{8, 3};
  for (int i = 0; i < 3; ++i) s.open(i);
  s.listener.accept(), s.listener.accept();
  s.settle(0, fast_open_end::reset);
  CHECK(s.listener.close(s.out, s.now).children == 1);
  CHECK(s.out.resets == 1);
  CHECK(s.listener.fast_open().quarantined() == 0);
  CHECK(s.listener.fast_open().unfinished() == 2);
  CHECK(s.settle(1, fast_open_end::reset));  // behind the listener's back: no quarantine
  CHECK(s.settle(2, fast_open_end::gone));
  CHECK(s.listener.fast_open().pending() == 0);
}

TEST_CASE("a full accept queue: 6.18 drops the SYN before it looks at its cookie") {
  fast<modern> s{1};
  CHECK(s.connect(0, 1) == 2);
  CHECK(s.open(2) == verdict::dropped_accept_full);
  CHECK(s.out.children == 2);
  CHECK(s.listener.counters().fast_open_passive_fail == 0);
}

TEST_CASE("a full accept queue that lets SYNs through: the SYN becomes a request and keeps its cookie") {
  fast<with<modern, accept_full_at_syn<admit>>> s{1};
  CHECK(s.connect(0, 1) == 2);
  CHECK(s.open(2) == verdict::admitted);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.out.last().options.fast_open == s.cookie());
  CHECK(s.listener.accept_count() == 2);
  CHECK(s.listener.counters().fast_open_passive_fail == 1);
  CHECK(s.listener.fast_open().pending() == 0);
}

TEST_CASE("a stack that makes no child: an ordinary handshake on 6.18, the SYN dropped on 3.12") {
  fast<modern> s{4};
  s.out.takes_children = false;
  CHECK(s.open(0) == verdict::admitted);
  CHECK(s.last.stages.has(stage::child_refused));
  CHECK(s.out.last().options.fast_open == s.cookie());
  CHECK(counters_text(s.listener.counters()) == "TCPFastOpenPassiveFail=1");
  fast<old> t{4};
  t.out.takes_children = false;
  CHECK(t.open(0) == verdict::dropped_refused);
  CHECK(t.out.count == 0);
  CHECK(t.listener.request_count() == 0);
  CHECK(counters_text(t.listener.counters()) == "ListenDrops=2 TCPFastOpenPassive=1 TCPFastOpenPassiveFail=1");
}

TEST_CASE("3.12: at a full accept queue the SYN is dropped, and counted twice as a drop") {
  fast<old> s{1};
  CHECK(s.connect(0, 1) == 2);
  CHECK(s.open(2) == verdict::dropped_accept_full);
  CHECK(s.out.count == 2);
  CHECK(counters_text(s.listener.counters()) ==
        "PassiveOpens=2 ListenOverflows=1 ListenDrops=2 TCPFastOpenPassive=1 TCPFastOpenPassiveFail=1");
}

TEST_CASE("3.12 opens connections too, and counts every SYN with the option as passive") {
  fast<old> s{4};
  CHECK(s.ask(0) == verdict::admitted);
  CHECK(s.open(1) == verdict::fast_opened);
  CHECK(s.out.last().ack == C + 14);
  CHECK(counters_text(s.listener.counters()) == "PassiveOpens=1 TCPFastOpenPassive=2 TCPFastOpenCookieReqd=1");
}

// tcp_conn_request: want_cookie parses no fast-open option.
TEST_CASE("a SYN that gets a SYN cookie opens nothing and asks for nothing") {
  fast<modern> s{4};
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.open(0) == verdict::cookie_sent);
  CHECK(s.ask(1) == verdict::cookie_sent);
  CHECK(s.out.children == 0);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  CHECK(s.listener.counters().fast_open_cookie_reqd == 0);
}

TEST_CASE("a full request queue without cookies drops a SYN whatever it carries") {
  fast<modern> s{0};
  s.listener.set(tunable::syncookies, 0);
  s.syn(0);
  CHECK(s.open(1) == verdict::dropped_request_full);
  CHECK(s.out.children == 0);
}

TEST_CASE("a SYN-ACK that cannot leave costs a fast-open child nothing: its repetition is the child's") {
  fast<modern> s{4};
  s.out.answer = send_result::failed;
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.last.stages.has(stage::send_failed));
  CHECK(s.listener.accept_count() == 1);
}

TEST_CASE("TCP_DEFER_ACCEPT does not hold a fast-open child back") {
  fast<modern> s{4};
  s.listener.set(tunable::defer_accept, 30);
  CHECK(s.open(0, 0) == verdict::fast_opened);
  CHECK(s.listener.accept());
}

TEST_CASE("fast open is off until both tunables are set") {
  fast<modern> s{4, 0};
  CHECK(s.open(0) == verdict::admitted);
  CHECK(s.ask(1) == verdict::admitted);
  CHECK_FALSE(s.out.last().options.fast_open.present());
  s.listener.set(tunable::fastopen_qlen, 1);
  s.listener.set(tunable::fastopen, 1);
  CHECK(s.open(2) == verdict::admitted);
  s.listener.set(tunable::fastopen, 2);
  CHECK(s.open(3) == verdict::fast_opened);
}

TEST_CASE("deferred_child: nobody could take the data, so SYNs are ordinary ones") {
  using deferred = with<modern, child<deferred_child>>;
  fast<deferred> s{4};
  CHECK(s.open(0) == verdict::admitted);
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.ask(1) == verdict::admitted);
  CHECK_FALSE(s.out.last().options.fast_open.present());
}

// Bug caught: bytes that are acknowledged and that nobody has.
TEST_CASE("capped: only what the child was handed is acknowledged") {
  fast<with<modern, child<capped<5>>>> s{4};
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.out.last().ack == C + 6);
  fast<with<modern, child<capped<5, deferred_child>>>> t{4};
  CHECK(t.open(0) == verdict::admitted);
}

TEST_CASE("a fast open in a TIME-WAIT's place takes its ISN") {
  fast<modern> s{4};
  s.facts.isn = 0x12345678;
  CHECK(s.open(0) == verdict::fast_opened);
  CHECK(s.out.last().seq == 0x12345678);
}

// The whole exchange is arithmetic: it can be a constant.
static_assert([] {
  fast<modern> s{4};
  if (s.open(0) != verdict::fast_opened || s.out.last().ack != C + 14) return false;
  return s.listener.accept() && s.settle(0, fast_open_end::finished) && s.listener.fast_open().pending() == 0;
}());

namespace {

/// Opens at every SYN, and has nothing to say about which it looks at.
struct opens_always {
  static constexpr bool possible = true;
  static constexpr bool falls_back = false;
  static constexpr fast_open_answer on_syn(const fast_open_facts&, const tunable_source auto&) noexcept {
    return {.opens = true};
  }
  static constexpr bool ended(fast_open_end, bool, instant) noexcept { return true; }
  static constexpr void opened() noexcept {}
  static constexpr void closed() noexcept {}
};

}  // namespace

// A connection that its peer has ended before it was made.
TEST_CASE("a SYN with FIN opens nothing, where the stack takes it at all") {
  script<with<modern, fast_open<opens_always>, validation<freebsd_validation>>> s{4};
  CHECK(s.syn(0) == verdict::fast_opened);
  CHECK(s.send(1, {.flags = flag::syn | flag::fin}) == verdict::admitted);
  CHECK(s.waits(1));
}
