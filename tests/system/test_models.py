"""A collection keeps to the model of its vectors, and changes it as a whole by magpie rebuild --model."""
import json
import shutil
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "site"))
import magpie_system  # noqa: E402
from apis import png  # noqa: E402
from magpie_system import SystemTest, main, wait_for  # noqa: E402

FLOATS, EIGHT_BITS = "efficientnet-lite0", "efficientnet-lite0-int8"
PICTURES = 12


class Models(SystemTest):
    def setUp(self):
        super().setUp()
        self.pictures, self.collection = self.folder / "pictures", self.folder / "collection"
        self.pictures.mkdir()
        for number in range(PICTURES):
            (self.pictures / f"{number}.png").write_bytes(png(number, 64))

    def nearest(self, *more, code=0):
        said = self.magpie("search", "--collection", self.collection, "--image", self.pictures / "3.png", "--json", *more, code=code)
        return json.loads(said)["hits"] if code == 0 else None

    def test_another_model_is_refused_until_all_vectors_are_its_own(self):
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", f"model.embedder={FLOATS}")
        before = self.nearest()
        self.assertEqual(before[0]["title"], "3.png")
        self.nearest("--set", f"model.embedder={EIGHT_BITS}", code=2)
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", f"model.embedder={EIGHT_BITS}", code=2)
        self.magpie("rebuild", "--collection", self.collection, "--model", "no-such-model", code=1)
        done = json.loads(self.magpie("rebuild", "--collection", self.collection, "--model", EIGHT_BITS, "--json"))
        self.assertEqual((done["embedded"], done["failed"]), (PICTURES, 0))
        after = self.nearest()
        self.assertEqual(after[0]["title"], "3.png")
        self.assertGreater(after[0]["score"], 0.99)
        self.assertNotEqual([hit["score"] for hit in before], [hit["score"] for hit in after])
        self.nearest("--set", f"model.embedder={FLOATS}", code=2)
        again = json.loads(self.magpie("rebuild", "--collection", self.collection, "--model", FLOATS, "--json"))
        self.assertEqual(again["embedded"], 0, "the first vectors are still there")
        self.assertEqual([hit["score"] for hit in self.nearest()], [hit["score"] for hit in before])

    def test_a_new_collection_has_the_default_model(self):
        self.magpie("collect", self.pictures, "--collection", self.collection)
        self.nearest("--set", f"model.embedder={EIGHT_BITS}")
        self.nearest("--set", f"model.embedder={FLOATS}", code=2)


class Asker(threading.Thread):
    """Asks the server the same over and over, by a picture of the collection and by one that it uploads, until told to stop."""

    def __init__(self, test, origin, photo):
        super().__init__()
        self.test, self.origin, self.photo = test, origin, photo
        self.done, self.wrong, self.answers = threading.Event(), [], []

    def run(self):
        while not self.done.is_set():
            try:
                like = self.test.get_json(f"{self.origin}/api/v1/search?like=3&beyond=true&limit=5")
                photo = self.test.get_json(f"{self.origin}/api/v1/search", data=self.photo, headers={"Content-Type": "image/png"})
                self.answers.append(tuple(hit["score"] for hit in like["hits"]))
                if photo["hits"][0]["title"] != "3.png" or photo["hits"][0]["score"] < 0.99:
                    self.wrong.append(photo["hits"][:2])
            except OSError as error:
                self.wrong.append(error)


