// SPDX-License-Identifier: BSL-1.0
// What a program has measured that is no Google Benchmark: tables, for report.py as JSON and for a reader as text.
//   --out FILE   JSON there, instead of text
//   --quick      less of everything: seconds
//   --smoke      next to nothing, for a test that asks whether the program works at all
#pragma once

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

struct table {
  std::string title{};
  std::vector<std::string> columns{};  ///< of the cells
  int digits = 0;                      ///< after the point
  const char* plot = "";               ///< "lines" over numeric columns, "curves" without a table, a "heat" map
  std::string note{};
  struct row {
    std::string name{};
    std::vector<std::optional<double>> cells{};
  };
  std::vector<row> rows{};
  void add(std::string name, std::vector<std::optional<double>> cells) {
    rows.push_back({std::move(name), std::move(cells)});
  }
};

enum class effort { smoke, quick, full };

class report {
 public:
  report(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view a = argv[i];
      if (a == "--quick") {
        how = effort::quick;
      } else if (a == "--smoke") {
        how = effort::smoke;
      } else if (a == "--out" && i + 1 < argc) {
        path_ = argv[++i];
      } else {
        std::fprintf(stderr, "usage: %s [--quick | --smoke] [--out FILE]\n", argv[0]);
        std::exit(2);
      }
    }
    if (getloadavg(&load_, 1) != 1) load_ = 0;
  }

  effort how = effort::full;
  std::vector<table> tables{};
  /// What is not there to be measured, and why.
  std::vector<std::string> skipped{};
  /// What should not have been: the program fails.
  std::vector<std::string> wrong{};

  /// One of three, by how much there is to be done.
  template <class T>
  T by_effort(T smoke, T quick, T full) const {
    return how == effort::smoke ? smoke : how == effort::quick ? quick : full;
  }

  /// The exit status.
  int write() const {
    for (const std::string& w : wrong) std::fprintf(stderr, "%s\n", w.c_str());
    if (path_.empty()) {
      print();
    } else if (!write_json()) {
      std::fprintf(stderr, "cannot write %s\n", path_.c_str());
      return 1;
    }
    return wrong.empty() ? 0 : 1;
  }

 private:
  static std::string number(double v, int digits) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", digits, v);
    return text;
  }
  static std::string quoted(const std::string& s) {
    std::string q = "\"";
    for (const char c : s) {
      if (c == '"' || c == '\\') q += '\\';
      q += c == '\n' ? ' ' : c;
    }
    return q + '"';
  }
  template <class Items, class Text>
  static std::string list(const Items& items, Text text) {
    std::string l = "[";
    for (const auto& i : items) l += (l.size() > 1 ? ", " : "") + text(i);
    return l + "]";
  }

  void print() const {
    for (const table& t : tables) {
      if (std::string_view{t.plot} == "curves") continue;
      std::printf("%s\n%-44s", t.title.c_str(), "");
      for (const std::string& c : t.columns) std::printf(" %13s", c.c_str());
      std::printf("\n");
      for (const table::row& r : t.rows) {
        std::printf("%-44s", r.name.c_str());
        for (const auto& c : r.cells) std::printf(" %13s", c ? number(*c, t.digits).c_str() : "");
        std::printf("\n");
      }
      std::printf("%s\n\n", t.note.c_str());
    }
    for (const std::string& s : skipped) std::printf("skipped: %s\n", s.c_str());
  }

  bool write_json() const {
    std::FILE* const f = std::fopen(path_.c_str(), "w");
    if (f == nullptr) return false;
    char date[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof(date), "%FT%T", std::localtime(&now));
    std::fprintf(f, "{\"context\": {\"date\": \"%s\", \"num_cpus\": %u, \"load_avg\": [%f]},\n\"tables\": %s,\n", date,
                 std::thread::hardware_concurrency(), load_,
                 list(tables, [](const table& t) {
                   return "{\"title\": " + quoted(t.title) + ", \"digits\": " + std::to_string(t.digits) +
                          ", \"plot\": " + quoted(t.plot) + ", \"note\": " + quoted(t.note) +
                          ",\n \"columns\": " + list(t.columns, quoted) + ",\n \"rows\": " + rows_of(t) + "}";
                 }).c_str());
    std::fprintf(f, "\"skipped\": %s}\n", list(skipped, quoted).c_str());
    return std::fclose(f) == 0;
  }
  static std::string rows_of(const table& t) {
    return list(t.rows, [](const table::row& r) {
      return "\n  {\"name\": " + quoted(r.name) +
             ", \"cells\": " + list(r.cells, [](const auto& c) { return c ? number(*c, 4) : std::string{"null"}; }) +
             "}";
    });
  }

  std::string path_{};
  double load_ = 0;
};

/// CPU time of this thread, in nanoseconds.
inline double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

}  // namespace bench
