// SPDX-License-Identifier: BSL-1.0
// policy/tunables.hpp: sets, values, defaults, limits.
#include <doctest/doctest.h>

#include <cstring>
#include <listenq/policy/tunables.hpp>
#include <string>
#include <type_traits>
#include <vector>

using namespace listenq;

namespace {

constexpr tunable all[] = {tunable::somaxconn,         tunable::max_syn_backlog, tunable::syncookies,
                           tunable::abort_on_overflow, tunable::synack_retries,  tunable::defer_accept};

}  // namespace

TEST_CASE("a set has its members and no others, in any order") {
  constexpr tunable_set s{tunable::defer_accept, tunable::max_syn_backlog};
  CHECK(s == tunable_set{tunable::max_syn_backlog, tunable::defer_accept});
  CHECK(s.size() == 2);
  for (const tunable t : all) CHECK(s.has(t) == (t == tunable::defer_accept || t == tunable::max_syn_backlog));
  CHECK((s | tunable_set{tunable::somaxconn}).size() == 3);
  CHECK((s | s) == s);
  CHECK(tunable_set{}.size() == 0);
}

// Two members in one field.
TEST_CASE("every member of every set has a field of its own") {
  tunable_values<tunable_set{tunable::somaxconn, tunable::synack_retries, tunable::syncookies}, defaults<>> v;
  v.assign(tunable::synack_retries, 3);
  v.assign(tunable::somaxconn, 1);
  v.assign(tunable::syncookies, 2);
  CHECK(v[tunable::somaxconn] == 1);
  CHECK(v[tunable::syncookies] == 2);
  CHECK(v[tunable::synack_retries] == 3);
  CHECK(sizeof(v) == 3 * sizeof(std::uint32_t));
}

TEST_CASE("a tunable that nobody reads has no field and reads as its default") {
  tunable_values<tunable_set{}, defaults<tuned<tunable::somaxconn, 128>>> v;
  v.assign(tunable::somaxconn, 5);
  CHECK(v[tunable::somaxconn] == 128);
  CHECK(v[tunable::synack_retries] == 5);
  CHECK(std::is_empty_v<decltype(v)>);
}

// A field for one that nobody reads would be the field of the next.
TEST_CASE("values that are made anew start as their defaults say, and only members have one") {
  using d = defaults<tuned<tunable::syncookies, 2>, tuned<tunable::somaxconn, 128>>;
  const std::vector<tunable_values<tunable_set{tunable::syncookies, tunable::synack_retries}, d>> made(2);
  for (const auto& v : made) {
    CHECK(v[tunable::syncookies] == 2);
    CHECK(v[tunable::synack_retries] == 5);
    CHECK(v[tunable::somaxconn] == 128);
    CHECK(sizeof(v) == 2 * sizeof(std::uint32_t));
  }
}

// Linux 6.18's documentation (ip-sysctl.rst), with the max_syn_backlog of a small machine.
TEST_CASE("what is not tuned starts as on Linux 6.18") {
  using d = defaults<>;
  CHECK(d::of(tunable::somaxconn) == 4096);
  CHECK(d::of(tunable::max_syn_backlog) == 1024);
  CHECK(d::of(tunable::syncookies) == 1);
  CHECK(d::of(tunable::abort_on_overflow) == 0);
  CHECK(d::of(tunable::synack_retries) == 5);
  CHECK(d::of(tunable::defer_accept) == 0);
  using e = defaults<tuned<tunable::syncookies, 2>, tuned<tunable::somaxconn, 128>>;
  CHECK(e::of(tunable::syncookies) == 2);
  CHECK(e::of(tunable::somaxconn) == 128);
  CHECK(e::of(tunable::synack_retries) == 5);
}

TEST_CASE("limits are the kernel table's, and every default is within them") {
  CHECK(max_of(tunable::syncookies) == 2);
  CHECK(max_of(tunable::abort_on_overflow) == 1);
  CHECK(max_of(tunable::synack_retries) == 255);
  CHECK(max_of(tunable::defer_accept) == 32767);
  CHECK(max_of(tunable::somaxconn) == 0x7fffffff);
  CHECK(max_of(tunable::max_syn_backlog) == 0x7fffffff);
  for (const tunable t : all) CHECK(defaults<>::of(t) <= max_of(t));
}

TEST_CASE("each tunable has its own name") {
  CHECK(std::string{name_of(tunable::somaxconn)} == "somaxconn");
  CHECK(std::string{name_of(tunable::abort_on_overflow)} == "abort_on_overflow");
  CHECK(std::string{name_of(tunable::defer_accept)} == "defer_accept");
  for (const tunable t : all) {
    for (const tunable u : all) CHECK((std::strcmp(name_of(t), name_of(u)) == 0) == (t == u));
  }
}

// A field of another tunable read in its place.
TEST_CASE("a tunable that is not in the set reads as its default, whatever the set holds") {
  tunable_values<tunable_set{tunable::syncookies, tunable::synack_retries}, defaults<tuned<tunable::somaxconn, 128>>> v;
  v.assign(tunable::syncookies, 2);
  v.assign(tunable::synack_retries, 9);
  CHECK(v[tunable::somaxconn] == 128);
  CHECK(v[tunable::max_syn_backlog] == 1024);
  CHECK(v[tunable::abort_on_overflow] == 0);
  CHECK(v[tunable::defer_accept] == 0);
}
