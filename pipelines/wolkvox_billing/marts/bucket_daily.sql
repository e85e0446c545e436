-- One row per operation and day on which something was copied into its folders, as the last look has it
--
-- Filled by `bucket`, and by `reconcile` with the verdicts.
SELECT c.* FROM marts.copied_days AS c
