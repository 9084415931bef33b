// SPDX-License-Identifier: BSL-1.0
// policy/by_cause.hpp: how often each rule fired, and what became of requests and connections.
#include <doctest/doctest.h>

#include <listenq/describe.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <string>

#include "support/script.hpp"

using namespace listenq;
using test::at;
using test::script;
using test::tuple;

namespace {

template <class L>
using watched = with<L, observer<by_cause<policy_of<L, slot::counters>>>>;
using old = watched<preset::linux_3_12>;
using modern = watched<preset::linux_6_18>;

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

// The kernel's ListenDrops is one number; these are its causes.
TEST_CASE("ListenDrops of 3.12, split: a full accept queue at the SYN, at the ACK, a cookie, a refused child") {
  script<old> s{1};
  s.connect(0, 1);
  s.syn(2), s.syn(3);
  CHECK(s.syn(4) == verdict::dropped_accept_full);
  CHECK(s.syn(5) == verdict::dropped_accept_full);
  CHECK(s.ack(2) == verdict::overflow_kept);
  s.listener.accept(), s.listener.accept();
  s.out.takes_children = false;
  CHECK(s.ack(2) == verdict::overflow_kept);
  for (int i = 4; i < 18; ++i) CHECK(s.syn(i) == verdict::admitted);
  for (int i = 18; i < 21; ++i) CHECK(s.syn(i) == verdict::cookie_sent);
  CHECK(s.listener.counters().listen_drops == 7);
  const auto& books = s.listener.observer();
  const auto drops = [&books](verdict v, std::initializer_list<stage> found) {
    outcome o{v};
    for (const stage x : found) o.stages.add(x);
    return books.rows[cause_index(o)].counters.values().listen_drops;
  };
  CHECK(drops(verdict::dropped_accept_full, {stage::accept_full}) == 2);
  CHECK(drops(verdict::overflow_kept, {stage::accept_full}) == 1);
  CHECK(drops(verdict::overflow_kept, {stage::child_refused}) == 1);
  CHECK(drops(verdict::cookie_sent, {stage::request_full, stage::cookie_wanted}) == 3);

  const std::string text = to_text(books, s.listener);
  CHECK(says(text,
             "       2  dropped_accept_full   the accept queue is full; accept_full_at_syn<drop_if_young<1>>: "
             "TcpExtListenOverflows 2, TcpExtListenDrops 2\n"));
  CHECK(says(text,
             "       1  overflow_kept         the stack made no child: kept; accept_full_at_ack<abort_if_tuned>: "
             "TcpExtListenDrops 1\n"));
  CHECK_FALSE(says(text, "dropped_last_quarter"));
}

TEST_CASE("without counters a cause costs eight bytes, and no observer costs none") {
  CHECK(sizeof(by_cause<>::row) == 8);
  CHECK(sizeof(preset::linux_6_18) < sizeof(with<preset::linux_6_18, observer<by_cause<>>>));
  CHECK(sizeof(preset::linux_6_18) == sizeof(with<preset::linux_6_18, observer<unobserved>>));
  script<with<preset::linux_6_18, observer<by_cause<>>>> s{1};
  s.connect(0, 0);
  CHECK(to_text(s.listener.observer(), s.listener) ==
        "       1  admitted              stored; "
        "admission<in_order<gates::known_request, gates::request_queue, gates::accept_queue, gates::refusal, "
        "gates::last_quarter>>\n"
        "       1  promoted              connected; waiting<over<pipeline<>>>\n");
}

// A departure that is counted twice, or under another name: the books would hide a leak.
TEST_CASE("requests by what became of them") {
  script<modern> s{8};
  s.listener.set(tunable::syncookies, 0);
  for (int i = 0; i < 8; ++i) s.syn(i);
  s.ack(0);                                           // promoted
  s.rst(1);                                           // reset
  s.send(2, {.flags = flag::syn, .seq = 50});         // reset
  s.listener.unreachable(tuple(3), s.iss(3), s.now);  // reset
  s.out.takes_children = false;
  s.listener.set(tunable::abort_on_overflow, 1);
  s.ack(4);  // overflow
  s.out.takes_children = true;
  const auto& b = s.listener.observer().requests;
  CHECK(b.stored == 8);
  CHECK(b.by(departure::promoted) == 1);
  CHECK(b.by(departure::reset) == 3);
  CHECK(b.by(departure::overflow) == 1);
  CHECK(b.there() == 3);
  s.out.answer = send_result::failed;
  s.tick(at(1));
  CHECK(b.by(departure::send_failed) == 3);
  CHECK(b.there() == 0);
  s.out.answer = send_result::sent;

  for (int i = 10; i < 14; ++i) s.syn(i);
  s.listener.close(s.out, s.now);
  CHECK(b.by(departure::closed) == 0);  // left to their timers
  s.ack(10);
  CHECK(s.last.stages.has(stage::request_ended));
  CHECK(b.by(departure::closed) == 1);
  s.tick(at(2.5));
  CHECK(b.by(departure::closed) == 4);
  s.listener.listen(8, s.now);
  s.syn(20), s.syn(21);
  s.listener.close(s.out, s.now);
  s.listener.listen(8, s.now);
  CHECK(b.by(departure::closed) == 6);
  CHECK(b.there() == 0);

  script<watched<preset::linux_3_12>> f{8};
  f.syn(0), f.syn(1);
  f.listener.close(f.out, f.now);
  CHECK(f.listener.observer().requests.by(departure::closed) == 2);
}

TEST_CASE("connections by what became of them") {
  script<with<modern, aborted_child<reported>>> s{8};
  s.connect(0, 3);
  s.listener.set(tunable::syncookies, 2);
  s.syn(4);
  CHECK(s.ack(4) == verdict::cookie_promoted);
  s.listener.child_gone(tuple(1));
  s.listener.accept();
  s.listener.accept();
  const auto& c = s.listener.observer().connections;
  CHECK(c.promoted == 4);
  CHECK(c.by_cookie == 1);
  CHECK(c.accepted == 1);
  CHECK(c.aborted == 1);
  CHECK(c.there() == 3);
  s.listener.close(s.out, s.now);
  CHECK(c.killed == 3);
  CHECK(c.there() == 0);
}

// inet_csk_reqsk_queue_prune: "without pity". A kernel counts TCPTimeouts for both.
TEST_CASE("a request that dies because the queue is crowded is told from one that was given up") {
  script<watched<preset::linux_3_12>> s{1};
  s.listener.set(tunable::syncookies, 0);
  for (int i = 0; i < 16; ++i) CHECK(s.syn(i) == verdict::admitted);
  s.run_until(at(20));
  const auto& full = s.listener.observer();
  CHECK(full.times(timer_verdict::expired) > 8);
  CHECK(full.times(timer_outcome{timer_verdict::expired, false, true}) == full.times(timer_verdict::expired));

  script<watched<preset::linux_3_12>> alone{1};
  alone.syn(0);
  alone.run_until(at(70));
  CHECK(alone.listener.observer().times(timer_outcome{timer_verdict::expired, false, false}) == 1);
  CHECK(alone.listener.observer().times(timer_outcome{timer_verdict::expired, false, true}) == 0);
  CHECK(alone.listener.observer().times(timer_outcome{timer_verdict::resent, true}) == 5);
}

TEST_CASE("ICMP errors are counted by what they did") {
  script<modern> s{8};
  s.syn(0);
  s.listener.unreachable(tuple(1), 0, s.now);
  s.listener.unreachable(tuple(0), s.iss(0) + 1, s.now);
  s.listener.unreachable(tuple(0), s.iss(0), s.now);
  const auto& books = s.listener.observer();
  CHECK(books.times(icmp_verdict::no_request) == 1);
  CHECK(books.times(icmp_verdict::wrong_number) == 1);
  CHECK(books.times(icmp_verdict::ended) == 1);
  CHECK(books.rows[cause_index(icmp_verdict::ended)].counters.values().listen_drops == 1);
}

// A row that is left out of the sums, added to two verdicts, or read beyond the table: a verdict would be said to have
// been given more or less often than its causes together.
TEST_CASE("every record counts for one cause and one verdict, and for no other") {
  script<modern> s{8};
  for (int i = 0; i < 6; ++i) s.syn(i);
  s.syn(0);
  s.ack(0), s.ack(1);
  s.rst(2);
  s.ack(40);
  s.listener.unreachable(tuple(3), s.iss(3), s.now);
  s.listener.unreachable(tuple(41), 0, s.now);
  s.run_until(at(70));
  const auto& books = s.listener.observer();
  CHECK(books.times(outcome{verdict::admitted}) == 6);
  CHECK(books.times(outcome{verdict::duplicate_syn}) == 1);
  CHECK(books.times(outcome{verdict::promoted}) == 2);
  CHECK(books.times(outcome{verdict::request_reset}) == 1);
  CHECK(books.times(outcome{verdict::cookie_overflow}) == 0);
  std::uint64_t segments = 0, timers = 0, errors = 0;
  for (unsigned v = 0; v < 256; ++v) {
    segments += books.times(static_cast<verdict>(v));
    timers += books.times(static_cast<timer_verdict>(v));
    errors += books.times(static_cast<icmp_verdict>(v));
  }
  CHECK(books.times(verdict::admitted) == 6);
  CHECK(segments == books.segments);
  CHECK(segments == 11);
  CHECK(timers == books.timers);
  CHECK(timers > 0);
  CHECK(errors == 2);
}
