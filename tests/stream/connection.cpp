// SPDX-License-Identifier: BSL-1.0
// stream/connection.hpp: the rows of golden/responses.json in ESTABLISHED, restated; bytes, timers, FIN, RST, windows.
#include <doctest/doctest.h>

#include <cstring>
#include <listenq/stream/connection.hpp>
#include <string>
#include <tuple>
#include <vector>

using namespace listenq;

namespace {

constexpr four_tuple tuple{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000};  // peer, local
constexpr seq_number C = 1000, S = 5000;                                     // client's and server's ISN

struct sent_segment {
  segment s;
  std::string data;
};

struct recorder {
  std::vector<sent_segment> sent;
  send_result answer = send_result::sent;
  send_result send(const segment& s) {
    if (answer == send_result::later) return answer;
    std::string data(s.payload.size, '\0');
    if (!data.empty()) std::memcpy(data.data(), s.payload.data, data.size());
    sent.push_back({s, data});
    sent.back().s.payload = {};
    return answer;
  }
};

byte_view bytes(const std::string& s) { return {reinterpret_cast<const std::byte*>(s.data()), s.size()}; }

established start_of(std::uint16_t window = 64240) {
  established e;
  e.tuple = tuple;
  e.iss = S;
  e.irs = C;
  e.ours.mss = e.theirs.mss = 1460;
  e.our_window = window;
  e.peer_window = 64240;
  return e;
}

// Text for what was sent, as golden/ writes it: flags, seq and ack relative to the ISNs, length, window.
std::string text(const sent_segment& x) {
  std::string t;
  if (x.s.flags.has(flag::syn)) t += 'S';
  if (x.s.flags.has(flag::fin)) t += 'F';
  if (x.s.flags.has(flag::rst)) t += 'R';
  if (x.s.flags.has(flag::psh)) t += 'P';
  if (x.s.flags.has(flag::ack)) t += '.';
  t += " seq=S+" + std::to_string(x.s.seq - S);
  t += x.s.flags.has(flag::ack) ? " ack=C+" + std::to_string(x.s.ack - C) : " ack=-";
  return t + " len=" + std::to_string(x.data.size()) + " win " + std::to_string(x.s.window);
}

struct child {
  connection c;
  recorder out;
  instant now = 0;

  explicit child(const kernel_profile& p = profile::linux_6_18, const established& e = start_of())
      : c(p, e, opening::passive) {
    give(flag::ack, 1, 1);
    out.sent.clear();
  }
  // A segment from the client; numbers relative to the ISNs.
  connection_events give(flags f, std::int64_t seq, std::int64_t ack, const std::string& data = {},
                         std::uint16_t window = 64240) {
    segment s;
    s.source = tuple.peer();
    s.destination = tuple.local();
    s.flags = f;
    s.seq = C + static_cast<seq_number>(seq);
    s.ack = S + static_cast<seq_number>(ack);
    s.window = window;
    s.payload = bytes(data);
    return c.receive(s, now, out);
  }
  std::string read(std::size_t room = 100000) {
    std::string to(room, '\0');
    to.resize(c.read(reinterpret_cast<std::byte*>(to.data()), room, now, out));
    return to;
  }
  std::string answer() const {
    std::string t;
    for (const auto& x : out.sent) t += (t.empty() ? "" : "; ") + text(x);
    return t;
  }
  void tick_next() {
    now = c.next_deadline().value();
    c.tick(now, out);
  }
};

// Two connections facing each other over a wire without delay; `drop` swallows what it says.
struct pair {
  static established side(bool client, const tcp_options& offer, seq_number client_iss, seq_number server_iss) {
    established e = start_of();
    e.ours = e.theirs = offer;
    if (client) e.tuple = {tuple.local_address, tuple.peer_address, tuple.local_port, tuple.peer_port};
    e.iss = client ? client_iss : server_iss;
    e.irs = client ? server_iss : client_iss;
    return e;
  }
  recorder to_server, to_client;
  connection client, server;
  instant now = 0;

  explicit pair(const tcp_options& offer = profile::linux_6_18.offer, seq_number client_iss = C,
                seq_number server_iss = S)
      : client(profile::linux_6_18, side(true, offer, client_iss, server_iss), opening::active),
        server(profile::linux_6_18, side(false, offer, client_iss, server_iss), opening::passive) {
    segment ack;  // the final ACK
    ack.flags = flag::ack;
    ack.seq = client_iss + 1;
    ack.ack = server_iss + 1;
    ack.window = 63;
    ack.options.timestamps = offer.timestamps;
    server.receive(ack, now, to_client);
  }
  static void move(recorder& from, connection& to, recorder& replies, instant now) {
    std::vector<sent_segment> batch;
    batch.swap(from.sent);
    for (auto& x : batch) {
      x.s.payload = bytes(x.data);
      to.receive(x.s, now, replies);
    }
  }
  void settle() {
    while (!to_server.sent.empty() || !to_client.sent.empty()) {
      move(to_server, server, to_client, now);
      move(to_client, client, to_server, now);
    }
  }
  std::string read(connection& c, recorder& out) {
    std::string all;
    char buffer[4096];
    while (const std::size_t n = c.read(reinterpret_cast<std::byte*>(buffer), sizeof buffer, now, out)) {
      all.append(buffer, n);
      settle();
    }
    return all;
  }
};

std::vector<double> repetitions(const kernel_profile& p, std::size_t count) {
  child t(p);
  t.c.send(bytes("hello, world\n"), 0, t.out);
  std::vector<double> at;
  while (at.size() < count) {
    t.out.sent.clear();
    t.tick_next();
    if (!t.out.sent.empty()) at.push_back(static_cast<double>(t.now) / second);
  }
  return at;
}

}  // namespace

// Bug caught, row by row: an answer that a real 6.18 does not give, or the wrong state after it.
TEST_CASE("ESTABLISHED answers odd segments as Linux 6.18 was recorded to") {
  struct row {
    const char* stimulus;
    flags f;
    std::int64_t seq, ack;
    const char* data;
    const char* answer;
    const char* state;
  };
  const char* const ack = ". seq=S+1 ack=C+1 len=0 win 64240";
  const row rows[] = {
      {"dup third ACK", flag::ack, 1, 1, "", "", "ESTAB"},
      {"data13 in order", flag::psh | flag::ack, 1, 1, "hello, world\n", ". seq=S+1 ack=C+14 len=0 win 64227", "ESTAB"},
      {"SYN, old ISN", flag::syn, 0, 0, "", ack, "ESTAB"},
      {"SYN, rcv_nxt", flag::syn, 1, 0, "", ack, "ESTAB"},
      {"SYN, in window", flag::syn, 1000, 0, "", ack, "ESTAB"},
      {"SYN, out of window (new ISN +1e6)", flag::syn, 1000000, 0, "", ack, "ESTAB"},
      {"SYN+ACK, old ISN", flag::syn | flag::ack, 0, 1, "", ack, "ESTAB"},
      {"RST, seq=rcv_nxt", flag::rst, 1, 0, "", "", "UNCONN"},
      {"RST, in window", flag::rst, 1000, 0, "", ack, "ESTAB"},
      {"RST, seq=right edge", flag::rst, 64241, 0, "", ack, "ESTAB"},
      {"RST, left of window", flag::rst, -1000, 0, "", "", "ESTAB"},
      {"RST, right of window", flag::rst, 1000000, 0, "", "", "ESTAB"},
      {"RST+ACK seq=rcv_nxt, ack bad", flag::rst | flag::ack, 1, 5000, "", "", "UNCONN"},
      {"ACK of unsent data", flag::ack, 1, 1000, "", ack, "ESTAB"},
      {"NULL flags + data13", flag::none, 1, 0, "hello, world\n", "", "ESTAB"},
      {"NULL flags + data13, out of window", flag::none, 100000, 0, "hello, world\n", "", "ESTAB"},
      {"data13, no ACK flag", flag::psh, 1, 0, "hello, world\n", "", "ESTAB"},
      {"data13 out of order (+100)", flag::psh | flag::ack, 101, 1, "hello, world\n", ack, "ESTAB"},
      {"data13 old (seq=ISN-99)", flag::psh | flag::ack, -99, 1, "hello, world\n", ack, "ESTAB"},
      {"keepalive probe (seq=ISN, len 0)", flag::ack, 0, 1, "", ack, "ESTAB"},
      {"out-of-window ACK", flag::ack, -1000, 1, "", ack, "ESTAB"},
      {"FIN+ACK", flag::fin | flag::ack, 1, 1, "", ". seq=S+1 ack=C+2 len=0 win 64239", "CLOSE-WAIT"},
  };
  for (const row& r : rows) {
    CAPTURE(r.stimulus);
    child t;
    t.give(r.f, r.seq, r.ack, r.data);
    CHECK(t.answer() == r.answer);
    CHECK(std::string(state_name(t.c.state())) == r.state);
    CHECK(t.c.error() == (t.c.state() == connection_state::closed ? connection_error::reset : connection_error::none));
    if (t.c.state() != connection_state::established || t.c.bytes_available() > 0) continue;
    t.out.sent.clear();  // the recordings' probe: the stimulus must have done no harm
    t.give(flag::psh | flag::ack, 1, 1, "probe");
    CHECK(t.answer() == ". seq=S+1 ack=C+6 len=0 win 64235");
    CHECK(t.read() == "probe");
  }
}

