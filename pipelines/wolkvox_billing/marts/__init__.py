"""The marts: what was used, as SQL views over `polls` and `readings`, one file each.

    readings ─▶ stg_readings ─▶ day_readings ─▶ measured_days ─┬▶ usage_daily
                     │                                │        └▶ usage_monthly
                     └────────────────────────────────┴▶ usage_restatements
    polls ─▶ poll_coverage

What `items` means is decided in `measured_days.sql`, and nowhere else. Beside the views stand
small tables that `refresh` fills: `refreshed` (the moment up to which the views speak, and the
settings `timezone` and `gauge_month`), `operations` (their time zones), `renames` (of operations
that the vendor calls otherwise now), `reports` (the setting `measures`), `months` and `days` (see
`sql`). Those that `reconcile` fills outlive every refresh. What is not there to be read lies in a
schema of its own: see `engine`; how another version's become this one's: see `remake`.
"""
