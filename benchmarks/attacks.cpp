// SPDX-License-Identifier: BSL-1.0
// Which policy survives what, and what does that cost? Every row of `variants.hpp`, without SYN cookies, and other
// systems' listeners, against each attack: honest attempts served, CPU of the listener, bytes of its queues. A second
// table holds random drop and drop oldest against their closed forms.
#include <listenq/testing/attacks.hpp>
#include <memory>
#include <string>

#include "support/any_door.hpp"
#include "support/each_variant.hpp"
#include "support/survivors.hpp"
#include "support/tables.hpp"
#include "support/under_attack.hpp"

using namespace bench;

namespace {

constexpr int backlog = 128;

struct matrix {
  table served{.title = "Served, of a hundred honest attempts; listen(128)",
               .plot = "heat",
               .note =
                   "Virtual time: the same for the same seed on every machine. Rows that begin with a slot are "
                   "linux_6_18 with tcp_syncookies = 0 and that one answer changed."};
  table cost{.title = "CPU of the listener for a SYN, with all that came along, ns",
             .note = "Segments, timers and accepts of the whole run, divided by its SYNs."};
  table held{.title = "Bytes of both queues at most"};
  report& out;
  explicit matrix(report& r) : out(r) {
    for (const testing::attack& a : testing::attacks) {
      for (table* t : {&served, &cost, &held}) t->columns.emplace_back(a.name);
    }
    held.columns.emplace_back("a request");
  }

  template <class Prepare>
  void row(const std::string& name, any_door& door, Prepare prepare) {
    table::row s{.name = name}, c{.name = name}, h{.name = name};
    for (const testing::attack& a : testing::attacks) {
      survival r;
      for (std::uint64_t seed = 1; seed <= out.by_effort(1U, 1U, 4U); ++seed) {
        const auto fresh = door.another();
        const survival one = under_attack(*fresh, a, out.by_effort(second / 2, 8 * second, 30 * second), backlog, seed,
                                          out.by_effort(1, 3, 5), prepare);
        if (!one.same_again) out.wrong.push_back(name + ", " + a.name + ": another end the second time");
        r += one;
      }
      s.cells.emplace_back(r.served_percent());
      c.cells.emplace_back(r.ns_per_syn());
      h.cells.emplace_back(static_cast<double>(r.most_bytes));
    }
    h.cells.emplace_back(static_cast<double>(door.bytes_per_request()));
    served.rows.push_back(s);
    cost.rows.push_back(c);
    held.rows.push_back(h);
  }
};

void closed_forms(report& out) {
  table t{
      .title = "Random drop and drop oldest: the share that survives in an always-full queue",
      .columns = {"thread", "random", "seen", "oldest", "seen"},
      .digits = 3,
      .note =
          "thread: NANOG 1996. random: ((L - 1) / L)^(R t). oldest: 1 while R t < L, else 0. seen: this library in "
          "virtual time, every 101st SYN of the flood honest; one that finishes leaves a place for the next SYN, so "
          "that a little more survive."};
  const int honest = out.by_effort(100, 1000, 10000);
  for (const flooded_queue& q : nanog) {
    const std::string name = "L = " + std::to_string(q.length) + ", R = " + std::to_string(q.rate) +
                             "/s, t = " + std::to_string(q.round_trip / millisecond) + " ms";
    t.add(name, {q.thread == 0 ? std::nullopt : std::optional{q.thread}, q.if_random(),
                 survivors<flooded<request_full<evict_random>>>(q, honest), q.if_oldest(),
                 survivors<flooded<request_full<evict_oldest>>>(q, honest)});
  }
  out.tables.push_back(t);
}

}  // namespace

int main(int argc, char** argv) {
  report out{argc, argv};
  matrix m{out};
  {
    door_of<preset::linux_6_18> as_it_is{preset::linux_6_18{}};
    m.row("linux_6_18, SYN cookies", as_it_is, [](any_door&) {});
  }
  each_variant([&]<class L>(const std::string& name) {
    door_of<L> door{L{}};
    m.row(name == "linux_6_18" ? "linux_6_18, tcp_syncookies = 0" : name, door,
          [](any_door& d) { d.set(tunable::syncookies, 0, 0); });
  });
#ifndef LISTENQ_FEW_VARIANTS
  each_system([&]<class L>(const char* name) {
    door_of<L> door{L{}};
    m.row(name, door, [](any_door&) {});
  });
#endif
  out.tables = {m.served, m.cost, m.held};
  closed_forms(out);
  return out.write();
}
