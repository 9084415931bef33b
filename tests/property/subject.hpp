// SPDX-License-Identifier: BSL-1.0
// The subject: a listener of any composition behind one interface over IPv4, so that the driver and the ledger are
// compiled once, and the rules of its composition, restated from the kernels' tables and not from the library's code.
#pragma once

#include <array>
#include <boost/hana/unpack.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <listenq/mirror.hpp>
#include <listenq/testing/invariants.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace property {

using namespace listenq;

// --- the rules of a composition
// ---------------------------------------------------------------------------------------

enum class at_full { drop, reset, evict, evict_maybe, admit, drop_above_one_young, keep, forget, as_tuned };
enum class crowding { none, half_table, half_backlog };
enum class cookie_rule { none, under_pressure, always, tuned };
enum class gate_step { known, request, accept, refusal, last_quarter };
using gate_order = std::vector<gate_step>;

/// Whose table of answers to a segment at a request.
enum class table { linux_old, linux_6_18, freebsd, netbsd, rfc793, rfc9293, rfc5961 };

/// What a composition promises, as functions of plain numbers.
struct rules {
  std::string name;
  std::uint64_t (*clamp)(std::int64_t requested, std::uint64_t somaxconn) = nullptr;
  std::uint64_t (*room)(std::uint64_t n, std::uint64_t max_syn_backlog) = nullptr;
  bool (*full)(std::uint64_t accepted, std::uint64_t requests, std::uint64_t n) = nullptr;
  duration (*wait)(unsigned timeouts) = nullptr;
  bool retries = true;  ///< false: the first timeout is the end
  bool sized_once = false;
  bool sweeps = false;
  bool newest_first = false;
  crowding crowd = crowding::none;
  gate_order gates{gate_step::known, gate_step::request, gate_step::accept, gate_step::refusal,
                   gate_step::last_quarter};
  bool strict = false;                                                     ///< a chosen ISN opens nothing
  bool (*full_at_syn)(std::uint64_t accepted, std::uint64_t n) = nullptr;  ///< if it is not `full`
  std::uint32_t buckets = 0;                                               ///< of a syncache, in a set
  std::uint32_t depth = 0;
  testing::victims victims = testing::victims::anybody;
  at_full request_full = at_full::drop;
  at_full accept_full_at_syn = at_full::drop;
  at_full accept_full_at_ack = at_full::keep;
  cookie_rule cookies = cookie_rule::none;
  bool two_is_for_all = true;       ///< tcp_syncookies 2; 2.6.32 reads it as 1
  duration cookie_window = 0;       ///< how long after the last one an ACK may be tried
  duration cookie_life = 0;         ///< how old a cookie may be
  std::int32_t cookie_entries = 0;  ///< of the table of MSS
  table at_request = table::linux_old;
  bool exact_rst = false;  ///< a RST must be exact, answers are limited to one in 500 ms
  bool syn_fin = false;
  bool restarts_timer = true;  ///< a SYN-ACK sent again for a duplicate SYN
  bool first_failure_fatal = false;
  bool failures_harmless = false;
  bool reports_aborted = false;
  bool on_the_heap = true;
  bool counts = true;
  bool counts_cookies = true;
  std::ptrdiff_t most_of_a_peer = std::numeric_limits<std::ptrdiff_t>::max();
  closing_answer closing = closing_answer::forget;
  icmp_verdict on_host_unreachable = icmp_verdict::ended;
  duration defer_unit = 0;  ///< the first timeout, for the arithmetic of TCP_DEFER_ACCEPT; 0: there is none
};

template <class P>
struct promise;  // one specialization for each policy that a row uses: `apply(rules&)`

template <>
struct promise<to_somaxconn> {
  static void apply(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      const auto u = static_cast<std::uint64_t>(n < 0 ? n + (std::int64_t{1} << 32) : n);
      return u > most ? most : u;
    };
  }
};
template <>
struct promise<as_is> {
  static void apply(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t) { return static_cast<std::uint64_t>(n < 0 ? 0 : n); };
  }
};
template <>
struct promise<at_least_80> {
  static void apply(rules& r) {
    r.clamp = [](std::int64_t n, std::uint64_t most) {
      const std::uint64_t u = n < 0 || static_cast<std::uint64_t>(n) > most ? most : static_cast<std::uint64_t>(n);
      return u < 80 ? 80 : u;
    };
  }
};

