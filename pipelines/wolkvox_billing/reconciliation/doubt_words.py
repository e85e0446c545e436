"""What is said of an honest explanation: that it stands, what excludes it, what would settle it."""

from __future__ import annotations

from typing import NamedTuple


class Sentences(NamedTuple):
    """The parts of sentences of one explanation; blanks where nothing is to be said."""

    stands: str
    excluded: str
    settled_by: str


TEXTS: dict[str, dict[str, Sentences]] = {
    "en": {
        "rejected_rows": Sentences(
            "{rows} of this report could not be read, so that the use in it is not known",
            "unreadable rows: none of this report in this time",
            "the rows in rejected_rows: ask the vendor what they mean, or report the format",
        ),
        "repeated_rows": Sentences(
            "answers held two amounts for one product and day ({rows}): nobody knows whether "
            "they add up",
            "two amounts for one product: no answer held any",
            "the vendor's word on whether rows of one product add up",
        ),
        "percentages": Sentences(
            "percentages were counted as use ({rows})",
            "",
            "a row in the line map for each product that is use",
        ),
        "reset": Sentences(
            "the counter showed {before} and fell to about nothing within hours of the month's "
            "turn: its clock may be another one",
            "another clock: no fall was seen within 14 hours of the month's end but at the turn",
            "the vendor's word on when its month ends, and the setting `timezone`",
        ),
        "small_reset": Sentences(
            "",
            "another clock: by the fall within hours of the turn, no more than {missing} may be "
            "missing",
            "",
        ),
        "fall": Sentences(
            "the counter fell within the month, so that up to {missing} may be missing in its last "
            "reading",
            "a restart or recomputation: no fall was seen within the month",
            "the vendor's word on why the counter fell: see usage_restatements",
        ),
        "small_fall": Sentences(
            "",
            "a restart or recomputation: by the falls that were seen, no more than {missing} may "
            "be wrong",
            "",
        ),
        "taken_back": Sentences(
            "the counter fell within the month by up to {missing}, so that more of it may be taken "
            "back",
            "",
            "the vendor's word on why the counter fell: see usage_restatements",
        ),
        "stillness": Sentences(
            "", "a counter that lags: the {hours} h before the month's end are counted in", ""
        ),
        "no_stillness": Sentences(
            "", "a counter that stands still: it moved up to the end as it did before", ""
        ),
        "gauge_level": Sentences(
            "a level of {level} was seen in the month (the {which}), and a contract may bill it",
            "another level: neither the last, the first nor the average is what was billed",
            "the contract's word on which level counts, and the setting `gauge_month`",
        ),
        "lag": Sentences(
            "",
            "a counter that shows late: the excess is what {time} h before your last "
            "reading held; a known lag is the setting `vendor_lag_hours`",
            "",
        ),
        "long_lag": Sentences(
            "", "a counter that shows late: two days before your last reading held less", ""
        ),
        "unit": Sentences(
            "what was billed is what was measured by a factor of {factor}: the units may differ",
            "another unit: the quantities differ by no such factor",
            "the supplier's word on the unit of the line",
        ),
        "unit_of_line": Sentences(
            "the line counts in {unit}, which cannot be counted into what the report counts",
            "",
            "the supplier's word on what the line counts",
        ),
        "unit_step": Sentences(
            "the line counts in another unit, in steps of {step}, or names a wrong one",
            "the line's unit: what it bills is more steps of {step} away",
            "the supplier's word on the unit of the line",
        ),
        "rounding": Sentences(
            "each call is rounded up ({rounding}), which a total does not show",
            "a rounding of each call ({rounding}): it cannot come to more than as much again",
            "the vendor's list of calls, whose rounded lengths add up to what is billed",
        ),
        "no_rounding": Sentences(
            "",
            "a rounding of each call: the rate card names none; does the contract round up? "
            "Then say so in its column `rounding`",
            "",
        ),
        "other_clock": Sentences(
            "it is what the month comes to ({low} to {high}) if it is cut by UTC's midnights or at "
            "18:00",
            "another clock: cut by UTC's midnights, or at 18:00, the month comes to another number",
            "the contract's word on whose midnight ends a month",
        ),
        "amount": Sentences(
            "the contract can make the amount of what was measured and what nobody read",
            "the amount itself: it is not what the contract can make of the use ({most} at most)",
            "a reading in the last minutes of the month: poll at 23:50 and 23:59 of its last day",
        ),
        "unseen_level": Sentences(
            "for up to {hours} h together nobody read, and how high the level was then is not "
            "known",
            "a level that nobody saw: no two readings are over {hours} h apart",
            "readings every four hours or more often, or the contract's word on the level",
        ),
        "unseen_low_level": Sentences(
            "",
            "a lower level that nobody saw: the readings alone come to an average of {level}",
            "",
        ),
        "note_of_another_month": Sentences(
            "note {note} names no month, and may be for this one or another",
            "a note of another month: without {note} it differs as much",
            "the supplier's word on which invoice {note} corrects",
        ),
        "unmapped": Sentences(
            "«{line}» has no report or operation by the line map, and may bill it",
            "a line that the line map does not know: there is none of this time",
            "a row in the line map for «{line}»",
        ),
        "price_turn": Sentences(
            "the price changed on {day}, and what was read then may be of the day before",
            "another day of the change: what was read about {day} does not make up for it",
            "the supplier's word on what it counts before {day}",
        ),
        "with_tax": Sentences(
            "the invoice states no tax, and its amount is the contract's and {rate} % of tax",
            "",
            "the invoice itself: is its amount with tax?",
        ),
        "coarse_rate": Sentences(
            "the rate of {currency} in {in_currency} is written with so few decimals that it may "
            "make up to {most}",
            "a rounded rate: its decimals make no more than {most}",
            "the rate with all of its decimals, or the other way round",
        ),
        "guessed_rate": Sentences(
            "the document states no rate of {currency} in {in_currency}, and with none of the "
            "file's that it may have used does its amount agree",
            "",
            "the supplier's word on which exchange rate the document uses",
        ),
        "tiers_anew": Sentences(
            "the price changed on {day}, and the tiers may begin anew then",
            "",
            "the contract's word on whether tiers begin anew with a price",
        ),
        "pooled_share": Sentences(
            "tiers count all operations together, and not all are billed yet: how the sum is "
            "shared is not in the contract",
            "another share of what all operations cost: none makes this amount",
            "the invoices of the other operations",
        ),
        "tier_reached": Sentences(
            "the quantity is just where a tier begins, which may hold for more only",
            "a tier that holds for more only: it makes another amount",
            "the contract's word on whether a tier holds for just what it begins at",
        ),
        "other_night": Sentences(
            "a night of it holds up to {night}, and may be of the days before or behind it",
            "a night at the period's ends: it holds {night} at most",
            "the contract's word on which night ends a period",
        ),
        "other_product": Sentences(
            "a line for one product may bill «{product}» too",
            "another product: none has just so much that is not billed",
            "a line map whose row names no product, or the supplier's word on what the line bills",
        ),
        "line_of_other_product": Sentences(
            "the line for «{product}» may bill it too",
            "",
            "a line map whose row names no product, or the supplier's word on what the line bills",
        ),
        "raised_later": Sentences(
            "earlier days were raised when they were over, and the last ones may be yet, by "
            "{missing}",
            "days that are raised when they are over: by what earlier ones were, {missing} at most",
            "a reading of these days a week later",
        ),
        "never_read_again": Sentences(
            "nobody read a day twice, hours apart, once it was over: its number may have been "
            "raised since, by what was on its way then, {missing} in a quarter of an hour of each "
            "day",
            "days that are raised when they are over: nobody looked, and what was on its way then "
            "is {missing} at most, by a quarter of an hour of each day",
            "two readings of a day once it is over, six hours apart, on three days or more, or the "
            "vendor's word on when a day's number is final",
        ),
        "waived": Sentences(
            "less than is worth an alarm ({amount}) was not billed: it may have been waived", "", ""
        ),
        "late_invoice": Sentences(
            "the supplier's invoices came as late before: this one is due on {due}",
            "a late invoice: none came as late as {due}",
            "the invoice",
        ),
        "guess": Sentences(
            "that the number is a level is a guess from the report's name, and it falls at each "
            "midnight as a count does",
            "a wrong guess of what the number means: it does not fall as a daily count would",
            "the setting `measures`",
        ),
        "first_month": Sentences(
            "what the number means is not shown for certain before a month has turned",
            "another meaning of the number: it was read over a month's turn, or from its start",
            "a reading after the next turn of the month, or the setting `measures`",
        ),
        "spelling": Sentences(
            "products whose names differ in case and blanks only came as several",
            "one product under two spellings: none",
            "the vendor's word on which names are one product",
        ),
        "renamed_product": Sentences(
            "«{older}» ended where «{newer}» began: they may be one counter under two names",
            "a renamed product: none ended where another began",
            "the vendor's word on whether the product was renamed",
        ),
        "sum_row": Sentences(
            "«{product}» is the sum of the others, and may be no use of its own",
            "a sum among the products: none is the sum of the others",
            "a row in the line map for each product that is billed",
        ),
        "issued_early": Sentences(
            "it was issued on {issued}, before its period ended: it may bill an estimate",
            "an estimate: no document was issued before the period ended",
            "the supplier's next invoice or note, which corrects the estimate",
        ),
        "bold_estimate": Sentences(
            "",
            "an estimate: it was issued on {issued}, and the days that were left can hold {left} "
            "more than they did at most",
            "",
        ),
        "guessed_period": Sentences(
            "no document says which month it bills, and the month from {month} fits as well",
            "another month: the document's fits better than the one beside it",
            "the supplier's word on the month, or the setting `period_rule`",
        ),
        "cycle": Sentences(
            "the supplier bills by a cycle, whose next invoice is due on {due}",
            "a billing cycle: its next invoice was due on {due}",
            "the invoice of the next cycle",
        ),
        "same_operation": Sentences(
            "{operation} and {other} are taken for one operation, which nobody has decided: there "
            "may be two, and their use would be more",
            "another name: no other id reads the same operation",
            "`operations merge`, or names that tell the operations apart",
        ),
        "other_operation": Sentences(
            "one line may bill operation {operation} too, or it has moved there",
            "another operation: none has use that would make up for it",
            "`operation_id` in the line map, or the supplier's word on what a line bills",
        ),
    },
    "es": {
        "rejected_rows": Sentences(
            "hay {rows} de este reporte que nadie pudo leer, así que su uso no se conoce",
            "filas ilegibles: ninguna de este reporte en este tiempo",
            "las filas de rejected_rows: pregunte al proveedor qué significan",
        ),
        "repeated_rows": Sentences(
            "hubo respuestas con dos cantidades para un producto y día ({rows}): nadie sabe "
            "si se suman",
            "dos cantidades para un producto: ninguna respuesta las tuvo",
            "la palabra del proveedor sobre si las filas de un producto se suman",
        ),
        "percentages": Sentences(
            "se contaron porcentajes como uso ({rows})",
            "",
            "una fila en el mapa de líneas por cada producto que es uso",
        ),
        "reset": Sentences(
            "el contador mostraba {before} y cayó a casi nada a pocas horas del cambio de mes: su "
            "reloj puede ser otro",
            "otro reloj: no se vio caída en las 14 horas alrededor del fin de mes, salvo el cambio",
            "la palabra del proveedor sobre cuándo termina su mes, y el ajuste `timezone`",
        ),
        "small_reset": Sentences(
            "",
            "otro reloj: por la caída a pocas horas del cambio de mes no pueden faltar más de "
            "{missing}",
            "",
        ),
        "fall": Sentences(
            "el contador cayó dentro del mes, así que en su última lectura pueden faltar hasta "
            "{missing}",
            "un reinicio o recálculo: no se vio ninguna caída dentro del mes",
            "la palabra del proveedor sobre por qué cayó el contador: vea usage_restatements",
        ),
        "small_fall": Sentences(
            "",
            "un reinicio o recálculo: por las caídas que se vieron no pueden estar mal más de "
            "{missing}",
            "",
        ),
        "taken_back": Sentences(
            "el contador cayó dentro del mes hasta en {missing}, así que puede restarse aún más",
            "",
            "la palabra del proveedor sobre por qué cayó el contador: vea usage_restatements",
        ),
        "stillness": Sentences(
            "", "un contador atrasado: las {hours} h antes del fin de mes están incluidas", ""
        ),
        "no_stillness": Sentences(
            "", "un contador detenido: se movió hasta el final como antes", ""
        ),
        "gauge_level": Sentences(
            "en el mes se vio un nivel de {level} ({which}), y un contrato puede cobrarlo",
            "otro nivel: ni el último, ni el primero, ni el promedio es lo facturado",
            "la palabra del contrato sobre qué nivel cuenta, y el ajuste `gauge_month`",
        ),
        "lag": Sentences(
            "",
            "un contador que muestra tarde: el exceso es lo que contuvieron {time} h antes "
            "de su última lectura; un atraso conocido es el ajuste `vendor_lag_hours`",
            "",
        ),
        "long_lag": Sentences(
            "",
            "un contador que muestra tarde: dos días antes de su última lectura contuvieron menos",
            "",
        ),
        "unit": Sentences(
            "lo facturado es lo medido por un factor de {factor}: las unidades pueden ser otras",
            "otra unidad: las cantidades no difieren por tal factor",
            "la palabra del proveedor sobre la unidad de la línea",
        ),
        "unit_of_line": Sentences(
            "la línea cuenta en {unit}, que no se puede convertir en lo que cuenta el reporte",
            "",
            "la palabra del proveedor sobre lo que cuenta la línea",
        ),
        "unit_step": Sentences(
            "la línea cuenta en otra unidad, en pasos de {step}, o nombra una equivocada",
            "la unidad de la línea: lo facturado está a más pasos de {step}",
            "la palabra del proveedor sobre la unidad de la línea",
        ),
        "rounding": Sentences(
            "cada llamada se redondea hacia arriba ({rounding}), lo que un total no muestra",
            "un redondeo de cada llamada ({rounding}): no puede llegar a más del doble",
            "la lista de llamadas del proveedor, cuyas duraciones redondeadas suman lo facturado",
        ),
        "no_rounding": Sentences(
            "",
            "un redondeo de cada llamada: la tarifa no nombra ninguno; ¿redondea el contrato "
            "hacia arriba? Entonces dígalo en su columna `rounding`",
            "",
        ),
        "other_clock": Sentences(
            "es lo que da el mes ({low} a {high}) si se corta por las medianoches de UTC o a las "
            "18:00",
            "otro reloj: cortado por las medianoches de UTC, o a las 18:00, el mes da otro número",
            "la palabra del contrato sobre qué medianoche cierra el mes",
        ),
        "amount": Sentences(
            "el monto es uno que el contrato puede dar para lo medido y lo que nadie leyó",
            "el monto mismo: no es lo que el contrato puede dar para el uso ({most} como máximo)",
            "una lectura en los últimos minutos del mes: lea a las 23:50 y 23:59 de su último día",
        ),
        "unseen_level": Sentences(
            "hasta {hours} h seguidas nadie leyó, y no se sabe qué nivel hubo entonces",
            "un nivel que nadie vio: entre dos lecturas no pasan más de {hours} h",
            "lecturas cada cuatro horas o más seguidas, o la palabra del contrato sobre el nivel",
        ),
        "unseen_low_level": Sentences(
            "",
            "un nivel menor que nadie vio: solo las lecturas dan un promedio de {level}",
            "",
        ),
        "note_of_another_month": Sentences(
            "la nota {note} no nombra ningún mes, y puede ser de este o de otro",
            "una nota de otro mes: sin {note} la diferencia no es menor",
            "la palabra del proveedor sobre qué factura corrige {note}",
        ),
        "unmapped": Sentences(
            "«{line}» no tiene reporte u operación en el mapa de líneas, y puede cobrarlo",
            "una línea que el mapa de líneas no conoce: no hay ninguna de este tiempo",
            "una fila en el mapa de líneas para «{line}»",
        ),
        "price_turn": Sentences(
            "el precio cambió el {day}, y lo leído entonces puede ser del día anterior",
            "otro día del cambio: lo leído alrededor del {day} no lo compensa",
            "la palabra del proveedor sobre qué cuenta antes del {day}",
        ),
        "with_tax": Sentences(
            "la factura no indica impuesto, y su valor es el del contrato más {rate} % de impuesto",
            "",
            "la factura misma: ¿su valor incluye impuesto?",
        ),
        "coarse_rate": Sentences(
            "la tasa de {currency} en {in_currency} está escrita con tan pocos decimales que puede "
            "sumar hasta {most}",
            "una tasa redondeada: sus decimales no suman más de {most}",
            "la tasa con todos sus decimales, o en el otro sentido",
        ),
        "guessed_rate": Sentences(
            "el documento no indica la tasa de {currency} en {in_currency}, y con ninguna de las "
            "del archivo que puede haber usado coincide su valor",
            "",
            "la palabra del proveedor sobre qué tasa de cambio usa el documento",
        ),
        "tiers_anew": Sentences(
            "el precio cambió el {day}, y los tramos pueden comenzar de nuevo",
            "",
            "la palabra del contrato sobre si los tramos comienzan de nuevo con un precio",
        ),
        "pooled_share": Sentences(
            "los tramos cuentan todas las operaciones juntas, y no todas están facturadas aún: "
            "cómo se reparte la suma no lo dice el contrato",
            "otra parte de lo que cuestan todas las operaciones: ninguna da este monto",
            "las facturas de las otras operaciones",
        ),
        "tier_reached": Sentences(
            "la cantidad es justo donde comienza un tramo, que puede valer solo para más",
            "un tramo que vale solo para más: da otro monto",
            "la palabra del contrato sobre si un tramo vale para la cantidad en que comienza",
        ),
        "other_night": Sentences(
            "una noche de este período contiene hasta {night}, y puede ser de los días de antes o "
            "de después",
            "una noche en los extremos del período: contiene {night} como máximo",
            "la palabra del contrato sobre qué noche cierra un período",
        ),
        "other_product": Sentences(
            "una línea de un producto puede cobrar también «{product}»",
            "otro producto: ninguno tiene justo eso sin cobrar",
            "una fila del mapa de líneas sin producto, o la palabra del proveedor sobre qué cobra "
            "la línea",
        ),
        "line_of_other_product": Sentences(
            "la línea de «{product}» puede cobrarlo también",
            "",
            "una fila del mapa de líneas sin producto, o la palabra del proveedor sobre qué cobra "
            "la línea",
        ),
        "raised_later": Sentences(
            "días anteriores subieron después de terminados, y los últimos aún pueden subir en "
            "{missing}",
            "días que suben ya terminados: por lo que subieron otros, {missing} como máximo",
            "una lectura de esos días una semana después",
        ),
        "never_read_again": Sentences(
            "nadie leyó un día dos veces, con horas de por medio, ya terminado: su número pudo "
            "subir después, en lo que entonces venía en camino, {missing} en un cuarto de hora de "
            "cada día",
            "días que suben ya terminados: nadie miró, y lo que entonces venía en camino son "
            "{missing} como máximo, por un cuarto de hora de cada día",
            "dos lecturas de un día ya terminado, con seis horas de por medio, en tres días o más, "
            "o la palabra del proveedor sobre cuándo es final el número de un día",
        ),
        "waived": Sentences(
            "menos de lo que vale una alarma ({amount}) no se facturó: puede ser una cortesía",
            "",
            "",
        ),
        "late_invoice": Sentences(
            "las facturas del proveedor llegaron así de tarde antes: esta se espera el {due}",
            "una factura tardía: ninguna llegó tan tarde como el {due}",
            "la factura",
        ),
        "guess": Sentences(
            "que el número sea un nivel se adivina del nombre del reporte, y cae cada medianoche "
            "como una cuenta",
            "una mala suposición sobre el número: no cae como caería una cuenta diaria",
            "el ajuste `measures`",
        ),
        "first_month": Sentences(
            "lo que significa el número no se muestra con certeza antes de un cambio de mes",
            "otro significado del número: se leyó a través de un cambio de mes, o desde su inicio",
            "una lectura después del próximo cambio de mes, o el ajuste `measures`",
        ),
        "spelling": Sentences(
            "productos cuyos nombres solo difieren en mayúsculas y espacios vinieron como varios",
            "un producto con dos grafías: ninguno",
            "la palabra del proveedor sobre qué nombres son un producto",
        ),
        "renamed_product": Sentences(
            "«{older}» terminó donde empezó «{newer}»: pueden ser un contador con dos nombres",
            "un producto renombrado: ninguno terminó donde empezó otro",
            "la palabra del proveedor sobre si renombró el producto",
        ),
        "sum_row": Sentences(
            "«{product}» es la suma de los otros, y puede no ser un uso propio",
            "una suma entre los productos: ninguno es la suma de los otros",
            "una fila en el mapa de líneas por cada producto que se cobra",
        ),
        "issued_early": Sentences(
            "se emitió el {issued}, antes de que terminara su período: puede cobrar un estimado",
            "un estimado: ningún documento se emitió antes de que terminara el período",
            "la próxima factura o nota del proveedor, que corrige el estimado",
        ),
        "bold_estimate": Sentences(
            "",
            "un estimado: se emitió el {issued}, y los días que faltaban pueden contener como "
            "máximo {left} más de lo que tuvieron",
            "",
        ),
        "guessed_period": Sentences(
            "ningún documento dice qué mes cobra, y el mes desde {month} también encaja",
            "otro mes: el del documento encaja mejor que el de al lado",
            "la palabra del proveedor sobre el mes, o el ajuste `period_rule`",
        ),
        "cycle": Sentences(
            "el proveedor cobra por ciclos, y la próxima factura se espera el {due}",
            "un ciclo de facturación: su próxima factura se esperaba el {due}",
            "la factura del próximo ciclo",
        ),
        "same_operation": Sentences(
            "{operation} y {other} se toman por una sola operación, lo que nadie ha decidido: "
            "pueden ser dos, y su consumo sería más",
            "otro nombre: ningún otro id lee la misma operación",
            "`operations merge`, o nombres que distingan las operaciones",
        ),
        "other_operation": Sentences(
            "una línea puede cobrar también la operación {operation}, o se trasladó allí",
            "otra operación: ninguna tiene un uso que lo compense",
            "`operation_id` en el mapa de líneas, o la palabra del proveedor sobre qué operaciones "
            "cobra una línea",
        ),
    },
}
CUT_OFF = {
    "en": Sentences(
        "between {reach_low} and {reach_high} the nights of the month's turn explain any number",
        "the nights of the month's turn: they reach from {reach_low} to {reach_high}",
        "the contract's word on which night ends a month, and the setting `cut_off`",
    ),
    "es": Sentences(
        "entre {reach_low} y {reach_high} las noches del cambio de mes explican cualquier número",
        "las noches del cambio de mes: llegan de {reach_low} a {reach_high}",
        "la palabra del contrato sobre qué noche cierra el mes, y el ajuste `cut_off`",
    ),
}
UNREAD = {
    "en": "a reading in the last minutes of the month: poll at 23:50 and 23:59 of its last day",
    "es": "una lectura en los últimos minutos del mes: lea a las 23:50 y 23:59 de su último día",
}
BEHIND = {
    "en": "readings every hour, which show how seldom the counter moves, also in the last minutes "
    "of the month; or the vendor's word on how late it counts",
    "es": "lecturas cada hora, que muestran cuándo se mueve el contador, también en los últimos "
    "minutos del mes; o la palabra del proveedor sobre qué tan tarde cuenta",
}
FOREIGN = {
    "en": "readings around the start of the period, and the contract's word on when it begins",
    "es": "lecturas cerca del inicio del período, y la palabra del contrato sobre cuándo empieza",
}
SELDOM = {
    "en": TEXTS["en"]["unseen_level"].settled_by,
    "es": TEXTS["es"]["unseen_level"].settled_by,
}
MEASURES = {
    "en": {
        "copied": "what was copied in the month ({quantity})",
        "called": "what was called in the month, by its nights ({quantity})",
        "after_first_night": "what was there after the next month's first night ({quantity})",
    },
    "es": {
        "copied": "lo copiado en el mes ({quantity})",
        "called": "lo llamado en el mes, por sus noches ({quantity})",
        "after_first_night": "lo que había tras la primera noche del mes siguiente ({quantity})",
    },
}
LEVELS = {
    "en": {
        "highest": "highest",
        "last": "last",
        "first": "first",
        "average": "average",
        "pro_rata": "average by days",
    },
    "es": {
        "highest": "más alto",
        "last": "último",
        "first": "primero",
        "average": "promedio",
        "pro_rata": "promedio por días",
    },
}
