"""UBL 2.1 into documents: DIAN's electronic invoices, Peppol, and other users of EN 16931.

What is read, and where it is. Paths are direct children, from the root; of the line, from the line.
`a | b`: the first that is there. Sources: UBL 2.1; DIAN's technical annex 1.9; Peppol BIS 3.

    document_kind     the root element: Invoice, CreditNote, DebitNote. Not the number's prefix
    document_number   cbc:ID
    document_uuid     cbc:UUID (DIAN: CUFE or CUDE)
    is_test           cbc:ProfileExecutionID = 2 (DIAN)
    issue_date        cbc:IssueDate
    own period        cac:InvoicePeriod/cbc:StartDate, cbc:EndDate (inclusive); of a line the same
    texts             cac:InvoicePeriod/cbc:Description | cac:Item/cbc:Name, cbc:Description and
                      cbc:Note of the lines | cbc:Note; read for a month that they name
    supplier_id       cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID
                      (of several that of the scheme VAT)
                      | …/cac:PartyLegalEntity/cbc:CompanyID | …/cac:PartyIdentification/cbc:ID
    supplier_name     …/cac:PartyTaxScheme/cbc:RegistrationName
                      | …/cac:PartyLegalEntity/cbc:RegistrationName | …/cac:PartyName/cbc:Name;
                      never of a natural person (DIAN: cbc:AdditionalAccountID = 2)
    billing_currency  cbc:DocumentCurrencyCode | the one @currencyID of all amounts
    net_amount        cac:LegalMonetaryTotal/cbc:LineExtensionAmount
                      (a DebitNote's: cac:RequestedMonetaryTotal)
    payable_amount    …/cbc:PayableAmount
    tax_amount        cac:TaxTotal/cbc:TaxAmount, all in the document's currency added up
    corrects_number   cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID
                      | cac:DiscrepancyResponse/cbc:ReferenceID

    line              cac:InvoiceLine, cac:CreditNoteLine, cac:DebitNoteLine
    line_id           cbc:ID
    description       cac:Item/cbc:Description and cbc:Name
    item_code         cac:Item/cac:SellersItemIdentification/cbc:ID
                      | cac:Item/cac:StandardItemIdentification/cbc:ID
    quantity          cbc:InvoicedQuantity, cbc:CreditedQuantity, cbc:DebitedQuantity
    unit_code         its @unitCode
    unit_price        cac:Price/cbc:PriceAmount; divided by cbc:BaseQuantity where only that comes
                      to the line's amount, before its own cac:AllowanceCharge
    net_amount        cbc:LineExtensionAmount: the truth of a line, whatever quantity x price is
    tax_amount        cac:TaxTotal/cbc:TaxAmount

Nothing else is read: no person's name, telephone, mail address or place ever gets here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from wolkvox_billing.invoices.document import (
    Document,
    Line,
    Rejected,
    quoted,
    short,
    shown,
    storable,
    stored,
)
from wolkvox_billing.invoices.period import Period, between
from wolkvox_billing.invoices.xml import digest, parse
from wolkvox_billing.values.tax_id import read_tax_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMES = {"cac": f"{_UBL}CommonAggregateComponents-2", "cbc": f"{_UBL}CommonBasicComponents-2"}
_ROOT = re.compile(rf"\{{{re.escape(_UBL)}(\w+)-2\}}(\w+)")
_KINDS = {
    "Invoice": ("invoice", "Invoice", "Invoiced", "Legal"),
    "CreditNote": ("credit_note", "CreditNote", "Credited", "Legal"),
    "DebitNote": ("debit_note", "DebitNote", "Debited", "Requested"),
}
_MOST_NESTED = 2
_MOST_LINES = 20_000
_CENT = Decimal("0.01")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d|T.*)?", re.ASCII)


class OtherKind(Exception):
    """A UBL document that is no invoice, such as an ApplicationResponse: named, and no failure."""


def read_xml(data: bytes | str, nested: int = 0) -> Iterator[Document | OtherKind | Rejected]:
    """The documents of an XML file: one, or those inside an AttachedDocument, and what else is in
    there. Raises Rejected for the file as a whole."""
    root = parse(data)
    if not (named := _ROOT.fullmatch(str(root.tag))) or named[1] != named[2]:
        raise Rejected(
            f"an XML whose root is {short(str(root.tag))}: expected a UBL 2.1 Invoice, CreditNote, "
            "DebitNote or AttachedDocument; ask the supplier for one"
        )
    kind = named[1]
    if kind in _KINDS:
        try:
            yield _document(root, kind)
        except Rejected as error:
            number = _text(root, "cbc:ID") or "without a number"
            yield Rejected(f"the document {number}: {error}")
    elif kind != "AttachedDocument":
        yield OtherKind(kind)
    elif nested == _MOST_NESTED:
        raise Rejected(f"documents attached to documents, more than {_MOST_NESTED} deep")
    else:
        yield from _attached(root, nested)


def _attached(root: Element, nested: int) -> Iterator[Document | OtherKind | Rejected]:
    """What is attached, as text. Beside a document, what is no XML is passed over."""
    path = "cac:Attachment/cac:ExternalReference/cbc:Description"
    texts = [_content(one).lstrip("\ufeff \t\r\n") for one in _all(root, path)]
    texts = [one for one in texts if one.startswith("<")] or [one for one in texts if one]
    if not texts:
        raise Rejected(f"an AttachedDocument with nothing in {path}")
    for text in texts:
        try:
            yield from read_xml(text, nested + 1)
        except Rejected as error:
            yield error


def _document(root: Element, root_name: str) -> Document:
    kind, line_name, quantity_name, total_name = _KINDS[root_name]
    found = Document(
        document_id=digest(root),
        format="ubl",
        document_kind=kind,
        document_number=_text(root, "cbc:ID"),
        document_uuid=_text(root, "cbc:UUID"),
        is_test=_text(root, "cbc:ProfileExecutionID") == "2",
        billing_currency=_currency(root),
        corrects_number=_text(
            root,
            "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
            "cac:DiscrepancyResponse/cbc:ReferenceID",
        ),
        texts=[_texts(root, "cac:InvoicePeriod/cbc:Description"), [], _texts(root, "cbc:Note")],
    )
    found.issue_date = _date(root, "cbc:IssueDate", found.warnings)
    found.own_period = _period(root, "the document's period", found.warnings)
    _supplier(root, found)
    total = f"cac:{total_name}MonetaryTotal"
    found.net_amount = _amount(root, f"{total}/cbc:LineExtensionAmount", found)
    found.payable_amount = _amount(root, f"{total}/cbc:PayableAmount", found)
    found.tax_amount = _tax(root, found, "the document's")
    for name, says in (("Allowance", "takes {} off"), ("Charge", "puts {} on")):
        if amount := _amount(root, f"{total}/cbc:{name}TotalAmount", found):
            found.warnings.append(
                f"the document as a whole {says.format(shown(amount))}, which no line holds"
            )
    references = _all(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
    if len(references) > 1:
        found.warnings.append(f"refers to {len(references)} documents: only the first is kept")
    elements = _all(root, f"cac:{line_name}Line")
    if len(elements) > _MOST_LINES:
        raise Rejected(f"{len(elements):,} lines: {_MOST_LINES:,} are the most")
    for number, element in enumerate(elements, 1):
        found.lines.append(_line(element, f"cbc:{quantity_name}Quantity", number, found))
    return found


def _line(element: Element, quantity_path: str, number: int, found: Document) -> Line:
    where = f"line {number}"
    quantities = _all(element, quantity_path)
    line = Line(
        line_id=_text(element, "cbc:ID"),
        item_code=_text(
            element,
            "cac:Item/cac:SellersItemIdentification/cbc:ID",
            "cac:Item/cac:StandardItemIdentification/cbc:ID",
        ),
        unit_code=storable(quantities[0].get("unitCode")) if quantities else None,
        quantity=_amount(element, quantity_path, found, where),
        net_amount=_amount(element, "cbc:LineExtensionAmount", found, where),
        tax_amount=_tax(element, found, where),
        period=_period(element, f"the period of {where}", found.warnings),
    )
    amounts = _all(element, "cbc:LineExtensionAmount")
    line.billing_currency = _code(amounts[0].get("currencyID")) if amounts else None
    line.billing_currency = line.billing_currency or found.billing_currency
    names = _texts(element, "cac:Item/cbc:Name")
    said = _texts(element, "cac:Item/cbc:Description")
    # Peppol's name is the product, its description says more; DIAN has the description only.
    line.description = storable(": ".join(dict.fromkeys([*names, *said])))
    found.texts[1] += [*names, *said, *_texts(element, "cbc:Note")]
    price = _amount(element, "cac:Price/cbc:PriceAmount", found, where, exact=True)
    base = _amount(element, "cac:Price/cbc:BaseQuantity", found, where, exact=True)
    line.unit_price = _unit_price(line, price, base, _extra(element, found, where), found, number)
    return line


def _extra(element: Element, found: Document, where: str) -> Decimal:
    """What the line's own charges add to quantity x price, less its allowances."""
    total = Decimal()
    for one in _all(element, "cac:AllowanceCharge"):
        sign = 1 if _text(one, "cbc:ChargeIndicator") == "true" else -1
        total += sign * (_amount(one, "cbc:Amount", found, where, exact=True) or Decimal())
    return total


