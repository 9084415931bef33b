// SPDX-License-Identifier: BSL-1.0
// testing/event_log.hpp, event_log_text.hpp, recording.hpp, replay.hpp: a run is written down, read back, and played
// again bit for bit; whatever differs is found.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <listenq/listener.hpp>
#include <listenq/testing/event_log_text.hpp>
#include <listenq/testing/replay.hpp>
#include <listenq/testing/simulation.hpp>
#include <string>
#include <vector>

using namespace listenq;
using namespace listenq::testing;

namespace {

using door = listener<cookies<cookies_if_tuned<linux_6_18_cookie>>, accept_full_at_ack<abort_if_tuned>,
                      fast_open<linux_fast_open<>>, deferral<defer_accept<>>>;

struct recorded_run {
  std::vector<log_entry> log{};
  simulation_report report{};
};
/// Troubles of every kind that goes through the log.
recorded_run run(std::uint64_t seed) {
  recorded_run r;
  simulation_options o;
  o.seed = seed;
  o.events = 12000;
  o.against = hostility{};
  o.against->hosts = 60;
  o.against->think = 50 * millisecond;
  o.against->backlog = 5;
  o.against->link = {.delay = 2000, .jitter = 1000, .loss = 0.05, .duplicate = 0.05};
  o.against->spoofed_flood = 400;
  o.against->reset_storm = millisecond;
  o.against->slow_acks = 2 * millisecond;
  o.against->stall = 300 * millisecond;
  o.against->relisten = 100 * millisecond;
  o.against->reopen = 100 * millisecond;
  o.against->retune = 50 * millisecond;
  o.against->clock_jump = 200 * millisecond;
  o.log = [&r](const log_entry& e) { r.log.push_back(e); };
  r.report = simulate(door{}, o);
  return r;
}

std::string text_of(const std::vector<log_entry>& log) {
  std::string t = log_header({{"composition", "mine"}, {"why", "a seed that fails"}});
  for (const log_entry& e : log) t += to_text(e) + '\n';
  return t;
}

four_tuple peer(std::uint16_t port) { return {ip(10, 0, 0, 9), ip(10, 0, 0, 1), port, 80}; }

/// One entry of each kind, with all that it can have.
std::vector<log_entry> one_of_each() {
  std::vector<log_entry> all;
  for (std::size_t k = 0; k < log_kind_count; ++k) {
    log_entry e;
    e.kind = static_cast<log_kind>(k);
    e.decided = true;
    e.at = static_cast<instant>(k) - 1;
    switch (e.kind) {
      case log_kind::listen:
        e.what = static_cast<std::uint32_t>(-3);
        e.result = 1;
        break;
      case log_kind::in:
      case log_kind::out:
        e.segment.source = {ip(255, 1, 20, 0), 65535};
        e.segment.destination = {ip(0, 0, 0, 1), 0};
        e.segment.seq = 4294967295U;
        e.segment.ack = 7;
        e.segment.flags = {0xff};
        e.segment.window = 64240;
        e.segment.payload.size = 1460;
        e.segment.options = {.mss = 1460,
                             .window_scale = 0,
                             .sack_permitted = true,
                             .timestamps = true,
                             .ts_value = 5,
                             .ts_echo = 4294967295U};
        e.segment.options.fast_open.size = 6;
        e.segment.options.fast_open.bytes = {0, 1, 0xab, 0xcd, 0xef, 0x90};
        e.result = e.kind == log_kind::in ? static_cast<std::uint8_t>(verdict::not_listening) : 1;
        if (e.kind == log_kind::in) {
          e.facts = {.isn = 9, .proven = true, .refused = true};
          e.stages.bits = 0xffffffff;
        }
        break;
      case log_kind::accept:
        e.result = static_cast<std::uint8_t>(accept_status::aborted);
        e.key = peer(1025);
        break;
      case log_kind::set:
        e.what = static_cast<std::uint32_t>(tunable::fastopen_qlen);
        e.value = 4294967295U;
        e.result = 2;
        break;
      case log_kind::tick:
        e.counts = {3, 2, 1};
        e.result = 1;
        break;
      case log_kind::close:
      case log_kind::shutdown:
        e.what = e.kind == log_kind::shutdown ? 2 : 0;
        e.counts = {4, 5, 0};
        break;
      case log_kind::settled:
        e.what = 2;
        e.key = peer(1);
        break;
      case log_kind::icmp:
        e.what = 7;
        e.value = 99;
        e.result = static_cast<std::uint8_t>(icmp_verdict::no_request);
        e.key = peer(2);
        break;
      case log_kind::child:
      case log_kind::gone:
        e.result = 1;
        [[fallthrough]];
      case log_kind::reset:
        e.key = peer(3);
        break;
    }
    all.push_back(e);
  }
  return all;
}

}  // namespace

