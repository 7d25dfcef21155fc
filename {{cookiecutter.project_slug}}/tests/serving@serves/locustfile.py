"""Load for the service, in a realistic mix: `locust` finds this file through pyproject.toml."""

import json
from pathlib import Path

from locust import HttpUser, between, task


class Caller(HttpUser):
    """Sends mostly single samples, and sometimes a batch, a file or a request for /model."""

    wait_time = between(0.05, 0.5)

    def on_start(self):
        """Take the example that the service documents, and the files of the example data."""
        document = self.client.get("/openapi.json").json()
        self.key, [self.sample] = find_example(document)
        self.files = sorted(Path("data/processed").glob("*/samples/*"))

    @task(80)
    def one(self):
        """Classify a sample."""
        self.predict(1, "one sample")

    @task(10)
    def batch(self):
        """Classify sixteen samples."""
        self.predict(16, "a batch of 16")

    @task(9)
    def upload(self):
        """Classify a file, where the example data are prepared."""
        for path in self.files[:1]:
            self.client.post("/predict/file", files={"file": path.read_bytes()})

    @task(1)
    def model(self):
        """Ask for the description of the model."""
        self.client.get("/model")

    def predict(self, count, name):
        """Classify `count` samples, and check that there is a prediction for each."""
        body = json.dumps({self.key: [self.sample] * count})
        headers = {"content-type": "application/json"}
        with self.client.post(
            "/predict", body, headers=headers, name=name, catch_response=True
        ) as answer:
            if answer.status_code == 200 and len(answer.json()["predictions"]) != count:
                answer.failure("not one prediction for each sample")


def find_example(node):
    """Find the field with an example, anywhere in a document: its name and the example."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if isinstance(inner, dict) and "examples" in inner:
                return name, inner["examples"][0]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for inner in children:
        if found := find_example(inner):
            return found
    return None
