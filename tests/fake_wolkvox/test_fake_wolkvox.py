"""The stand-in vendor itself, spoken to over its real socket."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from fake_wolkvox import COUNTERS, DEFAULT_OPERATIONS, GAUGES, MISBEHAVIOURS, REPORTS, Vendor
from fake_wolkvox.invoices import Company

NORTH, SOUTH = (operation.token for operation in DEFAULT_OPERATIONS)
NOON = datetime(2026, 10, 5, 17, tzinfo=timezone.utc)  # a Monday's noon in Bogotá
RSYNC = "rsync_s3_mp3"


class Heard(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str, path: str, token: str | None = None, words: object = None) -> Heard:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        headers = {} if token is None else {"wolkvox-token": token}
        connection.request(method, path, None if words is None else json.dumps(words), headers)
        answer = connection.getresponse()
        return Heard(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def bill(vendor: Vendor, report: str = RSYNC, token: str | None = NORTH) -> Heard:
    return ask(vendor.url, "GET", f"/api/v2/billing.php?api={report}", token)


def amounts(vendor: Vendor, report: str, token: str = NORTH) -> list[int]:
    rows = bill(vendor, report, token).json["data"]
    return [int(row["items"].replace(",", "")) for row in rows]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor(now=NOON) as started:
        yield started


def test_call(vendor: Vendor) -> None:
    """A call answers the documented envelope with the operation's name, amount and local time."""
    heard = bill(vendor, token=SOUTH)
    assert heard.status == 200
    assert heard.headers["Server"] == "Apache"
    assert heard.headers["Content-Type"] == "application/json; charset=utf-8"
    assert list(heard.json) == ["code", "error", "msg", "data"]
    assert (heard.json["code"], heard.json["error"]) == (200, None)
    assert heard.json["msg"] == "Information found for the current month"
    (row,) = heard.json["data"]
    assert list(row) == ["operation", "description", "items", "date"]
    assert (row["operation"], row["date"]) == ("Atención Sur", "2026-10-05 12:00:00")
    assert isinstance(row["items"], str)


def test_all_reports(vendor: Vendor) -> None:
    """Each of the 27 reports answers, some with two products, big amounts in groups of three."""
    assert len(set(REPORTS)) == 27
    rows = {report: bill(vendor, report).json["data"] for report in REPORTS}
    assert {len(products) for products in rows.values()} == {1, 2}
    assert any("," in row["items"] for products in rows.values() for row in products)


@pytest.mark.parametrize(
    ("path", "token", "status", "msg"),
    [
        ("?api=rsync_s3_mp3", None, 401, "PLEASE ENTER THE WOLKVOX-TOKEN"),
        ("?api=rsync_s3_mp3", "0" * 64, 403, "PLEASE VALIDATE TOKEN"),
        ("?api=fax_pages", NORTH, 400, "THE API YOU WANT TO CONSULT DOES NOT EXIST"),
        ("", NORTH, 400, "SOME PARAMETERS ARE REQUIRED"),
    ],
)
def test_refusals(vendor: Vendor, path: str, token: str | None, status: int, msg: str) -> None:
    """A refusal carries the same number in the HTTP status and in the body's code, and no data."""
    heard = ask(vendor.url, "GET", "/api/v2/billing.php" + path, token)
    assert (heard.status, heard.json["code"], heard.json["msg"]) == (status, status, msg)
    assert heard.json["error"]
    assert heard.json["data"] is None


def test_spent_quota() -> None:
    """An operation's calls are counted over its tokens, and come back at the vendor's midnight."""
    with Vendor(now=NOON, operations=[]) as vendor:
        vendor.add_operation(name="A", server="0001", token="one", daily_quota=2)
        vendor.add_operation(name="A", server="0001", token="two", daily_quota=2)
        vendor.add_operation(name="B", server="0001", token="other", daily_quota=2)
        calls = ("one", "two", "one", "other")
        assert [bill(vendor, token=t).status for t in calls] == [200, 200, 403, 200]
        vendor.now += timedelta(hours=11, minutes=59)
        assert bill(vendor, token="two").json["msg"] == "TOKEN LIMIT EXCEEDED"
        vendor.now += timedelta(minutes=1)
        assert bill(vendor, token="two").status == 200


