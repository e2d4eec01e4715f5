"""A visitor's file: read, or refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.upload import UploadError, decode, fit


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


RED = Image.new("RGB", (6, 4), (250, 10, 20))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_three_formats(form: str) -> None:
    image = decode(encoded(RED, form))
    assert image.dtype == torch.uint8 and image.shape == (3, 4, 6) and image.is_contiguous()
    assert (image.float().mean((1, 2)) - torch.tensor([250.0, 10, 20])).abs().max() < 8


REFUSED = {
    "nothing": (b"", "not a PNG"),
    "one byte": (b"\x89", "not a PNG"),
    "the start of a PNG": (b"\x89PNG", "not a PNG"),
    "a PDF called .png": (b"%PDF-1.7 " + bytes(100), "not a PNG"),
    "a GIF": (encoded(RED, "GIF"), "not a PNG"),
    "a TIFF": (encoded(RED, "TIFF"), "not a PNG"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG"),
    "30,000 pixels wide": (header_only(30_000, 2), "30000 x 2"),
    "a bomb": (header_only(60_000, 60_000), "too many pixels"),
    "many pixels": (header_only(8_000, 8_000), "8000 x 8000"),
    "cut off": (encoded(Image.effect_noise((64, 64), 50))[:800], "damaged"),
    "JPEG cut off": (encoded(Image.effect_noise((64, 64), 50), "JPEG")[:500], "damaged"),
    "no pixels": (header_only(5, 5), "damaged"),
    "a wrong checksum": (encoded(RED)[:40] + b"\0\0\0\0" + encoded(RED)[44:], "picture"),
    "too many bytes": (bytes(5_000_001), "5.0 MB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case: str) -> None:
    data, said = REFUSED[case]
    with pytest.raises(UploadError) as error:
        decode(data)
    assert said in str(error.value) and str(error.value).endswith(".") and "\n" not in str(error.value)


def test_exif_turns_the_picture_and_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    picture = Image.new("RGB", (8, 4), "black")
    picture.putpixel((0, 0), (255, 255, 255))
    image = decode(encoded(picture, "PNG", exif=exif))
    assert image.shape == (3, 8, 4) and image[0, 0, 3] == 255


def test_transparent_parts_lie_on_white() -> None:
    rgba = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    assert int(decode(encoded(rgba)).min()) == 255
    half = Image.new("LA", (4, 4), (0, 128))
    assert abs(int(decode(encoded(half))[0, 0, 0]) - 127) <= 1
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    assert int(decode(encoded(palette, transparency=1)).min()) == 255
    assert decode(encoded(palette))[:, 0, 0].tolist() == [0, 0, 255]


def test_other_kinds_of_pixels() -> None:
    deep = Image.fromarray(np.full((4, 4), 40_000, np.uint16))
    assert decode(encoded(deep))[:, 0, 0].tolist() == [156] * 3
    cmyk = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    red = decode(encoded(cmyk, "JPEG"))[:, 0, 0].tolist()
    assert red[0] > 180 and red[1] < 60
    assert decode(encoded(Image.new("1", (4, 4), 1)))[0, 0, 0] == 255
    assert decode(encoded(Image.new("L", (1, 1), 7))).flatten().tolist() == [7, 7, 7]


def test_of_an_animation_the_first_picture_is_taken() -> None:
    others = [Image.new("RGB", (6, 4), "blue")]
    for form in ("PNG", "WEBP"):
        image = decode(encoded(RED, form, save_all=True, append_images=others))
        assert image.shape == (3, 4, 6) and int(image[0].float().mean()) > 230


def test_fit_keeps_the_centre() -> None:
    image = torch.zeros(3, 40, 120, dtype=torch.uint8)
    image[:, :, 40:80] = 255
    assert fit(image, 32).shape == (3, 32, 32) and int(fit(image, 32).min()) > 200
    assert fit(image, (20, 60)).shape == (3, 20, 60)
    assert fit(torch.zeros(3, 8192, 1, dtype=torch.uint8), 224).shape == (3, 224, 224)
    square = torch.randint(0, 255, (3, 32, 32), dtype=torch.uint8)
    assert fit(square, 32) is square
