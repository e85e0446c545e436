-- What the vendor's texts mean, for the peers that load them as they come: the last step of each.
CREATE OR REPLACE TABLE usage AS
SELECT
    operation_id::VARCHAR AS operation_id,
    operation::VARCHAR AS operation,
    description::VARCHAR AS description,
    date::DATE AS date,
    replace(items::VARCHAR, ',', '')::DECIMAL(18, 4) AS items
FROM landed;
