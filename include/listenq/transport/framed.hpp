// SPDX-License-Identifier: BSL-1.0
// Segments over frames: each frame is checked by wire/ and becomes a segment or a counted refusal; each segment becomes
// a frame. Pings are answered here, since no segment comes of them; ICMP errors about segments go to whoever wants to
// hear of them. It reassembles no fragments and sends no ICMP errors.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/transport/frames.hpp>
#include <listenq/wire/checksum.hpp>
#include <listenq/wire/icmp.hpp>
#include <listenq/wire/icmp_error.hpp>
#include <listenq/wire/tcp.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace listenq {

/// What became of frames. `received = segments + echoes + errors + refused (all) + not_ours + bad_source + bad_echoes +
/// bad_errors (all)`.
struct frame_counts {
  std::uint64_t received = 0;
  std::uint64_t segments = 0;    ///< handed on
  std::uint64_t echoes = 0;      ///< pings that were answered
  std::uint64_t bad_echoes = 0;  ///< pings with a wrong sum or length, or without room for the answer
  std::uint64_t errors = 0;      ///< ICMP errors about TCP segments from an address of ours: told to `on_error`
  std::array<std::uint64_t, wire::quote_error_count> bad_errors{};  ///< and others, by `wire::quote_error`
  std::uint64_t not_ours = 0;                                       ///< to an address that is not one of ours
  std::uint64_t bad_source = 0;  ///< from an unspecified, multicast or broadcast address (RFC 1122 4.2.3.10)
  std::array<std::uint64_t, wire::parse_error_count> refused{};       ///< by `wire::parse_error`
  std::array<std::uint64_t, wire::option_fault_count> with_faults{};  ///< segments, by the first `wire::option_fault`
  std::uint64_t sent = 0;      ///< frames taken by the frame transport, echo replies included
  std::uint64_t not_sent = 0;  ///< it answered `failed`, or they did not fit

  constexpr std::uint64_t of(wire::parse_error e) const noexcept { return refused[static_cast<std::size_t>(e)]; }
  constexpr std::uint64_t of(wire::quote_error e) const noexcept { return bad_errors[static_cast<std::size_t>(e)]; }
  constexpr std::uint64_t of(wire::option_fault f) const noexcept { return with_faults[static_cast<std::size_t>(f)]; }
};

/// Models `transport`. `framed<A>(frames)` refers to a frame transport that is an lvalue and owns one that is not. It
/// allocates one frame's buffer when it is made, and nothing later.
template <class F, addressing A>
requires frame_transport<std::remove_reference_t<F>>
class framed_transport {
 public:
  using addressing_type = A;
  using segment_type = basic_segment<A>;
  using address = typename A::address;
  using error_callback = std::function<void(const wire::icmp_report<A>&)>;

  explicit framed_transport(F&& frames) : frames_(std::forward<F>(frames)), out_(frames_.mtu()) {}

  /// Answers for `a` from now on. Without any address it answers for all, as a router's end of a tunnel may.
  void add_address(const address& a) { ours_.push_back(a); }

  /// Calls `f`, from inside `receive`, with each ICMP error about a segment that claims to be ours. It has been checked
  /// as far as bytes can be: the sums are right, the ports and the number are there. An empty one: nobody is told.
  void on_error(error_callback f) { on_error_ = std::move(f); }

  /// The next frame that is a segment for us. Refuses, counts and answers what comes before it.
  std::optional<segment_type> receive() {
    while (frames_.writable()) {
      const std::optional<byte_view> frame = frames_.receive();
      if (!frame) break;
      ++counts_.received;
      const wire::parsed<A> p = wire::read_packet<A>(*frame);
      if (p.error == wire::parse_error::not_tcp) {
        if (!complaint(*frame)) echo(*frame);
      } else if (!p) {
        ++counts_.refused[static_cast<std::size_t>(p.error)];
      } else if (!is_ours(p.segment.destination.address)) {
        ++counts_.not_ours;
      } else if (!may_talk(p.segment.source.address)) {
        ++counts_.bad_source;
      } else {
        ++counts_.segments;
        ++counts_.with_faults[static_cast<std::size_t>(p.fault)];
        return p.segment;
      }
    }
    return std::nullopt;
  }