def test_counters_over_two_months(vendor: Vendor) -> None:
    """Counters never fall within a month and start afresh with the next one, in local time. Twice a
    day the one is read that grows in the night, and the others every three days."""
    for report in COUNTERS:
        vendor.now = datetime(2026, 10, 1, 5, tzinfo=timezone.utc)
        readings = [amounts(vendor, report)]
        twelve_hours = 1 if report == RSYNC else 6
        for _ in range(61 // twelve_hours):
            vendor.now += twelve_hours * timedelta(hours=12)
            readings.append(amounts(vendor, report))
        for before, after in pairwise(readings):
            assert all(a >= b for a, b in zip(after, before, strict=True)), report
        vendor.now = datetime(2026, 11, 1, 4, 59, tzinfo=timezone.utc)
        assert amounts(vendor, report) == readings[-1]
        vendor.now += timedelta(minutes=1)
        assert sum(amounts(vendor, report)) < sum(readings[-1]) / 5, report


def test_gauges_are_flat(vendor: Vendor) -> None:
    """Gauges change rarely: not at a month's turn as such, at most a few times a year."""
    for report in GAUGES:
        readings = []
        for week in range(0, 52, 2):
            vendor.now = NOON + timedelta(weeks=week)
            readings.append(amounts(vendor, report))
        changes = sum(a != b for a, b in pairwise(readings))
        assert changes <= 4, report


def test_nightly_copy(vendor: Vendor) -> None:
    """The copied audios grow at three in the local night, except on Sundays."""
    grew_at = []
    vendor.now = datetime(2026, 10, 3, 5, tzinfo=timezone.utc)  # Saturday, 00:00
    before = amounts(vendor, RSYNC)
    for hour in range(1, 4 * 24):
        vendor.now += timedelta(hours=1)
        after = amounts(vendor, RSYNC)
        if after != before:
            grew_at.append(hour)
        before = after
    assert grew_at == [3, 2 * 24 + 3, 3 * 24 + 3]


def test_same_story(vendor: Vendor) -> None:
    """Two vendors of the same operations and clock answer the same; operations differ."""
    with Vendor(now=NOON) as other:
        assert bill(other).body == bill(vendor).body
    assert amounts(vendor, RSYNC, NORTH) != amounts(vendor, RSYNC, SOUTH)


def test_one_call_per_token(vendor: Vendor) -> None:
    """A second simultaneous call of a token is refused and counted; other tokens go on."""
    with ThreadPoolExecutor() as pool:
        with vendor.hold(NORTH):
            first = pool.submit(bill, vendor)
            vendor.wait_for_calls(1)
            second = bill(vendor)
            assert bill(vendor, token=SOUTH).status == 200
            assert not first.done()
        assert first.result().status == 200
    assert second.json["msg"] == "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"
    assert (vendor.violations, vendor.most_in_flight(NORTH), vendor.most_in_flight(SOUTH)) == (
        1,
        2,
        1,
    )


def test_two_tokens_at_once(vendor: Vendor) -> None:
    """Calls of two tokens are handled side by side."""
    with ThreadPoolExecutor() as pool:
        with vendor.hold():
            both = [pool.submit(bill, vendor, RSYNC, token) for token in (NORTH, SOUTH)]
            vendor.wait_for_calls(2)
        assert [future.result().status for future in both] == [200, 200]
    assert (vendor.violations, vendor.most_in_flight(), vendor.most_in_flight(NORTH)) == (0, 2, 1)


def test_one_after_the_other(vendor: Vendor) -> None:
    """Calls one after the other never break the rule, not even after one that was given up."""
    for _ in range(200):
        assert bill(vendor).status == 200
    path = "/api/v2/billing.php?api=vision"
    for name in ("never_answer", "huge", "slow_body", "cut") * 5:
        vendor.misbehave(name, times=1)
        connection = HTTPConnection(urlsplit(vendor.url).netloc)
        count = len(vendor.calls)
        connection.request("GET", path, headers={"wolkvox-token": NORTH})
        vendor.wait_for_calls(count + 1)
        connection.close()
        assert bill(vendor).status == 200
    assert (vendor.violations, vendor.most_in_flight(NORTH)) == (0, 1)


def test_fixed_answers(vendor: Vendor) -> None:
    """Rows and bodies that were fixed are sent as given, to that token and report alone."""
    usual = bill(vendor).body
    vendor.answer(NORTH, RSYNC, [{"items": 7, "new": [None]}, "no row", {"items": "\ud800"}])
    assert bill(vendor).json["data"] == [{"items": 7, "new": [None]}, "no row", {"items": "\ud800"}]
    assert "new" not in bill(vendor, "vision").json["data"][0]
    vendor.answer(NORTH, RSYNC, b"\x00")
    assert bill(vendor).body == b"\x00"
    vendor.answer(NORTH, RSYNC, None)
    assert bill(vendor).body == usual
    vendor.answer(NORTH, "new_report", [])
    assert bill(vendor, "new_report").json["data"] == []
    assert bill(vendor, "new_report", SOUTH).status == 400


def test_calls_are_recorded(vendor: Vendor) -> None:
    """Each call is on record with its path, headers, time and status."""
    bill(vendor)
    bill(vendor, "fax", None)
    first, second = vendor.calls
    assert (first.token, first.report, first.received_at, first.status) == (NORTH, RSYNC, NOON, 200)
    assert first.path == "/api/v2/billing.php?api=rsync_s3_mp3"
    assert first.headers["wolkvox-token"] == NORTH
    assert (second.token, second.report, second.status) == (None, "fax", 401)


def test_queue_of_misbehaviours(vendor: Vendor) -> None:
    """Misbehaviours queue up, keep to their token and report, and end when they were done."""
    vendor.misbehave("server_error", times=2)
    vendor.misbehave("maintenance", times=1)
    assert [bill(vendor).status for _ in range(4)] == [500, 500, 403, 200]
    vendor.misbehave("not_found", token=SOUTH, report="vision")
    assert [bill(vendor, "vision", SOUTH).status for _ in range(3)] == [404] * 3
    assert (bill(vendor, "vision").status, bill(vendor, RSYNC, SOUTH).status) == (200, 200)
    vendor.behave()
    assert bill(vendor, "vision", SOUTH).status == 200
    with pytest.raises(ValueError, match="no misbehaviour 'party'"):
        vendor.misbehave("party")


STATUSES = {
    "wrong_token": 403, "quota_spent": 403, "token_busy": 403, "maintenance": 403,
    "unknown_report": 400, "missing_parameters": 400, "not_found": 404, "html_403": 403,
    "html_404": 404, "server_error": 500, "bad_gateway": 502, "too_many_requests": 429,
    "retry_after": 503, "redirect": 302, "redirect_elsewhere": 302,
}  # fmt: skip
FAILING = {"drop", "cut", "never_answer", "slow_body"}
LARGE = {"gzip_bomb", "huge"}  # their status is seen with their body


@pytest.mark.parametrize("name", sorted(set(MISBEHAVIOURS) - FAILING - LARGE))
def test_each_status(vendor: Vendor, name: str) -> None:
    """Each misbehaviour that ends its answer has the status of its kind."""
    vendor.misbehave(name)
    assert bill(vendor).status == STATUSES.get(name, 200)
    assert vendor.calls[0].status == STATUSES.get(name, 200)


def unpacked(heard: Heard) -> bytes:
    return zlib.decompress(heard.body, wbits=31)


def unpacked_length(heard: Heard) -> int:
    """Return how long it is, without having all of it at once."""
    packed, length, unpacking = heard.body, 0, zlib.decompressobj(wbits=31)
    while piece := unpacking.decompress(packed, 10**6):
        packed, length = unpacking.unconsumed_tail, length + len(piece)
    assert unpacking.eof
    return length


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("error_in_200", lambda h, rows: h.json["code"] == 403),
        ("error_text_in_200", lambda h, rows: h.json["code"] == 200 and h.json["error"]),
        ("html", lambda h, rows: h.body.startswith(b"<!DOCTYPE html>")),
        ("empty_body", lambda h, rows: h.body == b""),
        ("truncated_json", lambda h, rows: h.body[:1] == b"{" and h.body[-1:] != b"}"),
        ("php_warning", lambda h, rows: json.loads(h.body[h.body.index(b"{") :])["data"] == rows),
        ("bom", lambda h, rows: json.loads(h.body.decode("utf-8-sig"))["data"] == rows),
        ("gzip", lambda h, rows: json.loads(unpacked(h))["data"] == rows),
        ("gzip_bomb", lambda h, rows: len(h.body) < 10**6 and unpacked_length(h) == 300 * 10**6),
        ("huge", lambda h, rows: len(h.body) > 299 * 10**6 and h.body.endswith(b"}]}")),
        ("deep_json", lambda h, rows: h.body.count(b"[") == 100_000),
        ("code_as_text", lambda h, rows: h.json["code"] == "200" and h.json["data"] == rows),
        ("data_missing", lambda h, rows: "data" not in h.json),
        ("data_null", lambda h, rows: h.json["data"] is None),
        ("data_empty", lambda h, rows: h.json["data"] == []),
        ("data_object", lambda h, rows: h.json["data"] == rows[0]),
        ("data_text", lambda h, rows: isinstance(h.json["data"], str)),
        ("zero_row", lambda h, rows: [row["items"] for row in h.json["data"]] == ["0", "0"]),
        ("not_utf8", lambda h, rows: "GRABACIÓN".encode("latin-1") in h.body),
        ("nan", lambda h, rows: b'"items": NaN' in h.body),
        ("text_in_items", lambda h, rows: h.json["data"][0]["items"] == "n/a"),
        ("total_row", lambda h, rows: h.json["data"][:2] == rows and len(h.json["data"]) == 3),
        ("extra_field", lambda h, rows: len(h.json["data"][0]) == 5),
        ("renamed_field", lambda h, rows: h.json["data"][0]["cantidad"] == rows[0]["items"]),
        ("missing_field", lambda h, rows: "description" not in h.json["data"][0]),
        ("too_many_requests", lambda h, rows: h.headers["Retry-After"] == "1"),
        ("retry_after", lambda h, rows: h.headers["Retry-After"] == "1"),
    ],
)
def test_each_body(vendor: Vendor, name: str, holds: Callable[[Heard, Any], bool]) -> None:
    """Each misbehaviour does what its line says, in an answer with the status of its kind."""
    rows = bill(vendor, "tts_chars").json["data"]
    vendor.misbehave(name, times=1)
    heard = bill(vendor, "tts_chars")
    assert holds(heard, rows)
    assert heard.status == vendor.calls[-1].status == STATUSES.get(name, 200)
    assert bill(vendor, "tts_chars").json["data"] == rows


