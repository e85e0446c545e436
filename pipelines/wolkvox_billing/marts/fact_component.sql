-- One row per part of what a document asks for; its amounts are in billing_currency
SELECT
    r.document_id || '|' || CAST(r.component_number AS VARCHAR) AS component_key,
    r.document_id AS document_key,
    COALESCE(r.operation_id, '-') AS operation_key,
    CASE
        WHEN r.report IS NULL THEN '-'
        WHEN r.product IS NULL THEN r.report
        ELSE r.report || '|' || r.product
    END AS product_key,
    r.billing_period_start AS date_key,
    COALESCE(r.reconciliation_status, '-') AS status_key,
    r.component,
    r.role,
    r.description,
    r.billing_currency,
    r.amount,
    r.agreed_amount,
    r.questioned_amount,
    r.claimed_amount,
    r.is_material
FROM marts.components AS r
