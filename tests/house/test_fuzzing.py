"""Whatever comes from outside: no traceback, and no number but the one that was written.

A few examples each; `make faults` tries as many as there is time for, 10 minutes in all. What is
read is compared with what was drawn, or with readings that share no code with the product's.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dlt
import pytest
import simplejson
from hypothesis import strategies as st

from builders.documents import attached, declared, line, ubl, xlsx, zipped
from builders.facts import billed_line
from builders.fuzzing import (
    AMOUNTS,
    SECONDS,
    TODAY,
    Drawn,
    Fuzz,
    amounts,
    as_csv,
    cell_said,
    count_said,
    days_said,
    documents,
    is_like,
    letters,
    rows,
    sheets,
    slipped,
    texts,
    ubl_said,
    written,
)
from builders.kills import note
from builders.project import NOON, TOKENS, Project
from wolkvox_billing import wolkvox_billing
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices import Document, Hints, OtherKind, Rejected, complete_document
from wolkvox_billing.invoices.files import Paper, read_file
from wolkvox_billing.marts.meaning import read_meaning
from wolkvox_billing.reconciliation.contract.line_map import COLUMNS as MAP_COLUMNS
from wolkvox_billing.reconciliation.contract.line_map import ROLES, first_fits, read_line_map
from wolkvox_billing.reconciliation.contract.rate_card import COLUMNS as CARD_COLUMNS
from wolkvox_billing.reconciliation.contract.rate_card import read_rate_card
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.facts import Meter
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.reconciliation.pricing import Course, TierMonth, price
from wolkvox_billing.reconciliation.unread import NOTHING, Unread
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.answer import Outcome, judge_answer
from wolkvox_billing.vendor.readings import Unreadable, read_items, read_rows
from wolkvox_billing.warehouse.complaints import configured

REPORT = "rsync_s3_mp3"


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Iterator[Fuzz]:
    """Each test that fuzzes has the same share of the time."""
    sharing = sum("fuzz" in getattr(item, "fixturenames", ()) for item in request.session.items)
    fuzzing = Fuzz(SECONDS / sharing)
    yield fuzzing
    if SECONDS:
        note(
            f"fuzzing: {request.node.name}: {fuzzing.tried:,} examples, "
            "no traceback, no other number"
        )


def in_json(answer_rows: list[Any]) -> bytes:
    """Return an answer with these rows."""
    envelope = {"code": 200, "error": None, "msg": "found", "data": answer_rows}
    return str(simplejson.dumps(envelope, use_decimal=True)).encode()


def test_a_count_is_the_one_that_was_sent(fuzz: Fuzz) -> None:
    """Each row of any answer is a reading of what it says, or rejected; what says a count is no
    reason to reject it."""

    def check(drawn: list[Any]) -> None:
        verdict = judge_answer(200, in_json(drawn))
        assert verdict.outcome is Outcome.OK
        readings, rejected = read_rows(verdict.rows, TODAY)
        assert len(readings) + len(rejected) == len(drawn)
        for reading in readings:
            row = drawn[reading.row_number - 1]
            assert reading.items == count_said(row["items"])
            assert reading.date in days_said(row["date"])
            names = row["operation"], row["description"]
            assert (reading.operation, reading.description) == names
            assert date(2000, 1, 1) <= reading.date <= TODAY + timedelta(days=1)
        for row in verdict.rows:
            if isinstance(row, dict) and isinstance(row.get("items"), str):
                try:
                    count = read_items(row["items"])
                except Unreadable:
                    count = None
                # A blank of another script may be refused: then it is rejected, with its reason.
                is_plain = row["items"].isascii()
                assert count == count_said(row["items"]) or (count is None and not is_plain)

    fuzz(st.lists(rows(), min_size=1, max_size=20), check, few=40)


@pytest.mark.usefixtures("tables")
def test_a_warehouse_holds_what_was_sent(project: Project, fuzz: Fuzz) -> None:
    """Any answer, asked over a socket and loaded into DuckDB: all readings are there with their
    texts and numbers, the newest of each product and day is in the report's table."""
    newest: dict[tuple[str, str, date], Decimal] = {}

    def check(drawn: list[Any]) -> None:
        project.vendor.answer(TOKENS["acme"], REPORT, in_json(drawn))
        project.later(seconds=1)
        report = project.load(force=True)
        [poll] = report.polls
        nothing_read = bool(poll.unreadable and poll.unreadable.are_all)
        assert report.is_good is not nothing_read, report
        assert all("could not be read" in text for text in report.warnings), report
        mine = f"WHERE poll_id = '{poll.poll_id}' ORDER BY row_number"
        stored = project.query(
            "SELECT row_number, operation, description, items, items_raw, date FROM readings "
            + mine
        )
        rejected = project.query(f"SELECT row_number FROM rejected_rows {mine}")
        numbers = [number for number, *_ in stored + rejected]
        assert sorted(numbers) == list(range(1, len(drawn) + 1))
        for number, operation, description, items, raw, day in stored:
            row = drawn[number - 1]
            assert (operation, description) == (row["operation"], row["description"])
            assert items == count_said(row["items"]) and day in days_said(row["date"])
            assert not isinstance(row["items"], str) or raw == row["items"]
            newest[operation, description, day] = items
        table = project.query(f"SELECT operation, description, date, items FROM {REPORT}")
        assert {(a, b, c): d for a, b, c, d in table} == newest and len(table) == len(newest)

    assert project.vendor.now == NOON  # whose day is TODAY
    fuzz(st.lists(rows(), min_size=30, max_size=60), check, few=2)


