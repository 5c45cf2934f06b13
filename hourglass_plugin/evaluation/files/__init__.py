"""Files in the formats of the datasets' own evaluation."""
