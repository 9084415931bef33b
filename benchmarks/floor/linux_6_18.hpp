// SPDX-License-Identifier: BSL-1.0
// The floor: what somebody who needs one listener and no policies would write by hand. It does what
// `preset::linux_6_18` does over IPv4, with the same checks, counters and outcomes, in one class without a template
// parameter, and shares with the library only the nouns (segment, outcome, counters), SipHash and the cookie's layout.
// tests/benchmarks/floor.cpp holds the two against each other; the benchmarks say what composing policies costs.
//
// It lacks what an event in its life never touches: fast open beyond noticing that it is off, ICMP errors, close and a
// second listen().
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/cookie/linux_6_18.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <memory>
#include <optional>

namespace floor_of {

using namespace listenq;

class linux_6_18 {
 public:
  struct settings {
    std::uint32_t max_syn_backlog = 2048;
    std::uint32_t syncookies = 1;
    std::uint32_t synack_retries = 5;
    std::uint32_t abort_on_overflow = 0;
    std::uint32_t defer_accept = 0;  ///< seconds
  };
  settings tuned{};

  explicit linux_6_18(siphash<2, 4> hash) : hash_{hash} { go_near(0, 0); }

  bool listen(std::uint32_t backlog) {
    backlog_ = backlog;
    limit_ = backlog + 1;
    capacity_ = limit_ + 8;
    last_bucket_ = std::bit_floor(capacity_) - 1;
    last_ = std::bit_ceil(capacity_ + 1);
    indices_ = last_ - 1;
    tag_ = ~(2 * last_ | last_ | indices_);
    cells_ = std::make_unique<cell[]>(capacity_);
    links_ = std::make_unique<links[]>(capacity_);
    heads_ = std::make_unique<std::uint32_t[]>(last_bucket_ + 1);
    for (std::uint32_t b = 0; b <= last_bucket_; ++b) heads_[b] = none;
    ring_size_ = backlog + 1;
    ring_ = std::make_unique<waiting[]>(ring_size_);
    listening_ = true;
    return true;
  }

  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out) {
    return take(s, now, out, {});
  }
  template <class Sink>
  outcome receive(const segment& s, instant now, Sink& out, const arrival& facts) {
    return take(s, now, out, facts);
  }

 private:
  template <class Sink>
  [[gnu::always_inline]] outcome take(const segment& s, instant now, Sink& out, const arrival& facts) {
    if (now > now_) now_ = now;
    outcome o;
    o.flags = s.flags;
    if (!listening_) {
      o.verdict = verdict::not_listening;
      reset(s, out, o);
      count(o);
      return o;
    }
    if (s.destination.address.value != near_address_ || s.destination.port != near_port_) {
      go_near(s.destination.address.value, s.destination.port);
    }
    const std::uint64_t peer[1] = {s.source.address.value | (std::uint64_t{s.source.port} << 32)};
    const std::uint64_t h = hash_.go_on<14>(near_, peer);
    const std::uint32_t i = find(s, static_cast<std::uint32_t>(h));
    if (i != none) {
      on_request(s, h, i, out, o);
    } else if ((s.flags & (flag::syn | flag::ack | flag::rst | flag::fin)) == flag::syn) {
      on_syn(s, h, out, facts, o);
    } else if ((s.flags & (flag::syn | flag::ack | flag::rst)) == flag::ack) {
      on_stray_ack(s, h, false, out, o);
    } else if (!s.flags.has(flag::rst) && s.flags.has(flag::ack)) {
      o.verdict = verdict::stray;
      reset(s, out, o);
    }
    count(o);
    return o;
  }

 public:
  std::optional<four_tuple> accept(instant now) noexcept {
    if (now > now_) now_ = now;
    if (waiting_ == 0) return std::nullopt;
    const four_tuple key = ring_[ring_head_].key;
    ring_head_ = ring_head_ + 1 == ring_size_ ? 0 : ring_head_ + 1;
    --waiting_;
    return key;
  }

  template <class Sink>
  void tick(instant now, Sink& out) {
    if (now > now_) now_ = now;
    for (std::uint32_t i = first_due(); i != none && cells_[i].deadline <= now_; i = first_due()) {
      if (!time_out(i, out)) return;
    }
  }

