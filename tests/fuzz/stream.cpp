// SPDX-License-Identifier: BSL-1.0
// stream/connection.hpp: two worlds, chosen by the first byte. In one a connection meets whatever segments the bytes
// say, with numbers near the right ones; in the other two connections talk over a wire that loses, repeats and reorders
// as the bytes say, and then becomes a good one: all that was written must arrive. Every byte of a stream is a function
// of its place, so that what is delivered can be judged wherever it appears.
#include <array>
#include <deque>
#include <listenq/stream/connection.hpp>
#include <optional>
#include <set>
#include <vector>

#include "input.hpp"

namespace {

using namespace listenq;
using fuzz::expect;
using fuzz::input;
using is = connection_state;

constexpr four_tuple ours{ip(10, 0, 0, 2), ip(10, 0, 0, 1), 30001, 20000};  // peer, local
constexpr four_tuple theirs{ip(10, 0, 0, 1), ip(10, 0, 0, 2), 20000, 30001};

/// The byte at `place` of stream `which`.
std::byte byte_at(unsigned which, std::uint32_t place) {
  return static_cast<std::byte>((place * 131 + (place >> 8) * 17 + which * 89) & 0xff);
}
std::vector<std::byte> bytes_at(unsigned which, std::uint32_t place, std::size_t n) {
  std::vector<std::byte> b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = byte_at(which, place + static_cast<std::uint32_t>(i));
  return b;
}
bool is_stream(byte_view b, unsigned which, std::uint32_t place) {
  for (std::size_t i = 0; i < b.size; ++i) {
    if (b.data[i] != byte_at(which, place + static_cast<std::uint32_t>(i))) return false;
  }
  return true;
}

/// A segment with bytes of its own.
struct kept {
  segment s{};
  std::vector<std::byte> bytes{};
  explicit kept(const segment& from) : s(from), bytes(from.payload.begin(), from.payload.end()) {}
  segment get() const {
    segment copy = s;
    copy.payload = {bytes.data(), bytes.size()};
    return copy;
  }
};
struct wire {
  std::vector<kept> sent{};
  send_result answer = send_result::sent;
  send_result send(const segment& s) {
    if (answer == send_result::sent) sent.emplace_back(s);
    return answer;
  }
};

const kernel_profile& profile_of(unsigned n) {
  switch (n % 3) {
    case 0:
      return profile::linux_6_18;
    case 1:
      return profile::linux_3_12;
    default:
      return profile::linux_2_6_32;
  }
}

/// Is there an arrow from `a` to `b` in RFC 9293 3.3.2, or several that one call may take at once?
bool leads_to(is a, is b) {
  constexpr auto bit = [](is s) { return 1U << static_cast<unsigned>(s); };
  constexpr unsigned end = bit(is::closed);
  constexpr unsigned after_fin = bit(is::fin_wait_1) | bit(is::fin_wait_2) | bit(is::closing) | bit(is::time_wait);
  constexpr unsigned passive = bit(is::close_wait) | bit(is::last_ack);
  unsigned to = end | bit(a);
  switch (a) {
    case is::syn_received:
      to |= bit(is::established) | after_fin | passive;
      break;
    case is::established:
      to |= after_fin | passive;
      break;
    case is::fin_wait_1:
      to |= bit(is::fin_wait_2) | bit(is::closing) | bit(is::time_wait);
      break;
    case is::fin_wait_2:
    case is::closing:
      to |= bit(is::time_wait);
      break;
    case is::close_wait:
      to |= bit(is::last_ack);
      break;
    default:
      break;
  }
  return (to & bit(b)) != 0;
}

tcp_options offer_of(unsigned bits) {
  tcp_options o;
  constexpr std::array<std::uint16_t, 4> sizes{1460, 0, 536, 40};
  o.mss = sizes[bits & 3U];
  o.timestamps = (bits & 4U) != 0;
  if ((bits & 8U) != 0) o.window_scale = static_cast<std::uint8_t>(bits >> 4 & 15U);
  return o;
}

// --- one connection, any segments

class alone {
 public:
  explicit alone(input& in) : in_(in) {
    const unsigned bits = in.byte();
    start_.tuple = ours;
    start_.ours = offer_of(in.byte());
    start_.theirs = offer_of(in.byte());
    start_.iss = in.number();
    start_.irs = in.number();
    start_.our_window = static_cast<std::uint16_t>(in.word() | 1U);
    start_.peer_window = in.word();
    constexpr std::array<opening, 4> ways{opening::passive, opening::active, opening::fast, opening::passive};
    how_ = ways[bits >> 2 & 3U];
    c_.emplace(profile_of(bits), start_, how_);
    capacity_ = start_.first_window() << start_.our_shift();
    right_most_ = start_.iss + 1 + start_.peer_window;
    edge_ = start_.irs + 1 + capacity_;
    acked_ = start_.irs;
    reached_ = c_->receive_next();
    if (how_ == opening::fast) opened_with(flag::syn, start_.irs, in.byte());
    if (how_ == opening::passive && (bits & 64U) == 0) opened_with(flag::ack, start_.irs + 1, 0);
  }

