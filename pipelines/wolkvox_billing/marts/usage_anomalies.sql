-- One row per operation, report, product and day of the last year that falls out of what such days have
--
-- Filled by `reconcile`, with the verdicts.
SELECT a.* FROM marts.anomalies AS a
