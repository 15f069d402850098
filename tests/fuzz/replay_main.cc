// Runs every target over every file of its corpora, without a fuzzer: a crash that was found once
// stays found, and no target rots unnoticed.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

/// Arguments: folders with one folder per target in them. The first is the corpus: an empty one is
/// a mistake. A violated check ends the process after the name of the file.
int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [FOLDER...]\n", argv[0]);
    return 2;
  }
  for (const bascule::fuzz::Target& target : bascule::fuzz::kTargets) {
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i) {
      const auto files = files_below(fs::path(argv[i]) / target.name);
      if (i == 1 && files.empty()) {
        std::fprintf(stderr, "no corpus for %s below %s\n", target.name.data(), argv[i]);
        return 1;
      }
      for (const fs::path& path : files) {
        std::ifstream file(path, std::ios::binary);
        const std::string input{std::istreambuf_iterator<char>(file), {}};
        std::printf("%s\n", path.c_str());
        std::fflush(stdout);
        target.run(input);
        ++count;
      }
    }
    std::printf("== %s: %zu inputs\n", target.name.data(), count);
  }
  return 0;
}