def _unit_price(
    line: Line, price: Decimal | None, base: Decimal | None, extra: Decimal, found: Document, n: int
) -> Decimal | None:
    """The price of one unit. The base quantity often only repeats the line's quantity, so it is
    believed where price x quantity does not come to the line's amount, and with it does."""
    if price is None:
        return None
    if line.quantity is not None and line.net_amount is not None:
        prices = (price, price / base if base else price)
        fits = [
            one
            for one in prices
            for amount in (line.net_amount, line.net_amount - extra)
            if abs(abs(line.quantity * one) - abs(amount)) <= _CENT
        ]
        if not fits:
            found.unexplained.append(n)
        price = fits[0] if fits else price
    return stored(price, f"line {n}: unit price", found.warnings)


def _supplier(root: Element, found: Document) -> None:
    party = "cac:AccountingSupplierParty/cac:Party"
    of_vat = [
        company
        for scheme in _all(root, f"{party}/cac:PartyTaxScheme")
        if _text(scheme, "cac:TaxScheme/cbc:ID") == "VAT"
        and (company := _text(scheme, "cbc:CompanyID"))
    ]
    company = next(iter(of_vat), None) or _text(
        root,
        f"{party}/cac:PartyTaxScheme/cbc:CompanyID",
        f"{party}/cac:PartyLegalEntity/cbc:CompanyID",
        f"{party}/cac:PartyIdentification/cbc:ID",
    )
    found.supplier_id = read_tax_id(company, found.warnings)
    account = _text(root, "cac:AccountingSupplierParty/cbc:AdditionalAccountID") or ""
    if account.lstrip("0") == "2":
        found.warnings.append("the supplier is a natural person: the name is not kept")
        return
    found.supplier_name = _text(
        root,
        f"{party}/cac:PartyTaxScheme/cbc:RegistrationName",
        f"{party}/cac:PartyLegalEntity/cbc:RegistrationName",
        f"{party}/cac:PartyName/cbc:Name",
    )


