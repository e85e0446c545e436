-- One row per operation and day on which something was copied into its folders, as the last look has it
--
-- Filled by `bucket`, and by `reconcile` with the verdicts.
SELECT
    c.operation_id,
    c.upload_date,
    c.objects,
    c.bytes,
    c.audio_minutes,
    c.empty_objects,
    c.gone_objects,
    c.unread_objects,
    c.chat_objects,
    c.other_objects
FROM marts.copied_days AS c
