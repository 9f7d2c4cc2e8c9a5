"""What do the password signatures survive, and how often are they seen where there are none?

    python benchmarks/signing.py PHOTOS > benchmarks/results/signing.md

PHOTOS is a folder of photos; those with both sides of 128 pixels or more are used. Prints Markdown:
survival by format, quality, size and crop; closeness to the original; speed; false positives. With
blind-watermark installed, a table compares it with the robust signature on the same photos.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from objsearch.signing.bits import N_BITS, Vote, bits_wanted, chance_of, percentage_of
from objsearch.signing.password import Key, Password
from objsearch.signing.signatures import PixelSignature, RobustSignature

Picture = PillowImage.Image
Edit = Callable[[Picture], Picture]

FORMATS = {
    "PNG": ("PNG", {}),
    "JPEG 95": ("JPEG", {"quality": 95}),
    "JPEG 90": ("JPEG", {"quality": 90}),
    "JPEG 75": ("JPEG", {"quality": 75}),
    "JPEG 50": ("JPEG", {"quality": 50}),
    "JPEG 30": ("JPEG", {"quality": 30}),
    "WebP 75": ("WEBP", {"quality": 75}),
    "AVIF 60": ("AVIF", {"quality": 60, "speed": 9}),
}
SIZES = {"100 %": 1.0, "75 %": 0.75, "50 %": 0.5, "200 %": 2.0}
CROPS = {"whole": 0.0, "1 % off": 0.01, "10 % off": 0.1}
THRESHOLD = 75.0


def saved(picture: Picture, kind: str, options: dict[str, Any]) -> Picture:
    """What comes back from a file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return PillowImage.open(stream).convert("RGB")


def scaled(picture: Picture, factor: float, how: int = PillowImage.Resampling.LANCZOS) -> Picture:
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture if size == picture.size else picture.resize(size, how)


def cropped(picture: Picture, part: float) -> Picture:
    """Without so much of the left and the top edge."""
    left, top = round(picture.width * part), round(picture.height * part)
    return picture.crop((left, top, picture.width, picture.height))


def on_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    def edit(picture: Picture) -> Picture:
        changed = change(np.asarray(picture).astype(np.float32))
        return PillowImage.fromarray(np.rint(changed).clip(0, 255).astype(np.uint8))

    return edit


def covered(values: np.ndarray) -> np.ndarray:
    height, width = values.shape[:2]
    values[: round(height * 0.22), : round(width * 0.22)] = 255
    return values


def jpeg_75(picture: Picture) -> Picture:
    return saved(picture, "JPEG", {"quality": 75})


