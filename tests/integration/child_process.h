#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bascule::test {

/// Starts a program with its output appended to `output`. The child is killed when we die. Throws
/// std::runtime_error when there is no process to be had.
pid_t spawn(const std::vector<std::string>& command, const std::filesystem::path& output);
/// Runs a program to its end. Throws std::runtime_error with its output unless it exits with 0.
void run(const std::vector<std::string>& command, const std::filesystem::path& output);
/// The whole content; empty when the file does not exist.
std::string read_file(const std::filesystem::path& path);
/// A new, empty folder below the system's temporary one. Throws std::runtime_error.
std::filesystem::path make_folder(const std::string& prefix);

}  // namespace bascule::test
