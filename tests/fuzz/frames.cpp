// SPDX-License-Identifier: BSL-1.0
// transport/framed.hpp under transport/host.hpp: packets of any bytes, and packets of a few peers near what is
// expected, some of them damaged; pings and ICMP errors; and what an application does meanwhile. Each packet is counted
// once, what is sent is a sound packet from us to somebody who has been heard, what is read is what was sent, and in
// the end all connections are gone.
#include <algorithm>
#include <array>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/transport/framed.hpp>
#include <listenq/transport/host.hpp>
#include <map>
#include <memory_frames.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "input.hpp"

namespace {

using namespace listenq;
using fuzz::expect;
using fuzz::input;
using support::frame;

using door = with<preset::linux_6_18, family<dual>, child<handles<connection_id>>>;
using wired = framed_transport<support::memory_frames&, dual>;

constexpr dual::address us4 = dual::mapped(ip(10, 0, 0, 2)), us6{{0xfd770000, 0, 0, 2}};

/// The byte with this number, whoever's stream it is.
std::byte byte_at(seq_number n) { return static_cast<std::byte>((n * 2654435761U) >> 24); }

class world {
 public:
  explicit world(input& in) : in_(in), wire_(below_), host_(wire_, door{}, {.max_connections = 6}) {
    wire_.add_address(us4);
    wire_.add_address(us6);
    const unsigned bits = in.byte();
    expect(static_cast<bool>(host_.listen(80, static_cast<int>(bits & 3U), now_)), "a small backlog can be had");
    door& l = *host_.listener_at(80);
    if ((bits & 4U) != 0) l.set(tunable::syncookies, 2);
    if ((bits & 8U) != 0) l.set(tunable::abort_on_overflow, 1);
    if ((bits & 16U) != 0) l.set(tunable::fastopen, 0x602);  // data in a SYN without a cookie
    if ((bits & 32U) != 0) l.set(tunable::fastopen_qlen, 2);
    if ((bits & 64U) != 0) l.set(tunable::defer_accept, 2);
  }

  void run() {
    for (int steps = 0; !in_.empty() && steps < 300; ++steps) {
      step();
      settle();
    }
    finish();
  }

 private:
  struct peer {
    seq_number next = 1000;   ///< of its own stream
    seq_number heard = 5000;  ///< what it acknowledges
  };

  static basic_endpoint<dual> endpoint_of(unsigned i) {
    const auto port = static_cast<std::uint16_t>(4000 + i / 4);
    if (i % 4 == 3) return {{{0xfd770000, 0, 0, 10}}, port};
    return {dual::mapped(ip(10, 0, 0, static_cast<std::uint8_t>(10 + i % 4))), port};
  }

  void step() {
    const unsigned what = in_.byte();
    switch (what & 7U) {
      case 3: {
        const byte_view raw = in_.take(in_.byte());
        return come({raw.begin(), raw.end()});
      }
      case 4: {
        const auto next = host_.next_deadline();
        if ((what & 8U) == 0 || !next) {
          now_ += in_.byte() * ((what & 16U) != 0 ? second : millisecond);
        } else {
          now_ = std::max(now_, *next);
        }
        return;
      }
      case 5:
        return application(what >> 3);
      case 6:
        return icmp(what >> 3);
      case 7:
        below_.answer = (what & 24U) == 0   ? send_result::failed
                        : (what & 24U) == 8 ? send_result::later
                                            : send_result::sent;
        below_.open = (what & 32U) != 0 || (what & 24U) == 24U;
        return;
      default:
        return segment_of(what >> 3 & 7U, in_.byte());
    }
  }

  void segment_of(unsigned i, unsigned kind) {
    constexpr std::array<flags, 8> kinds{flag::syn, flag::ack, flag::ack | flag::psh, flag::ack | flag::fin,
                                         flag::rst, flag::ack, flag::syn | flag::ack, flag::none};
    const unsigned more = in_.byte();
    peer& p = peers_[i];
    basic_segment<dual> s;
    s.source = endpoint_of(i);
    s.destination = {i % 4 == 3 ? us6 : us4, static_cast<std::uint16_t>((kind & 0xc0U) == 0xc0U ? 81 : 80)};
    s.flags = kinds[kind & 7U];
    const bool syn = s.flags.has(flag::syn);
    if (syn && (kind & 8U) != 0) p.next += 100000;
    s.seq = p.next - (syn ? 1U : 0U) + ((kind & 16U) != 0 ? in_.word() - 200U : 0U);
    s.ack = s.flags.has(flag::ack) ? p.heard + ((kind & 32U) != 0 ? in_.word() - 100U : 0U) : 0;
    s.window = (more & 1U) != 0 ? in_.word() : std::uint16_t{50000};
    if (syn) {
      s.options.mss = 1400;
      s.options.sack_permitted = true;
      if ((more & 2U) != 0) s.options.window_scale = 7;
      if ((more & 32U) != 0) s.options.fast_open = fast_open_option::request();
    }
    if ((more & 4U) != 0) {
      s.options.timestamps = true;
      s.options.ts_value = static_cast<std::uint32_t>(now_ / millisecond) - ((more & 64U) != 0 ? 5000U : 0U);
    }
    std::vector<std::byte> bytes((more & 8U) != 0 ? in_.byte() * 5U : 0U);
    for (std::size_t k = 0; k < bytes.size(); ++k) {
      bytes[k] = byte_at(s.seq + (syn ? 1U : 0U) + static_cast<seq_number>(k));
    }
    s.payload = {bytes.data(), bytes.size()};
    frame f = support::frame_of(s);
    if ((more & 16U) != 0) damage(f);
    come(std::move(f));
    if ((more & 16U) == 0 && (kind & 16U) == 0 && s.flags.has(flag::ack)) p.next = s.end();
  }
  void damage(frame& f) {
    const unsigned at = in_.word();
    f[at % f.size()] ^= static_cast<std::byte>(in_.byte());
    if (at % 5 == 0) f.resize(at % f.size());
  }

