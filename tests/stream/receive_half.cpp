// SPDX-License-Identifier: BSL-1.0
// stream/receive_half.hpp: what is new, and the window.
#include <doctest/doctest.h>

#include <array>
#include <listenq/stream/receive_half.hpp>

using namespace listenq;

namespace {
constexpr std::array<std::byte, 4000> zeros{};
void give(receive_half& r, seq_number first, std::size_t size, bool fin = false) {
  r.take({zeros.data(), size}, r.fresh(first, size, fin));
}
std::size_t read(receive_half& r, std::size_t room) {
  std::array<std::byte, 4000> to;
  return r.read(to.data(), room);
}
}  // namespace

// Bug caught: off by one at either edge of the window.
TEST_CASE("both edges of the window count as inside") {
  const receive_half r(99, 1000, 100);  // next 100, right edge 1100
  CHECK(r.inside(100, 100));
  CHECK(r.inside(1100, 1100));
  CHECK(r.inside(90, 100));
  CHECK(!r.inside(99, 99));
  CHECK(!r.inside(1101, 1101));
}

// Bug caught: old bytes taken again, new ones behind them lost, bytes behind a gap taken as next.
TEST_CASE("only what is new and in order is fresh") {
  const receive_half r(99, 1000, 100);
  CHECK(r.fresh(100, 10, false).size == 10);
  CHECK(r.fresh(95, 10, false).offset == 5);
  CHECK(r.fresh(95, 10, false).size == 5);
  CHECK(r.fresh(90, 10, false).size == 0);
  CHECK(r.fresh(101, 10, false).size == 0);
  CHECK(!r.fresh(101, 0, true).fin);
  CHECK(r.fresh(90, 10, true).fin);
  CHECK(!r.fresh(89, 10, true).fin);  // an old FIN
  CHECK(r.fresh(100, 1001, true).size == 1000);
  CHECK(!r.fresh(100, 1001, true).fin);  // behind the window
}

// Bug caught: a right edge that goes back, or that creeps on byte by byte (the silly window syndrome).
TEST_CASE("the window moves on by steps only and never back") {
  receive_half r(99, 3000, 1460);
  CHECK(r.offer(0) == 3000);
  give(r, 100, 1400);
  CHECK(r.offer(0) == 1600);
  CHECK(read(r, 1300) == 1300);
  CHECK(r.offer(0) == 1600);
  CHECK(read(r, 100) == 100);
  CHECK(r.offer(0) == 1600);
  give(r, 1500, 100);
  CHECK(read(r, 100) == 100);
  CHECK(r.offer(0) == 3000);
  CHECK(r.right_edge() == r.next() + 3000);
}

// Bug caught: a buffer of one unit of a large scale that takes a byte, shows a closed window from then on, and never
// opens it again though all has been read.
TEST_CASE("a scale hides no window that a read has opened") {
  receive_half r(99, 1024, 1460);
  CHECK(r.offer(10) == 1);
  give(r, 100, 1);
  CHECK(r.offer(10) == 0);
  CHECK(read(r, 1) == 1);
  CHECK(r.offer(10) == 1);
  CHECK(r.right_edge() == r.next() + 1024);
}

// Bug caught: the peer never told that a full window is open again, or told after each byte.
TEST_CASE("an update is worth sending when a half-open window would double") {
  receive_half r(99, 3000, 1460);
  give(r, 100, 3000);
  CHECK(!r.worth_update());
  read(r, 1459);
  CHECK(!r.worth_update());
  read(r, 1);
  CHECK(r.worth_update());
  r.offer(0);
  CHECK(!r.worth_update());
}

// Bug caught: Recv-Q without the FIN, or with it after it was read.
TEST_CASE("a FIN counts in Recv-Q until it is read") {
  receive_half r(99, 3000, 1460);
  give(r, 100, 3, true);
  CHECK(r.queue() == 4);
  read(r, 10);
  CHECK(r.queue() == 1);
  read(r, 10);
  CHECK(r.queue() == 0);
}

// Bug caught: a FIN on a closed window turning the window into 2^32 - 1.
TEST_CASE("a FIN fits behind a closed window") {
  receive_half r(99, 3000, 1460);
  give(r, 100, 3000);
  give(r, 3100, 0, true);
  CHECK(r.ended());
  CHECK(r.offer(0) == 0);
  CHECK(r.right_edge() == r.next());
}

