// SPDX-License-Identifier: BSL-1.0
// Closed forms of queueing theory that a listener's two queues are sized by: M/M/1/K for the accept queue, Erlang-B for
// the request queue, Little's law for both, and how much larger a quantile gets when clients come in bursts. Nothing
// but <cmath>: copy this header. What none of them knows: stalls, repeated SYNs, clients that give up. crowd.hpp does.
//
// A load is a mean number: arrivals a second times seconds of holding. `rho` is arrivals over services. Arguments are
// finite and not negative; a probability comes back in 0..1.
#pragma once

#include <cmath>
#include <cstdint>

namespace calculator {

// --- Little's law
// -----------------------------------------------------------------------------------------------------

/// How many are there on average, of `rate` a second that stay for `seconds` each.
constexpr double little(double rate, double seconds) noexcept { return rate * seconds; }
/// How long whoever joins a queue of `queued` waits for its turn at `rate` a second, in seconds.
constexpr double wait_behind(double queued, double rate) noexcept { return queued / rate; }

/// Mean number of requests: a round trip each, and for the share that never ACKs the whole `life`. Seconds.
constexpr double half_open(double rate, double round_trip, double never_ack, double life) noexcept {
  return little(rate, (1 - never_ack) * round_trip + never_ack * life);
}

/// `rate x stall <= backlog <= service x deadline`: below, one stall overflows it; above, its last place is served too
/// late.
struct window {
  double least = 0;
  double most = 0;
  constexpr bool empty() const noexcept { return least > most; }
};
constexpr window window_of(double rate, double stall, double service, double deadline) noexcept {
  return {little(rate, stall), little(service, deadline)};
}

// --- Erlang-B: requests that find `slots` taken, whatever the law of their holding time
// -------------------------------

/// The share of arrivals lost at `load` (erlangs) with `slots` places. O(slots), stable for any.
inline double erlang_b(double load, std::uint64_t slots) noexcept {
  double b = 1;
  for (std::uint64_t n = 1; n <= slots; ++n) b = load * b / (static_cast<double>(n) + load * b);
  return b;
}

/// The fewest places that lose at most the share `loss` (above 0).
inline std::uint64_t erlang_b_slots(double load, double loss) noexcept {
  std::uint64_t n = 0;
  for (double b = 1; b > loss; b = load * b / (static_cast<double>(n) + load * b)) ++n;
  return n;
}

// --- M/M/1/K: one server, `places` in all, the one being served among them
// --------------------------------------------

namespace detail {
/// ln rho, exact near 1.
inline double log_of(double rho) noexcept { return std::log1p(rho - 1); }
/// 1 / (e^-x - 1) + 1/x, smooth through 0.
inline double smooth(double x) noexcept {
  if (std::fabs(x) < 0.02) return -0.5 - x / 12 + x * x * x / 720;
  return 1 / std::expm1(-x) + 1 / x;
}
}  // namespace detail

/// The share of arrivals that find all places taken. O(1).
inline double mm1k_loss(double rho, std::uint64_t places) noexcept {
  const double k = static_cast<double>(places);
  if (rho <= 0) return places == 0 ? 1 : 0;
  const double l = detail::log_of(rho);
  if (l == 0) return 1 / (k + 1);
  if (l > 0) return std::expm1(-l) / std::expm1(-(k + 1) * l);
  return std::exp(k * l) * std::expm1(l) / std::expm1((k + 1) * l);
}

/// The fewest places that lose at most the share `loss`; `most` if more would be needed (with rho > 1 no number of
/// places loses less than 1 - 1/rho).
inline std::uint64_t mm1k_places(double rho, double loss, std::uint64_t most = 1'000'000) noexcept {
  std::uint64_t low = 0;
  for (std::uint64_t high = most; low < high;) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (mm1k_loss(rho, middle) <= loss) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// How many are before somebody who gets in, on average. O(1).
inline double mm1k_before(double rho, std::uint64_t places) noexcept {
  if (rho <= 0 || places < 2) return 0;
  const double k = static_cast<double>(places);
  const double l = detail::log_of(rho);
  return detail::smooth(l) - k * detail::smooth(k * l);
}

/// The mean wait of somebody who gets in, before service, in seconds at `service` a second.
inline double mm1k_wait(double rho, std::uint64_t places, double service) noexcept {
  return mm1k_before(rho, places) / service;
}

/// The share of those who get in that waits longer than `seconds` before service. O(sqrt(service x seconds)).
inline double mm1k_wait_beyond(double rho, std::uint64_t places, double service, double seconds) noexcept {
  if (rho <= 0 || places < 2 || seconds < 0) return seconds < 0 ? 1 : 0;
  const double k = static_cast<double>(places);
  const double l = detail::log_of(rho);
  // More than j are before me.
  const auto more_than = [k, l](double j) {
    if (l == 0) return (k - 1 - j) / k;
    if (l > 0) return std::expm1(-(k - 1 - j) * l) / std::expm1(-k * l);
    return std::exp((j + 1) * l) * std::expm1((k - 1 - j) * l) / std::expm1(k * l);
  };
  // In that time j have been served, Poisson; I wait on if more than j were before me.
  const double mean = service * seconds;
  const double spread = 12 * std::sqrt(mean) + 40;
  const double first = mean > spread ? std::floor(mean - spread) : 0;
  const double last = std::fmin(k - 2, std::ceil(mean + spread));
  double sum = 0;
  for (double j = first; j <= last; ++j) {
    const double served = mean > 0 ? std::exp(j * std::log(mean) - mean - std::lgamma(j + 1)) : (j == 0 ? 1.0 : 0.0);
    sum += served * more_than(j);
  }
  return sum < 1 ? sum : 1;
}

/// The wait that only the share `beyond` (above 0) of those who get in exceeds, in seconds.
inline double mm1k_wait_quantile(double rho, std::uint64_t places, double service, double beyond) noexcept {
  if (mm1k_wait_beyond(rho, places, service, 0) <= beyond) return 0;
  double high = 1 / service;
  while (mm1k_wait_beyond(rho, places, service, high) > beyond) high *= 2;
  double low = high / 2;
  for (int i = 0; i < 50 && high - low > 1e-7 * high; ++i) {
    const double middle = (low + high) / 2;
    (mm1k_wait_beyond(rho, places, service, middle) > beyond ? low : high) = middle;
  }
  return high;
}

// --- M/M/1: the same without a bound, rho below 1
// ---------------------------------------------------------------------

/// The share that waits longer than `seconds`.
inline double mm1_wait_beyond(double rho, double service, double seconds) noexcept {
  return rho * std::exp(-(1 - rho) * service * seconds);
}
constexpr double mm1_wait(double rho, double service) noexcept { return rho / (1 - rho) / service; }

// --- How many are there: Poisson (M/G/infinity), and its over-dispersed relative
// --------------------------------------

/// Variance over mean: 1 for Poisson, B when clients come in bursts of B.
constexpr double dispersion(double mean, double variance) noexcept { return variance / mean; }

/// P(N >= n) of a count with that mean: Poisson where `dispersed` is 1, negative binomial with that variance over mean
/// where it is more. O(sqrt(mean x dispersed)).
inline double count_at_least(double n, double mean, double dispersed = 1) noexcept {
  if (n <= 0) return 1;
  if (mean <= 0) return 0;
  const double r = dispersed > 1 ? mean / (dispersed - 1) : 0;  // of the negative binomial
  const auto log_p = [=](double k) {
    if (r == 0) return k * std::log(mean) - mean - std::lgamma(k + 1);
    return std::lgamma(k + r) - std::lgamma(r) - std::lgamma(k + 1) + k * std::log1p(-1 / dispersed) -
           r * std::log(dispersed);
  };
  const auto next = [=](double k) {  // p(k + 1) / p(k)
    return r == 0 ? mean / (k + 1) : (k + r) / (k + 1) * (1 - 1 / dispersed);
  };
  const bool up = n > mean;  // sum the side that is the smaller one
  double sum = 0;
  if (up) {
    double p = std::exp(log_p(n));
    for (double k = n; p > 0 && (sum == 0 || p > 1e-17 * sum); ++k) {
      sum += p;
      p *= next(k);
    }
    return sum < 1 ? sum : 1;
  }
  double p = std::exp(log_p(n - 1));
  for (double k = n - 1; k >= 0 && p > 1e-17 * sum; --k) {
    sum += p;
    if (k > 0) p /= next(k - 1);
  }
  return sum < 1 ? 1 - sum : 0;
}

/// The least n that is reached for at most the share `beyond` (above 0) of the time.
inline std::uint64_t count_quantile(double mean, double dispersed, double beyond) noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = 1;
  while (count_at_least(static_cast<double>(high), mean, dispersed) > beyond) {
    low = high + 1;
    high *= 2;
  }
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (count_at_least(static_cast<double>(middle), mean, dispersed) <= beyond) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace calculator
