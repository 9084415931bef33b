// SPDX-License-Identifier: BSL-1.0
// A listener of any preset: the first byte says which. The others are what happens to it: segments of a few clients,
// with numbers near the right ones and any flags and options; time, accept, close, listen, tunables, ICMP errors, a
// sink that fails. After each of them the invariants of testing/ hold and the books balance; a copy does what its
// original does; and when everybody has gone nothing is left.
#include <algorithm>
#include <array>
#include <listenq/testing/ledger.hpp>
#include <listenq/testing/model/run.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "doors.hpp"
#include "input.hpp"

namespace {

using namespace listenq;
using fuzz::expect;
using fuzz::input;
using testing::subject;

struct client {
  seq_number isn = 1000;
  seq_number iss = 0;    ///< of the last SYN-ACK
  std::uint32_t ts = 0;  ///< its timestamp
};

class world {
 public:
  explicit world(input& in)
      : in_(in),
        door_(fuzz::doors()[in.byte() % fuzz::doors().size()]),
        it_(door_.make()),
        books_(*it_, testing::expectations_of(door_.promised)) {}

  void run() {
    listen();
    for (int steps = 0; !in_.empty() && steps < 300; ++steps) step();
    finish();
  }

 private:
  static four_tuple key_of(unsigned i) {
    return {{ip(10, 0, 0, 0).value + (i % 5 == 4 ? 0x30000U : 0U) + i % 4},
            ip(10, 1, 1, 1),
            static_cast<std::uint16_t>(30000 + i / 4),
            80};
  }

  template <class F>
  auto both(F f) {
    if (!copy_ && in_.left() % 64 == 63) copy_ = it_->clone();
    latest_ = std::max(latest_, now_);
    out_.sent.clear(), out_.reset.clear(), out_.made.clear();
    testing::port other = out_;
    auto r = f(*it_, out_);
    if (!copy_) return r;
    const auto same_answer = [](const segment& a, const segment& b) {
      return a.destination == b.destination && a.flags == b.flags && a.seq == b.seq && a.ack == b.ack &&
             a.window == b.window && a.options == b.options;
    };
    f(*copy_, other);
    expect(std::equal(out_.sent.begin(), out_.sent.end(), other.sent.begin(), other.sent.end(), same_answer) &&
               out_.made.size() == other.made.size() && out_.reset == other.reset &&
               it_->request_count() == copy_->request_count() && it_->accept_count() == copy_->accept_count() &&
               it_->next_deadline() == copy_->next_deadline(),
           "a copy does what its original does");
    return r;
  }

  // --- what must hold

  auto broken() {
    return [this](testing::invariant i) {
      const testing::description d = testing::about(i);
      expect(false, (door_.promised.name + ": " + d.name + ": " + d.sentence).c_str());
    };
  }
  void check() {
    expect(!it_->listening() || it_->request_full() == (it_->request_count() >= it_->request_limit()),
           "request_full is Q >= limit");
  }

  // --- what can happen

  void step() {
    const unsigned what = in_.byte();
    const unsigned i = what >> 4;
    switch (what & 15U) {
      case 6: {
        const auto next = it_->next_deadline();
        now_ = next ? std::max(now_, *next) : now_;
        return tick();
      }
      case 7:
        now_ += in_.byte() * (i % 2 == 0 ? 10 : 700) * millisecond;
        return tick();
      case 8:
        now_ += (in_.word() - 2000) * millisecond;  // also back
        return;
      case 9:
        return accept();
      case 10:
        return listen();
      case 11:
        return in_.byte() < 200 ? accept() : close();
      case 12:
        return tune();
      case 13: {
        const unsigned mode = in_.byte();
        out_.answer = mode % 4 == 0 ? send_result::failed : mode % 4 == 1 ? send_result::later : send_result::sent;
        out_.refuses_children = mode >= 200;
        return;
      }
      case 14:
        return unreachable(i);
      case 15:
        if (i < 8) return flood(i + 3);
        return gone();
      default:
        return segment_of(i);
    }
  }

