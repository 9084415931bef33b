// SPDX-License-Identifier: BSL-1.0
// segment.hpp: flags, sequence arithmetic, the window test, the RST of a closed port; time.hpp.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>

#include "support/script.hpp"

using namespace listenq;

namespace {

constexpr std::byte some[16]{};

}  // namespace

TEST_CASE("flags are a set") {
  constexpr flags synack = flag::syn | flag::ack;
  CHECK(synack.has(flag::syn));
  CHECK(synack.has(flag::syn | flag::ack));
  CHECK_FALSE(synack.has(flag::syn | flag::rst));
  CHECK(synack.any(flag::syn | flag::rst));
  CHECK_FALSE(synack.any(flag::fin | flag::rst));
  CHECK(synack.without(flag::ack) == flag::syn);
  CHECK((synack & flag::ack) == flag::ack);
  CHECK(synack.has(flag::none));
}

// RFC 9293 3.1 and RFC 3168: the positions on the wire.
TEST_CASE("flags have the bits of the header") {
  CHECK(flag::fin.bits == 1);
  CHECK(flag::syn.bits == 2);
  CHECK(flag::rst.bits == 4);
  CHECK(flag::psh.bits == 8);
  CHECK(flag::ack.bits == 16);
  CHECK(flag::urg.bits == 32);
  CHECK(flag::ece.bits == 64);
  CHECK(flag::cwr.bits == 128);
}

// A plain `<`: everything breaks for one connection in a thousand, when its ISN is near 2^32.
TEST_CASE("sequence numbers compare around the wrap") {
  CHECK(seq_before(1, 2));
  CHECK_FALSE(seq_before(2, 2));
  CHECK(seq_before(0xffffffffU, 0));
  CHECK(seq_before(0xfffffff0U, 0x10));
  CHECK_FALSE(seq_before(0x10, 0xfffffff0U));
  CHECK(seq_after(0, 0xffffffffU));
  CHECK_FALSE(seq_after(5, 5));
  CHECK(seq_before(0, 0x7fffffffU));
  CHECK_FALSE(seq_before(0, 0x80000001U));
}

// golden/responses.json: the right edge itself counts as in window, one more does not.
TEST_CASE("the window: left edge, right edge, overlap, wherever the numbers wrap") {
  for (const seq_number left : {seq_number{1000}, seq_number{0xffffff00U}, seq_number{0}, seq_number{0xffffffffU}}) {
    CAPTURE(left);
    const seq_number right = left + 500;
    CHECK(in_window(left, left, left, right));
    CHECK(in_window(left, left + 10, left, right));
    CHECK(in_window(left + 499, left + 499, left, right));
    CHECK(in_window(right, right, left, right));            // empty, at the edge
    CHECK_FALSE(in_window(right, right + 1, left, right));  // not empty: nothing of it fits
    CHECK_FALSE(in_window(right + 1, right + 1, left, right));
    CHECK_FALSE(in_window(left - 1, left - 1, left, right));
    CHECK_FALSE(in_window(left - 1, left, left, right));  // a keepalive: ends where the window starts
    CHECK(in_window(left - 1, left + 1, left, right));    // overlaps by one
    CHECK(in_window(left - 5, right + 5, left, right));   // covers all of it
    CHECK_FALSE(in_window(left - 1000, left - 1000, left, right));
    CHECK(in_window(left + 499, left + 900, left, right));
  }
}

TEST_CASE("a closed window takes what starts at its edge and nothing else") {
  CHECK(in_window(7, 7, 7, 7));
  CHECK(in_window(7, 8, 7, 7));
  CHECK_FALSE(in_window(8, 8, 7, 7));
  CHECK_FALSE(in_window(6, 6, 7, 7));
}

// FIN forgotten: an ACK with FIN would pass for a bare ACK.
TEST_CASE("payload, SYN and FIN each take sequence numbers") {
  segment s;
  s.seq = 10;
  CHECK(s.end() == 10);
  s.payload = {some, 13};
  CHECK(s.end() == 23);
  s.flags = flag::syn | flag::fin;
  CHECK(s.end() == 25);
  s.flags = flag::rst | flag::ack | flag::psh | flag::urg;
  CHECK(s.end() == 23);
  s.seq = 0xffffffffU;
  CHECK(s.end() == 12);
}

TEST_CASE("the four-tuple of an inbound segment is the receiver's view, and a segment to the peer goes back") {
  segment s;
  s.source = {ip(10, 0, 0, 2), 30001};
  s.destination = {ip(10, 0, 0, 1), 20000};
  const four_tuple t = four_tuple_of(s);
  CHECK(t == four_tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000});
  const segment back = segment_to_peer(t);
  CHECK(back.source == s.destination);
  CHECK(back.destination == s.source);
  CHECK(back.flags == flag::none);
}

