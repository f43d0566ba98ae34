"""What is said, and what an answer means. Plain Python, so that it can be tested anywhere."""


def announcement(subject: dict) -> dict:
    return {
        "release": subject["release"]["tag"],
        "environment": subject["environment"],
        "project": subject["project"],
    }


def outcome(status: int) -> str:
    """`done`, `again` for what may pass, or `never`."""
    if 200 <= status < 300:
        return "done"
    return "again" if status in (408, 429) or status >= 500 else "never"