def test_redirects(vendor: Vendor) -> None:
    """A redirect points to the same host or to another one, which records what it is sent."""
    vendor.misbehave("redirect", times=1)
    path = "/api/v2/billing.php?api=rsync_s3_mp3"
    moved = bill(vendor).headers["Location"]
    assert moved == "/moved" + path
    assert ask(vendor.url, "GET", moved, NORTH).status == 404
    assert vendor.calls[-1].path == moved
    vendor.misbehave("redirect_elsewhere", times=1)
    assert bill(vendor).headers["Location"] == vendor.elsewhere_url + path
    assert vendor.elsewhere_calls == []
    ask(vendor.elsewhere_url, "GET", path, NORTH)
    assert [call.headers["wolkvox-token"] for call in vendor.elsewhere_calls] == [NORTH]


def test_broken_connections(vendor: Vendor) -> None:
    """A dropped connection ends before a byte came, a cut one in the middle of the body."""
    vendor.misbehave("drop", times=1)
    with pytest.raises(RemoteDisconnected):
        bill(vendor)
    vendor.misbehave("cut", times=1)
    with pytest.raises(HTTPException, match="more expected"):
        bill(vendor)
    assert [call.status for call in vendor.calls] == [None, 200]


def test_slow_body(vendor: Vendor) -> None:
    """A slow body is a good one, a byte at a time, at the pace that was set."""
    vendor.slow_seconds = 0.0
    usual = bill(vendor).body
    vendor.misbehave("slow_body", times=1)
    assert bill(vendor).body == usual


