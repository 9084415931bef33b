// SPDX-License-Identifier: BSL-1.0
#include "drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lab {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  const int n = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(std::clamp(n, 0, 511))};
}

/// One digit after the point, none where it is 0: coordinates need no more.
std::string coordinate(double x) {
  std::string s = format("%.1f", x);
  if (s.ends_with(".0")) s.resize(s.size() - 2);
  return s;
}

// The plot's place within its 340 x 132.
constexpr double left = 34;
constexpr double right = 332;
constexpr double top = 12;
constexpr double bottom = 108;

/// 1, 2 or 5 times a power of ten microseconds, so that at most six fit.
duration tick_step(instant end) {
  duration step = 1;
  for (int i = 0; end / step > 6; ++i) step = i % 3 == 1 ? step / 2 * 5 : step * 2;
  return step;
}

std::string short_seconds(instant t) {
  std::string s = format("%.6f", static_cast<double>(t) / 1e6);
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s;
}

/// The outline of the steps. Where several fall on the same half unit, the highest and the last are left, so that a
/// long run does not make a long picture.
std::string outline(const depth_layer& layer, const auto& x_of, const auto& y_of, instant end) {
  std::string d = "M" + coordinate(left) + ' ' + coordinate(bottom);
  double last_x = -1;
  std::uint32_t highest = 0;
  std::uint32_t last = 0;
  const auto flush = [&] {
    if (last_x < 0) return;
    d += 'H' + coordinate(last_x) + 'V' + coordinate(y_of(highest));
    if (last != highest) d += 'V' + coordinate(y_of(last));
  };
  for (const auto& [at, n] : layer.steps) {
    const double x = static_cast<double>(static_cast<long long>(x_of(at) * 2)) / 2;
    if (x > last_x) {
      flush();
      last_x = x;
      highest = n;
    }
    highest = std::max(highest, n);
    last = n;
  }
  flush();
  return d + 'H' + coordinate(x_of(end)) + 'V' + coordinate(bottom) + 'Z';
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string s;
  for (const char c : text) {
    switch (c) {
      case '&':
        s += "&amp;";
        break;
      case '<':
        s += "&lt;";
        break;
      case '>':
        s += "&gt;";
        break;
      case '"':
        s += "&quot;";
        break;
      case '\'':
        s += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          s += "&#xFFFD;";
        } else {
          s += c;
        }
    }
  }
  return s;
}

unsigned hue_of(unsigned client) { return static_cast<unsigned>(std::lround(std::fmod(210 + client * 137.508, 360))); }

std::string name_of_kind(const packet& p) {
  const flags f = p.segment.flags;
  std::string s;
  const auto add = [&s](const std::string& word) { s += (s.empty() ? "" : "-") + word; };
  if (f.has(flag::syn)) add("SYN");
  if (f.has(flag::fin)) add("FIN");
  if (f.has(flag::rst)) add("RST");
  if (f.has(flag::ack) && (p.payload.empty() || !s.empty())) add("ACK");
  if (const std::size_t n = p.payload.size(); n > 0)
    s += (s.empty() ? "" : ", ") + std::to_string(n) + (n == 1 ? " byte" : " bytes");
  return s.empty() ? "no flags" : s;
}

std::string lanes::row(const std::string& inside, const std::string& label) const {
  return format(R"(<svg width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label=")", width, height, width,
                height) +
         escaped(label) + "\">" + inside + "</svg>";
}

std::string lanes::header() const {
  std::string s;
  const auto name = [&s](int x, const std::string& text) {
    s += format(R"(<text class="end" x="%d" y="24">)", x) + text + "</text>";
  };
  if (clients_ > most) {
    name(client_at(0) + 12, "clients");
  } else {
    for (unsigned i = 0; i < clients_; ++i) name(client_at(i), 'c' + std::to_string(i));
  }
  name(server_at() - 4, "server");
  return row(s, "lanes: the clients at the left, the server at the right");
}

std::string lanes::background() const {
  std::string images;
  std::string places;
  const auto lane = [&](int x) {
    images += std::string(images.empty() ? "" : ",") + "linear-gradient(var(--line),var(--line))";
    places += (places.empty() ? "" : ",") + std::to_string(x) + "px 0";
  };
  for (unsigned i = 0; i < count(); ++i) lane(client_at(i));
  lane(server_at());
  return "background-image:" + images + ";background-position:" + places + ";background-size:1px 100%";
}

