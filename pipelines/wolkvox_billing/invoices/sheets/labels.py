"""What a cell says of its row: that it is a total, that it is no bill, that it is a footer.

In Spanish and English, without case, accents and marks. A label is `strong` where all its words
belong to totals (`Total factura FE-1001`, `Gran total a pagar`, `FE-1001 Total`), and `weak` where
a product may be called so (`Total Care`): then the amounts decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from wolkvox_billing.values.spelling import plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STRONG, WEAK = "strong", "weak"
_LONGEST = 120  # characters of a label
_WORD = re.compile(r"[a-z]+|\d+")
_SPACED = re.compile(r"(?:s ?u ?b ?)?t o t a l(?: e s| s)?")
_TOTALS = _words(
    "total totales totals subtotal subtotales subtotals subtot sumatoria sumatorias grandtotal "
    "suma sumas suman sum totalizado totalizados tot ttl totalizacion"
)
# `Suma asegurada` is no total, and `sum` is a word: only first or last.
_AT_AN_END = _words("suma sumas sum tot ttl")
_FILLERS = _words(
    "gran grand sub general generales a al de del la el los las lo por para pagar facturar "
    "facturado facturada factura facturas fact documento documentos doc proveedor proveedores "
    "supplier suppliers vendor vendors invoice invoices invoiced bill bills billed billing "
    "document documents nota notas credito debito credit debit note notes mes month mensual "
    "monthly periodo period ano year anual dia fecha date neto neta net bruto gross antes before "
    "iva vat tax taxes impuesto impuestos incluido incluida incluidos incl incluye con sin with "
    "without excl including excluding and y e o or of for the in en valor valores vr vlr value "
    "amount amounts importe importes monto montos cantidad cantidades unidades units quantity "
    "pesos cop usd eur moneda currency pagina page pag hoja sheet libro lista listado list "
    "relacion detalle detail items item linea lineas line lines registros records concepto "
    "conceptos servicio servicios service services consumo consumos usage producto productos "
    "product products cuenta account cliente customer empresa company nit acumulado acumulada "
    "cumulative running due payable adeudado owed final parcial partial global compra compras "
    "purchases ventas sales operacion operaciones operation operations campana gastos expenses "
    "este esta this no n nro num numero number iguales reporte report fe fev fv fve f nc nd s "
    "enero ene january jan febrero feb february marzo mar march abril abr april apr mayo may "
    "junio jun june julio jul july agosto ago august aug septiembre setiembre sept sep september "
    "octubre oct october noviembre nov november diciembre dic december dec"
)
_OF_PAGES = re.compile(r"(?:viene|vienen|va|van|pasa|pasan)(?: (?:a|de|del)\b.*)?")
_CARRIED = re.compile(
    rf"suma y sigue|{_OF_PAGES.pattern}"
    r"|(?:amount |balance |total )?(?:carried|brought) (?:forward|over)"
    r"|(?:amount|balance) (?:due|forward)|(?:neto |valor |saldo )?a (?:pagar|cancelar)|saldo"
    r"|saldo a la fecha|(?:valor|vr|vlr|importe|monto)(?: total)?(?: (?:de|de la|del))?"
    r" (?:factura|documento|facturado|cobrado|bruto|neto|final|antes de iva|iva incluido)"
    r"|neto|net|consolidad[oa]|resumen|acumulad[oa]|summary"
    r"|promedio|average|(?:re)?cuenta|recuento|count"
    r"|saldos? anterior(?:es)?|(?:previous|opening|closing) balance|saldo (?:inicial|final|actual)"
)
# As a line may be called too: then the amounts decide.
_MAYBE = re.compile(r"(?:consolidad[oa]|resumen|acumulad[oa]|summary)(?: \w+){1,4}")
# Fields in which nothing but a number, a kind or a date stands: whatever total is there is one.
_STRICT = ("document_number", "document_kind", "prefix", "issue_date", "currency")


@lru_cache(maxsize=10_000)
def bare(text: str) -> str:
    """Return the letters and digits of a text; between two digits any mark is one hyphen, so that
    `FE-1001` is `FE1001`, and `1-23` is not `12-3`."""
    text = re.sub(r"(?<=\d)[^a-z0-9]+(?=\d)", "-", plain(text))
    return re.sub(r"[^a-z0-9-]|(?<!\d)-|-(?!\d)", "", text)


def may_be_total(text: str) -> bool:
    """Return whether a text is worth a closer look."""
    if len(text) > _LONGEST:
        return False
    return bool(_label_of(text))


@lru_cache(maxsize=10_000)
def _label_of(text: str) -> tuple[str, ...]:
    """Return the words of a text that may say total; none where it does not."""
    text = plain(text.replace("\u2211", "suma ").replace("\u03a3", "suma ")).strip(" :.-=>*_#")
    text = _SPACED.sub(lambda spaced: spaced[0].replace(" ", ""), text)
    words = tuple(_WORD.findall(text))
    if not words or len(words) > 20:
        return ()
    spoken = " ".join(words)
    if _CARRIED.fullmatch(spoken) or _MAYBE.fullmatch(spoken):
        return words
    ends = (words[0], words[-1])
    if any(word in _TOTALS and (word not in _AT_AN_END or word in ends) for word in words):
        return words
    return ()


def is_of_pages(text: str) -> bool:
    """Return whether a text says that an amount goes from page to page: a word or two, and so with
    a price beside it a line's own."""
    return len(text) <= _LONGEST and bool(_OF_PAGES.fullmatch(" ".join(_label_of(text))))


