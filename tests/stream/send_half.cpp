// SPDX-License-Identifier: BSL-1.0
// stream/send_half.hpp: what may be sent, and what of it is acknowledged.
#include <doctest/doctest.h>

#include <array>
#include <listenq/stream/send_half.hpp>

using namespace listenq;

namespace {
constexpr std::array<std::byte, 70000> zeros{};
send_half opened(std::uint32_t window) {
  send_half s(99, 0, window, 1000);
  s.open();
  return s;
}
void send_all(send_half& s) {
  while (const auto p = s.fresh()) s.sent(*p);
}
}  // namespace

// Bug caught: a silly piece while something is in flight, or none at all when nothing is.
TEST_CASE("a piece is full, all there is, or what fits when nothing is in flight") {
  auto s = opened(1500);
  s.put({zeros.data(), 3000});
  REQUIRE(s.fresh());
  CHECK(s.fresh()->size == 1000);
  s.sent(*s.fresh());
  CHECK(!s.fresh());  // 500 would fit
  auto small = opened(400);
  small.put({zeros.data(), 3000});
  REQUIRE(small.fresh());
  CHECK(small.fresh()->size == 400);
  auto end = opened(1500);
  end.put({zeros.data(), 1300});
  send_all(end);
  CHECK(end.in_flight() == 1300);
}

// Bug caught: a FIN before the last byte, a second FIN, a FIN held up by a closed window.
TEST_CASE("the FIN goes with or after the last byte, once, without a window") {
  auto s = opened(65535);
  s.put({zeros.data(), 1500});
  s.put_fin();
  CHECK(!s.fresh()->fin);
  s.sent(*s.fresh());
  CHECK(s.fresh()->fin);
  s.sent(*s.fresh());
  CHECK(!s.fresh());
  CHECK(s.in_flight() == 1501);
  auto closed = opened(0);
  closed.put_fin();
  REQUIRE(closed.fresh());
  CHECK(closed.fresh()->fin);
}

// Bug caught: a repeated segment that leaves the FIN out, adds it to a middle segment, or begins elsewhere.
TEST_CASE("the first and the last segment in flight") {
  auto s = opened(65535);
  s.put({zeros.data(), 2500});
  s.put_fin();
  send_all(s);
  CHECK(s.again(false).size == 1000);
  CHECK(!s.again(false).fin);
  CHECK(s.seq_of(s.again(false)) == 100);
  CHECK(s.again(true).fin);
  CHECK(s.seq_of(s.again(true)) == 1600);
  s.acknowledged(2600);
  CHECK(s.again(false).size == 0);
  CHECK(s.again(false).fin);
  CHECK(s.seq_of(s.again(false)) == 2600);
  CHECK(!s.fin_acked());
  s.acknowledged(2601);
  CHECK(s.fin_acked());
  CHECK(s.queue() == 0);
}

// Bug caught: an old segment that shrinks or grows the window.
TEST_CASE("only a segment at least as new as the last one sets the window") {
  auto s = opened(500);
  s.offered(10, 100, 700);
  s.offered(9, 100, 100);
  CHECK(s.window() == 700);
  s.offered(10, 100, 200);
  CHECK(s.window() == 200);
  CHECK(s.max_window() == 700);
}

// Bug caught: a segment that came late, with a closed window, moves the last window on by all that it acknowledges:
// bytes are sent beyond the right edge that the peer has offered.
TEST_CASE("an old segment that acknowledges something new sets the window, too") {
  auto s = opened(700);
  s.put({zeros.data(), 2000});
  s.offered(50, 100, 700);
  send_all(s);
  CHECK(s.in_flight() == 700);
  s.offered(10, 800, 0);
  s.acknowledged(800);
  CHECK(s.window() == 0);
  CHECK(!s.fresh());
}

// Bug caught: more taken than is held.
TEST_CASE("the buffer takes 65536 bytes and frees what is acknowledged") {
  auto s = opened(65535);
  CHECK(s.put({zeros.data(), 70000}) == 65536);
  CHECK(s.put({zeros.data(), 1}) == 0);
  send_all(s);
  s.acknowledged(100 + 1000);
  CHECK(s.put({zeros.data(), 70000}) == 1000);
}

// RFC 9293 3.8.6.2.1, RFC 1122 4.2.3.4. Bug caught: one byte in flight taken for none.
TEST_CASE("with a single byte in flight there are no silly pieces either") {
  auto s = opened(500);
  s.put({zeros.data(), 1});
  send_all(s);
  REQUIRE(s.in_flight() == 1);
  s.put({zeros.data(), 3000});
  CHECK(!s.fresh());
}

TEST_CASE("alone: one full segment, not a byte more") {
  for (const std::size_t size : {999U, 1000U, 1001U}) {
    auto s = opened(65535);
    s.put({zeros.data(), size});
    send_all(s);
    CHECK(s.alone() == (size <= 1000));
  }
}
