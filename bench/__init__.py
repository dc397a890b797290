"""The benchmark: this package with its kernel and without, its peers, and limits, in one run.

`make bench` runs it. It prints and keeps medians and ratios, and names what is over its bar; it
fails for that with `--strict` alone, since times depend on the machine, which the results name.
`peers` has the libraries that are compared, `offline` and `live` their operations, `worker` the
process of Python alone, `server` the server, `timing` the clock, `bars` the most that operations
may take, `report` the tables and the file, and `pictures` the plots. `python -m bench.holders`
compares holders of matrices, and writes nothing.
"""
