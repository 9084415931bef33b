// SPDX-License-Identifier: BSL-1.0
// listener.hpp, detail/on_request: what comes with and after the final ACK, and that every validation model says the
// same wherever the numbers wrap. Each model's rules are in policy/*validation.cpp, the core's in listener.cpp.
#include <doctest/doctest.h>

#include <array>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/wire/tcp.hpp>
#include <utility>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::C;
using test::script;

namespace {

using modern = preset::linux_6_18;
constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin, PSH = flag::psh;

// A stack that keeps what its children are given.
struct giver : test::recorder<> {
  std::size_t bytes = 0;
  flags with{};
  handshake shake{};
  constexpr bool make_child(const handshake& h, const segment& s) {
    shake = h;
    bytes = s.payload.size;
    with = s.flags;
    return test::recorder<>::make_child(h, s);
  }
};

constexpr tcp_options stamped(std::uint32_t value) { return {.timestamps = true, .ts_value = value}; }

// All that a client can say, relative to the ISNs, once with a fresh request each; what becomes of it and what comes
// back.
template <class V, seq_number Iss>
std::vector<std::int64_t> all_answers(seq_number client_isn, std::uint32_t clock) {
  std::vector<std::int64_t> r;
  for (const flags f : {ACK, SYN, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN, flag::none, SYN | FIN, SYN | RST}) {
    for (const std::int64_t seq :
         {-100000, -1000, -1, 0, 1, 2, 1000, 64240, 64241, 64242, 65160, 65161, 65162, 100000}) {
      for (const std::int64_t ack : {-1000, 0, 1, 2, 70000}) {
        for (const int stamp : {-1, 0, 1}) {  // older than the SYN's, none on either side, newer
          script<with<listener<validation<V>>, isn<fixed_isn<Iss>>, offer<linux_6_18_offer>>> s{4};
          s.client_isn = client_isn;
          s.syn(0, stamp == 0 ? tcp_options{} : stamped(clock));
          s.now = at(0.6);
          const std::size_t sent = s.out.count;
          const tcp_options o = stamp == 0 ? tcp_options{} : stamped(clock + static_cast<std::uint32_t>(stamp));
          r.push_back(static_cast<std::int64_t>(s.send(0, {.flags = f, .seq = seq, .ack = ack, .options = o})));
          r.push_back(static_cast<std::int64_t>(s.last.stages.bits));
          if (s.out.count == sent) continue;
          const segment& a = s.out.last();
          r.push_back(a.flags.bits);
          // Of a RST: the number that was acknowledged, or none.
          r.push_back(a.flags.has(RST | ACK) ? a.seq : static_cast<std::int32_t>(a.seq - Iss));
          r.push_back(a.flags.has(ACK) ? static_cast<std::int32_t>(a.ack - client_isn) : 0);
        }
      }
    }
  }
  return r;
}

template <class V>
void same_everywhere() {
  const auto in_the_middle = all_answers<V, 0x20000000U>(0x10000000U, 5000);
  CHECK(in_the_middle.size() > 4000);
  for (const seq_number isn : {0U, 0x7fffffffU, 0xffff0618U, 0xfffffffeU, 0xffffffffU}) {
    CAPTURE(isn);
    CHECK(all_answers<V, 0x20000000U>(isn, 5000) == in_the_middle);
  }
  CHECK(all_answers<V, 0xffffffffU>(0xffffffffU, 0xffffffffU) == in_the_middle);
  CHECK(all_answers<V, 0xfffffffeU>(0x10000000U, 0x80000000U) == in_the_middle);
  CHECK(all_answers<V, 0U>(0xfffffc00U, 0x7fffffffU) == in_the_middle);
}

struct careful : linux_6_18_offer {
  static constexpr std::uint16_t least_mss = 216;
};
struct without_timestamps : linux_6_18_offer {
  static constexpr bool timestamps = false;
};

}  // namespace

// --- the wrap ---

// kernels.md 6: arithmetic modulo 2^32 everywhere, in every model.
TEST_CASE("linux_validation says the same wherever ISNs and clocks wrap") {
  same_everywhere<linux_validation<linux_era::v2_6_32>>();
  same_everywhere<linux_validation<linux_era::v6_18>>();
}
TEST_CASE("freebsd_validation and netbsd_validation say the same wherever ISNs and clocks wrap") {
  same_everywhere<freebsd_validation>();
  same_everywhere<netbsd_validation>();
}
TEST_CASE("the RFCs' tables say the same wherever ISNs and clocks wrap") {
  same_everywhere<rfc793_validation>();
  same_everywhere<rfc5961_validation>();
}

