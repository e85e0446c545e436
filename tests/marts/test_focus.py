"""`focus_costs` against the rules of FOCUS 1.2, which stand here as data.

From the files `specification/columns/*.md` of the version 1.2 of the FinOps Open Cost and Usage
Specification: each column's feature level, type, whether it may be null, and its allowed values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from builders.documents import line, ubl
from builders.months import MAP, OCTOBER, READ, bill, judged, read
from builders.project import Project
from wolkvox_billing.marts.focused import FOCUS_COLUMNS, focus_name

pytestmark = pytest.mark.usefixtures("kept_open")
Row = dict[str, Any]
TEXT, NUMBER, MOMENT = str, Decimal, datetime


class Rule(NamedTuple):
    """What FOCUS says of a column by itself."""

    kind: type
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    level: str = "Mandatory"


CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
SERVICES = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
    "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things",
    "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security",
    "Storage", "Web", "Other",
)  # fmt: skip
RULES = {
    "BilledCost": Rule(NUMBER),
    "BillingAccountId": Rule(TEXT),
    "BillingAccountName": Rule(TEXT, nullable=True),
    "BillingCurrency": Rule(TEXT),
    "BillingPeriodEnd": Rule(MOMENT),
    "BillingPeriodStart": Rule(MOMENT),
    "ChargeCategory": Rule(TEXT, allowed=CATEGORIES),
    "ChargeClass": Rule(TEXT, nullable=True, allowed=("Correction",)),
    "ChargeDescription": Rule(TEXT, nullable=True),
    "ChargeFrequency": Rule(
        TEXT, allowed=("One-Time", "Recurring", "Usage-Based"), level="Recommended"
    ),
    "ChargePeriodEnd": Rule(MOMENT),
    "ChargePeriodStart": Rule(MOMENT),
    "ConsumedQuantity": Rule(NUMBER, nullable=True, level="Conditional"),
    "ConsumedUnit": Rule(TEXT, nullable=True, level="Conditional"),
    "ContractedCost": Rule(NUMBER),
    "ContractedUnitPrice": Rule(NUMBER, nullable=True, level="Conditional"),
    "EffectiveCost": Rule(NUMBER),
    "InvoiceId": Rule(TEXT, nullable=True, level="Recommended"),
    "InvoiceIssuerName": Rule(TEXT),
    "ListCost": Rule(NUMBER),
    "PricingCategory": Rule(
        TEXT, nullable=True, allowed=("Standard", "Dynamic", "Committed", "Other"),
        level="Conditional",
    ),
    "PricingQuantity": Rule(NUMBER, nullable=True),
    "PricingUnit": Rule(TEXT, nullable=True),
    "ProviderName": Rule(TEXT),
    "PublisherName": Rule(TEXT),
    "ServiceCategory": Rule(TEXT, allowed=SERVICES),
    "ServiceName": Rule(TEXT),
    "ServiceSubcategory": Rule(
        TEXT, allowed=("Other (Business Applications)",), level="Recommended"
    ),
    "SkuId": Rule(TEXT, nullable=True, level="Conditional"),
    "SubAccountId": Rule(TEXT, nullable=True, level="Conditional"),
    "SubAccountName": Rule(TEXT, nullable=True, level="Conditional"),
}  # fmt: skip


def is_new_sale(row: Row) -> bool:
    return row["ChargeCategory"] in ("Usage", "Purchase") and row["ChargeClass"] is None


def matches(row: Row, price: str, cost: str) -> bool:
    """Whether a unit's price times the quantity is the cost, to the fourth decimal."""
    if None in (row[price], row["PricingQuantity"]) or row["ChargeClass"]:
        return True
    return bool(round(row[price] * row["PricingQuantity"], 4) == row[cost])