  void run() {
    for (int steps = 0; !in_.empty() && steps < 400; ++steps) step();
    finish();
  }

 private:
  using result = connection_events;

  void opened_with(flags f, seq_number seq, std::size_t size) {
    segment s = segment_to_peer(theirs);
    s.flags = f;
    s.seq = seq;
    s.ack = f.has(flag::ack) ? start_.iss + 1 : 0;
    s.window = start_.peer_window;
    deliver(s, size);
  }

  void step() {
    const unsigned what = in_.byte();
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        return arrives(what >> 3);
      case 3: {
        const std::size_t n = in_.word() % 20000;
        const auto b = bytes_at(0, written_, n);
        return call([&] {
          const std::size_t took = c_->send({b.data(), n}, now_, out_);
          expect(took <= n, "send takes no more than there is");
          written_ += static_cast<std::uint32_t>(took);
        });
      }
      case 4:
        return read(in_.word());
      case 5: {
        const std::uint8_t how = in_.byte();
        left_ = left_ || how >= 140;
        if (how < 140) return call([&] { c_->shutdown_send(now_, out_); });
        if (how < 220) return call([&] { c_->close(now_, out_); });
        return call([&] { c_->abort(now_, out_); });
      }
      case 6: {
        const auto next = c_->next_deadline();
        const bool to_it = (what & 8U) != 0 && next;
        now_ = to_it ? std::max(now_, *next) : now_ + in_.word() * millisecond * ((what & 16U) != 0 ? 97 : 1);
        return call([&] { note(c_->tick(now_, out_)); });
      }
      default:
        out_.answer = what % 32 == 7 ? send_result::later : what % 32 == 15 ? send_result::failed : send_result::sent;
    }
  }

  void arrives(unsigned bits) {
    constexpr std::array<flags, 16> kinds{flag::ack,
                                          flag::ack,
                                          flag::ack | flag::psh,
                                          flag::ack | flag::psh,
                                          flag::ack | flag::fin,
                                          flag::ack | flag::fin | flag::psh,
                                          flag::rst,
                                          flag::rst | flag::ack,
                                          flag::syn,
                                          flag::syn | flag::ack,
                                          flag::fin,
                                          flag::none,
                                          flag::ack | flag::urg,
                                          flag::syn | flag::fin,
                                          flag::ack,
                                          {0xff}};
    segment s = segment_to_peer(theirs);
    const std::uint8_t kind = in_.byte();
    s.flags = kinds[kind % 16];
    const auto near = [this](std::uint32_t value) {
      const std::uint8_t d = in_.byte();
      return d < 128   ? value
             : d < 192 ? value + (d - 160U)
             : d < 224 ? value + (d - 208U) * 1460U
                       : value + in_.number();
    };
    s.seq = near((bits & 3U) == 1 ? start_.irs + 1 : (bits & 3U) == 2 ? edge_ : c_->receive_next());
    s.ack = s.flags.has(flag::ack) || kind > 200
                ? near((bits & 4U) == 0 ? c_->send_next() : start_.iss + 1 + (bits & 16U) * 100)
                : 0;
    s.window = (kind & 16U) == 0 ? std::uint16_t{64240} : in_.word();
    if ((kind & 32U) == 0 && start_.timestamps()) {
      s.options.timestamps = true;
      s.options.ts_value = (kind & 64U) == 0 ? static_cast<std::uint32_t>(now_ / millisecond) : in_.number();
      s.options.ts_echo = static_cast<std::uint32_t>(now_ / millisecond);
    }
    deliver(s, (bits & 8U) == 0 ? 0 : in_.word() % 3000);
  }

