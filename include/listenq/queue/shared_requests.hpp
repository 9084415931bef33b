// SPDX-License-Identifier: BSL-1.0
// Shared requests: one table of half-open connections that several listeners, also of different type, have in common,
// with one limit for all of them. Each listener sees its own requests, timers and counts.
//
// Who is evicted when the table is full: anybody's oldest, anybody at random, the oldest in the bucket whoever owns it.
// The pool keeps the books: it takes the request out of its owner's counts and timers and tells the owner. A listener
// that has reached a limit of its own while the table has room evicts its own. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <listenq/policy/clockwork.hpp>
#include <listenq/policy/storage.hpp>
#include <listenq/queue/request_queue.hpp>
#include <listenq/queue/request_table.hpp>
#include <listenq/static_array.hpp>

namespace listenq {

namespace detail {

/// What a listener leaves with a pool, to hear of requests of its that a neighbour has evicted. It stays where it is.
template <class Key>
struct owner_hook {
  void (*evicted)(owner_hook&, const Key&) noexcept = nullptr;
};

template <class Sizing>
struct shared_order {
  using type = one_line;
};
template <bucketed Sizing>
struct shared_order<Sizing> {
  using type = bucket_lines<Sizing>;
};

}  // namespace detail

/// Room for `capacity` requests of at most `Listeners` listeners that order equal deadlines by `Ties`. It must outlive
/// them. A request costs 16 bytes more than in a queue of one's own: its owner, its hash, its age. With a syncache for
/// `Sizing` it is one syncache for all, and each of its listeners has that sizing, too.
template <addressing A = ipv4, std::size_t Listeners = 16, tie_order Ties = tie_order::oldest_first,
          storage_policy Storage = at_listen, class Sizing = default_sizing>
class shared_requests {
 public:
  using addressing_type = A;
  using request_type = request<A>;
  using key_type = basic_four_tuple<A>;
  using sizing_type = Sizing;
  using order_type = typename detail::shared_order<Sizing>::type;
  using cell = detail::request_cell<request_type, true>;
  using links = detail::request_links<true, order_type>;
  static constexpr std::size_t bytes_each = detail::request_table<cell, links, order_type, Storage>::bytes_each;
  static constexpr std::size_t most_classes = 16;
  static constexpr tie_order ties = Ties;
  static constexpr std::uint32_t nobody = 0xffffffffU;

  /// Takes the memory. `capacity()` is 0 if there was none.
  constexpr explicit shared_requests(std::uint32_t capacity, Storage storage = {}) noexcept {
    table_.reserve(capacity, storage);
  }
  /// As much as the syncache can ever hold.
  constexpr shared_requests() noexcept requires bucketed<Sizing> : shared_requests{Sizing::room} {}
  shared_requests(const shared_requests&) = delete;
  shared_requests& operator=(const shared_requests&) = delete;
  constexpr ~shared_requests() = default;

  /// All requests of all listeners.
  constexpr std::uint32_t size() const noexcept { return size_; }
  constexpr std::uint32_t capacity() const noexcept { return table_.capacity(); }

 private:
  template <class, class, std::size_t>
  friend class borrowed_requests;

  /// What one listener has of it.
  struct book {
    bool taken = false;
    std::size_t classes = 1;
    std::uint32_t size = 0;
    std::uint32_t young = 0;
    std::uint64_t lost = 0;  ///< requests that neighbours have evicted
    detail::owner_hook<key_type>* owner = nullptr;
    detail::timer_lists<most_classes, Ties> timers{};
  };

  constexpr std::uint32_t join(std::size_t classes, detail::owner_hook<key_type>* owner) noexcept {
    for (std::uint32_t id = 0; id < Listeners; ++id) {
      if (!books_[id].taken) {
        books_[id] = {.taken = true, .classes = classes, .owner = owner};
        return id;
      }
    }
    return nobody;
  }
  constexpr std::size_t list_of(std::uint32_t i) const noexcept {
    const std::size_t t = table_[i].timeouts;
    const std::size_t last = books_[table_[i].owner].classes - 1;
    return t < last ? t : last;
  }
  constexpr void unschedule(std::uint32_t i) noexcept {
    books_[table_[i].owner].timers.remove(table_.links(), i, list_of(i));
  }
  constexpr void schedule(std::uint32_t i) noexcept {
    books_[table_[i].owner].timers.insert(table_.cells(), table_.links(), i, list_of(i));
  }
  constexpr void remove(std::uint32_t i) noexcept {
    book& b = books_[table_[i].owner];
    unschedule(i);
    if (table_[i].timeouts == 0) --b.young;
    --b.size;
    --size_;
    table_.remove(i, table_[i].hash);
  }

