#!/bin/sh
# apt-install <package…>: for the stand-ins, from the mirror that they were made from. Trusts the build secret "ca" where that is by https.
set -eu
export DEBIAN_FRONTEND=noninteractive APT_CONFIG=/tmp/apt-install.conf
if [ -s /run/secrets/ca ]; then echo 'Acquire::https::CAInfo "/run/secrets/ca";'; fi >"$APT_CONFIG"
apt-get update
apt-get install --yes --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/* "$APT_CONFIG"
