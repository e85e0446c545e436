"""A verdict in one sentence that a finance person understands, in English or Spanish."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.reports import REPORTS

_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
}
_TEXTS = {
    "en": {
        "billed": "wolkvox billed {billed} {unit}",
        "billed_amount": "wolkvox billed {amount}",
        "last": "your last reading on {at} showed {consumed}",
        "measured": "{consumed} {unit} were measured",
        "more": "{variance} more than measured ({percent} %)",
        "less": "{variance} less than measured ({percent} %)",
        "same": "the quantity is the same",
        "close": "the difference of {variance} is within the tolerance",
        "worth": "worth {volume}",
        "unread": "the last {time} were not read and explain at most {tail}",
        "read": "nothing was left unread at the end",
        "cost": "by contract that costs {cost}, and {amount} were billed",
        "price": "the price makes a difference of {price}",
        "open": "the month is not over, or its invoice is not due yet",
        "duplicate": "two contents have the number {documents}: nobody knows which one counts",
        "unmapped": "no row of the line map fits {lines}",
        "no_operation": "{lines} fits the line map, and nothing says which operation it bills",
        "no_period": "{lines} names no period",
        "currency": "billed in {currency}, in which the rate card has no price for {report}",
        "undetermined": "nobody has said what the numbers of {report} mean, nor do they show it",
        "not_invoiced": "{consumed} {unit} were used, and no invoice bills them",
        "nothing": "nothing was used, and nothing was billed",
        "no_usage": "the vendor answered in this time and never showed any use of it",
        "nobody": "nobody was answered in this time",
        "ends": "the days at the period's ends were not read",
        "unknown_tail": "the last {time} were not read, and nothing tells what they hold",
        "no_price": "the rate card has no price for it",
        "hours": "{n} hours",
        "minutes": "{n} minutes",
    },
    "es": {
        "billed": "wolkvox facturó {billed} {unit}",
        "billed_amount": "wolkvox facturó {amount}",
        "last": "su última lectura del {at} mostraba {consumed}",
        "measured": "se midieron {consumed} {unit}",
        "more": "{variance} más de lo medido ({percent} %)",
        "less": "{variance} menos de lo medido ({percent} %)",
        "same": "la cantidad es la misma",
        "close": "la diferencia de {variance} está dentro de la tolerancia",
        "worth": "por valor de {volume}",
        "unread": "los últimos {time} no se leyeron y explican como máximo {tail}",
        "read": "al final no quedó nada sin leer",
        "cost": "según el contrato eso cuesta {cost}, y se facturaron {amount}",
        "price": "el precio hace una diferencia de {price}",
        "open": "el mes no ha terminado, o su factura aún no se espera",
        "duplicate": "dos contenidos tienen el número {documents}: nadie sabe cuál vale",
        "unmapped": "ninguna fila del mapa de líneas corresponde a {lines}",
        "no_operation": "{lines} está en el mapa, y nada dice qué operación factura",
        "no_period": "{lines} no nombra ningún período",
        "currency": "facturado en {currency}, moneda sin precio en la tarifa para {report}",
        "undetermined": "nadie ha dicho qué significan los números de {report}, y no lo muestran",
        "not_invoiced": "se usaron {consumed} {unit}, y ninguna factura los cobra",
        "nothing": "no se usó nada, y no se facturó nada",
        "no_usage": "el proveedor respondió en este tiempo y nunca mostró uso alguno",
        "nobody": "nadie obtuvo respuesta en este tiempo",
        "ends": "los días de los extremos del período no se leyeron",
        "unknown_tail": "los últimos {time} no se leyeron, y nada dice qué contienen",
        "no_price": "la tarifa no tiene precio para ello",
        "hours": "{n} horas",
        "minutes": "{n} minutos",
    },
}


def explanation(verdict: Verdict, language: str, zone: ZoneInfo) -> str:
    """The sentence: what was billed and measured, the difference, its worth, what is unread."""
    parts = _parts(verdict)
    values = _values(verdict, language, zone)
    return "; ".join(_TEXTS[language][part].format(**values) for part in parts) + "."


def _parts(one: Verdict) -> list[str]:
    """The parts of the sentence, by the status and what is known."""
    billed = (
        ["billed" if one.billed_quantity is not None else "billed_amount"] if one.billed else []
    )
    uses = one.measured.uses if one.measured else []
    seen = ["last" if len(uses) == 1 and uses[0].measure == "month_to_date" else "measured"]
    seen = seen if uses and one.consumed is not None else []
    worth = ["worth"] if one.volume_effect else []
    price = ["price"] if one.price_effect else []
    if one.status == "unmapped_line":
        if not one.key.period:
            return [*billed, "no_period"]
        return [*billed, "no_operation" if one.billed and one.billed.is_mapped else "unmapped"]
    simple = {
        "open_period": [*billed, *seen, "open"],
        "duplicate_document": [*billed, *seen, "duplicate"],
        "currency_mismatch": ["billed_amount", "currency"],
        "semantics_undetermined": [*billed, "undetermined"],
        "usage_not_invoiced": ["not_invoiced", *worth],
        "invoiced_without_usage": [*billed, "no_usage"],
        "within_tolerance": [*billed, *seen, "close", *price],
        "no_price": [*billed, *seen, "no_price"],
        "price_difference": [*billed, *seen, "cost", "price"],
    }
    if one.status == "matched":
        return [*billed, *seen, "same"] if one.billed else ["nothing"]
    if one.status in simple:
        return simple[one.status]
    if not uses:
        return [*billed, "nobody"]
    if one.measured and not one.measured.ends_were_read:
        return [*billed, *seen, "ends"]
    difference = "more" if (one.quantity_variance or 0) > 0 else "less"
    tail: list[str] = []
    if difference == "more" and one.tail:
        tail = [
            "unknown_tail"
            if one.tail.quantity is None
            else "unread"
            if one.tail.seconds
            else "read"
        ]
    return [*billed, *seen, difference, *worth, *tail, *price]


def _values(one: Verdict, language: str, zone: ZoneInfo) -> dict[str, str]:
    currency = one.key.currency or ""
    uses = one.measured.uses if one.measured else []
    consumed, variance = one.consumed or Decimal(), one.quantity_variance or Decimal()
    percent = "?"
    if consumed:
        percent = f"{(variance * 100 / consumed).quantize(Decimal('0.1'), ROUND_HALF_UP):+}"
    lines = sorted({f"«{line.description or line.item_code or '?'}»" for line in one.lines})
    documents = sorted({line.document_number or "?" for line in one.lines})
    last = max((use.last_read_at for use in uses), default=None)

    def number(value: Decimal | None) -> str:
        shown = f"{(value or Decimal()).normalize():,f}"
        return shown if language == "en" else shown.translate(str.maketrans(",.", ".,"))

    def money(value: Decimal | None) -> str:
        shown = f"{(value or Decimal()):,.2f}"
        shown = shown if language == "en" else shown.translate(str.maketrans(",.", ".,"))
        return f"{shown} {currency}".strip()

    seconds = one.tail.seconds if one.tail else 0
    unit_of_time, n = ("hours", seconds // 3600) if seconds >= 7200 else ("minutes", seconds // 60)
    return {
        "billed": number(one.billed_quantity),
        "consumed": number(consumed),
        "unit": uses[0].unit if uses else REPORTS[one.key.report].unit if one.key.report else "",
        "amount": money(one.billed_cost),
        "at": _moment(last, language, zone) if last else "",
        "variance": number(abs(variance)),
        "percent": percent if language == "en" else percent.replace(".", ","),
        "volume": money(abs(one.volume_effect or Decimal())),
        "price": money(one.price_effect),
        "cost": money(one.contracted_cost),
        "time": _TEXTS[language][unit_of_time].format(n=n),
        "tail": number(one.tail.quantity if one.tail else None),
        "documents": ", ".join(documents),
        "lines": ", ".join(lines[:3]) + (", ..." if len(lines) > 3 else ""),
        "currency": currency,
        "report": one.key.report or "",
    }


def _moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[language][local.month - 1]} {local:%H:%M}"
