"""The verb `explain`: each verdict of a month, walked back to what it came from.

verdict ─┬▶ its last reading ─▶ the poll that brought it ─▶ SHA-256 of the answer
         └▶ the lines that bill it ─▶ their document ─▶ SHA-256 of its file
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.captions import caption, status_word
from wolkvox_billing.reconciliation.counting import Standing
from wolkvox_billing.reconciliation.mart import fill_anew
from wolkvox_billing.reconciliation.origin import BilledFrom, MeasuredFrom, Traced, trace
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.standing_words import tell_standings
from wolkvox_billing.values.clock import Clock, format_second, utc_now
from wolkvox_billing.values.periods import format_period, read_month
from wolkvox_billing.values.translation import (
    N_,
    Amount,
    BillingMonth,
    Plural,
    Sentence,
    phrase,
    translate,
)
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading


@dataclass
class Explained:
    """The documents of a month, settled, and its verdicts with all that they came from; where the
    tables are, and the language of the sentences; and the documents that do not simply count."""

    month: str
    settled: list[Settled]
    verdicts: list[Traced]
    location: str
    language: str
    told: list[Standing] = field(default_factory=list)

    @property
    def not_counted(self) -> list[str]:
        """Return why documents of the month do not count, in sentences."""
        return tell_standings(self.told, self.language)


# The keywords are what the command line has as options, and what tests set.
def explain(
    month: str,
    *,
    product: str | None = None,
    report: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Explained:
    """Return the Explained of a month such as 2026-11: what each verdict and each document's sum
    came from. product, report: only verdicts with it, as the vendor names it.

    Raises what `reconcile` raises, and SettingsError for a product or report that is not in it.
    """
    policy = policy or configured(read_policy)
    period = read_month(month)
    with opened(destination, dataset, reads=True) as pipeline, reading(pipeline):
        filled = fill_anew(pipeline, policy, clock(), period, reads=True)
        with pipeline.sql_client() as client:
            traced = trace(client, pipeline.dataset_name, filled.bases)
        location = location_of(pipeline)
    verdicts = [verdict for verdict in traced if _fits(verdict, product, report)]
    if traced and not verdicts:
        named = sorted({f"{p} ({r})" for verdict in traced for r, p in _named(verdict) if p})
        wanted = " of the report ".join(filter(None, (product or "verdict", report)))
        values = {"month": BillingMonth.named(month), "product": ", ".join(named) or "no product"}
        text = N_("{month} has no {wanted}: there is {product}")
        raise SettingsError(Sentence(text, wanted=wanted, **values))
    for verdict in verdicts:
        if product and verdict.row.product is None:  # of a whole report, what was asked for
            verdict.measured_from = [m for m in verdict.measured_from if m.product == product]
    settled = [each for each in filled.settled if _is_about(each, product, report)]
    return Explained(month, settled, verdicts, location, policy.language, filled.told)


def _is_about(settled: Settled, product: str | None, report: str | None) -> bool:
    """Whether a document bills a product and report, None for any."""
    return product is report is None or any(
        report in (None, part.report) and part.product in (None, product)
        for part in settled.components
        if part.report
    )


_MEASURED = Plural(
    "{product} of {operation}, {measure}, by {n} reading; the last one:",
    "{product} of {operation}, {measure}, by {n} readings; the last one:",
)


def component_lines(settled: Settled, locale: str) -> list[str]:
    """Return of each component of a document what it adds to what is asked for, and why so much of
    it is agreed."""
    row = settled.document
    writer = SettlementWriter(locale, row.billing_currency or "")
    lines = [writer.title(row.document_kind, row.document_number)]
    for part in settled.components:
        lines += [f"  {writer.line(part)}", f"            {writer.why(part)}"]
    return lines


def as_lines(verdict: Traced, locale: str) -> list[str]:
    """Return a verdict for a terminal: its heading, and then what it came from."""
    row = verdict.row
    start, end = row.billing_period_start, row.billing_period_end
    period = format_period(start, end, locale) or caption("no period", locale)
    product = row.product or row.report or caption("no report", locale)
    status = status_word(row.reconciliation_status, locale)
    lines = [
        " ".join(filter(None, (row.operation_id, product, period, status))),
        f"  {row.explanation}",
    ]
    excluded, settled = (translate(text, locale) for text in (N_("excluded"), N_("settled by")))
    lines += [f"  {excluded:<9} {doubt}" for doubt in (row.doubts_excluded or "").splitlines()]
    if row.settled_by:
        lines.append(f"  {settled} {row.settled_by}")
    if verdict.polls is not None:
        text = N_("{polls} in this period, {answered} answered")
        says = phrase(text, locale, polls=verdict.polls, answered=verdict.polls_answered)
        lines += _indented(translate(N_("polls"), locale), [says])
    for last in verdict.measured_from:
        lines += _indented(translate(N_("measured"), locale), _reading_lines(last, locale))
    for line in verdict.billed_from:
        lines += _indented(translate(N_("billed"), locale), _bill_lines(line, locale))
    return lines


def _indented(name: str, lines: Iterable[str]) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"            {line}" if place else f"  {name:<9} {line}"


def _reading_lines(last: MeasuredFrom, locale: str) -> Iterator[str]:
    measure = status_word(last.measure or "undetermined", locale)
    names = {"product": last.product, "operation": last.operation, "measure": measure}
    yield phrase(_MEASURED, locale, last.readings, n=last.readings, **names)
    text, read_at = N_("read {at}, items {items}, date {day}"), format_second(last.read_at)
    items, day = repr(last.items_raw), repr(last.date_raw)
    yield phrase(text, locale, at=read_at, items=items, day=day)
    text, started_at = N_("poll {id}, started {at}"), format_second(last.started_at)
    yield phrase(text, locale, id=last.poll_id, at=started_at)
    outcome = last.outcome + ("" if last.http_status is None else f", HTTP {last.http_status}")
    text, answer = N_("{outcome}, answer {sha256}"), _hash(last.answer_sha256, locale)
    yield phrase(text, locale, outcome=outcome, sha256=answer)


def _bill_lines(line: BilledFrom, locale: str) -> Iterator[str]:
    is_invoice = line.document_kind == "invoice"
    amount: object = Amount(line.net_amount, line.billing_currency)
    if line.quantity is not None:
        text = N_("{quantity} for {amount}")
        amount = Sentence(text, quantity=line.quantity, amount=amount)
    yield phrase(
        N_("{number}{kind} line {n}, {description}: {amount}"),
        locale,
        number=line.document_number or translate(N_("no number"), locale),
        kind="" if is_invoice else f" ({status_word(line.document_kind, locale)})",
        n=line.line_number,
        description=repr(line.description or translate(N_("no description"), locale)),
        amount=amount,
    )
    text = N_("file {file}, {sha256}")
    yield phrase(text, locale, file=line.file_name, sha256=_hash(line.file_sha256, locale))
    yield phrase(N_("document {sha256}"), locale, sha256=_hash(line.document_id, locale))


def _hash(sha256: str | None, locale: str) -> str:
    return f"sha256 {sha256[:16]}" if sha256 else translate(N_("none"), locale)


def _named(verdict: Traced) -> list[tuple[str | None, str | None]]:
    """The reports and products that a verdict is about."""
    report = verdict.row.report
    return [(report, verdict.row.product), *((report, m.product) for m in verdict.measured_from)]


def _fits(verdict: Traced, product: str | None, report: str | None) -> bool:
    return any(report in (None, r) and product in (None, p) for r, p in _named(verdict))
