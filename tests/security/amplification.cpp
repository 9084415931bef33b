// SPDX-License-Identifier: BSL-1.0
// What an attacker gets out of a listener with forged segments: no answer is much larger than what provoked it, the
// SYN-ACKs of one SYN are counted, and a flood takes no memory. For every preset.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <listenq/preset/catalogue.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <listenq/wire/tcp.hpp>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace {

std::size_t allocations = 0;

}  // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t n) {
  ++allocations;
  void* const p = std::malloc(n);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(n);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }

using namespace listenq;

namespace {

constexpr std::size_t ip_header = 20;

std::size_t octets(const segment& s) { return ip_header + wire::tcp_size(s); }

/// Counts what comes out.
struct meter {
  std::size_t segments = 0;
  std::size_t syn_acks = 0;
  std::size_t octets_out = 0;
  std::size_t largest = 0;
  segment last{};
  send_result send(const segment& s) {
    last = s;
    ++segments;
    syn_acks += s.flags.has(flag::syn | flag::ack) ? 1 : 0;
    octets_out += octets(s);
    largest = std::max(largest, octets(s));
    return send_result::sent;
  }
  bool make_child(const handshake&, const segment&) { return true; }
  void reset_child(const four_tuple&) {}
};

segment from(std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
  return {{ip(192, 0, 2, 1), port}, {ip(10, 0, 0, 1), 80}, seq, ack, f, 1024};
}

/// The options that a SYN may bring: none, all, each alone, and those of fast open.
std::vector<tcp_options> option_sets() {
  std::vector<tcp_options> all(1);
  all.push_back({.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 5});
  all.push_back({.mss = 1460});
  all.push_back({.window_scale = 7});
  all.push_back({.sack_permitted = true});
  all.push_back({.timestamps = true, .ts_value = 5});
  all.push_back({.mss = 536, .sack_permitted = true, .timestamps = true, .ts_value = 5});
  all.push_back({.mss = 1460});
  all.back().fast_open = fast_open_option::request();
  return all;
}

/// The largest answer's octets beyond those of the segment that provoked it, by verdict.
using excess_table = std::map<std::string, long>;

template <class L>
void provoke(L& l, const segment& s, instant now, excess_table& table) {
  meter out;
  const outcome o = l.receive(s, now, out);
  if (out.segments > 1) ++table["more than one answer"];
  if (out.segments == 0) return;
  const long excess = static_cast<long>(out.largest) - static_cast<long>(octets(s));
  std::string name = name_of(o.verdict);
  if (out.last.options.fast_open.present()) name += ", fast-open cookie";
  if (out.last.options.timestamps && !s.options.timestamps) name += ", timestamps";
  const auto [i, fresh] = table.try_emplace(name, excess);
  if (!fresh) i->second = std::max(i->second, excess);
}

/// Every segment that an attacker can think of, at a request and where there is none, with room and without.
template <class L>
excess_table worst_answers() {
  excess_table table;
  for (const tcp_options& options : option_sets()) {
    for (const std::uint32_t cookies : {0U, 1U, 2U}) {
      L l;
      l.set(tunable::fastopen, 3);
      l.set(tunable::fastopen_qlen, 16);
      l.set(tunable::syncookies, cookies);
      l.listen(2);
      instant now = second;
      std::uint16_t port = 1024;
      for (int round = 0; round < 24; ++round, ++port) {
        now += second;  // past the rate limits of answers
        segment syn = from(port, flag::syn, 1000);
        syn.options = options;
        provoke(l, syn, now, table);
        for (unsigned bits = 0; bits < 64; ++bits) {
          for (const seq_number seq : {1000U, 1001U, 900000000U}) {
            now += second / 2;
            meter unread;
            if (l.find_request(four_tuple_of(syn)) == nullptr) l.receive(syn, now, unread);
            segment s = from(port, {static_cast<std::uint8_t>(bits)}, seq, 77);
            if (round % 2 == 0 && s.flags.has(flag::syn)) s.options = options;
            if (round % 3 == 0 && !s.flags.has(flag::syn)) s.options.timestamps = options.timestamps;
            provoke(l, s, now, table);
            if (round > 2) break;
          }
        }
      }
    }
  }
  return table;
}

}  // namespace

