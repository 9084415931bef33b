// SPDX-License-Identifier: BSL-1.0
// queue/answers.hpp: what a SYN negotiates and what the answers say (RFC 7323, RFC 3168, golden/responses.json).
#include <doctest/doctest.h>

#include <listenq/queue/answers.hpp>

using namespace listenq;
using namespace listenq::detail;

namespace {

using linux_offer = linux_6_18_offer;
struct plain_offer : linux_6_18_offer {
  static constexpr bool sack = false;
  static constexpr bool ecn = false;
};
struct offer_without_timestamps : linux_6_18_offer {
  static constexpr bool timestamps = false;
};

segment syn(tcp_options o = {}, flags f = flag::syn) {
  segment s;
  s.flags = f;
  s.options = o;
  return s;
}

template <class Offer = linux_offer>
request<ipv4> negotiated(const segment& s) {
  request<ipv4> r;
  begin<Offer>(r, r.iss, s);
  return r;
}

constexpr tcp_options everything{
    .mss = 1400, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5000, .ts_echo = 0};

}  // namespace

// An option offered to a peer that did not ask for it: it would misread every segment.
TEST_CASE("nothing is negotiated that the SYN does not have; the MSS is then 536") {
  const auto r = negotiated(syn());
  CHECK(r.peer_mss == 536);
  CHECK_FALSE(r.timestamps);
  CHECK_FALSE(r.sack);
  CHECK_FALSE(r.window_scaling);
  CHECK_FALSE(r.ecn);
  const segment a = syn_ack<linux_offer>(r, 99);
  CHECK(a.flags == (flag::syn | flag::ack));
  CHECK(a.window == 64240);
  CHECK(a.options == tcp_options{.mss = 1460});
}

TEST_CASE("what the SYN has is negotiated and offered back") {
  auto r = negotiated(syn(everything));
  CHECK(r.peer_mss == 1400);
  CHECK(r.send_scale == 7);
  CHECK(r.ts_recent == 5000);
  r.irs = 10;
  r.iss = 20;
  r.key = {ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000};
  const segment a = syn_ack<linux_offer>(r, 99);
  CHECK(a.source == endpoint{ip(10, 0, 0, 1), 20000});
  CHECK(a.destination == endpoint{ip(10, 0, 0, 2), 30001});
  CHECK(a.seq == 20);
  CHECK(a.ack == 11);
  CHECK(a.window == 65160);  // with timestamps 12 bytes fewer fit: 45 * 1448
  CHECK(a.options == tcp_options{.mss = 1460,
                                 .window_scale = 10,
                                 .sack_permitted = true,
                                 .timestamps = true,
                                 .ts_value = 99,
                                 .ts_echo = 5000});
}

// RFC 7323 2.3: 14 at most; a shift of 255 would be undefined behaviour.
TEST_CASE("a window scale above 14 is 14") {
  CHECK(negotiated(syn({.window_scale = 14})).send_scale == 14);
  CHECK(negotiated(syn({.window_scale = 15})).send_scale == 14);
  CHECK(negotiated(syn({.window_scale = 254})).send_scale == 14);
  CHECK(negotiated(syn({.window_scale = 0})).window_scaling);
}

// RFC 3168 6.1.1: one bit alone is no ECN setup; the SYN-ACK has ECE and not CWR.
TEST_CASE("ECN needs both bits in the SYN, and is answered by ECE alone") {
  CHECK_FALSE(negotiated(syn({}, flag::syn | flag::ece)).ecn);
  CHECK_FALSE(negotiated(syn({}, flag::syn | flag::cwr)).ecn);
  const auto r = negotiated(syn({}, flag::syn | flag::ece | flag::cwr));
  CHECK(r.ecn);
  CHECK(syn_ack<linux_offer>(r, 0).flags == (flag::syn | flag::ack | flag::ece));
}

TEST_CASE("what is not on offer is not negotiated") {
  const auto r = negotiated<plain_offer>(syn(everything, flag::syn | flag::ece | flag::cwr));
  CHECK_FALSE(r.sack);
  CHECK_FALSE(r.ecn);
  CHECK(r.timestamps);
  const auto q = negotiated<offer_without_timestamps>(syn(everything));
  CHECK_FALSE(q.timestamps);
  CHECK(q.ts_recent == 0);
  CHECK(q.sack);
}

// What a peer has in the field of an option that it does not send would be echoed to it later.
TEST_CASE("a timestamp without the option is none") { CHECK(negotiated(syn({.ts_value = 5000})).ts_recent == 0); }

