-- Written by `make views`, of the files one folder up: change those.

-- table refreshed
CREATE TABLE IF NOT EXISTS __marts__.refreshed (as_of_epoch BIGINT, timezone TEXT, gauge_month TEXT, views_digest TEXT, inputs_digest TEXT, verdicts_epoch BIGINT);

-- table operations
CREATE TABLE IF NOT EXISTS __marts__.operations (operation_id TEXT, timezone TEXT);

-- table identities
CREATE TABLE IF NOT EXISTS __marts__.identities (operation_id TEXT, current_id TEXT, decision TEXT, other_id TEXT, server TEXT, operation_name TEXT);

-- table renames
CREATE TABLE IF NOT EXISTS __raw___internal.renames (operation_id TEXT, report TEXT, product TEXT, operation_name TEXT, newest_name TEXT);

-- table spellings
CREATE TABLE IF NOT EXISTS __raw___internal.spellings (operation_id TEXT, report TEXT, product TEXT, newest_product TEXT);

-- table reports
CREATE TABLE IF NOT EXISTS __raw___internal.reports (report TEXT, measure TEXT, measure_source TEXT, consumed_unit TEXT);

-- table months
CREATE TABLE IF NOT EXISTS __raw___internal.months (timezone TEXT, year_number BIGINT, month_number BIGINT, month_start DATE, month_end DATE, month_end_epoch BIGINT, days BIGINT);

-- table days
CREATE TABLE IF NOT EXISTS __raw___internal.days (timezone TEXT, calendar_date DATE, day_start_epoch BIGINT, day_end_epoch BIGINT);

-- table line_map
CREATE TABLE IF NOT EXISTS __marts__.line_map (line_number BIGINT, supplier_id TEXT, item_code TEXT, pattern TEXT, report TEXT, operation_id TEXT, product TEXT, role TEXT, factor DECIMAL(18, 8));

-- table rate_card
CREATE TABLE IF NOT EXISTS __raw___internal.rate_card (line_number BIGINT, report TEXT, operation_id TEXT, product TEXT, from_quantity DECIMAL(18, 4), unit_price DECIMAL(18, 8), currency TEXT, valid_from DATE, valid_to DATE, rounding TEXT, term TEXT, per DECIMAL(18, 4), tiers TEXT, pooled TEXT, every TEXT, pattern TEXT);

-- table exchange_rates
CREATE TABLE IF NOT EXISTS __raw___internal.exchange_rates (line_number BIGINT, date DATE, currency TEXT, in_currency TEXT, rate DECIMAL(38, 18));

-- table reconciled
CREATE TABLE IF NOT EXISTS __raw___internal.reconciled (supplier_id TEXT, operation_id TEXT, operation_name TEXT, report TEXT, product TEXT, billing_period_start DATE, billing_period_end DATE, billing_currency TEXT, consumed_quantity DECIMAL(18, 4), billed_quantity DECIMAL(18, 4), quantity_variance DECIMAL(18, 4), contracted_unit_price DECIMAL(18, 8), contracted_cost DECIMAL(18, 4), billed_cost DECIMAL(18, 4), cost_variance DECIMAL(18, 4), volume_effect DECIMAL(18, 4), price_effect DECIMAL(18, 4), exchange_effect DECIMAL(18, 4), invoice_ids TEXT, hours_unread_at_end DECIMAL(18, 4), reconciliation_status TEXT, is_material BOOLEAN, explanation TEXT, cut_off TEXT, doubts_excluded TEXT, settled_by TEXT, language TEXT, copy_status TEXT, missing_copies_cost DECIMAL(18, 4));

-- table components
CREATE TABLE IF NOT EXISTS __raw___internal.components (document_id TEXT, component_number BIGINT, component TEXT, line_number BIGINT, description TEXT, role TEXT, amount DECIMAL(18, 4), billing_currency TEXT, agreed_amount DECIMAL(18, 4), questioned_amount DECIMAL(18, 4), reconciliation_status TEXT, operation_id TEXT, report TEXT, product TEXT, billing_period_start DATE, reason TEXT, claimed_amount DECIMAL(18, 4), is_material BOOLEAN);

-- table settled
CREATE TABLE IF NOT EXISTS __raw___internal.settled (document_id TEXT, supplier_id TEXT, document_kind TEXT, document_number TEXT, issue_date DATE, due_date DATE, billing_currency TEXT, payable_amount DECIMAL(18, 4), agreed_amount DECIMAL(18, 4), questioned_amount DECIMAL(18, 4), claimed_amount DECIMAL(18, 4), settlement TEXT, acceptance_deadline DATE, explanation TEXT, billing_period_start DATE, billing_period_end DATE, is_material BOOLEAN);

-- table claimed
CREATE TABLE IF NOT EXISTS __raw___internal.claimed (claim_id TEXT, month TEXT, document_id TEXT, supplier_id TEXT, document_kind TEXT, document_number TEXT, issue_date DATE, billing_currency TEXT, claimed_amount DECIMAL(18, 4), credited_amount DECIMAL(18, 4), open_amount DECIMAL(18, 4), status TEXT, open_since DATE, claimed_on DATE, claimed_by TEXT, acceptance_deadline DATE, credit_notes TEXT);

-- table copied_days
CREATE TABLE IF NOT EXISTS __raw___internal.copied_days (operation_id TEXT, upload_date DATE, objects BIGINT, bytes BIGINT, audio_minutes DECIMAL(18, 4), empty_objects BIGINT, gone_objects BIGINT, unread_objects BIGINT, chat_objects BIGINT, other_objects BIGINT);

-- table copied_periods
CREATE TABLE IF NOT EXISTS __raw___internal.copied_periods (operation_id TEXT, operation_name TEXT, report TEXT, billing_period_start DATE, billing_period_end DATE, counted_quantity DECIMAL(18, 4), measured_quantity DECIMAL(18, 4), billed_quantity DECIMAL(18, 4), measured_variance DECIMAL(18, 4), billed_variance DECIMAL(18, 4), late_quantity DECIMAL(18, 4), gone_quantity DECIMAL(18, 4), missing_quantity DECIMAL(18, 4), missing_days BIGINT, copy_status TEXT, explanation TEXT);

-- table reconciled_by
CREATE TABLE IF NOT EXISTS __raw___internal.reconciled_by (inputs_digest TEXT, policy_digest TEXT);

