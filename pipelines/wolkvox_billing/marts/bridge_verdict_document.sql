-- One row per verdict and document in it, by their keys
SELECT
    b.verdict_key,
    b.document_id AS document_key,
    b.amount,
    b.billing_currency
FROM marts.bridged AS b
