-- One row per operation, report, product, usage_date and read_at: a value that changed after its day was over, or that fell
WITH ordered AS (
    SELECT
        r.*,
        LAG(r.quantity) OVER of_the_day AS quantity_before,
        LAG(r.read_at) OVER of_the_day AS read_before
    FROM marts.stg_readings AS r
    WINDOW of_the_day AS (
        PARTITION BY r.operation_id, r.operation_name, r.report, r.product, r.usage_date
        ORDER BY r.read_at, r.poll_id
    )
),
changes AS (
    SELECT
        operation_id, operation_name, report, product, usage_date,
        read_at, quantity_before, quantity, read_before
    FROM ordered
    WHERE quantity < quantity_before OR (quantity <> quantity_before AND read_date > usage_date)
    UNION ALL
    -- A counter whose first reading of a day is below the last one of the day read before; where
    -- nobody knows what the number means, it may be one.
    SELECT
        o.operation_id, o.operation_name, o.report, o.product, o.usage_date,
        o.read_at, d.previous_quantity, o.quantity, d.previous_read_at
    FROM ordered AS o
    INNER JOIN marts.measured_days AS d
        ON d.operation_id = o.operation_id
        AND d.operation_name = o.operation_name
        AND d.report = o.report
        AND d.product = o.product
        AND d.usage_date = o.usage_date
    WHERE
        o.quantity_before IS NULL
        AND o.quantity < d.previous_quantity
        AND COALESCE(d.measure, 'month_to_date') = 'month_to_date'
)
SELECT
    operation_id,
    operation_name,
    report,
    product,
    usage_date,
    read_at,
    quantity_before AS previous_quantity,
    quantity,
    QUANTITY(CAST(quantity AS DECIMAL(38, 4)) - quantity_before) AS quantity_change,
    read_before AS previous_read_at
FROM changes
