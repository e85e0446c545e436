"""What a type code of an electronic invoice says of its kind.

Sources: UN/CEFACT's code list 1001, with what EN 16931, Peppol and France use of it; DIAN's own
list (technical annex 1.9, 13.1.3). A code that is in neither is told, and never guessed at.
"""

from __future__ import annotations

from wolkvox_billing.invoices.document import Rejected, short
from wolkvox_billing.values.spelling import plain

_CODES = {
    "invoice": "82 218 219 295 326 331 380 382 385 387 388 389 390 393 394 395 456 457 501 "
    "527 553 575 623 633 751 780 817 870 875 876 877 935 01 02 03 04 05 20 25 27 30 35 40 "
    "45 50 55 60",
    "corrected_invoice": "384 471 472 473",  # it replaces an earlier one, or a part of it
    "debit_note": "80 84 383 92",
    # 95 and 94 are adjustments: of a support document, and of an equivalent one.
    "credit_note": "81 83 261 262 296 308 381 396 420 458 502 532 91 94 95",
    # What comes before the bill: no use is billed by it.
    "pro_forma": "71 130 202 203 204 211 310 325",
    "prepayment": "386 500 503",
}
# UBL 2.0 had no list, and people write words: as letters only, in English and Spanish.
_WORDS = {
    "invoice": "invoice salesinvoice commercialinvoice taxinvoice factura facturadeventa "
    "facturaelectronica facturaelectronicadeventa facturacomercial",
    "corrected_invoice": "correctedinvoice facturacorregida facturarectificativa",
    "debit_note": "debitnote notadebito notadedebito",
    "credit_note": "creditnote notacredito notadecredito",
    "pro_forma": "proforma proformainvoice facturaproforma",
    "prepayment": "prepaymentinvoice facturadeanticipo",
}
_KIND_BY_CODE = {
    code: kind
    for names in (_CODES, _WORDS)
    for kind, codes in names.items()
    for code in codes.split()
}


def settle_kind(kind_of_root: str, code: str | None, warnings: list[str]) -> str:
    """Return a document's kind by its root element's and its type code; what is odd is a warning.

    Raises Rejected for a code that nobody knows.
    """
    if not code:
        return kind_of_root
    kind = _KIND_BY_CODE.get(f"0{code}" if len(code) == 1 else code)
    if not kind and any(c.isalpha() for c in code):
        kind = _KIND_BY_CODE.get("".join(filter(str.isalpha, plain(code[:100]))))
    if not kind:
        raise Rejected(
            f"the type code {short(code)} is in none of the lists that are known (UN/CEFACT 1001, "
            "DIAN): whether it bills or gives back is not guessed; ask the supplier what it is"
        )
    if kind in ("pro_forma", "prepayment"):
        what = "a prepayment" if kind == "prepayment" else "issued before the bill, as a pro forma"
        warnings.append(f"its type code {code} says that it is {what}: it bills no use")
        return kind
    if kind_of_root != "invoice":
        if kind != kind_of_root:
            warnings.append(
                f"its type code {code} is that of {_ARTICLES[kind]}, and the document is "
                f"{_ARTICLES[kind_of_root]}, which counts"
            )
        return kind_of_root
    if kind != "invoice":
        warnings.append(f"an invoice whose type code {code} says that it is {_ARTICLES[kind]}")
    return kind


_ARTICLES = {"invoice": "an invoice", "credit_note": "a credit note", "debit_note": "a debit note",
             "corrected_invoice": "a corrected one"}  # fmt: skip