@pytest.mark.parametrize("name", ["never_answer", "slow_body", "huge"])
def test_quick_close(name: str) -> None:
    """The vendor closes at once, whatever it is doing, and leaves no thread behind."""
    before = set(threading.enumerate())
    vendor = Vendor(now=NOON).start()
    vendor.slow_seconds = 60
    vendor.misbehave(name)
    hanging = HTTPConnection(urlsplit(vendor.url).netloc)
    hanging.request("GET", "/api/v2/billing.php?api=vision", headers={"wolkvox-token": NORTH})
    idle = HTTPConnection(urlsplit(vendor.url).netloc)
    idle.request("GET", "/_fake/calls")
    idle.getresponse().read()
    vendor.wait_for_calls(1)
    started = time.monotonic()
    vendor.close()
    assert time.monotonic() - started < 0.5
    assert set(threading.enumerate()) == before
    hanging.close()
    idle.close()


def test_outage(vendor: Vendor) -> None:
    """A closed vendor refuses connections; started again it is at the same address, as it was."""
    vendor.answer(NORTH, RSYNC, [])
    url = vendor.url
    vendor.close()
    with pytest.raises(ConnectionRefusedError):
        bill(vendor)
    vendor.start()
    assert vendor.url == url
    assert bill(vendor).json["data"] == []