// Bug caught: two endpoints answering each other's challenge ACKs for ever (golden: 5 in 100 ms get one answer).
TEST_CASE("invalid segments get one answer per 500 ms on 6.18, each on 3.12") {
  for (const bool syn : {false, true}) {
    child modern;
    child old(profile::linux_3_12);
    for (int i = 0; i < 5; ++i) {
      for (child* t : {&modern, &old}) {
        t->give(syn ? flag::syn : flag::ack, syn ? 1000 : -1000, 1);
        t->now += 20 * millisecond;
      }
    }
    CHECK(modern.out.sent.size() == 1);
    CHECK(old.out.sent.size() == 5);
    modern.now = 500 * millisecond;
    modern.give(flag::ack, -1000, 1);
    CHECK(modern.out.sent.size() == 2);
  }
}

// Bug caught: the limit also silencing the ACK of a repeated data segment, so that a lost ACK stalls the sender.
TEST_CASE("old data is acknowledged however often it comes") {
  child t;
  t.give(flag::ack, 1, 1, "abc");
  for (int i = 0; i < 3; ++i) t.give(flag::ack, 1, 1, "abc");
  CHECK(t.out.sent.size() == 4);
  t.give(flag::ack, -99, 1, "abc");
  CHECK(t.out.sent.size() == 5);
}

// Bug caught: RFC 5961 applied to a kernel that predates it (3.6).
TEST_CASE("2.6.32 dies of any RST in the window and of a SYN in it") {
  child a(profile::linux_2_6_32);
  a.give(flag::rst, 1000, 0);
  CHECK(a.c.state() == connection_state::closed);
  CHECK(a.out.sent.empty());
  child b(profile::linux_2_6_32);
  b.give(flag::syn, 1000, 0);
  CHECK(b.c.error() == connection_error::reset);
  CHECK(b.answer().substr(0, 2) == "R.");
  child c(profile::linux_2_6_32);
  c.give(flag::rst, -1000, 0);
  CHECK(c.c.state() == connection_state::established);
}

// Bug caught: the client of the articles not answering repeated SYN-ACKs, on any of the three kernels.
TEST_CASE("a repeated SYN-ACK is acknowledged at once by every profile") {
  for (const auto* p : {&profile::linux_2_6_32, &profile::linux_3_12, &profile::linux_6_18}) {
    CAPTURE(p->name);
    connection c(*p, start_of(), opening::active);
    recorder out;
    segment s;
    s.flags = flag::syn | flag::ack;
    s.seq = C;
    s.ack = S + 1;
    c.receive(s, second, out);
    REQUIRE(out.sent.size() == 1);
    CHECK(text(out.sent[0]) == ". seq=S+1 ack=C+1 len=0 win 64240");
    CHECK(c.state() == connection_state::established);
  }
}

// -- the child before its ACK

// Bug caught: bytes and FIN that come with the final ACK lost (golden: SYN_RECV rows that end in ESTAB, CLOSE-WAIT).
TEST_CASE("the final ACK may carry bytes and FIN") {
  struct row {
    flags f;
    std::int64_t seq;
    const char* data;
    const char* answer;
    connection_state state;
  };
  const row rows[] = {
      {flag::ack, 1, "", "", connection_state::established},
      {flag::ack, 1000, "", "", connection_state::established},
      {flag::ack, 0, "hello, world\n", ". seq=S+1 ack=C+13 len=0 win 64228", connection_state::established},
      {flag::ack | flag::fin, 1, "", ". seq=S+1 ack=C+2 len=0 win 64239", connection_state::close_wait},
      {flag::ack | flag::fin, 1, "hello, world\n", ". seq=S+1 ack=C+15 len=0 win 64226", connection_state::close_wait},
  };
  for (const row& r : rows) {
    child t;
    t.c = connection(profile::linux_6_18, start_of(), opening::passive);
    CHECK(t.c.state() == connection_state::syn_received);
    CHECK(t.give(r.f, r.seq, 1, r.data).has(connection_event::established));
    CHECK(t.answer() == r.answer);
    CHECK(t.c.state() == r.state);
  }
}

// Bug caught: a child that any ACK establishes.
TEST_CASE("a wrong final ACK gets a RST at its number and leaves SYN-RECEIVED") {
  child t;
  t.c = connection(profile::linux_6_18, start_of(), opening::passive);
  t.give(flag::ack, 1, 2);
  CHECK(t.answer() == "R seq=S+2 ack=- len=0 win 0");
  CHECK(t.c.state() == connection_state::syn_received);
}

// Bug caught: bytes written before the final ACK sent too early or forgotten.
TEST_CASE("bytes given to a child in SYN-RECEIVED leave with ESTABLISHED") {
  child t;
  t.c = connection(profile::linux_6_18, start_of(), opening::passive);
  CHECK(t.c.send(bytes("hi"), 0, t.out) == 2);
  CHECK(t.out.sent.empty());
  t.give(flag::ack, 1, 1);
  CHECK(t.answer() == "P. seq=S+1 ack=C+1 len=2 win 64240");
}

// -- bytes

// Bug caught: bytes changed, repeated or lost when both directions and the window are busy at once.
TEST_CASE("large data arrives whole both ways") {
  pair p;
  std::string up, down;
  for (int i = 0; i < 200000; ++i) up += static_cast<char>('a' + i % 23), down += static_cast<char>('A' + i % 19);
  std::size_t up_sent = 0, down_sent = 0;
  std::string up_got, down_got;
  for (int round = 0; round < 100; ++round) {
    up_sent += p.client.send({bytes(up).data + up_sent, up.size() - up_sent}, p.now, p.to_server);
    down_sent += p.server.send({bytes(down).data + down_sent, down.size() - down_sent}, p.now, p.to_client);
    p.settle();
    up_got += p.read(p.server, p.to_client);
    down_got += p.read(p.client, p.to_server);
    p.settle();
  }
  CHECK(up_got == up);
  CHECK(down_got == down);
  CHECK(p.client.retransmissions() == 0);
}

// Bug caught: numbers compared as plain integers.
TEST_CASE("sequence numbers wrap in the middle of the stream") {
  pair p(profile::linux_6_18.offer, 0xffffffffU - 1000, 0xffffffffU);
  const std::string data(5000, 'w');
  CHECK(p.client.send(bytes(data), 0, p.to_server) == 5000);
  CHECK(p.server.send(bytes(data), 0, p.to_client) == 5000);
  p.settle();
  CHECK(p.read(p.server, p.to_client) == data);
  CHECK(p.read(p.client, p.to_server) == data);
  p.client.shutdown_send(0, p.to_server);
  p.settle();
  CHECK(p.server.state() == connection_state::close_wait);
  CHECK(p.client.state() == connection_state::fin_wait_2);
}

