"""Tells a web service which release is on its way."""

import json
from pathlib import Path

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.phase import Progressed
from wit_world.imports import http
from wit_world.imports.types import Call, Description, Failure, Field, Issue, Retry

import rules

# Read while the component is built, and kept in it.
SCHEMA = Path(__file__).with_name("config.schema.json").read_text()


class Phase(exports.Phase):
    def describe(self) -> Description:
        return Description(
            name="%%name%%",
            version="0.1.0",
            summary="Tells a web service which release is on its way.",
            config_schema=SCHEMA,
            requests=json.dumps({"http": [{"config": "/url"}]}),
            extra=[],
        )

    def validate(self, config: str) -> list[Issue]:
        """What the schema cannot say; the host has checked the rest."""
        return []

    def advance(self, c: Call, config: str, subject: str, cursor: bytes) -> Progressed:
        response = http.send(
            http.Request(
                method="POST",
                url=json.loads(config)["url"],
                headers=[
                    Field("content-type", "application/json"),
                    Field("idempotency-key", c.idempotency_key),
                ],
                body=json.dumps(rules.announcement(json.loads(subject))).encode(),
                timeout_ms=10_000,
            )
        )
        outcome = rules.outcome(response.status)
        if outcome != "done":
            retry = Retry.SAME_KEY if outcome == "again" else Retry.NEVER
            raise Err(Failure("refused", f"the service answered with status {response.status}", retry, 0, "{}"))
        return done("The release was announced.", {"status": response.status})

    def cancel(self, c: Call, config: str, subject: str, cursor: bytes) -> Progressed:
        """Nothing goes on outside that could be stopped."""
        return done("There was nothing to stop.", {})


def done(summary: str, outputs: dict) -> Progressed:
    return Progressed(
        done=True, cursor=b"", poll_after_ms=0, summary=summary, outputs=json.dumps(outputs), artifacts=[], extra=[]
    )
