"""Generates the codecs: specs/types.toml, through the model in `spec`, through the templates.

`python -m codegen` writes, `python -m codegen --check` compares. The package that is generated does
not import this one, nor the other way round.
"""
