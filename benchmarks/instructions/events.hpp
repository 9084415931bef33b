// SPDX-License-Identifier: BSL-1.0
// The events whose instructions are counted, at any listener. A program has one composition of them, since what a
// compiler inlines depends on what else is in its translation unit.
//
// Each case runs its event many times between a ZERO_STATS and a DUMP_STATS; `driver` is what making the segments costs
// by itself and is part of every other row.
#pragma once

#include <valgrind/callgrind.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <listenq/transport/frame_burst.hpp>
#include <listenq/wire/tcp.hpp>
#include <vector>

#include "../support/doors.hpp"
#include "../support/peers.hpp"

using namespace bench;

namespace {

constexpr std::uint32_t events = 2000;
std::uint64_t bad = 0;

template <class F>
void measure(const char* name, F event) {
  for (std::uint32_t i = 0; i < events / 10; ++i) event();
  CALLGRIND_ZERO_STATS;
  for (std::uint32_t i = 0; i < events; ++i) event();
  CALLGRIND_DUMP_STATS_AT(name);
  std::printf("%s %u\n", name, events);
}

/// Swallows segments as a listener would, and does nothing.
struct hollow {
  std::uint32_t sum = 0;
  __attribute__((noinline)) void receive(const segment& s, instant now, memory_of_peer& out) noexcept {
    sum += s.seq + static_cast<std::uint32_t>(now);
    out.iss = sum;
  }
  __attribute__((noinline)) bool accept(instant) noexcept { return sum != 0; }
};

/// `half_open` peers wait; each event a new one comes and the oldest finishes.
struct crowd {
  peers<> from{};
  std::vector<memory_of_peer> heard;
  std::uint32_t next = 0;
  instant now = 0;
  explicit crowd(std::uint32_t half_open) : heard(half_open) {}

  template <class Door>
  void arrive(Door& door) {
    door.receive(from.syn(next), now, heard[next % heard.size()]);
    ++next;
  }
  template <class Door>
  void handshake(Door& door) {
    now += 10;
    memory_of_peer& place = heard[next & (heard.size() - 1)];
    const memory_of_peer oldest = place;
    bad += door.receive(from.syn(next), now, place).verdict != verdict::admitted;
    bad += door.receive(from.ack(next - static_cast<std::uint32_t>(heard.size()), oldest), now, place).verdict !=
           verdict::promoted;
    bad += !door.accept(now);
    ++next;
  }
  void drive(hollow& door) {
    now += 10;
    memory_of_peer& place = heard[next & (heard.size() - 1)];
    const memory_of_peer oldest = place;
    door.receive(from.syn(next), now, place);
    door.receive(from.ack(next - static_cast<std::uint32_t>(heard.size()), oldest), now, place);
    bad += !door.accept(now);
    ++next;
  }
};

template <class Door, class Hash>
Door listening(std::uint32_t half_open, std::uint32_t syncookies = 0) {
  Door door{Hash{{1, 2}}};
  bad += !open(door, half_open, syncookies);
  return door;
}

template <class Door, class Hash>
void handshakes(const char* name, std::uint32_t half_open) {
  Door door = listening<Door, Hash>(2 * half_open);
  crowd c{half_open};
  CALLGRIND_STOP_INSTRUMENTATION;  // a million of them are not what is measured
  while (c.next < half_open) c.arrive(door);
  CALLGRIND_START_INSTRUMENTATION;
  measure(name, [&] { c.handshake(door); });
}

/// The same in bursts of 32, half of them SYNs and half final ACKs; a row is sixteen handshakes.
template <class Door, class Hash>
void bursts(const char* name, std::uint32_t half_open) {
  auto door = listening<Door, Hash>(2 * half_open);
  crowd c{half_open};
  while (c.next < half_open) c.arrive(door);
  std::vector<segment> burst(32);
  std::fill_n(burst.begin(), 16, c.from.ack(0, {}));
  std::fill_n(burst.begin() + 16, 16, c.from.syn(0));
  struct answers {
    crowd& c;
    send_result send(const segment& s) noexcept {
      c.heard[c.next++ & (c.heard.size() - 1)] = {s.seq, s.options.ts_value};
      return send_result::sent;
    }
  } out{c};
  measure(name, [&] {
    c.now += 160;
    for (std::uint32_t i = 0; i < 16; ++i) {
      c.from.make_ack(burst[i], c.next + i - half_open, c.heard[(c.next + i) & (half_open - 1)]);
      c.from.make_syn(burst[16 + i], c.next + i);
    }
    door.receive(burst, c.now, out);
    for (std::uint32_t i = 0; i < 16; ++i) bad += !door.accept(c.now);
  });
}

/// What must be cheaper than service: a listener that is full to the last place.
template <class Door, class Hash>
void overload(const char* full, const char* stray, const char* duplicate) {
  constexpr std::uint32_t half_open = 4096;
  Door door = listening<Door, Hash>(half_open - 1);
  crowd c{half_open};
  while (c.next < half_open) c.arrive(door);
  bad += door.request_count() != half_open;
  memory_of_peer heard;
  std::uint32_t n = c.next;
  measure(full, [&] { bad += door.receive(c.from.syn(n++), 10, heard).verdict != verdict::dropped_request_full; });
  measure(stray, [&] { bad += door.receive(c.from.ack(n++, heard), 10, heard).verdict != verdict::stray; });
  instant now = 0;
  std::uint32_t again = 0;
  measure(duplicate, [&] {
    now += 600 * millisecond;  // beyond the rate limit
    again = (again + 1) % half_open;
    bad += door.receive(c.from.syn(again), now, heard).verdict != verdict::duplicate_syn;
  });
}

/// One timer: the SYN-ACK again.
template <class Door, class Hash>
void timers() {
  constexpr std::uint32_t half_open = 4096;
  Door door = listening<Door, Hash>(2 * half_open);
  crowd c{half_open};
  for (; c.next < half_open; c.now += 20) c.arrive(door);
  memory_of_peer heard;
  measure("timer", [&] { bad += door.tick(*door.next_deadline(), heard).resent != 1; });
}

/// A flood that cookies answer, from frame to frame.
template <class Door, class Hash>
void cookie_frames() {
  Door door = listening<Door, Hash>(0, 2);
  std::vector<std::array<std::byte, 64>> frames(256);
  std::array<std::byte, 64> answer{};
  std::size_t size = 0;
  crowd c{256};
  for (auto& f : frames) size = wire::write_packet(c.from.syn(c.next++), {f.data(), f.size()});
  struct wire_out {
    std::array<std::byte, 64>& bytes;
    std::size_t sent = 0;
    send_result send(const segment& s) noexcept {
      sent = wire::write_packet(s, {bytes.data(), bytes.size()});
      return send_result::sent;
    }
  } out{answer};
  std::size_t i = 0;
  measure("cookie_frame_to_frame", [&] {
    const auto p = wire::read_packet<ipv4>({frames[i++ % frames.size()].data(), size});
    bad += !p || door.receive(p.segment, 10, out).verdict != verdict::cookie_sent || out.sent != size;
  });
  if (!Hash::hashes_eight()) return;
  std::array<byte_view, 32> burst{};
  const auto signed_one = [](const segment&, outcome o) { bad += o.verdict != verdict::cookie_sent; };
  measure("burst_32_cookie_frame_to_frame", [&] {
    for (byte_view& f : burst) f = {frames[i++ % frames.size()].data(), size};
    receive_frames(burst, door, 10, out, signed_one, [](const byte_view&, wire::parse_error) { ++bad; });
  });
}

}  // namespace
