// SPDX-License-Identifier: BSL-1.0
// TCP segments in UDP datagrams, one in each, over Boost.Asio: the layout of Linux's foo-over-udp with protocol 6.
//
//   0..7   UDP header            source and destination port of the tunnel (written by the system)
//   8..27  TCP header            RFC 9293 3.1, network byte order
//   28..   TCP options, payload  to the end of the datagram: there is no inner IP header and no length field
//
// The TCP checksum covers the pseudo-header of the *outer* addresses with protocol 6 and the TCP length. So a NAT that
// rewrites addresses on the way breaks it, as it would break plain TCP without its help.
// Wireshark reads it: `tshark -r FILE -d udp.port==PORT,tcp`.
//
// It is not a tunnel device, not an event loop, and it does not resolve names.
#pragma once

#include <poll.h>
#include <array>
#include <boost/asio/ip/udp.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/transport/concept.hpp>
#include <listenq/wire/tcp.hpp>
#include <optional>
#include <vector>

namespace listenq {

/// What became of datagrams and segments.
struct udp_tunnel_counts {
  std::uint64_t received = 0;                                         ///< segments handed out
  std::array<std::uint64_t, wire::parse_error_count> refused{};       ///< datagrams, by `wire::parse_error`
  std::array<std::uint64_t, wire::option_fault_count> with_faults{};  ///< segments, by the first `wire::option_fault`
  std::uint64_t beyond_mtu = 0;                                       ///< datagrams longer than the MTU allows
  std::uint64_t unreadable = 0;  ///< errors that the system reported instead of a datagram
  std::uint64_t sent = 0;        ///< segments that the system took
  std::uint64_t later = 0;       ///< segments for which the socket had no room
  std::uint64_t failed = 0;      ///< segments that the system refused
  std::uint64_t too_long = 0;    ///< segments refused here: more payload than `limits()`

  constexpr std::uint64_t of(wire::parse_error e) const noexcept { return refused[static_cast<std::size_t>(e)]; }
  constexpr std::uint64_t of(wire::option_fault f) const noexcept { return with_faults[static_cast<std::size_t>(f)]; }
};

/// A transport on one UDP socket, with any number of peers. Its addresses carry the UDP port as their tag, so a
/// four-tuple holds both outer endpoints: a segment from another address or another UDP port, whatever ports and
/// numbers its TCP header claims, belongs to another connection and can neither finish nor reset this one.
template <addressing A>
requires std::same_as<A, ipv4> || std::same_as<A, ipv6> || std::same_as<A, dual>
class basic_udp_tunnel {
  using udp = boost::asio::ip::udp;

 public:
  using addressing_type = tagged<A>;
  using segment_type = basic_segment<addressing_type>;
  using address = typename addressing_type::address;
  using error_code = boost::system::error_code;

  /// Takes the I/O object's executor and the largest IP packet in bytes, 576 to 65535; smaller counts as 576.
  explicit basic_udp_tunnel(const boost::asio::any_io_executor& on, std::size_t mtu = 1500)
      : socket_(on),
        mtu_(mtu < 576     ? 576
             : mtu > 65535 ? 65535
                           : mtu),
        buffer_(mtu_ - overhead + 1) {}  // one more: to see what is too long

  /// Binds to `local`; port 0 lets the system choose. The address must be one of this machine's, not "any": checksums
  /// need to know it. Errors: `address_not_available` for "any", `address_family_not_supported` for an IPv6 address
  /// where A is ipv4 (or the other way round), and whatever the system says. After an error it is closed.
  error_code open(const udp::endpoint& local) {
    close();
    error_code e;
    if (local.address().is_unspecified()) return make_error_code(boost::system::errc::address_not_available);
    if (!fits(local.address())) return make_error_code(boost::system::errc::address_family_not_supported);
    socket_.open(local.protocol(), e);
    if (!e) socket_.bind(local, e);
    if (!e) socket_.non_blocking(true, e);
    if (!e) local_ = socket_.local_endpoint(e);
    if (e) close();
    return e;
  }

  /// The next well-formed segment that waits. Malformed datagrams are counted and dropped. Its payload is valid until
  /// the next call.
  std::optional<segment_type> receive() {
    while (socket_.is_open()) {
      error_code e;
      udp::endpoint from;
      const std::size_t size = socket_.receive_from(boost::asio::buffer(buffer_), from, 0, e);
      if (e == boost::asio::error::would_block) return std::nullopt;
      if (e) {
        ++counts_.unreadable;
        return std::nullopt;
      }
      if (size == buffer_.size()) {
        ++counts_.beyond_mtu;
        continue;
      }
      const auto in = wire::parse_tcp<A>({buffer_.data(), size}, inner(from.address()), inner(local_.address()));
      if (!in) {
        ++counts_.refused[static_cast<std::size_t>(in.error)];
        continue;
      }
      ++counts_.with_faults[static_cast<std::size_t>(in.fault)];
      ++counts_.received;
      return tag(in.segment, from.port());
    }
    return std::nullopt;
  }

