"""The three-way match, by numbers written by hand: what lies in the bucket, what the vendor counts,
and what it bills; and each honest explanation of a difference.

A month is told by its nights: 10 calls a day, copied at 02:00 of the next one, so 310 in October.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.buckets import BOGOTA, PHONE, copies_of, see
from builders.evidence import members_of, write_evidence
from builders.facts import known, use
from builders.leaks import shows
from builders.months import (
    OCTOBER_PERIOD,
    ONE_LINE,
    ONE_PRICE,
    bill,
    invoice,
    judged,
    local,
    only,
    read,
)
from builders.project import Project
from wolkvox_billing.bucket.names import EXTENSIONS, PUBLIC_PATTERN, NameReader, read_pattern
from wolkvox_billing.bucket.store import ListedObject
from wolkvox_billing.bucket.tables import LISTINGS, OBJECTS
from wolkvox_billing.evidence import verify
from wolkvox_billing.marts.identities import Identities, Identity
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.copies import Copies, CopyGroup, Looks, SeenAt, read_copies
from wolkvox_billing.reconciliation.copy_words import copied_rows
from wolkvox_billing.reconciliation.counted_periods import count_periods
from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.reconciliation.mart import fill_copies
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.screen.cards import copy_cards
from wolkvox_billing.screen.tables import render_copies
from wolkvox_billing.verbs.notebook import Source, read_month, read_overview
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 9, 30), date(2026, 10, 31)  # days of calls: the first is copied in October
AFTER = local(3, month=11)  # of a whole look, after the month
ROW = (
    "counted_quantity, measured_quantity, billed_quantity, late_quantity, missing_days, copy_status"
)


def month(skip: Sequence[int] = (), first: date = FIRST) -> list[ListedObject]:
    """Return the copies of October's nights, but for those of calls of some days in it."""
    days = [first + n * DAY for n in range((LAST - first).days + 1)]
    kept = [day for day in days if day.month != 10 or day.day not in skip]
    return [copy for day in kept for copy in copies_of(day, 10)]


class Known:
    """What is known of October without a warehouse: it takes what tables hold of readings and
    looks, by the same rules; tests on a `warehouse` show that tables do."""

    def __init__(self) -> None:
        self.facts = known([], [])
        self.objects: dict[tuple[str, int], CopyGroup] = {}
        self.looks: list[SeenAt] = []
        self.seen_at: set[datetime] = set()
        self.billed: Decimal | None = None
        self.reader = NameReader({"*": "acme"}, read_pattern(PUBLIC_PATTERN), EXTENSIONS, b"k" * 16)

    def read(self, *readings: tuple[datetime, int]) -> None:
        """The counter shows these numbers."""
        days, day_before, shown = [], 0, 0
        for at, number in readings:
            covers = at.day - day_before
            days.append(DayUse(at.date(), covers, Decimal(number - shown)))
            day_before, shown = at.day, number
        own = use(OCTOBER_PERIOD, shown, last_read_at=readings[-1][0])
        self.facts = replace(self.facts, months=[own], days={own.meter: days})

    def see(
        self,
        at: datetime,
        objects: Sequence[ListedObject],
        *,
        full: bool = True,
        settings: str | None = None,
    ) -> None:
        """A look lists these objects."""
        self.looks.append(SeenAt(at, full, settings_hash=settings))
        self.seen_at |= {at} if objects else set()
        for name, uploaded_at, size in objects:
            own = self.reader.read(name, size)
            assert own
            day = uploaded_at.astimezone(BOGOTA).date()
            self.objects[name, size] = CopyGroup(
                own.operation_id,
                own.call_date,
                day,
                own.kind,
                False,
                1,
                size,
                size == 0,
                int(own.seconds is not None),
                own.seconds,
            )
            utc_day = uploaded_at.date()
            if utc_day != day:
                self.objects[name, size] = self.objects[name, size]._replace(utc_date=utc_day)
        listed = {(name, size) for name, _, size in objects}
        names = {name for name, _ in listed}
        for key, group in self.objects.items():
            if full and key not in listed:
                self.objects[key] = group._replace(is_gone=True)
                if key[0] in names:
                    self.objects[key] = self.objects[key]._replace(is_replaced=True)

    def periods(self, at: datetime = AFTER, **policy: Any) -> list[dict[str, Any]]:
        """Return the rows of copy_reconciliation."""
        seen_at = {"acme": self.seen_at} if self.seen_at else {}
        copies = Copies(Looks(self.looks), [*self.objects.values()], seen_at)
        facts = replace(self.facts, now=at, copies=copies)
        rules = Policy(**policy)
        billed = {("acme", OCTOBER_PERIOD): self.billed} if self.billed else {}
        counted = count_periods(facts, billed, rules)
        return [vars(row) for row in copied_rows(counted, facts, rules.language)]

    def match(self, at: datetime = AFTER, **policy: Any) -> dict[str, Any]:
        """Return that of October."""
        start = OCTOBER_PERIOD.start
        return next(
            row for row in self.periods(at, **policy) if row["billing_period_start"] == start
        )


