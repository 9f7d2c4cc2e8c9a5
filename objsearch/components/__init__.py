"""What components are made of: the registry, their weights, and what keeps frameworks quiet."""
