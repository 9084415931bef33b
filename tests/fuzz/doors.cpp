// SPDX-License-Identifier: BSL-1.0
#include "doors.hpp"

#include <listenq/preset/catalogue.hpp>
#include <listenq/testing/model/rules_of.hpp>

const std::vector<fuzz::door>& fuzz::doors() {
  using namespace listenq;
  static const std::vector<door> all = [] {
    std::vector<door> found;
    preset::for_each([&found]<class L>(const preset::about& a) {
      found.push_back({testing::rules_of<L>(a.name), []() -> std::unique_ptr<testing::subject> {
                         return std::make_unique<testing::subject_of<L>>();
                       }});
    });
    return found;
  }();
  return all;
}