def evenings(*readings: int, last: int = 310) -> list[tuple[datetime, int]]:
    """The counter on each evening of October: 10 more each night, or what is given for each day,
    and `last` in the end."""
    shown = [*readings] or [10 * n for n in range(1, 31)]
    return [(local(n, 23, 50), number) for n, number in enumerate([*shown, last], 1)]


def count(project: Project, last: int = 310) -> None:
    """The same on four evenings, in the tables."""
    read(project, *((at, str(number)) for at, number in evenings(last=last)[::10]))


def match(project: Project, at: datetime = AFTER, **policy: Any) -> dict[str, Any]:
    """Return the row of October of copy_reconciliation."""
    with opened(project.destination) as pipeline:
        refresh(pipeline, None, at)
        fill_copies(pipeline, Policy(**policy))
    [row] = project.query_dicts(
        "SELECT * FROM wolkvox_billing_marts.copy_reconciliation "
        "WHERE billing_period_start = '2026-10-01'"
    )
    return row


def test_a_month_that_agrees(warehouse: Project) -> None:
    """310 copies in October, and 310 on the counter; those of the 31st's calls came on the 1st."""
    count(warehouse)
    see(warehouse, AFTER, month())
    row = match(warehouse)
    assert (row["copy_status"], row["counted_quantity"], row["measured_quantity"]) == (
        "agrees", 310, 310,
    )  # fmt: skip
    assert (row["measured_variance"], row["late_quantity"], row["missing_days"]) == (0, 10, 0)
    assert (row["billed_quantity"], row["billed_variance"]) == (None, None)
    assert row["explanation"] == (
        "Your bucket holds 310 audios copied in October 2026; wolkvox counts 310; they are the "
        "same; 10 of calls of this time were copied after it."
    )


def test_days_as_they_lie_there(warehouse: Project) -> None:
    """By the vendor's day: 23:00 in Bogotá is another day in UTC. Of GSM the minutes are told, of
    MP3 they are not; chats, strangers, empty and vanished ones stand apart."""
    gsm = copies_of(date(2026, 10, 4), 2, extension="gsm", size=99_000)  # a minute each
    other = copies_of(date(2026, 10, 5), 3, size=7) + copies_of(
        date(2026, 10, 5), 1, first=3, size=0
    )
    chats = copies_of(date(2026, 10, 5), 2, extension="txt")
    gone = copies_of(date(2026, 10, 5), 1, first=9)
    late = datetime.combine(date(2026, 10, 7), datetime.min.time(), gsm[0].uploaded_at.tzinfo)
    strange = [
        ListedObject("acme/hold.mp3", late + timedelta(hours=4), 1),
        ListedObject("acme/a.zip", late + timedelta(hours=4), 1),
    ]
    count(warehouse)
    see(warehouse, AFTER - DAY, gone)
    see(warehouse, AFTER, [*gsm, *other, *chats, *strange])
    match(warehouse)
    rows = warehouse.query(
        "SELECT upload_date, objects, bytes, audio_minutes, empty_objects, gone_objects, "
        "unread_objects, chat_objects, other_objects FROM wolkvox_billing_marts.bucket_daily "
        "ORDER BY upload_date"
    )
    assert rows == [
        (date(2026, 10, 5), 2, 198_000, 2, 0, 0, 0, 0, 0),
        (date(2026, 10, 6), 4, 21, None, 1, 1, 1, 2, 1),
    ]


