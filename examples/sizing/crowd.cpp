// SPDX-License-Identifier: BSL-1.0
#include "crowd.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <listenq/transport/splitmix64.hpp>
#include <optional>
#include <queue>

namespace calculator {

namespace {

using namespace listenq;

/// -ln of an even draw from (0, 1], in additions, multiplications and divisions alone: std::log differs in its last
/// bit from one machine to the next.
double exponential(splitmix64& r) {
  const std::uint64_t bits = (r.next() >> 11) + 1;  // 1..2^53
  const int e = static_cast<int>(std::bit_width(bits)) - 1;
  const double m = static_cast<double>(bits) / static_cast<double>(std::uint64_t{1} << e);  // 1..2
  const double z = (m - 1) / (m + 1);
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = sum * z * z + 1.0 / k;
  return (53 - e) * 0.693147180559945309 - 2 * z * sum;
}

double even(splitmix64& r) { return static_cast<double>(r.next() >> 11) * 0x1p-53; }

/// Two sides of Student's t with `n` degrees of freedom, 95 %.
double student(std::size_t n) {
  constexpr std::array<double, 20> t{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                     2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
  return t[std::min(n, t.size()) - 1];
}

constexpr std::size_t most_batches = 20;

/// A value of the clients, summed for each batch.
struct batch_sums {
  std::array<double, most_batches> sum{};
  std::array<double, most_batches> of{};  // so many clients

  estimate over(std::size_t batches) const {
    double all = 0;
    double n = 0;
    for (std::size_t b = 0; b < batches; ++b) all += sum[b], n += of[b];
    if (n == 0) return {};
    estimate e{all / n};
    if (batches < 2) return e;
    double squares = 0;  // of a ratio of sums, by its residuals
    for (std::size_t b = 0; b < batches; ++b) {
      const double r = sum[b] - e.value * of[b];
      squares += r * r;
    }
    const auto k = static_cast<double>(batches);
    e.plus_minus = student(batches - 1) * std::sqrt(k / (k - 1) * squares) / n;
    return e;
  }
};

enum class what : std::uint8_t { syn, ack, data, rst, syn_ack, rst_from_server, say_ack, syn_again, data_again };

struct event {
  instant at;
  std::uint32_t client;
  seq_number seq;  ///< of the server, where there is one
  what kind;
};

/// Events that come in the order in which they were planned. A ring.
class line {
 public:
  instant first() const { return count_ == 0 ? never : ring_[head_].at; }
  void push(const event& e) {
    if (count_ == ring_.size()) {
      std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(head_), ring_.end());
      head_ = 0;
      ring_.resize(std::max<std::size_t>(64, 2 * ring_.size()));
    }
    ring_[(head_ + count_++) & (ring_.size() - 1)] = e;
  }
  event pop() {
    const event e = ring_[head_];
    head_ = (head_ + 1) & (ring_.size() - 1);
    --count_;
    return e;
  }

 private:
  std::vector<event> ring_;  // a power of two
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

struct client {
  instant start;
  seq_number irs;
  enum class state : std::uint8_t { syn_sent, connected, closed } state;
  std::uint8_t syns;
  bool silent : 1, counted : 1, answered : 1, acked : 1, turned_away : 1, queued : 1, over : 1;
};

constexpr unsigned data_retries = 6;
constexpr ipv4::address server_address = ip(10, 255, 255, 1);
constexpr std::uint16_t server_port = 80;

class run {
 public:
  run(listenq::testing::any_listener& server, const crowd& c)
      : server_(server),
        c_(c),
        arrivals_(c.seed),
        works_(c.seed ^ 0x5eed0001),
        silences_(c.seed ^ 0x5eed0002),
        holds_(c.seed ^ 0x5eed0003) {
    const double seconds = static_cast<double>(c.clients) / (c.rate * (1 - c.never_ack));
    length_ = std::max<duration>(1, std::llround(seconds * 1e6));
    batches_ = 10;
    if (c.stall > 0) {
      const duration periods = std::max<duration>(1, length_ / c.every);
      batches_ = static_cast<std::size_t>(std::min<duration>(periods, most_batches));
      length_ = periods / static_cast<duration>(batches_) * static_cast<duration>(batches_) * c.every;
      report_.periods = static_cast<std::uint64_t>(length_ / c.every);
    }
    first_ = std::max(c.settle, std::min(length_ / 10, std::max(2 * c.deadline, length_ / 50)));
    end_ = first_ + length_;
    next_burst_ = exponential(arrivals_) * gap();
    next_arrival_ = static_cast<instant>(next_burst_);
    begin_stall(0);
    lines_ = {&to_server_, &to_client_};
    for (std::size_t i = 0; i < syn_timers_.size() && i <= c.kernel.syn_retries; ++i) lines_.push_back(&syn_timers_[i]);
    for (line& l : data_timers_) lines_.push_back(&l);
  }

  crowd_report go() {
    while (now_ < end_ || (open_ > 0 && now_ < end_ + c_.deadline)) step();
    for (client& c : clients_) {
      if (c.counted && !c.over) beyond_.sum[batch_of(c)] += 1;
    }
    report_.turned_away = turned_away_.over(batches_);
    report_.beyond = beyond_.over(batches_);
    report_.wait = wait_.over(batches_);
    const double n = static_cast<double>(std::max<std::uint64_t>(1, report_.clients));
    for (double* share : {&report_.stranded, &report_.late, &report_.refused}) *share /= n;
    for (double& share : report_.steps) share /= n;
    std::sort(report_.waits.begin(), report_.waits.end());
    return std::move(report_);
  }

  // The sink of the listener.
  send_result send(const segment& s) {
    const std::uint32_t i = s.destination.address.value & 0xffffffU;
    const what kind = s.flags.has(flag::rst) ? what::rst_from_server : what::syn_ack;
    if (!clients_[i].silent) to_client_.push({now_ + half(), i, s.seq, kind});
    return send_result::sent;
  }
  bool make_child(const handshake&, const segment&) { return true; }
  void reset_child(const four_tuple&) {}

 private:
  /// The next thing that happens. Events of one kind come in the order in which they were planned, so each kind has a
  /// line of its own and none needs a heap.
  void step() {
    line* from = nullptr;
    instant first = next_arrival_;
    for (line* l : lines_) {
      if (l->first() < first) from = l, first = l->first();
    }
    enum { arrival, planned, held, timer, application } next = from != nullptr ? planned : arrival;
    if (!held_.empty() && held_.top().at < first) next = held, first = held_.top().at;
    if (const auto due = server_.next_deadline(); due && *due < first) next = timer, first = *due;
    if (wake_ <= first) next = application, first = wake_;
    now_ = std::max(now_, first);
    switch (next) {
      case arrival:
        return arrive();
      case planned:
        return handle(from->pop());
      case held: {
        const event e = held_.top();
        held_.pop();
        return handle(e);
      }
      case timer:
        server_.tick(now_, *this);
        return;
      case application:
        wake_ = never;
        return accept();
    }
  }

  duration half() const { return c_.rtt / 2; }
  double gap() const { return 1e6 * c_.burst / c_.rate; }

  void arrive() {
    for (std::uint32_t k = 0; k < c_.burst; ++k) {
      const auto i = static_cast<std::uint32_t>(clients_.size());
      client& c = clients_.emplace_back();
      c.start = now_;
      c.silent = silences_.chance(c_.never_ack);
      c.syns = 1;
      to_server_.push({now_ + half(), i, 0, what::syn});
      if (c.silent) continue;
      c.counted = now_ >= first_ && now_ < end_;
      if (c.counted) {
        ++open_;
        ++report_.clients;
        turned_away_.of[batch_of(c)] += 1;
        beyond_.of[batch_of(c)] += 1;
      }
      if (c_.rtt >= c_.kernel.syn_interval(1)) plan_syn(i, now_);
    }
    next_burst_ += exponential(arrivals_) * gap();
    next_arrival_ = static_cast<instant>(next_burst_);
  }

  bool gone(const client& c) const { return now_ >= c.start + c_.deadline; }

  /// The next SYN of a client who sent one at `sent`. Nothing gets lost on the way, so it is planned when the server
  /// does not answer, unless the round trip is so long that it leaves in any case.
  void plan_syn(std::uint32_t i, instant sent) {
    const unsigned syns = clients_[i].syns;
    if (!c_.retransmit || syns > c_.kernel.syn_retries || syns > syn_timers_.size()) return;
    syn_timers_[syns - 1].push({sent + c_.kernel.syn_interval(syns), i, 0, what::syn_again});
  }
  void plan_data(std::uint32_t i, unsigned times, instant sent) {
    if (!c_.retransmit || times >= data_retries) return;
    const duration first = c_.rtt + std::max(2 * c_.rtt, c_.kernel.rto_min);
    data_timers_[times].push({sent + c_.kernel.doubled(first, times), i, times, what::data_again});
  }

  void handle(const event& e) {
    client& c = clients_[e.client];
    switch (e.kind) {
      case what::syn:
      case what::ack:
      case what::data:
      case what::rst:
        return receive(e);
      case what::syn_ack:
        return answer(e);
      case what::rst_from_server:
        if (c.queued) return;  // its connection's business
        c.state = client::state::closed;
        if (c.over || gone(c)) return;
        c.over = true;
        if (!c.counted) return;
        ++report_.refused;
        beyond_.sum[batch_of(c)] += 1;
        --open_;
        return;
      case what::say_ack:
        to_server_.push({now_ + half(), e.client, e.seq, what::ack});
        return;
      case what::syn_again:
        if (c.state != client::state::syn_sent || gone(c)) return;
        if (c.counted) {
          if (report_.steps.size() < c.syns) report_.steps.resize(c.syns);
          ++report_.steps[c.syns - 1U];
        }
        ++c.syns;
        to_server_.push({now_ + half(), e.client, 0, what::syn});
        if (c_.rtt >= c_.kernel.syn_interval(1)) plan_syn(e.client, now_);
        return;
      case what::data_again:
        if (c.queued || c.state != client::state::connected) return;
        to_server_.push({now_ + half(), e.client, c.irs, what::data});
        plan_data(e.client, e.seq + 1, now_);
        return;
    }
  }

  /// A SYN-ACK has come to a client.
  void answer(const event& e) {
    client& c = clients_[e.client];
    if (c.state == client::state::syn_sent && gone(c)) c.state = client::state::closed;
    switch (c.state) {
      case client::state::syn_sent: {
        c.state = client::state::connected;
        c.irs = e.seq;
        const event say{now_, e.client, e.seq, what::say_ack};
        if (c_.ack_after == 0) return handle(say);
        const double mean = static_cast<double>(c_.ack_after);
        held_.push({now_ + std::llround(c_.ack_law == law::fixed ? mean : mean * exponential(holds_)), e.client, e.seq,
                    what::say_ack});
        return;
      }
      case client::state::connected:
        if (c_.retransmit) to_server_.push({now_ + half(), e.client, c.irs, what::ack});
        return;
      case client::state::closed:
        to_server_.push({now_ + half(), e.client, e.seq, what::rst});
        return;
    }
  }

  /// A segment has come to the server.
  void receive(const event& e) {
    client& c = clients_[e.client];
    if (c.queued) return;  // its connection's
    segment s;
    s.source = {ipv4::address{0x0a000000U | e.client}, static_cast<std::uint16_t>(30001)};
    s.destination = {server_address, server_port};
    const seq_number iss = e.client * 2654435761U;
    s.window = 64240;
    s.seq = iss + 1;
    s.ack = e.seq + 1;
    switch (e.kind) {
      case what::syn:
        s.flags = flag::syn;
        s.seq = iss;
        s.ack = 0;
        s.options = c_.kernel.offer;
        s.options.timestamps = false;
        break;
      case what::data:
        s.flags = flag::ack | flag::psh;
        s.payload = {bytes_.data(), bytes_.size()};
        break;
      case what::rst:
        s.flags = flag::rst;
        s.seq = iss + 1;
        s.ack = 0;
        break;
      default:
        s.flags = flag::ack;
        break;
    }
    const verdict v = server_.receive(s, now_, *this).verdict;
    const bool taken = v == verdict::admitted || v == verdict::cookie_sent;
    c.queued = v == verdict::promoted || v == verdict::cookie_promoted;
    if (e.kind == what::syn) {
      if (!c.answered && !taken) turn_away(c);
      c.answered = true;
      if (!taken && !c.silent && c_.rtt < c_.kernel.syn_interval(1)) plan_syn(e.client, now_ - half());
    } else if (e.kind == what::ack && !c.acked) {
      c.acked = true;
      if (!c.queued) {
        if (c.counted) ++report_.stranded;
        turn_away(c);
        receive({now_, e.client, e.seq, what::data});  // which came right behind it
        if (!c.queued) plan_data(e.client, 0, now_ - half());
        return;
      }
    }
    report_.most_requests = std::max(report_.most_requests, server_.request_count());
    if (!c.queued) return;
    accept();
    report_.most_waiting = std::max(report_.most_waiting, server_.accept_count());
  }

  /// The application does what it can at this moment.
  void accept() {
    while (now_ >= free_at_) {
      while (now_ >= stall_end_) begin_stall(stall_period_ + 1);
      if (now_ >= stall_begin_) {
        wake_ = stall_end_;
        return;
      }
      const auto a = server_.accept(now_);
      if (!a) return;
      client& c = clients_[a.handle.peer_address.value & 0xffffffU];
      if (!c.over) {
        c.over = true;
        if (c.counted) leave(c);
      }
      if (c_.service <= 0) continue;
      const auto now = static_cast<double>(now_);
      if (now - done_ >= 1) done_ = now;  // else it goes on without a pause, between two microseconds
      done_ += exponential(works_) * 1e6 / c_.service;
      while (done_ > static_cast<double>(stall_begin_)) {
        done_ += static_cast<double>(c_.stall);
        begin_stall(stall_period_ + 1);
      }
      free_at_ = static_cast<instant>(done_);
      wake_ = free_at_;
    }
  }

  /// The stall of period p; none without stalls.
  void begin_stall(std::uint64_t p) {
    stall_period_ = p;
    if (c_.stall <= 0) {
      stall_begin_ = stall_end_ = never;
      return;
    }
    splitmix64 r(c_.seed * 0x9e3779b97f4a7c15U + p);
    stall_begin_ = first_ % c_.every + (static_cast<instant>(p) - 1) * c_.every +
                   static_cast<duration>(even(r) * static_cast<double>(c_.every - c_.stall));
    stall_end_ = stall_begin_ + c_.stall;
  }

  std::size_t batch_of(const client& c) const {
    return static_cast<std::size_t>((c.start - first_) * static_cast<duration>(batches_) / length_);
  }
  void turn_away(client& c) {
    if (!c.counted || c.turned_away) return;
    c.turned_away = true;
    turned_away_.sum[batch_of(c)] += 1;
  }
  /// A counted client is accepted.
  void leave(const client& c) {
    --open_;
    if (gone(c)) {
      ++report_.late;
      beyond_.sum[batch_of(c)] += 1;
      return;
    }
    const duration w = std::max<duration>(0, now_ - c.start - 3 * half());
    report_.waits.push_back(w);
    wait_.sum[batch_of(c)] += static_cast<double>(w);
    wait_.of[batch_of(c)] += 1;
  }

  listenq::testing::any_listener& server_;
  const crowd& c_;
  splitmix64 arrivals_, works_, silences_, holds_;
  std::vector<client> clients_;
  line to_server_, to_client_;
  std::array<line, 12> syn_timers_;
  std::array<line, data_retries> data_timers_;
  std::vector<line*> lines_;
  struct later {
    bool operator()(const event& a, const event& b) const { return a.at != b.at ? a.at > b.at : a.client > b.client; }
  };
  std::priority_queue<event, std::vector<event>, later> held_;  // ACKs after a drawn time
  std::array<std::byte, 100> bytes_{};

  instant now_ = 0;
  instant first_ = 0, end_ = 0;  // who comes in between is counted
  duration length_ = 0;
  std::size_t batches_ = 1;
  double next_burst_ = 0;
  instant next_arrival_ = 0;
  double done_ = 0;  // when the application is done with what it accepted
  instant free_at_ = 0;
  instant wake_ = never;
  instant stall_begin_ = never, stall_end_ = never;
  std::uint64_t stall_period_ = 0;
  std::uint64_t open_ = 0;  // counted clients whose fate is not known
  batch_sums turned_away_, beyond_, wait_;
  crowd_report report_;
};

}  // namespace

duration crowd_report::wait_exceeded_by(double share) const {
  const double rank = std::ceil((1 - share) * static_cast<double>(clients));
  const auto i = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return i < waits.size() ? waits[i] : -1;
}

crowd_report play(listenq::testing::any_listener& server, const crowd& c) { return run(server, c).go(); }

}  // namespace calculator
