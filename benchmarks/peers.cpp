// SPDX-License-Identifier: BSL-1.0
// The library beside listeners that can be had on this machine: lwIP fed the same frames, the kernel on loopback. What
// is not there is reported by name. None of them does the same work; the notes say what else they do.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/wire/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/doors.hpp"
#include "support/kernel_listener.hpp"
#include "support/peers.hpp"
#include "support/tables.hpp"

#ifdef LISTENQ_HAS_LWIP
#include "support/lwip_stack.hpp"
#endif

using namespace bench;

namespace {

struct frame {
  std::array<std::byte, 128> bytes{};
  std::size_t size = 0;
  byte_view view() const noexcept { return {bytes.data(), size}; }
  void be(const segment& s) noexcept { size = wire::write_packet(s, {bytes.data(), bytes.size()}); }
};

/// Frames that came out; the next SYN-ACK overwrites the oldest.
struct kept_frames {
  std::vector<frame> frames;
  std::size_t next = 0;
  explicit kept_frames(std::size_t n) : frames(n) {}
  void operator()(byte_view f) noexcept {
    frame& to = frames[next++ % frames.size()];
    to.size = std::min(f.size, to.bytes.size());
    std::copy_n(f.data, to.size, to.bytes.begin());
  }
};

/// The library behind frames: IP packets in, IP packets out, checksums verified and made.
class library_stack {
 public:
  explicit library_stack(kept_frames& out) : out_{out} {}
  bool open(std::uint32_t room) { return bench::open(*door_, room); }
  void input(byte_view f) {
    const auto p = wire::read_packet<ipv4>(f);
    if (p) door_->receive(p.segment, 0, out_);
    while (door_->accept(0)) ++accepted_;
  }
  std::size_t accepted() const { return accepted_; }
  void drop_all() {
    door_ = std::make_unique<preset::linux_6_18>(siphash<2, 4>{{1, 2}});
    accepted_ = 0;
  }

 private:
  struct writer {
    kept_frames& to;
    send_result send(const segment& s) noexcept {
      frame& f = to.frames[to.next++ % to.frames.size()];
      f.be(s);
      return send_result::sent;
    }
  } out_;
  std::unique_ptr<preset::linux_6_18> door_ = std::make_unique<preset::linux_6_18>(siphash<2, 4>{{1, 2}});
  std::size_t accepted_ = 0;
};

struct costs {
  bool good = false;
  double syn = 0;        ///< ns, while N become half-open
  double handshake = 0;  ///< and with the final ACK and accept
  double bytes = 0;      ///< of the heap, for each of the N
};

/// N peers send a SYN, then all of them their ACK. What the peers do in between is not in it.
template <class Stack, class Fresh>
costs n_handshakes(Stack& stack, kept_frames& out, std::uint32_t n, int times, Fresh fresh) {
  std::vector<frame> syns(n), acks(n);
  peers<> from;
  for (std::uint32_t i = 0; i < n; ++i) syns[i].be(from.syn(i));
  costs c;
  c.good = true;
  for (int t = 0; t < times; ++t) {
    stack.drop_all();
    const std::size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
    fresh();
    out.next = 0;
    const std::size_t accepted = stack.accepted();
    const double start = cpu_ns();
    for (const frame& f : syns) stack.input(f.view());
    const double half_open = cpu_ns() - start;
    c.bytes = static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd - heap) / n;
    if (out.next != n) return {};
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto p = wire::read_packet<ipv4>(out.frames[i].view());
      if (!p || !p.segment.flags.has(flag::syn | flag::ack)) return {};
      acks[i].be(from.ack(i, {p.segment.seq, p.segment.options.ts_value}));
    }
    const double again = cpu_ns();
    for (const frame& f : acks) stack.input(f.view());
    const double all = half_open + cpu_ns() - again;
    c.good = c.good && stack.accepted() - accepted == n;
    c.syn = t == 0 ? half_open / n : std::min(c.syn, half_open / n);
    c.handshake = t == 0 ? all / n : std::min(c.handshake, all / n);
  }
  stack.drop_all();
  return c;
}