// Bug caught: Recv-Q and Send-Q that do not match what ss shows in the recordings (13 bytes unread, 13 unacknowledged).
TEST_CASE("the queues are those of ss") {
  pair p;
  p.client.send(bytes("hello, world\n"), 0, p.to_server);
  CHECK(p.client.unacked() == 13);
  p.settle();
  CHECK(p.client.unacked() == 0);
  CHECK(p.server.bytes_available() == 13);
  p.client.shutdown_send(0, p.to_server);
  CHECK(p.client.unacked() == 1);
  p.settle();
  CHECK(p.server.bytes_available() == 13);
  CHECK(p.server.recv_queue() == 14);
}

// Bug caught: payload beyond what the peer can take: its MSS, 536 without one, 12 less with timestamps.
TEST_CASE("segments are as large as the peer's MSS allows") {
  struct row {
    std::uint16_t mss;
    bool timestamps;
    std::size_t size;
    std::uint16_t ours = 1460;
  };
  for (const row& r : {row{1460, false, 1460}, row{1460, true, 1448}, row{0, false, 536}, row{300, false, 300},
                       row{1460, false, 1000, 1000}, row{1460, false, 1460, 0}, row{1460, false, 48, 1},
                       row{20, false, 48}, row{20, true, 36}}) {
    established e = start_of();
    e.theirs.mss = r.mss;
    e.ours.mss = r.ours;
    e.ours.timestamps = e.theirs.timestamps = r.timestamps;
    child t(profile::linux_6_18, e);
    t.c.send(bytes(std::string(3000, 'x')), 0, t.out);
    REQUIRE(t.out.sent.size() >= 3);
    CHECK(t.out.sent[0].data.size() == r.size);
    CHECK(t.out.sent[0].s.options.timestamps == r.timestamps);
  }
}

// Bug caught: sending beyond the window, or beyond the buffer's end when it opens again.
TEST_CASE("the peer's window limits what is in flight") {
  child t;
  t.give(flag::ack, 1, 1, "", 2000);
  t.c.send(bytes(std::string(5000, 'x')), 0, t.out);
  std::size_t flight = 0;
  for (const auto& x : t.out.sent) flight += x.data.size();
  CHECK(flight == 1460);  // not the last 540: a silly piece while something is in flight
  CHECK(t.c.unacked() == 5000);
  t.out.sent.clear();
  t.give(flag::ack, 1, 1461, "", 2000);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.seq == S + 1461);
}

// Bug caught: a window scale applied to no window, or to the wrong side's.
TEST_CASE("windows are scaled by the receiver's own shift") {
  established e = start_of(32792);
  e.ours.window_scale = 6;
  e.theirs.window_scale = 2;
  child t(profile::linux_3_12, e);
  t.give(flag::ack, 1, 1, "x", 100);
  CHECK(t.answer() == ". seq=S+1 ack=C+2 len=0 win 512");
  t.out.sent.clear();
  t.c.send(bytes(std::string(1000, 'x')), 0, t.out);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].data.size() == 400);
}

// Bug caught: taking more than the window, or forgetting the rest's ACK; then a window that never opens again.
TEST_CASE("a full receive window takes no more, and reading opens it again") {
  child t(profile::linux_6_18, start_of(3000));
  t.give(flag::ack, 1, 1, std::string(1400, 'a'));
  t.give(flag::ack, 1401, 1, std::string(1400, 'b'));
  t.give(flag::ack | flag::fin, 2801, 1, std::string(1400, 'c'));
  CHECK(t.c.bytes_available() == 3000);
  CHECK(t.c.state() == connection_state::established);  // the FIN was beyond the window
  CHECK(text(t.out.sent.back()) == ". seq=S+1 ack=C+3001 len=0 win 0");
  t.out.sent.clear();
  CHECK(t.read(100).size() == 100);
  CHECK(t.out.sent.empty());  // 100 bytes are a silly window
  CHECK(t.read().size() == 2900);
  CHECK(t.answer() == ". seq=S+1 ack=C+3001 len=0 win 3000");
}

// Bug caught: both sides waiting for ever because the segment that opened the window got lost.
TEST_CASE("a closed window is probed with an old number and no bytes") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  t.c.send(bytes("hello"), 0, t.out);
  CHECK(t.out.sent.empty());
  t.tick_next();
  CHECK(t.now == 200 * millisecond);
  CHECK(t.answer() == ". seq=S+0 ack=C+1 len=0 win 64240");
  t.out.sent.clear();
  t.give(flag::ack, 1, 1, "", 64240);
  CHECK(t.answer() == "P. seq=S+1 ack=C+1 len=5 win 64240");
}

// Bug caught: a peer that answers every probe but reads slowly taken for a dead one.
TEST_CASE("a closed window never times out while probes are answered") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  t.c.send(bytes("hello"), 0, t.out);
  for (int i = 0; i < 50; ++i) {
    t.tick_next();
    t.give(flag::ack, 1, 1, "", 0);
  }
  CHECK(t.c.state() == connection_state::established);
  CHECK(t.out.sent.size() == 50);
  for (int i = 0; i < 16; ++i) t.tick_next();  // nobody answers any more
  CHECK(t.c.error() == connection_error::timed_out);
}

// Bug caught: bytes taken from a segment whose ACK is too old to be the peer's (RFC 5961 5.2).
TEST_CASE("an ACK older than the largest window is challenged, a younger one is merely old") {
  child t;
  t.give(flag::ack, 1, 1 - 64240, "abc");
  CHECK(t.c.bytes_available() == 3);
  t.out.sent.clear();
  t.give(flag::ack, 4, -64240, "def");
  CHECK(t.c.bytes_available() == 3);
  CHECK(t.answer() == ". seq=S+1 ack=C+4 len=0 win 64237");
}

// Bug caught: `send` taking more than it can hold, or anything after shutdown.
TEST_CASE("send takes what fits and nothing after shutdown") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  CHECK(t.c.send(bytes(std::string(70000, 'x')), 0, t.out) == connection::send_buffer);
  CHECK(t.c.send(bytes("x"), 0, t.out) == 0);
  child u;
  u.c.shutdown_send(0, u.out);
  CHECK(u.c.send(bytes("x"), 0, u.out) == 0);
}

// -- timers

// Bug caught: the first article's client (2.6.32) seen to send at 2.0, 2.2, 2.6, 3.4 s; a probe would shift it all.
TEST_CASE("2.6.32 repeats data at 0.2 0.6 1.4 3.0 s") {
  CHECK(repetitions(profile::linux_2_6_32, 4) == std::vector<double>{0.2, 0.6, 1.4, 3.0});
}

// Bug caught: the tail loss probe forgotten or counted as a timeout (recorded: 0.207 0.415 0.831 1.663 3.327 6.847
// ...).
TEST_CASE("3.12 and 6.18 probe at 0.2 s and repeat at 0.4 0.8 1.6 ... 51.2 s") {
  const std::vector<double> times{0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2};
  CHECK(repetitions(profile::linux_3_12, 9) == times);
  CHECK(repetitions(profile::linux_6_18, 9) == times);
}

// Bug caught: a probe of the older segment although a newer one left since (Linux re-arms the probe, not the timeout).
TEST_CASE("new data puts the probe off, but not the timeout") {
  child probing, plain(profile::linux_2_6_32);
  for (child* t : {&probing, &plain}) {
    t->c.send(bytes("a"), 0, t->out);
    t->c.send(bytes("b"), 100 * millisecond, t->out);
  }
  CHECK(probing.c.next_deadline() == 300 * millisecond);
  CHECK(plain.c.next_deadline() == 200 * millisecond);
}

// Bug caught: giving up after the wrong number of timeouts (tcp_retries2 = 15 is 924.6 s from 200 ms) or never.
TEST_CASE("data that nobody acknowledges ends in timed_out after 15 repetitions") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("x"), 0, t.out);
  connection_events e;
  while (const auto due = t.c.next_deadline()) e = t.c.tick(t.now = *due, t.out);
  CHECK(t.out.sent.size() == 16);
  CHECK(t.now == 924'600 * millisecond);
  CHECK(e.has(connection_event::closed));
  CHECK(t.c.error() == connection_error::timed_out);
  CHECK(t.c.unacked() == 0);
}

