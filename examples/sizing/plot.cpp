// SPDX-License-Identifier: BSL-1.0
#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace calculator {

namespace {

std::string at(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

struct panel {
  std::string title;
  double left;         // of the whole picture
  double low, high;    // of the values, both powers of ten
  double first, last;  // backlogs
  std::string (*label)(double);

  static constexpr double width = 380, height = 240, top = 50;

  double x(double backlog) const {
    const double n = std::clamp(backlog, first, last);
    return left + width * std::log(n / first) / std::log(last / first);
  }
  double y(double value) const {
    const double v = std::clamp(value, low, high);
    return top + height * (1 - std::log(v / low) / std::log(high / low));
  }
};

std::string element(const std::string& inside) { return "<" + inside + "/>\n"; }
std::string words(double x, double y, const char* kind, const std::string& s) {
  return "<text class='" + std::string(kind) + "' x='" + at(x) + "' y='" + at(y) + "'>" + s + "</text>\n";
}

std::string frame(const panel& p, const answer& a) {
  std::string s;
  if (!a.window.empty() && a.window.most >= p.first && a.window.least <= p.last) {
    const double from = p.x(std::max(1.0, a.window.least));
    s += element("rect class='window' x='" + at(from) + "' y='" + at(p.top) + "' width='" +
                 at(std::max(1.0, p.x(a.window.most) - from)) + "' height='" + at(p.height) + "'");
  }
  s += words(p.left, p.top - 14, "title", p.title);
  for (double v = p.low; v <= p.high * 1.001; v *= 10) {
    s += element("line class='grid' x1='" + at(p.left) + "' x2='" + at(p.left + p.width) + "' y1='" + at(p.y(v)) +
                 "' y2='" + at(p.y(v)) + "'");
    s += words(p.left - 6, p.y(v) + 4, "value", p.label(v));
  }
  double free_from = p.left - 100;
  for (const row& r : a.rows) {
    const double x = p.x(r.backlog);
    if (x < free_from) continue;
    s += words(x, p.top + p.height + 18, "backlog", std::to_string(r.backlog));
    free_from = x + 40;
  }
  return s;
}

/// A line by the closed form, dots by the simulation, with their intervals where there are any.
template <class Closed, class Simulated>
std::string curves(const panel& p, const answer& a, Closed closed, Simulated simulated) {
  std::string line;
  std::string dots;
  for (const row& r : a.rows) {
    const double x = p.x(r.backlog);
    line += at(x) + "," + at(p.y(closed(r))) + " ";
    const estimate e = simulated(r);
    if (e.plus_minus > 0) {
      dots += element("line class='dot' x1='" + at(x) + "' x2='" + at(x) + "' y1='" + at(p.y(e.value - e.plus_minus)) +
                      "' y2='" + at(p.y(e.value + e.plus_minus)) + "'");
    }
    dots += element("circle class='dot' r='4' cx='" + at(x) + "' cy='" + at(p.y(e.value)) + "'");
  }
  return element("polyline class='closed' points='" + line + "'") + dots;
}

}  // namespace

std::string svg_of(const question& q, const answer& a) {
  double first = 1e9;
  double last = 1;
  for (const row& r : a.rows) {
    first = std::min(first, std::max(1.0, static_cast<double>(r.backlog)));
    last = std::max(last, static_cast<double>(r.backlog));
  }
  first /= 1.3;
  last *= 1.3;
  const auto deadline = static_cast<double>(q.people.deadline);
  const panel loss{"turned away at first", 70, 1e-5, 1, first, last, [](double v) {
                     return v < 2e-5 ? std::string("none") : share_text(v);
                   }};
  const panel wait{"one in a hundred waits longer than",
                   540,
                   1e2,
                   std::pow(10, std::ceil(std::log10(deadline))),
                   first,
                   last,
                   time_text};
  std::string s =
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 950 390' font-family='system-ui, sans-serif' "
      "font-size='12' role='img'>\n<style>\n"
      "svg { background: #fff; --ink: #222; --soft: #ddd; --closed: #b45309; --dot: #1d4ed8; --window: #dcfce7 }\n"
      "@media (prefers-color-scheme: dark) { svg { background: #111; --ink: #ddd; --soft: #333; --closed: #f59e0b; "
      "--dot: #60a5fa; --window: #14351f } }\n"
      "text { fill: var(--ink) } .title { font-weight: 600 } .value { text-anchor: end } .backlog { text-anchor: "
      "middle }\n"
      ".grid { stroke: var(--soft) } .closed { fill: none; stroke: var(--closed); stroke-width: 2 }\n"
      ".dot { fill: var(--dot); stroke: var(--dot) } .window { fill: var(--window) }\n</style>\n<title>" +
      std::string(q.preset->title) + ": loss and wait over the backlog</title>\n";
  s += frame(loss, a);
  s += curves(
      loss, a, [](const row& r) { return std::max(r.closed.loss, 1e-5); },
      [](const row& r) { return r.simulated.turned_away; });
  s += frame(wait, a);
  s += curves(
      wait, a, [deadline](const row& r) { return r.closed.p99.value_or(deadline); },
      [deadline](const row& r) { return estimate{r.p99 ? static_cast<double>(*r.p99) : deadline}; });
  s += words(
      70, 345, "legend",
      "<tspan style='fill: var(--closed)'>&#9473; M/M/1/K</tspan> &#160; <tspan style='fill: var(--dot)'>&#9679; " +
          std::string(q.preset->title) + ", simulated, with 95 % intervals</tspan>");
  s += words(70, 365, "legend",
             "Shaded: rate &#215; stall &#8804; backlog &#8804; service &#215; deadline. At the top of the right: they "
             "give up.");
  return s + "</svg>\n";
}

}  // namespace calculator
