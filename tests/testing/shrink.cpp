// SPDX-License-Identifier: BSL-1.0
// testing/shrink.hpp and what finds counter-examples with it: what comes out fails, and nothing can be left out of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/testing/model/find.hpp>
#include <listenq/testing/shrink.hpp>
#include <numeric>
#include <vector>

using namespace listenq;
using namespace listenq::testing;

namespace {

/// Resets where it promises to wait; only once it has kept one waiting.
struct resets_the_second {
  static constexpr ack_answer on_overflow(const overflow_facts& f, const tunable_source auto&) noexcept {
    return f.lengths.requests > 1 ? ack_answer::reset : ack_answer::keep;
  }
};
using server = listener<accept_full_at_ack<resets_the_second>, accept_full_at_syn<admit>>;

}  // namespace

template <>
struct listenq::testing::promise_at<slot::accept_full_at_ack, resets_the_second>
    : promise_at<slot::accept_full_at_ack, keep> {};

TEST_CASE("the shortest failing list has just what it takes, in its order") {
  std::vector<int> all(100);
  std::iota(all.begin(), all.end(), 0);
  int asked = 0;
  const auto needs = [&asked](const std::vector<int>& l) {
    ++asked;
    const auto has = [&l](int n) { return std::find(l.begin(), l.end(), n) != l.end(); };
    return has(3) && has(57) && has(58) && has(99);
  };
  CHECK(shortest_failing(all, needs) == std::vector{3, 57, 58, 99});
  CHECK(asked < 200);
  CHECK(shortest_failing(all, [](const std::vector<int>& l) { return l.size() >= 7; }).size() == 7);
  CHECK(shortest_failing(all, [](const std::vector<int>&) { return true; }).empty());
}

// It would catch a pass that stops after the last halves although what went later makes something earlier needless.
TEST_CASE("what becomes needless late goes, too") {
  const std::vector<int> all{1, 2, 3, 4, 5, 6, 7, 8};
  const auto fails = [](const std::vector<int>& l) {
    const auto has = [&l](int n) { return std::find(l.begin(), l.end(), n) != l.end(); };
    return has(8) && (!has(7) || has(1));  // 1 can go once 7 has gone
  };
  CHECK(shortest_failing(all, fails) == std::vector{8});
}

TEST_CASE("numbers get smaller while it fails") {
  CHECK(smallest_failing(900U, [](unsigned n) { return n >= 100; }) == 112);
  CHECK(smallest_failing(900U, [](unsigned) { return true; }) == 0);
  CHECK(smallest_failing(900U, [](unsigned n) { return n == 900; }) == 900);
}

TEST_CASE("a script and its single steps do the same") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const script s = random_script(seed);
    const auto last = [](const script& which) {
      trial t{std::make_unique<subject_of<listener<>>>(), rules_of<listener<>>()};
      t.start(which.backlog);
      for (const command& c : which.commands) t.play(c);
      REQUIRE(!t.wrong());
      return std::tuple{t.listener().counters(), t.listener().waiting(), t.listener().requests().size()};
    };
    CHECK(last(s) == last(unfolded(s)));
  }
}

TEST_CASE("a counter-example cannot be made shorter, and shows what there is and what there should be") {
  const auto found = find_counterexample<server>(rules_of<server>("mine"));
  REQUIRE(found);
  CHECK(found->script.backlog == 1);  // at 0 there is room for one request only
  CHECK(found->failure.wrong.what == "the verdict");
  CHECK(found->failure.wrong.expected == "overflow_kept");
  CHECK(found->failure.wrong.came == "overflow_reset");
  for (std::size_t i = 0; i < found->script.commands.size(); ++i) {
    script shorter = found->script;
    shorter.commands.erase(shorter.commands.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(!run_against_model<server>(shorter));
  }
  CHECK(socket_table(found->failure).find("missing") != std::string::npos);
  CHECK(mermaid(found->failure).rfind("sequenceDiagram\n", 0) == 0);
}

TEST_CASE("whoever keeps his promise has no counter-example") {
  CHECK(!find_counterexample<listener<>>(rules_of<listener<>>(), 100));
}
