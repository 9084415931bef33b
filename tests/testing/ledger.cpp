// SPDX-License-Identifier: BSL-1.0
// testing/ledger.hpp: each check can fail. Between two looks of the ledger a fake changes in a way that a listener must
// not, and the invariant that forbids it is named; done rightly, none is.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <listenq/listener.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/testing/ledger.hpp>
#include <string>
#include <utility>
#include <vector>

#include "fake.hpp"

using namespace listenq;
using testing::fake;
using testing::invariant;

namespace {

segment from(unsigned i, flags f, seq_number seq = 0, seq_number ack = 0) {
  segment s;
  s.source = fake::key(i).peer();
  s.destination = fake::key(i).local();
  s.flags = f;
  s.seq = seq;
  s.ack = ack;
  return s;
}
segment to(unsigned i, flags f, seq_number seq = 0, seq_number ack = 0) {
  segment s = segment_to_peer(fake::key(i));
  s.flags = f;
  s.seq = seq;
  s.ack = ack;
  return s;
}

constexpr outcome of(verdict v, std::initializer_list<stage> with = {}) {
  outcome o{v};
  for (const stage s : with) o.stages.add(s);
  return o;
}
constexpr flags syn_ack = flag::syn | flag::ack;

/// A fake with two requests and two waiting connections, its books, and what was found wrong with them.
struct books {
  fake f = start();
  testing::ledger<fake> ledger;
  std::vector<invariant> found{};

  explicit books(const testing::expectations& e = {}) : ledger{f, e} {}
  static fake start() {
    fake f;
    f.add(0, 3 * second);
    f.add(1, 5 * second, 1);
    f.waiting = {fake::key(2), fake::key(3)};
    f.settle();
    return f;
  }
  auto note() {
    return [this](invariant i) {
      if (std::find(found.begin(), found.end(), i) == found.end()) found.push_back(i);
    };
  }
  books& received(const segment& s, const outcome& o, const std::vector<segment>& sent, const arrival& facts = {}) {
    f.settle();
    ledger.received(f, s, facts, o, sent, note());
    return *this;
  }
  books& ticked(instant now, const tick_summary& t, const std::vector<segment>& sent) {
    f.settle();
    ledger.ticked(f, now, t, sent, note());
    return *this;
  }
  bool names(invariant i) const { return std::find(found.begin(), found.end(), i) != found.end(); }
};

const outcome admitted = of(verdict::admitted, {stage::answered});

/// A SYN of client 7 as it should be; `spoil` then breaks one thing.
books store(const std::function<void(fake&)>& spoil = {}, const outcome& o = admitted,
            const std::vector<segment>& sent = {to(7, syn_ack, 0, 78)}, const arrival& facts = {}) {
  books b;
  b.f.add(7, 9 * second).irs = 77;
  if (spoil) spoil(b.f);
  b.received(from(7, flag::syn, 77), o, sent, facts);
  return b;
}

/// The final ACK of client 0 as it should be.
books promote(const std::function<void(fake&)>& spoil = {}) {
  books b;
  b.f.remove(0);
  b.f.waiting.push_back(fake::key(0));
  b.f.counted.passive_opens = 1;
  if (spoil) spoil(b.f);
  b.received(from(0, flag::ack, 1001, 2001), of(verdict::promoted), {});
  return b;
}

}  // namespace

TEST_CASE("what is done rightly is not blamed") {
  CHECK(store().found.empty());
  CHECK(promote().found.empty());
}

TEST_CASE("verdict_fits_segment") {
  books b;
  b.received(from(7, flag::ack), of(verdict::ignored), {});
  CHECK(b.found == std::vector{invariant::verdict_fits_segment});
  books c;
  c.received(from(0, flag::syn, 1000), of(verdict::cookie_promoted), {});
  CHECK(c.names(invariant::verdict_fits_segment));
  books closed;
  closed.f.open = false;
  closed.f.waiting.clear();
  closed.ledger = testing::ledger<fake>{closed.f};
  closed.received(from(7, flag::syn), of(verdict::ignored), {});
  CHECK(closed.found == std::vector{invariant::verdict_fits_segment});
}

