-- One row per operation, report, product and currency of a month that runs: what it will come to
--
-- Filled by `reconcile`, with the verdicts.
SELECT
    f.operation_id,
    f.operation_name,
    f.report,
    f.product,
    f.billing_period_start,
    f.billing_period_end,
    f.forecast_from,
    f.days_known,
    f.consumed_quantity,
    f.expected_quantity,
    f.low_quantity,
    f.high_quantity,
    f.consumed_unit,
    f.billing_currency,
    f.expected_cost,
    f.low_cost,
    f.high_cost,
    f.budget_amount,
    f.budget_status,
    f.month_label
FROM marts.forecasts AS f
