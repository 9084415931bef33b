// SPDX-License-Identifier: BSL-1.0
// The property: whatever the script, a listener does what the model of its rules does, and keeps the invariants. The
// driver is compiled once (driver/holds.cpp); here is what each composition needs.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <boost/hana/for_each.hpp>
#include <cstdint>
#include <listenq/mirror.hpp>
#include <listenq/testing/model/rules_of.hpp>
#include <listenq/testing/model/subject.hpp>
#include <memory>
#include <string>
#include <type_traits>

namespace property {

using namespace listenq;

/// How often each verdict has come so far, in all scripts of this program.
extern std::array<std::uint64_t, verdict_count> seen;
/// False where RC_PARAMS was set.
extern const bool standard_run;

/// `make` makes a listener, the same each time. So many scripts, the same in every run, so that a failure can only come
/// from a change; fifty times as many new ones with LISTENQ_LONG=1. RC_PARAMS, where it is set, has the last word: the
/// line that rapidcheck prints after a failure goes there.
bool holds(const testing::rules& promised, const std::function<std::unique_ptr<testing::subject>()>& make,
           int scripts = 300);

template <class L>
bool holds(const std::string& name, int scripts = 300) {
  return holds(
      testing::rules_of<L>(name), [] { return std::make_unique<testing::subject_of<L>>(); }, scripts);
}

}  // namespace property