// A request that goes with a segment and no record says so: books made of records alone would keep it for ever.
TEST_CASE("verdict_fits_segment: a closed listener says that the request it left to its timer has ended") {
  const auto close = [](bool goes, std::initializer_list<stage> found) {
    books b;
    b.f.open = false;
    b.f.waiting.clear();
    b.f.settle();
    b.ledger = testing::ledger<fake>{b.f};
    if (goes) b.f.remove(0);
    b.received(from(0, flag::rst, 1001), of(verdict::not_listening, found), {});
    return b.found;
  };
  CHECK(close(true, {stage::request_ended}).empty());
  CHECK(close(true, {}) == std::vector{invariant::verdict_fits_segment});
}

TEST_CASE("answer_fits_verdict") {
  const auto only = std::vector{invariant::answer_fits_verdict};
  CHECK(store({}, admitted, {}).found == only);               // said to have answered
  CHECK(store({}, of(verdict::admitted), {}).found == only);  // neither answered nor failed
  CHECK(store({}, of(verdict::admitted, {stage::send_failed}), {}).found.empty());
  CHECK(store({}, admitted, {to(7, syn_ack, 0, 78), to(7, syn_ack, 0, 78)}).found == only);  // twice
  CHECK(store({}, admitted, {to(6, syn_ack, 0, 78)}).found == only);                         // to somebody else
  CHECK(store({}, admitted, {to(7, flag::ack)}).found == only);                              // of another kind
  books b;  // a RST is answered with a RST
  b.received(from(7, flag::rst | flag::ack), of(verdict::ignored, {stage::answered, stage::answered_reset}),
             {to(7, flag::rst)});
  CHECK(b.found == only);
  books c;  // silence is broken
  c.received(from(7, flag::syn), of(verdict::dropped_request_full, {stage::answered}), {to(7, flag::ack)});
  CHECK(c.found == only);
}

// FreeBSD says RST for a cookie that finds no room, Linux says nothing; nobody says anything else.
TEST_CASE("answer_fits_verdict, for a cookie that finds no room") {
  const auto answered = [](const std::vector<segment>& sent) {
    books b;
    outcome o = of(verdict::cookie_overflow);
    if (!sent.empty()) o.stages.add(stage::answered);
    if (!sent.empty() && sent.front().flags.has(flag::rst)) o.stages.add(stage::answered_reset);
    return b.received(from(7, flag::ack, 1001, 77), o, sent).found;
  };
  CHECK(answered({}) == std::vector<invariant>{});
  CHECK(answered({to(7, flag::rst, 77)}) == std::vector<invariant>{});
  CHECK(answered({to(7, flag::rst, 78)}) == std::vector{invariant::answer_fits_verdict});
  CHECK(answered({to(7, flag::ack, 77, 1001)}) == std::vector{invariant::answer_fits_verdict});
}

TEST_CASE("queues_move_as_said") {
  CHECK(store([](fake& f) { f.remove(7); }).names(invariant::queues_move_as_said));           // not stored
  CHECK(store([](fake& f) { f.at(7).timeouts = 1; }).names(invariant::queues_move_as_said));  // stored as old
  CHECK(store([](fake& f) { f.remove(1); }).names(invariant::queues_move_as_said));           // another one lost
  CHECK(promote([](fake& f) { f.add(0, 3 * second); }).names(invariant::queues_move_as_said));
  CHECK(promote([](fake& f) { f.waiting.pop_back(); }).names(invariant::queues_move_as_said));
  books b;  // a request falls out of a dropped SYN
  b.f.add(7, second);
  b.received(from(7, flag::syn), of(verdict::dropped_request_full), {});
  CHECK(b.names(invariant::queues_move_as_said));
}

