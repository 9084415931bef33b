// SPDX-License-Identifier: BSL-1.0
// Handing over: a request or a waiting connection moves from one listener to another, with everything it has: its ISNs,
// its timer, its age. Both listeners hash alike (a group sees to it), or the peer would see another timestamp clock.
#pragma once

#include <cstdint>
#include <listenq/detail/ageing.hpp>
#include <listenq/detail/state.hpp>

namespace listenq::detail {

/// A group's way to its members' state.
struct inside {
  template <class L>
  static constexpr auto& of(L& l) noexcept {
    return l.state_;
  }
  /// Cells beyond the limit.
  template <class L>
  static constexpr std::uint32_t spare = L::spare;
};

/// False, and nothing has changed, if there is no such request, no room for it, or one like it already.
template <class L>
constexpr bool move_request(state<L>& from, state<L>& to, const typename state<L>::key_type& key) noexcept {
  const std::uint64_t h = from.hash(key);
  const auto i = from.requests.find(key, low(h));
  if (i == from.npos || to.requests.find(key, low(h)) != to.npos) return false;
  const typename state<L>::request_type r = from.requests.whole(i);
  const bool was_empty = to.requests.size() == 0;
  from.forget_request(i, h, departure::closed);  // first, because where the queue is shared it needs the same cell
  const bool moved = to.requests.insert(r, low(h)) != to.npos;
  if (!moved) from.requests.insert(r, low(h));
  (moved ? to : from).budget.get().entered(key);
  if constexpr (policies<L>::clockwork::sweeps) {
    if (moved && was_empty) to.hand.start(r.deadline);
  }
  return moved;
}

/// The oldest waiting connection goes to `to`, without a look at its limit (inet_csk_reqsk_queue_add has none). False,
/// and nothing has changed, if there is no room.
template <class L>
constexpr bool move_waiting(state<L>& from, state<L>& to) noexcept {
  const auto& e = from.accepted[0];
  if (!to.accepted.push(e.handle)) return false;
  if (e.aborted) to.accepted.abort(e.handle);
  from.accepted.pop();
  return true;
}

/// The oldest waiting connection becomes the newest. Whether it was aborted is lost: who is left when all siblings have
/// been asked is reset.
template <class L>
constexpr void rotate_waiting(state<L>& l) noexcept {
  l.accepted.push(l.accepted.pop().handle);
}

/// Room for so many requests and waiting connections, beyond what listen() has asked for.
template <class L>
constexpr bool make_room_for(state<L>& l, std::uint32_t requests, std::uint32_t waiting) noexcept {
  decltype(auto) source = l.storage.get();
  if (!l.accepted.reserve(waiting, source)) return false;
  const bool grows = requests > l.requests.capacity();
  if (!l.requests.reserve(requests, source)) return false;
  if (grows) l.requests.rehash([&l](const typename state<L>::key_type& k) { return low(l.hash(k)); });
  return true;
}

/// The oldest waiting connection's four-tuple; `out.key_of(handle)` says it where the handle is the stack's own.
template <class L, class Sink>
constexpr typename state<L>::key_type key_of_waiting(const state<L>& l, Sink& out) {
  using handle_type = typename state<L>::handle_type;
  const handle_type& handle = l.accepted[0].handle;
  if constexpr (std::same_as<handle_type, typename state<L>::key_type>) {
    return handle;
  } else if constexpr (std::same_as<handle_type, typename state<L>::handshake_type>) {
    return handle.key;
  } else {
    static_assert(
        requires { out.key_of(handle); },
        "listenq::group: child<handles<H>> needs sink.key_of(handle): a sibling is chosen by the four-tuple.");
    if constexpr (requires { out.key_of(handle); }) {
      return out.key_of(handle);
    } else {
      return {};
    }
  }
}

}  // namespace listenq::detail
