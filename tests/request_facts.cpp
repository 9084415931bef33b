// SPDX-License-Identifier: BSL-1.0
// detail/on_request.hpp, facts_about: what a segment is to its request, wherever the three number spaces wrap (RFC 9293
// 3.4, RFC 7323 5.3). Held against the same questions asked in 64 bits, where nothing wraps.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>

#include "support/script.hpp"

using namespace listenq;

namespace {

using number = std::int64_t;
constexpr number window = linux_6_18_offer::window, window_ts = linux_6_18_offer::window_with_timestamps;

// Where a comparison that does not count modulo 2^32 goes wrong, and where it does not.
constexpr seq_number bases[] = {0,           1,           1000,        0x10000000U, 0x7ffffffeU,
                                0x7fffffffU, 0x80000000U, 0x80000001U, 0xffff0000U, 0xffff0617U,
                                0xfffffff0U, 0xfffffffeU, 0xffffffffU};

request<ipv4> at(seq_number irs, seq_number iss) {
  request<ipv4> r;
  r.irs = irs;
  r.iss = iss;
  return r;
}
segment with(flags f, seq_number seq, seq_number ack, std::size_t bytes = 0) {
  segment s;
  s.flags = f;
  s.seq = seq;
  s.ack = ack;
  s.payload = test::bytes(bytes);
  return s;
}
request_facts facts(const request<ipv4>& r, const segment& s) { return detail::facts_about<linux_6_18_offer>(r, s); }
seq_number shifted(seq_number base, number offset) { return base + static_cast<seq_number>(offset); }

}  // namespace

// picotcp (peers.md): a raw comparison. Every edge of the window, for every place where the numbers may wrap.
TEST_CASE("the sequence number is judged relative to the peer's ISN, wherever that lies") {
  constexpr number offsets[] = {-2147483000, -100000,    -1460,      -1000,     -14,    -13,       -2,
                                -1,          0,          1,          2,         13,     1000,      window - 1,
                                window,      window + 1, window + 2, window_ts, 100000, 2147418112};
  for (const seq_number irs : bases) {
    for (const number offset : offsets) {
      for (const flags f : {flag::ack, flag::syn, flag::rst, flag::fin | flag::ack}) {
        for (const std::size_t bytes : {0U, 1U, 13U, 1460U}) {
          CAPTURE(irs);
          CAPTURE(offset);
          CAPTURE(f.bits);
          CAPTURE(bytes);
          const number start = offset - 1;  // relative to the left edge
          const number end = start + static_cast<number>(bytes) + (f.any(flag::syn | flag::fin) ? 1 : 0);
          const request_facts is = facts(at(irs, 7), with(f, shifted(irs, offset), 0, bytes));
          CHECK(is.at_isn == (offset == 0));
          CHECK(is.exact == (start == 0));
          CHECK(is.starts_in_window == (start >= 0 && start < window));
          CHECK(is.at_right_edge == (start == window));
          CHECK(is.in_window == (start == 0 || (end > 0 && start < window) || (start == window && end == window)));
        }
      }
    }
  }
}

TEST_CASE("the ACK number is right if it is our ISN and one, wherever that lies") {
  for (const seq_number iss : bases) {
    for (const number offset : {-1000, -1, 0, 1, 2, 1000, 65536, 2147483647}) {
      CAPTURE(iss);
      CAPTURE(offset);
      CHECK(facts(at(5, iss), with(flag::ack, 6, shifted(iss, offset))).ack_right == (offset == 1));
      CHECK_FALSE(facts(at(5, iss), with(flag::none, 6, shifted(iss, offset))).ack_right);
    }
  }
}

TEST_CASE("PAWS: a value before the last one is old, across the wrap; a last one of 0 forbids nothing") {
  for (const std::uint32_t recent : bases) {
    for (const number offset : {-2147483647, -100000, -1, 0, 1, 100000, 2147483647}) {
      CAPTURE(recent);
      CAPTURE(offset);
      request<ipv4> r = at(5, 7);
      r.timestamps = true;
      r.ts_recent = recent;
      segment s = with(flag::ack, 6, 8);
      s.options.timestamps = true;
      s.options.ts_value = shifted(recent, offset);
      CHECK(facts(r, s).old_timestamp == (recent != 0 && offset < 0));
      s.options.timestamps = false;
      CHECK_FALSE(facts(r, s).old_timestamp);
      CHECK(facts(r, s).no_timestamp);
      r.timestamps = false;
      s.options.timestamps = true;
      CHECK_FALSE(facts(r, s).old_timestamp);
      CHECK_FALSE(facts(r, s).no_timestamp);
    }
  }
}

// Linux 6.18: between the first and the last timestamp that this request's SYN-ACKs carried; 0 is no echo.
TEST_CASE("an echo is right from our first timestamp to our last, across the wrap") {
  for (const std::uint32_t first : bases) {
    for (const number length : {0, 1, 3000, 63000}) {
      for (const number offset :
           {number{-100000}, number{-1}, number{0}, number{1}, length - 1, length, length + 1, number{100000}}) {
        CAPTURE(first);
        CAPTURE(length);
        CAPTURE(offset);
        request<ipv4> r = at(5, 7);
        r.timestamps = true;
        r.first_ts = first;
        r.last_ts = shifted(first, length);
        segment s = with(flag::ack, 6, 8);
        s.options.timestamps = true;
        s.options.ts_echo = shifted(first, offset);
        CHECK(facts(r, s).bad_echo == (s.options.ts_echo != 0 && (offset < 0 || offset > length)));
      }
    }
  }
}

