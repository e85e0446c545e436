-- One row per document: what it asks for, what is agreed, questioned and claimed of it, and what to do
--
-- Filled by `reconcile`, with the verdicts.
SELECT
    s.document_id,
    s.supplier_id,
    s.document_kind,
    s.document_number,
    s.issue_date,
    s.due_date,
    s.billing_currency,
    s.payable_amount,
    s.agreed_amount,
    s.questioned_amount,
    s.claimed_amount,
    s.settlement,
    s.acceptance_deadline,
    s.explanation,
    s.billing_period_start,
    s.billing_period_end,
    s.is_material,
    s.settlement_label,
    s.settlement_label_es,
    s.month_label
FROM marts.settled AS s
