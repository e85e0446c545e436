"""UBL 2.1 into documents: DIAN's electronic invoices, Peppol, and other users of EN 16931.

What is read, and where it is. Paths are direct children, from the root; of the line, from the line.
`a | b`: the first that is there. Sources: UBL 2.1; DIAN's technical annex 1.9; Peppol BIS 3.

    document_kind     the root element: Invoice, CreditNote, DebitNote; and cbc:InvoiceTypeCode,
                      cbc:CreditNoteTypeCode: see `type_codes`. Not the number's prefix
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
    customer_id, customer_name
                      the same of cac:AccountingCustomerParty, but for cac:PartyName
    billing_currency  @currencyID of the totals | cbc:DocumentCurrencyCode
                      | the one @currencyID of all amounts
    net_amount        cac:LegalMonetaryTotal/cbc:LineExtensionAmount
                      (a DebitNote's: cac:RequestedMonetaryTotal)
    payable_amount    …/cbc:PayableAmount
    tax_amount        cac:TaxTotal/cbc:TaxAmount, all in the document's currency added up
    allowance_amount  …/cbc:AllowanceTotalAmount | the document's own cac:AllowanceCharge, added up
    charge_amount     …/cbc:ChargeTotalAmount | the same
    rounding_amount   …/cbc:PayableRoundingAmount
    prepaid_amount    …/cbc:PrepaidAmount | cac:PrepaidPayment/cbc:PaidAmount, added up
    withheld_amount   cac:WithholdingTaxTotal/cbc:TaxAmount, added up; and of the document's own
                      cac:AllowanceCharge what cbc:AllowanceChargeReason says is withheld
    due_date          cbc:DueDate | cac:PaymentMeans/cbc:PaymentDueDate
                      | cac:PaymentTerms/cbc:PaymentDueDate
    payment_form      cac:PaymentMeans/cbc:ID, as DIAN has it: 1 cash, 2 credit
    exchange_currency, exchange_in_currency, exchange_rate, exchange_rate_date
                      cac:PaymentExchangeRate | cac:PricingExchangeRate: cbc:SourceCurrencyCode,
                      cbc:TargetCurrencyCode, cbc:CalculationRate, cbc:Date; the currencies the
                      other way round where cbc:MathematicOperatorCode says `Divide`
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

    a warning         cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:TaxExemptionReasonCode and
                      cbc:TaxExemptionReason, of the document or of a line

Nothing else is read: no person's name, telephone, mail address or place ever gets here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.invoices.document import (
    EXEMPT,
    Document,
    Line,
    Party,
    Rejected,
    fit_amount,
    fit_rate,
    quoted,
    short,
    storable,
)
from wolkvox_billing.invoices.period import period_between
from wolkvox_billing.invoices.sheets.labels import is_withholding
from wolkvox_billing.invoices.type_codes import settle_kind
from wolkvox_billing.invoices.wrappers import (
    HOW,
    cut_out_of_nested_cdata,
    parts_of_wrapper,
    unwrap_text,
)
from wolkvox_billing.invoices.xml import digest, parse
from wolkvox_billing.values.dates import read_xml_day
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.tax_id import read_tax_id

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMES = {"cac": f"{_UBL}CommonAggregateComponents-2", "cbc": f"{_UBL}CommonBasicComponents-2"}
_ROOT = re.compile(rf"\{{{re.escape(_UBL)}(\w+)-2\}}(\w+)")
_WRAPPED = re.compile(
    rf"\{{{re.escape(_UBL)}(\w+)-2\}}(?:Invoice|CreditNote|DebitNote|AttachedDocument)"
)


class _Kind(NamedTuple):
    """A kind of document as the tables call it, and the elements that are its own."""

    name: str
    line: str
    quantity: str
    total: str


_KINDS = {  # by the root element
    "Invoice": _Kind(
        "invoice", "cac:InvoiceLine", "cbc:InvoicedQuantity", "cac:LegalMonetaryTotal"
    ),
    "CreditNote": _Kind(
        "credit_note", "cac:CreditNoteLine", "cbc:CreditedQuantity", "cac:LegalMonetaryTotal"
    ),
    "DebitNote": _Kind(
        "debit_note", "cac:DebitNoteLine", "cbc:DebitedQuantity", "cac:RequestedMonetaryTotal"
    ),
}
_MOST_NESTED = 2
_MOST_REASONS = 3
_MOST_LINES = 20_000
_PAYMENT_FORMS = {"1": "cash", "2": "credit"}
_CENT = Decimal("0.01")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)


class OtherKind(Exception):
    """A UBL document that is no invoice, such as an ApplicationResponse: named, and no failure."""


def read_xml(data: bytes | str, depth: int = 0) -> Iterator[Document | OtherKind | Rejected]:
    """Yield the document of an XML file, or those inside an AttachedDocument or a wrapper, and what
    else is in there; `depth` counts the documents around it. Raises Rejected for the file as a
    whole."""
    root = _parse(data)
    if not (name := _ROOT.fullmatch(str(root.tag))) or name[1] != name[2]:
        yield from _read_wrapped(root, depth)
        return
    if kind := _KINDS.get(name[1]):
        try:
            yield _read_document(root, kind)
        except Rejected as error:
            number = _text(root, "cbc:ID") or "without a number"
            yield Rejected(f"the document {number}: {error}")
    elif name[1] != "AttachedDocument":
        yield OtherKind(name[1])
    elif depth == _MOST_NESTED:
        raise Rejected(f"documents attached to documents, more than {_MOST_NESTED} deep")
    else:
        yield from _read_attached(root, depth + 1)


def _parse(data: bytes | str) -> Element:
    try:
        return parse(data)
    except Rejected:
        whole = data.encode() if isinstance(data, str) else data
        if not (document := cut_out_of_nested_cdata(whole)):
            raise
        try:
            return parse(document.decode())
        except (Rejected, UnicodeDecodeError):
            raise Rejected(f"a CDATA within a CDATA, which has ended both: {HOW}") from None


def _read_wrapped(root: Element, depth: int) -> Iterator[Document | OtherKind | Rejected]:
    """Yield the documents in an XML that is none itself. Raises Rejected where there is none."""
    if depth == _MOST_NESTED:
        raise Rejected(f"documents in wrappers, more than {_MOST_NESTED} deep: {HOW}")
    is_any = False
    for part in parts_of_wrapper(root, _WRAPPED):
        is_any = True
        try:
            yield from read_xml(part, depth + 1)
        except Rejected as error:
            yield error
    if not is_any:
        raise Rejected(
            f"an XML whose root is {short(str(root.tag))}: expected a UBL 2.1 Invoice, CreditNote, "
            f"DebitNote or AttachedDocument, and none is in it; {HOW}"
        )


def _read_attached(root: Element, depth: int) -> Iterator[Document | OtherKind | Rejected]:
    """Yield what is attached, as text or in base64. Beside a document, what is no XML is passed
    over."""
    path = "cac:Attachment/cac:ExternalReference/cbc:Description"
    embedded = "cac:Attachment/cbc:EmbeddedDocumentBinaryObject"
    contents: list[str | bytes | Rejected] = []
    for element in [*_all(root, path), *_all(root, embedded)]:
        try:
            contents.append(unwrap_text(_content(element)))
        except Rejected as error:
            contents.append(error)
    documents: list[str | bytes | Rejected] = [
        content
        for content in contents
        if not isinstance(content, Rejected) and content[:1] in ("<", b"<", b"\xff", b"\xfe")
    ]
    if not any(contents):
        raise Rejected(f"an AttachedDocument with nothing in {path}")
    for content in documents or [content for content in contents if content]:
        if isinstance(content, Rejected):
            yield content
            continue
        try:
            yield from read_xml(content, depth)
        except Rejected as error:
            yield error


def _read_document(root: Element, kind: _Kind) -> Document:
    warnings: list[str] = []
    code = _text(root, "cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode")
    document = Document(
        document_id=digest(root),
        format="ubl",
        document_kind=settle_kind(kind.name, code, warnings),
        document_number=_text(root, "cbc:ID"),
        document_uuid=_text(root, "cbc:UUID"),
        is_test=_text(root, "cbc:ProfileExecutionID") == "2",
        billing_currency=_currency(root, kind, warnings),
        corrects_number=_text(
            root,
            "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
            "cac:DiscrepancyResponse/cbc:ReferenceID",
        ),
        texts=[_texts(root, "cac:InvoicePeriod/cbc:Description"), [], _texts(root, "cbc:Note")],
        warnings=warnings,
    )
    document.issue_date = _date(root, "cbc:IssueDate", warnings)
    document.own_period = _period(root, "the document's period", warnings)
    document.supplier_id, document.supplier_name = _read_party(root, "supplier", warnings)
    document.customer_id, document.customer_name = _read_party(root, "customer", warnings)
    document.net_amount = _amount(root, f"{kind.total}/cbc:LineExtensionAmount", document)
    document.payable_amount = _amount(root, f"{kind.total}/cbc:PayableAmount", document)
    document.tax_amount = _sum(root, "cac:TaxTotal/cbc:TaxAmount", "the document's tax", document)
    _read_beside_lines(root, kind, document)
    _read_payment(root, document)
    _warn_of_exemption(root, kind, warnings)
    references = _all(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
    if len(references) > 1:
        warnings.append(f"refers to {len(references)} documents: only the first is kept")
    elements = _all(root, kind.line)
    if len(elements) > _MOST_LINES:
        raise Rejected(f"{len(elements):,} lines: {_MOST_LINES:,} are the most")
    for number, element in enumerate(elements, 1):
        document.lines.append(_read_line(element, kind.quantity, number, document))
    return document


def _read_beside_lines(root: Element, kind: _Kind, document: Document) -> None:
    """Read what a document adds and takes off as a whole."""
    warnings = document.warnings
    own = {"true": Decimal(), "false": Decimal(), "withheld": Decimal()}
    for charge in _all(root, "cac:AllowanceCharge"):
        indicator = "true" if _text(charge, "cbc:ChargeIndicator") in ("true", "1") else "false"
        reasons = _texts(charge, "cbc:AllowanceChargeReason")
        if indicator == "false" and any(map(is_withholding, reasons)):
            indicator = "withheld"
        amount = _amount(charge, "cbc:Amount", document, "the document's", exact=True)
        own[indicator] += amount or Decimal()
    parts = (("allowance", "false", "takes {} off"), ("charge", "true", "puts {} on"))
    for name, indicator, verb in parts:
        added = own[indicator]
        stated = _amount(root, f"{kind.total}/cbc:{name.title()}TotalAmount", document)
        if name == "allowance" and stated and stated == added + own["withheld"]:
            stated -= own["withheld"]
        if stated is not None and added and abs(stated - added) > _CENT:
            warnings.append(
                f"its {name}s add up to {format_number(added)}, and its total of them says "
                f"{format_number(stated)}, which counts"
            )
        amount = stated if stated is not None else added or None
        if amount:
            action = verb.format(format_number(amount))
            warnings.append(f"the document as a whole {action}, which no line holds")
            amount = fit_amount(amount, f"the document's {name}s", warnings)
        setattr(document, f"{name}_amount", amount)
    document.rounding_amount = _amount(root, f"{kind.total}/cbc:PayableRoundingAmount", document)
    document.prepaid_amount = _amount(root, f"{kind.total}/cbc:PrepaidAmount", document)
    if document.prepaid_amount is None:
        path = "cac:PrepaidPayment/cbc:PaidAmount"
        document.prepaid_amount = _sum(root, path, "the document's prepayment", document)
    path = "cac:WithholdingTaxTotal/cbc:TaxAmount"
    document.withheld_amount = _sum(root, path, "the document's withholding", document)
    if own["withheld"]:
        withheld = own["withheld"] + (document.withheld_amount or Decimal())
        document.withheld_amount = fit_amount(withheld, "the document's withholding", warnings)


def _read_payment(root: Element, document: Document) -> None:
    """Read when and how a document is to be paid, and its rate."""
    warnings = document.warnings
    for path in ("cbc:DueDate", "cac:PaymentMeans/cbc:PaymentDueDate",
                 "cac:PaymentTerms/cbc:PaymentDueDate"):  # fmt: skip
        document.due_date = document.due_date or _date(root, path, warnings)
    forms = [_PAYMENT_FORMS.get(text) for text in _texts(root, "cac:PaymentMeans/cbc:ID")]
    # Where part of it is paid at once, the rest is on credit.
    document.payment_form = max(filter(None, forms), default=None)
    exchanges = [*_all(root, "cac:PaymentExchangeRate"), *_all(root, "cac:PricingExchangeRate")]
    for exchange in exchanges:
        if document.exchange_rate is None:
            try:
                _read_exchange(exchange, document)
            except Rejected as error:  # no amount is lost with it
                warnings.append(f"{error}: not taken")


def _warn_of_exemption(root: Element, kind: _Kind, warnings: list[str]) -> None:
    """Warn of why a document, or a line of it, says that it bears no tax."""
    category = "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory"
    paths = [
        f"{place}{category}/cbc:TaxExemptionReason{part}"
        for place in ("", f"{kind.line}/")
        for part in ("Code", "")
    ]
    if reasons := dict.fromkeys(_texts(root, *paths)):
        warnings.append(f"{EXEMPT}{', '.join(map(short, [*reasons][:_MOST_REASONS]))}")


def _read_exchange(exchange: Element, document: Document) -> None:
    """Read the rate between the document's two currencies. Its bases are how many units it is for:
    100 yen are 2,750 pesos; one that only repeats the rate is none."""
    name = "the exchange rate"
    rate = _amount(exchange, "cbc:CalculationRate", document, name, exact=True)
    if not rate:  # 0 stands where there is none
        return
    bases = [
        _amount(exchange, f"cbc:{side}CurrencyBaseRate", document, name, exact=True)
        for side in ("Source", "Target")
    ]
    source, target = (Decimal(1) if base in (None, 0, rate) else base for base in bases)
    assert source
    assert target
    codes = [_code(_text(exchange, f"cbc:{side}CurrencyCode")) for side in ("Source", "Target")]
    if (_text(exchange, "cbc:MathematicOperatorCode") or "").casefold().startswith("div"):
        codes.reverse()
        source, target = target, source
    document.exchange_rate = fit_rate(rate * target / source, name, document.warnings)
    document.exchange_currency, document.exchange_in_currency = codes
    document.exchange_rate_date = _date(exchange, "cbc:Date", document.warnings)


def _read_line(element: Element, quantity_path: str, number: int, document: Document) -> Line:
    place = f"line {number}"
    quantities = _all(element, quantity_path)
    line = Line(
        line_id=_text(element, "cbc:ID"),
        item_code=_text(
            element,
            "cac:Item/cac:SellersItemIdentification/cbc:ID",
            "cac:Item/cac:StandardItemIdentification/cbc:ID",
        ),
        unit_code=storable(quantities[0].get("unitCode")) if quantities else None,
        quantity=_amount(element, quantity_path, document, place),
        net_amount=_amount(element, "cbc:LineExtensionAmount", document, place),
        tax_amount=_sum(element, "cac:TaxTotal/cbc:TaxAmount", f"{place} tax", document),
        period=_period(element, f"the period of {place}", document.warnings),
    )
    amounts = _all(element, "cbc:LineExtensionAmount")
    line.billing_currency = _code(amounts[0].get("currencyID")) if amounts else None
    line.billing_currency = line.billing_currency or document.billing_currency
    names = _texts(element, "cac:Item/cbc:Name")
    descriptions = _texts(element, "cac:Item/cbc:Description")
    # Peppol's name is the product, its description says more; DIAN has the description only.
    line.description = storable(": ".join(dict.fromkeys([*names, *descriptions])))
    document.texts[1] += [*names, *descriptions, *_texts(element, "cbc:Note")]
    line.unit_price = _unit_price(element, line, number, document)
    return line


def _unit_price(element: Element, line: Line, number: int, document: Document) -> Decimal | None:
    """Return the price of one unit. The base quantity often only repeats the line's quantity, so it
    is believed where price x quantity does not come to the line's amount, and with it does."""
    place = f"line {number}"
    price = _amount(element, "cac:Price/cbc:PriceAmount", document, place, exact=True)
    base = _amount(element, "cac:Price/cbc:BaseQuantity", document, place, exact=True)
    charges = _charges(element, document, place)
    if price is None:
        return None
    if line.quantity is not None and line.net_amount is not None:
        fitting = [
            unit_price
            for unit_price in (price, price / base if base else price)
            for amount in (line.net_amount, line.net_amount - charges)
            if abs(abs(line.quantity * unit_price) - abs(amount)) <= _CENT
        ]
        if not fitting:
            document.unexplained.append(number)
        price = fitting[0] if fitting else price
    return fit_amount(price, f"{place}: unit price", document.warnings)


