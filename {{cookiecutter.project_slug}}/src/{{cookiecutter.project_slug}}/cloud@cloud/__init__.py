"""Training and deployment in the cloud."""
