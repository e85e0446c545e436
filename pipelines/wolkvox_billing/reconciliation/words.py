"""A verdict in one sentence that a finance person understands, in English or Spanish."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.behaviour import Span
from wolkvox_billing.reconciliation.contract.rate_card import cents
from wolkvox_billing.reconciliation.doubt_words import (
    CUT_OFF,
    FOREIGN,
    LEVELS,
    MEASURES,
    SELDOM,
    TEXTS,
    UNREAD,
)
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.policy import COPIED
from wolkvox_billing.reconciliation.unread import NOTHING, Unread
from wolkvox_billing.reconciliation.verdicts import ACCUSING, INCONCLUSIVE, Doubt, Verdict
from wolkvox_billing.values.durations import choose_unit
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.vendor.reports import REPORTS

UNITS: dict[str, dict[str, str]] = {
    "en": {},  # as `reports` has them
    "es": {
        "minutes": "minutos",
        "recordings": "grabaciones",
        "interactions": "interacciones",
        "analyses": "análisis",
        "calls": "llamadas",
        "uses": "usos",
        "characters": "caracteres",
        "licences": "licencias",
        "connectors": "conectores",
        "units": "unidades",
    },
}
MONEY = ("amount", "most")  # values of doubts that are amounts
ASKING = ("lag", "no_rounding")  # doubts of which the sentence itself speaks
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
        "by_nights": "it is nearest to {by_nights}",
        "agrees": "it agrees with {by_nights}",
        "beside": "{consumed_units} were measured beside what other lines bill of the same use",
        "more": "{variance} more than measured{percent}",
        "less": "{variance} less than measured{percent}",
        "same": "the quantity is the same",
        "close": "the difference of {variance} is within the tolerance",
        "worth": "worth {volume}",
        "unread": "{time} were not read and explain at most {tail}",
        "lag": "the excess is what the {time} hours before your last reading held",
        "no_rounding": "does the contract round up each call?",
        "by_rule": "that it bills this month is by the setting `period_rule` alone",
        "seldom": "{time} are of days that were read too seldom to know every level",
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
        "leftover": "{consumed_units} were used beside what other lines bill",
        "fell": "the counter fell by {fallen} after other lines had billed it",
        "no_usage": "the vendor answered on {days_answered} of {days} days of this time, last on "
        "{last_answer}, and never showed any use of it",
        "nobody": "nobody was answered in this time",
        "ends": "the days at the period's ends were not read",
        "unknown_tail": "{time} were not read, and nothing tells what they hold",
        "foreign": "up to {foreign} of what was measured may be from before this time",
        "foreign_unknown": "nothing tells how much of what was measured is from before this time",
        "mixed": "counters and levels of the report cannot be added up",
        "no_quantity": "the invoice states no quantity of use",
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
        "by_nights": "lo más cercano es {by_nights}",
        "agrees": "coincide con {by_nights}",
        "beside": "se midieron {consumed_units} además de lo que otras líneas cobran del mismo uso",
        "more": "{variance} más de lo medido{percent}",
        "less": "{variance} menos de lo medido{percent}",
        "same": "la cantidad es la misma",
        "close": "la diferencia de {variance} está dentro de la tolerancia",
        "worth": "por valor de {volume}",
        "unread": "{time} no se leyeron y explican como máximo {tail}",
        "lag": "el exceso es lo que contuvieron las {time} horas antes de su última lectura",
        "no_rounding": "¿redondea el contrato cada llamada hacia arriba?",
        "by_rule": "que cobra este mes lo dice solo el ajuste `period_rule`",
        "seldom": "{time} son de días que se leyeron muy pocas veces para conocer todo nivel",
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
        "leftover": "se usaron {consumed_units} además de lo que cobran otras líneas",
        "fell": "el contador bajó {fallen} después de que otras líneas lo cobraran",
        "no_usage": "el proveedor respondió en {days_answered} de {days} días de este tiempo, por "
        "última vez el {last_answer}, y nunca mostró uso alguno",
        "nobody": "nadie obtuvo respuesta en este tiempo",
        "ends": "los días de los extremos del período no se leyeron",
        "unknown_tail": "{time} no se leyeron, y nada dice qué contienen",
        "foreign": "hasta {foreign} de lo medido puede ser de antes de este tiempo",
        "foreign_unknown": "nada dice cuánto de lo medido es de antes de este tiempo",
        "mixed": "los contadores y los niveles del reporte no se pueden sumar",
        "no_quantity": "la factura no dice ninguna cantidad de uso",
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
    """Return the sentence: what was billed and measured, the difference, its worth, what is
    unread, and the honest explanation that stands."""
    writer = _Writer(language, verdict.key.currency or "")
    values = (
        _quantities(verdict, writer)
        | _amounts(verdict, writer)
        | _names(verdict)
        | _moments(verdict, facts, writer)
    )
    parts = [_TEXTS[language][part].format(**values) for part in _parts(verdict)]
    if any(line.period_source == "rule" for line in verdict.lines) and verdict.key.period:
        parts.append(_TEXTS[language]["by_rule"])
    if verdict.status in ACCUSING:
        parts += [
            _TEXTS[language][doubt.name].format(**_shown_values(doubt, writer))
            for doubt in verdict.doubts
            if doubt.name in ASKING
        ]
    if doubt := verdict.standing_doubt:
        sentence = TEXTS[language][doubt.name].stands
        parts.append(sentence.format(**_shown_values(doubt, writer)))
    elif verdict.status == "inconclusive_cut_off":
        parts.append(CUT_OFF[language].stands.format(**_reach(verdict, writer)))
    return "; ".join(parts) + "."


def excluded_doubts(verdict: Verdict, language: str) -> str | None:
    """Return the honest explanations that the record excludes, a line each; None where the verdict
    accuses nobody."""
    if verdict.status not in ACCUSING:
        return None
    writer = _Writer(language, verdict.key.currency or "")
    lines = [
        TEXTS[language][doubt.name].excluded.format(**_shown_values(doubt, writer))
        for doubt in verdict.doubts
    ]
    if verdict.cut_off and verdict.quantity_variance:
        lines.append(CUT_OFF[language].excluded.format(**_reach(verdict, writer)))
    return "\n".join(line for line in lines if line) or None


def settled_by(verdict: Verdict, language: str) -> str | None:
    """Return what would settle an inconclusive verdict; None of any other."""
    if doubt := verdict.standing_doubt:
        writer = _Writer(language, verdict.key.currency or "")
        return TEXTS[language][doubt.name].settled_by.format(**_shown_values(doubt, writer))
    if verdict.status == "inconclusive_cut_off":
        return CUT_OFF[language].settled_by
    if verdict.status != INCONCLUSIVE:
        return None
    if (verdict.quantity_variance or 0) < 0 and not _is_of_levels(verdict):
        return FOREIGN[language]
    return (SELDOM if _is_of_levels(verdict) else UNREAD)[language]


def _is_of_levels(verdict: Verdict) -> bool:
    return bool(verdict.measured and any(use.is_gauge for use in verdict.measured.uses))


def _shown_values(doubt: Doubt, writer: _Writer) -> dict[str, str]:
    """Return the values of a doubt's sentences as they are shown."""

    def shown(name: str, value: object) -> str:
        if isinstance(value, Decimal):
            if name in MONEY:
                return writer.money(value)
            return writer.number(value)
        if isinstance(value, date):
            return writer.day(value)
        return LEVELS[writer.language].get(str(value), str(value))

    return {name: shown(name, value) for name, value in doubt.values.items()}


