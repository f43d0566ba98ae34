"""Asks a URL for a JSON object, and passes while one number in it is not too high."""

import json
from pathlib import Path

from wit_world import exports
from wit_world.exports.gate import Decision, Sampled, Verdict
from wit_world.imports import http
from wit_world.imports.types import Call, Description, Issue

import rules

# Read while the component is built, and kept in it.
SCHEMA = Path(__file__).with_name("config.schema.json").read_text()


class Gate(exports.Gate):
    def describe(self) -> Description:
        return Description(
            name="%%name%%",
            version="0.1.0",
            summary="Passes while a number that a URL answers with is not too high.",
            config_schema=SCHEMA,
            requests=json.dumps({"http": [{"config": "/url"}]}),
            extra=[],
        )

    def validate(self, config: str) -> list[Issue]:
        """What the schema cannot say; the host has checked the rest."""
        return []

    def sample(self, c: Call, config: str, subject: str, memo: bytes) -> Sampled:
        """Measures, and decides nothing."""
        settings = json.loads(config)
        response = http.send(http.Request("GET", settings["url"], [], b"", 10_000))
        evidence = rules.measure(response.status, response.body, settings["field"])
        return Sampled(done=True, evidence=json.dumps(evidence), memo=b"", poll_after_ms=0, extra=[])

    def judge(self, config: str, subject: str, evidence: str) -> Verdict:
        """Decides by the evidence alone."""
        decision, reason = rules.decide(json.loads(config), json.loads(evidence))
        return Verdict(Decision[decision.upper()], reason, valid_for_ms=0, extra=[])
