-- One row per operation, report and day since the first poll: whether it was read
SELECT
    c.operation_id AS operation_key,
    c.operation_name,
    c.report AS product_key,
    c.poll_date AS date_key,
    c.polls,
    c.polls_answered,
    c.refusals,
    c.largest_gap_minutes
FROM marts.poll_coverage AS c
