"""What was billed and what was used, month by month: `make notebook` shows it as an app.

It presents only: every number comes from a mart, or from a verb of wolkvox-billing.
"""

import marimo

app = marimo.App(width="medium", app_title="wolkvox-billing: what was billed, what was used")


@app.cell
def _():
    import marimo as mo

    from wolkvox_billing.errors import WolkvoxError
    from wolkvox_billing.evidence.report import html as markup
    from wolkvox_billing.evidence.report import month as page
    from wolkvox_billing.evidence.report import sections
    from wolkvox_billing.verbs import notebook as overview

    def shown(*parts):
        """HTML of ours, in which every text is escaped."""
        return mo.Html(f'<div class="billing">{"".join(parts)}</div>')

    def said(text, kind="info"):
        return mo.callout(shown(f"<p>{markup.text(text)}</p>"), kind=kind)

    kept = {}  # what a person chose, over a refresh
    return WolkvoxError, kept, markup, mo, overview, page, said, sections, shown


@app.cell
def _(markup, mo, shown):
    refresh = mo.ui.button(label="Refresh", value=0, on_click=lambda times: times + 1)
    mo.vstack(
        [
            mo.Html(f"<style>{markup.STYLE}</style>"),
            mo.hstack(
                [shown("<h1>What was billed, and what was used</h1>"), refresh],
                justify="space-between",
            ),
        ]
    )
    return (refresh,)


@app.cell
def _(WolkvoxError, mo, overview, refresh, said):
    refresh.value  # a press runs this cell again
    try:
        source = overview.source_by_environment()
        found = overview.read_overview(source)
    except WolkvoxError as error:
        mo.stop(True, said(str(error), "warn"))
    mo.vstack([said(one) for one in found.advice]) if found.advice else None
    return found, source


@app.cell
def _(found, kept, mo):
    operations = {"all operations": None, **found.operations}
    month = mo.ui.dropdown(
        found.months,
        value=kept["month"] if kept.get("month") in found.months else found.chosen,
        on_change=lambda value: kept.update(month=value),
        label="Month",
    )
    operation = mo.ui.dropdown(
        operations,
        value=next((k for k, v in operations.items() if v == kept.get("operation")), None),
        on_change=lambda value: kept.update(operation=value),
        label="Operation",
    )
    mo.hstack([month, operation], justify="start", gap=2)
    return month, operation


@app.cell
def _(WolkvoxError, found, mo, month, operation, overview, page, said, source):
    mo.stop(month.value is None, said("No month is chosen."))
    try:
        chosen = overview.read_month(source, found, month.value, operation.value)
    except WolkvoxError as error:
        mo.stop(True, said(str(error), "warn"))
    usages = page.usages(chosen.page)
    return chosen, usages


@app.cell
def _(chosen, markup, sections, shown):
    shown(
        "<h2>Verdicts</h2>",
        f"<p>{markup.text(sections.as_of(chosen.page))}</p>",
        *(
            sections.sentence(one.row, chosen.page.language)
            + markup.folded(
                "Where these numbers come from",
                sections.origin(one, chosen.page.zone(one.row.operation_id)),
            )
            for one in chosen.traced
        ),
        sections.verdicts(chosen.page.rows),
    )
    return


@app.cell
def _(chosen, sections, shown):
    shown("<h2>Volume and price</h2>", sections.bridges(chosen.page.rows))
    return


@app.cell
def _(markup, sections, shown, usages):
    shown(
        "<h2>What was read</h2>",
        *(
            sections.usage(one, number)
            + markup.folded("The gaps, and each day's last value", sections.days_and_gaps(one))
            for number, one in enumerate(usages)
        ),
    )
    return


@app.cell
def _(chosen, markup, sections, shown):
    shown(
        "<h2>Values that changed after their day, or that fell</h2>",
        sections.restatements(chosen.page),
        "<h2>Coverage</h2>",
        markup.folded("Calls and answers of each day", sections.coverage(chosen.coverage)),
    )
    return


@app.cell
def _(mo, month, shown):
    write = mo.ui.run_button(label=f"Write the evidence of {month.value}")
    mo.vstack(
        [
            shown(
                "<h2>Evidence</h2><p>One zip with all of this, its tables and a manifest. With the "
                "documents in it too: <code>wolkvox-billing reconcile --month MONTH --evidence DIR "
                "--files INBOX</code>.</p>"
            ),
            write,
        ]
    )
    return (write,)


@app.cell
def _(WolkvoxError, mo, month, overview, said, source, write):
    mo.stop(not write.value)
    try:
        name, data = overview.evidence_of(source, month.value)
    except WolkvoxError as error:
        mo.stop(True, said(str(error), "warn"))
    mo.download(data, filename=name, mimetype="application/zip", label=f"Download {name}")
    return


if __name__ == "__main__":
    app.run()
