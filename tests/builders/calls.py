"""One call to the stand-in vendor."""

from __future__ import annotations

from typing import Any

from builders.project import SERVERS, TOKENS
from fake_wolkvox.reply import envelope
from wolkvox_billing.vendor.client import Answer, Limits, ask, new_session
from wolkvox_billing.vendor.operations import Operation

REPORT = "rsync_s3_mp3"
TOKEN = TOKENS["acme"]
ROW = {"operation": "ACME", "description": "Grabación", "items": "7", "date": "2026-11-10"}
WHOLE = envelope([ROW])


def call(base: str, token: str = TOKEN, report: str = REPORT, **limits: Any) -> Answer:
    """One call of its own."""
    operation = Operation("acme", SERVERS["acme"], f"{base}/api/v2/billing.php", token)
    with new_session() as session:
        return ask(session, operation, report, Limits(**limits))


MISBEHAVED = {
    "wrong_token": ("bad_token", 403, None),
    "quota_spent": ("quota_spent", 403, None),
    "token_busy": ("token_busy", 403, None),
    "maintenance": ("maintenance", 403, None),
    "unknown_report": ("unknown_report", 400, None),
    "missing_parameters": ("unknown_report", 400, None),
    "not_found": ("not_found", 404, None),
    "error_in_200": ("bad_token", 200, None),
    "error_text_in_200": ("bad_answer", 200, "an error beside code 200"),
    "html": ("bad_answer", 200, "HTTP 200: the body is not JSON"),
    "html_403": ("bad_answer", 403, "HTTP 403: the body is not JSON"),
    "html_404": ("bad_answer", 404, "HTTP 404: the body is not JSON"),
    "server_error": ("server_error", 500, "the server answered 500"),
    "bad_gateway": ("server_error", 502, "the server answered 502"),
    "too_many_requests": ("token_busy", 429, "the server asks for fewer calls"),
    "retry_after": ("server_error", 503, "the server answered 503"),
    "redirect": ("bad_answer", 302, "HTTP 302: the body is not JSON"),
    "redirect_elsewhere": ("bad_answer", 302, "HTTP 302: the body is not JSON"),
    "empty_body": ("bad_answer", 200, "HTTP 200: the body is empty"),
    "truncated_json": ("bad_answer", 200, "HTTP 200: the body is not JSON"),
    "php_warning": ("bad_answer", 200, "HTTP 200: the body is not JSON"),
    "bom": ("ok", 200, None),
    "gzip": ("ok", 200, None),
    "gzip_bomb": ("bad_answer", 200, "the answer is larger than 1000000 bytes"),
    "huge": ("bad_answer", 200, "the answer is larger than 1000000 bytes"),
    "deep_json": ("bad_answer", 200, "HTTP 200: the body is not JSON"),
    "not_utf8": ("bad_answer", 200, "HTTP 200: the body is not UTF-8 text"),
    "code_as_text": ("ok", 200, None),
    "data_missing": ("bad_answer", 200, "the answer has no `data`"),
    "data_null": ("empty", 200, "`data` is null"),
    "data_empty": ("empty", 200, "`data` is an empty list"),
    "data_object": ("bad_answer", 200, "`data` is not a list of rows"),
    "data_text": ("bad_answer", 200, "`data` is not a list of rows"),
    "zero_row": ("ok", 200, None),
    "nan": ("ok", 200, None),
    "text_in_items": ("ok", 200, None),
    "total_row": ("ok", 200, None),
    "extra_field": ("ok", 200, None),
    "renamed_field": ("ok", 200, None),
    "missing_field": ("ok", 200, None),
    "drop": ("unreachable", None, "connection: 127.0.0.1 refused or dropped it"),
    "cut": ("bad_answer", 200, "the connection ended in the middle of the answer"),
    "slow_body": ("timeout", 200, "the answer did not end within 0.3 s"),
    "never_answer": ("timeout", None, "127.0.0.1 took the call and did not answer in time"),
}