// Bug caught: back-off surviving an answer, which would make one loss slow down everything after it.
TEST_CASE("progress resets the interval") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("a"), 0, t.out);
  for (int i = 0; i < 3; ++i) t.tick_next();
  t.give(flag::ack, 1, 2);
  CHECK(!t.c.next_deadline());
  t.c.send(bytes("b"), t.now, t.out);
  CHECK(t.c.next_deadline() == t.now + 200 * millisecond);
}

// Bug caught: timeouts shorter than the round trip: every segment sent twice on a slow link.
TEST_CASE("a measured round trip lengthens the interval") {
  established e = start_of();
  e.rtt = 400 * millisecond;
  child t(profile::linux_2_6_32, e);
  t.c.send(bytes("a"), 0, t.out);
  CHECK(t.c.next_deadline().value() > 600 * millisecond);
}

// Bug caught: after a lost flight, one timeout for each of its segments.
TEST_CASE("the rest of a lost flight follows the ACKs") {
  pair p;
  p.client.send(bytes(std::string(10000, 'x')), 0, p.to_server);
  p.to_server.sent.clear();  // all lost
  p.client.tick(p.now = *p.client.next_deadline(), p.to_server);
  p.to_server.sent.clear();  // the probe too
  p.client.tick(p.now = *p.client.next_deadline(), p.to_server);
  p.settle();
  CHECK(p.now == 400 * millisecond);
  CHECK(p.server.bytes_available() == 10000);
  CHECK(p.client.unacked() == 0);
}

// Bug caught: the whole buffer sent at once, or a window that never grows.
TEST_CASE("ten segments leave at first, and each ACK lets two more go") {
  child t;
  t.c.send(bytes(std::string(60000, 'x')), 0, t.out);
  CHECK(t.out.sent.size() == 10);
  CHECK(t.c.congestion_window() == 14600);
  t.out.sent.clear();
  t.give(flag::ack, 1, 1461);
  CHECK(t.out.sent.size() == 2);
}

// Bug caught: one lost segment waiting for the timer though three ACKs have told of it.
TEST_CASE("three duplicate ACKs repeat the lost segment at once, and each hole behind it") {
  child t;
  t.c.send(bytes(std::string(14600, 'x')), 0, t.out);
  t.out.sent.clear();
  t.now = 100 * millisecond;
  for (int i = 0; i < 3; ++i) {
    CHECK(t.out.sent.empty());
    t.give(flag::ack, 1, 1);
  }
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.c.next_deadline() == 300 * millisecond);  // and the timer starts again (RFC 6298 5.1)
  CHECK(t.out.sent[0].s.seq == S + 1);
  CHECK(t.out.sent[0].data.size() == 1460);
  CHECK(t.c.retransmissions() == 1);
  t.out.sent.clear();
  t.give(flag::ack, 1, 1 + 4 * 1460);  // the fifth is lost, too
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.seq == S + 1 + 4 * 1460);
  t.out.sent.clear();
  t.give(flag::ack, 1, 1 + 14600);
  CHECK(t.out.sent.empty());
  CHECK(t.c.unacked() == 0);
}

// Bug caught: a lost tail of a flight that waits for two timeouts; a probe that is never answered by a repetition.
TEST_CASE("a lost tail is found by a probe, and its answer repeats the first hole") {
  established e = start_of();
  e.rtt = 20 * millisecond;
  child t(profile::linux_3_12, e);
  t.c.send(bytes(std::string(2920, 'x')), 0, t.out);
  t.out.sent.clear();
  t.tick_next();
  CHECK(t.now == 50 * millisecond);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.seq == S + 1461);
  t.out.sent.clear();
  t.give(flag::ack, 1, 1);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.seq == S + 1);
  t.give(flag::ack, 1, 1);
  CHECK(t.out.sent.size() == 1);
}

// Bug caught: only equal windows counted, where Linux's grows with what it holds out of order.
TEST_CASE("duplicate ACKs may say that the window has grown") {
  child t;
  t.c.send(bytes(std::string(14600, 'x')), 0, t.out);
  for (int i = 0; i < 3; ++i) t.give(flag::ack, 1, 1, "", static_cast<std::uint16_t>(64240 + i));
  CHECK(t.c.retransmissions() == 1);
}

// Bug caught: window updates and segments with bytes counted as duplicates.
TEST_CASE("an ACK with bytes, with a smaller window or for nothing in flight is no duplicate") {
  child t;
  for (int i = 0; i < 5; ++i) t.give(flag::ack, 1, 1);
  t.c.send(bytes(std::string(5000, 'x')), 0, t.out);
  t.out.sent.clear();
  for (int i = 0; i < 5; ++i) t.give(flag::ack, 1 + i, 1, "y");
  for (int i = 0; i < 5; ++i) t.give(flag::ack, 6, 1, "", static_cast<std::uint16_t>(60000 - i));
  CHECK(t.c.retransmissions() == 0);
}

// Bug caught: what came behind a gap asked for again, or handed out before the gap closes.
TEST_CASE("segments out of order are held, and one ACK covers them when the gap closes") {
  child t;
  t.give(flag::ack | flag::fin, 7, 1, "ghi");
  t.give(flag::ack, 4, 1, "def");
  CHECK(t.c.bytes_available() == 0);
  CHECK(t.answer() == ". seq=S+1 ack=C+1 len=0 win 64240; . seq=S+1 ack=C+1 len=0 win 64240");
  CHECK(t.c.state() == connection_state::established);
  t.out.sent.clear();
  const auto e = t.give(flag::ack, 1, 1, "abc");
  CHECK(e.has(connection_event::readable));
  CHECK(e.has(connection_event::peer_closed));
  CHECK(t.answer() == ". seq=S+1 ack=C+11 len=0 win 64230");
  CHECK(t.read() == "abcdefghi");
  CHECK(t.c.state() == connection_state::close_wait);
}

// Bug caught: holding beyond the window, whose bytes the peer was never allowed to send.
TEST_CASE("what is held ends at the window's edge, the FIN behind it included") {
  child t(profile::linux_6_18, start_of(3000));
  t.give(flag::ack | flag::fin, 2001, 1, std::string(1400, 'b'));
  t.give(flag::ack, 1, 1, std::string(1000, 'a'));
  t.give(flag::ack, 1001, 1, std::string(1000, 'a'));
  CHECK(t.c.bytes_available() == 3000);
  CHECK(t.c.state() == connection_state::established);
}

// Bug caught: a lost FIN never repeated, or without the bytes before it.
TEST_CASE("a FIN is repeated with the bytes before it") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("bye"), 0, t.out);
  t.c.shutdown_send(0, t.out);
  t.out.sent.clear();
  t.tick_next();
  CHECK(t.answer() == "FP. seq=S+1 ack=C+1 len=3 win 64240");
}

// Bug caught: what the sink postpones counted as sent and never tried again.
TEST_CASE("a postponed ACK and a postponed segment leave at the next tick") {
  child t;
  t.out.answer = send_result::later;
  t.give(flag::ack, 1, 1, "hello");
  t.c.send(bytes("data"), 0, t.out);
  CHECK(t.c.next_deadline() == 0);
  t.out.answer = send_result::sent;
  t.c.tick(0, t.out);
  CHECK(t.answer() == ". seq=S+1 ack=C+6 len=0 win 64235; P. seq=S+1 ack=C+6 len=4 win 64235");
  CHECK(t.c.next_deadline() == 200 * millisecond);
}

// -- timestamps

// Bug caught: TSval in the wrong unit, an echo of something else than the last in-order segment (RFC 7323 4.3).
TEST_CASE("timestamps tick in milliseconds and echo the peer's latest") {
  established e = start_of();
  e.ours.timestamps = e.theirs.timestamps = true;
  e.theirs.ts_value = 100;
  e.ts_offset = 0xffffffffU;
  child t(profile::linux_6_18, e);
  segment s;
  s.flags = flag::ack;
  s.seq = C + 1;
  s.ack = S + 1;
  s.window = 100;
  s.options.timestamps = true;
  s.options.ts_value = 150;
  const std::string data = "abc";
  s.payload = bytes(data);
  t.c.receive(s, 2500, t.out);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.options.timestamps);
  CHECK(t.out.sent[0].s.options.ts_value == 1);
  CHECK(t.out.sent[0].s.options.ts_echo == 150);
}

