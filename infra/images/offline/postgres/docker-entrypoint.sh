#!/bin/bash
# Makes the cluster the first time, with POSTGRES_PASSWORD, POSTGRES_DB and POSTGRES_INITDB_ARGS as in the official image, then serves it.
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Made beside it: half a cluster must not look like one.
  draft=$PGDATA.new
  rm -rf "$draft"
  # shellcheck disable=SC2086 # several arguments
  initdb --pgdata="$draft" --username=postgres --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:?}") --auth-host=scram-sha-256 --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >>"$draft/pg_hba.conf"
  pg_ctl --pgdata="$draft" --options="-c listen_addresses=''" --wait start
  if [ "${POSTGRES_DB:-postgres}" != postgres ]; then createdb --username=postgres "$POSTGRES_DB"; fi
  pg_ctl --pgdata="$draft" --mode=fast --wait stop
  mv "$draft" "$PGDATA"
fi
exec postgres -c listen_addresses='*' "$@"
