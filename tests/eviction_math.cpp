// SPDX-License-Identifier: BSL-1.0
// The odds of an honest peer under a flood, by policy: closed forms (users.md T7; eviction.hpp), held against a
// listener that is really flooded. All seeds are fixed: the numbers are the same in every run, the bounds are four
// sigma.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <deque>
#include <listenq/listener.hpp>
#include <string>

using namespace listenq;

namespace {

template <class... Options>
using flooded = listener<cookies<no_cookies>, counters<no_counters>, schedule<fixed_lifetime<1000 * second>>,
                         waiting<reached<pipeline<exactly<60000>>>>, Options...>;

segment syn(std::uint32_t number) {
  segment s;
  s.source = {{0x0a000000U + (number >> 4)}, static_cast<std::uint16_t>(1024 + number % 16)};
  s.destination = {ip(192, 0, 2, 1), 80};
  s.seq = number;
  s.flags = flag::syn;
  return s;
}

struct odds {
  int honest = 0;
  int survived = 0;
  double share() const { return static_cast<double>(survived) / honest; }
};

// A full queue of `L`; then an endless flood of which every `every`-th SYN is honest, and looks `between` SYNs later
// whether its request is still there.
template <class L>
odds flood(std::uint32_t queue, std::uint32_t between, std::uint32_t every, int honest) {
  L l{siphash<>{{1996, 9}}};
  l.listen(static_cast<int>(queue));
  null_sink out;
  std::uint32_t n = 0;
  for (; n < 3 * queue; ++n) l.receive(syn(n), 0, out);
  odds o;
  std::deque<std::uint32_t> pending;
  for (; o.honest < honest; ++n) {
    if (!pending.empty() && n == pending.front() + between + 1) {
      ++o.honest;
      if (l.find_request(four_tuple_of(syn(pending.front()))) != nullptr) ++o.survived;
      pending.pop_front();
    }
    if (n % every == 0) pending.push_back(n);
    l.receive(syn(n), 0, out);
  }
  return o;
}

void near(const odds& o, double expected) {
  const double sigma = std::sqrt(expected * (1 - expected) / o.honest);
  const std::string seen = std::to_string(o.share()) + " seen, " + std::to_string(expected) + " expected";
  INFO(seen);
  CHECK(std::abs(o.share() - expected) <= 4 * sigma);
}

/// P(Binomial(n, p) < k)
double binomial_below(std::uint32_t k, std::uint32_t n, double p) {
  double term = std::pow(1 - p, n);
  double sum = 0;
  for (std::uint32_t i = 0; i < k; ++i) {
    sum += term;
    term *= static_cast<double>(n - i) / (i + 1) * p / (1 - p);
  }
  return sum;
}

}  // namespace

// NANOG 1996: L = 383, R = 1200 and 2700 a second, t = 250 ms; "the formula gives .456". A victim that is chosen among
// the first cells, or a newcomer that is its own victim, would be sigmas away.
TEST_CASE("evict_random: ((L - 1) / L)^(R t)") {
  using l = flooded<request_full<evict_random>, sizing<same_as_backlog>>;
  struct row {
    std::uint32_t queue, flood_rate;
    double formula;
  };
  for (const row& r : {row{382, 100, 0.9366}, row{383, 1200, 0.4564}, row{383, 2700, 0.171}}) {
    const std::uint32_t between = r.flood_rate / 4;
    CAPTURE(r.flood_rate);
    const double expected = std::pow((r.queue - 1.0) / r.queue, between);
    CHECK(std::abs(expected - r.formula) < 0.0011);  // what the thread says
    near(flood<l>(r.queue, between, 31, 4000), expected);
  }
}

// The cliff at R t = L: one more and nobody survives.
TEST_CASE("evict_oldest: everybody while R t < L, nobody beyond") {
  using l = flooded<request_full<evict_oldest>, sizing<same_as_backlog>>;
  CHECK(flood<l>(383, 382, 31, 300).survived == 300);
  CHECK(flood<l>(383, 383, 31, 300).survived == 0);
}

// The newcomer is dropped: with slots that come free once in a lifetime T, an honest SYN gets in with probability
// L / (R T), and then it is safe.
TEST_CASE("drop: L / (R T)") {
  constexpr std::uint32_t queue = 128;
  constexpr std::uint32_t rate = 100;  // a second
  using l = listener<cookies<no_cookies>, counters<no_counters>, schedule<fixed_lifetime<10 * second>>,
                     sizing<same_as_backlog>, pressure<no_pressure>>;
  l x;
  x.listen(queue);
  null_sink out;
  odds o;
  std::uint64_t random = 1;
  for (std::uint32_t n = 0; n < 300000; ++n) {
    const instant now = n * (second / rate);
    while (x.next_deadline() && *x.next_deadline() <= now) x.tick(now, out);
    random = random * 6364136223846793005U + 1442695040888963407U;
    const bool honest = (random >> 33) % 25 == 0;
    const auto o1 = x.receive(syn(n), now, out);
    if (!honest) continue;
    ++o.honest;
    if (o1.verdict == verdict::admitted) ++o.survived;
  }
  near(o, queue / (rate * 10.0));
}

// Lemon 2002: a bucket of 30 is enough for a LAN's round trip. Only those count that fall into the same bucket:
// Binomial.
TEST_CASE("evict_in_bucket: fewer than `depth` of the R t newcomers in the same bucket") {
  using freebsd = flooded<request_full<evict_in_bucket>, sizing<syncache<512, 30>>, admission<syncache_gates>>;
  // 15360 requests; 10,000 SYNs a second and 1.25, 1.5, 1.75 s round trips
  CHECK(flood<freebsd>(15360, 5000, 97, 500).survived == 500);
  for (const std::uint32_t between : {13000U, 15000U, 17000U}) {
    CAPTURE(between);
    near(flood<freebsd>(15360, between, 97, 1500), binomial_below(30, between, 1.0 / 512));
  }
}
