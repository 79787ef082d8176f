"""A small model that takes pictures and words alike, trained here in seconds: contrastive learning (Radford et al. 2021) on drawn shapes of
five colours, two networks of two layers, a byte-pair vocabulary learnt from the captions. Written as a model folder of two ONNX files."""
import collections
import hashlib
import itertools
import json

import numpy as np
import onnx_writer as onnx
from PIL import Image, ImageDraw

COLOURS = {"red": (205, 30, 35), "green": (40, 150, 60), "blue": (35, 60, 190), "yellow": (235, 205, 40), "black": (20, 20, 25)}
SHAPES = ["circle", "square", "triangle", "cross"]
NAMES = [f"{colour} {shape}" for colour, shape in itertools.product(COLOURS, SHAPES)]
CAPTIONS = ["{c} {s}", "a {c} {s}", "a picture of a {c} {s}", "{s} in {c}", "a {s} that is {c}", "{c} {s}!"]
SIDE, CONTEXT, HIDDEN, DIMS, WORDS_DIMS = 16, 12, 80, 32, 32
MEAN, SCALE, TEMPERATURE = 127.5, 64.0, 0.12
START, END = "<|startoftext|>", "<|endoftext|>"


def draw(name, random, side=100):
    """A picture of what the name says, somewhere, of some size, on a light ground."""
    colour, shape = name.split()
    ground = tuple(int(part) for part in random.integers(205, 250, 3))
    paint = tuple(int(part) for part in np.clip(np.array(COLOURS[colour]) + random.integers(-18, 19, 3), 0, 255))
    picture = Image.new("RGB", (side, side), ground)
    pen, r = ImageDraw.Draw(picture), random.uniform(0.27, 0.35) * side
    x, y = random.uniform(0.46, 0.54, 2) * side
    if shape == "circle":
        pen.ellipse((x - r, y - r, x + r, y + r), paint)
    elif shape == "square":
        pen.rectangle((x - r, y - r, x + r, y + r), paint)
    elif shape == "triangle":
        pen.polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], paint)
    else:
        pen.rectangle((x - r, y - r / 4, x + r, y + r / 4), paint)
        pen.rectangle((x - r / 4, y - r, x + r / 4, y + r), paint)
    return picture


def pixels(picture):
    """As the network's input, channel by channel."""
    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    return ((small - MEAN) / SCALE).transpose(2, 0, 1).reshape(-1)


def learn_merges(words, count):
    """Sennrich, Haddow and Birch 2016: the commonest pair becomes one piece, again and again."""
    words = {tuple(word[:-1]) + (word[-1] + "</w>",): times for word, times in collections.Counter(words).items()}
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {merged(word, best): times for word, times in words.items()}
    return merges


def merged(word, pair):
    out, i = [], 0
    while i < len(word):
        both = word[i:i + 2] == pair
        out.append("".join(pair) if both else word[i])
        i += 2 if both else 1
    return tuple(out)


class Vocabulary:
    def __init__(self):
        captions = [caption.format(c=c, s=s) for caption in CAPTIONS for c in COLOURS for s in SHAPES]
        self.merges = learn_merges([word.strip("!") for text in captions for word in text.split()], 150)
        signs = [chr(code) for code in range(33, 127)]
        pieces = signs + [sign + "</w>" for sign in signs] + ["".join(pair) for pair in self.merges] + [START, END]
        self.numbers = {piece: i for i, piece in enumerate(pieces)}

    def encode(self, text):
        numbers = [self.numbers[START]]
        for word in text.replace("!", " !").split():
            pieces = tuple(word[:-1]) + (word[-1] + "</w>",)
            for pair in self.merges:
                pieces = merged(pieces, pair)
            numbers += [self.numbers[piece] for piece in pieces]
        return numbers[:CONTEXT - 1] + [self.numbers[END]]


class Adam:
    def __init__(self, weights, rate=3e-3):
        self.weights, self.rate, self.steps = weights, rate, 0
        self.first, self.second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]

    def step(self, slopes):
        self.steps += 1
        for weight, slope, m, v in zip(self.weights, slopes, self.first, self.second):
            m += 0.1 * (slope - m)
            v += 0.001 * (slope * slope - v)
            weight -= self.rate * (m / (1 - 0.9**self.steps)) / (np.sqrt(v / (1 - 0.999**self.steps)) + 1e-8)


class Tower:
    """x to relu(x A + a) B, made of unit length."""

    def __init__(self, random, width):
        self.weights = [random.normal(0, (2 / width)**0.5, (width, HIDDEN)), np.zeros(HIDDEN), random.normal(0, HIDDEN**-0.5, (HIDDEN, DIMS))]
        self.weights = [weight.astype(np.float32) for weight in self.weights]

    def forward(self, x):
        a, shift, b = self.weights
        self.x, self.h = x, np.maximum(x @ a + shift, 0)
        y = self.h @ b
        self.length = np.linalg.norm(y, axis=1, keepdims=True)
        self.unit = y / self.length
        return self.unit

    def backward(self, slope):
        a, _, b = self.weights
        slope = (slope - self.unit * (slope * self.unit).sum(1, keepdims=True)) / self.length
        below = (slope @ b.T) * (self.h > 0)
        return [self.x.T @ below, below.sum(0), self.h.T @ slope], below @ a.T