def _charges(element: Element, document: Document, place: str) -> Decimal:
    """Return what the line's own charges add to quantity x price, less its allowances."""
    total = Decimal()
    for charge in _all(element, "cac:AllowanceCharge"):
        amount = _amount(charge, "cbc:Amount", document, place, exact=True) or Decimal()
        total += amount if _text(charge, "cbc:ChargeIndicator") == "true" else -amount
    return total


def _read_party(root: Element, title: str, warnings: list[str]) -> Party:
    """Return the `supplier` or the `customer`."""
    accounting = f"cac:Accounting{title.title()}Party"
    party = f"{accounting}/cac:Party"
    vat_ids = [
        company
        for scheme in _all(root, f"{party}/cac:PartyTaxScheme")
        if _text(scheme, "cac:TaxScheme/cbc:ID") == "VAT"
        and (company := _text(scheme, "cbc:CompanyID"))
    ]
    company = next(iter(vat_ids), None) or _text(
        root,
        f"{party}/cac:PartyTaxScheme/cbc:CompanyID",
        f"{party}/cac:PartyLegalEntity/cbc:CompanyID",
        f"{party}/cac:PartyIdentification/cbc:ID",
    )
    tax_id = read_tax_id(company, warnings, title)
    account = _text(root, f"{accounting}/cbc:AdditionalAccountID") or ""
    if account.lstrip("0") == "2":
        warnings.append(f"the {title} is a natural person: the name is not kept")
        return Party(tax_id, None)
    names = [
        f"{party}/cac:PartyTaxScheme/cbc:RegistrationName",
        f"{party}/cac:PartyLegalEntity/cbc:RegistrationName",
    ]
    if title == "supplier":  # of a customer it may be a person who works there
        names.append(f"{party}/cac:PartyName/cbc:Name")
    return Party(tax_id, _text(root, *names))