template <>
struct promise<pipeline<plus<1>>> {
  static void apply(rules& r) {
    r.room = [](std::uint64_t n, std::uint64_t) { return n + 1; };
  }
};
template <>
struct promise<pipeline<>> {
  static void apply(rules& r) {
    r.room = [](std::uint64_t n, std::uint64_t) { return n; };
  }
};
template <>
struct promise<pipeline<exactly<4>>> {
  static void apply(rules& r) {
    r.room = [](std::uint64_t, std::uint64_t) -> std::uint64_t { return 4; };
  }
};
template <>
struct promise<pipeline<plus<1>, roundup_pow_of_two>> {
  static void apply(rules& r) {
    r.room = [](std::uint64_t n, std::uint64_t) {
      std::uint64_t nr = 1;
      while (nr < n + 1) nr *= 2;
      return nr;
    };
  }
};
template <>
struct promise<sized_once<pipeline<at_most<tunable::max_syn_backlog>, at_least<8>, plus<1>, roundup_pow_of_two>>> {
  static void apply(rules& r) {
    r.sized_once = true;
    r.room = [](std::uint64_t n, std::uint64_t msb) {
      n = n < msb ? n : msb;
      n = n > 8 ? n : 8;
      std::uint64_t nr = 1;
      while (nr < n + 1) nr *= 2;
      return nr;
    };
  }
};

template <>
struct promise<backlog_plus_one> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t, std::uint64_t n) { return a > n; };
  }
};
template <>
struct promise<exactly_backlog> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t, std::uint64_t n) { return a >= n; };
  }
};
template <>
struct promise<three_halves_plus_one> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t, std::uint64_t n) { return a > 3 * n / 2; };
  }
};
template <>
struct promise<sum_to_three_times> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t q, std::uint64_t n) { return a + q > 3 * n; };
  }
};
template <>
struct promise<sum_to_backlog> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t q, std::uint64_t n) { return a + q >= n; };
  }
};

constexpr duration doubled(duration first, unsigned n) {
  duration d = first;
  for (; n > 0 && d < 120 * second; --n) d *= 2;
  return d < 120 * second ? d : 120 * second;
}
template <>
struct promise<from_1s> {
  static void apply(rules& r) {
    r.wait = [](unsigned n) { return doubled(1 * second, n); };
  }
};
template <>
struct promise<from_3s> {
  static void apply(rules& r) {
    r.wait = [](unsigned n) { return doubled(3 * second, n); };
  }
};
template <>
struct promise<fixed_lifetime<75 * second>> {
  static void apply(rules& r) {
    r.wait = [](unsigned) { return 75 * second; };
    r.retries = false;
  }
};

template <>
struct promise<no_pressure> {
  static void apply(rules&) {}
};
template <>
struct promise<half_table> {
  static void apply(rules& r) { r.crowd = crowding::half_table; }
};
template <>
struct promise<half_backlog> {
  static void apply(rules& r) { r.crowd = crowding::half_backlog; }
};

template <tie_order Ties>
struct promise<exact<Ties>> {
  static void apply(rules& r) { r.newest_first = Ties == tie_order::newest_first; }
};
template <>
struct promise<sweep<200 * millisecond>> {
  static void apply(rules& r) { r.sweeps = true; }
};