class ModelsOfAServer(SystemTest):
    PICTURES = 150

    def setUp(self):
        super().setUp()
        self.pictures, self.collection = self.folder / "pictures", self.folder / "collection"
        self.fill(self.pictures, range(self.PICTURES))
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", f"model.embedder={FLOATS}")

    def fill(self, folder, numbers):
        folder.mkdir()
        for number in numbers:
            (folder / f"{number}.png").write_bytes(png(number, 64))

    def serve(self, *more):
        port = magpie_system.free_port()
        process = self.start("serve", "--port", port, "--collection", self.collection, *more)
        wait_for("the server", lambda: magpie_system.answers(port))
        return process, f"http://127.0.0.1:{port}"

    def change(self, *more):
        return json.loads(self.magpie("rebuild", "--collection", self.collection, "--model", EIGHT_BITS, "--json", *more))

    def indexes(self):
        return [folder.name for folder in self.collection.glob("index*")]

    def test_searches_and_crawls_go_on_while_it_changes(self):
        server, origin = self.serve()
        asker = Asker(self, origin, (self.pictures / "3.png").read_bytes())
        self.addCleanup(asker.done.set)
        asker.start()
        others = self.folder / "others"
        self.fill(others, range(1000, 1000 + self.PICTURES))
        compared = self.change("--dry-run")
        self.assertEqual((compared["switched"], compared["comparison"]["asked"] > 0), (False, True))
        collecting = self.start("collect", others, "--collection", self.collection)
        changed = self.change()
        self.assertEqual((changed["switched"], changed["failed"]), (True, 0))
        self.assertEqual(collecting.wait(60 * magpie_system.SLOWNESS), 0)
        wait_for("the new pictures", lambda: self.get_json(f"{origin}/api/v1/stats")["images_indexed"] == 2 * self.PICTURES)
        asker.done.set()
        asker.join()
        self.assertEqual(asker.wrong, [])
        self.assertGreater(len(set(asker.answers)), 1, "the new vectors have other likenesses")
        for number in (5, 1005):
            photo = png(number, 64)
            found = self.get_json(f"{origin}/api/v1/search", data=photo, headers={"Content-Type": "image/png"})["hits"]
            self.assertEqual(found[0]["title"], f"{number}.png")
        self.assertIn(EIGHT_BITS, json.dumps(self.get_json(f"{origin}/api/v1/images/3")))
        wait_for("the old index's end", lambda: self.indexes() == ["index-2"])
        self.assertEqual(self.change()["before"], changed["after"], "nothing is left to change")
        before = self.get_json(f"{origin}/api/v1/search?like=3&beyond=true&limit=5")["hits"]
        self.kill(server)
        _, origin = self.serve()
        again = self.get_json(f"{origin}/api/v1/search?like=3&beyond=true&limit=5")["hits"]
        self.assertEqual([(hit["title"], hit["score"]) for hit in again], [(hit["title"], hit["score"]) for hit in before])

    def test_it_can_be_stopped_and_gone_on_with(self):
        self.serve()
        rebuild = self.start("rebuild", "--collection", self.collection, "--model", EIGHT_BITS)
        log = self.folder / "stderr.log"
        wait_for("the change", lambda: "model.change_started" in log.read_text())
        rebuild.terminate()
        self.assertEqual(rebuild.wait(30 * magpie_system.SLOWNESS), 1)
        self.assertEqual(self.indexes(), ["index"])
        self.assertTrue(self.change()["switched"])

    def test_a_server_that_would_not_start_again_does_not_change(self):
        server, _ = self.serve("--set", f"model.embedder={FLOATS}")
        self.magpie("rebuild", "--collection", self.collection, "--model", EIGHT_BITS, code=3)
        self.assertIn(f"model.embedder is set to {FLOATS}", self.stderr)
        self.assertFalse(self.change("--dry-run")["switched"])
        server.terminate()
        server.wait(30 * magpie_system.SLOWNESS)
        self.assertTrue(self.change("--set", f"model.embedder={FLOATS}")["switched"])
        self.assertIn(f"take model.embedder = {FLOATS} out of the settings", self.stderr)

    def test_it_does_not_switch_when_pictures_would_lose_their_vectors(self):
        _, origin = self.serve()
        before = self.get_json(f"{origin}/api/v1/search?like=3&beyond=true&limit=5")["hits"]
        for file in (self.collection / "archive").rglob("*.warc*"):  # as a failing disk would
            size = file.stat().st_size
            with open(file, "r+b") as damaged:
                damaged.seek(size // 2)
                damaged.write(bytes(size - size // 2))
        self.magpie("rebuild", "--collection", self.collection, "--model", EIGHT_BITS, code=3)
        self.assertRegex(self.stderr, rf"\d+ of {self.PICTURES} pictures would have no vector of {EIGHT_BITS}")
        after = self.get_json(f"{origin}/api/v1/search?like=3&beyond=true&limit=5")["hits"]
        self.assertEqual([hit["score"] for hit in after], [hit["score"] for hit in before])
        self.assertEqual(self.indexes(), ["index"])

    def test_an_index_that_was_removed_is_made_anew(self):
        before = self.magpie("search", "--collection", self.collection, "--image", self.pictures / "3.png", "--json")
        shutil.rmtree(self.collection / "index")
        _, origin = self.serve()
        self.assertEqual(self.get_json(f"{origin}/api/v1/stats")["images_indexed"], self.PICTURES)
        after = self.magpie("search", "--collection", self.collection, "--image", self.pictures / "3.png", "--json")
        self.assertEqual(*([(hit["title"], hit["score"]) for hit in json.loads(said)["hits"]] for said in (before, after)))

    def test_what_is_forgotten_meanwhile_is_in_neither_index(self):
        self.serve()
        rebuild = self.start("rebuild", "--collection", self.collection, "--model", EIGHT_BITS)
        log = self.folder / "stderr.log"
        wait_for("the change", lambda: "model.change_started" in log.read_text())
        for number in (3, 77):
            report = json.loads(self.magpie("forget", "picture", number, "--yes", "--json", "--collection", self.collection))
            self.assertEqual(report["search"]["found"], [])
        self.assertEqual(rebuild.wait(60 * magpie_system.SLOWNESS), 0, log.read_text()[-2000:])
        hits = json.loads(self.magpie("search", "--collection", self.collection, "--json", "--limit", 200))
        self.assertEqual(hits["total"], self.PICTURES - 2)
        self.assertFalse({3, 77} & {hit["image_id"] for hit in hits["hits"]})


if __name__ == "__main__":
    main()
