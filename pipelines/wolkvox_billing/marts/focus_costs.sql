-- One row per part of what a settled document asks for, as a charge of FOCUS 1.2
--
-- Filled by `reconcile`. FOCUS writes its names so, and they are quoted everywhere.
SELECT
    c.amount AS "BilledCost",
    d.billing_account_id AS "BillingAccountId",
    d.billing_account_name AS "BillingAccountName",
    COALESCE(c.billing_currency, 'XXX') AS "BillingCurrency",
    d.billing_period_end AS "BillingPeriodEnd",
    d.billing_period_start AS "BillingPeriodStart",
    CAST(
        CASE
            WHEN p.charge_category IS NOT NULL THEN p.charge_category
            WHEN c.component = 'tax' THEN 'Tax'
            ELSE 'Adjustment'
        END AS VARCHAR
    ) AS "ChargeCategory",
    d.charge_class AS "ChargeClass",
    COALESCE(NULLIF(c.description, ''), c.component) AS "ChargeDescription",
    CAST(
        CASE p.charge_category
            WHEN 'Usage' THEN 'Usage-Based'
            WHEN 'Purchase' THEN 'Recurring'
            ELSE 'One-Time'
        END AS VARCHAR
    ) AS "ChargeFrequency",
    COALESCE(p.charge_period_end, d.billing_period_end) AS "ChargePeriodEnd",
    COALESCE(p.charge_period_start, d.billing_period_start) AS "ChargePeriodStart",
    CASE WHEN p.charge_category = 'Usage' THEN p.pricing_quantity END AS "ConsumedQuantity",
    CASE WHEN p.charge_category = 'Usage' THEN p.pricing_unit END AS "ConsumedUnit",
    COALESCE(p.contracted_cost, c.amount) AS "ContractedCost",
    p.contracted_unit_price AS "ContractedUnitPrice",
    c.amount AS "EffectiveCost",
    d.invoice_id AS "InvoiceId",
    d.invoice_issuer_name AS "InvoiceIssuerName",
    c.amount AS "ListCost",
    CAST(CASE WHEN p.charge_category IS NOT NULL THEN 'Standard' END AS VARCHAR)
        AS "PricingCategory",
    p.pricing_quantity AS "PricingQuantity",
    p.pricing_unit AS "PricingUnit",
    CAST('wolkvox' AS VARCHAR) AS "ProviderName",
    CAST('wolkvox' AS VARCHAR) AS "PublisherName",
    CAST('Business Applications' AS VARCHAR) AS "ServiceCategory",
    COALESCE(c.report, 'wolkvox') AS "ServiceName",
    CAST('Other (Business Applications)' AS VARCHAR) AS "ServiceSubcategory",
    p.sku_id AS "SkuId",
    NULLIF(c.operation_id, '*') AS "SubAccountId",
    COALESCE(NULLIF(o.operation_name, ''), NULLIF(c.operation_id, '*')) AS "SubAccountName",
    CAST(c.document_id || '|' || CAST(c.component_number AS VARCHAR) AS VARCHAR) AS "x_ChargeId",
    c.agreed_amount AS "x_AgreedCost",
    c.questioned_amount AS "x_QuestionedCost",
    c.claimed_amount AS "x_ClaimedCost",
    c.document_id AS "x_DocumentId",
    c.reconciliation_status AS "x_ReconciliationStatus"
FROM marts.components AS c
INNER JOIN marts.focused AS d ON d.document_id = c.document_id
LEFT JOIN marts.focused_charges AS p
    ON p.document_id = c.document_id AND p.component_number = c.component_number
LEFT JOIN (
    SELECT operation_id, MAX(operation_name) AS operation_name
    FROM marts.reconciled
    GROUP BY operation_id
) AS o ON o.operation_id = c.operation_id