def read(name: str, data: bytes, decimal: str | None = None) -> list[Paper]:
    """Return what is in a file; documents are checked, and have their periods."""
    results = []
    for result in read_file(name, data, Hints(decimal)):
        assert isinstance(result.content, (Document, OtherKind, Rejected))
        if isinstance(result.content, Document):
            try:
                complete_document(result.content, "month_before_issue")
            except Rejected as error:
                result = result._replace(content=error)
        results.append(result)
    return results


def lines_of(document: Document) -> list[list[Decimal | None]]:
    return [[getattr(billed, name) for name in AMOUNTS] for billed in document.lines]


def as_file(data: st.DataObject, rows: list[list[str]], drawn: list[Drawn]) -> bytes:
    """Return the rows as they come in: CSV in some encoding, a workbook, a zip of it."""
    form = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "xlsx", "numbers"]))
    if form in ("xlsx", "numbers"):
        cells: list[list[Any]] = [list(row) for row in rows]
        if form == "numbers":  # as a spreadsheet program keeps them
            exact = [numbers for document in drawn for _, numbers in document.lines]
            for row, numbers in zip(cells[1:], exact, strict=True):
                row[4:8] = map(float, numbers)
            days = [document.issued for document in drawn for _ in document.lines]
            for row, day in zip(cells[1:], days, strict=True):
                row[1] = day
        file = xlsx(cells)
    else:
        delimiter = data.draw(st.sampled_from([",", ";", "\t"]))
        quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        text = as_csv(rows, delimiter, quoting)
        file = text.encode("utf-8" if "\u2212" in text and form == "cp1252" else form)
    return zipped({"a.xlsx": file}) if data.draw(st.integers(0, 3)) == 0 else file


