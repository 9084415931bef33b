// SPDX-License-Identifier: BSL-1.0
#include "output_files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "usage.hpp"

namespace lab {

namespace fs = std::filesystem;

void output_files::add(const std::string& option, const std::string& path, bool dash) {
  const std::string allowed =
      dash ? "a file that can be written, or - for standard output" : "a file that can be written";
  if (path == "-") {
    if (!dash) refuse(option, path, allowed);
  } else {
    std::error_code error;
    const fs::path parent = fs::path(path).parent_path();
    const fs::path folder = parent.empty() ? fs::path(".") : parent;
    const bool exists = fs::exists(path, error);
    const bool good = !path.empty() && !fs::is_directory(path, error) &&
                      (exists ? ::access(path.c_str(), W_OK) == 0 : ::access(folder.c_str(), W_OK | X_OK) == 0);
    if (!good || path.back() == '/') refuse(option, path, allowed);
  }
  for (const file& f : files_) {
    if (f.path == path) refuse(option, path, "a file of its own (" + f.option + " has this one)");
  }
  files_.push_back({option, path});
}

const output_files::file* output_files::find(const std::string& option) const {
  for (const file& f : files_) {
    if (f.option == option) return &f;
  }
  return nullptr;
}

bool output_files::has(const std::string& option) const { return find(option) != nullptr; }

bool output_files::uses_stdout() const {
  for (const file& f : files_) {
    if (f.path == "-") return true;
  }
  return false;
}

void output_files::write(const std::string& option, const std::string& bytes) const {
  const file* f = find(option);
  if (f == nullptr) return;
  if (f->path == "-") {
    std::cout << bytes << std::flush;
    return;
  }
  std::ofstream out(f->path, std::ios::binary | std::ios::trunc);
  out << bytes << std::flush;
  if (!out) throw std::runtime_error(option + ": cannot write " + f->path);
}

}  // namespace lab