def test_kept_connection(vendor: Vendor) -> None:
    """A connection serves several calls, also after a refusal."""
    connection = HTTPConnection(urlsplit(vendor.url).netloc)
    sockets = set()
    for token in (NORTH, "wrong", NORTH):
        path = "/api/v2/billing.php?api=vision"
        connection.request("GET", path, headers={"wolkvox-token": token})
        sockets.add(connection.sock)
        connection.getresponse().read()
    connection.close()
    assert len(sockets) == 1
    assert [call.status for call in vendor.calls] == [200, 403, 200]


def document_in(zipped: bytes, where: str = "Attachment") -> ElementTree.Element:
    """Return the document that the AttachedDocument in the zip holds there."""
    with ZipFile(BytesIO(zipped)) as archive:
        attached = ElementTree.fromstring(archive.read(archive.namelist()[0]))  # noqa: S314
    text = attached.findtext(f"{{*}}{where}/{{*}}ExternalReference/{{*}}Description")
    assert text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    return ElementTree.fromstring(text.encode())  # noqa: S314


def text_at(document: ElementTree.Element, path: str) -> str | None:
    return document.findtext("/".join("{*}" + name for name in path.split("/")))


def test_invoice(vendor: Vendor) -> None:
    """An invoice bills what the counter shows in the month's last second, with 19 % on top."""
    expected = {
        "ID": "WVX26106952",
        "IssueDate": "2026-11-03",
        "InvoicePeriod/StartDate": "2026-10-01",
        "InvoicePeriod/EndDate": "2026-10-31",
        "AccountingSupplierParty/Party/PartyTaxScheme/CompanyID": "900123456",
        "TaxTotal/TaxAmount": "260224.00",
        "LegalMonetaryTotal/LineExtensionAmount": "1369600.00",
        "LegalMonetaryTotal/PayableAmount": "1629824.00",
        "InvoiceLine/InvoicedQuantity": "13696.00",
        "InvoiceLine/LineExtensionAmount": "1369600.00",
        "InvoiceLine/TaxTotal/TaxAmount": "260224.00",
        "InvoiceLine/Item/Description": "Grabaciones copiadas a S3 (RSYNC S3 MP3) - Ventas  Norte",
        "InvoiceLine/Item/SellersItemIdentification/ID": "RSYNC-S3-MP3",
        "InvoiceLine/Price/PriceAmount": "100.00",
        "InvoiceLine/Price/BaseQuantity": "13696.00",
    }
    invoice = document_in(vendor.invoice(NORTH, "2026-10"))
    assert {path: text_at(invoice, path) for path in expected} == expected
    vendor.now = datetime(2026, 11, 1, 4, 59, 59, tzinfo=timezone.utc)
    assert amounts(vendor, RSYNC) == [13_696]


