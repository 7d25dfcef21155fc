"""Load for the service, in a realistic mix: `locust` finds this file through pyproject.toml."""

import io

import numpy as np
from locust import HttpUser, between, task
from PIL import Image


class Caller(HttpUser):
    """Sends mostly single images, and sometimes a batch, a file or a request for /model."""

    wait_time = between(0.05, 0.5)

    def on_start(self):
        """Ask for the shape of the model's images, and draw some at random."""
        shape = self.client.get("/model").json()["image_shape"]
        self.generator = np.random.default_rng()
        images = self.generator.integers(0, 256, (32, *shape), np.uint8)
        self.images = images.tolist()
        self.pictures = [self.as_png(image) for image in images]

    @staticmethod
    def as_png(image):
        """Encode pixels of shape (channels, height, width)."""
        file = io.BytesIO()
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    @task(80)
    def one(self):
        """Classify an image."""
        self.predict(1, "one image")

    @task(10)
    def batch(self):
        """Classify sixteen images."""
        self.predict(16, "a batch of 16")

    @task(9)
    def upload(self):
        """Classify a picture file."""
        picture = self.pictures[self.generator.integers(32)]
        self.client.post("/predict/file", files={"file": picture})

    @task(1)
    def model(self):
        """Ask for the description of the model."""
        self.client.get("/model")

    def predict(self, count, name):
        """Classify `count` images, and check that there is a prediction for each."""
        body = {"images": [self.images[n] for n in self.generator.integers(32, size=count)]}
        with self.client.post("/predict", json=body, name=name, catch_response=True) as answer:
            if answer.status_code == 200 and len(answer.json()["predictions"]) != count:
                answer.failure("not one prediction for each image")
