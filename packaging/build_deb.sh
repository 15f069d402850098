#!/usr/bin/env bash
# usage: build_deb.sh OUTPUT_FOLDER
# Builds the Debian package from an export of the sources (of the commit, in a git checkout: uncommitted changes are not
# in it) and puts it into OUTPUT_FOLDER. Installs the build dependencies it misses, when it is root.
#
# BASCULE_BUILD_FOLDER: where the export is built, and left; default: a folder that is removed. Two builds in one folder
# with one SOURCE_DATE_EPOCH (default: that of debian/changelog) are equal byte by byte.
# BASCULE_REVISION: what `--version` says; default: that of the checkout, else the version of the package.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$(realpath -m "${1:?usage: build_deb.sh OUTPUT_FOLDER}")
mkdir -p "$output"

folder=${BASCULE_BUILD_FOLDER:-}
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
tree=$folder/bascule
rm -rf "$tree"
mkdir -p "$tree"
if [ -e .git ]; then
  git archive HEAD | tar -x -C "$tree"
  BASCULE_REVISION=${BASCULE_REVISION:-$(git describe --always --tags --abbrev=12)}
else
  tar -c --exclude=./build --exclude=node_modules . | tar -x -C "$tree"
fi
export BASCULE_REVISION
cp -r "$tree/packaging/debian" "$tree/debian"
cp "$tree/packaging/bascule.service" "$tree/debian"

cd "$tree"
if ! dpkg-checkbuilddeps 2>/dev/null; then
  [ "$(id -u)" -eq 0 ] || { dpkg-checkbuilddeps; exit 1; }
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get build-dep -q -y --no-install-recommends ./
fi
dpkg-buildpackage --build=binary --no-sign "-j$(nproc)"
mv "$folder"/bascule*_*.deb "$folder"/bascule_*.buildinfo "$folder"/bascule_*.changes "$output"
ls -l "$output"
