#!/usr/bin/env bash
# The tap into target-duckdb, as Meltano would run them; then the texts are typed.
set -euo pipefail
here=$(dirname "$0")
echo '{}' > tap.json
echo '{"path": "result.duckdb", "default_target_schema": "main"}' > target.json
python "$here/tap.py" --config tap.json | target-duckdb --config target.json > state.json
python -c 'import duckdb, sys; duckdb.connect("result.duckdb").execute(open(sys.argv[1]).read())' "$here/../typed.sql"
