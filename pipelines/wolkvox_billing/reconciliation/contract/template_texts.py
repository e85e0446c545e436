"""The comments of a line map and a rate card to begin with, by language. Columns and words of the
cells are the contract's in each."""

LINE_MAP = {
    "en": """\
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
""",
    "es": """\
# Qué línea de una factura cobra qué reporte. Vale la primera fila que corresponde a la línea.
# pattern: * es cualquier texto, y ni mayúsculas ni tildes importan. En blanco, supplier_id,
#   item_code y pattern corresponden a todo. Un operation_id en blanco es la operación que la línea
#   nombra, o la única que hay, y * son todas juntas. Un product en blanco es el reporte entero.
# report: el nombre del proveedor, como rsync_s3_mp3. Queda en blanco donde no se compara nada.
# role: quantity (cantidad), price_component (un monto sin cantidad), fee (cargo), discount
#   (descuento), tax (impuesto), ignore (no se compara), accepted (se acepta, sea lo que sea).
# factor: cuántas unidades del reporte son una de la línea, como 1000. En blanco, lo dice la línea.
# 900123456,,*grabaciones*s3*,rsync_s3_mp3,,,quantity,
# ,,*grabaciones por mil*,rsync_s3_mp3,,,quantity,1000
# ,,*consumo minimo*,rsync_s3_mp3,,,price_component,
# ,,*descuento*,rsync_s3_mp3,,,discount,
# ,,*todas las operaciones*,rsync_s3_mp3,*,,quantity,
# ,,*cargo fijo*,,,,fee,
# ,,*soporte*,,,,accepted,
""",
}
RATE_CARD = {
    "en": """\
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
""",
    "es": """\
# Lo que dice el contrato, desde valid_from hasta antes de valid_to (en blanco: sin fin). En blanco,
# operation_id y product son todos. `term` dice qué es unit_price:
# unit_price: lo que cuestan las unidades por encima de from_quantity, cada `per`: 1000 es por mil.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,0,90000,COP,2026-01-01,,,unit_price,1000,,,,
#   Las primeras 1.000 son gratis: un tramo desde 0, y el precio desde 1.000.
# rsync_s3_mp3,,,0,0,COP,2026-01-01,,,unit_price,,,,,
# rsync_s3_mp3,,,1000,100,COP,2026-01-01,,,unit_price,,,,,
#   tiers: graduated (por tramos), o all_units si el tramo que se alcanza da precio a todo el mes.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,all_units,,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,all_units,,,
#   pooled: `all` si tramos, mínimo y paquete son de todas las operaciones juntas.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,,,unit_price,,,all,,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,,,unit_price,,,all,,
#   rounding: a qué se redondea cada llamada hacia arriba, como minute o 6_seconds.
# ivr_minutes,,,0,50,COP,2026-01-01,,minute,unit_price,,,,,
# minimum: lo que cuesta un mes por lo menos. La línea que lo completa es price_component.
# rsync_s3_mp3,,,,1000000,COP,2026-01-01,,,minimum,,,,,
# package: lo que cuestan from_quantity unidades usadas hasta valid_to. Más allá vale el precio por
#   unidad. La línea que lo cobra es un fee de su pattern.
# rsync_s3_mp3,,,36000,2880000,COP,2026-01-01,2027-01-01,,package,,,,,*paquete anual*
# fee: lo que cuestan las líneas a que corresponde pattern, cada mes o año, o una vez: month, year,
#   once.
# ,,,,200000,COP,2026-01-01,,,fee,,,,month,*cargo fijo*
# ,,,,500000,COP,2026-01-01,,,fee,,,,once,*instalacion*
# discount_percent: lo que se descuenta. tax_percent: el impuesto que se suma.
# rsync_s3_mp3,,,,10,COP,2026-01-01,,,discount_percent,,,,,
# ,,,,19,,2026-01-01,,,tax_percent,,,,,
""",
}
EXCHANGE_RATES = {
    "en": """\
# Where a price is in another currency than the invoice: on a day, what one `currency` is in
# `in_currency`, such as the TRM. It holds until the next day that is here, for a week at the most,
# so that weekends and holidays need no row; the other way round it is used inverted. Whose rate
# counts is the setting `exchange_rate`: document (its own), issue_date or period_end (this file's).
# 2026-10-30,USD,COP,4012.53
""",
    "es": """\
# Donde un precio está en otra moneda que la factura: en un día, cuánto vale una `currency` en
# `in_currency`, como la TRM. Rige hasta el día siguiente que esté aquí, una semana como máximo, de
# modo que fines de semana y festivos no necesitan fila; en el otro sentido se usa invertida. Cuál
# tasa vale lo dice el ajuste `exchange_rate`: document (la suya), issue_date o period_end (estas).
# 2026-10-30,USD,COP,4012.53
""",
}
