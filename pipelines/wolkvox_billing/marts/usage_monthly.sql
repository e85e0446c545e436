-- One row per operation, report, product and billing_period_start: what the month came to
WITH days AS (
    SELECT
        d.*,
        ROW_NUMBER() OVER (
            PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start
            ORDER BY d.usage_date DESC
        ) AS place
    FROM marts.measured_days AS d
),
months AS (
    SELECT
        operation_id, operation_name, report, product, month_start, month_end, month_end_epoch,
        measure, measure_source, consumed_unit, gauge_month,
        MAX(CASE WHEN place = 1 THEN quantity END) AS last_quantity,
        MAX(CASE WHEN place = 1 THEN poll_id END) AS poll_id,
        SUM(quantity) AS sum_of_days,
        SUM(level_quantity) AS sum_of_levels,
        MAX(level_quantity) AS max_quantity,
        COUNT(*) AS days_read,
        MIN(first_read_at) AS first_read_at,
        -- Of the newest day: an older one that is read again says nothing of the month's end.
        MAX(CASE WHEN place = 1 THEN read_at END) AS last_read_at,
        MAX(CASE WHEN place = 1 AND read_epoch < day_end_epoch THEN read_epoch
            WHEN place = 1 THEN day_end_epoch END) AS read_epoch
    FROM days
    GROUP BY
        operation_id, operation_name, report, product, month_start, month_end, month_end_epoch,
        measure, measure_source, consumed_unit, gauge_month
)
SELECT
    m.operation_id,
    m.operation_name,
    m.report,
    m.product,
    m.month_start AS billing_period_start,
    m.month_end AS billing_period_end,
    m.measure,
    m.measure_source,
    QUANTITY(CASE
        WHEN m.measure = 'month_to_date' THEN m.last_quantity
        WHEN m.measure = 'daily' THEN m.sum_of_days
        WHEN m.measure = 'gauge' AND m.gauge_month = 'max' THEN m.max_quantity
        WHEN m.measure = 'gauge' AND m.gauge_month = 'last' THEN m.last_quantity
        WHEN m.measure = 'gauge' AND m.gauge_month = 'average' THEN AVERAGE(m.sum_of_levels, m.days_read)
    END) AS consumed_quantity,
    QUANTITY(m.last_quantity) AS last_quantity,
    QUANTITY(m.sum_of_days) AS sum_of_daily_quantity,
    m.consumed_unit,
    m.month_end_epoch <= f.as_of_epoch AS is_closed_period,
    m.first_read_at,
    m.last_read_at,
    CAST(CASE
        WHEN m.month_end_epoch > f.as_of_epoch THEN NULL
        WHEN m.read_epoch >= m.month_end_epoch THEN 0
        ELSE CAST(m.month_end_epoch - m.read_epoch AS DOUBLE) / 3600
    END AS DECIMAL(18, 4)) AS hours_unread_at_end,
    m.poll_id,
    SUBSTR(CAST(m.month_start AS VARCHAR), 1, 7) AS month_label
FROM months AS m
CROSS JOIN marts.refreshed AS f
