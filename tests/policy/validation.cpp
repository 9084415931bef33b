// SPDX-License-Identifier: BSL-1.0
// policy/validation.hpp: what each era says to each kind of segment (kernels.md 4.1, golden/responses.json).
#include <doctest/doctest.h>

#include <listenq/policy/validation.hpp>
#include <string>

using namespace listenq;

namespace {

using v2632 = linux_validation<linux_era::v2_6_32>;
using v312 = linux_validation<linux_era::v3_12>;
using v44 = linux_validation<linux_era::v4_4>;
using v618 = linux_validation<linux_era::v6_18>;

struct row {
  const char* what;
  request_facts facts;
  request_answer old;  // 2.6.32 and 3.12
  request_answer now;  // 6.18
};

using a = request_answer;
constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin, PSH = flag::psh;

constexpr row rows[] = {
    {"SYN, the same ISN", {.flags = SYN, .at_isn = true}, a::resend, a::resend},
    {"SYN with FIN, the same ISN", {.flags = SYN | FIN, .at_isn = true}, a::resend, a::resend},
    {"SYN with PSH, the same ISN", {.flags = SYN | PSH, .at_isn = true}, a::resend, a::resend},
    {"SYN, the same ISN, data", {.flags = SYN, .at_isn = true, .in_window = true}, a::resend, a::resend},
    {"SYN, the same ISN, old timestamp", {.flags = SYN, .at_isn = true, .old_timestamp = true}, a::ack, a::ack},
    {"SYN, next number", {.flags = SYN, .exact = true, .in_window = true}, a::forget_and_reset, a::forget_and_reset},
    {"SYN, in window", {.flags = SYN, .in_window = true}, a::forget_and_reset, a::forget_and_reset},
    {"SYN, out of window", {.flags = SYN}, a::ack, a::ack},
    {"SYN-ACK, ISN, good ack", {.flags = SYN | ACK, .at_isn = true, .ack_right = true}, a::ack, a::ack},
    {"SYN-ACK, ISN, data, good ack",
     {.flags = SYN | ACK, .at_isn = true, .in_window = true, .ack_right = true},
     a::finish,
     a::finish},
    {"SYN-ACK in window, good ack",
     {.flags = SYN | ACK, .in_window = true, .ack_right = true},
     a::forget_and_reset,
     a::forget_and_reset},
    {"SYN-ACK in window, bad ack", {.flags = SYN | ACK, .in_window = true}, a::reset_and_keep, a::reset_and_keep},
    {"ACK", {.flags = ACK, .exact = true, .in_window = true, .ack_right = true}, a::finish, a::finish},
    {"ACK in window", {.flags = ACK, .in_window = true, .ack_right = true}, a::finish, a::finish},
    {"ACK with FIN", {.flags = ACK | FIN, .exact = true, .in_window = true, .ack_right = true}, a::finish, a::finish},
    {"ACK, bad number", {.flags = ACK, .exact = true, .in_window = true}, a::reset_and_keep, a::reset_and_keep},
    {"ACK, bad number, out of window", {.flags = ACK}, a::reset_and_keep, a::reset_and_keep},
    {"ACK, bad number, old timestamp", {.flags = ACK, .old_timestamp = true}, a::reset_and_keep, a::reset_and_keep},
    {"ACK, out of window", {.flags = ACK, .ack_right = true}, a::ack, a::ack},
    {"ACK, old timestamp",
     {.flags = ACK, .exact = true, .in_window = true, .ack_right = true, .old_timestamp = true},
     a::ack,
     a::ack},
    {"ACK, echo never sent",
     {.flags = ACK, .exact = true, .in_window = true, .ack_right = true, .bad_echo = true},
     a::finish,
     a::ack},
    {"FIN, no ACK", {.flags = FIN, .exact = true, .in_window = true}, a::ignore, a::ignore},
    {"data, no ACK", {.flags = PSH, .exact = true, .in_window = true}, a::ignore, a::ignore},
    {"no flags, out of window", {}, a::ack, a::ack},
    {"RST, exact", {.flags = RST, .exact = true, .in_window = true}, a::forget, a::forget},
    {"RST, in window", {.flags = RST, .in_window = true}, a::forget, a::challenge},
    {"RST, out of window", {.flags = RST}, a::ack, a::ack},
    {"RST, old timestamp", {.flags = RST, .exact = true, .in_window = true, .old_timestamp = true}, a::ack, a::ack},
    {"RST, echo never sent", {.flags = RST, .exact = true, .in_window = true, .bad_echo = true}, a::forget, a::ack},
    {"RST-ACK, exact, good ack",
     {.flags = RST | ACK, .exact = true, .in_window = true, .ack_right = true},
     a::forget,
     a::forget},
    {"RST-ACK, exact, bad ack", {.flags = RST | ACK, .exact = true, .in_window = true}, a::reset_and_keep, a::forget},
    {"RST-ACK, in window, good ack",
     {.flags = RST | ACK, .in_window = true, .ack_right = true},
     a::forget,
     a::challenge},
    {"SYN-RST, in window", {.flags = SYN | RST, .in_window = true}, a::forget, a::challenge},
};

}  // namespace

// Two steps of tcp_check_req in the wrong order: one of these rows turns over.
TEST_CASE("the judgement of each era") {
  for (const row& r : rows) {
    CAPTURE(std::string{r.what});
    CHECK(v2632::judge(r.facts) == r.old);
    CHECK(v312::judge(r.facts) == r.old);
    CHECK(v44::judge(r.facts) == r.old);
    CHECK(v618::judge(r.facts) == r.now);
  }
}

// 2.6.32 neither restarts nor limits; 4.4 and 6.18 limit, and only 6.18 reads timestamps late no more.
TEST_CASE("how the answers are given, by era") {
  CHECK(v2632::duplicate == duplicate_rules{});
  CHECK(v312::duplicate == duplicate_rules{.restarts = restart::timer});
  CHECK(v618::duplicate == duplicate_rules{.restarts = restart::timer});
  CHECK(v2632::rate_limit == 0);
  CHECK(v312::rate_limit == 0);
  CHECK(v44::duplicate.restarts == restart::timer);
  CHECK(v44::rate_limit == 500 * millisecond);
  CHECK(v44::at_listener(flag::syn | flag::fin) == listener_answer::ignore);
  CHECK(v44::late_timestamps);
  CHECK(v618::rate_limit == 500 * millisecond);
  CHECK_FALSE(v2632::checks_echo);
  CHECK_FALSE(v312::checks_echo);
  CHECK(v618::checks_echo);
  CHECK(v2632::late_timestamps);
  CHECK(v312::late_timestamps);
  CHECK_FALSE(v618::late_timestamps);
}
