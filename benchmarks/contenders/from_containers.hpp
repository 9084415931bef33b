// SPDX-License-Identifier: BSL-1.0
// What users write: a listener out of containers. `naive` is an unordered_map, a multimap of deadlines and a deque;
// `careful` has boost's flat map under SipHash. Both do less than the library: no rate limits, no cookies, no counters
// but one, no checks of windows or timestamps. They make the same SYN-ACKs.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <listenq/outcome.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <map>
#include <optional>
#include <unordered_map>

namespace bench {

using namespace listenq;

/// As one writes it without thinking of floods: fast, and whoever wants to fills one bucket.
struct mixing_hash {
  std::size_t operator()(const four_tuple& k) const noexcept {
    const std::uint64_t ports = (std::uint64_t{k.peer_port} << 16) | k.local_port;
    std::size_t h = std::hash<std::uint64_t>{}((std::uint64_t{k.peer_address.value} << 32) | k.local_address.value);
    h ^= std::hash<std::uint64_t>{}(ports) + 0x9e3779b97f4a7c15U + (h << 6) + (h >> 2);
    return h;
  }
};
struct keyed_hash {
  using is_avalanching = void;
  siphash<2, 4> hash{{1, 2}};
  std::size_t operator()(const four_tuple& k) const noexcept {
    const std::uint32_t words[] = {k.peer_address.value, k.local_address.value,
                                   (std::uint32_t{k.peer_port} << 16) | k.local_port};
    return hash.hash(words);
  }
};

struct half_open {
  seq_number irs = 0, iss = 0;
  std::uint32_t ts_recent = 0;
  tcp_options options{};
  int timeouts = 0;
  std::multimap<instant, four_tuple>::iterator timer{};
};

template <class Map>
class from_containers {
 public:
  explicit from_containers(siphash<2, 4> key) : isn_{key} {}
  bool listen(std::uint32_t backlog) {
    backlog_ = backlog;
    return true;
  }
  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out) {
    const four_tuple key = four_tuple_of(s);
    const auto at = requests_.find(key);
    if (s.flags.has(flag::syn)) {
      if (at != requests_.end()) {
        out.send(syn_ack(key, at->second, now));
        return {verdict::duplicate_syn};
      }
      if (requests_.size() > backlog_) return {verdict::dropped_request_full};
      half_open r{.irs = s.seq, .iss = isn(key, now), .ts_recent = s.options.ts_value, .options = s.options};
      r.timer = timers_.emplace(now + second, key);
      out.send(syn_ack(key, r, now));
      requests_.emplace(key, r);
      return {verdict::admitted};
    }
    if (at == requests_.end() || s.ack != at->second.iss + 1) {
      if (!s.flags.has(flag::rst)) out.send(reset_for(s));
      return {verdict::stray};
    }
    if (accepted_.size() > backlog_) return {verdict::overflow_kept};
    timers_.erase(at->second.timer);
    requests_.erase(at);
    accepted_.push_back(key);
    ++passive_opens_;
    return {verdict::promoted};
  }
  std::optional<four_tuple> accept(instant) {
    if (accepted_.empty()) return std::nullopt;
    const four_tuple key = accepted_.front();
    accepted_.pop_front();
    return key;
  }

 private:
  seq_number isn(const four_tuple& k, instant now) const noexcept {
    const std::uint32_t words[] = {k.peer_address.value, k.local_address.value,
                                   (std::uint32_t{k.peer_port} << 16) | k.local_port};
    return static_cast<seq_number>(isn_.hash(words) >> 32) + static_cast<seq_number>(now / 4);
  }
  static segment syn_ack(const four_tuple& k, const half_open& r, instant now) noexcept {
    segment s = segment_to_peer(k);
    s.flags = flag::syn | flag::ack;
    s.seq = r.iss;
    s.ack = r.irs + 1;
    s.window = 65160;
    s.options = {.mss = 1460, .sack_permitted = r.options.sack_permitted};
    if (r.options.has_window_scale()) s.options.window_scale = 10;
    if (r.options.timestamps) {
      s.options.timestamps = true;
      s.options.ts_value = static_cast<std::uint32_t>(now / millisecond);
      s.options.ts_echo = r.ts_recent;
    }
    return s;
  }

  siphash<2, 4> isn_;
  std::uint32_t backlog_ = 0;
  Map requests_{};
  std::multimap<instant, four_tuple> timers_{};
  std::deque<four_tuple> accepted_{};
  std::uint64_t passive_opens_ = 0;
};

using naive = from_containers<std::unordered_map<four_tuple, half_open, mixing_hash>>;
using careful = from_containers<boost::unordered_flat_map<four_tuple, half_open, keyed_hash>>;

}  // namespace bench