// Bug caught: a cookie rebuilt with an ISN off by one, or not at all, where `seq - 1` or `ack - 1` wraps.
TEST_CASE("a cookie comes back wherever the peer's ISN lies, with and without data") {
  for (const seq_number isn : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xfffffff3U, 0xfffffffeU, 0xffffffffU}) {
    CAPTURE(isn);
    script<modern, giver> s{4};
    s.client_isn = isn;
    s.listener.set(tunable::syncookies, 2);
    for (int i = 0; i < 4; ++i) {
      REQUIRE(s.syn(i, {.mss = 1460}) == verdict::cookie_sent);  // the last of the table: one more is no cookie
      CHECK(s.out.last().ack == isn + 1);
      const seq_number iss = s.out.last().seq;
      CHECK(s.send(i, {.flags = ACK, .seq = 1, .ack = 2}) == verdict::stray);
      CHECK(s.send(i, {.flags = ACK, .seq = 1, .ack = 1, .bytes = i % 2 == 0 ? 0U : 13U}) == verdict::cookie_promoted);
      CHECK(s.out.shake.irs == isn);
      CHECK(s.out.shake.iss == iss);
    }
  }
}

namespace {

// A stack that has an opinion of its own of an ACK to nobody.
template <listener_answer Answer>
struct of_stray_acks : default_validation {
  static constexpr listener_answer at_listener(flags s) noexcept {
    return (s & (SYN | ACK | RST)) == ACK ? Answer : default_validation::at_listener(s);
  }
};

// What a listener that signs cookies, with this validation, says of an ACK that bears one; how many segments it has
// sent then.
template <class V>
std::pair<verdict, std::size_t> of_an_ack_with_cookie() {
  script<with<modern, validation<V>>> s{4};
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(0) == verdict::cookie_sent);
  const verdict v = s.ack(0);
  return {v, s.out.count};
}

}  // namespace

// A short way for ordinary ACKs that tries the cookie, or resets, whatever the policy says.
TEST_CASE("an ACK that belongs to no request gets what `validation` says, a cookie or not") {
  CHECK(of_an_ack_with_cookie<default_validation>() == std::pair{verdict::cookie_promoted, std::size_t{1}});
  CHECK(of_an_ack_with_cookie<of_stray_acks<listener_answer::cookie>>() ==
        std::pair{verdict::cookie_promoted, std::size_t{1}});
  CHECK(of_an_ack_with_cookie<of_stray_acks<listener_answer::reset>>() == std::pair{verdict::stray, std::size_t{2}});
  CHECK(of_an_ack_with_cookie<of_stray_acks<listener_answer::ignore>>() == std::pair{verdict::ignored, std::size_t{1}});
}

// --- data and FIN with the final ACK ---

TEST_CASE("data and FIN that come with the final ACK are handed to the connection") {
  script<modern, giver> s{4};
  s.syn(0), s.syn(1), s.syn(2);
  CHECK(s.data(0, 13) == verdict::promoted);
  CHECK(s.out.bytes == 13);
  CHECK(s.send(1, {.flags = FIN | ACK, .seq = 1, .ack = 1, .bytes = 5}) == verdict::promoted);
  CHECK(s.out.bytes == 5);
  CHECK(s.out.with.has(FIN));
  CHECK(s.ack(2) == verdict::promoted);
  CHECK(s.out.bytes == 0);
}

// Bug caught: a FIN accepted in front of bytes that were cut off.
TEST_CASE("capped: no more bytes than it says are handed over, and no FIN behind those that were cut off") {
  script<with<modern, child<capped<10>>>, giver> s{8};
  for (int i = 0; i < 4; ++i) s.syn(i);
  CHECK(s.send(0, {.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .bytes = 11}) == verdict::promoted);
  CHECK(s.out.bytes == 10);
  CHECK(s.out.with == (PSH | ACK));
  CHECK(s.send(1, {.flags = FIN | ACK, .seq = 1, .ack = 1, .bytes = 10}) == verdict::promoted);
  CHECK(s.out.bytes == 10);
  CHECK(s.out.with == (FIN | ACK));
  s.ack(2);
  CHECK(s.out.bytes == 0);
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.syn(5) == verdict::cookie_sent);
  CHECK(s.data(5, 100) == verdict::cookie_promoted);
  CHECK(s.out.bytes == 10);
}

