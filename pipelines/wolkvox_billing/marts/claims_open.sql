-- One row per document that was claimed: how much, what was given back since, and what is still open
--
-- Filled by `reconcile`, with the verdicts, and by `claim`.
SELECT
    c.claim_id,
    c.month,
    c.document_id,
    c.supplier_id,
    c.document_kind,
    c.document_number,
    c.issue_date,
    c.billing_currency,
    c.claimed_amount,
    c.credited_amount,
    c.open_amount,
    c.status,
    c.open_since,
    c.claimed_on,
    c.claimed_by,
    c.acceptance_deadline,
    c.credit_notes
FROM marts.claimed AS c