struct comparison {
  std::vector<std::uint32_t> sizes;
  table handshakes{.title = "A handshake, frames in and out, N half-open at once, ns of CPU", .plot = "lines"};
  table floods{.title = "A SYN of a flood that is answered and stored, on average from 0 to N, ns of CPU"};
  table bytes{
      .title = "Bytes of the heap for a half-open connection",
      .note =
          "As malloc counts them; the library's with the room for N connections to wait, 16 bytes each. lwIP: a "
          "whole PCB, and its SYN-ACK, which is kept for a retransmission."};
  explicit comparison(const report& out)
      : sizes(out.how == effort::smoke ? std::vector<std::uint32_t>{16, 64}
                                       : std::vector<std::uint32_t>{16, 256, 1024}) {
    if (out.how == effort::full) sizes.push_back(4096);
    for (const std::uint32_t n : sizes) {
      for (table* t : {&handshakes, &floods, &bytes}) t->columns.push_back(std::to_string(n));
    }
  }
  template <class Measure>
  double row(report& out, const char* name, Measure measure) {
    table::row h{.name = name}, f{.name = name}, b{.name = name};
    double first = 0;
    for (const std::uint32_t n : sizes) {
      const costs c = measure(n);
      if (!c.good) out.wrong.push_back(std::string{name} + ": a handshake did not finish");
      h.cells.emplace_back(c.handshake);
      f.cells.emplace_back(c.syn);
      b.cells.emplace_back(c.bytes);
      if (n == 256) first = c.handshake;
    }
    handshakes.rows.push_back(h);
    floods.rows.push_back(f);
    bytes.rows.push_back(b);
    return first;
  }
};

double in_memory_peers(report& out) {
  comparison all{out};
  const int times = out.by_effort(1, 5, 20);
  kept_frames frames{4096};
  library_stack library{frames};
  const double ours = all.row(out, "library, linux_6_18", [&](std::uint32_t n) {
    return n_handshakes(library, frames, n, times, [&] { library.open(n); });
  });
#ifdef LISTENQ_HAS_LWIP
  lwip_stack lwip{frames};
  all.row(out, "lwIP " LWIP_VERSION_STRING,
          [&](std::uint32_t n) { return n_handshakes(lwip, frames, n, n > 1000 ? std::min(times, 3) : times, [] {}); });
  frame f;
  f.be(peers<>{}.syn(1));
  const double start = cpu_ns();
  constexpr int many = 2000;
  for (int i = 0; i < many; ++i) lwip_stack::input_nothing(f.view());
  all.handshakes.note =
      "lwIP as Debian compiles it; its two buffers of a handshake, allocated and filled as a driver "
      "does, are " +
      std::to_string(std::lround(2 * (cpu_ns() - start) / many)) +
      " ns of it. It makes a whole connection of each SYN, checks less and has no table: it looks through "
      "a list of connections for every segment, on purpose, for the sake of memory.";
#else
  out.skipped.emplace_back("lwIP: liblwip-dev is not there");
#endif
  out.tables = {all.handshakes, all.floods, all.bytes};
  return ours;
}

void kernel(report& out, double ours) {
#if defined(__linux__)
  std::string why_not;
  const auto k = kernel_listener(out.by_effort(1, 2, 4), out.by_effort(64, 1024, 4096), why_not);
  if (!k) {
    out.skipped.push_back("the kernel's listener: no network namespace (" + why_not + ")");
    return;
  }
  table t{
      .title = kernel_version() + " on loopback beside the library's frames, ns of CPU a handshake",
      .columns = {"CPU", "by the clock"},
      .note =
          "Not the same work. The kernel's figure has both ends, seven system calls, routing and netfilter, a socket "
          "of "
          "2.3 KB, a file and an inode for each end, the queueing between them and the RST of the close; about a fifth "
          "of it was spent in the listener's own functions where it was profiled (Linux 6.18). The library's has one "
          "end: frames read, checksums, 256 half-open connections, a record for each that is accepted."};
  t.add("connect + accept4 + close of both", {k->cpu_ns, k->wall_ns});
  t.add("library, frame to frame", {ours, std::nullopt});
  if (ours > 0) t.add("times as much", {k->cpu_ns / ours, std::nullopt});
  out.tables.push_back(t);
#else
  (void)ours;
  out.skipped.emplace_back("the kernel's listener: this is not Linux");
#endif
}

}  // namespace

int main(int argc, char** argv) {
  report out{argc, argv};
  const double ours = in_memory_peers(out);
  kernel(out, ours);
  return out.write();
}
