-- One row per operation and billing period: the audios in the bucket, the vendor's count, and what was billed
--
-- Filled by `bucket`, and by `reconcile` with the verdicts.
SELECT c.* FROM marts.copied_periods AS c
