// SPDX-License-Identifier: BSL-1.0
// A SYN that may open its connection at once: ask `fast_open`, have the stack make the child, acknowledge the data.
// Whether it may is the policy's answer; this is what it is asked about and what is done with the answer.
#pragma once

#include <concepts>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// Where children are made at accept(), nobody could take the data of a SYN: it becomes a request like any other.
template <class P>
inline constexpr bool opens_at_syn = P::fast_open::possible && !std::derived_from<typename P::child, deferred_child>;

/// Is `fast_open` to be asked about this SYN?
template <class L>
constexpr bool may_open_at_syn(const state<L>& l, const typename state<L>::segment_type& s) noexcept {
  using fast_open = typename policies<L>::fast_open;
  if constexpr (requires { fast_open::concerned(bool{}, bool{}, l.tunables); }) {
    if (!fast_open::concerned(s.options.fast_open.present(), !s.payload.empty(), l.tunables)) return false;
  }
  return !s.flags.has(flag::fin);
}

/// `r` is what the SYN's request would be. True if the SYN ends here; if not, `offer` is for the SYN-ACK of its
/// request.
template <class L, class Sink>
constexpr bool open_at_syn(state<L>& l, typename state<L>::request_type& r, const typename state<L>::segment_type& s,
                           std::uint64_t h, Sink& out, outcome& o, fast_open_option& offer) {
  using p = policies<L>;
  const key_words<typename p::family> w{r.key};
  const fast_open_answer a = l.fast_open.get().on_syn({.words = w.word,
                                                       .word_count = w.count - 1,  // the addresses, not the ports
                                                       .option = s.options.fast_open,
                                                       .data = !s.payload.empty(),
                                                       .backlog = l.backlog,
                                                       .now = l.now},
                                                      l.tunables);
  o.stages.add(a.met);
  offer = a.offer;
  if (!a.opens) return false;
  auto shake = finished<typename p::offer>(r, l.ts_offset(h), false);
  shake.fast_open = true;
  const bool full = l.accept_full();
  if (!full && l.queue_child(shake, s, out)) {
    l.fast_open.get().opened();
    o.verdict = verdict::fast_opened;
    auto reply = l.next_syn_ack(r, h);
    reply.ack = passed_on<typename p::child>(s).end();  // what was not handed to the child must come again
    reply.options.fast_open = a.renewal;
    answer(reply, out, o);
    return true;
  }
  o.stages.add(full ? stage::accept_full : stage::child_refused);
  o.stages.add(stage::fast_open_failed);
  if (p::fast_open::falls_back) return false;
  o.verdict = full ? verdict::dropped_accept_full : verdict::dropped_refused;
  return true;
}

}  // namespace listenq::detail
