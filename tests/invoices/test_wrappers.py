"""What an invoice comes wrapped in: headers, base64, texts escaped twice, CDATA inside CDATA."""

from __future__ import annotations

import base64
import time
from datetime import datetime, timezone
from email.message import EmailMessage
from xml.sax.saxutils import escape

import pytest

from builders.documents import PDF, attached, declared, element, line, namespaces, ubl, zipped
from builders.read_documents import contents_in, document_in, documents_in, rejection_of
from wolkvox_billing.invoices import Document, OtherKind
from wolkvox_billing.invoices.files import read_file
from wolkvox_billing.invoices.tables import document_rows

PLAIN = ubl(line(description="Grabación nº 1 <S3> & MP3"), notes=["a < b"])
_SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_HEADER = "<H:Header><H:HeaderVersion>1.0</H:HeaderVersion></H:Header>"


def in_base64(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def sbdh(inside: str) -> str:
    return (
        f'<H:StandardBusinessDocument xmlns:H="{_SBDH}">{_HEADER}'
        f"{inside}</H:StandardBusinessDocument>"
    )


def soap(inside: str) -> str:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"<Answer>{inside}</Answer></s:Body></s:Envelope>"
    )


def embedded(inside: str, description: str = "") -> str:
    reference = f"<cac:ExternalReference><cbc:Description>{description}</cbc:Description>"
    return (
        f"<AttachedDocument {namespaces('AttachedDocument')}><cbc:ID>1</cbc:ID><cac:Attachment>"
        + element("cbc:EmbeddedDocumentBinaryObject", inside, mimeCode="text/xml")
        + (reference + "</cac:ExternalReference>" if description else "")
        + "</cac:Attachment></AttachedDocument>"
    )


def in_lines(text: str) -> str:
    return "\n".join(text[n : n + 76] for n in range(0, len(text), 76))


def cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


@pytest.mark.parametrize(
    "wrapped",
    [
        sbdh(PLAIN),
        sbdh(attached(PLAIN, escaped=True)),
        sbdh(f"<H:BinaryContent>{in_base64(PLAIN)}</H:BinaryContent>"),
        sbdh(f"<H:TextContent>{escape(PLAIN)}</H:TextContent>"),
        soap(PLAIN),
        soap(attached(PLAIN)),
        soap(escape(PLAIN)),
        soap(cdata(PLAIN)),
        embedded(in_base64(PLAIN)),
        embedded(in_base64(declared(PLAIN))),
        embedded(in_base64(declared(PLAIN, "ISO-8859-1"))),
        embedded(in_base64(declared(PLAIN, "UTF-16"))),
        embedded(in_lines(in_base64("\ufeff" + PLAIN))),
        embedded(in_base64(PDF), escape(PLAIN)),
        attached(in_base64(PLAIN)),
        attached(escape(PLAIN), escaped=True),
        attached(escape(escape(PLAIN)), escaped=True),
        attached(escape(PLAIN)),
        attached(cdata(PLAIN), escaped=True),
        attached(cdata(cdata(PLAIN)), escaped=True),
        attached(f"\n {cdata(PLAIN)} \n", escaped=True),
        escape(PLAIN),
        escape(escape(PLAIN)),
        cdata(PLAIN),
        in_base64(PLAIN),
        in_lines(in_base64(declared(PLAIN))),
        in_base64("\ufeff" + PLAIN),
        PLAIN.replace("&", "&#38;").replace("<", "&#60;").replace(">", "&#62;"),
    ],
)
def test_a_wrapped_document_is_the_bare_one(wrapped: str) -> None:
    """Whatever is around a document, it is the same one, with the same id."""
    bare = document_in(PLAIN)
    document = document_in(wrapped)
    assert document == bare and document.lines[0].description == "Grabación nº 1 <S3> & MP3"


@pytest.mark.parametrize("prefix", ["", '<?xml version="1.0" encoding="UTF-8"?>'])
def test_a_cdata_that_ends_the_one_around_it_is_told_apart(prefix: str) -> None:
    """A document with a CDATA, put into another CDATA as it is, makes the whole no XML: the
    document is cut out."""
    inner = ubl().replace("Grabaciones copiadas a S3", "<![CDATA[Grabaciones & más]]>")
    document = document_in(attached(prefix + inner, more=""))
    assert document.lines[0].description == "Grabaciones & más"
    assert document.document_id == document_in(inner).document_id


