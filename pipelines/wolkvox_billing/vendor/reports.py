"""The vendor's world as data: its reports, its limits, its call.

Source of every claim, unless it says [guess]: wolkvox's API documentation, page "8. RSYNC S3 MP3"
and its sister pages. The API has 27 billing reports, all with one call and four fields.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from wolkvox_billing.errors import SettingsError

PATH = "/api/v2/billing.php"
BASE_URL = "https://wv{server}.wolkvox.com"
TIMEZONE = "America/Bogota"  # the vendor's servers are at GMT-5, without daylight saving
ROW_FIELDS = ("operation", "description", "items", "date")

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0  # the vendor ends a call after 60 s itself
MOST_BYTES = 256 * 1024 * 1024  # the vendor's own limit for one answer


class Report(NamedTuple):
    """One of the vendor's billing reports. That it counts or gauges, and what it says of how it is
    called, is a [guess] from its name; of one that is `auto` the vendor's words and its callers say
    different things."""

    kind: Literal["counter", "gauge", "auto"]
    unit: str
    says: str
    is_nightly: bool = False  # a job of each night fills it: the vendor's help centre

    @property
    def counts_whole_things(self) -> bool:
        """Whether no amount of it is a fraction: audios, calls, licences; but not minutes."""
        return self.unit != "minutes"


REPORTS: dict[str, Report] = {
    "rsync_s3_mp3": Report(
        "counter", "audios", "recordings that the nightly job copied to S3", is_nightly=True
    ),
    "ivr_minutes": Report("counter", "minutes", "minutes of calls in the IVR"),
    "rec_minutes": Report("counter", "minutes", "minutes of call recordings"),
    "rec_screen": Report(
        "counter", "minutes", "time of screen recordings, and of which share of calls"
    ),
    "interactions": Report("auto", "interactions", "interactions; its page speaks of licences"),
    "rec_screen_on_demand": Report("counter", "minutes", "time of screen recordings on demand"),
    "speech_analytics": Report("counter", "analyses", "calls that speech analytics looked at"),
    "sentiment_analysis": Report("counter", "analyses", "texts that sentiment analysis looked at"),
    "ivr_calls": Report("counter", "calls", "calls of the IVR"),
    "asr_calls": Report("counter", "calls", "calls with speech recognition"),
    "vision": Report("counter", "uses", "uses of image recognition"),
    "tts_chars": Report("counter", "characters", "characters that were spoken by text to speech"),
    "amd_ai": Report("counter", "uses", "uses of the answering machine detection"),
    "stereo_rec": Report("counter", "minutes", "minutes of stereo recordings"),
    "nlp_ai": Report("counter", "uses", "uses of language processing"),
    "agent_script": Report("gauge", "licences", "licences of the agent script"),
    "intelligent_dial": Report("gauge", "licences", "licences of the intelligent dialler"),
    "gamification": Report("gauge", "licences", "licences of gamification"),
    "amazon_s3": Report("gauge", "connectors", "connectors to Amazon S3"),
    "rsync": Report("gauge", "connectors", "connectors of RSYNC"),
    "wp_connectors": Report("gauge", "connectors", "connectors to WhatsApp"),
    "chat_licenses": Report("gauge", "licences", "licences of chat"),
    "interaction_licenses": Report("gauge", "licences", "licences of interactions"),
    "video_call": Report("gauge", "licences", "licences of video calls"),
    "pbx_licenses": Report("gauge", "licences", "licences of the PBX"),
    # Its one public caller multiplies it by a price per interaction.
    "wp_connectors_official": Report(
        "auto", "connectors", "official WhatsApp: connectors or interactions"
    ),
    "contact_center_licenses": Report("gauge", "licences", "licences of the contact centre"),
}


def is_nightly(report: str | None) -> bool:
    """Whether a job of each night fills a report, by its name."""
    return report in REPORTS and REPORTS[report].is_nightly


def unit_of(report: str | None) -> str:
    """Return what a report counts, by its name; nothing of one that is not known."""
    return REPORTS[report].unit if report in REPORTS else ""


# Names that our own tables have, or will have: no report may take one.
_TAKEN = re.compile(
    r"(polls|readings|answers|rejected_\w+|invoice_\w+|month_closes|line_map|rate_card|exchange_rates|\w*dlt_\w*)\Z"
)
_NEW = "new:"


def choose_reports(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the reports to ask for, in the order given and once each, and warnings for a person.

    `["all"]` is all 27; of other names see `known_report`. Raises SettingsError.
    """
    where = "the setting `reports` under [sources.wolkvox_billing]"
    if isinstance(names, str) or not all(isinstance(name, str) for name in names) or not names:
        raise SettingsError(f'{where} is a list of names, such as ["rsync_s3_mp3"] or ["all"]')
    chosen: list[str] = []
    warnings: list[str] = []
    for name in (n for word in names for n in (REPORTS if word == "all" else (word,))):
        report, warning = known_report(where, name)
        if warning:
            warnings.append(warning)
        if report not in chosen:
            chosen.append(report)
    return chosen, warnings


def known_report(where: str, name: str) -> tuple[str, str]:
    """Return the report of a name in a setting, and a warning for a person, or "".

    A name that the vendor has not published is a report added later, and is taken with a warning;
    unless it looks like a published one misspelt, or cannot be a name: then SettingsError.
    `new:NAME` says that no misspelling is meant. where: the setting, as a message begins.
    """
    report = name[len(_NEW) :] if name.startswith(_NEW) else name
    if report in REPORTS:
        return report, ""
    near = difflib.get_close_matches(report.lower(), REPORTS, n=3, cutoff=0.75)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", report) or _TAKEN.match(report):
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise SettingsError(f"{where} names {report!r}, which cannot be a report's name{hint}")
    if near and not name.startswith(_NEW):
        raise SettingsError(
            f"{where} names {report!r}, which wolkvox does not have; did you mean "
            f"{' or '.join(near)}? If wolkvox has added it, write {_NEW + report!r}."
        )
    return report, f"report {report!r} is not one of the {len(REPORTS)} known ones"
