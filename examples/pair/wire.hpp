// SPDX-License-Identifier: BSL-1.0
// A transport whose kind is chosen at run time: the four functions of the concept, virtual. It is a model of
// `transport` itself, so the host, the listener and the clients are compiled once and run over all of them.
#pragma once

#include <listenq/transport/concept.hpp>
#include <optional>
#include <type_traits>

#include "nouns.hpp"

namespace pair {

class wire {
 public:
  using addressing_type = family;

  explicit wire(int descriptor) noexcept : descriptor_(descriptor) {}
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  virtual ~wire() = default;
  virtual std::optional<segment_type> receive() = 0;
  virtual send_result send(const segment_type&) = 0;
  virtual bool writable() const = 0;
  virtual transport_limits limits() const = 0;
  /// What poll(2) can wait on; -1: nothing, so who waits looks again after a while.
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};
static_assert(transport<wire>);

/// Any transport of IPv4 addresses, tagged or not, as a `wire`.
template <transport T>
class wire_over final : public wire {
  using theirs = typename T::addressing_type;
  static constexpr bool tags = std::is_same_v<theirs, family>;

 public:
  explicit wire_over(T& inner, int descriptor = -1) noexcept : wire(descriptor), inner_(inner) {}

  std::optional<segment_type> receive() override {
    const auto s = inner_.receive();
    if (!s) return std::nullopt;
    if constexpr (tags) {
      return s;
    } else {
      return readdressed<family>(*s, {{s->source.address}, s->source.port},
                                 {{s->destination.address}, s->destination.port});
    }
  }
  send_result send(const segment_type& s) override {
    if constexpr (tags) {
      return inner_.send(s);
    } else {
      return inner_.send(readdressed<theirs>(s, {s.source.address.base, s.source.port},
                                             {s.destination.address.base, s.destination.port}));
    }
  }
  bool writable() const override { return inner_.writable(); }
  transport_limits limits() const override { return inner_.limits(); }

 private:
  T& inner_;
};

}  // namespace pair
