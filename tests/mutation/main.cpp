// SPDX-License-Identifier: BSL-1.0
// The `main` of the unit tests when they are built against a copy of the library with faults in it.
//   LISTENQ_FAULT=N            fault N is on
//   LISTENQ_FAULT_TESTS=FILE   only the test cases whose names are the lines of FILE; the first failure ends the run
//   LISTENQ_FAULT_REACHED=FILE writes a line for each test case: its name, its milliseconds, the faults that it reaches
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <listenq_fault.hpp>
#include <set>
#include <string>

namespace {

const char* record_to = std::getenv("LISTENQ_FAULT_REACHED");
std::FILE* record = nullptr;

struct listener : doctest::IReporter {
  const doctest::TestCaseData* running = nullptr;
  std::chrono::steady_clock::time_point begun{};

  explicit listener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& t) override {
    running = &t;
    std::memset(listenq_fault::reached, 0, sizeof listenq_fault::reached);
    begun = std::chrono::steady_clock::now();
    if (record == nullptr) {
      std::fprintf(stderr, "@%s\n", t.m_name);
      std::fflush(stderr);
    }
  }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (record == nullptr) return;
    const auto took = std::chrono::steady_clock::now() - begun;
    std::fprintf(record, "%s\t%lld\t%d\t", running->m_name,
                 static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
                 stats.failure_flags);
    for (int n = 0; n < listenq_fault::most; ++n) {
      if (listenq_fault::reached[n] != 0) std::fprintf(record, "%d ", n);
    }
    std::fprintf(record, "\n");
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("faults", 1, listener);

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  if (record_to != nullptr) record = std::fopen(record_to, "w");
  if (const char* const file = std::getenv("LISTENQ_FAULT_TESTS")) {
    std::set<std::string> wanted;
    std::ifstream in(file);
    for (std::string name; std::getline(in, name);) wanted.insert(name);
    // doctest's own filters compare every name with every pattern, which takes longer than the tests.
    auto& tests = doctest::detail::getRegisteredTests();
    for (auto test = tests.begin(); test != tests.end();) {
      test = wanted.contains(test->m_name) ? std::next(test) : tests.erase(test);
    }
    context.setOption("abort-after", 1);
  }
  const int status = context.run();
  if (record != nullptr) std::fclose(record);
  return status;
}
