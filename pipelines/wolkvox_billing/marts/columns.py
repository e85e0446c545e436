"""A sentence for each column of the marts: the same name means the same everywhere."""

from wolkvox_billing.marts import reconciled
from wolkvox_billing.marts.ahead import ANOMALY_COLUMNS, FORECAST_COLUMNS
from wolkvox_billing.marts.claimed import CLAIM_COLUMNS
from wolkvox_billing.marts.copied import COPIED_DAY_COLUMNS, COPIED_PERIOD_COLUMNS
from wolkvox_billing.marts.focused import FOCUS_COMMENTS
from wolkvox_billing.marts.settled import COMPONENT_COLUMNS, SETTLEMENT_COLUMNS
from wolkvox_billing.values.translation import N_, translate

_OF_ROWS = (
    ANOMALY_COLUMNS,
    FORECAST_COLUMNS,
    COPIED_DAY_COLUMNS,
    COPIED_PERIOD_COLUMNS,
    CLAIM_COLUMNS,
    COMPONENT_COLUMNS,
    SETTLEMENT_COLUMNS,
    reconciled.COLUMNS,
)
COLUMNS = {
    **FOCUS_COMMENTS,
    **{name: column.says for columns in _OF_ROWS for name, column in columns.items()},
    # Of the star.
    "operation_key": N_("The operation: its name in the settings; - is none"),
    "product_key": N_(
        "The product, or the report as a whole: report|product, or it alone; - is none"
    ),
    "date_key": N_("The day, in the vendor's time zone; of a period its first one"),
    "status_key": N_("The status: reconciliation_status; - is none"),
    "document_key": N_("The document: its document_id"),
    "component_key": N_("The part of a document: document_id|component_number"),
    "month_key": N_("The first day of the day's month"),
    "calendar_year": N_("The year of the day"),
    "calendar_quarter": N_("The quarter of the day's year, from 1"),
    "calendar_month": N_("The month of the day's year, from 1"),
    "day_number": N_("The day's place in its month, from 1"),
    "weekday_number": N_("The day of the week: 1 is Monday"),
    # Of the other views, and of the tables beside them.
    "as_of_epoch": "The moment up to which the marts speak, in seconds since 1970",
    "consumed_unit": N_("What is counted, such as audios"),
    "current_id": "What the operation counts as; NULL where it is left out",
    "day_of_month": N_("The day's place in its month, from 1"),
    "day_end_epoch": "The day's end, in seconds since 1970 (an hour off where clocks were changed)",
    "days_covered": N_("The days that the quantity spans; more than 1 where days were not read"),
    "days_in_answer": "The days that its answer gave for this product",
    "decision": "Why it counts so: renamed, merged, forgotten; by what was read: same, alike (two)",
    "factor": "Units of the report in one unit of the line; NULL where the line's unit says it",
    "first_answer_at": N_("The first call of the day that was answered (UTC)"),
    "first_read_at": N_("The first reading (UTC)"),
    "gauge_month": "What a gauge's month is: max, last or average of its days",
    "inputs_digest": "Tells whether the settings are those that the views were made with",
    "is_closed_period": N_("Whether the month was over when the views were refreshed"),
    "item_code": "The supplier's code of the item; blank fits all",
    "largest_gap_minutes": N_("The longest time of the day without an answer"),
    "last_answer_at": N_("The last call of the day that was answered (UTC)"),
    "last_quantity": N_("The month's last reading: what was used, if the number counts up"),
    "last_read_at": N_("The last reading of the newest day (UTC)"),
    "line_number": N_("The line's place in its file or document"),
    "measure": N_("What the number means: month_to_date, daily or gauge; NULL if undetermined"),
    "measure_source": N_("Who says so: setting, data, or undetermined"),
    "month_end": N_("The day after the month's last one"),
    "month_end_epoch": "The month's end, in seconds since 1970",
    "month_start": "The month's first day",
    "month_to_date_quantity": N_("What was used since the month began, up to and with this day"),
    "product_as_read": "The product as the vendor spelled it in this answer",
    "name_as_read": "The operation's name as the vendor wrote it in this answer",
    "operation_id_as_read": "The operation's name in the settings when it was read",
    "other_id": "Of what nobody decided: the operation with its server and its name at wolkvox",
    "pattern": "A glob over the line's description; blank fits all",
    "poll_date": N_("The day in the vendor's time zone"),
    "poll_id": N_("The call that the last reading came from; see polls"),
    "polls": N_("Calls made, new tries included"),
    "polls_answered": N_("Calls that were answered, be it that nothing was used"),
    "previous_day": "The day read before in the same month: its place in it",
    "previous_quantity": N_("What was read before"),
    "previous_read_at": N_("When that was read (UTC)"),
    "quantity": N_("The number that was read"),
    "level_quantity": "What a level was on the day, by the setting gauge_month, over all readings",
    "quantity_change": N_("The new number less the one before"),
    "reason": N_("Why it is so, in one sentence"),
    "read_at": N_("When it was read (UTC)"),
    "read_date": "The day when it was read, in the vendor's time zone",
    "read_epoch": "When it was read, in seconds since 1970",
    "refusals": N_("Calls that were refused or not answered"),
    "role": N_(
        "What such a line is: quantity, price_component, fee, discount, tax, ignore or "
        "accepted; NULL where no row of the line map fits"
    ),
    "server": "Of what nobody decided: the server that both read",
    "sum_of_daily_quantity": N_("The sum of each day's last reading: what was used, if days count"),
    "timezone": N_("The vendor's time zone there"),
    "usage_date": N_("The day in the vendor's time zone"),
    "verdicts_epoch": "The moment up to which the verdicts speak, in seconds since 1970",
    "views_digest": "Tells whether the views are this version's",
}


def comment_of(column: str) -> str:
    """Return what a database is told of a column: its sentence, in English and then in Spanish."""
    spanish = translate(COLUMNS[column], "es")
    return COLUMNS[column] if spanish == COLUMNS[column] else f"{COLUMNS[column]} / {spanish}"