def test_copies_that_are_not_there() -> None:
    """The counter shows 400: of these 310 were copied in October, and 10 after it. 80 are not
    there."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(AFTER, month())
    row = own.match()
    assert (row["copy_status"], row["missing_quantity"]) == ("counter_above_bucket", 80)
    assert row["measured_variance"] == 90
    assert "wolkvox counts 400; 80 of them are not there" in row["explanation"]
    assert "nobody looked before 3 Nov" in row["explanation"]


def test_in_spanish() -> None:
    """With the numbers and the month of the locale."""
    own = Known()
    own.read(*evenings(last=4000))
    own.see(AFTER, month())
    assert own.match(language="es_CO")["explanation"] == (
        "Su bucket tiene 310 audios copiados en octubre de 2026; wolkvox cuenta 4.000; 3.680 de "
        "ellos no están, y nada de lo visto lo explica; nadie miró antes del 3 nov: lo que se "
        "borró a mano hasta entonces no se sabe; 10 de llamadas de este tiempo se copiaron "
        "después."
    )


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({}, "counter_above_bucket"),
        ({"tolerance_quantity": Decimal(15)}, "agrees"),
        ({"tolerance_percent": Decimal(5)}, "agrees"),  # of 325
        ({"tolerance_quantity": Decimal(4)}, "counter_above_bucket"),
    ],
)
def test_within_the_tolerance(policy: dict[str, Any], status: str) -> None:
    """325 are 15 more than 310, of which 10 came late."""
    own = Known()
    own.read(*evenings(last=325))
    own.see(AFTER, month())
    assert own.match(**policy)["copy_status"] == status


def test_late_copies_explain_as_many() -> None:
    """A night that could not be finished came after the month: of the 40 calls of its last four
    days a counter of the calls knows, so nobody is accused; by the setting that the copies of the
    month are billed they explain nothing."""
    own = Known()
    late = [copy for n in range(28, 32) for copy in copies_of(date(2026, 10, n), 10, after=5)]
    own.read(*evenings(last=300))
    own.see(local(9, month=11), [*month(skip=range(28, 32)), *late])
    row = own.match(local(9, month=11))
    assert (row["counted_quantity"], row["late_quantity"], row["missing_days"]) == (280, 40, 4)
    assert row["copy_status"] == "copy_stands_still"
    assert "28 Oct to 31 Oct" in row["explanation"]
    row = own.match(local(9, month=11), cut_off="copied")
    assert (row["copy_status"], row["missing_quantity"]) == ("counter_above_bucket", 20)


def test_a_night_that_was_made_good() -> None:
    """The night of the 10th failed, and its copies came the night after: the month agrees, and the
    day is told."""
    own = Known()
    late = copies_of(date(2026, 10, 10), 10, after=2)
    own.read(*evenings())
    own.see(AFTER, [*month(skip=[10]), *late])
    row = own.match()
    assert (row["copy_status"], row["missing_days"]) == ("agrees", 1)
    assert (
        "nothing was copied of the calls of 10 Oct by the end of the next day"
        in (row["explanation"])
    )


def test_a_day_that_never_came() -> None:
    """The counter rose on the 10th to the 12th, and no copy came in these days."""
    own = Known()
    own.read(*evenings())
    own.see(AFTER, month(skip=range(8, 15)))
    row = own.match()
    assert (row["counted_quantity"], row["missing_days"]) == (240, 5)
    assert (row["copy_status"], row["missing_quantity"]) == ("counter_above_bucket", 60)


def test_more_copies_than_counted() -> None:
    """The counter stays at 250 though 310 are there; where it was read before the last ones came
    they may be the difference."""
    own = Known()
    own.read(*evenings(*[min(10 * n, 250) for n in range(1, 31)], last=250))
    own.see(AFTER, month())
    assert own.match()["copy_status"] == "bucket_above_counter"


def test_read_before_the_last_copies() -> None:
    """The last reading is of the 28th: what was copied from then on it cannot show."""
    own = Known()
    own.read(*((local(n, 1), 10 * (n - 1)) for n in range(2, 29)))
    own.see(AFTER, month())
    row = own.match()
    assert (row["copy_status"], row["measured_quantity"]) == ("agrees", 270)
    assert "the counter was read before the last 40 were copied" in row["explanation"]


def test_what_was_deleted_explains_it() -> None:
    """50 were there at an earlier look, and are no more: with them it is 310 again."""
    own = Known()
    own.read(*evenings())
    own.see(AFTER, month())
    own.see(AFTER + DAY, month(skip=range(3, 8)))
    row = own.match(AFTER + DAY)
    assert (row["counted_quantity"], row["gone_quantity"]) == (260, 50)
    assert (row["copy_status"], row["missing_quantity"]) == ("objects_gone", 0)
    assert "50 were there and are no more, which explains it" in row["explanation"]


def test_names_that_are_not_read_accuse_nobody() -> None:
    """80 audios whose names the pattern does not fit may be those that are missing."""
    own = Known()
    at = copies_of(date(2026, 10, 8), 1)[0].uploaded_at
    odd = [ListedObject(f"acme/call-{n}.mp3", at, 5) for n in range(80)]
    own.read(*evenings(last=400))
    own.see(AFTER, [*month(), *odd])
    row = own.match()
    assert (row["copy_status"], row["counted_quantity"]) == ("agrees", 310)
    assert (
        "80 files may be copies, and have names or endings that the settings" in row["explanation"]
    )


@pytest.mark.parametrize(
    ("looks", "status"),
    [
        ([(local(31, 12), True)], "not_counted"),  # before the month's end
        ([(local(31, 12), True), (local(2, month=11), False)], "not_counted"),
        ([(local(2, month=11), True)], "counter_above_bucket"),
    ],
)
def test_nobody_is_accused_before_a_whole_look(
    looks: list[tuple[datetime, bool]], status: str
) -> None:
    """Only a look at all of it, after the month, tells that copies are not there."""
    own = Known()
    own.read(*evenings(last=400))
    for at, full in looks:
        own.see(at, month(), full=full)
    row = own.match()
    assert row["copy_status"] == status
    assert (status == "not_counted") == ("wolkvox-billing bucket --full" in row["explanation"])


def test_what_expired_before_anybody_looked() -> None:
    """A lifecycle rule had deleted the copies up to the 10th when the first look came: what the
    counter showed on these days nobody can count any more."""
    own = Known()
    own.read(*evenings())
    own.see(AFTER, month(first=date(2026, 10, 10)))
    row = own.match()
    assert (row["counted_quantity"], row["copy_status"]) == (210, "not_counted")
    assert "may have gone before anybody looked" in row["explanation"]


def test_a_bucket_without_a_copy_tells_nothing() -> None:
    """Another folder, or a pattern that fits nothing, is likelier than that all is missing."""
    own = Known()
    at = copies_of(date(2026, 10, 8), 1)[0].uploaded_at
    own.read(*evenings())
    own.see(AFTER, [ListedObject("acme/x.mp3", at, 5)])
    assert own.match()["copy_status"] == "not_counted"


def test_nobody_looked(project: Project) -> None:
    """Without a look there is no row, and another operation's copies are none of its own."""
    count(project)
    with opened() as pipeline:
        fill_copies(pipeline, Policy())
    query = "SELECT operation_id FROM wolkvox_billing_marts.copy_reconciliation"
    assert project.query(query) == []
    see(project, AFTER, month(), operation="beta")
    with opened() as pipeline:
        fill_copies(pipeline, Policy())
    assert {name for (name,) in project.query(query)} == {"beta"}


