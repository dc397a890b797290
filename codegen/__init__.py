"""The generator: a spec, through the model in `spec`, through the templates, to Python files.

Installed as ``asyncpg_vector.codegen``, it writes a package of anybody's own types; see
``python -m asyncpg_vector.codegen --help``. In its repository, `codegen.project` writes that
package's own files. It reads the runtime, for number formats and the names that are taken, and
nothing that it has generated.
"""
