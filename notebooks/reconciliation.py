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
    from wolkvox_billing.evidence.report import sections
    from wolkvox_billing.evidence.report.month import usages
    from wolkvox_billing.verbs import notebook as verbs

    def show(*parts):
        """HTML of ours, in which every text is escaped."""
        return mo.Html(f'<div class="billing">{"".join(parts)}</div>')

    def say(text, kind="info"):
        return mo.callout(show(f"<p>{markup.escape(text)}</p>"), kind=kind)

    choices = {}  # what a person chose, over a refresh
    return WolkvoxError, choices, markup, mo, say, sections, show, usages, verbs


@app.cell
def _(markup, mo, show):
    refresh = mo.ui.button(label="Refresh", value=0, on_click=lambda times: times + 1)
    mo.vstack(
        [
            mo.Html(f"<style>{markup.STYLE}</style>"),
            mo.hstack(
                [show("<h1>What was billed, and what was used</h1>"), refresh],
                justify="space-between",
            ),
        ]
    )
    return (refresh,)


@app.cell
def _(WolkvoxError, mo, refresh, say, verbs):
    refresh.value  # a press runs this cell again
    try:
        source = verbs.source_by_environment()
        overview = verbs.read_overview(source)
    except WolkvoxError as error:
        mo.stop(True, say(str(error), "warn"))
    mo.vstack([say(advice) for advice in overview.advice]) if overview.advice else None
    return overview, source


@app.cell
def _(choices, mo, overview):
    operations = {"all operations": None, **overview.operations}
    months = overview.months
    month = mo.ui.dropdown(
        months,
        value=choices["month"] if choices.get("month") in months else overview.chosen,
        on_change=lambda value: choices.update(month=value),
        label="Month",
    )
    operation = mo.ui.dropdown(
        operations,
        value=next((k for k, v in operations.items() if v == choices.get("operation")), None),
        on_change=lambda value: choices.update(operation=value),
        label="Operation",
    )
    mo.hstack([month, operation], justify="start", gap=2)
    return month, operation


@app.cell
def _(WolkvoxError, mo, month, operation, overview, say, source, verbs):
    mo.stop(month.value is None, say("No month is chosen."))
    try:
        chosen = verbs.read_month(source, overview, month.value, operation.value)
    except WolkvoxError as error:
        mo.stop(True, say(str(error), "warn"))
    return (chosen,)


@app.cell
def _(chosen, markup, sections, show):
    show(
        "<h2>What to pay</h2>",
        f"<p>{markup.escape(sections.say_as_of(chosen.page))} "
        f"{markup.escape(sections.say_whose(chosen.page))}</p>",
        sections.render_settlement(chosen.page.settled, chosen.page.language),
        *(f"<p>{markup.escape(sentence)}</p>" for sentence in chosen.withdrawn),
        "<h2>Copies in your bucket</h2>" if chosen.copies else "",
        sections.render_copies(chosen.copies, chosen.page.language),
        "<h2>Verdicts</h2>",
        *(
            sections.render_sentence(verdict.row)
            + markup.folded(
                "Where these numbers come from",
                sections.render_origin(
                    verdict, chosen.page.zone(verdict.row.operation_id), chosen.page.language
                ),
            )
            for verdict in chosen.traced
        ),
        sections.render_verdicts(chosen.page.verdicts, chosen.page.language),
    )
    return


@app.cell
def _(chosen, sections, show):
    show(
        "<h2>Volume and price</h2>",
        sections.render_bridges(chosen.page.verdicts, chosen.page.language),
    )
    return


@app.cell
def _(chosen, markup, sections, show, usages):
    show(
        "<h2>What was read</h2>",
        *(
            sections.render_usage(usage, number)
            + markup.folded(
                "The gaps, and each day's last value",
                sections.render_days_and_gaps(usage, chosen.page.language),
            )
            for number, usage in enumerate(usages(chosen.page))
        ),
    )
    return


@app.cell
def _(chosen, markup, sections, show):
    show(
        "<h2>Values that changed after their day, or that fell</h2>",
        sections.render_restatements(chosen.page),
        "<h2>Coverage</h2>",
        markup.folded(
            "Calls and answers of each day",
            sections.render_coverage(chosen.coverage, chosen.page.language),
        ),
    )
    return


@app.cell
def _(mo, month, show):
    write = mo.ui.run_button(label=f"Write the evidence of {month.value}")
    mo.vstack(
        [
            show(
                "<h2>Evidence</h2><p>One zip with all of this, its tables and a manifest. With the "
                "documents in it too: <code>wolkvox-billing reconcile --month MONTH --evidence DIR "
                "--files INBOX</code>.</p>"
            ),
            write,
        ]
    )
    return (write,)


@app.cell
def _(WolkvoxError, mo, month, say, source, verbs, write):
    mo.stop(not write.value)
    try:
        name, data = verbs.evidence_of(source, month.value)
    except WolkvoxError as error:
        mo.stop(True, say(str(error), "warn"))
    mo.download(data, filename=name, mimetype="application/zip", label=f"Download {name}")
    return


if __name__ == "__main__":
    app.run()
