// SPDX-License-Identifier: BSL-1.0
// SVG made of text: segments as arrows between lanes, queues over time. Colours and widths are the page's
// (page.css).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nouns.hpp"

namespace lab {

/// `&`, `<`, `>` and quotes as HTML has them; control characters as U+FFFD.
std::string escaped(std::string_view text);

/// The lanes of a sequence diagram: the clients at the left, the server at the right. Where there are more clients than
/// `most`, they share one.
class lanes {
 public:
  static constexpr int width = 220;
  static constexpr int height = 36;
  static constexpr unsigned most = 6;

  explicit lanes(unsigned clients) : clients_(clients) {}
  unsigned count() const noexcept { return clients_ > most ? 1 : clients_; }
  int client_at(unsigned i) const noexcept { return 10 + (clients_ > most ? 0 : static_cast<int>(i) * 18); }
  static constexpr int server_at() noexcept { return width - 14; }

  /// The names above the lanes.
  std::string header() const;
  /// The CSS background that draws the lanes.
  std::string background() const;
  /// One segment of client i.
  std::string segment_row(const packet& p, unsigned i) const;
  /// Something that happens at one end.
  std::string note_row(bool at_server, unsigned i) const;

 private:
  std::string row(const std::string& inside, const std::string& label) const;
  unsigned clients_;
};

/// A client's colour, as a hue in degrees: the explorer's page has the same.
unsigned hue_of(unsigned client);

/// "SYN", "SYN-ACK", "ACK", "13 bytes", "RST", "FIN", "none".
std::string name_of_kind(const packet& p);

/// How full a queue was: steps over time, and a dashed line at the limit where it is not far above the rest.
struct depth_layer {
  const char* css_class;
  std::vector<std::pair<instant, std::uint32_t>> steps;  ///< from then on, so many
};
struct depth_chart {
  std::string label;                ///< what it shows, for those who do not see it
  std::vector<depth_layer> layers;  ///< each drawn over the one before
  std::uint32_t limit = 0;
  instant end = 0;
};
bool shows_limit(const depth_chart& c);
std::uint32_t peak_of(const depth_chart& c);
std::string as_svg(const depth_chart& c);

}  // namespace lab