template <>
struct promise<linux_gates> {
  static void apply(rules&) {}
};
template <>
struct promise<bsd_gates> {
  static void apply(rules& r) {
    r.gates = {gate_step::accept, gate_step::known, gate_step::request, gate_step::refusal};
    r.strict = true;
    r.full_at_syn = [](std::uint64_t a, std::uint64_t n) { return a > n; };
  }
};
template <>
struct promise<syncache_gates> {
  static void apply(rules& r) {
    r.gates = {gate_step::known, gate_step::request, gate_step::refusal};
    r.strict = true;
  }
};
using sum_gates = in_order<gates::known_request, gates::accept_queue, gates::refusal>;
template <>
struct promise<sum_gates> {
  static void apply(rules& r) { r.gates = {gate_step::known, gate_step::accept, gate_step::refusal}; }
};
using late_lookup = in_order<gates::strict_request_queue, gates::accept_queue, gates::known_request>;
template <>
struct promise<late_lookup> {
  static void apply(rules& r) {
    r.gates = {gate_step::request, gate_step::accept, gate_step::known};
    r.strict = true;
  }
};

template <std::uint32_t Buckets, std::uint32_t Depth, std::uint32_t Limit, class Seeds>
struct promise<syncache<Buckets, Depth, Limit, Seeds>> {
  static void apply(rules& r) {
    r.room = [](std::uint64_t, std::uint64_t) -> std::uint64_t { return Limit * Seeds::sets; };
    r.buckets = Buckets;
    r.depth = Depth;
  }
};
template <>
struct promise<sum_to_three_halves_plus_one> {
  static void apply(rules& r) {
    r.full = [](std::uint64_t a, std::uint64_t q, std::uint64_t n) { return a + q > 3 * n / 2; };
  }
};

/// At most three requests of one peer address, as many as they like of its network.
using three_a_peer = every<per_prefix<32, 128, exactly<3>>, per_prefix<24, 64, exactly<1000>>>;
using budget_gates = in_order<gates::known_request, gates::budget, gates::request_queue, gates::accept_queue,
                              gates::refusal, gates::last_quarter>;
template <>
struct promise<budget_gates> {
  static void apply(rules& r) { r.most_of_a_peer = 3; }
};

template <class P>
constexpr at_full answer_of() {
  if (std::is_same_v<P, drop>) return at_full::drop;
  if (std::is_same_v<P, listenq::reset>) return at_full::reset;
  if (std::is_same_v<P, drop_and_evict_if_both_full>) return at_full::drop;
  if (std::is_same_v<P, evict_oldest_or_random>) return at_full::evict_maybe;
  if (evictions_of<P> != syn_answers{}) return at_full::evict;
  if (std::is_same_v<P, admit>) return at_full::admit;
  if (std::is_same_v<P, keep>) return at_full::keep;
  if (std::is_same_v<P, forget>) return at_full::forget;
  if (std::is_same_v<P, abort_if_tuned>) return at_full::as_tuned;
  return at_full::drop_above_one_young;
}

template <class V>
constexpr table table_of() {
  if (std::is_same_v<V, linux_validation<linux_era::v6_18>>) return table::linux_6_18;
  if (std::is_same_v<V, freebsd_validation>) return table::freebsd;
  if (std::is_same_v<V, netbsd_validation>) return table::netbsd;
  if (std::is_same_v<V, rfc793_validation>) return table::rfc793;
  if (std::is_same_v<V, rfc9293_validation>) return table::rfc9293;
  if (std::is_same_v<V, rfc5961_validation>) return table::rfc5961;
  return table::linux_old;
}
template <linux_era Era>
constexpr linux_era era_of(linux_counters<Era>) {
  return Era;
}
constexpr linux_era era_of(no_counters) { return linux_era::v6_18; }

