"""Programs over the library: they parse, call and print, and never compute."""
