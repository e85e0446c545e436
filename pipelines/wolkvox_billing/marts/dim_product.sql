-- One row per product of a report, and per report as a whole; `-` is none
SELECT
    k.product_key,
    k.report,
    MAX(k.product) AS product,
    MAX(k.product_label) AS product_label,
    MAX(k.consumed_unit) AS consumed_unit
FROM (
    SELECT
        report || '|' || product AS product_key,
        report, product, product AS product_label, consumed_unit
    FROM marts.usage_monthly
    UNION ALL
    SELECT
        CASE WHEN product IS NULL THEN report ELSE report || '|' || product END AS product_key,
        report, product, product_label, consumed_unit
    FROM marts.reconciled
    WHERE report IS NOT NULL
    UNION ALL
    SELECT
        report AS product_key, report, CAST(NULL AS VARCHAR) AS product,
        REPLACE(report, '_', ' ') AS product_label, consumed_unit
    FROM marts.reports
    WHERE report IN (SELECT p.report FROM raw.polls AS p)
    UNION ALL
    SELECT
        '-' AS product_key, '-' AS report, CAST(NULL AS VARCHAR) AS product,
        '-' AS product_label, CAST(NULL AS VARCHAR) AS consumed_unit
) AS k
GROUP BY k.product_key, k.report