-- view stg_readings
CREATE OR REPLACE VIEW __raw___internal.stg_readings AS SELECT COALESCE(i.current_id, r.operation_id) AS operation_id, r.operation_id AS operation_id_as_read, COALESCE(n.newest_name, r.operation) AS operation_name, r.operation AS name_as_read, r.report, COALESCE(s.newest_product, r.description) AS product, r.description AS product_as_read, r.date AS usage_date, r.items AS quantity, r.read_at, r.read_epoch, r.read_date, r.days_in_answer, r.poll_id FROM __raw__.readings AS r LEFT JOIN __marts__.identities AS i ON i.operation_id = r.operation_id LEFT JOIN __raw___internal.renames AS n ON n.operation_id = r.operation_id AND n.report = r.report AND n.product = r.description AND n.operation_name = r.operation LEFT JOIN __raw___internal.spellings AS s ON s.operation_id = r.operation_id AND s.report = r.report AND s.product = r.description WHERE (r.is_repeated IS NULL OR NOT r.is_repeated) AND (i.operation_id IS NULL OR NOT i.current_id IS NULL);
COMMENT ON VIEW __raw___internal.stg_readings IS 'One row per reading ever received that counts, of all reports: renamed once, nothing after this speaks vendor';
COMMENT ON COLUMN __raw___internal.stg_readings.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __raw___internal.stg_readings.operation_id_as_read IS 'The operation''s name in the settings when it was read';
COMMENT ON COLUMN __raw___internal.stg_readings.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __raw___internal.stg_readings.name_as_read IS 'The operation''s name as the vendor wrote it in this answer';
COMMENT ON COLUMN __raw___internal.stg_readings.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __raw___internal.stg_readings.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __raw___internal.stg_readings.product_as_read IS 'The product as the vendor spelled it in this answer';
COMMENT ON COLUMN __raw___internal.stg_readings.usage_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __raw___internal.stg_readings.quantity IS 'The number that was read';
COMMENT ON COLUMN __raw___internal.stg_readings.read_at IS 'When it was read (UTC)';
COMMENT ON COLUMN __raw___internal.stg_readings.read_epoch IS 'When it was read, in seconds since 1970';
COMMENT ON COLUMN __raw___internal.stg_readings.read_date IS 'The day when it was read, in the vendor''s time zone';
COMMENT ON COLUMN __raw___internal.stg_readings.days_in_answer IS 'The days that its answer gave for this product';
COMMENT ON COLUMN __raw___internal.stg_readings.poll_id IS 'The call that the last reading came from; see polls';

-- view day_readings
CREATE OR REPLACE VIEW __raw___internal.day_readings AS WITH spans AS (SELECT operation_id_as_read, name_as_read, report, product_as_read, usage_date, MIN(operation_id) AS operation_id, MIN(operation_name) AS operation_name, MIN(product) AS product, MIN(read_at) AS first_read_at, MAX(read_at) AS read_at, MAX(quantity) AS max_quantity FROM __raw___internal.stg_readings GROUP BY operation_id_as_read, name_as_read, report, product_as_read, usage_date), last_readings AS (SELECT s.operation_id, s.operation_name, s.report, s.product, s.usage_date, r.quantity, r.read_at, r.read_epoch, r.poll_id, r.days_in_answer, MIN(s.first_read_at) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product, s.usage_date) AS first_read_at, MAX(s.max_quantity) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product, s.usage_date) AS max_quantity, ROW_NUMBER() OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product, s.usage_date ORDER BY r.read_at DESC NULLS LAST, r.poll_id DESC NULLS LAST) AS place FROM spans AS s INNER JOIN __raw___internal.stg_readings AS r ON r.read_at = s.read_at AND r.usage_date = s.usage_date AND r.operation_id_as_read = s.operation_id_as_read AND r.name_as_read = s.name_as_read AND r.report = s.report AND r.product_as_read = s.product_as_read), held AS (SELECT r.operation_id, r.operation_name, r.report, r.product, r.usage_date, r.quantity, COALESCE(LEAD(r.read_epoch) OVER (PARTITION BY r.operation_id, r.operation_name, r.report, r.product, r.usage_date ORDER BY r.read_epoch, r.poll_id), d.day_end_epoch, r.read_epoch + 1) - r.read_epoch AS seconds FROM __raw___internal.stg_readings AS r CROSS JOIN __marts__.refreshed AS f LEFT JOIN __marts__.operations AS o ON o.operation_id = r.operation_id LEFT JOIN __raw___internal.days AS d ON d.calendar_date = r.usage_date AND d.day_end_epoch > r.read_epoch AND d.timezone = COALESCE(o.timezone, f.timezone) WHERE f.gauge_month = 'average'), averages AS (SELECT operation_id, operation_name, report, product, usage_date, CAST(CAST(FLOOR(CAST(20000 * SUM(CAST(quantity AS DECIMAL(38, 4)) * seconds) + SUM(seconds) AS DOUBLE PRECISION) / (2 * SUM(seconds))) AS DOUBLE PRECISION) / 10000 AS DECIMAL(38, 4)) AS average_quantity FROM held GROUP BY operation_id, operation_name, report, product, usage_date) SELECT d.operation_id, d.operation_name, d.report, d.product, d.usage_date, CAST(EXTRACT(DAY FROM d.usage_date) AS BIGINT) AS day_of_month, m.month_end_epoch - (m.days - CAST(EXTRACT(DAY FROM d.usage_date) AS BIGINT)) * 86400 AS day_end_epoch, m.month_start, m.month_end, m.month_end_epoch, d.quantity, d.first_read_at, d.read_at, d.read_epoch, d.poll_id, d.days_in_answer, CASE f.gauge_month WHEN 'max' THEN d.max_quantity WHEN 'average' THEN COALESCE(a.average_quantity, d.quantity) ELSE d.quantity END AS level_quantity FROM last_readings AS d CROSS JOIN __marts__.refreshed AS f LEFT JOIN averages AS a ON a.operation_id = d.operation_id AND a.operation_name = d.operation_name AND a.report = d.report AND a.product = d.product AND a.usage_date = d.usage_date INNER JOIN __raw___internal.months AS m ON m.year_number = EXTRACT(YEAR FROM d.usage_date) AND m.month_number = EXTRACT(MONTH FROM d.usage_date) LEFT JOIN __marts__.operations AS o ON o.operation_id = d.operation_id WHERE d.place = 1 AND m.timezone = COALESCE(o.timezone, f.timezone);
COMMENT ON VIEW __raw___internal.day_readings IS 'One row per operation, report, product and usage_date that was read: its last reading, and its levels';
COMMENT ON COLUMN __raw___internal.day_readings.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __raw___internal.day_readings.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __raw___internal.day_readings.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __raw___internal.day_readings.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __raw___internal.day_readings.usage_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __raw___internal.day_readings.day_of_month IS 'The day''s place in its month, from 1';
COMMENT ON COLUMN __raw___internal.day_readings.day_end_epoch IS 'The day''s end, in seconds since 1970 (an hour off where clocks were changed)';
COMMENT ON COLUMN __raw___internal.day_readings.month_start IS 'The month''s first day';
COMMENT ON COLUMN __raw___internal.day_readings.month_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __raw___internal.day_readings.month_end_epoch IS 'The month''s end, in seconds since 1970';
COMMENT ON COLUMN __raw___internal.day_readings.quantity IS 'The number that was read';
COMMENT ON COLUMN __raw___internal.day_readings.first_read_at IS 'The first reading (UTC)';
COMMENT ON COLUMN __raw___internal.day_readings.read_at IS 'When it was read (UTC)';
COMMENT ON COLUMN __raw___internal.day_readings.read_epoch IS 'When it was read, in seconds since 1970';
COMMENT ON COLUMN __raw___internal.day_readings.poll_id IS 'The call that the last reading came from; see polls';
COMMENT ON COLUMN __raw___internal.day_readings.days_in_answer IS 'The days that its answer gave for this product';
COMMENT ON COLUMN __raw___internal.day_readings.level_quantity IS 'What a level was on the day, by the setting gauge_month, over all readings';

