"""A claim: the letter to the supplier, the row in `claims`, and what `status` says of both.

    settled documents ─▶ what is claimed, or why nothing is ─▶ letter ─▶ claims ─▶ claims_open

Nobody is accused by mistake: what is claimed is what a finding blames the supplier for, and nothing
beside it.
"""