def _currency(root: Element, kind: _Kind, warnings: list[str]) -> str | None:
    """Return the document's currency: that of its totals, as it says, or that of all its amounts.

    Raises Rejected where its totals are in several.
    """
    if code := _code(_text(root, "cbc:DocumentCurrencyCode")):
        amounts = root.xpath(f"{kind.total}/cbc:*/@currencyID", namespaces=_NAMES)
        codes_of_totals = sorted(filter(None, set(map(_code, amounts))))
        if len(codes_of_totals) > 1:
            raise Rejected(f"its totals are in {' and '.join(codes_of_totals)}: in which is it?")
        if codes_of_totals and codes_of_totals != [code]:
            [currency] = codes_of_totals
            warnings.append(
                f"it says {short(code)}, and its totals are in {short(currency)}, which counts"
            )
            return currency
        return code
    codes = {_code(text) for text in root.xpath("//cbc:*/@currencyID", namespaces=_NAMES)}
    return codes.pop() if len(codes) == 1 else None


def _sum(element: Element, path: str, name: str, document: Document) -> Decimal | None:
    """Return the sum of the amounts at a path that are in the document's currency, None if there is
    none: Peppol may repeat a tax in another one."""
    amounts = [
        amount
        for amount in _all(element, path)
        if _code(amount.get("currencyID")) in (None, document.billing_currency)
        and _content(amount).strip()
    ]
    if not amounts:
        return None
    total = sum((_number(amount, name) for amount in amounts), Decimal())
    return fit_amount(total, name, document.warnings)


