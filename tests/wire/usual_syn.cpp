// SPDX-License-Identifier: BSL-1.0
// Short ways of wire/tcp.hpp: a SYN as Linux sends it is read and written without a look at anything else. Here each is
// held against the way that any packet goes.
#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <listenq/wire/tcp.hpp>
#include <vector>

namespace {

using namespace listenq;
using wire::checksums;
using wire::option_fault;
using wire::parse_error;

struct generator {
  std::uint64_t state;
  std::uint32_t operator()() {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state >> 32);
  }
  std::uint32_t below(std::uint32_t n) { return (*this)() % n; }
};

using bytes = std::vector<std::byte>;
byte_view view(const bytes& b) { return {b.data(), b.size()}; }

template <addressing A>
bool same(const basic_segment<A>& s, const basic_segment<A>& t) {
  return s.source == t.source && s.destination == t.destination && s.seq == t.seq && s.ack == t.ack &&
         s.flags == t.flags && s.window == t.window && s.options == t.options && s.payload.data == t.payload.data &&
         s.payload.size == t.payload.size;
}

/// Read as any packet, as `read_packet` does and into a place: all the same; the place is left alone by what is none.
template <addressing A>
bool all_ways_agree(byte_view packet, checksums check) {
  const wire::parsed<A> any = wire::detail::read_any_packet<A>(packet, check);
  const wire::parsed<A> read = wire::read_packet<A>(packet, check);
  basic_segment<A> before;
  before.seq = 77;
  before.options.fast_open = fast_open_option::request();
  basic_segment<A> place = before;
  return read.error == any.error && read.fault == any.fault && same(read.segment, any.segment) &&
         wire::read_packet_into(place, packet, check) == any.error && same(place, any ? any.segment : before);
}
bool both_ways_agree(byte_view packet) {
  for (const checksums check : {checksums::verify, checksums::trust}) {
    if (!all_ways_agree<ipv4>(packet, check) || !all_ways_agree<dual>(packet, check)) return false;
  }
  return true;
}
bool takes_the_short_way(byte_view packet, checksums check = checksums::verify) {
  return wire::detail::holds_usual_syn(packet, check);
}

/// Puts both sums right, where there is room for them.
void mend(bytes& b) {
  const std::size_t header = std::size_t{wire::load8(b.data()) & 0x0fU} * 4;
  const std::size_t total = wire::load16(b.data() + 2);
  if (header < 20 || header > total || total > b.size()) return;
  wire::store16(b.data() + 10, 0);
  wire::store16(b.data() + 10, wire::checksum({b.data(), header}));
  if (total - header < 18) return;
  const std::uint16_t start = wire::pseudo_header_sum(ipv4::address{wire::load32(b.data() + 12)},
                                                      ipv4::address{wire::load32(b.data() + 16)}, total - header);
  wire::store16(b.data() + header + 16, 0);
  wire::store16(b.data() + header + 16, wire::checksum({b.data() + header, total - header}, start));
}

segment usual_syn(generator& random) {
  segment s;
  s.source = {{random()}, static_cast<std::uint16_t>(random())};
  s.destination = {{random()}, static_cast<std::uint16_t>(random())};
  s.seq = random();
  s.ack = random();
  s.flags = flags{static_cast<std::uint8_t>(random())} | flag::syn;
  s.window = static_cast<std::uint16_t>(random());
  s.options = {.mss = static_cast<std::uint16_t>(random() | 1U),
               .window_scale = static_cast<std::uint8_t>(random.below(15)),
               .sack_permitted = true,
               .timestamps = true,
               .ts_value = random(),
               .ts_echo = random()};
  return s;
}
bytes written(const segment& s) {
  bytes b(1600);
  b.resize(wire::detail::write_any_packet<20>(s, s.source.address, s.destination.address, {b.data(), b.size()}));
  return b;
}

template <addressing A>
typename A::address in(ipv4::address a) {
  if constexpr (std::same_as<A, ipv4>) {
    return a;
  } else if constexpr (std::same_as<A, dual>) {
    return dual::mapped(a);
  } else {
    return {{a.value, 1, 2, a.value}};
  }
}
/// Written both ways into `room` bytes: the same size, and the same bytes if there is one.
template <addressing A, std::size_t IpSize, class Address>
bool writers_agree(const basic_segment<A>& s, const Address& from, const Address& to, std::size_t room) {
  bytes a(room, std::byte{0xee}), b(room, std::byte{0xee});
  const std::size_t n = wire::write_packet(s, {a.data(), room});
  if (n != wire::detail::write_any_packet<IpSize>(s, from, to, {b.data(), room})) return false;
  return n == 0 || a == b;
}
bool writers_agree(const segment& s, std::size_t room) {
  const ipv4::address from = s.source.address, to = s.destination.address;
  const auto as = [&s]<addressing A>(A) {
    return readdressed<A>(s, {in<A>(s.source.address), s.source.port},
                          {in<A>(s.destination.address), s.destination.port});
  };
  bytes a(room, std::byte{0xee}), b(room, std::byte{0xee});
  const std::size_t n = wire::write_tcp(s, {a.data(), room});
  return n == wire::detail::write_any_tcp(s, {b.data(), room}) && (n == 0 || a == b) &&
         writers_agree<ipv4, 20>(s, from, to, room) && writers_agree<dual, 20>(as(dual{}), from, to, room) &&
         writers_agree<ipv6, 40>(as(ipv6{}), in<ipv6>(from), in<ipv6>(to), room);
}

}  // namespace

