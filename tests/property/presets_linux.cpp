// SPDX-License-Identifier: BSL-1.0
// The Linux presets obey the rules of their kernels.
#include <listenq/preset/linux_2_4.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_4_4.hpp>
#include <listenq/preset/linux_5_15.hpp>
#include <listenq/preset/linux_6_18.hpp>

#include "holds.hpp"

using namespace property;

TEST_CASE("linux_6_18") { CHECK(holds<preset::linux_6_18>("linux_6_18", 1000)); }
TEST_CASE("linux_3_12") { CHECK(holds<preset::linux_3_12>("linux_3_12", 1000)); }
TEST_CASE("linux_2_6_32") { CHECK(holds<preset::linux_2_6_32>("linux_2_6_32", 1000)); }
TEST_CASE("linux_5_15") { CHECK(holds<preset::linux_5_15>("linux_5_15")); }
TEST_CASE("linux_4_4") { CHECK(holds<preset::linux_4_4>("linux_4_4")); }
TEST_CASE("linux_2_4") { CHECK(holds<preset::linux_2_4>("linux_2_4")); }

TEST_CASE("with a key, and as a memory of one's own") {
  using keyed = preset::linux_6_18;
  const siphash<> key{{0x0123456789abcdefU, 0xfedcba9876543210U}};
  CHECK(holds(testing::rules_of<keyed>("linux_6_18 with a key"),
              [&] { return std::make_unique<testing::subject_of<keyed>>(key); }));
  using lent = with<keyed, storage<caller_memory>, request_full<evict_oldest>, cookies<no_cookies>>;
  std::array<std::byte, 4096> block{};
  CHECK(holds(testing::rules_of<lent>("linux_6_18 in 4096 bytes of the caller's"), [&] {
    return std::make_unique<testing::subject_of<lent>>(caller_memory{block.data(), block.size()});
  }));
}

// The scripts are worth something only if they get everywhere. Last in this file: it counts what the others have seen.
TEST_CASE("scripts reach every verdict that Linux knows") {
  if (!standard_run) return;
  using enum verdict;
  for (const verdict v : {admitted,
                          cookie_sent,
                          dropped_request_full,
                          dropped_accept_full,
                          dropped_last_quarter,
                          dropped_no_memory,
                          dropped_refused,
                          duplicate_syn,
                          dropped_send_failed,
                          wrong_ack,
                          cookie_in_vain,
                          out_of_window,
                          challenged,
                          request_reset,
                          request_reset_by_syn,
                          no_ack,
                          deferred,
                          promoted,
                          overflow_kept,
                          overflow_reset,
                          cookie_promoted,
                          cookie_overflow,
                          stray,
                          ignored,
                          not_listening}) {
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[static_cast<std::size_t>(v)] > 0);
  }
}
