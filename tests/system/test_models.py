"""A collection keeps to the model of its vectors, and changes it as a whole by magpie rebuild --model."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "site"))
from apis import png  # noqa: E402
from magpie_system import SystemTest, main  # noqa: E402

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


if __name__ == "__main__":
    main()