template <class L>
rules rules_of(std::string name) {
  rules r;
  r.name = std::move(name);
  promise<policy_of<L, slot::clamp>>::apply(r);
  promise<policy_of<L, slot::sizing>>::apply(r);
  promise<policy_of<L, slot::waiting>>::apply(r);
  promise<policy_of<L, slot::schedule>>::apply(r);
  promise<policy_of<L, slot::pressure>>::apply(r);
  promise<policy_of<L, slot::clockwork>>::apply(r);
  promise<policy_of<L, slot::admission>>::apply(r);
  r.request_full = answer_of<policy_of<L, slot::request_full>>();
  r.accept_full_at_syn = answer_of<policy_of<L, slot::accept_full_at_syn>>();
  r.accept_full_at_ack = answer_of<policy_of<L, slot::accept_full_at_ack>>();
  using victim_t = policy_of<L, slot::request_full>;
  r.victims = std::is_same_v<victim_t, evict_oldest>         ? testing::victims::oldest
              : std::is_same_v<victim_t, evict_in_bucket>    ? testing::victims::oldest_in_bucket
              : std::is_same_v<victim_t, evict_from_here_on> ? testing::victims::oldest_from_here_on
                                                             : testing::victims::anybody;
  using cookies_t = policy_of<L, slot::cookies>;
  r.cookies = std::is_same_v<cookies_t, no_cookies>                          ? cookie_rule::none
              : std::is_same_v<cookies_t, always<linux_6_18_cookie>>         ? cookie_rule::always
              : std::is_same_v<cookies_t, under_pressure<linux_6_18_cookie>> ? cookie_rule::under_pressure
                                                                             : cookie_rule::tuned;
  if constexpr (cookies_t::possible) {
    using codec = typename cookies_t::codec;
    r.two_is_for_all = !std::is_same_v<cookies_t, under_pressure_if_tuned<codec>>;
    r.cookie_window = cookies_t::window_type::length;
    r.cookie_life = codec::ages * codec::period;
    r.cookie_entries = static_cast<std::int32_t>(std::size(codec::mss_table[0]));
  }
  using validation_t = policy_of<L, slot::validation>;
  r.at_request = table_of<validation_t>();
  constexpr bool is_2_6_32 = std::is_same_v<validation_t, linux_validation<linux_era::v2_6_32>>;
  const bool is_linux = r.at_request == table::linux_old || r.at_request == table::linux_6_18;
  r.exact_rst = r.at_request == table::linux_6_18 || r.at_request == table::rfc9293 || r.at_request == table::rfc5961;
  r.restarts_timer = (is_linux && !is_2_6_32) || r.at_request == table::freebsd;
  r.syn_fin = is_2_6_32 || !is_linux;
  r.first_failure_fatal = std::is_same_v<policy_of<L, slot::send_failure>, fatal>;
  r.failures_harmless = std::is_same_v<policy_of<L, slot::send_failure>, harmless>;
  r.reports_aborted = policy_of<L, slot::aborted_child>::reports;
  r.on_the_heap = std::is_same_v<policy_of<L, slot::storage>, at_listen>;
  r.counts = !std::is_same_v<policy_of<L, slot::counters>, no_counters>;
  r.counts_cookies = r.counts && era_of(policy_of<L, slot::counters>{}) != linux_era::v2_6_32;
  r.closing = policy_of<L, slot::closing>::requests;
  // Peers of `dual` are mapped here; Linux 6.18 lets this error pass over IPv6.
  if (std::is_same_v<typename L::addressing_type, ipv6> &&
      std::is_same_v<policy_of<L, slot::icmp>, linux_icmp<linux_era::v6_18>>) {
    r.on_host_unreachable = icmp_verdict::ignored;
  }
  using deferral_t = policy_of<L, slot::deferral>;
  r.defer_unit = std::is_same_v<deferral_t, defer_accept<>>             ? 1 * second
                 : std::is_same_v<deferral_t, defer_accept<3 * second>> ? 3 * second
                                                                        : 0;
  return r;
}

/// What tells `L` from `Base`, for people.
template <class Base, class L>
std::string difference() {
  std::string s;
  boost::hana::unpack(options_of<L>, [&s]<class... O>(O...) {
    boost::hana::unpack(options_of<Base>, [&s]<class... B>(B...) {
      const auto add = [&s]<class Option>(std::type_identity<Option>) {
        s += std::string{", "} + Option::slot::name + '<' + Option::policy::name + '>';
      };
      ((std::is_same_v<O, B> ? void() : add(std::type_identity<typename O::type>{})), ...);
    });
  });
  return s;
}

// --- the outside world of a listener
// ----------------------------------------------------------------------------------

