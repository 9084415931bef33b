// SPDX-License-Identifier: BSL-1.0
// wire/pcap.hpp and wire/link.hpp: files of every kind, and what is wrong with those that are broken.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/transport/splitmix64.hpp>
#include <listenq/wire/link.hpp>
#include <listenq/wire/pcap.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace listenq;
using wire::capture_error;
using wire::direction;
using wire::link_error;
using bytes = std::vector<std::byte>;

/// A file in one byte order, written a number at a time.
struct file {
  bool big = false;
  bytes b{};
  file& n(std::uint64_t v, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) b.push_back(static_cast<std::byte>(v >> 8 * (big ? size - 1 - i : i)));
    return *this;
  }
  file& w(std::uint32_t v) { return n(v, 4); }
  file& h(std::uint16_t v) { return n(v, 2); }
  file& z(std::size_t size, unsigned char v = 0xee) {
    b.insert(b.end(), size, std::byte{v});
    return *this;
  }
  byte_view view() const { return {b.data(), b.size()}; }
};

file pcap(bool big, std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link = 1, std::uint16_t version = 2) {
  file f{big};
  return f.w(magic).h(version).h(4).w(0).w(0).w(65535).w(link);
}

file section(bool big) {
  file f{big};
  return f.w(0x0a0d0d0a).w(28).w(0x1a2b3c4d).h(1).h(0).n(~std::uint64_t{0}, 8).w(28);
}
file& interface(file& f, std::uint16_t link, const bytes& options = {}) {
  const auto size = static_cast<std::uint32_t>(20 + options.size());
  f.w(1).w(size).h(link).h(0).w(0);
  f.b.insert(f.b.end(), options.begin(), options.end());
  return f.w(size);
}
file& enhanced(file& f, std::uint32_t which, std::uint64_t ticks, std::uint32_t captured, std::uint32_t size) {
  const std::uint32_t padded = (captured + 3) & ~3U;
  f.w(6).w(32 + padded).w(which).w(static_cast<std::uint32_t>(ticks >> 32)).w(static_cast<std::uint32_t>(ticks));
  return f.w(captured).w(size).z(padded).w(32 + padded);
}
bytes resolution(bool big, std::uint8_t r) { return file{big}.h(9).h(1).n(r, 1).z(3, 0).h(0).h(0).b; }

struct read_result {
  std::vector<wire::captured_packet> packets{};
  capture_error error = capture_error::none;
  std::size_t skipped = 0;
};
read_result read(byte_view b) {
  read_result r;
  wire::capture_reader reader(b);
  while (const auto p = reader.next()) r.packets.push_back(*p);
  r.error = reader.error();
  r.skipped = reader.skipped();
  return r;
}
read_result read(const file& f) { return read(f.view()); }

bytes of(std::initializer_list<unsigned> values) {
  bytes b;
  for (const unsigned v : values) b.push_back(static_cast<std::byte>(v));
  return b;
}
wire::unlinked strip(std::uint32_t link, const bytes& b) { return wire::without_link(link, {b.data(), b.size()}); }

}  // namespace

