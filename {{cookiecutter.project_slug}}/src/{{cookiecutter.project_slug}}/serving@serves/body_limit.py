"""A limit on the size of a request's body, whatever its `Content-Length` says."""

from collections.abc import Callable

from starlette.types import Message, Receive


def limit_body(
    receive: Receive, max_body: int, refuse: Callable[[int, str], BaseException]
) -> Receive:
    """Count the bytes of a body while the application receives them.

    Args:
        receive: Gives the next message of the request.
        max_body: Bytes of the largest body.
        refuse: Makes the exception that a larger body raises, from an HTTP status and a reason.

    Returns:
        A `receive` for the application.
    """
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > max_body:
            raise refuse(413, f"the body is larger than {max_body} bytes")
        return message

    return limited
