// SPDX-License-Identifier: BSL-1.0
// Cookies in a listener: every codec over both families, keys that change, two machines, windows, cookies beside
// requests, pauses. The layouts are in policy/cookie/.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <vector>

#include "support/counters.hpp"
#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::counters_text;
using test::recorder;
using test::script;
using test::tuple;

namespace {

using modern = preset::linux_6_18;

// Keeps the last finished handshake.
template <addressing A>
struct keeper : recorder<A> {
  basic_handshake<A> shake{};
  bool make_child(const basic_handshake<A>& h, const basic_segment<A>&) {
    shake = h;
    return true;
  }
};

// The ACK of a peer that has timestamps: it echoes the last SYN-ACK's.
template <class S>
verdict ack_with_timestamp(S& s, int peer) {
  const std::uint32_t echo = s.out.last().options.ts_value;
  return s.send(
      peer,
      {.flags = flag::ack, .seq = 1, .ack = 1, .options = {.timestamps = true, .ts_value = 1001, .ts_echo = echo}});
}

constexpr tcp_options everything{
    .mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 1000};

// Every option that a SYN-ACK offers must be there in the connection, and no other: the peer believes in it.
template <class Codec, class Family>
void check_options() {
  using l = with<modern, cookies<always<Codec, typename Codec::keys, any_time>>, family<Family>>;
  for (const bool timestamps : {true, false}) {
    script<l, keeper<Family>> s{4};
    s.now = at(100);
    tcp_options o = everything;
    o.timestamps = timestamps;
    CHECK(s.send(0, {.flags = flag::syn | flag::ece | flag::cwr, .options = o}) == verdict::cookie_sent);
    const auto offered = s.out.last();
    CHECK((timestamps ? ack_with_timestamp(s, 0) : s.ack(0)) == verdict::cookie_promoted);
    const auto& h = s.out.shake;
    CHECK(h.timestamps == timestamps);
    CHECK(h.timestamps == offered.options.timestamps);
    CHECK(h.sack == offered.options.sack_permitted);
    CHECK(h.window_scaling == offered.options.has_window_scale());
    CHECK(h.ecn == offered.flags.has(flag::ece));
    CHECK(h.send_scale == (h.window_scaling ? 7 : 0));
    CHECK(h.peer_mss <= 1460);
    CHECK(h.peer_mss >= 1220);
    const bool any = timestamps || !Codec::carries.only_with_timestamps;
    CHECK(h.sack == (any && Codec::carries.sack));
    CHECK(h.window_scaling == (any && Codec::carries.window_scale));
    CHECK(h.ecn == (any && Codec::carries.ecn));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the connection has what the SYN-ACK offered, over IPv4, IPv6 and both", Codec, linux_2_6_32_cookie,
                   linux_3_12_cookie, linux_6_18_cookie, freebsd_13_cookie, bernstein_cookie<>, gvisor_cookie,
                   onload_cookie<>, tldk_cookie) {
  check_options<Codec, ipv4>();
  check_options<Codec, ipv6>();
  check_options<Codec, dual>();
  check_options<Codec, tagged<ipv6>>();
}

// The table of the other family: an MSS of 8940 is in that of IPv6 alone, 1300 in that of IPv4.
TEST_CASE("a mapped address is IPv4, a tag changes nothing") {
  const auto mss_of = []<class Family>(Family, const typename Family::address& peer) {
    with<modern, cookies<always<linux_6_18_cookie>>, family<Family>> l;
    l.listen(4);
    basic_segment<Family> s;
    s.source.address = peer;
    s.flags = flag::syn;
    s.options.mss = 1300;
    const auto reply = l.receive(s, 0).reply;
    s.flags = flag::ack;
    s.seq = 1;
    s.ack = reply->seq + 1;
    return l.receive(s, 0).finished->peer_mss;
  };
  const ipv6::address native{{0x20010db8, 0, 0, 1}};
  CHECK(mss_of(ipv4{}, ip(10, 0, 0, 1)) == 1300);
  CHECK(mss_of(ipv6{}, native) == 1220);
  CHECK(mss_of(dual{}, native) == 1220);
  CHECK(mss_of(dual{}, dual::mapped(ip(10, 0, 0, 1))) == 1300);
  CHECK(mss_of(tagged<dual>{}, {native, 7}) == 1220);
  CHECK(mss_of(tagged<dual>{}, {dual::mapped(ip(10, 0, 0, 1)), 7}) == 1300);
}

// --- keys
// -----------------------------------------------------------------------------------------------------------------

// peers.md (e) 6: key sharing between machines. The second one has never seen the SYN.
TEST_CASE("two machines with the same ring finish each other's handshakes") {
  using l = with<modern, cookies<always<linux_6_18_cookie, rotated<60 * second>, any_time>>>;
  always<linux_6_18_cookie, rotated<60 * second>, any_time> cookies;
  cookies.keys.seed({1, 2});
  script<l> one{4, l{cookies}};
  script<l> two{4, l{cookies}};
  script<l> stranger{4};
  one.syn(0), one.syn(1), one.syn(2);
  const auto finish = [&](script<l>& s, int peer) {
    return s.receive(one.segment(peer, {.flags = flag::ack, .seq = 1, .ack = 1}));
  };
  CHECK(finish(stranger, 0) == verdict::stray);
  CHECK(finish(two, 0) == verdict::cookie_promoted);
  // The one has changed its key already, the other not yet.
  const linux_6_18_cookie_key next{{5, 6}, {7, 8}};
  two.listener.rotate_cookie_keys(next, at(1));
  CHECK(two.listener.cookie_keys().current.number == 1);
  CHECK(finish(two, 1) == verdict::cookie_promoted);
  one.now = at(2);
  one.syn(3);
  CHECK(finish(two, 3) == verdict::cookie_promoted);
  // And the other way round: not before both have it.
  two.now = at(3);
  two.syn(4);
  CHECK(one.receive(two.segment(4, {.flags = flag::ack, .seq = 1, .ack = 1})) == verdict::stray);
  one.listener.rotate_cookie_keys(next, at(4));
  CHECK(one.receive(two.segment(4, {.flags = flag::ack, .seq = 1, .ack = 1})) == verdict::cookie_promoted);
}

// FreeBSD's: no word between the machines, but a secret and a clock.
TEST_CASE("derived keys agree by themselves") {
  using l = with<modern, cookies<always<freebsd_13_cookie, derived_keys<15 * second>, any_time>>>;
  always<freebsd_13_cookie, derived_keys<15 * second>, any_time> cookies;
  cookies.keys.seed({1, 2});
  script<l> one{4, l{cookies}};
  script<l> two{4, l{cookies}};
  one.now = at(14);
  one.syn(0);
  const auto ack = one.segment(0, {.flags = flag::ack, .seq = 1, .ack = 1});
  two.now = at(29.999999);
  CHECK(two.receive(ack) == verdict::cookie_promoted);
  two.now = at(30);
  CHECK(two.receive(ack) == verdict::stray);
}

// A rotation that forgets the old key at once, or never; one that moves time backwards.
TEST_CASE("a rotated key ends cookies after the overlap, a static one at once") {
  using ring = with<modern, cookies<always<linux_6_18_cookie, rotated<20 * second>>>>;
  script<ring> s{8};
  s.syn(0), s.syn(1);
  s.listener.rotate_cookie_keys(linux_6_18_cookie_key{{5, 6}, {7, 8}}, at(10));
  s.now = at(29.999999);
  CHECK(s.ack(0) == verdict::cookie_promoted);
  s.syn(2);
  s.now = at(30);
  CHECK(s.ack(1) == verdict::stray);
  CHECK(s.ack(2) == verdict::cookie_promoted);
  script<with<modern, cookies<always<linux_6_18_cookie>>>> fixed{8};
  fixed.syn(0);
  fixed.listener.rotate_cookie_keys(linux_6_18_cookie_key{{5, 6}, {7, 8}}, 0);
  CHECK(fixed.ack(0) == verdict::stray);
  fixed.syn(1);
  CHECK(fixed.ack(1) == verdict::cookie_promoted);
}

// No keys at all, those of another codec, those that nobody brings.
template <class L, class Key>
concept takes = requires(L& l, const Key& k) {
  l.rotate_cookie_keys(k, 0);
};
static_assert(takes<modern, linux_6_18_cookie_key>);
static_assert(!takes<with<modern, cookies<no_cookies>>, linux_6_18_cookie_key> && !takes<modern, siphash_key>);
static_assert(!takes<with<modern, cookies<always<freebsd_13_cookie, derived_keys<second>, any_time>>>, siphash_key>);

// --- windows
// --------------------------------------------------------------------------------------------------------------

// kernels.md 4.2: 3 s, and the ACK that comes later is a failed cookie in the kernel's books up to 3.12, none in 6.18.
TEST_CASE_TEMPLATE("3 s after the last cookie an ACK is not tried any more", L, preset::linux_2_6_32,
                   preset::linux_3_12) {
  script<L> s{1};
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.send(99, {.flags = flag::ack, .seq = 1, .ack = 1}) == verdict::stray);
  CHECK(s.last.stages.has(stage::cookie_late));
  CHECK(s.listener.counters().syncookies_failed == 1);
  for (int i = 0; i < 16; ++i) CHECK(s.syn(i) == verdict::admitted);
  CHECK(s.syn(16) == verdict::cookie_sent);
  CHECK(s.syn(17) == verdict::cookie_sent);
  s.now = at(3);
  CHECK(s.ack(16) == verdict::cookie_promoted);
  s.now = at(3.000001);
  CHECK(s.ack(17) == verdict::stray);
  CHECK_FALSE(s.last.stages.has(stage::cookie_checked));
  CHECK(s.syn(18) == verdict::cookie_sent);  // opens the window again, and the old one is still good
  CHECK(s.ack(17) == verdict::cookie_promoted);
  CHECK(s.listener.counters().syncookies_sent == 3);
  CHECK(s.listener.counters().syncookies_recv == 2);
  CHECK(s.listener.counters().syncookies_failed == 2);
}

// What each kernel counts for one cookie sent, one bad ACK, one ACK after the window (kernels.md 2.8).
TEST_CASE("SyncookiesSent, Recv, Failed and what else goes up with them") {
  const auto story = []<class L>(script<L> s) {
    s.listener.set(tunable::syncookies, 1);
    int next = 0;
    while (s.syn(next) == verdict::admitted) ++next;
    s.send(next, {.flags = flag::ack, .seq = 1, .ack = 7});
    s.ack(next);
    s.send(next, {.flags = flag::rst | flag::ack, .seq = 1, .ack = 7});
    s.now = at(200);
    s.send(next, {.flags = flag::ack, .seq = 1, .ack = 1});
    return counters_text(s.listener.counters());
  };
  CHECK(story(script<preset::linux_2_6_32>{1}) ==
        "PassiveOpens=1 OutRsts=2 SyncookiesSent=1 SyncookiesRecv=1 "
        "SyncookiesFailed=2");
  CHECK(story(script<preset::linux_3_12>{1}) ==
        "PassiveOpens=1 OutRsts=2 ListenDrops=1 TCPReqQFullDoCookies=1 "
        "SyncookiesSent=1 SyncookiesRecv=1 SyncookiesFailed=2");
  CHECK(story(script<preset::linux_6_18>{1}) ==
        "PassiveOpens=1 OutRsts=2 TCPReqQFullDoCookies=1 SyncookiesSent=1 "
        "SyncookiesRecv=1 SyncookiesFailed=1");
}

// A window that the last life of the listener has left open.
TEST_CASE("a listener that listens again has sent no cookie yet") {
  script<with<modern, cookies<always<linux_6_18_cookie>>>> s{4};
  s.syn(0);
  s.listener.close(s.out);
  s.listener.listen(4, at(1));
  s.now = at(1);
  CHECK(s.ack(0) == verdict::stray);
  CHECK(s.last.stages.has(stage::cookie_late));
}

// gVisor (peers.md): an ACK is tried while the next SYN would get a cookie, too.
TEST_CASE("gVisor's window closes when there is room again") {
  script<with<modern, cookies<under_pressure<gvisor_cookie>>>> s{1};
  s.syn(0), s.syn(1), s.syn(2), s.syn(3);
  CHECK(s.ack(2) == verdict::cookie_promoted);
  s.rst(0);
  CHECK(s.ack(3) == verdict::stray);
}

// --- a cookie in every ISS
// ------------------------------------------------------------------------------------------------

namespace {

template <class Cookies>
using bsd = with<modern, cookies<Cookies>, admission<syncache_gates>, sizing<syncache<4, 3>>,
                 request_full<evict_in_bucket>, accept_full_at_ack<listenq::reset>>;
using in_iss = bsd<in_every_iss_if_tuned<freebsd_13_cookie>>;
using in_iss_with_pauses = bsd<pausing<in_every_iss_if_tuned<freebsd_13_cookie>>>;

// Peers whose requests belong to the bucket of the first of them.
template <class S>
std::vector<int> neighbours(const S& s, std::size_t count, int first = 0) {
  std::vector<int> found;
  const std::uint32_t bucket = s.listener.bucket_of(tuple(first));
  for (int i = first; found.size() < count; ++i) {
    if (s.listener.bucket_of(tuple(i)) == bucket) found.push_back(i);
  }
  return found;
}
// A peer of another bucket than the first one's.
template <class S>
int elsewhere(const S& s, int first = 0) {
  for (int i = first + 1;; ++i) {
    if (s.listener.bucket_of(tuple(i)) != s.listener.bucket_of(tuple(first))) return i;
  }
}

}  // namespace

// kernels.md 6, invariant 43, and 2.4 step 5.
TEST_CASE("an evicted request is finished by its ACK all the same, with all of its options") {
  script<in_iss, keeper<ipv4>> s{8};
  const std::vector<int> p = neighbours(s, 4);
  CHECK(s.syn(p[0], everything) == verdict::admitted);
  CHECK(s.last.stages.has(stage::cookie_in_iss));
  CHECK(s.out.last().options.window_scale == 10);
  s.now = at(1);
  s.syn(p[1]), s.syn(p[2]);
  CHECK(s.syn(p[3]) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK_FALSE(s.waits(p[0]));
  CHECK(s.listener.request_count() == 3);
  const auto ack =
      s.segment(p[0], {.flags = flag::ack, .seq = 1, .ack = 1, .options = {.timestamps = true, .ts_value = 1001}});
  CHECK(s.receive(ack) == verdict::cookie_promoted);
  CHECK(s.out.shake.cookie);
  CHECK(s.out.shake.peer_mss == 1460);
  CHECK(s.out.shake.send_scale == 7);
  CHECK(s.out.shake.sack);
  CHECK(s.out.shake.timestamps);
  CHECK(s.out.shake.ts_recent == 1001);
  CHECK(s.ack(p[1]) == verdict::promoted);  // a request that was not lost is finished as ever
  CHECK_FALSE(s.out.shake.cookie);
  CHECK(s.listener.request_count() == 2);
}

// kernels.md 4.4: 15 s, and only where something was lost.
TEST_CASE("only where a bucket has overflowed, and for 15 s") {
  script<in_iss> s{8};
  const std::vector<int> p = neighbours(s, 5);
  s.syn(p[0]);
  s.rst(p[0]);
  CHECK(s.ack(p[0]) == verdict::stray);  // its ISS was a cookie, but nothing was lost
  CHECK(s.last.stages.has(stage::cookie_late));
  const int other = elsewhere(s);
  s.syn(other);
  s.rst(other);
  for (int i = 1; i < 5; ++i) s.syn(p[static_cast<std::size_t>(i)]);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK(s.ack(other) == verdict::stray);
  CHECK(s.ack(p[0]) == verdict::cookie_promoted);  // of the same bucket
  s.listener.accept();
  s.now = at(15);
  CHECK(s.ack(p[0]) == verdict::cookie_promoted);  // again: a cookie knows nothing of the first time
  s.now = at(15.000001);
  CHECK(s.ack(p[0]) == verdict::stray);
  CHECK(s.last.stages.has(stage::cookie_late));
}

// kernels.md 2.4 step 4: the whole cache is full, the bucket has room: its oldest goes, if it has one.
TEST_CASE("where the cache is full and the bucket empty, a cookie goes out and nothing is stored") {
  using small = with<in_iss, sizing<syncache<4, 3, 2>>>;
  script<small> s{8};
  const std::vector<int> p = neighbours(s, 3);
  s.syn(p[0]), s.syn(p[1]);
  const int other = elsewhere(s);
  CHECK(s.syn(other) == verdict::cookie_sent);
  CHECK(s.last.stages.has(stage::cookie_wanted));
  CHECK(s.listener.request_count() == 2);
  CHECK(s.ack(other) == verdict::stray);  // as in the kernel: its bucket has lost nothing, so nobody looks
  CHECK(s.syn(p[2]) == verdict::admitted);
  CHECK(s.last.stages.has(stage::evicted));
  CHECK(s.ack(p[0]) == verdict::cookie_promoted);  // its bucket has
}

// net.inet.tcp.syncookies and syncookies_only.
TEST_CASE("off: no cookie in the ISS; only: nothing is stored or looked up, every ACK is tried") {
  script<in_iss> s{8};
  s.listener.set(tunable::syncookies, 0);
  s.syn(0);
  CHECK_FALSE(s.last.stages.has(stage::cookie_in_iss));
  CHECK(s.ack(1) == verdict::stray);
  CHECK_FALSE(s.last.stages.has(stage::cookie_late));
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(0) == verdict::cookie_sent);  // there is a request of that name, which nobody sees
  CHECK(s.listener.request_count() == 1);
  const auto ack = s.segment(0, {.flags = flag::ack, .seq = 1, .ack = 1});
  CHECK(s.receive(ack) == verdict::stray);  // of the request: `segment` reads its ISS
  CHECK(s.syn(2) == verdict::cookie_sent);
  CHECK(s.ack(2) == verdict::cookie_promoted);
}

// tcp_sc_rst_sock_fail: what accept_full_at_ack says holds for cookies, too; Linux's are dropped in silence.
TEST_CASE("a cookie that finds no room gets the RST that a request would get") {
  script<in_iss> s{0};
  s.listener.set(tunable::syncookies, 2);
  s.syn(0), s.syn(1);
  CHECK(s.ack(0) == verdict::cookie_promoted);
  CHECK(s.ack(1) == verdict::cookie_overflow);
  CHECK(s.last.stages.has(stage::answered_reset));
  CHECK(s.out.last().flags == flag::rst);
  script<with<in_iss, accept_full_at_ack<keep>>> k{0};
  k.listener.set(tunable::syncookies, 2);
  k.syn(0), k.syn(1), k.ack(0);
  CHECK(k.ack(1) == verdict::cookie_overflow);
  CHECK_FALSE(k.last.stages.has(stage::answered_reset));
}

// A TIME-WAIT's ISN must be used as it is.
TEST_CASE("an ISN that was chosen by somebody else is not replaced by a cookie") {
  script<in_iss> s{8};
  s.facts.isn = 12345;
  CHECK(s.syn(0) == verdict::admitted);
  CHECK(s.request(0).iss == 12345);
  CHECK_FALSE(s.last.stages.has(stage::cookie_in_iss));
}

// It would catch two requests of one four-tuple: a gate that a TIME-WAIT opens, and nobody looks who is there.
TEST_CASE("where requests are not looked up, a TIME-WAIT's ISN does not store one either") {
  script<with<in_iss, admission<linux_gates>>> s{8};
  CHECK(s.syn(0) == verdict::admitted);
  s.listener.set(tunable::syncookies, 2);
  s.facts.isn = 12345;
  CHECK(s.syn(0) == verdict::cookie_sent);
  CHECK(s.listener.request_count() == 1);
}

// --- pauses
// ---------------------------------------------------------------------------------------------------------------

// kernels.md 2.4, last paragraph.
TEST_CASE("a bucket's overflow begins a pause: cookies only, requests are not found and die at their timers") {
  script<in_iss_with_pauses> s{8};
  const std::vector<int> p = neighbours(s, 5);
  for (std::size_t i = 0; i < 3; ++i) s.syn(p[i]);
  const seq_number first = s.iss(p[1]);
  CHECK(s.syn(p[3]) == verdict::admitted);  // it is stored, then the pause has begun
  CHECK(s.syn(p[4]) == verdict::cookie_sent);
  CHECK(s.listener.request_count() == 3);
  CHECK(s.ack(p[4]) == verdict::cookie_promoted);
  const int other = elsewhere(s);
  s.syn(other);
  CHECK(s.ack(other) == verdict::cookie_promoted);  // every ACK is tried, whatever its bucket
  CHECK(s.iss(p[1]) == first);
  CHECK(s.ack(p[1]) == verdict::cookie_promoted);
  CHECK(s.waits(p[1]));  // it is still there, and nobody sees it
  s.run_until(at(1.5));
  CHECK(s.listener.request_count() == 0);
  s.now = at(14.999999);
  CHECK(s.syn(50) == verdict::cookie_sent);
  s.now = at(15);
  CHECK(s.syn(51) == verdict::admitted);
}

TEST_CASE("no pause where cookies are off, and none is left after a new listen()") {
  script<in_iss_with_pauses> s{8};
  s.listener.set(tunable::syncookies, 0);
  const std::vector<int> p = neighbours(s, 9);
  for (std::size_t i = 0; i < 4; ++i) CHECK(s.syn(p[i]) == verdict::admitted);
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.syn(p[4]) == verdict::admitted);
  CHECK(s.syn(p[5]) == verdict::cookie_sent);
  s.listener.set(tunable::syncookies, 0);
  CHECK(s.syn(p[5]) == verdict::admitted);  // switched off in a pause
  s.listener.set(tunable::syncookies, 1);
  CHECK(s.syn(p[6]) == verdict::cookie_sent);
  s.listener.close(s.out);
  s.listener.listen(8, s.now);
  CHECK(s.syn(p[6]) == verdict::admitted);
}

namespace {

struct watch {
  static constexpr const char* name = "watch";
  int paused = 0;
  int others = 0;
  void on_timer(instant, const four_tuple&, timer_outcome t) {
    ++(t.verdict == timer_verdict::paused ? paused : others);
  }
};

}  // namespace

// A pause must not end what there was to be sent: no SYN-ACK again, no verdict of its own.
TEST_CASE("what a pause drops is named, and no timeout is counted") {
  script<with<in_iss_with_pauses, observer<watch>>> s{8};
  const std::vector<int> p = neighbours(s, 4);
  for (const int peer : p) s.syn(peer);
  s.run_until(at(5));
  CHECK(s.listener.observer().paused == 3);
  CHECK(s.listener.observer().others == 0);
  CHECK(s.out.count == 4);
  CHECK(s.listener.counters().timeouts == 0);
}
