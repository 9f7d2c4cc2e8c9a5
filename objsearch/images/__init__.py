"""Bytes to pixels, and what one does with pixels: knows formats, knows nothing of search."""