// Bug caught: an old duplicate from before a wrap taken as new data (PAWS), or an old RST exempted wrongly.
TEST_CASE("an older timestamp is answered, not taken, unless it is a RST") {
  established e = start_of();
  e.ours.timestamps = e.theirs.timestamps = true;
  e.theirs.ts_value = 100;
  child t(profile::linux_6_18, e);
  segment s;
  s.flags = flag::ack;
  s.seq = C + 1;
  s.ack = S + 1;
  s.options.timestamps = true;
  s.options.ts_value = 99;
  const std::string data = "abc";
  s.payload = bytes(data);
  t.c.receive(s, 1, t.out);
  CHECK(t.c.bytes_available() == 0);
  REQUIRE(t.out.sent.size() == 1);
  CHECK(t.out.sent[0].s.ack == C + 1);
  s.options.ts_value = 100;
  t.c.receive(s, 1, t.out);
  CHECK(t.c.bytes_available() == 3);
  s.payload = {};
  s.flags = flag::rst;
  s.seq = C + 4;
  s.options.ts_value = 99;
  t.c.receive(s, 1, t.out);
  CHECK(t.c.error() == connection_error::reset);
}

namespace {
// A child with timestamps whose peer's last one was 100, and a segment of its peer.
established stamped() {
  established e = start_of();
  e.ours.timestamps = e.theirs.timestamps = true;
  e.theirs.ts_value = 100;
  return e;
}
segment stamped_segment(seq_number seq, std::uint32_t value, const std::string& data) {
  segment s;
  s.flags = flag::ack;
  s.seq = C + seq;
  s.ack = S + 1;
  s.options.timestamps = true;
  s.options.ts_value = value;
  s.payload = bytes(data);
  return s;
}
}  // namespace

// Bug caught: the echo of a segment that left a gap, or an echo that stops after the first bytes (RFC 7323 4.3).
TEST_CASE("only a segment that begins at what was acknowledged sets the echo") {
  const std::string data = "abc";
  child t(profile::linux_6_18, stamped());
  t.c.receive(stamped_segment(101, 300, data), 1, t.out);
  CHECK(t.out.sent.back().s.options.ts_echo == 100);
  t.c.receive(stamped_segment(1, 150, data), 1, t.out);
  CHECK(t.out.sent.back().s.options.ts_echo == 150);
  t.c.receive(stamped_segment(4, 160, data), 1, t.out);
  CHECK(t.out.sent.back().s.options.ts_echo == 160);
}

// Bug caught: one guess at a number in the window, with a clock far ahead and an ACK of what was never sent, makes PAWS
// refuse the peer from then on; or the answer to it echoes that clock.
TEST_CASE("a segment whose ACK field is no good does not set the clock") {
  const std::string data = "abc";
  for (const std::uint32_t ack : {5000U, 0U - 100000U}) {
    CAPTURE(ack);
    child t(profile::linux_6_18, stamped());
    segment s = stamped_segment(1, 200000, "");
    s.ack = S + ack;
    t.c.receive(s, 1, t.out);
    REQUIRE(t.out.sent.size() == 1);
    CHECK(t.out.sent[0].s.options.ts_echo == 100);
    t.c.receive(stamped_segment(1, 101, data), 2, t.out);
    CHECK(t.c.bytes_available() == 3);
    CHECK(t.out.sent.back().s.options.ts_echo == 101);
  }
}

// Bug caught: a connection that was silent for longer than a timestamp clock's half turn refusing everything.
TEST_CASE("after 24 days of silence any timestamp is taken") {
  const std::string data = "abc";
  const instant day = 86400 * second;
  child t(profile::linux_6_18, stamped());
  t.c.receive(stamped_segment(1, 50, data), 23 * day, t.out);
  CHECK(t.c.bytes_available() == 0);
  t.c.receive(stamped_segment(1, 50, data), 25 * day, t.out);
  CHECK(t.c.bytes_available() == 3);
}

// -- the end

// Bug caught: any of the transitions of RFC 9293 figure 5 on the ordinary close.
TEST_CASE("an orderly close goes through FIN-WAIT-2, CLOSE-WAIT, LAST-ACK and 60 s of TIME-WAIT") {
  pair p;
  p.client.shutdown_send(0, p.to_server);
  CHECK(p.client.state() == connection_state::fin_wait_1);
  p.settle();
  CHECK(p.client.state() == connection_state::fin_wait_2);
  CHECK(p.server.state() == connection_state::close_wait);
  CHECK(!p.client.next_deadline());
  p.server.send(bytes("late"), 0, p.to_client);  // the other direction goes on
  p.settle();
  CHECK(p.read(p.client, p.to_server) == "late");
  p.server.shutdown_send(second, p.to_client);
  CHECK(p.server.state() == connection_state::last_ack);
  p.now = second;
  p.settle();
  CHECK(p.server.state() == connection_state::closed);
  CHECK(p.server.error() == connection_error::none);
  CHECK(p.client.state() == connection_state::time_wait);
  CHECK(p.client.end_of_stream());
  CHECK(p.client.next_deadline() == 61 * second);
  CHECK(p.client.tick(61 * second, p.to_server).has(connection_event::closed));
  CHECK(p.client.state() == connection_state::closed);
}

// Bug caught: bytes behind a FIN acknowledged for ever (golden: ESTAB, "FIN+ACK", whose probe of 5 bytes gets a RST).
TEST_CASE("bytes that reach beyond the peer's FIN end the connection") {
  child t;
  t.give(flag::ack | flag::fin, 1, 1);
  t.out.sent.clear();
  t.give(flag::ack | flag::psh, 1, 1, "probe");
  CHECK(t.answer() == "R seq=S+1 ack=- len=0 win 0");
  CHECK(t.c.state() == connection_state::closed);
}

// Bug caught: two FINs that cross leaving both sides in FIN-WAIT-1.
TEST_CASE("a simultaneous close goes through CLOSING to TIME-WAIT") {
  pair p;
  p.client.shutdown_send(0, p.to_server);
  p.server.shutdown_send(0, p.to_client);
  pair::move(p.to_server, p.server, p.to_client, 0);
  CHECK(p.server.state() == connection_state::closing);
  p.settle();
  CHECK(p.client.state() == connection_state::time_wait);
  CHECK(p.server.state() == connection_state::time_wait);
}

// Bug caught: a FIN-WAIT-1 that a FIN with the ACK of ours sends to CLOSING.
TEST_CASE("a FIN that acknowledges ours leads straight to TIME-WAIT") {
  child t;
  t.c.shutdown_send(0, t.out);
  CHECK(t.answer() == "F. seq=S+1 ack=C+1 len=0 win 64240");
  t.out.sent.clear();
  t.give(flag::fin | flag::ack, 1, 2);
  CHECK(t.answer() == ". seq=S+2 ack=C+2 len=0 win 64239");
  CHECK(t.c.state() == connection_state::time_wait);
}

// Bug caught: the peer's repeated FIN unanswered (it would repeat it until it times out), 2 MSL not restarted.
TEST_CASE("TIME-WAIT acknowledges a repeated FIN and starts again") {
  child t;
  t.c.shutdown_send(0, t.out);
  t.give(flag::fin | flag::ack, 1, 2);
  t.out.sent.clear();
  t.now = 10 * second;
  t.give(flag::fin | flag::ack, 1, 2);
  CHECK(t.answer() == ". seq=S+2 ack=C+2 len=0 win 64239");
  CHECK(t.c.next_deadline() == 70 * second);
  t.out.sent.clear();
  t.give(flag::ack, 2, 2);
  CHECK(t.out.sent.empty());
}

// Bug caught: a stream that ended well reported as broken because a late duplicate met a closed port.
TEST_CASE("a RST ends TIME-WAIT without an error") {
  child t;
  t.c.shutdown_send(0, t.out);
  t.give(flag::fin | flag::ack, 1, 2);
  t.give(flag::rst, 2, 0);
  CHECK(t.c.state() == connection_state::closed);
  CHECK(t.c.error() == connection_error::none);
}

