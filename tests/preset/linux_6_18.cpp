// SPDX-License-Identifier: BSL-1.0
// preset/linux_6_18.hpp against the recordings of Linux 6.18.44: golden/responses.json, halfopen.json, extra.json,
// restated. synack.json is in listener_timers.cpp. Rows that end in ESTABLISHED have the child's answer in the
// recording; here the listener must say nothing.
#include <doctest/doctest.h>

#include <cstdint>
#include <listenq/preset/linux_6_18.hpp>
#include <string>
#include <vector>

#include "support/counters.hpp"
#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::C;
using test::counters_text;
using test::script;

namespace {

using preset::linux_6_18;

enum after { nobody, waits, finished };

struct row {
  const char* what;
  test::sending stimulus;
  const char* answer;  // as golden/ writes it; empty for none
  after state;
  const char* counters;
};

// A timestamp whose echo is relative to the SYN-ACK's own.
constexpr tcp_options stamp(std::uint32_t value, std::int32_t echo) {
  return {.timestamps = true, .ts_value = value, .ts_echo = static_cast<std::uint32_t>(echo)};
}

constexpr row closed[] = {
    {"SYN", {.flags = flag::syn}, "R. seq=0 ack=C+1 len=0 win 0", nobody, "OutRsts=1"},
    {"SYN+data13", {.flags = flag::syn, .ack = 0, .bytes = 13}, "R. seq=0 ack=C+14 len=0 win 0", nobody, "OutRsts=1"},
    {"ACK", {.flags = flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"ACK+data13",
     {.flags = flag::psh | flag::ack, .ack = 777, .bytes = 13},
     "R seq=S+777 ack=- len=0 win 0",
     nobody,
     "OutRsts=1"},
    {"SYN+ACK", {.flags = flag::syn | flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"FIN+ACK", {.flags = flag::fin | flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"RST", {.flags = flag::rst}, "", nobody, ""},
    {"RST+ACK", {.flags = flag::rst | flag::ack, .ack = 777}, "", nobody, ""},
    {"NULL (no flags)", {.flags = flag::none}, "R. seq=0 ack=C+0 len=0 win 0", nobody, "OutRsts=1"},
    {"NULL + data13",
     {.flags = flag::none, .ack = 0, .bytes = 13},
     "R. seq=0 ack=C+13 len=0 win 0",
     nobody,
     "OutRsts=1"},
    {"SYN+FIN", {.flags = flag::syn | flag::fin}, "R. seq=0 ack=C+2 len=0 win 0", nobody, "OutRsts=1"},
    {"SYN+RST", {.flags = flag::syn | flag::rst}, "", nobody, ""},
    {"SYN+RST+ACK", {.flags = flag::syn | flag::rst | flag::ack, .ack = 777}, "", nobody, ""},
    {"SYN ECN-setup (SEW)",
     {.flags = flag::syn | flag::ece | flag::cwr},
     "R. seq=0 ack=C+1 len=0 win 0",
     nobody,
     "OutRsts=1"},
    {"SYN, dup MSS/zero-length opt", {.flags = flag::syn}, "R. seq=0 ack=C+1 len=0 win 0", nobody, "OutRsts=1"},
    {"SYN no options", {.flags = flag::syn}, "R. seq=0 ack=C+1 len=0 win 0", nobody, "OutRsts=1"},
};

constexpr row listening[] = {
    {"SYN+data13",
     {.flags = flag::syn, .ack = 0, .bytes = 13},
     "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     ""},
    {"ACK", {.flags = flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"ACK+data13",
     {.flags = flag::psh | flag::ack, .ack = 777, .bytes = 13},
     "R seq=S+777 ack=- len=0 win 0",
     nobody,
     "OutRsts=1"},
    {"ACK, ack=0", {.flags = flag::ack}, "R seq=S+0 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"SYN+ACK", {.flags = flag::syn | flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"FIN", {.flags = flag::fin}, "", nobody, ""},
    {"FIN+ACK", {.flags = flag::fin | flag::ack, .ack = 777}, "R seq=S+777 ack=- len=0 win 0", nobody, "OutRsts=1"},
    {"RST", {.flags = flag::rst}, "", nobody, ""},
    {"NULL (no flags)", {.flags = flag::none}, "", nobody, ""},
    {"SYN+FIN", {.flags = flag::syn | flag::fin}, "", nobody, ""},
    {"SYN+RST", {.flags = flag::syn | flag::rst}, "", nobody, ""},
    {"SYN+RST+ACK", {.flags = flag::syn | flag::rst | flag::ack, .ack = 777}, "", nobody, ""},
    {"SYN+PSH", {.flags = flag::syn | flag::psh}, "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460", waits, ""},
    {"FIN+PSH+URG (xmas)", {.flags = flag::fin | flag::psh | flag::urg}, "", nobody, ""},
    {"SYN+FIN+ACK",
     {.flags = flag::syn | flag::fin | flag::ack, .ack = 777},
     "R seq=S+777 ack=- len=0 win 0",
     nobody,
     "OutRsts=1"},
    {"SYN ECN-setup (SEW)",
     {.flags = flag::syn | flag::ece | flag::cwr},
     "S.E seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     ""},
    {"SYN, dup MSS/zero-length opt", {.flags = flag::syn}, "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460", waits, ""},
    {"SYN no options", {.flags = flag::syn}, "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460", waits, ""},
    {"SYN mss 0", {.flags = flag::syn}, "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460", waits, ""},
    {"SYN mss 40",
     {.flags = flag::syn, .ack = 0, .options = {.mss = 40}},
     "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     ""},
    {"SYN win 0", {.flags = flag::syn}, "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460", waits, ""},
    {"SYN +TS+SACK+wscale",
     {.flags = flag::syn,
      .ack = 0,
      .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5000}},
     "S. seq=S+0 ack=C+1 len=0 win 65160 mss 1460 sackOK ecr 5000 wscale 10",
     waits,
     ""},
};

constexpr row syn_recv[] = {
    {"dup SYN, same ISN, with data13",
     {.flags = flag::syn, .ack = 0, .bytes = 13},
     "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     "RetransSegs=1 TCPSynRetrans=1"},
    {"dup SYN, same ISN, other options (no mss)",
     {.flags = flag::syn},
     "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     "RetransSegs=1 TCPSynRetrans=1"},
    {"SYN, ISN+1 (= rcv_nxt)",
     {.flags = flag::syn, .seq = 1},
     "R. seq=0 ack=C+2 len=0 win 0",
     nobody,
     "AttemptFails=1 OutRsts=1 EmbryonicRsts=1"},
    {"SYN, ISN+500 (in window)",
     {.flags = flag::syn, .seq = 500},
     "R. seq=0 ack=C+501 len=0 win 0",
     nobody,
     "AttemptFails=1 OutRsts=1 EmbryonicRsts=1"},
    {"SYN, ISN-500 (left of window)",
     {.flags = flag::syn, .seq = -500},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     ""},
    {"SYN, ISN+100000 (right of window)",
     {.flags = flag::syn, .seq = 100000},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     ""},
    {"SYN+ACK, seq=ISN, good ack",
     {.flags = flag::syn | flag::ack, .ack = 1},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     ""},
    {"SYN+FIN, same ISN",
     {.flags = flag::syn | flag::fin},
     "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460",
     waits,
     "RetransSegs=1 TCPSynRetrans=1"},
    {"ACK good + FIN", {.flags = flag::fin | flag::ack, .seq = 1, .ack = 1}, "", finished, "PassiveOpens=1"},
    {"ACK good + data13 + FIN",
     {.flags = flag::fin | flag::psh | flag::ack, .seq = 1, .ack = 1, .bytes = 13},
     "",
     finished,
     "PassiveOpens=1"},
    {"ACK, ack = S (one too small)", {.flags = flag::ack, .seq = 1}, "R seq=S+0 ack=- len=0 win 0", waits, "OutRsts=1"},
    {"ACK, ack = S+2 (one too big)",
     {.flags = flag::ack, .seq = 1, .ack = 2},
     "R seq=S+2 ack=- len=0 win 0",
     waits,
     "OutRsts=1"},
    {"ACK, ack = S+1000",
     {.flags = flag::ack, .seq = 1, .ack = 1001},
     "R seq=S+1001 ack=- len=0 win 0",
     waits,
     "OutRsts=1"},
    {"ACK, ack = S-1000",
     {.flags = flag::ack, .seq = 1, .ack = -1000},
     "R seq=S-1000 ack=- len=0 win 0",
     waits,
     "OutRsts=1"},
    {"ACK good, seq=ISN (rcv_nxt-1)", {.flags = flag::ack, .ack = 1}, ". seq=S+1 ack=C+1 len=0 win 64240", waits, ""},
    {"ACK good, seq=ISN+2 (in window)", {.flags = flag::ack, .seq = 2, .ack = 1}, "", finished, "PassiveOpens=1"},
    {"ACK good, seq=ISN+1000 (in window)", {.flags = flag::ack, .seq = 1000, .ack = 1}, "", finished, "PassiveOpens=1"},
    {"ACK good, seq=right edge+1",
     {.flags = flag::ack, .seq = 64242, .ack = 1},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     ""},
    {"ACK good + data13 starting at ISN (overlap 1)",
     {.flags = flag::psh | flag::ack, .ack = 1, .bytes = 13},
     "",
     finished,
     "PassiveOpens=1"},
    {"data13, no ACK flag", {.flags = flag::psh, .seq = 1, .ack = 0, .bytes = 13}, "", waits, ""},
    {"FIN, no ACK", {.flags = flag::fin, .seq = 1}, "", waits, ""},
    {"RST, seq=rcv_nxt", {.flags = flag::rst, .seq = 1}, "", nobody, "AttemptFails=1 EmbryonicRsts=1"},
    {"RST, seq=rcv_nxt+1 (in window)",
     {.flags = flag::rst, .seq = 2},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     "TCPChallengeACK=1"},
    {"RST, seq=rcv_nxt+1000 (in window)",
     {.flags = flag::rst, .seq = 1001},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     "TCPChallengeACK=1"},
    {"RST, seq=right edge-1",
     {.flags = flag::rst, .seq = 64240},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     "TCPChallengeACK=1"},
    {"RST, seq=right edge",
     {.flags = flag::rst, .seq = 64241},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     "TCPChallengeACK=1"},
    {"RST, seq=right edge+1", {.flags = flag::rst, .seq = 64242}, "", waits, ""},
    {"RST, seq=ISN (rcv_nxt-1)", {.flags = flag::rst}, "", waits, ""},
    {"RST, seq=rcv_nxt-1000", {.flags = flag::rst, .seq = -999}, "", waits, ""},
    {"RST+ACK, seq=rcv_nxt, ack good",
     {.flags = flag::rst | flag::ack, .seq = 1, .ack = 1},
     "",
     nobody,
     "AttemptFails=1 EmbryonicRsts=1"},
    {"RST+ACK, seq=rcv_nxt, ack bad",
     {.flags = flag::rst | flag::ack, .seq = 1, .ack = 1000},
     "",
     nobody,
     "AttemptFails=1 EmbryonicRsts=1"},
    {"RST+ACK, seq=rcv_nxt+1000, ack good",
     {.flags = flag::rst | flag::ack, .seq = 1001, .ack = 1},
     ". seq=S+1 ack=C+1 len=0 win 64240",
     waits,
     "TCPChallengeACK=1"},
    {"ACK good, win 0", {.flags = flag::ack, .seq = 1, .ack = 1}, "", finished, "PassiveOpens=1"},
};

constexpr row syn_recv_with_timestamps[] = {
    {"ACK good, TS newer, ecr good",
     {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(5001, 0)},
     "",
     finished,
     "PassiveOpens=1"},
    {"ACK good, TS older (PAWS), ecr good",
     {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(4000, 0)},
     ". seq=S+1 ack=C+1 len=0 win 65160 ecr 5000",
     waits,
     "PAWSEstab=1"},
    {"ACK good, no TS option", {.flags = flag::ack, .seq = 1, .ack = 1}, "", finished, "PassiveOpens=1"},
    {"ACK good, ecr too old (-1000000)",
     {.flags = flag::ack, .seq = 1, .ack = 1, .options = stamp(5001, -1000000)},
     ". seq=S+1 ack=C+1 len=0 win 65160 ecr 5000",
     waits,
     "TSEcrRejected=1"},
    {"dup SYN same ISN, older TS",
     {.flags = flag::syn, .ack = 0, .options = stamp(4000, 0)},
     ". seq=S+1 ack=C+1 len=0 win 65160 ecr 5000",
     waits,
     "PAWSEstab=1"},
    {"RST seq=rcv_nxt, older TS",
     {.flags = flag::rst, .seq = 1, .ack = 0, .options = stamp(4000, 0)},
     "",
     waits,
     "PAWSEstab=1"},
};

// Everything that the kernel did to one stimulus, held against the listener in the state that `prepare` makes.
template <class Prepare>
void compare(const row& r, std::uint32_t syncookies, Prepare prepare) {
  CAPTURE(std::string{r.what});
  CAPTURE(syncookies);
  script<linux_6_18> s{16};
  s.listener.set(tunable::syncookies, syncookies);
  prepare(s);
  const seq_number iss = s.iss(0);
  const std::uint32_t clock = s.out.count > 0 ? s.out.last().options.ts_value : 0;
  const counter_values before = s.listener.counters();
  const std::size_t sent = s.out.count;
  test::sending stimulus = r.stimulus;
  if (stimulus.options.timestamps && !stimulus.flags.has(flag::syn)) stimulus.options.ts_echo += clock;
  s.send(0, stimulus);

  std::string answer;
  if (s.out.count > sent) {
    const segment& a = s.out.last();
    answer = test::text(a, C, a.flags == (flag::rst | flag::ack) ? 0 : s.iss(0) != 0 ? s.iss(0) : iss);
    if (a.flags == (flag::rst | flag::ack)) answer.replace(answer.find("S+0"), 3, "0");
  }
  CHECK(s.out.count - sent <= 1);
  CHECK(answer == r.answer);
  CHECK(s.waits(0) == (r.state == waits));
  CHECK(s.listener.accept_count() == (r.state == finished ? 1 : 0));
  CHECK(counters_text(s.listener.counters(), before) == r.counters);

  // The probe of the recording: a correct third ACK.
  if (r.state == waits && s.waits(0)) {
    s.now += 150 * millisecond;
    CHECK(s.ack(0) == verdict::promoted);
  }
}

}  // namespace

TEST_CASE("recorded: CLOSED") {
  for (const row& r : closed) {
    compare(r, 0, [](auto& s) { s.listener.close(s.out); });
  }
}

TEST_CASE("recorded: LISTEN, without and with cookies allowed") {
  for (const std::uint32_t syncookies : {0U, 1U}) {
    for (const row& r : listening) compare(r, syncookies, [](auto&) {});
  }
}

TEST_CASE("recorded: SYN_RECV, without and with cookies allowed") {
  for (const std::uint32_t syncookies : {0U, 1U}) {
    for (const row& r : syn_recv) {
      compare(r, syncookies, [](auto& s) { s.syn(0, {.mss = 1460}), s.now = at(0.08); });
    }
  }
}

TEST_CASE("recorded: SYN_RECV with timestamps, without and with cookies allowed") {
  for (const std::uint32_t syncookies : {0U, 1U}) {
    for (const row& r : syn_recv_with_timestamps) {
      compare(r, syncookies,
              [](auto& s) { s.syn(0, {.mss = 1460, .timestamps = true, .ts_value = 5000}), s.now = at(0.08); });
    }
  }
}

TEST_CASE("recorded: five ACKs out of the window within 100 ms, one answer") {
  script<linux_6_18> s{16};
  s.syn(0);
  for (int i = 0; i < 5; ++i) {
    s.now = at(0.08 + 0.02 * i);
    CHECK(s.send(0, {.flags = flag::ack, .seq = -1000, .ack = 1}) == verdict::out_of_window);
  }
  CHECK(s.out.count == 2);
  CHECK(counters_text(s.listener.counters()) == "TCPACKSkippedSynRecv=4");
  CHECK(s.ack(0) == verdict::promoted);
}

TEST_CASE("recorded: five duplicate SYNs within 100 ms, one answer") {
  script<linux_6_18> s{16};
  s.syn(0);
  for (int i = 0; i < 5; ++i) s.now = at(0.08 + 0.02 * i), s.syn(0);
  CHECK(s.out.count == 2);
  CHECK(counters_text(s.listener.counters()) == "RetransSegs=1 TCPSynRetrans=1 TCPACKSkippedSynRecv=4");
}

TEST_CASE("recorded: duplicate SYNs at 0.68 and 1.28 s are answered, the timer then fires at 2.28 s") {
  script<linux_6_18> s{16};
  std::vector<instant> answers;
  s.syn(0);
  for (const double t : {0.6817, 1.2826}) {
    s.run_until(at(t));
    s.syn(0);
    answers.push_back(s.now);
  }
  CHECK(s.out.count == 3);
  CHECK(s.listener.next_deadline() == at(2.2826));
  s.run_until(at(2.69));
  CHECK(s.out.count == 4);
  CHECK(counters_text(s.listener.counters()) == "RetransSegs=3 TCPTimeouts=1 TCPSynRetrans=3");
  CHECK(s.ack(0) == verdict::promoted);
}

// golden/halfopen.json, all 42 runs: the totals per backlog, tcp_max_syn_backlog, tcp_syncookies.
TEST_CASE("recorded: how many requests a listener holds, what the rest gets, and what is counted") {
  constexpr struct {
    int backlog;
    std::uint32_t max_syn_backlog, syncookies;
    int syns;
    std::uint32_t held;
  } runs[] = {
      {0, 8, 0, 20, 1},       {0, 128, 0, 140, 1},      {0, 2048, 0, 312, 1},    {1, 8, 0, 20, 2},
      {1, 128, 0, 140, 2},    {1, 2048, 0, 312, 2},     {2, 8, 0, 20, 3},        {2, 128, 0, 140, 3},
      {2, 2048, 0, 312, 3},   {4, 8, 0, 20, 5},         {4, 128, 0, 140, 5},     {4, 2048, 0, 312, 5},
      {16, 8, 0, 28, 7},      {16, 128, 0, 140, 17},    {16, 2048, 0, 312, 17},  {256, 8, 0, 268, 7},
      {256, 128, 0, 268, 97}, {256, 2048, 0, 312, 257}, {0, 8, 1, 20, 1},        {0, 128, 1, 140, 1},
      {0, 2048, 1, 312, 1},   {1, 8, 1, 20, 2},         {1, 128, 1, 140, 2},     {1, 2048, 1, 312, 2},
      {2, 8, 1, 20, 3},       {2, 128, 1, 140, 3},      {2, 2048, 1, 312, 3},    {4, 8, 1, 20, 5},
      {4, 128, 1, 140, 5},    {4, 2048, 1, 312, 5},     {16, 8, 1, 28, 17},      {16, 128, 1, 140, 17},
      {16, 2048, 1, 312, 17}, {256, 8, 1, 268, 257},    {256, 128, 1, 268, 257}, {256, 2048, 1, 312, 257},
      {0, 128, 2, 140, 0},    {1, 128, 2, 140, 0},      {2, 128, 2, 140, 0},     {4, 128, 2, 140, 0},
      {16, 128, 2, 140, 0},   {256, 128, 2, 268, 0},
  };
  for (const auto& r : runs) {
    CAPTURE(r.backlog);
    CAPTURE(r.max_syn_backlog);
    CAPTURE(r.syncookies);
    script<linux_6_18> s{r.backlog};
    s.listener.set(tunable::max_syn_backlog, r.max_syn_backlog);
    s.listener.set(tunable::syncookies, r.syncookies);
    std::uint32_t requests = 0;
    std::uint32_t cookies = 0;
    std::uint32_t dropped = 0;
    bool only_requests_so_far = true;
    for (int i = 0; i < r.syns; ++i) {
      const verdict v = s.syn(i);
      requests += v == verdict::admitted;
      cookies += v == verdict::cookie_sent;
      dropped += v == verdict::dropped_request_full || v == verdict::dropped_last_quarter;
      if (v == verdict::admitted) CHECK(only_requests_so_far);
      only_requests_so_far = only_requests_so_far && v == verdict::admitted;
    }
    const auto rest = static_cast<std::uint32_t>(r.syns) - r.held;
    CHECK(requests == r.held);
    CHECK(cookies == (r.syncookies > 0 ? rest : 0));
    CHECK(dropped == (r.syncookies > 0 ? 0 : rest));
    CHECK(s.listener.request_count() == r.held);
    // The closed form of golden/README.md.
    const std::uint32_t m = r.max_syn_backlog;
    const auto full = static_cast<std::uint32_t>(r.backlog) + 1;
    const std::uint32_t quarter = m - (m >> 2) + 1;
    CHECK(r.held == (r.syncookies == 0 ? (full < quarter ? full : quarter) : r.syncookies == 1 ? full : 0));
    const counter_values& n = s.listener.counters();
    CHECK(n.listen_drops == dropped);
    CHECK(n.req_q_full_drop == (full <= quarter ? dropped : 0));
    CHECK(n.syncookies_sent == cookies);
    CHECK(n.req_q_full_do_cookies == cookies);
  }
}

// --- golden/extra.json
// ------------------------------------------------------------------------------------------------

TEST_CASE("recorded: a cookie's life - stray before, failed when wrong, good with data") {
  script<linux_6_18> s{16};
  s.listener.set(tunable::syncookies, 2);
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 1}) == verdict::stray);
  CHECK(counters_text(s.listener.counters()) == "OutRsts=1");
  s.syn(0, {.mss = 1460});
  CHECK(test::text(s.out.last(), C, s.iss(0)) == "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460");
  counter_values before = s.listener.counters();
  CHECK(s.send(0, {.flags = flag::ack, .seq = 1, .ack = 777}) == verdict::stray);
  CHECK(counters_text(s.listener.counters(), before) == "OutRsts=1 SyncookiesFailed=1");
  CHECK(s.send(0, {.flags = flag::ack, .seq = 5, .ack = 1}) == verdict::stray);
  CHECK(s.send(0, {.flags = flag::rst, .seq = 1}) == verdict::ignored);
  before = s.listener.counters();
  CHECK(s.data(0) == verdict::cookie_promoted);
  CHECK(counters_text(s.listener.counters(), before) == "PassiveOpens=1 SyncookiesRecv=1");
}

TEST_CASE("recorded: the same SYN twice gets the same cookie") {
  script<linux_6_18> s{16};
  s.listener.set(tunable::syncookies, 2);
  s.syn(0);
  const seq_number first = s.out.last().seq;
  s.now = at(0.3);
  CHECK(s.syn(0) == verdict::cookie_sent);
  CHECK(s.out.last().seq == first);
}

TEST_CASE("recorded: the options of a cookie's SYN-ACK") {
  const auto answer = [](const tcp_options& o) {
    script<linux_6_18> s{16};
    s.listener.set(tunable::syncookies, 2);
    s.syn(0, o);
    return test::text(s.out.last(), C, s.iss(0));
  };
  CHECK(answer({}) == "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460");
  CHECK(answer({.window_scale = 7}) == "S. seq=S+0 ack=C+1 len=0 win 64240 mss 1460");
  CHECK(answer({.timestamps = true, .ts_value = 5000}) == "S. seq=S+0 ack=C+1 len=0 win 65160 mss 1460 ecr 5000");
}

TEST_CASE("recorded: the segment size that a cookie remembers") {
  const auto size = [](std::uint16_t mss) {
    linux_6_18 l;
    l.listen(16);
    l.set(tunable::syncookies, 2);
    segment s;
    s.flags = flag::syn;
    s.options.mss = mss;
    const auto syn_step = l.receive(s, 0);
    s.flags = flag::ack;
    s.seq = 1;
    s.ack = syn_step.reply->seq + 1;
    const auto ack_step = l.receive(s, 0);
    REQUIRE(ack_step.finished);
    return ack_step.finished->peer_mss;
  };
  CHECK(size(300) == 536);
  CHECK(size(536) == 536);
  CHECK(size(600) == 536);
  CHECK(size(1440) == 1440);
  CHECK(size(9000) == 1460);
}

TEST_CASE("recorded: a SYN that meets a full accept queue is dropped, whatever tcp_syncookies is") {
  for (const std::uint32_t syncookies : {0U, 1U, 2U}) {
    CAPTURE(syncookies);
    script<linux_6_18> s{1};
    s.connect(0, 1);
    s.listener.set(tunable::syncookies, syncookies);
    const counter_values before = s.listener.counters();
    CHECK(s.syn(2) == verdict::dropped_accept_full);
    CHECK(s.out.count == 2);
    CHECK(counters_text(s.listener.counters(), before) ==
          (syncookies == 2 ? "ListenOverflows=1 ListenDrops=1 TCPReqQFullDoCookies=1"
                           : "ListenOverflows=1 ListenDrops=1"));
  }
}

TEST_CASE("recorded: what listen() makes of its number") {
  linux_6_18 l;
  for (const auto& [asked, got] :
       std::vector<std::pair<int, std::uint32_t>>{{-1, 4096}, {0, 0}, {1, 1}, {5000, 4096}, {100000, 4096}}) {
    l.listen(asked);
    CHECK(l.backlog() == got);
  }
}

TEST_CASE("recorded: a SYN that a TIME-WAIT lets through is answered with the ISN it demands") {
  script<linux_6_18> s{16};
  s.facts.isn = s.iss(0) + 65539;
  CHECK(s.send(0, {.flags = flag::syn, .seq = 5000}) == verdict::admitted);
  CHECK(s.out.last().seq == 65539);
  CHECK(s.out.last().ack == C + 5001);
}

// --- golden/overflow.json
// ---------------------------------------------------------------------------------------------

// B connections wait (one slot is left), B + 3 SYNs come in a burst and all their SYN-ACKs are answered.
TEST_CASE("recorded: the final ACK that meets a full accept queue") {
  const auto burst = [](int backlog, std::uint32_t abort, std::uint32_t syncookies) {
    script<linux_6_18> s{backlog};
    s.connect(0, backlog - 1);
    s.listener.set(tunable::abort_on_overflow, abort);
    s.listener.set(tunable::syncookies, syncookies);
    for (int i = 0; i < backlog + 3; ++i) s.syn(100 + i);
    for (int i = 0; i < backlog + 3; ++i) s.ack(100 + i);
    return s;
  };
  const auto kept = burst(2, 0, 0);
  CHECK(kept.listener.accept_count() == 3);
  CHECK(kept.listener.request_count() == 2);
  CHECK(kept.listener.counters().listen_overflows == 2);
  CHECK(kept.listener.counters().req_q_full_drop == 2);
  CHECK(kept.request(101).acked);
  const auto aborted = burst(2, 1, 0);
  CHECK(aborted.listener.request_count() == 0);
  CHECK(aborted.listener.counters().embryonic_rsts == 2);
  CHECK(aborted.listener.counters().listen_overflows == 2);
  const auto cookies = burst(2, 1, 1);
  CHECK(cookies.listener.counters().syncookies_sent == 2);
  CHECK(cookies.listener.counters().syncookies_recv == 2);
  CHECK(cookies.listener.counters().listen_overflows == 4);
  CHECK(cookies.listener.counters().embryonic_rsts == 2);
}

// Ages on as if its ACK had never come, and dies at 63 s; accepted in time, its next ACK finishes it.
TEST_CASE("a request whose ACK found no room is resent like any other and promoted by a later ACK") {
  script<linux_6_18> s{1};
  s.syn(0), s.syn(1);
  s.listener.listen(0);
  s.ack(0), s.ack(1);
  s.run_until(at(7.5));
  CHECK(s.request(1).retransmits == 3);
  s.listener.accept();
  CHECK(s.ack(1) == verdict::promoted);
}