TEST_CASE("others_untouched") {
  CHECK(store([](fake& f) { f.at(1).acked = true; }).found == std::vector{invariant::others_untouched});
  CHECK(promote([](fake& f) { f.at(1).deadline += 1; }).found == std::vector{invariant::others_untouched});
  books b;  // a tunable that throws somebody out
  b.f.remove(0);
  b.f.settle();
  b.ledger.touched(b.f, b.note());
  CHECK(b.names(invariant::others_untouched));
}

TEST_CASE("stored_only_with_room") {
  books b;
  b.f.limit = 2;
  b.ledger = testing::ledger<fake>{b.f};
  b.f.add(7, 9 * second).irs = 77;
  b.received(from(7, flag::syn, 77), admitted, {to(7, syn_ack, 0, 78)});
  CHECK(b.found == std::vector{invariant::stored_only_with_room});
  b.found.clear();
  b.f.add(8, 9 * second).irs = 78;
  b.received(from(8, flag::syn, 78), admitted, {to(8, syn_ack, 0, 79)}, {.isn = 5});
  CHECK(b.found.empty());
}

TEST_CASE("promoted_only_with_room") {
  for (const bool shared : {false, true}) {
    books b{{.waiting_counts_requests = shared}};
    b.f.full = true;
    b.ledger = testing::ledger<fake>{b.f, {.waiting_counts_requests = shared}};
    b.f.remove(0);
    b.f.waiting.push_back(fake::key(0));
    b.f.counted.passive_opens = 1;
    b.received(from(0, flag::ack, 1001, 2001), of(verdict::promoted), {});
    CHECK(b.names(invariant::promoted_only_with_room) == !shared);
  }
}

TEST_CASE("victim_as_ruled") {
  const outcome o = of(verdict::admitted, {stage::answered, stage::evicted});
  CHECK(store([](fake& f) { f.remove(0); }, o).found.empty());
  CHECK(store([](fake& f) { f.remove(1); }, o).found == std::vector{invariant::victim_as_ruled});
}

namespace {

/// Requests 0, 1 and 4 in buckets 1, 2 and 2 of three; `newcomer` comes and `victim` goes.
std::vector<invariant> replace(unsigned newcomer, unsigned victim, const testing::expectations& e) {
  books b{e};
  b.f.buckets = 3;
  b.f.add(4, 6 * second);
  b.f.settle();
  b.ledger = testing::ledger<fake>{b.f, e};
  b.f.remove(victim);
  b.f.add(newcomer, 9 * second).irs = 77;
  b.received(from(newcomer, flag::syn, 77), of(verdict::admitted, {stage::answered, stage::evicted}),
             {to(newcomer, syn_ack, 0, 78)});
  return b.found;
}

}  // namespace

// Client 7 belongs to bucket 2, client 5 to bucket 0, which is empty: the next one is 1.
TEST_CASE("victim_as_ruled, in buckets") {
  const std::vector only{invariant::victim_as_ruled};
  const testing::expectations in_bucket{.buckets = 3, .evicted = testing::victims::oldest_in_bucket};
  CHECK(replace(7, 1, in_bucket).empty());
  CHECK(replace(7, 4, in_bucket) == only);
  CHECK(replace(7, 0, in_bucket) == only);
  CHECK(replace(5, 0, in_bucket) == only);
  const testing::expectations from_here_on{.buckets = 3, .evicted = testing::victims::oldest_from_here_on};
  CHECK(replace(7, 1, from_here_on).empty());
  CHECK(replace(7, 4, from_here_on) == only);
  CHECK(replace(5, 0, from_here_on).empty());
  CHECK(replace(5, 1, from_here_on) == only);
  CHECK(replace(7, 4, {.evicted = testing::victims::anybody}).empty());
}

