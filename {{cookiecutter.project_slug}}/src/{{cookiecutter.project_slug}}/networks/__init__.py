"""The networks, one file each; base builds the one that a configuration names."""
