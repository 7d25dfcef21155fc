"""What a model can do: metrics, reports, comparisons, export."""
