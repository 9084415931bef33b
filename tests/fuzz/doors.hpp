// SPDX-License-Identifier: BSL-1.0
// Every preset of the catalogue behind one interface, so that a target is compiled once.
#pragma once

#include <listenq/testing/model/rules.hpp>
#include <listenq/testing/model/subject.hpp>
#include <memory>
#include <vector>

namespace fuzz {

struct door {
  listenq::testing::rules promised{};
  std::unique_ptr<listenq::testing::subject> (*make)() = nullptr;
};

/// In the order of the catalogue.
const std::vector<door>& doors();

}  // namespace fuzz