  /// One datagram to the outer endpoint of `s.destination`. The source is this socket, whatever `s` says of its
  /// address; a SYN offers at most the MSS that the MTU has room for. `later`: the socket's buffer is full; `failed`:
  /// closed, too long, or refused by the system.
  send_result send(const segment_type& s) {
    if (s.payload.size > limits().max_payload) {
      ++counts_.too_long;
      return send_result::failed;
    }
    const basic_segment<A> inside = wire::with_mss_below(
        readdressed<A>(s, {inner(local_.address()), s.source.port}, {s.destination.address.base, s.destination.port}),
        mtu_ - overhead);
    out_.resize(wire::tcp_size(inside));
    const std::size_t size = wire::write_tcp(inside, {out_.data(), out_.size()});
    error_code e;
    socket_.send_to(boost::asio::buffer(out_.data(), size), outer(s.destination.address), 0, e);
    blocked_ = e == boost::asio::error::would_block || e == boost::asio::error::no_buffer_space;
    ++(blocked_ ? counts_.later : e ? counts_.failed : counts_.sent);
    return blocked_ ? send_result::later : e ? send_result::failed : send_result::sent;
  }

  /// Does the socket take a datagram? One system call, and only after it has once refused one.
  bool writable() const noexcept {
    if (!blocked_) return socket_.is_open();
    ::pollfd one{socket_.native_handle(), POLLOUT, 0};
    return ::poll(&one, 1, 0) == 1;
  }

  /// The MTU less the IP and UDP headers, a TCP header and timestamps.
  transport_limits limits() const noexcept { return {.max_payload = mtu_ - overhead - 20 - 12}; }

  /// Where it is bound, and the same as segments name it.
  udp::endpoint local_endpoint() const noexcept { return local_; }
  address local_address() const noexcept { return {inner(local_.address()), local_.port()}; }
  /// The address under which segments name the peer at `e`.
  static address address_of(const udp::endpoint& e) noexcept { return {inner(e.address()), e.port()}; }

  const udp_tunnel_counts& counts() const noexcept { return counts_; }
  /// The socket, to wait on. What is read from it or written to it past this object is nobody's.
  udp::socket& socket() noexcept { return socket_; }
  void close() noexcept {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  static constexpr std::size_t overhead = (std::same_as<A, ipv4> ? 20 : 40) + 8;

  static bool fits(const boost::asio::ip::address& a) noexcept {
    if constexpr (std::same_as<A, ipv4>) return a.is_v4();
    if constexpr (std::same_as<A, ipv6>) return a.is_v6();
    return true;
  }

  static typename A::address inner(const boost::asio::ip::address& a) noexcept {
    if constexpr (std::same_as<A, ipv4>) {
      return {a.is_v4() ? a.to_v4().to_uint() : 0};
    } else {
      if (a.is_v4()) return dual::mapped({a.to_v4().to_uint()});
      const auto bytes = a.to_v6().to_bytes();
      typename A::address words;
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        words.value[i / 4] = words.value[i / 4] << 8 | bytes[i];
      }
      return words;
    }
  }

  udp::endpoint outer(const address& a) const noexcept {
    const auto port = static_cast<std::uint16_t>(a.tag);
    if constexpr (std::same_as<A, ipv4>) {
      return {boost::asio::ip::address_v4{a.base.value}, port};
    } else {
      if (local_.address().is_v4()) return {boost::asio::ip::address_v4{a.base.value[3]}, port};
      boost::asio::ip::address_v6::bytes_type bytes{};
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<unsigned char>(a.base.value[i / 4] >> (24 - 8 * (i % 4)));
      }
      return {boost::asio::ip::address_v6{bytes}, port};
    }
  }

  segment_type tag(const basic_segment<A>& s, std::uint16_t peer_port) const noexcept {
    return readdressed<addressing_type>(s, {{s.source.address, peer_port}, s.source.port},
                                        {{s.destination.address, local_.port()}, s.destination.port});
  }

  mutable udp::socket socket_;  // asking for the handle is no const operation
  udp::endpoint local_{};
  std::size_t mtu_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> out_{};
  udp_tunnel_counts counts_{};
  bool blocked_ = false;
};

using udp_tunnel = basic_udp_tunnel<ipv4>;

}  // namespace listenq
