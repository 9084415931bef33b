// SPDX-License-Identifier: BSL-1.0
// detail/handover.hpp: a hand-over that finds no room changes nothing. What a group makes of it is in group.cpp.
#include <doctest/doctest.h>

#include <listenq/detail/handover.hpp>
#include <listenq/listener.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "detail/support.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

// Two requests and one connection, or three, and not one more.
template <std::size_t Waiting>
using small = with<preset::linux_6_18, cookies<no_cookies>, hashing<test::by_number>, sizing<pipeline<exactly<2>>>,
                   storage<fixed<2, Waiting>>>;

template <class S>
auto& state_of(S& s) {
  return detail::inside::of(s.listener);
}

}  // namespace

// Lost with the attempt, it would be a handshake that nobody finishes and no budget is rid of.
TEST_CASE("a request that finds no room stays with its listener, with its numbers and its timer") {
  script<small<1>> from{0}, to{0};
  from.syn(0);
  from.now = at(0.5);
  from.syn(1);
  to.syn(2), to.syn(3);
  const auto before = from.request(0);
  CHECK(!detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(to.listener.request_count() == 2);
  REQUIRE(from.waits(0));
  CHECK(from.request(0).iss == before.iss);
  CHECK(from.request(0).deadline == before.deadline);
  CHECK(from.listener.request_count() == 2);
  CHECK(from.listener.young_count() == 2);
  CHECK(from.listener.next_deadline() == before.deadline);
  to.rst(2);
  CHECK(detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(!from.waits(0));
  CHECK(to.request(0).deadline == before.deadline);
}

// The budget is told that it has left before it is known whether it arrives.
TEST_CASE("a request that finds no room is in its listener's budget as before, one that moves in the other's") {
  using charged = with<small<1>, budget<per_prefix<24, 64, exactly<3>>>,
                       admission<in_order<gates::known_request, gates::budget, gates::request_queue>>>;
  script<charged> from{0}, to{0};
  from.syn(0);
  to.syn(2), to.syn(3);
  CHECK(!detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(from.listener.budget_balanced());
  CHECK(to.listener.budget_balanced());
  to.rst(2);
  CHECK(detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(from.listener.budget_balanced());
  CHECK(to.listener.budget_balanced());
}

// A hand that is put back would sweep what others have waited for; one that is not set, nothing.
TEST_CASE(
    "under a hand: the request that comes first sets when the hand moves, no other, and none that does not come") {
  using swept = with<small<1>, clockwork<sweep<>>>;
  script<swept> from{0}, to{0};
  from.now = at(0.5);
  from.syn(0);
  to.syn(1);
  const auto due = to.listener.next_deadline();
  REQUIRE(due != from.listener.next_deadline());
  REQUIRE(detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(to.listener.next_deadline() == due);
  script<swept> empty{0};
  const instant deadline = to.request(0).deadline;
  REQUIRE(detail::move_request(state_of(to), state_of(empty), tuple(0)));
  CHECK(empty.listener.next_deadline() == deadline);
  swept shut;  // never listened: no room at all
  const instant hand = detail::inside::of(shut).hand.due;
  CHECK(!detail::move_request(state_of(to), detail::inside::of(shut), tuple(1)));
  CHECK(detail::inside::of(shut).hand.due == hand);
  CHECK(to.waits(1));
}

TEST_CASE("a connection that finds no room stays where it waits, and the others get their turn") {
  script<small<1>> full{0};
  script<small<1>> from{0};
  full.connect(0, 0);
  from.connect(1, 1);
  CHECK(!detail::move_waiting(state_of(from), state_of(full)));
  CHECK(from.listener.accept_count() == 1);
  CHECK(full.listener.accept_count() == 1);
  CHECK(full.listener.accept().handle == tuple(0));
  CHECK(detail::move_waiting(state_of(from), state_of(full)));
  CHECK(full.listener.accept().handle == tuple(1));
  CHECK(from.listener.accept_count() == 0);
  script<small<3>> three{2};
  three.connect(0, 2);
  detail::rotate_waiting(state_of(three));
  for (const int peer : {1, 2, 0}) CHECK(three.listener.accept().handle == tuple(peer));
}

// A move that does not look first: nobody's cell would be read, or a peer would have two requests at one listener.
TEST_CASE("a request that is not there, or that is at the other one already, does not move") {
  script<small<1>> from{0}, to{0};
  CHECK(!detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(to.listener.request_count() == 0);
  from.syn(0), to.syn(0);
  CHECK(!detail::move_request(state_of(from), state_of(to), tuple(0)));
  CHECK(from.waits(0));
  CHECK(to.waits(0));
}

// Room of one kind taken for both: migration would be switched on and lose what does not fit.
TEST_CASE("there is room for so many only if there is room for requests and for connections") {
  script<small<1>> t{0};
  CHECK(detail::make_room_for(state_of(t), 2, 1));
  CHECK(!detail::make_room_for(state_of(t), 3, 1));
  CHECK(!detail::make_room_for(state_of(t), 2, 2));
}