std::string lanes::segment_row(const packet& p, unsigned i) const {
  const int client = client_at(i);
  const int from = p.to_server() ? client : server_at();
  const int to = p.to_server() ? server_at() : client;
  const int way = from < to ? 1 : -1;
  constexpr int y_from = 18;
  constexpr int y_to = 30;
  const std::string kind = name_of_kind(p);
  std::string s = std::string("<g class=\"segment") + (p.segment.flags.has(flag::rst) ? " rst" : "") +
                  (p.lost ? " lost" : "") + "\">";
  if (p.lost) {
    const int x = (from + to) / 2;
    const int y = (y_from + y_to) / 2;
    s += format(R"(<line x1="%d" y1="%d" x2="%d" y2="%d"/>)", from, y_from, x - 7 * way, y);
    s += format(R"(<path class="cross" d="M%d %dl8 8m0 -8l-8 8"/>)", x - 4, y - 4);
  } else {
    s += format(R"(<line x1="%d" y1="%d" x2="%d" y2="%d"/>)", from, y_from, to - 5 * way, y_to);
    s += format(R"(<path class="head" d="M%d %dl%d -5l%d 9z"/>)", to, y_to, -8 * way, -way);
  }
  s += format(R"(<text x="%d" y="15">)", (std::max(client, client_at(count() - 1)) + server_at()) / 2) + kind +
       (p.lost ? ", lost" : "") + "</text></g>";
  const std::string who = std::to_string(p.port());
  return row(
      s, (p.to_server() ? who + " to the server: " : "the server to " + who + ": ") + kind + (p.lost ? ", lost" : ""));
}

std::string lanes::note_row(bool at_server, unsigned i) const {
  return row(format(R"(<circle class="note" cx="%d" cy="14" r="4"/>)", at_server ? server_at() : client_at(i)),
             at_server ? "at the server" : "at the client");
}

std::uint32_t peak_of(const depth_chart& c) {
  std::uint32_t peak = 0;
  for (const depth_layer& l : c.layers) {
    for (const auto& [at, n] : l.steps) peak = std::max(peak, n);
  }
  return peak;
}

bool shows_limit(const depth_chart& c) { return c.limit <= 4 * std::max(peak_of(c), 4U); }

std::string as_svg(const depth_chart& c) {
  const std::uint32_t most = std::max({peak_of(c), shows_limit(c) ? c.limit : 0U, 1U});
  const auto x_of = [&c](instant t) {
    return left + (right - left) * static_cast<double>(t) / static_cast<double>(std::max<instant>(c.end, 1));
  };
  const auto y_of = [most](std::uint32_t n) { return bottom - (bottom - top) * n / most; };
  std::string s = R"(<svg class="depth" viewBox="0 0 340 132" role="img" aria-label=")" + escaped(c.label) + "\">";
  for (const depth_layer& l : c.layers) {
    s += "<path class=\"" + std::string(l.css_class) + "\" d=\"" + outline(l, x_of, y_of, c.end) + "\"/>";
  }
  s += format(R"(<path class="axis" d="M%g %gV%gH%g"/>)", left, top, bottom, right);
  const auto level = [&](std::uint32_t n) {
    s += format(R"(<text x="%g" y="%s" text-anchor="end">%u</text>)", left - 4, coordinate(y_of(n) + 3).c_str(), n);
  };
  level(0);
  if (bottom - y_of(peak_of(c)) > 9) level(peak_of(c));
  if (shows_limit(c)) {
    const std::string y = coordinate(y_of(c.limit));
    s += "<path class=\"limit\" d=\"M" + coordinate(left) + ' ' + y + 'H' + coordinate(right) + "\"/>";
    const double apart = y_of(peak_of(c)) - y_of(c.limit);
    if (c.limit > 0 && (apart > 9 || apart < -9)) level(c.limit);
  }
  const duration step = tick_step(c.end);
  for (instant t = 0; t <= c.end; t += step) {
    const std::string x = coordinate(x_of(t));
    s += "<path class=\"axis\" d=\"M" + x + ' ' + coordinate(bottom) + "v3\"/><text x=\"" + x +
         "\" y=\"120\" text-anchor=\"middle\">" + short_seconds(t) + "</text>";
  }
  return s + format(R"(<text x="%g" y="130" text-anchor="end">seconds</text></svg>)", right);
}

}  // namespace lab
