// SPDX-License-Identifier: BSL-1.0
// Recorders: what is told of segments and writes them down as pcapng, as a Mermaid sequence diagram or as tcpdump's
// lines. They can be fed by `traced`, by the tap of an in-memory network, or by hand. They write and keep no more than
// they must. The first two write to anything that has a stream's `write`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <listenq/address.hpp>
#include <listenq/segment.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/text.hpp>
#include <listenq/wire/pcapng.hpp>
#include <listenq/wire/tcp.hpp>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace listenq {

/// Is told of segments: when, which, and whether it got lost. It copies what it wants to keep.
template <class R, class A>
concept recorder = addressing<A> && requires(R& r, instant at, const basic_segment<A>& s, bool lost) {
  r.record(at, s, lost);
};

// --- Recorders ---

/// A pcapng capture of whole IP packets (open the stream in binary mode). Lost segments are in it with the comment
/// "lost". A tag of `tagged<Base>` is left out: no header has room for it.
template <class Out>
class basic_pcapng_recorder {
 public:
  explicit basic_pcapng_recorder(Out& out) : writer_(to_stream{&out}) { writer_.begin(); }

  template <addressing A>
  void record(instant at, const basic_segment<A>& s, bool lost = false,
              wire::direction way = wire::direction::unknown) {
    bytes_.resize(wire::ipv6_header::size + wire::tcp_size(s));
    const std::size_t size = wire::write_packet(s, {bytes_.data(), bytes_.size()});
    if (size == 0) {
      ++skipped_;
    } else {
      writer_.packet(at, {bytes_.data(), size}, way, lost ? std::string_view{"lost"} : std::string_view{});
    }
  }
  template <addressing Base>
  void record(instant at, const basic_segment<tagged<Base>>& s, bool lost = false,
              wire::direction way = wire::direction::unknown) {
    record(
        at,
        readdressed<Base>(s, {s.source.address.base, s.source.port}, {s.destination.address.base, s.destination.port}),
        lost, way);
  }

  /// Segments too long for an IP packet, hence not in the capture.
  std::size_t skipped() const noexcept { return skipped_; }

 private:
  struct to_stream {
    Out* out;
    void operator()(byte_view b) const {
      out->write(reinterpret_cast<const char*>(b.data), static_cast<std::streamsize>(b.size));
    }
  };
  wire::pcapng_writer<to_stream> writer_;
  std::vector<std::byte> bytes_{};
  std::size_t skipped_ = 0;
};

using pcapng_recorder = basic_pcapng_recorder<std::ostream>;

/// A Mermaid `sequenceDiagram`: `C1->>S: SYN at 0.000012`. Servers answer with dotted arrows, lost segments end in a
/// cross. An endpoint that has no name is S (S2, ...) when the first SYN seen goes to it, else C1 (C2, ...).
template <class Out>
class basic_mermaid_recorder {
 public:
  explicit basic_mermaid_recorder(Out& out) : out_(&out) { put("sequenceDiagram\n"); }

  /// Names an endpoint before its first segment; it appears in the order of naming. Only letters, digits and `_` of the
  /// name serve as the identifier.
  template <addressing A>
  void name(const basic_endpoint<A>& e, std::string_view who, bool server = false) {
    const std::string key = to_text(e);
    if (participants_.find(key) == participants_.end()) add(key, who, server, true);
  }

  template <addressing A>
  void record(instant at, const basic_segment<A>& s, bool lost = false) {
    const std::string from_key = to_text(s.source);
    const std::string to_key = to_text(s.destination);
    const auto known = participants_.find(to_key);
    const bool from_server = known != participants_.end() ? !known->second.server : s.flags.has(flag::syn | flag::ack);
    const participant from = find_or_add(from_key, from_server);
    const participant to = find_or_add(to_key, !from.server);
    std::string line = "    ";
    line.append(from.id)
        .append(from.server ? "--" : "-")
        .append(lost ? "x" : ">>")
        .append(to.id)
        .append(": ")
        .append(to_text(s.flags));
    if (!s.payload.empty())
      line.append(" ").append(std::to_string(s.payload.size)).append(s.payload.size == 1 ? " byte" : " bytes");
    put(line.append(" at ").append(time_text(at)).append(lost ? ", lost\n" : "\n"));
  }

 private:
  struct participant {
    std::string id;
    bool server = false;
  };

  participant find_or_add(const std::string& key, bool server) {
    const auto found = participants_.find(key);
    if (found != participants_.end()) return found->second;
    const std::size_t nth = ++(server ? servers_ : clients_);
    return add(key, (server ? "S" : "C") + (server && nth == 1 ? "" : std::to_string(nth)), server, false);
  }