  /// `failed` when the segment makes a frame longer than the MTU. A SYN offers at most the MSS that the MTU has room
  /// for with IPv4 or IPv6 (RFC 9293 3.7.1), whatever its sender thought.
  send_result send(const segment_type& s) {
    const std::size_t ip_header = is_ipv4(s.destination.address) ? wire::ipv4_header::size : wire::ipv6_header::size;
    return leave(wire::write_packet(wire::with_mss_below(s, out_.size() - std::min(out_.size(), ip_header)),
                                    wire::byte_span{out_.data(), out_.size()}));
  }
  bool writable() const { return frames_.writable(); }
  /// What fits behind the larger of the two IP headers that `A` may need.
  transport_limits limits() const {
    const std::size_t headers = std::is_same_v<A, ipv4> ? 40 : 60;
    return {out_.size() > headers ? out_.size() - headers : 0};
  }

  const frame_counts& counts() const noexcept { return counts_; }
  std::remove_reference_t<F>& inner() noexcept { return frames_; }

 private:
  bool is_ours(const address& a) const noexcept {
    return ours_.empty() || std::find(ours_.begin(), ours_.end(), a) != ours_.end();
  }
  static bool is_ipv4(const ipv4::address&) noexcept { return true; }
  static bool is_ipv4(const ipv6::address& a) noexcept { return std::is_same_v<A, dual> && dual::is_mapped(a); }
  static bool may_talk(const ipv4::address& a) noexcept { return a.value != 0 && a.value >> 28 < 0xe; }
  static bool may_talk(const ipv6::address& a) noexcept {
    if (dual::is_mapped(a)) return may_talk(ipv4::address{a.value[3]});
    return a != ipv6::address{} && a.value[0] >> 24 != 0xff;
  }

  send_result leave(std::size_t size) {
    const send_result r = size == 0 ? send_result::failed : frames_.send({out_.data(), size});
    if (r == send_result::sent) ++counts_.sent;
    if (r == send_result::failed) ++counts_.not_sent;
    return r;
  }

  /// False if it is no ICMP error.
  bool complaint(byte_view frame) {
    const wire::icmp_report<A> r = wire::read_icmp_error<A>(frame);
    if (r.error == wire::quote_error::not_an_error) return false;
    if (!is_ours(r.told) || (r && !is_ours(r.about.local_address))) {
      ++counts_.not_ours;
    } else if (!may_talk(r.reporter)) {
      ++counts_.bad_source;
    } else if (!r) {
      ++counts_.bad_errors[static_cast<std::size_t>(r.error)];
    } else {
      ++counts_.errors;
      if (on_error_) on_error_(r);
    }
    return true;
  }

  void echo(byte_view frame) {
    const auto [source, destination] = addresses(frame);
    const wire::echo_answer answer = wire::answer_echo(frame, {out_.data(), out_.size()});
    if (answer.error == wire::echo_error::not_echo) {
      ++counts_.refused[static_cast<std::size_t>(wire::parse_error::not_tcp)];
    } else if (!is_ours(destination)) {
      ++counts_.not_ours;
    } else if (!may_talk(source)) {
      ++counts_.bad_source;
    } else if (!answer) {
      ++counts_.bad_echoes;
    } else {
      ++counts_.echoes;
      leave(answer.size);
    }
  }

  /// Source and destination of a frame whose IP header has been read once already.
  static std::pair<address, address> addresses(byte_view frame) noexcept {
    if constexpr (std::is_same_v<A, ipv4>) {
      const wire::ipv4_header h = wire::parse_ipv4(frame).header;
      return {h.source, h.destination};
    } else {
      if constexpr (std::is_same_v<A, dual>) {
        if (const wire::ipv4_packet p = wire::parse_ipv4(frame); p.error == wire::parse_error::not_tcp) {
          return {dual::mapped(p.header.source), dual::mapped(p.header.destination)};
        }
      }
      const wire::ipv6_header h = wire::parse_ipv6(frame).header;
      return {h.source, h.destination};
    }
  }

  F frames_;
  std::vector<std::byte> out_;
  std::vector<address> ours_{};
  error_callback on_error_{};
  frame_counts counts_{};
};

/// Makes one, deducing what it stands on.
template <addressing A, class F>
framed_transport<F, A> framed(F&& frames) {
  return framed_transport<F, A>(std::forward<F>(frames));
}

}  // namespace listenq
