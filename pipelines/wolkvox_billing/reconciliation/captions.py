"""Headings of tables, and statuses, in the language of the settings. The contract's words stay as
they are in JSON, in marts and beside a sentence."""

from __future__ import annotations

from functools import lru_cache

from wolkvox_billing.values.locales import language_of
from wolkvox_billing.values.translation import N_, ContractWord, Sentence, together, translate

# What no other module marks.
_WORDS = (
    # headings
    N_("report, product"),
    N_("quantity difference"),
    N_("contracted cost"),
    N_("volume effect"),
    N_("price effect"),
    N_("exchange effect"),
    N_("billed cost"),
    N_("verdicts"),
    N_("by contract"),
    N_("difference"),
    N_("billed without a known cost by contract"),
    N_("used, and not billed"),
    N_("kind"),
    N_("number"),
    N_("day"),
    N_("last value read"),
    N_("read at"),
    N_("no answer from"),
    N_("to"),
    N_("for"),
    N_("before"),
    N_("then"),
    N_("calls"),
    N_("answered"),
    N_("refused"),
    N_("due"),
    N_("documents"),
    # columns of the workbook
    N_("supplier id"),
    N_("operation name"),
    N_("document kind"),
    N_("document id"),
    N_("acceptance deadline"),
    N_("from"),
    N_("to before"),
    N_("alarm"),
    N_("explanation"),
    N_("contracted unit price"),
    N_("invoice ids"),
    N_("hours unread at end"),
    N_("cut off"),
    N_("doubts excluded"),
    N_("language"),
    N_("verdict key"),
    N_("is invoiced"),
    N_("questioned cost"),
    N_("claimed cost"),
    N_("status label"),
    N_("status label es"),
    N_("severity"),
    N_("settlement label"),
    N_("settlement label es"),
    N_("month label"),
    N_("product label"),
    N_("verdicts as of"),
    N_("component"),
    N_("component number"),
    N_("line number"),
    N_("description"),
    N_("role"),
    N_("reason"),
    N_("consumed unit"),
    N_("measure"),
    N_("measure source"),
    N_("last quantity"),
    N_("sum of daily quantity"),
    N_("month over"),
    N_("first read at"),
    N_("last read at"),
    N_("poll id"),
    N_("month"),
    N_("as of"),
    N_("evidence"),
    N_("none was written with this workbook"),
    N_("SHA-256 of the evidence"),
    N_("warning"),
    N_("printed"),
    N_("the first columns of each sheet"),
    N_("with a contracted cost"),
    N_("decision"),
    N_("by"),
    N_("at"),
    # columns that a close names
    N_("reconciliation status"),
    N_("consumed quantity"),
    N_("billed quantity"),
    N_("contracted unit price"),
    N_("quantity variance"),
    N_("cost variance"),
    N_("payable amount"),
    N_("agreed amount"),
    N_("questioned amount"),
    N_("claimed amount"),
    N_("settlement"),
    # what became of a document that was read
    N_("loaded"),
    N_("loaded before"),
    N_("rejected"),
    # what was decided on an operation
    N_("renamed"),
    N_("merged"),
    N_("forgotten"),
    N_("restored"),
    N_("same"),
    N_("alike"),
    # cells
    N_("line"),
    N_("allowance"),
    N_("charge"),
    N_("quantity"),
    N_("price component"),
    N_("fee"),
    N_("discount"),
    N_("ignore"),
    N_("accepted"),
    N_("month to date"),
    N_("daily"),
    N_("gauge"),
    N_("data"),
    N_("guess"),
    N_("copied"),
    N_("called"),
    N_("after first night"),
    N_("invoice"),
    N_("credit note"),
    N_("debit note"),
    N_("corrected invoice"),
    N_("pro forma"),
    N_("prepayment"),
    N_("pay"),
    N_("claim"),
    N_("question"),
    N_("wait"),
    N_("credited in part"),
    N_("all"),
    N_("no invoice"),
    N_("more"),
    N_("less"),
    # whether a document counts
    N_("counts"),
    N_("duplicate"),
    N_("superseded"),
    N_("withdrawn"),
    N_("reinstated"),
    N_("test"),
    N_("pre billing"),
    N_("other supplier"),
    N_("in the bucket"),
    N_("counted by wolkvox"),
    N_("copied later"),
    N_("days without a copy"),
    # statuses
    N_("not counted"),
    N_("agrees"),
    N_("counter above bucket"),
    N_("bucket above counter"),
    N_("copy stands still"),
    N_("objects gone"),
    N_("open period"),
    N_("duplicate document"),
    N_("unmapped line"),
    N_("currency mismatch"),
    N_("unit mismatch"),
    N_("semantics undetermined"),
    N_("usage not invoiced"),
    N_("invoiced without usage"),
    N_("matched"),
    N_("within tolerance"),
    N_("inconclusive cut off"),
    N_("inconclusive low coverage"),
    N_("inconclusive rejected rows"),
    N_("inconclusive repeated rows"),
    N_("inconclusive percentages"),
    N_("inconclusive reset"),
    N_("inconclusive fall"),
    N_("inconclusive restated"),
    N_("inconclusive clock"),
    N_("inconclusive gauge level"),
    N_("inconclusive rounding"),
    N_("inconclusive measure"),
    N_("inconclusive product names"),
    N_("inconclusive sum row"),
    N_("inconclusive issued early"),
    N_("inconclusive period"),
    N_("inconclusive unmapped"),
    N_("inconclusive price"),
    N_("inconclusive operation"),
    N_("overbilled quantity"),
    N_("underbilled quantity"),
    N_("no price"),
    N_("price difference"),
    N_("exchange difference"),
    N_("no report"),
    N_("no period"),
)
WITHOUT_NUMBER = N_("without a number")


def caption(text: str, locale: str) -> str:
    """Return a heading or a status as a person reads it: a status without its underscores, both in
    the language of the locale where that has a word for it."""
    return translate(text.replace("_", " "), locale)


def say_title(kind: str, number: str | None) -> Sentence:
    """Return how a person is told of a document: `credit note N-1`."""
    name = Sentence(kind.replace("_", " "))
    return together((name, number or Sentence(WITHOUT_NUMBER)), " ")


@lru_cache(maxsize=500)  # of few, and asked for each verdict
def label(status: str, locale: str) -> str:
    """Return a status or settlement as a BI tool shows it, alone in its cell: `Inconclusive: low
    coverage`, `No concluyente: pocas lecturas`."""
    words = caption(status, locale)
    if language_of(locale) != "es":
        words = words.replace("inconclusive ", "inconclusive: ")
    return words[:1].upper() + words[1:]


def status_word(status: str, locale: str) -> str:
    """Return a status or settlement where it stands beside a sentence: in English as it is in the
    marts and may be looked for, else as a person reads it."""
    return ContractWord(status).say(locale)