TEST_CASE("capped at nothing: the connection begins without the bytes, deferral sees them all the same") {
  script<with<modern, child<capped<0>>, deferral<await_data>>, giver> s{4};
  s.syn(0);
  CHECK(s.ack(0) == verdict::deferred);
  CHECK(s.data(0, 13) == verdict::promoted);
  CHECK(s.out.bytes == 0);
}

// kernels.md 4.1: the data of an ACK that found no room are lost; each repetition is a new chance.
TEST_CASE("data that found the accept queue full are handed over when they come again") {
  script<modern, giver> s{1};
  s.syn(0), s.syn(1);
  s.listener.listen(0);
  s.ack(0);
  CHECK(s.data(1, 13) == verdict::overflow_kept);
  CHECK(s.out.children == 1);
  CHECK(s.data(1, 13) == verdict::overflow_kept);
  s.listener.accept();
  CHECK(s.data(1, 13) == verdict::promoted);
  CHECK(s.out.bytes == 13);
  CHECK(s.listener.accept_count() == 1);
}

TEST_CASE("what comes again after the request has gone gets a RST") {
  script<with<modern, accept_full_at_ack<forget>>, giver> s{1};
  s.syn(0), s.syn(1);
  s.listener.listen(0);
  s.ack(0);
  const seq_number iss = s.iss(1);
  CHECK(s.data(1, 13) == verdict::overflow_forgotten);
  s.listener.accept();
  const std::size_t sent = s.out.count;
  CHECK(s.data(1, 13) == verdict::stray);
  CHECK(s.out.count == sent + 1);
  CHECK(s.out.last().flags == RST);
  CHECK(s.out.last().seq == iss + 1);
}

// --- crossed SYN-ACK, data before the ACK ---

// kernels.md 4.1, step 6 ("malicious crossed SYN"): as long as it holds nothing new it is outside the window.
TEST_CASE("a crossed SYN-ACK: Linux and the RFCs say ACK, the BSDs RST") {
  const auto crossed = []<class V>(V, flags says, bool stays) {
    script<listener<validation<V>>> s{4};
    s.syn(0);
    s.send(0, {.flags = SYN | ACK, .seq = 0, .ack = 1});
    CHECK(s.out.count == 2);
    CHECK(s.out.last().flags == says);
    CHECK(s.waits(0) == stays);
  };
  crossed(linux_validation<linux_era::v6_18>{}, ACK, true);
  crossed(linux_validation<linux_era::v2_6_32>{}, ACK, true);
  crossed(rfc793_validation{}, ACK, true);
  crossed(rfc5961_validation{}, ACK, true);
  crossed(freebsd_validation{}, RST, false);
  crossed(netbsd_validation{}, RST, true);
}

TEST_CASE("data or FIN without ACK change nothing under any model") {
  const auto early = []<class V>(V, bool says_rst) {
    script<listener<validation<V>>> s{4};
    s.syn(0);
    for (const flags f : {PSH, FIN}) {
      const std::size_t sent = s.out.count;
      s.send(0, {.flags = f, .seq = 1, .bytes = 13});
      CHECK(s.out.count == sent + (says_rst ? 1 : 0));
      CHECK(s.waits(0));
    }
    CHECK(s.ack(0) == verdict::promoted);
  };
  early(linux_validation<linux_era::v6_18>{}, false);
  early(linux_validation<linux_era::v3_12>{}, false);
  early(rfc793_validation{}, false);
  early(rfc9293_validation{}, false);
  early(freebsd_validation{}, false);
  early(netbsd_validation{}, true);
}

// The data of a SYN are not kept: RFC 9293 3.10.7.2 lets a listener ignore them. They come again.
TEST_CASE("data in a SYN without fast open are not acknowledged") {
  script<modern, giver> s{4};
  s.send(0, {.flags = SYN, .bytes = 13});
  CHECK(s.out.last().ack == C + 1);
  CHECK(s.data(0, 13) == verdict::promoted);
  CHECK(s.out.bytes == 13);
}

// --- options ---

