-- One row per document that was claimed: how much, what was given back since, and what is still open
--
-- Filled by `reconcile`, with the verdicts, and by `claim`.
SELECT c.* FROM marts.claimed AS c
