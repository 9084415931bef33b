// SPDX-License-Identifier: BSL-1.0
// shared_budget: one number of slots for the requests of several listeners, each with a reserve of its own. What is
// nobody's reserve is first come, first served; a listener that others crowd out still has its reserve. The requests
// stay in each listener's own queue: only their number is shared.
//
//   slot_pool<> pool{1024};                            // Onload's limit of a stack, EF_TCP_SYNRECV_MAX
//   web a{shared_budget<>{&pool, 128}};                // 128 for a, 64 for b, 832 for whoever is first
//   mail b{shared_budget<>{&pool, 64}};
//
// Such a listener is neither copied nor moved: the pool knows it. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/budget.hpp>

namespace listenq {

/// Slots for the requests of at most `Listeners` listeners. It must outlive them.
template <std::size_t Listeners = 16>
class slot_pool {
 public:
  constexpr explicit slot_pool(std::uint32_t slots) noexcept : common_{slots} {}
  slot_pool(const slot_pool&) = delete;
  slot_pool& operator=(const slot_pool&) = delete;
  constexpr ~slot_pool() = default;

  /// Slots beyond all reserves, and how many of them are taken.
  constexpr std::uint32_t common() const noexcept { return common_; }
  constexpr std::uint32_t common_used() const noexcept { return common_used_; }

 private:
  template <class>
  friend class shared_budget;

  /// False if there is no place for another listener, or no room for its reserve.
  constexpr bool join(std::uint32_t reserve) noexcept {
    if (members_ == Listeners || common_ - common_used_ < reserve) return false;
    ++members_;
    common_ -= reserve;
    return true;
  }
  constexpr void leave(std::uint32_t reserve, std::uint32_t used) noexcept {
    --members_;
    common_ += reserve;
    common_used_ -= used > reserve ? used - reserve : 0;
  }

  std::size_t members_ = 0;
  std::uint32_t common_ = 0;
  std::uint32_t common_used_ = 0;
};

/// One listener's part in `*pool`: `reserve` slots that nobody else gets, and what is left of the common ones. Without
/// a pool, or when the pool cannot grant the reserve, listen() says `no_share`.
template <class Pool = slot_pool<>>
class shared_budget {
 public:
  static constexpr const char* name = "shared_budget";

  constexpr shared_budget() noexcept = default;
  constexpr explicit shared_budget(Pool* from, std::uint32_t reserve = 0) noexcept : pool_{from}, reserve_{reserve} {}
  shared_budget(const shared_budget&) = delete;
  shared_budget& operator=(const shared_budget&) = delete;
  constexpr ~shared_budget() {
    if (joined_) pool_->leave(reserve_, used_);
  }

  /// Joins the pool that `value` names.
  constexpr void attach(const shared_budget& value) noexcept {
    if (joined_ || value.pool_ == nullptr) return;
    pool_ = value.pool_;
    reserve_ = value.reserve_;
    joined_ = pool_->join(reserve_);
  }
  constexpr bool listens(std::uint32_t, std::uint64_t) const noexcept { return joined_; }

  template <addressing A>
  constexpr bool allows(const basic_four_tuple<A>&) const noexcept {
    return joined_ && (used_ < reserve_ || pool_->common_used_ < pool_->common_);
  }
  template <addressing A>
  constexpr void entered(const basic_four_tuple<A>&) noexcept {
    if (used_ >= reserve_) ++pool_->common_used_;
    ++used_;
  }
  template <addressing A>
  constexpr void left(const basic_four_tuple<A>&, departure) noexcept {
    --used_;
    if (used_ >= reserve_) --pool_->common_used_;
  }

  /// This listener's requests.
  constexpr std::uint32_t used() const noexcept { return used_; }
  template <class ForEachKey>
  constexpr bool balanced(ForEachKey&& for_each_key) const {
    std::uint32_t live = 0;
    for_each_key([&live](const auto&) { ++live; });
    return live == used_;
  }

 private:
  Pool* pool_ = nullptr;
  std::uint32_t reserve_ = 0;
  std::uint32_t used_ = 0;
  bool joined_ = false;
};

}  // namespace listenq
