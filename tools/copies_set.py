"""Makes sets of changed pictures whose copies are known, for tools/bench_copies.py. Needs Pillow and numpy.

A set is a folder of files `<picture>__<change>.<format>`, so its truth is in its names: files of one picture are copies, all others are not.
Each picture comes as it is and under some of CHANGES, each at a strength of its own; all is drawn from one seed, so a set is the same each time.
`<picture>~colour__…` is the same garment in another colour: by the rules of the collection another product, so never a copy of `<picture>`.
"""
import colorsys
import io
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

SIDE_MAX = 1600   # px: larger sources are made this small first, so that a set is made in minutes
Image.MAX_IMAGE_PIXELS = None


def crop(picture, draw, share):
    """Keeps 1 - share of the area, anywhere in the picture."""
    side = (1 - share) ** 0.5
    width, height = round(picture.width * side), round(picture.height * side)
    left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def crop_side(picture, draw):
    """Cuts from one side only."""
    cut = draw.uniform(0.05, 0.3)
    edges = [0, 0, picture.width, picture.height]
    edge = draw.randrange(4)
    size = (picture.width, picture.height)[edge % 2]
    edges[edge] = round(size * cut) if edge < 2 else round(size * (1 - cut))
    return picture.crop(edges)


def random_colour(draw):
    return draw.choice([(255, 255, 255), (0, 0, 0), tuple(draw.randrange(256) for _ in range(3))])


def border(picture, draw, share):
    """Equal bars on all sides, `share` of the side each."""
    return ImageOps.expand(picture, (round(picture.width * share), round(picture.height * share)) * 2, random_colour(draw))


def letterbox(picture, draw):
    """Made square by bars on two sides."""
    side = max(picture.width, picture.height)
    if picture.width == picture.height:
        side = round(side * 1.3)
    return ImageOps.pad(picture, (side, side), color=random_colour(draw))


def font(size):
    return ImageFont.load_default(size)