// CVE-2019-11479: an MSS of 1 makes us send crumbs. 0 is no MSS (RFC 9293 3.7.1: 536).
TEST_CASE("an MSS below the least one counts as that, 0 as none") {
  const auto mss = []<class L>(script<L, giver> s, std::uint16_t offered) {
    s.syn(0, {.mss = offered});
    s.ack(0);
    return s.out.shake.peer_mss;
  };
  using script_48 = script<modern, giver>;
  using script_216 = script<with<modern, offer<careful>>, giver>;
  CHECK(mss(script_48{4}, 0) == 536);
  CHECK(mss(script_48{4}, 1) == 48);
  CHECK(mss(script_48{4}, 47) == 48);
  CHECK(mss(script_48{4}, 48) == 48);
  CHECK(mss(script_48{4}, 49) == 49);
  CHECK(mss(script_48{4}, 65535) == 65535);
  CHECK(mss(script_216{4}, 0) == 536);
  CHECK(mss(script_216{4}, 215) == 216);
  CHECK(mss(script_216{4}, 217) == 217);
}

// RFC 7323 2.3. A shift of 32 or more is undefined in C++.
TEST_CASE("a window scale above 14 counts as 14, one of 255 as none") {
  for (const int scale : {0, 7, 14, 15, 31, 32, 254, 255}) {
    CAPTURE(scale);
    script<modern, giver> s{4};
    s.syn(0, {.window_scale = static_cast<std::uint8_t>(scale)});
    s.ack(0);
    CHECK(s.out.shake.window_scaling == (scale < 255));
    CHECK(s.out.shake.send_scale == (scale == 255 ? 0 : scale > 14 ? 14 : scale));
  }
}

// RFC 7323 3.2: once agreed on, timestamps must be in every segment, and a stack without them could not keep that.
// Bugs caught: they come back by the cookie, of which the ACK tells again whether there are any; PAWS refuses the ACK.
TEST_CASE("a stack that has no timestamps agrees on none, by a request or by a cookie") {
  const tcp_options asked{.mss = 1400, .window_scale = 7, .timestamps = true, .ts_value = 7000};
  const tcp_options later{.timestamps = true, .ts_value = 6000};
  const auto connect = [&](auto s, std::uint32_t mode) {
    s.listener.set(tunable::syncookies, mode);
    s.syn(0, asked);
    CHECK(!s.out.last().options.timestamps);
    CHECK(s.out.last().window == linux_6_18_offer::window);
    CHECK(s.out.last().options.has_window_scale());
    s.send(0, {.flags = ACK, .seq = 1, .ack = 1, .options = later});
    CHECK(!s.out.shake.timestamps);
    CHECK(s.out.shake.ts_recent == 0);
    CHECK(s.out.shake.window_scaling);
    return s.last.verdict;
  };
  using with_cookies =
      listener<cookies<cookies_if_tuned<freebsd_13_cookie, static_key, any_time>>, offer<without_timestamps>>;
  CHECK(connect(script<with_cookies, giver>{4}, 0) == verdict::promoted);
  CHECK(connect(script<with_cookies, giver>{4}, 2) == verdict::cookie_promoted);
}

TEST_CASE("options of later segments than the SYN negotiate nothing") {
  script<modern, giver> s{4};
  s.syn(0, {.mss = 1000});
  s.send(0, {.flags = ACK,
             .seq = 1,
             .ack = 1,
             .options = {.mss = 400, .window_scale = 5, .sack_permitted = true, .timestamps = true, .ts_value = 9}});
  CHECK(s.out.shake.peer_mss == 1000);
  CHECK_FALSE(s.out.shake.window_scaling);
  CHECK_FALSE(s.out.shake.sack);
  CHECK_FALSE(s.out.shake.timestamps);
}