def total_label(text: str, field: str | None, known: Collection[str]) -> str:
    """Return how surely a text in a field says that its row is a total: strong, weak or "".

    known: the bare texts that stand elsewhere in the table, such as numbers and concepts.
    """
    words = _label_of(text) if len(text) <= _LONGEST else ()
    if field == "document_number" and " " in text.strip() and not any(c.isdigit() for c in text):
        return STRONG  # words where a number should be
    if not words:
        return ""
    if _CARRIED.fullmatch(" ".join(words)):
        return STRONG
    if _MAYBE.fullmatch(" ".join(words)):
        return STRONG if field in _STRICT else WEAK
    unknown = [w for w in words if w not in _TOTALS and w not in _FILLERS and not w.isdecimal()]
    if not unknown:
        is_number = field == "document_number" and re.fullmatch(r"\w+-?\d+", text.strip())
        return WEAK if is_number else STRONG
    others = [word for word in words if word not in _TOTALS]
    while others and others[0] in _FILLERS and bare("".join(others)) not in known:
        others = others[1:]
    if bare("".join(others)) in known or bare("".join(unknown)) in known:
        return STRONG
    first = next((w for w in words if w not in ("gran", "grand", "sub", "valor", "importe")), "")
    if first in _TOTALS or words[-1] in _TOTALS:
        return STRONG if field in _STRICT else WEAK
    return ""


_OF_TAXES = re.compile(
    r"\W*(?:valor |total |mas |menos |plus |less )?(?:iva|vat|tax|impuestos?|rete\w*|retencion\w*"
    r"|ica|withh\w*|base|exent\w*|exclui\w*|neto|net|bruto|gross|saldo|balance|anticipo|ajuste"
    r"|redondeo|rounding)\b.*"
)
_TAX = re.compile(
    r"\W*(?:valor |vr |total |mas |plus )?(?:de |del )?"
    r"(?:i\.?v\.?a|vat|tax|sales tax|imp(?:uesto)?s?|inc"
    r"|impuestos? (?:al valor agregado|a las ventas|al consumo))\b[^a-z]*"
    r"(?:(?:del?|al|tarifa|general|sobre|ventas|facturado)\b[^a-z]*)*"
)
_WITHHELD = re.compile(
    r"\W*(?:menos |less |valor |total )?(?:auto ?)?"
    r"(?:rete ?(?:fuente|iva|ica|cree)?|retencion(?:es)?|withh\w*)\b.*"
)
_PAID = re.compile(
    r"\W*(?:menos |less |su |valor |total )?"
    r"(?:pagos?|abonos?|anticipos?|recaudos?|payments?|paid|deposits?|prepaid|advances?)\b.*"
)


def is_paid(text: str) -> bool:
    """Return whether a text says that an amount was paid."""
    return len(text) <= _LONGEST and bool(_PAID.fullmatch(plain(text)))


def is_tax(text: str) -> bool:
    """Return whether a text says that an amount is a tax, and nothing else."""
    return len(text) <= _LONGEST and bool(_TAX.fullmatch(plain(text)))


