#!/usr/bin/env bash
# curl, and DuckDB's reader of JSON: the program `duckdb` of this peer is on the path.
set -euo pipefail
key="operation_id, operation, description, date"
{
    echo "CREATE TABLE IF NOT EXISTS usage (operation_id VARCHAR, operation VARCHAR,
        description VARCHAR, date DATE, items DECIMAL(18, 4), PRIMARY KEY ($key));"
    while read -r name token; do
        curl -sSf -o "$name.json" -H "wolkvox-token: $token" "$VENDOR/api/v2/billing.php?api=rsync_s3_mp3"
        echo "INSERT OR REPLACE INTO usage
            SELECT '$name', row.operation, row.description, left(row.date, 10)::DATE,
                replace(row.items, ',', '')::DECIMAL(18, 4)
            FROM (SELECT unnest(data) AS row FROM read_json('$name.json', maximum_object_size = 100000000,
                columns = {data: 'STRUCT(operation VARCHAR, description VARCHAR, items VARCHAR, date VARCHAR)[]'}));"
    done < <(grep -oP '"name": "\K[^"]+|"token": "\K[^"]+' <<< "$PEER_OPERATIONS" | paste -d ' ' - -)
} > load.sql
duckdb -bail result.duckdb < load.sql