  std::optional<instant> next_deadline() const noexcept {
    const std::uint32_t i = first_due();
    if (i == none) return std::nullopt;
    return cells_[i].deadline;
  }

  std::uint32_t request_count() const noexcept { return requests_; }
  std::uint32_t young_count() const noexcept { return young_; }
  std::uint32_t accept_count() const noexcept { return waiting_; }
  const counter_values& counters() const noexcept { return v_; }

 private:
  static constexpr std::uint32_t none = 0xffffffffU;
  static constexpr std::size_t timeouts = 8;  ///< 1 s, 2 s, ... 64 s, then 120 s
  static constexpr std::uint8_t ws = 1, sack = 2, ts = 4, ecn = 8, acked = 16, answered = 32;

  struct cell {
    instant deadline = 0;
    std::uint32_t peer = 0, local = 0;
    std::uint16_t peer_port = 0, local_port = 0;
    seq_number irs = 0, iss = 0;
    std::uint32_t ts_recent = 0, first_ts = 0, last_ts = 0;
    std::uint16_t mss = 0, answered_at = 0;
    std::uint8_t scale = 0, timeouts = 0, retransmits = 0, bits = 0;
  };
  struct links {
    std::uint32_t timer_prev = none, timer_next = none;
    std::uint32_t next = none;  ///< a word, as in `heads_`: the hash's upper bits, no chain?, last of it?, the cell
  };
  static_assert(sizeof(cell) + sizeof(links) + sizeof(std::uint32_t) == 64);
  struct waiting {
    four_tuple key{};
    bool aborted = false;
  };
  struct line {
    std::uint32_t head = none, tail = none, run = none;
  };