// An evicted peer is told before the newcomer is answered, and nobody else is.
TEST_CASE("answer_fits_verdict, for the one who is evicted") {
  const outcome o = of(verdict::admitted, {stage::answered, stage::evicted, stage::evicted_reset});
  const auto replaced = [&](const std::vector<segment>& sent) {
    return store([](fake& f) { f.remove(0); }, o, sent).found;
  };
  const std::vector only{invariant::answer_fits_verdict};
  const segment answer = to(7, syn_ack, 0, 78);
  CHECK(replaced({to(0, flag::rst | flag::ack, 2001), answer}).empty());
  CHECK(replaced({to(1, flag::rst | flag::ack, 2002), answer}) == only);
  CHECK(replaced({to(0, flag::rst | flag::ack, 2000), answer}) == only);
  CHECK(replaced({to(0, flag::ack, 2001), answer}) == only);
  CHECK(replaced({answer}) == only);
}

// A refused SYN can cost a request, its own where the gate stands before the lookup.
TEST_CASE("queues_move_as_said, when a dropped SYN evicts") {
  for (const unsigned sender : {7U, 0U}) {
    books b;
    b.f.remove(0);
    b.received(from(sender, flag::syn, 1000), of(verdict::dropped_request_full, {stage::evicted}), {});
    CHECK(b.found.empty());
  }
  books quiet;
  quiet.f.remove(0);
  quiet.received(from(7, flag::syn, 1000), of(verdict::dropped_request_full), {});
  CHECK(quiet.names(invariant::queues_move_as_said));
}

TEST_CASE("a neighbour may take a request away, if both sides say so") {
  books b{{.shares_queue = true}};
  b.f.add(7, 9 * second).irs = 77;
  b.received(from(7, flag::syn, 77), of(verdict::admitted, {stage::answered, stage::evicted}), {to(7, syn_ack, 0, 78)});
  CHECK(b.found.empty());  // the victim was the neighbour's
  b.f.remove(1);
  b.f.lost_requests = 1;
  b.f.settle();
  b.ledger.robbed(b.f, b.note());
  CHECK(b.found.empty());
  b.f.remove(0);
  b.f.settle();
  b.ledger.robbed(b.f, b.note());
  CHECK(b.names(invariant::others_untouched));
  CHECK(b.names(invariant::requests_conserved));
}

TEST_CASE("acked_is_monotone") {
  books b;
  b.f.at(0).acked = true;
  b.received(from(0, flag::ack, 1001, 2001), of(verdict::overflow_kept), {});
  CHECK(b.found.empty());
  b.f.at(0).acked = false;
  b.received(from(0, flag::ack, 1001, 2001), of(verdict::overflow_kept), {});
  CHECK(b.found == std::vector{invariant::acked_is_monotone});
}

TEST_CASE("young_once") {
  books b;
  b.f.at(0).timeouts = 1;
  b.received(from(0, flag::syn, 1000), of(verdict::duplicate_syn, {stage::answered}), {to(0, syn_ack, 2000, 1001)});
  CHECK(b.found == std::vector{invariant::young_once});
  books c;  // the 7-bit counter of 2.6.32 wraps to young again
  c.f.at(1).timeouts = 0;
  c.f.at(1).deadline = 11 * second;
  c.f.at(0).timeouts = 1;
  c.f.at(0).deadline = 11 * second;
  c.ticked(6 * second, {.timers = 2, .resent = 2}, {to(0, syn_ack, 2000), to(1, syn_ack, 2001)});
  CHECK(c.found == std::vector{invariant::young_once});
}

TEST_CASE("timers_when_due") {
  const auto only = std::vector{invariant::timers_when_due};
  const auto age = [](fake& f, unsigned i, instant deadline) {
    ++f.at(i).timeouts;
    f.at(i).deadline = deadline;
  };
  books right;
  age(right.f, 0, 6 * second);
  right.ticked(4 * second, {.timers = 1, .resent = 1}, {to(0, syn_ack, 2000)});
  CHECK(right.found.empty());
  books early;
  age(early.f, 0, 6 * second);
  early.ticked(2 * second, {.timers = 1, .resent = 1}, {to(0, syn_ack, 2000)});
  CHECK(early.found == only);
  books missed;
  missed.ticked(4 * second, {}, {});
  CHECK(missed.found == only);
  books postponed;
  postponed.ticked(4 * second, {.later = true}, {});
  CHECK(postponed.found.empty());
  books miscounted;
  age(miscounted.f, 0, 6 * second);
  miscounted.ticked(4 * second, {.timers = 2, .resent = 1}, {to(0, syn_ack, 2000)});
  CHECK(miscounted.found == only);
  books past;  // re-armed in the past: it would fire again at once
  age(past.f, 0, 4 * second);
  past.ticked(4 * second, {.timers = 1, .resent = 1}, {to(0, syn_ack, 2000)});
  CHECK(past.found == only);
  books disorder;
  age(disorder.f, 0, 9 * second);
  age(disorder.f, 1, 9 * second);
  disorder.ticked(6 * second, {.timers = 2, .resent = 2}, {to(1, syn_ack, 2001), to(0, syn_ack, 2000)});
  CHECK(disorder.found == only);
}

