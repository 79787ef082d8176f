"""magpie collect against imitations of four JSON APIs: every picture once with its label and origin, limits kept, kill -9 survived."""
import collections
import json
import random
import re
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "site"))
from apis import png  # noqa: E402
from magpie_system import AGENT, ROOT, SystemTest, answers, free_port, main, wait_for

HOSTS = {"https://nekos.best/": "127.0.70.1", "https://api.waifu.pics/": "127.0.70.2", "https://api.catboys.com/": "127.0.70.4",
         "https://api.waifu.im/": "127.0.70.6"}
CATEGORIES = {"nekos.best": "[neko, kitsune, hug]", "waifu.pics": "[waifu, smug, pat]", "waifu.im": "[waifu, maid, uniform]"}
GALLERY = "127.0.70.8"
SEED = 20261122
KILLS = 6


class Apis:
    def __init__(self, folder):
        self.port = free_port()
        self.log_path = folder / "apis.log"
        self.process = subprocess.Popen([sys.executable, ROOT / "tests/site/apis.py", "--port", str(self.port), "--log", self.log_path],
                                        stderr=subprocess.PIPE, text=True)
        if "ready" not in self.process.stderr.readline():
            raise AssertionError("the imitated APIs did not start")

    def log(self):
        if not self.log_path.exists():
            return []
        return [json.loads(line) for line in self.log_path.read_text().rpartition("\n")[0].splitlines()]

    def pictures_asked(self):
        return [(entry["host"], entry["path"]) for entry in self.log() if entry["path"].endswith(".png")]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


