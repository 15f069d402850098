#include "tests/torture/standstill.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

namespace bascule::torture {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The lines of a /proc file that begin with one of these words.
std::string lines_of(const std::string& path, const std::vector<std::string>& words) {
  std::ifstream in(path);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (std::any_of(words.begin(), words.end(),
                    [&](const std::string& word) { return line.rfind(word, 0) == 0; })) {
      std::replace(line.begin(), line.end(), '\t', ' ');
      out += line + "; ";
    }
  }
  return out;
}

std::string whole(const std::string& path, const std::string& indent) {
  std::ifstream in(path);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    out += indent + line + "\n";
  }
  return out;
}

std::string of_threads(const std::string& process) {
  std::string out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(process + "/task", error)) {
    const std::string task = entry.path().string();
    out += "  thread " + entry.path().filename().string() + " " + first_line(task + "/comm") +
           ": wchan " + first_line(task + "/wchan") + "; syscall " + first_line(task + "/syscall") +
           "; schedstat " + first_line(task + "/schedstat") + "; " +
           lines_of(task + "/status", {"State", "voluntary", "nonvoluntary"}) +
           lines_of(task + "/io", {"write_bytes"}) + "\n" + whole(task + "/stack", "    ");
  }
  return out;
}

std::string stacks(pid_t pid) {
  const std::string command = "command -v gdb >/dev/null && timeout 60 gdb -nx -q -batch -p " +
                              std::to_string(pid) +
                              " -ex 'thread apply all bt 20' 2>/dev/null | grep -E '^(#|Thread)'";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  std::string out;
  std::array<char, 4096> line{};
  while (pipe && std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
    out += "  " + std::string(line.data());
  }
  return out.empty() ? "  (no gdb, no stacks)\n" : out;
}

}  // namespace

std::string describe_standstill(pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ostringstream out;
  out << "process " << pid << ", load " << first_line("/proc/loadavg")
      << ", pressure of i/o: " << first_line("/proc/pressure/io") << "\n"
      << of_threads(process);
  std::this_thread::sleep_for(std::chrono::seconds{1});
  out << "one second later\n" << of_threads(process) << stacks(pid);
  return out.str();
}

}  // namespace bascule::torture