def _reach(verdict: Verdict, writer: _Writer) -> dict[str, str]:
    reach = verdict.cut_off.reach if verdict.cut_off else Span(Decimal(), Decimal())
    low, high = (
        reach.low.to_integral_value(ROUND_FLOOR),
        reach.high.to_integral_value(ROUND_CEILING),
    )
    return {"reach_low": writer.number(low), "reach_high": writer.number(high)}


def _parts(verdict: Verdict) -> list[str]:
    """Return the parts of the sentence, by the status and what is known."""
    states_quantity = verdict.billed_quantity is not None
    billed = [] if not verdict.billed else ["billed" if states_quantity else "billed_amount"]
    both = [*billed, *_measured(verdict)]
    worth = ["worth"] if verdict.volume_effect else []
    match verdict.status:
        case "unmapped_line" if not verdict.key.period:
            return [*billed, "no_period"]
        case "unmapped_line":
            is_mapped = verdict.billed and verdict.billed.is_mapped
            return [*billed, "no_operation" if is_mapped else "unmapped"]
        case "open_period":
            return [*both, "open"]
        case "duplicate_document":
            return [*both, "duplicate"]
        case "currency_mismatch":
            return ["billed_amount", "currency" if verdict.key.currency else "no_currency"]
        case "usage_not_invoiced":
            return [*(both if billed else ()), "not_invoiced", *worth]
        case _ if verdict.standing_doubt and verdict.is_unbilled and not billed:
            return ["not_invoiced", *worth]
        case "invoiced_without_usage":
            return [*billed, "no_usage"]
        case "no_price":
            return [*both, "no_price"]
        case "price_difference":
            return [*both, "cost", "price"]
        case "semantics_undetermined" if not verdict.standing_doubt:
            uses = verdict.measured.uses if verdict.measured else []
            is_mixed = all(use.quantity is not None for use in uses)
            return [*billed, "mixed" if is_mixed else "undetermined"]
        case "matched" if verdict.cut_off:
            return [*billed, "agrees"]
        case "matched":
            return [*both, "same"] if verdict.billed and verdict.measured else ["nothing"]
    if not verdict.measured:
        return [*billed, "nobody"]
    if not verdict.measured.ends_were_read:
        return [*both, "ends"]
    return _difference(verdict, billed, worth)


