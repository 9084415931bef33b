// What does listen(N) allow? The table of the README, asked of the presets themselves.
// Each column is a kernel with its default tunables; `3.12, large` is 3.12 with somaxconn and tcp_max_syn_backlog
// raised.
#include <cstdint>
#include <cstdio>
#include <listenq/explain.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <optional>

using namespace listenq;

namespace {
const char* or_never(std::optional<std::uint32_t> n, char (&text)[12]) {
  if (!n) return "never";
  std::snprintf(text, sizeof text, "%u", *n);
  return text;
}
}  // namespace

int main() {
  std::puts(
      "| `listen(N)` | 3.12: accept | requests | pruned from | 3.12, raised: accept | requests | 6.18: accept | "
      "requests "
      "| pruned from |");
  std::puts("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
  for (const int n : {0, 1, 7, 8, 16, 127, 128, 511, 512, 1024}) {
    const explanation old = explain<preset::linux_3_12>(n);
    const explanation raised =
        explain<preset::linux_3_12>(n, {{tunable::somaxconn, 65535}, {tunable::max_syn_backlog, 65535}});
    const explanation now = explain<preset::linux_6_18>(n);
    char a[12];
    char b[12];
    std::printf("| %d | %u | %u | %s | %u | %u | %u | %u | %s |\n", n, old.accept_slots, old.request_slots,
                or_never(old.pruning_from, a), raised.accept_slots, raised.request_slots, now.accept_slots,
                now.request_slots, or_never(now.pruning_from, b));
  }
}
