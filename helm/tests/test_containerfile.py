"""The image, as far as it can be looked at without building it."""

import unittest

import yaml

from chart import CHART, REPOSITORY

LINES = [line.split() for line in (REPOSITORY / "Containerfile").read_text().splitlines() if line and not line.startswith("#")]


def of(instruction):
    return [line[1:] for line in LINES if line[0] == instruction]


class Containerfile(unittest.TestCase):
    def test_it_ends_in_nothing_but_what_is_copied(self):
        self.assertEqual(of("FROM")[-1], ["scratch"])
        last = max(at for at, line in enumerate(LINES) if line[0] == "FROM")
        self.assertEqual({line[0] for line in LINES[last + 1:]}, {"COPY", "USER", "ENTRYPOINT"})

    def test_stages_are_there_and_images_have_tags(self):
        stages = {words[2] for words in of("FROM") if len(words) > 2}
        for words in of("FROM"):
            self.assertTrue(words[0] == "scratch" or ":" in words[0], words)
        for words in of("COPY"):
            if words[0].startswith("--from="):
                self.assertIn(words[0].removeprefix("--from="), stages)

    def test_it_runs_as_the_user_of_the_chart(self):
        user = yaml.safe_load((CHART / "values.yaml").read_text())["podSecurityContext"]
        self.assertEqual(of("USER"), [[f"{user['runAsUser']}:{user['runAsGroup']}"]])
        self.assertEqual(of("ENTRYPOINT"), [['["/tracetailor"]']])

    def test_it_is_built_by_the_rust_that_is_asked_for(self):
        manifest = (REPOSITORY / "Cargo.toml").read_text().splitlines()
        wanted = next(line.split('"')[1] for line in manifest if line.startswith("rust-version"))
        self.assertIn(f"rust:{wanted}-alpine", of("FROM")[0][0])


if __name__ == "__main__":
    unittest.main()
