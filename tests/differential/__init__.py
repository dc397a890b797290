"""Compares the codecs with the live server, in batches of thousands of values with random bits."""