/// The sink: keeps what was sent, fails or postpones as it is told, makes children unless it is told not to.
struct port {
  send_result answer = send_result::sent;
  bool refuses_children = false;
  std::vector<segment> sent;
  std::vector<four_tuple> made;
  std::vector<four_tuple> reset;
  send_result send(const segment& s) {
    if (answer == send_result::sent) sent.push_back(s);
    return answer;
  }
};

/// The interface; it is `observable` for the ledger.
class subject {
 public:
  using key_type = four_tuple;
  using segment_type = segment;
  using request_type = request<ipv4>;
  using handle_type = four_tuple;

  subject() = default;
  subject(const subject&) = default;
  subject& operator=(const subject&) = delete;
  virtual ~subject() = default;

  virtual std::unique_ptr<subject> clone() const = 0;  ///< null if it cannot be copied
  virtual const rules& promised() const = 0;

  virtual listen_result listen(int backlog, instant now) = 0;
  virtual std::pair<accept_status, four_tuple> accept(instant now) = 0;
  virtual bool child_gone(const four_tuple& key) = 0;
  virtual close_summary close(port& out, instant now) = 0;
  virtual set_status set(tunable t, std::uint32_t value) = 0;
  virtual outcome receive(const segment& s, instant now, port& out, const arrival& facts) = 0;
  virtual icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now) = 0;
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
  virtual counter_values counters() const = 0;
  virtual const request_type* find_request(const four_tuple& key) const = 0;
  virtual std::uint32_t bucket_of(const four_tuple& key) const = 0;  ///< without buckets: one for all
  virtual std::uint32_t bucket_length(std::uint32_t bucket) const = 0;
  virtual bool budget_balanced() const = 0;
  virtual void visit_requests(const std::function<void(const request_type&)>& f) const = 0;
  virtual void visit_waiting(const std::function<void(const four_tuple&)>& f) const = 0;
  template <class F>
  void for_each_request(F&& f) const {
    visit_requests(std::forward<F>(f));
  }
  template <class F>
  void for_each_waiting(F&& f) const {
    visit_waiting(std::forward<F>(f));
  }
};

// --- any listener behind it
// -------------------------------------------------------------------------------------------

/// IPv4 addresses as those of another family and back.
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
struct translate<tagged<ipv4>> {
  static tagged<ipv4>::address to(ipv4::address a) { return {ip(10, 0, 0, 1), a.value}; }
  static ipv4::address from(const tagged<ipv4>::address& a) { return {a.tag}; }
};

template <class To, class From>
basic_four_tuple<To> key_to(const basic_four_tuple<From>& k) {
  if constexpr (std::is_same_v<From, ipv4>) {
    return {translate<To>::to(k.peer_address), translate<To>::to(k.local_address), k.peer_port, k.local_port};
  } else {
    return {translate<From>::from(k.peer_address), translate<From>::from(k.local_address), k.peer_port, k.local_port};
  }
}
template <class To, class From>
basic_segment<To> segment_to(const basic_segment<From>& s) {
  const auto key =
      key_to<To>(basic_four_tuple<From>{s.source.address, s.destination.address, s.source.port, s.destination.port});
  return readdressed<To>(s, key.peer(), key.local());
}
template <class From>
request<ipv4> request_of(const request<From>& r) {
  request<ipv4> t;
  t.deadline = r.deadline;
  t.key = key_to<ipv4>(r.key);
  t.irs = r.irs;
  t.iss = r.iss;
  t.ts_recent = r.ts_recent;
  t.first_ts = r.first_ts;
  t.last_ts = r.last_ts;
  t.peer_mss = r.peer_mss;
  t.timeouts = r.timeouts;
  t.retransmits = r.retransmits;
  t.acked = r.acked;
  t.timestamps = r.timestamps;
  return t;
}

/// A stack's own handle: here the peer's port, which tells the clients of the driver apart.
constexpr four_tuple client_key(unsigned i) {
  return {ip(10, 0, 0, static_cast<std::uint8_t>(i % 3)), ip(10, 1, 1, 1), static_cast<std::uint16_t>(30000 + i), 80};
}
inline four_tuple key_of(std::uint32_t peer_port) { return client_key(peer_port - 30000); }
template <class A>
four_tuple key_of(const basic_four_tuple<A>& k) {
  return key_to<ipv4>(k);
}
template <class A>
four_tuple key_of(const basic_handshake<A>& h) {
  return key_to<ipv4>(h.key);
}

