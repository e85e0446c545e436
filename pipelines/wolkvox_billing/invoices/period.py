"""The period of a document: from a day to a day (exclusive), and by whose word.

The first that gives one counts: the document's own, its lines', a month that its text names, or the
setting `period_rule`. What the others say is compared, and a contradiction is told with both.

Texts are full of other times: numbering ranges, former balances, due dates, prices. So of a text it
is taken by where it stands:

    the period's own words    whatever it names
    a line's                  a month, or so, near the issue; longer where it speaks of consumption
    a note's                  only a month, or so, of which it says that it is the consumption's: in
                              so many words (`mes facturado`), or by the way (`consumo octubre`)
                              where the rule says that month too

and never where it speaks of something else. When in doubt the rule decides; what was passed over
is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from wolkvox_billing.values.dates import MONTHS
from wolkvox_billing.values.periods import DAY, Period, month_of
from wolkvox_billing.values.spelling import plain


class Mention(NamedTuple):
    """A period that a text names, and why it is not taken, if so."""

    period: Period
    refusal: str = ""
    speaks: int = 0  # of consumption: _BY_THE_WAY, or _IN_WORDS


class SettledPeriod(NamedTuple):
    """A document's period, which of `document`, `line`, `text` and `rule` gave it, and warnings."""

    period: Period | None
    source: str | None
    warnings: list[str]


_TITLES = {
    "document": "the document's own period",
    "line": "the period of its lines",
    "text": "the period that its text names",
}


def settle_period(
    own: Period | None,
    of_lines: Iterable[Period],
    texts: Sequence[Sequence[str]],
    issued: date | None,
    rule: str,
) -> SettledPeriod:
    """Return a document's period. Of `texts` (its period's, its lines', its notes), the first group
    that names a period counts; several different ones are not taken."""
    warnings: list[str] = []
    candidates: dict[str, Period] = {}  # by source, the first one counts
    stated: list[Period] = []
    if own:
        candidates["document"] = own
        stated.append(own)
    if periods := sorted(set(of_lines)):
        span = Period(periods[0].start, max(period.end for period in periods))
        candidates["line"] = span
        stated += [span, *periods]
        if not own and len(periods) > 1:
            warnings.append(f"its lines have {len(periods)} periods: taken is all of {span}")
    month = month_by_rule(issued, rule) if issued else None
    named, refused = _periods_near(texts, issued, month)
    if len(named) == 1:
        candidates["text"] = named[0]
    elif not all(any(whole.holds(period) for whole in stated) for period in named):
        listed = " and ".join(map(str, named[:4]))
        warnings.append(f"the text names {listed}: none is taken")
    if candidates:
        source, period = next(iter(candidates.items()))
        warnings += [
            f"{_TITLES[source]} is {period}, and {_TITLES[other_source]} is {other}"
            for other_source, other in candidates.items()
            if not period.holds(other)
        ]
        return SettledPeriod(period, source, warnings)
    warnings += [
        f"the text names {mention.period}, which is not taken: {mention.refusal}"
        for mention in refused
        if not (month and month.holds(mention.period))
    ][:3]
    if month:
        return SettledPeriod(month, "rule", warnings)
    return SettledPeriod(None, None, [*warnings, "no period, and no issue date to tell one by"])


def _periods_near(
    texts: Sequence[Sequence[str]], issued: date | None, month: Period | None
) -> tuple[list[Period], list[Mention]]:
    """Return the periods of the first group that names any, and what was refused up to there."""
    characters = 0
    refused: dict[Mention, None] = {}
    for number, group in enumerate(texts):
        periods: set[Period] = set()
        for text in dict.fromkeys(text[:_LONGEST_TEXT] for text in group):
            characters += len(text)
            if characters > _LONGEST_TEXTS:
                break
            for mention in _mentions_in(text):
                distance = _refuse_distant(mention.period, issued)
                refusal = mention.refusal or distance
                if not refusal and number == 1:
                    refusal = _doubt_line(mention)
                elif not refusal and number > 1:
                    refusal = _doubt_note(mention, month)
                if not refusal:
                    periods.add(mention.period)
                elif refusal != _ONE_DAY or (number < 2 and not distance):
                    # Notes are full of single days.
                    refused[Mention(mention.period, refusal)] = None
        if periods:
            return sorted(periods), list(refused)
    return [], list(refused)