def test_a_cycle_that_begins_on_the_15th() -> None:
    """From 15 September to 14 October 140 copies, and 140 by the counter's days; of the one that
    runs 180, and 170 on the counter, which was read before the last ten came."""
    own = Known()
    own.read(*evenings())
    own.see(local(12, month=11), month())
    rows = own.periods(local(12, month=11), billing_cycle_day=15)
    assert [
        (row["billing_period_start"].day, row["counted_quantity"], row["measured_quantity"],
         row["copy_status"]) for row in rows
    ] == [(15, 140, 140, "agrees"), (15, 180, 170, "agrees")]  # fmt: skip


def test_a_renamed_operation_is_one(project: Project) -> None:
    """Copies that were seen under the old id and again under the new one are counted once, and none
    of them is gone."""
    see(project, AFTER - DAY, month(), operation="old")
    see(project, AFTER, month())
    identities = Identities([Identity("old", "acme", "renamed")])
    with opened(project.destination) as pipeline, pipeline.sql_client() as client:
        copies = read_copies(client, "wolkvox_billing", identities, {LISTINGS, OBJECTS})
    assert copies.operations == ["acme"]
    assert sum(day.objects for day in copies.days) == 320
    assert sum(day.gone_objects for day in copies.days) == 0


def test_the_verdict_says_what_the_bucket_holds(warehouse: Project) -> None:
    """310 are billed and counted, and 310 are there: in its sentence, and beside it in the mart
    with what was billed."""
    count(warehouse)
    see(warehouse, AFTER, month())
    bill(warehouse, invoice("310", "31000.00"))
    row = only(judged(warehouse, ONE_LINE, ONE_PRICE))
    assert row.reconciliation_status == "matched"
    assert row.explanation.endswith(
        "the quantity is the same. Your bucket holds 310 audios copied in October 2026; wolkvox "
        "counts 310 and billed 310; they are the same; 10 of calls of this time were copied after "
        "it."
    )
    assert warehouse.query(
        f"SELECT {ROW} FROM wolkvox_billing_marts.copy_reconciliation "
        "WHERE billing_period_start = '2026-10-01'"
    ) == [(310, 310, 310, 10, 0, "agrees")]


