"""The generator: reads a spec into a model, and renders Python files from templates.

Installed as ``asyncpg_vector.codegen``, the generator writes a package for a user's own types; see
``python -m asyncpg_vector.codegen --help``. In the repository of asyncpg_vector, `codegen.project`
writes the generated files of asyncpg_vector itself. The generator imports the runtime, for number
formats and for names that a spec cannot use. It imports no generated module.
"""