-- view measured_days
CREATE OR REPLACE VIEW __raw___internal.measured_days AS WITH steps AS (SELECT d.*, LAG(d.month_start) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product ORDER BY d.usage_date) AS month_before, LAG(d.quantity) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product ORDER BY d.usage_date) AS quantity_before, LAG(d.day_of_month) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product ORDER BY d.usage_date) AS day_before, LAG(d.read_at) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product ORDER BY d.usage_date) AS read_before FROM __raw___internal.day_readings AS d), signs AS (SELECT s.*, COUNT(*) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS days, SUM(CASE WHEN s.days_in_answer > 1 THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS listed_days, SUM(CASE WHEN s.month_start = s.month_before THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS steps, SUM(CASE WHEN s.month_start = s.month_before AND s.quantity > s.quantity_before THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS rises, SUM(CASE WHEN s.month_start = s.month_before AND s.quantity < s.quantity_before THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS falls, SUM(CASE WHEN s.quantity = 0 THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS zeros, SUM(CASE WHEN s.month_start > s.month_before AND s.quantity < s.quantity_before THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS turns, SUM(CASE WHEN s.month_start > s.month_before AND s.quantity >= s.quantity_before AND s.quantity_before > 0 AND s.day_of_month <= 2 THEN 1 ELSE 0 END) OVER (PARTITION BY s.operation_id, s.operation_name, s.report, s.product) AS turns_without_reset FROM steps AS s), judged AS (SELECT s.*, t.measure AS setting, t.measure_source AS said_by, t.consumed_unit, f.gauge_month, CASE WHEN s.listed_days * 2 > s.days AND (s.falls > 0 OR s.rises < 6) THEN 'daily' WHEN s.listed_days * 2 > s.days THEN NULL WHEN s.falls * 20 <= s.rises AND s.rises >= 6 AND s.turns_without_reset = 0 THEN 'month_to_date' WHEN s.falls >= 2 AND s.falls * 100 >= s.steps * 15 THEN 'daily' WHEN s.steps >= 9 AND (s.steps - s.rises - s.falls) * 10 >= s.steps * 9 AND s.zeros * 2 < s.days THEN 'gauge' END AS looks_like FROM signs AS s CROSS JOIN __marts__.refreshed AS f LEFT JOIN __raw___internal.reports AS t ON t.report = s.report), decided AS (SELECT j.*, CASE WHEN COALESCE(setting, 'auto') = 'auto' THEN looks_like WHEN said_by = 'guess' AND looks_like = 'month_to_date' AND turns > 0 THEN NULL ELSE setting END AS measure FROM judged AS j) SELECT operation_id, operation_name, report, product, usage_date, day_of_month, day_end_epoch, month_start, month_end, month_end_epoch, quantity, first_read_at, read_at, read_epoch, poll_id, CASE WHEN month_start = month_before THEN quantity_before END AS previous_quantity, CASE WHEN month_start = month_before THEN day_before END AS previous_day, CASE WHEN month_start = month_before THEN read_before END AS previous_read_at, measure, CASE WHEN measure IS NULL THEN 'undetermined' WHEN COALESCE(setting, 'auto') <> 'auto' THEN said_by ELSE 'data' END AS measure_source, COALESCE(consumed_unit, 'units') AS consumed_unit, gauge_month, level_quantity FROM decided;
COMMENT ON VIEW __raw___internal.measured_days IS 'One row per operation, report, product and usage_date that was read: what its number means, and who says so';
COMMENT ON COLUMN __raw___internal.measured_days.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __raw___internal.measured_days.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __raw___internal.measured_days.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __raw___internal.measured_days.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __raw___internal.measured_days.usage_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __raw___internal.measured_days.day_of_month IS 'The day''s place in its month, from 1';
COMMENT ON COLUMN __raw___internal.measured_days.day_end_epoch IS 'The day''s end, in seconds since 1970 (an hour off where clocks were changed)';
COMMENT ON COLUMN __raw___internal.measured_days.month_start IS 'The month''s first day';
COMMENT ON COLUMN __raw___internal.measured_days.month_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __raw___internal.measured_days.month_end_epoch IS 'The month''s end, in seconds since 1970';
COMMENT ON COLUMN __raw___internal.measured_days.quantity IS 'The number that was read';
COMMENT ON COLUMN __raw___internal.measured_days.first_read_at IS 'The first reading (UTC)';
COMMENT ON COLUMN __raw___internal.measured_days.read_at IS 'When it was read (UTC)';
COMMENT ON COLUMN __raw___internal.measured_days.read_epoch IS 'When it was read, in seconds since 1970';
COMMENT ON COLUMN __raw___internal.measured_days.poll_id IS 'The call that the last reading came from; see polls';
COMMENT ON COLUMN __raw___internal.measured_days.previous_quantity IS 'What was read before';
COMMENT ON COLUMN __raw___internal.measured_days.previous_day IS 'The day read before in the same month: its place in it';
COMMENT ON COLUMN __raw___internal.measured_days.previous_read_at IS 'When that was read (UTC)';
COMMENT ON COLUMN __raw___internal.measured_days.measure IS 'What the number means: month_to_date, daily or gauge; NULL if undetermined';
COMMENT ON COLUMN __raw___internal.measured_days.measure_source IS 'Who says so: setting, data, or undetermined';
COMMENT ON COLUMN __raw___internal.measured_days.consumed_unit IS 'What is counted, such as audios';
COMMENT ON COLUMN __raw___internal.measured_days.gauge_month IS 'What a gauge''s month is: max, last or average of its days';
COMMENT ON COLUMN __raw___internal.measured_days.level_quantity IS 'What a level was on the day, by the setting gauge_month, over all readings';

-- view usage_daily
CREATE OR REPLACE VIEW __marts__.usage_daily AS WITH days AS (SELECT d.*, SUM(d.quantity) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start ORDER BY d.usage_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sum_so_far, SUM(d.level_quantity) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start ORDER BY d.usage_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS levels_so_far, MAX(d.level_quantity) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start ORDER BY d.usage_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS max_so_far, COUNT(*) OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start ORDER BY d.usage_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS days_so_far FROM __raw___internal.measured_days AS d), amounts AS (SELECT d.*, CASE d.measure WHEN 'month_to_date' THEN CAST(d.quantity AS DECIMAL(38, 4)) - COALESCE(d.previous_quantity, 0) WHEN 'daily' THEN d.quantity WHEN 'gauge' THEN d.level_quantity END AS consumed, CASE WHEN d.measure = 'month_to_date' THEN d.quantity WHEN d.measure = 'daily' THEN d.sum_so_far WHEN d.measure = 'gauge' AND d.gauge_month = 'max' THEN d.max_so_far WHEN d.measure = 'gauge' AND d.gauge_month = 'last' THEN d.quantity WHEN d.measure = 'gauge' AND d.gauge_month = 'average' THEN CAST(CAST(FLOOR(CAST(20000 * d.levels_so_far + d.days_so_far AS DOUBLE PRECISION) / (2 * d.days_so_far)) AS DOUBLE PRECISION) / 10000 AS DECIMAL(38, 4)) END AS so_far FROM days AS d) SELECT operation_id, operation_name, report, product, usage_date, measure, CASE WHEN ABS(consumed) < 100000000000000 THEN CAST(consumed AS DECIMAL(18, 4)) END AS consumed_quantity, CAST(CASE measure WHEN 'month_to_date' THEN day_of_month - COALESCE(previous_day, 0) WHEN 'daily' THEN 1 WHEN 'gauge' THEN 1 END AS BIGINT) AS days_covered, CASE WHEN ABS(so_far) < 100000000000000 THEN CAST(so_far AS DECIMAL(18, 4)) END AS month_to_date_quantity, consumed_unit, read_at, poll_id FROM amounts;
COMMENT ON VIEW __marts__.usage_daily IS 'One row per operation, report, product and usage_date that was read: what was used since the day read before';
COMMENT ON COLUMN __marts__.usage_daily.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.usage_daily.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.usage_daily.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.usage_daily.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __marts__.usage_daily.usage_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __marts__.usage_daily.measure IS 'What the number means: month_to_date, daily or gauge; NULL if undetermined';
COMMENT ON COLUMN __marts__.usage_daily.consumed_quantity IS 'What was used; NULL where nobody knows what the number means';
COMMENT ON COLUMN __marts__.usage_daily.days_covered IS 'The days that the quantity spans; more than 1 where days were not read';
COMMENT ON COLUMN __marts__.usage_daily.month_to_date_quantity IS 'What was used since the month began, up to and with this day';
COMMENT ON COLUMN __marts__.usage_daily.consumed_unit IS 'What is counted, such as audios';
COMMENT ON COLUMN __marts__.usage_daily.read_at IS 'When it was read (UTC)';
COMMENT ON COLUMN __marts__.usage_daily.poll_id IS 'The call that the last reading came from; see polls';

-- view usage_monthly
CREATE OR REPLACE VIEW __marts__.usage_monthly AS WITH days AS (SELECT d.*, ROW_NUMBER() OVER (PARTITION BY d.operation_id, d.operation_name, d.report, d.product, d.month_start ORDER BY d.usage_date DESC NULLS LAST) AS place FROM __raw___internal.measured_days AS d), months AS (SELECT operation_id, operation_name, report, product, month_start, month_end, month_end_epoch, measure, measure_source, consumed_unit, gauge_month, MAX(CASE WHEN place = 1 THEN quantity END) AS last_quantity, MAX(CASE WHEN place = 1 THEN poll_id END) AS poll_id, SUM(quantity) AS sum_of_days, SUM(level_quantity) AS sum_of_levels, MAX(level_quantity) AS max_quantity, COUNT(*) AS days_read, MIN(first_read_at) AS first_read_at, MAX(CASE WHEN place = 1 THEN read_at END) AS last_read_at, MAX(CASE WHEN place = 1 AND read_epoch < day_end_epoch THEN read_epoch WHEN place = 1 THEN day_end_epoch END) AS read_epoch FROM days GROUP BY operation_id, operation_name, report, product, month_start, month_end, month_end_epoch, measure, measure_source, consumed_unit, gauge_month) SELECT m.operation_id, m.operation_name, m.report, m.product, m.month_start AS billing_period_start, m.month_end AS billing_period_end, m.measure, m.measure_source, CASE WHEN ABS(CASE WHEN m.measure = 'month_to_date' THEN m.last_quantity WHEN m.measure = 'daily' THEN m.sum_of_days WHEN m.measure = 'gauge' AND m.gauge_month = 'max' THEN m.max_quantity WHEN m.measure = 'gauge' AND m.gauge_month = 'last' THEN m.last_quantity WHEN m.measure = 'gauge' AND m.gauge_month = 'average' THEN CAST(CAST(FLOOR(CAST(20000 * m.sum_of_levels + m.days_read AS DOUBLE PRECISION) / (2 * m.days_read)) AS DOUBLE PRECISION) / 10000 AS DECIMAL(38, 4)) END) < 100000000000000 THEN CAST(CASE WHEN m.measure = 'month_to_date' THEN m.last_quantity WHEN m.measure = 'daily' THEN m.sum_of_days WHEN m.measure = 'gauge' AND m.gauge_month = 'max' THEN m.max_quantity WHEN m.measure = 'gauge' AND m.gauge_month = 'last' THEN m.last_quantity WHEN m.measure = 'gauge' AND m.gauge_month = 'average' THEN CAST(CAST(FLOOR(CAST(20000 * m.sum_of_levels + m.days_read AS DOUBLE PRECISION) / (2 * m.days_read)) AS DOUBLE PRECISION) / 10000 AS DECIMAL(38, 4)) END AS DECIMAL(18, 4)) END AS consumed_quantity, CASE WHEN ABS(m.last_quantity) < 100000000000000 THEN CAST(m.last_quantity AS DECIMAL(18, 4)) END AS last_quantity, CASE WHEN ABS(m.sum_of_days) < 100000000000000 THEN CAST(m.sum_of_days AS DECIMAL(18, 4)) END AS sum_of_daily_quantity, m.consumed_unit, m.month_end_epoch <= f.as_of_epoch AS is_closed_period, m.first_read_at, m.last_read_at, CAST(CASE WHEN m.month_end_epoch > f.as_of_epoch THEN NULL WHEN m.read_epoch >= m.month_end_epoch THEN 0 ELSE CAST(m.month_end_epoch - m.read_epoch AS DOUBLE PRECISION) / 3600 END AS DECIMAL(18, 4)) AS hours_unread_at_end, m.poll_id FROM months AS m CROSS JOIN __marts__.refreshed AS f;
COMMENT ON VIEW __marts__.usage_monthly IS 'One row per operation, report, product and billing_period_start: what the month came to';
COMMENT ON COLUMN __marts__.usage_monthly.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.usage_monthly.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.usage_monthly.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.usage_monthly.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __marts__.usage_monthly.billing_period_start IS 'The month''s first day, in the vendor''s time zone';
COMMENT ON COLUMN __marts__.usage_monthly.billing_period_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __marts__.usage_monthly.measure IS 'What the number means: month_to_date, daily or gauge; NULL if undetermined';
COMMENT ON COLUMN __marts__.usage_monthly.measure_source IS 'Who says so: setting, data, or undetermined';
COMMENT ON COLUMN __marts__.usage_monthly.consumed_quantity IS 'What was used; NULL where nobody knows what the number means';
COMMENT ON COLUMN __marts__.usage_monthly.last_quantity IS 'The month''s last reading: what was used, if the number counts up';
COMMENT ON COLUMN __marts__.usage_monthly.sum_of_daily_quantity IS 'The sum of each day''s last reading: what was used, if days count';
COMMENT ON COLUMN __marts__.usage_monthly.consumed_unit IS 'What is counted, such as audios';
COMMENT ON COLUMN __marts__.usage_monthly.is_closed_period IS 'Whether the month was over when the views were refreshed';
COMMENT ON COLUMN __marts__.usage_monthly.first_read_at IS 'The first reading (UTC)';
COMMENT ON COLUMN __marts__.usage_monthly.last_read_at IS 'The last reading of the newest day (UTC)';
COMMENT ON COLUMN __marts__.usage_monthly.hours_unread_at_end IS 'Hours from the last reading to the month''s end; NULL before that end';
COMMENT ON COLUMN __marts__.usage_monthly.poll_id IS 'The call that the last reading came from; see polls';

-- view usage_restatements
CREATE OR REPLACE VIEW __marts__.usage_restatements AS WITH ordered AS (SELECT r.*, LAG(r.quantity) OVER (PARTITION BY r.operation_id, r.operation_name, r.report, r.product, r.usage_date ORDER BY r.read_at, r.poll_id) AS quantity_before, LAG(r.read_at) OVER (PARTITION BY r.operation_id, r.operation_name, r.report, r.product, r.usage_date ORDER BY r.read_at, r.poll_id) AS read_before FROM __raw___internal.stg_readings AS r), changes AS (SELECT operation_id, operation_name, report, product, usage_date, read_at, quantity_before, quantity, read_before FROM ordered WHERE quantity < quantity_before OR (quantity <> quantity_before AND read_date > usage_date) UNION ALL SELECT o.operation_id, o.operation_name, o.report, o.product, o.usage_date, o.read_at, d.previous_quantity, o.quantity, d.previous_read_at FROM ordered AS o INNER JOIN __raw___internal.measured_days AS d ON d.operation_id = o.operation_id AND d.operation_name = o.operation_name AND d.report = o.report AND d.product = o.product AND d.usage_date = o.usage_date WHERE o.quantity_before IS NULL AND o.quantity < d.previous_quantity AND COALESCE(d.measure, 'month_to_date') = 'month_to_date') SELECT operation_id, operation_name, report, product, usage_date, read_at, quantity_before AS previous_quantity, quantity, CASE WHEN ABS(CAST(quantity AS DECIMAL(38, 4)) - quantity_before) < 100000000000000 THEN CAST(CAST(quantity AS DECIMAL(38, 4)) - quantity_before AS DECIMAL(18, 4)) END AS quantity_change, read_before AS previous_read_at FROM changes;
COMMENT ON VIEW __marts__.usage_restatements IS 'One row per operation, report, product, usage_date and read_at: a value that changed after its day was over, or that fell';
COMMENT ON COLUMN __marts__.usage_restatements.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.usage_restatements.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.usage_restatements.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.usage_restatements.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __marts__.usage_restatements.usage_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __marts__.usage_restatements.read_at IS 'When it was read (UTC)';
COMMENT ON COLUMN __marts__.usage_restatements.previous_quantity IS 'What was read before';
COMMENT ON COLUMN __marts__.usage_restatements.quantity IS 'The number that was read';
COMMENT ON COLUMN __marts__.usage_restatements.quantity_change IS 'The new number less the one before';
COMMENT ON COLUMN __marts__.usage_restatements.previous_read_at IS 'When that was read (UTC)';

-- view poll_coverage
CREATE OR REPLACE VIEW __marts__.poll_coverage AS WITH polls AS (SELECT COALESCE(i.current_id, p.operation_id) AS operation_id, p.report, p.poll_date, p.started_at, p.started_epoch, p.outcome FROM __raw__.polls AS p LEFT JOIN __marts__.identities AS i ON i.operation_id = p.operation_id WHERE i.operation_id IS NULL OR NOT i.current_id IS NULL), asked AS (SELECT p.operation_id, p.report, COALESCE(o.timezone, f.timezone) AS timezone, MIN(p.poll_date) AS first_date, MAX(p.poll_date) AS last_date FROM polls AS p CROSS JOIN __marts__.refreshed AS f LEFT JOIN __marts__.operations AS o ON o.operation_id = p.operation_id GROUP BY p.operation_id, p.report, COALESCE(o.timezone, f.timezone)), names AS (SELECT operation_id, MAX(operation_name) AS operation_name FROM (SELECT operation_id, operation_name, read_at, MAX(read_at) OVER (PARTITION BY operation_id) AS last_read_at FROM __raw___internal.day_readings) AS d WHERE read_at = last_read_at GROUP BY operation_id), days AS (SELECT a.operation_id, a.report, c.calendar_date, c.day_start_epoch, CASE WHEN c.day_end_epoch < f.as_of_epoch OR c.day_start_epoch > f.as_of_epoch THEN c.day_end_epoch ELSE f.as_of_epoch END AS seen_until_epoch FROM asked AS a CROSS JOIN __marts__.refreshed AS f INNER JOIN __raw___internal.days AS c ON c.timezone = a.timezone AND c.calendar_date >= a.first_date AND (c.day_start_epoch <= f.as_of_epoch OR c.calendar_date <= a.last_date)), calls AS (SELECT operation_id, report, poll_date, started_at, started_epoch, CASE WHEN outcome IN ('ok', 'empty', 'not_found') THEN 1 ELSE 0 END AS is_answer FROM polls), answers AS (SELECT operation_id, report, poll_date, started_at, started_epoch, LAG(started_epoch) OVER (PARTITION BY operation_id, report, poll_date ORDER BY started_epoch) AS previous_epoch FROM calls WHERE is_answer = 1), answered AS (SELECT operation_id, report, poll_date, MIN(started_at) AS first_answer_at, MAX(started_at) AS last_answer_at, MIN(started_epoch) AS first_epoch, MAX(started_epoch) AS last_epoch, MAX(started_epoch - previous_epoch) AS gap_between FROM answers GROUP BY operation_id, report, poll_date), counted AS (SELECT operation_id, report, poll_date, COUNT(*) AS polls, SUM(is_answer) AS polls_answered FROM calls GROUP BY operation_id, report, poll_date), gaps AS (SELECT d.operation_id, d.report, d.calendar_date, COALESCE(n.polls, 0) AS polls, COALESCE(n.polls_answered, 0) AS polls_answered, a.first_answer_at, a.last_answer_at, COALESCE(a.first_epoch, d.seen_until_epoch) - d.day_start_epoch AS gap_before, COALESCE(a.gap_between, 0) AS gap_between, CASE WHEN a.last_epoch < d.seen_until_epoch THEN d.seen_until_epoch - a.last_epoch ELSE 0 END AS gap_after FROM days AS d LEFT JOIN counted AS n ON n.operation_id = d.operation_id AND n.report = d.report AND n.poll_date = d.calendar_date LEFT JOIN answered AS a ON a.operation_id = d.operation_id AND a.report = d.report AND a.poll_date = d.calendar_date) SELECT g.operation_id, n.operation_name, g.report, g.calendar_date AS poll_date, CAST(g.polls AS BIGINT) AS polls, CAST(g.polls_answered AS BIGINT) AS polls_answered, g.first_answer_at, g.last_answer_at, CAST(FLOOR(CAST(CASE WHEN g.gap_before >= g.gap_between AND g.gap_before >= g.gap_after THEN g.gap_before WHEN g.gap_between >= g.gap_after THEN g.gap_between ELSE g.gap_after END AS DOUBLE PRECISION) / 60) AS BIGINT) AS largest_gap_minutes, CAST(g.polls - g.polls_answered AS BIGINT) AS refusals FROM gaps AS g LEFT JOIN names AS n ON n.operation_id = g.operation_id;
COMMENT ON VIEW __marts__.poll_coverage IS 'One row per operation, report and poll_date, from the first poll on: days without a poll are rows too';
COMMENT ON COLUMN __marts__.poll_coverage.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.poll_coverage.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.poll_coverage.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.poll_coverage.poll_date IS 'The day in the vendor''s time zone';
COMMENT ON COLUMN __marts__.poll_coverage.polls IS 'Calls made, new tries included';
COMMENT ON COLUMN __marts__.poll_coverage.polls_answered IS 'Calls that were answered, be it that nothing was used';
COMMENT ON COLUMN __marts__.poll_coverage.first_answer_at IS 'The first call of the day that was answered (UTC)';
COMMENT ON COLUMN __marts__.poll_coverage.last_answer_at IS 'The last call of the day that was answered (UTC)';
COMMENT ON COLUMN __marts__.poll_coverage.largest_gap_minutes IS 'The longest time of the day without an answer';
COMMENT ON COLUMN __marts__.poll_coverage.refusals IS 'Calls that were refused or not answered';

-- view invoice_reconciliation
CREATE OR REPLACE VIEW __marts__.invoice_reconciliation AS SELECT r.supplier_id, r.operation_id, r.operation_name, r.report, r.product, r.billing_period_start, r.billing_period_end, r.billing_currency, r.consumed_quantity, r.billed_quantity, r.quantity_variance, r.contracted_unit_price, r.contracted_cost, r.billed_cost, r.cost_variance, r.volume_effect, r.price_effect, r.exchange_effect, r.invoice_ids, r.hours_unread_at_end, r.reconciliation_status, r.is_material, r.explanation, r.cut_off, r.doubts_excluded, r.settled_by, r.language, r.copy_status, r.missing_copies_cost FROM __raw___internal.reconciled AS r;
COMMENT ON VIEW __marts__.invoice_reconciliation IS 'One row per supplier, operation, report, product, period and currency: what was billed against what was measured';
COMMENT ON COLUMN __marts__.invoice_reconciliation.supplier_id IS 'The supplier''s tax id';
COMMENT ON COLUMN __marts__.invoice_reconciliation.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.invoice_reconciliation.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.invoice_reconciliation.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.invoice_reconciliation.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __marts__.invoice_reconciliation.billing_period_start IS 'The month''s first day, in the vendor''s time zone';
COMMENT ON COLUMN __marts__.invoice_reconciliation.billing_period_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __marts__.invoice_reconciliation.billing_currency IS 'The currency of the amounts';
COMMENT ON COLUMN __marts__.invoice_reconciliation.consumed_quantity IS 'What was used; NULL where nobody knows what the number means';
COMMENT ON COLUMN __marts__.invoice_reconciliation.billed_quantity IS 'How much was billed; NULL where no line states a quantity';
COMMENT ON COLUMN __marts__.invoice_reconciliation.quantity_variance IS 'billed_quantity less consumed_quantity';
COMMENT ON COLUMN __marts__.invoice_reconciliation.contracted_unit_price IS 'A unit''s price by the rate card, 8 decimals; of several the average';
COMMENT ON COLUMN __marts__.invoice_reconciliation.contracted_cost IS 'What the measured quantity costs by the rate card, to the cent';
COMMENT ON COLUMN __marts__.invoice_reconciliation.billed_cost IS 'What was billed, before tax; credit notes taken off';
COMMENT ON COLUMN __marts__.invoice_reconciliation.cost_variance IS 'billed_cost less contracted_cost';
COMMENT ON COLUMN __marts__.invoice_reconciliation.volume_effect IS 'What the billed quantity costs by the rate card, less contracted_cost';
COMMENT ON COLUMN __marts__.invoice_reconciliation.price_effect IS 'billed_cost less what the billed quantity costs by the rate card, in two currencies at the documents'' own exchange rate';
COMMENT ON COLUMN __marts__.invoice_reconciliation.exchange_effect IS 'What the billed quantity costs at the documents'' own exchange rate, less what it costs at the contract''s; 0 in one currency';
COMMENT ON COLUMN __marts__.invoice_reconciliation.invoice_ids IS 'The document_id of each invoice in it, separated by commas';
COMMENT ON COLUMN __marts__.invoice_reconciliation.hours_unread_at_end IS 'Hours from the last reading to the month''s end; NULL before that end';
COMMENT ON COLUMN __marts__.invoice_reconciliation.reconciliation_status IS 'The verdict: the first status that fits';
COMMENT ON COLUMN __marts__.invoice_reconciliation.is_material IS 'Whether the difference is worth an alarm, by the setting materiality';
COMMENT ON COLUMN __marts__.invoice_reconciliation.explanation IS 'The verdict in one sentence';
COMMENT ON COLUMN __marts__.invoice_reconciliation.cut_off IS 'Of a nightly copy: the measure of the month that the invoice agrees with';
COMMENT ON COLUMN __marts__.invoice_reconciliation.doubts_excluded IS 'Of an accusation: the honest explanations, and what excludes each, by lines';
COMMENT ON COLUMN __marts__.invoice_reconciliation.settled_by IS 'Of an inconclusive verdict: what would settle it';
COMMENT ON COLUMN __marts__.invoice_reconciliation.language IS 'Of the sentences: the setting language as it was then';
COMMENT ON COLUMN __marts__.invoice_reconciliation.copy_status IS 'Of the nightly copy: that of copy_reconciliation; else NULL';
COMMENT ON COLUMN __marts__.invoice_reconciliation.missing_copies_cost IS 'What billed copies cost that are not in the bucket, where it is a finding';

-- view invoice_components
CREATE OR REPLACE VIEW __marts__.invoice_components AS SELECT c.document_id, c.component_number, c.component, c.line_number, c.description, c.role, c.amount, c.billing_currency, c.agreed_amount, c.questioned_amount, c.reconciliation_status, c.operation_id, c.report, c.product, c.billing_period_start, c.reason, c.claimed_amount, c.is_material FROM __raw___internal.components AS c;
COMMENT ON VIEW __marts__.invoice_components IS 'One row per part of what a document asks for: its parts add up to its payable amount';
COMMENT ON COLUMN __marts__.invoice_components.document_id IS 'SHA-256 of the document, as in invoice_documents';
COMMENT ON COLUMN __marts__.invoice_components.component_number IS 'The part''s place in the document, from 1';
COMMENT ON COLUMN __marts__.invoice_components.component IS 'line, allowance, charge, tax (one a rate), withholding, rounding, prepaid or unexplained';
COMMENT ON COLUMN __marts__.invoice_components.line_number IS 'The line''s place in its file or document';
COMMENT ON COLUMN __marts__.invoice_components.description IS 'What is billed, in the supplier''s words';
COMMENT ON COLUMN __marts__.invoice_components.role IS 'What such a line is: quantity, price_component, fee, discount, tax, ignore or accepted; NULL where no row of the line map fits';
COMMENT ON COLUMN __marts__.invoice_components.amount IS 'What it adds to the amount that is asked for';
COMMENT ON COLUMN __marts__.invoice_components.billing_currency IS 'The currency of the amounts';
COMMENT ON COLUMN __marts__.invoice_components.agreed_amount IS 'What contract and record support of it';
COMMENT ON COLUMN __marts__.invoice_components.questioned_amount IS 'The rest of it';
COMMENT ON COLUMN __marts__.invoice_components.reconciliation_status IS 'The verdict: the first status that fits';
COMMENT ON COLUMN __marts__.invoice_components.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.invoice_components.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.invoice_components.product IS 'The product, as the vendor describes it';
COMMENT ON COLUMN __marts__.invoice_components.billing_period_start IS 'The month''s first day, in the vendor''s time zone';
COMMENT ON COLUMN __marts__.invoice_components.reason IS 'Why so much of it is agreed, in one sentence';
COMMENT ON COLUMN __marts__.invoice_components.claimed_amount IS 'Of what is questioned, that which the supplier is blamed for';
COMMENT ON COLUMN __marts__.invoice_components.is_material IS 'Whether the difference is worth an alarm, by the setting materiality';

-- view invoice_settlement
CREATE OR REPLACE VIEW __marts__.invoice_settlement AS SELECT s.document_id, s.supplier_id, s.document_kind, s.document_number, s.issue_date, s.due_date, s.billing_currency, s.payable_amount, s.agreed_amount, s.questioned_amount, s.claimed_amount, s.settlement, s.acceptance_deadline, s.explanation, s.billing_period_start, s.billing_period_end, s.is_material FROM __raw___internal.settled AS s;
COMMENT ON VIEW __marts__.invoice_settlement IS 'One row per document: what it asks for, what is agreed, questioned and claimed of it, and what to do';
COMMENT ON COLUMN __marts__.invoice_settlement.document_id IS 'SHA-256 of the document, as in invoice_documents';
COMMENT ON COLUMN __marts__.invoice_settlement.supplier_id IS 'The supplier''s tax id';
COMMENT ON COLUMN __marts__.invoice_settlement.document_kind IS 'invoice, credit_note, debit_note or corrected_invoice';
COMMENT ON COLUMN __marts__.invoice_settlement.document_number IS 'The number, as the document has it';
COMMENT ON COLUMN __marts__.invoice_settlement.issue_date IS 'The day of issue, as the document says';
COMMENT ON COLUMN __marts__.invoice_settlement.due_date IS 'The day on which it is to be paid';
COMMENT ON COLUMN __marts__.invoice_settlement.billing_currency IS 'The currency of the amounts';
COMMENT ON COLUMN __marts__.invoice_settlement.payable_amount IS 'What it asks for, tax included; below nothing of a credit note';
COMMENT ON COLUMN __marts__.invoice_settlement.agreed_amount IS 'What contract and record support of it';
COMMENT ON COLUMN __marts__.invoice_settlement.questioned_amount IS 'The rest of it';
COMMENT ON COLUMN __marts__.invoice_settlement.claimed_amount IS 'Of what is questioned, that which the supplier is blamed for';
COMMENT ON COLUMN __marts__.invoice_settlement.settlement IS 'pay, claim, question (nobody can settle it from here), wait (its period is open)';
COMMENT ON COLUMN __marts__.invoice_settlement.acceptance_deadline IS 'The last day to claim, where the law has one; no legal advice';
COMMENT ON COLUMN __marts__.invoice_settlement.explanation IS 'The verdict in one sentence';
COMMENT ON COLUMN __marts__.invoice_settlement.billing_period_start IS 'The month''s first day, in the vendor''s time zone';
COMMENT ON COLUMN __marts__.invoice_settlement.billing_period_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __marts__.invoice_settlement.is_material IS 'Whether the difference is worth an alarm, by the setting materiality';

-- view claims_open
CREATE OR REPLACE VIEW __marts__.claims_open AS SELECT c.claim_id, c.month, c.document_id, c.supplier_id, c.document_kind, c.document_number, c.issue_date, c.billing_currency, c.claimed_amount, c.credited_amount, c.open_amount, c.status, c.open_since, c.claimed_on, c.claimed_by, c.acceptance_deadline, c.credit_notes FROM __raw___internal.claimed AS c;
COMMENT ON VIEW __marts__.claims_open IS 'One row per document that was claimed: how much, what was given back since, and what is still open';
COMMENT ON COLUMN __marts__.claims_open.claim_id IS 'The newest claim on the document, as in claims';
COMMENT ON COLUMN __marts__.claims_open.month IS 'The month that was claimed, such as 2026-11';
COMMENT ON COLUMN __marts__.claims_open.document_id IS 'SHA-256 of the document, as in invoice_documents';
COMMENT ON COLUMN __marts__.claims_open.supplier_id IS 'The supplier''s tax id';
COMMENT ON COLUMN __marts__.claims_open.document_kind IS 'invoice, credit_note, debit_note or corrected_invoice';
COMMENT ON COLUMN __marts__.claims_open.document_number IS 'The number, as the document has it';
COMMENT ON COLUMN __marts__.claims_open.issue_date IS 'The day of issue, as the document says';
COMMENT ON COLUMN __marts__.claims_open.billing_currency IS 'The currency of the amounts';
COMMENT ON COLUMN __marts__.claims_open.claimed_amount IS 'Of what is questioned, that which the supplier is blamed for';
COMMENT ON COLUMN __marts__.claims_open.credited_amount IS 'What credit notes gave back that refer to it and came after the claim';
COMMENT ON COLUMN __marts__.claims_open.open_amount IS 'What of the claim was not given back yet';
COMMENT ON COLUMN __marts__.claims_open.status IS 'open, credited_in_part or credited';
COMMENT ON COLUMN __marts__.claims_open.open_since IS 'The day of the first claim on it that was not given back in whole';
COMMENT ON COLUMN __marts__.claims_open.claimed_on IS 'The day of the newest claim on it';
COMMENT ON COLUMN __marts__.claims_open.claimed_by IS 'Who claimed it last';
COMMENT ON COLUMN __marts__.claims_open.acceptance_deadline IS 'The last day to claim, where the law has one; no legal advice';
COMMENT ON COLUMN __marts__.claims_open.credit_notes IS 'The numbers of those credit notes, with commas';

-- view bucket_daily
CREATE OR REPLACE VIEW __marts__.bucket_daily AS SELECT c.operation_id, c.upload_date, c.objects, c.bytes, c.audio_minutes, c.empty_objects, c.gone_objects, c.unread_objects, c.chat_objects, c.other_objects FROM __raw___internal.copied_days AS c;
COMMENT ON VIEW __marts__.bucket_daily IS 'One row per operation and day on which something was copied into its folders, as the last look has it';
COMMENT ON COLUMN __marts__.bucket_daily.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.bucket_daily.upload_date IS 'The day of the copy in the vendor''s time zone';
COMMENT ON COLUMN __marts__.bucket_daily.objects IS 'Audios that were copied on the day, and are there';
COMMENT ON COLUMN __marts__.bucket_daily.bytes IS 'What these take';
COMMENT ON COLUMN __marts__.bucket_daily.audio_minutes IS 'How long they last; NULL where their sizes do not tell';
COMMENT ON COLUMN __marts__.bucket_daily.empty_objects IS 'Of the audios those without a byte';
COMMENT ON COLUMN __marts__.bucket_daily.gone_objects IS 'Audios that were seen, and are there no more';
COMMENT ON COLUMN __marts__.bucket_daily.unread_objects IS 'Files like audios whose names the pattern does not fit: not counted';
COMMENT ON COLUMN __marts__.bucket_daily.chat_objects IS 'Chats that were copied on the day';
COMMENT ON COLUMN __marts__.bucket_daily.other_objects IS 'Whatever else lies in the operation''s folders';

-- view copy_reconciliation
CREATE OR REPLACE VIEW __marts__.copy_reconciliation AS SELECT c.operation_id, c.operation_name, c.report, c.billing_period_start, c.billing_period_end, c.counted_quantity, c.measured_quantity, c.billed_quantity, c.measured_variance, c.billed_variance, c.late_quantity, c.gone_quantity, c.missing_quantity, c.missing_days, c.copy_status, c.explanation FROM __raw___internal.copied_periods AS c;
COMMENT ON VIEW __marts__.copy_reconciliation IS 'One row per operation and billing period: the audios in the bucket, the vendor''s count, and what was billed';
COMMENT ON COLUMN __marts__.copy_reconciliation.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN __marts__.copy_reconciliation.operation_name IS 'The operation''s name as the vendor writes it, of a renamed one the newest';
COMMENT ON COLUMN __marts__.copy_reconciliation.report IS 'The vendor''s report, such as rsync_s3_mp3';
COMMENT ON COLUMN __marts__.copy_reconciliation.billing_period_start IS 'The month''s first day, in the vendor''s time zone';
COMMENT ON COLUMN __marts__.copy_reconciliation.billing_period_end IS 'The day after the month''s last one';
COMMENT ON COLUMN __marts__.copy_reconciliation.counted_quantity IS 'Audios in the bucket that were copied in the period';
COMMENT ON COLUMN __marts__.copy_reconciliation.measured_quantity IS 'The vendor''s own count; NULL where it is not known';
COMMENT ON COLUMN __marts__.copy_reconciliation.billed_quantity IS 'How much was billed; NULL where no line states a quantity';
COMMENT ON COLUMN __marts__.copy_reconciliation.measured_variance IS 'measured_quantity less counted_quantity';
COMMENT ON COLUMN __marts__.copy_reconciliation.billed_variance IS 'billed_quantity less counted_quantity';
COMMENT ON COLUMN __marts__.copy_reconciliation.late_quantity IS 'Audios of calls of the period that were copied after it';
COMMENT ON COLUMN __marts__.copy_reconciliation.gone_quantity IS 'Audios copied in it that were seen, and are there no more';
COMMENT ON COLUMN __marts__.copy_reconciliation.missing_quantity IS 'Copies that the vendor counts and nothing explains; else 0';
COMMENT ON COLUMN __marts__.copy_reconciliation.missing_days IS 'Days with calls of which nothing was copied by the end of the next day';
COMMENT ON COLUMN __marts__.copy_reconciliation.copy_status IS 'Of the nightly copy: that of copy_reconciliation; else NULL';
COMMENT ON COLUMN __marts__.copy_reconciliation.explanation IS 'The verdict in one sentence';