// RFC 7323 2.2: the window of a SYN-ACK is not scaled, and with timestamps it is another one.
TEST_CASE("the window is the one that this request's SYN-ACK offered") {
  request<ipv4> r = at(0xfffffff0U, 7);
  CHECK(facts(r, with(flag::ack, shifted(r.irs, window + 1), 8)).at_right_edge);
  r.timestamps = true;
  r.window_scaling = true;
  CHECK_FALSE(facts(r, with(flag::ack, shifted(r.irs, window + 1), 8)).at_right_edge);
  CHECK(facts(r, with(flag::ack, shifted(r.irs, window_ts + 1), 8)).at_right_edge);
}

// The short way for what nearly all segments are. It must be taken exactly where the long one finds the same: a number
// off by one, an old timestamp or an echo that nobody sent would finish a handshake.
TEST_CASE("what is taken for an ordinary ACK or an ordinary duplicate has just the facts of one") {
  const auto same = [](const request_facts& a, const request_facts& b) {
    return a.flags == b.flags && a.at_isn == b.at_isn && a.exact == b.exact && a.in_window == b.in_window &&
           a.starts_in_window == b.starts_in_window && a.at_right_edge == b.at_right_edge &&
           a.ack_right == b.ack_right && a.old_timestamp == b.old_timestamp && a.no_timestamp == b.no_timestamp &&
           a.bad_echo == b.bad_echo;
  };
  constexpr std::uint32_t first = 5000, last = 5003, recent = 1, late = 0x90000000U;
  constexpr flags all[] = {flag::syn, flag::ack, flag::rst, flag::fin, flag::psh};
  int acks = 0, duplicates = 0, others = 0;
  const auto judge = [&](const request<ipv4>& r, const segment& s) {
    const request_facts f = facts(r, s);
    const flags kind = s.flags & (flag::syn | flag::ack | flag::rst);
    const bool good = !f.old_timestamp && !f.no_timestamp && !f.bad_echo;
    const bool ack = kind == flag::ack && f.exact && f.ack_right && good;
    const bool duplicate = kind == flag::syn && !s.flags.has(flag::fin) && s.payload.empty() && f.at_isn && good &&
                           (!r.timestamps || s.options.ts_echo == 0);
    CHECK(detail::is_ordinary_ack<linux_validation<linux_era::v6_18>>(r, s) == ack);
    request_facts without_echo = f;
    without_echo.bad_echo = false;
    const bool others_ack = ack || (kind == flag::ack && f.exact && f.ack_right && !f.old_timestamp && !f.no_timestamp);
    CHECK(detail::is_ordinary_ack<linux_validation<linux_era::v3_12>>(r, s) == others_ack);
    if (others_ack) CHECK(same(without_echo, detail::facts_about_ordinary_ack(s.flags)));
    CHECK(detail::is_ordinary_duplicate(r, s) == duplicate);
    if (ack) CHECK(same(f, detail::facts_about_ordinary_ack(s.flags)));
    ++(ack ? acks : duplicate ? duplicates : others);
  };
  for (int bits = 0; bits < 32; ++bits) {
    flags f;
    for (int i = 0; i < 5; ++i) f = f | ((bits >> i & 1) != 0 ? all[i] : flag::none);
    for (const number seq : {0, 1, 2}) {
      for (const number ack : {-1, 0, 1, 2}) {
        for (const std::size_t bytes : {0U, 5U}) {
          CAPTURE(bits);
          CAPTURE(seq);
          CAPTURE(ack);
          auto r = at(100, 200);
          auto s = with(f, shifted(100, seq), shifted(200, ack), bytes);
          judge(r, s);
          s.options.timestamps = true;  // which nobody has agreed on
          judge(r, s);
          r.timestamps = true, r.first_ts = first, r.last_ts = last;
          for (const std::uint32_t before : {recent, late}) {
            r.ts_recent = before;
            s.options = {};
            judge(r, s);
            s.options.timestamps = true;
            for (const std::uint32_t value : {before - 1, before, before + 1}) {
              for (const std::uint32_t echo : {0U, 1U, first - 1, first, last, last + 1, 0U - first}) {
                s.options.ts_value = value, s.options.ts_echo = echo;
                judge(r, s);
              }
            }
          }
        }
      }
    }
  }
  CHECK(acks > 0);
  CHECK(duplicates > 0);
  CHECK(others > acks);
  const request_facts dup = detail::facts_about_ordinary_duplicate(flag::syn);
  CHECK(dup.flags == flag::syn);
  CHECK(dup.at_isn);
  CHECK(!dup.ack_right);
}

// A flag that was looked at is forgotten, or one that was not is lost.
TEST_CASE("of an ordinary segment's flags those that were looked at are known, and the others are its own") {
  constexpr flags others = flag::psh | flag::ece | flag::cwr;
  CHECK(detail::facts_about_ordinary_ack(flag::syn | flag::rst | flag::fin | others).flags ==
        (flag::ack | flag::fin | others));
  CHECK(detail::facts_about_ordinary_duplicate(flag::ack | flag::rst | flag::fin | others).flags ==
        (flag::syn | others));
}
