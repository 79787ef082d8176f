"""What is typed wrong gets an answer that helps."""
from magpie_system import SystemTest, main


class CommandLine(SystemTest):
    def complaint(self, *words):
        self.magpie(*words, code=2)
        self.assertEqual(self.stderr.count("\n"), 1, self.stderr)
        return self.stderr.strip()

    def test_a_command_that_is_not_there(self):
        self.assertEqual(self.complaint("serch"), "magpie: there is no command 'serch'; did you mean 'search'? magpie --help lists them")
        self.assertEqual(self.complaint("xyzzy"), "magpie: there is no command 'xyzzy'; magpie --help lists them")

        self.assertEqual(self.complaint("inspect", "pictur"), "magpie: there is no command 'pictur'; magpie inspect --help lists them")
        self.assertEqual(self.complaint("inspect", "prise"),
                         "magpie: there is no command 'prise'; did you mean 'price'? magpie inspect --help lists them")

        self.assertEqual(self.complaint("inspect"), "magpie: magpie inspect wants a command; magpie inspect --help lists them")

    def test_a_flag_that_is_not_there(self):
        self.assertEqual(self.complaint("search", "dress", "--limt=5"),
                         "magpie: there is no flag '--limt'; did you mean '--limit'? magpie search --help lists them")
        self.assertEqual(self.complaint("copies", "--xyzzy", "3"),
                         "magpie: there is no flag '--xyzzy'; magpie copies --help lists them")

    def test_a_flag_in_the_wrong_place_or_without_its_value(self):
        for words in (["--collection", "/nowhere", "copies"], ["--set"], ["--collection=/nowhere", "nosuch", "--bad"]):
            self.assertIn("goes behind the command", self.complaint(*words))
        self.assertIn("there is no flag '-x'", self.complaint("-x"))
        self.magpie("search", "dress", "--limit", "many", code=2)
        self.assertIn("--limit", self.stderr)
        for flag in ("--limit", "--offset"):
            self.magpie("search", "dress", flag, "-3", code=2)
            self.assertIn(f"{flag}: -3 is negative", self.stderr)
        self.assertNotIn("there is no", self.stderr)


if __name__ == "__main__":
    main()