  static std::uint32_t low(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h); }
  static duration wait(std::uint32_t n) noexcept { return n < 7 ? second << n : 120 * second; }
  static std::uint32_t ts_offset(std::uint64_t h) noexcept {
    const auto high = static_cast<std::uint32_t>(h >> 32);
    return (low(h) ^ (high << 15 | high >> 17)) * 0x9e3779b1U;
  }
  /// `now_` is not before 0: division without a sign is cheaper.
  std::uint64_t elapsed() const noexcept { return static_cast<std::uint64_t>(now_); }
  std::uint32_t ms() const noexcept { return static_cast<std::uint32_t>(elapsed() / 1000); }
  std::uint32_t clock(std::uint64_t h) const noexcept { return ms() + ts_offset(h); }
  std::uint32_t& head(std::uint32_t h) const noexcept { return heads_[h & last_bucket_]; }
  std::uint32_t* next_of(const std::uint32_t* word) const noexcept { return &links_[*word & indices_].next; }

  /// SipHash of our side, which the hash of every four-tuple goes on from.
  __attribute__((noinline)) void go_near(std::uint32_t address, std::uint16_t port) noexcept {
    near_address_ = address;
    near_port_ = port;
    const std::uint64_t local[1] = {address | (std::uint64_t{port} << 32)};
    near_ = hash_.open(local);
  }
  static bool differ(const cell& c, const segment& s) noexcept {
    return c.peer_port != s.source.port || c.peer != s.source.address.value || c.local_port != s.destination.port ||
           c.local != s.destination.address.value;
  }
  std::uint32_t find(const segment& s, std::uint32_t h) const noexcept {
    std::uint32_t word = head(h);
    for (;;) {
      if (((word ^ h) & tag_) == 0) {
        const std::uint32_t i = word & indices_;
        if (i != indices_ && !differ(cells_[i], s)) return i;
      }
      if ((word & last_) != 0) return none;
      word = links_[word & indices_].next;
    }
  }

  // --- timers -----------------------------------------------------------------------------------------------------

  void arm(std::uint32_t i) noexcept {
    const std::size_t n = cells_[i].timeouts;
    arm(i, lines_[n < timeouts ? n : timeouts - 1]);
  }
  void arm(std::uint32_t i, line& l) noexcept {
    const std::uint32_t tail = l.tail;
    if (tail == none || cells_[tail].deadline < cells_[i].deadline) {
      l.run = i;
      links_[i].timer_prev = tail;
      links_[i].timer_next = none;
      (tail == none ? l.head : links_[tail].timer_next) = i;
      l.tail = i;
    } else {
      arm_among_others(l, i);
    }
  }
  __attribute__((noinline)) void arm_among_others(line& l, std::uint32_t i) noexcept {
    const instant deadline = cells_[i].deadline;
    std::uint32_t behind = l.tail;
    const bool ties = cells_[behind].deadline == deadline;
    if (ties) {
      std::uint32_t run = l.run;
      if (run == none) {
        run = l.tail;
        while (links_[run].timer_prev != none && cells_[links_[run].timer_prev].deadline == deadline) {
          run = links_[run].timer_prev;
        }
      }
      behind = links_[run].timer_prev;
      l.run = i;
    }
    while (behind != none && cells_[behind].deadline >= deadline) behind = links_[behind].timer_prev;
    links& c = links_[i];
    c.timer_prev = behind;
    c.timer_next = behind == none ? l.head : links_[behind].timer_next;
    (behind == none ? l.head : links_[behind].timer_next) = i;
    (c.timer_next == none ? l.tail : links_[c.timer_next].timer_prev) = i;
  }
  void disarm(std::uint32_t i) noexcept {
    const std::size_t n = cells_[i].timeouts;
    disarm(i, lines_[n < timeouts ? n : timeouts - 1]);
  }
  void disarm(std::uint32_t i, line& l) noexcept {
    const links& c = links_[i];
    if (l.run == i) l.run = c.timer_next;
    (c.timer_prev == none ? l.head : links_[c.timer_prev].timer_next) = c.timer_next;
    (c.timer_next == none ? l.tail : links_[c.timer_next].timer_prev) = c.timer_prev;
  }
  std::uint32_t first_due() const noexcept {
    std::uint32_t best = none;
    for (std::size_t k = timeouts; k-- > 0;) {
      const std::uint32_t i = lines_[k].head;
      if (i != none && (best == none || cells_[i].deadline < cells_[best].deadline)) best = i;
    }
    return best;
  }

  void forget(std::uint32_t i, std::uint32_t h) noexcept {
    if (cells_[i].timeouts == 0) {
      --young_;
      disarm(i, lines_[0]);
    } else {
      disarm(i);
    }
    --requests_;
    std::uint32_t* link = &head(h);
    links& own = links_[i];
    if ((*link & indices_) != i) {
      std::uint32_t* before = link;
      for (link = next_of(link); (*link & indices_) != i; link = next_of(link)) before = link;
      if (own.next == none) *before |= last_;
    }
    *link = own.next;
    own.next = free_;
    free_ = i;
  }

  // --- answers ----------------------------------------------------------------------------------------------------

  template <class Sink>
  static send_result send(const segment& s, Sink& out, outcome& o) {
    const send_result sent = out.send(s);
    if (sent == send_result::sent) {
      o.stages.add(stage::answered);
      if (s.flags.has(flag::rst)) o.stages.add(stage::answered_reset);
    } else {
      o.stages.add(stage::send_failed);
    }
    return sent;
  }
  template <class Sink>
  static void reset(const segment& s, Sink& out, outcome& o) {
    if (!s.flags.has(flag::rst)) send(reset_for(s), out, o);
  }
  static segment to(const cell& c) noexcept {
    segment s;
    s.source = {{c.local}, c.local_port};
    s.destination = {{c.peer}, c.peer_port};
    return s;
  }
  static segment syn_ack(const cell& c, std::uint32_t ts_value) noexcept {
    segment s = to(c);
    s.flags = flag::syn | flag::ack | ((c.bits & ecn) != 0 ? flag::ece : flag::none);
    s.seq = c.iss;
    s.ack = c.irs + 1;
    s.options.mss = 1460;
    s.options.sack_permitted = (c.bits & sack) != 0;
    if ((c.bits & ws) != 0) s.options.window_scale = 10;
    s.window = 64240;
    if ((c.bits & ts) != 0) {
      s.window = 65160;
      s.options.timestamps = true;
      s.options.ts_value = ts_value;
      s.options.ts_echo = c.ts_recent;
    }
    return s;
  }
  segment next_syn_ack(cell& c, std::uint64_t h) const noexcept {
    c.last_ts = clock(h);
    return syn_ack(c, c.last_ts);
  }
  /// Was there a rate-limited answer less than 500 ms ago? If not, this one is.
  bool limited(cell& c) const noexcept {
    const auto at = static_cast<std::uint16_t>(elapsed() / 4000);
    if ((c.bits & answered) != 0 && static_cast<std::uint16_t>(at - c.answered_at) < 125) return true;
    c.bits |= answered;
    c.answered_at = at;
    return false;
  }

  static void fill(cell& c, const segment& s, seq_number iss) noexcept {
    const tcp_options& o = s.options;
    std::uint8_t bits = 0;
    if (o.has_window_scale()) bits |= ws;
    if (o.sack_permitted) bits |= sack;
    if (o.timestamps) bits |= ts;
    if (s.flags.has(flag::ece | flag::cwr)) bits |= ecn;
    c.peer = s.source.address.value;
    c.local = s.destination.address.value;
    c.peer_port = s.source.port;
    c.local_port = s.destination.port;
    c.irs = s.seq;
    c.iss = iss;
    c.ts_recent = o.timestamps ? o.ts_value : 0;
    c.mss = o.mss;
    if (o.mss <= 48) [[unlikely]]
      c.mss = o.mss == 0 ? std::uint16_t{536} : std::uint16_t{48};
    c.answered_at = 0;
    c.scale = o.window_scale;
    if (o.window_scale > 14) [[unlikely]]
      c.scale = o.has_window_scale() ? std::uint8_t{14} : std::uint8_t{0};
    c.timeouts = c.retransmits = 0;
    c.bits = bits;
  }
  four_tuple key_of(const cell& c) const noexcept { return {{c.peer}, {c.local}, c.peer_port, c.local_port}; }

  template <class Sink>
  bool queue(const cell& c, std::uint64_t h, bool cookie, const segment& s, Sink& out) {
    if constexpr (requires(const handshake& shake) { out.make_child(shake, s); }) {
      handshake shake{.key = key_of(c), .iss = c.iss, .irs = c.irs, .ts_recent = c.ts_recent};
      shake.ts_offset = ts_offset(h);
      shake.window = (c.bits & ts) != 0 ? 65160 : 64240;
      shake.mss = 1460;
      shake.peer_mss = c.mss;
      shake.send_scale = c.scale;
      shake.window_scaling = (c.bits & ws) != 0;
      shake.receive_scale = shake.window_scaling ? 10 : 0;
      shake.sack = (c.bits & sack) != 0;
      shake.timestamps = (c.bits & ts) != 0;
      shake.ecn = (c.bits & ecn) != 0;
      shake.cookie = cookie;
      if (!out.make_child(shake, s)) return false;
    }
    if (waiting_ == ring_size_) return false;
    const std::uint32_t at = ring_head_ + waiting_;
    waiting& w = ring_[at < ring_size_ ? at : at - ring_size_];
    w.key = key_of(c);
    w.aborted = false;
    ++waiting_;
    return true;
  }

  // --- a SYN ------------------------------------------------------------------------------------------------------

  template <class Sink>
  void on_syn(const segment& s, std::uint64_t h, Sink& out, const arrival& facts, outcome& o) {
    const bool full = requests_ >= limit_;
    bool cookie = false;
    if ((full || tuned.syncookies >= 2) && facts.isn == 0) {
      if (full) o.stages.add(stage::request_full);
      if (tuned.syncookies == 0) {
        o.verdict = verdict::dropped_request_full;
        return;
      }
      cookie = true;
      o.stages.add(stage::cookie_wanted);
    }
    if (waiting_ > backlog_) {
      o.stages.add(stage::accept_full);
      o.verdict = verdict::dropped_accept_full;
      return;
    }
    if (facts.refused) {
      o.verdict = verdict::dropped_refused;
      return;
    }
    if (tuned.syncookies == 0 && facts.isn == 0 && !facts.proven) {
      const auto most = static_cast<std::int64_t>(tuned.max_syn_backlog);
      if (most - static_cast<std::int64_t>(requests_) < (most >> 2)) {
        o.verdict = verdict::dropped_last_quarter;
        return;
      }
    }
    if (cookie) return send_cookie(s, h, out, o);
    if (s.options.fast_open.asks()) o.stages.add(stage::fast_open_asked);  // and the server's side of it is off
    const seq_number iss =
        facts.isn != 0 ? facts.isn : static_cast<seq_number>(h >> 32) + static_cast<seq_number>(elapsed() / 4);
    std::uint32_t i = free_;
    if (i != none) {
      free_ = links_[i].next;
    } else if (used_ < capacity_) {
      i = used_++;
    } else {
      o.verdict = verdict::dropped_no_memory;
      return;
    }
    cell& c = cells_[i];
    fill(c, s, iss);
    c.deadline = after(now_, second);
    std::uint32_t& first = head(low(h));
    links_[i].next = first;
    first = (low(h) & tag_) | ((first >> 1) & last_) | i;
    ++requests_;
    ++young_;
    arm(i, lines_[0]);
    o.verdict = verdict::admitted;
    const segment answer = next_syn_ack(c, h);
    c.first_ts = c.last_ts;
    send(answer, out, o);
  }

  template <class Sink>
  __attribute__((noinline)) void send_cookie(const segment& s, std::uint64_t h, Sink& out, outcome& o) {
    cell c;
    fill(c, s, 0);
    const std::uint32_t words[3] = {c.peer, c.local, (std::uint32_t{c.peer_port} << 16) | c.local_port};
    if ((c.bits & ts) == 0) {  // nothing comes back without them
      c.bits = 0;
      c.scale = 0;
    }
    cookie_options kept{.mss = c.mss, .sack = (c.bits & sack) != 0, .ecn = (c.bits & ecn) != 0};
    if ((c.bits & ws) != 0) kept.send_scale = c.scale, kept.receive_scale = 10;
    const cookie_facts f{.words = words, .word_count = 3, .peer_isn = s.seq};
    c.iss = linux_6_18_cookie::make(cookie_key_, 0, f, kept, now_);
    if (now_ > after(cookie_stamp_, second)) cookie_stamp_ = now_;
    o.verdict = verdict::cookie_sent;
    send(syn_ack(c, linux_6_18_cookie::stamp(ms(), kept) + ts_offset(h)), out, o);
  }

  // --- at a request -----------------------------------------------------------------------------------------------

  template <class Sink>
  void on_request(const segment& s, std::uint64_t h, std::uint32_t i, Sink& out, outcome& o) {
    cell& r = cells_[i];
    const std::uint32_t echo = s.options.ts_echo;
    const bool has_ts = (r.bits & ts) != 0;
    if (s.seq == r.irs + 1 && s.ack == r.iss + 1 && (s.flags & (flag::ack | flag::syn | flag::rst)) == flag::ack &&
        (!has_ts || (s.options.timestamps && !timestamp_older(s.options.ts_value, r.ts_recent) &&
                     (echo == 0 || echo - r.first_ts <= r.last_ts - r.first_ts)))) {
      return finish(s, h, i, out, o);
    }
    on_other(s, h, i, out, o);
  }

  template <class Sink>
  void on_other(const segment& s, std::uint64_t h, std::uint32_t i, Sink& out, outcome& o) {
    cell& r = cells_[i];
    const std::uint32_t window = (r.bits & ts) != 0 ? 65160 : 64240;
    bool old = false, bad_echo = false;
    if ((r.bits & ts) != 0 && s.options.timestamps) {
      const std::uint32_t echo = s.options.ts_echo;
      old = timestamp_older(s.options.ts_value, r.ts_recent);
      bad_echo = echo != 0 && echo - r.first_ts > r.last_ts - r.first_ts;
    }
    const bool only_syn = (s.flags & (flag::syn | flag::ack | flag::rst)) == flag::syn;
    const bool rst = s.flags.has(flag::rst);
    if (!rst && s.seq == r.irs && only_syn && !old) return resend(r, h, i, out, o);
    if (!rst && s.flags.has(flag::ack) && s.ack != r.iss + 1) {
      if (!s.flags.has(flag::syn)) return on_stray_ack(s, h, true, out, o);
      o.verdict = verdict::wrong_ack;
      return reset(s, out, o);
    }
    if (old || bad_echo || !in_window(s.seq, s.end(), r.irs + 1, r.irs + 1 + window)) {
      o.verdict = verdict::out_of_window;
      o.stages.add(old ? stage::old_timestamp : stage::bad_echo);
      if (!old && !bad_echo) o.stages.bits &= ~static_cast<std::uint32_t>(stage::bad_echo);
      if (!rst) ack_back(r, s, h, out, o);
    } else if (rst && s.seq != r.irs + 1) {
      o.verdict = verdict::challenged;
      ack_back(r, s, h, out, o);
    } else if (rst) {
      o.verdict = verdict::request_reset;
      forget(i, low(h));
    } else if (s.flags.has(flag::syn) && s.seq != r.irs) {
      o.verdict = verdict::request_reset_by_syn;
      forget(i, low(h));
      reset(s, out, o);
    } else if (s.flags.has(flag::ack)) {
      finish(s, h, i, out, o);
    } else if ((r.bits & ts) != 0 && !s.options.timestamps) {
      o.verdict = verdict::wrong_timestamp;
      o.stages.add(stage::no_timestamp);
    } else {
      o.verdict = verdict::no_ack;
    }
  }

  template <class Sink>
  void resend(cell& r, std::uint64_t h, std::uint32_t i, Sink& out, outcome& o) {
    o.verdict = verdict::duplicate_syn;
    if (limited(r)) {
      o.stages.add(stage::rate_limited);
      return;
    }
    if (send(next_syn_ack(r, h), out, o) != send_result::sent) return;
    if (r.retransmits < 255) ++r.retransmits;
    disarm(i);
    r.deadline = after(now_, wait(r.timeouts));
    arm(i);
  }

  template <class Sink>
  void ack_back(cell& r, const segment& s, std::uint64_t h, Sink& out, outcome& o) {
    if ((s.seq == s.end() || s.flags.any(flag::syn | flag::rst)) && limited(r)) {
      o.stages.add(stage::rate_limited);
      return;
    }
    segment a = to(r);
    a.flags = flag::ack;
    a.seq = r.iss + 1;
    a.ack = r.irs + 1;
    const std::uint32_t window = (r.bits & ts) != 0 ? 65160 : 64240;
    a.window = static_cast<std::uint16_t>(window >> ((r.bits & ws) != 0 ? 10 : 0));
    if ((r.bits & ts) != 0 && r.ts_recent != 0) {
      a.options.timestamps = true;
      a.options.ts_value = clock(h);
      a.options.ts_echo = r.ts_recent;
    }
    send(a, out, o);
  }

  /// The timeouts that cover `defer_accept` (Linux, secs_to_retrans).
  static std::uint32_t periods(std::uint32_t seconds) noexcept {
    std::uint32_t n = 1;
    duration step = second;
    for (duration covered = step; covered < duration{seconds} * second && n < 255; ++n) {
      step = step * 2 < 120 * second ? step * 2 : 120 * second;
      covered += step;
    }
    return n;
  }
  bool waits_for_data(const cell& r) const noexcept {
    return tuned.defer_accept != 0 && r.timeouts < periods(tuned.defer_accept);
  }

  template <class Sink>
  void finish(const segment& s, std::uint64_t h, std::uint32_t i, Sink& out, outcome& o) {
    cell& r = cells_[i];
    if (waits_for_data(r) && s.end() == r.irs + 1) {
      r.bits |= acked;
      o.verdict = verdict::deferred;
      return;
    }
    if (waiting_ > backlog_) {
      o.stages.add(stage::accept_full);
    } else if (queue(r, h, false, s, out)) {
      forget(i, low(h));
      o.verdict = verdict::promoted;
      return;
    } else {
      o.stages.add(stage::child_refused);
    }
    if (tuned.abort_on_overflow != 0) {
      o.verdict = verdict::overflow_reset;
      forget(i, low(h));
      reset(s, out, o);
    } else {
      r.bits |= acked;
      o.verdict = verdict::overflow_kept;
    }
  }

  // --- an ACK without a request, or with another one --------------------------------------------------------------

  template <class Sink>
  __attribute__((noinline)) void on_stray_ack(const segment& s, std::uint64_t h, bool has_request, Sink& out,
                                              outcome& o) {
    o.verdict = has_request ? verdict::wrong_ack : verdict::stray;
    if (tuned.syncookies != 0) {
      if (now_ > after(cookie_stamp_, 120 * second)) {
        o.stages.add(stage::cookie_late);
      } else if (recover(s, h, has_request, out, o)) {
        return;
      }
    }
    reset(s, out, o);
  }
  template <class Sink>
  bool recover(const segment& s, std::uint64_t h, bool has_request, Sink& out, outcome& o) {
    o.stages.add(stage::cookie_checked);
    const std::uint32_t words[3] = {s.source.address.value, s.destination.address.value,
                                    (std::uint32_t{s.source.port} << 16) | s.destination.port};
    const cookie_facts f{.words = words, .word_count = 3, .peer_isn = s.seq - 1};
    std::optional<cookie_options> kept = linux_6_18_cookie::check(cookie_key_, 0, f, s.ack - 1, now_);
    if (!kept) return false;
    o.stages.add(stage::cookie_valid);
    cell r;
    r.peer = s.source.address.value;
    r.local = s.destination.address.value;
    r.peer_port = s.source.port;
    r.local_port = s.destination.port;
    r.irs = s.seq - 1;
    r.iss = s.ack - 1;
    if (s.options.timestamps) {
      const std::uint32_t echo = s.options.ts_echo != 0 ? s.options.ts_echo - ts_offset(h) : 0;
      if (!linux_6_18_cookie::unstamp(echo, {.sack = true, .ecn = true}, *kept)) return false;
      r.bits |= ts;
      r.ts_recent = s.options.ts_value;
    }
    r.mss = kept->mss;
    if (kept->sack) r.bits |= sack;
    if (kept->ecn) r.bits |= ecn;
    if (kept->scales()) {
      r.bits |= ws;
      r.scale = kept->send_scale;
    }
    o.verdict = verdict::cookie_overflow;
    if (waiting_ > backlog_) {
      o.stages.add(stage::accept_full);
    } else if (has_request) {
      o.verdict = verdict::cookie_in_vain;
    } else if (queue(r, h, true, s, out)) {
      o.verdict = verdict::cookie_promoted;
    } else {
      o.stages.add(stage::child_refused);
    }
    return true;
  }

  // --- a timer ----------------------------------------------------------------------------------------------------

  bool expires(const cell& r, std::uint32_t threshold) const noexcept {
    if (r.timeouts < threshold) return false;
    if (tuned.defer_accept == 0) return true;
    return (r.bits & acked) == 0 || r.timeouts >= periods(tuned.defer_accept);
  }
  /// Old ones die sooner in a crowd (reqsk_timer_handler).
  std::uint32_t threshold() const noexcept {
    std::uint32_t n = tuned.synack_retries;
    if (std::uint64_t{requests_} * 2 <= (backlog_ > 8 ? backlog_ : 8)) return n;
    for (std::uint64_t young = std::uint64_t{young_} * 2; n > 2 && requests_ >= young; young *= 2) --n;
    return n;
  }

  template <class Sink>
  bool time_out(std::uint32_t i, Sink& out) {
    cell& r = cells_[i];
    const std::uint64_t local[1] = {r.local | (std::uint64_t{r.local_port} << 32)};
    const std::uint64_t peer[1] = {r.peer | (std::uint64_t{r.peer_port} << 32)};
    const std::uint64_t h = hash_.go_on<14>(hash_.open(local), peer);
    if (expires(r, threshold())) {
      forget(i, low(h));
      ++v_.timeouts;
      return true;
    }
    const auto at = static_cast<std::uint16_t>(elapsed() / 4000);
    if ((r.bits & answered) != 0 && static_cast<std::uint16_t>(at - r.answered_at) >= 125) {
      r.bits = static_cast<std::uint8_t>(r.bits & ~answered);
    }
    send_result sent = send_result::sent;
    const bool resends =
        tuned.defer_accept == 0 || (r.bits & acked) == 0 || r.timeouts + 1U >= periods(tuned.defer_accept);
    if (resends) {
      const std::uint32_t last_ts = r.last_ts;
      sent = out.send(next_syn_ack(r, h));
      if (sent == send_result::later) {
        r.last_ts = last_ts;
        return false;
      }
    }
    ++v_.timeouts;
    if (resends && sent == send_result::sent) {
      ++v_.retrans_segs;
      ++v_.syn_retrans;
      if (r.retransmits < 255) ++r.retransmits;
    }
    if (sent == send_result::failed && (r.bits & acked) == 0) {
      forget(i, low(h));
      return true;
    }
    disarm(i);
    if (r.timeouts == 0) --young_;
    r.deadline = after(now_, wait(r.timeouts + 1U));
    if (r.timeouts < 255) ++r.timeouts;
    arm(i);
    return true;
  }

  // --- counters ---------------------------------------------------------------------------------------------------

  void count(const outcome& o) noexcept {
    constexpr std::uint32_t plain =
        static_cast<std::uint32_t>(stage::answered) | static_cast<std::uint32_t>(stage::request_full);
    if ((o.stages.bits & ~plain) != 0) {
      if (o.stages.has(stage::answered_reset)) ++v_.out_rsts;
      if ((o.stages.bits & ~plain & ~static_cast<std::uint32_t>(stage::answered_reset)) != 0) count_stages(o);
    }
    if (o.verdict == verdict::admitted) return;
    if (o.verdict == verdict::promoted) {
      ++v_.passive_opens;
      return;
    }
    switch (o.verdict) {
      case verdict::cookie_sent:
        ++v_.syncookies_sent;
        break;
      case verdict::dropped_request_full:
        ++v_.req_q_full_drop, ++v_.listen_drops;
        break;
      case verdict::dropped_accept_full:
        ++v_.listen_overflows, ++v_.listen_drops;
        break;
      case verdict::dropped_last_quarter:
      case verdict::dropped_no_memory:
      case verdict::dropped_refused:
        ++v_.listen_drops;
        break;
      case verdict::duplicate_syn:
        if (o.stages.has(stage::answered)) ++v_.retrans_segs, ++v_.syn_retrans;
        break;
      case verdict::challenged:
        if (o.stages.has(stage::answered)) ++v_.challenge_ack;
        if (o.stages.has(stage::rate_limited)) ++v_.ack_skipped_challenge;
        break;
      case verdict::request_reset:
      case verdict::request_reset_by_syn:
        ++v_.attempt_fails, ++v_.embryonic_rsts;
        break;
      case verdict::deferred:
        ++v_.defer_accept_drop;
        break;
      case verdict::cookie_in_vain:
      case verdict::cookie_promoted:
        ++v_.passive_opens;
        break;
      case verdict::overflow_kept:
      case verdict::overflow_reset:
      case verdict::cookie_overflow:
        if (!o.stages.has(stage::child_refused)) ++v_.listen_overflows;
        ++v_.listen_drops;
        if (o.verdict == verdict::overflow_reset) ++v_.embryonic_rsts;
        break;
      default:
        break;
    }
  }
  __attribute__((noinline)) void count_stages(const outcome& o) noexcept {
    const stages s = o.stages;
    if (s.has(stage::cookie_wanted)) ++v_.req_q_full_do_cookies;
    if (s.has(stage::rate_limited) && o.verdict != verdict::challenged) ++v_.ack_skipped_syn_recv;
    if (s.has(stage::old_timestamp)) ++v_.paws_estab;
    if (s.has(stage::bad_echo)) ++v_.ts_ecr_rejected;
    if (s.has(stage::cookie_checked)) ++(s.has(stage::cookie_valid) ? v_.syncookies_recv : v_.syncookies_failed);
    if (s.has(stage::fast_open_asked)) ++v_.fast_open_cookie_reqd;
  }

  std::unique_ptr<cell[]> cells_{};
  std::unique_ptr<links[]> links_{};
  std::unique_ptr<std::uint32_t[]> heads_{};
  std::uint32_t capacity_ = 0, last_bucket_ = 0, last_ = 0, indices_ = 0, tag_ = 0, used_ = 0, free_ = none;
  std::uint32_t requests_ = 0, young_ = 0;
  line lines_[timeouts]{};
  std::unique_ptr<waiting[]> ring_{};
  std::uint32_t ring_size_ = 0, ring_head_ = 0, waiting_ = 0;
  instant now_ = 0;
  std::uint32_t backlog_ = 0, limit_ = 0;
  bool listening_ = false;
  siphash<2, 4> hash_;
  siphash<2, 4>::opening near_{};
  std::uint32_t near_address_ = 0;
  std::uint16_t near_port_ = 0;
  linux_6_18_cookie_key cookie_key_{};
  instant cookie_stamp_ = -never;
  counter_values v_{};
};

}  // namespace floor_of
