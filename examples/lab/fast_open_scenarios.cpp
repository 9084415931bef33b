// SPDX-License-Identifier: BSL-1.0
// Fast open: who gets a cookie, what a cookie opens, how many may be unfinished, and what a reset costs.
#include "bench.hpp"
#include "matrix.hpp"

namespace lab {

namespace {

constexpr std::uint16_t probe = 61000;
constexpr int backlog = 8;
constexpr std::uint32_t bound = 2;
constexpr std::size_t bytes = 13;

class fast_bench : public bench {
 public:
  explicit fast_bench(const preset_entry& p)
      : bench(p, backlog, {{tunable::fastopen, 3}, {tunable::fastopen_qlen, bound}}) {}

  std::optional<outcome> fast_syn(std::uint16_t port, const fast_open_option& o) {
    segment s = from(port, flag::syn, 0, 0, bytes);
    s.options = usual_options();
    s.options.fast_open = o;
    return put(s);
  }
  /// What the SYN-ACK to such a SYN has for an option; absent if there is none.
  fast_open_option offered(std::uint16_t port, const fast_open_option& o) {
    taken();
    fast_syn(port, o);
    const auto all = taken();
    return all.empty() ? fast_open_option{} : all.back().segment.options.fast_open;
  }
  bool opens(std::uint16_t port, const fast_open_option& o) {
    return fast_syn(port, o)->verdict == verdict::fast_opened;
  }
};

fast_open_option request(bool experimental) {
  fast_open_option o = fast_open_option::request();
  o.experimental = experimental;
  return o;
}

/// A reset after accept(), then another SYN so much later.
std::string after_reset(const preset_entry& p, const fast_open_option& cookie, bool accepted, instant later) {
  fast_bench b(p);
  b.opens(probe, cookie);
  if (accepted) b.kernel().accept(b.now());
  b.put(b.from(probe, flag::rst, 1 + bytes));
  for (std::uint32_t i = 1; i < bound; ++i) b.opens(static_cast<std::uint16_t>(probe + i), cookie);
  b.pass(later);
  return b.opens(probe + 100, cookie) ? "opens" : "ordinary";
}

std::vector<std::string> fast_open_row(const preset_entry& p) {
  fast_bench b(p);
  const fast_open_option usual = b.offered(probe + 10, request(false));
  const fast_open_option experimental = b.offered(probe + 11, request(true));
  const fast_open_option cookie = usual.present() ? usual : experimental;
  if (!cookie.has_cookie()) return {};
  std::vector<std::string> cells{usual.present() && experimental.present() ? "34, 254"
                                 : usual.present()                         ? "34"
                                                                           : "254"};
  b.taken();
  cells.push_back(b.opens(probe, cookie) ? "opens" : "ordinary");
  const auto reply = b.taken();
  cells.back() += ", " + std::to_string(reply.back().segment.ack - b.from(probe, flag::none, 1).seq) + " bytes acked";
  fast_open_option wrong = cookie;
  wrong.bytes[0] ^= 1;
  cells.push_back(b.offered(probe + 1, wrong).same_cookie(cookie) ? "ordinary, the right one" : "ordinary");
  std::uint32_t open = 1;
  while (open < 100 && b.opens(static_cast<std::uint16_t>(probe + 20 + open), cookie)) ++open;
  cells.push_back(std::to_string(open));
  cells.push_back(after_reset(p, cookie, false, 0));
  cells.push_back(after_reset(p, cookie, true, 59 * second));
  cells.push_back(after_reset(p, cookie, true, 60 * second));
  return cells;
}

}  // namespace

std::vector<matrix_table> fast_open_tables() {
  return {
      {"fast_open",
       "Fast open",
       "Backlog 8, tcp_fastopen 3, TCP_FASTOPEN 2. In which option (kind) a cookie can be asked for; what a SYN with "
       "13 bytes meets that shows it, or a wrong one; how many connections can be unfinished. Then, one of two "
       "having been reset by its peer before or after accept(), what the next SYN with the cookie meets.",
       {"option", "its cookie", "a wrong one", "unfinished", "reset before", "reset after, 59 s", "60 s"},
       fast_open_row}};
}

}  // namespace lab
