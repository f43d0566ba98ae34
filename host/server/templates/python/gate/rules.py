"""What is measured and how it is judged. Plain Python, so that it can be tested anywhere."""

import json


def measure(status: int, body: bytes, field: str) -> dict:
    """Kept for back-tests: later versions must be able to read it."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    value = answer.get(field) if isinstance(answer, dict) else None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {"status": status, "field": field, "value": value if is_number and status == 200 else None}


def decide(config: dict, evidence: dict) -> tuple[str, str]:
    field, limit, value = config["field"], config["max"], evidence["value"]
    if value is None:
        return "inconclusive", f"no number {field} in an answer of status {evidence['status']}"
    if evidence["field"] != field:
        return "inconclusive", f"{evidence['field']} was measured, not {field}"
    return "pass" if value <= limit else "fail", f"{field} is {value}, at most {limit} is allowed"
