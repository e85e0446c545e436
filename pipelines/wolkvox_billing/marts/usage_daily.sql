-- One row per operation, report, product and usage_date that was read: what was used since the day read before
WITH days AS (
    SELECT
        d.*,
        SUM(d.quantity) OVER so_far AS sum_so_far,
        SUM(d.level_quantity) OVER so_far AS levels_so_far,
        MAX(d.level_quantity) OVER so_far AS max_so_far,
        COUNT(*) OVER so_far AS days_so_far
    FROM marts.measured_days AS d
    WINDOW so_far AS (
        PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start
        ORDER BY d.usage_date
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
amounts AS (
    SELECT
        d.*,
        CASE d.measure
            -- Wider first: not every engine widens a difference by itself.
            WHEN 'month_to_date'
                THEN CAST(d.quantity AS DECIMAL(38, 4)) - COALESCE(d.previous_quantity, 0)
            WHEN 'daily' THEN d.quantity
            WHEN 'gauge' THEN d.level_quantity
        END AS consumed,
        CASE
            WHEN d.measure = 'month_to_date' THEN d.quantity
            WHEN d.measure = 'daily' THEN d.sum_so_far
            WHEN d.measure = 'gauge' AND d.gauge_month = 'max' THEN d.max_so_far
            WHEN d.measure = 'gauge' AND d.gauge_month = 'last' THEN d.quantity
            WHEN d.measure = 'gauge' AND d.gauge_month = 'average' THEN AVERAGE(d.levels_so_far, d.days_so_far)
        END AS so_far
    FROM days AS d
)
SELECT
    operation_id,
    operation_name,
    report,
    product,
    usage_date,
    measure,
    QUANTITY(consumed) AS consumed_quantity,
    CAST(CASE measure
        WHEN 'month_to_date' THEN day_of_month - COALESCE(previous_day, 0)
        WHEN 'daily' THEN 1
        WHEN 'gauge' THEN 1
    END AS BIGINT) AS days_covered,
    QUANTITY(so_far) AS month_to_date_quantity,
    consumed_unit,
    read_at,
    poll_id
FROM amounts
