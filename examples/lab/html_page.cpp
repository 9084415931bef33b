// SPDX-License-Identifier: BSL-1.0
#include "html_page.hpp"

#include <algorithm>
#include <listenq/version.hpp>
#include <map>
#include <sstream>
#include <tuple>

#include "command_text.hpp"
#include "drawing.hpp"
#include "fates.hpp"
#include "report.hpp"
#include "segment_text.hpp"
#include "tables.hpp"
#include "why.hpp"

namespace lab {

namespace {

/// Seconds with all their microseconds.
std::string exact_seconds(duration d) {
  std::string fraction = std::to_string(d % second);
  return std::to_string(d / second) + '.' + std::string(6 - fraction.size(), '0') + fraction;
}

std::string number(std::uint64_t n) { return std::to_string(n); }

std::string paragraph_of(std::string_view text, std::string_view css_class = {}) {
  if (text.empty()) return {};
  return "<p" + (css_class.empty() ? "" : " class=\"" + std::string(css_class) + '"') + '>' + escaped(text) + "</p>\n";
}

/// One row of the sequence: a segment, or something that a program saw.
struct row {
  instant at = 0;
  std::uint16_t port = 0;
  const packet* segment = nullptr;
  std::vector<const decision*> decisions;
  std::string note;
  bool at_server = false;
  std::size_t order = 0;
};

/// Decisions beside the segments that they are about: one that was received beside what was sent half a round trip
/// earlier, a timer's beside what it sent. What finds no segment is a row of its own.
class sequence {
 public:
  sequence(const settings& s, const record& r) {
    std::map<std::tuple<std::uint16_t, instant, bool, unsigned, std::size_t>, std::vector<std::size_t>> open;
    for (const packet& p : r.packets) {
      if (p.preload) continue;
      if (p.to_server() && p.lost) {
        rows_.push_back({p.at, p.port(), &p, {}, {}, false});
        continue;
      }
      const instant seen = p.at + (p.to_server() ? s.rtt / 2 : 0);
      open[{p.port(), seen, p.to_server(), p.segment.flags.bits, p.payload.size()}].push_back(rows_.size());
      rows_.push_back({p.at, p.port(), &p, {}, {}, false});
    }
    for (const decision& d : r.decisions) {
      if (d.port >= first_preload_port) continue;
      const flags f = d.is_timer ? flag::syn | flag::ack : d.flags;
      const auto i = open.find({d.port, d.at, !d.is_timer, f.bits, d.payload});
      if (i == open.end() || i->second.empty()) {
        rows_.push_back({d.at, d.port, nullptr, {&d}, {}, true});
        continue;
      }
      rows_[i->second.front()].decisions.push_back(&d);
      i->second.erase(i->second.begin());
    }
    for (const auto& [port, at] : r.accepted) {
      if (port < first_preload_port) add_note(at, port, "accept() returns this connection", true);
    }
    for (const client_log& c : r.clients) {
      if (c.connected) add_note(*c.connected, c.port, "connect() returns 0", false);
      if (c.failed) add_note(*c.failed, c.port, "connect() fails: " + c.error, false);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].order = i;
    std::sort(rows_.begin(), rows_.end(),
              [](const row& a, const row& b) { return std::tie(a.at, a.order) < std::tie(b.at, b.order); });
  }
  const std::vector<row>& rows() const { return rows_; }

 private:
  void add_note(instant at, std::uint16_t port, std::string text, bool at_server) {
    rows_.push_back({at, port, nullptr, {}, std::move(text), at_server});
  }
  std::vector<row> rows_;
};

class page {
 public:
  page(const settings& s, const record& r)
      : s_(s), r_(r), rules_(rules_of(s)), lanes_(client_count(s)), groups_(alike_clients(r)) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      for (const std::uint16_t port : groups_[g]) group_of_[port] = g;
    }
  }

