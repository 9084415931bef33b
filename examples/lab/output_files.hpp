// SPDX-License-Identifier: BSL-1.0
// Files that a command is to write: first all are looked at, then, after the run, all are written. A wrong name costs
// no other file its contents.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lab {

class output_files {
 public:
  /// `-` is standard output where `dash` says so. Throws usage_error if it cannot be written.
  void add(const std::string& option, const std::string& path, bool dash = false);
  bool has(const std::string& option) const;
  bool uses_stdout() const;
  /// Throws std::runtime_error if the disk refuses after all.
  void write(const std::string& option, const std::string& bytes) const;

 private:
  struct file {
    std::string option;
    std::string path;
  };
  const file* find(const std::string& option) const;
  std::vector<file> files_;
};

}  // namespace lab
