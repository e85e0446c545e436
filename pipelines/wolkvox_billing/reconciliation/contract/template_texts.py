"""The comments of a line map and a rate card to begin with, which are
translated. Columns and words of the cells are the contract's in each language."""

from wolkvox_billing.values.translation import N_

LINE_MAP = N_("""\
# Which line of an invoice bills which report. The first row that fits a line wins.
# pattern: * stands for any text; case and accents do not matter. A blank supplier_id, item_code or
#   pattern fits all; a blank operation_id is the one that the line names, or the only one there is,
#   and * is all operations together; a blank product is the report as a whole.
# report: the vendor's name, such as rsync_s3_mp3; a row that compares nothing may leave it blank.
# role: quantity, price_component (an amount without a quantity), fee, discount, tax, ignore, or
#   accepted (agreed, whatever it is).
# factor: units of the report in one unit of the line, such as 1000. Blank: by the line's unit.
# 900123456,,*grabaciones*s3*,rsync_s3_mp3,,,quantity,
# ,,*grabaciones por mil*,rsync_s3_mp3,,,quantity,1000
# ,,*consumo minimo*,rsync_s3_mp3,,,price_component,
# ,,*descuento*,rsync_s3_mp3,,,discount,
# ,,*todas las operaciones*,rsync_s3_mp3,*,,quantity,
# ,,*cargo fijo*,,,,fee,
# ,,*soporte*,,,,accepted,
""")
RATE_CARD = N_("""\
# What the contract says, from valid_from to before valid_to (blank: further on). A blank
# operation_id or product means all. `term` says what unit_price is:
# unit_price: what units beyond from_quantity cost, `per` of them: 1000 is a price per thousand.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,0,90000,COP,2026-01-01,,,unit_price,1000,,,,
#   The first 1,000 are free: a tier at 0, and the price from 1,000 on.
# rsync_s3_mp3,,,0,0,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,1000,100,COP,2026-01-01,,,unit_price,,,,,
#   tiers: graduated, or all_units where the tier that a month reaches prices all of it.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,all_units,,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,all_units,,,
#   pooled: `all` where tiers, minimum and package are of all operations together.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,,all,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,,all,,
#   rounding: to what each call is rounded up, such as minute or 6_seconds.
# ivr_minutes,,,0,50,COP,2026-01-01,,minute,unit_price,,,,,
# minimum: what a month costs at least. The line that tops it up is a price_component.
# rsync_s3_mp3,,,,1000000,COP,2026-01-01,,,minimum,,,,,
# package: what from_quantity units cost that are used until valid_to, beyond which the unit price
#   holds. The line that bills it is a fee of its pattern.
# rsync_s3_mp3,,,36000,2880000,COP,2026-01-01,2027-01-01,,package,,,,,*paquete anual*
# fee: what the lines cost that pattern fits, every month, year, or once.
# ,,,,200000,COP,2026-01-01,,,fee,,,,month,*cargo fijo*
# ,,,,500000,COP,2026-01-01,,,fee,,,,once,*instalacion*
# discount_percent: what is taken off; tax_percent: the tax that is put on.
# rsync_s3_mp3,,,,10,COP,2026-01-01,,,discount_percent,,,,,
# ,,,,19,,2026-01-01,,,tax_percent,,,,,
""")
EXCHANGE_RATES = N_("""\
# Where a price is in another currency than the invoice: on a day, what one `currency` is in
# `in_currency`, such as the TRM. It holds until the next day that is here, for a week at the most,
# so that weekends and holidays need no row; the other way round it is used inverted. Whose rate
# counts is the setting `exchange_rate`: document (its own), issue_date or period_end (this file's).
# 2026-10-30,USD,COP,4012.53
""")