  void segment_of(unsigned i) {
    constexpr std::array<flags, 16> kinds{flag::syn,
                                          flag::syn,
                                          flag::syn,
                                          flag::ack,
                                          flag::ack,
                                          flag::ack | flag::psh,
                                          flag::rst,
                                          flag::rst | flag::ack,
                                          flag::ack | flag::fin,
                                          flag::syn | flag::ack,
                                          flag::syn | flag::ece | flag::cwr,
                                          flag::none,
                                          flag::fin,
                                          flag::syn | flag::fin,
                                          flag::ack,
                                          {0xff}};
    const std::uint8_t kind = in_.byte();
    const std::uint8_t more = in_.byte();
    const four_tuple key = key_of(i);
    const auto* const r = it_->find_request(key);
    const client& c = clients_[i];
    const auto near = [this](std::uint32_t value, unsigned how) {
      return how == 0   ? value
             : how == 1 ? value + in_.byte() - 128
             : how == 2 ? value + in_.word()
                        : value + in_.number();
    };
    segment s;
    s.source = key.peer();
    s.destination = key.local();
    s.flags = kinds[kind % 16];
    const bool syn = s.flags.has(flag::syn);
    s.seq = near((r != nullptr ? r->irs : c.isn) + (syn ? 0U : 1U), kind >> 4 & 3U);
    s.ack = near((r != nullptr ? r->iss : c.iss) + 1, kind >> 6);
    s.window = (more & 1U) != 0 ? std::uint16_t{64240} : std::uint16_t{0};
    if ((more & 2U) != 0) {
      s.options.timestamps = true;
      const std::uint32_t clock = static_cast<std::uint32_t>(now_ / millisecond) + 77;
      s.options.ts_value = (more & 4U) != 0 ? near(clock, 1) : clock;
      s.options.ts_echo = (more & 8U) != 0 ? near(c.ts, 1 + (more & 1U)) : syn ? 0 : c.ts;
    }
    arrival facts;
    if ((more & 16U) != 0 && syn) {
      const std::uint8_t extra = in_.byte();
      s.options.mss = static_cast<std::uint16_t>((extra & 1U) != 0 ? 1460 : extra * 7);
      s.options.sack_permitted = (extra & 2U) != 0;
      if ((extra & 4U) != 0) s.options.window_scale = static_cast<std::uint8_t>(extra >> 4);
      if ((extra & 8U) != 0) s.options.fast_open = fast_open_option::request();
      facts.proven = (extra & 16U) != 0;
      facts.refused = (extra & 0xe0U) == 0xe0U;
      facts.isn = (extra & 0xe0U) == 0xc0U ? in_.number() : 0;
    }
    if ((more & 32U) != 0) s.payload = {bytes_.data(), std::size_t{in_.byte()} * 5};
    receive(s, facts, i);
  }

  void flood(unsigned n) {
    for (unsigned k = 0; k < n; ++k) {
      segment s;
      s.source = {ip(192, 0, 2, static_cast<std::uint8_t>(k)), static_cast<std::uint16_t>(40000 + flooded_)};
      s.destination = key_of(0).local();
      s.flags = flag::syn;
      s.seq = k * 1000;
      s.options.mss = 1460;
      receive(s, {}, no_client);
    }
    ++flooded_;
  }

  // --- each of them, to the listener and, if there is one, to its copy

