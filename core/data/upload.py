"""A visitor's picture: from untrusted bytes to a tensor, or to one sentence that says why not."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 5_000_000
MAX_SIDE = 8_192
MAX_PIXELS = 30_000_000


class UploadError(ValueError):
    """The picture was refused; the message is one sentence that says why and what to do."""


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_side: int = MAX_SIDE) -> Tensor:
    """The picture in `data` as RGB, uint8 (3, H, W).

    PNG, JPEG and WebP are read, told by their content and not by a name. Turned as its EXIF data
    says, which are then dropped; transparent parts lie on white; 16-bit greys are scaled to 8 bit;
    CMYK and palettes become RGB; of an animation the first picture is taken. Size is checked
    before anything is decoded.

    Raises UploadError in one sentence.
    """
    if len(data) > max_bytes:
        raise UploadError(f"The file has {len(data) / 1e6:.1f} MB; at most {max_bytes / 1e6:.0f} MB are allowed.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on size and metadata: the size is checked here
        picture = _open(data)
        if max(picture.size) > max_side or picture.width * picture.height > MAX_PIXELS:
            raise UploadError(
                f"The picture has {picture.width} x {picture.height} pixels; at most {max_side} on a side and "
                f"{MAX_PIXELS // 1_000_000} million in all are allowed: make it smaller first."
            )
        try:
            picture.load()
            turned = ImageOps.exif_transpose(picture)
            pixels = np.array(_rgb(turned), dtype=np.uint8)
        except Exception as error:  # a hostile file may make a decoder raise anything
            raise UploadError("The picture is damaged or cut off: save it again and retry.") from error
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def fit(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """The largest centred part of uint8 (3, H, W) with the shape of `size`, resized to it.

    `size` is a side or (height, width); bilinear with antialiasing; uint8 (3, height, width) out.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if tuple(image.shape[1:]) == (height, width):
        return image
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    fitted = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1).contiguous()


def _open(data: bytes) -> Image.Image:
    """The picture with only its header read, once its checksums have been looked at."""
    try:
        Image.open(io.BytesIO(data), formats=FORMATS).verify()
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UploadError("The picture has far too many pixels: make it smaller first.") from error
    except Image.UnidentifiedImageError as error:
        raise UploadError("The file is not a PNG, JPEG or WebP picture, whatever its name says.") from error
    except Exception as error:  # a hostile file may make a decoder raise anything
        raise UploadError("The picture is damaged or cut off: save it again and retry.") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey: convert("RGB") would clip it to white
        grey = np.asarray(picture).astype(np.float32) / 257
        return Image.fromarray(grey.clip(0, 255).round().astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")