// Bug: a field that is not written, or is read into another one: the replay then differs for no reason of the
// listener's.
TEST_CASE("a log line comes back as it was, whatever its kind") {
  for (const log_entry& e : one_of_each()) {
    CAPTURE(to_text(e));
    const auto back = read_log_entry(to_text(e));
    REQUIRE(back);
    CHECK(*back == e);
  }
  log_entry bare;
  bare.kind = log_kind::in;
  CHECK(to_text(bare) == "0 in 0.0.0.0:0 0.0.0.0:0 - 0 0 0 0 -");
  bare.segment.options.fast_open = fast_open_option::request();
  bare.segment.options.fast_open.experimental = true;
  CHECK(read_log_entry(to_text(bare)).value() == bare);
}

// Bug: a typing error in an edited log is taken for something else, or read beyond the line.
TEST_CASE("a line that is no entry from its first letter to its last is refused") {
  for (const log_entry& e : one_of_each()) {
    const std::string line = to_text(e);
    CAPTURE(line);
    CHECK_FALSE(read_log_entry(line + " x"));
    for (std::size_t n = 0; n < line.size(); ++n) {
      const auto part = read_log_entry(line.substr(0, n));
      CHECK_FALSE((part && *part == e));
    }
  }
  for (const char* line :
       {"", "12", "x listen 1", "12 lisen 1", "12 listen 1 = fine", "12 in 1.2.3:1 1.2.3.4:5 S 0 0 0 0 -",
        "12 in 1.2.3.4:1 1.2.3.4:65536 S 0 0 0 0 -", "12 in 1.2.3.4:1 1.2.3.4:5 X 0 0 0 0 -",
        "12 in 1.2.3.4:1 1.2.3.4:5 S 0 0 0 0 mss=", "12 in 1.2.3.4:1 1.2.3.4:5 S 0 0 0 0 tfo=123",
        "12 in 1.2.3.256:1 1.2.3.4:5 S 0 0 0 0 -", "1 tick = 1 2", "1 set nothing 1 = ok"}) {
    CAPTURE(line);
    CHECK_FALSE(read_log_entry(line));
  }
}

// Bug: a log of a later version is misread instead of refused; a bad line is skipped in silence.
TEST_CASE("a log file says what is wrong, and where") {
  CHECK(read_log("").error == log_error::not_a_log);
  CHECK(read_log("listenq event log 2\n").error == log_error::unknown_version);
  const log_file good = read_log("listenq event log 1\r\n# a comment\n\nnote seed 1 2\n5 listen 1 = ok\n");
  CHECK(good.error == log_error::none);
  CHECK(good.entries.size() == 1);
  CHECK(note_of(good.notes, "seed") == "1 2");
  CHECK(note_of(good.notes, "sed").empty());
  const log_file bad = read_log("listenq event log 1\n5 listen 1 = ok\n6 listn 1\n7 listen 1\n");
  CHECK(bad.error == log_error::bad_line);
  CHECK(bad.line == 3);
  CHECK(bad.entries.size() == 1);
}

