"""The codec against the live server: batches of thousands of values, drawn by their bits."""