def test_overbilled(vendor: Vendor) -> None:
    """What is billed too much is added to the quantity, and half a cent is rounded up."""
    expected = {
        "InvoiceLine/InvoicedQuantity": "13701.00",
        "InvoiceLine/Price/PriceAmount": "0.125",
        "InvoiceLine/LineExtensionAmount": "1712.63",  # of 1712.625
        "TaxTotal/TaxAmount": "325.40",  # of 325.3997
        "LegalMonetaryTotal/PayableAmount": "2038.03",
    }
    invoice = document_in(vendor.invoice(NORTH, "2026-10", extra=5, unit_price="0.125"))
    assert {path: text_at(invoice, path) for path in expected} == expected


def test_credit_note(vendor: Vendor) -> None:
    """A credit note gives units of an invoice back, names it, and comes in a mail of its own."""
    expected = {
        "ID": "NC26106952",
        "IssueDate": "2026-11-10",
        "InvoicePeriod/StartDate": "2026-10-01",
        "DiscrepancyResponse/ResponseCode": "1",
        "BillingReference/InvoiceDocumentReference/ID": "WVX26106952",
        "CreditNoteLine/CreditedQuantity": "450.00",
        "CreditNoteLine/LineExtensionAmount": "45000.00",
        "LegalMonetaryTotal/PayableAmount": "53550.00",
    }
    sent = vendor.invoice(NORTH, "2026-10", extra=450, credited=450)
    note = document_in(sent)
    assert note.tag.endswith("}CreditNote")
    assert {path: text_at(note, path) for path in expected} == expected
    with ZipFile(BytesIO(sent)) as archive:
        assert archive.namelist()[0] == "ad090012345600026118e5c48.xml"


def test_many_lines() -> None:
    """An invoice has a line per product of each report, whatever the operation is called."""
    name = "A & B <C> ]]> \r"
    with Vendor(now=NOON, operations=[]) as vendor:
        vendor.add_operation(name=name, server="0001", token="t")
        invoice = document_in(vendor.invoice("t", "2026-10", reports=("tts_chars", "pbx_licenses")))
    lines = invoice.findall("{*}InvoiceLine")
    assert [(text_at(line, "ID"), text_at(line, "Item/Description")) for line in lines] == [
        ("1", f"Consumo (TTS CHARS STANDARD) - {name}"),
        ("2", f"Consumo (TTS CHARS NEURAL) - {name}"),
        ("3", f"Licencias (PBX LICENSES) - {name}"),
    ]
    assert text_at(invoice, "LineCountNumeric") == "3"


