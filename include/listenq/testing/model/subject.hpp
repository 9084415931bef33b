// SPDX-License-Identifier: BSL-1.0
// The subject: a listener of any composition behind one interface over IPv4, so that the model and its runner are
// compiled once and not for each composition. Other families are translated, a stack's own handles are ports of peers.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <listenq/handshake.hpp>
#include <listenq/listener.hpp>
#include <listenq/testing/invariants.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace listenq::testing {

/// The sink and the stack: keeps what was sent, fails or postpones as it is told, makes children unless told not to.
struct port {
  send_result answer = send_result::sent;
  bool refuses_children = false;
  std::vector<segment> sent{};
  std::vector<handshake> made{};
  std::vector<four_tuple> reset{};
  send_result send(const segment& s) {
    if (answer == send_result::sent) sent.push_back(s);
    return answer;
  }
};

/// The clients of a script, by number: the four-tuple of each. Three hosts, so that some share a prefix.
inline constexpr std::uint32_t client_count = 32;
constexpr four_tuple client_key(std::uint32_t i) noexcept {
  return {ip(10, 0, 0, static_cast<std::uint8_t>(i % 3)), ip(10, 1, 1, 1), static_cast<std::uint16_t>(30000 + i), 80};
}
constexpr std::uint32_t client_of(const four_tuple& k) noexcept { return k.peer_port - 30000U; }

/// A listener as the model's runner sees it; `observable`, with buckets.
class subject {
 public:
  using key_type = four_tuple;
  using segment_type = segment;
  using request_type = request<ipv4>;
  using handle_type = four_tuple;
  /// A counter's name, and its value.
  using counter = std::pair<const char*, std::uint64_t>;

  subject() = default;
  subject(const subject&) = default;
  subject& operator=(const subject&) = delete;
  virtual ~subject() = default;
  virtual std::unique_ptr<subject> clone() const = 0;  ///< null if it cannot be copied

  virtual listen_result listen(int backlog, instant now) = 0;
  virtual std::pair<accept_status, four_tuple> accept(instant now) = 0;
  virtual bool child_gone(const four_tuple& key) = 0;
  virtual close_summary close(port& out, instant now) = 0;
  virtual shutdown_result shutdown(shutdown_how how, port& out, instant now) = 0;
  virtual set_status set(tunable t, std::uint32_t value, instant now) = 0;
  virtual outcome receive(const segment& s, instant now, port& out, const arrival& facts) = 0;
  virtual icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error) = 0;
  virtual tick_summary tick(instant now, port& out) = 0;

  virtual std::optional<instant> next_deadline() const = 0;
  virtual bool listening() const = 0;
  virtual bool accept_full() const = 0;
  virtual bool request_full() const = 0;
  virtual std::uint32_t backlog() const = 0;
  virtual std::uint32_t request_count() const = 0;
  virtual std::uint32_t young_count() const = 0;
  virtual std::uint32_t accept_count() const = 0;
  virtual std::uint32_t request_limit() const = 0;
  virtual std::uint32_t get(tunable t) const = 0;
  virtual counter_values counters() const = 0;  ///< Linux's; nothing where others are counted
  virtual std::vector<counter> all_counters() const = 0;
  virtual const request_type* find_request(const four_tuple& key) const = 0;
  virtual std::uint32_t bucket_of(const four_tuple& key) const = 0;  ///< without buckets: one for all
  virtual std::uint32_t bucket_length(std::uint32_t bucket) const = 0;
  virtual bool budget_balanced() const = 0;
  virtual const std::vector<request_type>& requests() const = 0;  ///< as iteration finds them
  virtual std::vector<four_tuple> waiting() const = 0;
  template <class F>
  void for_each_request(F&& f) const {
    for (const request_type& r : requests()) f(r);
  }
  template <class F>
  void for_each_waiting(F&& f) const {
    for (const four_tuple& k : waiting()) f(k);
  }
};

