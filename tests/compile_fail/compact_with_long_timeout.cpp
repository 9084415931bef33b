// error: listenq::listener: compact requests wait six days at most; use another schedule.
// SPDX-License-Identifier: BSL-1.0
// A timer that would come round before its time.
#include <listenq/compact.hpp>
#include <listenq/mirror.hpp>

using namespace listenq;
struct patient {
  static constexpr const char* name = "patient";
  static constexpr tunable_set tunables{};
  static constexpr std::size_t classes = 2;
  static constexpr duration timeout(std::uint32_t n) noexcept { return n == 0 ? second : 7 * 86'400 * second; }
  static constexpr std::uint32_t retries(const auto&) noexcept { return 1; }
};
with<compact_listener, schedule<patient>, family<ipv6>> l;
