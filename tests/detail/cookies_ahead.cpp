// SPDX-License-Identifier: BSL-1.0
// Cookies that are signed eight at a time against the same one by one.
#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <listenq/listener.hpp>
#include <utility>
#include <vector>

using namespace listenq;

namespace {

/// SYNs of all sorts from different peers, and in some rows of eight mostly other segments.
template <addressing A>
std::vector<basic_segment<A>> mostly_syns(std::size_t n) {
  std::vector<basic_segment<A>> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    auto& s = all[i];
    if constexpr (std::same_as<A, ipv4>) {
      s.source.address = ip(10, 0, 0, static_cast<std::uint8_t>(1 + i % 3));
      s.destination.address = ip(10, 0, 1, static_cast<std::uint8_t>(1 + i % 2));
    } else {
      s.source.address = {{0xfd000000U, static_cast<std::uint32_t>(i % 3), 2, 3}};
      s.destination.address = {{0xfd000000U, 1, static_cast<std::uint32_t>(i % 2), 4}};
    }
    s.source.port = static_cast<std::uint16_t>(1000 + i);
    s.destination.port = 80;
    s.seq = static_cast<seq_number>(i * 0x9e3779b1U);
    s.flags = i / 8 % 3 == 2 && i % 8 > 1 ? flag::ack : flag::syn;
    s.options.mss = static_cast<std::uint16_t>(500 + 97 * i);
    s.options.timestamps = i % 5 != 0;
    s.options.sack_permitted = i % 4 != 0;
  }
  return all;
}

template <addressing A>
struct sent_by {
  std::vector<basic_segment<A>> all{};
  send_result send(const basic_segment<A>& s) {
    all.push_back(s);
    return send_result::sent;
  }
};

}  // namespace

// A cookie that was signed ahead with a key, or for a minute, that is over when its SYN is looked at; one for the
// neighbour; one for a row of eight that was not signed ahead at all.
TEST_CASE_TEMPLATE("cookies in a burst are those of its SYNs one by one, whatever changes in the middle of it", A, ipv4,
                   ipv6) {
  using door_type = listener<cookies<cookies_if_tuned<linux_6_18_cookie>>, family<A>>;
  const auto burst = mostly_syns<A>(110);
  for (const std::uint32_t mode : {1U, 2U}) {
    CAPTURE(mode);
    const auto play = [&](bool at_once) {
      door_type door{siphash<2, 4>{{7, 8}}};
      door.set(tunable::syncookies, mode);
      CHECK(door.listen(mode == 1 ? 4 : 100));
      door.rotate_cookie_keys(linux_6_18_cookie_key{{1, 2}, {3, 4}}, 0);
      sent_by<A> out;
      // Those who were there before: one of them finishes later, and there is room for a request again.
      auto earlier = mostly_syns<A>(8);
      for (auto& s : earlier) s.destination.port = 81, door.receive(s, 0, out);
      auto last = earlier[0];
      last.flags = flag::ack, last.seq = earlier[0].seq + 1, last.ack = out.all[0].seq + 1;
      std::vector<outcome> seen;
      const auto meanwhile = [&](const auto&, const outcome& o) {
        seen.push_back(o);
        if (seen.size() == 45) door.rotate_cookie_keys(linux_6_18_cookie_key{{5, 6}, {3, 4}}, 0);
        if (seen.size() == 48) door.rotate_cookie_keys(linux_6_18_cookie_key{{5, 6}, {7, 8}}, 0);
        if (seen.size() == 32) door.receive(last, 10, out), door.accept(10);
        if (seen.size() == 80) door.tick(130 * second, out);
      };
      if (at_once) {
        door.receive(burst, 10, out, meanwhile);
      } else {
        for (const auto& s : burst) meanwhile(s, door.receive(s, 10, out));
      }
      CHECK(std::count_if(seen.begin(), seen.end(),
                          [](const outcome& o) { return o.verdict == verdict::cookie_sent; }) > 30);
      return std::pair{out.all, seen};
    };
    const auto [in_one, one_outcomes] = play(true);
    const auto [singly, single_outcomes] = play(false);
    CHECK(one_outcomes == single_outcomes);
    REQUIRE(in_one.size() == singly.size());
    for (std::size_t i = 0; i < singly.size(); ++i) {
      CAPTURE(i);
      CHECK(in_one[i].destination == singly[i].destination);
      CHECK(in_one[i].seq == singly[i].seq);
      CHECK(in_one[i].ack == singly[i].ack);
      CHECK(in_one[i].options == singly[i].options);
    }
  }
}

// Cookies signed for SYNs that the next gate drops: work for nothing, and, were they sent, connections that cannot be.
TEST_CASE("a full accept queue drops the SYNs of a burst as it drops them one by one, cookies or not") {
  using door_type = listener<cookies<cookies_if_tuned<linux_6_18_cookie>>>;
  const auto burst = mostly_syns<ipv4>(40);
  for (const std::uint32_t mode : {0U, 1U, 2U}) {
    CAPTURE(mode);
    door_type doors[2]{door_type{siphash<2, 4>{{7, 8}}}, door_type{siphash<2, 4>{{7, 8}}}};
    std::vector<outcome> seen[2];
    for (int k = 0; k < 2; ++k) {
      door_type& door = doors[k];
      CHECK(door.listen(0));
      auto first = mostly_syns<ipv4>(1)[0];
      first.destination.port = 81;
      sent_by<ipv4> out;
      door.receive(first, 0, out);
      first.flags = flag::ack, ++first.seq, first.ack = out.all.at(0).seq + 1;
      CHECK(door.receive(first, 0, out).verdict == verdict::promoted);
      REQUIRE(door.accept_full());
      door.set(tunable::syncookies, mode);
      if (k == 0) {
        door.receive(burst, 10, out, [&](const segment&, const outcome& o) { seen[k].push_back(o); });
      } else {
        for (const segment& s : burst) seen[k].push_back(door.receive(s, 10, out));
      }
      CHECK(std::none_of(seen[k].begin(), seen[k].end(),
                         [](const outcome& o) { return o.verdict == verdict::cookie_sent; }));
    }
    CHECK(seen[0] == seen[1]);
    CHECK(doors[0].counters() == doors[1].counters());
  }
}
