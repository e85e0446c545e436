"""What people get an electronic invoice wrapped in, taken off again.

    a header around it      SBDH, SOAP, Peppol's envelopes: any XML with UBL inside, as elements, as
                            text, or in base64
    text of a text          escaped twice, CDATA inside CDATA
    base64                  cbc:EmbeddedDocumentBinaryObject

What comes out is read like a file of its own, with all its limits; what cannot be unwrapped is
rejected with a reason that tells a person how to.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

from wolkvox_billing.invoices.document import Rejected

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_MOST_WRAPS = 4  # of a text
_BLANKS = "\ufeff \t\r\n"
_ESCAPED = re.compile(r"&(?:amp;)*(?:lt|#0*60|#[xX]0*3[cC]);")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}", re.ASCII)
_NESTED_CDATA = re.compile(rb"<((?:\w+:)?(?:Invoice|CreditNote|DebitNote))[\s>]")
HOW = (
    "ask the supplier for the invoice's own XML, or cut it out, from <Invoice to </Invoice>, and "
    "save it as a file"
)


def unwrap_text(text: str) -> str | bytes:
    """Return what a text holds, without what it is wrapped in; XML begins with `<`. Raises Rejected
    for something that it is, and that cannot be read."""
    for _ in range(_MOST_WRAPS):
        text = text.strip(_BLANKS)
        if text.startswith("<![CDATA["):
            text = text.removeprefix("<![CDATA[").removesuffix("]]>")
            text = text.replace("]]]]><![CDATA[>", "]]>")
        elif _ESCAPED.match(text):
            text = html.unescape(text)
        else:
            break
    text = text.strip(_BLANKS)
    if not text.startswith("<") and _BASE64.fullmatch(text):
        return _decode(text)
    return text


def _decode(text: str) -> str | bytes:
    """Return what a text is in base64, or the text itself where it is none."""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text
    if data.startswith(b"PK\x03\x04"):
        raise Rejected(
            "a zip in base64 is attached: decode it, save it as a .zip, and give that file"
        )
    if data.startswith(b"\x1f\x8b"):
        raise Rejected(
            "a gzip in base64 is attached: decode it, unpack it, and give the file that is in it"
        )
    if data.startswith(b"%PDF"):
        raise Rejected(f"what is attached is a PDF in base64, and no electronic invoice: {HOW}")
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    return data if data.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<")) else text


def parts_of_wrapper(root: Element, is_document: re.Pattern[str]) -> Iterator[str | bytes]:
    """Yield the documents in an XML that is none itself: elements of UBL, the outermost ones, or
    else texts that hold one."""
    has_elements = False
    stack = [root]
    while stack:
        element = stack.pop()
        if is_document.fullmatch(str(element.tag)):
            has_elements = True
            yield etree.tostring(element, encoding="unicode", with_tail=False)
        else:
            stack += reversed(element)
    if has_elements:
        return
    for element in root.iter("*"):
        text = (element.text or "").strip(_BLANKS)
        if len(text) >= 100 and (text[:1] in "<&" or _BASE64.fullmatch(text)):
            content = unwrap_text(text)
            if content[:1] in ("<", b"<", b"\xff", b"\xfe"):
                yield content


def cut_out_of_nested_cdata(data: bytes) -> bytes | None:
    """Return the document in an XML that is not well-formed since a CDATA within another has ended
    both; None where that is not what is wrong."""
    first = data.find(b"<![CDATA[")
    if first < 0 or data.count(b"<![CDATA[") < 2:
        return None
    match = _NESTED_CDATA.search(data, first)
    if not match:
        return None
    end = data.rfind(closing := b"</" + match[1] + b">")
    return data[match.start() : end + len(closing)] if end > match.start() else None
