#!/bin/bash
# Makes stand-ins for the official images, where no image registry can be reached: Debian from its mirror, PostgreSQL from Debian,
# Node from npm, Kafka from Maven Central. They are named tacet.invalid/…: nobody takes them for the official ones, and no registry can ever answer to that.
# Usage, as root, beside a Docker engine: make-images.sh [mirror]. BUILD_CA names a file with CAs to trust beside the usual ones.
set -euo pipefail
cd "$(dirname "$0")"

mirror=${1:-http://deb.debian.org/debian}
root=../../..
catalog_version() { sed -n "s/^  $1: //p" "$root/pnpm-workspace.yaml"; }
kafka_version=$(sed -n '/<artifactId>kafka_2.13</{n;s/.*<version>\(.*\)<.*/\1/p}' "$root/infra/kafka/pom.xml")
draft=$(mktemp --directory)
trap 'umount "$draft"/*/proc "$draft"/*/sys 2>/dev/null || true; rm -rf --one-file-system "$draft"' EXIT

make_debian() {
  local release=$1 image=tacet.invalid/debian:$1 target=$draft/$1
  if docker image inspect "$image" >/dev/null 2>&1; then return; fi
  echo "Making $image"
  # The script is named because an older debootstrap does not know the release.
  debootstrap --variant=minbase --include=ca-certificates "$release" "$target" "$mirror" /usr/share/debootstrap/scripts/sid
  # Proxies, and how strict apt is about the age of a mirror: as on this machine.
  apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$target/etc/apt/apt.conf.d/00host" || true
  install --mode=755 apt-install.sh "$target/usr/local/sbin/apt-install"
  # Nothing is gained by a sync after each file of an image.
  echo force-unsafe-io >"$target/etc/dpkg/dpkg.cfg.d/unsafe-io"
  rm -rf "$target"/var/cache/apt/archives/*.deb "$target"/var/lib/apt/lists/*
  # The folders stay: Java's package links its manual pages.
  find "$target"/usr/share/{doc,man,locale} ! -type d -delete
  tar --create --numeric-owner --directory "$target" --exclude='./proc/*' --exclude='./sys/*' . |
    docker import --change 'CMD ["bash"]' - "$image" >/dev/null
  rm -rf --one-file-system "$target"
}

build() {
  docker build --secret "id=ca,src=$(realpath "${BUILD_CA:-no-ca.pem}")" "$@"
}

make_debian trixie
make_debian forky
build --tag tacet.invalid/node:24 --build-arg "NODE_VERSION=$(catalog_version node)" node
build --tag tacet.invalid/postgres:18 postgres
build --tag "tacet.invalid/kafka:$kafka_version" --build-context "pom=$root/infra/kafka" kafka