def test_mail(vendor: Vendor) -> None:
    """The mail's zip holds an AttachedDocument, with DIAN's word on the invoice, and a PDF."""
    zipped = vendor.invoice(NORTH, "2026-10")
    with ZipFile(BytesIO(zipped)) as archive:
        assert archive.namelist() == [
            "ad090012345600026018e5c48.xml",
            "fv090012345600026018e5c48.pdf",
        ]
        page = archive.read("fv090012345600026018e5c48.pdf")
    assert page.startswith(b"%PDF-") and page.endswith(b"%%EOF\n")
    assert b"WVX26106952" in page and b"1629824.00" in page
    word = document_in(zipped, "ParentDocumentLineReference/{*}DocumentReference/{*}Attachment")
    assert word.tag.endswith("}ApplicationResponse")
    assert text_at(word, "DocumentResponse/DocumentReference/ID") == "WVX26106952"
    uuid = text_at(document_in(zipped), "UUID")
    assert text_at(word, "DocumentResponse/DocumentReference/UUID") == uuid


def test_same_invoice(vendor: Vendor) -> None:
    """The same invoice is the same bytes; billed otherwise, a month keeps its number."""
    zipped = vendor.invoice(NORTH, "2026-10")
    vendor.now += timedelta(days=40)
    assert vendor.invoice(NORTH, "2026-10") == zipped
    first, more = document_in(zipped), document_in(vendor.invoice(NORTH, "2026-10", extra=1))
    assert text_at(first, "ID") == text_at(more, "ID")
    assert text_at(first, "UUID") != text_at(more, "UUID")
    others = [vendor.invoice(SOUTH, "2026-10"), vendor.invoice(NORTH, "2026-09")]
    assert (
        len({text_at(first, "ID"), *(text_at(document_in(other), "ID") for other in others)}) == 3
    )


@pytest.mark.parametrize(
    ("nit", "digit"), [("900123456", 8), ("800197268", 4), ("899999068", 1), ("890903938", 8)]
)
def test_check_digit(nit: str, digit: int) -> None:
    """A company's check digit is computed as the tax office does."""
    assert Company("", nit).check_digit == digit


def test_invoice_over_http(vendor: Vendor) -> None:
    """An invoice is also had over HTTP, with the name that its zip would have in the mail."""
    words = {"token": NORTH, "month": "2026-10", "extra": 450}
    heard = ask(vendor.url, "POST", "/_fake/invoice", words=words)
    assert heard.status == 200
    assert (heard.json["now"], heard.json["file_name"]) == (
        "2026-10-05T17:00:00+00:00",
        "z090012345600026018e5c48.zip",
    )
    zipped = base64.b64decode(heard.json["zip_base64"])
    assert zipped == vendor.invoice(NORTH, "2026-10", extra=450)
    assert text_at(document_in(zipped), "LegalMonetaryTotal/PayableAmount") == "1683374.00"
    assert vendor.calls == []