TEST_CASE("first_in_first_out") {
  books b;
  b.f.waiting.pop_back();
  b.f.settle();
  b.ledger.accepted(b.f, accept_status::ok, fake::key(3), b.note());
  CHECK(b.found == std::vector{invariant::first_in_first_out});
  books right;
  right.f.waiting.erase(right.f.waiting.begin());
  right.f.settle();
  right.ledger.accepted(right.f, accept_status::ok, fake::key(2), right.note());
  CHECK(right.found.empty());
  books blocked;
  blocked.ledger.accepted(blocked.f, accept_status::would_block, {}, blocked.note());
  CHECK(blocked.found == std::vector{invariant::first_in_first_out});
  CHECK(promote([](fake& f) { std::swap(f.waiting.front(), f.waiting.back()); }).found ==
        std::vector{invariant::first_in_first_out});
}

TEST_CASE("listen_loses_nothing") {
  books b;
  b.f.waiting.pop_back();
  b.f.settle();
  b.ledger.listened(b.f, true, b.note());
  CHECK(b.names(invariant::listen_loses_nothing));
  books failed;
  failed.f.limit = 9;
  failed.ledger.listened(failed.f, false, failed.note());
  CHECK(failed.found == std::vector{invariant::listen_loses_nothing});
  failed.found.clear();
  failed.f.limit = 10;
  failed.ledger.listened(failed.f, true, failed.note());
  CHECK(failed.found.empty());
}

TEST_CASE("close_is_clean") {
  const std::vector<four_tuple> children{fake::key(2), fake::key(3)};
  const auto close = [](std::vector<four_tuple> handed, const close_summary& c, bool forgets) {
    books b;
    b.f.open = false;
    b.f.waiting.clear();
    if (forgets) b.f.requests.clear();
    b.f.settle();
    b.ledger.closed(b.f, c, handed, {}, b.note());
    return b.found;
  };
  CHECK(close(children, {.children = 2, .requests = 2}, true).empty());
  CHECK(close(children, {.children = 2}, false).empty());
  CHECK(close({fake::key(3), fake::key(2)}, {.children = 2}, false) == std::vector{invariant::close_is_clean});
  CHECK(close({fake::key(2)}, {.children = 2}, false) == std::vector{invariant::close_is_clean});
  const auto forgotten = close(children, {.children = 2}, true);
  CHECK(std::find(forgotten.begin(), forgotten.end(), invariant::close_is_clean) != forgotten.end());
}

TEST_CASE("requests_conserved, connections_conserved") {
  books b;
  b.f.remove(1);
  b.received(from(7, flag::rst), of(verdict::ignored), {});
  CHECK(b.names(invariant::requests_conserved));
  books c;
  c.f.waiting.pop_back();
  c.received(from(7, flag::rst), of(verdict::ignored), {});
  CHECK(c.names(invariant::connections_conserved));
}

TEST_CASE("passive_opens_are_children") {
  CHECK(promote([](fake& f) { f.counted.passive_opens = 2; }).found ==
        std::vector{invariant::passive_opens_are_children});
  books b{{.counts = false}};
  b.f.counted.passive_opens = 9;
  b.received(from(7, flag::rst), of(verdict::ignored), {});
  CHECK(b.found.empty());
}

