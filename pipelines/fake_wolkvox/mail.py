"""The mail that brings an invoice: a zip with an AttachedDocument, which holds it, and a PDF.

The XML is UBL 2.1 as Colombia's tax office (DIAN) has it, save that nothing in it is signed.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from hashlib import sha384
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from .invoices import CLOCK, CUSTOMER, PREFIX, SUPPLIER, Company, CreditNote, Invoice, Line
from .world import GAUGES

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
DIAN = Company("Unidad Especial Dirección de Impuestos y Aduanas Nacionales", "800197268")
CUFE = 'UUID schemeName="CUFE-SHA384"'
PIECES = 'unitCode="94"'
NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Tree = dict[str, object]


def packed(invoice: Invoice) -> bytes:
    """Return the zip; the same invoice makes the same bytes."""
    kind, first = ("nc", 0x10000000) if isinstance(invoice, CreditNote) else ("fv", 0)
    # as DIAN names files
    stem = f"{SUPPLIER.nit:0>10}000{invoice.issued:%y}{first + invoice.serial:08x}"
    members = {f"ad{stem}.xml": _attached(invoice).encode(), f"{kind}{stem}.pdf": _pdf(invoice)}
    moment = (invoice.issued.year, invoice.issued.month, invoice.issued.day, 8, 0, 0)
    zipped = BytesIO()
    with ZipFile(zipped, "w") as archive:
        for name, content in members.items():
            archive.writestr(ZipInfo(name, moment), content, ZIP_DEFLATED)
    return zipped.getvalue()


def file_name(zipped: bytes) -> str:
    """Return what the zip is called: as the XML in it, with z for ad."""
    with ZipFile(BytesIO(zipped)) as archive:
        return re.sub("ad(.*)xml", r"z\1zip", archive.namelist()[0])


# The three documents: the mail's, and the two that it holds.


def _attached(invoice: Invoice) -> str:
    result = {
        "ValidatorID": DIAN.name,
        "ValidationResultCode": "02",
        "ValidationDate": invoice.issued,
        "ValidationTime": CLOCK,
    }
    reference = {
        "ID": invoice.number,
        CUFE: invoice.cufe,
        "IssueDate": invoice.issued,
        "DocumentType": "ApplicationResponse",
        "Attachment": _holding(_response(invoice)),
        "ResultOfVerification": result,
    }
    tree = {
        **_head("Documentos adjuntos", "Factura Electrónica de Venta", invoice.serial),
        **_issued(invoice),
        "DocumentType": "Contenedor de Factura Electrónica",
        "ParentDocumentID": invoice.number,
        "SenderParty": _taxpayer(SUPPLIER),
        "ReceiverParty": _taxpayer(CUSTOMER),
        "Attachment": _holding(_billing(invoice)),
        "ParentDocumentLineReference": {"LineID": 1, "DocumentReference": reference},
    }
    return _document("AttachedDocument", tree)


def _response(invoice: Invoice) -> str:
    """Return DIAN's word that the invoice is valid."""
    response = {"ResponseCode": "02", "Description": "Documento validado por la DIAN"}
    cude = sha384(f"02{invoice.cufe}".encode()).hexdigest()
    tree = {
        **_head("1", "DIAN 2.1", invoice.serial),
        'UUID schemeName="CUDE-SHA384"': cude,
        **_issued(invoice),
        "SenderParty": _taxpayer(DIAN),
        "ReceiverParty": _taxpayer(SUPPLIER),
        "DocumentResponse": {
            "Response": response,
            "DocumentReference": {"ID": invoice.number, CUFE: invoice.cufe},
        },
    }
    return _document("ApplicationResponse", tree)


