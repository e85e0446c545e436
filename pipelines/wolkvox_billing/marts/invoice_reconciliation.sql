-- One row per supplier, operation, report, product, period and currency: what was billed against what was measured
--
-- Filled by `reconcile`: globs, tiers and sentences are the same on every engine that way.
SELECT
    r.supplier_id,
    r.operation_id,
    r.operation_name,
    r.report,
    r.product,
    r.billing_period_start,
    r.billing_period_end,
    r.billing_currency,
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
    r.invoice_ids,
    r.hours_unread_at_end,
    r.reconciliation_status,
    r.is_material,
    r.explanation,
    r.cut_off,
    r.doubts_excluded,
    r.settled_by,
    r.language,
    r.copy_status,
    r.missing_copies_cost
FROM marts.reconciled AS r