// Bug caught: TIME-WAIT given up for an old SYN, or kept for a new one (golden/extra.json, TIME-WAIT rows).
TEST_CASE("TIME-WAIT yields only to a SYN beyond what was received") {
  struct row {
    std::int64_t seq;
    bool reused;
  };
  for (const row& r : {row{2, false}, row{5000, true}, row{0, false}, row{1, false}, row{-100000, false}}) {
    CAPTURE(r.seq);
    child t;
    t.c.shutdown_send(0, t.out);
    t.give(flag::fin | flag::ack, 1, 2);
    t.out.sent.clear();
    CHECK(t.give(flag::syn, r.seq, 0).has(connection_event::reused) == r.reused);
    CHECK(t.answer() == (r.reused ? "" : ". seq=S+2 ack=C+2 len=0 win 64239"));
    CHECK(t.c.reuse_isn() == S + 65539);
    CHECK((t.c.state() == connection_state::time_wait) == !r.reused);
    CHECK(t.c.error() == connection_error::none);
  }
}

// 0 means "no TIME-WAIT" to the listener: a successor with that ISN would be sent through the gates.
TEST_CASE("the ISN for the successor is never 0") {
  for (const seq_number iss : {0xffffffffU - 65537U, 0xffffffffU - 65536U, 0xffffffffU - 65538U}) {
    established start;
    start.iss = iss;
    const connection c{profile::linux_6_18, start, opening::active};
    const seq_number isn = c.send_next() + 65537;
    CHECK(c.reuse_isn() == (isn == 0 ? 1 : isn));
    CHECK((iss == 0xffffffffU - 65537U) == (isn == 0));
  }
}

// Bug caught: received bytes thrown away by a RST that came after them (golden: "data13 + RST before accept()").
TEST_CASE("bytes received before a RST can still be read") {
  child t;
  t.give(flag::ack, 1, 1, "hello, world\n");
  CHECK(t.give(flag::rst, 14, 0).has(connection_event::closed));
  CHECK(t.c.error() == connection_error::reset);
  CHECK(t.read() == "hello, world\n");
  CHECK(t.c.end_of_stream());
}

// Bug caught: bytes accepted that nobody will ever read (golden: "server close(), then client data13").
TEST_CASE("bytes that arrive after close get a RST") {
  child t;
  t.c.close(0, t.out);
  CHECK(t.answer() == "F. seq=S+1 ack=C+1 len=0 win 64240");
  t.out.sent.clear();
  t.give(flag::psh | flag::ack, 1, 2, "hello, world\n");
  CHECK(t.answer() == "R seq=S+2 ack=- len=0 win 0");
  CHECK(t.c.state() == connection_state::closed);
  CHECK(t.c.error() == connection_error::none);
  child u;
  u.c.close(0, u.out);
  u.give(flag::psh | flag::ack, 1, 2, "1");  // a single byte is one, too
  CHECK(u.c.state() == connection_state::closed);
}

// Bug caught: the peer's FIN after our close() taken for bytes and answered with a RST; unread bytes in TIME-WAIT, too.
TEST_CASE("close on both sides ends in TIME-WAIT, and close there is silent") {
  child t;
  t.c.close(0, t.out);
  t.give(flag::fin | flag::ack, 1, 2);
  CHECK(t.c.state() == connection_state::time_wait);
  child u;
  u.c.shutdown_send(0, u.out);
  u.give(flag::fin | flag::ack, 1, 2, "unread");
  u.out.sent.clear();
  u.c.close(0, u.out);
  CHECK(u.out.sent.empty());
  CHECK(u.c.state() == connection_state::time_wait);
}

// Bug caught: close() ending politely though bytes were thrown away (RFC 2525 2.17).
TEST_CASE("close with unread bytes resets") {
  child t;
  t.give(flag::ack, 1, 1, "unread");
  t.out.sent.clear();
  t.c.close(0, t.out);
  CHECK(t.answer() == "R. seq=S+1 ack=C+7 len=0 win 0");
  CHECK(t.c.state() == connection_state::closed);
  CHECK(t.c.error() == connection_error::none);
  child u;
  u.give(flag::ack, 1, 1, "1");
  u.c.close(0, u.out);
  CHECK(u.c.state() == connection_state::closed);
}

// Bug caught: a closed peer that never sends its FIN holding our state for ever.
TEST_CASE("a closed connection waits 60 s in FIN-WAIT-2, a half-closed one for ever") {
  child t;
  t.c.close(0, t.out);
  t.give(flag::ack, 1, 2);
  CHECK(t.c.state() == connection_state::fin_wait_2);
  CHECK(t.c.next_deadline() == 60 * second);
  child u;
  u.c.shutdown_send(0, u.out);
  u.give(flag::ack, 1, 2);
  CHECK(u.c.state() == connection_state::fin_wait_2);
  CHECK(!u.c.next_deadline());
}

// Bug caught: abort leaving timers or answering a RST with a RST.
TEST_CASE("after the end every segment but a RST gets a RST") {
  child t;
  t.c.send(bytes("x"), 0, t.out);
  t.out.sent.clear();
  t.c.abort(0, t.out);
  CHECK(t.answer() == "R. seq=S+2 ack=C+1 len=0 win 0");
  CHECK(!t.c.next_deadline());
  t.out.sent.clear();
  t.give(flag::rst, 1, 0);
  CHECK(t.out.sent.empty());
  t.give(flag::psh | flag::ack, 1, 1, "probe");
  CHECK(t.answer() == "R seq=S+1 ack=- len=0 win 0");
}

// Bug caught: bytes taken, or a FIN queued, that will never leave; a second error or event for one end.
TEST_CASE("after the end nothing is taken, and a second end changes nothing") {
  child t;
  t.give(flag::rst, 1, 0);
  REQUIRE(t.c.error() == connection_error::reset);
  CHECK(t.c.send(bytes("x"), 0, t.out) == 0);
  t.c.shutdown_send(0, t.out);
  CHECK(t.c.state() == connection_state::closed);
  t.c.abort(0, t.out);
  t.c.close(0, t.out);
  CHECK(t.out.sent.empty());
  CHECK(t.c.error() == connection_error::reset);
  CHECK(t.c.tick(1, t.out).empty());
}

// Bug caught: a RST into TIME-WAIT's peer, who has closed long ago (RFC 9293 3.10.5: TIME-WAIT just ends).
TEST_CASE("abort in TIME-WAIT is silent") {
  child t;
  t.c.shutdown_send(0, t.out);
  t.give(flag::fin | flag::ack, 1, 2);
  t.out.sent.clear();
  t.c.abort(0, t.out);
  CHECK(t.out.sent.empty());
  CHECK(t.c.state() == connection_state::closed);
}

// Bug caught: a socket that was half closed first and closed later kept for ever (Linux: tcp_fin_timeout from close()).
TEST_CASE("close in FIN-WAIT-2 starts the wait of 60 s then") {
  child t;
  t.c.shutdown_send(0, t.out);
  t.give(flag::ack, 1, 2);
  REQUIRE(!t.c.next_deadline());
  t.c.close(10 * second, t.out);
  CHECK(t.c.next_deadline() == 70 * second);
  CHECK(t.c.tick(70 * second, t.out).has(connection_event::closed));
  CHECK(t.c.error() == connection_error::none);
}

// Bug caught: the end told while bytes are still to be read.
TEST_CASE("the stream ends when all has been read, not when the FIN comes") {
  child t;
  t.give(flag::ack | flag::fin, 1, 1, "abc");
  CHECK_FALSE(t.c.end_of_stream());
  CHECK(t.read() == "abc");
  CHECK(t.c.end_of_stream());
  child u;
  CHECK_FALSE(u.c.end_of_stream());
}

// Bug caught: the owner not told to come back at once for what the sink would not take.
TEST_CASE("a postponed segment makes a deadline of its own") {
  child t;
  t.out.answer = send_result::later;
  t.c.send(bytes("data"), 5, t.out);
  CHECK(t.c.next_deadline() == 5);
  t.out.answer = send_result::sent;
  t.c.tick(7, t.out);
  CHECK(t.answer() == "P. seq=S+1 ack=C+1 len=4 win 64240");
}

