// SPDX-License-Identifier: BSL-1.0
// A snapshot: what the ledger remembers of a listener between two events: both queues, and what was full.
#pragma once

#include <algorithm>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/invariants.hpp>
#include <utility>
#include <vector>

namespace listenq::testing::detail {

template <observable L>
struct snapshot {
  using key_type = typename L::key_type;
  using request_type = typename L::request_type;
  using handle_type = typename L::handle_type;

  std::vector<request_type> requests{};  ///< as the listener lists them, or in the order in which they were stored
  std::vector<handle_type> waiting{};
  std::vector<std::pair<key_type, std::uint32_t>> buckets{};  ///< of the requests, where there are buckets
  std::uint32_t limit = 0;
  bool listening = false;
  bool accept_full = false;

  explicit snapshot(const L& l) : limit(l.request_limit()), listening(l.listening()), accept_full(l.accept_full()) {
    l.for_each_request([this](const request_type& r) { requests.push_back(r); });
    l.for_each_waiting([this](const handle_type& h) { waiting.push_back(h); });
    if constexpr (has_buckets<L>) {
      l.for_each_request([&](const request_type& r) { buckets.emplace_back(r.key, l.bucket_of(r.key)); });
    }
  }
  /// In the order of `was`, what is new behind.
  void order_as(const snapshot& was) {
    auto place = requests.begin();
    for (const request_type& old : was.requests) {
      const auto i = std::find_if(place, requests.end(), [&old](const auto& x) { return x.key == old.key; });
      if (i != requests.end()) std::iter_swap(place++, i);
    }
  }

  const request_type* find(const key_type& key) const {
    const auto i = std::find_if(requests.begin(), requests.end(), [&](const auto& r) { return r.key == key; });
    return i == requests.end() ? nullptr : &*i;
  }
  /// Is there the request that a SYN with this ISN makes?
  bool has_new(const key_type& key, seq_number isn) const {
    const request_type* const r = find(key);
    return r != nullptr && r->timeouts == 0 && r->irs == isn && !r->acked && r->retransmits == 0;
  }
  bool same_requests(const snapshot& other) const {
    return std::equal(requests.begin(), requests.end(), other.requests.begin(), other.requests.end(),
                      same_request<request_type>);
  }
  /// Is `victim`, one of these, whom the rule takes for the newcomer `key`? They must be in the order of their coming.
  bool gives_way(const request_type& victim, const L& l, const key_type& key, const expectations& e) const {
    if (e.evicted == victims::anybody) return true;
    if (e.evicted == victims::oldest) return &victim == requests.data();
    if constexpr (has_buckets<L>) {
      const auto bucket = [this](const key_type& k) {
        const auto i = std::find_if(buckets.begin(), buckets.end(), [&k](const auto& b) { return b.first == k; });
        return i->second;
      };
      const auto oldest_in = [&](std::uint32_t b) {
        return std::find_if(requests.begin(), requests.end(),
                            [&](const request_type& r) { return bucket(r.key) == b; });
      };
      std::uint32_t at = l.bucket_of(key);
      const std::uint32_t first = at - at % e.buckets;
      for (std::uint32_t n = 0; n < e.buckets; ++n) {
        const auto i = oldest_in(at);
        if (i != requests.end()) return &*i == &victim;
        if (e.evicted == victims::oldest_in_bucket) return false;
        at = at + 1 == first + e.buckets ? first : at + 1;
      }
    }
    return false;
  }
};

}  // namespace listenq::testing::detail