// A cell is used again: what its last peer had done would be taken for the newcomer's, who then gets no answer, or no
// RST, or is promoted without an ACK.
TEST_CASE("a request in a cell that was another's has nothing of the other's") {
  request<ipv4> used = negotiated(syn(everything, flag::syn | flag::ece | flag::cwr));
  used.answered_at = 77;
  used.timeouts = 3;
  used.retransmits = 2;
  used.acked = used.answered = used.unreachable = used.live = true;
  segment s = syn({.mss = 1000});
  s.source = {ip(10, 0, 0, 2), 30001};
  s.destination = {ip(10, 0, 0, 1), 20000};
  s.seq = 10;
  begin<linux_offer>(used, 20, s);
  CHECK(used.key == four_tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000});
  CHECK(used.irs == 10);
  CHECK(used.iss == 20);
  CHECK(used.ts_recent == 0);
  CHECK(used.peer_mss == 1000);
  CHECK(used.answered_at == 0);
  CHECK(used.send_scale == 0);
  CHECK(used.timeouts == 0);
  CHECK(used.retransmits == 0);
  for (const bool mark : {bool{used.window_scaling}, bool{used.sack}, bool{used.timestamps}, bool{used.ecn},
                          bool{used.acked}, bool{used.answered}, bool{used.unreachable}, bool{used.live}}) {
    CHECK_FALSE(mark);
  }
}

// golden/extra.json: a cookie for a SYN without timestamps keeps the MSS alone. FreeBSD's keeps scale and SACK.
TEST_CASE("what a cookie cannot remember is taken back before it is offered") {
  const auto after = [](tcp_options o, const cookie_capacity& c) {
    auto r = negotiated(syn(o, flag::syn | flag::ece | flag::cwr));
    forget_beyond(r, c);
    return r;
  };
  constexpr cookie_capacity linux{.window_scale = true, .sack = true, .ecn = true, .only_with_timestamps = true};
  constexpr cookie_capacity freebsd{.window_scale = true, .sack = true};
  tcp_options bare = everything;
  bare.timestamps = false;
  const auto all = after(everything, linux);
  CHECK(cookie_options_of<linux_offer>(all) ==
        cookie_options{.mss = 1400, .send_scale = 7, .receive_scale = 10, .sack = true, .ecn = true});
  CHECK(cookie_options_of<linux_offer>(after(bare, linux)) == cookie_options{.mss = 1400});
  CHECK(cookie_options_of<linux_offer>(after(bare, freebsd)) ==
        cookie_options{.mss = 1400, .send_scale = 7, .receive_scale = 10, .sack = true});
  CHECK(cookie_options_of<linux_offer>(after(everything, {})) == cookie_options{.mss = 1400});
  CHECK(after(everything, {}).timestamps);
  CHECK(after(everything, {}).send_scale == 0);
}

// A window that is scaled in the SYN-ACK (RFC 7323 2.2 forbids it) or not in the ACK after it.
TEST_CASE("a bare ACK carries the next numbers and a scaled window") {
  auto r = negotiated(syn(everything));
  r.irs = 0xffffffffU;
  r.iss = 0xffffffffU;
  const segment a = bare_ack<linux_offer>(r, 7);
  CHECK(a.flags == flag::ack);
  CHECK(a.seq == 0);
  CHECK(a.ack == 0);
  CHECK(a.window == 65160 >> 10);
  CHECK(a.options == tcp_options{.timestamps = true, .ts_value = 7, .ts_echo = 5000});
  CHECK(bare_ack<linux_offer>(negotiated(syn()), 7).window == 64240);
  CHECK(bare_ack<linux_offer>(negotiated(syn()), 7).options == tcp_options{});
}

TEST_CASE("the RST to a peer whose request is gone is where that peer expects it") {
  request<ipv4> r;
  r.irs = 10;
  r.iss = 20;
  const segment s = reset_of(r);
  CHECK(s.flags == (flag::rst | flag::ack));
  CHECK(s.seq == 21);
  CHECK(s.ack == 11);
}

TEST_CASE("the record of a finished handshake has all that was negotiated") {
  auto r = negotiated(syn(everything, flag::syn | flag::ece | flag::cwr));
  r.irs = 10;
  r.iss = 20;
  r.key.peer_port = 5;
  const handshake h = finished<linux_offer>(r, 1234, true);
  CHECK(h == handshake{.key = r.key,
                       .iss = 20,
                       .irs = 10,
                       .ts_recent = 5000,
                       .ts_offset = 1234,
                       .window = 65160,
                       .mss = 1460,
                       .peer_mss = 1400,
                       .send_scale = 7,
                       .receive_scale = 10,
                       .window_scaling = true,
                       .sack = true,
                       .timestamps = true,
                       .ecn = true,
                       .cookie = true});
  CHECK(finished<linux_offer>(negotiated(syn()), 0, false).receive_scale == 0);
}

TEST_CASE("our timestamp clock runs in milliseconds from the peer's own offset") {
  CHECK(timestamp(0, 5) == 5);
  CHECK(timestamp(1999, 5) == 6);
  CHECK(timestamp(2000, 0xffffffffU) == 1);
}
