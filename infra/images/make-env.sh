#!/bin/sh
# Writes a .env beside docker-compose.yml: .env.example, with 192 random bits for each value that is empty there, and a key to sign JWTs.
# Usage: make-env.sh [file]. Never overwrites one.
set -eu
umask 077

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-$root/.env}
if [ -e "$target" ]; then echo "$target is there already." >&2; exit 1; fi

# PKCS #8 around a P-256 key, which is 32 random bytes.
signing_key() {
  printf '\060\101\002\001\000\060\023\006\007\052\206\110\316\075\002\001\006\010\052\206\110\316\075\003\001\007\004\047\060\045\002\001\001\004\040'
  head -c 32 /dev/urandom
}

while IFS= read -r line; do
  case $line in
    '#'*) ;;
    SETTINGS_JWT_PRIVATE_KEY=) line="$line-----BEGIN PRIVATE KEY-----\n$(signing_key | base64 | tr -d '\n')\n-----END PRIVATE KEY-----" ;;
    *=) line=$line$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n') ;;
  esac
  printf '%s\n' "$line"
done <"$root/.env.example" >"$target.new"
mv "$target.new" "$target"
echo "Wrote $target"