def is_withholding(text: str) -> bool:
    """Return whether a text says that an amount is withheld."""
    return len(text) <= _LONGEST and bool(_WITHHELD.fullmatch(plain(text)))


def is_of_taxes(text: str) -> bool:
    """Return whether a text is one that stands beside a tax, a withholding or a balance under a
    table. It tells only of a row without a document's number."""
    return len(text) <= _LONGEST and bool(_OF_TAXES.fullmatch(plain(text)))


# What says that a row is no bill.
_NO_BILL = re.compile(
    r"\banul|annul|\bnul[ao]s?\b|cancel|\bcanc\b|\bvoid|\bnull|reject|rechaz|devuelt|revers"
    r"|revert|revoc|invalid|inactiv|abort|duplicad|duplicate|simulad|en elaborac|no procede"
    r"|\bno (?:valid|vigente|emitid|aprobad|autorizad|aceptad|contabil|facturad)|pendiente de emi"
    r"|\bnot (?:valid|issued|approved|sent|accepted)|\bsin (?:efecto|validez|emitir|valor)|draft"
    r"|borrador|pro ?forma|cotiza|quot(?:e|ation)|prefactura|prelimina|elimin|delet|descart|discard"
    r"|de baja|desist|reemplazad|sustituid|replaced|supersed|por emitir|to be issued|withdrawn"
    r"|retirad|\bde prueba|^prueba$|^test$|fallid|failed|\berror|written off|credited in full"
)
_NO_BILL_AT_ALL = re.compile(
    r"(?:\W*(?:factura|documento|invoice|document|fra)s? )?"
    r"(?:anulad[ao]s?|cancelled|canceled|void(?:ed)?|borrador|draft|rechazad[ao]s?|rejected)\W*"
    r"|\W*anulad[ao]s?\b.*"
)
_NOT_SO = re.compile(
    r"^(?:no|not|sin|never|nunca) (?:esta |es |fue |been |was |is )?"
    r"(?:anul|cancel|void|rechaz|reject|revers|devu|elimin|delet|err)"
)
_YES = ("si", "s", "yes", "y", "x", "1", "true", "verdadero", "v")


def is_no_bill(text: str) -> bool:
    """Return whether a status says that its document is no bill."""
    status = " ".join(re.findall(r"[a-z0-9]+", plain(text[:100])))
    if _NOT_SO.search(status) or re.search(r"\bparcial|\bpartial", status):
        return False
    if re.search(r"\b(?:pagos?|payment|cobro|transferencia)\b", status):
        return bool(re.match("anul|cancel|void", status))  # else it tells of the payment
    return bool(_NO_BILL.search(status))


def is_yes(text: str) -> bool:
    """Return whether a column such as `Anulada` says yes: a mark, or the word or day itself."""
    text = plain(text).strip(" .")
    return text in _YES or is_no_bill(text) or bool(re.match(r"\d{1,4}[-/]\d{1,2}[-/]\d", text))


def says_something(text: str) -> bool:
    """Return whether a text gives a reason: not where it is blank, or says that there is none."""
    return plain(text).strip(" .-") not in ("", "no", "n", "0", "na", "n/a", "ninguno", "none")


def says_no_bill(text: str) -> bool:
    """Return whether a text in any other column is nothing but the word for it."""
    return len(text) <= _LONGEST and bool(_NO_BILL_AT_ALL.fullmatch(plain(text)))


# Footers.
_FOOTER = re.compile(
    r"\W*(?:pagina|pag|page|hoja|folio|elaborad|prepared|procesad|processed|impres|printed|generad"
    r"|generated|revisad|reviewed|aprobad|approved|autoriz|authori|firma|sign|nota|note|observ"
    r"|fuente|source|usuario|user|fecha de (?:proceso|impres|gener|corte)|software|sistema|fin de"
    r"|end of|registros|records|gracias|thank|www|http|filtro|filter|\(en blanco\)|\(blank\))"
)


def is_footer(text: str) -> bool:
    """Return whether a text is one that programs and people write under a table."""
    return bool(_FOOTER.match(plain(text[:_LONGEST])))


def may_be_number(text: str) -> bool:
    """Return whether a text can be a document's number: a digit, few words, no footer's word."""
    return any(c.isdigit() for c in text) and len(text.split()) <= 3 and not is_footer(text)
