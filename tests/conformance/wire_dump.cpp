// SPDX-License-Identifier: BSL-1.0
// Reads frames from standard input, each behind its size as two bytes (big endian), and prints a line for each: what
// wire/ makes of it. tshark.py compares the lines with what Wireshark's dissector says.
#include <cstdio>
#include <listenq/transport/text.hpp>
#include <listenq/wire/tcp.hpp>
#include <vector>

using namespace listenq;

namespace {

std::string address(const dual::address& a) {
  return dual::is_mapped(a) ? to_text(ipv4::address{a.value[3]}) : to_text(a);
}

void print(const wire::parsed<dual>& p) {
  const auto& s = p.segment;
  const tcp_options& o = s.options;
  std::printf("%s %s %s %u %u %u %u %u %u %zu", wire::name(p.error), address(s.source.address).c_str(),
              address(s.destination.address).c_str(), unsigned{s.source.port}, unsigned{s.destination.port}, s.seq,
              s.ack, unsigned{s.flags.bits}, unsigned{s.window}, s.payload.size);
  std::printf(" %d %d %d", int{o.mss}, o.has_window_scale() ? int{o.window_scale} : -1, int{o.sack_permitted});
  if (o.timestamps) std::printf(" %u/%u", o.ts_value, o.ts_echo);
  std::printf(" fault %d\n", static_cast<int>(p.fault));
}

}  // namespace

int main() {
  std::vector<std::byte> frame(65535);
  unsigned char size[2];
  while (std::fread(size, 1, 2, stdin) == 2) {
    const std::size_t n = std::size_t{size[0]} << 8 | size[1];
    if (std::fread(frame.data(), 1, n, stdin) != n) return 1;
    const auto p = wire::read_packet<dual>({frame.data(), n});
    if (p) {
      print(p);
    } else {
      std::printf("%s\n", wire::name(p.error));
    }
  }
  return 0;
}