class Collect(SystemTest):
    def apis(self):
        apis = Apis(self.folder)
        self.addCleanup(apis.stop)
        self.truth = self.get_json(f"http://{GALLERY}:{apis.port}/truth")
        return apis

    def description(self, apis, name):
        """The shipped one, led to the imitation, with fewer categories and in a hurry: the imitation's own limits have to slow it down."""
        text = (ROOT / "sources" / f"{name}.yaml").read_text()
        for real, host in HOSTS.items():
            text = text.replace(real, f"http://{host}:{apis.port}/")
        self.assertNotIn("https://", re.sub("#.*", "", text))
        if name in CATEGORIES:
            text, count = re.subn(r"categories: \[.*?\]", f"categories: {CATEGORIES[name]}", text, flags=re.DOTALL)
            self.assertEqual(count, 1)
        text, count = re.subn(r"requests_per_second: \d+", "requests_per_second: 100", text)
        self.assertEqual(count, 1)
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return path

    def words(self, collection, source, *more):
        return ["collect", source, "--collection", collection, "--agent", AGENT, "--delay", 0, "--per-host", 8, "--allow-loopback",
                "--set", "crawl.pictures=describe", "--json", *more]

    def collect(self, collection, source, *more, code=0):
        return json.loads(self.magpie(*self.words(collection, source, *more), code=code))

    def labelled(self, collection):
        """What the store says of each picture's address: {(label, artist, artist_url, page_url)}."""
        said = collections.defaultdict(set)
        for image in self.store(collection)[1].values():
            self.assertTrue(image["labels"], image)
            for label in image["labels"]:
                said[label["url"]].add((label["label"], label["artist"], label["artist_url"], label["page_url"]))
        return said

    def expected(self, host):
        return {url: {(label, known["artist"], known["artist_url"], known["page_url"]) for label in known["labels"]}
                for url, known in self.truth.items() if f"//{host}:" in url and not known["dead"]}

    def assert_all_is_there(self, collection, host, name):
        said, expected = self.labelled(collection), self.expected(host)
        self.assertEqual(sorted(set(expected) - set(said)), [], f"{name}: never collected")
        self.assertEqual(sorted(set(said) - set(expected)), [], f"{name}: nobody listed them")
        self.assertEqual(said, expected)

    def assert_limits_were_kept(self, apis):
        early = [entry for entry in apis.log() if entry["early"]]
        self.assertEqual(early, [], "asked though an answer had said to wait")

    def test_all_four_are_collected_whole_and_what_is_known_is_not_asked_for_again(self):
        apis = self.apis()
        for name, pictures in (("nekos.best", "127.0.70.1"), ("waifu.pics", "127.0.70.3"), ("catboys", "127.0.70.5"), ("waifu.im", "127.0.70.7")):
            collection = self.folder / f"store-{name}"
            said = self.collect(collection, self.description(apis, name))
            self.assertEqual(said["state"], "finished")
            self.assertEqual(said["problems"], [])
            self.assertEqual(said["new"], len(self.expected(pictures)) if name != "waifu.im" else said["new"])
            self.assertEqual(said["new"] + said["known"] + said["malformed"], said["listed"])
            self.assert_all_is_there(collection, pictures, name)
            self.assertEqual(sum(label["waiting"] + label["failed"] for label in said["labels"]), 0, said["labels"])
            if name in ("waifu.pics", "waifu.im"):
                self.assertGreater(said["malformed"], 0, "the imitation gives broken items")
            asked = len(apis.pictures_asked())
            again = self.collect(collection, self.folder / f"{name}.yaml")
            self.assertEqual(again["new"], 0)
            self.assertGreater(again["calls"], 0, "it was listed again")
            self.assertEqual(len(apis.pictures_asked()), asked, "pictures were fetched again")
        repeats = [one for one, count in collections.Counter(apis.pictures_asked()).items() if count > 1]
        self.assertEqual(repeats, [])
        self.assert_limits_were_kept(apis)
        statuses = collections.Counter(entry["status"] for entry in apis.log() if not entry["path"].endswith(".png"))
        self.assertGreater(statuses[429], 0, "the imitation had to ask for rests")
        self.assertGreater(statuses[500], 0, "and to fail")
        found = json.loads(self.magpie("search", "--collection", self.folder / "store-waifu.im", "--json", "--limit", 100, "maid"))
        self.assertGreater(found["total"], 0, "labels are words to search for")

    def test_a_folder_is_collected_and_taken_up_again(self):
        folder, collection = self.folder / "my pictures", self.folder / "local"
        for number, name in enumerate(["cats/tom.png", "cats/deep/felix.png", "dogs/rex.png", "alone.png"]):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(png(1_000 + number, 64))
        (folder / "cats/readme.txt").write_text("no picture")
        (folder / "dogs/torn.jpg").write_bytes(b"\xff\xd8\xff torn")
        words = ["collect", folder, "--collection", collection, "--json"]
        said = json.loads(self.magpie(*words))
        self.assertEqual((said["state"], said["new"], said["problems"]), ("finished", 5, []))
        addresses = {url: {label["label"] for label in image.get("labels", [])}
                     for image in self.store(collection)[1].values() if image["indexed"] for url in image["urls"]}
        at = "file://" + str(folder).replace(" ", "%20")
        self.assertEqual(addresses, {f"{at}/cats/tom.png": {"cats"}, f"{at}/cats/deep/felix.png": {"cats"}, f"{at}/dogs/rex.png": {"dogs"},
                                     f"{at}/alone.png": {""}})
        self.assertIn("torn.jpg", self.magpie("why", f"{at}/dogs/torn.jpg", "--collection", collection))
        (folder / "dogs/new.png").write_bytes(png(2_000, 64))
        (folder / "dogs/torn.jpg").write_bytes(png(1_100, 64))  # mended meanwhile
        again = json.loads(self.magpie(*words))
        self.assertEqual((again["new"], again["known"]), (1, 5))
        found = json.loads(self.magpie("search", "--collection", collection, "--json", "dogs"))
        self.assertEqual(found["total"], 3)
        self.magpie("revisit", "--collection", collection, "--all", code=2)
        self.assertIn("rex.png", {hit["title"] for hit in found["hits"]})
        self.magpie("collect", self.folder / "gone", "--collection", collection, code=1)

    @staticmethod
    def settle(apis):
        seen = -1
        while seen != len(apis.log()):
            seen = len(apis.log())
            time.sleep(0.5)

    def test_beside_a_server_a_folder_is_collected_by_it(self):
        pictures = self.folder / "pictures"
        for label in ("cat", "dog"):
            (pictures / label).mkdir(parents=True)
            for at in range(3):
                (pictures / label / f"{at}.png").write_bytes(png(f"{label}{at}"))
        collection, port = self.folder / "c", free_port()
        self.magpie("init", collection)
        self.start("serve", "--collection", collection, "--port", port)
        wait_for("the server", lambda: answers(port))
        self.magpie("collect", pictures, "--collection", collection)
        self.assertIn("handed to the running magpie serve as job 1", self.stderr)
        self.assertRegex(self.stderr, r"cat +3 pictures\n +dog +3 pictures")
        self.magpie("collect", pictures, "--collection", collection)
        jobs = self.get_json(f"http://127.0.0.1:{port}/api/v1/jobs")["jobs"]
        self.assertEqual([(job["seeds"], job["state"]) for job in jobs], [([f"collect:{pictures}/"], "finished")], "gone on with under its number")
        # Nobody else has this machine's folders read.
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get_json(f"http://127.0.0.1:{port}/api/v1/collect", data=json.dumps({"source": str(pictures)}).encode(),
                          headers={"Content-Type": "application/json"})
        self.assertEqual(json.load(refused.exception)["code"], "socket_only")

    def test_kill_loses_nothing_and_repeats_only_what_was_in_flight(self):
        chance = random.Random(SEED)
        apis = self.apis()
        collection = self.folder / "killed"
        source = self.description(apis, "nekos.best")
        killed_at = []
        for _ in range(KILLS):
            seen = len(apis.log())
            process = self.start(*self.words(collection, source))
            target = seen + chance.randint(4, 40)
            wait_for("requests", lambda: len(apis.log()) >= target or process.poll() is not None, 120)
            if process.poll() is not None:
                break
            time.sleep(chance.random() * 0.1)
            self.kill(process)
            self.settle(apis)  # what the killed one had sent may be logged behind its end
            killed_at.append(time.time())
        self.assertGreaterEqual(len(killed_at), 3, "it ended before it could be killed")
        said = self.collect(collection, source)
        self.assertEqual(said["state"], "finished")
        self.assert_all_is_there(collection, "127.0.70.1", "nekos.best")
        before, needless = {}, []
        for entry in apis.log():
            if entry["path"].endswith(".png"):
                last = before.get(entry["path"])
                if last and not any(last <= kill <= entry["t"] for kill in killed_at):
                    needless.append(entry["path"])
                before[entry["path"]] = entry["t"]
        self.assertEqual(needless, [], "asked for again though no kill lay between")

    def gallery(self, apis, kind, request, paging):
        path = self.folder / f"{kind}.yaml"
        path.write_text(f"source: {kind}\nlabel: gallery\nlicence: CC0\nrequest: {{url: 'http://{GALLERY}:{apis.port}/works/{request}'}}\n"
                        f"paging: {paging}\nitems: data.works[]\nfields: {{picture: file.url, artist: by}}\n"
                        "limits: {requests_per_second: 100}\n")
        return path

    def test_every_kind_of_paging_and_pictures_that_are_none(self):
        apis = self.apis()
        for kind, request, paging in (("page", "page?page={page}", "{kind: page}"), ("offset", "offset?skip={offset}", "{kind: offset}"),
                                      ("cursor", "cursor?after={cursor}", "{kind: cursor, next: next}"),
                                      ("link", "link", "{kind: cursor, next: next}")):
            collection = self.folder / f"store-{kind}"
            said = self.collect(collection, self.gallery(apis, kind, request, paging))
            self.assertEqual((said["listed"], said["new"], said["malformed"]), (25, 25, 0), kind)
            self.assertEqual(said["labels"], [{"label": "gallery", "pictures": 23, "waiting": 0, "failed": 2}], kind)
            self.assertEqual(said["progress"]["failures"], {"not-found": 1, "content-type": 1}, kind)
            images = self.store(collection)[1]
            self.assertEqual(len([image for image in images.values() if image.get("labels")]), 23, kind)
            labels = [label for image in images.values() for label in image["labels"]]
            self.assertEqual({label["licence"] for label in labels}, {"CC0"})
            self.assertTrue(any(image["url"].endswith("/moved/5.png") for image in images.values()), "a redirect keeps its label")
        self.assertEqual(apis.log()[-1]["host"], GALLERY)
        self.assertNotIn("/more", {entry["path"] for entry in apis.log()}, "a page's links are not followed")

    def test_lists_of_addresses(self):
        apis = self.apis()
        urls = [url for url, known in self.truth.items() if GALLERY in url and not known["dead"]]
        table = self.folder / "works.csv"
        table.write_text("url,label,artist\n" + "".join(f'{url},"kind, {i % 2}",Hand {i}\n' for i, url in enumerate(urls)) + "nonsense,x,y\n")
        collection = self.folder / "store"
        said = self.collect(collection, table)
        self.assertEqual((said["new"], said["malformed"]), (len(urls), 1))
        self.assertEqual([(label["label"], label["pictures"]) for label in said["labels"]], [("kind, 0", 12), ("kind, 1", 11)])
        lines = self.folder / "more.txt"
        lines.write_text("\n".join(urls[:3]))
        asked = len(apis.pictures_asked())
        self.assertEqual(self.collect(collection, lines, "--label", "chosen")["new"], 3)
        labels = {label["label"] for image in self.store(collection)[1].values() for label in image["labels"]}
        self.assertEqual(labels, {"kind, 0", "kind, 1", "chosen"})
        self.assertLessEqual(len(apis.pictures_asked()), asked + 3)

    def test_no_more_than_asked_for(self):
        apis = self.apis()
        collection = self.folder / "store"
        source = self.gallery(apis, "page", "page?page={page}", "{kind: page}")
        self.assertEqual(self.collect(collection, source, "--max", 12)["new"], 12)
        self.assertEqual(self.collect(collection, source, "--max", 6)["new"], 6)
        said = self.collect(collection, source)
        self.assertEqual((said["new"], said["lists_done"]), (7, 1))

    def test_a_dry_run_keeps_nothing_and_errors_say_what_to_do(self):
        apis = self.apis()
        source = self.description(apis, "catboys")
        lines = self.magpie("collect", source, "--dry-run", "--json", "--agent", AGENT, "--allow-loopback").splitlines()
        self.assertEqual(len(lines), 10)
        first = json.loads(lines[0])
        self.assertEqual(first["labels"], ["catboy"])
        self.assertIn(first["picture"], self.truth)
        self.assertEqual(apis.pictures_asked(), [])
        names = self.magpie("collect", "--list")
        for name in ("nekos.best", "waifu.pics", "catboys", "waifu.im"):
            self.assertIn(name, names)
        collection = self.folder / "never"
        broken = self.folder / "broken.yaml"
        broken.write_text("source: x\nrequest: {url: 'http://a.test/'}\nitmes: a\nfields: {picture: url}\n")
        self.magpie(*self.words(collection, broken), code=2)
        self.assertIn("broken.yaml:3: itmes: is no key of a description; is 'items' meant?", self.stderr)
        self.magpie(*self.words(collection, "nobody.knows"), code=1)
        self.assertIn("nekos.best", self.stderr)
        self.assertFalse(collection.exists(), "no collection is made for what cannot start")
        missing = self.gallery(apis, "missing", "missing", "{kind: once}")
        missing.write_text(missing.read_text().replace("data.works[]", "nothing[]").replace("requests_per_second: 100", "requests_per_second: 100, retries: 0"))
        said = self.collect(collection, missing, code=3)
        self.assertIn("without anything at 'nothing[]'", said["problems"][0])


if __name__ == "__main__":
    main()
