// SPDX-License-Identifier: BSL-1.0
// IP packets in, IP packets out, checksums verified and made: full handshakes, one frame at a time and in bursts; a
// flood that cookies answer; a flood at a full table; and what reading, writing and the checksum take of it.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/transport/frame_burst.hpp>
#include <listenq/wire/tcp.hpp>
#include <memory>
#include <vector>

#include "support/doors.hpp"
#include "support/peers.hpp"

using namespace bench;

namespace {

using frame = std::array<std::byte, 64>;
using door_type = preset::linux_6_18;

/// A transmit ring of 256 frames.
struct ring {
  std::array<frame, 256> frames{};
  std::size_t next = 0;
  std::size_t bytes = 0;
  seq_number iss = 0;
  std::uint32_t ts = 0;
  send_result send(const segment& s) noexcept {
    frame& f = frames[next++ % frames.size()];
    bytes = wire::write_packet(s, {f.data(), f.size()});
    iss = s.seq;
    ts = s.options.ts_value;
    return send_result::sent;
  }
};

struct received {
  frame bytes{};
  std::size_t size = 0;
  byte_view view() const noexcept { return {bytes.data(), size}; }
  void be(const segment& s) noexcept { size = wire::write_packet(s, {bytes.data(), bytes.size()}); }
};

std::vector<received> syns(std::uint32_t n) {
  peers<> from;
  std::vector<received> all(n);
  for (std::uint32_t i = 0; i < n; ++i) all[i].be(from.syn(i));
  return all;
}

/// The frames of N peers, learnt in a dry run: time stands still, so their SYN-ACKs are always the same.
void handshakes(benchmark::State& run, std::size_t at_once) {
  const auto n = static_cast<std::uint32_t>(run.range(0));
  auto door = std::make_unique<door_type>(siphash<2, 4>{{1, 2}});
  if (!open(*door, 2 * n)) return run.SkipWithError("no room");
  const std::vector<received> syn = syns(2 * n);
  std::vector<received> ack(2 * n);
  peers<> from;
  ring out;
  for (std::uint32_t i = 0; i < 2 * n; ++i) {
    const auto p = wire::read_packet<ipv4>(syn[i].view());
    door->receive(p.segment, 0, out);
    ack[i].be(from.ack(i, {out.iss, out.ts}));
    if (i >= n) door->receive(from.ack(i, {out.iss, out.ts}), 0, out);
    if (i >= n) door->accept();
  }
  // 0 .. n - 1 wait now.
  std::uint64_t bad = 0;
  std::uint32_t next = n;
  std::vector<byte_view> burst(2 * at_once);
  while (run.KeepRunningBatch(static_cast<benchmark::IterationCount>(at_once))) {
    for (std::size_t i = 0; i < at_once; ++i) {
      burst[i] = ack[(next + n) % (2 * n)].view();
      burst[at_once + i] = syn[next].view();
      next = next + 1 == 2 * n ? 0 : next + 1;
    }
    if (at_once == 1) {
      for (const byte_view& f : burst) {
        const auto p = wire::read_packet<ipv4>(f);
        bad += !p;
        door->receive(p.segment, 0, out);
      }
    } else {
      bad += receive_frames(burst, *door, 0, out) != burst.size();
    }
    for (std::size_t i = 0; i < at_once; ++i) bad += !door->accept();
  }
  if (bad != 0) run.SkipWithError("a handshake did not finish");
  run.SetItemsProcessed(run.iterations());
}

/// SYNs that are all answered by a cookie, or all dropped by a full table; an item is a frame.
template <class Door = door_type>
void flood(benchmark::State& run, bool cookies, std::size_t at_once) {
  auto door = std::make_unique<Door>(siphash<2, 4>{{1, 2}});
  if (!open(*door, 4096, cookies ? 2 : 0)) return run.SkipWithError("no room");
  peers<> from;
  ring out;
  if (!cookies) {
    for (std::uint32_t i = 1'000'000; !door->request_full(); ++i) door->receive(from.syn(i), 0, out);
  }
  const std::vector<received> frames = syns(256);
  std::vector<byte_view> views;
  for (const received& f : frames) views.push_back(f.view());
  std::size_t at = 0;
  while (run.KeepRunningBatch(static_cast<benchmark::IterationCount>(at_once))) {
    if (at_once == 1) {
      const auto p = wire::read_packet<ipv4>(views[at]);
      door->receive(p.segment, 10, out);
    } else {
      receive_frames(std::span<const byte_view>{views}.subspan(at, at_once), *door, 10, out);
    }
    at = (at + at_once) % 256;
  }
  const counter_values& c = door->counters();
  if (cookies ? c.syncookies_sent == 0 : c.req_q_full_drop == 0) run.SkipWithError("another answer than meant");
  run.SetItemsProcessed(run.iterations());
}

void read_frame(benchmark::State& run, wire::checksums check) {
  const std::vector<received> frames = syns(256);
  std::size_t i = 0;
  for (auto _ : run) benchmark::DoNotOptimize(wire::read_packet<ipv4>(frames[i++ % frames.size()].view(), check));
}
void write_frame(benchmark::State& run) {
  peers<> from;
  ring out;
  std::uint32_t n = 0;
  for (auto _ : run) {
    out.send(from.syn(n++));
    benchmark::ClobberMemory();
  }
}
void checksum_of_40(benchmark::State& run) {
  const std::vector<received> frames = syns(256);
  std::size_t i = 0;
  for (auto _ : run) benchmark::DoNotOptimize(wire::ones_sum({frames[i++ % 256].bytes.data() + 20, 40}));
}

/// A cookie in another layout.
template <class Codec>
void flood_answered_in(benchmark::State& run, std::size_t at_once) {
  flood<with<door_type, cookies<cookies_if_tuned<Codec>>>>(run, true, at_once);
}

const bool registered = [] {
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{16}}) {
    const std::string how = at_once == 1 ? "/one_by_one" : "/in_bursts";
    benchmark::RegisterBenchmark(("handshake" + how).c_str(), handshakes, at_once)
        ->Arg(1 << 8)
        ->Arg(1 << 12)
        ->Arg(1 << 16);
    // Linux's layout has two hashes of 16 bytes, the others one, of 13 and of 16.
    const std::string answered = "syn_answered_with_cookie/";
    const auto in_layout = [&](const char* layout, auto function) {
      benchmark::RegisterBenchmark((answered + layout + how).c_str(), function, at_once);
    };
    in_layout(linux_6_18_cookie::name, flood_answered_in<linux_6_18_cookie>);
    in_layout(onload_cookie<>::name, flood_answered_in<onload_cookie<>>);
    in_layout(tldk_cookie::name, flood_answered_in<tldk_cookie>);
    benchmark::RegisterBenchmark(("syn_at_full_table" + how).c_str(), flood<>, false, at_once);
  }
  benchmark::RegisterBenchmark("read_frame", read_frame, wire::checksums::verify);
  benchmark::RegisterBenchmark("read_frame/checksum_offloaded", read_frame, wire::checksums::trust);
  benchmark::RegisterBenchmark("write_frame", write_frame);
  benchmark::RegisterBenchmark("checksum_of_40_bytes", checksum_of_40);
  return true;
}();

}  // namespace
