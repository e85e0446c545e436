-- One row per operation, report and poll_date, from the first poll on: days without a poll are rows too
WITH polls AS (
    -- By what an operation counts as, as in stg_readings.
    SELECT
        COALESCE(i.current_id, p.operation_id) AS operation_id,
        p.report, p.poll_date, p.started_at, p.started_epoch, p.outcome
    FROM raw.polls AS p
    LEFT JOIN marts.identities AS i ON i.operation_id = p.operation_id
    WHERE i.operation_id IS NULL OR i.current_id IS NOT NULL
),
asked AS (
    SELECT
        p.operation_id, p.report, COALESCE(o.timezone, f.timezone) AS timezone,
        MIN(p.poll_date) AS first_date,
        MAX(p.poll_date) AS last_date
    FROM polls AS p
    CROSS JOIN marts.refreshed AS f
    LEFT JOIN marts.operations AS o ON o.operation_id = p.operation_id
    GROUP BY p.operation_id, p.report, COALESCE(o.timezone, f.timezone)
),
names AS (
    -- The name that the vendor gave last; NULL for an operation that never showed a reading. Grouped
    -- by names first, of which there are few: of each reading ever, no engine sorts all.
    SELECT operation_id, MAX(operation_name) AS operation_name
    FROM (
        SELECT
            operation_id, operation_name, read_at,
            MAX(read_at) OVER (PARTITION BY operation_id) AS last_read_at
        FROM (
            SELECT operation_id, operation_name, MAX(read_at) AS read_at
            FROM marts.stg_readings
            GROUP BY operation_id, operation_name
        ) AS r
    ) AS d
    WHERE read_at = last_read_at
    GROUP BY operation_id
),
days AS (
    SELECT
        a.operation_id, a.report, c.calendar_date, c.day_start_epoch,
        -- A day ahead of the clock was polled before somebody set the clock back: it is whole.
        CASE
            WHEN c.day_end_epoch < f.as_of_epoch OR c.day_start_epoch > f.as_of_epoch
                THEN c.day_end_epoch
            ELSE f.as_of_epoch
        END AS seen_until_epoch
    FROM asked AS a
    CROSS JOIN marts.refreshed AS f
    INNER JOIN marts.days AS c
        ON c.timezone = a.timezone
        AND c.calendar_date >= a.first_date
        AND (c.day_start_epoch <= f.as_of_epoch OR c.calendar_date <= a.last_date)
),
calls AS (
    SELECT
        operation_id, report, poll_date, started_at, started_epoch,
        CASE WHEN outcome IN ('ok', 'empty', 'not_found') THEN 1 ELSE 0 END AS is_answer
    FROM polls
),
answers AS (
    SELECT
        operation_id, report, poll_date, started_at, started_epoch,
        LAG(started_epoch) OVER (
            PARTITION BY operation_id, report, poll_date ORDER BY started_epoch
        ) AS previous_epoch
    FROM calls
    WHERE is_answer = 1
),
answered AS (
    SELECT
        operation_id, report, poll_date,
        MIN(started_at) AS first_answer_at,
        MAX(started_at) AS last_answer_at,
        MIN(started_epoch) AS first_epoch,
        MAX(started_epoch) AS last_epoch,
        MAX(started_epoch - previous_epoch) AS gap_between
    FROM answers
    GROUP BY operation_id, report, poll_date
),
counted AS (
    SELECT operation_id, report, poll_date, COUNT(*) AS polls, SUM(is_answer) AS polls_answered
    FROM calls
    GROUP BY operation_id, report, poll_date
),
gaps AS (
    SELECT
        d.operation_id, d.report, d.calendar_date,
        COALESCE(n.polls, 0) AS polls,
        COALESCE(n.polls_answered, 0) AS polls_answered,
        a.first_answer_at, a.last_answer_at,
        COALESCE(a.first_epoch, d.seen_until_epoch) - d.day_start_epoch AS gap_before,
        COALESCE(a.gap_between, 0) AS gap_between,
        CASE WHEN a.last_epoch < d.seen_until_epoch THEN d.seen_until_epoch - a.last_epoch ELSE 0
            END AS gap_after
    FROM days AS d
    LEFT JOIN counted AS n
        ON n.operation_id = d.operation_id
        AND n.report = d.report
        AND n.poll_date = d.calendar_date
    LEFT JOIN answered AS a
        ON a.operation_id = d.operation_id
        AND a.report = d.report
        AND a.poll_date = d.calendar_date
)
SELECT
    g.operation_id,
    n.operation_name,
    g.report,
    g.calendar_date AS poll_date,
    CAST(g.polls AS BIGINT) AS polls,
    CAST(g.polls_answered AS BIGINT) AS polls_answered,
    g.first_answer_at,
    g.last_answer_at,
    CAST(FLOOR(CAST(CASE
        WHEN g.gap_before >= g.gap_between AND g.gap_before >= g.gap_after THEN g.gap_before
        WHEN g.gap_between >= g.gap_after THEN g.gap_between
        ELSE g.gap_after
    END AS DOUBLE) / 60) AS BIGINT) AS largest_gap_minutes,
    CAST(g.polls - g.polls_answered AS BIGINT) AS refusals
FROM gaps AS g
LEFT JOIN names AS n ON n.operation_id = g.operation_id
