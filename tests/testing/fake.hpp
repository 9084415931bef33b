// SPDX-License-Identifier: BSL-1.0
// A fake listener: the observers of one over plain public members, so that a test can break any of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/counters.hpp>
#include <listenq/queue/request.hpp>
#include <optional>
#include <vector>

namespace listenq::testing {

struct fake {
  using segment_type = segment;
  using request_type = request<ipv4>;
  using key_type = four_tuple;
  using handle_type = four_tuple;

  std::vector<request_type> requests{};
  std::vector<four_tuple> waiting{};
  std::uint32_t size = 0, young = 0, accepted = 0, limit = 8;
  std::optional<instant> next{};
  std::optional<four_tuple> lost{};  ///< lookup does not find it
  counter_values counted{};
  bool open = true;
  bool full = false;
  std::uint32_t buckets = 1;                      ///< a request is in bucket `peer port mod buckets`
  std::optional<std::uint32_t> claimed_length{};  ///< what every bucket says of its length
  bool balanced = true;
  std::uint64_t lost_requests = 0;

  static four_tuple key(unsigned i) {
    return {ip(10, 0, 0, 1), ip(10, 0, 0, 2), static_cast<std::uint16_t>(30001 + i), 20000};
  }
  request_type& add(unsigned i, instant deadline, std::uint8_t timeouts = 0) {
    request_type r;
    r.key = key(i);
    r.irs = 1000 + i;
    r.iss = 2000 + i;
    r.deadline = deadline;
    r.timeouts = timeouts;
    requests.push_back(r);
    return requests.back();
  }
  void remove(unsigned i) {
    std::erase_if(requests, [i](const request_type& r) { return r.key == key(i); });
  }
  request_type& at(unsigned i) {
    for (request_type& r : requests) {
      if (r.key == key(i)) return r;
    }
    return requests.front();
  }
  /// Makes the counts and the deadline what they should be.
  void settle() {
    size = static_cast<std::uint32_t>(requests.size());
    accepted = static_cast<std::uint32_t>(waiting.size());
    young = 0;
    next.reset();
    for (const request_type& r : requests) {
      if (r.timeouts == 0) ++young;
      if (!next || r.deadline < *next) next = r.deadline;
    }
  }

  bool listening() const { return open; }
  std::uint32_t bucket_of(const four_tuple& k) const { return k.peer_port % buckets; }
  std::uint32_t bucket_length(std::uint32_t bucket) const {
    if (claimed_length) return *claimed_length;
    std::uint32_t n = 0;
    for (const request_type& r : requests) n += bucket_of(r.key) == bucket ? 1U : 0U;
    return n;
  }
  bool budget_balanced() const { return balanced; }
  std::uint64_t lost_to_neighbours() const { return lost_requests; }
  bool accept_full() const { return full; }
  std::uint32_t request_count() const { return size; }
  std::uint32_t young_count() const { return young; }
  std::uint32_t accept_count() const { return accepted; }
  std::uint32_t request_limit() const { return limit; }
  std::optional<instant> next_deadline() const { return next; }
  const counter_values& counters() const { return counted; }
  const request_type* find_request(const four_tuple& k) const {
    for (const request_type& r : requests) {
      if (r.key == k && lost != k) return &r;
    }
    return nullptr;
  }
  template <class F>
  void for_each_request(F&& f) const {
    for (const request_type& r : requests) f(r);
  }
  template <class F>
  void for_each_waiting(F&& f) const {
    for (const four_tuple& k : waiting) f(k);
  }
};

}  // namespace listenq::testing
