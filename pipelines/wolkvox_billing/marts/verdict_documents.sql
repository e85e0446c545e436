-- One row per verdict and document in it: what the document's lines bill of the verdict
--
-- Filled by `reconcile`, with the verdicts: their `invoice_ids`, one by one.
SELECT
    b.verdict_key,
    b.document_id,
    b.document_number,
    b.document_kind,
    b.issue_date,
    b.amount,
    b.billing_currency,
    b.supplier_id,
    b.operation_id,
    b.report,
    b.product,
    b.billing_period_start,
    b.billing_period_end
FROM marts.bridged AS b
