-- One row per supplier, operation, report, product, period and currency: what was billed against what was measured
--
-- Filled by `reconcile`: globs, tiers and sentences are the same on every engine that way.
SELECT r.* FROM marts.reconciled AS r
