// SPDX-License-Identifier: BSL-1.0
#include "inject_script.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include "segment_text.hpp"
#include "usage.hpp"

namespace lab {

const char* const script_help =
    "Standard input, a line each; empty lines and what follows a # are ignored:\n"
    "  TIME PORT FLAGS SEQ ACK LEN [OPTIONS]   a segment from that client port arrives\n"
    "  TIME accept [N|all]                     the server accepts (1)\n"
    "  TIME close [PORT]                       it closes the listener, or that connection\n"
    "  TIME send PORT N, TIME recv PORT N      it sends N bytes, reads up to N, on that connection\n"
    "  TIME listen N                           it calls listen() again\n"
    "  TIME set TUNABLE VALUE                  somaxconn max_syn_backlog syncookies abort_on_overflow\n"
    "                                          synack_retries defer_accept fastopen\n"
    "                                          fastopen_qlen\n"
    "TIME     seconds; lines may come in any order\n"
    "FLAGS    letters of FSRP.UEW (. is ACK), or - for none\n"
    "SEQ ACK  C+n, C-n: relative to that client's ISN; S+n, S-n: to the server's, that of its latest\n"
    "         SYN-ACK to that port (0 before there is one); a plain number is absolute; - as ACK is 0\n"
    "LEN      bytes of payload\n"
    "OPTIONS  separated by commas: mss=N sack ts=VALUE[:ECHO] ws=N win=N; the echo may be T+n, T-n:\n"
    "         relative to the timestamp of the server's latest SYN-ACK to that port; fast open: fo asks for\n"
    "         a cookie, fo=HEX shows one, fo=latest the one that the server gave last, fo=wrong that one\n"
    "         spoilt; xfo likewise, in the experimental option\n"
    "Example:\n"
    "  0.0  41001 S C+0 - 0 mss=1460,sack,ts=5000,ws=10\n"
    "  0.05 41001 . C+1 S+1 0 ts=5001:T+0\n"
    "JSON on standard output:\n"
    "  flows             per port: client [t, flags, seq, ack, bytes]; answers [t, flags, seq, ack,\n"
    "                    bytes, window, options]; numbers relative to the ISNs; isns: the server's\n"
    "  states, final     per port: [t, state] at each change; the last one. ss's names, or none\n"
    "  outcomes          per segment: verdict, stages, the counters that moved\n"
    "  syn_recv_history, estab_history   [t, how many] at each change\n"
    "  accepted          [port, t]\n"
    "  received          [port, t, bytes]; instead of bytes ECONNRESET, ETIMEDOUT, EAGAIN, ENOTCONN\n"
    "  handshakes        per port of a connection: what both sides agreed on; scales null if none\n"
    "  listen, nstat     ss's Recv-Q and Send-Q of the listener, and counters, at the end\n"
    "  causes            how often which rule decided, why, and the counters that it moved";

namespace {

[[noreturn]] void refuse_line(unsigned line, const std::string& what, const std::string& allowed) {
  refuse("line " + std::to_string(line), what, allowed);
}

std::optional<relative_number> number_of(std::string text) {
  relative_number n;
  using base = relative_number::base;
  if (text.empty()) return std::nullopt;
  switch (text.front()) {
    case 'C':
      n.from = base::client_isn;
      break;
    case 'S':
      n.from = base::server_isn;
      break;
    case 'T':
      n.from = base::server_clock;
      break;
    default:
      break;
  }
  if (n.from != base::none) text.erase(0, 1);
  if (text.empty()) return n;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') {
    if (n.from == base::none) return std::nullopt;
    text.erase(0, 1);
  } else if (n.from != base::none) {
    return std::nullopt;
  }
  if (text.empty() || text.size() > 10 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const std::uint64_t value = std::stoull(text);
  if (value > 0xffffffffU) return std::nullopt;
  n.offset = negative ? 0U - static_cast<std::uint32_t>(value) : static_cast<std::uint32_t>(value);
  return n;
}

relative_number to_number(unsigned line, const std::string& text) {
  const auto n = number_of(text);
  if (!n) refuse_line(line, text, "C+n, C-n, S+n, S-n or a number");
  return *n;
}

int to_line_int(unsigned line, const std::string& text, int least, int most) {
  return to_int("line " + std::to_string(line), text, least, most);
}

fast_open_option to_cookie(unsigned line, const std::string& hex) {
  constexpr std::string_view digits = "0123456789abcdef";
  fast_open_option o;
  o.size = static_cast<std::uint8_t>(std::min<std::size_t>(hex.size() / 2, 254));
  if (hex.size() % 2 != 0 || hex.find_first_not_of(digits) != std::string::npos || !o.has_cookie()) {
    refuse_line(line, hex, "4 to 16 bytes in hexadecimal, an even number; latest or wrong");
  }
  for (std::size_t i = 0; i < o.size; ++i) {
    o.bytes[i] = static_cast<std::uint8_t>(digits.find(hex[2 * i]) * 16 + digits.find(hex[2 * i + 1]));
  }
  return o;
}

void read_options(unsigned line, const std::string& text, scripted_segment& s) {
  constexpr const char* allowed = "mss=N, sack, ts=VALUE[:ECHO], ws=N, win=N, fo, fo=HEX, separated by commas";
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const std::size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : item.substr(equals + 1);
    if (name == "sack" && equals == std::string::npos) {
      s.options.sack_permitted = true;
    } else if (name == "mss") {
      s.options.mss = static_cast<std::uint16_t>(to_line_int(line, value, 0, 65535));
    } else if (name == "ws") {
      s.options.window_scale = static_cast<std::uint8_t>(to_line_int(line, value, 0, 254));
    } else if (name == "win") {
      s.window = static_cast<std::uint16_t>(to_line_int(line, value, 0, 65535));
    } else if (name == "ts") {
      const std::size_t colon = value.find(':');
      s.options.timestamps = true;
      s.options.ts_value = to_number(line, value.substr(0, colon)).offset;
      if (colon != std::string::npos) s.echo = to_number(line, value.substr(colon + 1));
    } else if (name == "fo" || name == "xfo") {
      using cookie = scripted_segment::cookie;
      s.fast_open = value == "latest" ? cookie::latest : value == "wrong" ? cookie::wrong : cookie::as_written;
      s.options.fast_open = fast_open_option::request();
      if (equals != std::string::npos && s.fast_open == cookie::as_written)
        s.options.fast_open = to_cookie(line, value);
      s.options.fast_open.experimental = name == "xfo";
    } else {
      refuse_line(line, item, allowed);
    }
  }
}

scripted_line read_segment(scripted_line l, const std::vector<std::string>& words) {
  if (words.size() < 6 || words.size() > 7) refuse_line(l.line, words[1], "TIME PORT FLAGS SEQ ACK LEN [OPTIONS]");
  scripted_segment& s = l.segment;
  s.port = static_cast<std::uint16_t>(to_line_int(l.line, words[1], 1, 65535));
  const auto f = flags_of(words[2]);
  if (!f) refuse_line(l.line, words[2], "letters of FSRP.UEW, or -");
  s.flags = *f;
  s.seq = to_number(l.line, words[3]);
  if (words[4] != "-") s.ack = to_number(l.line, words[4]);
  s.length = static_cast<std::size_t>(to_line_int(l.line, words[5], 0, 65000));
  if (words.size() == 7) read_options(l.line, words[6], s);
  return l;
}

tunable to_tunable(unsigned line, const std::string& name) {
  std::string all;
  for (std::size_t i = 0; i < tunable_count; ++i) {
    const auto t = static_cast<tunable>(i);
    if (name == name_of(t)) return t;
    all += (i > 0 ? ", " : "") + std::string(name_of(t));
  }
  refuse_line(line, name, all);
}

scripted_line read_line(unsigned number, const std::vector<std::string>& words) {
  scripted_line l{.line = number};
  const std::string where = "line " + std::to_string(number);
  l.at = to_duration(where, words[0]);
  if (words.size() < 2) refuse_line(number, words[0], "TIME, then a segment or a deed");
  const std::string& word = words[1];
  using deed = scripted_line::deed;
  const std::size_t n = words.size() - 2;
  if (word == "accept" && n <= 1) {
    l.what = deed::accept;
    l.number = n == 0 ? 1 : words[2] == "all" ? -1 : to_line_int(number, words[2], 0, 1'000'000);
  } else if (word == "close" && n <= 1) {
    l.what = n == 0 ? deed::close : deed::close_connection;
    if (n == 1) l.port = static_cast<std::uint16_t>(to_line_int(number, words[2], 1, 65535));
  } else if ((word == "send" || word == "recv") && n == 2) {
    l.what = word == "send" ? deed::send : deed::recv;
    l.port = static_cast<std::uint16_t>(to_line_int(number, words[2], 1, 65535));
    l.number = to_line_int(number, words[3], 1, 65000);
  } else if (word == "listen" && n == 1) {
    l.what = deed::listen;
    l.number = to_line_int(number, words[2], std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  } else if (word == "set" && n == 2) {
    l.what = deed::set;
    l.which = to_tunable(number, words[2]);
    l.number = static_cast<int>(to_count(where, words[3], max_of(l.which)));
  } else if (word.find_first_not_of("0123456789") == std::string::npos) {
    return read_segment(l, words);
  } else {
    refuse_line(number, word,
                "PORT FLAGS SEQ ACK LEN [OPTIONS]; accept [N|all]; close [PORT]; send PORT N; recv PORT N; listen N; "
                "set TUNABLE VALUE");
  }
  return l;
}

}  // namespace

std::vector<scripted_line> read_script(std::istream& in) {
  std::vector<scripted_line> all;
  unsigned number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    std::istringstream line(text.substr(0, text.find('#')));
    std::vector<std::string> words;
    for (std::string w; line >> w;) words.push_back(w);
    if (!words.empty()) all.push_back(read_line(number, words));
  }
  std::sort(all.begin(), all.end(), [](const scripted_line& a, const scripted_line& b) {
    return a.at != b.at ? a.at < b.at : a.line < b.line;
  });
  return all;
}

}  // namespace lab
