"""Refusals before a body is read, and a model that hangs."""

import socket
from concurrent.futures import ThreadPoolExecutor

import example
from service import HEAD, PATIENCE, busy, in_progress, running


def test_a_full_service_refuses_before_it_reads_the_body(slow, inputs):
    body = example.request(inputs[:1])
    with running(slow, max_queue=1, max_batch=1) as client, ThreadPoolExecutor(2) as pool:
        busy(client, slow, pool, body)
        pool.submit(client.post, "/predict", json=body)
        in_progress(client, 2)
        address = client.base_url.host, client.base_url.port
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(HEAD % 1000)  # and nothing after it
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1\r\n" in answer
        slow.may_run.set()


def test_a_model_that_hangs_does_not_keep_a_stopped_service(slow, inputs):
    body = example.request(inputs[:1])
    with running(slow, timeout=1, grace=1) as client, ThreadPoolExecutor(1) as pool:
        answer = busy(client, slow, pool, body)
        client.server.should_exit = True
        assert answer.result().status_code in {503, 504}
        assert answer.result().json()["detail"]
