// SPDX-License-Identifier: BSL-1.0
#include "experiment.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <new>
#include <type_traits>

#include "client.hpp"
#include "echo.hpp"
#include "guard.hpp"
#include "memory.hpp"

namespace lwip_guard {

namespace {

constexpr endpoint server{ip(192, 0, 2, 1), 7};
constexpr auto attacker = ip(203, 0, 113, 1);
constexpr std::array client_hosts{ip(192, 0, 2, 10), ip(192, 0, 2, 11)};
constexpr duration flood_length = 10 * second;
constexpr instant clients_come = 8 * second;
constexpr instant end = 20 * second;

/// From 198.18.0.0/15, where nobody is.
segment spoofed_syn(splitmix64& random) {
  segment s;
  s.source = {{ip(198, 18, 0, 0).value + static_cast<std::uint32_t>(random.up_to(0x1ffff))},
              static_cast<std::uint16_t>(1024 + random.up_to(60000))};
  s.destination = server;
  s.seq = static_cast<seq_number>(random.next());
  s.flags = flag::syn;
  s.window = 64240;
  s.options = profile::linux_6_18.offer;
  return s;
}

/// The kernel of the client with this number.
kernel_profile kernel_of(std::size_t number) {
  kernel_profile p = profile::linux_6_18;
  if (number == 1) p.offer = {};
  return p;
}

result play(const setting& s) {
  result r;
  network net{{.no_route = send_result::sent}};
  net.set_default_link({.delay = 10 * millisecond});
  for (const auto& h : {server.address, attacker, client_hosts[0], client_hosts[1]}) net.add_host(h);

  memory.pcb_limit = s.pcb_limit;
  lwip_host host{net, server};
  echo application{server.port};
  if (application.listener() == nullptr) return r;
  std::optional<guard> before;
  if (s.guarded) {
    before.emplace(net, host, *application.listener(), siphash_key{0x6c71, 0x6c77});
    r.guard_bytes = sizeof(guard);
  }

  auto port = net.bind(attacker, 1).port;
  splitmix64 random{1};
  const duration gap = s.syns == 0 ? flood_length : flood_length / static_cast<duration>(s.syns);
  const std::function<void()> next = [&] {
    if (r.syns >= s.syns) return;
    port.send(spoofed_syn(random));
    ++r.syns;
    net.at(net.now() + gap, next);
  };
  net.at(0, next);

  // Both sides scale, or the SYN-ACK has no scale.
  std::array<unsigned, client_hosts.size()> shift{};
  net.on_segment([&](instant, const segment& sent, bool) {
    for (std::size_t i = 0; i < client_hosts.size(); ++i) {
      if (sent.destination.address != client_hosts[i]) continue;
      const bool syn = sent.flags.has(flag::syn);
      if (syn && sent.options.has_window_scale()) shift[i] = sent.options.window_scale;
      r.widest = std::max<std::size_t>(r.widest, std::size_t{sent.window} << (syn ? 0 : shift[i]));
    }
  });

  const std::size_t at_rest = memory.bytes;
  memory.forget_maxima();
  net.run_until(clients_come);
  r.pcbs = memory.most_pcbs;
  r.bytes = memory.most_bytes - at_rest;

  std::array<std::optional<client>, 2> clients;
  for (std::size_t i = 0; i < clients.size(); ++i)
    clients[i].emplace(net, client_hosts[i], server, kernel_of(i), s.bytes);
  net.run_until(end);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const client& c = *clients[i];
    r.clients[i] = {c.connected(), c.intact(), c.was_reset(),
                    c.waited(),    c.echoed(), c.connected() ? c.start().theirs : tcp_options{}};
  }
  r.syn_acks = host.syn_acks();
  r.accepted = application.accepted();
  return r;
}

}  // namespace

std::optional<result> run(const setting& s) {
  static_assert(std::is_trivially_copyable_v<result>);
  void* const shared = ::mmap(nullptr, sizeof(result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    new (shared) result(play(s));
    ::_exit(0);
  }
  int status = 1;
  std::optional<result> r;
  if (child > 0 && ::waitpid(child, &status, 0) == child && status == 0) r = *static_cast<const result*>(shared);
  ::munmap(shared, sizeof(result));
  return r;
}

}  // namespace lwip_guard
