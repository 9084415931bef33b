// SPDX-License-Identifier: BSL-1.0
// Compact requests obey the rules of the preset that has them: the model rounds deadlines, and forgets what they do not
// keep. A clock with an offset for each peer is what it learns from the timestamps that a request remembers, and these
// remember none: so all have one clock here, as over loopback.
#include <listenq/compact.hpp>
#include <listenq/preset/bsd_classic.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/freebsd_4.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/netbsd.hpp>
#include <string>

#include "holds.hpp"

using namespace property;

namespace {

/// `L` with compact requests, one clock for all, and whatever else.
template <class L, option... Others>
using packed = with<L, requests<compact_requests>, offer<linux_loopback_offer>, Others...>;
template <class L, option... Others>
bool packs(const std::string& name, int scripts = 300) {
  return holds<packed<L, Others...>>(name + " with compact requests", scripts);
}

using believes_echoes = validation<linux_validation<linux_era::v3_12>>;

}  // namespace

// A request that comes back changed: another option, another timer, another age, at any of its events.
TEST_CASE("linux_3_12") {
  CHECK(holds<with<preset::linux_3_12, requests<compact_requests>>>("linux_3_12 with compact requests", 1000));
}
TEST_CASE("linux_6_18") { CHECK(packs<preset::linux_6_18, believes_echoes>("linux_6_18", 1000)); }
TEST_CASE("linux_6_18 over IPv6") { CHECK(packs<preset::linux_6_18, believes_echoes, family<ipv6>>("linux_6_18, v6")); }
TEST_CASE("compact_listener") { CHECK(packs<compact_listener>("compact_listener")); }

TEST_CASE("bsd_classic, whose requests may be aborted") { CHECK(packs<preset::bsd_classic>("bsd_classic")); }
TEST_CASE("freebsd_13, with a syncache, its cookies and errors that are noted") {
  CHECK(packs<preset::freebsd_13>("freebsd_13"));
}
TEST_CASE("netbsd, with a syncache whose buckets evict") { CHECK(packs<preset::netbsd>("netbsd", 100)); }
TEST_CASE("a hand that sweeps over a small syncache") {
  CHECK(packs<preset::freebsd_4, sizing<syncache<2, 3>>, clockwork<sweep<>>>("a small syncache, swept,"));
}

TEST_CASE("inside the listener, where there is room for eight") {
  CHECK(packs<compact_listener, storage<fixed<8>>>("compact_listener in fixed<8>"));
}
TEST_CASE("in a memory of one's own") {
  using lent = packed<compact_listener, storage<caller_memory>, request_full<evict_oldest>>;
  std::array<std::byte, 2048> block{};
  CHECK(holds(testing::rules_of<lent>("compact requests in 2048 bytes of the caller's"), [&] {
    return std::make_unique<testing::subject_of<lent>>(caller_memory{block.data() + 1, block.size() - 1});
  }));
}
TEST_CASE("with data to wait for, timers and evictions") {
  CHECK(packs<preset::linux_6_18, believes_echoes, deferral<defer_accept<>>, request_full<told<evict_oldest>>,
              cookies<no_cookies>, closing<abort_requests>>("told<evict_oldest>, abort_requests,"));
}

// As in presets_linux.cpp: last in this file.
TEST_CASE("scripts reach what changes a request") {
  if (!standard_run) return;
  using enum verdict;
  for (const verdict v : {admitted, duplicate_syn, wrong_ack, out_of_window, request_reset, no_ack, deferred, promoted,
                          overflow_kept, overflow_reset, cookie_promoted, dropped_send_failed, dropped_no_memory}) {
    CAPTURE(std::string{name_of(v)});
    CHECK(seen[static_cast<std::size_t>(v)] > 0);
  }
}
