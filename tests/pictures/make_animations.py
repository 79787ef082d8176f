"""Writes moving.gif, .webp, .png and .avif beside itself: six frames of 64 x 48 px. The first is white; then a red square of 16 px goes
over blue, 8 px a frame, 100 ms each but for the last, which stays for 500. They are shown three times.
And layers.png, whose four frames cover parts of it and make way in all ways that animated PNG knows. AVIF needs Pillow 11.3, the rest any."""
import pathlib
import sys

from PIL import Image, features

FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
DURATIONS = [100, 100, 100, 100, 100, 500]


def square_at(left):
    frame = Image.new("RGB", (64, 48), (0, 0, 255))
    frame.paste((255, 0, 0), (left, 16, left + 16, 32))
    return frame


def save(frames, name, **options):
    frames[0].save(FOLDER / name, save_all=True, append_images=frames[1:], **options)


moving = [Image.new("RGB", (64, 48), (255, 255, 255))] + [square_at(8 * n) for n in range(1, 6)]
save(moving, "moving.gif", duration=DURATIONS, loop=2)
save(moving, "moving.webp", duration=DURATIONS, loop=3, lossless=True)
save(moving, "moving.png", duration=DURATIONS, loop=3)
if features.check("avif"):
    save(moving, "moving.avif", duration=DURATIONS, quality=80)

# Red all over and left; a green part that the third frame finds taken away again; half of a blue one over what is there, cleared; white.
layers = []
for colour, box in [((255, 0, 0, 255), (0, 0, 32, 24)), ((0, 255, 0, 255), (0, 0, 8, 8)), ((0, 0, 255, 128), (8, 8, 16, 16)), ((255, 255, 255, 255), (24, 16, 32, 24))]:
    layer = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
    layer.paste(colour, box)
    layers.append(layer)
save(layers, "layers.png", duration=50, loop=0, disposal=[0, 2, 1, 0], blend=[0, 1, 1, 1])
