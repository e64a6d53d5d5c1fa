#!/bin/sh
# Writes a .env beside docker-compose.yml: .env.example, with 192 random bits for each value that is empty there.
# Usage: make-env.sh [file]. Never overwrites one.
set -eu
umask 077

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-$root/.env}
if [ -e "$target" ]; then echo "$target is there already." >&2; exit 1; fi
while IFS= read -r line; do
  case $line in
    '#'*) ;;
    *=) line=$line$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n') ;;
  esac
  printf '%s\n' "$line"
done <"$root/.env.example" >"$target.new"
mv "$target.new" "$target"
echo "Wrote $target"