// golden/responses.json, CLOSED: every row that is answered.
TEST_CASE("the RST of a closed port: with ACK its number, without ACK what the segment occupies") {
  struct row {
    flags f;
    seq_number ack;
    std::size_t bytes;
    flags answer;
    seq_number seq, acked;
  };
  const row rows[] = {
      {flag::syn, 0, 0, flag::rst | flag::ack, 0, 101},
      {flag::syn, 0, 13, flag::rst | flag::ack, 0, 114},
      {flag::syn | flag::fin, 0, 0, flag::rst | flag::ack, 0, 102},
      {flag::none, 0, 0, flag::rst | flag::ack, 0, 100},
      {flag::none, 0, 13, flag::rst | flag::ack, 0, 113},
      {flag::ack, 777, 0, flag::rst, 777, 0},
      {flag::psh | flag::ack, 777, 13, flag::rst, 777, 0},
      {flag::syn | flag::ack, 777, 0, flag::rst, 777, 0},
      {flag::fin | flag::ack, 777, 0, flag::rst, 777, 0},
  };
  for (const row& r : rows) {
    CAPTURE(r.f.bits);
    CAPTURE(r.bytes);
    segment s;
    s.source = {ip(10, 0, 0, 2), 30001};
    s.destination = {ip(10, 0, 0, 1), 20000};
    s.seq = 100;
    s.ack = r.ack;
    s.flags = r.f;
    s.payload = {some, r.bytes};
    const segment a = reset_for(s);
    CHECK(a.flags == r.answer);
    CHECK(a.seq == r.seq);
    CHECK(a.ack == r.acked);
    CHECK(a.window == 0);
    CHECK(a.source == s.destination);
    CHECK(a.destination == s.source);
    CHECK(a.payload.empty());
  }
}

TEST_CASE("fast open: no option, a request and a cookie are three things") {
  constexpr fast_open_option none;
  constexpr fast_open_option asks = fast_open_option::request();
  constexpr fast_open_option cookie{.bytes = {1, 2, 3, 4}, .size = 4};
  CHECK_FALSE(none.present());
  CHECK_FALSE(none.asks());
  CHECK_FALSE(none.has_cookie());
  CHECK(asks.present());
  CHECK(asks.asks());
  CHECK_FALSE(asks.has_cookie());
  CHECK(cookie.present());
  CHECK_FALSE(cookie.asks());
  CHECK(cookie.has_cookie());
  CHECK(tcp_options{}.fast_open == none);
}

TEST_CASE("fast open: a cookie is the same in either option, but not another size of it") {
  constexpr fast_open_option four{.bytes = {1, 2, 3, 4}, .size = 4};
  constexpr fast_open_option six{.bytes = {1, 2, 3, 4}, .size = 6};
  constexpr fast_open_option other{.bytes = {1, 2, 3, 5}, .size = 4};
  fast_open_option experimental = four;
  experimental.experimental = true;
  CHECK(four.same_cookie(experimental));
  CHECK(four != experimental);
  CHECK_FALSE(four.same_cookie(six));
  CHECK_FALSE(four.same_cookie(other));
}

// Recorded from Linux 6.18. seq_before calls numbers that are exactly 2^31 apart old; a clock that was 0 in the SYN
// would lock its peer out for 24 days.
TEST_CASE("an older timestamp: up to half of the numbers back, and never against a remembered 0") {
  CHECK(timestamp_older(4999, 5000));
  CHECK(timestamp_older(5000U - 0x7fffffffU, 5000));
  CHECK_FALSE(timestamp_older(5000U - 0x80000000U, 5000));
  CHECK_FALSE(timestamp_older(5000, 5000));
  CHECK_FALSE(timestamp_older(5001, 5000));
  CHECK(timestamp_older(0xffffffffU, 1));
  CHECK_FALSE(timestamp_older(0xffffffffU, 0));
  CHECK(timestamp_older(0, 1));
}