// Bug: something that decides is not in the log (a clock that goes back, an answer of the sink, a tunable), so that a
// failing seed cannot be looked at in another place.
TEST_CASE("a simulated run replays bit for bit from its text") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const recorded_run r = run(seed);
    REQUIRE(r.log.size() > 1000);
    std::array<std::size_t, log_kind_count> kinds{};
    for (const log_entry& e : r.log) ++kinds[static_cast<std::size_t>(e.kind)];
    for (const log_kind k : {log_kind::listen, log_kind::in, log_kind::out, log_kind::child, log_kind::reset,
                             log_kind::tick, log_kind::accept, log_kind::close, log_kind::set, log_kind::gone}) {
      CAPTURE(std::string(name_of(k)));
      CHECK(kinds[static_cast<std::size_t>(k)] > 0);
    }
    const log_file back = read_log(text_of(r.log));
    REQUIRE(back.error == log_error::none);
    door again;
    const replay_report played = replay(std::span<const log_entry>(back.entries), again);
    CAPTURE(played.difference.value_or(log_difference{}).expected);
    CAPTURE(played.difference.value_or(log_difference{}).got);
    CHECK(played);
    CHECK(played.inputs > 500);
  }
}

// Bug: a run that is logged is another run.
TEST_CASE("to log a run does not change it") {
  simulation_options o;
  o.seed = 7;
  o.events = 5000;
  const std::uint64_t silent = simulate(door{}, o).digest;
  std::size_t told = 0;
  o.log = [&told](const log_entry&) { ++told; };
  CHECK(simulate(door{}, o).digest == silent);
  CHECK(told > 0);
}

// Bug: the comparison leaves something out, and "bit for bit" is an empty phrase. Each change of one entry is noticed.
TEST_CASE("a log that was tampered with anywhere is noticed") {
  const recorded_run r = run(4);
  const std::vector<log_entry> log(r.log.begin(), r.log.begin() + 400);
  std::size_t noticed = 0;
  std::size_t changed = 0;
  for (std::size_t i = 0; i < log.size(); i += 7) {
    std::vector<log_entry> other = log;
    log_entry& e = other[i];
    if (e.kind == log_kind::out) {
      e.segment.seq += 1;
    } else if (e.kind == log_kind::in) {
      e.result = static_cast<std::uint8_t>(e.result == 0 ? 1 : 0);
    } else if (e.kind == log_kind::tick) {
      e.counts[0] += 1;
    } else if (e.kind == log_kind::accept && e.key != four_tuple{}) {
      e.key.peer_port ^= 1;
    } else {
      continue;
    }
    ++changed;
    door again;
    const replay_report played = replay(std::span<const log_entry>(other), again);
    noticed += played.difference && played.difference->entry == i ? 1 : 0;
  }
  CHECK(changed > 20);
  CHECK(noticed == changed);

  std::vector<log_entry> shorter = log;
  std::size_t out = 0;
  while (shorter[out].kind != log_kind::out) ++out;
  shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(out));
  door again;
  const replay_report played = replay(std::span<const log_entry>(shorter), again);
  REQUIRE(played.difference);
  CHECK(played.difference->entry == out);
}

// Bug: the answers of the sink and of the stack are not played again, only the segments.
TEST_CASE("what the sink and the stack answered is part of the log") {
  using strict = listener<send_failure<fatal>, accept_full_at_ack<reset>>;
  struct broken {
    send_result send(const segment&) { return next; }
    bool make_child(const handshake&, const segment&) { return false; }
    send_result next = send_result::failed;
  };
  strict first;
  std::vector<log_entry> log;
  recording<strict> tap(first, [&log](const log_entry& e) { log.push_back(e); });
  broken out;
  tap.listen(1, 0);
  segment syn = segment_to_peer(four_tuple{ip(10, 0, 0, 1), ip(10, 0, 0, 9), 80, 1025});
  syn.flags = flag::syn;
  CHECK(tap.receive(syn, 1, out).verdict == verdict::dropped_send_failed);
  out.next = send_result::sent;
  tap.receive(syn, 2, out);
  segment ack = syn;
  ack.flags = flag::ack;
  ack.seq = 1;
  ack.ack = log.back().segment.seq + 1;
  CHECK(tap.receive(ack, 3, out).verdict == verdict::overflow_reset);
  strict again;
  CHECK(replay(std::span<const log_entry>(log), again));
  for (log_entry& e : log) {
    if (e.kind == log_kind::child) e.result = 1;
  }
  strict other;
  const replay_report played = replay(std::span<const log_entry>(log), other);
  REQUIRE(played.difference);
  CHECK(played.difference->got.find("promoted") != std::string::npos);
}
