"""Keeps the tag of the release at a URL that understands GET, PUT and DELETE."""

import json
from pathlib import Path
from typing import Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.target import (
    Action,
    FieldChange,
    Health,
    Planned,
    PlanStep,
    Progressed,
    ResourceChange,
    ResourceState,
)
from wit_world.imports import http
from wit_world.imports.types import Call, Description, Failure, Field, Issue, Retry

import rules

# Read while the component is built, and kept in it.
SCHEMA = Path(__file__).with_name("config.schema.json").read_text()


class Target(exports.Target):
    def describe(self) -> Description:
        return Description(
            name="%%name%%",
            version="0.1.0",
            summary="Keeps the tag of the release at a URL.",
            config_schema=SCHEMA,
            requests=json.dumps({"http": [{"config": "/url"}]}),
            extra=[],
        )

    def validate(self, config: str) -> list[Issue]:
        """What the schema cannot say; the host has checked the rest."""
        return []

    def plan(self, c: Call, config: str, subject: str, cursor: bytes) -> PlanStep:
        url, about = json.loads(config)["url"], json.loads(subject)
        before, after = value_at(url), rules.wanted(about)
        action = rules.action(before, after)
        field = FieldChange("/", json.dumps(before), json.dumps(after), sensitive=False, fingerprint="")
        change = ResourceChange(
            application=about.get("application") or "",
            kind="value",
            name=url,
            action=Action[action],
            destructive=action == "DELETE",
            fields=[field],
        )
        planned = Planned(
            summary=f"{url}: {before or 'nothing'} becomes {after or 'nothing'}",
            changes=[change],
            token=json.dumps({"before": before, "after": after}),
        )
        return PlanStep(done=True, cursor=b"", poll_after_ms=0, planned=planned, extra=[])

    def apply(self, c: Call, config: str, subject: str, approved: Planned, cursor: bytes) -> Progressed:
        token = json.loads(approved.token)
        return step(config, c, token["before"], token["after"], "plan-stale")

    def undo(self, c: Call, config: str, subject: str, approved: Planned, cursor: bytes) -> Progressed:
        token = json.loads(approved.token)
        return step(config, c, token["after"], token["before"], "changed-since")

    def observe(self, c: Call, config: str, subject: str) -> list[ResourceState]:
        url = json.loads(config)["url"]
        value = value_at(url)
        return [
            ResourceState(
                application=json.loads(subject).get("application") or "",
                kind="value",
                name=url,
                version=value or "",
                artifact_uri=url,
                weight_percent=100,
                health=Health.MISSING if value is None else Health.HEALTHY,
                details="{}",
            )
        ]


def step(config: str, call: Call, origin: Optional[str], goal: Optional[str], otherwise: str) -> Progressed:
    """From one value to another, and from nowhere else: what is there already is not written again."""
    url = json.loads(config)["url"]
    now = value_at(url)
    todo = rules.todo(now, origin, goal)
    if todo == "refuse":
        raise Err(Failure(otherwise, f"{url} holds {now or 'nothing'} now", Retry.NEVER, 0, "{}"))
    if todo == "write":
        write(url, call, goal)
    return Progressed(
        done=True,
        cursor=b"",
        poll_after_ms=0,
        summary=f"{url} holds {goal or 'nothing'}",
        outputs=json.dumps({"value": goal}),
        extra=[],
    )


def value_at(url: str) -> Optional[str]:
    response = http.send(http.Request("GET", url, [], b"", 10_000))
    if response.status == 404:
        return None
    if response.status != 200:
        raise refused(response.status)
    return response.body.decode(errors="replace").strip()


def write(url: str, call: Call, value: Optional[str]) -> None:
    method = "DELETE" if value is None else "PUT"
    key = Field("idempotency-key", call.idempotency_key)
    response = http.send(http.Request(method, url, [key], (value or "").encode(), 10_000))
    if not 200 <= response.status < 300:
        raise refused(response.status)


def refused(status: int) -> Err:
    """What may pass is tried again with the same key."""
    retry = Retry.SAME_KEY if status >= 500 or status == 429 else Retry.NEVER
    return Err(Failure("refused", f"the service answered with status {status}", retry, 0, "{}"))
