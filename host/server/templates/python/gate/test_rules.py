import unittest

import rules


def decision(status: int, body: bytes) -> str:
    config = {"field": "error_rate", "max": 0.01}
    return rules.decide(config, rules.measure(status, body, "error_rate"))[0]


class Rules(unittest.TestCase):
    def test_a_number_passes_up_to_its_limit(self):
        self.assertEqual(decision(200, b'{"error_rate": 0.01}'), "pass")
        self.assertEqual(decision(200, b'{"error_rate": 0.02}'), "fail")

    def test_without_a_number_nothing_is_known(self):
        self.assertEqual(decision(503, b'{"error_rate": 0}'), "inconclusive")
        self.assertEqual(decision(200, b"busy"), "inconclusive")


if __name__ == "__main__":
    unittest.main()
