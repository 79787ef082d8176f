"""What is seen in pictures is found, counted, and searched by; what was left out is made up for."""
import json
import shutil
import unittest
from pathlib import Path

from magpie_system import MAGPIE, SystemTest, main

STAMPS = Path("/usr/share/tuxpaint/stamps")
PICTURES = {"car.png": "vehicles/auto/sportscar2.png", "racer.png": "vehicles/race/indycar.png", "mug.png": "household/dishes/mug.png",
            "cow.png": "animals/mammals/bovines/cow.png", "white.png": "animals/mammals/bovines/cow_white.png"}
MODEL = Path(MAGPIE).parent / "models/ssd-open-images/manifest.yaml"


@unittest.skipUnless(STAMPS.is_dir(), "apt-get install tuxpaint-stamps-default")
@unittest.skipUnless(MODEL.is_file(), "no detector: run tools/setup/models.sh")
class Regions(SystemTest):
    def setUp(self):
        super().setUp()
        self.pictures, self.collection = self.folder / "pictures", self.folder / "collection"
        self.pictures.mkdir()
        for name, stamp in PICTURES.items():
            shutil.copy(STAMPS / stamp, self.pictures / name)

    def search(self, *words, code=0):
        return json.loads(self.magpie("search", "--collection", self.collection, "--json", *words, code=code))

    def names(self, *words):
        return sorted(hit["title"] for hit in self.search(*words)["hits"])

    def test_things_are_found_by_class_and_by_their_looks(self):
        self.magpie("collect", self.pictures, "--collection", self.collection)
        self.assertEqual(self.names("--class", "Cattle"), ["cow.png", "white.png"])
        self.assertEqual(self.names("--class", "Mug"), ["mug.png"])
        counts = {facet["value"]: facet["count"] for facet in self.search("--facets")["facets"]["class"]}
        self.assertEqual((counts["Car"], counts["Mug"], counts["Cattle"]), (2, 1, 2))
        cow = self.search("--class", "Cattle")["hits"][0]
        alike = self.search("--like", cow["image_id"], "--region", 1, "--beyond")["hits"]
        self.assertEqual([hit["title"] for hit in alike], [name for name in ("cow.png", "white.png") if name != cow["title"]])
        self.assertEqual(alike[0]["region"], 1)
        everything = self.search("--like", cow["image_id"], "--region", 1, "--any-class", "--beyond")
        self.assertGreaterEqual(everything["total"], len(alike))
        said = self.magpie("search", "--collection", self.collection, "--like", cow["image_id"], "--region", 8, code=1)
        self.assertEqual(said, "")

    def test_what_a_crawl_left_out_is_made_up_for(self):
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", "analyse.detector=none")
        self.search("--class", "Mug", code=1)
        done = json.loads(self.magpie("rebuild", "--collection", self.collection, "--analyse", "--json"))
        self.assertEqual((done["detected"], done["embedded"], done["failed"]), (len(PICTURES), 0, 0))
        self.assertEqual(self.names("--class", "Mug"), ["mug.png"])
        again = json.loads(self.magpie("rebuild", "--collection", self.collection, "--analyse", "--json"))
        self.assertEqual(again["detected"], 0, "once is enough")

    def test_a_new_model_of_vectors_takes_the_regions_along(self):
        self.magpie("collect", self.pictures, "--collection", self.collection)
        self.magpie("rebuild", "--collection", self.collection, "--model", "efficientnet-lite0")
        cow = self.search("--class", "Cattle")["hits"][0]
        self.assertEqual(self.search("--like", cow["image_id"], "--region", 1, "--beyond")["hits"][0]["region"], 1)

    def test_a_new_model_takes_the_regions_along_while_nobody_looks_for_more(self):
        self.magpie("collect", self.pictures, "--collection", self.collection)
        off = ("--set", "analyse.detector=none")
        done = json.loads(self.magpie("rebuild", "--collection", self.collection, "--model", "efficientnet-lite0", "--json", *off))
        self.assertEqual((done["embedded"], done["failed"]), (len(PICTURES), 0))
        cow = self.search("--class", "Cattle")["hits"][0]
        self.assertEqual(self.search("--like", cow["image_id"], "--region", 1, "--beyond", *off)["hits"][0]["region"], 1)
        again = json.loads(self.magpie("rebuild", "--collection", self.collection, "--analyse", "--json"))
        self.assertEqual((again["embedded"], again["detected"]), (0, 0), "the regions are those of the detector still")

    def test_a_detector_that_is_none_is_named(self):
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", "analyse.detector=efficientnet-lite0", code=2)
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", "analyse.detector=nowhere", code=1)


if __name__ == "__main__":
    main()
