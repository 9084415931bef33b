// SPDX-License-Identifier: BSL-1.0
#include "why.hpp"

#include <algorithm>

namespace lab {

namespace {

std::string text(std::uint64_t n) { return std::to_string(n); }

std::string count(std::uint64_t n, const std::string& what) { return text(n) + ' ' + what + (n == 1 ? "" : "s"); }

/// The accept queue's test, as it came out.
std::string room(const queue_state& q) {
  return "sk_ack_backlog " + text(q.waiting) + (q.accept_full ? " > " : " <= ") + text(q.backlog);
}

std::string held(const queue_state& q) { return "qlen " + text(q.requests) + ", young " + text(q.young); }

std::string on_admitted(const decision& d, const rules& r) {
  const std::string now = ": now " + held(d.after);
  if (d.before.accept_full && r.limits.young_when_full) {
    return "the SYN was admitted although the accept queue is full (" + room(d.before) +
           "), because then it is dropped only if young > " + text(*r.limits.young_when_full - 1) + ", and young was " +
           text(d.before.young) + now;
  }
  return "the SYN was admitted (qlen " + text(d.before.requests) + " < " + text(d.before.request_limit) + ", " +
         room(d.before) + ")" + now;
}

std::string on_accept_full(const decision& d, const rules& r) {
  const std::uint32_t young = r.limits.young_when_full.value_or(0);
  return "the SYN was dropped: the accept queue is full (" + room(d.before) + ")" +
         (young == 0 ? "" : " and young " + text(d.before.young) + " > " + text(young - 1));
}

std::string on_final_ack(const decision& d, const rules& r) {
  const std::string what = d.payload > 0 ? "the ACK with " + count(d.payload, "byte") : "the final ACK";
  switch (d.segment.verdict) {
    case verdict::promoted:
    case verdict::cookie_promoted:
      return what + " found room (" + room(d.before) + "), so " +
             (d.segment.verdict == verdict::promoted ? "the request" : "the cookie in it") +
             " became a connection that waits for accept(): now sk_ack_backlog " + text(d.after.waiting) + ", qlen " +
             text(d.after.requests);
    case verdict::overflow_kept:
      return what + " was ignored: no room (" + room(d.before) + ") and tcp_abort_on_overflow is " +
             text(r.abort_on_overflow) + ", so the request stays (" + held(d.after) + "), SYN_RECV here, " +
             "ESTABLISHED at the client";
    case verdict::overflow_reset:
      return what + " got a RST and the request is gone: no room (" + room(d.before) +
             ") and tcp_abort_on_overflow is " + text(r.abort_on_overflow);
    case verdict::overflow_forgotten:
      return what + " found no room (" + room(d.before) + ") and the request is gone";
    default:
      return what + " carried a valid cookie but found no room (" + room(d.before) + "): ignored, nothing is kept";
  }
}

std::string on_timer(const decision& d, const rules& r) {
  switch (d.timer.verdict) {
    case timer_verdict::resent:
      return std::string("the request's timer was due, so its SYN-ACK was ") +
             (d.timer.sent ? "sent again" : "tried again in vain") + " (" + held(d.after) + ", at most " +
             count(r.limits.retries, "repetition") + ")";
    case timer_verdict::waited:
      return "the request's timer was due, but its ACK has come and data are waited for";
    case timer_verdict::expired:
      return "the request's last timer was due: forgotten without a word (qlen " + text(d.after.requests) + ")";
    case timer_verdict::send_failed:
      return "the SYN-ACK could not be sent again: the request is forgotten";
    case timer_verdict::orphaned:
      return "its listener has closed: the request is forgotten";
    case timer_verdict::paused:
      return "cookies are all there is for now: the request is forgotten";
  }
  return {};
}

std::string on_segment(const decision& d, const rules& r) {
  switch (d.segment.verdict) {
    case verdict::admitted:
      return on_admitted(d, r);
    case verdict::cookie_sent:
      return d.segment.stages.has(stage::request_full)
                 ? "the SYN got a cookie and nothing was stored: the request queue is full (qlen " +
                       text(d.before.requests) + " >= " + text(d.before.request_limit) + ")"
                 : "the SYN got a cookie and nothing was stored, as tcp_syncookies 2 says";
    case verdict::fast_opened:
      return "the SYN showed a good fast-open cookie: its connection waits for accept() already, and " +
             (d.payload > 0 ? "the SYN-ACK acknowledges its " + count(d.payload, "byte") : "it had no bytes with it") +
             " (sk_ack_backlog " + text(d.after.waiting) + ")";
    case verdict::dropped_request_full:
    case verdict::reset_request_full:
      return "the SYN was dropped: the request queue is full (qlen " + text(d.before.requests) +
             " >= " + text(d.before.request_limit) + ") and there are no cookies";
    case verdict::dropped_accept_full:
    case verdict::reset_accept_full:
      return on_accept_full(d, r);
    case verdict::dropped_last_quarter:
      return "the SYN was dropped: without cookies the last quarter of tcp_max_syn_backlog " + text(r.max_syn_backlog) +
             " is kept for proven peers, and qlen is " + text(d.before.requests);
    case verdict::promoted:
    case verdict::overflow_kept:
    case verdict::overflow_reset:
    case verdict::overflow_forgotten:
    case verdict::cookie_promoted:
    case verdict::cookie_overflow:
      return on_final_ack(d, r);
    case verdict::duplicate_syn:
      return std::string("the SYN again for a request: ") +
             (d.segment.stages.has(stage::rate_limited) ? "no answer so soon" : "the SYN-ACK again");
    case verdict::deferred:
      return "the bare ACK was remembered and ignored: data are waited for";
    case verdict::out_of_window:
      return "a segment outside the request's window got an ACK and changed nothing";
    case verdict::challenged:
      return "a RST that is not exactly right, or another SYN, got a challenge ACK; the request stays";
    case verdict::wrong_ack:
      return "a wrong ACK number got a RST; the request stays";
    case verdict::wrong_ack_forgotten:
      return "a wrong ACK got a RST, and its request is gone (qlen " + text(d.after.requests) + ")";
    case verdict::wrong_ack_resent:
      return "a wrong ACK got the SYN-ACK again; the request stays";
    case verdict::cookie_in_vain:
      return "a valid cookie, but its peer has sent another SYN meanwhile: ignored, the request stays";
    case verdict::wrong_timestamp:
      return "an old timestamp, or none where there should be one, was ignored; the request stays";
    case verdict::request_reset:
    case verdict::request_reset_by_syn:
      return "the peer took its request back (qlen " + text(d.after.requests) + ")";
    case verdict::stray:
      return "no request, no connection: the segment got a RST";
    case verdict::not_listening:
      return "nobody listens: the segment got a RST";
    default:
      return std::string("the segment ended as ") + name_of(d.segment.verdict);
  }
}

std::string sentence(std::string s) {
  if (s.empty()) return s;
  if (s.front() >= 'a' && s.front() <= 'z' && !s.starts_with("qlen") && !s.starts_with("listen"))
    s.front() = static_cast<char>(s.front() - 'a' + 'A');
  return s + '.';
}

/// Decisions that are alike: the same verdict about the same kind of thing.
bool alike(const decision& a, const decision& b) {
  return a.is_timer == b.is_timer && a.segment.verdict == b.segment.verdict && a.timer.verdict == b.timer.verdict &&
         (a.payload > 0) == (b.payload > 0);
}

}  // namespace

rules rules_of(const preset_entry& p, int backlog, const tunable_values_set& set) {
  return {p.explain(backlog, set), p.value(tunable::abort_on_overflow, set), p.value(tunable::max_syn_backlog, set)};
}

std::string why(const decision& d, const rules& r) { return d.is_timer ? on_timer(d, r) : on_segment(d, r); }

std::string why(const std::vector<decision>& all, const rules& r) {
  std::string s;
  std::vector<decision> said;
  for (const decision& d : all) {
    if (std::any_of(said.begin(), said.end(), [&d](const decision& o) { return alike(o, d); })) continue;
    said.push_back(d);
    const auto times = std::count_if(all.begin(), all.end(), [&d](const decision& o) { return alike(o, d); });
    s += (s.empty() ? "" : "; ") + why(d, r) +
         (times > 1 ? ", " + text(static_cast<std::uint64_t>(times)) + " times" : "");
  }
  return sentence(s);
}

std::string why(const queue_state& q, const rules& r) {
  std::string s = count(q.waiting, "connection") + (q.waiting == 1 ? " waits" : " wait") + " for accept() (" + room(q) +
                  (q.accept_full ? ": full" : "") + "), " + count(q.requests, "request") +
                  (q.requests == 1 ? " waits" : " wait") + " to become one (" + held(q) + ")";
  if (!q.accept_full) return sentence(s);
  const std::uint32_t young = r.limits.young_when_full.value_or(0);
  s += young == 0 ? "; every SYN is dropped now"
                  : std::string("; a SYN is ") + (q.young >= young ? "dropped" : "still admitted") +
                        " now (dropped if young > " + text(young - 1) + ")";
  return sentence(s);
}

std::string why(const rules& r) {
  const explanation& e = r.limits;
  std::string s = "listen(" + std::to_string(e.requested) + ") is taken as backlog " + text(e.backlog) + ": " +
                  count(e.accept_slots, "connection") + " can wait for accept() (full when sk_ack_backlog > " +
                  text(e.backlog) + "), " + count(e.request_slots, "request") + " in the table" +
                  (e.buckets > 0 ? " of " + count(e.buckets, "bucket") : "");
  return sentence(s);
}

}  // namespace lab
