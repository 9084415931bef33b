// SPDX-License-Identifier: BSL-1.0
// The trial of a listener: plays commands to it and its model (side_by_side.hpp), one by one, and keeps the story. The
// first thing that is wrong ends it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <listenq/testing/model/clients.hpp>
#include <listenq/testing/model/command.hpp>
#include <listenq/testing/model/failure.hpp>
#include <listenq/testing/model/side_by_side.hpp>
#include <listenq/testing/model/subject.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace listenq::testing {

class trial {
 public:
  trial(std::unique_ptr<subject> l, const rules& promised) : both_{std::move(l), promised} {}
  /// Of the listener, too, if it can be copied. `on_verdict` stays with the original.
  trial(const trial& o) : both_{o.both_}, backlog_{o.backlog_}, history_{o.history_} {}
  trial& operator=(const trial&) = delete;
  bool has_listener() const noexcept { return both_.has_listener(); }

  /// The first listen().
  bool start(int backlog) {
    backlog_ = backlog;
    both_.listen(backlog);
    return !both_.wrong();
  }
  /// False, and nothing more is to be played, if something is wrong.
  bool play(const command& c) {
    if (both_.wrong()) return false;
    history_.push_back({c, now()});
    step(c);
    played_command& done = history_.back();
    done.requests = listener().request_count();
    done.young = listener().young_count();
    done.waiting = listener().accept_count();
    both_.note(done.requests, done.young, done.waiting, listener().next_deadline().value_or(-1));
    return !both_.wrong();
  }
  /// Delivers a segment of one of the clients (`client_key`), unless its connection would have taken it.
  void deliver(const segment& s, const arrival& facts = {}) {
    const std::optional<verdict> v = both_.deliver(s, facts);
    if (!v) return;
    if (!history_.empty()) history_.back().verdicts.push_back(*v);
    if (on_verdict) on_verdict(*v);
  }
  /// Nothing may remain: not for ever while it listens, nothing at all once it is closed and its timers have run.
  bool finish(bool close_at_once) {
    both_.let_sink_say(send_result::sent);
    if (!close_at_once) drain();
    both_.close();
    drain();
    if (!both_.wrong() && listener().next_deadline() && !waits_for_ever())
      both_.fail("after close and all timers", "nothing", "a timer");
    return !both_.wrong();
  }

  const subject& listener() const noexcept { return both_.listener(); }
  const model& expected() const noexcept { return both_.expected(); }
  instant now() const noexcept { return both_.now(); }
  /// A hash of everything that it has said and done.
  std::uint64_t fingerprint() const noexcept { return both_.fingerprint(); }
  std::optional<failure> wrong() const {
    if (!both_.wrong()) return std::nullopt;
    failure f{*both_.wrong(),         expected().promised().name, backlog_, history_, both_.passed(),
              listener().listening(), listener().backlog()};
    for (const half_open& r : expected().requests()) f.requests_due.push_back(r.key);
    for (const waiting_connection& w : expected().waiting()) f.waiting_due.push_back(w.key);
    for (const request<ipv4>& r : listener().requests()) f.requests.push_back(r.key);
    f.waiting = listener().waiting();
    return f;
  }
  /// Something else that is wrong, to be said with the same story.
  void fail(const char* what, const char* expected, const char* came) { both_.fail(what, expected, came); }
  /// Called with each verdict, for statistics.
  std::function<void(verdict)> on_verdict{};

 private:
  static constexpr std::array<std::byte, 13> payload{};

  // --- segments ---

  segment from(std::uint32_t i, flags f, seq_number seq, seq_number ack) const {
    return both_.clients().from(i, f, seq, ack, now());
  }
  void syn(std::uint32_t i, seq_number seq, flags f = flag::syn, const arrival& facts = {}) {
    deliver(from(i, f, seq, 0), facts);
  }
  enum class stamp : std::uint8_t { good, old, bad_echo };
  void ack(std::uint32_t i, seq_number off, flags f, std::size_t bytes, stamp with = stamp::good) {
    segment s = from(i, f, both_.clients()[i].isn + 1, both_.clients()[i].iss + 1 + off);
    if (with == stamp::old && s.options.timestamps) s.options.ts_value = 1;
    if (with == stamp::bad_echo && s.options.timestamps) s.options.ts_echo += 0x10000000U;
    s.payload = {payload.data(), bytes};
    deliver(s);
  }
  void garbage(std::uint32_t i, std::uint32_t value) {
    static constexpr std::array<seq_number, 6> off{0, 1, 2, 100, 70000, 0x90000000U};
    segment s = from(i, {static_cast<std::uint8_t>(value)}, both_.clients()[i].isn + off[value / 7 % off.size()],
                     both_.clients()[i].iss + off[value / 41 % off.size()] * 997);
    s.payload = {payload.data(), value % 5 == 0 ? payload.size() : 0};
    deliver(s);
  }

  // --- time ---

  void let_pass(duration d) {
    const instant end = now() + d;
    for (int i = 0; i < 500 && !both_.wrong(); ++i) {
      const auto next = listener().next_deadline();
      if (!next || *next > end) break;
      both_.advance(*next);
      both_.tick();
      const auto after = listener().next_deadline();
      if (after && *after <= now()) break;  // postponed by the sink
    }
    both_.advance(end);
  }
  void drain() {
    both_.set(tunable::synack_retries, 5);  // 255 of them take hours
    both_.set(tunable::defer_accept, 0);
    for (int i = 0; i < 20000 && !both_.wrong() && listener().next_deadline(); ++i) {
      both_.advance(*listener().next_deadline());
      both_.tick();
      if (waits_for_ever() && std::all_of(expected().requests().begin(), expected().requests().end(),
                                          [](const half_open& r) { return r.acked; })) {
        break;
      }
    }
    const bool may_stay = waits_for_ever();
    if (!both_.wrong() && !may_stay && listener().request_count() != 0)
      both_.fail("requests", "an end of each", "some that live for ever");
  }

