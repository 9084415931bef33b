// SPDX-License-Identifier: BSL-1.0
// Where an inbound segment goes: to its request, to the gates, to the cookies, or to a closed port.
#pragma once

#include <listenq/detail/on_ack.hpp>
#include <listenq/detail/on_request.hpp>
#include <listenq/detail/on_syn.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

template <class L, class Sink>
constexpr outcome dispatch(state<L>& l, const typename state<L>::segment_type& s, Sink& out, const arrival& facts) {
  const auto key = four_tuple_of(s);
  const std::uint64_t h = l.hash(key);
  const auto i = l.requests.find(key, low(h));
  if (s.flags.has(flag::syn) && !s.flags.any(flag::ack | flag::rst)) return on_syn(l, s, key, h, i, out, facts);
  if (i != l.npos) return on_request(l, s, h, i, out);
  if (s.flags.has(flag::ack)) return on_stray_ack(l, s, key, h, out);
  return {verdict::ignored};
}

/// A closed port. A request that was left to its timer ends at its next segment.
template <class L, class Sink>
constexpr outcome on_closed(state<L>& l, const typename state<L>::segment_type& s, Sink& out) {
  outcome o{verdict::not_listening};
  if (l.requests.size() > 0) {
    const auto key = four_tuple_of(s);
    const std::uint64_t h = l.hash(key);
    const auto i = l.requests.find(key, low(h));
    if (i != l.npos) l.forget_request(i, h, departure::closed);
  }
  answer_reset(s, out, o);
  return o;
}

}  // namespace listenq::detail