def captioned(values: np.ndarray) -> np.ndarray:
    height, width = values.shape[:2]
    drawn = np.zeros(values.shape, np.uint8)
    place = (width // 12, height - height // 12)
    cv2.putText(drawn, "a line of white text", place, 0, width / 420, (255, 255, 255), 2)
    return np.maximum(values, drawn)


OTHER_EDITS: dict[str, Edit] = {
    "halved, bilinear": lambda p: scaled(p, 0.5, PillowImage.Resampling.BILINEAR),
    "halved, nearest": lambda p: scaled(p, 0.5, PillowImage.Resampling.NEAREST),
    "JPEG 75, halved, JPEG 75": lambda p: jpeg_75(scaled(jpeg_75(p), 0.5)),
    "turned by 90 degrees, JPEG 75": lambda p: jpeg_75(p.transpose(2)),
    "mirrored, JPEG 75": lambda p: jpeg_75(p.transpose(0)),
    "contrast 85 %": on_pixels(lambda v: v * 0.85),
    "contrast 120 %": on_pixels(lambda v: v * 1.2),
    "blur, 1 pixel": on_pixels(lambda v: cv2.GaussianBlur(v, (0, 0), 1.0)),
    "noise, 5 levels": on_pixels(lambda v: v + np.random.default_rng(0).normal(0, 5, v.shape)),
    "gray": lambda p: p.convert("L").convert("RGB"),
    "5 % of the area covered": on_pixels(covered),
    "a line of text": on_pixels(captioned),
    "turned by 1 degree": lambda p: p.rotate(1, PillowImage.Resampling.BICUBIC),
}


def photos_of(folder: Path) -> Iterator[Picture]:
    """Readable photos of 128 x 128 pixels or more, in the order of their names."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with PillowImage.open(path) as opened:
                picture = opened.convert("RGB")
        except OSError:
            continue
        if min(picture.size) >= 128:
            yield picture


def difference_db(one: Picture, other: Picture) -> float:
    error = np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)
    return float(10 * np.log10(255.0**2 / error)) if error else 99.0


class Tally:
    """Votes on many photos."""

    def __init__(self) -> None:
        self.votes: list[Vote] = []

    def cell(self) -> str:
        """Found, mean percentage, bit errors."""
        found = np.mean([vote.percentage >= THRESHOLD for vote in self.votes])
        mean = np.mean([vote.percentage for vote in self.votes])
        wrong = 1.0 - np.mean([vote.n_right for vote in self.votes]) / N_BITS
        return f"{found:.0%}, {mean:.0f} %, {wrong:.3f}"


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    print()
    row(*cells)
    row(*("---" for _ in cells))


def survival(pairs: dict[str, tuple[Any, list[Picture]]]) -> None:
    """Format x quality x size x crop, a column a kind."""
    print("\n## Survival\n")
    print(
        "Cropped, then scaled, then saved. Of all photos: found at 75 %, mean percentage, part of"
    )
    print("the bits that are wrong (0.5 is chance).")
    head("format", "size", "crop", *pairs)
    for name, size, crop in product(FORMATS, SIZES, CROPS):
        if crop != "whole" and (name not in ("PNG", "JPEG 75") or size not in ("100 %", "50 %")):
            continue  # crops decide alone; two formats and sizes show it
        cells = []
        for signature, pictures in pairs.values():
            tally = Tally()
            for picture in pictures:
                edited = scaled(cropped(picture, CROPS[crop]), SIZES[size])
                tally.votes.append(signature.vote(saved(edited, *FORMATS[name])))
            cells.append(tally.cell())
        row(name, size, crop, *cells)


def other_edits(pairs: dict[str, tuple[Any, list[Picture]]]) -> None:
    print("\n## Other edits")
    head("edit", *pairs)
    for name, edit in OTHER_EDITS.items():
        cells = []
        for signature, pictures in pairs.values():
            tally = Tally()
            tally.votes = [signature.vote(edit(picture)) for picture in pictures]
            cells.append(tally.cell())
        row(name, *cells)


def closeness(photos: Sequence[Picture], pairs: dict[str, tuple[Any, list[Picture]]]) -> None:
    print("\n## Closeness to the original (PSNR, dB)")
    head("kind", "mean", "median", "least")
    for name, (_, pictures) in pairs.items():
        values = [difference_db(*pair) for pair in zip(photos, pictures, strict=True)]
        row(name, f"{np.mean(values):.1f}", f"{np.median(values):.1f}", f"{min(values):.1f}")


def speed(key: Key) -> None:
    print("\n## Speed (processor seconds a picture, without reading the file)")
    head("picture", "kind", "sign", "full reading", "quick test, signed", "quick test, unsigned")
    rng = np.random.default_rng(0)
    for width, height in ((640, 480), (4000, 3000)):
        rough = rng.integers(30, 226, (height // 16, width // 16, 3), dtype=np.uint8)
        picture = PillowImage.fromarray(rough).resize((width, height))
        for signature in (PixelSignature(key), RobustSignature(key)):
            signed, signing = timed(lambda s=signature, p=picture: s.sign(p))
            times = [
                timed(lambda s=signature, p=signed: s.vote(p))[1],
                timed(lambda s=signature, p=signed: s.vote(p, THRESHOLD))[1],
                timed(lambda s=signature, p=picture: s.vote(p, THRESHOLD))[1],
            ]
            row(f"{width} x {height}", signature.kind, *(f"{t:.3f}" for t in (signing, *times)))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """A result, and the least time of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        result = work()
        times.append(time.process_time() - started)
    return result, min(times)


def negatives(
    folder: Path, key: Key, pairs: dict[str, tuple[Any, list[Picture]]], n_passwords: int
) -> None:
    """Photos never signed under the right password; signed photos under wrong ones."""
    print("\n## False positives")
    head("what", "kind", "readings", "seen as signed", "mean %", "greatest %", "bits right")
    votes: dict[str, list[Vote]] = {"pixel": [], "robust": []}
    signatures = (PixelSignature(key), RobustSignature(key))
    for picture in photos_of(folder):
        for signature in signatures:
            votes[signature.kind].append(signature.vote(picture))
    for kind, of_kind in votes.items():
        false_row("photos never signed", kind, of_kind)
    votes = {"pixel": [], "robust": []}
    for number in range(n_passwords):
        wrong = Password(f"wrong password {number}").key
        for signature in (PixelSignature(wrong), RobustSignature(wrong)):
            signed = pairs[signature.kind][1]
            some = [signed[(number * 10 + i) % len(signed)] for i in range(10)]
            votes[signature.kind] += [signature.vote(picture) for picture in some]
    for kind, of_kind in votes.items():
        false_row(f"signed photos, {n_passwords} wrong passwords", kind, of_kind)
    print(
        f"\nBy chance alone, an image reads as {THRESHOLD:g} % or more ({bits_wanted(THRESHOLD)} of"
    )
    print(f"{N_BITS} bits) with a probability of {chance_of(THRESHOLD):.0e}; as 50 % or more with")
    print(f"{chance_of(50.0):.0e}; as 30 % or more with {chance_of(30.0):.0e}.")


def false_row(what: str, kind: str, votes: Sequence[Vote]) -> None:
    read = [vote.percentage for vote in votes]
    n_false = sum(one >= THRESHOLD for one in read)
    right = np.mean([vote.n_right for vote in votes]) / N_BITS
    row(what, kind, len(read), n_false, f"{np.mean(read):.1f}", f"{max(read):.1f}", f"{right:.3f}")


class BlindWatermark:
    """The library's own 256 bits; it wants the picture's original size back."""

    def __init__(self) -> None:
        self.bits = np.random.default_rng(1).integers(0, 2, N_BITS).astype(bool)

    def sign(self, picture: Picture) -> Picture:
        mark = self._made()
        mark.read_img(img=np.asarray(picture)[..., ::-1].copy())
        mark.read_wm(self.bits.tolist(), mode="bit")
        signed = np.rint(mark.embed()).clip(0, 255).astype(np.uint8)
        return PillowImage.fromarray(np.ascontiguousarray(signed[..., ::-1]))

    def vote(self, picture: Picture, size: tuple[int, int]) -> Vote:
        again = np.asarray(picture.resize(size, PillowImage.Resampling.BICUBIC))
        found = self._made().extract(embed_img=again[..., ::-1].copy(), wm_shape=N_BITS, mode="bit")
        return Vote(float(((np.asarray(found) > 0.5) == self.bits).sum()))

    def _made(self) -> Any:
        import blind_watermark

        blind_watermark.bw_notes.close()
        return blind_watermark.WaterMark(password_img=1, password_wm=1)


PEER_EDITS: dict[str, Edit] = {
    "none": lambda p: p,
    "JPEG 75": jpeg_75,
    "JPEG 50": lambda p: saved(p, "JPEG", {"quality": 50}),
    "50 %": lambda p: scaled(p, 0.5),
    "50 %, JPEG 75": lambda p: jpeg_75(scaled(p, 0.5)),
}


def peer(photos: Sequence[Picture], key: Key) -> None:
    """blind-watermark beside the robust signature: the same photos, 256 bits each."""
    try:
        import blind_watermark  # noqa: F401
    except ImportError:
        return
    print(f"\n## Beside blind-watermark ({len(photos)} photos, 256 bits, at the original size)\n")
    print("Part of the bits that are right: mean, and the worst photo's.")
    head("method", "PSNR", *PEER_EDITS)
    ours, theirs = RobustSignature(key), BlindWatermark()
    for name, method in (("robust signature", ours), ("blind-watermark", theirs)):
        signed = [method.sign(photo) for photo in photos]
        cells = [f"{np.mean([difference_db(*p) for p in zip(photos, signed, strict=True)]):.1f}"]
        for edit in PEER_EDITS.values():
            right = [
                (method.vote(edit(one), one.size) if method is theirs else ours.vote(edit(one)))
                for one in signed
            ]
            shares = [vote.n_right / N_BITS for vote in right]
            cells.append(f"{np.mean(shares):.3f}, {min(shares):.2f}")
        row(name, *cells)


def main() -> None:
    """Print the tables, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=40, help="photos of the survival tables")
    parser.add_argument("--passwords", type=int, default=100, help="wrong passwords")
    given = parser.parse_args()
    key = Password("the password of the benchmark").key
    every = list(photos_of(given.folder))
    photos = every[:: max(1, len(every) // given.photos)][: given.photos]
    sides = sorted(min(photo.size) for photo in photos)
    print("# Password signatures\n")
    print("    python benchmarks/signing.py PHOTOS > benchmarks/results/signing.md\n")
    print(f"{len(every)} photos, of which {len(photos)} for survival; their shorter side is")
    print(f"{sides[0]} to {sides[-1]} pixels, in the median {sides[len(sides) // 2]}. 100 % is an")
    print(f"intact signature, {percentage_of(N_BITS / 2):.0f} % is chance.")
    del every
    kinds = (PixelSignature(key), RobustSignature(key))
    pairs = {kind.kind: (kind, [kind.sign(photo) for photo in photos]) for kind in kinds}
    closeness(photos, pairs)
    survival(pairs)
    other_edits(pairs)
    speed(key)
    negatives(given.folder, key, pairs, given.passwords)
    peer(photos[:12], key)


if __name__ == "__main__":
    main()
