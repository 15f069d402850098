#!/usr/bin/env bash
# usage: check_package.sh [--build] [OUTPUT_FOLDER]
# Lives the life of the Debian package in plain Debian 12 chroots (debootstrap): what docker/Dockerfile does, and what an
# administrator does. Root; a Debian mirror; a few minutes.
#
# --build: builds the package in a chroot first, as the first stage of the image; otherwise the newest one in
# OUTPUT_FOLDER (default: build/packages) is used.
# BASCULE_CHROOTS: where the chroots are made, and left; default: a folder that is removed.
# BASCULE_CCACHE: a folder of ccache for the build.
set -euo pipefail
cd "$(dirname "$0")/.."
build=no
[ "${1:-}" != --build ] || { build=yes; shift; }
output=$(realpath -m "${1:-build/packages}")
mkdir -p "$output"
[ "$(id -u)" -eq 0 ] || { echo "check_package.sh: must be root to make a chroot" >&2; exit 1; }

chroots=${BASCULE_CHROOTS:-}
mounted=()
children=()
cleanup() {
  for child in "${children[@]}"; do kill -KILL "$child" 2>/dev/null || true; done
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount "${mounted[$i]}"; done
  [ -n "${BASCULE_CHROOTS:-}" ] || rm -rf "$chroots"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
[ -n "$chroots" ] || chroots=$(mktemp -d)
mkdir -p "$chroots"

say() { echo "== $*"; }
fail() { echo "check_package.sh: $*" >&2; exit 1; }
attach() { mount "$@"; mounted+=("${!#}"); }

fresh() {  # fresh NAME: a chroot with nothing but Debian in it
  local root=$chroots/$1
  [ -d "$chroots/debian" ] || debootstrap --variant=minbase bookworm "$chroots/debian" >"$chroots/debootstrap.log"
  [ -d "$root" ] || cp -a "$chroots/debian" "$root"
  [ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  for file in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
  # A mount of its own, which can be made read-only.
  mountpoint -q "$root" || attach --bind "$root" "$root"
  mountpoint -q "$root/proc" || attach -t proc proc "$root/proc"
}

in_chroot() {  # in_chroot NAME COMMAND...
  local root=$chroots/$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

until_true() {  # until_true WHAT COMMAND...
  local what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || fail "$what"
    sleep 0.2
  done
}

build_in_chroot() {
  say "building in a plain chroot (first stage of docker/Dockerfile)"
  fresh build
  local root=$chroots/build
  rm -rf "$root/src" "$root/packages"
  mkdir -p "$root/src" "$root/packages"
  git archive HEAD | tar -x -C "$root/src"
  local packages=(build-essential debhelper)
  if [ -n "${BASCULE_CCACHE:-}" ]; then
    packages+=(ccache)
    mkdir -p "$root/ccache"
    attach --bind "$BASCULE_CCACHE" "$root/ccache"
  fi
  in_chroot build apt-get update -q >"$chroots/build.log"
  in_chroot build apt-get install -q -y --no-install-recommends "${packages[@]}" >>"$chroots/build.log"
  in_chroot build env CCACHE_DIR=/ccache BASCULE_REVISION="$(git describe --always --tags --abbrev=12)" \
    BASCULE_BUILD_FOLDER=/work "${build_environment[@]}" /src/packaging/build_deb.sh /packages >>"$chroots/build.log" 2>&1 ||
    { tail -n 30 "$chroots/build.log" >&2; fail "the build failed; the whole log: $chroots/build.log"; }
  cp "$root"/packages/* "$output"
}
# What debhelper's build takes from the environment.
build_environment=()
for name in BASCULE_CMAKE_OPTIONS DEB_BUILD_OPTIONS DEB_CFLAGS_SET DEB_CXXFLAGS_SET DEB_CPPFLAGS_SET DEB_LDFLAGS_SET; do
  [ -z "${!name+set}" ] || build_environment+=("$name=${!name}")
done
[ "$build" = no ] || build_in_chroot
deb=$(find "$output" -name 'bascule_*.deb' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
[ -n "$deb" ] || fail "no package in $output"

say "installing $(basename "$deb") in a plain chroot (second stage)"
fresh plain
root=$chroots/plain
in_chroot plain sh -c 'find / -xdev \( -path /proc -o -path /tmp \) -prune -o -print | sort' >"$chroots/before"
cp "$deb" "$root/tmp/bascule.deb"
in_chroot plain sh -c 'groupadd --gid 10001 bascule && useradd --uid 10001 --gid 10001 \
  --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bascule'
in_chroot plain apt-get update -q >"$chroots/install.log"
in_chroot plain apt-get install -q -y --no-install-recommends ca-certificates /tmp/bascule.deb >>"$chroots/install.log" 2>&1 ||
  { tail -n 30 "$chroots/install.log" >&2; fail "it cannot be installed"; }
in_chroot plain bascule --version
in_chroot plain basculectl --version
[ "$(in_chroot plain stat -c '%a %U:%G' /etc/bascule/bascule.toml)" = "640 root:bascule" ] ||
  fail "rights of the configuration: $(in_chroot plain stat -c '%a %U:%G' /etc/bascule/bascule.toml)"
status=0
in_chroot plain setpriv --reuid=10001 --regid=10001 --clear-groups bascule --check-config >"$chroots/check.log" 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q 'xmpp.domain' "$chroots/check.log" || fail "--check-config of the unconfigured package: $status"

say "running it as user 10001 on a read-only file system, as the image does"
install -m 0644 docker/bascule.toml "$root/etc/bascule/bascule.toml"
chmod 0755 "$root/etc/bascule"
install -d -m 0700 -o 10001 -g 10001 "$root/var/lib/bascule"
attach -t tmpfs -o uid=10001,gid=10001,mode=0700 tmpfs "$root/var/lib/bascule"
mount -o remount,bind,ro "$root"
variables=(XMPP_DOMAIN=meet.jitsi XMPP_SERVER=127.0.0.1 XMPP_PORT=1 JICOFO_AUTH_PASSWORD=secret BASCULE_ADMIN_PORT=18888)
as_user() { in_chroot plain env "${variables[@]}" setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs "$@"; }
as_user bascule --check-config
as_user bascule --supervise 2>"$chroots/run.log" &
run=$!
child() { grep -o 'supervisor.started child=[0-9]*' "$chroots/run.log" | tail -n 1 | cut -d= -f2; }
until_true "it does not start" child
parent=$(ps -o ppid= -p "$(child)" | tr -d ' ')
children+=("$parent")
until_true "the health check of the image never succeeds" as_user bascule --health
as_user bascule --health
if as_user touch /etc/bascule/written 2>/dev/null; then fail "the file system is not read-only"; fi
kill -KILL "$(child)"
until_true "the parent does not start it again" grep -q 'supervisor.child_died' "$chroots/run.log"
until_true "the health check fails after a crash" as_user bascule --health
kill -HUP "$parent"
until_true "SIGHUP reloads nothing" grep -q 'config.reloaded' "$chroots/run.log"
kill -TERM "$parent"
wait "$run" || fail "exit status $? after SIGTERM: $(tail -n 3 "$chroots/run.log")"
children=()
mount -o remount,bind,rw "$root"

say "upgrading, removing, purging"
umount "$root/var/lib/bascule"
unset 'mounted[-1]'
touch "$root/var/lib/bascule/state.db"
in_chroot plain apt-get install -q -y --reinstall /tmp/bascule.deb >>"$chroots/install.log" 2>&1 </dev/null
[ -e "$root/var/lib/bascule/state.db" ] || fail "an upgrade removed state"
in_chroot plain dpkg --remove bascule >>"$chroots/install.log" 2>&1
[ -e "$root/var/lib/bascule/state.db" ] && [ -e "$root/etc/bascule/bascule.toml" ] || fail "removing is not purging"
in_chroot plain dpkg --purge bascule >>"$chroots/install.log" 2>&1
in_chroot plain sh -c 'find / -xdev \( -path /proc -o -path /tmp \) -prune -o -print | sort' >"$chroots/after"
# Of ours; not what apt and the libraries of the package brought.
left=$(comm -13 "$chroots/before" "$chroots/after" | grep -i bascule || true)
[ -z "$left" ] || fail "left after the purge: $left"
say "$(basename "$deb"): built, installed, run, upgraded, removed and purged"
