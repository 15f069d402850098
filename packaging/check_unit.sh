#!/bin/sh
# usage: check_unit.sh BASCULE_BINARY: systemd understands the unit and finds it well hardened.
set -eu
unit=$(dirname "$0")/bascule.service
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s|/usr/bin/bascule|$1|" "$unit" >"$folder/bascule.service"
systemd-analyze verify "$folder/bascule.service"
systemd-analyze security --offline=true --threshold=15 "$folder/bascule.service" | tail -n 1