def test_what_cannot_be_cut_out_says_how_to() -> None:
    """Where the nested document is broken too, a person is told what to do."""
    inner = ubl().replace("Grabaciones copiadas a S3", "<![CDATA[a]]>").replace("</cac:Item>", "")
    assert "from <Invoice to </Invoice>" in rejection_of(attached(inner))


@pytest.mark.parametrize(
    ("wrapped", "says"),
    [
        (embedded(in_base64(zipped({"a.xml": b"<a/>"}))), "a zip in base64 is attached: decode it"),
        (embedded(in_base64(PDF)), "a PDF in base64, and no electronic invoice: ask the supplier"),
        (soap("hola"), "none is in it; ask the supplier for the invoice's own XML"),
        (sbdh(""), "expected a UBL 2.1 Invoice"),
        (soap(escape(soap(escape(soap(escape(PLAIN)))))), "deep"),
    ],
)
def test_what_cannot_be_unwrapped_says_how_to(wrapped: str, says: str) -> None:
    """A zip, a PDF, nothing at all, or too many wrappers: rejected, with what to do."""
    assert says in rejection_of(wrapped)


def test_several_documents_in_a_wrapper_are_several() -> None:
    """Each document in an envelope is one of its own, in their order."""
    both = documents_in(soap(ubl(number="F-1") + ubl(number="F-2")))
    assert [document.document_number for document in both] == ["F-1", "F-2"]


def test_what_an_invoice_embeds_is_no_document() -> None:
    """A file attached to an invoice, or an answer beside one, is not a second invoice."""
    more = (
        "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment>"
        f"<cbc:EmbeddedDocumentBinaryObject>{in_base64(ubl(number='F-9'))}"
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )
    assert document_in(ubl(periods=more)).document_number == "F-1"
    other = f"<ApplicationResponse {namespaces('ApplicationResponse')}/>"
    contents = contents_in(soap(escape(other).ljust(200) + f"<B>{escape(ubl())}</B>"))
    assert [type(content) for content in contents] == [OtherKind, Document]


def test_a_hostile_wrapper_takes_no_time() -> None:
    """A text that looks like base64 for megabytes and is none costs nothing."""
    start = time.process_time()
    for text in ("A" * 2_000_000 + "!", "A" + " " * 2_000_000 + "!", "&amp;" * 400_000 + "x"):
        rejection_of(soap(text.replace("&", "&amp;")))
    assert time.process_time() - start < 5


def mailed(*headers: tuple[str, str]) -> bytes:
    """A mail with these headers, to which an invoice is attached."""
    message = EmailMessage()
    message["From"] = "facturas@example.com"
    for name, value in headers:
        message[name] = value
    message.set_content("Adjunto la factura")
    message.add_attachment(PLAIN.encode(), maintype="application", subtype="xml", filename="f.xml")
    return message.as_bytes()


BY_OURS = ("Received", "from a.example by mx.ours.example; Wed, 4 Nov 2026 22:05:00 -0500 (-05)")
BY_THEIRS = ("Received", "from b.example by a.example; Wed, 4 Nov 2026 22:01:00 -0500")
SENT = ("Date", "Tue, 3 Nov 2026 08:00:00 +0000")


@pytest.mark.parametrize(
    ("headers", "came"),
    [
        ((BY_OURS, BY_THEIRS, SENT), "2026-11-05T03:05:00+00:00"),  # by the server we took it from
        ((SENT,), "2026-11-03T08:00:00+00:00"),
        ((("Received", "by mx.ours.example"), SENT), "2026-11-03T08:00:00+00:00"),
        ((("Date", "ayer"),), None),
        ((), None),
    ],
)
def test_a_document_came_when_its_mail_did(
    headers: tuple[tuple[str, str], ...], came: str | None
) -> None:
    """By the mail's headers, in UTC; of a file that is no mail nobody knows it."""
    [paper] = read_file("m.eml", mailed(*headers))
    assert (paper.received_at and paper.received_at.isoformat()) == came
    [row] = document_rows(paper, datetime(2026, 11, 12, tzinfo=timezone.utc))
    assert row["received_at"] == paper.received_at
    [bare] = read_file("f.xml", PLAIN.encode())
    assert bare.received_at is None