template <class L>
class part final : public subject {
  using family_t = typename L::addressing_type;
  using handle_t = typename L::handle_type;

 public:
  explicit part(rules r) : rules_{std::move(r)} {}
  template <class Value>
  part(rules r, const Value& v) : rules_{std::move(r)}, l_{v} {}

  std::unique_ptr<subject> clone() const override {
    if constexpr (std::is_copy_constructible_v<L>) {
      return std::make_unique<part>(*this);
    } else {
      return nullptr;
    }
  }
  const rules& promised() const override { return rules_; }

  listen_result listen(int backlog, instant now) override { return l_.listen(backlog, now); }
  std::pair<accept_status, four_tuple> accept(instant now) override {
    const auto a = l_.accept(now);
    return {a.status,
            a.status == accept_status::ok || a.status == accept_status::aborted ? key_of(a.handle) : four_tuple{}};
  }
  bool child_gone(const four_tuple& key) override {
    bool gone = false;
    handle_t handle{};
    l_.for_each_waiting([&](const handle_t& h) {
      if (!gone && key_of(h) == key) handle = h, gone = true;
    });
    return gone && l_.child_gone(handle);
  }
  close_summary close(port& out, instant now) override {
    adapter a{out};
    return l_.close(a, now);
  }
  set_status set(tunable t, std::uint32_t value) override { return l_.set(t, value); }
  outcome receive(const segment& s, instant now, port& out, const arrival& facts) override {
    adapter a{out};
    return l_.receive(segment_to<family_t>(s), now, a, facts);
  }
  icmp_verdict unreachable(const four_tuple& key, seq_number seq, instant now) override {
    return l_.unreachable(key_to<family_t>(key), seq, now);
  }
  tick_summary tick(instant now, port& out) override {
    adapter a{out};
    return l_.tick(now, a);
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
  counter_values counters() const override { return testing::linux_counts_of(l_); }
  const request_type* find_request(const four_tuple& key) const override {
    const auto* const found = l_.find_request(key_to<family_t>(key));
    if (found == nullptr) return nullptr;
    found_ = request_of(*found);
    return &found_;
  }
  std::uint32_t bucket_of(const four_tuple& key) const override {
    if constexpr (testing::has_buckets<L>) {
      return l_.bucket_of(key_to<family_t>(key));
    } else {
      return 0;
    }
  }
  std::uint32_t bucket_length(std::uint32_t bucket) const override {
    if constexpr (testing::has_buckets<L>) {
      return l_.bucket_length(bucket);
    } else {
      return l_.request_count();
    }
  }
  bool budget_balanced() const override { return l_.budget_balanced(); }
  void visit_requests(const std::function<void(const request_type&)>& f) const override {
    l_.for_each_request([&f](const auto& r) { f(request_of(r)); });
  }
  void visit_waiting(const std::function<void(const four_tuple&)>& f) const override {
    l_.for_each_waiting([&f](const auto& h) { f(key_of(h)); });
  }

 private:
  using child_t = std::conditional_t<std::is_same_v<handle_t, std::uint32_t>, std::optional<handle_t>, bool>;
  struct adapter {
    port& out;
    send_result send(const basic_segment<family_t>& s) { return out.send(segment_to<ipv4>(s)); }
    child_t make_child(const basic_handshake<family_t>& h, const basic_segment<family_t>&) {
      if (out.refuses_children) return {};
      out.made.push_back(key_to<ipv4>(h.key));
      if constexpr (std::is_same_v<child_t, bool>) {
        return true;
      } else {
        return h.key.peer_port;
      }
    }
    void reset_child(const handle_t& h) { out.reset.push_back(key_of(h)); }
  };

  rules rules_;
  L l_;
  mutable request_type found_;
};

}  // namespace property