def test_controls_over_http(vendor: Vendor) -> None:
    """The clock, the answers and the misbehaviours are set, and the calls read, over HTTP."""

    def order(name: str, words: object = None) -> int:
        return ask(vendor.url, "POST", f"/_fake/{name}", words=words).status

    assert order("clock", {"now": "2026-12-31T23:00:00-05:00"}) == 200
    assert vendor.now == datetime(2027, 1, 1, 4, tzinfo=timezone.utc)
    assert bill(vendor).json["data"][0]["date"] == "2026-12-31 23:00:00"
    key = {"token": NORTH, "report": RSYNC}
    assert order("answer", {**key, "rows": []}) == 200
    assert bill(vendor).json["data"] == []
    assert order("answer", {**key, "body_base64": base64.b64encode(b"\xff").decode()}) == 200
    assert bill(vendor).body == b"\xff"
    assert order("answer", {**key, "rows": None}) == 200
    assert len(bill(vendor).json["data"]) == 1
    assert order("misbehave", {"name": "html", "token": None, "report": None, "times": None}) == 200
    assert bill(vendor).body.startswith(b"<!DOCTYPE")
    assert order("behave") == 200
    heard = ask(vendor.url, "GET", "/_fake/calls").json
    assert [call["status"] for call in heard["calls"]] == [200] * 5
    assert heard["calls"][0]["received_at"] == "2027-01-01T04:00:00+00:00"
    assert (heard["violations"], heard["now"]) == (0, "2027-01-01T04:00:00+00:00")
    described = ask(vendor.url, "GET", "/_fake/misbehaviours").json
    assert set(described) == set(MISBEHAVIOURS)
    assert all(described.values())


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("clock", {"now": "2026-10-01T05:00:00"}),
        ("clock", {"now": "soon"}),
        ("clock", []),
        ("answer", {"rows": []}),
        ("misbehave", {"name": "party"}),
        ("misbehave", {}),
        ("invoice", {"token": NORTH}),
        ("invoice", {"token": "0" * 64, "month": "2026-10"}),
        ("invoice", {"token": NORTH, "month": "2026-13"}),
        ("invoice", {"token": NORTH, "month": "October"}),
        ("invoice", {"token": NORTH, "month": "2026-10", "extra": 0.5}),
        ("invoice", {"token": NORTH, "month": "2026-10", "extra": 10**40}),
        ("invoice", {"token": NORTH, "month": "2026-10", "unit_price": "NaN"}),
        ("invoice", {"token": NORTH, "month": "2026-10", "reports": ["fax_pages"]}),
        ("invoice", {"token": NORTH, "month": "2026-10", "reports": []}),
        ("invoice", {"token": NORTH, "month": "2026-10", "credited": 13_697}),
        ("copy", {"token": "0" * 64, "month": "2026-10", "folder": "."}),
        ("nothing", {}),
    ],
)
def test_wrong_controls(vendor: Vendor, order: str, words: object) -> None:
    """A control that makes no sense is refused with a reason."""
    heard = ask(vendor.url, "POST", f"/_fake/{order}", words=words)
    assert heard.status == 400
    assert heard.json["error"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_as_a_process(ending: signal.Signals) -> None:
    """As a process it says in one line where it listens, answers, and ends quietly when told to."""
    pipelines = str(Path(__file__).parents[2] / "pipelines")
    words = ["--now", "2026-11-02T12:00:00Z", "--operation", "A: B:0007:t0ken"]
    process = subprocess.Popen(
        [sys.executable, "-m", "fake_wolkvox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": pipelines},
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("wolkvox stand-in listening on http://127.0.0.1:")
        url = line.split()[-1]
        heard = ask(url, "GET", "/api/v2/billing.php?api=vision", "t0ken")
        (row,) = heard.json["data"]
        assert (row["operation"], row["date"]) == ("A: B", "2026-11-02 07:00:00")
        process.send_signal(ending)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_the_nightly_copy(vendor: Vendor, tmp_path: Path) -> None:
    """As many files as the counter shows in a month's last second, each in the folder of its call's
    day and of the time of its night; a failed night is made good the night after, and what is kept
    back is counted and not copied."""
    vendor.now = datetime(2026, 11, 1, 4, 59, tzinfo=timezone.utc)
    [row] = bill(vendor).json["data"]
    shown = int(row["items"].replace(",", ""))
    words = {"token": NORTH, "month": "2026-10", "folder": str(tmp_path), "failed": [15]}
    heard = ask(vendor.url, "POST", "/_fake/copy", words={**words, "kept_back": 7})
    files = [*tmp_path.rglob("*.mp3")]
    assert heard.json["copied"] == len(files) == shown - 7
    nights = {
        file.parent.name: f"{datetime.fromtimestamp(file.stat().st_mtime, timezone.utc):%d %H}"
        for file in files
    }
    assert (nights["2026-10-13"], nights["2026-10-14"]) == ("14 08", "16 08")
    assert all(file.name.startswith("customer.") and ".date.2026-" in file.name for file in files)