  /// A ping, or an error about what we have sent last.
  void icmp(unsigned bits) {
    const unsigned type = in_.byte();
    const std::size_t quoted = (bits & 1U) != 0 ? std::min<std::size_t>(last_sent_.size(), in_.byte()) : 0;
    const bool ping = (bits & 1U) == 0;
    std::vector<std::byte> message(8 + quoted + (ping ? type % 32 : 0));
    constexpr std::array<std::uint8_t, 4> errors{3, 11, 12, 4};
    message[0] = static_cast<std::byte>(ping ? 8 : errors[type % 4]);
    message[1] = static_cast<std::byte>(ping ? 0 : type / 4 % 16);
    std::copy_n(last_sent_.begin(), quoted, message.begin() + 8);
    wire::store16(message.data() + 2, wire::checksum({message.data(), message.size()}));
    frame f(20 + message.size());
    wire::write_ipv4({.source = ip(10, 0, 0, 10), .destination = ip(10, 0, 0, 2), .protocol = 1}, message.size(),
                     {f.data(), f.size()});
    std::copy(message.begin(), message.end(), f.begin() + 20);
    if ((bits & 2U) != 0) damage(f);
    come(std::move(f));
  }

  void application(unsigned what) {
    if (what % 2 == 0 || open_.empty()) {
      if (const auto id = host_.accept(80, now_)) open_.push_back(*id);
      return;
    }
    const std::size_t at = in_.byte() % open_.size();
    const connection_id id = open_[at];
    switch (what / 2 % 6) {
      case 0: {
        const std::vector<std::byte> bytes(in_.word() % 9000U, std::byte{'x'});
        expect(host_.send(id, {bytes.data(), bytes.size()}, now_) <= bytes.size(), "send takes no more than there is");
        return;
      }
      case 1:
        return host_.shutdown_send(id, now_);
      case 2:
        host_.close(id, now_);
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
        return;
      case 3:
        host_.abort(id, now_);
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
        return;
      case 4:
        if (in_.byte() > 200) host_.close_port(80, now_);
        return;
      default:
        host_.listen(80, in_.byte() % 4, now_);
    }
  }

  void read(connection_id id) {
    const auto* const c = host_.find_connection(id);
    if (c == nullptr) return;
    std::uint32_t& done = read_[{id.slot, id.generation}];
    const seq_number from = c->start().irs + 1 + done;
    std::array<std::byte, 900> to{};
    const std::size_t n = host_.read(id, to.data(), to.size(), now_);
    for (std::size_t k = 0; k < n; ++k) {
      expect(to[k] == byte_at(from + static_cast<seq_number>(k)), "what is read is what the peer sent");
    }
    done += static_cast<std::uint32_t>(n);
  }

  void come(frame f) {
    below_.in.push_back(std::move(f));
    ++given_;
  }

  void settle() {
    host_.poll(now_);
    while (const auto e = host_.next_event()) read(e->id);
    for (const frame& f : below_.out) heard(f);
    below_.out.clear();
    const frame_counts& c = wire_.counts();
    expect(c.received + below_.in.size() == given_, "each frame is taken once");
    expect(c.received == std::accumulate(c.refused.begin(), c.refused.end(), c.segments + c.echoes + c.bad_echoes) +
                             c.not_ours + c.bad_source + c.errors +
                             std::accumulate(c.bad_errors.begin(), c.bad_errors.end(), std::uint64_t{0}),
           "each frame is counted once");
    const host_counts& h = host_.counts();
    expect(c.segments == h.to_connections + h.to_listeners + h.to_nobody, "each segment goes to one");
    expect(host_.connections() <= 6, "no more connections than there may be");
  }

  void heard(const frame& f) {
    expect(f.size() <= below_.longest, "no frame is longer than the MTU");
    const auto p = wire::read_packet<dual>({f.data(), f.size()});
    expect(p || p.error == wire::parse_error::not_tcp, "what is sent is a sound packet");
    if (!p) return;
    last_sent_ = f;
    const basic_segment<dual>& s = p.segment;
    expect(s.source.address == us4 || s.source.address == us6, "it comes from us");
    for (unsigned i = 0; i < peers_.size(); ++i) {
      if (s.destination != endpoint_of(i) || s.flags.has(flag::rst)) continue;
      peers_[i].heard = s.end();
      if (s.flags.has(flag::syn)) peers_[i].next = s.ack;
    }
  }

  void finish() {
    below_.answer = send_result::sent;
    below_.open = true;
    settle();
    for (const connection_id id : open_) host_.close(id, now_);
    host_.close_port(80, now_);
    for (int ticks = 0; host_.next_deadline(); ++ticks) {
      expect(ticks < 2000, "everything that is abandoned ends");
      now_ = std::max(now_, *host_.next_deadline());
      settle();
    }
    expect(host_.connections() == 0, "no connection is left");
  }

  input& in_;
  support::memory_frames below_{};
  wired wire_;
  host<wired, door> host_;
  std::array<peer, 8> peers_{};
  std::vector<connection_id> open_{};
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> read_{};
  frame last_sent_{};
  std::uint64_t given_ = 0;
  instant now_ = second;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  world(in).run();
  return 0;
}