def test_billed_copies_that_are_not_there_are_questioned(project: Project) -> None:
    """400 are counted and billed, at 100 pesos each, and 80 of them are not in the bucket: 8,000
    are questioned and claimed, by a setting that can be turned off; it is worth an alarm above the
    materiality."""
    count(project, last=400)
    see(project, AFTER, month())
    bill(project, invoice("400", "40000.00"))
    policies: list[tuple[dict[str, Any], Decimal | None, str]] = [
        ({"copy_findings": False}, None, "pay"),
        ({"materiality": Decimal(8000)}, Decimal(8000), "claim"),
        ({}, Decimal(8000), "claim"),
    ]
    for policy, cost, settlement in policies:
        row = only(judged(project, ONE_LINE, ONE_PRICE, **policy))
        assert (row.reconciliation_status, row.copy_status) == ("matched", "counter_above_bucket")
        assert (row.missing_copies_cost, row.is_material) == (cost, policy == {})
        [document] = project.query(
            "SELECT payable_amount, questioned_amount, claimed_amount, settlement, is_material "
            "FROM wolkvox_billing_marts.invoice_settlement"
        )
        assert document == (40000, cost or 0, cost or 0, settlement, policy == {})
        assert "80 of them are not there" in row.explanation


def test_evidence_holds_the_count(project: Project, tmp_path: Path) -> None:
    """Each day of the month, and the match, for machines and in the report; `verify` knows them."""
    count(project)
    see(project, AFTER, month())
    bill(project, invoice("310", "31000.00"))
    judged(project, ONE_LINE, ONE_PRICE)
    at = project.vendor.now
    evidence = write_evidence(tmp_path / "evidence", "2026-10", clock=lambda: at)
    members = members_of(evidence)
    assert not any(shows(content, PHONE) for content in members.values())
    days = members["bucket_daily.csv"].decode("utf-8-sig").splitlines()
    [own] = members["copy_reconciliation.csv"].decode("utf-8-sig").splitlines()[1:]
    assert (len(days), days[1]) == (32, "acme,2026-10-01,10,50,,0,0,0,0,0")
    assert own.startswith("acme,ACME,rsync_s3_mp3,2026-10-01,2026-11-01,310.0000,310.0000,310")
    page = members["report.html"].decode()
    section = page.partition("<h2>Copies in your bucket</h2>")[2].partition("<h2>")[0]
    assert "<strong>agrees</strong>" in section and "acme: Your bucket holds 310 audios" in section
    assert section.count("<tr>") == 1 + 1 + 1 + 31  # headings, the month; headings, its days
    assert verify(evidence) == []


def test_what_was_overwritten_is_a_copy_and_nothing_gone() -> None:
    """Of the 310 copies ten have another content since, of another size: they are there, on the
    day when that came. A counter that counts both is at 320; one at 330 is neither."""
    own = Known()
    own.read(*evenings(last=330))
    own.see(AFTER - DAY, month())
    again = [
        copy._replace(size=9, uploaded_at=copy.uploaded_at + 3 * DAY)
        for copy in copies_of(date(2026, 10, 6), 10)
    ]
    own.see(AFTER, [*month(skip=[6]), *again])
    row = own.match(cut_off="copied")
    assert (row["counted_quantity"], row["gone_quantity"]) == (310, 0)
    assert (row["copy_status"], row["missing_quantity"]) == ("counter_above_bucket", 20)