# What FOCUS says of columns together, by its words.
TOGETHER: dict[str, Callable[[Row], bool]] = {
    "ConsumedQuantity MUST be null when ChargeCategory is not Usage": lambda row: (
        row["ChargeCategory"] == "Usage" or row["ConsumedQuantity"] is None
    ),
    "ConsumedQuantity MUST NOT be null of Usage that is no Correction": lambda row: (
        row["ChargeCategory"] != "Usage" or bool(row["ChargeClass"])
        or row["ConsumedQuantity"] is not None
    ),
    "ConsumedUnit MUST be null when, and only when, ConsumedQuantity is": lambda row: (
        (row["ConsumedUnit"] is None) == (row["ConsumedQuantity"] is None)
    ),
    "PricingUnit MUST be null when, and only when, PricingQuantity is": lambda row: (
        (row["PricingUnit"] is None) == (row["PricingQuantity"] is None)
    ),
    "of Tax no price, quantity, pricing category or SKU": lambda row: (
        row["ChargeCategory"] != "Tax"
        or [row[name] for name in SOLD] == [None] * len(SOLD)
    ),
    "of Usage and Purchase all of them, but of a Correction": lambda row: (
        not is_new_sale(row) or None not in [row[name] for name in SOLD]
    ),
    "ContractedUnitPrice MUST be a non-negative decimal value": lambda row: (
        row["ContractedUnitPrice"] is None or row["ContractedUnitPrice"] >= 0
    ),
    "ContractedUnitPrice times PricingQuantity MUST match the ContractedCost": lambda row: (
        matches(row, "ContractedUnitPrice", "ContractedCost")
    ),
    "ContractedCost of a charge unrelated to others MUST match the BilledCost": lambda row: (
        row["ContractedUnitPrice"] is not None or row["ChargeCategory"] == "Tax"
        or row["ContractedCost"] == row["BilledCost"]
    ),
    "ListCost, without a ListUnitPrice, MUST match the BilledCost": lambda row: (
        row["ListCost"] == row["BilledCost"]
    ),
    "EffectiveCost of what no commitment pays MUST match the BilledCost": lambda row: (
        row["EffectiveCost"] == row["BilledCost"]
    ),
    "ChargeFrequency MUST NOT be Usage-Based of a Purchase": lambda row: (
        (row["ChargeCategory"], row["ChargeFrequency"]) != ("Purchase", "Usage-Based")
    ),
    "SubAccountName MUST be null when, and only when, SubAccountId is": lambda row: (
        (row["SubAccountName"] is None) == (row["SubAccountId"] is None)
    ),
    "the start of a period is before its end, which is exclusive": lambda row: (
        row["BillingPeriodStart"] < row["BillingPeriodEnd"]
        and row["ChargePeriodStart"] < row["ChargePeriodEnd"]
    ),
    "BillingCurrency conforms to CurrencyFormat": lambda row: (
        len(row["BillingCurrency"]) == 3 and row["BillingCurrency"].isupper()
    ),
}  # fmt: skip
SOLD = ("ContractedUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "SkuId")
CARD = (
    "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,"
    "pattern\nrsync_s3_mp3,,,0,100,COP,2026-01-01,,,\n,,,,200000,COP,2026-01-01,,fee,*soporte*\n"
)


def charges(project: Project) -> list[Row]:
    """A month with all kinds of charges: too much use, a fee beyond the contract, what nobody
    knows, tax, a discount and a credit note."""
    read(project, *READ)
    use = line("1450", "145000.00", description="Grabaciones en S3", price=None, tax=None)
    fee = line("1", "350000.00", description="Soporte", number="2", tax=None, price=None)
    other = line("3", "9000.00", description="Capacitación", number="3", tax=None, price=None)
    lump = line(None, "5000.00", description="Grabaciones, ajuste", number="4", tax=None,
                price=None)  # fmt: skip
    back = line("450", "45000.00", kind="CreditNote", description="Grabaciones en S3", price=None,
                tax=None)  # fmt: skip
    bill(
        project,
        ubl(use, fee, other, lump, net="509000.00", tax="96710.00", periods=OCTOBER),
        ubl(back, kind="CreditNote", number="NC-1", net="45000.00", tax="8550.00", corrects="F-1",
            periods=OCTOBER),
    )  # fmt: skip
    line_map = (
        f"{MAP},,*soporte*,,,,fee\n,,*ajuste*,rsync_s3_mp3,,,price_component\n"
        ",,*grabaciones*,rsync_s3_mp3,,,quantity\n"
    )
    judged(project, line_map, CARD)
    return project.query_dicts("SELECT * FROM wolkvox_billing_marts.focus_costs")


def test_the_columns_are_those_of_focus(warehouse: Project) -> None:
    """Each mandatory one is there, with its type, allowed values and nulls; those that FOCUS does
    not know come last and begin with x_; and what they say of each other holds in each row."""
    rows = charges(warehouse)
    names = [focus_name(column) for column in FOCUS_COLUMNS]
    own = [name for name in names if name.startswith("x_")]
    assert names == [*RULES, *own]
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Tax", "Adjustment"}
    for row in rows:
        assert list(row) == names
        for name, rule in RULES.items():
            value = row[name]
            if value is None:
                assert rule.nullable, name
                continue
            assert isinstance(value, rule.kind), name
            assert value != "" and (not rule.allowed or value in rule.allowed), name
        for sentence, holds in TOGETHER.items():
            assert holds(row), (sentence, row)


def test_the_charges_of_an_invoice_come_to_what_it_asks_for(project: Project) -> None:
    """The sum of the BilledCost of an InvoiceId matches the payable amount of that invoice; use is
    priced by the contract, and so is the fee."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    rows = charges(project)
    for row in rows:
        sums[row["InvoiceId"]] += row["BilledCost"]
    payable = project.query(
        "SELECT document_number, payable_amount FROM wolkvox_billing_marts.invoice_settlement"
    )
    assert sums == dict(payable) == {"F-1": 605_710, "NC-1": -53_550}
    [fee] = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    assert (fee["BilledCost"], fee["ContractedCost"]) == (350_000, 200_000)
    [use, back] = sorted(
        (row for row in rows if row["ChargeCategory"] == "Usage"), key=lambda row: row["InvoiceId"]
    )
    assert (use["ConsumedQuantity"], use["ConsumedUnit"]) == (1450, "Audios")
    assert (use["ContractedUnitPrice"], use["ContractedCost"]) == (100, 145_000)
    assert (use["SubAccountId"], use["SubAccountName"]) == ("acme", "ACME")
    assert (back["ChargeClass"], back["BilledCost"]) == ("Correction", -45_000)
    assert f"{use['BillingPeriodStart']:%Y-%m-%dT%H:%M%z}" in (
        "2026-10-01T05:00+0000", "2026-10-01T00:00-0500",
    )  # fmt: skip


def test_an_open_month_is_not_in_it(project: Project) -> None:
    """An invoice that comes before its month is over is not settled yet."""
    read(project, READ[0], READ[1])
    use = line("500", "50000.00", description="Grabaciones en S3", price=None, tax=None)
    bill(project, ubl(use, net="50000.00", tax=None, periods=OCTOBER))
    judged(project, at=READ[1][0])
    assert project.query("SELECT settlement FROM wolkvox_billing_marts.invoice_settlement") == [
        ("wait",)
    ]
    assert project.query("SELECT COUNT(*) FROM wolkvox_billing_marts.focus_costs") == [(0,)]


@pytest.mark.parametrize(
    ("column", "name"), [("billed_cost", "BilledCost"), ("x_charge_id", "x_ChargeId")]
)
def test_focus_writes_its_names_in_pascal_case(column: str, name: str) -> None:
    assert focus_name(column) == name
