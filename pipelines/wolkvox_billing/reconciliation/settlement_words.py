"""A settlement and its components in sentences that a finance person understands, in English or
Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.captions import status_word
from wolkvox_billing.reconciliation.contract.fees import AgreedFee
from wolkvox_billing.reconciliation.exchange import MissingRate
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.locales import language_of
from wolkvox_billing.values.numbers import format_number

_MOST_NAMED = 3  # components in one sentence
_MOST_LETTERS = 40  # of a line's description in it
_TEXTS = {
    "en": {
        "fee": "no contract names this fee",
        "agreed_fee": "the contract has {amount} for it",
        "fee_left": ", of which other lines leave {amount} for this one",
        "given_back": "; {amount} of what was too much is given back by a note",
        "given_back_by": "{amount} of it is given back by {title}, which is of another time",
        "duplicate": "another document has this number, and nobody knows which one counts",
        "exchanged": ", priced in {currency}: 1 {currency} is {parity}",
        "no_rate": "the contract has it in {currency}, and no rate of {currency} in {in_currency} "
        "on {days} is known",
        "ignore": "the line map has it compared with nothing",
        "accepted": "the line map accepts it",
        "beside": "it is shared out over the lines, and is on what is questioned of them",
        "beside_agreed": "it is shared out over the lines, which agree with it",
        "withheld": "a withholding tax, as the document states it",
        "rounded": "a rounding",
        "rounded_much": "it is called a rounding, and is more than one",
        "prepaid": "paid before, as the document states it",
        "unexplained": "the document asks for {payable}, and its parts come to {parts}",
        "other_currency": "{lines} in another currency",
        "tax_on_nothing": "nothing that the document states is taxed with it",
        "tax_beyond": "{rate} % of tax, where {highest} % is the most: {excess} more",
        "tax_kept": "{number} has {rate} % of tax, and this note gives none back: {missing}",
        "tax": "{rate} % on {net}",
        "tax_on_questioned": "{rate} % on {net}: {amount} of it is on what is questioned",
        "asks": "{title} asks for {payable}",
        "pay": "all of it is agreed",
        "parts": "{agreed} agreed, {questioned} questioned, of which {claimed} claimed",
        "wait": "its period is open",
        "component": "{name}: {amount}, agreed {agreed}",
        "and_more": "and {n} more",
    },
    "es": {
        "fee": "ningún contrato nombra este cargo",
        "agreed_fee": "el contrato tiene {amount} para ello",
        "fee_left": ", de los que otras líneas dejan {amount} para esta",
        "given_back": "; una nota devuelve {amount} de lo que era demasiado",
        "given_back_by": "{title}, que es de otro tiempo, devuelve {amount} de ello",
        "duplicate": "otro documento tiene este número, y nadie sabe cuál vale",
        "exchanged": ", y lo tiene en {currency}: 1 {currency} son {parity}",
        "no_rate": "el contrato lo tiene en {currency}, y no se conoce la tasa de {currency} en "
        "{in_currency} del {days}",
        "ignore": "el mapa de líneas no la compara con nada",
        "accepted": "el mapa de líneas la acepta",
        "beside": "se reparte entre las líneas, y va sobre lo que de ellas se cuestiona",
        "beside_agreed": "se reparte entre las líneas, que coinciden con ello",
        "withheld": "una retención, como la dice el documento",
        "rounded": "un redondeo",
        "rounded_much": "se llama redondeo, y es más que eso",
        "prepaid": "pagado antes, como lo dice el documento",
        "unexplained": "el documento cobra {payable}, y sus partes suman {parts}",
        "other_currency": "{lines} en otra moneda",
        "tax_on_nothing": "nada de lo que dice el documento lo tiene como impuesto",
        "tax_beyond": "{rate} % de impuesto, donde {highest} % es lo máximo: {excess} de más",
        "tax_kept": "{number} tiene {rate} % de impuesto, y esta nota no devuelve nada de ello: "
        "{missing}",
        "tax": "{rate} % sobre {net}",
        "tax_on_questioned": "{rate} % sobre {net}: {amount} va sobre lo que se cuestiona",
        "asks": "{title} cobra {payable}",
        "pay": "todo coincide",
        "parts": "{agreed} de acuerdo, {questioned} en cuestión, de ello {claimed} reclamado",
        "wait": "su período está abierto",
        "component": "{name}: {amount}, de acuerdo {agreed}",
        "and_more": "y {n} más",
    },
}
_KINDS = {
    "en": {
        "invoice": "invoice", "credit_note": "credit note", "debit_note": "debit note",
        "corrected_invoice": "corrected invoice", "pro_forma": "pro forma",
    },
    "es": {
        "invoice": "factura", "credit_note": "nota crédito", "debit_note": "nota débito",
        "corrected_invoice": "factura corregida", "pro_forma": "proforma",
        "prepayment": "factura de anticipo",
    },
}  # fmt: skip
_COMPONENTS = {
    "en": {
        "line": "line {n}", "allowance": "allowance of the document",
        "charge": "charge of the document", "tax": "tax", "withholding": "withholding",
        "rounding": "rounding", "prepaid": "prepaid", "unexplained": "unexplained",
    },
    "es": {
        "line": "línea {n}", "allowance": "descuento del documento",
        "charge": "cargo del documento", "tax": "impuesto", "withholding": "retención",
        "rounding": "redondeo", "prepaid": "anticipo", "unexplained": "sin explicación",
    },
}  # fmt: skip
_NO_NUMBER = {"en": "without a number", "es": "sin número"}


def title_of(kind: str, number: str | None, locale: str) -> str:
    """Return how a person is told of a document: `credit note N-1`."""
    language = language_of(locale)
    name = _KINDS[language].get(kind, kind.replace("_", " "))
    return f"{name} {number or _NO_NUMBER[language]}"


class SettlementWriter(NamedTuple):
    """A locale, and the currency of a document."""

    locale: str
    currency: str

    @property
    def _writer(self) -> Writer:
        return Writer(self.locale, self.currency)

    @property
    def _texts(self) -> dict[str, str]:
        return _TEXTS[self._writer.language]

    def text(self, name: str) -> str:
        """Return a reason that has no numbers, as a sentence."""
        return _as_sentence(self._texts[name])

    def role(self, role: str | None) -> str:
        """Return why a line of this role is agreed or questioned in whole."""
        return self.text(role if role in ("fee", "accepted") else "ignore")

    def fee(self, fee: AgreedFee, billed: Decimal) -> str:
        """Return what the contract has for a fee, and how much of that is left for a line where it
        is less than what it bills; in another currency, what one of it is."""
        texts, money, currency = self._texts, self._writer.money, fee.rate.currency
        text = texts["agreed_fee"].format(amount=money(fee.worth))
        if currency != self.currency:
            text += texts["exchanged"].format(
                currency=currency, parity=self._writer.rate(fee.parity)
            )
        if fee.amount < min(billed, fee.worth):
            text += texts["fee_left"].format(amount=money(fee.amount))
        if fee.given_back:
            text += texts["given_back"].format(amount=money(abs(fee.given_back)))
        return _as_sentence(text)

    def given_back_by(self, note: BilledDocument, amount: Decimal) -> str:
        """Return what a credit note of another time gives back of what was too much."""
        title = title_of(note.kind, note.number, self.locale)
        text = self._texts["given_back_by"]
        return _as_sentence(text.format(amount=self._writer.money(amount), title=title))

    def missing_rate(self, rate: MissingRate) -> str:
        """Return why nobody knows what the contract has for a fee."""
        days = ", ".join(map(str, rate.days)) or "?"
        text = self._texts["no_rate"]
        return _as_sentence(text.format(**rate._asdict() | {"days": days}))

    def unexplained(self, payable: Decimal, parts: Decimal, others: Sequence[int]) -> str:
        """Return why a part of what is asked for is in no component. `others`: the numbers of the
        lines that are in another currency."""
        money = self._writer.money
        text = self._texts["unexplained"].format(payable=money(payable), parts=money(parts))
        if others:
            name = _COMPONENTS[self._writer.language]["line"]
            lines = ", ".join(name.format(n=number) for number in others)
            text += f"; {self._texts['other_currency'].format(lines=lines)}"
        return _as_sentence(text)

    def tax(self, rate: Decimal, net: Decimal, on_questioned: Decimal) -> str:
        name = "tax_on_questioned" if on_questioned else "tax"
        money = self._writer.money
        text = self._texts[name]
        return _as_sentence(
            text.format(rate=self._rate(rate), net=money(net), amount=money(on_questioned))
        )

    def tax_beyond(self, rate: Decimal, highest: Decimal, excess: Decimal) -> str:
        return _as_sentence(
            self._texts["tax_beyond"].format(
                rate=self._rate(rate),
                highest=self._rate(highest),
                excess=self._writer.money(excess),
            )
        )

    def tax_kept(self, number: str | None, rate: Decimal, missing: Decimal) -> str:
        """Return how much tax a note does not give back, which the invoice that it corrects has."""
        text, money = self._texts["tax_kept"], self._writer.money
        return _as_sentence(
            text.format(number=number, rate=self._rate(rate), missing=money(missing))
        )

    def _rate(self, rate: Decimal) -> str:
        return format_number(rate, locale=self.locale)

    def settlement(self, row: SettledDocument, components: Sequence[InvoiceComponent]) -> str:
        """Return what a document asks for, what is agreed, questioned and claimed of it, and which
        components are questioned, and why."""
        texts, money, amount = self._texts, self._writer.money, self._writer.amount
        title = self.title(row.document_kind, row.document_number)
        asks = texts["asks"].format(title=title, payable=money(row.payable_amount))
        if row.settlement == "pay":
            return _as_sentence(f"{asks}: {texts['pay']}")
        sums = texts["parts"].format(
            agreed=amount(row.agreed_amount),
            questioned=amount(row.questioned_amount),
            claimed=amount(row.claimed_amount),
        )
        parts = [f"{asks}: {sums}"]
        if row.settlement == "wait":
            parts.append(texts["wait"])
        questioned = [part for part in components if part.questioned_amount]
        # What no verdict tells of comes first: its reason stands nowhere else. Tax mostly follows.
        questioned.sort(key=lambda part: (part.component == "tax", part.report is not None))
        parts += map(self._named, questioned[:_MOST_NAMED])
        if more := len(questioned) - _MOST_NAMED:
            parts += [texts["and_more"].format(n=more)] if more > 0 else []
        return _as_sentence("; ".join(parts))

    def title(self, kind: str, number: str | None) -> str:
        """Return what a document is called: `invoice F-1`."""
        return title_of(kind, number, self.locale)

    def component(self, part: InvoiceComponent) -> str:
        """Return what a component is called: `line 2`, `tax`."""
        return _COMPONENTS[self._writer.language][part.component].format(n=part.line_number)

    def why(self, part: InvoiceComponent) -> str:
        """Return why so much of a component is agreed: what a verdict says of it stands with the
        verdict, so that its status is enough."""
        status = part.reconciliation_status if part.report else None
        return status_word(status, self.locale) if status else part.reason

    def line(self, part: InvoiceComponent) -> str:
        """Return what a component adds to what is asked for, and how much of it is agreed."""
        amount, agreed = self._writer.money(part.amount), self._writer.amount(part.agreed_amount)
        description = part.description and f"{part.description!r}"
        name = " ".join(filter(None, (self.component(part), description)))
        return self._texts["component"].format(name=name, amount=amount, agreed=agreed)

    def _named(self, part: InvoiceComponent) -> str:
        """Return a component with what is questioned of it, and why."""
        name = self.component(part)
        description = (part.description or "")[:_MOST_LETTERS]
        amount = self._writer.amount(part.questioned_amount)
        why = self.why(part).rstrip(".")
        return f"{', '.join(filter(None, (name, description, amount)))} ({why})"


def _as_sentence(text: str) -> str:
    return f"{text}."
