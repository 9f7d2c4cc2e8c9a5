"""What a person wants done."""
