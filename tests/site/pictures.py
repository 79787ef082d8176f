"""What shops do to a picture before they put it on a page. Each file is made once and kept in the cache folder."""
import io
from pathlib import Path

from PIL import Image

FORMATS = {"jpg": ("JPEG", "image/jpeg"), "png": ("PNG", "image/png"), "webp": ("WEBP", "image/webp"),
           "gif": ("GIF", "image/gif"), "tiff": ("TIFF", "image/tiff"), "bmp": ("BMP", "image/bmp")}


def on_white(path, side):
    """The stamp in the middle of a white square, filling 84 % of it."""
    stamp = Image.open(path).convert("RGBA")
    scale = side * 0.84 / max(stamp.size)
    stamp = stamp.resize([max(1, round(n * scale)) for n in stamp.size], Image.LANCZOS)
    square = Image.new("RGB", (side, side), "white")
    square.paste(stamp, [(side - n) // 2 for n in stamp.size], stamp)
    return square


def encode(picture, extension, quality=85):
    out = io.BytesIO()
    options = {"quality": quality} if extension in ("jpg", "webp") else {}
    picture.save(out, FORMATS[extension][0], **options)
    return out.getvalue()


class Pictures:
    """The bytes of every picture by name, made on first use."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def kept(self, name, make):
        path = self.folder / name
        if not path.exists():
            part = path.with_suffix(path.suffix + ".part")
            part.write_bytes(make())
            part.rename(path)
        return path.read_bytes()

    def product(self, stamp, side, extension):
        return self.kept(f"{stamp.number}-{side}.{extension}", lambda: encode(on_white(stamp.path, side), extension))

    def copy(self, stamp, side):
        """The same product photograph as another shop has it: smaller and compressed harder."""
        return self.kept(f"{stamp.number}-{side}-copy.jpg", lambda: encode(on_white(stamp.path, 600).resize((side, side), Image.LANCZOS), "jpg", 60))

    def banner(self, stamps):
        """An animated GIF of three stamps."""
        def make():
            frames = [on_white(s.path, 200) for s in stamps]
            out = io.BytesIO()
            frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)
            return out.getvalue()
        return self.kept("banner.gif", make)

    def logo(self, colour):
        return self.kept(f"logo-{colour.strip('#')}.png", lambda: encode(Image.new("RGB", (48, 48), colour), "png"))
