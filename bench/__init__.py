"""The benchmark: this package, pgvector-python, the first asyncpg_vector, and a floor, in one run.

`make bench` runs it. It prints and keeps medians and ratios, and asserts nothing: times
depend on the machine, which the results name. `peers` has the libraries that are compared,
`offline` and `live` their operations, `timing` the clock, and `report` the tables and plots.
"""