TEST_CASE("cookies_add_up") {
  const outcome sent = of(verdict::cookie_sent, {stage::cookie_wanted, stage::answered});
  const auto send = [&](std::uint64_t floods, std::uint64_t cookies, std::uint64_t back) {
    books b;
    b.f.counted.req_q_full_do_cookies = floods;
    b.f.counted.syncookies_sent = cookies;
    b.f.counted.syncookies_recv = back;
    b.received(from(7, flag::syn, 77), sent, {to(7, syn_ack, 0, 78)});
    return b.found;
  };
  CHECK(send(1, 1, 0).empty());
  CHECK(send(1, 0, 0) == std::vector{invariant::cookies_add_up});
  CHECK(send(0, 1, 0) == std::vector{invariant::cookies_add_up});
  CHECK(send(1, 1, 1) == std::vector{invariant::cookies_add_up});
}

TEST_CASE("unreachable ends the request that it names, or none") {
  books b;
  b.f.remove(0);
  b.f.settle();
  b.ledger.unreachable(b.f, fake::key(0), true, b.note());
  CHECK(b.found.empty());
  b.f.remove(1);
  b.f.settle();
  b.ledger.unreachable(b.f, fake::key(5), true, b.note());
  CHECK(b.found == std::vector{invariant::queues_move_as_said});
}

TEST_CASE("over a real listener, with records as handles") {
  using L = listener<child<deferred_child>>;
  L l;
  testing::ledger<L> books{l};
  std::vector<invariant> found;
  const auto note = [&found](invariant i) { found.push_back(i); };
  books.listened(l, static_cast<bool>(l.listen(1)), note);
  const segment syn = from(0, flag::syn, 100);
  const auto asked = l.receive(syn, 0);
  REQUIRE(asked.reply);
  books.received(l, syn, {}, asked.outcome, {&*asked.reply, 1}, note);
  const segment ack = from(0, flag::ack, 101, asked.reply->seq + 1);
  const auto done = l.receive(ack, 0);
  books.received(l, ack, {}, done.outcome, {}, note);
  CHECK(done.outcome.verdict == verdict::promoted);
  const auto a = l.accept();
  books.accepted(l, a.status, a.handle, note);
  CHECK(found.empty());
}

namespace {

struct tape {
  std::vector<segment> sent{};
  send_result send(const segment& s) {
    sent.push_back(s);
    return send_result::sent;
  }
};

}  // namespace

// The books of a listener that does as FreeBSD does, opened without being told so: an ACK that does not find its
// request would be called a fault.
TEST_CASE("while a syncache pauses, an ACK may miss its request") {
  preset::freebsd_13 l{siphash<2, 4>{{1, 2}}};
  REQUIRE(l.listen(128));
  testing::ledger<preset::freebsd_13> ledger{l};
  std::vector<invariant> found;
  const auto received = [&](const segment& s) {
    tape out;
    const outcome o = l.receive(s, 0, out);
    ledger.received(l, s, {}, o, out.sent, [&](invariant i) { found.push_back(i); });
    return std::pair{o, out.sent};
  };
  std::vector<segment> answers;
  for (std::uint16_t port = 1; answers.size() < 31; ++port) {  // one more than a bucket holds
    const segment syn{.source = {ip(10, 0, 0, 1), port}, .destination = {ip(10, 0, 0, 2), 80}, .flags = flag::syn};
    if (l.bucket_of(four_tuple_of(syn)) != 7) continue;
    const auto [o, sent] = received(syn);
    REQUIRE(sent.size() == 1);
    answers.push_back(sent[0]);
  }
  const segment& last = answers[29];
  const segment ack{
      .source = last.destination, .destination = last.source, .seq = last.ack, .ack = last.seq + 1, .flags = flag::ack};
  REQUIRE(l.find_request(four_tuple_of(ack)) != nullptr);
  CHECK(received(ack).first.verdict == verdict::cookie_promoted);
  CHECK(l.find_request(four_tuple_of(ack)) != nullptr);
  CHECK(found.empty());
}
