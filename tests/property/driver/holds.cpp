// SPDX-License-Identifier: BSL-1.0
// The driver: rapidcheck makes scripts; the library plays them, and shortens what fails.
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <listenq/testing/model/find.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "../holds.hpp"

namespace listenq::testing {
static void showValue(const script& s, std::ostream& out) { out << to_text(s); }
}  // namespace listenq::testing

namespace rc {
template <>
struct Arbitrary<listenq::testing::script> {
  static Gen<listenq::testing::script> arbitrary() {
    using namespace listenq::testing;
    const auto any_command = gen::apply(
        [](std::uint32_t what, std::uint32_t client, std::uint32_t value) {
          return command{op_of(what), client, value};
        },
        gen::inRange(0U, command_weights_sum), gen::inRange(0U, 8U), gen::inRange(0U, 1000U));
    return gen::apply(
        [](int backlog, std::vector<command> c) {
          return script{backlog, std::move(c)};
        },
        gen::weightedOneOf<int>({{9, gen::inRange(0, 7)}, {1, gen::inRange(-2, 40)}}),
        gen::scale(1.5, gen::container<std::vector<command>>(any_command)));
  }
};
}  // namespace rc

namespace property {

std::array<std::uint64_t, verdict_count> seen{};

namespace {
bool long_run() {
  const char* const more = std::getenv("LISTENQ_LONG");
  return more != nullptr && std::string{more} == "1";
}
}  // namespace

const bool standard_run = [] {
  const bool standard = std::getenv("RC_PARAMS") == nullptr;
  setenv("RC_PARAMS", long_run() ? "max_success=50000" : "max_success=1000 seed=20271", 0);
  return standard;
}();

bool holds(const testing::rules& promised, const std::function<std::unique_ptr<testing::subject>()>& make,
           int scripts) {
  std::cerr << "\n- " << promised.name << '\n';
  rc::detail::TestMetadata name;
  name.id = name.description = promised.name;
  rc::detail::TestParams how = rc::detail::configuration().testParams;
  if (standard_run) how.maxSuccess = long_run() ? 50 * scripts : scripts;
  how.disableShrinking = true;  // the library's own makes shorter ones
  const auto fails = [&](const testing::script& s) { return testing::run_against_model(s, promised, make); };
  const auto count = [](verdict v) { ++seen[static_cast<std::size_t>(v)]; };
  const auto result = rc::detail::checkTestable(
      [&](const testing::script& s) {
        if (!testing::run_against_model(s, promised, make, count)) return;
        const testing::script shortest =
            testing::shrunk(s, [&](const testing::script& other) { return fails(other).has_value(); });
        const testing::counterexample found{shortest, *fails(shortest)};
        RC_FAIL(found.text());
      },
      name, how);
  rc::detail::printResultMessage(result, std::cerr);
  std::cerr << '\n';
  return result.template is<rc::detail::SuccessResult>();
}

}  // namespace property
