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
        self.magpie("serve", "--port", "99999", code=2)
        self.assertIn("--port: 99999 is not 1 to 65535", self.stderr)
        self.magpie("copies", "split", "abc", code=2)
        self.assertIn("abc is not a number", self.stderr)

    def test_a_range_the_wrong_way_round(self):
        self.assertEqual(self.complaint("search", "dress", "--price-min", "50", "--price-max", "5.00", "--currency", "EUR", "--as", "url"),
                         "magpie: price_min is 50 and price_max is 5; price_min must not be above price_max")
        self.magpie("init", self.folder / "c")
        for words in (["--pixels-min", "200", "--pixels-max", "100"], ["--query", '{"pixels_min": 200, "pixels_max": 100}']):
            self.assertEqual(self.complaint("search", *words, "--collection", self.folder / "c"),
                             "magpie: pixels_min is 200 and pixels_max is 100; pixels_min must not be above pixels_max")


if __name__ == "__main__":
    main()
