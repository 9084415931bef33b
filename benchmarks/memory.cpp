// SPDX-License-Identifier: BSL-1.0
// Bytes of a half-open connection, everything included, and allocations after listen(). tests/benchmarks/memory.cpp
// asserts what is shown here.
#include <listenq/compact.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <string>

#include "contenders/from_containers.hpp"
#include "support/contents.hpp"
#include "support/tables.hpp"

using namespace bench;

namespace {

struct tables_of_memory {
  table bytes{.title = "Bytes of a half-open connection, all in",
              .digits = 1,
              .plot = "lines",
              .note =
                  "N half-open connections in a listener with room for N: sizeof and what is on the heap, as malloc "
                  "rounds it, divided by N; without the room of the accept queue (16 bytes a connection with IPv4, 40 "
                  "with IPv6). The containers' deque is empty."};
  table allocations{.title = "Allocations after listen(), in N handshakes",
                    .note = "SYN, SYN-ACK, ACK, accept; N half-open at once."};
  report& out;

  explicit tables_of_memory(report& r) : out(r) {
    for (const std::uint32_t n : sizes()) {
      bytes.columns.push_back(std::to_string(n));
      allocations.columns.push_back(std::to_string(n));
    }
  }
  std::vector<std::uint32_t> sizes() const {
    std::vector<std::uint32_t> s;
    const unsigned last = out.by_effort(12U, 16U, 20U);
    for (unsigned bits = 12; bits <= last; bits += 2) s.push_back(1U << bits);
    return s;
  }
  template <class Door, class A = ipv4>
  void row(const char* name) {
    table::row b{.name = name}, a{.name = name};
    for (const std::uint32_t n : sizes()) {
      const contents c = fill<Door, A>(n);
      if (!c.full) out.wrong.push_back(std::string{name} + ": a handshake did not finish");
      if (composed<Door> && c.allocations != 0) out.wrong.push_back(std::string{name} + " allocates after listen()");
      b.cells.emplace_back(static_cast<double>(c.bytes - c.waiting_room) / n);
      a.cells.emplace_back(static_cast<double>(c.allocations));
    }
    bytes.rows.push_back(b);
    allocations.rows.push_back(a);
  }
};

}  // namespace

int main(int argc, char** argv) {
  report out{argc, argv};
  tables_of_memory t{out};
  t.row<preset::linux_6_18>("linux_6_18");
  t.row<listener<clockwork<sweep<>>>>("a hand that sweeps, no timers");
  t.row<listener<request_full<evict_oldest>>>("evict_oldest");
  t.row<listener<family<ipv6>>, ipv6>("ipv6");
  t.row<listener<family<ipv6>, clockwork<sweep<>>>, ipv6>("ipv6, a hand");
  t.row<listener<family<dual>>, dual>("dual");
  t.row<compact_listener>("compact_listener");
  t.row<with<compact_listener, family<ipv6>>, ipv6>("compact_listener, ipv6");
  t.row<naive>("naive");
  t.row<careful>("careful");
  table others{
      .title = "Others, per half-open connection, bytes: read or computed, not measured by this program",
      .columns = {"bytes"},
      .note =
          "Linux 6.18: tcp_request_sock by pahole, its slab object is 320; FreeBSD: struct syncache computed "
          "from its header, without bucket heads; lwIP: a whole tcp_pcb; the program `peers` measures the lwIP "
          "of this machine."};
  others.add("Linux 6.18 tcp_request_sock", {312});
  others.add("FreeBSD struct syncache", {152});
  others.add("lwIP 2.1.3 tcp_pcb, 32 bits", {164});
  out.tables = {t.bytes, t.allocations, others};
  return out.write();
}