def _doubt_line(mention: Mention) -> str:
    """Return why what a line's text names is not the time of what it bills, or ""."""
    return "" if mention.speaks or _is_about_a_month(mention.period) else _LONG


def _doubt_note(mention: Mention, month: Period | None) -> str:
    """Return why what a note names is not the time of the consumption, or ""; month: the rule's."""
    if not mention.speaks:
        return "nothing says that it is the time of the consumption"
    if not _is_about_a_month(mention.period):
        return _LONG
    if mention.speaks == _IN_WORDS or not month:
        return ""
    days = (min(month.end, mention.period.end) - max(month.start, mention.period.start)).days
    return "" if days >= _SHORTEST else f"the rule says {month}"


def _is_about_a_month(period: Period) -> bool:
    return _SHORTEST <= (period.end - period.start).days <= _LONGEST


def period_of_line(text: str, issued: date | None) -> Period | None:
    """Return the one period that a line's text says to be the time of what it bills."""
    periods = {
        mention.period
        for mention in _mentions_in(text[:_LONGEST_TEXT])
        if not (mention.refusal or _doubt_line(mention) or _refuse_distant(mention.period, issued))
    }
    return periods.pop() if len(periods) == 1 else None


def _refuse_distant(period: Period, issued: date | None) -> str:
    """Return why a document that was issued on this day is not of the period, or ""."""
    if not issued:
        return ""
    if period.end - period.start > 366 * DAY:
        return "it is longer than a year"
    if not -62 <= (issued - period.end).days <= 366:
        return f"it is far from the issue date, {issued}"
    return ""


def month_by_rule(issued: date, rule: str, first_day: int = 1) -> Period:
    """Return the month by the setting `period_rule`, or that of a cycle."""
    month = month_of(issued, first_day)
    return month if rule == "issue_month" else month_of(month.start - DAY, first_day)


def period_between(
    start: date | None, end: date | None, title: str, warnings: list[str]
) -> Period | None:
    """Return the period from a first to a last day (inclusive); what is doubtful is a warning."""
    if start and end and end < start:
        warnings.append(f"{title} ends ({end}) before it starts ({start}): not taken")
        return None
    if start and end:
        return Period(start, end + DAY)
    if start:
        period, missing = Period(start, month_of(start).end), "end"
    elif end:
        period, missing = Period(month_of(end).start, end + DAY), "start"
    else:
        return None
    warnings.append(f"{title} has no {missing}: taken is the month's, {period}")
    return period


# What a text names. Spanish and English; case and accents do not matter.

# Case and accents are gone, and blanks are single: see _mentions_in.
_MONTH = rf"(?<![a-z])(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})(?![a-z])\.?"
_OF = r" ?(?:(?:,|\bdel?\b(?: ano\b)?|\bof\b) ?)?"
_IN = rf"(?:{_OF}| ?[-/] ?)"
_AND = r"(?:y|e|and)\b(?: el\b)?"
_TO = r"(?: ?[-\u2013\u2014] ?| ?\b(?:al?|hasta|to|through)\b:?(?: el\b)? ?)"
_DAY_TO = rf"(?:{_TO}| (?P<and>{_AND}) )"
_LISTED = rf"(?: ?[,/&] ?(?:{_AND} )?| {_AND} )"
_LAST_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)(?:(?:st|nd|rd|th|ro|o)\b|\u00b0)?"
_DAY = rf"(?<![\w/.,-]){_LAST_DAY}"
_YEAR = r"20\d\d(?!\d)"
# `oct-26`: two digits are a year only behind one of these marks; `oct 26` is a day.
_SHORT_YEAR = rf"(?:{_IN}{_YEAR}| ?[-/'\u2019] ?[23]\d(?!\d|[/-]\d))"
_FULL = r"(?:20\d\d[/-]\d\d[/-]\d\d|\d\d?[/-]\d\d?[/-](?:20\d\d|[23]\d))(?!\d)"
_START, _STOP = r"(?<![\d/.-])", r"(?![\d/-]|\.\d)"
# `de octubre` or `/10`; `-10` only behind ` 31`, or many a code would do.
_TO_MONTH = rf"(?:{_IN}(?=[a-z])|/(?=\d)|(?<= \d\d)-(?=\d))"
_ANY_MONTH = rf"(?:{_MONTH}|(?:1[0-2]|0?[1-9])(?!\d))"


