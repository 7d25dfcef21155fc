"""Attacks on the service of a baked project: `nox -s attack`; CONTRIBUTING.md explains them."""
