// SPDX-License-Identifier: BSL-1.0
// The clients of a re-run. Each says what it said in the log, translated, unless what it hears here gives it no reason
// to; and, if it is to be persistent, what it would have said besides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/testing/rerun/agenda.hpp>
#include <listenq/testing/rerun/attempt.hpp>
#include <listenq/testing/rerun/logged_attempts.hpp>
#include <listenq/testing/rerun/report.hpp>
#include <listenq/time.hpp>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace listenq::testing::detail {

/// What a client says that the log does not have.
struct addition {
  listenq::segment segment{};
  arrival facts{};
};

/// `there` and `plans` must outlive it.
class clients {
 public:
  clients(const logged_attempts& there, bool persistent, agenda& plans)
      : log_(there.log()), by_peer_(there.by_peer()), persistent_(persistent), plans_(plans) {}

  // --- what they say ---

  /// The attempt that entry `i`, a client's segment, belongs to. To be asked of all of these, in order.
  attempt& speaker(std::size_t i) {
    const segment& s = log_[i].segment;
    const four_tuple key = four_tuple_of(s);
    std::vector<attempt>& all = by_peer_[key];
    std::size_t& begun = begun_[key];
    if (begun < all.size() && (all[begun].syn == i || all[begun].syn == attempt::none)) ++begun;
    if (!is_syn(s)) return *spoken_by(all, begun, s, i);
    return *std::find_if(all.begin(), all.end(), [&s](auto& x) { return x.syn != attempt::none && x.irs == s.seq; });
  }
  /// What stands for entry `i` of that attempt here; nothing if it is withheld. `connected`: it has a connection here.
  std::optional<segment> says(attempt& a, std::size_t i, bool connected, instant now) {
    segment s = log_[i].segment;
    if (is_syn(s)) {
      if (a.late) return std::nullopt;
      a.last_syn = now;
      if (a.syn != i) a.patience = std::min(2 * a.patience, longest_patience);
      return s;
    }
    if (a.answer < i) {
      const bool told_otherwise = !a.answered || was_reset(four_tuple_of(s), a.round_trip, now);
      if ((told_otherwise || a.late) && !connected) return std::nullopt;
      a.translate(s);
    } else if (s.flags.has(flag::ack)) {
      ++untranslated_;
    }
    return s;
  }
  /// What stands for entry `i` of that attempt has arrived.
  void said(attempt& a, std::size_t i) const noexcept {
    // The server there was content with what it got, this one is not: the client will say it again when asked.
    if (persistent_ && i == a.final_ack && i > a.last_answer && !a.finished) a.insists = true;
  }
  /// A client's plan is due. Nothing if there is no reason for it any more.
  std::optional<addition> carry_out(const plan& p, instant now) {
    attempt& a = *p.whose;
    if (a.finished || a.was_reset) return std::nullopt;
    if (p.what == deed::syn) {
      if (a.answered) return std::nullopt;
      plan_syn(a, now);
      return addition{log_[a.syn].segment, log_[a.syn].facts};
    }
    a.acks = false;
    addition x{log_[a.final_ack].segment, {}};
    a.translate(x.segment);
    return x;
  }
  /// The number that an ICMP error, entry `i`, has here; nothing if its client was not answered.
  std::optional<seq_number> quoted(std::size_t i) {
    const log_entry& e = log_[i];
    segment about;
    about.flags = flag::ack;
    about.ack = e.value + 1;
    const auto n = begun_.find(e.key);
    attempt* const a = n == begun_.end() ? nullptr : spoken_by(by_peer_[e.key], n->second, about, i);
    if (a == nullptr || !a->answered) return std::nullopt;
    a->translate(about);
    return about.ack - 1;
  }

  // --- what they hear ---

  /// The server there says something.
  void hear_there(const segment& s, instant now) {
    if (!is_syn_ack(s)) {
      if (s.flags.has(flag::rst)) --resets_[peer_of(s)].more;
      return;
    }
    attempt* const a = answered(s);
    if (a == nullptr) return;
    a->add({s.seq, s.options.ts_value, a->our_iss, a->our_stamp, a->answered});
    if (persistent_ && a->honest() && !a->answered && !a->late && !a->was_reset) {
      a->late = true;
      plan_syn(*a, now);
    }
  }
  /// The listener here says something.
  void hear(const segment& s, instant now) {
    const four_tuple key = peer_of(s);
    if (s.flags.has(flag::rst)) {
      ++resets_[key].more;
      resets_[key].last = now;
      if (const auto peer = by_peer_.find(key); peer != by_peer_.end()) {
        for (attempt& a : peer->second) a.was_reset = a.was_reset || a.late || a.insists;
      }
    }
    attempt* const a = is_syn_ack(s) ? answered(s) : nullptr;
    if (a == nullptr) return;
    a->answered = true;
    a->our_iss = s.seq;
    a->our_stamp = s.options.ts_value;
    if ((a->late || a->insists) && !a->acks) {
      a->acks = true;
      plans_.add(now + a->round_trip, deed::ack, a);
    }
  }
  void connected(const handshake& h) {
    const auto peer = by_peer_.find(h.key);
    if (peer == by_peer_.end()) return;
    for (attempt& a : peer->second) a.finished = a.finished || (a.syn != attempt::none && a.irs == h.irs);
  }

  /// Fills in what is known of clients.
  void tell(rerun_report& r) const noexcept {
    r.untranslated = untranslated_;
    for (const auto& [key, all] : by_peer_) {
      for (const attempt& a : all) {
        r.honest += a.honest() ? 1 : 0;
        r.honest_lost += a.honest() && !a.finished ? 1 : 0;
      }
    }
  }

 private:
  static constexpr duration longest_patience = 64 * second;  ///< then a client gives up
  /// RSTs to a peer here: how many more than there, and when the last one was.
  struct reset_count {
    std::int64_t more = 0;
    instant last = 0;
  };

  /// Has a RST that its server there did not send reached it?
  bool was_reset(const four_tuple& key, duration round_trip, instant now) const {
    const auto r = resets_.find(key);
    return r != resets_.end() && r->second.more > 0 && now - r->second.last >= round_trip;
  }
  attempt* answered(const segment& s) {
    const auto peer = by_peer_.find(peer_of(s));
    return peer == by_peer_.end() ? nullptr : answered_by(peer->second, s);
  }
  /// Plans the SYN after the one at `last_syn`.
  void plan_syn(attempt& a, instant now) {
    if (a.patience < longest_patience) plans_.add(std::max(now, a.last_syn + a.patience), deed::syn, &a);
    a.last_syn += a.patience;
    a.patience *= 2;
  }

  std::span<const log_entry> log_;
  logged_attempts::attempts by_peer_;  ///< none is added, so plans may point at them
  bool persistent_;
  agenda& plans_;
  std::unordered_map<four_tuple, std::size_t, key_hash> begun_{};  ///< how many attempts of a peer have begun
  std::unordered_map<four_tuple, reset_count, key_hash> resets_{};
  std::uint64_t untranslated_ = 0;
};

}  // namespace listenq::testing::detail
