"""The screen: what the notebook shows of a month. It computes no verdict, and asks nobody.

    verbs.notebook ─▶ rows of the marts ─┬▶ cards        the first answer
                                         ├▶ listings     documents and verdicts, for marimo's table
                                         ├▶ trails       where one of them comes from
                                         └▶ charts       a counter, a bridge, coverage, the months

`marks` says what a status looks like, `pages` how texts become HTML. Marimo is known by the
notebook alone.
"""