def _read_days(match: re.Match[str], before: str) -> Mention:
    groups = match.groupdict()
    if groups.get("a"):
        first, last = _full_date(groups["a"] or ""), _full_date(groups["b"] or "")
    else:
        month, year = _month(groups["m2"] or groups["m1"]), _year(groups["y2"])
        first_month = _month(groups["m1"]) or month
        # `del 15 de diciembre al 14 de enero de 2027` began in the year before.
        first_year = _year(groups["y1"]) or year - (first_month > month)
        first = date(first_year, first_month, _number(groups["d1"]))
        last = date(year, month, _number(groups["d2"]))
    if last < first:
        raise ValueError
    refusal = "it is one of several" if _FIRST_HALF.search(before) else ""
    if groups["and"] and not _BETWEEN.search(before):
        refusal = _ONE_DAY
    return Mention(Period(first, last + DAY), refusal)


def _read_day(match: re.Match[str], before: str) -> Mention:
    groups = match.groupdict()
    if groups["a"]:
        day = _full_date(groups["a"])
    else:
        year, month = groups["y2"] or groups["y1"], groups["m2"] or groups["m1"]
        day = date(_year(year), _month(month), _number(groups["d2"] or groups["d1"]))
    return Mention(Period(day, day + DAY), _ONE_DAY)


def _read_months(match: re.Match[str], before: str) -> Mention:
    """Read a month or several: those of a list only if each follows the one before."""
    starts: list[date] = []
    gap = to = False
    items = list(_ONE_MONTH.finditer(match[0]))
    for item in reversed(items):
        month = _month(item["m"])
        year = _year(item["y"]) or starts[0].year - (month > starts[0].month)
        starts.insert(0, date(year, month, 1))
        if len(starts) > 1 and not to:
            gap |= starts[1] not in (starts[0], month_of(starts[0]).end)
        to = bool(item["to"] or _BETWEEN.search(before))
    if not gap and starts != sorted(starts):
        raise ValueError
    refusal = "its months do not follow one another" if gap else ""
    if len(starts) == 1 and _WORD.match(match[0]):
        refusal = f"{items[0]['m']!r} is a word too"
    return Mention(Period(min(starts), month_of(max(starts)).end), refusal)


def _read_month_number(match: re.Match[str], before: str) -> Mention:
    return Mention(month_of(date(_year(match["y"]), _month(match["m"]), 1)))


def _full_date(text: str) -> date:
    first, month, last = map(int, re.split("[/-]", text))
    return date(first, month, last) if first > 99 else date(_year(str(last)), month, first)


def _month(text: str | None) -> int:
    return MONTHS.get((text or "").rstrip(".")) or _number(text)


def _year(text: str | None) -> int:
    year = _number(text)
    return year + 2000 if 0 < year < 100 else year


def _number(text: str | None) -> int:
    return int(re.sub(r"\D", "", text or "", flags=re.ASCII) or 0)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


