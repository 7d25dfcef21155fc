"""Load for the service, in a realistic mix: `locust` finds this file through pyproject.toml."""

import io

import numpy as np
from locust import HttpUser, between, task
from PIL import Image


class Caller(HttpUser):
    """Asks for single images mostly, and sometimes for a batch, a file's class or the model."""

    wait_time = between(0.05, 0.5)

    def on_start(self):
        """Learn which images the model takes, and draw some."""
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
        """Ask which model answers."""
        self.client.get("/model")

    def predict(self, count, name):
        """Ask for `count` images, and check that all are answered."""
        body = {"images": [self.images[n] for n in self.generator.integers(32, size=count)]}
        with self.client.post("/predict", json=body, name=name, catch_response=True) as answer:
            if answer.status_code == 200 and len(answer.json()["predictions"]) != count:
                answer.failure("other predictions than were asked for")