  detail::request_table<cell, links, order_type, Storage> table_{};
  std::uint32_t size_ = 0;
  static_array<book, Listeners> books_{};
};

/// One listener's view of `Pool`, with the interface of `request_queue`.
template <class Pool, class Clockwork, std::size_t Classes>
class borrowed_requests {
  static_assert(!Clockwork::sweeps, "listenq::listener: a hand cannot sweep over borrowed requests; use exact<>.");
  static_assert(detail::ties_of<Clockwork> == Pool::ties,
                "listenq::listener: the pool orders equal deadlines otherwise than this listener's clockwork.");
  static_assert(Classes <= Pool::most_classes, "listenq::listener: this schedule has too many lengths of timeout.");

 public:
  using request_type = typename Pool::request_type;
  using stored_type = request_type;
  using key_type = basic_four_tuple<typename Pool::addressing_type>;
  using index = std::uint32_t;
  using order_type = typename Pool::order_type;
  using cell = typename Pool::cell;
  using links = typename Pool::links;
  static constexpr std::size_t bytes_each = Pool::bytes_each;
  static constexpr index npos = detail::npos;
  static constexpr bool has_timers = true;

  constexpr borrowed_requests() noexcept = default;
  borrowed_requests(const borrowed_requests&) = delete;
  borrowed_requests& operator=(const borrowed_requests&) = delete;
  constexpr ~borrowed_requests() {
    if (pool_ == nullptr) return;
    clear();
    book().taken = false;
  }

  /// Joins a pool; a full one leaves the queue without room. `owner`, if any, hears of what neighbours evict.
  constexpr void attach(Pool* to, detail::owner_hook<key_type>* owner = nullptr) noexcept {
    if (to == nullptr || pool_ != nullptr) return;
    id_ = to->join(Classes, owner);
    if (id_ != Pool::nobody) pool_ = to;
  }

  /// The pool's room is taken already (`most` says whether there is any); a limit beyond it is no error, since it is
  /// everybody's.
  template <class Storage>
  static constexpr bool reserve(std::uint32_t, Storage&) noexcept {
    return true;
  }
  template <class HashOf>
  constexpr void rehash(HashOf&&) noexcept {}
  template <class Storage>
  constexpr std::size_t most(const Storage&) const noexcept {
    return capacity() > 0 ? 0xffffffffU : 0;
  }
  constexpr std::uint32_t size() const noexcept { return pool_ == nullptr ? 0 : book().size; }
  constexpr std::uint32_t young() const noexcept { return pool_ == nullptr ? 0 : book().young; }
  constexpr std::uint32_t capacity() const noexcept { return pool_ == nullptr ? 0 : pool_->capacity(); }
  constexpr bool full(std::uint32_t limit) const noexcept {
    return size() >= limit || pool_->size() >= pool_->capacity();
  }
  constexpr bool full(std::uint32_t limit, std::uint32_t hash) const noexcept {
    if constexpr (requires { order().full(hash); }) {
      return order().full(hash) || pool_->size() >= pool_->capacity();
    } else {
      return full(limit);
    }
  }
  constexpr request_type& operator[](index i) noexcept { return pool_->table_[i]; }
  constexpr const request_type& operator[](index i) const noexcept { return pool_->table_[i]; }
  constexpr const links& links_of(index i) const noexcept { return pool_->table_.links_of(i); }

