// SPDX-License-Identifier: BSL-1.0
// Where an inbound segment goes: to its request, to the gates, to the cookies, or to a closed port; and an ICMP error
// to its request.
#pragma once

#include <listenq/detail/on_ack.hpp>
#include <listenq/detail/on_request.hpp>
#include <listenq/detail/on_syn.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// A segment at a listener that listens; `h` is the hash of its four-tuple, `ahead` what else has been found of it
/// already. Yields what is noted of it.
template <class L, class Ahead, class Sink>
[[gnu::always_inline]] constexpr outcome dispatch(state<L>& l, const typename state<L>::segment_type& s,
                                                  std::uint64_t h, Ahead ahead, Sink& out, const arrival& facts) {
  const auto is = [&s](const auto& key) { return belongs_to(s, key); };
  const auto i = l.sees_requests() ? l.requests.seek(low(h), is) : l.npos;
  if (i != l.npos) [[likely]] {
    const bool syn = s.flags.has(flag::syn) && !s.flags.any(flag::ack | flag::rst);
    if (known_first<typename policies<L>::admission> || !syn) return on_request(l, s, h, i, out);
    return on_syn(l, s, h, i, ahead, out, facts);
  }
  // Two short ways, for an ordinary SYN and an ordinary ACK: of their flags the compiler then knows what is known. What
  // follows asks the same of any flags.
  using validation = typename policies<L>::validation;
  constexpr flags of_syn = flag::syn | flag::ack | flag::rst | flag::fin;
  constexpr flags of_ack = flag::syn | flag::ack | flag::rst;
  bool at_gates = false;
  if ((s.flags & of_syn) == flag::syn) [[likely]] {
    at_gates = validation::at_listener(s.flags.without(of_syn) | flag::syn) == listener_answer::gates;
  } else if ((s.flags & of_ack) == flag::ack) {
    const flags f = s.flags.without(of_ack) | flag::ack;
    const listener_answer a = validation::at_listener(f);
    if (a == listener_answer::reset || (a == listener_answer::cookie && !takes_cookies(l))) {
      return on_stray(l, s, f, out);
    }
  }
  if (!at_gates) {
    switch (validation::at_listener(s.flags)) {
      case listener_answer::gates:
        break;
      case listener_answer::cookie: {
        outcome o;
        on_stray_ack(l, s, h, out, o);
        return l.noted(s, o);
      }
      case listener_answer::reset:
        return on_stray(l, s, s.flags, out);
      case listener_answer::ignore:
        return l.noted(s, {.verdict = verdict::ignored});
    }
  }
  return on_syn(l, s, h, i, ahead, out, facts);
}

/// A closed port. A request that was left to its timer ends at its next segment; one that outlives the listener does
/// not.
template <class L, class Sink>
constexpr outcome on_closed(state<L>& l, const typename state<L>::segment_type& s, Sink& out) {
  outcome o{verdict::not_listening};
  if (policies<L>::closing::requests != closing_answer::outlive && l.requests.size() > 0) {
    const auto key = four_tuple_of(s);
    const std::uint64_t h = l.hash(key);
    const auto i = l.requests.find(key, low(h));
    if (i != l.npos) {
      l.forget_request(i, h, departure::closed);
      o.stages.add(stage::request_ended);
    }
  }
  o.stages.add(answer_reset(s, out));
  return copied(o);
}

/// An ICMP error about our segment that began at `seq`.
template <class L>
constexpr icmp_verdict on_icmp(state<L>& l, const typename state<L>::key_type& key, seq_number seq, icmp_error error) {
  using p = policies<L>;
  const std::uint64_t h = l.hash(key);
  const auto i = l.requests.find(key, low(h));
  if (i == l.npos) return icmp_verdict::no_request;
  auto& r = l.requests[i];
  if (r.iss != seq) return icmp_verdict::wrong_number;
  switch (p::icmp::on_icmp({.error = error,
                            .ipv6 = is_ipv6<typename p::family>(key.peer_address),
                            .noted = r.unreachable,
                            .retries = r.timeouts})) {
    case icmp_answer::end:
      l.forget_request(i, h, departure::reset);
      return icmp_verdict::ended;
    case icmp_answer::note:
      r.unreachable = true;
      return icmp_verdict::noted;
    case icmp_answer::ignore:
      break;
  }
  return icmp_verdict::ignored;
}

}  // namespace listenq::detail