  participant add(const std::string& key, std::string_view who, bool server, bool named) {
    std::string id;
    for (const char c : who) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      id += plain ? c : '_';
    }
    if (id.empty() || id == "end") id += '_';  // `end` is a word of Mermaid's own
    while (taken(id)) id += '_';
    std::string line = "    participant ";
    line.append(id).append(" as ").append(named ? id + ' ' : std::string()).append(key).append("\n");
    put(line);
    return participants_.emplace(key, participant{id, server}).first->second;
  }

  void put(const std::string& text) { out_->write(text.data(), static_cast<std::streamsize>(text.size())); }

  bool taken(const std::string& id) const {
    for (const auto& [key, p] : participants_) {
      if (p.id == id) return true;
    }
    return false;
  }

  Out* out_;
  std::map<std::string, participant> participants_{};
  std::size_t servers_ = 0;
  std::size_t clients_ = 0;
};

using mermaid_recorder = basic_mermaid_recorder<std::ostream>;

/// Lines as `tcpdump` prints them, with seconds for the time of day; a lost segment's line ends in ` (lost)`. Numbers
/// are relative as tcpdump's are: those of a segment with ACK, once a SYN-ACK (or, without one, any ACK) of its
/// connection was seen. It remembers each connection for that, so it grows with their number.
class text_recorder {
 public:
  explicit text_recorder(std::ostream& out) : out_(&out) {}

  template <addressing A>
  void record(instant at, const basic_segment<A>& s, bool lost = false) {
    const std::string from = address_text(s.source) + '.' + std::to_string(s.source.port);
    const std::string to = address_text(s.destination) + '.' + std::to_string(s.destination.port);
    const bool v6 = from.find(':') != std::string::npos;
    *out_ << time_text(at) << (v6 ? " IP6 " : " IP ") << from << " > " << to << ": Flags [" << letters(s.flags) << ']';

    seq_number seq = s.seq;
    seq_number ack = s.ack;
    const bool acks = s.flags.has(flag::ack);
    if (acks) {
      const bool low = from < to;
      const auto [base, fresh] = bases_.try_emplace(low ? from + '>' + to : to + '>' + from);
      auto& [low_base, high_base] = base->second;
      seq_number& ours = low ? low_base : high_base;
      seq_number& theirs = low ? high_base : low_base;
      if (fresh || s.flags.has(flag::syn)) {
        ours = seq;
        theirs = ack - 1;
      } else {
        seq -= ours;
        ack -= theirs;
      }
    }
    const std::size_t length = s.payload.size;
    if (length != 0 || s.flags.any(flag::syn | flag::fin | flag::rst)) *out_ << ", seq " << seq;
    if (length != 0) *out_ << ':' << static_cast<seq_number>(seq + length);
    if (acks) *out_ << ", ack " << ack;
    *out_ << ", win " << s.window;
    put_options(s.options, s.flags.has(flag::syn));
    *out_ << ", length " << length << (lost ? " (lost)\n" : "\n");
  }

 private:
  static std::string letters(flags f) {
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) {
      if ((f.bits >> i & 1) != 0) text += "FSRP.UEW"[i];
    }
    return text.empty() ? "none" : text;
  }

  // As they are on the wire: in the order, and with the padding, of wire::write_options.
  void put_options(const tcp_options& o, bool syn) {
    std::array<std::byte, 40> bytes{};
    const std::size_t size = wire::options_size(o, syn);
    if (size == 0) return;
    wire::write_options(o, syn, bytes.data());
    for (std::size_t i = 0; i < size;) {
      const std::byte* p = bytes.data() + i;
      *out_ << (i == 0 ? ", options [" : ",");
      switch (wire::load8(p)) {
        case 2:
          *out_ << "mss " << wire::load16(p + 2);
          break;
        case 3:
          *out_ << "wscale " << unsigned{wire::load8(p + 2)};
          break;
        case 4:
          *out_ << "sackOK";
          break;
        case 8:
          *out_ << "TS val " << wire::load32(p + 2) << " ecr " << wire::load32(p + 6);
          break;
        case 34:
        case 254:
          put_fast_open(o.fast_open);
          break;
        default:
          *out_ << "nop";
          break;
      }
      i += wire::load8(p) == 1 ? 1 : wire::load8(p + 1);
    }
    *out_ << ']';
  }
  void put_fast_open(const fast_open_option& o) {
    *out_ << (o.experimental ? "exp-tfo " : "tfo  ") << (o.asks() ? "cookiereq" : "cookie ");
    for (std::size_t i = 0; i < o.size; ++i) {
      *out_ << "0123456789abcdef"[o.bytes[i] >> 4] << "0123456789abcdef"[o.bytes[i] & 0xf];
    }
  }

  std::ostream* out_;
  std::map<std::string, std::pair<seq_number, seq_number>> bases_{};  // of the endpoint that sorts first, of the other
};

}  // namespace listenq
