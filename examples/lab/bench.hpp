// SPDX-License-Identifier: BSL-1.0
// A bench for one preset's stack: segments go in by hand, what comes out is caught, the clock is moved by hand. There
// is no network and no client. The matrix is made with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "presets.hpp"

namespace lab {

/// A segment that came out, and when.
struct emitted {
  instant at = 0;
  listenq::segment segment{};
};

/// What a peer that uses every option sends in its SYN.
tcp_options usual_options();

class bench {
 public:
  /// A stack that listens; `set` goes before listen().
  bench(const preset_entry& preset, int backlog, const tunable_values_set& set = {});
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  /// One segment in; what the stack did. Nothing if a connection took it.
  std::optional<outcome> put(const segment& s);
  /// Since the last call of `taken`: everything that came out.
  std::vector<emitted> taken();

  /// A SYN of the peer with this port; its SYN-ACK's number is remembered for `ack`.
  std::optional<outcome> syn(std::uint16_t port, const tcp_options& o = {});
  /// The ACK that finishes that handshake.
  std::optional<outcome> ack(std::uint16_t port, std::size_t bytes = 0);
  /// A router says that our last SYN-ACK to that peer did not arrive. True if that ended the request.
  bool icmp(std::uint16_t port, icmp_error error);
  /// A segment of that peer; numbers relative to the ISNs, ours being the last one that it heard.
  segment from(std::uint16_t port, flags f, std::int64_t seq, std::int64_t ack = 0, std::size_t bytes = 0) const;

  /// Handshakes of new peers until one is not promoted or `most` are.
  std::uint32_t connect_until_full(std::uint32_t most);
  /// Timers run until then.
  void pass(instant until);
  /// Our timestamp in the last SYN-ACK to this peer.
  std::uint32_t clock_of(std::uint16_t port) const;
  /// Is there a request of this peer?
  bool waits(std::uint16_t port) const;

  stack& kernel() noexcept { return *kernel_; }
  const preset_entry& preset() const noexcept { return preset_; }
  instant now() const noexcept { return now_; }

  static constexpr std::uint16_t first_filler = 1024;

 private:
  const preset_entry& preset_;
  std::unique_ptr<stack> kernel_;
  std::vector<emitted> out_;
  std::map<std::uint16_t, seq_number> server_isn_;
  std::map<std::uint16_t, std::uint32_t> server_clock_;
  instant now_ = 0;
  std::uint16_t next_filler_ = first_filler;
};

/// The flags of each segment, as `S.` or `R`, separated by spaces; `-` for none.
std::string letters_of(const std::vector<emitted>& all);

}  // namespace lab
