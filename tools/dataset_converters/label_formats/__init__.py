"""Labels of any tool, read into one table; see :mod:`.table`."""