def _difference(verdict: Verdict, billed: list[str], worth: list[str]) -> list[str]:
    """Return the parts of a sentence about a quantity or an amount that is not the measured one."""
    both = [*billed, *_measured(verdict)]
    variance = verdict.quantity_variance or Decimal()
    is_within = verdict.status == "within_tolerance"
    price = ["price"] if cents(verdict.price_effect or Decimal()) else []
    if not variance and verdict.status == INCONCLUSIVE and not verdict.is_price_known:
        return [*both, "price_unread"]
    if (verdict.consumed or 0) < 0:
        return [*billed, "fell", *worth]
    if verdict.billed_quantity is None:
        return [*both, "no_quantity", "cost", *([] if is_within else _unread(verdict))]
    if is_within:
        return [*both, "close" if variance else "same", *price]
    if not variance:
        return [*both, "same", "cost", *price]
    return [*both, "more" if variance > 0 else "less", *worth, *_unread(verdict), *price]


def _measured(verdict: Verdict) -> list[str]:
    """Return the part for what was measured; of one counter in its whole month, when it was read
    last."""
    if not verdict.measured or verdict.consumed is None:
        return []
    if verdict.measured.is_leftover:
        return ["leftover"]
    if verdict.measured.is_shared:
        return ["beside"]
    uses = verdict.measured.uses
    if verdict.cut_off and verdict.cut_off.chosen != COPIED:
        return ["by_nights"]
    is_last = len(uses) == 1 and uses[0].measure == "month_to_date"
    return ["last" if is_last and uses[0].period == verdict.key.period else "measured"]


def _unread(verdict: Verdict) -> list[str]:
    """Return the part for what nobody saw: of too much, what is missing; of too little, what is
    from before."""
    if not verdict.unread or verdict.cut_off:
        return []
    if verdict.standing_doubt and verdict.standing_doubt.name == "unseen_level":
        return []
    if (verdict.quantity_variance or 0) < 0:
        if verdict.status != INCONCLUSIVE:
            return []
        return ["foreign_unknown" if verdict.unread.foreign is None else "foreign"]
    if verdict.unread.missing.quantity is None:
        return ["seldom" if _is_of_levels(verdict) else "unknown_tail"]
    return ["unread" if verdict.unread.missing.seconds else "read"]


