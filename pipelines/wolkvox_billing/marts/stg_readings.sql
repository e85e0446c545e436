-- One row per reading ever received that counts, of all reports: renamed once, nothing after this speaks vendor
SELECT
    COALESCE(i.current_id, r.operation_id) AS operation_id,
    r.operation_id AS operation_id_as_read,
    COALESCE(n.newest_name, r.operation) AS operation_name,
    r.operation AS name_as_read,
    r.report,
    COALESCE(s.newest_product, r.description) AS product,
    r.description AS product_as_read,
    r.date AS usage_date,
    r.items AS quantity,
    r.read_at,
    r.read_epoch,
    r.read_date,
    r.days_in_answer,
    r.poll_id
FROM raw.readings AS r
-- What a person or the answers themselves say that the operation counts as; without one: left out.
LEFT JOIN marts.identities AS i ON i.operation_id = r.operation_id
LEFT JOIN marts.renames AS n
    ON n.operation_id = r.operation_id
    AND n.report = r.report
    AND n.product = r.description
    AND n.operation_name = r.operation
LEFT JOIN marts.spellings AS s
    ON s.operation_id = r.operation_id
    AND s.report = r.report
    AND s.product = r.description
WHERE (r.is_repeated IS NULL OR NOT r.is_repeated)
    AND (i.operation_id IS NULL OR i.current_id IS NOT NULL)
