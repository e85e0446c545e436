"""Names in the line map and the rate card that nobody has: a price by one of them never holds; and
the reports that an invoice line names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from wolkvox_billing.invoices.document import short
from wolkvox_billing.reconciliation.contract.csv_file import place_of
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import MonthUse
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.vendor.reports import REPORTS

_WORD = re.compile(r"[^\W_]+")
_RUN_TOGETHER = {report.replace("_", ""): report for report in REPORTS}
_LONGEST_NAME = max(map(len, _RUN_TOGETHER))
_MOST_NAMED = 10


def unknown_names(
    rows: Iterable[MapRow | Rate],
    file: str,
    operations: Collection[str],
    months: Sequence[MonthUse],
) -> list[str]:
    """Return a warning for each operation and product of a row that no operation has; none where
    nothing was ever asked. The use may come later, so that it is no error."""
    warnings: list[str] = []
    if not operations:
        return warnings
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for name in operations:
        ids[plain(name)].add(name)
    read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for use in months:
        read[use.report, use.operation_id].add(use.product)
    for row in rows:
        own = ids.get(plain(row.operation_id), set())
        if row.operation_id not in ("", "*") and not own:
            warnings.append(
                Sentence(
                    N_("{where}: {name} is no operation that was asked; there is {names}"),
                    where=place_of(file, row.line, "operation_id"),
                    name=short(row.operation_id),
                    names=quote_names(operations),
                )
            )
        if not row.product:
            continue
        products = set[str]().union(
            *(read.get((row.report, name), ()) for name in own or operations)
        )
        if plain(row.product) not in map(plain, products):
            warnings.append(
                Sentence(
                    N_("{where}: {name} is no product of {report} that was read; there is {names}"),
                    where=place_of(file, row.line, "product"),
                    name=short(row.product),
                    report=row.report,
                    names=quote_names(products),
                )
            )
    return warnings


def quote_names(names: Collection[str]) -> str:
    """Return the names in quotes, as a person reads them; of many, the first ones."""
    more = len(names) - _MOST_NAMED
    text = ", ".join(map(short, sorted(names)[:_MOST_NAMED]))
    if more > 0:
        return Sentence(N_("{names} and {n} more"), names=text, n=more)
    return text or Sentence(N_("none so far"))


def named_reports(description: str, item_code: str) -> set[str]:
    """Return the reports that a line names as whole words, whatever stands between these and
    however they are written: `RSYNC S3 MP3`, `rsync-s3-mp3` and `RSYNCS3MP3`. A name within a
    longer one is not meant: neither that `rsync`, nor a code RSYNC beside it."""
    in_text, in_code = _names_in(description), _names_in(item_code)
    return {
        name
        for own, other in ((in_text, in_code), (in_code, in_text))
        for name in own
        if not any(f"_{name}_" in f"_{longer}_" for longer in other - {name})
    }


def _names_in(text: str) -> set[str]:
    """Return the reports that a text names, without those that are only part of a longer name."""
    words = _WORD.findall(plain(text))
    spans: list[tuple[int, int, str]] = []
    for start in range(len(words)):
        together = ""
        for end, word in enumerate(words[start:], start + 1):
            together += word
            if len(together) > _LONGEST_NAME:
                break
            if report := _RUN_TOGETHER.get(together):
                spans.append((start, end, report))
    return {
        report
        for start, end, report in spans
        if not any(
            first <= start and end <= last and (first, last) != (start, end)
            for first, last, _ in spans
        )
    }
