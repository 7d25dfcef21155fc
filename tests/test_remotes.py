"""Data shared through each cloud's storage: the baked remote, DVC's own client, an emulator.

The emulator's address and login go into .dvc/config.local; other settings are as baked.
"""

import base64
import configparser
import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from azure.storage.blob import BlobServiceClient
from bakery import bake
from gcp_storage_emulator.server import create_server
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from machine import plain_environment
from moto.server import ThreadedMotoServer
from tools import NODE_MODULES, free_port, missing_node, printed, run, wait_until

CONTENT = {"a.bin": bytes(range(256)) * 4096, "deep/b.txt": b"eight\n"}


@dataclass
class Remote:
    """An emulated storage.

    Attributes:
        settings: Settings with which DVC finds the remote in the emulator.
        environment: The login.
        put: Replaces an object by another.
        names: Lists the objects.
    """

    settings: Mapping[str, str]
    environment: Mapping[str, str]
    put: Callable[[str, bytes], object]
    names: Callable[[], list[str]]


@contextlib.contextmanager
def s3(url: str, _baked: Mapping[str, str]) -> Iterator[Remote]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    login = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **login)
    bucket = url.split("/")[2]
    client.create_bucket(Bucket=bucket)
    try:
        yield Remote(
            {"endpointurl": address},
            {name.upper(): value for name, value in login.items()},
            lambda name, content: client.put_object(Bucket=bucket, Key=name, Body=content),
            lambda: [row["Key"] for row in client.list_objects_v2(Bucket=bucket)["Contents"]],
        )
    finally:
        server.stop()


@contextlib.contextmanager
def gcs(url: str, _baked: Mapping[str, str]) -> Iterator[Remote]:
    port, bucket = free_port(), url.split("/")[2]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=bucket)
    server.start()
    address = f"http://127.0.0.1:{port}"
    client = storage.Client(
        "test", AnonymousCredentials(), client_options={"api_endpoint": address}
    )
    there = client.bucket(bucket)
    try:
        yield Remote(
            {"endpointurl": address},
            {"STORAGE_EMULATOR_HOST": address, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"},
            lambda name, content: there.blob(name).upload_from_string(content),
            lambda: [blob.name for blob in client.list_blobs(bucket)],
        )
    finally:
        server.stop()


@contextlib.contextmanager
def azure(url: str, baked: Mapping[str, str]) -> Iterator[Remote]:
    port, account = free_port(), baked["account_name"]
    key = base64.b64encode(b"no secret").decode()
    program = NODE_MODULES / "azurite" / "dist" / "src" / "blob" / "main.js"
    place = ["--blobPort", str(port), "--inMemoryPersistence"]
    options = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    parts = ["DefaultEndpointsProtocol=http", f"AccountName={account}", f"AccountKey={key}"]
    connection = ";".join([*parts, f"BlobEndpoint=http://127.0.0.1:{port}/{account};"])
    environment = plain_environment(AZURITE_ACCOUNTS=f"{account}:{key}")
    with subprocess.Popen(["node", program, *place, *options], env=environment) as server:
        try:
            wait_for(port, server)
            service = BlobServiceClient.from_connection_string(connection)
            there = service.create_container(url.split("/")[2])
            yield Remote(
                {"connection_string": connection},
                {},
                lambda name, content: there.upload_blob(name, content, overwrite=True),
                lambda: list(there.list_blob_names()),
            )
        finally:
            server.terminate()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=10),
        ):
            return True
        return False

    wait_until(answers, lambda: "" if server.poll() is None else "the server ended")


EMULATORS = {"aws": s3, "azure": azure, "gcp": gcs}


@pytest.mark.parametrize("cloud", EMULATORS)
def test_data_is_pushed_and_pulled(cloud: str, tmp_path: Path) -> None:
    if cloud == "azure" and (reason := missing_node("azurite")):
        pytest.skip(reason)
    project = bake({"cloud": cloud, "tracker": "none"}, tmp_path).path
    config = configparser.ConfigParser()
    config.read(project / ".dvc" / "config")
    baked = config["'remote \"storage\"'"]
    with EMULATORS[cloud](baked["url"], baked) as remote:

        def dvc(*arguments: str, fails: bool = False) -> str:
            command = [sys.executable, "-m", "dvc", *arguments]
            done = run(*command, folder=project, **remote.environment)
            assert (done.returncode != 0) is fails, printed(done)
            return printed(done)

        run("git", "init", "--quiet", folder=project)
        for path, content in CONTENT.items():
            (project / "pictures" / path).parent.mkdir(parents=True, exist_ok=True)
            (project / "pictures" / path).write_bytes(content)
        for name, value in remote.settings.items():
            dvc("remote", "modify", "--local", "storage", name, value)
        assert "config.local" in (project / ".dvc" / ".gitignore").read_text("utf-8")
        dvc("add", "--quiet", "pictures")
        dvc("push", "--quiet", "pictures")
        prefix = baked["url"].split("/", 3)[3] if baked["url"].count("/") > 2 else ""
        assert len(remote.names()) == len(CONTENT) + 1  # and the list of the folder
        assert all(name.startswith(prefix) for name in remote.names())

        def forget() -> None:
            shutil.rmtree(project / ".dvc" / "cache")
            shutil.rmtree(project / "pictures")

        forget()
        dvc("pull", "--quiet", "pictures")
        for path, content in CONTENT.items():
            assert (project / "pictures" / path).read_bytes() == content

        forget()
        damaged = next(name for name in remote.names() if not name.endswith(".dir"))
        remote.put(damaged, b"damaged")
        output = dvc("pull", "pictures", fails=True)
        assert "failed to pull" in output
        assert not (project / "pictures").exists()
