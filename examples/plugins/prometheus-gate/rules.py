"""What is asked of Prometheus and how the answer is judged. Plain Python, so that it can be tested anywhere."""

import json
import math
from urllib.parse import quote

# Evidence is stored for every sample.
KEPT_SERIES = 50


def filled(query: str, subject: dict) -> str:
    values = {
        "$release": subject["release"]["tag"],
        "$environment": subject["environment"],
        "$project": subject["project"],
    }
    for name, value in values.items():
        query = query.replace(name, value)
    return query


def query_url(url: str, query: str) -> str:
    return f"{url.rstrip('/')}/api/v1/query?query={quote(query, safe='')}"


def measure(query: str, status: int, body: bytes) -> dict:
    """Kept for back-tests: later versions must be able to read it. Values stay the text that Prometheus writes."""
    evidence = {"query": query, "status": status, "error": None, "series": []}
    try:
        answer = json.loads(body)
        if answer["status"] != "success":
            return evidence | {"error": answer.get("error", "no success")}
        data = answer["data"]
        if data["resultType"] == "scalar":
            series = [{"labels": {}, "value": data["result"][1]}]
        else:
            series = [{"labels": one["metric"], "value": one["value"][1]} for one in data["result"]]
    except (ValueError, KeyError, TypeError, IndexError):
        return evidence | {"error": "this is no answer of Prometheus to an instant query"}
    return evidence | {"series": series[:KEPT_SERIES], "left_out": max(0, len(series) - KEPT_SERIES)}


def decide(config: dict, query: str, evidence: dict) -> tuple[str, str]:
    """`fail` needs a value that is out of bounds: where nothing is known, nobody is stopped yet."""
    if evidence["query"] != query:
        return "inconclusive", f"what was measured is `{evidence['query']}`"
    if evidence["error"] is not None:
        return "inconclusive", f"Prometheus, with status {evidence['status']}: {evidence['error']}"
    known = [(value, one) for one in evidence["series"] if math.isfinite(value := float(one["value"]))]
    if not known:
        return "inconclusive", "the query gives no value yet"
    low, high = config.get("min", -math.inf), config.get("max", math.inf)
    for value, one in known:
        if not low <= value <= high:
            return "fail", f"{named(one)} is {value:g}, allowed is {bounds(config)}"
    worst = max(known, key=lambda pair: pair[0]) if "max" in config else min(known, key=lambda pair: pair[0])
    return "pass", f"{named(worst[1])} is {worst[0]:g}, allowed is {bounds(config)}"


def bounds(config: dict) -> str:
    words = [f"{word} {config[key]:g}" for key, word in (("min", "at least"), ("max", "at most")) if key in config]
    return " and ".join(words)


def named(one: dict) -> str:
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(one["labels"].items()))
    return f"{{{labels}}}" if labels else "it"
