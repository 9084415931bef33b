// SPDX-License-Identifier: BSL-1.0
// queue/request_table.hpp: tags, what they may and may not decide, and a table that grows under them.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <listenq/queue/request_table.hpp>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace listenq;
using detail::npos;

namespace {

struct number {
  std::uint32_t value = 0;
  bool live = false;
  bool is_live() const { return live; }
  void set_live(bool is) { live = is; }
};
using cell = detail::request_cell<number, false>;
using links = detail::request_links<false, detail::no_order>;
template <class Storage>
using table_in = detail::request_table<cell, links, detail::no_order, Storage>;
using table = table_in<at_listen>;

template <class Table>
std::uint32_t put(Table& t, std::uint32_t value, std::uint32_t hash) {
  const std::uint32_t i = t.take();
  if (i == npos) return npos;
  t[i].value = value;
  t.store(i, hash);
  return i;
}
template <class Table>
std::uint32_t get(const Table& t, std::uint32_t value, std::uint32_t hash) {
  return t.find(hash, [value](const cell& c) { return c.value == value; });
}

}  // namespace

// A tag taken for the whole key: the first of two who share a hash would answer for both.
TEST_CASE("two with one hash are told apart by what the caller compares") {
  table t;
  at_listen source;
  REQUIRE(t.reserve(8, source));
  const std::uint32_t one = put(t, 1, 0xabcdef01), two = put(t, 2, 0xabcdef01);
  CHECK(get(t, 1, 0xabcdef01) == one);
  CHECK(get(t, 2, 0xabcdef01) == two);
  CHECK(get(t, 3, 0xabcdef01) == npos);
}

// What the tag saves: nobody is compared with who has another one.
TEST_CASE("who has other upper bits of the hash is not looked at") {
  table t;
  at_listen source;
  REQUIRE(t.reserve(8, source));
  for (std::uint32_t k = 0; k < 8; ++k) put(t, k, (k << 24) | 5);
  std::vector<std::uint32_t> asked;
  const std::uint32_t found = t.find((6U << 24) | 5, [&](const cell& c) {
    asked.push_back(c.value);
    return c.value == 6;
  });
  CHECK(t[found].value == 6);
  CHECK(asked == std::vector<std::uint32_t>{6});
  CHECK(t.find((9U << 24) | 5, [](const cell&) { return true; }) == npos);
}

// The word of the last cell, whose tag is all ones, must not look like the end of a chain.
TEST_CASE("every index and every tag make a word that is not the end") {
  for (std::uint32_t capacity = 1; capacity <= 33; ++capacity) {
    CAPTURE(capacity);
    table t;
    at_listen source;
    REQUIRE(t.reserve(capacity, source));
    CHECK(t.buckets() == std::bit_floor(capacity));
    for (std::uint32_t k = 0; k < capacity; ++k) REQUIRE(put(t, k, 0xffffffff) == k);
    CHECK(t.take() == npos);
    for (std::uint32_t k = 0; k < capacity; ++k) CHECK(get(t, k, 0xffffffff) == k);
    CHECK(get(t, capacity, 0xffffffff) == npos);
    for (std::uint32_t k = capacity; k-- > 0;) t.remove(k, 0xffffffff);
    CHECK(t.bucket_front(t.buckets() - 1) == npos);
    CHECK(get(t, 0, 0xffffffff) == npos);  // an empty bucket, whose word has this tag
    CHECK(t.next_stored() == npos);
  }
}

// A table that only looks at what is free would give the same cell twice.
TEST_CASE("a cell that is taken is nobody else's before it is stored, and is not found yet") {
  table t;
  at_listen source;
  REQUIRE(t.reserve(3, source));
  REQUIRE(put(t, 0, 5) == 0);
  REQUIRE(put(t, 1, 5) == 1);
  t.remove(0, 5);
  const std::uint32_t freed = t.take(), unused = t.take();
  CHECK(freed == 0);
  CHECK(unused == 2);
  CHECK(t.take() == npos);
  CHECK(t.next_stored() == 1);
  CHECK(t.next_stored(1) == npos);
  t[unused].value = 2;
  t.store(unused, 5);
  CHECK(get(t, 2, 5) == unused);
  CHECK(get(t, 0, 5) == npos);
}

// A larger table has longer indices and shorter tags: words that were made before it grew would lead nowhere.
TEST_CASE("after growing, rehash finds everybody again, and chains stay newest first") {
  std::mt19937 engine{7};
  table t;
  at_listen source;
  std::map<std::uint32_t, std::uint32_t> hash_of;
  for (std::uint32_t capacity = 1; capacity < 3000; capacity = capacity * 3 + 1) {
    REQUIRE(t.reserve(capacity, source));
    for (const auto& [value, hash] : hash_of) CHECK(get(t, value, hash) != npos);  // also before the rehash
    t.rehash([&](const cell& c) { return hash_of.at(c.value); });
    CHECK(t.buckets() == std::bit_floor(capacity));
    while (hash_of.size() < capacity) {
      const auto value = static_cast<std::uint32_t>(hash_of.size());
      hash_of[value] = static_cast<std::uint32_t>(engine());
      REQUIRE(put(t, value, hash_of[value]) != npos);
    }
    for (const auto& [value, hash] : hash_of) CHECK(t[get(t, value, hash)].value == value);
    std::set<std::uint32_t> met;
    for (std::uint32_t b = 0; b < t.buckets(); ++b) {
      std::uint32_t newer = std::numeric_limits<std::uint32_t>::max();
      for (auto i = t.bucket_front(b); i != npos; i = t.bucket_next(i)) {
        CHECK(t[i].value < newer);  // they came in the order of their numbers
        newer = t[i].value;
        CHECK(hash_of.at(t[i].value) % t.buckets() == b);
        met.insert(t[i].value);
      }
    }
    CHECK(met.size() == hash_of.size());
  }
}