namespace detail {

/// IPv4 addresses as those of another family, and back.
template <class A>
struct translate;
template <>
struct translate<ipv4> {
  static ipv4::address to(ipv4::address a) { return a; }
  static ipv4::address from(ipv4::address a) { return a; }
};
template <>
struct translate<ipv6> {
  static ipv6::address to(ipv4::address a) { return {{0x20010db8, a.value, ~a.value, 1}}; }
  static ipv4::address from(const ipv6::address& a) { return {a.value[1]}; }
};
template <>
struct translate<dual> {
  static dual::address to(ipv4::address a) { return dual::mapped(a); }
  static ipv4::address from(const dual::address& a) { return {a.value[3]}; }
};
template <class Base>
struct translate<tagged<Base>> {
  static typename tagged<Base>::address to(ipv4::address a) { return {translate<Base>::to(a), a.value}; }
  static ipv4::address from(const typename tagged<Base>::address& a) { return translate<Base>::from(a.base); }
};
template <class To, class From>
basic_four_tuple<To> key_to(const basic_four_tuple<From>& k) {
  const auto address = [](const typename From::address& a) { return translate<To>::to(translate<From>::from(a)); };
  return {address(k.peer_address), address(k.local_address), k.peer_port, k.local_port};
}
template <class To, class From>
basic_segment<To> segment_to(const basic_segment<From>& s) {
  const auto key =
      key_to<To>(basic_four_tuple<From>{s.source.address, s.destination.address, s.source.port, s.destination.port});
  return readdressed<To>(s, key.peer(), key.local());
}
template <class From>
handshake handshake_to(const basic_handshake<From>& h) {
  return {.key = key_to<ipv4>(h.key),
          .iss = h.iss,
          .irs = h.irs,
          .ts_recent = h.ts_recent,
          .ts_offset = h.ts_offset,
          .window = h.window,
          .mss = h.mss,
          .peer_mss = h.peer_mss,
          .send_scale = h.send_scale,
          .receive_scale = h.receive_scale,
          .window_scaling = h.window_scaling,
          .sack = h.sack,
          .timestamps = h.timestamps,
          .ecn = h.ecn,
          .cookie = h.cookie,
          .fast_open = h.fast_open};
}
template <class From>
request<ipv4> request_to(const request<From>& r) {
  request<ipv4> t;
  t.deadline = r.deadline;
  t.key = key_to<ipv4>(r.key);
  t.irs = r.irs;
  t.iss = r.iss;
  t.ts_recent = r.ts_recent;
  t.first_ts = r.first_ts;
  t.last_ts = r.last_ts;
  t.peer_mss = r.peer_mss;
  t.send_scale = r.send_scale;
  t.timeouts = r.timeouts;
  t.retransmits = r.retransmits;
  t.window_scaling = r.window_scaling;
  t.sack = r.sack;
  t.timestamps = r.timestamps;
  t.ecn = r.ecn;
  t.acked = r.acked;
  t.unreachable = r.unreachable;
  return t;
}

inline four_tuple key_of_handle(std::uint32_t peer_port) { return client_key(peer_port - 30000); }
template <class A>
four_tuple key_of_handle(const basic_four_tuple<A>& k) {
  return key_to<ipv4>(k);
}
template <class A>
four_tuple key_of_handle(const basic_handshake<A>& h) {
  return key_to<ipv4>(h.key);
}

}  // namespace detail

/// `L` behind the interface. Its handle is the four-tuple, the record, or a std::uint32_t.
template <class L>
class subject_of final : public subject {
  using family_t = typename L::addressing_type;
  using handle_t = typename L::handle_type;

 public:
  /// The values are those of the listener's constructor.
  template <class... Values>
  explicit subject_of(const Values&... values) : l_{values...} {}

  std::unique_ptr<subject> clone() const override {
    if constexpr (std::is_copy_constructible_v<L>) {
      return std::make_unique<subject_of>(*this);
    } else {
      return nullptr;
    }
  }

