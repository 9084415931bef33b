// SPDX-License-Identifier: BSL-1.0
// fast_open: may a SYN open a connection before the handshake is finished (RFC 7413)? A peer asks for a cookie with its
// first SYN; with that cookie in a later one its data are taken at once, and accept() can return the connection before
// the final ACK. How many such connections may be unfinished at a time is bounded: each costs what a request does not.
// It is not a SYN cookie: a fast-open cookie proves an address, not a handshake, and it stores nothing for a peer.
//
// When to use which: `linux_fast_open<era>` for what Linux does, `no_fast_open` elsewhere. The bound is the listener's
// tunable `fastopen_qlen` (the socket option TCP_FASTOPEN), 0 by default; the switch is `fastopen`. With
// `child<deferred_child>` there is nobody to take a SYN's data, and none of it takes place.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/handshake.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/linux_era.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/segment.hpp>
#include <listenq/static_array.hpp>
#include <listenq/time.hpp>

namespace listenq {

/// What a SYN shows to a fast-open policy.
struct fast_open_facts {
  const std::uint32_t* words = nullptr;  ///< the addresses as hashed: the peer's words, then ours
  std::size_t word_count = 0;
  fast_open_option option{};  ///< of the SYN
  bool data = false;          ///< it carries bytes
  std::uint32_t backlog = 0;  ///< N
  instant now = 0;
};

/// What is to be done. `met` are the stages that it went through.
struct fast_open_answer {
  bool opens = false;          ///< make the connection now
  fast_open_option offer{};    ///< goes into the SYN-ACK of a request
  fast_open_option renewal{};  ///< goes into the SYN-ACK of a connection that was made now
  stages met{};
};

/// `possible`: may a SYN open a connection at once? If so, `falls_back`: does the SYN of a connection that could not be
/// made become a request (or is it dropped)? `on_syn(facts, tunables)`, `opened()` when the connection was made,
/// `ended(how, waits, now)` once for each, `waits` being whether nobody has accepted it yet; false if none was open.
/// `closed()` when the listener closes: unfinished ones are still to be told of.
template <class P>
concept fast_open_policy = std::default_initializable<P> && requires {
  { P::possible } -> std::convertible_to<bool>;
} &&((!P::possible) || requires(P & p, const fast_open_facts& f, const any_tunables& t, fast_open_end e, instant now) {
  { P::falls_back } -> std::convertible_to<bool>;
  { p.on_syn(f, t) } -> std::same_as<fast_open_answer>;
  { p.ended(e, true, now) } -> std::same_as<bool>;
  p.opened();
  p.closed();
});

/// Never; the data come again after the handshake.
struct no_fast_open {
  static constexpr const char* name = "no_fast_open";
  static constexpr bool possible = false;
};

/// The keys of the cookies. A cookie made with `backup` still opens, and is answered with one made with `primary`.
struct fast_open_keys {
  siphash_key primary{};
  siphash_key backup{};
  bool has_backup = false;
};

/// Linux (tcp_fastopen_check in 3.12, tcp_try_fastopen in 6.18). Cookies are 8 bytes: SipHash-2-4 of the two addresses,
/// for `ipv4` and `ipv6` byte for byte what 6.18 makes with the same keys (net.ipv4.tcp_fastopen_key); 3.12 has AES
/// there. 3.12 knows the
/// experimental option only. Bits of `fastopen`: 2 on, 0x200 data without a cookie will do, 0x400 the bound is the
/// backlog unless set (read at each SYN, where the kernel reads it at listen); on 3.12 also 0x100 no cookie is checked,
/// 0x1000 every SYN opens. `Most` is the largest bound and what the list of resets has room for: 8 bytes each.
template <linux_era Era = linux_era::v6_18, std::uint32_t Most = 256>
class linux_fast_open {
  static_assert(Most > 0, "listenq: linux_fast_open<era, 0> could open nothing; no_fast_open says so.");
  static_assert(Era != linux_era::v2_6_32, "listenq: linux_fast_open: Linux 2.6.32 has no fast open.");

 public:
  static constexpr const char* name = "linux_fast_open";
  static constexpr linux_era era = Era;
  static constexpr std::uint32_t most = Most;
  static constexpr bool possible = true;
  static constexpr bool falls_back = Era == linux_era::v6_18;
  static constexpr tunable_set tunables{tunable::fastopen, tunable::fastopen_qlen, tunable::somaxconn};
  /// How long a connection that its peer has reset after accept() keeps its place: who can make us work for spoofed
  /// addresses shall not be able to do so for ever (reqsk_fastopen_remove).
  static constexpr duration quarantine = 60 * second;

  fast_open_keys keys{};

  constexpr linux_fast_open() noexcept = default;
  constexpr explicit linux_fast_open(const fast_open_keys& k) noexcept : keys{k} {}

  /// How many may be unfinished (fastopen_queue_tune).
  static constexpr std::uint32_t limit(std::uint32_t backlog, const tunable_source auto& t) noexcept {
    std::uint32_t n = t[tunable::fastopen_qlen];
    if (n == 0 && (t[tunable::fastopen] & without_option) != 0) n = backlog;
    if (Era == linux_era::v6_18 && n > t[tunable::somaxconn]) n = t[tunable::somaxconn];
    return n < Most ? n : Most;
  }
  /// Connections whose handshake is unfinished, and those in quarantine; `pending` is their sum.
  constexpr std::uint32_t unfinished() const noexcept { return unfinished_; }
  constexpr std::uint32_t quarantined() const noexcept { return resets_; }
  constexpr std::uint32_t pending() const noexcept { return unfinished_ + resets_; }

