"""Pictures that move: what is said of them, which frame stands for them, and what a very long one costs."""
import io
import json
import shutil
import subprocess
import unittest
import urllib.request
from pathlib import Path

from PIL import Image, ImageStat

from magpie_system import ROOT, SystemTest, answers, free_port, main, wait_for

STAMPS = Path("/usr/share/tuxpaint/stamps")
MOVING = {"gif": "vehicles/auto/sportscar2.png", "webp": "household/dishes/mug.png", "png": "animals/mammals/bovines/cow.png",
          "avif": "household/dishes/teapot.png"}
TIMES = [1, 2, 3, 4]  # of the frames, in tenths of a second
ENDING = "animals/birds/little-penguin.png"
SIDE = 300


def on_white(stamp):
    frame = Image.new("RGB", (SIDE, SIDE), "white")
    picture = Image.open(STAMPS / stamp).convert("RGBA")
    picture.thumbnail((SIDE - 20, SIDE - 20))
    frame.paste(picture, (10, 10), picture)
    return frame


def long_gif(frames):
    """Frames of one black pixel in a white picture, without a time of their own."""
    head = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff"
    return head + b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0" * frames + b";"


def save_avif(frames, path):
    """A frame's time goes before its name; libavif-bin 0.11."""
    words = ["avifenc", "--speed", "8", "--timescale", "10"]
    for number, frame in enumerate(frames):
        still = path.with_suffix(f".{number}.png")
        frame.save(still)
        words += ["--duration", str(TIMES[number]), str(still)]
    subprocess.run([*words, str(path)], check=True, capture_output=True)
    for number in range(len(frames)):
        path.with_suffix(f".{number}.png").unlink()


def save(frames, path):
    if path.suffix == ".avif":
        return save_avif(frames, path)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100 * time for time in TIMES], loop=0)


class Animations(SystemTest):
    def inspect(self, path):
        return json.loads(self.magpie("inspect", "image", path))

    def test_frames_duration_and_plays_are_told(self):
        for name, plays in (("moving.gif", 3), ("moving.webp", 3), ("moving.png", 3), ("moving.avif", 0)):
            facts = self.inspect(ROOT / "tests/pictures" / name)
            said = {key: facts.get(key) for key in ("animated", "frames", "duration_ms", "plays")}
            self.assertEqual(said, {"animated": True, "frames": 6, "duration_ms": 1000, "plays": plays}, name)

    def test_an_animation_without_end_of_frames_has_a_cause(self):
        path = self.folder / "long.gif"
        path.write_bytes(long_gif(100_001))
        self.assertIn("100001 frames, over the limit of 100000", self.inspect(path)["error"])
        path.write_bytes(long_gif(100_000))
        self.assertEqual(self.inspect(path)["frames"], 100_000)

    @unittest.skipUnless(STAMPS.is_dir() and shutil.which("avifenc"), "apt-get install tuxpaint-stamps-default libavif-bin")
    def test_the_first_frame_that_shows_something_stands_for_it(self):
        pictures, collection = self.folder / "pictures", self.folder / "collection"
        pictures.mkdir()
        blank = Image.new("RGB", (SIDE, SIDE), "white")
        for format, stamp in MOVING.items():
            frames = [blank, blank.copy(), on_white(stamp), on_white(ENDING)]
            frames[1].putpixel((0, 0), (250, 250, 250))  # else the writer would join the two
            save(frames, pictures / f"moving.{format}")
        (pictures / "long.gif").write_bytes(long_gif(100_000))
        done = self.magpie("collect", pictures, "--collection", collection)
        port = free_port()
        self.start("serve", "--collection", collection, "--port", port)
        wait_for("magpie serve", lambda: answers(port))
        base = f"http://127.0.0.1:{port}"
        hits = {hit["title"]: hit for hit in self.get_json(base + "/api/v1/search?limit=20")["hits"]}
        self.assertEqual(sorted(hits), ["long.gif", "moving.avif", "moving.gif", "moving.png", "moving.webp"], done)
        self.assertEqual(self.get_json(f"{base}/api/v1/images/{hits['long.gif']['image_id']}")["frames"], 100_000)
        for format, stamp in MOVING.items():
            picture = self.get_json(f"{base}/api/v1/images/{hits['moving.' + format]['image_id']}")
            self.assertEqual((picture["frames"], picture["duration_ms"], picture["plays"]), (4, 1000, 0), format)
            for size in ("thumbnail", "large"):
                with urllib.request.urlopen(base + picture["variants"][size]) as answer:
                    shown = Image.open(io.BytesIO(answer.read())).convert("RGB")
                self.assertGreater(ImageStat.Stat(shown.convert("L")).stddev[0], 10, f"the {size} of a {format} is blank")
                wanted = on_white(stamp).resize(shown.size)
                apart = sum(ImageStat.Stat(Image.blend(shown, Image.eval(wanted, lambda x: 255 - x), 0.5)).stddev)
                self.assertLess(apart, 12, f"the {size} of a {format} shows another frame")
            still = self.folder / f"{format}.png"
            on_white(stamp).save(still)
            found = json.loads(self.magpie("search", "--collection", collection, "--json", "--image", still))["hits"]
            self.assertEqual(found[0]["title"], f"moving.{format}")


if __name__ == "__main__":
    main()