class TwoTowers:
    def __init__(self, seed=7):
        self.random, self.vocabulary = np.random.default_rng(seed), Vocabulary()
        self.table = self.random.normal(0, 1, (len(self.vocabulary.numbers), WORDS_DIMS)).astype(np.float32)
        self.eyes, self.ears = Tower(self.random, 3 * SIDE * SIDE), Tower(self.random, WORDS_DIMS)

    def bags(self, texts):
        bags = np.zeros((len(texts), len(self.table)), np.float32)
        for row, text in zip(bags, texts):
            np.add.at(row, self.vocabulary.encode(text), 1 / CONTEXT)
        return bags

    def texts(self):
        """A caption of each name, and words that mean no picture."""
        said = [self.random.choice(CAPTIONS).format(c=c, s=s) for c, s in map(str.split, NAMES)]
        letters = "abcdefghijklmnopqrstuvwxyz"
        return said + ["".join(self.random.choice(list(letters), self.random.integers(3, 9))) for _ in range(12)]

    def train(self, pictures=2_000, steps=450, batch=120):
        labels = self.random.integers(0, len(NAMES), pictures)
        known = np.stack([pixels(draw(NAMES[label], self.random)) for label in labels]).astype(np.float32)
        adam = Adam([self.table, *self.eyes.weights, *self.ears.weights])
        for step in range(steps):
            adam.rate = 3e-3 * (1 - step / steps)
            chosen = self.random.integers(0, pictures, batch)
            bags = self.bags(self.texts())
            seen, heard = self.eyes.forward(known[chosen]), self.ears.forward(bags @ self.table)
            odds = np.exp((seen @ heard.T) / TEMPERATURE)
            slope = odds / odds.sum(1, keepdims=True)
            slope[np.arange(batch), labels[chosen]] -= 1
            slope /= TEMPERATURE * batch
            of_eyes, _ = self.eyes.backward(slope @ heard)
            of_ears, below = self.ears.backward(slope.T @ seen)
            adam.step([bags.T @ below, *of_eyes, *of_ears])
        return self

    def closeness_min(self, pictures=600):
        """Halfway between what fits and what does not, on pictures not learnt from: cosine less the mean of all pictures."""
        labels = self.random.integers(0, len(NAMES), pictures)
        seen = self.eyes.forward(np.stack([pixels(draw(NAMES[label], self.random)) for label in labels]).astype(np.float32))
        heard = self.ears.forward(self.bags(NAMES) @ self.table)
        near = seen @ heard.T
        near -= near.mean(0)
        fits = np.arange(len(NAMES)) == labels[:, None]
        return float(np.quantile(near[fits], 0.01) + np.quantile(near[~fits], 0.99)) / 2

    def image_graph(self):
        a, shift, b = self.eyes.weights
        return onnx.graph_file(
            [("pixel_values", ("batch", 3, SIDE, SIDE), onnx.FLOAT)],
            [("Flatten", ["pixel_values"], "flat", {"axis": 1}), ("MatMul", ["flat", "A"], "xA", {}), ("Add", ["xA", "a"], "sum", {}),
             ("Relu", ["sum"], "hidden", {}), ("MatMul", ["hidden", "B"], "image_embeds", {})],
            "image_embeds", ("batch", DIMS), [("A", a.shape, a.ravel()), ("a", shift.shape, shift), ("B", b.shape, b.ravel())])

    def text_graph(self):
        a, shift, b = self.ears.weights
        return onnx.graph_file(
            [("input_ids", (1, CONTEXT), onnx.INT64), ("attention_mask", (1, CONTEXT), onnx.INT64)],
            [("Gather", ["table", "input_ids"], "rows", {"axis": 0}), ("Cast", ["attention_mask"], "mask", {"to": onnx.FLOAT}),
             ("Reshape", ["mask", "column"], "masks", {}), ("Mul", ["rows", "masks"], "words", {}),
             ("ReduceMean", ["words"], "mean", {"axes": (1,), "keepdims": 0}), ("MatMul", ["mean", "A"], "xA", {}),
             ("Add", ["xA", "a"], "sum", {}), ("Relu", ["sum"], "hidden", {}), ("MatMul", ["hidden", "B"], "text_embeds", {})],
            "text_embeds", (1, DIMS),
            [("table", self.table.shape, self.table.ravel()), ("column", (3,), (1, CONTEXT, 1), onnx.INT64), ("A", a.shape, a.ravel()),
             ("a", shift.shape, shift), ("B", b.shape, b.ravel())])

    def save(self, folder, name="two-towers", more_pieces=None, **changed):
        """The model folder; `more_pieces` of the vocabulary have numbers of their own, `changed` are lines of the manifest's text part."""
        folder.mkdir(parents=True, exist_ok=True)
        merges = "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in self.vocabulary.merges)
        files = {"image.onnx": self.image_graph(), "text.onnx": self.text_graph(), "vocab.json": json.dumps({**self.vocabulary.numbers, **(more_pieces or {})}).encode(),
                 "merges.txt": merges.encode()}
        for file, data in files.items():
            (folder / file).write_bytes(data)
        text = {"tokenizer": "clip-bpe", "vocabulary": "[vocab.json, merges.txt]", "graph": "text.onnx", "tensor": "text_embeds",
                "context": CONTEXT, "closeness_min": round(self.closeness_min(), 3), **changed}
        entries = "".join(f"  - {{name: {file}, size: {len(data)}, sha256: {hashlib.sha256(data).hexdigest()}}}\n" for file, data in files.items())
        (folder / "manifest.yaml").write_text(
            f"manifest: 1\nname: {name}\nversion: '1'\ntask: embedding\ngraph: image.onnx\nlicence: CC0-1.0\nsource: trained by a test\n"
            f"files:\n{entries}input: {{width: {SIDE}, height: {SIDE}, type: f32-nchw, fit: squash, mean: {MEAN}, scale: {SCALE}}}\n"
            f"output: {{embedding_dims: {DIMS}, tensors: [image_embeds]}}\n"
            f"text: {{{', '.join(f'{key}: {value}' for key, value in text.items())}}}\n")
        return folder