  void deliver(segment& s, std::size_t size) {
    const std::uint32_t place = s.seq + (s.flags.has(flag::syn) ? 1U : 0U) - (start_.irs + 1);
    const auto b = bytes_at(1, place, size);
    s.payload = {b.data(), b.size()};
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t at = place + static_cast<std::uint32_t>(i);
      if (at < offered_.size()) offered_[at] = true;
    }
    const std::uint32_t end = place + static_cast<std::uint32_t>(size);
    if (s.flags.has(flag::fin)) fins_.insert(end);
    if (s.flags.has(flag::ack)) {
      const seq_number edge = s.ack + (std::uint32_t{s.window} << start_.peer_shift());
      if (seq_after(edge, right_most_) && edge - start_.iss < 0x7000'0000U) right_most_ = edge;
    }
    const is before = c_->state();
    const std::size_t unread = c_->bytes_available();
    const bool good = is_good(s, place);
    if (s.flags.has(flag::fin)) fin_due_ = good ? std::optional{end} : std::nullopt;
    result what{};
    std::size_t said = 0;
    call([&] {
      what = c_->receive(s, now_, out_);
      note(what);
      said = out_.sent.size();
    });
    expect(what.has(connection_event::readable) == (c_->bytes_available() > unread),
           "readable says that there is more to read");
    if (good) expect_taken();
    expect(!s.flags.has(flag::rst) || !has_reset_, "a RST gets no RST");
    if (before == is::closed && out_.answer == send_result::sent) {
      expect(what.empty() && said == (s.flags.has(flag::rst) ? 0U : 1U) && (said == 0 || has_reset_),
             "after the end everything but a RST gets a RST");
    }
  }

  /// A segment that nothing is wrong with, in ESTABLISHED, in the window: its bytes must be taken, at once or when the
  /// gap before them closes. So many that are early, and beyond that it may drop them.
  bool is_good(const segment& s, std::uint32_t place) {
    const bool plain = s.flags == flag::ack || s.flags == (flag::ack | flag::psh) || s.flags.has(flag::ack | flag::fin);
    if (!plain || s.flags.any(flag::syn | flag::rst | flag::urg) || c_->state() != is::established || left_ ||
        start_.timestamps() || s.ack != c_->send_next() || seq_before(s.seq, c_->receive_next()) ||
        seq_after(s.end(), edge_) || place + s.payload.size >= held_.size()) {
      return false;
    }
    early_ += s.seq != c_->receive_next() ? 1U : 0U;
    if (early_ > reassembly::most_ranges) return false;
    for (std::size_t i = 0; i < s.payload.size; ++i) held_[place + i] = true;
    return true;
  }
  void expect_taken() const {
    const std::uint32_t next = c_->receive_next() - (start_.irs + 1);
    expect(c_->state() != is::established || next >= held_.size() || (!held_[next] && fin_due_ != next),
           "what came in the window is taken as soon as nothing before it is missing");
  }

  /// Something is done to the connection; what it says is judged.
  template <class F>
  void call(F f) {
    out_.sent.clear();
    has_reset_ = false;
    const is before = c_->state();
    const std::size_t left = c_->unacked();
    f();
    expect(leads_to(before, c_->state()), "states change along the arrows of RFC 9293");
    expect(before == is::closed || c_->state() != is::closed || left == 0 || c_->unacked() == 0,
           "nothing waits behind the end");
    for (const kept& k : out_.sent) heard(k);
    advanced();
    expect(c_->bytes_available() <= capacity_ + (1U << start_.our_shift()), "no more is held than was offered");
    expect(c_->unacked() <= c_->send_buffer + 1, "no more is held than fits");
    if (c_->state() == is::closed) expect(!c_->next_deadline(), "what has ended has no timer");
  }

  void heard(const kept& k) {
    const segment s = k.get();
    expect(s.source == ours.local() && s.destination == ours.peer(), "it talks to its peer");
    if (s.flags.has(flag::rst)) {
      has_reset_ = true;
      return;
    }
    if (s.flags.has(flag::syn)) {
      expect(how_ == opening::fast && s.seq == start_.iss && s.payload.empty(), "only a fast child repeats a SYN-ACK");
      return;
    }
    expect(s.flags.has(flag::ack) && !seq_before(s.ack, acked_), "what is acknowledged stays acknowledged");
    acked_ = s.ack;
    const seq_number edge = s.ack + (std::uint32_t{s.window} << start_.our_shift());
    // A scaled field is rounded down (as FreeBSD's), so that what it says can be less than what is meant.
    expect(!seq_before(edge + (1U << start_.our_shift()) - 1, edge_), "a window's right edge never goes back");
    if (seq_after(edge, edge_)) edge_ = edge;
    if (s.payload.empty()) return;
    const std::uint32_t place = s.seq - (start_.iss + 1);
    expect(place + s.payload.size <= written_, "only what was written is sent");
    expect(is_stream(s.payload, 0, place), "it is sent as it was written");
    expect(!seq_after(s.seq + static_cast<seq_number>(s.payload.size), right_most_),
           "nothing is sent beyond what the peer has ever offered");
  }

