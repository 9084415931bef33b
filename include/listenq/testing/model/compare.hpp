// SPDX-License-Identifier: BSL-1.0
// Comparison: a listener beside its model after one step; and the sentences that say what was expected, what came, and
// by which rule. It looks at everything: verdict, stages, segments with their options, children, both queues in order,
// limits, timers, tunables, counters.
#pragma once

#include <algorithm>
#include <listenq/testing/model.hpp>
#include <listenq/testing/model/subject.hpp>
#include <listenq/transport/text.hpp>
#include <optional>
#include <string>
#include <vector>

namespace listenq::testing {

/// One thing that is not as it must be.
struct difference {
  std::string what;  ///< "the verdict", "the deadline of 10.0.0.1:30001"
  std::string expected;
  std::string came;
  std::string rule;  ///< by which the model says so
  std::string text() const {
    return what + ": expected " + expected + ", came " + came + (rule.empty() ? "" : " (" + rule + ")");
  }
};

namespace detail {

inline std::string to_words(bool b) { return b ? "yes" : "no"; }
inline std::string to_words(const std::string& s) { return s; }
template <class T>
requires std::is_arithmetic_v<T> std::string to_words(T n) { return std::to_string(n); }
inline std::string to_words(const std::optional<instant>& t) { return t ? time_text(*t) : "none"; }
inline std::string to_words(const std::optional<verdict>& v) { return v ? name_of(*v) : "none"; }
inline std::string to_words(const segment& s) {
  const tcp_options& o = s.options;
  std::string text = to_text(s.flags) + " to " + to_text(s.destination) + " seq " + std::to_string(s.seq) + " ack " +
                     std::to_string(s.ack) + " window " + std::to_string(s.window);
  if (o.mss != 0) text += " mss " + std::to_string(o.mss);
  if (o.has_window_scale()) text += " scale " + std::to_string(o.window_scale);
  if (o.sack_permitted) text += " sack";
  if (o.timestamps) text += " timestamp " + std::to_string(o.ts_value) + " echo " + std::to_string(o.ts_echo);
  return text;
}
inline std::string to_words(const handshake& h) {
  return to_text(h.key.peer()) + " iss " + std::to_string(h.iss) + " irs " + std::to_string(h.irs) + " mss " +
         std::to_string(h.peer_mss) + '/' + std::to_string(h.mss) + " scales " + std::to_string(h.send_scale) + '/' +
         std::to_string(h.receive_scale) + " window " + std::to_string(h.window) + (h.sack ? " sack" : "") +
         (h.ecn ? " ecn" : "") + (h.cookie ? " cookie" : "") + (h.window_scaling ? " scaling" : "") +
         (h.timestamps ? " timestamps, recent " + std::to_string(h.ts_recent) : "") + ", clock " +
         std::to_string(h.ts_offset);
}
inline std::string to_words(const four_tuple& k) { return to_text(k.peer()); }
template <class T>
std::string to_words(const std::vector<T>& list) {
  std::string text;
  for (const T& x : list) text += (text.empty() ? "" : "; ") + to_words(x);
  return text.empty() ? "nothing" : text;
}
inline std::string to_words(stages s) {
  static constexpr std::pair<stage, const char*> names[] = {{stage::request_full, "request_full"},
                                                            {stage::cookie_wanted, "cookie_wanted"},
                                                            {stage::accept_full, "accept_full"},
                                                            {stage::rate_limited, "rate_limited"},
                                                            {stage::old_timestamp, "old_timestamp"},
                                                            {stage::bad_echo, "bad_echo"},
                                                            {stage::cookie_checked, "cookie_checked"},
                                                            {stage::cookie_valid, "cookie_valid"},
                                                            {stage::child_refused, "child_refused"},
                                                            {stage::evicted, "evicted"},
                                                            {stage::answered, "answered"},
                                                            {stage::answered_reset, "answered_reset"},
                                                            {stage::send_failed, "send_failed"},
                                                            {stage::bucket_full, "bucket_full"},
                                                            {stage::evicted_reset, "evicted_reset"},
                                                            {stage::no_timestamp, "no_timestamp"},
                                                            {stage::request_ended, "request_ended"},
                                                            {stage::cookie_late, "cookie_late"},
                                                            {stage::cookie_in_iss, "cookie_in_iss"}};
  std::string text;
  for (const auto& [s1, name] : names) {
    if (s.has(s1)) text += (text.empty() ? "" : " ") + std::string{name};
  }
  return text.empty() ? "none" : text;
}
inline bool same(const segment& a, const segment& b) {
  return a.source == b.source && a.destination == b.destination && a.seq == b.seq && a.ack == b.ack &&
         a.flags == b.flags && a.window == b.window && a.options == b.options && a.payload.size == b.payload.size;
}
inline bool same(const std::vector<segment>& a, const std::vector<segment>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return same(x, y); });
}
inline bool same_set(const std::vector<segment>& a, const std::vector<segment>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end(),
                             [](const auto& x, const auto& y) { return same(x, y); });
}