class _Writer(NamedTuple):
    """How values are written: in a language, and amounts in a currency."""

    language: str
    currency: str

    def number(self, value: Decimal | None) -> str:
        return self._localize(format_number(value or Decimal()))

    def money(self, value: Decimal | None) -> str:
        return f"{self._localize(format_amount(value or Decimal()))} {self.currency}".strip()

    def percent(self, variance: Decimal, consumed: Decimal) -> str:
        if not consumed:
            return ""
        share = (variance * 100 / consumed).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return self._localize(f" ({share:+} %)") if share else ""

    def duration(self, seconds: int, *, is_last: bool) -> str:
        length, unit = choose_unit(seconds)
        text = _TEXTS[self.language][f"last_{unit}" if is_last else unit]
        return text.format(n=self._localize(f"{length:,}"))

    def day(self, day: date) -> str:
        return f"{day.day} {_MONTHS[self.language][day.month - 1]}"

    def moment(self, at: datetime) -> str:
        return f"{self.day(at)} {at:%H:%M}"

    def _localize(self, number: str) -> str:
        if self.language == "en":
            return number
        return number.translate(str.maketrans(",.", ".,"))


def _quantities(verdict: Verdict, writer: _Writer) -> dict[str, str]:
    uses = verdict.measured.uses if verdict.measured else []
    report = verdict.key.report
    unit = uses[0].unit if uses else REPORTS[report].unit if report else ""
    unit = UNITS[writer.language].get(unit, unit)
    consumed, variance = verdict.consumed or Decimal(), verdict.quantity_variance or Decimal()
    unread = verdict.unread or Unread(NOTHING, None, is_at_end=False)
    return {
        "billed_units": f"{writer.number(verdict.billed_quantity)} {unit}".strip(),
        "consumed": writer.number(consumed),
        "consumed_units": f"{writer.number(consumed)} {unit}".strip(),
        "variance": writer.number(abs(variance)),
        "percent": writer.percent(variance, consumed),
        "fallen": writer.number(max(-consumed, Decimal())),
        "time": writer.duration(unread.missing.seconds, is_last=unread.is_at_end),
        "tail": writer.number(unread.missing.quantity),
        "foreign": writer.number(unread.foreign),
        "by_nights": _by_nights(verdict, writer),
    }


def _by_nights(verdict: Verdict, writer: _Writer) -> str:
    if not verdict.cut_off:
        return ""
    text = MEASURES[writer.language][verdict.cut_off.chosen]
    return text.format(quantity=writer.number(verdict.cut_off.quantity))


def _amounts(verdict: Verdict, writer: _Writer) -> dict[str, str]:
    return {
        "amount": writer.money(verdict.billed_cost),
        "volume": writer.money(abs(verdict.volume_effect or Decimal())),
        "price": writer.money(verdict.price_effect),
        "cost": writer.money(verdict.contracted_cost),
        "lowest": writer.money(verdict.priced.lowest),
        "highest": writer.money(verdict.priced.highest),
        "currency": writer.currency,
    }


def _names(verdict: Verdict) -> dict[str, str]:
    lines = sorted({f"«{line.description or line.item_code or '?'}»" for line in verdict.lines})
    documents = {line.document_number or "?" for line in verdict.lines if line.is_duplicate}
    return {
        "report": verdict.key.report or "",
        "documents": ", ".join(sorted(documents)),
        "lines": ", ".join(lines[:3]) + (", ..." if len(lines) > 3 else ""),
    }


def _moments(verdict: Verdict, facts: Facts, writer: _Writer) -> dict[str, str]:
    key, zone = verdict.key, facts.zone_of(verdict.key.operation_id)
    uses = verdict.measured.uses if verdict.measured else []
    last = max((use.last_read_at for use in uses), default=None)
    period = key.period
    days = facts.answers_in(key.operation_id, key.report, period) if period else set[date]()
    return {
        "at": writer.moment(last.astimezone(zone)) if last else "",
        "days": str((period.end - period.start).days) if period else "",
        "days_answered": str(len(days)),
        "last_answer": writer.day(max(days)) if days else "",
    }
