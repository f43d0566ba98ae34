import unittest

import rules


class Rules(unittest.TestCase):
    def test_the_announcement_names_release_and_environment(self):
        subject = {"release": {"tag": "v1"}, "environment": "production", "project": "shop", "weight": 100}
        expected = {"release": "v1", "environment": "production", "project": "shop"}
        self.assertEqual(rules.announcement(subject), expected)

    def test_only_what_may_pass_is_tried_again(self):
        outcomes = [rules.outcome(status) for status in (204, 404, 429, 503)]
        self.assertEqual(outcomes, ["done", "never", "again", "again"])


if __name__ == "__main__":
    unittest.main()