  void receive(const segment& s, const arrival& facts, unsigned i) {
    // A segment of a connection would have gone to the connection.
    const std::vector<four_tuple> waiting = it_->waiting();
    if (std::find(waiting.begin(), waiting.end(), four_tuple_of(s)) != waiting.end()) return;
    const outcome o = both([&](subject& l, testing::port& out) { return l.receive(s, now_, out, facts); });
    expect(static_cast<std::size_t>(o.verdict) < verdict_count && o.flags == s.flags, "every segment has one verdict");
    books_.received(*it_, s, facts, o, out_.sent, broken());
    for (const segment& a : out_.sent) {
      expect(a.payload.empty(), "a listener sends no payload");
      if (i == no_client || a.destination != s.source || !a.flags.has(flag::syn)) continue;
      clients_[i] = {a.ack - 1, a.seq, a.options.ts_value};
    }
    check();
  }
  void tick() {
    const tick_summary t = both([&](subject& l, testing::port& out) { return l.tick(now_, out); });
    books_.ticked(*it_, latest_, t, out_.sent, broken());
    check();
  }
  void accept() {
    const auto [status, handle] = both([&](subject& l, testing::port&) { return l.accept(now_); });
    books_.accepted(*it_, status, handle, broken());
    check();
  }
  void listen() {
    constexpr std::array<int, 16> backlogs{0, 1, 2, 3, 4, 5, 8, 16, 40, 100, -1, -5, 1, 2, 7, 300};
    const int backlog = backlogs[in_.byte() % backlogs.size()];
    const listen_result r = both([&](subject& l, testing::port&) { return l.listen(backlog, now_); });
    books_.listened(*it_, static_cast<bool>(r), broken());
    check();
  }
  void close() {
    const close_summary c = both([&](subject& l, testing::port& out) { return l.close(out, now_); });
    books_.closed(*it_, c, out_.reset, out_.sent, broken());
    check();
  }
  void tune() {
    const auto t = static_cast<tunable>(in_.byte() % tunable_count);
    const std::uint32_t small = in_.byte();
    const std::uint32_t value = small < 250 ? small % 7 : in_.number() % 5000;
    const std::uint32_t before = it_->get(t);
    const set_status said = both([&](subject& l, testing::port&) { return l.set(t, value, now_); });
    expect(it_->get(t) == (said == set_status::ok ? value : before), "set does what it says");
    books_.touched(*it_, broken());
    check();
  }
  void unreachable(unsigned i) {
    const four_tuple key = key_of(i);
    const auto* const r = it_->find_request(key);
    const seq_number seq = (r != nullptr ? r->iss : clients_[i].iss) + (in_.byte() < 200 ? 0U : 1U);
    const auto error = static_cast<icmp_error>(in_.byte() % 8);
    const icmp_verdict v = both([&](subject& l, testing::port&) { return l.unreachable(key, seq, now_, error); });
    books_.unreachable(*it_, key, v == icmp_verdict::ended, broken());
    check();
  }
  void gone() {
    const std::vector<four_tuple> waiting = it_->waiting();
    const four_tuple who = waiting.empty() ? key_of(0) : waiting[in_.byte() % waiting.size()];
    const bool said = both([&](subject& l, testing::port&) { return l.child_gone(who); });
    expect(waiting.empty() ? !said : true, "nobody goes who was not there");
    books_.touched(*it_, broken());
    check();
  }

  void finish() {
    out_.answer = send_result::sent;
    if (in_.left() % 2 == 0) drain();
    close();
    drain();
    expect(it_->request_count() == 0 && it_->accept_count() == 0, "when all have gone nothing is left");
  }
  void drain() {
    for (int ticks = 0; it_->next_deadline(); ++ticks) {
      expect(ticks < 20000, "a request of a peer who is silent ends");
      now_ = std::max(now_, *it_->next_deadline());
      tick();
    }
  }

  static constexpr unsigned no_client = 99;
  input& in_;
  const fuzz::door& door_;
  std::unique_ptr<subject> it_;
  std::unique_ptr<subject> copy_{};
  testing::ledger<subject> books_;
  testing::port out_{};
  std::array<client, 16> clients_{};
  std::array<std::byte, 1300> bytes_{};
  instant now_ = 10 * second;
  instant latest_ = 0;  // an earlier `now` counts as no time passed
  unsigned flooded_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  world(in).run();
  return 0;
}