def _billing(invoice: Invoice) -> str:
    """Return the invoice itself, or the note."""
    name, server = invoice.operation[:2]
    note = isinstance(invoice, CreditNote)
    root = "CreditNote" if note else "Invoice"
    means = {
        "ID": 2,  # on credit
        "PaymentMeansCode": 47,  # by bank transfer
        "PaymentDueDate": invoice.issued + timedelta(days=30),
    }
    totals = {
        "LineExtensionAmount": invoice.net,
        "TaxExclusiveAmount": invoice.net,
        "TaxInclusiveAmount": invoice.total,
        "PayableAmount": invoice.total,
    }
    profile = f"{'Nota Crédito de ' if note else ''}Factura Electrónica de Venta"
    tree = {
        "ext:UBLExtensions": _extensions(invoice),
        **_head("20" if note else "10", f"DIAN 2.1: {profile}", invoice.number),
        CUFE: invoice.cufe,
        **_issued(invoice),
        **({"CreditNoteTypeCode": "91"} if note else {"InvoiceTypeCode": "01"}),
        "Note": f"Consumo de {name}, servidor {server}",
        "DocumentCurrencyCode": "COP",
        "LineCountNumeric": len(invoice.lines),
        "InvoicePeriod": {"StartDate": invoice.start, "EndDate": invoice.end},
        **(_corrected(invoice.corrects) if isinstance(invoice, CreditNote) else {}),
        "AccountingSupplierParty": {"AdditionalAccountID": 1, "Party": _party(SUPPLIER)},
        "AccountingCustomerParty": {"AdditionalAccountID": 1, "Party": _party(CUSTOMER)},
        "PaymentMeans": means,
        "TaxTotal": _iva(invoice),
        "LegalMonetaryTotal": totals,
        f"{root}Line": [
            _line(n, line, name, "Credited" if note else "Invoiced")
            for n, line in enumerate(invoice.lines, 1)
        ],
    }
    return _document(root, tree)


# Their parts.


def _extensions(invoice: Invoice) -> Tree:
    """Return DIAN's own fields: the range of numbers that the supplier may use, and the QR code."""
    year = invoice.issued.year
    numbering = {
        "sts:InvoiceAuthorization": "18760000001",
        "sts:AuthorizationPeriod": {"StartDate": f"{year}-01-01", "EndDate": f"{year}-12-31"},
        "sts:AuthorizedInvoices": {"sts:Prefix": PREFIX, "sts:From": 1, "sts:To": 99_999_999},
    }
    extension = {
        "sts:InvoiceControl": numbering,
        "sts:InvoiceSource": {"IdentificationCode": "CO"},
        "sts:QRCode": f"NumFac: {invoice.number}\nCUFE: {invoice.cufe}",
    }
    return {"ext:UBLExtension": {"ext:ExtensionContent": {"sts:DianExtensions": extension}}}


def _corrected(invoice: Invoice) -> Tree:
    """Return which invoice a note corrects, and why."""
    reference = {"ID": invoice.number, CUFE: invoice.cufe, "IssueDate": invoice.issued}
    return {
        "DiscrepancyResponse": {
            "ReferenceID": invoice.number,
            "ResponseCode": "1",
            "Description": "Devolución parcial de los servicios no aceptados",
        },
        "BillingReference": {"InvoiceDocumentReference": reference},
    }


def _head(customization: str, profile: str, number: object) -> Tree:
    return {
        "UBLVersionID": "UBL 2.1",
        "CustomizationID": customization,
        "ProfileID": profile,
        "ProfileExecutionID": 1,  # 2 is a test
        "ID": number,
    }


def _issued(invoice: Invoice) -> Tree:
    return {"IssueDate": invoice.issued, "IssueTime": CLOCK}


def _holding(document: str) -> Tree:
    reference = {"MimeCode": "text/xml", "EncodingCode": "UTF-8", "Description": document.encode()}
    return {"ExternalReference": reference}


def _line(place: int, line: Line, operation: str, kind_of_quantity: str) -> Tree:
    kind = "Licencias" if line.report in GAUGES else "Consumo"
    if line.report == "rsync_s3_mp3":
        kind = "Grabaciones copiadas a S3"
    quantity = f"{line.quantity}.00"
    return {
        "ID": place,
        f"{kind_of_quantity}Quantity {PIECES}": quantity,
        "LineExtensionAmount": line.net,
        "TaxTotal": _iva(line),
        "Item": {
            "Description": f"{kind} ({line.product}) - {operation}",
            "SellersItemIdentification": {"ID": line.product.replace(" ", "-")},
        },
        # As many real ones do, it repeats the quantity: the price is still that of one.
        "Price": {"PriceAmount": line.unit_price, f"BaseQuantity {PIECES}": quantity},
    }


