#!/usr/bin/env bash
# curl into sling into DuckDB, whose program is on the path; then the texts are typed.
set -euo pipefail
here=$(dirname "$0")
export DUCKDB_PATH=$(command -v duckdb) SLING_DISABLE_TELEMETRY=true DUCKDB_USE_INSTALLED_EXTENSIONS=true
export RESULT="{type: duckdb, copy_method: csv_files, instance: '$PWD/result.duckdb'}"
while read -r name token; do
    curl -sSf -H "wolkvox-token: $token" "$VENDOR/api/v2/billing.php?api=rsync_s3_mp3" |
        "$SLING" run --src-options "{format: json, jmespath: 'data[].{operation_id: \`\"$name\"\`, operation: operation, description: description, date: date, items: items}', flatten: true}" \
        --stdout=false --tgt-conn RESULT --tgt-object main.landed --mode incremental \
        --primary-key operation_id,operation,description,date
done < <(grep -oP '"name": "\K[^"]+|"token": "\K[^"]+' <<< "$PEER_OPERATIONS" | paste -d ' ' - -)
duckdb -bail result.duckdb < "$here/../typed.sql"