// Bug caught: a byte that is given twice, or one that is never given.
TEST_CASE("fresh: what is new of a segment, to the byte") {
  const receive_half r(99, 1000, 100);
  const auto of = [&r](seq_number first, std::size_t size, bool fin = false) {
    const auto p = r.fresh(first, size, fin);
    return std::array<std::size_t, 3>{p.offset, p.size, p.fin};
  };
  using is = std::array<std::size_t, 3>;
  CHECK(of(100, 10) == is{0, 10, 0});
  CHECK(of(95, 10) == is{5, 5, 0});
  CHECK(of(90, 10, true) == is{10, 0, 1});  // all old but its FIN
  CHECK(of(89, 10, true) == is{0, 0, 0});
  CHECK(of(101, 10) == is{0, 0, 0});
  CHECK(of(100, 1000, true) == is{0, 1000, 1});
  CHECK(of(100, 1001, true) == is{0, 1000, 0});
}

// Bug caught: the end of the stream counted before it is read, or read while bytes are left or none has come.
TEST_CASE("queue: a FIN counts until a read finds nothing else") {
  receive_half r(99, 1000, 100);
  CHECK(read(r, 5) == 0);
  give(r, 100, 2);
  CHECK(r.queue() == 2);
  give(r, 102, 1, true);
  CHECK(r.queue() == 4);
  CHECK(read(r, 5) == 3);
  CHECK(r.queue() == 1);
  CHECK(read(r, 5) == 0);
  CHECK(r.queue() == 0);
  receive_half open(99, 1000, 100);
  read(open, 5);  // before the FIN
  give(open, 100, 0, true);
  CHECK(open.queue() == 1);
}

// Bug caught: an update for every read, or none at a window that was shut (RFC 9293 3.8.6.2.2).
TEST_CASE("an update is worth it from half open on down, when the window has doubled") {
  const auto worth = [](std::size_t held, std::size_t unread) {
    receive_half r(99, 1000, 1);
    give(r, 100, held);
    read(r, held - unread);
    return r.worth_update();
  };
  CHECK(worth(500, 0));        // half open, and now all
  CHECK_FALSE(worth(499, 0));  // more than half open
  CHECK(worth(800, 600));      // 200, and now 400
  CHECK_FALSE(worth(800, 601));
  CHECK(worth(1000, 999));  // shut, and now one byte
  CHECK_FALSE(worth(1000, 1000));
}

// Bug caught: bytes held that the peer was never allowed to send; a FIN remembered whose bytes were refused, so that
// the stream ends before them.
TEST_CASE("hold: up to the window's edge, and a FIN only with all that is before it") {
  receive_half r(99, 1000, 100);
  const auto hold = [&r](seq_number first, std::size_t size, bool fin = false) {
    r.hold(first, {zeros.data(), size}, fin);
  };
  hold(1101, 10);        // behind the window
  hold(1099, 10, true);  // the first byte of it fits
  for (seq_number i = 1; i < reassembly::most_ranges; ++i) hold(100 + 2 * i, 1);
  hold(300, 1, true);  // one range too many
  give(r, 100, 200);
  CHECK(r.next() == 300);
  give(r, 300, 1);
  CHECK_FALSE(r.ended());
  give(r, 301, 798);
  CHECK(r.next() == 1100);
  CHECK_FALSE(r.ended());
  read(r, 1000);
  r.offer(0);
  give(r, 1100, 1);
  CHECK(r.next() == 1101);
}

// Bug caught: a FIN without bytes forgotten because nothing of it can be held.
TEST_CASE("hold: a bare FIN that came too early ends the stream when what is before it has come") {
  receive_half r(99, 1000, 100);
  r.hold(150, {}, true);
  give(r, 100, 50);
  CHECK(r.ended());
  CHECK(r.next() == 151);
}

// Bug caught: ranges that were handed out and still count, so that after 32 gaps nothing is held any more.
TEST_CASE("hold: gap after gap, for ever") {
  receive_half r(99, 1000, 100);
  for (seq_number i = 0; i < 2 * reassembly::most_ranges; ++i) {
    r.hold(r.next() + 1, {zeros.data(), 1}, false);
    give(r, r.next(), 1);
    CHECK(r.next() == 100 + 2 * (i + 1));
  }
}

// RFC 9293 3.1: the field has 16 bits. Bug caught: a large buffer shown as a closed window.
TEST_CASE("offer: at most 65535 units, and of a scaled window no more than it shows") {
  receive_half large(99, 100000, 1460);
  CHECK(large.offer(0) == 65535);
  CHECK(large.offer(1) == 50000);
  receive_half r(99, 3000, 1460);
  CHECK(r.offer(7) == 23);
  give(r, 100, 100);
  read(r, 100);
  CHECK(r.offer(7) == 22);  // not yet a step beyond the 2816 that the peer sees
}