  std::string text() {
    head();
    clients();
    depths();
    segments();
    sockets();
    counters();
    out_ += "<p class=\"soft\">Written by the lab of listenq " + number(LISTENQ_VERSION_MAJOR) + '.' +
            number(LISTENQ_VERSION_MINOR) + '.' + number(LISTENQ_VERSION_PATCH) +
            ": virtual time, one seed, so the command above writes the same page again.</p>\n</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  bool can_choose() const { return groups_.size() > 1 && groups_.size() <= 64; }

  void head() {
    const std::string title = title_of(s_);
    out_ +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
        escaped(title) + "</title>\n<style>\n" + page_style + ".sequence .flow{" + lanes_.background() + "}\n";
    for (std::size_t g = 0; can_choose() && g < groups_.size(); ++g) {
      const std::string i = number(g);
      out_ += "body:has(#only" + i + ":checked) .sequence li.g:not(.g" + i + "){display:none}\n";
    }
    out_ +=
        "</style>\n</head>\n<body>\n<h1>" + escaped(title) + "</h1>\n" + paragraph_of(why(rules_)) +
        paragraph_of(tunables_of(s_) + "; round trip " + exact_seconds(s_.rtt) + " s, loss " + loss_text(), "soft") +
        "<pre class=\"command\">" + escaped(command_of(s_)) + "</pre>\n";
  }

  std::string loss_text() const {
    std::ostringstream text;
    text << s_.loss;
    return text.str();
  }

  void clients() {
    out_ +=
        "<h2>What each client saw</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"clients\"><table>\n<tr><th></th><th>port</th><th class=\"number\">began, s</th>"
        "<th class=\"number\">connect() took, s</th><th>connect()</th><th>then</th></tr>\n";
    for (std::size_t i = 0; i < r_.clients.size(); ++i) {
      const client_log& c = r_.clients[i];
      const bool started = c.start <= end_of(s_);
      const auto back = c.connected ? c.connected : c.failed;
      const std::string said = !started      ? "not started"
                               : c.connected ? "0"
                               : c.failed    ? c.error
                                             : "has not returned (SYN_SENT)";
      std::string then;
      const auto add = [&then](const std::string& what) { then += (then.empty() ? "" : "; ") + what; };
      if (c.sent) add("wrote at " + exact_seconds(*c.sent));
      if (!c.received.empty()) add("recv(): " + c.received);
      const auto read = r_.server_read.find(c.port);
      if (read != r_.server_read.end() && !read->second.empty())
        add("the server read at " + exact_seconds(read->second.front().second));
      out_ += "<tr><td>c" + number(i) + "</td><td>" + number(c.port) + "</td><td class=\"number\">" +
              exact_seconds(c.start) + "</td><td class=\"number\">" +
              (back ? exact_seconds(*back - c.start) : std::string{}) + "</td><td class=\"" +
              (c.connected ? "good" : "bad") + "\">" + escaped(said) + "</td><td>" + escaped(then) + "</td></tr>\n";
    }
    out_ += "</table></div>\n";
    if (s_.preload > 0)
      out_ += paragraph_of(number(s_.preload) + " connections were made before, from port " +
                           number(first_preload_port) + " up; their segments are left out.");
  }

  void figure(const depth_chart& c, const std::string& caption) {
    out_ += "<figure><figcaption>" + caption + "</figcaption>" + as_svg(c) + "</figure>\n";
  }

  void depths() {
    depth_chart requests;
    requests.layers = {{"old", {}}, {"young", {}}};
    requests.limit = rules_.limits.request_slots;
    depth_chart waiting;
    waiting.layers = {{"waiting", {}}};
    waiting.limit = rules_.limits.accept_slots;
    for (const auto& [at, q] : r_.depths) {
      requests.layers[0].steps.emplace_back(at, q.requests);
      requests.layers[1].steps.emplace_back(at, q.young);
      waiting.layers[0].steps.emplace_back(at, q.waiting);
    }
    requests.end = waiting.end = end_of(s_);
    const auto end_text = [](const depth_chart& c, const std::string& limit) {
      return ": " + number(c.layers[0].steps.empty() ? 0 : c.layers[0].steps.back().second) + " at the end, at most " +
             number(peak_of(c)) + "; room for " + limit + (shows_limit(c) ? "" : ", far above the picture");
    };
    const std::string request_text = "request queue" + end_text(requests, number(requests.limit));
    const std::string waiting_text = "accept queue" + end_text(waiting, number(waiting.limit));
    requests.label = request_text;
    waiting.label = waiting_text;
    out_ += "<h2>Both queues over time</h2>\n<div class=\"depths\">\n";
    figure(requests, escaped(request_text) +
                         " (<span class=\"key young\"></span> young, <span class=\"key old\"></span> has timed out)");
    figure(waiting, escaped(waiting_text) + " (<span class=\"key waiting\"></span> waits for accept())");
    out_ += "</div>\n";
  }

  void chooser() {
    if (!can_choose()) return;
    out_ +=
        "<fieldset class=\"choose\"><legend>show</legend>"
        "<label><input type=\"radio\" name=\"only\" id=\"all\" checked> all</label>\n";
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto& ports = groups_[g];
      out_ += "<label><input type=\"radio\" name=\"only\" id=\"only" + number(g) + "\"> " + number(ports.front()) +
              (ports.size() > 1 ? " (" + escaped(others(ports)) + " alike)" : "") + "</label>\n";
    }
    out_ += "</fieldset>\n";
  }