  /// The next number expected moves over bytes that came, and over one FIN.
  void advanced() {
    const seq_number next = c_->receive_next();
    expect(!seq_before(next, reached_), "the next number expected never goes back");
    for (; reached_ != next; ++reached_) {
      const std::uint32_t place = reached_ - (start_.irs + 1);
      const bool came = place >= offered_.size() || offered_[place];
      if (!came || (reached_ + 1 == next && fins_.contains(place) && !ended_)) {
        // A byte and a FIN may claim the same number; which of them it was shows when it is read.
        ended_ = ended_ || fins_.contains(place);
        expect(ended_ && reached_ + 1 == next, "nothing is acknowledged that never came");
      }
    }
  }

  void read(std::size_t room) {
    std::vector<std::byte> to(room);
    const std::size_t there = c_->bytes_available();
    call([&] {
      const std::size_t n = c_->read(to.data(), room, now_, out_);
      expect(n == std::min(there, room), "read yields what there is");
      expect(is_stream({to.data(), n}, 1, read_), "what is read is what the peer sent");
      read_ += static_cast<std::uint32_t>(n);
    });
  }

  void note(result e) {
    expect(!ended_once_ || !e.has(connection_event::closed), "the end comes once");
    ended_once_ = ended_once_ || e.has(connection_event::closed);
  }

  /// Nobody says anything any more, and the application has gone.
  void finish() {
    out_.answer = send_result::sent;
    read(c_->bytes_available());
    call([&] { c_->close(now_, out_); });
    if (how_ == opening::passive && c_->state() == is::syn_received) return;  // its timer is the listener's
    for (int ticks = 0; c_->state() != is::closed; ++ticks) {
      const auto next = c_->next_deadline();
      expect(next.has_value(), "what has not ended has a timer");
      expect(ticks < 100, "an abandoned connection ends");
      now_ = std::max(now_, *next);
      call([&] { note(c_->tick(now_, out_)); });
    }
  }

  input& in_;
  established start_{};
  opening how_ = opening::passive;
  std::optional<connection> c_;
  wire out_{};
  instant now_ = second;
  std::uint32_t capacity_ = 0;
  seq_number right_most_ = 0;  ///< of all windows that came
  seq_number edge_ = 0;        ///< of the last window that it offered
  seq_number acked_ = 0;
  seq_number reached_ = 0;
  std::uint32_t written_ = 0;
  std::uint32_t read_ = 0;
  std::vector<bool> offered_ = std::vector<bool>(100000);
  std::vector<bool> held_ = std::vector<bool>(100000);  ///< must not be lost
  std::optional<std::uint32_t> fin_due_{};              ///< nor this FIN
  unsigned early_ = 0;                                  ///< segments that came before their turn
  bool left_ = false;                                   ///< the application has closed
  std::set<std::uint32_t> fins_{};
  bool ended_ = false;
  bool ended_once_ = false;
  bool has_reset_ = false;
};

// --- two connections, a bad wire that becomes a good one

class together {
 public:
  explicit together(input& in) : in_(in) {
    const unsigned bits = in.byte();
    const tcp_options offers[] = {offer_of(in.byte()), offer_of(in.byte())};
    const seq_number numbers[] = {in.number(), in.number()};
    const std::uint16_t windows[] = {static_cast<std::uint16_t>(200 + in.word() % 0xff00U),
                                     static_cast<std::uint16_t>(200 + in.word() % 0xff00U)};
    for (unsigned i = 0; i < 2; ++i) {
      established e;
      e.tuple = i == 0 ? ours : theirs;
      e.ours = offers[i];
      e.theirs = offers[1 - i];
      e.iss = numbers[i];
      e.irs = numbers[1 - i];
      e.our_window = windows[i];
      e.peer_window = windows[1 - i];
      sides_[i].c.emplace(profile_of(bits >> i), e, i == 0 ? opening::passive : opening::active);
    }
    segment last = segment_to_peer(theirs);
    last.flags = flag::ack;
    last.seq = numbers[1] + 1;
    last.ack = numbers[0] + 1;
    last.window = static_cast<std::uint16_t>(sides_[1].c->start().first_window());
    last.options.timestamps = sides_[0].c->start().timestamps();
    sides_[0].c->receive(last, now_, sides_[0].out);
  }