// Bug caught: a repetition, a probe or a window probe that the sink postpones counted as sent: the interval doubles and
// a retry is lost though nothing has left.
TEST_CASE("what the timer sends and the sink postpones is tried again, and counts when it has left") {
  const auto stays_due = [](child& t) {
    const instant due = t.c.next_deadline().value();
    t.now = due;
    t.out.answer = send_result::later;
    t.out.sent.clear();
    t.c.tick(due, t.out);
    CHECK(t.c.next_deadline() == due);
    CHECK(t.c.retransmissions() == 0);
    t.out.answer = send_result::sent;
    t.c.tick(due, t.out);
    CHECK(t.out.sent.size() == 1);
    return t.c.next_deadline().value() - due;
  };
  child probed(profile::linux_3_12);
  probed.c.send(bytes("x"), 0, probed.out);
  CHECK(stays_due(probed) == 200 * millisecond);  // the probe counts for no timeout
  child repeated(profile::linux_2_6_32);
  repeated.c.send(bytes("x"), 0, repeated.out);
  CHECK(stays_due(repeated) == 400 * millisecond);
  child shut(profile::linux_2_6_32);
  shut.give(flag::ack, 1, 1, "", 0);
  shut.c.send(bytes("x"), 0, shut.out);
  CHECK(stays_due(shut) == 400 * millisecond);
}

// RFC 9293 3.10.7.4: in SYN-RECEIVED an ACK must lie in SND.UNA < SEG.ACK =< SND.NXT. Bug caught: our own ISN taken.
TEST_CASE("an ACK of our ISN does not establish") {
  child t;
  t.c = connection(profile::linux_6_18, start_of(), opening::passive);
  t.give(flag::ack, 1, 0);
  CHECK(t.answer() == "R seq=S+0 ack=- len=0 win 0");
  CHECK(t.c.state() == connection_state::syn_received);
}

// Bug caught: a RST for bytes behind a FIN where a repetition or a stray segment is meant: only one that begins before
// what was received and ends behind it says that the peer went on after its FIN (RFC 1122 4.2.2.13).
TEST_CASE("bytes behind a FIN are acknowledged unless they go on from before it, and always in TIME-WAIT") {
  for (const bool waiting : {false, true}) {
    CAPTURE(waiting);
    const std::uint32_t ours = waiting ? 2 : 1;
    for (const auto& [seq, data, ends] : {std::tuple{2, "x", false}, {1, "x", false}, {1, "xy", true}}) {
      CAPTURE(seq);
      child t;
      if (waiting) t.c.shutdown_send(0, t.out);
      t.give(flag::ack | flag::fin, 1, ours);
      t.out.sent.clear();
      t.give(flag::ack, seq, ours, data);
      REQUIRE(t.out.sent.size() == 1);
      CHECK(t.out.sent[0].s.flags.has(flag::rst) == (ends && !waiting));
      CHECK((t.c.error() == connection_error::reset) == (ends && !waiting));
    }
  }
}

// Bug caught: events of an earlier call told again, one that is missing, one too many. (A set each.)
TEST_CASE("a call tells what it brought about and nothing else") {
  using namespace connection_event;
  const auto both = [](connection_events a, connection_events b) { return a |= b; };
  child t;
  CHECK(t.give(flag::ack, 1, 1, "a") == readable);
  CHECK(t.give(flag::ack, 2, 1) == none);
  CHECK(t.give(flag::ack, 5, 1, "later") == none);
  t.c.send(bytes("x"), 0, t.out);
  CHECK(t.give(flag::ack, 2, 2) == acked);
  CHECK(t.give(flag::ack, 2, 2, "b") == readable);
  CHECK(t.c.unreachable(S + 1, 0) == none);
  CHECK(t.give(flag::fin | flag::ack, 3, 2) == peer_closed);
  CHECK(t.c.tick(0, t.out) == none);
  CHECK(t.give(flag::rst, 4, 0) == closed);
  child u;
  CHECK(u.give(flag::fin | flag::ack, 1, 1, "ab") == both(readable, peer_closed));
  child v(profile::linux_2_6_32);
  CHECK(v.give(flag::syn, 1000, 0) == closed);  // and not: reused
}

// Bug caught: a client that has never been connected, for its owner.
TEST_CASE("an active opening begins established and without an error") {
  const connection c(profile::linux_6_18, start_of(), opening::active);
  CHECK(c.was_established());
  CHECK(c.error() == connection_error::none);
  const connection d(profile::linux_6_18, start_of(), opening::passive);
  CHECK_FALSE(d.was_established());
}

// Bug caught: bytes put behind a FIN that a closed window still holds back.
TEST_CASE("nothing is taken after shutdown, though the FIN has not left") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  t.c.send(bytes("hello"), 0, t.out);
  t.c.shutdown_send(0, t.out);
  REQUIRE(t.c.state() == connection_state::established);
  CHECK(t.c.send(bytes("x"), 0, t.out) == 0);
  t.give(flag::ack, 1, 1);
  CHECK(t.answer() == "FP. seq=S+1 ack=C+1 len=5 win 64240");
}

// RFC 7323 5.4: TSval is of the time when it is sent, and time never goes back. Bug caught: that of an earlier call.
TEST_CASE("each call brings the clock") {
  const auto last_value = [](child& t) { return t.out.sent.back().s.options.ts_value; };
  established e = stamped();
  e.our_window = 3000;
  child t(profile::linux_6_18, e);
  const std::string data(3000, 'x');
  segment s = stamped_segment(1, 100, data);
  s.window = 64240;
  t.c.receive(s, 0, t.out);
  t.now = 5 * second;
  t.read();
  CHECK(last_value(t) == 5000);
  t.c.unreachable(S, 7 * second);
  t.c.send(bytes("x"), 6 * second, t.out);
  CHECK(last_value(t) == 7000);
  t.c.abort(8 * second, t.out);
  CHECK(last_value(t) == 8000);
}

// Linux (tcp_cleanup_rbuf): no window update to a peer that will send nothing any more.
TEST_CASE("reading after the peer's FIN sends no window update") {
  child t(profile::linux_6_18, start_of(3000));
  t.give(flag::ack | flag::fin, 1, 1, std::string(2999, 'x'));
  REQUIRE(t.c.state() == connection_state::close_wait);
  t.out.sent.clear();
  CHECK(t.read().size() == 2999);
  CHECK(t.out.sent.empty());
}

// Bug caught: the minute of an abandoned FIN-WAIT-2 in place of the timer that repeats the FIN.
TEST_CASE("close repeats its FIN like any other segment") {
  child t(profile::linux_2_6_32);
  t.c.close(0, t.out);
  CHECK(t.c.next_deadline() == 200 * millisecond);
  child u(profile::linux_2_6_32);
  u.give(flag::fin | flag::ack, 1, 1);
  u.c.close(0, u.out);
  CHECK(u.c.next_deadline() == 200 * millisecond);
}

// Bug caught: what waits for a window leaving after the end.
TEST_CASE("after a RST nothing is sent any more") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  t.c.send(bytes("hello"), 0, t.out);
  t.give(flag::rst, 1, 0);
  t.out.sent.clear();
  t.c.tick(second, t.out);
  t.c.shutdown_send(second, t.out);
  CHECK(t.out.sent.empty());
}

// Bug caught: an answer to an invalid segment that the sink postpones never sent.
TEST_CASE("a postponed challenge ACK leaves at the next tick, which is due at once") {
  child t;
  t.out.answer = send_result::later;
  t.now = second;
  t.give(flag::ack, -1000, 1);
  CHECK(t.c.next_deadline() == second);
  t.out.answer = send_result::sent;
  t.c.tick(second, t.out);
  CHECK(t.answer() == ". seq=S+1 ack=C+1 len=0 win 64240");
  CHECK(!t.c.next_deadline());
}

// tcp_oow_rate_limited: the gap is counted from the last answer.
TEST_CASE("the gap between answers to invalid segments begins with each of them") {
  child t;
  std::vector<instant> answered;
  for (t.now = 400 * millisecond; t.now <= 1500 * millisecond; t.now += 100 * millisecond) {
    t.out.sent.clear();
    t.give(flag::ack, -1000, 1);
    if (!t.out.sent.empty()) answered.push_back(t.now / millisecond);
  }
  CHECK(answered == std::vector<instant>{400, 900, 1400});
}

