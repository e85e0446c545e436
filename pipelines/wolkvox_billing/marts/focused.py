"""The rows of `focus_costs`: the columns of FOCUS 1.2, FinOps' specification of cost and usage.

Nothing else knows them. Here they have names as ours do; the view calls them as FOCUS does. Not
there are the columns of what wolkvox does not sell: commitments, regions, resources, list prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.marts.reconciled import (
    AMOUNT,
    MOMENT,
    PRICE,
    TEXT,
    Column,
    columns_of_row,
    ddl_of,
)

OWN = "x_"  # of columns that FOCUS does not know, by its rule


@dataclass(frozen=True)
class FocusCost:
    """A part of what a document asks for, as a charge."""

    billed_cost: Annotated[
        Decimal, Column(AMOUNT, "What the part adds to what the invoice asks for")
    ]
    billing_account_id: Annotated[
        str, Column(TEXT, "Whose account it is: the customer's tax id, else the supplier's")
    ]
    billing_account_name: Annotated[
        str | None, Column(TEXT, "The customer's name, where the document has it")
    ]
    billing_currency: Annotated[
        str, Column(TEXT, "The currency of the amounts; XXX where the document names none")
    ]
    billing_period_end: Annotated[
        datetime, Column(MOMENT, "The moment at which the document's period is over (UTC)")
    ]
    billing_period_start: Annotated[
        datetime, Column(MOMENT, "The moment at which the document's period begins (UTC)")
    ]
    charge_category: Annotated[
        str, Column(TEXT, "Usage, Purchase (a fee), Tax or Adjustment (all else)")
    ]
    charge_class: Annotated[
        str | None, Column(TEXT, "Correction where a note corrects what was invoiced before")
    ]
    charge_description: Annotated[str, Column(TEXT, "What is billed, in the supplier's words")]
    charge_frequency: Annotated[str, Column(TEXT, "Usage-Based, Recurring (a fee) or One-Time")]
    charge_period_end: Annotated[
        datetime, Column(MOMENT, "The moment at which the charge's period is over (UTC)")
    ]
    charge_period_start: Annotated[
        datetime, Column(MOMENT, "The moment at which the charge's period begins (UTC)")
    ]
    consumed_quantity: Annotated[
        Decimal | None,
        Column(AMOUNT, "Of usage: how much, as the line has it, in the report's unit"),
    ]
    consumed_unit: Annotated[str | None, Column(TEXT, "Of usage: what is counted, such as Audios")]
    contracted_cost: Annotated[
        Decimal,
        Column(
            AMOUNT, "ContractedUnitPrice times PricingQuantity; of tax its share; else as billed"
        ),
    ]
    contracted_unit_price: Annotated[
        Decimal | None,
        Column(PRICE, "A unit's price by the rate card; as billed where that has none"),
    ]
    effective_cost: Annotated[
        Decimal, Column(AMOUNT, "As billed: wolkvox sells no commitment that is written off")
    ]
    invoice_id: Annotated[
        str, Column(TEXT, "The document's number; with a part of its id where another has it too")
    ]
    invoice_issuer_name: Annotated[str, Column(TEXT, "The supplier's name, else its tax id")]
    list_cost: Annotated[Decimal, Column(AMOUNT, "As billed: wolkvox publishes no list of prices")]
    pricing_category: Annotated[str | None, Column(TEXT, "Standard, of usage and fees")]
    pricing_quantity: Annotated[
        Decimal | None, Column(AMOUNT, "How much is priced; NULL of tax and adjustments")
    ]
    pricing_unit: Annotated[str | None, Column(TEXT, "What is priced, such as Audios")]
    provider_name: Annotated[str, Column(TEXT, "wolkvox")]
    publisher_name: Annotated[str, Column(TEXT, "wolkvox")]
    service_category: Annotated[str, Column(TEXT, "Business Applications")]
    service_name: Annotated[str, Column(TEXT, "The vendor's report; wolkvox where it is none")]
    service_subcategory: Annotated[str, Column(TEXT, "Other (Business Applications)")]
    sku_id: Annotated[
        str | None, Column(TEXT, "Of usage the report and product, of a fee its code or words")
    ]
    sub_account_id: Annotated[str | None, Column(TEXT, "The operation, where the charge is one's")]
    sub_account_name: Annotated[str | None, Column(TEXT, "The operation's name")]
    x_charge_id: Annotated[
        str, Column(TEXT, "The part's key: document_id|component_number, as in fact_component")
    ]
    x_agreed_cost: Annotated[Decimal, Column(AMOUNT, "What contract and record support of it")]
    x_questioned_cost: Annotated[Decimal, Column(AMOUNT, "The rest of it")]
    x_claimed_cost: Annotated[
        Decimal, Column(AMOUNT, "Of what is questioned, that which the supplier is blamed for")
    ]
    x_document_id: Annotated[str, Column(TEXT, "SHA-256 of the document, as in invoice_documents")]
    x_reconciliation_status: Annotated[str | None, Column(TEXT, "The verdict that it is part of")]


def focus_name(column: str) -> str:
    """Return what FOCUS calls a column: `BilledCost`."""
    prefix = OWN if column.startswith(OWN) else ""
    return prefix + "".join(map(str.capitalize, column.removeprefix(OWN).split("_")))


FOCUS_COLUMNS = columns_of_row(FocusCost)
FOCUS_DDL = ddl_of(FOCUS_COLUMNS)
FOCUS_COMMENTS = {focus_name(name): column.says for name, column in FOCUS_COLUMNS.items()}
