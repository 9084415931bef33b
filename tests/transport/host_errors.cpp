// SPDX-License-Identifier: BSL-1.0
// ICMP errors from frames to the listener, through transport/framed.hpp, lossy.hpp and host.hpp.
#include <doctest/doctest.h>

#include <array>
#include <complaints.hpp>
#include <listenq/listenq.hpp>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/host.hpp>
#include <listenq/transport/lossy.hpp>
#include <listenq/transport/traced.hpp>

using namespace listenq;
using support::complaint4;
using support::complaint6;
using support::frame;
using support::frame_of;

namespace {

constexpr dual::address us4 = dual::mapped(ip(10, 0, 0, 2)), peer4 = dual::mapped(ip(10, 8, 0, 9));
constexpr dual::address us6{{0xfd770000, 0, 0, 2}}, peer6{{0xfd880000, 0, 0, 9}}, router6{{0xfd770000, 0, 0, 1}};
constexpr ipv4::address router4 = ip(10, 0, 0, 1);

using wired = framed_transport<support::memory_frames&, dual>;
using door = listener<family<dual>, child<handles<connection_id>>>;

template <class L = door>
struct bench {
  support::memory_frames below{};
  wired wire{below};
  host<wired, L> h{wire, L{}};

  bench() {
    wire.add_address(us4);
    wire.add_address(us6);
    REQUIRE(h.listen(80, 4, 0));
  }
  // What is answered to one segment.
  frame give(const dual::address& peer, flags f, seq_number seq, seq_number ack = 0, byte_view data = {}) {
    basic_segment<dual> s{{peer, 4000}, {dual::is_mapped(peer) ? us4 : us6, 80}, seq, ack, f};
    s.window = 60000;
    s.payload = data;
    below.out.clear();
    below.in.push_back(frame_of(s));
    h.poll(0);
    return below.out.empty() ? frame{} : below.out.front();
  }
  void complain(const frame& f) {
    below.in.push_back(f);
    h.poll(0);
  }
  std::uint32_t requests() { return h.listener_at(80)->request_count(); }
};
using plain = bench<>;

}  // namespace

// Bug caught: a peer that is gone keeps its place for a minute although its router says so.
TEST_CASE("host unreachable ends the request whose SYN-ACK it quotes") {
  plain b;
  const frame answer = b.give(peer4, flag::syn, 1000);
  CHECK(b.requests() == 1);
  b.complain(complaint4(answer, router4));
  CHECK(b.requests() == 0);
  CHECK(b.wire.counts().errors == 1);
  CHECK(b.h.counts().of(icmp_verdict::ended) == 1);
  b.complain(complaint4(answer, router4));
  CHECK(b.h.counts().of(icmp_verdict::no_request) == 1);
  CHECK(b.below.out.size() == 1);  // nobody is told
}

// Bug caught: the families' rows mixed up: in Linux what ends a request over IPv4 spares it over IPv6.
TEST_CASE("over IPv6 what is prohibited ends it, and no route does not") {
  plain b;
  const frame answer = b.give(peer6, flag::syn, 1000);
  b.complain(complaint6(answer, router6, {1, 0, 48}));
  CHECK(b.h.counts().of(icmp_verdict::ignored) == 1);
  CHECK(b.requests() == 1);
  b.complain(complaint6(answer, router6, {1, 1, 48}));
  CHECK(b.h.counts().of(icmp_verdict::ended) == 1);
  CHECK(b.requests() == 0);
}

// Bug caught: whoever knows the four-tuple can end a handshake, and so can whoever knows nothing.
TEST_CASE("forged and broken errors cost nobody anything, and each has its counter") {
  plain b;
  const frame answer = b.give(peer4, flag::syn, 1000);
  frame guessed = answer;
  guessed[27] ^= std::byte{1};
  b.complain(complaint4(guessed, router4));
  CHECK(b.h.counts().of(icmp_verdict::wrong_number) == 1);
  CHECK(b.h.listener_at(80)->counters().out_of_window_icmps == 1);
  b.complain(complaint4(answer, router4, {3, 1, 24}));
  CHECK(b.wire.counts().of(wire::quote_error::no_ports) == 1);
  frame bad_sum = complaint4(answer, router4);
  bad_sum[22] ^= std::byte{1};
  b.complain(bad_sum);
  CHECK(b.wire.counts().of(wire::quote_error::bad_checksum) == 1);
  b.complain(complaint4(answer, ip(224, 0, 0, 1)));
  CHECK(b.wire.counts().bad_source == 1);
  frame elsewhere = answer;  // told to us, about somebody else's segment
  elsewhere[15] = std::byte{77};
  frame misled = complaint4(answer, router4);
  std::copy_n(elsewhere.begin(), 20, misled.begin() + 28);
  wire::store16(misled.data() + 22, 0);
  wire::store16(misled.data() + 22, wire::checksum({misled.data() + 20, misled.size() - 20}));
  b.complain(misled);
  b.complain(complaint4(elsewhere, router4));
  CHECK(b.wire.counts().not_ours == 2);
  b.complain(complaint4(answer, router4, {3, 4, 28, 1400}));  // too big: nobody's end
  CHECK(b.h.counts().of(icmp_verdict::ignored) == 1);
  CHECK(b.requests() == 1);
}