// Bug caught: a field read from another place than the general reader's.
TEST_CASE("a usual SYN is read the short way, and as any other") {
  generator random{21};
  for (int i = 0; i < 2000; ++i) {
    bytes b = written(usual_syn(random));
    REQUIRE(b.size() == 60);
    // What is free in it: DSCP, identification, a reserved bit and DF, TTL, reserved bits and the urgent pointer of
    // TCP.
    wire::store8(b.data() + 1, static_cast<std::uint8_t>(random()));
    wire::store16(b.data() + 4, static_cast<std::uint16_t>(random()));
    wire::store16(b.data() + 6, static_cast<std::uint16_t>(random.below(4) << 14));
    wire::store8(b.data() + 8, static_cast<std::uint8_t>(random()));
    wire::store8(b.data() + 32, static_cast<std::uint8_t>(0xa0U | random.below(16)));
    wire::store16(b.data() + 38, static_cast<std::uint16_t>(random()));
    wire::store8(b.data() + 59, static_cast<std::uint8_t>(random()));  // a window scale above 14, too
    if (i % 8 == 0) wire::store16(b.data() + 42, 0);                   // an MSS of 0 is none
    mend(b);
    REQUIRE(takes_the_short_way(view(b)));
    REQUIRE(both_ways_agree(view(b)));
    REQUIRE(wire::read_packet<ipv4>(view(b)).segment.payload.empty());
    // With padding of the link behind it.
    b.resize(60 + random.below(5), std::byte{0xaa});
    REQUIRE(takes_the_short_way(view(b)));
    REQUIRE(both_ways_agree(view(b)));
  }
}

// Bug caught: a condition of the short way that is missing, so that it takes what is another packet or none.
TEST_CASE("a usual SYN with any byte changed is read as the general way reads it, sums put right or not") {
  generator random{22};
  for (int i = 0; i < 4; ++i) {
    const bytes sound = written(usual_syn(random));
    for (std::size_t at = 0; at < sound.size(); ++at) {
      for (unsigned to = 0; to < 256; ++to) {
        bytes b = sound;
        b[at] = static_cast<std::byte>(to);
        CAPTURE(at);
        CAPTURE(to);
        REQUIRE(both_ways_agree(view(b)));
        mend(b);
        REQUIRE(both_ways_agree(view(b)));
        b.resize(80);  // a length that says more is true now
        mend(b);
        REQUIRE(both_ways_agree(view(b)));
      }
    }
  }
}

// Bug caught: a read beyond the end (under ASan), or a short packet taken.
TEST_CASE("a usual SYN that is cut short anywhere is refused as the general way refuses it") {
  generator random{23};
  const bytes sound = written(usual_syn(random));
  for (std::size_t size = 0; size < sound.size(); ++size) {
    const bytes b(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size));
    CAPTURE(size);
    REQUIRE_FALSE(takes_the_short_way(view(b)));
    REQUIRE(both_ways_agree(view(b)));
    if (size < 20) continue;
    bytes whole = b;  // the length says so, too
    wire::store16(whole.data() + 2, static_cast<std::uint16_t>(size));
    mend(whole);
    REQUIRE(both_ways_agree(view(whole)));
  }
}

// Bug caught: a sum that is not looked at, or looked at where the hardware has seen to it.
TEST_CASE("a usual SYN with a wrong sum does not pass the short way: IP's never, TCP's only if it is trusted") {
  generator random{24};
  const bytes sound = written(usual_syn(random));
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    bytes b = sound;
    b[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CAPTURE(bit);
    REQUIRE_FALSE(takes_the_short_way(view(b)));
    REQUIRE_FALSE(wire::read_packet<ipv4>(view(b)));
    REQUIRE((bit >= 160 || !takes_the_short_way(view(b), checksums::trust)));
  }
  bytes b = sound;
  wire::store16(b.data() + 36, static_cast<std::uint16_t>(wire::load16(b.data() + 36) + 1));
  REQUIRE(takes_the_short_way(view(b), checksums::trust));
  REQUIRE(wire::read_packet<ipv4>(view(b)).error == parse_error::bad_checksum);
}

