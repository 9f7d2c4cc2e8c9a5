"""Random views of a thing that was cut out, and of a photo, for `learned_whitening.py`.

A thing is seen askew, bent, in other light, among other things in a background (as a frame) or
tight (as a crop). Unlike a copy (views.py) it is never mirrored, nor something else laid over it.
A photo is seen in part, askew, in other light.

Each function draws its random numbers from the generator it is given, in a fixed order.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FRAME, CROP = 288, 224  # pixels a side, what objsearch shows the network of each
SCENE = 330  # pixels, the side of a scene of one to one before it becomes a frame

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
Cut = NDArray[np.uint8]  # (H, W, 4) RGBA
Light = NDArray[np.float32]  # (H, W, 3) RGB, 0 to 255 and beyond
Random = np.random.Generator


def within(picture: Picture, side: int) -> Picture:
    """Reduced so that the longer side is `side`, or as it is."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def bent(thing: Cut, share: float, r: Random) -> Cut:
    """A smooth displacement: what cloth, or another side of a solid thing, does to the outline."""
    high, wide = thing.shape[:2]
    coarse = r.uniform(-1, 1, (4, 4, 2)).astype(np.float32)
    away = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC) * share * max(high, wide)
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    return cv2.remap(thing, x + away[..., 0], y + away[..., 1], cv2.INTER_LINEAR, borderValue=0)


def lit(picture: Light, r: Random, gain: float = 0.25) -> Light:
    """In other light: its strength, colour and direction, contrast, saturation, gamma."""
    picture = picture * np.exp(r.uniform(-gain, gain)) * np.exp(r.uniform(-0.12, 0.12, 3))
    if r.random() < 0.5:
        high, wide = picture.shape[:2]
        across, down = r.uniform(-0.3, 0.3, 2)
        slope = across * np.linspace(-1, 1, wide)[None, :, None]
        picture = picture * np.exp(slope + down * np.linspace(-1, 1, high)[:, None, None])
    mean = picture.mean()
    picture = (picture - mean) * np.exp(r.uniform(-0.2, 0.2)) + mean
    luma = picture.mean(2, keepdims=True)
    picture = luma + (picture - luma) * r.uniform(0.5, 1.5)
    return 255 * (np.clip(picture, 0, 255) / 255) ** np.exp(r.uniform(-0.3, 0.3))


def _shaken(picture: Picture, r: Random) -> Picture:
    side = int(r.integers(3, 8))
    line = np.zeros((side, side), np.float32)
    line[side // 2] = 1 / side
    middle = (side / 2 - 0.5, side / 2 - 0.5)
    turn = cv2.getRotationMatrix2D(middle, r.uniform(0, 180), 1)
    line = cv2.warpAffine(line, turn, (side, side))
    return cv2.filter2D(picture, -1, line / max(line.sum(), 1e-6))


def spoilt(picture: Light, r: Random) -> Picture:
    """Out of focus, shaken, of less resolution, grainy, compressed: each sometimes."""
    seen = np.clip(picture, 0, 255).astype(np.uint8)
    if r.random() < 0.35:
        seen = cv2.GaussianBlur(seen, (0, 0), r.uniform(0.5, 1.8))
    if r.random() < 0.2:
        seen = _shaken(seen, r)
    if r.random() < 0.3:
        scale, (high, wide) = r.uniform(0.35, 0.8), seen.shape[:2]
        seen = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        seen = cv2.resize(seen, (wide, high))
    if r.random() < 0.3:
        grain = r.normal(0, r.uniform(2, 10), seen.shape)
        seen = np.clip(seen + grain, 0, 255).astype(np.uint8)
    if r.random() < 0.7:
        # To the codec red is blue. It was in the study, too, and it hardly matters.
        code = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(30, 92))])[1]
        seen = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return seen


def seen_askew(cut: Cut, turn: float, askew: float, side: float, r: Random) -> Cut | None:
    """The thing from somewhere else, its longer side about `side`; None if too little is left."""
    scale = min(side / max(cut.shape[:2]), 3.0)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    thing = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=method)
    pad = max(thing.shape[:2]) // 2
    thing = cv2.copyMakeBorder(thing, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0,) * 4)
    high, wide = thing.shape[:2]
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    moved = corners + r.uniform(-askew, askew, (4, 2)).astype(np.float32) * (wide, high)
    tilt = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    rotation = np.eye(3)
    rotation[:2] = cv2.getRotationMatrix2D((wide / 2, high / 2), turn, 1)
    stretch = np.diag([np.exp(r.uniform(-0.15, 0.15)), np.exp(r.uniform(-0.1, 0.1)), 1])
    thing = cv2.warpPerspective(thing, rotation @ tilt @ stretch, (wide, high))
    if r.random() < 0.6:
        thing = bent(thing, r.uniform(0.02, 0.08), r)
    ys, xs = np.nonzero(thing[..., 3] > 127)
    if len(ys) < 200:
        return None
    return thing[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def put(scene: Light, thing: Cut, x: int, y: int, r: Random) -> None:
    """Paste in place, in a light of its own; what lies outside is cut off."""
    high, wide = thing.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + wide, scene.shape[1]), min(y + high, scene.shape[0])
    if right <= left or bottom <= top:
        return
    part = (slice(top - y, bottom - y), slice(left - x, right - x))
    alpha = (thing[..., 3:].astype(np.float32) / 255)[part]
    colour = lit(thing[..., :3].astype(np.float32), r, 0.2)[part]
    under = scene[top:bottom, left:right]
    scene[top:bottom, left:right] = under * (1 - alpha) + colour * alpha