def _iva(taxed: Invoice | Line) -> Tree:
    category = {"Percent": "19.00", "TaxScheme": {"ID": "01", "Name": "IVA"}}
    share = {"TaxableAmount": taxed.net, "TaxAmount": taxed.tax, "TaxCategory": category}
    return {"TaxAmount": taxed.tax, "TaxSubtotal": share}


def _party(company: Company) -> Tree:
    address = {
        "ID": company.city_code,
        "CityName": company.city,
        "CountrySubentity": company.department,
        "CountrySubentityCode": company.city_code[:2],
        "AddressLine": {"Line": company.street},
        "Country": {"IdentificationCode": "CO", 'Name languageID="es"': "Colombia"},
    }
    return {
        "PartyName": {"Name": company.name},
        "PhysicalLocation": {"Address": address},
        **_taxpayer(company),
        "PartyLegalEntity": _identity(company),
        "Contact": {"Telephone": company.phone, "ElectronicMail": company.mail},
    }


def _taxpayer(company: Company) -> Tree:
    scheme = {'TaxLevelCode listName="48"': "O-13", "TaxScheme": {"ID": "01", "Name": "IVA"}}
    return {"PartyTaxScheme": _identity(company) | scheme}


def _identity(company: Company) -> Tree:
    nit = f'CompanyID schemeAgencyID="195" schemeID="{company.check_digit}" schemeName="31"'
    return {"RegistrationName": company.name, nit: company.nit}


# How they are written.


def _document(root: str, tree: Tree) -> str:
    kinds = {"cac": "CommonAggregate", "cbc": "CommonBasic", "ext": "CommonExtension"}
    spaces = "".join(f' xmlns:{kind}="{UBL}{name}Components-2"' for kind, name in kinds.items())
    spaces += ' xmlns:sts="dian:gov:co:facturaelectronica:Structures-2-1"'
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{UBL}{root}-2"{spaces}>'
    return f"{start}\n{_xml(tree)}</{root}>\n"


def _xml(tree: Tree, indent: str = "  ") -> str:
    """Return a tree's elements: a branch is a `cac`, a leaf a `cbc`, a list repeats its element.

    A Decimal is an amount in pesos, and bytes are a document that is held as it is."""
    elements = ""
    for name, branch in tree.items():
        for value in branch if isinstance(branch, list) else [branch]:
            space = "cac" if isinstance(value, Mapping) else "cbc"
            tag = name if ":" in name else f"{space}:{name}"
            currency = ' currencyID="COP"' if isinstance(value, Decimal) else ""
            if isinstance(value, Mapping):
                inside = f"\n{_xml(dict(value), indent + '  ')}{indent}"
            elif isinstance(value, bytes):
                inside = f"<![CDATA[{value.decode()}]]>"  # which no ]]> ends: texts have no bare >
            else:
                legal = NO_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
                inside = escape(legal, {"\r": "&#13;"})
            elements += f"{indent}<{tag}{currency}>{inside}</{tag.split()[0]}>\n"
    return elements


def _pdf(invoice: Invoice) -> bytes:
    """Return one page with a few rows of text."""
    note = isinstance(invoice, CreditNote)
    title = "Nota crédito" if note else "Factura electrónica de venta"
    rows = (
        SUPPLIER.name,
        f"{title} {invoice.number}",
        f"Periodo: {invoice.start} a {invoice.end}",
        f"Total: COP {invoice.total}",
    )
    text = "".join(f"({row}) '\n" for row in rows)
    page = f"BT /F1 14 Tf 20 TL 72 720 Td\n{text}ET".encode("cp1252")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    body, places = b"%PDF-1.4\n", b""
    for number, content in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 6\n0000000000 65535 f \n%btrailer\n<< /Size 6 /Root 1 0 R >>\n" % places
    return body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)