  constexpr index find(const key_type& key, std::uint32_t hash) const noexcept {
    if (size() == 0) return npos;
    return pool_->table_.find(hash, [&](const cell& c) { return c.owner == id_ && c.key == key; });
  }
  template <class Is>
  constexpr index seek(std::uint32_t hash, Is&& is) const noexcept {
    if (size() == 0) return npos;
    return pool_->table_.find(hash, [&](const cell& c) { return c.owner == id_ && is(c.key); });
  }
  [[gnu::always_inline]] void fetch_bucket(std::uint32_t hash) const noexcept { pool_->table_.fetch_bucket(hash); }
  [[gnu::always_inline]] void fetch_first(std::uint32_t hash) const noexcept { pool_->table_.fetch_first(hash); }
  template <std::size_t Most, class HashOf>
  [[gnu::always_inline]] void fetch_chains(std::size_t n, HashOf&& hash_of) const noexcept {
    pool_->table_.template fetch_chains<Most>(n, hash_of);
  }
  constexpr index take() noexcept { return pool_->table_.take(); }
  static constexpr instant rounded(instant deadline) noexcept { return deadline; }
  constexpr instant deadline(index i) const noexcept { return pool_->table_[i].deadline; }
  constexpr const request_type& whole(index i) const noexcept { return pool_->table_[i]; }
  constexpr void store(index i, instant deadline, std::uint32_t hash) noexcept {
    pool_->table_[i].deadline = deadline;
    pool_->table_.store(i, hash);
    pool_->table_[i].owner = id_;
    pool_->table_[i].hash = hash;
    ++pool_->size_;
    ++book().size;
    if (pool_->table_[i].timeouts == 0) ++book().young;
    pool_->schedule(i);
  }
  constexpr index insert(const request_type& r, std::uint32_t hash) noexcept {
    const index i = take();
    if (i == npos) return npos;
    (*this)[i] = r;
    store(i, r.deadline, hash);
    return i;
  }
  constexpr void remove(index i, std::uint32_t) noexcept { pool_->remove(i); }
  constexpr void restart(index i, instant deadline) noexcept {
    pool_->unschedule(i);
    pool_->table_[i].deadline = deadline;
    pool_->schedule(i);
  }
  constexpr void start_over(index i, instant deadline) noexcept {
    pool_->unschedule(i);
    if (pool_->table_[i].timeouts != 0) ++book().young;
    pool_->table_[i].timeouts = 0;
    pool_->table_[i].deadline = deadline;
    pool_->schedule(i);
  }
  constexpr void time_out(index i, instant deadline) noexcept {
    pool_->unschedule(i);
    if (pool_->table_[i].timeouts == 0) --book().young;
    if (pool_->table_[i].timeouts < 255) ++pool_->table_[i].timeouts;
    pool_->table_[i].deadline = deadline;
    pool_->schedule(i);
  }
  constexpr index first_due() const noexcept {
    return pool_ == nullptr ? npos : book().timers.first(pool_->table_.cells());
  }
  /// Its own: a neighbour's timeouts are counted on another schedule.
  constexpr index most_retried() const noexcept { return book().timers.first_of_longest(); }

  constexpr order_type& order() noexcept { return pool_->table_.order(); }
  constexpr const order_type& order() const noexcept { return pool_->table_.order(); }
  /// The oldest of all listeners' requests; of its own, O(older ones), where its own limit is what has been reached.
  constexpr index oldest(std::uint32_t limit) const noexcept {
    index i = order().oldest();
    while (size() >= limit && i != npos && !is_own(i)) i = pool_->table_.links_of(i).age_next;
    return i;
  }
  /// Any request of all listeners; of its own, where its own limit is what has been reached.
  template <class Draw>
  constexpr index random(Draw&& draw, std::uint32_t limit) const noexcept {
    const bool own_only = size() >= limit;
    return pool_->table_.random(draw, [&](index i) { return !own_only || is_own(i); });
  }
  constexpr bool is_own(index i) const noexcept { return pool_->table_[i].owner == id_; }
  /// Takes a neighbour's request away; its owner is told.
  constexpr void evict_of_neighbour(index i) noexcept {
    auto& b = pool_->books_[pool_->table_[i].owner];
    const key_type key = pool_->table_[i].key;
    pool_->remove(i);
    ++b.lost;
    if (b.owner != nullptr) b.owner->evicted(*b.owner, key);
  }
  /// How many requests of its own neighbours have evicted.
  constexpr std::uint64_t lost() const noexcept { return pool_ == nullptr ? 0 : book().lost; }

  constexpr index next_stored(index i = npos) const noexcept {
    if (pool_ == nullptr) return npos;
    do {
      i = pool_->table_.next_stored(i);
    } while (i != npos && pool_->table_[i].owner != id_);
    return i;
  }
  constexpr void clear() noexcept {
    for (index i = next_stored(); i != npos; i = next_stored(i)) pool_->remove(i);
  }

 private:
  constexpr auto& book() noexcept { return pool_->books_[id_]; }
  constexpr const auto& book() const noexcept { return pool_->books_[id_]; }

  Pool* pool_ = nullptr;
  std::uint32_t id_ = 0;
};

}  // namespace listenq
