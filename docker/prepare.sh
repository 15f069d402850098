#!/usr/bin/env bash
# usage: prepare.sh
# Makes what docker/compose.yml needs beside it, unless it is there: `.env` with random passwords, and a certificate for
# the server's auth domain in `certs/`. Folders of the Jitsi images are made in CONFIG (default ~/.jitsi-meet-cfg).
# JITSI_IMAGE_VERSION, the release of the Jitsi images, must be given in the environment the first time; CONFIG,
# PUBLIC_URL and XMPP_AUTH_DOMAIN may be.
set -euo pipefail
cd "$(dirname "$0")"

if [ ! -e .env ]; then
  : "${JITSI_IMAGE_VERSION:?give the release of the Jitsi images, for example JITSI_IMAGE_VERSION=stable-10008}"
  password() { openssl rand -hex 16; }
  (
    umask 077
    cat >.env <<TEXT
CONFIG=${CONFIG:-$HOME/.jitsi-meet-cfg}
JITSI_IMAGE_VERSION=$JITSI_IMAGE_VERSION
PUBLIC_URL=${PUBLIC_URL:-https://localhost:8443}
HTTP_PORT=8000
HTTPS_PORT=8443
TZ=UTC
XMPP_AUTH_DOMAIN=${XMPP_AUTH_DOMAIN:-auth.meet.jitsi}
JICOFO_AUTH_PASSWORD=$(password)
JVB_AUTH_PASSWORD=$(password)
GRAFANA_PASSWORD=$(password)
TEXT
  )
  echo "made docker/.env: look at PUBLIC_URL, and set JVB_ADVERTISE_IPS to the address that people reach"
fi
# shellcheck disable=SC1091
. ./.env

for folder in prosody/config prosody/prosody-plugins-custom storage/prosody jvb web storage/web; do
  mkdir -p "$CONFIG/$folder"
done
certificate=certs/$XMPP_AUTH_DOMAIN
if [ ! -e "$certificate.crt" ]; then
  mkdir -p certs
  openssl req -x509 -newkey rsa:3072 -sha256 -days 3650 -nodes -subj "/CN=$XMPP_AUTH_DOMAIN" \
    -addext "subjectAltName=DNS:$XMPP_AUTH_DOMAIN" -keyout "$certificate.key" -out "$certificate.crt" 2>/dev/null
  # The server in the stock image is user 1000.
  if [ "$(id -u)" -eq 0 ]; then
    chown 1000:1000 "$certificate.key"
  fi
  chmod 0600 "$certificate.key"
  chmod 0644 "$certificate.crt"
  echo "made docker/$certificate.crt"
fi
