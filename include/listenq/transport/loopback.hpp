// SPDX-License-Identifier: BSL-1.0
// Two ends in one process, each used by one thread: what one end sends, the other receives, in order, without a system
// call and without a lock. One bounded ring each way (Boost.Lockfree's single-producer single-consumer queue).
// It loses nothing and delays nothing, knows no addresses (whatever is sent reaches the other end) and cannot wait: who
// finds nothing polls again, or sleeps as he likes.
//
// When to use which: this between two threads at full speed; `in_memory` for many hosts and a clock that tests control.
#pragma once

#include <algorithm>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/transport/concept.hpp>
#include <optional>

namespace listenq {

/// A pair of ends. It stays where it is, and outlives the two threads that use `first()` and `second()`. `Payload` is
/// the most bytes of payload in one segment; a slot of a ring has room for as many.
template <addressing A, std::size_t Payload = 1460>
class basic_loopback {
  struct slot {
    basic_segment<A> segment{};
    std::byte payload[Payload];
  };
  using ring = boost::lockfree::spsc_queue<slot>;

 public:
  using addressing_type = A;
  using segment_type = basic_segment<A>;

  /// One side of it: a `transport` for one thread at a time.
  class end {
   public:
    using addressing_type = A;

    /// The next segment; its payload lies in the ring, which gives the place back at the next `receive`.
    std::optional<segment_type> receive() {
      if (held_) in_.pop();
      held_ = in_.read_available() > 0;
      if (!held_) return std::nullopt;
      segment_type s = in_.front().segment;
      s.payload.data = in_.front().payload;
      return s;
    }

    /// Copies `s` into the ring. `later`: the ring is full; `failed`: its payload is longer than `limits()`.
    send_result send(const segment_type& s) {
      if (s.payload.size > Payload) return send_result::failed;
      slot& next = scratch_;
      next.segment = s;
      std::copy(s.payload.begin(), s.payload.end(), next.payload);
      return out_.push(next) ? send_result::sent : send_result::later;
    }

    /// Is there room for at least one segment? It stays true until this end sends.
    bool writable() const noexcept { return out_.write_available() > 0; }
    transport_limits limits() const noexcept { return {.max_payload = Payload}; }

   private:
    friend class basic_loopback;
    end(ring& in, ring& out) noexcept : in_(in), out_(out) {}
    ring& in_;
    ring& out_;
    slot scratch_{};
    bool held_ = false;
  };

  /// Each way holds `capacity` segments, at least 1. The only allocation.
  explicit basic_loopback(std::size_t capacity = 64)
      : to_first_(at_least_one(capacity)), to_second_(at_least_one(capacity)) {}
  basic_loopback(const basic_loopback&) = delete;
  basic_loopback& operator=(const basic_loopback&) = delete;

  end& first() noexcept { return first_; }
  end& second() noexcept { return second_; }

 private:
  static std::size_t at_least_one(std::size_t n) noexcept { return n > 0 ? n : 1; }

  ring to_first_;
  ring to_second_;
  end first_{to_first_, to_second_};
  end second_{to_second_, to_first_};
};

using loopback = basic_loopback<ipv4>;

}  // namespace listenq