// From bytes to the record: what is wrong with an option list costs that option or those behind it, and nothing else.
TEST_CASE("a SYN with any broken option list is answered, and its handshake finishes") {
  using list = std::vector<unsigned char>;
  struct row {
    list options;
    std::uint16_t mss;
    bool sack, timestamps;
    int scale;  // -1: none
  };
  const row rows[] = {
      {{2, 4, 5, 180}, 1460, false, false, -1},
      {{2, 0, 5, 180}, 536, false, false, -1},                        // length 0
      {{2, 1, 5, 180}, 536, false, false, -1},                        // length 1
      {{2, 3, 5, 4, 2, 1, 1, 1}, 536, true, false, -1},               // a short MSS, skipped
      {{2, 6, 5, 180, 0, 0, 4, 2}, 536, true, false, -1},             // a long one
      {{2, 4, 0, 0}, 536, false, false, -1},                          // MSS 0
      {{2, 4, 0, 1}, 48, false, false, -1},                           // MSS 1
      {{2, 4, 5, 180, 2, 4, 1, 0}, 256, false, false, -1},            // twice: the later counts
      {{1, 1, 1, 2}, 536, false, false, -1},                          // a kind and no length
      {{4, 2, 3, 200}, 536, true, false, -1},                         // past the end of the header
      {{8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1}, 536, false, true, -1},  // timestamps alone
      {{8, 9, 0, 0, 0, 9, 0, 0, 0, 4, 2, 1}, 536, true, false, -1},   // of 9 bytes
      {{3, 3, 15, 1}, 536, false, false, 14},                         // scale 15
      {{3, 3, 255, 1}, 536, false, false, 14},                        // scale 255
      {{3, 2, 4, 2}, 536, true, false, -1},                           // scale without its byte
      {{0, 2, 4, 2}, 536, false, false, -1},                          // end of list first
      {{99, 4, 1, 1, 4, 2, 1, 1}, 536, true, false, -1},              // unknown
      {{255, 255, 255, 255}, 536, false, false, -1},                  // nonsense
  };
  int number = 0;
  for (const row& r : rows) {
    CAPTURE(number++);
    script<modern, giver> s{4};
    // Header of the SYN as the script would send it, then the list.
    const segment plain = s.segment(0, {.flags = SYN});
    std::array<std::byte, 60> bytes{};
    REQUIRE(wire::write_tcp(plain, {bytes.data(), bytes.size()}) == 20);
    REQUIRE(r.options.size() % 4 == 0);
    for (std::size_t i = 0; i < r.options.size(); ++i) bytes[20 + i] = std::byte{r.options[i]};
    bytes[12] = static_cast<std::byte>((5 + r.options.size() / 4) << 4);
    const auto read = wire::parse_tcp<ipv4>({bytes.data(), 20 + r.options.size()}, plain.source.address,
                                            plain.destination.address, wire::checksums::trust);
    REQUIRE(read);
    CHECK(s.receive(read.segment) == verdict::admitted);
    CHECK(s.send(0, {.flags = ACK, .seq = 1, .ack = 1, .options = r.timestamps ? stamped(10) : tcp_options{}}) ==
          verdict::promoted);
    CHECK(s.out.shake.peer_mss == r.mss);
    CHECK(s.out.shake.sack == r.sack);
    CHECK(s.out.shake.timestamps == r.timestamps);
    CHECK(s.out.shake.window_scaling == (r.scale >= 0));
    CHECK(s.out.shake.send_scale == (r.scale >= 0 ? r.scale : 0));
  }
}

// Linux finishes without; RFC 7323 3.2 and FreeBSD drop the ACK (policy/*validation.cpp).
TEST_CASE("linux: a final ACK without the timestamps agreed on finishes all the same") {
  script<modern, giver> s{4};
  s.syn(0, stamped(5000));
  CHECK(s.ack(0) == verdict::promoted);
  CHECK(s.out.shake.timestamps);
}

// --- accept filters ---

// FreeBSD, accf_data: it is connected, nobody accepts it before it has said something.
TEST_CASE("await_data: a bare ACK waits for ever, and its SYN-ACK is not sent again") {
  script<with<modern, deferral<await_data>>, giver> s{4};
  s.syn(0), s.syn(1);
  CHECK(s.ack(0) == verdict::deferred);
  CHECK(s.listener.accept().status == accept_status::would_block);
  const std::size_t sent = s.out.count;
  s.run_until(at(1000));
  CHECK(s.waits(0));
  CHECK_FALSE(s.waits(1));  // never acknowledged: five repetitions and out
  CHECK(s.out.count == sent + 5);
  CHECK(s.data(0) == verdict::promoted);
  CHECK(s.out.bytes == 13);
}

TEST_CASE("await_data: a FIN is something to say, a RST ends it") {
  script<with<modern, deferral<await_data>>, giver> s{4};
  s.syn(0), s.syn(1);
  s.ack(0), s.ack(1);
  CHECK(s.send(0, {.flags = FIN | ACK, .seq = 1, .ack = 1}) == verdict::promoted);
  CHECK(s.rst(1) == verdict::request_reset);
}
