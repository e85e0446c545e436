"""PyAirbyte with a declarative source of its own, as Airbyte's builder writes it; then typed."""

import json
import os
from pathlib import Path

os.environ["AIRBYTE_LOGGING_ROOT"] = os.getcwd()

import airbyte as ab
from airbyte.caches import DuckDBCache

FIELDS = ("operation_id", "operation", "description", "date", "items")


def stream(name, token):
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["operation_id", "operation", "description", "date"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": os.environ["VENDOR"],
                "path": "/api/v2/billing.php",
                "http_method": "GET",
                "request_parameters": {"api": "rsync_s3_mp3"},
                "request_headers": {"wolkvox-token": token},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {"type": "NoPagination"},
        },
        "transformations": [
            {
                "type": "AddFields",
                "fields": [
                    {"type": "AddedFieldDefinition", "path": ["operation_id"], "value": name}
                ],
            }
        ],
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {
                "type": "object",
                "properties": {field: {"type": ["null", "string"]} for field in FIELDS},
            },
        },
    }


operations = {one["name"]: one["token"] for one in json.loads(os.environ["PEER_OPERATIONS"])}
source = ab.get_source(
    "source-wolkvox",
    config={},
    streams="*",
    source_manifest={
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [next(iter(operations))]},
        "streams": [stream(name, token) for name, token in operations.items()],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    },
)
cache = DuckDBCache(db_path="result.duckdb", schema_name="main")
source.read(cache=cache, write_strategy="merge")
landed = " UNION ALL ".join(f"SELECT {', '.join(FIELDS)} FROM {name}" for name in operations)
with cache.get_sql_engine().begin() as db:
    db.exec_driver_sql(f"CREATE OR REPLACE TEMP VIEW landed AS {landed}")
    db.exec_driver_sql(Path(__file__).parent.with_name("typed.sql").read_text())
