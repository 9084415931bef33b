// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <listenq/transport/traced.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace listenq;

struct pipe {
  using addressing_type = ipv4;
  std::deque<segment> incoming{};
  std::vector<segment> outgoing{};
  send_result answer = send_result::sent;
  bool open = true;

  std::optional<segment> receive() {
    if (incoming.empty()) return std::nullopt;
    const segment s = incoming.front();
    incoming.pop_front();
    return s;
  }
  send_result send(const segment& s) {
    outgoing.push_back(s);
    return answer;
  }
  bool writable() const { return open; }
  transport_limits limits() const { return {.max_payload = 99}; }
};

struct entry {
  instant at = 0;
  seq_number seq = 0;
  bool lost = false;
  wire::direction way = wire::direction::unknown;
  friend bool operator==(const entry&, const entry&) = default;
};
struct log_recorder {
  std::vector<entry> entries{};
  template <addressing A>
  void record(instant at, const basic_segment<A>& s, bool lost = false,
              wire::direction way = wire::direction::unknown) {
    entries.push_back({at, s.seq, lost, way});
  }
};
struct plain_recorder {
  std::size_t count = 0;
  template <addressing A>
  void record(instant, const basic_segment<A>&, bool) {
    ++count;
  }
};
static_assert(recorder<log_recorder, ipv4>);
static_assert(recorder<pcapng_recorder, tagged<ipv6>>);
static_assert(recorder<mermaid_recorder, tagged<dual>>);
static_assert(recorder<text_recorder, ipv6>);

struct stopped_clock {
  instant* now;
  instant operator()() const { return *now; }
};
static_assert(transport<traced<pipe, log_recorder, stopped_clock>>);
static_assert(transport<traced<pipe&, log_recorder&, stopped_clock>>);

segment numbered(seq_number n) {
  segment s;
  s.seq = n;
  return s;
}

constexpr endpoint client{ip(127, 0, 0, 1), 33769};
constexpr endpoint server{ip(127, 0, 0, 1), 20000};

constexpr tcp_options stamps(std::uint32_t value, std::uint32_t echo, bool syn = false) {
  tcp_options o{.timestamps = true, .ts_value = value, .ts_echo = echo};
  if (syn) {
    o.mss = 16396;
    o.window_scale = 6;
    o.sack_permitted = true;
  }
  return o;
}

const std::vector<std::byte> hello(13, std::byte{'h'});

// The capture of the first article: handshake, data that is sent again, SYN-ACK that is sent again.
std::vector<std::pair<instant, segment>> article() {
  constexpr instant start = 923809;
  const segment data{.source = client,
                     .destination = server,
                     .seq = 495577846,
                     .ack = 501188915,
                     .flags = flag::psh | flag::ack,
                     .window = 513,
                     .options = stamps(795519246, 795517246),
                     .payload = {hello.data(), hello.size()}};
  segment ack = data;
  ack.flags = flag::ack;
  ack.options.ts_value = 795517246;
  ack.payload = {};
  const segment syn{.source = client,
                    .destination = server,
                    .seq = 495577845,
                    .flags = flag::syn,
                    .window = 32792,
                    .options = stamps(795517246, 0, true)};
  segment syn_ack{.source = server,
                  .destination = client,
                  .seq = 501188914,
                  .ack = 495577846,
                  .flags = flag::syn | flag::ack,
                  .window = 32768,
                  .options = stamps(795517246, 795517246, true)};
  segment again = syn_ack;
  again.options = stamps(795521656, 795520684, true);
  return {{start, syn}, {923842, syn_ack}, {923861, ack}, {2924175, data}, {5333869, again}};
}

template <class Recorder>
std::string told(const std::vector<std::pair<instant, segment>>& segments) {
  std::ostringstream out;
  Recorder r(out);
  for (const auto& [at, s] : segments) r.record(at, s);
  return out.str();
}

std::string line(const segment& s, instant at = 0) {
  std::ostringstream out;
  text_recorder(out).record(at, s);
  return out.str();
}

std::uint32_t little(const std::string& b, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 4; i-- > 0;) v = v << 8 | static_cast<unsigned char>(b.at(at + i));
  return v;
}

}  // namespace

TEST_CASE("traced: what comes in and what goes out is told, with the clock's time") {
  // Bug: a direction mixed up, a clock read once, or an empty receive recorded.
  instant now = 5;
  pipe p;
  p.incoming = {numbered(1)};
  log_recorder log;
  traced t(p, log, stopped_clock{&now});
  CHECK(t.receive()->seq == 1);
  CHECK_FALSE(t.receive().has_value());
  now = 6;
  CHECK(t.send(numbered(2)) == send_result::sent);
  CHECK(log.entries == std::vector<entry>{{5, 1, false, wire::direction::in}, {6, 2, false, wire::direction::out}});
  CHECK(p.outgoing.size() == 1);
}