def _amount(
    element: Element, path: str, document: Document, place: str = "", *, exact: bool = False
) -> Decimal | None:
    """Return the number at a path, None if it is not there. Raises Rejected if it is no number."""
    elements = _all(element, path)
    if not elements or not (len(elements[0]) or _content(elements[0]).strip()):
        return None
    name = f"{place}: {path}".removeprefix(": ")
    number = _number(elements[0], name)
    return number if exact else fit_amount(number, name, document.warnings)


def _number(element: Element, name: str) -> Decimal:
    text = _content(element).strip()
    if len(text) > 60 or not _DECIMAL.fullmatch(text):
        raise Rejected(f"{name} is {quoted(text)}, which is no number")
    return Decimal(text)


def _period(element: Element, title: str, warnings: list[str]) -> Period | None:
    """Return the period of a document or line. Several are taken together."""
    periods: list[Period] = []
    for period_element in _all(element, "cac:InvoicePeriod"):
        start = _date(period_element, "cbc:StartDate", warnings)
        end = _date(period_element, "cbc:EndDate", warnings)
        if period := period_between(start, end, title, warnings):
            periods.append(period)
    if not periods:
        return None
    span = Period(min(p.start for p in periods), max(p.end for p in periods))
    if len(set(periods)) > 1:
        warnings.append(f"{title} is given {len(periods)} times: taken is all of {span}")
    return span


def _date(element: Element, path: str, warnings: list[str]) -> date | None:
    text = _text(element, path)
    if text is None:
        return None
    try:
        day = read_xml_day(text)
    except ValueError:
        day = None
    if day and 2000 <= day.year < 2100:
        return day
    warnings.append(f"{path} is {quoted(text)}, which is no date: not taken")
    return None


def _content(element: Element) -> str:
    """Return an element's text; a processing instruction in it does not cut it off."""
    return str(element.xpath("string()")) if len(element) else element.text or ""


def _code(text: str | None) -> str | None:
    return (storable(text) or "").upper() or None


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(path, _NAMES)  # type: ignore[no-any-return]


def _texts(element: Element, *paths: str) -> list[str]:
    contents = [_content(child) for path in paths for child in _all(element, path)]
    return list(filter(None, map(storable, contents)))


def _text(element: Element, *paths: str) -> str | None:
    return next(iter(_texts(element, *paths)), None)
