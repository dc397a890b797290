"""The benchmark: this package, pgvector-python, the first asyncpg_vector, and a floor, in one run.

`make bench` runs it. It prints and keeps medians and ratios, and asserts nothing: what a time means
depends on the machine, which the results name. `peers` has who is compared, `offline` and `live`
what they do, `timing` how it is timed, `report` what becomes of the results.
"""
