"""The LightningModule and the training run."""
