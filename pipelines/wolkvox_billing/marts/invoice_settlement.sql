-- One row per document: what it asks for, what is agreed, questioned and claimed of it, and what to do
--
-- Filled by `reconcile`, with the verdicts.
SELECT s.* FROM marts.settled AS s
