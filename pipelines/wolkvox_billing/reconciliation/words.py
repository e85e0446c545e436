"""A verdict in one sentence that a finance person understands, in English or Spanish."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.reconciliation.contract.rate_card import cents
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.unread import NOTHING
from wolkvox_billing.reconciliation.verdicts import INCONCLUSIVE, Verdict
from wolkvox_billing.vendor.reports import REPORTS

_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
}
_TEXTS = {
    "en": {
        "billed": "wolkvox billed {billed_units}",
        "billed_amount": "wolkvox billed {amount}",
        "last": "your last reading on {at} showed {consumed}",
        "measured": "{consumed_units} were measured",
        "beside": "{consumed_units} were measured beside what other lines bill of the same use",
        "more": "{variance} more than measured{percent}",
        "less": "{variance} less than measured{percent}",
        "same": "the quantity is the same",
        "close": "the difference of {variance} is within the tolerance",
        "worth": "worth {volume}",
        "unread": "{time} were not read and explain at most {tail}",
        "read": "nothing was left unread at the end",
        "cost": "by contract that costs {cost}, and {amount} were billed",
        "price": "the price makes a difference of {price}",
        "open": "the month is not over, or its invoice is not due yet",
        "duplicate": "two contents have the number {documents}: nobody knows which one counts",
        "unmapped": "no row of the line map fits: {lines}",
        "no_operation": "nothing says which operation is billed by {lines}",
        "no_period": "no period is named by {lines}",
        "currency": "billed in {currency}, in which the rate card has no price for {report}",
        "no_currency": "no currency is named, so that no price can be compared",
        "undetermined": "nobody has said what the numbers of {report} mean, nor do they show it",
        "not_invoiced": "{consumed_units} were used, and no invoice bills them",
        "nothing": "nothing was used, and nothing was billed",
        "rest": "{consumed_units} were used beside what other lines bill",
        "fell": "the counter fell by {fallen} after other lines had billed it",
        "no_usage": "the vendor answered on {days_answered} of {days} days of this time, last on "
        "{last_answer}, and never showed any use of it",
        "nobody": "nobody was answered in this time",
        "ends": "the days at the period's ends were not read",
        "unknown_tail": "{time} were not read, and nothing tells what they hold",
        "foreign": "up to {foreign} of what was measured may be from before this time",
        "foreign_unknown": "nothing tells how much of what was measured is from before this time",
        "mixed": "counters and levels of the report cannot be added up",
        "no_quantity": "the invoice states no quantity to compare",
        "price_unread": "the price changed while nobody read: it can cost {lowest} to {highest}",
        "no_price": "the rate card has no price for it",
        "last_hours": "the last {n} hours",
        "last_minutes": "the last {n} minutes",
        "last_seconds": "the last {n} seconds",
        "hours": "{n} hours of it",
        "minutes": "{n} minutes of it",
        "seconds": "{n} seconds of it",
    },
    "es": {
        "billed": "wolkvox facturó {billed_units}",
        "billed_amount": "wolkvox facturó {amount}",
        "last": "su última lectura del {at} mostraba {consumed}",
        "measured": "se midieron {consumed_units}",
        "beside": "se midieron {consumed_units} además de lo que otras líneas cobran del mismo uso",
        "more": "{variance} más de lo medido{percent}",
        "less": "{variance} menos de lo medido{percent}",
        "same": "la cantidad es la misma",
        "close": "la diferencia de {variance} está dentro de la tolerancia",
        "worth": "por valor de {volume}",
        "unread": "{time} no se leyeron y explican como máximo {tail}",
        "read": "al final no quedó nada sin leer",
        "cost": "según el contrato eso cuesta {cost}, y se facturaron {amount}",
        "price": "el precio hace una diferencia de {price}",
        "open": "el mes no ha terminado, o su factura aún no se espera",
        "duplicate": "dos contenidos tienen el número {documents}: nadie sabe cuál vale",
        "unmapped": "ninguna fila del mapa de líneas corresponde a: {lines}",
        "no_operation": "nada dice qué operación se factura con {lines}",
        "no_period": "ningún período se nombra en {lines}",
        "currency": "facturado en {currency}, moneda sin precio en la tarifa para {report}",
        "no_currency": "no se nombra ninguna moneda, así que no hay precio que comparar",
        "undetermined": "nadie ha dicho qué significan los números de {report}, y no lo muestran",
        "not_invoiced": "se usaron {consumed_units}, y ninguna factura los cobra",
        "nothing": "no se usó nada, y no se facturó nada",
        "rest": "se usaron {consumed_units} además de lo que cobran otras líneas",
        "fell": "el contador bajó {fallen} después de que otras líneas lo cobraran",
        "no_usage": "el proveedor respondió en {days_answered} de {days} días de este tiempo, por "
        "última vez el {last_answer}, y nunca mostró uso alguno",
        "nobody": "nadie obtuvo respuesta en este tiempo",
        "ends": "los días de los extremos del período no se leyeron",
        "unknown_tail": "{time} no se leyeron, y nada dice qué contienen",
        "foreign": "hasta {foreign} de lo medido puede ser de antes de este tiempo",
        "foreign_unknown": "nada dice cuánto de lo medido es de antes de este tiempo",
        "mixed": "los contadores y los niveles del reporte no se pueden sumar",
        "no_quantity": "la factura no dice ninguna cantidad que comparar",
        "price_unread": "el precio cambió sin que nadie leyera: puede costar {lowest} a {highest}",
        "no_price": "la tarifa no tiene precio para ello",
        "last_hours": "las últimas {n} horas",
        "last_minutes": "los últimos {n} minutos",
        "last_seconds": "los últimos {n} segundos",
        "hours": "{n} horas de él",
        "minutes": "{n} minutos de él",
        "seconds": "{n} segundos de él",
    },
}


def explanation(verdict: Verdict, facts: Facts, language: str) -> str:
    """The sentence: what was billed and measured, the difference, its worth, what is unread."""
    values = _values(verdict, facts, language)
    return "; ".join(_TEXTS[language][part].format(**values) for part in _parts(verdict)) + "."


def _parts(one: Verdict) -> list[str]:
    """The parts of the sentence, by the status and what is known."""
    billed = (
        ["billed" if one.billed_quantity is not None else "billed_amount"] if one.billed else []
    )
    seen = _seen(one)
    worth = ["worth"] if one.volume_effect else []
    price = ["price"] if cents(one.price_effect or Decimal()) else []
    if one.status == "unmapped_line":
        if not one.key.period:
            return [*billed, "no_period"]
        return [*billed, "no_operation" if one.billed and one.billed.is_mapped else "unmapped"]
    simple = {
        "open_period": [*billed, *seen, "open"],
        "duplicate_document": [*billed, *seen, "duplicate"],
        "currency_mismatch": ["billed_amount", "currency" if one.key.currency else "no_currency"],
        "usage_not_invoiced": [*billed, *seen, "not_invoiced", *worth]
        if billed
        else ["not_invoiced", *worth],
        "invoiced_without_usage": [*billed, "no_usage"],
        "no_price": [*billed, *seen, "no_price"],
        "price_difference": [*billed, *seen, "cost", "price"],
    }
    if one.status in simple:
        return simple[one.status]
    if one.status == "semantics_undetermined":
        known = one.measured and all(use.quantity is not None for use in one.measured.uses)
        return [*billed, "mixed" if known else "undetermined"]
    if one.status == "matched":
        return [*billed, *seen, "same"] if one.billed and one.measured else ["nothing"]
    if not one.measured:
        return [*billed, "nobody"]
    if not one.measured.ends_were_read:
        return [*billed, *seen, "ends"]
    is_about_price = not one.quantity_variance and one.status == INCONCLUSIVE
    if is_about_price and not one.is_price_known:
        return [*billed, *seen, "price_unread"]
    if (one.consumed or 0) < 0:
        return [*billed, "fell", *worth]
    if one.billed_quantity is None:
        tail = _tail(one) if one.status != "within_tolerance" else []
        return [*billed, *seen, "no_quantity", "cost", *tail]
    variance = one.quantity_variance or Decimal()
    if one.status == "within_tolerance":
        return [*billed, *seen, "close" if variance else "same", *price]
    difference = "more" if variance > 0 else "less"
    return [*billed, *seen, difference, *worth, *_tail(one), *price]


def _seen(one: Verdict) -> list[str]:
    """What was measured; of one counter in its whole month, when it was read last."""
    if not one.measured or one.consumed is None:
        return []
    if one.measured.is_rest:
        return ["rest"]
    if one.measured.is_shared:
        return ["beside"]
    uses = one.measured.uses
    is_last = len(uses) == 1 and uses[0].measure == "month_to_date"
    return ["last" if is_last and uses[0].period == one.key.period else "measured"]


def _tail(one: Verdict) -> list[str]:
    """What was not seen: of too much, what is missing; of too little, what is from before."""
    if not one.unread:
        return []
    if (one.quantity_variance or 0) < 0:
        if one.status != INCONCLUSIVE:
            return []
        return ["foreign_unknown" if one.unread.foreign is None else "foreign"]
    if one.unread.missing.quantity is None:
        return ["unknown_tail"]
    return ["unread" if one.unread.missing.seconds else "read"]


def _values(one: Verdict, facts: Facts, language: str) -> dict[str, str]:
    texts, currency = _TEXTS[language], one.key.currency or ""
    zone = facts.zone_of(one.key.operation_id)
    uses = one.measured.uses if one.measured else []
    consumed, variance = one.consumed or Decimal(), one.quantity_variance or Decimal()
    unit = uses[0].unit if uses else REPORTS[one.key.report].unit if one.key.report else ""
    lines = sorted({f"«{line.description or line.item_code or '?'}»" for line in one.lines})
    twice = [line for line in one.lines if line.is_duplicate]
    documents = sorted({line.document_number or "?" for line in twice})
    last = max((use.last_read_at for use in uses), default=None)
    period = one.key.period
    answered = (
        facts.answers_in(one.key.operation_id, one.key.report, period) if period else set[date]()
    )

    def local(shown: str) -> str:
        return shown if language == "en" else shown.translate(str.maketrans(",.", ".,"))

    def number(value: Decimal | None) -> str:
        return local(f"{(value or Decimal()).normalize():,f}")

    def money(value: Decimal | None) -> str:
        return f"{local(f'{(value or Decimal()):,.2f}')} {currency}".strip()

    percent = ""
    if consumed:
        share = (variance * 100 / consumed).quantize(Decimal("0.1"), ROUND_HALF_UP)
        percent = local(f" ({share:+} %)") if share else ""
    missing = one.unread.missing if one.unread else NOTHING
    n, unit_of_time = missing.seconds, "seconds"
    if n >= 7200:
        n, unit_of_time = n // 3600, "hours"
    elif n >= 120:
        n, unit_of_time = n // 60, "minutes"
    if one.unread and one.unread.is_at_end:
        unit_of_time = f"last_{unit_of_time}"
    return {
        "billed_units": f"{number(one.billed_quantity)} {unit}".strip(),
        "consumed": number(consumed),
        "consumed_units": f"{number(consumed)} {unit}".strip(),
        "amount": money(one.billed_cost),
        "at": _moment(last, language, zone) if last else "",
        "variance": number(abs(variance)),
        "percent": percent,
        "volume": money(abs(one.volume_effect or Decimal())),
        "price": money(one.price_effect),
        "cost": money(one.contracted_cost),
        "lowest": money(one.priced.lowest),
        "highest": money(one.priced.highest),
        "time": texts[unit_of_time].format(n=local(f"{n:,}")),
        "fallen": number(max(-consumed, Decimal())),
        "tail": number(missing.quantity),
        "foreign": number(one.unread.foreign if one.unread else None),
        "documents": ", ".join(documents),
        "lines": ", ".join(lines[:3]) + (", ..." if len(lines) > 3 else ""),
        "currency": currency,
        "report": one.key.report or "",
        "days": str((period.end - period.start).days) if period else "",
        "days_answered": str(len(answered)),
        "last_answer": _day(max(answered), language) if answered else "",
    }


def _moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{_day(local, language)} {local:%H:%M}"


def _day(day: date, language: str) -> str:
    return f"{day.day} {_MONTHS[language][day.month - 1]}"
