// SPDX-License-Identifier: BSL-1.0
// The histogram that benchmarks/tail.cpp reads its percentiles from.
#include "support/tail.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using bench::histogram;

// A bucket that begins before the last one ends: a slow event counted as a fast one.
TEST_CASE("each value is in the bucket whose end is the first beyond it, a quarter of itself away at most") {
  for (std::uint64_t t = 0; t < 5000; ++t) {
    const std::size_t b = histogram::bucket_of(t);
    CAPTURE(t);
    CHECK(histogram::end_of(b) > static_cast<double>(t));
    CHECK((b == 0 || histogram::end_of(b - 1) <= static_cast<double>(t)));
    CHECK(histogram::end_of(b) <= static_cast<double>(t) * 1.25 + 1);
  }
  CHECK(histogram::bucket_of(~std::uint64_t{0}) == histogram::buckets - 1);
}

// The slowest of ten thousand lost in rounding, a percentile beyond the maximum.
TEST_CASE("percentiles and the most of 9,999 fast events and a slow one") {
  histogram h;
  for (int i = 0; i < 9999; ++i) h.add(100);
  h.add(1'000'000);
  CHECK(h.most() == 1'000'000);
  CHECK(h.percentile(0.5) == 112);
  CHECK(h.percentile(0.999) == 112);
  CHECK(h.percentile(1) == 1'000'000);
  CHECK(h.share(histogram::bucket_of(100)) == doctest::Approx(0.9999));
}
