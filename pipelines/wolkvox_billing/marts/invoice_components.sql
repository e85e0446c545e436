-- One row per part of what a document asks for: its parts add up to its payable amount
--
-- Filled by `reconcile`, with the verdicts.
SELECT
    c.document_id,
    c.component_number,
    c.component,
    c.line_number,
    c.description,
    c.role,
    c.amount,
    c.billing_currency,
    c.agreed_amount,
    c.questioned_amount,
    c.reconciliation_status,
    c.operation_id,
    c.report,
    c.product,
    c.billing_period_start,
    c.reason,
    c.claimed_amount,
    c.is_material
FROM marts.components AS c