  listen_result listen(int backlog, instant now) override { return changed().listen(backlog, now); }
  std::pair<accept_status, four_tuple> accept(instant now) override {
    const auto a = changed().accept(now);
    const bool out = a.status == accept_status::ok || a.status == accept_status::aborted;
    return {a.status, out ? detail::key_of_handle(a.handle) : four_tuple{}};
  }
  bool child_gone(const four_tuple& key) override {
    std::optional<handle_t> handle;
    l_.for_each_waiting([&](const handle_t& h) {
      if (!handle && detail::key_of_handle(h) == key) handle = h;
    });
    return handle && changed().child_gone(*handle);
  }
  close_summary close(port& out, instant now) override {
    adapter a{out};
    return changed().close(a, now);
  }
  shutdown_result shutdown(shutdown_how how, port& out, instant now) override {
    adapter a{out};
    return changed().shutdown(how, a, now);
  }
  set_status set(tunable t, std::uint32_t value, instant now) override { return changed().set(t, value, now); }
  outcome receive(const segment& s, instant now, port& out, const arrival& facts) override {
    adapter a{out};
    return changed().receive(detail::segment_to<family_t>(s), now, a, facts);
  }
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now, icmp_error error) override {
    return changed().unreachable(detail::key_to<family_t>(key), seq, now, error);
  }
  tick_summary tick(instant now, port& out) override {
    adapter a{out};
    return changed().tick(now, a);
  }

  std::optional<instant> next_deadline() const override { return l_.next_deadline(); }
  bool listening() const override { return l_.listening(); }
  bool accept_full() const override { return l_.accept_full(); }
  bool request_full() const override { return l_.request_full(); }
  std::uint32_t backlog() const override { return l_.backlog(); }
  std::uint32_t request_count() const override { return l_.request_count(); }
  std::uint32_t young_count() const override { return l_.young_count(); }
  std::uint32_t accept_count() const override { return l_.accept_count(); }
  std::uint32_t request_limit() const override { return l_.request_limit(); }
  std::uint32_t get(tunable t) const override { return l_.get(t); }
  counter_values counters() const override { return linux_counts_of(l_); }
  std::vector<counter> all_counters() const override {
    std::vector<counter> all;
    const auto values = l_.counters();
    for (const auto& n : policy_of<L, slot::counters>::names) all.emplace_back(n.name, values.*n.value);
    return all;
  }
  const request_type* find_request(const four_tuple& key) const override {
    const auto found = l_.find_request(detail::key_to<family_t>(key));
    if (found == nullptr) return nullptr;
    found_ = detail::request_to(*found);
    return &found_;
  }
  std::uint32_t bucket_of(const four_tuple& key) const override {
    if constexpr (has_buckets<L>) {
      return l_.bucket_of(detail::key_to<family_t>(key));
    } else {
      return 0;
    }
  }
  std::uint32_t bucket_length(std::uint32_t bucket) const override {
    if constexpr (has_buckets<L>) {
      return l_.bucket_length(bucket);
    } else {
      return l_.request_count();
    }
  }
  bool budget_balanced() const override { return l_.budget_balanced(); }
  const std::vector<request_type>& requests() const override {
    if (!looked_) {
      requests_.clear();
      l_.for_each_request([this](const auto& r) { requests_.push_back(detail::request_to(r)); });
      looked_ = true;
    }
    return requests_;
  }
  std::vector<four_tuple> waiting() const override {
    std::vector<four_tuple> keys;
    l_.for_each_waiting([&keys](const handle_t& h) { keys.push_back(detail::key_of_handle(h)); });
    return keys;
  }

 private:
  using child_t = std::conditional_t<std::is_same_v<handle_t, std::uint32_t>, std::optional<handle_t>, bool>;
  struct adapter {
    port& out;
    send_result send(const basic_segment<family_t>& s) { return out.send(detail::segment_to<ipv4>(s)); }
    child_t make_child(const basic_handshake<family_t>& h, const basic_segment<family_t>&) {
      if (out.refuses_children) return {};
      out.made.push_back(detail::handshake_to(h));
      if constexpr (std::is_same_v<child_t, bool>) {
        return true;
      } else {
        return h.key.peer_port;
      }
    }
    void reset_child(const handle_t& h) { out.reset.push_back(detail::key_of_handle(h)); }
  };

  L& changed() noexcept {
    looked_ = false;
    return l_;
  }

  L l_;
  mutable request_type found_{};
  mutable std::vector<request_type> requests_{};
  mutable bool looked_ = false;
};

}  // namespace listenq::testing
