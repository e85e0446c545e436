"""The vendor's world: operations, the 27 reports, and what each of them shows at a given moment."""

from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

Row = dict[str, object]

COUNTERS = (
    "rsync_s3_mp3",
    "ivr_minutes",
    "rec_minutes",
    "rec_screen",
    "interactions",
    "rec_screen_on_demand",
    "speech_analytics",
    "sentiment_analysis",
    "ivr_calls",
    "asr_calls",
    "vision",
    "tts_chars",
    "amd_ai",
    "stereo_rec",
    "nlp_ai",
)
GAUGES = (
    "agent_script",
    "intelligent_dial",
    "gamification",
    "amazon_s3",
    "rsync",
    "wp_connectors",
    "chat_licenses",
    "interaction_licenses",
    "video_call",
    "pbx_licenses",
    "wp_connectors_official",
    "contact_center_licenses",
)
REPORTS = COUNTERS + GAUGES

PRODUCTS = {
    "interactions": ("INTERACTIONS WHATSAPP", "INTERACTIONS WEB CHAT"),
    "tts_chars": ("TTS CHARS STANDARD", "TTS CHARS NEURAL"),
    "contact_center_licenses": ("LICENSES VOICE", "LICENSES OMNICHANNEL"),
}

DAILY_QUOTA = 100_000
NIGHTLY_COPY_HOUR = 3
SUNDAY = 6
GAUGE_TERM_DAYS = 97


class Operation(NamedTuple):
    """A customer of the vendor; operations of one name and server are one, with several tokens."""

    name: str
    server: str
    token: str
    daily_quota: int = DAILY_QUOTA


DEFAULT_OPERATIONS = (
    Operation("Ventas  Norte", "0010", "a1" * 32),
    Operation("Atención Sur", "0024", "b2" * 32),
)


def rows(operation: str, report: str, local: datetime) -> list[Row]:
    """Return what a report shows at a local time: a row per product, the amount as a text, US
    style."""
    return [
        {
            "operation": operation,
            "description": product,
            "items": f"{amount(operation, report, product, local):,}",
            "date": f"{local:%Y-%m-%d %H:%M:%S}",
        }
        for product in products(report)
    ]


def products(report: str) -> tuple[str, ...]:
    """Return what a report counts, each in a row of its own."""
    return PRODUCTS.get(report, (report.replace("_", " ").upper(),))


def amount(operation: str, report: str, product: str, local: datetime) -> int:
    """Return a gauge's level, or a counter's use since the month began."""
    if report in GAUGES:
        # Mostly flat: it is drawn anew about four times a year, and not at a month's turn.
        term = local.date().toordinal() // GAUGE_TERM_DAYS
        level = 5 + drawn(40, operation, report, product)
        return level + drawn(4, operation, report, product, term)
    scale = 40 + drawn(400, operation, report, product)
    days = [date(local.year, local.month, day) for day in range(1, local.day + 1)]
    if report == "rsync_s3_mp3":
        if local.hour < NIGHTLY_COPY_HOUR:
            days.pop()
        days = [day for day in days if day.weekday() != SUNDAY]
    return sum(scale + drawn(scale, operation, report, product, day) for day in days)


def drawn(sides: int, *of: object) -> int:
    """Return a number below `sides` that depends on the words alone: every run tells the same
    story."""
    digest = sha256("|".join(map(str, of)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % sides
