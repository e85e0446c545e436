"""The words of a claim's letter."""

from __future__ import annotations

from wolkvox_billing.values.translation import N_

TEXTS = {
    "subject": N_("Claim on {title}"),
    "from": N_("Claimant"),
    "to": N_("Supplier"),
    "name": N_("Name"),
    "tax_id": N_("NIT"),
    "blank": N_("____________________"),
    "document": N_("The document"),
    "number": N_("Number"),
    "cufe": N_("CUFE"),
    "issued": N_("Issued"),
    "due": N_("Due"),
    "period": N_("Period"),
    "period_text": N_("{start} to {end}"),
    "asks": N_("Asks for"),
    "intro": N_(
        "We compared this document with our own record of what was used, and with the contract. "
        "Of the {payable} that it asks for, {agreed} is agreed and {questioned} is questioned. We "
        "claim {claimed}."
    ),
    "rest": N_(
        "On {day} we claimed {claimed}. Since then {credited} of it was credited ({notes}): this "
        "letter is about what is left."
    ),
    "replaces": N_("This letter replaces our claim over {claimed} of {day}."),
    "claimed": N_("What we claim"),
    "part": N_("Part of the document"),
    "description": N_("What is billed"),
    "asked": N_("Asked"),
    "agreed": N_("Agreed"),
    "amount": N_("Claimed"),
    "sum": N_("Total, with tax"),
    "found": N_("What it rests on"),
    "used": N_("What was used"),
    "measured": N_("Measured"),
    "billed": N_("Billed"),
    "difference": N_("Difference"),
    "money": N_("Before tax"),
    "questioned": N_("Also questioned, and not claimed"),
    "explain": N_("We ask you to say what these amounts are for. Nobody is blamed for them here."),
    "question": N_("Questioned"),
    "why": N_("Why"),
    "request_title": N_("What we ask for"),
    "request": N_(
        "We ask for a credit note over {claimed} on {title}: {net} before tax, and {tax} of tax."
    ),
    "request_net": N_("We ask for a credit note over {claimed} on {title}. No tax is part of it."),
    "deadline_title": N_("Until when"),
    "deadline": N_(
        "By our count this document can be claimed until {day}: three business days of Colombia."
    ),
    "issue": N_("from the day of issue: {day}"),
    "receipt": N_("from the day on which we read it, or received it before: {day}"),
    "receipt_by_mail": N_("from the day on which its mail came: {day}"),
    "service": N_("from the last day that it bills, or that of issue where that is later: {day}"),
    "no_deadline": N_("We know of no day until which this document has to be claimed."),
    "no_advice": N_(
        "This is a count of days, and no legal advice. Sources differ on the day from which it "
        "starts. A claim in DIAN's system (event 031) is a step of its own, which this letter "
        "does not replace."
    ),
    "evidence_title": N_("Evidence"),
    "evidence": N_(
        "Our readings, the answers that they stand on, and the verdicts are in the file {file}, "
        "which we hand over on request. Its SHA-256 is"
    ),
    "sign": N_("Signature"),
    "role": N_("Position"),
    "day": N_("Date"),
    "whole_report": N_("all together"),
}