def _currency(root: Element) -> str | None:
    """The document's currency: as it says, or that of all its amounts."""
    if said := _code(_text(root, "cbc:DocumentCurrencyCode")):
        return said
    used = {_code(one) for one in root.xpath("//cbc:*/@currencyID", namespaces=_NAMES)}
    return used.pop() if len(used) == 1 else None


def _tax(element: Element, found: Document, where: str) -> Decimal | None:
    """All taxes in the document's currency; Peppol may repeat the sum in the tax office's."""
    amounts = [
        one
        for one in _all(element, "cac:TaxTotal/cbc:TaxAmount")
        if _code(one.get("currencyID")) in (None, found.billing_currency) and _content(one).strip()
    ]
    if not amounts:
        return None
    total = sum((_number(one, f"{where} tax") for one in amounts), Decimal())
    return stored(total, f"{where} tax", found.warnings)


def _amount(
    element: Element, path: str, found: Document, where: str = "", *, exact: bool = False
) -> Decimal | None:
    """The number at a path, None if it is not there. Raises Rejected if it is no number."""
    there = _all(element, path)
    if not there or not (len(there[0]) or _content(there[0]).strip()):
        return None
    called = f"{where}: {path}".removeprefix(": ")
    number = _number(there[0], called)
    return number if exact else stored(number, called, found.warnings)


def _number(element: Element, called: str) -> Decimal:
    text = _content(element).strip()
    if len(text) > 60 or not _DECIMAL.fullmatch(text):
        raise Rejected(f"{called} is {quoted(text)}, which is no number")
    return Decimal(text)


def _period(element: Element, what: str, warnings: list[str]) -> Period | None:
    """The period of a document or line. Several are taken together."""
    found: list[Period] = []
    for one in _all(element, "cac:InvoicePeriod"):
        start = _date(one, "cbc:StartDate", warnings)
        end = _date(one, "cbc:EndDate", warnings)
        period, warning = between(start, end, what)
        found += [period] if period else []
        warnings += [warning] if warning else []
    if not found:
        return None
    span = Period(min(one.start for one in found), max(one.end for one in found))
    if len(set(found)) > 1:
        warnings.append(f"{what} is given {len(found)} times: taken is all of {span}")
    return span


def _date(element: Element, path: str, warnings: list[str]) -> date | None:
    text = _text(element, path)
    if text is None:
        return None
    try:
        match = _DATE.fullmatch(text)
        found = date.fromisoformat(match[1]) if match else None
    except ValueError:
        found = None
    if not found or not 2000 <= found.year < 2100:
        warnings.append(f"{path} is {quoted(text)}, which is no date: not taken")
        return None
    return found


def _content(element: Element) -> str:
    """An element's text; a processing instruction in it does not cut it off."""
    return str(element.xpath("string()")) if len(element) else element.text or ""


def _code(text: str | None) -> str | None:
    return (storable(text) or "").upper() or None


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(path, _NAMES)  # type: ignore[no-any-return]


def _texts(element: Element, *paths: str) -> list[str]:
    return [
        text for path in paths for one in _all(element, path) if (text := storable(_content(one)))
    ]


def _text(element: Element, *paths: str) -> str | None:
    return next(iter(_texts(element, *paths)), None)
