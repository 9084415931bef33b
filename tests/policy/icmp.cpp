// SPDX-License-Identifier: BSL-1.0
// policy/icmp.hpp: which error ends a request. What it does to a listener, tests/listener.cpp says.
#include <doctest/doctest.h>

#include <concepts>
#include <listenq/policy/icmp.hpp>

using namespace listenq;

namespace {

using modern = linux_icmp<linux_era::v6_18>;
using old = linux_icmp<linux_era::v3_12>;

}  // namespace

// IPv6's table read for IPv4: a flapping route would kill no request and a closed port all of them.
TEST_CASE("Linux 6.18: over IPv4 errors that may pass end a request, over IPv6 those that will not") {
  struct row {
    icmp_error error;
    bool ends_v4, ends_v6;
  };
  constexpr row rows[] = {{icmp_error::network_unreachable, true, false},  {icmp_error::host_unreachable, true, false},
                          {icmp_error::protocol_unreachable, false, true}, {icmp_error::port_unreachable, false, true},
                          {icmp_error::prohibited, false, true},           {icmp_error::time_exceeded, true, false},
                          {icmp_error::parameter_problem, true, true},     {icmp_error::other, false, false}};
  for (const row& r : rows) {
    CAPTURE(static_cast<int>(r.error));
    CHECK((modern::on_icmp({.error = r.error}) == icmp_answer::end) == r.ends_v4);
    CHECK((modern::on_icmp({.error = r.error, .ipv6 = true}) == icmp_answer::end) == r.ends_v6);
    CHECK((old::on_icmp({.error = r.error}) == icmp_answer::end) == (r.error != icmp_error::other));
    CHECK((old::on_icmp({.error = r.error, .ipv6 = true}) == icmp_answer::end) == (r.error != icmp_error::other));
  }
}

TEST_CASE("Linux notes nothing: the second error is judged like the first") {
  CHECK(modern::on_icmp({.error = icmp_error::port_unreachable, .noted = true, .retries = 9}) == icmp_answer::ignore);
  CHECK(modern::on_icmp({.error = icmp_error::host_unreachable}) == icmp_answer::end);
}

TEST_CASE("second_error_after<3>: noted before and three timeouts, both") {
  using bsd = second_error_after<3>;
  CHECK(bsd::on_icmp({}) == icmp_answer::note);
  CHECK(bsd::on_icmp({.retries = 3}) == icmp_answer::note);
  CHECK(bsd::on_icmp({.noted = true, .retries = 2}) == icmp_answer::note);
  CHECK(bsd::on_icmp({.noted = true, .retries = 3}) == icmp_answer::end);
  CHECK(bsd::on_icmp({.error = icmp_error::other, .noted = true, .retries = 3}) == icmp_answer::ignore);
}

TEST_CASE("icmp_ignored ignores") {
  CHECK(icmp_ignored::on_icmp({.noted = true, .retries = 255}) == icmp_answer::ignore);
}

TEST_CASE("the default is Linux 6.18's") { CHECK(std::same_as<default_icmp, modern>); }

TEST_CASE("4.4 is the first Linux that tells errors that may pass from those that do not") {
  const icmp_facts protocol{.error = icmp_error::protocol_unreachable};
  CHECK(linux_icmp<linux_era::v3_12>::on_icmp(protocol) == icmp_answer::end);
  CHECK(linux_icmp<linux_era::v4_4>::on_icmp(protocol) == icmp_answer::ignore);
  CHECK(linux_icmp<linux_era::v6_18>::on_icmp(protocol) == icmp_answer::ignore);
}
