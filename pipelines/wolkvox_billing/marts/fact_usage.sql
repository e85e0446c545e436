-- One row per operation, product and day that was read: what was used since the day read before
SELECT
    u.operation_id AS operation_key,
    u.operation_name,
    u.report || '|' || u.product AS product_key,
    u.usage_date AS date_key,
    u.measure,
    u.consumed_quantity,
    u.days_covered,
    u.month_to_date_quantity,
    u.read_at
FROM marts.usage_daily AS u
