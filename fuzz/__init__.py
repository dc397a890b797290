"""Coverage-guided fuzzing of every value class's from_binary and from_text, and of the spec loader.

`make fuzz` runs it. The package is not installed.
"""