// Bug caught: one of the two layouts read word by word that has a word of another kind, or that is not recognised.
TEST_CASE("options in the usual layouts are read the short way, and nothing else is") {
  generator random{26};
  for (const bool syn : {true, false}) {
    bytes usual(syn ? 20 : 12);
    const tcp_options all = usual_syn(random).options;
    REQUIRE(wire::options_size(all, syn) == usual.size());
    wire::write_options(all, syn, usual.data());
    for (std::size_t at = 0; at < usual.size(); ++at) {
      for (unsigned to = 0; to < 256; ++to) {
        CAPTURE(at);
        CAPTURE(to);
        bytes b = usual;
        b[at] = static_cast<std::byte>(to);
        const bool value = syn ? (at >= 2 && at < 4) || (at >= 8 && at < 16) || at == 19 : at >= 4;
        const bool is_usual = value || b == usual;
        tcp_options fast, slow;
        REQUIRE(wire::detail::read_usual_options(fast, view(b), syn) == is_usual);
        const option_fault fault = wire::detail::read_option_list(slow, view(b), syn);
        REQUIRE(fast == (is_usual ? slow : tcp_options{}));
        REQUIRE((fault == option_fault::none || !is_usual));
        const wire::parsed_options either = wire::parse_options(view(b), syn);
        REQUIRE(either.options == slow);
        REQUIRE(either.fault == fault);
      }
    }
    for (std::size_t size = 0; size <= 40; ++size) {
      bytes b = usual;
      b.resize(size, std::byte{1});
      tcp_options o;
      CAPTURE(size);
      REQUIRE(wire::detail::read_usual_options(o, view(b), syn) == (size == usual.size()));
      REQUIRE_FALSE(wire::detail::read_usual_options(o, view(b), !syn));
    }
  }
}

// Bug caught: a packet of IPv6, for which there is no short way, that is not read into its place, or is though it is
// none.
TEST_CASE("a packet of IPv6 is read into its place, too") {
  generator random{27};
  const segment s = usual_syn(random);
  const auto six = readdressed<ipv6>(s, {{{1, 2, 3, 4}}, 5}, {{{6, 7, 8, 9}}, 10});
  bytes b(80);
  REQUIRE(wire::write_packet(six, {b.data(), b.size()}) == 80);
  REQUIRE(all_ways_agree<ipv6>(view(b), checksums::verify));
  REQUIRE(all_ways_agree<dual>(view(b), checksums::verify));
  b[79] ^= std::byte{1};
  REQUIRE(all_ways_agree<ipv6>(view(b), checksums::verify));
  REQUIRE(all_ways_agree<dual>(view(b), checksums::verify));
}

// Bug caught: something that has no place in 40 bytes left out, or written over what follows; a size that is too small.
TEST_CASE("a SYN is written the same way, usual or not, into as many bytes and into fewer") {
  generator random{25};
  const bytes payload(7, std::byte{0x5a});
  for (int i = 0; i < 3000; ++i) {
    segment s = usual_syn(random);
    tcp_options& o = s.options;
    switch (random.below(9)) {
      case 0:
        s.flags = s.flags.without(flag::syn);
        break;
      case 1:
        o.mss = 0;
        break;
      case 2:
        o.sack_permitted = false;
        break;
      case 3:
        o.timestamps = false;
        break;
      case 4:
        o.window_scale = tcp_options::no_window_scale;
        break;
      case 5:
        o.window_scale = static_cast<std::uint8_t>(random.below(255));
        break;
      case 6:
        o.fast_open.size = static_cast<std::uint8_t>(random.below(18));
        break;
      case 7:
        s.payload = {payload.data(), random.below(8)};
        break;
      default:
        break;
    }
    for (const std::size_t room : {0U, 20U, 39U, 40U, 59U, 60U, 61U, 79U, 80U, 81U, 100U}) {
      CAPTURE(room);
      REQUIRE(writers_agree(s, room));
    }
  }
}

// Bug caught: a short way that needs a run time.
static_assert([] {
  segment s{.source = {ip(1, 2, 3, 4), 5}, .destination = {ip(6, 7, 8, 9), 10}, .seq = 11, .flags = flag::syn};
  s.options = {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = true, .ts_value = 12};
  std::array<std::byte, 60> b{};
  if (wire::write_packet(s, {b.data(), b.size()}) != 60) return false;
  if (!wire::detail::holds_usual_syn({b.data(), b.size()}, checksums::verify)) return false;
  const auto read = wire::read_packet<dual>({b.data(), b.size()});
  return read && read.segment.source.address == dual::mapped(ip(1, 2, 3, 4)) && read.segment.seq == 11 &&
         read.segment.options == s.options;
}());