// A hundred times a random life, against a map.
TEST_CASE("a table is a map from hash and number to a place that stays") {
  std::mt19937 engine{11};
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(engine()) % n; };
  for (int life = 0; life < 100; ++life) {
    table t;
    at_listen source;
    const std::uint32_t capacity = 1 + below(40);
    REQUIRE(t.reserve(capacity, source));
    std::map<std::uint32_t, std::uint32_t> places;
    const auto hash = [](std::uint32_t value) { return (value % 3) * 0x55555555U + value % 4; };
    for (int step = 0; step < 300; ++step) {
      const std::uint32_t value = below(60);
      const std::uint32_t i = get(t, value, hash(value));
      CHECK(i == (places.contains(value) ? places[value] : npos));
      if (i != npos) {
        t.remove(i, hash(value));
        places.erase(value);
      } else if (const std::uint32_t place = put(t, value, hash(value)); place != npos) {
        places[value] = place;
      } else {
        CHECK(places.size() == capacity);
      }
    }
    t.clear();
    CHECK(t.next_stored() == npos);
    for (const auto& [value, place] : places) CHECK(get(t, value, hash(value)) == npos);
  }
}

namespace {

/// Has room for 5 of one kind of object and for 9 of the others.
template <class Scarce>
struct short_of {
  template <class T, stored>
  struct array : at_listen::array<T, stored::requests> {
    static constexpr std::size_t most(const short_of&) noexcept { return std::same_as<T, Scarce> ? 5 : 9; }
    constexpr bool reserve(std::size_t n, short_of& source) noexcept {
      at_listen heap;
      return n <= most(source) && at_listen::array<T, stored::requests>::reserve(n, heap);
    }
  };
};

}  // namespace

// A table that promises what only one of its arrays can hold, or that takes two and then fails.
TEST_CASE_TEMPLATE("there is room for as many as the smallest of three arrays holds", Scarce, cell, links,
                   detail::chain_head) {
  table_in<short_of<Scarce>> t;
  short_of<Scarce> source;
  CHECK(t.most(source) == 5);
  CHECK(!t.reserve(6, source));
  CHECK(t.capacity() == 0);
  CHECK(t.reserve(5, source));
  CHECK(t.capacity() == 5);
}

namespace {

/// Promises enough, and has nothing for one kind of object.
template <class Missing>
struct without {
  template <class T, stored>
  struct array : at_listen::array<T, stored::requests> {
    static constexpr std::size_t most(const without&) noexcept { return 9; }
    constexpr bool reserve(std::size_t n, without&) noexcept {
      at_listen heap;
      return !std::same_as<T, Missing> && at_listen::array<T, stored::requests>::reserve(n, heap);
    }
  };
};
struct boundless {
  template <class T, stored>
  struct array : at_listen::array<T, stored::requests> {
    static constexpr std::size_t most(const boundless&) noexcept { return std::numeric_limits<std::size_t>::max(); }
    static constexpr bool reserve(std::size_t, boundless&) noexcept { return false; }
  };
};

}  // namespace

// An allocation that fails among others that do not: a table that believes in its capacity writes nowhere.
TEST_CASE_TEMPLATE("a table that gets one array less has no room", Missing, cell, links, detail::chain_head) {
  table_in<without<Missing>> t;
  without<Missing> source;
  CHECK(!t.reserve(5, source));
  CHECK(t.capacity() == 0);
  CHECK(t.take() == npos);
}

TEST_CASE("a table without room has no bucket, and nothing to clear or to spread") {
  table t;
  CHECK(t.buckets() == 0);
  CHECK(t.take() == npos);
  CHECK(t.next_stored() == npos);
  t.clear();
  t.rehash([](const cell&) { return 0U; });
}

TEST_CASE("a table in the object has room for what it says, and no table for more than an index can name") {
  table_in<fixed<12>> t;
  fixed<12> source;
  CHECK(t.most(source) == 12);
  CHECK(!t.reserve(13, source));
  CHECK(t.reserve(12, source));
  CHECK(table_in<boundless>{}.most({}) == 0x3fffffff);
  CHECK(table{}.most({}) == std::min<std::size_t>(0x3fffffff, (std::size_t{1} << 32) / sizeof(cell)));
}

// The parts of a request lie in three arrays of one block, and what is asked for is what fits.
TEST_CASE("a caller's block holds as many as are promised, and not one more") {
  alignas(8) std::byte block[1000];
  for (std::size_t offset = 0; offset < 8; ++offset) {
    for (std::size_t bytes = 0; bytes < 900; bytes += 17) {
      table_in<caller_memory> t;
      caller_memory source{block + offset, bytes};
      const std::size_t most = t.most(source);
      CHECK(most <= bytes / table::bytes_each);
      CHECK(!t.reserve(static_cast<std::uint32_t>(most + 1), source));
      CHECK(source.bytes == bytes);  // nothing was taken
      if (most == 0) continue;
      REQUIRE(t.reserve(static_cast<std::uint32_t>(most), source));
      CHECK(source.data <= block + offset + bytes);
      for (std::uint32_t k = 0; k < most; ++k) REQUIRE(put(t, k, 77 * k) != npos);
      for (std::uint32_t k = 0; k < most; ++k) CHECK(get(t, k, 77 * k) != npos);
      CHECK(t.most(source) >= most);
    }
  }
}
