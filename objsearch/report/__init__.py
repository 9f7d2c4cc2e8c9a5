"""Answers for readers: plain data for programs, tables for terminals, a page with evidence."""