  void run() {
    for (int steps = 0; !in_.empty() && steps < 400; ++steps) step();
    for (side& s : sides_) {
      s.out.answer = send_result::sent;
      s.c->shutdown_send(now_, s.out);
    }
    // Who has been told to go, or has all but lost patience on the bad wire, owes nothing.
    bool patient = timeouts_ < 5;
    for (const side& s : sides_) patient = patient && s.c->error() == connection_error::none;
    for (int rounds = 0; rounds < 20000 && !over(); ++rounds) round();
    for (unsigned i = 0; i < 2; ++i) {
      const side& me = sides_[i];
      const side& other = sides_[1 - i];
      if (gone_ || !patient) continue;
      expect(me.c->error() == connection_error::none, "nobody gives up on a good wire");
      expect(me.read == other.written, "over a good wire all that was written arrives");
      expect(me.c->end_of_stream(), "and then the end of the stream");
      expect(me.c->unacked() == 0, "and the writer hears of it");
    }
  }

 private:
  struct side {
    std::optional<connection> c{};
    wire out{};  ///< in flight, oldest first
    std::uint32_t written = 0;
    std::uint32_t read = 0;
  };

  void step() {
    const unsigned what = in_.byte();
    const unsigned i = what >> 7;
    side& me = sides_[i];
    std::vector<kept>& flight = sides_[1 - i].out.sent;
    switch (what % 8) {
      case 0:
      case 1:
        return arrive(i, what >> 3 & 3U);
      case 2:  // lost
        if (!flight.empty()) flight.erase(flight.begin());
        return;
      case 3:  // repeated, perhaps much later
        if (!flight.empty() && flight.size() < 300) flight.push_back(flight[(what >> 3 & 7U) % flight.size()]);
        return;
      case 4: {
        const auto b = bytes_at(i, me.written, in_.word() % 3000);
        me.written += static_cast<std::uint32_t>(me.c->send({b.data(), b.size()}, now_, me.out));
        return;
      }
      case 5:
        return read(i, in_.word() % 3000);
      case 6: {
        const auto next = me.c->next_deadline();
        now_ = (what & 8U) != 0 && next ? std::max(now_, *next) : now_ + in_.byte() * 10 * millisecond;
        me.c->tick(now_, me.out);
        ++timeouts_;
        return;
      }
      default:
        if ((what & 8U) != 0) {
          me.out.answer = (what & 16U) != 0   ? send_result::sent
                          : (what & 32U) != 0 ? send_result::later
                                              : send_result::failed;
        } else if ((what & 0x70U) == 0x70U) {
          gone_ = true;
          me.c->close(now_, me.out);
        } else if ((what & 0x60U) == 0) {
          me.c->shutdown_send(now_, me.out);
        }
    }
  }

  /// The segment at place `n` of those under way reaches side `i`.
  void arrive(unsigned i, std::size_t n) {
    std::vector<kept>& flight = sides_[1 - i].out.sent;
    if (flight.empty()) return;
    const auto at = flight.begin() + static_cast<std::ptrdiff_t>(n % flight.size());
    const kept k = *at;
    flight.erase(at);
    sides_[i].c->receive(k.get(), now_, sides_[i].out);
  }

  void read(unsigned i, std::size_t room) {
    side& me = sides_[i];
    std::vector<std::byte> to(room);
    const std::size_t n = me.c->read(to.data(), room, now_, me.out);
    expect(is_stream({to.data(), n}, 1 - i, me.read), "what is read is what was written");
    me.read += static_cast<std::uint32_t>(n);
    expect(me.read <= sides_[1 - i].written, "no more is read than was written");
  }

  bool over() const {
    for (const side& s : sides_) {
      if (!s.out.sent.empty() || s.c->next_deadline() || s.c->bytes_available() > 0) return false;
    }
    return true;
  }

  /// All that is under way arrives, all is read, and then, if nothing is under way, the next timer runs.
  void round() {
    bool quiet = true;
    for (unsigned i = 0; i < 2; ++i) {
      for (std::size_t n = sides_[1 - i].out.sent.size(); n > 0; --n) arrive(i, 0);
      read(i, sides_[i].c->bytes_available());
      quiet = quiet && sides_[0].out.sent.empty() && sides_[1].out.sent.empty();
    }
    if (!quiet) return;
    std::optional<instant> next;
    for (const side& s : sides_) {
      if (const auto d = s.c->next_deadline(); d && (!next || *d < *next)) next = d;
    }
    if (!next) return;
    now_ = std::max(now_, *next);
    for (side& s : sides_) s.c->tick(now_, s.out);
  }

  input& in_;
  std::array<side, 2> sides_{};
  instant now_ = second;
  unsigned timeouts_ = 0;  ///< at most, on the bad wire
  bool gone_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  if (in.byte() % 2 == 0) {
    alone(in).run();
  } else {
    together(in).run();
  }
  return 0;
}
