"""A settlement and its components in sentences that a finance person understands,
in the language of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.captions import WITHOUT_NUMBER, caption, status_word
from wolkvox_billing.reconciliation.contract.fees import AgreedFee
from wolkvox_billing.reconciliation.exchange import MissingRate
from wolkvox_billing.reconciliation.writer import Values, Writer, Written
from wolkvox_billing.values.translation import N_, translate

if TYPE_CHECKING:
    from wolkvox_billing.reconciliation.questions import UnsettledRate
    from wolkvox_billing.reconciliation.tax_by_rate import CheckedTax

_MOST_NAMED = 3  # components in one sentence
_MOST_LETTERS = 40  # of a line's description in it
_TEXTS = {
    "fee": N_("no contract names this fee"),
    "agreed_fee": N_("the contract has {amount} for it"),
    "fee_left": N_(", of which other lines leave {amount} for this one"),
    "perhaps": N_(
        "; by its own words the line bills {count} of it, and the contract does not say for what: "
        "{amount} is not claimed"
    ),
    "given_back": N_("; {amount} of what was too much is given back by a note"),
    "given_back_by": N_("{amount} of it is given back by {title}, which is of another time"),
    "set_off": N_(
        "{amount} of it is not claimed: so much too little is asked for in other parts of the "
        "document"
    ),
    "duplicate": N_("another document has this number, and nobody knows which one counts"),
    "exchanged": N_(", priced in {currency}: 1 {currency} is {parity}"),
    "no_rate": N_(
        "the contract has it in {currency}, and no rate of {currency} in {in_currency} on {days} "
        "is known"
    ),
    "unsettled": N_(
        "it is {amount}, and with no rate of {currency} in {in_currency} that is known on {days} "
        "the document comes to its sum"
    ),
    "as_made": N_(": it makes 1 {currency} {parity} of it"),
    "ignore": N_("the line map has it compared with nothing"),
    "accepted": N_("the line map accepts it"),
    "charge": N_("the document puts {amount} on as a whole"),
    "allowance": N_("the document takes {amount} off as a whole"),
    "beside": N_("{what}: it is shared out over the lines, and is on what is questioned of them"),
    "beside_agreed": N_("{what}: it is shared out over the lines, which agree with it"),
    "questioned_in": N_("{explanation} What is questioned of it is in {documents}"),
    "withheld": N_("a withholding tax, as the document states it"),
    "not_withheld": N_("the document states {amount} of withholding tax, and does not take it off"),
    "rounded": N_("a rounding"),
    "rounded_much": N_("it is called a rounding, and is more than one"),
    "prepaid": N_("paid before, as the document states it"),
    "prepaid_left": N_("; {amount} of that is left"),
    "unexplained": N_("the document asks for {payable}, and its parts come to {parts}"),
    "other_currency": N_("{lines} in another currency"),
    "tax_on_nothing": N_("nothing that the document states is taxed with it"),
    "tax_beyond": N_("{rate} % of tax, where {highest} % is the most: {excess} more"),
    "tax_beyond_invoice": N_("{rate} % of tax, where {number} has {highest} %: {excess} more"),
    "tax_short": N_("{rate} % of tax, where the contract has {lowest} %: {missing} less"),
    "tax_short_invoice": N_("{rate} % of tax, where {number} has {lowest} %: {missing} less"),
    "tax_kept": N_("{number} has {lowest} % of tax, and this note gives none back: {missing}"),
    "exempt": N_("it says that it is exempt: {reason}"),
    "tax_left_out": N_("it states no tax, and the contract has {lowest} %: {missing}"),
    "tax": N_("{rate} % on {net}"),
    "tax_on_questioned": N_("{rate} % on {net}: {amount} of it is on what is questioned"),
    "asks": N_("{title} asks for {payable}"),
    "pay": N_("all of it is agreed"),
    "parts": N_("{agreed} agreed, {questioned} questioned, of which {claimed} claimed"),
    "wait": N_("its period is open"),
    "component": N_("{name}: {amount}, agreed {agreed}"),
    "and_more": N_("and {n} more"),
}
_COMPONENTS = {
    "line": N_("line {n}"),
    "allowance": N_("allowance of the document"),
    "charge": N_("charge of the document"),
    "tax": N_("tax"),
    "withholding": N_("withholding"),
    "rounding": N_("rounding"),
    "prepaid": N_("prepaid"),
    "unexplained": N_("unexplained"),
}


def title_of(kind: str, number: str | None, locale: str) -> str:
    """Return how a person is told of a document, in the language of a locale."""
    return f"{caption(kind, locale)} {number or translate(WITHOUT_NUMBER, locale)}"


class SettlementWriter(Writer):
    """Writes in a locale, and in the currency of a document."""

    def _say(self, name: str, /, **values: object) -> str:
        return self.say(_TEXTS[name], **values)

    def text(self, name: str, amount: Decimal = Decimal()) -> str:
        """Return a reason as a sentence, with the amount that it is about."""
        return _as_sentence(self._say(name, amount=self.money(amount)))

    def role(self, role: str | None) -> str:
        """Return why a line of this role is agreed or questioned in whole."""
        return self.text(role if role in ("fee", "accepted") else "ignore")

    def verdict(self, row: ReconciledRow, questioned_in: Sequence[str | None]) -> str:
        """Return why so much of a line is agreed, by its verdict; `questioned_in`: the numbers of
        other documents in which the verdict finds what it does."""
        if not questioned_in:
            return row.explanation
        numbers = (number or "?" for number in questioned_in)
        return _as_sentence(
            self._say("questioned_in", explanation=row.explanation, documents=", ".join(numbers))
        )

    def beside(
        self, kind: str, amount: Decimal, row: ReconciledRow | None, *, is_agreed: bool
    ) -> str:
        """Return why so much is agreed of what a document puts on, or takes off, as a whole: by
        the verdict that it is questioned by, where it is one."""
        what = self._say(kind, amount=self.money(amount))
        if row:
            return f"{_as_sentence(what)} {row.explanation}"
        return _as_sentence(self._say("beside_agreed" if is_agreed else "beside", what=what))

    def fee(self, fee: AgreedFee, billed: Decimal) -> str:
        """Return what the contract has for a fee, and how much of that is left for a line where it
        is less than what it bills; in another currency, what one of it is."""
        money, currency = self.money, fee.rate.currency
        text = self._say("agreed_fee", amount=money(fee.worth))
        if currency != self.currency:
            text += self._say("exchanged", currency=currency, parity=self.rate(fee.parity))
        if fee.amount < min(billed, fee.worth):
            text += self._say("fee_left", amount=money(fee.amount))
        if fee.perhaps:
            text += self._say("perhaps", count=fee.times, amount=money(fee.perhaps))
        if fee.given_back:
            text += self._say("given_back", amount=money(abs(fee.given_back)))
        return _as_sentence(text)

    def given_back_by(self, note: BilledDocument, amount: Decimal) -> str:
        """Return what a credit note of another time gives back of what was too much."""
        title = title_of(note.kind, note.number, self.locale)
        text = self._say("given_back_by", amount=self.money(amount), title=title)
        return _as_sentence(text)

    def missing_rate(self, rate: MissingRate) -> str:
        """Return why nobody knows what the contract has for a fee."""
        days = ", ".join(map(str, rate.days)) or "?"
        return _as_sentence(self._say("no_rate", **rate._asdict() | {"days": days}))

    def prepaid(self, left: Decimal) -> str:
        """Return that a part was paid before, and how much of what was paid is left."""
        more = self._say("prepaid_left", amount=self.money(left)) if left else ""
        return _as_sentence(self._say("prepaid") + more)

    def unsettled(self, rate: UnsettledRate, amount: Decimal | None) -> str:
        """Return what a line is in its own currency, and which rate is missing between that and the
        document's."""
        missing = rate.missing._asdict() | {"days": ", ".join(map(str, rate.missing.days)) or "?"}
        own = Writer(self.locale, rate.currency).money(amount)
        text = self._say("unsettled", amount=own, **missing)
        if rate.parity:
            parity = self.rate(rate.parity)
            text += self._say("as_made", currency=rate.currency, parity=parity)
        return _as_sentence(text)

    def unexplained(self, payable: Decimal, parts: Decimal, others: Sequence[int]) -> str:
        """Return why a part of what is asked for is in no component. `others`: the numbers of the
        lines that are in another currency."""
        money = self.money
        text = self._say("unexplained", payable=money(payable), parts=money(parts))
        if others:
            name = self.say
            lines = ", ".join(name(_COMPONENTS["line"], n=number) for number in others)
            text += f"; {self._say('other_currency', lines=lines)}"
        return _as_sentence(text)

    def tax(self, checked: CheckedTax, number: str | None) -> str:
        """Return what a tax is on, or by how much it is more than is due; `number` is that of the
        invoice which says what is due."""
        if checked.tax.rate is None:
            return self.text("tax_on_nothing")
        name = "tax_on_questioned" if checked.on_questioned else "tax"
        if checked.excess:
            name = "tax_beyond_invoice" if number else "tax_beyond"
        return self._of_tax(name, checked, number)

    def tax_missing(self, checked: CheckedTax, number: str | None, exemption: str) -> str:
        """Return how much less tax there is than is due, by the contract or by the invoice of this
        number; and why, where the document says it."""
        name = "tax_short_invoice" if number else "tax_short"
        if number and checked.missing < 0 and not checked.tax.amount:
            name = "tax_kept"
        reason = self._of_tax(name, checked, number)
        if exemption and not checked.tax.amount:
            why = self._say("exempt", reason=exemption)
            reason = _as_sentence(f"{reason.rstrip('.')}; {why}")
        return reason

    def tax_left_out(self, checked: CheckedTax) -> str:
        """Return which tax a list does not state."""
        return self._of_tax("tax_left_out", checked, None)

    def _of_tax(self, name: str, checked: CheckedTax, number: str | None) -> str:
        due = checked.due
        values: Values = {
            "number": lambda: number or "?",
            "rate": lambda: self.number(checked.tax.rate),
            "lowest": lambda: self.number(due.lowest),
            "highest": lambda: self.number(due.highest),
            "net": lambda: self.money(checked.tax.net),
            "amount": lambda: self.money(checked.on_questioned),
            "excess": lambda: self.money(abs(checked.excess)),
            "missing": lambda: self.money(abs(checked.missing)),
        }
        return _as_sentence(self.fill(_TEXTS[name], Written(values)))

    def settlement(self, row: SettledDocument, components: Sequence[InvoiceComponent]) -> str:
        """Return what a document asks for, what is agreed, questioned and claimed of it, and which
        components are questioned, and why."""
        money, amount = self.money, self.amount
        title = self.title(row.document_kind, row.document_number)
        asks = self._say("asks", title=title, payable=money(row.payable_amount))
        if row.settlement == "pay":
            charges = [self._charge(part) for part in components if part.component == "charge"]
            return _as_sentence(f"{asks}: {'; '.join([self._say('pay'), *charges])}")
        sums = self._say(
            "parts",
            agreed=amount(row.agreed_amount),
            questioned=amount(row.questioned_amount),
            claimed=amount(row.claimed_amount),
        )
        parts = [f"{asks}: {sums}"]
        if row.settlement == "wait":
            parts.append(self._say("wait"))
        questioned = [part for part in components if part.questioned_amount]
        # What no verdict tells of comes first: its reason stands nowhere else. Tax mostly follows.
        questioned.sort(key=lambda part: (part.component == "tax", part.report is not None))
        parts += map(self._named, questioned[:_MOST_NAMED])
        if more := len(questioned) - _MOST_NAMED:
            parts += [self._say("and_more", n=more)] if more > 0 else []
        return _as_sentence("; ".join(parts))

    def title(self, kind: str, number: str | None) -> str:
        """Return what a document is called: `invoice F-1`."""
        return title_of(kind, number, self.locale)

    def component(self, part: InvoiceComponent) -> str:
        """Return what a component is called: `line 2`, `tax`."""
        return self.say(_COMPONENTS[part.component], n=part.line_number)

    def why(self, part: InvoiceComponent) -> str:
        """Return why so much of a component is agreed: what a verdict says of it stands with the
        verdict, so that its status is enough."""
        status = part.reconciliation_status if part.report else None
        return status_word(status, self.locale) if status else part.reason

    def line(self, part: InvoiceComponent) -> str:
        """Return what a component adds to what is asked for, and how much of it is agreed."""
        amount, agreed = self.money(part.amount), self.amount(part.agreed_amount)
        description = part.description and f"{part.description!r}"
        name = " ".join(filter(None, (self.component(part), description)))
        return self._say("component", name=name, amount=amount, agreed=agreed)

    def _charge(self, part: InvoiceComponent) -> str:
        """Return a charge that is agreed, which nobody would look for in what agrees."""
        return f"{self.component(part)}, {self.amount(part.amount)}"

    def _named(self, part: InvoiceComponent) -> str:
        """Return a component with what is questioned of it, and why."""
        name = self.component(part)
        description = (part.description or "")[:_MOST_LETTERS]
        amount = self.amount(part.questioned_amount)
        why = self.why(part).rstrip(".")
        return f"{', '.join(filter(None, (name, description, amount)))} ({why})"


def _as_sentence(text: str) -> str:
    return f"{text}."
