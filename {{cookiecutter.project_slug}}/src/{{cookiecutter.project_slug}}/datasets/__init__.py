"""The data sets: one file each, prepared once and served in batches."""
