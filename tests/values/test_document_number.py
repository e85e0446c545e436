"""How a person calls a document."""

from __future__ import annotations

import pytest

from wolkvox_billing.values.document_number import is_called


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [("FE 001", True), ("fe-1", True), ("ab3f", True), (" AB3F9 ", True), ("ab3", False),
     ("b3f9", False), ("", False), ("FE-2", False)],
)  # fmt: skip
def test_a_document_is_called_by_its_number_or_the_beginning_of_its_id(
    name: str, *, is_meant: bool
) -> None:
    """However the number is spelled, and whatever the case of the id, be it in the table; a shorter
    beginning than is asked for is none."""
    for document_id in ("ab3f9c", "AB3F9C"):
        assert is_called(name, "FE-1", document_id, shortest=4) is is_meant
