"""Writes charts of twelve patches in several color spaces and formats, and expected.txt with the sRGB colors that LittleCMS computes.

Requires Pillow, which contains LittleCMS. The profiles are made here, so they have no license.
"""

import itertools
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageCms

FOLDER = Path(__file__).parent
COLUMNS, ROWS, WIDTH, HEIGHT = 6, 2, 16, 32  # of patches; the size is a multiple of a block of JPEG

RGB = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
    (128, 128, 128), (255, 255, 255), (20, 20, 20), (200, 120, 80), (80, 160, 60), (60, 80, 180),
]  # fmt: skip
GRAY = [0, 10, 20, 40, 60, 80, 100, 128, 160, 192, 224, 255]
CMYK = [
    (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 255, 255, 0), (255, 0, 255, 0), (255, 255, 0, 0),
    (0, 0, 0, 255), (0, 0, 0, 0), (255, 255, 255, 255), (20, 120, 160, 30), (150, 40, 180, 10), (128, 128, 128, 128),
]  # fmt: skip

SRGB_CURVE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]


def fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*numbers)


def gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256))


def parametric(parameters: list[float]) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(*parameters)


def profile(kind: bytes, colors: bytes, pcs: bytes, tags: dict[bytes, bytes], version: int = 0x02400000) -> bytes:
    """Returns an ICC profile (ICC.1:2001-04)."""
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text" + bytes(4) + b"CC0\0", b"wtpt": xyz(0.9642, 1, 0.8249), **tags}
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    header = struct.pack(">I4xI4s4s4s12x4s28x", size, version, kind, colors, pcs, b"acsp") + fixed(0.9642, 1, 0.8249)
    return (header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data)[:size]


def rgb_profile(red: tuple, green: tuple, blue: tuple, curve: bytes) -> bytes:
    tags = {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return profile(b"mntr", b"RGB ", b"XYZ ", tags)


def cmyk_profile() -> bytes:
    """Returns a profile with a table of five points per ink, in which dark colors are not black, as on paper."""
    light = {"c": (0.12, 0.45, 0.75), "m": (0.70, 0.12, 0.35), "y": (0.90, 0.85, 0.10), "k": (0.03, 0.03, 0.03)}
    table = bytearray()
    for amounts in itertools.product((0, 0.25, 0.5, 0.75, 1), repeat=4):
        transmitted = [1.0, 1.0, 1.0]
        for amount, ink in zip(amounts, light.values()):
            transmitted = [t * (1 - amount + amount * i) for t, i in zip(transmitted, ink)]
        transmitted = [0.03 + 0.97 * t for t in transmitted]
        matrix = ((0.436, 0.385, 0.143), (0.222, 0.717, 0.061), (0.014, 0.097, 0.714))
        x, y, z = (sum(m * t for m, t in zip(row, transmitted)) for row in matrix)
        f = [v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x / 0.9642, y, z / 0.8249)]
        lab = (116 * f[1] - 16) * 2.55, 500 * (f[0] - f[1]) + 128, 200 * (f[1] - f[2]) + 128
        table += bytes(min(max(round(v), 0), 255) for v in lab)
    identity = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 5, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + identity * 4 + table + identity * 3
    return profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def rgb_table_profile(version: int) -> bytes:
    """Returns a profile with a table of nine points per color, whose black is not quite black."""
    table = b""
    for color in itertools.product(range(9), repeat=3):
        light = [0.01 + 0.99 * (level / 8) ** 2 for level in color]
        matrix = ((0.5151, 0.2920, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841))
        x, y, z = (sum(m * v for m, v in zip(row, light)) for row in matrix)
        f = [v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x / 0.9642, y, z / 0.8249)]
        lab = 116 * f[1] - 16, 500 * (f[0] - f[1]) + 128, 200 * (f[1] - f[2]) + 128
        # The 16-bit table type uses the encoding of Lab of version 2 in every version.
        scale = 65280
        numbers = (lab[0] / 100 * scale, lab[1] / 255 * scale, lab[2] / 255 * scale)
        table += b"".join(struct.pack(">H", min(max(round(number), 0), 65535)) for number in numbers)
    identity = struct.pack(">HH", 0, 65535)
    lut = b"mft2" + bytes(4) + bytes([3, 3, 9, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    return profile(b"mntr", b"RGB ", b"Lab ", {b"A2B0": lut + identity * 3 + table + identity * 3}, version)


DISPLAY_P3 = rgb_profile((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841), parametric(SRGB_CURVE))
ADOBE_RGB = rgb_profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446), gamma(563 / 256))
PROPHOTO = rgb_profile((0.7977, 0.2880, 0), (0.1352, 0.7119, 0), (0.0313, 0.0001, 0.8249), gamma(1.8))
GRAY_18 = profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(1.8)})
GRAY_22 = profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(2.2)})
GRAY_LIGHTNESS = profile(b"mntr", b"GRAY", b"Lab ", {b"kTRC": gamma(1)})


def chart(mode: str, patches: list) -> Image.Image:
    image = Image.new(mode, (COLUMNS * WIDTH, ROWS * HEIGHT))
    for index, patch in enumerate(patches):
        left, top = index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT
        image.paste(patch, (left, top, left + WIDTH, top + HEIGHT))
    return image