/// Finds the first difference; what is compared after it does not matter.
class finder {
 public:
  explicit finder(const char* rule) : rule_{rule} {}
  template <class T>
  void expect(const char* what, const T& expected, const T& came, const four_tuple* of = nullptr) {
    if (found_ || expected == came) return;
    report(what + (of == nullptr ? std::string{} : " of " + to_words(*of)), to_words(expected), to_words(came));
  }
  void report(const std::string& what, const std::string& expected, const std::string& came) {
    if (!found_) found_ = difference{what, expected, came, rule_};
  }
  explicit operator bool() const noexcept { return found_.has_value(); }
  std::optional<difference> take() && { return std::move(found_); }

 private:
  const char* rule_;
  std::optional<difference> found_{};
};

inline void compare_requests(const subject& l, const model& m, finder& f) {
  f.expect("the number of requests", m.requests().size(), l.requests().size());
  for (const half_open& due : m.requests()) {
    if (f) return;
    const four_tuple* const who = &due.key;
    const request<ipv4>* const r = l.find_request(due.key);
    if (r == nullptr) return f.report("the request of " + to_words(due.key), "it waits", "there is none");
    const std::optional<instant> deadline{r->deadline};
    f.expect("the next timeout", std::optional<instant>{due.deadline}, deadline, who);
    f.expect("the peer's ISN", due.irs, r->irs, who);
    f.expect("our ISN", due.iss, r->iss, who);
    f.expect("the timeouts", due.timeouts, unsigned{r->timeouts}, who);
    f.expect("acked", due.acked, bool{r->acked}, who);
    f.expect("the MSS", due.peer_mss, r->peer_mss, who);
    f.expect("window scaling", due.window_scaling, bool{r->window_scaling}, who);
    f.expect("the window scale", due.send_scale, r->send_scale, who);
    f.expect("SACK", due.sack, bool{r->sack}, who);
    f.expect("timestamps", due.timestamps, bool{r->timestamps}, who);
    f.expect("ECN", due.ecn, bool{r->ecn}, who);
    f.expect("the timestamp that we echo", due.ts_recent, r->ts_recent, who);
    f.expect("the note of an ICMP error", due.unreachable, bool{r->unreachable}, who);
    const bool keeps = m.promised().keeps_answers;
    f.expect("the SYN-ACKs sent again", keeps ? due.retransmits : 0, unsigned{r->retransmits}, who);
    f.expect("the first timestamp that we sent", keeps ? due.first_ts : 0, r->first_ts, who);
    f.expect("the last timestamp that we sent", keeps ? due.last_ts : 0, r->last_ts, who);
  }
}

inline void compare_queues(const subject& l, const model& m, finder& f) {
  f.expect("listening", m.listening(), l.listening());
  compare_requests(l, m, f);
  std::vector<four_tuple> waiting;
  for (const waiting_connection& w : m.waiting()) waiting.push_back(w.key);
  f.expect("who waits for accept", waiting, l.waiting());
  f.expect("A", waiting.size(), std::size_t{l.accept_count()});
  f.expect("Q", m.requests().size(), std::size_t{l.request_count()});
  f.expect("Y", m.young(), std::uint64_t{l.young_count()});
  f.expect("the next deadline", m.next_deadline(), l.next_deadline());
  if (m.listening()) {
    f.expect("N", m.backlog(), std::uint64_t{l.backlog()});
    f.expect("the limit of requests", m.limit(), std::uint64_t{l.request_limit()});
    f.expect("request_full()", m.request_full(), l.request_full());
    f.expect("accept_full()", m.accept_full(), l.accept_full());
  }
}

inline void compare_books(const subject& l, const model& m, finder& f) {
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (m.get(t) != l.get(t)) f.expect(name_of(t), m.get(t), l.get(t));
  }
  std::uint64_t known = 0;
  for (const auto& [name, value] : l.all_counters()) {
    const auto due = m.counters().find(std::string_view{name});
    const std::uint64_t expected = due == m.counters().end() ? 0 : due->second;
    known += due != m.counters().end() ? 1 : 0;
    f.expect(name, expected, value);
  }
  f.expect("the number of counters", m.counters().size(), static_cast<std::size_t>(known));
}

}  // namespace detail

/// What differs between a listener that has just done a step, of which `came` is what it did, and its model, which has
/// predicted it. Nothing if they agree.
inline std::optional<difference> compare(const subject& l, const model& m, const prediction& p, const result& came) {
  detail::finder f{p.rule};
  f.expect("the verdict", p.due.verdict, came.verdict);
  f.expect("what was met on the way", p.due.met, came.met);
  f.expect("what it said", p.due.said, came.said);
  const bool sent = p.any_order ? detail::same_set(p.due.sent, came.sent) : detail::same(p.due.sent, came.sent);
  if (!sent) f.report("what was sent", detail::to_words(p.due.sent), detail::to_words(came.sent));
  f.expect("the connections that were made", p.due.made, came.made);
  f.expect("the connections that were reset", p.due.reset, came.reset);
  if (!p.broken.empty()) f.report("a choice", "one that the rules allow", p.broken);
  detail::compare_queues(l, m, f);
  detail::compare_books(l, m, f);
  return std::move(f).take();
}

}  // namespace listenq::testing
