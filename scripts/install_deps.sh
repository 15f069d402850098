#!/usr/bin/env bash
# Installs whatever of the build and test dependencies is missing, and the packages given as arguments, which few need.
# Debian 12 packages only.
set -euo pipefail

packages=(
  # build
  python3 python3-yaml g++ cmake ninja-build ccache pkg-config git
  libboost1.81-dev libssl-dev libexpat1-dev libsqlite3-dev libstrophe-dev libsystemd-dev
  libexpected-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev rapidjson-dev
  prometheus-cpp-dev libcivetweb-dev libcurl4-openssl-dev zlib1g-dev
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
  # tests and the demo
  prosody prometheus python3 python3-jsonschema openssl curl chromium systemd
  man-db mandoc zsh fish
  # the contributor's loop
  clang-format-14 clang-tidy-14
  "$@"
)

# The browser test needs node and npm from Debian, unless there are others: NodeSource's nodejs has npm inside and
# conflicts with Debian's.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  packages+=(nodejs npm)
fi

missing=()
for package in "${packages[@]}"; do
  if [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | cut -c1-2)" != "ii" ]; then
    missing+=("$package")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run as root, or install sudo: packages are missing" >&2; exit 1; }
  as_root=(sudo)
fi
# Debian starts a packaged Prosody or Prometheus at once; ours run from test fixtures on their own ports.
policy=/usr/sbin/policy-rc.d
made_policy=no
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  made_policy=yes
fi
cleanup() { [ "$made_policy" = no ] || "${as_root[@]}" rm -f "$policy"; }
trap cleanup EXIT
log=$(mktemp)
if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
       "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
     >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "apt-get failed; the whole log: $log" >&2
  exit 1
fi
rm -f "$log"
