"""Fuzzing, guided by coverage: every value class's from_binary and from_text, and the spec loader.

`make fuzz` runs it. It is not installed.
"""