// A SYN-ACK with options that the SYN did not bring, a RST with a payload, an answer to what deserves none: the
// listener would be worth a detour for whoever floods somebody else.
TEST_CASE("no answer is larger than what provoked it, but for an MSS, a fast-open cookie, or agreed timestamps") {
  preset::for_each([]<class L>(const preset::about& a) {
    CAPTURE(std::string{a.name});
    const excess_table table = worst_answers<L>();
    CHECK(table.size() >= 3);
    for (const auto& [what, excess] : table) {
      CAPTURE(what);
      const bool syn_ack =
          what.starts_with("admitted") || what.starts_with("cookie_sent") || what.starts_with("fast_opened");
      // The SYN-ACK of the first SYN once more, for a SYN or, under NetBSD and OpenBSD, an ACK that brings no options:
      // 40 octets get 60.
      const bool again = what.starts_with("duplicate_syn") || what.starts_with("wrong_ack_resent");
      const bool stamped = what.ends_with("timestamps");
      const bool cookie = what.ends_with("fast-open cookie");
      CHECK(excess <= (again ? 20 : cookie ? 12 : stamped ? 12 : syn_ack ? 4 : 0));
    }
    // The bare SYN of 40 octets gets its SYN-ACK of 44: always an MSS, nothing else that was not offered.
    CHECK(table.at("admitted") == 4);
  });
}

// A preset that repeats its SYN-ACK more often than its original, or for ever.
TEST_CASE("one forged SYN draws a known number of SYN-ACKs, 44 octets each for its 40") {
  std::map<std::string, std::size_t> seen;
  preset::for_each([&seen]<class L>(const preset::about& a) {
    L l;
    l.listen(16);
    meter out;
    l.receive(from(1024, flag::syn, 1000), second, out);
    instant last = second;
    for (int i = 0; i < 10000; ++i) {
      const auto next = l.next_deadline();
      if (!next) break;
      last = std::max(last, *next);
      l.tick(last, out);
    }
    CAPTURE(std::string{a.name});
    CHECK(l.request_count() == 0);
    CHECK(out.segments == out.syn_acks);
    CHECK(out.octets_out == 44 * out.syn_acks);
    seen[a.name] = out.syn_acks;
  });
  const std::map<std::string, std::size_t> known{
      {"bsd-classic", 3}, {"freebsd-13", 4},   {"freebsd-4", 4},  {"gvisor", 7},    {"hpux", 6},
      {"linux-2.4", 6},   {"linux-2.6.32", 6}, {"linux-3.12", 6}, {"linux-4.4", 6}, {"linux-5.15", 6},
      {"linux-6.18", 6},  {"lwip", 3},         {"mtcp", 17},      {"netbsd", 5},    {"onload", 6},
      {"openbsd", 5},     {"seastar", 6},      {"shadow", 1},     {"smoltcp", 41},  {"solaris", 6},
      {"vpp", 9},         {"windows-2003", 3}, {"windows-nt", 6}, {"xnu", 6}};
  CHECK(seen == known);
}

// Something that grows with the number of peers: a list of the refused, a cache of cookies, a counter for each address.
TEST_CASE("a flood of SYNs, ACKs and RSTs allocates nothing and stores no more than listen() allowed") {
  preset::for_each([]<class L>(const preset::about& a) {
    CAPTURE(std::string{a.name});
    L l;
    l.set(tunable::syncookies, 1);
    l.listen(64);
    meter out;
    splitmix64 random(9);
    std::uint32_t most = 0;
    std::uint32_t waiting = 0;
    const std::size_t before = allocations;
    for (std::uint32_t i = 0; i < 20000; ++i) {
      segment s = from(static_cast<std::uint16_t>(random.next()), flag::syn, static_cast<seq_number>(random.next()));
      s.source.address.value = static_cast<std::uint32_t>(random.next());
      const instant now = second + i * 100;
      l.receive(s, now, out);
      most = std::max(most, l.request_count());
      if (i % 3 == 0 && out.last.flags.has(flag::syn)) {  // some finish their handshake
        segment ack = s;
        ack.flags = i % 2 == 0 ? flag::ack : flag::rst;
        ack.seq = s.seq + 1;
        ack.ack = out.last.seq + 1;
        l.receive(ack, now, out);
      }
      s.flags = flag::ack;
      s.ack = static_cast<seq_number>(random.next());
      l.receive(s, now, out);
      if (l.next_deadline().value_or(never) <= now) l.tick(now, out);
      waiting = std::max(waiting, l.accept_count());
    }
    const std::size_t after = allocations;
    CHECK(after == before);
    CHECK(most <= l.request_limit());
    CHECK(waiting <= (std::string{a.name} == "vpp" ? 20000U : 64U * 3 + 1));
    CHECK(most > 0);
  });
}