def _piece(photo: Picture, share_wh: tuple[float, float], r: Random) -> Picture:
    high, wide = photo.shape[:2]
    w, h = max(8, int(wide * share_wh[0])), max(8, int(high * share_wh[1]))
    x, y = r.integers(0, wide - w + 1), r.integers(0, high - h + 1)
    return np.ascontiguousarray(photo[y : y + h, x : x + w])


def in_scene(cut: Cut, background: Picture, others: list[Cut], r: Random) -> Picture | None:
    """A frame: the thing at 0.3 to 0.9 of it, over a few smaller others."""
    aspect = np.exp(r.uniform(-0.3, 0.3))
    wide, high = int(SCENE * aspect**0.5), int(SCENE / aspect**0.5)
    share = r.uniform(0.6, 1)
    piece = _piece(background, (share, share), r)
    scene = cv2.resize(piece, (wide, high), interpolation=cv2.INTER_AREA).astype(np.float32)
    if r.random() < 0.3:
        scene = scene[:, ::-1].copy()
    for other in others:
        small = seen_askew(other, r.uniform(-25, 25), 0.08, SCENE * r.uniform(0.12, 0.3), r)
        if small is not None:
            x, y = int(r.integers(-20, wide - 20)), int(r.integers(-20, high - 20))
            put(scene, small, x, y, r)
    side = SCENE * np.exp(r.uniform(np.log(0.3), np.log(0.9)))
    turn = r.uniform(-20, 20) if r.random() < 0.85 else r.uniform(-180, 180)
    thing = seen_askew(cut, turn, 0.13, side, r)
    if thing is None:
        return None
    fits = min(1.0, 0.98 * wide / thing.shape[1], 0.98 * high / thing.shape[0])
    if fits < 1:
        thing = cv2.resize(thing, None, fx=fits, fy=fits, interpolation=cv2.INTER_AREA)
    h, w = thing.shape[:2]
    x, y = int(r.uniform(-0.08 * w, wide - 0.92 * w)), int(r.uniform(-0.08 * h, high - 0.92 * h))
    put(scene, thing, x, y, r)
    seen = spoilt(lit(scene, r), r)
    return cv2.resize(seen, (FRAME, FRAME), interpolation=cv2.INTER_AREA)


def tight(cut: Cut, background: Picture, turn: float, r: Random) -> Picture | None:
    """A crop: the thing with a little of what lies behind it."""
    thing = seen_askew(cut, turn, 0.13, 230, r)
    if thing is None:
        return None
    h, w = thing.shape[:2]
    margin = r.uniform(0, 0.15)
    wide, high = int(w * (1 + 2 * margin)) + 1, int(h * (1 + 2 * margin)) + 1
    share = r.uniform(0.2, 0.7)
    scene = cv2.resize(_piece(background, (share, share), r), (wide, high)).astype(np.float32)
    put(scene, thing, int((wide - w) * r.random()), int((high - h) * r.random()), r)
    return cv2.resize(spoilt(lit(scene, r), r), (CROP, CROP), interpolation=cv2.INTER_AREA)


def edited(
    photo: Picture, r: Random, least: float = 0.3, askew: float = 0.1, turn: float = 12
) -> Picture:
    """A frame: at least a part `least` of the photo, askew, turned by up to `turn` degrees."""
    photo = within(photo, 480)
    high, wide = photo.shape[:2]
    share, aspect = np.sqrt(r.uniform(least, 1)), np.exp(r.uniform(-0.2, 0.2))
    w, h = min(wide, int(wide * share * aspect)), min(high, int(high * share / aspect))
    x, y = r.integers(0, wide - w + 1), r.integers(0, high - h + 1)
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)
    corners += r.uniform(-askew, askew, (4, 2)).astype(np.float32) * (w, h)
    middle = (float(x + w / 2), float(y + h / 2))
    rotation = cv2.getRotationMatrix2D(middle, r.uniform(-turn, turn), 1).astype(np.float32)
    corners = corners @ rotation[:, :2].T + rotation[:, 2]
    square = np.array([[0, 0], [FRAME, 0], [FRAME, FRAME], [0, FRAME]], np.float32)
    to_square = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    seen = cv2.warpPerspective(photo, to_square, (FRAME, FRAME), borderMode=cv2.BORDER_REFLECT)
    return spoilt(lit(seen.astype(np.float32), r), r)