// Bug: a capture of a machine with the other byte order, or one of `tcpdump --nano`, is refused or read with wrong
// times.
TEST_CASE("pcap: both byte orders, micro- and nanoseconds") {
  for (const bool big : {false, true}) {
    for (const bool nano : {false, true}) {
      CAPTURE(big);
      CAPTURE(nano);
      file f = pcap(big, nano ? 0xa1b23c4d : 0xa1b2c3d4, 0xf000'0071);
      f.w(100).w(nano ? 7000 : 7).w(3).w(60).z(3);
      f.w(101).w(nano ? 999'999'999 : 999'999).w(0).w(0);
      const read_result r = read(f);
      CHECK(r.error == capture_error::none);
      REQUIRE(r.packets.size() == 2);
      CHECK(r.packets[0].at == 100'000'007);
      CHECK(r.packets[0].link == 113);
      CHECK(r.packets[0].bytes.size == 3);
      CHECK(r.packets[0].size == 60);
      CHECK_FALSE(r.packets[0].whole());
      CHECK(r.packets[1].at == 101'999'999);
      CHECK(r.packets[1].whole());
    }
  }
}

// Bug: interfaces of an earlier section, of the other byte order, or of another resolution are mixed up.
TEST_CASE("pcapng: sections of both byte orders, each with interfaces and resolutions of its own") {
  bytes whole;
  for (const bool big : {false, true}) {
    file f = section(big);
    interface(f, 1);
    interface(f, 101, resolution(big, 9));
    interface(f, 113, resolution(big, 0x80 | 10));
    interface(f, 276, resolution(big, 3));
    f.w(0x0bad).w(16).w(0).w(16);  // nothing that anybody knows
    enhanced(f, 0, 5'000'001, 1, 1);
    enhanced(f, 1, 5'000'001'999, 2, 2);
    enhanced(f, 2, 5 * 1024 + 512, 3, 3);
    enhanced(f, 3, 5001, 5, 9);
    whole.insert(whole.end(), f.b.begin(), f.b.end());
  }
  const read_result r = read(byte_view{whole.data(), whole.size()});
  CHECK(r.error == capture_error::none);
  CHECK(r.skipped == 2);
  REQUIRE(r.packets.size() == 8);
  for (std::size_t i = 0; i < 8; i += 4) {
    CAPTURE(i);
    CHECK(r.packets[i].at == 5'000'001);
    CHECK(r.packets[i].link == 1);
    CHECK(r.packets[i + 1].at == 5'000'001);
    CHECK(r.packets[i + 1].link == 101);
    CHECK(r.packets[i + 2].at == 5'500'000);
    CHECK(r.packets[i + 2].bytes.size == 3);
    CHECK(r.packets[i + 3].at == 5'001'000);
    CHECK(r.packets[i + 3].size == 9);
  }
}

// Bug: what the writer of this library writes cannot be read back: direction and comment are lost, or padding counts.
TEST_CASE("pcapng: what pcapng_writer writes comes back") {
  bytes b;
  const auto out = [&b](byte_view v) { b.insert(b.end(), v.begin(), v.end()); };
  wire::pcapng_writer writer{out};
  writer.begin();
  for (std::size_t size = 0; size < 6; ++size) {
    const bytes data(size, std::byte{0x45});
    writer.packet(static_cast<instant>(size) * second, {data.data(), data.size()},
                  size % 2 == 0 ? direction::in : direction::out, size == 3 ? "lost" : "");
  }
  const read_result r = read(byte_view{b.data(), b.size()});
  CHECK(r.error == capture_error::none);
  REQUIRE(r.packets.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(r.packets[i].at == static_cast<instant>(i) * second);
    CHECK(r.packets[i].bytes.size == i);
    CHECK(r.packets[i].way == (i % 2 == 0 ? direction::in : direction::out));
    const byte_view c = r.packets[i].comment;
    CHECK(std::string(reinterpret_cast<const char*>(c.data), c.size) == (i == 3 ? "lost" : ""));
  }
}

// Bug: a Simple Packet Block runs past the snap length, or an obsolete Packet Block's count of drops is its interface.
TEST_CASE("pcapng: simple and obsolete packet blocks") {
  file f = section(false);
  f.w(1).w(20).h(101).h(0).w(4).w(20);  // snap length 4
  f.w(2).w(36).h(0).h(99).w(0).w(77).w(4).w(4).z(4).w(36);
  f.w(3).w(20).w(1500).z(4).w(20);
  const read_result r = read(f);
  CHECK(r.error == capture_error::none);
  REQUIRE(r.packets.size() == 2);
  CHECK(r.packets[0].at == 77);
  CHECK(r.packets[1].at == 77);
  CHECK(r.packets[1].bytes.size == 4);
  CHECK_FALSE(r.packets[1].whole());
}

// Bug: a clock before 1970, an absurd offset or resolution overflows.
TEST_CASE("pcapng: times that cannot be are cut, not wrapped") {
  const auto with_offset = [](std::uint64_t offset, std::uint8_t r, std::uint64_t ticks) {
    instant at[2] = {};
    for (const bool big : {false, true}) {
      file f = section(big);
      interface(f, 1, file{big}.h(9).h(1).n(r, 1).z(3, 0).h(14).h(8).n(offset, 8).h(0).h(0).b);
      enhanced(f, 0, ticks, 0, 0);
      const read_result got = read(f);
      REQUIRE(got.packets.size() == 1);
      at[big ? 1 : 0] = got.packets[0].at;
    }
    CHECK(at[0] == at[1]);
    return at[0];
  };
  CHECK(with_offset(1000, 6, 5) == 1'000'000'005);
  CHECK(with_offset((std::uint64_t{1} << 32) + 1, 6, 5) == 4'294'967'297'000'005);
  CHECK(with_offset(~std::uint64_t{0}, 6, 5) == 0);  // a second before 1970
  CHECK(with_offset(std::uint64_t{1} << 63, 6, 5) == 0);
  CHECK(with_offset((std::uint64_t{1} << 63) - 1, 0, ~std::uint64_t{0}) == instant{1} << 62);
  constexpr std::uint64_t latest = std::uint64_t{1} << 62, half = std::uint64_t{1} << 63;
  CHECK(with_offset(0, 0, half) == latest);  // times a million: beyond 64 bits
  CHECK(with_offset(0, 5, latest / 10) == static_cast<instant>(latest / 10 * 10));
  CHECK(with_offset(0, 5, latest / 10 + 1) == latest);
  CHECK(with_offset(0, 6, latest) == latest);
  CHECK(with_offset(0, 6, half) == latest);
  CHECK(with_offset(0, 0x80, half) == static_cast<instant>(latest / 1'000'000 * 1'000'000));
  CHECK(with_offset(0, 0x80, 3) == 3'000'000);
  CHECK(with_offset(0, 0x80 | 1, 3) == 1'500'000);
  CHECK(with_offset(0, 0x80 | 44, (std::uint64_t{1} << 44) - 1) == 999'999);
  CHECK(with_offset(0, 0x80 | 45, (std::uint64_t{1} << 45) - 1) == 999'999);
  CHECK(with_offset(0, 0x80 | 45, std::uint64_t{3} << 44) == 1'500'000);
  CHECK(with_offset(0, 0x80 | 64, half) == 500'000);
  CHECK(with_offset(0, 0x80 | 83, half) == 0);
  CHECK(with_offset(0, 0x80 | 65, half) == 250'000);
  CHECK(with_offset(~std::uint64_t{0}, 6, 1'000'001) == 1);
  CHECK(with_offset(0, 127, ~std::uint64_t{0}) == 0);
  CHECK(with_offset(0, 0x80 | 63, std::uint64_t{1} << 63) == 1'000'000);
  CHECK(with_offset(0, 0x80 | 127, ~std::uint64_t{0}) == 0);
}

// Bug: a broken file is read beyond its end, or its reader does not come to an end.
TEST_CASE("captures: each fault has its name, and the packets before it are good") {
  CHECK(read(byte_view{}).error == capture_error::not_a_capture);
  CHECK(read(file{}.w(0x12345678)).error == capture_error::not_a_capture);
  CHECK(read(pcap(false, 0xa1b2c3d4, 1, 3)).error == capture_error::unknown_version);
  CHECK(read(file{}.w(0xa1b2c3d4).w(0)).error == capture_error::truncated);
  CHECK(read(pcap(false)).error == capture_error::none);

  const auto fault = [](const file& f, std::size_t good) {
    const read_result r = read(f);
    CHECK(r.packets.size() == good);
    return r.error;
  };
  file cut = pcap(true);
  cut.w(0).w(0).w(2).w(2).z(2).w(0).w(0).w(9).w(9).z(8);
  CHECK(fault(cut, 1) == capture_error::truncated);
  CHECK(fault(section(false).w(6), 0) == capture_error::truncated);
  CHECK(fault(section(false).w(1).w(20).w(0), 0) == capture_error::truncated);
  CHECK(fault(section(false).w(5).w(8).w(8), 0) == capture_error::bad_block);    // shorter than a block can be
  CHECK(fault(section(false).w(5).w(14).z(10), 0) == capture_error::bad_block);  // no multiple of four
  CHECK(fault(section(false).w(5).w(12).w(16), 0) == capture_error::bad_block);  // two lengths
  CHECK(fault(section(false).w(1).w(12).w(12), 0) == capture_error::bad_block);  // an interface without a link type
  CHECK(fault(section(false).w(3).w(16).w(0).w(16), 0) == capture_error::unknown_interface);
  file nobody = section(false);
  interface(nobody, 1);
  enhanced(nobody, 0, 0, 1, 1);
  enhanced(nobody, 1, 0, 1, 1);
  CHECK(fault(nobody, 1) == capture_error::unknown_interface);
  file large = section(false);
  interface(large, 1);
  large.w(6).w(32).w(0).w(0).w(0).w(1).w(1).w(32);
  CHECK(fault(large, 0) == capture_error::bad_block);
  file many = section(false);
  for (std::size_t i = 0; i <= wire::capture_reader::most_interfaces; ++i) interface(many, 1);
  CHECK(fault(many, 0) == capture_error::too_many_interfaces);
  CHECK(fault(file{}.w(0x0a0d0d0a).w(28).w(0x11223344), 0) == capture_error::bad_block);
  CHECK(fault(file{}.w(0x0a0d0d0a).w(28).w(0x1a2b3c4d).h(2).h(0).n(0, 8).w(28), 0) == capture_error::unknown_version);
}

// Bug: a length that nobody checked. With ASan every byte beyond the file is noticed.
TEST_CASE("captures: no file, cut or damaged anywhere, is read beyond its end") {
  file ng = section(true);
  interface(ng, 1, resolution(true, 9));
  for (std::uint32_t i = 0; i < 4; ++i) enhanced(ng, 0, i, 5, 50);
  file old = pcap(false);
  for (std::uint32_t i = 0; i < 4; ++i) old.w(i).w(0).w(5).w(5).z(5);
  splitmix64 random(1);
  std::size_t packets = 0;
  for (const file* f : {&ng, &old}) {
    for (std::size_t n = 0; n <= f->b.size(); ++n) {
      const bytes part(f->b.begin(), f->b.begin() + static_cast<std::ptrdiff_t>(n));
      const read_result r = read(byte_view{part.data(), part.size()});
      CHECK(r.packets.size() <= 4);
      packets += r.packets.size();
    }
    for (int i = 0; i < 3000; ++i) {
      bytes damaged = f->b;
      for (int k = 0; k < 3; ++k) {
        damaged[random.up_to(damaged.size() - 1)] = static_cast<std::byte>(random.up_to(255));
      }
      std::size_t sum = 0;
      for (const auto& p : read(byte_view{damaged.data(), damaged.size()}).packets) {
        for (const std::byte x : p.bytes) sum += std::to_integer<std::size_t>(x);
        CHECK(p.at >= 0);
      }
      packets += sum != 0 ? 1 : 0;
    }
  }
  CHECK(packets > 100);
}

// Bug: a header length that is off by some bytes: every packet of `tcpdump -i any` becomes garbage.
TEST_CASE("link layers: what stands before the IP header is taken off") {
  bytes ethernet(12, std::byte{0xaa});
  const auto add = [](bytes b, std::initializer_list<unsigned> more) {
    for (const unsigned v : more) b.push_back(static_cast<std::byte>(v));
    return b;
  };
  const auto first_of = [](const wire::unlinked& u) {
    REQUIRE(u.error == link_error::none);
    REQUIRE(u.bytes.size == 1);
    return std::to_integer<unsigned>(u.bytes.data[0]);
  };
  CHECK(first_of(strip(1, add(ethernet, {8, 0, 0x45}))) == 0x45);
  CHECK(first_of(strip(1, add(ethernet, {0x86, 0xdd, 0x60}))) == 0x60);
  CHECK(first_of(strip(1, add(ethernet, {0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0, 0x45}))) == 0x45);
  CHECK(strip(1, add(ethernet, {8, 6, 0})).error == link_error::not_ip);
  CHECK(strip(1, ethernet).error == link_error::too_short);
  CHECK(strip(1, add(ethernet, {0x81, 0, 0})).error == link_error::too_short);
  for (const std::uint32_t raw : {12U, 14U, 101U, 228U, 229U}) CHECK(first_of(strip(raw, of({0x45}))) == 0x45);

  const bytes cooked = of({0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0, 0x45});
  CHECK(first_of(strip(113, cooked)) == 0x45);
  CHECK(strip(113, cooked).way == direction::out);
  CHECK(strip(113, of({0, 0})).error == link_error::too_short);
  const bytes cooked_2 = of({0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x60});
  CHECK(first_of(strip(276, cooked_2)) == 0x60);
  CHECK(strip(276, cooked_2).way == direction::in);

  for (const unsigned family : {2U, 10U, 24U, 28U, 30U}) {
    CHECK(first_of(strip(0, of({family, 0, 0, 0, 0x45}))) == 0x45);
    CHECK(first_of(strip(0, of({0, 0, 0, family, 0x45}))) == 0x45);
    CHECK(first_of(strip(108, of({0, 0, 0, family, 0x45}))) == 0x45);
  }
  CHECK(strip(0, of({7, 0, 0, 0, 0x45})).error == link_error::not_ip);
  CHECK(strip(0, of({2, 0, 0})).error == link_error::too_short);
  CHECK(strip(105, of({0x45})).error == link_error::unknown_link);
}

// Bug caught: an option of another size read as the one it is named for, or a second one that replaces the first.
TEST_CASE("pcapng: an option counts if its size is right, and of comments the first") {
  file f = section(false);
  interface(f, 1, file{}.h(14).h(4).w(7).h(9).h(2).w(3).h(0).h(0).b);  // an offset and a resolution of wrong sizes
  const auto with = [&f](const bytes& options) {
    const auto size = static_cast<std::uint32_t>(32 + options.size());
    f.w(6).w(size).w(0).w(0).w(5).w(0).w(0);
    f.b.insert(f.b.end(), options.begin(), options.end());
    f.w(size);
  };
  with(file{}.h(1).h(1).z(1, 'a').z(3, 0).h(1).h(1).z(1, 'b').z(3, 0).h(2).h(4).w(2).b);
  with(file{}.h(2).h(2).h(1).h(0).b);  // flags of two bytes
  with(file{}.h(2).h(4).w(3).b);       // a direction that nobody has named
  with(file{}.h(2).h(4).w(0xfffffffd).b);
  const read_result r = read(f);
  REQUIRE(r.packets.size() == 4);
  CHECK(r.packets[0].at == 5);
  REQUIRE(r.packets[0].comment.size == 1);
  CHECK(*r.packets[0].comment.data == std::byte{'a'});
  CHECK(r.packets[0].way == direction::out);
  CHECK(r.packets[1].way == direction::unknown);
  CHECK(r.packets[2].way == direction::unknown);
  CHECK(r.packets[3].way == direction::in);
}

// Bug caught: a body shorter than its fixed part read all the same; a snap length taken where there is none.
TEST_CASE("pcapng: packet blocks of every size, with and without a snap length") {
  const auto fault = [](std::uint32_t type, std::size_t body) {
    file f = section(false);
    interface(f, 1);
    const auto total = static_cast<std::uint32_t>(12 + body);
    const read_result r = read(f.w(type).w(total).z(body, 0).w(total));
    CHECK(r.packets.size() == (r.error == capture_error::none ? 1 : 0));
    return r.error;
  };
  for (const std::uint32_t type : {2U, 6U}) {
    for (std::size_t body = 0; body < 20; body += 4) CHECK(fault(type, body) == capture_error::bad_block);
    CHECK(fault(type, 20) == capture_error::none);
  }
  CHECK(fault(3, 0) == capture_error::bad_block);
  CHECK(fault(3, 4) == capture_error::none);
  const auto simple = [](std::uint32_t snap, std::uint32_t size) {
    file f = section(false);
    f.w(1).w(20).h(101).h(0).w(snap).w(20);
    return read(f.w(3).w(24).w(size).z(8).w(24));
  };
  for (const std::uint32_t snap : {0U, 8U, 9U}) {
    REQUIRE(simple(snap, 8).packets.size() == 1);
    CHECK(simple(snap, 8).packets[0].bytes.size == 8);
    CHECK(simple(snap, 8).packets[0].whole());
  }
  CHECK(simple(0, 9).error == capture_error::bad_block);
  CHECK(simple(0, 9).packets.empty());
  CHECK(simple(9, 9).error == capture_error::bad_block);
  REQUIRE(simple(5, 100).packets.size() == 1);
  CHECK(simple(5, 100).packets[0].bytes.size == 5);
}

// Bug caught: a frame of endless tags walked to its end, the old tag of 802.1QinQ not known.
TEST_CASE("link layers: up to four VLAN tags of three kinds; a cooked packet for others has no direction") {
  const auto tagged = [](std::size_t tags, unsigned type) {
    bytes b(12, std::byte{0xaa});
    for (std::size_t i = 0; i < tags; ++i) {
      for (const unsigned v : {type >> 8, type & 0xff, 0U, 1U}) b.push_back(static_cast<std::byte>(v));
    }
    for (const unsigned v : {8U, 0U, 0x45U}) b.push_back(static_cast<std::byte>(v));
    return b;
  };
  for (const unsigned type : {0x8100U, 0x88a8U, 0x9100U}) {
    for (std::size_t tags = 0; tags <= 4; ++tags) CHECK(strip(1, tagged(tags, type)).bytes.size == 1);
    CHECK(strip(1, tagged(5, type)).error == link_error::not_ip);
  }
  for (const unsigned kind : {1U, 2U, 3U, 5U}) {
    CHECK(strip(113, of({0, kind, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0, 0x45})).way == direction::unknown);
  }
  bytes cooked_2(19);
  CHECK(strip(276, cooked_2).error == link_error::too_short);
  cooked_2.resize(20);
  CHECK(strip(276, cooked_2).error == link_error::not_ip);
}

// Bug caught: a frame of nothing but its link header refused, or one that is a byte shorter read.
TEST_CASE("link layers: a header is enough, a byte less is not; directions are those of the header") {
  struct row {
    std::uint32_t link;
    bytes header;
  };
  const bytes ethernet = of({1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 8, 0});
  const bytes tagged = of({1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 0x81, 0, 0, 1, 8, 0});
  const bytes cooked = of({0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0});
  const bytes cooked_2 = of({8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0});
  for (const row& r : {row{1, ethernet}, {1, tagged}, {113, cooked}, {276, cooked_2}, {0, of({2, 0, 0, 0})}}) {
    CAPTURE(r.link);
    CHECK(strip(r.link, r.header).error == link_error::none);
    CHECK(strip(r.link, r.header).bytes.size == 0);
    bytes shorter = r.header;
    shorter.pop_back();
    CHECK(strip(r.link, shorter).error == link_error::too_short);
  }
  CHECK(strip(1, ethernet).way == direction::unknown);
  CHECK(strip(113, cooked).way == direction::in);
  CHECK(strip(276, cooked_2).way == direction::out);
  CHECK(strip(0, of({0, 1, 0, 2})).error == link_error::not_ip);
}

TEST_CASE("captures and links: every error has its own name") {
  std::vector<std::string> names;
  for (int e = 0; e <= static_cast<int>(link_error::not_ip); ++e) names.emplace_back(name(static_cast<link_error>(e)));
  CHECK(names == std::vector<std::string>{"none", "unknown_link", "link_too_short", "not_ip"});
}

// Bug caught: any of these read as something else, or beyond its end.
TEST_CASE("captures: the shortest beginnings of each kind") {
  CHECK(read(file{}.w(0xa1b2c3d4)).error == capture_error::truncated);
  CHECK(read(file{}.w(0x0a0d0d0a)).error == capture_error::truncated);
  CHECK(read(file{}.w(0x0a0d0d0a).w(28).w(0x1a2b3c4d).h(2)).error == capture_error::truncated);
  CHECK(read(section(true)).error == capture_error::none);
  const read_result empty = read(section(false).w(0x0bad).w(12).w(12));  // a block of nothing
  CHECK(empty.error == capture_error::none);
  CHECK(empty.skipped == 1);
  CHECK(read(section(false).w(0x0bad).w(14).z(2).w(14).z(14)).error == capture_error::bad_block);
  // A section header shorter than one can be.
  const file s = file{}.w(0x0a0d0d0a).w(24).w(0x1a2b3c4d).h(1).h(0).w(~0U).w(24).w(0x0bad).w(12).w(12);
  CHECK(read(s).error == capture_error::bad_block);
  file rest = pcap(false);
  rest.w(0).w(0).w(2).w(2).z(2).z(15);
  CHECK(read(rest).packets.size() == 1);
  CHECK(read(rest).error == capture_error::truncated);
}

// Bug caught: an interface that an earlier section has described.
TEST_CASE("pcapng: a section begins without interfaces") {
  file f = section(false);
  interface(f, 1);
  const file next = section(false);
  f.b.insert(f.b.end(), next.b.begin(), next.b.end());
  enhanced(f, 0, 5, 1, 1);
  CHECK(read(f).packets.empty());
  CHECK(read(f).error == capture_error::unknown_interface);
}

// Bug caught: a packet that begins some bytes off, with the bytes of its header.
TEST_CASE("captures: a packet's bytes are those behind its header") {
  file old = pcap(false);
  old.w(0).w(0).w(3).w(3).z(1, 'a').z(1, 'b').z(1, 'c');
  file ng = section(false);
  ng.w(1).w(20).h(101).h(0).w(0).w(20);
  interface(ng, 113);
  ng.w(3).w(20).w(3).z(1, 'a').z(1, 'b').z(1, 'c').z(1).w(20);
  ng.w(6).w(36).w(1).w(0).w(5).w(3).w(3).z(1, 'a').z(1, 'b').z(1, 'c').z(1).w(36);
  std::size_t packets = 0;
  for (const file* f : {&old, &ng}) {
    for (const auto& p : read(*f).packets) {
      ++packets;
      CHECK(std::string(reinterpret_cast<const char*>(p.bytes.data), p.bytes.size) == "abc");
    }
  }
  CHECK(packets == 3);
  CHECK(read(ng).packets[0].link == 101);  // a simple packet is the first interface's
  CHECK(read(ng).packets[0].at == 0);      // and has the time of the one before
  CHECK(read(ng).packets[1].link == 113);
}

// Bug caught: options of the next block, of behind the end of the list, or of a size that reaches out of it.
TEST_CASE("pcapng: a list of options ends where it ends") {
  const auto comment_of = [](const bytes& options) {
    file f = section(false);
    interface(f, 1);
    interface(f, 1);
    const auto size = static_cast<std::uint32_t>(32 + options.size());
    f.w(6).w(size).w(0).w(0).w(5).w(0).w(0);
    f.b.insert(f.b.end(), options.begin(), options.end());
    f.w(size);
    enhanced(f, 1, (std::uint64_t{0x0001'0001} << 32) + 5, 4, 4);
    const read_result r = read(f);
    REQUIRE(r.packets.size() == 2);
    CHECK(r.packets[1].comment.empty());
    return r.packets[0].comment.size;
  };
  CHECK(comment_of(file{}.h(1).h(4).w(0).b) == 4);  // no end: the block's is
  CHECK(comment_of(file{}.h(3).h(4).w(0).b) == 0);
  CHECK(comment_of(file{}.h(0).h(0).h(1).h(4).w(0).b) == 0);
  CHECK(comment_of(file{}.h(1).h(5).w(0).b) == 0);
  CHECK(comment_of(file{}.h(1).h(8).w(0).b) == 0);
  CHECK(comment_of(file{}.h(1).h(400).w(0).b) == 0);
}

TEST_CASE("pcapng: options of the same size as those that count mean something else") {
  file f = section(false);
  interface(f, 1, file{}.h(8).h(8).n(77, 8).h(12).h(1).n(3, 1).z(3, 0).h(0).h(0).b);  // speed, OS
  f.w(6).w(40).w(0).w(0).w(5).w(0).w(0).h(6).h(4).w(2).w(40);                         // queue 2
  const read_result r = read(f);
  REQUIRE(r.packets.size() == 1);
  CHECK(r.packets[0].at == 5);
  CHECK(r.packets[0].way == direction::unknown);
}
