"""Writes samplings.zip and four-components.zip: a picture in every JPEG sampling that `make_variants` accepts, and libjpeg's
decoded pixels.

Requires cjpeg and djpeg of libjpeg-turbo (Debian: libjpeg-turbo-progs), libjpeg (libjpeg-dev), a C compiler, and Pillow.
"""

import itertools
import math
import subprocess
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

# Not multiples of a block, so that every file has partial blocks at its edges.
WIDTH, HEIGHT = 37, 27

# The scans of mozjpeg: the average of luma is in a scan of its own.
MOZJPEG_SCANS = """
0: 0 0 0 0;
1 2: 0 0 0 0;
0: 1 8 0 2;
1: 1 8 0 0;
2: 1 8 0 0;
0: 9 63 0 2;
0: 1 63 2 1;
0: 1 63 1 0;
1: 9 63 0 0;
2: 9 63 0 0;
"""

# An interleaved scan has at most 10 blocks per unit (ITU-T T.81, B.2.3).
MAX_BLOCKS = 10

# The sampling factors of the first component.
LUMA = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (2, 4), (4, 1), (4, 2)]


def picture() -> Image.Image:
    """Returns smooth colors, which all samplings preserve well."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for x, y in itertools.product(range(WIDTH), range(HEIGHT)):
        waves = (math.sin(x / 9 + 0.5) * math.cos(y / 11), math.cos(x / 12 + y / 14), math.sin((x - y) / 10 + 1))
        image.putpixel((x, y), tuple(round(128 + 100 * wave) for wave in waves))
    return image


def supported_samplings() -> list[str]:
    """Returns the samplings that `Frame::has_supported_sampling` in jpeg.rs accepts, as arguments of cjpeg."""
    found = []
    for h, v in LUMA:
        chroma = [(1, 1)] if (h, v) == (4, 2) else sorted(set(itertools.product({1, h}, {1, v})))
        for blue, red in itertools.product(chroma, repeat=2):
            if h * v + math.prod(blue) + math.prod(red) <= MAX_BLOCKS:
                found.append(",".join(f"{h}x{v}" for h, v in ((h, v), blue, red)))
    return found


def write_four_components() -> None:
    folder = Path(__file__).parent
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(folder / "four-components.zip", "w") as archive:
        program, jpeg, samples = (Path(temporary, name) for name in ("program", "jpeg", "samples"))
        subprocess.run(["cc", "-o", program, folder / "four_components.c", "-ljpeg", "-lm"], check=True)
        for h, v in LUMA:
            others = [(1, 1)] if (h, v) == (4, 2) else sorted(set(itertools.product({1, h}, {1, v})))
            for factors in itertools.product([(h, v)], others, others, others):
                if sum(map(math.prod, factors)) > MAX_BLOCKS:
                    continue
                name = ",".join(f"{h}x{v}" for h, v in factors)
                for space, is_progressive, restart in (("cmyk", 0, 0), ("ycck", 1, 1)):
                    options = [space, is_progressive, restart, *itertools.chain(*factors)]
                    subprocess.run([program, jpeg, samples, *map(str, options)], check=True)
                    for path, extension in ((jpeg, "jpg"), (samples, "raw")):
                        archive.writestr(zipfile.ZipInfo(f"{name} {space}.{extension}"), path.read_bytes())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(Path(__file__).with_name("samplings.zip"), "w") as archive:
        source = Path(folder, "picture.ppm")
        picture().save(source)
        scans = Path(folder, "scans.txt")
        scans.write_text(MOZJPEG_SCANS)
        modes = {
            "baseline": [],
            "restart": ["-restart", "1B"],
            "progressive": ["-progressive"],
            "mozjpeg-restart": ["-scans", scans, "-restart", "1"],
        }

        def add(name: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name), content)

        for sampling in supported_samplings():
            for mode, options in modes.items():
                command = ["cjpeg", "-quality", "90", "-optimize", "-sample", sampling, *options, source]
                jpeg = subprocess.run(command, check=True, capture_output=True).stdout
                add(f"{sampling} {mode}.jpg", jpeg)
            pixels = subprocess.run(["djpeg", "-dct", "int"], input=jpeg, check=True, capture_output=True).stdout
            png = BytesIO()
            Image.open(BytesIO(pixels)).save(png, "PNG", optimize=True)
            add(f"{sampling}.png", png.getvalue())


main()
write_four_components()
