"""Places orders with a supplier, one a call. The cursor is how many it has taken."""

import errno
import json
import socket
from pathlib import Path

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.phase import Progressed
from wit_world.imports import http, secrets, state
from wit_world.imports.types import Call, Description, Failure, Field, Issue, Retry

# Read while the component is built, and kept in it.
SCHEMA = Path(__file__).with_name("config.schema.json").read_text()


class Phase(exports.Phase):
    def describe(self) -> Description:
        return Description(
            name="orders-in-python",
            version="0.1.0",
            summary="Places orders, one a call.",
            config_schema=SCHEMA,
            requests=json.dumps({"http": [{"config": "/url"}]}),
            extra=[],
        )

    def validate(self, config: str) -> list[Issue]:
        return []

    def advance(self, c: Call, config: str, subject: str, cursor: bytes) -> Progressed:
        settings = json.loads(config)
        if "try" in settings:
            return progressed(True, 0, {"came": tried(settings)})
        order = int(cursor or b"0")
        body = json.dumps({"order": order, "sequence": c.sequence}).encode()
        key = Field("idempotency-key", c.idempotency_key)
        response = http.send(http.Request("POST", settings["url"], [key], body, 0))
        if response.status != 200:
            message = f"the supplier answered with status {response.status}"
            raise Err(Failure("refused", message, Retry.NEVER, 0, "{}"))
        placed = order + 1
        return progressed(placed == settings["orders"], placed, {"placed": placed})

    def cancel(self, c: Call, config: str, subject: str, cursor: bytes) -> Progressed:
        return progressed(True, 0, {})


def tried(settings: dict) -> str:
    try:
        match settings["try"]:
            case "http":
                http.send(http.Request("GET", settings["at"], [], b"", 0))
            case "secret":
                secrets.token("deploy-key")
            case "state":
                state.get("count")
            case "file":
                open("/etc/passwd")
            case "socket":
                host, port = settings["at"].split(":")
                socket.socket().connect((host, int(port)))
    except Err as failed:
        return failed.value.code
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "granted"


def progressed(done: bool, placed: int, outputs: dict) -> Progressed:
    return Progressed(
        done=done,
        cursor=str(placed).encode(),
        poll_after_ms=0,
        summary=f"{placed} orders are placed.",
        outputs=json.dumps(outputs),
        artifacts=[],
        extra=[],
    )
