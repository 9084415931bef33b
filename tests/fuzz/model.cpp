// SPDX-License-Identifier: BSL-1.0
// A listener of any preset beside its model: the first byte says which preset. The others are a script (the commands of
// testing/model/command.hpp) with segments of any numbers, flags and options in between. After each step the listener
// must be what the model predicts, to the last counter; so must a copy of it.
#include <cstdio>
#include <iterator>
#include <listenq/testing/model/run.hpp>
#include <memory>

#include "doors.hpp"
#include "input.hpp"

namespace {

using namespace listenq;
using fuzz::input;
using testing::command;
using testing::op;
using testing::trial;

/// A segment of client `i`, near what its request, or the next one, expects. No data in a SYN: no model of that.
segment any_segment(input& in, std::uint32_t i, const trial& t) {
  constexpr flags kinds[] = {flag::syn,
                             flag::ack,
                             flag::ack | flag::psh,
                             flag::rst,
                             flag::rst | flag::ack,
                             flag::ack | flag::fin,
                             flag::syn | flag::ack,
                             flag::none};
  const std::uint8_t kind = in.byte();
  const std::uint8_t more = in.byte();
  const auto near = [&in](std::uint32_t value, unsigned how) {
    return how == 0 ? value : how == 1 ? value + in.byte() - 128 : how == 2 ? value + in.word() : in.number();
  };
  const four_tuple key = testing::client_key(i);
  const auto* const r = t.listener().find_request(key);
  segment s;
  s.source = key.peer();
  s.destination = key.local();
  s.flags = (more & 1U) != 0 ? flags{in.byte()} : kinds[kind % 8];
  const bool syn = s.flags.has(flag::syn);
  s.seq = near((r != nullptr ? r->irs : 1000 * i + 7) + (syn ? 0U : 1U), kind >> 3 & 3U);
  s.ack = near(r != nullptr ? r->iss + 1 : 1, kind >> 5 & 3U);
  s.window = (more & 2U) != 0 ? in.word() : std::uint16_t{65535};
  if ((more & 4U) != 0) {
    const auto clock = static_cast<std::uint32_t>(t.now() / millisecond) + 1000 * i;
    s.options.timestamps = true;
    s.options.ts_value = (more & 8U) != 0 ? near(clock, 1 + (more & 2U) / 2) : clock;
    s.options.ts_echo = syn ? 0 : near(r != nullptr ? r->last_ts : clock, (more & 16U) != 0 ? 1 : 0);
  }
  if (syn) {
    s.options.mss = (more & 32U) != 0 ? in.word() : std::uint16_t{1460};
    s.options.sack_permitted = (more & 64U) != 0;
    if ((more & 128U) != 0) s.options.window_scale = in.byte() % 16;
  } else if ((more & 96U) == 96U) {
    static constexpr std::byte bytes[255]{};
    s.payload = {bytes, in.byte()};
  }
  return s;
}

void play(input& in, const fuzz::door& d) {
  trial t{d.make(), d.promised};
  std::unique_ptr<trial> copy;
  const auto both = [&](auto step) {
    step(t);
    if (copy) step(*copy);
  };
  t.start(in.byte() % 9 - 1);
  for (int steps = 0; !in.empty() && steps < 200; ++steps) {
    const std::uint8_t what = in.byte();
    const std::uint32_t i = in.byte() % 8;
    if (what >= 128) {
      const segment s = any_segment(in, i, t);
      const std::uint8_t special = what == 255 ? in.byte() : std::uint8_t{0};
      const arrival facts{
          .isn = special % 4 == 1 ? 0x80000001U + special : 0, .proven = special % 4 == 2, .refused = special % 4 == 3};
      both([&](trial& x) { x.deliver(s, facts); });
      continue;
    }
    const command c{static_cast<op>(what % testing::op_count), i, in.word() % 1000U};
    if (c.what == op::fork && !copy) copy = std::make_unique<trial>(t);
    if (copy && !copy->has_listener()) copy.reset();
    both([&](trial& x) { x.play(c); });
  }
  const bool at_once = in.left() % 2 == 0;
  both([&](trial& x) { x.finish(at_once); });
  if (copy && copy->fingerprint() != t.fingerprint())
    t.fail("a copy of the listener", "what the original does", "else");
  if (const auto wrong = t.wrong()) {
    std::fprintf(stderr, "%s", wrong->text().c_str());
    fuzz::expect(false, "a listener does what its model predicts");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const auto& all = fuzz::doors();
  play(in, all[in.byte() % all.size()]);
  return 0;
}