def test_what_another_operation_has_the_name_of_is_gone(warehouse: Project) -> None:
    """A copy that went is not overwritten by one of the same name in another operation's folder; by
    what its own operation was called before it is."""
    see(warehouse, AFTER - 2 * DAY, copies_of(LAST, 3))
    see(warehouse, AFTER - DAY, [])
    see(warehouse, AFTER, copies_of(LAST, 2, size=9), operation="beta")
    for identities, gone in (
        (Identities(), 3),
        (Identities([Identity("beta", "acme", "renamed")]), 1),
    ):
        with opened(warehouse.destination) as pipeline, pipeline.sql_client() as client:
            copies = read_copies(client, "wolkvox_billing", identities, {LISTINGS, OBJECTS})
        assert sum(day.gone_objects for day in copies.days) == gone


def test_the_notebook_shows_the_match(project: Project) -> None:
    """A card and a row with its sentence, of the operation and month that are chosen; nothing where
    nobody looked."""
    count(project, last=400)
    see(project, AFTER, month())
    match(project)
    overview = read_overview(Source())
    for language, status, named in (
        ("en", "counter above bucket", "2026-10"),
        ("es", "contador por encima del bucket", "oct 2026"),
    ):
        of_month = read_month(Source(), replace(overview, language=language), "2026-10", "acme")
        page = render_copies(of_month)
        [card] = copy_cards(of_month)
        assert (card.value, card.unit) == ("310", "audios") and "400" in card.note
        assert (page.count("<tr>"), status in page, named in page) == (2, True, True)
        assert "310" in page and "400" in page
    of_other = read_month(Source(), overview, "2026-10", "beta")
    assert (of_other.copies, copy_cards(of_other), render_copies(of_other)) == ([], [], "")


@pytest.mark.parametrize(
    ("settings", "status"), [("others", "not_counted"), ("same", "counter_above_bucket")]
)
def test_looks_into_other_folders_saw_nothing(settings: str, status: str) -> None:
    """All of October somebody looked at another operation's folders; this one's were first looked
    at in November, when its oldest copies had expired."""
    own = Known()
    own.read(*evenings())
    for n in range(1, 32):
        own.see(local(n, 12), [], settings=settings)
    own.see(AFTER, month(first=date(2026, 10, 20)), settings="same")
    assert own.match()["copy_status"] == status


@pytest.mark.parametrize(
    ("settings", "status"), [("others", "not_counted"), ("same", "counter_above_bucket")]
)
def test_looks_that_an_operation_is_not_meant_by_any_more(settings: str, status: str) -> None:
    """Its folder was taken out of the settings in October: what was copied from then on nobody
    counts."""
    own = Known()
    own.read(*evenings())
    copies = [copy for copy in month() if copy.uploaded_at < local(20, 12)]
    own.see(local(20, 13), copies, settings="same")
    own.looks.append(SeenAt(AFTER, True, settings_hash=settings))
    assert own.match()["copy_status"] == status


def test_copies_in_folders_that_are_nobodys_explain_as_many() -> None:
    """80 files that are named like copies lie in a folder that no setting names, such as one that
    has a new name: they may be those that are missing; of 81 one is not explained."""
    own = Known()
    own.see(AFTER, month())
    own.looks[0] = SeenAt(AFTER, True, 95, 80)
    own.read(*evenings(last=400))
    row = own.match()
    assert (row["copy_status"], row["missing_quantity"]) == ("agrees", 0)
    assert "80 files that are named like copies lie in folders" in row["explanation"]
    own.read(*evenings(last=401))
    assert own.match()["missing_quantity"] == 1


