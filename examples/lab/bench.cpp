// SPDX-License-Identifier: BSL-1.0
#include "bench.hpp"

#include <algorithm>
#include <array>

#include "seeds.hpp"
#include "segment_text.hpp"

namespace lab {

namespace {

constexpr std::uint64_t seed = 1;
constexpr std::array<std::byte, 2048> bytes_of_data{};

}  // namespace

tcp_options usual_options() {
  tcp_options o = profile::linux_6_18.offer;
  o.ts_value = 5000;
  return o;
}

bench::bench(const preset_entry& preset, int backlog, const tunable_values_set& set)
    : preset_(preset),
      kernel_(preset.make(preset.kernel, keys_of(seed),
                          {.send =
                               [this](const segment& s) {
                                 if (s.flags.has(flag::syn)) {
                                   server_isn_[s.destination.port] = s.seq;
                                   server_clock_[s.destination.port] = s.options.ts_value;
                                 }
                                 out_.push_back({now_, s});
                                 return send_result::sent;
                               },
                           .decided = [](const decision&) {},
                           .stirred = [](std::uint16_t, connection_events) {}})) {
  for (const auto& [t, value] : set) kernel_->set(t, value);
  kernel_->listen(backlog, 0);
}

std::optional<outcome> bench::put(const segment& s) { return kernel_->receive(s, now_); }

std::vector<emitted> bench::taken() { return std::exchange(out_, {}); }

segment bench::from(std::uint16_t port, flags f, std::int64_t seq, std::int64_t ack, std::size_t bytes) const {
  segment s;
  s.source = {loopback, port};
  s.destination = {loopback, server_port};
  s.flags = f;
  s.seq = client_isn(seed, port) + static_cast<seq_number>(seq);
  if (f.has(flag::ack)) {
    const auto ours = server_isn_.find(port);
    s.ack = (ours == server_isn_.end() ? 0 : ours->second) + static_cast<seq_number>(ack);
  }
  s.window = 64240;
  s.payload = {bytes_of_data.data(), std::min(bytes, bytes_of_data.size())};
  return s;
}

std::optional<outcome> bench::syn(std::uint16_t port, const tcp_options& o) {
  segment s = from(port, flag::syn, 0);
  s.options = o;
  return put(s);
}

std::optional<outcome> bench::ack(std::uint16_t port, std::size_t bytes) {
  return put(from(port, flag::ack, 1, 1, bytes));
}

bool bench::icmp(std::uint16_t port, icmp_error error) {
  const four_tuple key = four_tuple_of(from(port, flag::syn, 0));
  return kernel_->unreachable(key, server_isn_[port], error, now_) == icmp_verdict::ended;
}

std::uint32_t bench::connect_until_full(std::uint32_t most) {
  std::uint32_t n = 0;
  while (n < most) {
    const std::uint16_t port = next_filler_++;
    syn(port);
    const auto o = ack(port);
    if (!o || (o->verdict != verdict::promoted && o->verdict != verdict::cookie_promoted)) break;
    ++n;
  }
  return n;
}

void bench::pass(instant until) {
  for (auto due = kernel_->next_deadline(); due && *due <= until; due = kernel_->next_deadline()) {
    now_ = std::max(now_, *due);
    kernel_->tick(now_);
  }
  now_ = until;
}

std::uint32_t bench::clock_of(std::uint16_t port) const {
  const auto i = server_clock_.find(port);
  return i == server_clock_.end() ? 0 : i->second;
}

bool bench::waits(std::uint16_t port) const {
  const auto all = kernel_->requests();
  return std::any_of(all.begin(), all.end(), [port](const auto& r) { return r.key.peer_port == port; });
}

std::string letters_of(const std::vector<emitted>& all) {
  std::string s;
  for (const emitted& e : all) s += (s.empty() ? "" : " ") + letters_of(e.segment.flags);
  return s.empty() ? "-" : s;
}

}  // namespace lab
