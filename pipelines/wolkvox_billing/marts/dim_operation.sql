-- One row per operation that a fact is of; `-` is none
SELECT
    k.operation_key,
    MAX(k.operation_name) AS operation_name,
    MAX(o.timezone) AS timezone
FROM (
    SELECT operation_id AS operation_key, operation_name FROM marts.usage_monthly
    UNION ALL
    SELECT operation_id AS operation_key, operation_name FROM marts.poll_coverage
    UNION ALL
    SELECT operation_id AS operation_key, operation_name
    FROM marts.reconciled
    WHERE operation_id IS NOT NULL
    UNION ALL
    SELECT '-' AS operation_key, '-' AS operation_name
) AS k
LEFT JOIN marts.operations AS o ON o.operation_id = k.operation_key
GROUP BY k.operation_key