// A field that is forgotten in a tunnel, where addresses of another kind are put around a segment.
TEST_CASE("a readdressed segment is the same but for its endpoints") {
  const std::byte bytes[2]{};
  segment s{{ip(1, 2, 3, 4), 5}, {ip(6, 7, 8, 9), 10}, 11, 12, flag::psh | flag::ack, 13, {.mss = 14}, {bytes, 2}};
  const basic_endpoint<ipv6> from{{{1, 2, 3, 4}}, 15};
  const basic_endpoint<ipv6> to{{{5, 6, 7, 8}}, 16};
  const basic_segment<ipv6> t = readdressed(s, from, to);
  CHECK(t.source == from);
  CHECK(t.destination == to);
  CHECK(t.seq == 11);
  CHECK(t.ack == 12);
  CHECK(t.flags == (flag::psh | flag::ack));
  CHECK(t.window == 13);
  CHECK(t.options == s.options);
  CHECK(t.payload.data == bytes);
  CHECK(t.payload.size == 2);
}

TEST_CASE("no window scale is not scale 0") {
  CHECK_FALSE(tcp_options{}.has_window_scale());
  CHECK(tcp_options{.window_scale = 0}.has_window_scale());
}

// A deadline that overflows would be in the past, and a tick would never end.
TEST_CASE("time stays at never instead of overflowing") {
  CHECK(after(5, 7) == 12);
  CHECK(after(never, 1) == never);
  CHECK(after(never - 5, 5) == never);
  CHECK(after(never - 5, 6) == never);
  CHECK(after(never - 5, 4) == never - 1);
  CHECK(after(-never, 120 * second) == -never + 120 * second);
}

TEST_CASE("an intersection of flags has what both have") {
  CHECK(((flag::syn | flag::ack) & (flag::ack | flag::rst)) == flag::ack);
  CHECK((flag::syn & flag::ack) == flag::none);
}

// The window's left edge is in it even where nothing follows: the empty window, and an end that has wrapped.
TEST_CASE("a segment that begins at the left edge touches the window, whatever its end and the window are") {
  CHECK(in_window(100, 100, 100, 100));
  CHECK(in_window(100, 100, 100, 200));
  CHECK(in_window(100, 150, 100, 100));
  CHECK_FALSE(in_window(99, 99, 100, 100));
}

TEST_CASE("a remembered timestamp of 0 makes nothing old") {
  for (const std::uint32_t value : {0U, 1U, 0x7fffffffU, 0x80000001U, 0xffffffffU})
    CHECK_FALSE(timestamp_older(value, 0));
  CHECK(timestamp_older(0xffffffffU, 1));
  CHECK(timestamp_older(0, 1));
  CHECK_FALSE(timestamp_older(1, 1));
}

TEST_CASE("mapped addresses are those with ten bytes of 0 and two of 1 before them") {
  CHECK(dual::is_mapped(dual::mapped(ip(1, 2, 3, 4))));
  CHECK_FALSE(dual::is_mapped({{1, 0, 0xffff, 5}}));
  CHECK_FALSE(dual::is_mapped({{0, 1, 0xffff, 5}}));
  CHECK_FALSE(dual::is_mapped({{0, 0, 0xfffe, 5}}));
}

// RFC 7413 2: 4 to 16 bytes, an even number. A size that no peer could have sent would be compared with what follows.
TEST_CASE("fast open: a cookie has an even number of bytes, from 4 to 16") {
  for (unsigned size = 0; size < 256; ++size) {
    CAPTURE(size);
    fast_open_option o;
    o.size = static_cast<std::uint8_t>(size);
    const bool may_be_sent =
        size == 4 || size == 6 || size == 8 || size == 10 || size == 12 || size == 14 || size == 16;
    CHECK(o.has_cookie() == may_be_sent);
  }
}

TEST_CASE("a view of bytes goes from the first to behind the last") {
  const std::byte bytes[3]{std::byte{1}, std::byte{2}, std::byte{4}};
  const byte_view view{bytes, 3};
  CHECK(view.begin() == bytes);
  CHECK(view.end() == bytes + 3);
  CHECK(byte_view{}.begin() == byte_view{}.end());
}

// One of the four is not looked at, and a segment to another address of ours finds the request of this one.
TEST_CASE_TEMPLATE("a segment belongs to a connection if all four of its tuple are the same", A, ipv4, ipv6) {
  basic_segment<A> s;
  s.source = {test::host<A>(1), 1000};
  s.destination = {test::host<A>(2), 80};
  const basic_four_tuple<A> t = four_tuple_of(s);
  CHECK(belongs_to(s, t));
  for (int which = 0; which < 4; ++which) {
    basic_segment<A> other = s;
    if (which == 0) other.source.address = test::host<A>(3);
    if (which == 1) other.source.port = 1001;
    if (which == 2) other.destination.address = test::host<A>(3);
    if (which == 3) other.destination.port = 81;
    CAPTURE(which);
    CHECK_FALSE(belongs_to(other, t));
  }
}
