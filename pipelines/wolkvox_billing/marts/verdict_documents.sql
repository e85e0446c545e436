-- One row per verdict and document in it: what the document's lines bill of the verdict
--
-- Filled by `reconcile`, with the verdicts: their `invoice_ids`, one by one.
SELECT b.* FROM marts.bridged AS b
