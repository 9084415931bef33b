// SPDX-License-Identifier: BSL-1.0
// sink.hpp: the two sinks that come with it.
#include <doctest/doctest.h>

#include <listenq/sink.hpp>

using namespace listenq;

TEST_CASE("a callable that returns nothing has sent") {
  int calls = 0;
  callback_sink s{[&](const segment&) { ++calls; }};
  CHECK(s.send(segment{}) == send_result::sent);
  CHECK(calls == 1);
}

// An answer that is dropped: a full transmit queue would look like success.
TEST_CASE("a callable that answers is believed") {
  callback_sink failed{[](const segment&) { return send_result::failed; }};
  callback_sink later{[](const segment&) { return send_result::later; }};
  CHECK(failed.send(segment{}) == send_result::failed);
  CHECK(later.send(segment{}) == send_result::later);
}

TEST_CASE("the null sink takes everything, of every family") {
  CHECK(null_sink{}.send(segment{}) == send_result::sent);
  CHECK(null_sink{}.send(basic_segment<ipv6>{}) == send_result::sent);
}
