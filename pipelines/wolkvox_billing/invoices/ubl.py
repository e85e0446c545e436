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
                      to the line's amount
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
    short,
    shown,
    storable,
    stored,
)
from wolkvox_billing.invoices.period import Period, between
from wolkvox_billing.invoices.xml import digest, parse

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
_CENT = Decimal("0.01")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d|T.*)?", re.ASCII)


class OtherKind(Exception):
    """A UBL document that is no invoice, such as an ApplicationResponse: named, and no failure."""


def read_xml(data: bytes | str, nested: int = 0) -> Iterator[Document]:
    """The documents of an XML file: one, or those inside an AttachedDocument.

    Raises Rejected, and OtherKind for UBL that is no invoice.
    """
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
            raise Rejected(f"the document {number}: {error}") from None
    elif kind != "AttachedDocument":
        raise OtherKind(kind)
    elif nested == _MOST_NESTED:
        raise Rejected(f"documents attached to documents, more than {_MOST_NESTED} deep")
    else:
        path = "cac:Attachment/cac:ExternalReference/cbc:Description"
        inner = [text for one in _all(root, path) if (text := "".join(one.itertext()).strip())]
        if not inner:
            raise Rejected(f"an AttachedDocument with nothing in {path}")
        for text in inner:
            yield from read_xml(text.lstrip("\ufeff").lstrip(), nested + 1)


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
    for number, element in enumerate(_all(root, f"cac:{line_name}Line"), 1):
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
    line.billing_currency = storable(amounts[0].get("currencyID")) if amounts else None
    line.billing_currency = line.billing_currency or found.billing_currency
    names = _texts(element, "cac:Item/cbc:Name")
    said = _texts(element, "cac:Item/cbc:Description")
    # Peppol's name is the product, its description says more; DIAN has the description only.
    line.description = storable(": ".join(dict.fromkeys([*names, *said])))
    found.texts[1] += [*names, *said, *_texts(element, "cbc:Note")]
    price = _amount(element, "cac:Price/cbc:PriceAmount", found, where, exact=True)
    base = _amount(element, "cac:Price/cbc:BaseQuantity", found, where, exact=True)
    line.unit_price = _unit_price(line, price, base, where, found.warnings)
    return line


def _unit_price(
    line: Line, price: Decimal | None, base: Decimal | None, where: str, warnings: list[str]
) -> Decimal | None:
    """The price of one unit. The base quantity often only repeats the line's quantity, so it is
    believed where price x quantity does not come to the line's amount, and with it does."""
    if price is None:
        return None
    if line.quantity is not None and line.net_amount is not None:
        fits = [
            one
            for one in (price, price / base if base else price)
            if abs(abs(line.quantity * one) - abs(line.net_amount)) <= _CENT
        ]
        if not fits:
            warnings.append(
                f"{where}: {shown(line.quantity)} x {shown(price)} is not its amount, "
                f"{shown(line.net_amount)}, which counts"
            )
        price = fits[0] if fits else price
    return stored(price, f"{where}: unit price", warnings)


def _supplier(root: Element, found: Document) -> None:
    party = "cac:AccountingSupplierParty/cac:Party"
    found.supplier_id = _text(
        root,
        f"{party}/cac:PartyTaxScheme/cbc:CompanyID",
        f"{party}/cac:PartyLegalEntity/cbc:CompanyID",
        f"{party}/cac:PartyIdentification/cbc:ID",
    )
    if _text(root, "cac:AccountingSupplierParty/cbc:AdditionalAccountID") == "2":
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
    if said := _text(root, "cbc:DocumentCurrencyCode"):
        return said
    used = {storable(one) for one in root.xpath("//cbc:*/@currencyID", namespaces=_NAMES)}
    return used.pop() if len(used) == 1 else None


def _tax(element: Element, found: Document, where: str) -> Decimal | None:
    """All taxes in the document's currency; Peppol may repeat the sum in the tax office's."""
    amounts = [
        one
        for one in _all(element, "cac:TaxTotal/cbc:TaxAmount")
        if one.get("currencyID") in (None, found.billing_currency)
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
    if not there:
        return None
    called = f"{where}: {path}".removeprefix(": ")
    number = _number(there[0], called)
    return number if exact else stored(number, called, found.warnings)


def _number(element: Element, called: str) -> Decimal:
    text = (element.text or "").strip()
    if len(text) > 60 or len(element) or not _DECIMAL.fullmatch(text):
        raise Rejected(f"{called} is {short(text)}, which is no number")
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
        warnings.append(f"{path} is {short(text)}, which is no date: not taken")
        return None
    return found


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(path, _NAMES)  # type: ignore[no-any-return]


def _texts(element: Element, *paths: str) -> list[str]:
    return [text for path in paths for one in _all(element, path) if (text := storable(one.text))]


def _text(element: Element, *paths: str) -> str | None:
    return next(iter(_texts(element, *paths)), None)
