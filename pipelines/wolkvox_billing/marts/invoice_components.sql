-- One row per part of what a document asks for: its parts add up to its payable amount
--
-- Filled by `reconcile`, with the verdicts.
SELECT c.* FROM marts.components AS c
