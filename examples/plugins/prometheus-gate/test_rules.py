import json
import unittest

import rules


def answer(*series, result_type="vector") -> bytes:
    result = [{"metric": metric, "value": [1700000000, value]} for metric, value in series]
    return json.dumps({"status": "success", "data": {"resultType": result_type, "result": result}}).encode()


def decided(config: dict, body: bytes, query: str = "up") -> tuple[str, str]:
    return rules.decide(config, query, rules.measure("up", 200, body))


class Rules(unittest.TestCase):
    def test_the_query_knows_what_is_deployed(self):
        subject = {"release": {"tag": "v2"}, "environment": "production", "project": "shop"}
        self.assertEqual(rules.filled('rate(errors{version="$release"}[1m])', subject), 'rate(errors{version="v2"}[1m])')
        self.assertEqual(rules.query_url("http://p:9090/", 'a{b="c"}'), "http://p:9090/api/v1/query?query=a%7Bb%3D%22c%22%7D")

    def test_every_series_has_to_be_in_bounds(self):
        body = answer(({"job": "web"}, "0.2"), ({"job": "api"}, "0.9"))
        self.assertEqual(decided({"max": 1}, body), ("pass", '{job="api"} is 0.9, allowed is at most 1'))
        self.assertEqual(decided({"max": 0.5}, body), ("fail", '{job="api"} is 0.9, allowed is at most 0.5'))
        self.assertEqual(decided({"min": 0.1, "max": 1}, body)[0], "pass")
        self.assertEqual(decided({"min": 0.5}, body)[0], "fail")

    def test_where_nothing_is_known_nobody_is_stopped(self):
        for body in (answer(), answer(({}, "NaN")), b"busy", b'{"status": "error", "error": "parse error"}'):
            self.assertEqual(decided({"max": 1}, body)[0], "inconclusive")
        self.assertEqual(decided({"max": 1}, answer(({}, "0")), query="down")[0], "inconclusive")


if __name__ == "__main__":
    unittest.main()
