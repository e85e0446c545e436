# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""What was billed and what was used, month by month: `make notebook` shows it as an app.

It presents only: every number comes from a mart, or from a verb of wolkvox-billing. What it shows
is in `wolkvox_billing.screen`; here stands what marimo does with it.
"""

import marimo

app = marimo.App(width="full", app_title="wolkvox-billing")


@app.cell
def _():
    import functools

    import marimo as mo

    from wolkvox_billing.errors import WolkvoxError
    from wolkvox_billing.screen import cards, charts, choices, listings, pages, tables, trails
    from wolkvox_billing.screen.words import say_text
    from wolkvox_billing.values.clock import utc_now
    from wolkvox_billing.verbs import notebook as verbs

    def heading(text, count=None):
        return mo.Html(pages.render_heading(text, count))

    def note(text):
        return mo.Html(pages.render_note(text))

    class Drawing:
        """A chart of Altair's, written once, as it is: marimo has it drawn as a page and checked
        against a schema first, which takes longer than what is read for it."""

        def __init__(self, chart):
            self._chart = chart

        def _mime_(self):
            return "application/vnd.vegalite.v6+json", self._chart.to_json(validate=False)

    def warn(error):
        return mo.callout(note(str(error)), kind="warn")

    def show_listing(listing):
        """A table whose rows can be clicked, sorted and filtered."""
        return mo.ui.table(
            listing.as_table(),
            selection="single-cell",
            page_size=10,
            format_mapping=listing.formats,
            text_justify_columns=listing.right,
            style_cell=listing.style_cell,
            show_column_summaries=False,
            show_data_types=False,
            show_download=False,
        )

    def clicked_row(table):
        """The number of the row that was clicked; None before a click."""
        return int(table.value[0].row) if table.value else None

    chosen_before = {}  # what a person chose, over a refresh
    return (Drawing, WolkvoxError, cards, charts, choices, chosen_before, clicked_row, functools,
            heading, listings, mo, note, pages, say_text, show_listing, tables, trails, utc_now,
            verbs, warn)  # fmt: skip


@app.cell
def _(mo, pages):
    refresh = mo.ui.button(label="↻", value=0, on_click=lambda times: times + 1)
    mo.Html(f"<style>{pages.STYLE}</style>")
    return (refresh,)


@app.cell
def _(WolkvoxError, functools, mo, refresh, verbs, warn):
    refresh.value  # a press runs this cell again
    try:
        source = verbs.source_by_environment()
        overview = verbs.read_overview(source)
    except WolkvoxError as error:
        mo.stop(True, mo.vstack([refresh, warn(error)]))
    # What was read is not read again before the next refresh.
    read_month = functools.lru_cache(functools.partial(verbs.read_month, source, overview))
    read_trail = functools.lru_cache(verbs.Trails(source).read)
    return overview, read_month, read_trail, source


@app.cell
def _(choices, chosen_before, mo, overview, pages, refresh, say_text):
    def dropdown(key, options, chosen):
        before = chosen_before.get(key)
        value = before if before in options.values() else chosen
        return mo.ui.dropdown(
            options,
            value=next((name for name, option in options.items() if option == value), None),
            on_change=lambda option: chosen_before.update({key: option}),
            label=say_text(key, overview.language),
        )

    month = dropdown("month", choices.name_months(overview), overview.chosen)
    operation = dropdown("operation", choices.name_operations(overview), None)
    title = pages.render_title(
        say_text("title", overview.language), choices.say_as_of(overview), overview.language
    )
    mo.hstack(
        [
            mo.Html(title),
            mo.hstack([month, operation, refresh], justify="start", wrap=True, gap=0.75),
        ],
        wrap=True,
        justify="space-between",
        align="center",
        gap=1.5,
    )
    return month, operation


@app.cell
def _(WolkvoxError, cards, mo, month, note, operation, overview, read_month, tables, utc_now,
      warn):  # fmt: skip
    advice = [mo.callout(note(text), kind="info") for text in overview.advice]
    mo.stop(month.value is None, mo.vstack(advice))
    try:
        chosen = read_month(month.value, operation.value)
    except WolkvoxError as error:
        mo.stop(True, warn(error))
    copied = [mo.Html(tables.render_copies(chosen))] if chosen.copies else []
    mo.vstack([*advice, mo.Html(cards.render_cards(chosen, utc_now())), *copied])
    return (chosen,)


@app.cell
def _(chosen, heading, listings, mo, note, say_text, show_listing):
    document_list = listings.list_documents(chosen.settled, chosen.language)
    verdict_list = listings.list_verdicts(chosen.verdicts, chosen.language)
    documents = show_listing(document_list)
    verdicts = show_listing(verdict_list)

    def section(key, count, table):
        empty = note(say_text(f"no_{key}", chosen.language))
        return [heading(say_text(key, chosen.language), count), table if count else empty]

    mo.vstack(
        [
            *section("documents", len(chosen.settled), documents),
            *([note(say_text("whole", chosen.language))] if chosen.operation_id else []),
            *map(note, chosen.withdrawn),
            *section("verdicts", len(chosen.verdicts), verdicts),
            note(say_text("click", chosen.language)),
        ],
        gap=0.25,
    )
    return document_list, documents, verdict_list, verdicts


@app.cell
def _(chosen, clicked_row, documents, mo, trails):
    mo.stop((document_row := clicked_row(documents)) is None)
    mo.Html(trails.render_document(chosen, chosen.settled[document_row]))
    return


@app.cell
def _(chosen, clicked_row, verdicts):
    verdict_row = clicked_row(verdicts)
    clicked = None if verdict_row is None else chosen.verdicts[verdict_row]
    return (clicked,)


@app.cell
def _(WolkvoxError, chosen, clicked, mo, read_trail, trails, warn):
    mo.stop(clicked is None)
    try:
        traced = read_trail(clicked)
    except WolkvoxError as error:
        mo.stop(True, warn(error))
    mo.Html(trails.render_verdict(chosen, traced))
    return


@app.cell
def _(choices, chosen, clicked, mo, say_text):
    counters = choices.name_counters(chosen)
    counter_before = choices.counter_of(chosen, clicked)
    counter = mo.ui.dropdown(
        counters,
        value=next((name for name, option in counters.items() if option == counter_before), None),
        searchable=len(counters) > 10,
        full_width=True,
        label=say_text("counter", chosen.language),
    )
    return (counter,)


@app.cell
def _(Drawing, WolkvoxError, charts, chosen, counter, heading, mo, note, say_text, source, tables,
      verbs, warn):  # fmt: skip
    try:
        usage = counter.value and verbs.read_usage(source, chosen, counter.value)
    except WolkvoxError as error:
        mo.stop(True, warn(error))
    drawn = (
        [
            counter,
            Drawing(charts.draw_counter(usage, chosen.forecasts)),
            mo.Html(tables.table_of_counter(usage)),
        ]
        if usage
        else [note(say_text("no_reading", chosen.language))]
    )
    mo.vstack([heading(say_text("read", chosen.language)), *drawn], gap=0.5)
    return


@app.cell
def _(Drawing, charts, chosen, clicked, heading, mo, note, say_text, tables, trails):
    bridges = charts.bridges_of([clicked] if clicked else chosen.verdicts, chosen.language)
    whose = (
        trails.name_verdict(clicked, chosen.language)
        if clicked
        else say_text("all_verdicts", chosen.language)
    )
    mo.vstack(
        [
            heading(say_text("bridge", chosen.language)),
            note(whose if bridges else say_text("no_bridge", chosen.language)),
            *(
                part
                for bridge in bridges
                for part in (
                    Drawing(charts.draw_bridge(bridge, chosen.language)),
                    mo.Html(tables.table_of_bridge(bridge, chosen.language)),
                )
            ),
        ],
        gap=0.5,
    )
    return


@app.cell
def _(Drawing, charts, chosen, heading, mo, note, say_text, source, tables, verbs):
    heat = charts.draw_coverage(chosen)

    def restatements():
        return mo.Html(
            tables.table_of_restatements(verbs.read_restatements(source, chosen), chosen)
        )

    mo.vstack(
        [
            heading(say_text("coverage", chosen.language)),
            Drawing(heat) if heat else note(say_text("no_call", chosen.language)),
            mo.Html(tables.table_of_coverage(chosen)),
            mo.accordion({say_text("restated", chosen.language): mo.lazy(restatements)}),
        ],
        gap=0.5,
    )
    return


@app.cell
def _(Drawing, charts, chosen, heading, mo, operation, overview, say_text, tables):
    by_currency = charts.costs_by_month(overview.costs, operation.value)
    mo.stop(not by_currency)
    mo.vstack(
        [
            heading(say_text("months", chosen.language)),
            *(
                part
                for currency, costs in by_currency.items()
                for part in (
                    Drawing(charts.draw_months(currency, costs, chosen.language)),
                    mo.Html(tables.table_of_months(currency, costs, chosen.language)),
                )
            ),
        ],
        gap=0.5,
    )
    return


@app.cell
def _(chosen, document_list, heading, mo, note, say_text, verdict_list):
    def button(key):
        return mo.ui.run_button(label=say_text(key, chosen.language))

    evidence, workbook, letter = button("evidence"), button("workbook"), button("claim")

    def sheet(key, listing):
        name = f"{say_text(key, chosen.language).lower()}-{chosen.name}.csv"
        return mo.download(listing.as_csv(), filename=name, mimetype="text/csv", label=name)

    mo.vstack(
        [
            heading(say_text("files", chosen.language)),
            mo.hstack(
                [sheet("documents", document_list), sheet("verdicts", verdict_list), workbook,
                 evidence, letter],
                justify="start",
                wrap=True,
            ),
            note(say_text("about_files", chosen.language)),
        ],
        gap=0.5,
    )  # fmt: skip
    return evidence, letter, workbook


@app.cell
def _(WolkvoxError, chosen, evidence, letter, mo, note, source, verbs, warn, workbook):
    write = {
        evidence.value: verbs.write_evidence,
        workbook.value: verbs.write_workbook,
        letter.value: verbs.write_claim,
    }.get(True)
    mo.stop(not write)
    try:
        written = write(source, chosen.name)
    except WolkvoxError as error:
        mo.stop(True, warn(error))
    mo.vstack(
        [
            *(mo.download(f.data, filename=f.name, label=f.name) for f in written.files),
            *(mo.callout(note(text), kind="info") for text in written.says),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
