"""What to do about each outcome of a call, in words for a person."""

from __future__ import annotations

from wolkvox_billing.vendor.answer import Outcome

ADVICE: dict[Outcome, str] = {
    Outcome.OK: "all is well",
    Outcome.EMPTY: "the vendor answers, and has no use to show for this month",
    Outcome.NOT_FOUND: "the vendor answers that it found nothing for this report",
    Outcome.BAD_TOKEN: "make a token in wolkvox Manager and put it in the settings",
    Outcome.QUOTA_SPENT: "the day's calls are spent: wait for the vendor's midnight, and find who "
    "else calls with this operation's tokens",
    Outcome.TOKEN_BUSY: "another program uses this token now: make one for this program alone",
    Outcome.MAINTENANCE: "the server lets nobody in now: try again later",
    Outcome.UNKNOWN_REPORT: "the server does not know the report: look at the setting `reports`",
    Outcome.BAD_ANSWER: "the answer is not in the vendor's format: look at `base_url` and "
    "`server`, and show the answer to wolkvox",
    Outcome.UNREACHABLE: "look at the setting `server`; ask wolkvox whether this machine's public "
    "address is on the operation's list: others are not let in",
    Outcome.TIMEOUT: "the server took the call and stayed silent: ask wolkvox whether this "
    "machine's public address is on the operation's list, or try again later",
    Outcome.SERVER_ERROR: "the server has a fault of its own: try again later",
}
