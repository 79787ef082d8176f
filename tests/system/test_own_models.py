"""A user's own ONNX models are tried in a worker, added, used, and refused with the field that is wrong."""
import contextlib
import hashlib
import json
import os
import random
import struct
import subprocess
import zlib

import onnx_writer
from magpie_system import MAGPIE, SLOWNESS, SystemTest, main

SIDE = 32


def png(colour, side=160):
    row = b"\0" + bytes(colour) * side
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b"")


EMBEDDER = "task: embedding\noutput: {embedding_dims: 3, tensors: [vector]}\n"
DETECTOR = "task: detection\ndetection: {decoding: yolo-v8, classes: [dark, bright]}\n"
FORM = f"input: {{width: {SIDE}, height: {SIDE}, type: f32-nchw, scale: 255, fit: pad}}\n"
COLOURS = {"white": (250, 250, 250), "red": (200, 20, 20), "wine": (120, 12, 12), "blue": (10, 10, 220), "night": (5, 5, 20)}


class OwnModels(SystemTest):
    def setUp(self):
        super().setUp()
        self.pictures, self.collection, self.models = self.folder / "pictures", self.folder / "collection", self.folder / "models"
        os.environ["MAGPIE_MODELS"] = str(self.models)
        self.addCleanup(os.environ.pop, "MAGPIE_MODELS")
        self.pictures.mkdir()
        for name, colour in COLOURS.items():
            (self.pictures / f"{name}.png").write_bytes(png(colour))

    def put(self, name, graph, words, **changed):
        folder = self.folder / "mine" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(graph)
        sum_of = changed.get("sha256", hashlib.sha256(graph).hexdigest())
        (folder / "manifest.yaml").write_text(
            f"manifest: 1\nname: {name}\nversion: '1'\ngraph: model.onnx\nlicence: CC0-1.0\nsource: a test\n{words}{changed.get('form', FORM)}"
            f"files: [{{name: model.onnx, size: {len(graph)}, sha256: {sum_of}}}]\n")
        return folder

    def run_magpie(self, *words):
        return subprocess.run([MAGPIE, *map(str, words)], capture_output=True, text=True, timeout=300 * SLOWNESS)

    def search(self, *words):
        return json.loads(self.magpie("search", "--collection", self.collection, "--json", *words))

    def refused(self, folder, words):
        done = self.run_magpie("models", "add", folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)
        self.assertFalse((self.models / folder.name).exists())

    def test_an_embedder_of_ones_own_makes_a_collections_vectors(self):
        self.magpie("models", "add", self.put("mean-colour", onnx_writer.mean_colour(SIDE), EMBEDDER))
        mine = [one for one in json.loads(self.magpie("models", "list", "--json")) if one["yours"]]
        self.assertEqual([(one["name"], one["components"], one["licence"]) for one in mine], [("mean-colour", 3, "CC0-1.0")])
        self.magpie("models", "verify", "mean-colour")
        self.assertGreater(json.loads(self.magpie("models", "bench", "mean-colour", "--json"))["cpu_ms"], 0)
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", "model.embedder=mean-colour")
        hits = self.search("--image", self.pictures / "red.png")["hits"]
        self.assertEqual([hit["title"] for hit in hits[:2]], ["red.png", "wine.png"])
        self.assertIn("a model named mean-colour", self.run_magpie("models", "add", self.folder / "mine/mean-colour").stderr)

    def test_a_detector_of_ones_own_finds_its_things(self):
        layouts = {"yolo-v5": "v5", "yolo-v8": "v8", "yolo-v8-turned": "v8 turned", "yolo-v10": "v10"}
        for name, layout in layouts.items():
            words = DETECTOR.replace("yolo-v8", name.removesuffix("-turned"))
            self.magpie("models", "add", self.put(name, onnx_writer.bright_middle(SIDE, layout), words))
            self.collection = self.folder / name
            self.magpie("collect", self.pictures, "--collection", self.collection, "--set", f"analyse.detector={name}")
            found = self.search("--class", "bright")["hits"]
            self.assertEqual([hit["title"] for hit in found], ["white.png"], name)

    def test_a_collection_changes_to_vectors_of_another_length_and_back(self):
        self.magpie("models", "add", self.put("mean-colour", onnx_writer.mean_colour(SIDE), EMBEDDER))
        self.magpie("collect", self.pictures, "--collection", self.collection)
        nearest = lambda: [(hit["title"], round(hit["score"], 4)) for hit in self.search("--image", self.pictures / "red.png")["hits"]]
        rebuild = lambda *words: json.loads(self.magpie("rebuild", "--collection", self.collection, "--json", *words))
        before = nearest()
        compared = rebuild("--model", "mean-colour", "--dry-run")["comparison"]
        self.assertEqual((compared["asked"], compared["among"]), (len(COLOURS), len(COLOURS)))
        self.assertEqual(nearest(), before, "nothing was switched")
        changed = rebuild("--model", "mean-colour")
        self.assertEqual(changed["embedded"], 0, "they were made by the dry run")
        self.assertEqual([title for title, _ in nearest()[:2]], ["red.png", "wine.png"])
        self.magpie("collect", self.pictures, "--collection", self.collection)
        self.assertEqual([folder.name for folder in self.collection.glob("index*")], ["index-2"], "the old one has gone")
        rebuild("--model", "efficientnet-lite0-int8")
        self.assertEqual(nearest(), before)

    def test_searches_are_of_one_model_whenever_the_change_is_killed(self):
        self.magpie("models", "add", self.put("mean-colour", onnx_writer.mean_colour(SIDE), EMBEDDER))
        self.magpie("collect", self.pictures, "--collection", self.collection)
        chance, old, kinds = random.Random(7), self.search("--image", self.pictures / "red.png")["hits"], set()
        for delay in sorted(chance.uniform(0.02, 0.6) for _ in range(10)) + [60]:
            process = self.start("rebuild", "--collection", self.collection, "--model", "mean-colour")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(delay * SLOWNESS)
            self.kill(process)
            hits = self.search("--image", self.pictures / "red.png")["hits"]
            kinds.add(hits == old)
            if hits != old:
                self.assertEqual([hit["title"] for hit in hits[:2]], ["red.png", "wine.png"])
        self.assertEqual(kinds, {True, False}, "some were cut short, and the last was not")

    def put_darknet(self, name, weights):
        """Four cells, each looking at one pixel: where it is bright there is something, of the second class."""
        cfg = (f"[net]\nwidth={SIDE}\nheight={SIDE}\nchannels=3\n[convolutional]\nfilters=7\nsize=1\nstride={SIDE // 2}\npad=0\nactivation=linear\n"
               "[yolo]\nmask=0\nanchors=12,12\nclasses=2\nnum=1\n")
        folder = self.folder / "mine" / name
        folder.mkdir(parents=True)
        files = {"net.cfg": cfg.encode(), "net.weights": struct.pack("<iiiq", 0, 2, 0, 0) + struct.pack(f"<{len(weights)}f", *weights)}
        listed = ""
        for file, data in files.items():
            (folder / file).write_bytes(data)
            listed += f"  - {{name: {file}, size: {len(data)}, sha256: {hashlib.sha256(data).hexdigest()}}}\n"
        (folder / "manifest.yaml").write_text(
            f"manifest: 1\nname: {name}\nversion: '1'\ngraph: net.cfg\nlicence: CC0-1.0\nsource: a test\nfiles:\n{listed}"
            f"{DETECTOR.replace('yolo-v8', 'yolo-v3')}{FORM}")
        return folder

    def test_a_darknet_network_needs_no_export(self):
        biases, brightness = [0, 0, 0, 0, -20, -5, 5], [0.0] * 12 + [10.0] * 3 + [0.0] * 6
        self.magpie("models", "add", self.put_darknet("darknet", biases + brightness))
        self.magpie("collect", self.pictures, "--collection", self.collection, "--set", "analyse.detector=darknet")
        self.assertEqual([hit["title"] for hit in self.search("--class", "bright")["hits"]], ["white.png"])
        self.refused(self.put_darknet("another", biases), "the .cfg is of a network of")

    def test_what_is_wrong_is_named(self):
        good = onnx_writer.mean_colour(SIDE)
        self.refused(self.put("damaged", good, EMBEDDER, sha256="0" * 64), "SHA-256")
        self.refused(self.put("dims", good, EMBEDDER.replace("3,", "4,")), "output: embedding_dims")
        self.refused(self.put("name", good, EMBEDDER.replace("vector", "nothing")), "output: tensors")
        self.refused(self.put("side", good, EMBEDDER, form=FORM.replace(": 32", ": 64")), "input: width")
        self.refused(self.put("bytes", good, EMBEDDER, form=FORM.replace("f32-nchw, scale: 255", "u8-nhwc")), "input:")
        self.refused(self.put("spoilt", onnx_writer.mean_colour(SIDE, spoilt=True), EMBEDDER), "not finite")
        self.refused(self.put("torn", good[:40], EMBEDDER), "torn")
        self.refused(self.put("classes", onnx_writer.bright_middle(SIDE), DETECTOR.replace("[dark, bright]", "coco")), "detection: decoding, classes")
        self.assertIn("manifest.yaml", self.run_magpie("models", "add", self.pictures).stderr)
        self.assertIn("magpie models list", self.run_magpie("models", "verify", "nowhere").stderr)


if __name__ == "__main__":
    main()
