// SPDX-License-Identifier: BSL-1.0
// listener.hpp under every validation model and random segments of a few hosts: the ledger finds nothing, and every
// verdict that a model can give is given. The rules themselves are in policy/*validation.cpp.
#include <doctest/doctest.h>

#include <listenq/listener.hpp>
#include <listenq/testing/ledger.hpp>
#include <listenq/transport/splitmix64.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/script.hpp"

using namespace listenq;
using testing::expectations;
using testing::invariant;

namespace {

constexpr flags SYN = flag::syn, ACK = flag::ack, RST = flag::rst, FIN = flag::fin;

// What is sent between two looks of the ledger.
struct basket {
  std::vector<segment> sent;
  bool works = true;
  send_result send(const segment& s) {
    if (!works) return send_result::failed;
    sent.push_back(s);
    return send_result::sent;
  }
};

template <class V, class... More>
class crowd {
 public:
  using listener_type = listener<validation<V>, child<handles<>>, cookies<no_cookies>, More...>;

  crowd(std::uint64_t seed, const expectations& e) : random_{seed}, ledger_{opened(), e} {}

  /// The verdicts that were given in so many steps.
  std::set<verdict> run(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) step();
    return seen_;
  }
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  static constexpr int hosts = 5;

  const listener_type& opened() {
    l_.listen(2);
    return l_;
  }
  auto note() {
    return [this](invariant i) { broken_.emplace_back(testing::about(i).name); };
  }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return all.begin()[random_.up_to(all.size() - 1)];
  }

  void step() {
    now_ += one_of<duration>({0, 1 * millisecond, 300 * millisecond, 700 * millisecond});
    out_.sent.clear();
    out_.works = random_.up_to(19) != 0;
    const std::uint64_t what = random_.up_to(29);
    if (what < 3) {
      const tick_summary t = l_.tick(now_, out_);
      ledger_.ticked(l_, now_, t, out_.sent, note());
    } else if (what == 3) {
      const auto a = l_.accept(now_);
      ledger_.accepted(l_, a.status, a.handle, note());
    } else {
      from(static_cast<int>(random_.up_to(hosts - 1)));
    }
  }

  void from(int host) {
    const auto key = test::tuple(host);
    bool connected = false;
    l_.for_each_waiting([&](const four_tuple& k) { connected = connected || k == key; });
    if (connected) return;  // its segments are the connection's
    const auto* const r = l_.find_request(key);
    segment s;
    s.source = key.peer();
    s.destination = key.local();
    s.flags = one_of({SYN, SYN, ACK, ACK, RST, SYN | ACK, FIN | ACK, RST | ACK, FIN, flag::none, SYN | FIN});
    s.seq = (r != nullptr ? r->irs : test::C) + one_of<seq_number>({0, 0, 1, 1, 1, 2, 1000, 64241, 70000, 0xffffff00U});
    s.ack = (r != nullptr ? r->iss : 0) + one_of<seq_number>({1, 1, 1, 1, 0, 2, 1000});
    s.payload = test::bytes(one_of<std::size_t>({0, 0, 0, 13}));
    s.options.timestamps = random_.up_to(2) != 0;
    s.options.ts_value = 5000 + one_of<std::uint32_t>({0, 0, 1, 0xffffff00U});
    const outcome o = l_.receive(s, now_, out_);
    seen_.insert(o.verdict);
    ledger_.received(l_, s, {}, o, out_.sent, note());
  }

  splitmix64 random_;
  listener_type l_{};
  testing::ledger<listener_type> ledger_;
  basket out_{};
  instant now_ = 0;
  std::set<verdict> seen_{};
  std::vector<std::string> broken_{};
};

template <class V, class... More>
void keeps_the_books(const std::set<verdict>& reached, const expectations& e = {}) {
  std::set<verdict> seen;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    crowd<V, More...> c{seed, e};
    seen.merge(c.run(1500));
    CHECK(c.broken() == std::vector<std::string>{});
  }
  for (const verdict v : reached) {
    CAPTURE(std::string{name_of(v)});
    CHECK(seen.contains(v));
  }
}

}  // namespace

TEST_CASE("Linux keeps the books") {
  using v = verdict;
  keeps_the_books<linux_validation<linux_era::v2_6_32>>({v::duplicate_syn, v::wrong_ack, v::out_of_window,
                                                         v::request_reset, v::request_reset_by_syn, v::no_ack,
                                                         v::promoted, v::overflow_kept, v::stray, v::ignored});
  keeps_the_books<linux_validation<linux_era::v6_18>>({v::duplicate_syn, v::wrong_ack, v::out_of_window, v::challenged,
                                                       v::request_reset, v::request_reset_by_syn, v::no_ack,
                                                       v::promoted, v::overflow_kept, v::stray, v::ignored});
}

// Bug caught: a request that becomes young again and is not counted, or stands in the timer list of its old age.
TEST_CASE("FreeBSD keeps the books") {
  using v = verdict;
  keeps_the_books<freebsd_validation, accept_full_at_ack<reset>>(
      {v::duplicate_syn, v::duplicate_unsent, v::wrong_ack_forgotten, v::out_of_window, v::wrong_timestamp,
       v::challenged, v::request_reset, v::request_reset_by_syn, v::no_ack, v::promoted, v::overflow_reset, v::stray,
       v::ignored},
      {.duplicates_start_over = true});
  keeps_the_books<freebsd_validation, clockwork<sweep<200 * millisecond>>>(
      {v::duplicate_syn, v::duplicate_unsent, v::promoted}, {.exact_deadlines = false, .duplicates_start_over = true});
}

TEST_CASE("NetBSD and OpenBSD keep the books") {
  using v = verdict;
  keeps_the_books<netbsd_validation, accept_full_at_ack<forget>>({v::duplicate_syn, v::wrong_ack, v::wrong_ack_resent,
                                                                  v::out_of_window, v::request_reset, v::promoted,
                                                                  v::overflow_forgotten, v::stray, v::ignored});
  keeps_the_books<openbsd_validation>({v::wrong_ack_resent});
}

TEST_CASE("the RFCs keep the books") {
  using v = verdict;
  keeps_the_books<rfc793_validation>(
      {v::wrong_ack, v::out_of_window, v::request_reset, v::request_reset_by_syn, v::no_ack, v::promoted, v::stray});
  keeps_the_books<rfc9293_validation>(
      {v::wrong_ack, v::out_of_window, v::wrong_timestamp, v::challenged, v::request_reset, v::no_ack, v::promoted});
  keeps_the_books<rfc5961_validation>(
      {v::wrong_ack, v::out_of_window, v::wrong_timestamp, v::challenged, v::request_reset, v::no_ack, v::promoted});
  keeps_the_books<repeats_syn_ack<rfc5961_validation>>({v::duplicate_syn, v::challenged});
}

TEST_CASE("a listener that waits for data keeps the books") {
  keeps_the_books<freebsd_validation, deferral<await_data>>({verdict::deferred, verdict::promoted},
                                                            {.duplicates_start_over = true});
}
