"""One module per layout of the spec: how its values are made, read, printed, checked."""