@pytest.mark.parametrize(("counter", "missing"), [(40, 0), (41, 1)])
def test_copies_in_another_operations_folders(counter: int, missing: int) -> None:
    """80 are missing, and another operation's folders hold 120, of which it counts 40: they may be
    the other's, by settings that mix up their folders; of 79 one is not explained."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(AFTER, month())
    others = [*own.objects.items()][10:130]
    own.objects |= {
        (f"b{name}", size): group._replace(operation_id="beta") for (name, size), group in others
    }
    of_beta = use(OCTOBER_PERIOD, counter, operation_id="beta")
    own.facts = replace(own.facts, months=[*own.facts.months, of_beta])
    row = own.match()
    assert (row["operation_id"], row["missing_quantity"]) == ("acme", missing)
    assert f"folders of other operations hold {120 - counter} more" in row["explanation"]


def test_a_counter_that_counts_what_was_copied_once_more(warehouse: Project) -> None:
    """30 copies were made again as they were, into folders with new names: who counts each time
    that something is copied counts 340, and the bucket holds 310."""
    count(warehouse, last=340)
    see(warehouse, AFTER - DAY, month())
    again = [
        copy._replace(name=f"new/{copy.name}", uploaded_at=copy.uploaded_at + 3 * DAY)
        for n in (6, 7, 8)
        for copy in copies_of(date(2026, 10, n), 10)
    ]
    see(warehouse, AFTER, [*month(skip=(6, 7, 8)), *again])
    row = match(warehouse)
    assert (row["copy_status"], row["counted_quantity"]) == ("agrees", 310)
    assert "30 that were copied once more" in row["explanation"]


def other_files(count: int, name: str, at: datetime, first: int = 0) -> list[ListedObject]:
    """Return files with other names, as `name` has them for each number."""
    return [ListedObject(f"acme/{name.format(n)}", at, 5) for n in range(first, first + count)]


def test_who_is_accused_hears_of_folders_that_are_nobodys() -> None:
    """What was listed and is no operation's by the settings may be what is missing."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(AFTER, month())
    own.looks[0] = SeenAt(AFTER, True, 1204)
    says = own.match()["explanation"]
    assert "1,204 files lie in folders that no row of `operations` fits" in says


OCTOBER_NIGHT = local(9, 2)


@pytest.mark.parametrize(
    "odd",
    [
        copies_of(date(2026, 10, 8), 80, first=20, extension="wav"),  # not in `extensions`
        copies_of(date(2026, 10, 8), 80, first=20, extension="mp3.gpg"),
        other_files(80, "call-{}.ogg", OCTOBER_NIGHT),
        other_files(80, "call-{}.WAV", OCTOBER_NIGHT),
        other_files(80, "call-{}.mp3", local(4, 2, month=11)),  # late, under new names
    ],
)
def test_what_may_be_a_copy_accuses_nobody(odd: list[ListedObject]) -> None:
    """Recordings of another kind, encrypted ones, and those under other names may be the 80 that
    are counted and not read as copies."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(local(6, month=11), [*month(), *odd])
    row = own.match(local(6, month=11))
    assert (row["copy_status"], row["counted_quantity"]) == ("agrees", 310)
    assert "80 files may be copies" in row["explanation"]


def test_names_that_were_not_read_and_went() -> None:
    """80 files with other names were there at the first look, and were moved away since."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(local(1, 12, month=11), [*month(), *other_files(80, "call-{}.mp3", OCTOBER_NIGHT)])
    own.see(AFTER, month())
    assert own.match()["copy_status"] == "agrees"


def test_what_came_late_and_went() -> None:
    """40 calls of October were copied in November, seen, and deleted: a counter of the calls knows
    them."""
    own = Known()
    late = copies_of(date(2026, 10, 29), 40, first=50, after=5)
    own.read(*evenings(last=360))
    own.see(local(5, month=11), [*month(), *late])
    own.see(local(6, month=11), month())
    row = own.match(local(6, month=11))
    assert (row["copy_status"], row["late_quantity"]) == ("agrees", 10)


@pytest.mark.parametrize(
    ("counter", "status"),
    [(350, "agrees"), (335, "counter_above_bucket"), (361, "counter_above_bucket")],
)
def test_a_counter_that_counts_chats_too(counter: int, status: str) -> None:
    """310 audios and 40 chats: a counter of 350, or of the 10 more that were late, counts both;
    one between counts neither, since it would count all chats."""
    own = Known()
    own.read(*evenings(last=counter))
    chats = copies_of(date(2026, 10, 8), 40, extension="txt")
    own.see(AFTER, [*month(), *chats])
    row = own.match()
    assert row["copy_status"] == status
    assert ("40 chats" in row["explanation"]) == (status == "agrees")


@pytest.mark.parametrize(("counter", "status"), [(340, "agrees"), (325, "counter_above_bucket")])
def test_a_counter_that_counts_what_was_copied_over(counter: int, status: str) -> None:
    """30 copies were made again with another content: who counts each time that something is
    copied counts 340."""
    own = Known()
    own.read(*evenings(last=counter))
    own.see(AFTER - 2 * DAY, month())
    again = [copy._replace(size=9) for n in (6, 7, 8) for copy in copies_of(date(2026, 10, n), 10)]
    own.see(AFTER, [*month(skip=(6, 7, 8)), *again])
    row = own.match()
    assert row["copy_status"] == status
    assert ("30 that were copied over" in row["explanation"]) == (status == "agrees")


