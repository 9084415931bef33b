// SPDX-License-Identifier: BSL-1.0
// wire/: bytes into every reader. The first byte says which, the rest is what it reads. Each reader is held against the
// rule said once more, the slow way; what it takes must come back, byte by byte, or in meaning where the header had
// something that a segment does not carry.
#include <cstring>
#include <iterator>
#include <listenq/wire/icmp.hpp>
#include <listenq/wire/icmp_error.hpp>
#include <listenq/wire/link.hpp>
#include <listenq/wire/pcap.hpp>
#include <listenq/wire/tcp.hpp>
#include <vector>

#include "input.hpp"

namespace {

using namespace listenq;
using namespace listenq::wire;
using fuzz::exact_copy;
using fuzz::expect;
using fuzz::same_bytes;

unsigned at(byte_view b, std::size_t i) { return i < b.size ? std::to_integer<unsigned>(b.data[i]) : 0U; }
unsigned at16(byte_view b, std::size_t i) { return at(b, i) << 8 | at(b, i + 1); }

/// RFC 1071, one word after the other.
unsigned slow_sum(byte_view b, std::uint64_t sum = 0) {
  for (std::size_t i = 0; i < b.size; i += 2) sum += at16(b, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<unsigned>(sum);
}
void put16(exact_copy& c, std::size_t i, unsigned v) {
  if (i + 2 > c.size()) return;
  c.data()[i] = static_cast<std::byte>(v >> 8);
  c.data()[i + 1] = static_cast<std::byte>(v & 0xff);
}
bool inside(byte_view part, byte_view whole) {
  return part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}
void expect_named(parse_error e) {
  expect(static_cast<std::size_t>(e) < parse_error_count && std::strcmp(name(e), "?") != 0, "every refusal has a name");
}

// --- IP

parse_error slow_ipv4(byte_view b) {
  if (b.size < 20) return parse_error::too_short;
  if (at(b, 0) / 16 != 4) return parse_error::bad_version;
  const std::size_t header = at(b, 0) % 16 * 4;
  if (header < 20 || header > b.size) return parse_error::bad_header_length;
  if (at16(b, 2) < header || at16(b, 2) > b.size) return parse_error::bad_length;
  if (slow_sum({b.data, header}) != 0xffff) return parse_error::bad_ip_checksum;
  if (at16(b, 6) % 0x2000 != 0 || (at16(b, 6) & 0x2000) != 0) return parse_error::fragment;
  return at(b, 9) == 6 ? parse_error::none : parse_error::not_tcp;
}
void read_ipv4(byte_view b) {
  const ipv4_packet p = parse_ipv4(b);
  expect_named(p.error);
  expect(p.error == slow_ipv4(b), "an IPv4 packet is refused for the first thing that is wrong with it");
  if (p.error != parse_error::none && p.error != parse_error::not_tcp) {
    expect(p.header == ipv4_header{} && p.payload.empty(), "what was refused leaves nothing behind");
    return;
  }
  const std::size_t header = at(b, 0) % 16 * 4;
  expect(inside(p.payload, b) && p.payload.size == at16(b, 2) - header && at(b, 9) == p.header.protocol,
         "the payload is what the header says");
  if (p.payload.size > 0xffff - ipv4_header::size) return;
  exact_copy out(ipv4_header::size);
  expect(write_ipv4(p.header, p.payload.size, {out.data(), out.size() - 1}) == 0, "no header in 19 bytes");
  expect(write_ipv4(p.header, p.payload.size, {out.data(), out.size()}) == 20, "a header is written back");
  const bool plain = header == 20 && (at16(b, 6) & 0x8000) == 0;  // no options, no reserved bit
  expect(!plain || same_bytes({b.data, 10}, {out.data(), 10}), "a plain header comes back byte by byte");
  expect(!plain || same_bytes({b.data + 12, 8}, {out.data() + 12, 8}), "its addresses do, too");
  expect(slow_sum(out.view()) == 0xffff, "a written header has the right sum");
}

parse_error slow_ipv6(byte_view b) {
  if (b.size < 40) return parse_error::too_short;
  if (at(b, 0) / 16 != 6) return parse_error::bad_version;
  if (40U + at16(b, 4) > b.size) return parse_error::bad_length;
  switch (at(b, 6)) {
    case 6:
      return parse_error::none;
    case 44:
      return parse_error::fragment;
    case 0:
    case 43:
    case 51:
    case 60:
    case 135:
    case 139:
    case 140:
      return parse_error::extension_header;
    default:
      return parse_error::not_tcp;
  }
}
void read_ipv6(byte_view b) {
  const ipv6_packet p = parse_ipv6(b);
  expect_named(p.error);
  expect(p.error == slow_ipv6(b), "an IPv6 packet is refused for the first thing that is wrong with it");
  if (p.error == parse_error::too_short || p.error == parse_error::bad_version || p.error == parse_error::bad_length) {
    expect(p.header == ipv6_header{} && p.payload.empty(), "what was refused leaves nothing behind");
    return;
  }
  expect(inside(p.payload, b) && p.payload.size == at16(b, 4), "the payload is what the header says");
  exact_copy out(ipv6_header::size);
  expect(write_ipv6(p.header, p.payload.size, {out.data(), out.size() - 1}) == 0, "no header in 39 bytes");
  expect(write_ipv6(p.header, p.payload.size, {out.data(), out.size()}) == 40, "a header is written back");
  expect(same_bytes({b.data, 40}, out.view()), "an IPv6 header comes back byte by byte");
}

// --- options

/// Kind, length, value, one option after the other, without the fast ways.
parsed_options slow_options(byte_view b, bool syn) {
  parsed_options r;
  const auto note = [&r](option_fault f) { r.fault = r.fault == option_fault::none ? f : r.fault; };
  for (std::size_t i = 0; i < b.size && at(b, i) != 0;) {
    const unsigned kind = at(b, i);
    if (kind == 1) {
      ++i;
      continue;
    }
    if (i + 1 == b.size) {
      note(option_fault::truncated_option);
      break;
    }
    const unsigned length = at(b, i + 1);
    if (length < 2) {
      note(option_fault::bad_option_length);
      break;
    }
    if (i + length > b.size) {
      note(option_fault::truncated_option);
      break;
    }
    const auto value32 = [&](std::size_t from) {
      return static_cast<std::uint32_t>(at16(b, i + from)) << 16 | at16(b, i + from + 2);
    };
    const auto fast_open = [&](std::size_t from, bool experimental) {
      const std::size_t size = length - from;
      if (size % 2 != 0) return note(option_fault::wrong_option_size);
      r.options.fast_open = {};
      if (size == 0 || (size >= 4 && size <= 16)) {
        r.options.fast_open.size = static_cast<std::uint8_t>(size);
        r.options.fast_open.experimental = experimental;
        for (std::size_t k = 0; k < size; ++k) {
          r.options.fast_open.bytes[k] = static_cast<std::uint8_t>(at(b, i + from + k));
        }
      } else {
        note(option_fault::wrong_option_size);
      }
    };
    if ((kind == 2 && length != 4) || (kind == 3 && length != 3) || (kind == 4 && length != 2) ||
        (kind == 8 && length != 10)) {
      note(option_fault::wrong_option_size);
    } else if (kind == 8) {
      r.options.timestamps = true;
      r.options.ts_value = value32(2);
      r.options.ts_echo = value32(6);
    } else if (syn && kind == 2) {
      if (at16(b, i + 2) != 0) r.options.mss = static_cast<std::uint16_t>(at16(b, i + 2));
    } else if (syn && kind == 3) {
      r.options.window_scale = static_cast<std::uint8_t>(std::min(at(b, i + 2), 14U));
    } else if (syn && kind == 4) {
      r.options.sack_permitted = true;
    } else if (syn && kind == 34) {
      fast_open(2, false);
    } else if (syn && kind == 254 && length >= 4 && at16(b, i + 2) == 0xf989) {
      fast_open(4, true);
    }
    i += length;
  }
  return r;
}
void write_back(const tcp_options& o, bool syn) {
  exact_copy out(options_size(o, syn));
  expect(out.size() <= 40 && out.size() % 4 == 0, "options fit a header, in whole words");
  const std::uint64_t sum = write_options(o, syn, out.data());
  expect(fold(sum) == slow_sum(out.view()), "write_options returns the sum of what it wrote");
  const parsed_options again = parse_options(out.view(), syn);
  expect(again.fault == option_fault::none, "what is written has no fault");
  expect(again.options == o, "options come back as they were");
}
void read_options(byte_view b, bool syn) {
  const parsed_options p = parse_options(b, syn);
  const parsed_options slow = slow_options(b, syn);
  expect(static_cast<std::size_t>(p.fault) < option_fault_count, "every fault has a name");
  expect(p.options == slow.options, "options are read as the RFCs say");
  expect(p.fault == slow.fault, "the first fault is the one that is named");
  write_back(p.options, syn);
}

// --- TCP

template <addressing A>
bool same_segment(const basic_segment<A>& a, const basic_segment<A>& b) {
  return a.source == b.source && a.destination == b.destination && a.seq == b.seq && a.ack == b.ack &&
         a.flags == b.flags && a.window == b.window && a.options == b.options && same_bytes(a.payload, b.payload);
}
template <addressing A>
parse_error slow_tcp(byte_view b, unsigned pseudo) {
  if (b.size < 20) return parse_error::too_short;
  const std::size_t header = at(b, 12) / 16 * 4;
  if (header < 20 || header > b.size) return parse_error::bad_data_offset;
  return slow_sum(b, pseudo) == 0xffff ? parse_error::none : parse_error::bad_checksum;
}
template <addressing A>
void read_tcp(exact_copy bytes, const typename A::address& from, const typename A::address& to, bool mend,
              unsigned flip) {
  const std::uint16_t pseudo = pseudo_header_sum(from, to, bytes.size());
  if (mend && bytes.size() >= 20) {
    put16(bytes, 16, 0);
    put16(bytes, 16, ~slow_sum(bytes.view(), pseudo) & 0xffff);
  }
  const byte_view b = bytes.view();
  const auto p = parse_tcp<A>(b, from, to);
  const auto trusted = parse_tcp<A>(b, from, to, checksums::trust);
  const parse_error due = slow_tcp<A>(b, pseudo);
  expect_named(p.error);
  expect(p.error == due, "a segment is refused for the first thing that is wrong with it");
  expect(trusted.error == (due == parse_error::bad_checksum ? parse_error::none : due),
         "trust reads over a wrong sum and nothing else");
  if (!trusted) return;
  const basic_segment<A>& s = trusted.segment;
  expect(!p || (p.fault == trusted.fault && same_segment(p.segment, s)), "a sum changes no field");
  const std::size_t header = at(b, 12) / 16 * 4;
  expect(inside(s.payload, b) && s.payload.size == b.size - header, "the payload is what follows the header");
  expect(s.source == basic_endpoint<A>{from, static_cast<std::uint16_t>(at16(b, 0))} &&
             s.destination == basic_endpoint<A>{to, static_cast<std::uint16_t>(at16(b, 2))} &&
             s.seq == (at16(b, 4) << 16 | at16(b, 6)) && s.ack == (at16(b, 8) << 16 | at16(b, 10)) &&
             s.flags.bits == at(b, 13) && s.window == at16(b, 14),
         "fields are where RFC 9293 has them");
  expect(s.options == slow_options({b.data + 20, header - 20}, s.flags.has(flag::syn)).options,
         "options are those of the header");

  exact_copy out(tcp_size(s));
  expect(write_tcp(s, {out.data(), out.size() - 1}) == 0, "no segment in too few bytes");
  expect(write_tcp(s, {out.data(), out.size()}) == out.size(), "tcp_size is what write_tcp takes");
  const auto again = parse_tcp<A>(out.view(), from, to);
  expect(again.error == parse_error::none && again.fault == option_fault::none && same_segment(again.segment, s),
         "a segment comes back as it was");
  const bool plain = p && header == 20 && at(b, 12) % 16 == 0 && at16(b, 18) == 0;
  expect(!plain || (same_bytes({b.data, 16}, {out.data(), 16}) &&
                    same_bytes({b.data + 18, b.size - 18}, {out.data() + 18, out.size() - 18})),
         "a plain segment comes back byte by byte");
  if (!p) return;
  bytes.data()[flip / 8 % bytes.size()] ^= static_cast<std::byte>(1U << flip % 8);
  expect(!parse_tcp<A>(bytes.view(), from, to), "no segment survives a flipped bit");
}

// --- whole packets

/// Puts the sums right, as far as there are any.
void mend_packet(exact_copy& c) {
  const byte_view b = c.view();
  if (at(b, 0) / 16 == 4 && b.size >= 20) {
    const std::size_t header = at(b, 0) % 16 * 4;
    const std::size_t total = at16(b, 2);
    if (header < 20 || header > total || total > b.size) return;
    put16(c, 10, 0);
    put16(c, 10, ~slow_sum({b.data, header}) & 0xffff);
    const byte_view rest{b.data + header, total - header};
    if (at(b, 9) == 6 && rest.size >= 20) {
      put16(c, header + 16, 0);
      put16(c, header + 16, ~slow_sum(rest, slow_sum({b.data + 12, 8}, 6 + rest.size)) & 0xffff);
    } else if (at(b, 9) == 1 && rest.size >= 4) {
      put16(c, header + 2, 0);
      put16(c, header + 2, ~slow_sum(rest) & 0xffff);
    }
  } else if (at(b, 0) / 16 == 6 && b.size >= 40 && 40U + at16(b, 4) <= b.size) {
    const byte_view rest{b.data + 40, at16(b, 4)};
    const unsigned protocol = at(b, 6);
    const std::size_t place = protocol == 6 ? 56 : 42;
    if (rest.size < (protocol == 6 ? 20U : 4U)) return;
    put16(c, place, 0);
    put16(c, place, ~slow_sum(rest, slow_sum({b.data + 8, 32}, protocol + rest.size)) & 0xffff);
  }
}
template <addressing A>
parsed<A> packet(byte_view b) {
  const auto p = read_packet<A>(b);
  expect_named(p.error);
  if (!p) return p;
  exact_copy out(60 + tcp_size(p.segment));
  const std::size_t size = write_packet(p.segment, {out.data(), out.size()});
  expect(size != 0 && size <= out.size(), "a packet that was read can be written");
  const auto again = read_packet<A>({out.data(), size});
  expect(again && same_segment(again.segment, p.segment), "a packet comes back as it was");
  return p;
}
void read_packets(byte_view b) {
  const auto four = packet<ipv4>(b);
  const auto six = packet<ipv6>(b);
  const auto both = packet<dual>(b);
  expect(!four || !six, "no packet is of both versions");
  expect(static_cast<bool>(both) == (four || six), "dual takes what one of the two takes");
  const bool is_four = at(b, 0) / 16 == 4 && !b.empty();
  expect(both.error == (is_four ? four.error : six.error), "dual refuses as the packet's own version does");
  if (four) {
    expect(both.segment.source ==
               basic_endpoint<dual>{dual::mapped(four.segment.source.address), four.segment.source.port},
           "dual knows an IPv4 address by its mapped form");
  }
}
void answer_ping(byte_view b, std::size_t room) {
  exact_copy out(room);
  const echo_answer a = answer_echo(b, {out.data(), out.size()});
  expect(static_cast<unsigned>(a.error) <= static_cast<unsigned>(echo_error::no_room), "every refusal has a name");
  expect(static_cast<bool>(a) == (a.size != 0), "a reply has a size, a refusal has none");
  if (!a) return;
  expect(a.size <= b.size && a.size <= room, "no reply is longer than what provoked it");
  const byte_view r{out.data(), a.size};
  const bool four = at(r, 0) / 16 == 4;
  const std::size_t header = four ? 20 : 40;
  const std::size_t asked = four ? at(b, 0) % 16 * 4 : 40;
  expect((four ? slow_ipv4(r) : slow_ipv6(r)) == parse_error::not_tcp, "a reply is a sound packet");
  expect(at(r, header) == (four ? 0U : 129U), "a reply says that it is one");
  const std::size_t address = four ? 4 : 16;
  const std::size_t first = four ? 12 : 8;
  expect(same_bytes({r.data + first, address}, {b.data + first + address, address}) &&
             same_bytes({r.data + first + address, address}, {b.data + first, address}),
         "it goes where the request came from");
  expect(same_bytes({r.data + header + 4, a.size - header - 4}, {b.data + asked + 4, a.size - header - 4}),
         "it carries what the request carried");
  const byte_view message{r.data + header, a.size - header};
  expect(slow_sum(message, four ? 0 : slow_sum({r.data + 8, 32}, 58 + message.size)) == 0xffff, "its sum is right");
  exact_copy again(a.size);
  expect(answer_echo(r, {again.data(), again.size()}).error == echo_error::not_echo, "nobody answers an answer");
}

void sums(byte_view b, unsigned cut, unsigned start, std::uint32_t value) {
  expect(ones_sum(b, static_cast<std::uint16_t>(start)) == slow_sum(b, start), "the fast sum is the slow one");
  const std::size_t even = std::min<std::size_t>(cut & ~1U, b.size & ~std::size_t{1});
  expect(ones_sum({b.data + even, b.size - even}, ones_sum({b.data, even}, static_cast<std::uint16_t>(start))) ==
             ones_sum(b, static_cast<std::uint16_t>(start)),
         "parts of even size may be summed one by one");
  expect(verify(b) == (slow_sum(b) == 0xffff), "verify asks for ffff");
  if (b.size < 8) return;
  exact_copy c(b);
  put16(c, 0, 0);
  put16(c, 0, checksum(c.view()));
  // All zero has two sums that verify; whoever updates keeps one, whoever computes anew makes the other.
  const auto same = [](unsigned x, unsigned y) { return x == y || (x % 0xffff == 0 && y % 0xffff == 0); };
  const auto field = static_cast<std::uint16_t>(at16(c.view(), 0));
  const std::uint32_t before = at16(c.view(), 4) << 16 | at16(c.view(), 6);
  const std::uint16_t by32 = updated32(field, before, value);
  const std::uint16_t by16 =
      updated(updated(field, static_cast<std::uint16_t>(before >> 16), static_cast<std::uint16_t>(value >> 16)),
              static_cast<std::uint16_t>(before & 0xffff), static_cast<std::uint16_t>(value & 0xffff));
  put16(c, 4, value >> 16);
  put16(c, 6, value & 0xffff);
  put16(c, 0, 0);
  const std::uint16_t anew = checksum(c.view());
  expect(same(by32, anew) && same(by16, anew), "an updated sum is the one that is computed anew");
}

// --- ICMP errors, captures

/// What the quote says is read where RFC 792 and RFC 4443 have it, or refused by name.
template <addressing A>
icmp_report<A> quote(byte_view b) {
  const auto r = read_icmp_error<A>(b);
  expect(static_cast<std::size_t>(r.error) < quote_error_count, "every refusal has a name");
  if (!r) return r;
  const bool four = at(b, 0) / 16 == 4;
  const std::size_t header = four ? at(b, 0) % 16 * 4 : 40;
  const byte_view message{b.data + header, four ? at16(b, 2) - header : at16(b, 4)};
  expect(inside(message, b) && message.size >= 36, "an error quotes an IP header and eight bytes");
  expect(slow_sum(message, four ? 0 : slow_sum({b.data + 8, 32}, 58 + message.size)) == 0xffff, "its sum is right");
  const std::size_t tcp = 8 + (four ? at(message, 8) % 16 * 4 : 40);
  expect(tcp + 8 <= message.size && at(message, four ? 17 : 14) == 6, "it quotes TCP");
  expect(r.about.local_port == at16(message, tcp) && r.about.peer_port == at16(message, tcp + 2) &&
             r.seq == (at16(message, tcp + 4) << 16 | at16(message, tcp + 6)),
         "ports and number are those of the quote");
  return r;
}
void read_errors(byte_view b) {
  const auto four = quote<ipv4>(b);
  const auto six = quote<ipv6>(b);
  const auto both = quote<dual>(b);
  expect(!four || !six, "no error is of both versions");
  expect(static_cast<bool>(both) == (four || six), "dual reads what one of the two reads");
  if (both) expect(both.what == (four ? four.what : six.what), "and says the same of it");
}

/// Every packet lies in the file, behind the one before; a file that cannot be read on says why, for good.
void read_capture(byte_view file) {
  capture_reader reader(file);
  const std::byte* behind_last = file.data;
  std::size_t packets = 0;
  while (const auto p = reader.next()) {
    expect(++packets <= file.size / 12, "no packet without a header");
    expect(inside(p->bytes, file) && inside(p->comment, file), "a packet lies in the file");
    expect(p->bytes.empty() || p->bytes.data >= behind_last, "packets come in the order of the file");
    expect(p->at >= 0, "no packet is older than 1970");
    if (!p->bytes.empty()) behind_last = p->bytes.data + p->bytes.size;
    const unlinked u = without_link(p->link, p->bytes);
    expect(u.error != link_error::none || inside(u.bytes, p->bytes), "a frame's packet lies in the frame");
  }
  const capture_error why = reader.error();
  expect(static_cast<std::size_t>(why) < capture_error_count, "every refusal has a name");
  expect(!reader.next() && reader.error() == why, "the end stays the end");
}
void read_frame(byte_view b, std::uint32_t link) {
  constexpr std::uint32_t links[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 7};
  const unlinked u = without_link(links[link % std::size(links)], b);
  expect(std::strcmp(name(u.error), "?") != 0, "every refusal has a name");
  expect(u.error == link_error::none ? inside(u.bytes, b) && u.bytes.data + u.bytes.size == b.data + b.size
                                     : u.bytes.empty(),
         "a link header is taken off the front, and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const unsigned which = in.byte();
  const bool mend = which >= 128;  // put sums right first: nobody guesses one
  const std::uint32_t extra = which % 8 == 0 ? 0 : in.number();
  exact_copy bytes(in.take(in.left()));
  switch (which % 8) {
    case 0:
      if (which / 8 % 4 == 1) return read_capture(bytes.view()), 0;
      if (which / 8 % 4 == 2) return read_frame(bytes.view(), which / 32), 0;
      if (mend) mend_packet(bytes);
      read_errors(bytes.view());
      break;
    case 1:
      if (mend) mend_packet(bytes);
      read_ipv4(bytes.view());
      read_ipv6(bytes.view());
      break;
    case 2:
      read_options(bytes.view(), mend);
      break;
    case 3:
      read_tcp<ipv4>(exact_copy(bytes.view()), {extra}, {~extra * 3}, mend, extra >> 7);
      break;
    case 4:
      read_tcp<ipv6>(exact_copy(bytes.view()), {{extra, 1, extra * 5, 7}}, {{0xfd770000, extra, 0, 2}}, mend,
                     extra >> 7);
      break;
    case 5:
      if (mend) mend_packet(bytes);
      read_packets(bytes.view());
      break;
    case 6:
      if (mend) mend_packet(bytes);
      answer_ping(bytes.view(), extra % 3 == 0 ? extra % 128 : bytes.size());
      break;
    default:
      sums(bytes.view(), extra >> 16, extra & 0xffff, extra * 2654435761U);
  }
  return 0;
}