def test_a_spreadsheets_amounts_are_those_that_were_written(fuzz: Fuzz) -> None:
    """Whatever separators, encoding, mark before decimals: each document has the amounts that were
    drawn, or the file is rejected since its numbers read in two ways."""

    def check(data: st.DataObject) -> None:
        drawn, rows, point = data.draw(sheets())
        decimal = data.draw(st.sampled_from([None, point]))
        results = read("lines.csv", as_file(data, rows, drawn), decimal)
        if any("reads in two ways" in str(result.content) for result in results):
            assert len(results) == 1 and not decimal
            return
        assert len(results) == len(drawn)
        for result, expected in zip(results, drawn, strict=True):
            document = result.content
            assert isinstance(document, Document), document
            assert document.document_number == expected.number
            assert document.issue_date == expected.issued
            assert document.billing_currency == expected.currency
            assert lines_of(document) == [numbers for _, numbers in expected.lines]
            descriptions = [billed.description for billed in document.lines]
            assert descriptions == [text for text, _ in expected.lines]
            assert document.net_amount == sum(numbers[2] for _, numbers in expected.lines)
            assert document.tax_amount == sum(numbers[3] for _, numbers in expected.lines)

    fuzz(st.data(), check, few=25)


def test_a_slip_in_a_spreadsheet_is_no_other_amount(fuzz: Fuzz) -> None:
    """One cell with a slip: whatever is taken is what all cells say by one mark before decimals."""

    def check(data: st.DataObject) -> None:
        _, rows, point = data.draw(sheets())
        row = data.draw(st.sampled_from(rows[1:]))
        column = data.draw(st.integers(4, 7) | st.integers(0, 8))
        row[column] = data.draw(slipped(row[column]) | texts)
        decimal = data.draw(st.sampled_from([None, point]))
        try:
            sheet = as_csv(rows, ";").encode()
        except UnicodeEncodeError:
            return
        results = [result.content for result in read("lines.csv", sheet, decimal)]
        accepted = [document for document in results if isinstance(document, Document)]
        marks = [decimal] if decimal else [".", ","]
        exact = {
            mark: [[cell_said(cell, mark) for cell in row[4:8]] for row in rows[1:]]
            for mark in marks
        }
        readings = {
            mark: [[None if n is None else round(n, 4) for n in numbers] for numbers in lines]
            for mark, lines in exact.items()
        }
        lines = [numbers for document in accepted for numbers in lines_of(document)]
        is_read_by = {mark: all(numbers in readings[mark] for numbers in lines) for mark in marks}
        assert any(is_read_by.values()), (lines, readings)
        for document in accepted:
            assert document.net_amount == sum(numbers[2] or 0 for numbers in lines_of(document))

    fuzz(st.data(), check, few=20)


def test_an_xml_invoices_amounts_are_those_in_it(fuzz: Fuzz) -> None:
    """A UBL document whose elements were removed, doubled or changed, in whatever encoding and
    wrapping: what is taken is what its own elements say, read by another parser; lines that do not
    add up are told."""

    def check(data: st.DataObject) -> None:
        drawn, kind = data.draw(documents), data.draw(st.sampled_from(["Invoice", "DebitNote"]))
        own = [
            line(f"{numbers[0]:f}", f"{numbers[2]:f}", kind=kind, number=str(n),
                 description=text, price=f"{numbers[1]:f}", tax=f"{numbers[3]:f}",
                 currency=drawn.currency)
            for n, (text, numbers) in enumerate(drawn.lines, 1)
        ]  # fmt: skip
        net = sum(numbers[2] for _, numbers in drawn.lines)
        text = ubl(*own, kind=kind, number=drawn.number, issued=f"{drawn.issued}", net=f"{net:f}",
                   currency=drawn.currency)  # fmt: skip
        root = ElementTree.fromstring(text)  # noqa: S314 # our own
        for _ in range(data.draw(st.integers(0, 3))):
            change(data, root)
        text = ElementTree.tostring(root, encoding="unicode")
        codec = data.draw(st.sampled_from(["UTF-8", "UTF-16", "ISO-8859-1"]))
        try:
            file = declared(attached(text) if data.draw(st.booleans()) else text, codec)
        except UnicodeEncodeError:
            return
        for result in read("a.xml", zipped({"a.xml": file}) if data.draw(st.booleans()) else file):
            if isinstance(result.content, Document):
                check_amounts(result.content, root, kind)

    fuzz(st.data(), check, few=40)


