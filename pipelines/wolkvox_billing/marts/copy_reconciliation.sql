-- One row per operation and billing period: the audios in the bucket, the vendor's count, and what was billed
--
-- Filled by `bucket`, and by `reconcile` with the verdicts.
SELECT
    c.operation_id,
    c.operation_name,
    c.report,
    c.billing_period_start,
    c.billing_period_end,
    c.counted_quantity,
    c.measured_quantity,
    c.billed_quantity,
    c.measured_variance,
    c.billed_variance,
    c.late_quantity,
    c.gone_quantity,
    c.missing_quantity,
    c.missing_days,
    c.copy_status,
    c.explanation
FROM marts.copied_periods AS c
