-- One row per operation, report, product and day of the last year that falls out of what such days have
--
-- Filled by `reconcile`, with the verdicts.
SELECT
    a.operation_id,
    a.operation_name,
    a.report,
    a.product,
    a.usage_date,
    a.consumed_quantity,
    a.expected_quantity,
    a.low_quantity,
    a.high_quantity,
    a.kind,
    a.reason,
    a.consumed_unit
FROM marts.anomalies AS a