def evening_copies(call_day: date, count: int, hour: int) -> list[ListedObject]:
    """Return copies of a day's calls that bear a time of its own evening."""
    at = local(call_day.day, hour, month=call_day.month)
    return [copy._replace(uploaded_at=at) for copy in copies_of(call_day, count)]


@pytest.mark.parametrize(
    ("hour", "first"),
    [(21, 40), (11, 40), (21, 10)],  # after midnight in UTC; the recording's own time, as rsync
)
def test_another_clock_at_the_months_turn(hour: int, first: int) -> None:
    """The night after 30 September, a busy day with 40 calls, is October's by the vendor's clock,
    and September's by the files' times; the 31st, a Saturday, has 10."""
    own = Known()
    days = [FIRST + n * DAY for n in range(32)]
    own.read(*evenings(last=300 + first))
    objects = [
        copy for day in days for copy in evening_copies(day, first if day == FIRST else 10, hour)
    ]
    own.see(AFTER, objects)
    assert own.match()["copy_status"] == "agrees"
    own.read(*evenings(last=300 + first + 1))
    assert own.match()["missing_quantity"] == 1


def test_a_few_that_a_rule_spares() -> None:
    """A lifecycle rule deleted all up to 9 October before anybody looked, but for a recording of
    March that is held: it does not show that copies stay."""
    own = Known()
    own.read(*evenings())
    own.see(AFTER, [*copies_of(date(2026, 3, 3), 1), *month(first=date(2026, 10, 10))])
    row = own.match()
    assert (row["counted_quantity"], row["copy_status"]) == (210, "not_counted")
    assert "may have gone before anybody looked" in row["explanation"]


def test_a_counter_that_was_first_read_after_the_oldest_copy() -> None:
    """What it shows on the 14th is of the 1st to the 14th, of which the first days' copies had
    expired."""
    own = Known()
    own.read(*evenings()[13:])
    own.see(AFTER, month(first=date(2026, 10, 10)))
    assert own.match()["copy_status"] == "not_counted"


@pytest.mark.parametrize(
    ("first", "status"),
    [(date(2026, 10, 10), "not_counted"), (date(2026, 9, 20), "counter_above_bucket")],
)
def test_what_is_billed_and_not_measured(first: date, status: str) -> None:
    """Without a counter nobody knows on which days it was copied: only where all days' copies are
    there still can it be told that some are not."""
    own = Known()
    own.see(AFTER, month(first=first))
    own.billed = Decimal(330)
    assert own.match()["copy_status"] == status


def test_a_look_in_the_first_night_accuses_nobody() -> None:
    """On 1 November the copies of the 31st are not all there yet; on the 2nd they are."""
    own = Known()
    own.read(*evenings(last=400))
    own.see(local(1, 1, month=11), month())
    assert own.match()["copy_status"] == "not_counted"
    own.see(local(2, 1, month=11), month())
    assert own.match()["copy_status"] == "counter_above_bucket"


@pytest.mark.parametrize("full", [False, True])
def test_a_month_that_runs_is_held_against_whole_looks_alone(full: bool) -> None:
    """A look at the last days does not list what came late into folders of the days before."""
    own = Known()
    own.read(*evenings()[:20])
    first = [copy for copy in month() if copy.uploaded_at < local(19, 12)]
    own.see(local(2), first)
    own.see(local(21), first, full=full)
    row = own.match(local(21, 12))
    assert row["copy_status"] == ("counter_above_bucket" if full else "not_counted")


@pytest.mark.parametrize(
    ("extension", "size", "counter"),
    [("mp3", 2_000_000, 620), ("mp3", 2_097_152, 620), ("gsm", 198_000, 620)],
)
def test_a_counter_in_other_units(extension: str, size: int, counter: int) -> None:
    """It shows how many megabytes, by either measure, or minutes the 310 copies are: that is no
    number of copies."""
    own = Known()
    own.read(*evenings(last=counter))
    days = [FIRST + n * DAY for n in range(32)]
    objects = [copy for day in days for copy in copies_of(day, 10, extension=extension, size=size)]
    own.see(AFTER, objects)
    row = own.match()
    assert row["copy_status"] == "not_counted"
    assert "megabytes or minutes" in row["explanation"]
