// SPDX-License-Identifier: BSL-1.0
// composition.hpp, option.hpp: one type for the same answers, whatever the spelling; values find their slot.
#include <doctest/doctest.h>

#include <concepts>
#include <listenq/listener.hpp>

#include "support/script.hpp"

using namespace listenq;

TEST_CASE("the same answers are the same type in any order") {
  using a = listener<request_full<reset>, schedule<from_3s>, family<ipv6>>;
  using b = listener<family<ipv6>, request_full<reset>, schedule<from_3s>>;
  using c = listener<schedule<from_3s>, family<ipv6>, request_full<reset>>;
  CHECK(std::same_as<a, b>);
  CHECK(std::same_as<a, c>);
  CHECK_FALSE(std::same_as<a, listener<>>);
}

TEST_CASE("a default that is spelled out is the same as one that is not") {
  CHECK(std::same_as<listener<>, listener<request_full<>, clamp<to_somaxconn>, waiting<backlog_plus_one>>>);
  CHECK(std::same_as<listener<>, listener<clamp<>, sizing<>, waiting<>, schedule<>, pressure<>, clockwork<>,
                                          admission<>, request_full<>, accept_full_at_syn<>, accept_full_at_ack<>,
                                          cookies<>, validation<>, deferral<>, fast_open<>, hashing<>, isn<>, family<>,
                                          storage<>, counters<>, observer<>, closing<>, send_failure<>, aborted_child<>,
                                          icmp<>, offer<>, budget<>, child<>, requests<>, tunables<>>>);
}

// A slot wired to the wrong parameter: two keywords of the same concept exchanged.
TEST_CASE("each keyword answers its own slot and no other") {
  using l = listener<request_full<reset>, accept_full_at_syn<admit>, accept_full_at_ack<forget>>;
  CHECK(std::same_as<policy_of<l, slot::request_full>, reset>);
  CHECK(std::same_as<policy_of<l, slot::accept_full_at_syn>, admit>);
  CHECK(std::same_as<policy_of<l, slot::accept_full_at_ack>, forget>);
  CHECK(std::same_as<policy_of<l, slot::schedule>, default_schedule>);
  using m = listener<closing<abort_requests>, send_failure<harmless>, aborted_child<reported>>;
  CHECK(std::same_as<policy_of<m, slot::closing>, abort_requests>);
  CHECK(std::same_as<policy_of<m, slot::send_failure>, harmless>);
  CHECK(std::same_as<policy_of<m, slot::aborted_child>, reported>);
}

namespace {

// Two slots with the same stateful type: a budget that is also an observer.
struct two_roles {
  static constexpr const char* name = "two_roles";
  int value = 0;
  template <addressing A>
  bool allows(const basic_four_tuple<A>&) {
    return true;
  }
  template <addressing A>
  void entered(const basic_four_tuple<A>&) {
    value += 100;
  }
  template <addressing A>
  void left(const basic_four_tuple<A>&, departure) {}
  void on_listen(instant, std::uint32_t) { ++value; }
};

}  // namespace

// [[no_unique_address]] on two members of one type, or one member for two slots: they would share their state.
TEST_CASE("two slots with the same stateful policy hold a value each") {
  using l = listener<budget<two_roles>, observer<two_roles>,
                     admission<in_order<gates::known_request, gates::budget, gates::request_queue>>>;
  l x{two_roles{5}};
  x.listen(3);
  test::recorder<> out;
  segment s;
  s.flags = flag::syn;
  x.receive(s, 0, out);
  CHECK(x.observer().value == 6);  // the value passed, and one listen; the budget counted elsewhere
}

// Values matched by position: a key in the place of a log.
TEST_CASE("policies with state are passed by value, in any order") {
  using l = listener<hashing<siphash<2, 4>>, observer<event_log<>>, isn<rfc6528>>;
  const siphash<2, 4> key{{7, 8}};
  basic_event<ipv4> memory[2];
  const event_log<> log{memory, 2};
  const auto iss = [&](const l& x) {
    test::script<l> s{4, x};
    s.syn(0);
    return s.request(0).iss;
  };
  CHECK(iss(l{key, log}) == iss(l{log, key}));
  CHECK(iss(l{key, log}) != iss(l{log}));
}
