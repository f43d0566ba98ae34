"""What a plan says and what is left to do. Plain Python, so that it can be tested anywhere."""

from typing import Optional


def wanted(subject: dict) -> Optional[str]:
    """None: there should be no value."""
    return None if subject["type"] == "DESTROY" else subject["release"]["tag"]


def action(before: Optional[str], after: Optional[str]) -> str:
    if before == after:
        return "NO_OP"
    if before is None:
        return "CREATE"
    return "DELETE" if after is None else "UPDATE"


def todo(now: Optional[str], origin: Optional[str], goal: Optional[str]) -> str:
    """A call may be repeated: it may have been done already."""
    if now == goal:
        return "nothing"
    return "write" if now == origin else "refuse"