TEST_CASE("traced: a segment that failed is recorded as lost, one for later not at all") {
  // Bug: a trace that shows a segment which never left, or the same one twice.
  instant now = 0;
  pipe p;
  log_recorder log;
  traced t(p, log, stopped_clock{&now});
  p.answer = send_result::later;
  CHECK(t.send(numbered(1)) == send_result::later);
  CHECK(log.entries.empty());
  p.answer = send_result::failed;
  CHECK(t.send(numbered(1)) == send_result::failed);
  CHECK(log.entries == std::vector<entry>{{0, 1, true, wire::direction::out}});
}

TEST_CASE("traced: it answers for the inner transport and works with a recorder that knows no direction") {
  // Bug: limits or writability of its own.
  instant now = 0;
  traced t(pipe{.incoming = {numbered(1)}, .open = false}, plain_recorder{}, stopped_clock{&now});
  CHECK_FALSE(t.writable());
  CHECK(t.limits().max_payload == 99);
  CHECK(t.receive().has_value());
  plain_recorder mine;
  traced u(pipe{}, mine, stopped_clock{&now});
  u.send(numbered(1));
  CHECK(mine.count == 1);
}

TEST_CASE("text: the article's capture comes out as tcpdump printed it") {
  // Bug: option order, relative numbers, or a repeated SYN-ACK printed relative.
  CHECK(told<text_recorder>(article()) ==
        "0.923809 IP 127.0.0.1.33769 > 127.0.0.1.20000: Flags [S], seq 495577845, win 32792, options [mss "
        "16396,sackOK,TS val 795517246 ecr 0,nop,wscale 6], length 0\n"
        "0.923842 IP 127.0.0.1.20000 > 127.0.0.1.33769: Flags [S.], seq 501188914, ack 495577846, win 32768, options "
        "[mss 16396,sackOK,TS val 795517246 ecr 795517246,nop,wscale 6], length 0\n"
        "0.923861 IP 127.0.0.1.33769 > 127.0.0.1.20000: Flags [.], ack 1, win 513, options [nop,nop,TS val 795517246 "
        "ecr 795517246], length 0\n"
        "2.924175 IP 127.0.0.1.33769 > 127.0.0.1.20000: Flags [P.], seq 1:14, ack 1, win 513, options [nop,nop,TS val "
        "795519246 ecr 795517246], length 13\n"
        "5.333869 IP 127.0.0.1.20000 > 127.0.0.1.33769: Flags [S.], seq 501188914, ack 495577846, win 32768, options "
        "[mss 16396,sackOK,TS val 795521656 ecr 795520684,nop,wscale 6], length 0\n");
}

TEST_CASE("text: a RST without ACK keeps its absolute number") {
  // Bug: made relative; the second article's capture has `Flags [R], seq 3469333182, win 0, length 0`.
  std::ostringstream out;
  text_recorder r(out);
  r.record(0, segment{.source = server,
                      .destination = client,
                      .seq = 3469333181,
                      .ack = 3470574314,
                      .flags = flag::syn | flag::ack});
  out.str("");
  r.record(20474905, segment{.source = server, .destination = client, .seq = 3469333182, .flags = flag::rst});
  CHECK(out.str() == "20.474905 IP 127.0.0.1.20000 > 127.0.0.1.33769: Flags [R], seq 3469333182, win 0, length 0\n");
}

TEST_CASE("text: both directions are relative to their own SYN, FIN shows its number") {
  // Bug: the two bases swapped for the endpoint that sorts second.
  std::ostringstream out;
  text_recorder r(out);
  for (const auto& [at, s] : article()) r.record(at, s);
  out.str("");
  r.record(0, segment{.source = server,
                      .destination = client,
                      .seq = 501188915,
                      .ack = 495577859,
                      .flags = flag::fin | flag::ack,
                      .window = 512});
  CHECK(out.str() == "0.000000 IP 127.0.0.1.20000 > 127.0.0.1.33769: Flags [F.], seq 1, ack 14, win 512, length 0\n");
}

TEST_CASE("text: a conversation seen from its middle starts absolute and goes on relative") {
  // Bug: the first ACK printed as 1 although nobody knows where the connection began.
  std::ostringstream out;
  text_recorder r(out);
  const segment s{.source = client, .destination = server, .seq = 100, .ack = 201, .flags = flag::rst | flag::ack};
  r.record(0, s);
  r.record(1, s);
  CHECK(out.str() ==
        "0.000000 IP 127.0.0.1.33769 > 127.0.0.1.20000: Flags [R.], seq 100, ack 201, win 0, length 0\n"
        "0.000001 IP 127.0.0.1.33769 > 127.0.0.1.20000: Flags [R.], seq 0, ack 1, win 0, length 0\n");
}

