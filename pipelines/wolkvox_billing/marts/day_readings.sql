-- One row per operation, report, product and usage_date that was read: its last reading, and its levels
WITH spans AS (
    -- By the names that were read: engines know how many there are, and group them in memory.
    SELECT
        operation_id_as_read, name_as_read, report, product_as_read, usage_date,
        MIN(operation_id) AS operation_id,
        MIN(operation_name) AS operation_name,
        MIN(product) AS product,
        MIN(read_at) AS first_read_at,
        MAX(read_at) AS read_at,
        MAX(quantity) AS max_quantity
    FROM marts.stg_readings
    GROUP BY operation_id_as_read, name_as_read, report, product_as_read, usage_date
),
last_readings AS (
    SELECT
        s.operation_id, s.operation_name, s.report, s.product, s.usage_date,
        r.items AS quantity, r.read_at, r.read_epoch, r.poll_id, r.days_in_answer,
        MIN(s.first_read_at) OVER of_the_day AS first_read_at,
        MAX(s.max_quantity) OVER of_the_day AS max_quantity,
        -- Two calls at one moment: poll_id decides, the same way each time.
        ROW_NUMBER() OVER (
            PARTITION BY s.operation_id, s.operation_name, s.report, s.product, s.usage_date
            ORDER BY r.read_at DESC, r.poll_id DESC
        ) AS place
    FROM spans AS s
    -- As they were received: what they count as, spans know.
    INNER JOIN raw.readings AS r
        ON r.read_at = s.read_at
        AND r.date = s.usage_date
        AND r.operation_id = s.operation_id_as_read
        AND r.operation = s.name_as_read
        AND r.report = s.report
        AND r.description = s.product_as_read
        AND (r.is_repeated IS NULL OR NOT r.is_repeated)
    WINDOW of_the_day AS (
        PARTITION BY s.operation_id, s.operation_name, s.report, s.product, s.usage_date
    )
),
-- How long each level held in its day, up to the next reading: of averages only, it takes long.
held AS (
    SELECT
        r.operation_id, r.operation_name, r.report, r.product, r.usage_date, r.quantity,
        COALESCE(LEAD(r.read_epoch) OVER (
            PARTITION BY r.operation_id, r.operation_name, r.report, r.product, r.usage_date
            ORDER BY r.read_epoch, r.poll_id
        ), d.day_end_epoch, r.read_epoch + 1) - r.read_epoch AS seconds
    FROM marts.stg_readings AS r
    CROSS JOIN marts.refreshed AS f
    LEFT JOIN marts.operations AS o ON o.operation_id = r.operation_id
    LEFT JOIN marts.days AS d
        ON d.calendar_date = r.usage_date
        AND d.day_end_epoch > r.read_epoch
        AND d.timezone = COALESCE(o.timezone, f.timezone)
    WHERE f.gauge_month = 'average'
),
averages AS (
    SELECT
        operation_id, operation_name, report, product, usage_date,
        AVERAGE(SUM(CAST(quantity AS DECIMAL(38, 4)) * seconds), SUM(seconds)) AS average_quantity
    FROM held
    GROUP BY operation_id, operation_name, report, product, usage_date
)
SELECT
    d.operation_id, d.operation_name, d.report, d.product, d.usage_date,
    CAST(EXTRACT(DAY FROM d.usage_date) AS BIGINT) AS day_of_month,
    m.month_end_epoch - (m.days - CAST(EXTRACT(DAY FROM d.usage_date) AS BIGINT)) * 86400 AS day_end_epoch,
    m.month_start, m.month_end, m.month_end_epoch,
    d.quantity, d.first_read_at, d.read_at, d.read_epoch, d.poll_id, d.days_in_answer,
    -- What a level was on this day, by the setting, over all of its readings.
    CASE f.gauge_month
        WHEN 'max' THEN d.max_quantity
        WHEN 'average' THEN COALESCE(a.average_quantity, d.quantity)
        ELSE d.quantity
    END AS level_quantity
FROM last_readings AS d
CROSS JOIN marts.refreshed AS f
LEFT JOIN averages AS a
    ON a.operation_id = d.operation_id
    AND a.operation_name = d.operation_name
    AND a.report = d.report
    AND a.product = d.product
    AND a.usage_date = d.usage_date
INNER JOIN marts.months AS m
    ON m.year_number = EXTRACT(YEAR FROM d.usage_date)
    AND m.month_number = EXTRACT(MONTH FROM d.usage_date)
-- Last, and its zone in WHERE: where it was in the inner join's condition, DuckDB 2.0 lost the days of
-- an operation that is not in it.
LEFT JOIN marts.operations AS o ON o.operation_id = d.operation_id
WHERE d.place = 1 AND m.timezone = COALESCE(o.timezone, f.timezone)