  /// Where data are waited for, nothing ends a request whose ACK has come, but a close, if that ends requests at all.
  bool waits_for_ever() const {
    return expected().promised().deferral == deferral_rule::await_data &&
           (expected().listening() || expected().promised().closing == closing_answer::outlive);
  }

  // --- commands ---

  void tune(std::uint32_t which) {
    using enum tunable;
    static constexpr std::pair<tunable, std::uint32_t> choices[] = {
        {abort_on_overflow, 0}, {abort_on_overflow, 1},  {syncookies, 0},        {syncookies, 1},
        {syncookies, 2},        {syncookies, 3},         {abort_on_overflow, 2}, {syncookies, 0},
        {synack_retries, 0},    {synack_retries, 2},     {synack_retries, 5},    {synack_retries, 255},
        {max_syn_backlog, 4},   {max_syn_backlog, 1024}, {somaxconn, 3},         {somaxconn, 128},
        {defer_accept, 0},      {defer_accept, 3}};
    const auto& [t, value] = choices[which % std::size(choices)];
    both_.set(t, value);
  }

  void step(const command& c) {
    const std::uint32_t i = c.client % client_count;
    const four_tuple key = client_key(i);
    const request<ipv4>* const r = listener().find_request(key);
    const seq_number isn = r != nullptr ? r->irs : both_.clients()[i].isn;
    const seq_number iss = r != nullptr ? r->iss : both_.clients()[i].iss;
    const duration unit = (c.client % 2 == 0 ? 10 : 70) * millisecond;
    const std::uint32_t value = c.value % 1000;
    switch (c.what) {
      case op::syn:
        return syn(i, isn);
      case op::new_syn:
        return syn(i, isn + (value % 2 == 0 ? 100U : 0x20000U));
      case op::tw_syn:
        return syn(i, isn, flag::syn, {.isn = 0x80000001U + static_cast<seq_number>(now() / 4)});
      case op::proven_syn:
        return syn(i, isn, flag::syn, {.proven = true});
      case op::refused_syn:
        return syn(i, isn, flag::syn, {.refused = true});
      case op::syn_fin:
        return syn(i, isn, flag::syn | flag::fin);
      case op::ecn_syn:
        return syn(i, isn, flag::syn | flag::ece | flag::cwr);
      case op::flood:
        for (std::uint32_t k = first_of_flood; k < end_of_flood(value); ++k) {
          const request<ipv4>* const known = listener().find_request(client_key(k));
          syn(k, known != nullptr ? known->irs : both_.clients()[k].isn);
        }
        return;
      case op::ack:
        return ack(i, 0, flag::ack, 0);
      case op::wrong_ack:
        return ack(i, value < 8 ? value - 4U : 1000 + value, flag::ack, 0);
      case op::data:
        return ack(i, 0, flag::ack | flag::psh, payload.size());
      case op::fin:
        return ack(i, 0, flag::ack | flag::fin, 0);
      case op::late:
        return ack(i, 0, flag::ack | flag::psh, payload.size(), stamp::old);
      case op::echo:
        return ack(i, 0, flag::ack, 0, stamp::bad_echo);
      case op::rst:
        return deliver(from(i, flag::rst, both_.clients()[i].isn + 1, 0));
      case op::rst_near:
        return deliver(from(i, flag::rst, both_.clients()[i].isn + 101, 0));
      case op::rst_far:
        return deliver(from(i, flag::rst, both_.clients()[i].isn + (1U << 20), 0));
      case op::garbage:
        return garbage(i, value);
      case op::wait:
        return let_pass(value * unit);
      case op::half_second:
        syn(i, isn);
        let_pass(490 * millisecond + value % 20 * millisecond);
        return syn(i, isn);
      case op::wrap:
        both_.set(tunable::synack_retries, 255);
        syn(i, isn);
        syn(i, isn);
        let_pass(262144 * millisecond - value * millisecond / 2);
        return syn(i, isn);
      case op::jump:
        both_.advance(now() + duration{value} * 70 * millisecond);
        return both_.tick();
      case op::next:
        both_.advance(listener().next_deadline().value_or(now()));
        return both_.tick();
      case op::accept:
        return both_.accept();
      case op::child_gone:
        return both_.child_gone(key);
      case op::listen:
        return both_.listen(static_cast<int>(value % 97 == 0 ? 40 : value % 9) - (value % 61 == 0 ? 42 : 0));
      case op::close:
        return both_.close();
      case op::shutdown:
        return both_.shut(static_cast<shutdown_how>(value % 3));
      case op::tune:
        return tune(c.client + value);
      case op::sink:
        return both_.let_sink_say(value % 4 == 0   ? send_result::failed
                                  : value % 4 == 1 ? send_result::later
                                                   : send_result::sent);
      case op::children:
        return both_.refuse_children(value % 2 == 1);
      case op::unreachable:
        return both_.unreachable(key, value % 4 == 3 ? iss + 5 : iss, static_cast<icmp_error>(value / 4 % 8));
      case op::fork:
        return;
    }
  }

  side_by_side both_;
  int backlog_ = 0;
  std::vector<played_command> history_{};
};

}  // namespace listenq::testing
