"""An XML file's tree, when it is harmless: no DTD, no entity, no network, nothing endless.

libxml2 itself refuses nesting beyond 256, a text beyond 10 MB, and whatever is not well-formed.
"""

from __future__ import annotations

import hashlib
import re

from lxml import etree

from wolkvox_billing.invoices.document import Rejected

MOST_BYTES = 20 * 1024 * 1024
MOST_TAGS = 1_000_000  # twice as many as a document of 10,000 lines has
_SAYS_UTF_16 = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']utf-?16", re.I)
MOST_ATTRIBUTES = 100  # of one element: more than that is slow to put in order


def parse(data: bytes | str) -> etree._Element:
    """Return the root element. A text is read as it is, whatever encoding it declares.

    Raises Rejected.
    """
    encoding = None
    if isinstance(data, str):
        data, encoding = data.encode("utf-8", "surrogatepass"), "utf-8"
    elif _SAYS_UTF_16.match(data):  # and is not, since these bytes could be read
        encoding = "utf-8"
    if len(data) > MOST_BYTES:
        raise Rejected(f"an XML of {len(data):,} bytes: {MOST_BYTES:,} are the most")
    if max(data.count(b"<"), data.count(b"=")) > MOST_TAGS:
        raise Rejected(f"an XML of more than {MOST_TAGS:,} tags or attributes")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,  # one in a number would cut it in two
        encoding=encoding,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise Rejected(f"no well-formed XML: {_complaint(error)}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Rejected("an XML with a DTD, which no invoice has and a hostile file may: not read")
    if root.xpath(f"boolean(//*[count(@*) > {MOST_ATTRIBUTES}])"):
        raise Rejected(f"an XML element with more than {MOST_ATTRIBUTES} attributes")
    return root


def digest(root: etree._Element) -> str:
    """Return the SHA-256 of the whole document as canonical XML (exclusive C14N, without comments):
    a copy with another encoding, declaration or order of attributes has the same.

    Raises Rejected.
    """
    try:
        canonical = etree.tostring(
            root.getroottree(), method="c14n", exclusive=True, with_comments=False
        )
    except etree.LxmlError as error:
        raise Rejected(f"an XML that has no canonical form: {_complaint(error)}") from None
    return hashlib.sha256(canonical).hexdigest()


def _complaint(error: Exception) -> str:
    """Return libxml2's complaint without the name that it has for what is no file."""
    return str(error).replace(" (<string>, line ", " (line ")[:200]
