"""A model of the user's own that takes pictures and words alike finds by words what no page says, without a bridge. It is a real one, small:
two_towers.py trains it."""
import io
import json
import os
import subprocess
from urllib.parse import quote

import numpy as np
import two_towers
from local_web import Web
from magpie_system import MAGPIE, SLOWNESS, SystemTest, answers, free_port, main, wait_for

SHOWN = ["red circle", "red cross", "green triangle", "green square", "blue square", "blue triangle", "yellow circle", "yellow triangle",
         "black cross", "black circle"]
OF_EACH = 5


class Towers(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.towers = two_towers.TwoTowers().train()

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(11)  # pictures that were not learnt from
        self.names = SHOWN * OF_EACH
        self.pictures = [self.png(two_towers.draw(name, random)) for name in self.names]
        self.collection, self.models = self.folder / "collection", self.folder / "models"
        os.environ["MAGPIE_MODELS"] = str(self.models)
        self.addCleanup(os.environ.pop, "MAGPIE_MODELS")

    def png(self, picture):
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    def serve_pictures(self):
        """Pages that say nothing but their number."""
        web = Web(self.answer)
        self.addCleanup(web.stop)
        return web.url("127.0.0.1")

    def answer(self, request):
        path = request.path
        number = "".join(filter(str.isdigit, path))
        if path == "/":
            return 200, {}, "".join(f'<a href="/p{i}">{i}</a> ' for i in range(len(self.pictures)))
        if not number or int(number) >= len(self.pictures):
            return 404, {}, ""
        if path.startswith("/i"):
            return 200, {"Content-Type": "image/png"}, self.pictures[int(number)]
        return 200, {}, f'<html lang=en><title>{number}</title><img src="/i{number}" alt="">'

    def run_magpie(self, *words):
        return subprocess.run([MAGPIE, *map(str, words)], capture_output=True, text=True, timeout=120 * SLOWNESS)

    def names_found(self, *words):
        done = self.run_magpie("search", "--collection", self.collection, "--json", "-n", "40", *words)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        hits = json.loads(done.stdout)["hits"]
        self.assertTrue(all(hit["by_looks"] for hit in hits), "no page has words")
        self.counted = len(hits) + sum(hit["copies"] for hit in hits)  # circles of one size and place are copies to the eye
        return [self.named(hit) for hit in hits]

    def test_words_find_pictures_of_pages_without_words(self):
        self.magpie("models", "add", self.towers.save(self.folder / "mine"))
        mine = [one for one in json.loads(self.magpie("models", "list", "--json")) if one["yours"]]
        self.assertEqual([(one["name"], one["components"], one["words"]) for one in mine], [("two-towers", two_towers.DIMS, True)])
        self.magpie("models", "verify", "two-towers")
        times = json.loads(self.magpie("models", "bench", "two-towers", "--json"))
        self.assertTrue(times["cpu_ms"] > 0 and times["words_cpu_ms"] > 0)

        settings = ["crawl.agent=magpie-test", "crawl.host_delay=0s", "crawl.allow_loopback=true", "analyse.detector=none", "model.embedder=two-towers"]
        self.magpie("crawl", self.serve_pictures(), "--collection", self.collection, *[word for one in settings for word in ("--set", one)])
        for name in SHOWN[:4]:
            found = self.names_found(name)
            self.assertEqual(set(found), {name})
            self.assertGreaterEqual(self.counted, OF_EACH - 1, f"{name}: {found}")
        self.assertEqual(set(self.names_found("a", "circle", "that", "is", "red")), {"red circle"})
        for absent in ("green cross", "red triangle", "qwrtz"):
            self.assertEqual(self.names_found(absent), [], absent)
        self.assertEqual(self.names_found("red circle", "--set", "search.looks=false"), [])
        self.find_by_the_server(SHOWN[3])
        self.assertIn("two-towers@1", self.run_magpie("bridge", "show", "--collection", self.collection).stderr)

    def find_by_the_server(self, name):
        port = free_port()
        self.start("serve", "--collection", self.collection, "--port", port, "--set", "model.embedder=two-towers")
        wait_for("the server", lambda: answers(port))
        hits = self.get_json(f"http://127.0.0.1:{port}/api/v1/search?limit=40&q={quote(name)}")["hits"]
        self.assertEqual({self.named(hit) for hit in hits}, {name})

    def named(self, hit):
        return self.names[int("".join(filter(str.isdigit, hit["page_url"].rsplit("/", 1)[1])))]

    def test_what_is_wrong_with_the_words_is_named(self):
        def refused(words, **changed):
            folder = self.towers.save(self.folder / "mine", **changed)
            done = self.run_magpie("models", "add", folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertFalse(self.models.exists())
        refused("text: context", context=11)
        refused("text: graph 'none.onnx'", graph="none.onnx")
        refused("'pixel_values'", graph="image.onnx")
        refused("text: vocabulary", vocabulary="merges.txt.gz")
        refused("text: vocabulary", vocabulary="[merges.txt, vocab.json]")
        refused("text: tokenizer", tokenizer="sentencepiece")
        refused("no tensor 'pooled'", tensor="pooled")
        refused("text: start", start=-1)
        rows = len(self.towers.table)
        refused(f"no number {rows}", more_pieces={"zebra</w>": rows})
        refused(f"no number {rows + 7}", end=rows + 7)


if __name__ == "__main__":
    main()