// Bug caught: an error about a connection's segment that reaches the listener, or ends the connection.
TEST_CASE("a connection outlives an error about its segments") {
  plain b;
  const frame answer = b.give(peer4, flag::syn, 1000);
  const seq_number iss = wire::load32(answer.data() + 24);
  b.give(peer4, flag::ack, 1001, iss + 1);
  CHECK(b.h.connections() == 1);
  b.complain(complaint4(answer, router4));
  CHECK(b.h.counts().of(icmp_verdict::ignored) == 1);
  CHECK(b.h.connections() == 1);
  frame other_port = answer;
  other_port[21] = std::byte{81};
  b.complain(complaint4(other_port, router4));
  CHECK(b.h.counts().of(icmp_verdict::no_request) == 1);
}

namespace {
// Fast open for whoever sends data with the SYN: the child is there before the handshake is finished.
struct fast : bench<listener<family<dual>, child<handles<connection_id>>, fast_open<linux_fast_open<>>>> {
  static constexpr std::array<std::byte, 10> ten{};
  frame answer;
  seq_number iss = 0;
  fast() {
    REQUIRE(h.listener_at(80)->set(tunable::fastopen, 0x202) == set_status::ok);
    REQUIRE(h.listener_at(80)->set(tunable::fastopen_qlen, 1) == set_status::ok);
    answer = give(peer4, flag::syn, 1000, 0, {ten.data(), ten.size()});
    iss = wire::load32(answer.data() + 24);
    REQUIRE(h.connections() == 1);
  }
  connection_error error(connection_id id) { return h.find_connection(id)->error(); }
};
}  // namespace

// tcp_v4_err. Bugs caught: the child lives on and repeats its SYN-ACK for a minute; its place among the unfinished ones
// is lost; the bytes that came with the SYN are.
TEST_CASE("an error ends a fast open's child that is unfinished and not accepted, and accept() returns its bytes") {
  fast b;
  b.complain(complaint4(b.answer, router4));
  CHECK(b.h.counts().of(icmp_verdict::ended) == 1);
  CHECK(b.h.listener_at(80)->fast_open().unfinished() == 0);
  const auto id = b.h.accept(80, 0);
  REQUIRE(id);
  CHECK(b.error(*id) == connection_error::unreachable);
  std::array<std::byte, 20> to;
  CHECK(b.h.read(*id, to.data(), to.size(), 0) == 10);
  CHECK(b.h.send(*id, {to.data(), 1}, 0) == 0);
  const frame reset = b.give(peer4, flag::ack, 1011, b.iss + 1);
  REQUIRE(reset.size() >= 34);
  CHECK(std::to_integer<unsigned>(reset[33]) == flag::rst.bits);
}

// Bug caught: whoever can guess the four-tuple ends other people's connections.
TEST_CASE("a fast open's child outlives an error about what it has not sent, or when it is accepted or finished") {
  for (const int which : {0, 1, 2, 3}) {
    CAPTURE(which);
    fast b;
    frame quoted = b.answer;
    if (which < 2) wire::store32(quoted.data() + 24, which == 0 ? b.iss - 1 : b.iss + 2);
    auto id = which == 2 ? b.h.accept(80, 0) : std::nullopt;
    if (which == 3) b.give(peer4, flag::ack, 1011, b.iss + 1);
    b.complain(complaint4(quoted, router4));
    CHECK(b.h.counts().of(icmp_verdict::ignored) == 1);
    if (which != 3) b.give(peer4, flag::ack, 1011, b.iss + 1);
    if (!id) id = b.h.accept(80, 0);
    REQUIRE(id);
    CHECK(b.error(*id) == connection_error::none);
    CHECK(b.h.find_connection(*id)->state() == connection_state::established);
  }
}

// Bug caught: one error that is enough where the preset wants two.
TEST_CASE("what the error means is the icmp slot's business") {
  bench<listener<family<dual>, child<handles<connection_id>>, icmp<icmp_ignored>>> b;
  b.complain(complaint4(b.give(peer4, flag::syn, 1000), router4));
  CHECK(b.h.counts().of(icmp_verdict::ignored) == 1);
  CHECK(b.requests() == 1);
}

namespace {
struct no_recorder {
  template <class S>
  void record(instant, const S&, bool) {}
};
}  // namespace

// Bug caught: middleware that keeps errors to itself, or one that calls a host that is gone.
TEST_CASE("errors pass through lossy and traced, and nobody is told when the host has gone") {
  support::memory_frames below;
  wired wire(below);
  wire.add_address(us4);
  lossy faulty(wire, fault_rates{}, fault_rates{}, 1);
  traced seen(faulty, no_recorder{}, [] { return instant{0}; });
  basic_segment<dual> s{{peer4, 4000}, {us4, 80}, 1000, 0, flag::syn};
  {
    host<decltype(seen), door> h(seen, door{});
    REQUIRE(h.listen(80, 4, 0));
    below.in.push_back(frame_of(s));
    h.poll(0);
    REQUIRE(below.out.size() == 1);
    below.in.push_back(complaint4(below.out[0], router4));
    h.poll(0);
    CHECK(h.counts().of(icmp_verdict::ended) == 1);
  }
  below.in.push_back(complaint4(below.out[0], router4));
  CHECK_FALSE(seen.receive());
  CHECK(wire.counts().errors == 2);
}