def change(data: st.DataObject, root: ElementTree.Element) -> None:
    """Remove an element somewhere, change its text, or put another one like it behind it."""
    pairs = [(parent, child) for parent in root.iter() for child in parent]
    numbers = [pair for pair in pairs if pair[1].tag.endswith(("Amount", "Quantity"))]
    parent, child = data.draw(st.sampled_from(numbers or pairs) | st.sampled_from(pairs))
    action = data.draw(st.sampled_from(["remove", "double", "text", "text", "text"]))
    if action == "remove":
        parent.remove(child)
        return
    if action == "double":
        child = copy(child)
        parent.append(child)
    if not len(child):
        new_text = data.draw(slipped(child.text or "") | texts | amounts.map("{:f}".format))
        child.text = "".join(c for c in new_text if c >= " " and not "\ud800" <= c <= "\udfff")


def check_amounts(document: Document, root: ElementTree.Element, kind: str) -> None:
    """Fail where an amount is not the one that the elements have, by Python's own parser."""
    names = {
        "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
        "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    }
    quantity, total = {"Invoice": ("Invoiced", "Legal"), "DebitNote": ("Debited", "Requested")}[
        kind
    ]

    def amount_of(parent: ElementTree.Element, path: str) -> Decimal | None:
        elements = parent.findall(path, names)
        return ubl_said("".join(elements[0].itertext())) if elements else None

    lines = root.findall(f"cac:{kind}Line", names)
    assert len(document.lines) == len(lines)
    for billed, element in zip(document.lines, lines, strict=True):
        assert billed.quantity == amount_of(element, f"cbc:{quantity}Quantity")
        assert billed.net_amount == amount_of(element, "cbc:LineExtensionAmount")
        assert billed.unit_price == amount_of(element, "cac:Price/cbc:PriceAmount")
    net = amount_of(root, f"cac:{total}MonetaryTotal/cbc:LineExtensionAmount")
    assert document.net_amount == net
    assert document.payable_amount == amount_of(root, f"cac:{total}MonetaryTotal/cbc:PayableAmount")
    of_lines = sum((billed.net_amount or 0 for billed in document.lines), Decimal())
    is_told = any("add up to" in warning for warning in document.warnings)
    assert is_told == (net is not None and of_lines != net)


def test_a_price_is_the_one_that_was_written(fuzz: Fuzz, tmp_path: Path) -> None:
    """A rate card in whatever spelling has the prices that were drawn, or says what it cannot read;
    and a quantity costs what its units cost one by one."""
    file = tmp_path / "rate_card.csv"

    def check(data: st.DataObject) -> None:
        point = data.draw(st.sampled_from(".,"))
        tiers = data.draw(st.lists(st.integers(1, 60), max_size=3, unique=True).map(sorted))
        prices = data.draw(
            st.lists(st.decimals(0, 99999, places=data.draw(st.sampled_from([0, 2, 6]))),
                     min_size=len(tiers) + 1, max_size=len(tiers) + 1)
        )  # fmt: skip
        day = data.draw(st.sampled_from(["2026-01-31", "31/01/2026", "31/1/2026"]))
        rows = [
            [REPORT, "", "", data.draw(written(Decimal(start), point)),
             data.draw(written(price, point)), "COP", day, ""]
            for start, price in zip([0, *tiers], prices, strict=True)
        ]  # fmt: skip
        has_slip = data.draw(st.booleans())
        if has_slip:
            row = data.draw(st.sampled_from(rows))
            column = data.draw(st.integers(3, 4) | st.integers(0, 7))
            row[column] = data.draw(slipped(row[column]) | texts)
        data.draw(st.randoms(use_true_random=False)).shuffle(rows)
        text = as_csv([list(CARD_COLUMNS), *rows], data.draw(st.sampled_from([",", ";", "\t"])))
        codec = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
        file.write_bytes(text.encode(codec, "replace"))
        try:
            rates = read_rate_card(file, [REPORT])
        except SettingsError as error:
            if not has_slip and "reads in one way" not in str(error):
                raise
            return
        stored = sorted((rate.from_quantity, rate.unit_price) for rate in rates)
        if has_slip:
            readings = [
                sorted((cell_said(row[3], mark) or 0, cell_said(row[4], other)) for row in rows
                       if any(cell.strip() for cell in row) and not row[0].startswith("#"))
                for mark in ".," for other in ".,"
            ]  # fmt: skip
            assert stored in readings
            return
        assert stored == sorted(zip(map(Decimal, [0, *tiers]), prices, strict=True))
        february = Period(date(2026, 2, 1), date(2026, 3, 1))
        stretches = tuple(Terms(rates).tariffs(Meter("acme", REPORT, ""), "COP", february))
        course = Course((TierMonth(february, stretches),))
        units = data.draw(st.integers(0, 80))
        one_by_one = sum(prices[sum(unit > tier for tier in tiers)] for unit in range(1, units + 1))
        cost = price([course], Decimal(units), None, Unread(NOTHING)).of_measured
        assert cost is not None and abs(cost - one_by_one) <= Decimal("0.005")

    fuzz(st.data(), check, few=40)


_MAPPED = st.just("") | st.text("aAáÁbñ xX1", max_size=6).map(str.strip)
_PATTERNS = st.sampled_from(["*", "*á*", "?*"]) | st.text("aAáb x1*?*", max_size=8).map(str.strip)


def test_a_line_is_mapped_by_the_first_row_that_fits(fuzz: Fuzz, tmp_path: Path) -> None:
    """Of any line map, read from its file, the row that takes a line is the one that a matcher of
    the test's own finds."""
    file = tmp_path / "line_map.csv"

    def check(drawn: tuple[list[tuple[str, ...]], list[tuple[str, str, str]], str]) -> None:
        rows, lines, delimiter = drawn
        file.write_bytes(as_csv([list(MAP_COLUMNS), *map(list, rows)], delimiter).encode())
        line_map = read_line_map(file, [REPORT])
        assert len(line_map) == len(rows)
        for supplier, code, description in lines:
            expected = next(
                (n for n, row in enumerate(rows)
                 if row[0] in ("", supplier)
                 and letters(row[1]) in ("", letters(code))
                 and (not row[2] or is_like(letters(description), letters(row[2])))),
                None,
            )  # fmt: skip
            own = {"supplier_id": supplier, "item_code": code, "description": description}
            [fit] = first_fits(line_map, [billed_line(1, "1", **own)])
            assert (line_map.index(fit) if fit else None) == expected

    suppliers = st.sampled_from(["", "900123456", "800999888"])
    row = st.tuples(suppliers, _MAPPED, _PATTERNS, st.just(REPORT), _MAPPED, _MAPPED,
                    st.sampled_from(ROLES))  # fmt: skip
    lines = st.tuples(suppliers, _MAPPED, _MAPPED)
    fuzz(
        st.tuples(st.lists(row, max_size=5, unique=True), st.lists(lines, max_size=8),
                  st.sampled_from([",", ";", "\t"])),
        check,
        few=100,
    )  # fmt: skip


def test_no_line_map_or_rate_card_is_a_traceback(fuzz: Fuzz, tmp_path: Path) -> None:
    """Whatever is in the two files: rows, or one sentence."""
    file = tmp_path / "a.csv"

    def check(drawn: tuple[list[list[str]], bytes, int]) -> None:
        rows, into, at = drawn
        for columns, reader in ((MAP_COLUMNS, read_line_map), (CARD_COLUMNS, read_rate_card)):
            data = as_csv([list(columns), *rows], ";").encode("utf-8", "surrogatepass")
            at %= len(data)
            file.write_bytes(data[:at] + into + data[at + len(into) :])
            with suppress(SettingsError):
                reader(file, [REPORT])

    rows = st.lists(st.lists(texts | st.sampled_from([REPORT, "quantity", "0", "2026-01-01"]),
                             max_size=9), max_size=4)  # fmt: skip
    into = st.binary(max_size=6) | st.sampled_from([b'"', b'x"y', b'"x"y', b"\0", b"\xff", b"\r"])
    fuzz(st.tuples(rows, into, st.integers(0, 999)), check, few=60)


SOURCE = ("operations", "server", "token", "reports", "base_url", "timezone", "pace_minutes",
          "max_parallel", "retry_pause_seconds", "token_wait_seconds", "measures", "gauge_month",
          "connect_timeout_seconds", "read_timeout_seconds")  # fmt: skip
RECONCILIATION = ("line_map", "rate_card", "tolerance_quantity", "tolerance_percent", "materiality",
                  "tolerance_amount", "invoice_due_days", "period_rule", "supplier_ids",
                  "tail_factor", "language", "cut_off", "vendor_lag_hours",
                  "exchange_rates", "exchange_rate")  # fmt: skip
VARIABLES = [f"SOURCES__WOLKVOX_BILLING__{name.upper()}" for name in SOURCE]
VARIABLES += [f"RECONCILIATION__{name.upper()}" for name in RECONCILIATION]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**20) | st.floats() | texts
    | st.sampled_from(["acme", "0010", TOKENS["acme"], REPORT, "daily", "America/Bogota", "all"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(texts | st.sampled_from(["name", "server", "token", "timezone", REPORT]),
                      inner, max_size=4),
    max_leaves=9,
)  # fmt: skip
SETTING_TEXTS = (
    JSON.map(json.dumps)
    | texts
    | amounts.flatmap(written)
    | st.sampled_from(["1e3", "NaN", "-0", "1_0", "Infinity", "0x10", "٣", "es", "last", "true"])
)


def test_no_setting_is_a_traceback_or_another_number(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    """Variables that hold anything: settings, or one sentence; a number is what Decimal says, which
    is finite and not negative."""

    def check(variables: dict[str, str]) -> None:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                try:
                    patch.setenv(name, value.replace("\0", ""))
                except UnicodeEncodeError:  # no variable can hold half a character
                    patch.delenv(name, raising=False)
            for make in (wolkvox_billing, read_meaning):
                with suppress(SettingsError):
                    configured(make)
            try:
                policy = configured(read_policy)
            except SettingsError:
                return
            for name in RECONCILIATION:
                value = getattr(policy, name)
                text = os.environ.get(f"RECONCILIATION__{name.upper()}")
                if text is not None and isinstance(value, (Decimal, int)):
                    assert value == Decimal(text) and 0 <= value < Decimal("Infinity")

    fuzz(
        st.dictionaries(st.sampled_from(VARIABLES), SETTING_TEXTS, min_size=1, max_size=4),
        check,
        few=40,
    )


def test_no_value_of_a_setting_is_a_traceback(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    """Values of any type in the place of those of `config.toml` and `secrets.toml`: settings, or
    one sentence."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    files = (dlt.config.writable_provider, dlt.secrets.writable_provider)

    def check(drawn: tuple[str, str, Any]) -> None:
        source, reconciliation, value = drawn
        of_source = {"server": "0010", "token": "t", source: value}
        if source == "operations":
            of_source = {source: value}
        settings = {
            "sources": {"wolkvox_billing": of_source},
            "reconciliation": {reconciliation: value},
        }
        with monkeypatch.context() as patch:
            for file in files:
                patch.setattr(file, "_config_doc", settings)
            for make in (wolkvox_billing, read_meaning, read_policy):
                with suppress(SettingsError):
                    configured(make)

    source = st.sampled_from(["operations", "measures", "reports"]) | st.sampled_from(SOURCE)
    fuzz(st.tuples(source, st.sampled_from(RECONCILIATION), JSON), check, few=50)
