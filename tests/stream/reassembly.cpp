// SPDX-License-Identifier: BSL-1.0
// stream/reassembly.hpp: ranges ahead of a gap, against a plain map of bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <listenq/stream/reassembly.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <map>
#include <string>

using namespace listenq;

namespace {

byte_view bytes(const std::string& s) { return {reinterpret_cast<const std::byte*>(s.data()), s.size()}; }
std::string text(byte_view b) { return {reinterpret_cast<const char*>(b.data), b.size}; }

}  // namespace

TEST_CASE("reassembly: what was held comes out when its gap closes") {
  reassembly r;
  CHECK(r.ready(100).empty());
  CHECK(r.put(100, 103, bytes("defg")));
  CHECK(r.put(100, 110, bytes("xyz")));
  CHECK(r.ranges() == 2);
  CHECK(r.ready(100).empty());
  CHECK(text(r.ready(103)) == "defg");
  CHECK(text(r.ready(105)) == "fg");
  r.forget_before(107);
  CHECK(r.ranges() == 1);
  CHECK(text(r.ready(110)) == "xyz");
  r.forget_before(113);
  CHECK(r.ranges() == 0);
  CHECK(r.ready(113).empty());
}

TEST_CASE("reassembly: ranges that touch or overlap become one") {
  reassembly r;
  r.put(0, 10, bytes("0123456789"));
  r.put(0, 30, bytes("0123456789"));
  r.put(0, 50, bytes("0123456789"));
  CHECK(r.ranges() == 3);
  r.put(0, 20, bytes("0123456789"));
  CHECK(r.ranges() == 2);
  CHECK(r[0].first == 10);
  CHECK(r[0].last == 40);
  r.put(0, 35, bytes("567890123456789012345678901234567890"));
  CHECK(r.ranges() == 1);
  CHECK(r[0].first == 10);
  CHECK(r[0].last == 71);
  CHECK(r.put(0, 12, bytes("2")));
  CHECK(r.ranges() == 1);
  CHECK(text(r.ready(8)).empty());
  CHECK(text(r.ready(68)) == "890");
}

// Bug caught: a peer that sends every second byte filling our memory or writing past the table.
TEST_CASE("reassembly: one range too many is refused, and closing a gap makes room") {
  reassembly r;
  for (seq_number i = 0; i < reassembly::most_ranges; ++i) CHECK(r.put(0, 2 + 2 * i, bytes("x")));
  CHECK_FALSE(r.put(0, 1000, bytes("x")));
  CHECK(r.ranges() == reassembly::most_ranges);
  CHECK(r.put(0, 3, bytes("y")));
  CHECK(r.ranges() == reassembly::most_ranges - 1);
  CHECK(r.put(0, 1000, bytes("x")));
}

// Bug caught: an order that breaks at the wrap, a prefix forgotten too far, bytes of one range in another.
TEST_CASE("reassembly: random segments around the wrap agree with a table of bytes") {
  splitmix64 random{3};
  for (int run = 0; run < 50; ++run) {
    const seq_number start = 0xffffffffU - 100;
    reassembly r;
    seq_number next = start;
    std::map<std::uint32_t, char> table;  // by distance from `start`
    for (int step = 0; step < 60; ++step) {
      const auto gap = static_cast<seq_number>(1 + random.next() % 60);
      std::string data(1 + random.next() % 30, '\0');
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>('a' + (next + gap + i) % 23);
      if (r.put(next, next + gap, bytes(data))) {
        for (std::size_t i = 0; i < data.size(); ++i)
          table[static_cast<std::uint32_t>(next + gap + i - start)] = data[i];
      }
      if (random.next() % 4 != 0) continue;
      next += static_cast<seq_number>(random.next() % 40);
      std::string expected;
      for (auto i = table.find(next - start); i != table.end() && i->first == next - start + expected.size(); ++i) {
        expected += i->second;
      }
      REQUIRE(text(r.ready(next)) == expected);
      next += static_cast<seq_number>(expected.size());
      r.forget_before(next);
      table.erase(table.begin(), table.lower_bound(next - start));
    }
  }
}

// Bug caught: the place of the first byte kept when nothing is held any more, or moved while something is.
TEST_CASE("what is held begins anew when all of it has been taken") {
  const std::array<std::byte, 4> abcd{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  reassembly r;
  REQUIRE(r.put(100, 104, {abcd.data(), 4}));
  REQUIRE(r.put(100, 102, {abcd.data(), 2}));
  CHECK(r.ranges() == 1);
  CHECK(r.ready(100).size == 0);
  REQUIRE(r.ready(102).size == 6);
  CHECK(r.ready(102).data[2] == std::byte{1});
  CHECK(r.ready(105).size == 3);
  CHECK(r.ready(105).data[0] == std::byte{2});
  r.forget_before(108);
  CHECK(r.ranges() == 0);
  REQUIRE(r.put(5000, 5001, {abcd.data(), 4}));
  REQUIRE(r.ready(5001).size == 4);
  CHECK(r.ready(5001).data[3] == std::byte{4});
  r.forget_before(5003);
  REQUIRE(r.ready(5003).size == 2);
  CHECK(r.ready(5003).data[0] == std::byte{3});
  CHECK(r.ready(5005).size == 0);
}

// Bug caught: bytes put where they would lie if what is before them had been taken already.
TEST_CASE("what is held stays where it is until it is forgotten, whatever is expected next; nothing is no range") {
  reassembly r;
  r.put(100, 110, bytes("abc"));
  r.put(105, 120, bytes("def"));
  CHECK(text(r.ready(110)) == "abc");
  CHECK(text(r.ready(120)) == "def");
  CHECK(r.put(105, 130, {}));
  CHECK(r.ranges() == 2);
}