# In this order: what an earlier pattern has read, a later one does not see.
_PATTERNS: list[tuple[Callable[[re.Match[str], str], Mention], re.Pattern[str]]] = [
    (_read_days, _compiled(rf"{_START}(?P<a>{_FULL})(?:{_DAY_TO}| ?/ ?)(?P<b>{_FULL}){_STOP}")),
    (_read_days, _compiled(  # 1 [de octubre [de 2026]] al 31 de octubre de 2026
        rf"(?P<d1>{_DAY})(?:{_TO_MONTH}(?P<m1>{_ANY_MONTH})(?:{_IN}(?P<y1>{_YEAR}))?)?{_DAY_TO}"
        rf"(?P<d2>{_LAST_DAY}){_TO_MONTH}(?P<m2>{_ANY_MONTH}){_IN}(?P<y2>{_YEAR})")),
    (_read_days, _compiled(  # October 1 to [October] 31, 2026
        rf"(?P<m1>{_MONTH}) ?(?P<d1>{_DAY})(?:{_OF}(?P<y1>{_YEAR}))?{_DAY_TO}"
        rf"(?:(?P<m2>{_MONTH}) ?)?(?P<d2>{_LAST_DAY}){_OF}(?P<y2>{_YEAR})")),
    (_read_day, _compiled(
        rf"{_START}(?P<a>{_FULL}){_STOP}"
        rf"|(?P<d2>{_DAY}){_IN}(?P<m2>{_MONTH}){_IN}(?P<y2>{_YEAR}|\d\d(?!\d))"
        rf"|(?P<m1>{_MONTH}) ?(?P<d1>{_DAY}){_OF}(?P<y1>{_YEAR})")),
    (_read_months, _compiled(  # octubre [de 2026] a diciembre de 2026; enero y febrero de 2026
        rf"(?:{_MONTH}{_SHORT_YEAR}?(?:{_LISTED}|{_TO})){{0,11}}{_MONTH}{_SHORT_YEAR}")),
    (_read_month_number, _compiled(rf"{_START}(?P<m>0?[1-9]|1[0-2])[/-](?P<y>20\d\d){_STOP}")),
    (_read_month_number, _compiled(rf"{_START}(?P<y>20\d\d)[/-](?P<m>0[1-9]|1[0-2]){_STOP}")),
]  # fmt: skip
_ONE_MONTH = _compiled(rf"(?P<to>{_TO})?(?P<m>{_MONTH})(?P<y>{_SHORT_YEAR})?")
# Of something else, unless a word for consumption or a period follows in the same clause.
_ELSE = _compiled(
    r"\b(?:resoluc|autoriz|vigen|contrato|otrosi|decreto|ley\b|orden|venc|pag|tel\b|acta\b"
    r"|emitid|expedi|elabora|oc\b|statement date|fecha)\w*(?!.*(?:consum|period))"
)
# `Contrato No. 5` is one clause.
_CLAUSE = _compiled(r"[;|]|, |(?:(?<=\d)|(?<=\w{5}))\. ")
# Of another time or thing, whatever the same clause says of consumption.
_OTHER = _compiled(
    r"\b(?:saldo|anterior|mora\b|moros|promedi|histor|pasad[oa]|(?<!mes )vencid|deuda|adeud"
    r"|cartera|abono|recaud|ultim|proxim|siguiente|proyect|estimad|presupuest|previst|pendient"
    r"|tarifa|precio|dolar|trm\b|ipc\b|uvt\b|increment|reajust|numeraci|rango|prefijo|consecutiv"
    r"|habilit|garant|gracia|prueba|promoci|comparad|comparativ|respecto|frente a|versus|vs\b"
    r"|desde (?:el )?(?:mes|ano)|afiliac|suscrit|instalac|activac|mantenimi|visita|reuni|entrega"
    r"|despach|remisi|pedido|anticip|cuota|interes|retenci|declara|bimestr|trimestr|semestr"
    r"|certific|reemplaz|anul|suspen|feliz|acumulad|reclam|permanenc|fiscal|contable|emision|meta\b"
    r"|bono\b|vigencia|comparis|cumulative|year to date|goal"
    r"|previous|prior|former|balance|overdue|arrears|average|last|next|upcoming|forecast|estimate"
    r"|budget|price|rate\b|tariff|increase|warranty|trial|grace|valid|expir|numbering|range|since"
    r"|compared|deposit|instal+ment|interest|delivery|shipped|order\b|due\b|payment|paid\b"
    r"|outstanding|pending|suspen)\w*"
)
_OTHER_BEHIND = _compiled(
    r"^[^\d,;|.]{0,40}?\b(?:saldo|anterior|mora\b|promedi|histor|vencid|pagad|cancelad|adeud|anulad|pendient|facturad|ajust|disput"
    r"|proyect|estimad|previous|prior|balance|overdue|average|paid|cancel|forecast)\w*"
)
_SENTENCE = _compiled(r"[;|]|(?:(?<=\d)|(?<=\w{5}))\. ")
_CONSUMED = _compiled(
    r"\b(?:consum|uso\b|usos\b|utiliza|usage|used\b|facturad|cobrad|billed|correspondiente)\w*"
    r"|\b(?:mes|period\w*)(?: del?)? ?[:=]? ?(?:del? |desde )?(?:el )?$"
)
# The whole clause up to the time, and nothing but that: `Mes facturado:`.
_SAID = _compiled(
    r"\W*(?:(?:el|su|los|sus|the|your) )?(?:(?:mes|period\w*|ciclo|fechas)(?: del?)? "
    r"(?:consum|facturad|facturac|cobrad|uso\b|servicio|prestaci|liquidad)\w*|(?:consum\w*|uso)"
    r"(?: \w+)?? (?:en )?(?:el |del? )?(?:mes|period\w*)|(?:billing|billed|service|usage|invoice) "
    r"(?:period|month|cycle))[\s:=-]*(?:\b(?:del?|desde|en|el|la|from|of|for|entre|between)\b:? ?)*"
)
_BY_THE_WAY, _IN_WORDS = 1, 2
_SHORTEST, _LONGEST = 13, 45  # days of what is about a month
_LONG = "it is not about a month"
_BETWEEN = _compiled(r"\b(?:entre|between) (?:el )?$")
# `1 al 15 de octubre y`, of which only the second half would be read
_FIRST_HALF = _compiled(rf"{_TO}\d\d?(?:(?: de)? [a-z]+)?(?:,| y| and)(?: del| el)? $")
_WORD = _compiled(r"(?:mar|set) ")  # Viña del Mar 2026, Kit SET 2026; but not mar-26, mar. 2026
_ONE_DAY = "single days are no period"
_LONGEST_TEXT = 2_000  # characters
_LONGEST_TEXTS = 200_000  # of a document, all together


