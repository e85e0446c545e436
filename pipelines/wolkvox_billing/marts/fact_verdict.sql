-- One row per verdict; its amounts are in billing_currency
SELECT
    r.verdict_key,
    COALESCE(r.operation_id, '-') AS operation_key,
    CASE
        WHEN r.report IS NULL THEN '-'
        WHEN r.product IS NULL THEN r.report
        ELSE r.report || '|' || r.product
    END AS product_key,
    r.billing_period_start AS date_key,
    r.reconciliation_status AS status_key,
    r.supplier_id,
    r.billing_currency,
    r.month_label,
    r.is_invoiced,
    r.is_material,
    r.consumed_quantity,
    r.billed_quantity,
    r.quantity_variance,
    r.contracted_unit_price,
    r.contracted_cost,
    r.billed_cost,
    r.cost_variance,
    r.volume_effect,
    r.price_effect,
    r.exchange_effect,
    r.questioned_cost,
    r.claimed_cost,
    r.explanation,
    r.verdicts_as_of
FROM marts.reconciled AS r