  void segments() {
    out_ +=
        "<h2>Every segment <small>when it was sent, in seconds since listen(); below, since the client's last"
        "</small></h2>\n";
    chooser();
    const sequence all(s_, r_);
    out_ += "<ol class=\"sequence\">\n<li class=\"lanes\"><time>s</time><div class=\"flow\">" + lanes_.header() +
            "</div></li>\n";
    relative_numbers numbers;
    std::map<std::uint16_t, instant> last;
    std::size_t drawn = 0;
    std::size_t left_out = 0;
    for (const row& w : all.rows()) {
      const auto n = w.segment != nullptr ? numbers.of(*w.segment) : relative_numbers::numbers{};
      if (drawn == most_segments_drawn) {
        left_out += w.segment != nullptr ? 1 : 0;
        continue;
      }
      drawn += w.segment != nullptr ? 1 : 0;
      const auto i = static_cast<unsigned>(w.port - first_client_port);
      const auto [before, first] = last.try_emplace(w.port, w.at);
      const duration since = first ? 0 : w.at - std::exchange(before->second, w.at);
      const auto group = group_of_.find(w.port);
      out_ += "<li class=\"g g" + number(group == group_of_.end() ? 0 : group->second) +
              "\" style=\"--hue:" + number(hue_of(i)) + "\"><time>" + exact_seconds(w.at) +
              (since >= 10 * millisecond ? "<small>+" + exact_seconds(since) + "</small>" : std::string{}) +
              "</time><div class=\"flow\">" +
              (w.segment != nullptr ? lanes_.segment_row(*w.segment, i) : lanes_.note_row(w.at_server, i)) +
              "</div><div class=\"said\">" + (w.segment != nullptr ? line_of(*w.segment, n) : note_of(w)) + reasons(w) +
              "</div></li>\n";
    }
    out_ += "</ol>\n";
    if (left_out > 0)
      out_ += paragraph_of(number(left_out) + " more segments are not drawn; --pcap writes them all.", "bad");
  }

  /// As tcpdump says it, numbers relative.
  static std::string line_of(const packet& p, const relative_numbers::numbers& n) {
    const segment& s = p.segment;
    std::string text = number(s.source.port) + " > " + number(s.destination.port) + ": Flags [" +
                       (s.flags == flag::none ? "none" : letters_of(s.flags)) + "], seq " + number(n.seq);
    if (s.flags.has(flag::ack)) text += ", ack " + number(n.ack);
    text += ", win " + number(s.window);
    const bool syn = s.flags.has(flag::syn);
    if (const std::string o = syn ? options_text(s.options, true) : std::string{}; !o.empty())
      text += ", options [" + o + "]";
    text += ", length " + number(p.payload.size()) + (p.lost ? " (lost)" : "");
    return "<p class=\"exact" + std::string(p.lost || s.flags.has(flag::rst) ? " bad" : "") + "\">" + escaped(text) +
           "</p>";
  }

  static std::string note_of(const row& w) {
    if (w.note.empty()) return {};
    return "<p>" + number(w.port) + ": " + escaped(w.note) + "</p>";
  }

  std::string reasons(const row& w) const {
    std::string text;
    for (const decision* d : w.decisions) text += "<p class=\"why\">" + escaped(why(std::vector{*d}, rules_)) + "</p>";
    return text;
  }

  /// What a printing function prints, as it stands.
  template <class Print>
  void block(const std::string& label, Print&& print) {
    std::ostringstream text;
    print(text);
    out_ +=
        "<pre tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(label) + "\">" + escaped(text.str()) + "</pre>\n";
  }

  void sockets() {
    const style plain(false);
    for (const snapshot& m : r_.snapshots) {
      std::string name = m.name;
      std::replace(name.begin(), name.end(), '_', ' ');
      const std::string title = "Sockets at " + exact_seconds(m.at) + " s, " + name;
      out_ += "<h2>" + escaped(title) + "</h2>\n";
      snapshot some = m;
      constexpr std::size_t most = 200;
      if (some.sockets.size() > most) some.sockets.resize(most);
      block(title, [&](std::ostream& o) { print_netstat(o, some, plain); });
      if (some.sockets.size() < m.sockets.size())
        out_ += paragraph_of(number(m.sockets.size() - some.sockets.size()) + " more.");
      out_ += paragraph_of(why(m.queues, rules_), "why");
    }
  }

  void counters() {
    out_ += "<h2>Counters <small>since the first client</small></h2>\n";
    block("netstat -s", [&](std::ostream& o) { print_counters(o, r_.counters); });
    block("nstat", [&](std::ostream& o) {
      for (const auto& [name, n] : r_.counters) o << name << ' ' << n << '\n';
    });
    out_ +=
        "<h2>Causes <small>which rule it was, how often; not in any kernel</small></h2>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"causes\"><table>\n"
        "<tr><th class=\"number\">times</th><th>verdict</th><th>why</th><th>counters</th></tr>\n";
    for (const cause_line& c : r_.causes) {
      std::string moved;
      for (const auto& [name, n] : c.moved) moved += (moved.empty() ? "" : ", ") + name + ' ' + number(n);
      out_ += "<tr><td class=\"number\">" + number(c.times) + "</td><td>" + escaped(c.verdict) +
              "</td><td class=\"text\">" + escaped(c.why) +
              (c.rule.empty() ? "" : " <span class=\"soft\">by " + escaped(c.rule) + "</span>") + "</td><td>" +
              escaped(moved) + "</td></tr>\n";
    }
    out_ += "</table></div>\n";
  }

  const settings& s_;
  const record& r_;
  rules rules_;
  lanes lanes_;
  std::vector<std::vector<std::uint16_t>> groups_;
  std::map<std::uint16_t, std::size_t> group_of_;
  std::string out_;
};

}  // namespace

std::string as_html(const settings& s, const record& r) { return page(s, r).text(); }

}  // namespace lab
