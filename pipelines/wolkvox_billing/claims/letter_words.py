"""The words of a claim's letter, in English and Spanish."""

from __future__ import annotations

TEXTS = {
    "en": {
        "subject": "Claim on {title}",
        "from": "Claimant", "to": "Supplier",
        "name": "Name", "tax_id": "NIT", "blank": "____________________",
        "document": "The document",
        "number": "Number", "cufe": "CUFE", "issued": "Issued", "due": "Due",
        "period": "Period", "period_text": "{start} to {end}", "asks": "Asks for",
        "intro": "We compared this document with our own record of what was used, and with the "
        "contract. Of the {payable} that it asks for, {agreed} is agreed and {questioned} is "
        "questioned. We claim {claimed}.",
        "rest": "On {day} we claimed {claimed}. Since then {credited} of it was credited "
        "({notes}): this letter is about what is left.",
        "replaces": "This letter replaces our claim over {claimed} of {day}.",
        "claimed": "What we claim",
        "part": "Part of the document", "description": "What is billed",
        "asked": "Asked", "agreed": "Agreed", "amount": "Claimed",
        "sum": "Total, with tax",
        "found": "What it rests on",
        "used": "What was used", "measured": "Measured", "billed": "Billed",
        "difference": "Difference", "money": "Before tax",
        "questioned": "Also questioned, and not claimed",
        "explain": "We ask you to say what these amounts are for. Nobody is blamed for them here.",
        "question": "Questioned", "why": "Why",
        "request_title": "What we ask for",
        "request": "We ask for a credit note over {claimed} on {title}: {net} before tax, and "
        "{tax} of tax.",
        "request_net": "We ask for a credit note over {claimed} on {title}. No tax is part of it.",
        "deadline_title": "Until when",
        "deadline": "By our count this document can be claimed until {day}: three business days "
        "of Colombia.",
        "issue": "from the day of issue: {day}",
        "receipt": "from the day on which we read it, or received it before: {day}",
        "service": "from the last day that it bills, or that of issue where that is later: {day}",
        "no_deadline": "We know of no day until which this document has to be claimed.",
        "no_advice": "This is a count of days, and no legal advice. Sources differ on the day from "
        "which it starts. A claim in DIAN's system (event 031) is a step of its own, which this "
        "letter does not replace.",
        "evidence_title": "Evidence",
        "evidence": "Our readings, the answers that they stand on, and the verdicts are in the "
        "file {file}, which we hand over on request. Its SHA-256 is",
        "sign": "Signature", "role": "Position", "day": "Date", "whole_report": "all together",
    },
    "es": {
        "subject": "Reclamo sobre la {title}",
        "from": "Reclamante", "to": "Proveedor",
        "name": "Nombre", "tax_id": "NIT", "blank": "____________________",
        "document": "El documento",
        "number": "Número", "cufe": "CUFE", "issued": "Emitido", "due": "Vence",
        "period": "Período", "period_text": "{start} al {end}", "asks": "Cobra",
        "intro": "Comparamos este documento con nuestro propio registro de lo usado y con el "
        "contrato. De los {payable} que cobra, estamos de acuerdo con {agreed} y cuestionamos "
        "{questioned}. Reclamamos {claimed}.",
        "rest": "El {day} reclamamos {claimed}. Desde entonces se abonaron {credited} ({notes}): "
        "esta carta trata de lo que queda.",
        "replaces": "Esta carta reemplaza nuestro reclamo por {claimed} del {day}.",
        "claimed": "Lo que reclamamos",
        "part": "Parte del documento", "description": "Lo facturado",
        "asked": "Cobrado", "agreed": "De acuerdo", "amount": "Reclamado",
        "sum": "Total, con impuesto",
        "found": "En qué se basa",
        "used": "Lo usado", "measured": "Medido", "billed": "Facturado",
        "difference": "Diferencia", "money": "Antes de impuesto",
        "questioned": "También en cuestión, y no reclamado",
        "explain": "Pedimos que nos digan de qué son estos montos. Aquí no se culpa a nadie por "
        "ellos.",
        "question": "En cuestión", "why": "Por qué",
        "request_title": "Lo que pedimos",
        "request": "Pedimos una nota crédito por {claimed} sobre la {title}: {net} antes de "
        "impuesto, y {tax} de impuesto.",
        "request_net": "Pedimos una nota crédito por {claimed} sobre la {title}. No incluye "
        "impuesto.",
        "deadline_title": "Hasta cuándo",
        "deadline": "Según nuestra cuenta, este documento se puede reclamar hasta el {day}: tres "
        "días hábiles de Colombia.",
        "issue": "desde el día de emisión: {day}",
        "receipt": "desde el día en que lo leímos, o lo recibimos antes: {day}",
        "service": "desde el último día que cobra, o el de emisión si es posterior: {day}",
        "no_deadline": "No conocemos un día hasta el cual haya que reclamar este documento.",
        "no_advice": "Esto es una cuenta de días y no una asesoría jurídica. Las fuentes difieren "
        "sobre el día en que empieza. El reclamo en el sistema de la DIAN (evento 031) es un paso "
        "aparte, que esta carta no reemplaza.",
        "evidence_title": "Evidencia",
        "evidence": "Nuestras lecturas, las respuestas en que se basan y los veredictos están en "
        "el archivo {file}, que entregamos si nos lo piden. Su SHA-256 es",
        "sign": "Firma", "role": "Cargo", "day": "Fecha", "whole_report": "todo junto",
    },
}  # fmt: skip
