"""The columns of `focus_costs`: those of FOCUS 1.2, FinOps' specification of cost and usage.

Here they have names as ours do; the view calls them as FOCUS does. Not there are the columns of
what wolkvox does not sell: commitments, regions, resources, list prices.
"""

from __future__ import annotations

from wolkvox_billing.values.translation import N_

OWN = "x_"  # of columns that FOCUS does not know, by its rule
# In the order of the view, each with its sentence.
FOCUS_COLUMNS = {
    "billed_cost": N_("What the part adds to what the invoice asks for"),
    "billing_account_id": N_("Whose account it is: the customer's tax id, else the supplier's"),
    "billing_account_name": N_("The customer's name, where the document has it"),
    "billing_currency": N_("The currency of the amounts; XXX where the document names none"),
    "billing_period_end": N_("The moment at which the document's period is over (UTC)"),
    "billing_period_start": N_("The moment at which the document's period begins (UTC)"),
    "charge_category": N_("Usage, Purchase (a fee), Tax or Adjustment (all else)"),
    "charge_class": N_("Correction where a note corrects what was invoiced before"),
    "charge_description": N_("What is billed, in the supplier's words"),
    "charge_frequency": N_("Usage-Based, Recurring (a fee) or One-Time"),
    "charge_period_end": N_("The moment at which the charge's period is over (UTC)"),
    "charge_period_start": N_("The moment at which the charge's period begins (UTC)"),
    "consumed_quantity": N_("Of usage: how much, as the line has it, in the report's unit"),
    "consumed_unit": N_("Of usage: what is counted, such as Audios"),
    "contracted_cost": N_(
        "ContractedUnitPrice times PricingQuantity; of tax its share; else as billed"
    ),
    "contracted_unit_price": N_("A unit's price by the rate card; as billed where that has none"),
    "effective_cost": N_("As billed: wolkvox sells no commitment that is written off"),
    "invoice_id": N_("The document's number; with a part of its id where another has it too"),
    "invoice_issuer_name": N_("The supplier's name, else its tax id"),
    "list_cost": N_("As billed: wolkvox publishes no list of prices"),
    "pricing_category": N_("Standard, of usage and fees"),
    "pricing_quantity": N_("How much is priced; NULL of tax and adjustments"),
    "pricing_unit": N_("What is priced, such as Audios"),
    "provider_name": N_("wolkvox"),
    "publisher_name": N_("wolkvox"),
    "service_category": N_("Business Applications"),
    "service_name": N_("The vendor's report; wolkvox where it is none"),
    "service_subcategory": N_("Other (Business Applications)"),
    "sku_id": N_("Of usage the report and product, of a fee its code or words"),
    "sub_account_id": N_("The operation, where the charge is one's"),
    "sub_account_name": N_("The operation's name"),
    "x_charge_id": N_("The part's key: document_id|component_number, as in fact_component"),
    "x_agreed_cost": N_("What contract and record support of it"),
    "x_questioned_cost": N_("The rest of it"),
    "x_claimed_cost": N_("Of what is questioned, that which the supplier is blamed for"),
    "x_document_id": N_("SHA-256 of the document, as in invoice_documents"),
    "x_reconciliation_status": N_("The verdict that it is part of"),
}


def focus_name(column: str) -> str:
    """Return what FOCUS calls a column: `BilledCost`."""
    prefix = OWN if column.startswith(OWN) else ""
    return prefix + "".join(map(str.capitalize, column.removeprefix(OWN).split("_")))


FOCUS_COMMENTS = {focus_name(name): says for name, says in FOCUS_COLUMNS.items()}
