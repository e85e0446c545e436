-- One row per operation, report, product and currency of a month that runs: what it will come to
--
-- Filled by `reconcile`, with the verdicts.
SELECT f.* FROM marts.forecasts AS f
