import unittest

import rules


class Rules(unittest.TestCase):
    def test_the_plan_names_what_would_happen(self):
        changes = [(None, "v1"), ("v1", "v2"), ("v2", "v2"), ("v2", None)]
        self.assertEqual([rules.action(*change) for change in changes], ["CREATE", "UPDATE", "NO_OP", "DELETE"])

    def test_a_teardown_leaves_nothing(self):
        self.assertEqual(rules.wanted({"type": "FULL", "release": {"tag": "v1"}}), "v1")
        self.assertIsNone(rules.wanted({"type": "DESTROY", "release": {"tag": "v1"}}))

    def test_a_repeated_call_writes_once_and_a_moved_world_is_left_alone(self):
        self.assertEqual([rules.todo(now, "v1", "v2") for now in ("v1", "v2", "v9")], ["write", "nothing", "refuse"])


if __name__ == "__main__":
    unittest.main()