TEST_CASE("text: flags have tcpdump's letters and order, a lost segment says so") {
  // Bug: a letter missing or in RFC order.
  CHECK(line({.flags = {0xff}}).find("Flags [FSRP.UEW]") != std::string::npos);
  CHECK(line({.flags = {0}}) == "0.000000 IP 0.0.0.0.0 > 0.0.0.0.0: Flags [none], win 0, length 0\n");
  std::ostringstream out;
  text_recorder(out).record(0, segment{}, true);
  CHECK(out.str() == "0.000000 IP 0.0.0.0.0 > 0.0.0.0.0: Flags [none], win 0, length 0 (lost)\n");
}

TEST_CASE("text: IPv6 has tcpdump's IP6 and addresses as RFC 5952 wants them") {
  // Bug: leading zeros kept, the second run compressed, one zero group compressed.
  CHECK(to_text(ipv6::address{}) == "::");
  CHECK(to_text(ipv6::address{{0, 0, 0, 1}}) == "::1");
  CHECK(to_text(ipv6::address{{1U << 16, 0, 0, 0}}) == "1::");
  CHECK(to_text(ipv6::address{{0x20010db8, 0, 0, 0x00010000}}) == "2001:db8::1:0");
  CHECK(to_text(ipv6::address{{0x20010db8, 0x00000001, 0x00010001, 0x00010001}}) == "2001:db8:0:1:1:1:1:1");
  CHECK(to_text(ipv6::address{{0x20010db8, 0x00000000, 0x00010000, 0x00000001}}) == "2001:db8::1:0:0:1");
  CHECK(to_text(ipv6::address{{0x20010000, 0x00000001, 0, 1}}) == "2001:0:0:1::1");
  CHECK(to_text(ipv6::address{{0xabcdef01, 0x23456789, 0x0abc00de, 0x000fffff}}) ==
        "abcd:ef01:2345:6789:abc:de:f:ffff");
  CHECK(to_text(dual::mapped(ip(192, 0, 2, 1))) == "::ffff:192.0.2.1");
  std::ostringstream out;
  text_recorder(out).record(12, basic_segment<ipv6>{.source = {{{0, 0, 0, 1}}, 1}, .destination = {{{0, 0, 0, 2}}, 2}});
  CHECK(out.str() == "0.000012 IP6 ::1.1 > ::2.2: Flags [none], win 0, length 0\n");
}

TEST_CASE("text: fast open looks as tcpdump prints it") {
  segment s;
  s.source = {ip(10, 0, 0, 1), 1};
  s.destination = {ip(10, 0, 0, 2), 2};
  s.flags = flag::syn;
  const auto line = [&s] {
    std::ostringstream out;
    text_recorder(out).record(0, s);
    return out.str();
  };
  s.options.fast_open = fast_open_option::request();
  CHECK(line().find("options [tfo  cookiereq,nop,nop]") != std::string::npos);
  s.options.fast_open = {.bytes = {0x0a, 0xb1, 2, 3}, .size = 4, .experimental = true};
  CHECK(line().find("options [exp-tfo cookie 0ab10203]") != std::string::npos);
}

TEST_CASE("text: endpoints and times have one form each") {
  // Bug: an IPv6 address that runs into its port, microseconds without leading zeros, a sign lost.
  CHECK(to_text(client) == "127.0.0.1:33769");
  CHECK(to_text(basic_endpoint<ipv6>{{{0, 0, 0, 1}}, 80}) == "[::1]:80");
  CHECK(to_text(basic_endpoint<tagged<ipv4>>{{ip(10, 0, 0, 1), 7}, 80}) == "10.0.0.1%7:80");
  CHECK(time_text(12) == "0.000012");
  CHECK(time_text(1'000'000) == "1.000000");
  CHECK(time_text(-1) == "-0.000001");
  CHECK(time_text(never) == "9223372036854.775807");
}

TEST_CASE("mermaid: a handshake is a sequence diagram with dotted answers") {
  // Bug: participants undeclared or in the wrong roles, arrows that Mermaid does not know.
  CHECK(told<mermaid_recorder>(article()) ==
        "sequenceDiagram\n"
        "    participant C1 as 127.0.0.1:33769\n"
        "    participant S as 127.0.0.1:20000\n"
        "    C1->>S: SYN at 0.923809\n"
        "    S-->>C1: SYN-ACK at 0.923842\n"
        "    C1->>S: ACK at 0.923861\n"
        "    C1->>S: PSH-ACK 13 bytes at 2.924175\n"
        "    S-->>C1: SYN-ACK at 5.333869\n");
}

