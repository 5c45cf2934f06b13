"""Command line of the package; imported by tools, never by the package."""