def periods_in(text: str) -> tuple[Period, ...]:
    """Return the periods that a text names, in no order: months with a year, and runs of days.

    `octubre 2026`, `oct-26`, `10/2026`, `2026-10`, `consumo del 1 al 31 de octubre de 2026`,
    `October 1 to 31, 2026`, `01/10/2026 - 31/10/2026` (day first), `Ene/Feb 2026`. A single day
    is none, and what follows `contrato`, `vence` and the like is none either.
    """
    return tuple(m.period for m in _mentions_in(text[:_LONGEST_TEXT]) if not m.refusal)


@lru_cache(maxsize=5000)  # the lines of many documents are the same texts
def _mentions_in(text: str) -> tuple[Mention, ...]:
    """Return all periods that a text of at most _LONGEST_TEXT characters names."""
    if not re.search(r"\d\d", text):
        return ()
    # One character may become 18: cut again. The patterns would try a run of blanks in every way.
    unread = plain(text)[:_LONGEST_TEXT]
    mentions: list[Mention] = []
    for read, pattern in _PATTERNS:
        matches = [*pattern.finditer(unread)]
        for match in matches:
            before = unread[max(0, match.start() - 50) : match.start()]
            sentence = unread[max(0, match.start() - 200) : match.start()]
            try:
                mention = read(match, before)
            except ValueError:
                continue  # 31 June, or an end before its start: it names nothing
            if other := _find_other(before, sentence, unread[match.end() : match.end() + 80]):
                if mention.refusal == _ONE_DAY:
                    continue
                mention = mention._replace(refusal=other)
            mentions.append(mention._replace(speaks=_speaks(sentence)))
        if matches:
            unread = pattern.sub(" | ", unread)
    return tuple(mentions)


def _find_other(before: str, sentence: str, behind: str) -> str:
    """Return why what stands between these is the time of something else, or "". What is not in the
    same clause, but the same sentence, is believed unless it speaks of consumption after it."""
    clause = _CLAUSE.split(before)[-1]
    if other := _ELSE.search(clause) or _OTHER.search(clause):
        return f"it follows {other[0]!r}"
    sentence = _SENTENCE.split(sentence)[-1]
    others = [*_ELSE.finditer(sentence), *_OTHER.finditer(sentence)]
    if others:
        last = max(others, key=lambda match: match.start())
        if not _CONSUMED.search(sentence, last.end()):
            return f"it follows {last[0]!r}"
    if other := _OTHER_BEHIND.search(behind):
        return f"{other[0].strip(' :(-')!r} follows it"
    return ""


def _speaks(sentence: str) -> int:
    """Return whether the last clause speaks of consumption, and how plainly."""
    clause = _CLAUSE.split(sentence)[-1]
    if _SAID.fullmatch(clause):
        return _IN_WORDS
    return _BY_THE_WAY if _CONSUMED.search(clause) else 0