TEST_CASE("mermaid: lost segments end in a cross, in both styles") {
  // Bug: a lost segment that looks delivered.
  std::ostringstream out;
  mermaid_recorder r(out);
  r.record(0, segment{.source = client, .destination = server, .flags = flag::syn}, true);
  r.record(1, segment{.source = server, .destination = client, .flags = flag::rst | flag::ack}, true);
  CHECK(out.str().find("    C1-xS: SYN at 0.000000, lost\n") != std::string::npos);
  CHECK(out.str().find("    S--xC1: RST-ACK at 0.000001, lost\n") != std::string::npos);
}

TEST_CASE("mermaid: every further client and server gets its own name") {
  // Bug: two endpoints with one identifier; a server that becomes a client because a SYN-ACK was seen first.
  std::ostringstream out;
  mermaid_recorder r(out);
  endpoint other = client;
  other.port = 1;
  endpoint second_server = server;
  second_server.port = 2;
  r.record(0, segment{.source = server, .destination = client, .flags = flag::syn | flag::ack});
  r.record(0, segment{.source = other, .destination = server, .flags = flag::syn});
  r.record(0, segment{.source = other, .destination = second_server, .flags = flag::syn});
  CHECK(out.str() ==
        "sequenceDiagram\n"
        "    participant S as 127.0.0.1:20000\n"
        "    participant C1 as 127.0.0.1:33769\n"
        "    S-->>C1: SYN-ACK at 0.000000\n"
        "    participant C2 as 127.0.0.1:1\n"
        "    C2->>S: SYN at 0.000000\n"
        "    participant S2 as 127.0.0.1:2\n"
        "    C2->>S2: SYN at 0.000000\n");
}

TEST_CASE("mermaid: names given first are used, made safe, and never shared") {
  // Bug: a name with a space, `end` or an arrow in it breaks the whole diagram; two hosts with one line.
  std::ostringstream out;
  mermaid_recorder r(out);
  r.name(client, "alice->>bob; #1");
  r.name(server, "end", true);
  r.name(server, "too late");
  r.name(endpoint{ip(1, 1, 1, 1), 1}, "end");
  r.record(0, segment{.source = client, .destination = server, .flags = flag::syn});
  r.record(0, segment{.source = server, .destination = client, .flags = flag::none});
  CHECK(out.str() ==
        "sequenceDiagram\n"
        "    participant alice___bob___1 as alice___bob___1 127.0.0.1:33769\n"
        "    participant end_ as end_ 127.0.0.1:20000\n"
        "    participant end__ as end__ 1.1.1.1:1\n"
        "    alice___bob___1->>end_: SYN at 0.000000\n"
        "    end_-->>alice___bob___1: none at 0.000000\n");
}

TEST_CASE("pcapng recorder: packets in the capture are the segments that were recorded") {
  // Bug: a buffer reused at the old size, an IPv4 packet at the IPv6 offset, the lost one unmarked.
  std::ostringstream out;
  pcapng_recorder r(out);
  REQUIRE(out.str().size() == 48);
  for (const auto& [at, s] : article()) r.record(at, s, false, wire::direction::in);
  r.record(9, article()[0].second, true);
  std::string b = out.str();
  std::size_t at = 48;
  for (const auto& [when, s] : article()) {
    REQUIRE(little(b, at) == 6);
    CHECK(little(b, at + 16) == when);
    const auto p =
        wire::read_packet<ipv4>({reinterpret_cast<const std::byte*>(b.data()) + at + 28, little(b, at + 20)});
    REQUIRE(p.error == wire::parse_error::none);
    CHECK(p.segment.seq == s.seq);
    CHECK(p.segment.options == s.options);
    CHECK(p.segment.payload.size == s.payload.size);
    at += little(b, at + 4);
  }
  CHECK(std::string_view(b).substr(at + 28 + 60 + 4, 4) == "lost");
  CHECK(at + little(b, at + 4) == b.size());
  CHECK(r.skipped() == 0);
}

TEST_CASE("pcapng recorder: a tag is left out, a segment too long for IP is counted and left out") {
  // Bug: a capture cut in the middle of a block.
  std::ostringstream out;
  pcapng_recorder r(out);
  const std::vector<std::byte> payload(65496);
  segment s;
  s.payload = {payload.data(), payload.size()};
  r.record(0, s);
  CHECK(r.skipped() == 1);
  CHECK(out.str().size() == 48);
  r.record(0, basic_segment<tagged<ipv4>>{.source = {{ip(1, 2, 3, 4), 9}, 5}, .seq = 77});
  const std::string b = out.str();
  const auto p = wire::read_packet<ipv4>({reinterpret_cast<const std::byte*>(b.data()) + 48 + 28, 40});
  REQUIRE(p.error == wire::parse_error::none);
  CHECK(p.segment.source == endpoint{ip(1, 2, 3, 4), 5});
  CHECK(p.segment.seq == 77);
}
