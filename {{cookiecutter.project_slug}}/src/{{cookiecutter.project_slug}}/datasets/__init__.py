"""The data sets, one file each, and what they share: inputs, splits, base, batches."""
