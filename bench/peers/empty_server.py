"""An HTTP server that answers every request with an empty 204: the ceiling of the load generator on this machine."""

import sys
from typing import Any

import uvicorn


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Reads the request's body and answers; 200 to the one path that asks whether it is up."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    status = 200 if scope["path"] == "/health" else 204
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off", access_log=False
    )
