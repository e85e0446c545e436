"""What is read of files that the tests build."""

from __future__ import annotations

from wolkvox_billing.invoices import Document, Hints, Rejected, complete_document
from wolkvox_billing.invoices.files import Content, read_file

RULE = "month_before_issue"


def contents_in(data: bytes | str, decimal: str | None = None, rule: str = RULE) -> list[Content]:
    """Return all that a file holds; documents are checked, and have their periods."""
    binary = data.encode() if isinstance(data, str) else data
    contents = [paper.content for paper in read_file("f", binary, Hints(decimal))]
    for place, content in enumerate(contents):
        if isinstance(content, Document):
            try:
                complete_document(content, rule)
            except Rejected as error:
                contents[place] = error
    return contents


def documents_in(data: bytes | str) -> list[Document]:
    """Return the documents of a file that holds nothing else."""
    contents = contents_in(data)
    documents = [content for content in contents if isinstance(content, Document)]
    assert documents == contents
    return documents


def document_in(data: bytes | str, decimal: str | None = None, rule: str = RULE) -> Document:
    """Return the one document in a file."""
    [document] = contents_in(data, decimal, rule)
    assert isinstance(document, Document), document
    return document


def rejection_of(data: bytes | str, decimal: str | None = None) -> str:
    """Return why the one document in a file is rejected."""
    [rejection] = contents_in(data, decimal)
    assert isinstance(rejection, Rejected), rejection
    return str(rejection)