  /// Can `on_syn` say anything about a SYN that has the option, or data, or neither?
  static constexpr bool concerned(bool option, bool data, const tunable_source auto& t) noexcept {
    return option || data || (Era == linux_era::v3_12 && (t[tunable::fastopen] & any) != 0);
  }
  constexpr fast_open_answer on_syn(const fast_open_facts& f, const tunable_source auto& t) noexcept {
    return Era == linux_era::v6_18 ? modern(f, t) : first(f, t);
  }
  constexpr void opened() noexcept { ++unfinished_; }
  constexpr bool ended(fast_open_end how, bool waits, instant now) noexcept {
    if (unfinished_ == 0) return false;
    --unfinished_;
    if (how == fast_open_end::reset && !waits) {
      free_at_[(head_ + resets_) % Most] = after(now, quarantine);
      ++resets_;
    }
    return true;
  }
  constexpr void closed() noexcept { resets_ = head_ = 0; }

  /// The cookie of a peer under a key.
  static constexpr fast_open_option cookie(const fast_open_facts& f, const siphash_key& key) noexcept {
    std::uint32_t words[max_words]{};
    const std::size_t n = f.word_count < max_words ? f.word_count : max_words;
    for (std::size_t i = 0; i < n; ++i) words[i] = in_network_order(f.words[i]);
    const std::uint64_t h = siphash<2, 4>{key}.hash(words, n);
    fast_open_option o;
    o.size = 8;
    o.experimental = f.option.experimental;
    for (std::size_t i = 0; i < 8; ++i) o.bytes[i] = static_cast<std::uint8_t>(h >> (8 * i));
    return o;
  }

 private:
  static constexpr std::uint32_t server = 2, unchecked = 0x100, unasked = 0x200, without_option = 0x400, any = 0x1000;
  static constexpr std::size_t max_words = 16;

  static constexpr std::uint32_t in_network_order(std::uint32_t w) noexcept {
    return w >> 24 | (w >> 8 & 0xff00U) | (w << 8 & 0xff0000U) | w << 24;
  }

  /// Is there a place? One that has been in quarantine long enough is given up for it, and no other.
  constexpr bool has_place(const fast_open_facts& f, const tunable_source auto& t) noexcept {
    if (pending() < limit(f.backlog, t)) return true;
    if (resets_ == 0 || free_at_[head_] > f.now) return false;
    head_ = (head_ + 1) % Most;
    --resets_;
    return true;
  }

  constexpr fast_open_answer modern(const fast_open_facts& f, const tunable_source auto& t) noexcept {
    fast_open_answer a;
    const std::uint32_t bits = t[tunable::fastopen];
    if (f.option.asks()) a.met.add(stage::fast_open_asked);
    if ((bits & server) == 0 || !(f.data || f.option.present()) || limit(f.backlog, t) == 0) return a;
    if (!has_place(f, t)) {
      a.met.add(stage::fast_open_full);
    } else if ((bits & unasked) != 0) {
      a.opens = true;
    } else if (f.option.present()) {
      a.offer = cookie(f, keys.primary);
      if (f.option.asks()) return a;
      if (f.option.same_cookie(a.offer)) {
        a.opens = true;
      } else if (keys.has_backup && f.option.same_cookie(cookie(f, keys.backup))) {
        a.opens = true;
        a.renewal = a.offer;
        a.met.add(stage::fast_open_backup);
      } else {
        a.met.add(stage::fast_open_failed);
      }
    }
    return a;
  }

  constexpr fast_open_answer first(const fast_open_facts& f, const tunable_source auto& t) noexcept {
    fast_open_answer a;
    const std::uint32_t bits = t[tunable::fastopen];
    const bool present = f.option.present() && f.option.experimental;
    if (!present && (bits & any) == 0 && ((bits & unasked) == 0 || !f.data)) return a;
    a.met.add(stage::fast_open_tried);
    if ((bits & server) == 0 || limit(f.backlog, t) == 0) {
      if (present && !f.option.asks()) a.met.add(stage::fast_open_failed);
    } else if (!has_place(f, t)) {
      a.met.add(stage::fast_open_full);
    } else if (!present || (f.option.size == 8 && (bits & unchecked) != 0)) {
      a.opens = true;
    } else {
      a.offer = cookie(f, keys.primary);
      a.opens = f.option.same_cookie(a.offer);
      if (a.opens) a.offer = {};
      if (!a.opens) a.met.add(f.option.asks() ? stage::fast_open_asked : stage::fast_open_failed);
    }
    return a;
  }

  static_array<instant, Most> free_at_{};  // a ring, oldest first
  std::uint32_t head_ = 0;
  std::uint32_t resets_ = 0;
  std::uint32_t unfinished_ = 0;
};

using default_fast_open = no_fast_open;

namespace slot {
struct fast_open {
  static constexpr const char* name = "fast_open";
};
}  // namespace slot
/// Keyword: data in the SYN?
template <fast_open_policy P = default_fast_open>
struct fast_open {
  using slot = listenq::slot::fast_open;
  using policy = P;
};

}  // namespace listenq