def text(picture, draw):
    """A line of opaque words, on a bar or bare."""
    size = max(12, round(picture.height * draw.uniform(0.06, 0.12)))
    done, words = picture.copy(), draw.choice(["SALE -50%", "Free shipping", "www.shop.example", "NEW ARRIVAL 2026", "Hello world"])
    pen, top = ImageDraw.Draw(done), draw.randint(0, picture.height - size)
    if draw.random() < 0.5:
        pen.rectangle((0, top, picture.width, top + round(size * 1.2)), fill=random_colour(draw))
    pen.text((draw.randint(0, picture.width // 4), top), words, font=font(size), fill=random_colour(draw))
    return done


def watermark(picture, draw):
    """Half-transparent words all over, or a logo in a corner."""
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen, alpha = ImageDraw.Draw(layer), draw.randint(70, 150)
    if draw.random() < 0.5:
        size = max(12, picture.height // 12)
        for top in range(0, picture.height, size * 3):
            for left in range(-(top % 97), picture.width, size * 6):
                pen.text((left, top), "example", font=font(size), fill=(255, 255, 255, alpha))
        layer = layer.rotate(draw.uniform(-30, 30))
    else:
        side = round(min(picture.size) * draw.uniform(0.15, 0.3))
        left, top = draw.choice([(0, 0), (picture.width - side, picture.height - side)])
        pen.ellipse((left, top, left + side, top + side), fill=random_colour(draw) + (alpha + 60,))
        pen.text((left + side // 8, top + side // 3), "LOGO", font=font(max(10, side // 4)), fill=(255, 255, 255, 255))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def turn(picture, draw):
    """A few degrees, the corners filled or cut away."""
    degrees = draw.choice([-1, 1]) * draw.uniform(2, 15)
    turned = picture.rotate(degrees, Image.BICUBIC, fillcolor=random_colour(draw))
    if draw.random() < 0.5:
        return turned
    cut = 0.5 * min(0.3, abs(np.sin(np.radians(degrees))))
    return turned.crop((round(picture.width * cut), round(picture.height * cut), round(picture.width * (1 - cut)), round(picture.height * (1 - cut))))


def squeeze(picture, draw):
    factor = draw.uniform(0.65, 0.9)
    if draw.random() < 0.5:
        return picture.resize((max(8, round(picture.width * factor)), picture.height), Image.LANCZOS)
    return picture.resize((picture.width, max(8, round(picture.height * factor))), Image.LANCZOS)


def scale(picture, factor):
    return picture.resize((max(8, round(picture.width * factor)), max(8, round(picture.height * factor))), Image.LANCZOS)


def gamma(picture, draw):
    power = draw.choice([draw.uniform(0.55, 0.8), draw.uniform(1.25, 1.8)])
    return picture.point([round(255 * (i / 255) ** power) for i in range(256)] * 3)


def warmth(picture, draw):
    """White balance: red up and blue down, or the other way."""
    by = draw.choice([-1, 1]) * draw.uniform(0.08, 0.2)
    gains = [1 + by, 1, 1 - by]
    return picture.point([min(255, round(i * gain)) for gain in gains for i in range(256)])


def hue(picture, draw):
    """All hues turned a little, as a badly set camera does."""
    by = draw.choice([-1, 1]) * draw.uniform(6, 15) * 255 / 360
    h, s, v = picture.convert("HSV").split()
    return Image.merge("HSV", (h.point([round(i + by) % 256 for i in range(256)]), s, v)).convert("RGB")


def noise(picture, draw):
    rng = np.random.default_rng(draw.randrange(2**32))
    pixels = np.asarray(picture, np.float32)
    return Image.fromarray(np.clip(pixels + rng.normal(0, draw.uniform(6, 18), pixels.shape), 0, 255).astype(np.uint8))


def mixed(picture, draw):
    """Two changes at once, and a strong JPEG."""
    first, second = draw.sample([lambda p, d: crop(p, d, 0.2), lambda p, d: border(p, d, 0.08), lambda p, d: ImageOps.mirror(p), text, warmth,
                                 lambda p, d: scale(p, 0.6)], 2)
    return second(first(picture, draw), draw)


# name: (how, format, quality)
CHANGES = {
    "jpeg": (lambda p, d: p, "jpg", lambda d: d.randint(15, 70)),
    "webp": (lambda p, d: p, "webp", lambda d: d.randint(20, 80)),
    "png": (lambda p, d: p, "png", None),
    "smaller": (lambda p, d: scale(p, d.uniform(0.25, 0.75)), "jpg", None),
    "larger": (lambda p, d: scale(p, d.uniform(1.2, 2.0)), "jpg", None),
    "crop5": (lambda p, d: crop(p, d, 0.05), "jpg", None),
    "crop10": (lambda p, d: crop(p, d, 0.10), "jpg", None),
    "crop25": (lambda p, d: crop(p, d, 0.25), "jpg", None),
    "crop50": (lambda p, d: crop(p, d, 0.50), "jpg", None),
    "cropside": (crop_side, "jpg", None),
    "border5": (lambda p, d: border(p, d, 0.05), "jpg", None),
    "border15": (lambda p, d: border(p, d, 0.15), "jpg", None),
    "border25": (lambda p, d: border(p, d, 0.25), "jpg", None),
    "letterbox": (letterbox, "jpg", None),
    "watermark": (watermark, "jpg", None),
    "text": (text, "jpg", None),
    "mirror": (lambda p, d: ImageOps.mirror(p), "jpg", None),
    "flip": (lambda p, d: ImageOps.flip(p), "jpg", None),
    "rotate90": (lambda p, d: p.transpose(d.choice([Image.ROTATE_90, Image.ROTATE_270])), "jpg", None),
    "rotate180": (lambda p, d: p.transpose(Image.ROTATE_180), "jpg", None),
    "turn": (turn, "jpg", None),
    "brightness": (lambda p, d: ImageEnhance.Brightness(p).enhance(d.choice([d.uniform(0.5, 0.8), d.uniform(1.2, 1.5)])), "jpg", None),
    "contrast": (lambda p, d: ImageEnhance.Contrast(p).enhance(d.choice([d.uniform(0.5, 0.8), d.uniform(1.2, 1.6)])), "jpg", None),
    "saturation": (lambda p, d: ImageEnhance.Color(p).enhance(d.choice([d.uniform(0.2, 0.6), d.uniform(1.4, 2.0)])), "jpg", None),
    "grey": (lambda p, d: p.convert("L").convert("RGB"), "jpg", None),
    "gamma": (gamma, "jpg", None),
    "warmth": (warmth, "jpg", None),
    "hue": (hue, "jpg", None),
    "squeeze": (squeeze, "jpg", None),
    "blur": (lambda p, d: p.filter(ImageFilter.GaussianBlur(max(p.size) / 400 * d.uniform(1, 2.5))), "jpg", None),
    "noise": (noise, "jpg", None),
    "mixed": (mixed, "jpg", None),
}


def other_colour(picture, draw):
    """The garment in another colour, its ground and its light kept; None unless the middle of the picture has one strong colour."""
    pixels = np.asarray(picture.convert("HSV"), np.int16).copy()
    hue, saturation = pixels[..., 0], pixels[..., 1]
    height, width = hue.shape
    middle = np.s_[height // 3: 2 * height // 3, width // 3: 2 * width // 3]
    strong = saturation > 110
    if strong[middle].mean() < 0.7:
        return None
    own = np.median(hue[middle][strong[middle]])
    garment = strong & (np.abs((hue - own + 128) % 256 - 128) < 24)
    pixels[..., 0] = np.where(garment, (hue + draw.randint(70, 180)) % 256, hue)
    return Image.fromarray(pixels.astype(np.uint8), "HSV").convert("RGB")


def opened(path):
    picture = Image.open(path)
    if picture.mode in ("RGBA", "LA", "P", "PA"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture)
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    picture.thumbnail((SIDE_MAX, SIDE_MAX), Image.LANCZOS)
    return picture


def store(picture, path, format_, quality, draw):
    options = {} if format_ == "png" else {"quality": quality(draw) if quality else draw.randint(75, 92)}
    picture.save(path.with_suffix("." + format_), **options)


def write_set(sources, folder, seed, changes_each=10, recoloured=0):
    """Writes `sources` with `changes_each` changes each; the first `recoloured` that have a colour come in another one too. Kept if it is there."""
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sources):
        draw = random.Random(f"{seed} {number} {path.name}")
        picture, name = opened(path), f"{number:03d}-{path.parent.name}-{path.stem}"[:60].replace("__", "_")
        write_picture(picture, folder / name, draw, changes_each)
        other = other_colour(picture, draw) if recoloured > 0 else None
        if other is not None:
            recoloured -= 1
            write_picture(other, folder / f"{name}~colour", draw, 3, without=["grey", "saturation"])  # which would be those of the first
    (folder / "complete").touch()


def write_picture(picture, stem, draw, changes_each, without=()):
    store(picture, Path(f"{stem}__original.x"), "jpg", lambda d: 92, draw)
    for change in draw.sample(sorted(set(CHANGES) - set(without)), changes_each):
        how, format_, quality = CHANGES[change]
        store(how(picture, draw), Path(f"{stem}__{change}.x"), format_, quality, draw)
