-- One row per document that bills
SELECT
    s.document_id AS document_key,
    s.document_number,
    s.document_kind,
    s.supplier_id,
    s.issue_date,
    s.due_date,
    s.billing_currency,
    s.payable_amount,
    s.agreed_amount,
    s.questioned_amount,
    s.claimed_amount,
    s.settlement,
    s.settlement_label,
    s.settlement_label_es,
    s.acceptance_deadline,
    s.month_label
FROM marts.settled AS s
