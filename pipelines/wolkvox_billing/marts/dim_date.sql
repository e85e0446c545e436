-- One row per day, without a gap: from the first January that a fact can be in to the end of next year
WITH numbers AS (
    SELECT DISTINCT CAST(EXTRACT(DAY FROM calendar_date) AS INTEGER) AS day_of_month
    FROM marts.days
),
firsts AS (
    SELECT MIN(calendar_date) AS first_day FROM marts.days
    UNION ALL
    SELECT MIN(billing_period_start) AS first_day FROM marts.reconciled
    UNION ALL
    SELECT MIN(date) AS first_day FROM raw.readings
),
months AS (
    SELECT DISTINCT year_number, month_number, month_start, days, first_weekday FROM marts.months
    WHERE year_number >= (SELECT MIN(EXTRACT(YEAR FROM first_day)) FROM firsts)
)
SELECT
    m.month_start + (n.day_of_month - 1) AS date_key,
    m.year_number AS calendar_year,
    CAST(FLOOR((m.month_number + 2) / 3) AS BIGINT) AS calendar_quarter,
    m.month_number AS calendar_month,
    CAST(n.day_of_month AS BIGINT) AS day_number,
    m.month_start AS month_key,
    SUBSTR(CAST(m.month_start AS VARCHAR), 1, 7) AS month_label,
    CAST((m.first_weekday + n.day_of_month - 2) % 7 + 1 AS BIGINT) AS weekday_number
FROM months AS m
INNER JOIN numbers AS n ON n.day_of_month <= m.days