def srgb_of(mode: str, patches: list, icc: bytes) -> list[tuple[int, int, int]]:
    """Returns the colors that LittleCMS computes for the perceptual intent."""
    row = Image.new(mode, (len(patches), 1))
    row.putdata(patches)
    source = ImageCms.ImageCmsProfile(BytesIO(icc))
    converted = ImageCms.profileToProfile(row, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return [converted.getpixel((index, 0)) for index in range(len(patches))]


def png_16(image: Image.Image, icc: bytes) -> bytes:
    """Returns a PNG with 16 bits per sample, which Pillow cannot write."""
    color_type = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[image.mode]
    samples = bytes(itertools.chain.from_iterable((sample, sample) for sample in image.tobytes()))
    stride = len(samples) // image.height
    rows = b"".join(b"\0" + samples[start : start + stride] for start in range(0, len(samples), stride))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", image.width, image.height, 16, color_type, 0, 0, 0)
    compressed = b"test\0\0" + zlib.compress(icc, 9)
    chunks = chunk(b"IHDR", header) + chunk(b"iCCP", compressed) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def saved(format: str, **options: object) -> Callable[[Image.Image, bytes], bytes]:
    def save(image: Image.Image, icc: bytes) -> bytes:
        file = BytesIO()
        image.save(file, format, icc_profile=icc, **options)
        return file.getvalue()

    return save


def without_adobe_segment(image: Image.Image, icc: bytes) -> bytes:
    """Returns a JPEG whose samples are not inverted. Pillow always inverts and states so."""
    file = jpeg(ImageChops.invert(image), icc)
    start = file.index(b"\xff\xee\x00\x0eAdobe")
    return file[:start] + file[start + 16 :]


def ycck(image: Image.Image, icc: bytes) -> bytes:
    cyan, magenta, yellow, black = image.split()
    # The samples are inverted when they are stored.
    luma, blue, red = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    stored = Image.merge("CMYK", (ImageChops.invert(luma), ImageChops.invert(blue), ImageChops.invert(red), black))
    file = bytearray(jpeg(stored, icc))
    file[file.index(b"\xff\xee\x00\x0eAdobe") + 15] = 2
    return bytes(file)


jpeg = saved("JPEG", quality=97, subsampling=0, optimize=True)
png = saved("PNG", optimize=True)
webp = saved("WEBP", lossless=True, exact=True)

CHARTS: list[tuple[str, str, list, bytes, Callable[[Image.Image, bytes], bytes]]] = [
    ("display-p3.jpg", "RGB", RGB, DISPLAY_P3, jpeg),
    ("display-p3.png", "RGB", RGB, DISPLAY_P3, png),
    ("display-p3-16.png", "RGB", RGB, DISPLAY_P3, png_16),
    ("display-p3-alpha.png", "RGBA", RGB, DISPLAY_P3, png),
    ("display-p3-alpha-16.png", "RGBA", RGB, DISPLAY_P3, png_16),
    ("display-p3.webp", "RGB", RGB, DISPLAY_P3, webp),
    ("adobe-rgb.jpg", "RGB", RGB, ADOBE_RGB, jpeg),
    ("adobe-rgb.png", "RGB", RGB, ADOBE_RGB, png),
    ("adobe-rgb.webp", "RGB", RGB, ADOBE_RGB, webp),
    ("prophoto.jpg", "RGB", RGB, PROPHOTO, jpeg),
    ("prophoto-16.png", "RGB", RGB, PROPHOTO, png_16),
    ("gray-1.8.jpg", "L", GRAY, GRAY_18, jpeg),
    ("gray-1.8.png", "L", GRAY, GRAY_18, png),
    ("gray-2.2-16.png", "L", GRAY, GRAY_22, png_16),
    ("gray-lightness.png", "L", GRAY, GRAY_LIGHTNESS, png),
    ("gray-1.8-alpha-16.png", "LA", GRAY, GRAY_18, png_16),
    ("rgb-table.png", "RGB", RGB, rgb_table_profile(0x02400000), png),
    ("rgb-table-alpha-16.png", "RGBA", RGB, rgb_table_profile(0x02400000), png_16),
    ("rgb-table-v4.png", "RGB", RGB, rgb_table_profile(0x04200000), png),
    ("cmyk.jpg", "CMYK", CMYK, cmyk_profile(), jpeg),
    ("cmyk-not-inverted.jpg", "CMYK", CMYK, cmyk_profile(), without_adobe_segment),
    ("ycck.jpg", "CMYK", CMYK, cmyk_profile(), ycck),
]


def main() -> None:
    lines = []
    for name, mode, patches, icc, save in CHARTS:
        opaque = mode.removesuffix("A")
        image = chart(opaque, patches).convert(mode)
        (FOLDER / name).write_bytes(save(image, icc))
        expected = srgb_of(opaque, patches, icc)
        lines.append(" ".join([name, *("%02x%02x%02x" % color for color in expected)]) + "\n")
    (FOLDER / "expected.txt").write_text("".join(lines))


main()
