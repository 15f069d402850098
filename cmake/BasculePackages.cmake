# Every third-party package, all from Debian 12 (scripts/install_deps.sh).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck CONFIG REQUIRED)
find_package(benchmark REQUIRED)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(strophe REQUIRED IMPORTED_TARGET libstrophe>=0.12)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

# What core code may be built with (decision 1 of docs/architecture.md): values in, values out, no I/O.
set(BASCULE_CORE_PACKAGES tl::expected nlohmann_json::nlohmann_json EXPAT::EXPAT OpenSSL::Crypto)
