-- One row per operation, report, product and usage_date that was read: what its number means, and who says so
--
-- A setting decides. `auto` asks the product's own history, by the last reading of each day:
--   most days were last read in an answer that held several days        → daily, but where these rise
--     6 times and never fall within a month: such a list may be of month-to-date numbers (NULL)
--   at least 6 rises within months, to 20 of them no more than one fall (a correction), and a fall at
--     each month's turn                                                  → month_to_date
--     (a turn whose first reading comes after the second day shows nothing: it may have grown again)
--   at least 2 falls, in at least 15 % of the steps within months       → daily
--   at least 9 steps within months, nine tenths of them flat, most not at zero → gauge
--   anything else                                                       → undetermined (NULL)
-- A level by its name alone is a guess: where the data shows a month-to-date counter over a turn, it is
-- undetermined.
WITH steps AS (
    SELECT
        d.*,
        LAG(d.month_start) OVER series AS month_before,
        LAG(d.quantity) OVER series AS quantity_before,
        LAG(d.day_of_month) OVER series AS day_before,
        LAG(d.read_at) OVER series AS read_before
    FROM marts.day_readings AS d
    WINDOW series AS (
        PARTITION BY d.operation_id, d.operation_name, d.report, d.product ORDER BY d.usage_date
    )
),
signs AS (
    SELECT
        s.*,
        COUNT(*) OVER series AS days,
        SUM(CASE WHEN s.days_in_answer > 1 THEN 1 ELSE 0 END) OVER series AS listed_days,
        SUM(CASE WHEN s.month_start = s.month_before THEN 1 ELSE 0 END) OVER series AS steps,
        SUM(CASE WHEN s.month_start = s.month_before AND s.quantity > s.quantity_before
            THEN 1 ELSE 0 END) OVER series AS rises,
        SUM(CASE WHEN s.month_start = s.month_before AND s.quantity < s.quantity_before
            THEN 1 ELSE 0 END) OVER series AS falls,
        SUM(CASE WHEN s.quantity = 0 THEN 1 ELSE 0 END) OVER series AS zeros,
        SUM(CASE WHEN s.month_start > s.month_before AND s.quantity < s.quantity_before
            THEN 1 ELSE 0 END) OVER series AS turns,
        SUM(CASE WHEN s.month_start > s.month_before AND s.quantity >= s.quantity_before
            AND s.quantity_before > 0 AND s.day_of_month <= 2 THEN 1 ELSE 0 END) OVER series AS turns_without_reset
    FROM steps AS s
    WINDOW series AS (PARTITION BY s.operation_id, s.operation_name, s.report, s.product)
),
judged AS (
    SELECT
        s.*,
        t.measure AS setting, t.measure_source AS said_by, t.consumed_unit, f.gauge_month,
        CASE
            WHEN s.listed_days * 2 > s.days AND (s.falls > 0 OR s.rises < 6) THEN 'daily'
            WHEN s.listed_days * 2 > s.days THEN NULL
            WHEN s.falls * 20 <= s.rises AND s.rises >= 6 AND s.turns_without_reset = 0
                THEN 'month_to_date'
            WHEN s.falls >= 2 AND s.falls * 100 >= s.steps * 15 THEN 'daily'
            WHEN s.steps >= 9 AND (s.steps - s.rises - s.falls) * 10 >= s.steps * 9
                AND s.zeros * 2 < s.days THEN 'gauge'
        END AS looks_like
    FROM signs AS s
    CROSS JOIN marts.refreshed AS f
    LEFT JOIN marts.reports AS t ON t.report = s.report
),
decided AS (
    SELECT
        j.*,
        CASE
            WHEN COALESCE(setting, 'auto') = 'auto' THEN looks_like
            WHEN said_by = 'guess' AND looks_like = 'month_to_date' AND turns > 0 THEN NULL
            ELSE setting
        END AS measure
    FROM judged AS j
)
SELECT
    operation_id, operation_name, report, product, usage_date,
    day_of_month, day_end_epoch, month_start, month_end, month_end_epoch,
    quantity, first_read_at, read_at, read_epoch, poll_id,
    -- The day read before in the same month; NULL where there is none.
    CASE WHEN month_start = month_before THEN quantity_before END AS previous_quantity,
    CASE WHEN month_start = month_before THEN day_before END AS previous_day,
    CASE WHEN month_start = month_before THEN read_before END AS previous_read_at,
    measure,
    CASE
        WHEN measure IS NULL THEN 'undetermined'
        WHEN COALESCE(setting, 'auto') <> 'auto' THEN said_by
        ELSE 'data'
    END AS measure_source,
    COALESCE(consumed_unit, 'units') AS consumed_unit,
    gauge_month,
    level_quantity
FROM decided