// RFC 5961 5.2 came with 3.6. Bug caught: an old kernel that throws bytes away because of a very old ACK.
TEST_CASE("2.6.32 takes the bytes that come with an ACK of any age") {
  child t(profile::linux_2_6_32);
  t.give(flag::ack, 1, -100000, "abc");
  CHECK(t.read() == "abc");
}

// Bug caught: the number that a SYN occupies counted as a byte, or not at all (RFC 9293 3.4).
TEST_CASE("2.6.32 takes the bytes of an old SYN behind its number") {
  child t(profile::linux_2_6_32);
  t.give(flag::syn | flag::ack, 0, 1, "abc");
  CHECK(t.read() == "abc");
  CHECK(t.c.receive_next() == C + 4);
}

// Bug caught: bytes taken of a segment whose ACK is answered with a RST.
TEST_CASE("a wrong final ACK brings no bytes") {
  child t;
  t.c = connection(profile::linux_6_18, start_of(), opening::passive);
  t.give(flag::ack, 1, 2, "abc");
  CHECK(t.c.bytes_available() == 0);
}

// RFC 5681 2: no duplicate has bytes, SYN or FIN. Bug caught: a repeated FIN or SYN-ACK taken for a sign of loss.
TEST_CASE("what is a duplicate ACK: one byte in flight is enough, SYN and FIN are too much") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("x"), 0, t.out);
  for (int i = 0; i < 3; ++i) t.give(flag::ack, 1, 1);
  CHECK(t.c.retransmissions() == 1);
  for (const flags f : {flag::syn | flag::ack, flag::fin | flag::ack}) {
    child u(profile::linux_2_6_32);
    u.c.send(bytes("x"), 0, u.out);
    for (int i = 0; i < 5; ++i) u.give(f, f.has(flag::syn) ? 0 : 1, 1);
    CHECK(u.c.retransmissions() == 0);
  }
}

// RFC 6298 5.3, 5.7: only what acknowledges something new ends the back-off. Bug caught: any segment ending it.
TEST_CASE("an ACK that brings nothing new leaves the back-off as it is") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("x"), 0, t.out);
  for (int i = 0; i < 3; ++i) t.tick_next();
  t.give(flag::ack, 1, 1);
  t.tick_next();
  CHECK(t.now == 3 * second);
  CHECK(t.c.next_deadline() == 6200 * millisecond);
}

// RFC 8985 7.4.2. Bug caught: one duplicate ACK repeating a segment long after the probe has been answered.
TEST_CASE("after an ACK the answer to a probe is no sign of loss any more") {
  child t(profile::linux_3_12);
  t.c.send(bytes(std::string(2920, 'x')), 0, t.out);
  t.tick_next();
  t.give(flag::ack, 1, 1461);
  const unsigned before = t.c.retransmissions();
  t.give(flag::ack, 1, 1461);
  CHECK(t.c.retransmissions() == before);
}

// Bug caught: the last ACK, which repeats the peer's FIN, answered by one who is no longer there.
TEST_CASE("LAST-ACK ends silently, even if the peer repeats its FIN") {
  child t;
  t.give(flag::fin | flag::ack, 1, 1);
  t.c.shutdown_send(0, t.out);
  t.out.sent.clear();
  t.give(flag::fin | flag::ack, 1, 2);
  CHECK(t.c.state() == connection_state::closed);
  CHECK(t.c.error() == connection_error::none);
  CHECK(t.out.sent.empty());
}

// RFC 6298 2: the first measurement. Bug caught: a round trip that nobody measures.
TEST_CASE("the round trip of data lengthens the interval") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes("a"), 0, t.out);
  t.now = 150 * millisecond;
  t.give(flag::ack, 1, 2);
  t.c.send(bytes("b"), t.now, t.out);
  CHECK(t.c.next_deadline() == t.now + 450 * millisecond);  // 150 + 4 x 75
}

// RFC 6298 5.3. Bug caught: the timer of the first segment running on for the second.
TEST_CASE("an ACK of a part starts the timer again for the rest") {
  child t(profile::linux_2_6_32);
  t.c.send(bytes(std::string(2920, 'x')), 0, t.out);
  t.now = 100 * millisecond;
  t.give(flag::ack, 1, 1461);
  CHECK(t.c.next_deadline() == t.now + 300 * millisecond);  // measured: 100 + max(200, 4 x 50), from now
}

// RFC 5681 3.1: by what is acknowledged, at most a segment.
TEST_CASE("an ACK of a hundred bytes opens the window by a hundred") {
  child t;
  t.c.send(bytes(std::string(100, 'x')), 0, t.out);
  t.give(flag::ack, 1, 101);
  CHECK(t.c.congestion_window() == 14600 + 100);
}

// RFC 9293 3.10.7.4, eighth: only a FIN starts the 2 MSL again. Bug caught: TIME-WAIT kept up by anything.
TEST_CASE("bytes in TIME-WAIT do not start it again") {
  child t;
  t.c.shutdown_send(0, t.out);
  t.give(flag::fin | flag::ack, 1, 2);
  t.now = 10 * second;
  t.give(flag::ack, 1, 2, "x");
  CHECK(t.c.next_deadline() == 60 * second);
}

// RFC 9293 3.9.1.2: PSH with the last of what was given. Bug caught: readers woken by each segment.
TEST_CASE("PSH stands in the last segment of what was given, also of one byte") {
  child t;
  t.c.send(bytes(std::string(3000, 'x')), 0, t.out);
  REQUIRE(t.out.sent.size() == 3);
  CHECK_FALSE(t.out.sent[0].s.flags.has(flag::psh));
  CHECK_FALSE(t.out.sent[1].s.flags.has(flag::psh));
  CHECK(t.out.sent[2].s.flags.has(flag::psh));
  t.c.send(bytes("x"), 0, t.out);
  CHECK(t.out.sent.back().s.flags.has(flag::psh));
}

// RFC 5681 4.1. Bug caught: a burst of a window that was learnt a minute ago; a pause seen where something is in
// flight.
TEST_CASE("after a pause longer than the interval the window is the initial one again") {
  struct row {
    duration pause;
    bool in_flight;
    bool kept;
  };
  for (const row& r : {row{200 * millisecond, false, true}, row{200 * millisecond + 1, false, false},
                       row{100 * millisecond, false, true}, row{second, false, false}, row{second, true, true}}) {
    CAPTURE(r.pause);
    child t(profile::linux_2_6_32);
    t.now = 10 * second;
    t.c.send(bytes(std::string(1461, 'x')), t.now, t.out);
    t.give(flag::ack, 1, 1461);
    if (!r.in_flight) t.give(flag::ack, 1, 1462);
    const std::uint32_t before = t.c.congestion_window();
    REQUIRE(before > 14600);
    t.c.send(bytes("x"), t.now + r.pause, t.out);
    CHECK(t.c.congestion_window() == (r.kept ? before : 14600));
  }
}

// Bug caught: a window probe put off by each write, so that it never comes.
TEST_CASE("bytes given to a closed window do not put its probe off") {
  child t;
  t.give(flag::ack, 1, 1, "", 0);
  t.c.send(bytes("hello"), 0, t.out);
  t.c.send(bytes("hello"), 100 * millisecond, t.out);
  CHECK(t.c.next_deadline() == 200 * millisecond);
}

// Bug caught: a fast-open answer to a SYN where there was no fast open.
TEST_CASE("an ordinary child answers no SYN before its final ACK") {
  child t;
  t.c = connection(profile::linux_6_18, start_of(), opening::passive);
  t.give(flag::syn, 0, 0, "abc");
  for (const auto& x : t.out.sent) CHECK_FALSE(x.s.flags.has(flag::syn));
  CHECK(t.c.bytes_available() == 0);
  CHECK(!t.c.next_deadline());
}

// tcp_send_challenge_ack: an ACK of what was never sent counts among the invalid segments, too.
TEST_CASE("ACKs of unsent bytes get one answer per gap") {
  child t;
  for (int i = 0; i < 5; ++i) t.give(flag::ack, 1, 5000);
  CHECK(t.out.sent.size() == 1);
  t.now = 500 * millisecond;
  t.give(flag::ack, 1, 5000);
  CHECK(t.out.sent.size() == 2);
}
