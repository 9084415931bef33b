// SPDX-License-Identifier: BSL-1.0
// A capture becomes an event log: what came in for one port of a server, and what the server sent from it. When its
// application accepted is not in a capture, nor are its backlog, its clock and its verdicts: rerun.hpp has models for
// the first two. What cannot be used is counted by name and left out.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/segment.hpp>
#include <listenq/testing/event_log.hpp>
#include <listenq/wire/link.hpp>
#include <listenq/wire/pcap.hpp>
#include <listenq/wire/tcp.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace listenq::testing {

struct capture_log {
  wire::capture_error error = wire::capture_error::none;  ///< why the file could not be read to its end
  std::uint16_t port = 0;                                 ///< of the server; 0 if there was none
  instant began = 0;                                      ///< microseconds since 1970 of the first entry: its time 0
  /// Packets, by what became of them. Used: `in`, `out`; `payload_cut` are among those, bytes are missing that nobody
  /// needs. Left out: `other_port`, `headers_cut` (a snap length below the headers), `lost` (a comment of this
  /// library's own captures: it never arrived), `seen_twice` (a cooked capture of a local client), and the names of
  /// `wire::link_error` and `wire::parse_error`. `ipv6_hosts` is the number of addresses that have a stand-in.
  std::map<std::string, std::size_t> counts{};
  std::vector<log_entry> entries{};  ///< `in` and `out`, in the order of the file, times from 0 and never back
};

namespace detail {

/// One packet of a capture as a segment. Addresses of IPv6 stand as IPv4 addresses of their own, 240.0.0.1 and up.
class capture_packets {
 public:
  /// The segment, or why there is none.
  struct result {
    std::optional<listenq::segment> segment{};
    const char* why = "";
    bool cut = false;
    wire::direction way = wire::direction::unknown;
  };
  result read(const wire::captured_packet& p) {
    const wire::unlinked u = wire::without_link(p.link, p.bytes);
    if (u.error != wire::link_error::none) return {.why = wire::name(u.error)};
    byte_view ip = u.bytes;
    const std::size_t said = total_of(ip);
    const bool cut = !p.whole() && said > ip.size;
    if (cut) {  // a checksum of what is missing is of no use, lengths are
      whole_.assign(said, std::byte{});
      std::copy(ip.begin(), ip.end(), whole_.begin());
      ip = {whole_.data(), whole_.size()};
    }
    // The sums of a machine's own segments are the business of its network card: not yet in them when captured.
    const auto parsed = wire::read_packet<dual>(ip, wire::checksums::trust);
    if (!parsed) {
      const bool headers = cut && u.bytes.size < ip.size && parsed.error != wire::parse_error::not_tcp &&
                           parsed.error != wire::parse_error::fragment;
      return {.why = headers ? "headers_cut" : wire::name(parsed.error)};
    }
    const auto& s = parsed.segment;
    if (cut && static_cast<std::size_t>(s.payload.data - ip.data) > u.bytes.size) return {.why = "headers_cut"};
    const ipv4::address from = address_of(s.source.address);  // who is seen first gets the first stand-in
    const ipv4::address to = address_of(s.destination.address);
    segment out = readdressed<ipv4>(s, {from, s.source.port}, {to, s.destination.port});
    out.payload.data = nullptr;
    return {out, "", cut, p.way != wire::direction::unknown ? p.way : u.way};
  }
  std::size_t ipv6_hosts() const noexcept { return stand_ins_.size(); }

 private:
  /// What the IP header says of the length; 0 if there is none.
  static std::size_t total_of(byte_view ip) noexcept {
    if (ip.size < wire::ipv4_header::size) return 0;
    if (wire::load8(ip.data) >> 4 == 4) return wire::load16(ip.data + 2);
    return ip.size < wire::ipv6_header::size ? 0 : wire::ipv6_header::size + wire::load16(ip.data + 4);
  }
  ipv4::address address_of(const dual::address& a) {
    if (dual::is_mapped(a)) return {a.value[3]};
    const auto next = ip(240, 0, 0, 1).value + static_cast<std::uint32_t>(stand_ins_.size());
    return {stand_ins_.try_emplace({a.value[0], a.value[1], a.value[2], a.value[3]}, next).first->second};
  }

  std::vector<std::byte> whole_{};
  std::map<std::array<std::uint32_t, 4>, std::uint32_t> stand_ins_{};
};

}  // namespace detail

/// Reads a capture. `port` is the server's; without it, the one that most SYNs go to (of several the lowest).
inline capture_log log_of_capture(byte_view file, std::optional<std::uint16_t> port = std::nullopt) {
  capture_log log;
  struct item {
    instant at;
    listenq::segment segment;
    bool cut;
    bool lost;
    wire::direction way;
  };
  std::vector<item> items;
  std::map<std::uint16_t, std::size_t> syns;
  detail::capture_packets packets;
  wire::capture_reader reader(file);
  while (const auto p = reader.next()) {
    const std::string_view comment(reinterpret_cast<const char*>(p->comment.data), p->comment.size);
    const auto r = packets.read(*p);
    if (!r.segment) {
      ++log.counts[r.why];
      continue;
    }
    if (r.segment->flags.has(flag::syn) && !r.segment->flags.has(flag::ack)) ++syns[r.segment->destination.port];
    items.push_back({p->at, *r.segment, r.cut, comment == "lost", r.way});
  }
  log.error = reader.error();
  if (packets.ipv6_hosts() > 0) log.counts["ipv6_hosts"] = packets.ipv6_hosts();
  if (!port) {
    const auto most = std::max_element(syns.begin(), syns.end(), [](auto& a, auto& b) { return a.second < b.second; });
    if (most != syns.end()) port = most->first;
  }
  log.port = port.value_or(0);

  const item* last = nullptr;
  for (const item& i : items) {
    const bool in = i.segment.destination.port == log.port;
    if (!port || (!in && i.segment.source.port != log.port)) {
      ++log.counts["other_port"];
      continue;
    }
    if (in && i.lost) {
      ++log.counts["lost"];
      continue;
    }
    const bool known = last != nullptr && last->way != wire::direction::unknown && i.way != wire::direction::unknown;
    if (known && last->way != i.way && same_segment(last->segment, i.segment)) {
      ++log.counts["seen_twice"];
      last = nullptr;
      continue;
    }
    last = &i;
    ++log.counts[in ? "in" : "out"];
    if (i.cut) ++log.counts["payload_cut"];
    if (log.entries.empty()) log.began = i.at;
    log_entry e;
    e.kind = in ? log_kind::in : log_kind::out;
    e.at = std::max(log.entries.empty() ? 0 : log.entries.back().at, i.at - log.began);
    e.segment = i.segment;
    log.entries.push_back(e);
  }
  return log;
}

}  // namespace listenq::testing
