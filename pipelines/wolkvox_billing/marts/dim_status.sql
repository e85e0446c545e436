-- One row per status that a verdict or a part of a document has; `-` is none
SELECT
    s.status_key,
    s.status_label,
    s.status_label_es,
    s.severity
FROM marts.statuses AS s
UNION ALL
SELECT '-' AS status_key, '-' AS status_label, '-' AS status_label_es, 0 AS severity
