"""Views of 3D things from all sides, for a descriptor that is to know other sides of a thing.

    python training/descriptor/render_turned.py build/turned MODELS_DIR... [--made 1000]

Every .obj, .dae, .glb and .gltf file under MODELS_DIR with colours of its own is a thing; one whose
name says that it is for collisions is not. `--made N` adds things built here (made_things.py).
Writes OUT/NAME/00.webp and on, cut out (transparent around), longest side at most 160, and prints
what could not be read. Wants `vtk`, `trimesh`, `pycollada` and, where there is no screen, OSMesa.

A camera goes around each thing: azimuths in equal steps, 15 degrees below to 65 above, near or far,
with two lights; as on a turntable for some: the same height, or the same light.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")

import numpy as np
import trimesh
import vtk
from made_things import Part, made_thing
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

SIDE = 448  # rendered, and then made small: smooth edges
KEPT = 160  # stored
LARGEST_TEXTURE = 1024
NO_THING = re.compile(r"collision|_col\b|_col\.|convex|vhacd|_simple", re.IGNORECASE)
MOST_FACES = 400_000
LEAST_CHROMA, LEAST_DETAIL = 10, 4  # of 255: below both it is a gray shape, that others have too


def parts_of(path: Path) -> list[Part]:
    """A file's meshes: each with places on its texture, its texture, and its colour."""
    # A model's textures often lie beside its folder: "../textures".
    resolver = trimesh.resolvers.FilePathResolver(str(path), allow_anywhere=True)
    scene = trimesh.load(path, force="scene", process=False, resolver=resolver)
    found: list[Part] = []
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        mesh = scene.geometry[name]
        if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
            mesh = mesh.copy()
            mesh.apply_transform(transform)
            found.append((mesh, *painting(mesh)))
    return found


def painting(mesh: trimesh.Trimesh) -> tuple:
    """Places on a texture, the texture, and a colour."""
    visual = mesh.visual
    if visual.kind in ("vertex", "face"):
        return None, None, ()
    if visual.kind != "texture" or visual.uv is None:
        main = np.asarray(getattr(visual, "main_color", (200, 200, 200)), float)
        return None, None, tuple(main[:3] / 255)
    material = visual.material
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if image is not None:
        return np.asarray(visual.uv, np.float32), image.convert("RGB"), (1.0, 1.0, 1.0)
    colour = np.asarray(material.main_color, float)[:3]
    return None, None, tuple(colour / 255 if colour.max() > 1 else colour)


def texture_of(image: Image.Image) -> vtk.vtkTexture:
    image = image.copy()
    image.thumbnail((LARGEST_TEXTURE, LARGEST_TEXTURE))
    pixels = np.ascontiguousarray(np.asarray(image)[::-1])
    grid = vtk.vtkImageData()
    grid.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    grid.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 3), deep=1))
    texture = vtk.vtkTexture()
    texture.SetInputDataObject(grid)
    texture.InterpolateOn()
    texture.MipmapOn()
    texture.RepeatOn()
    return texture


def actor_of(part: Part, shine: float, rng: random.Random) -> vtk.vtkActor:
    mesh, places, image, colour = part
    data = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(mesh.vertices, float), deep=1))
    data.SetPoints(points)
    faces = np.hstack([np.full((len(mesh.faces), 1), 3), mesh.faces]).astype(np.int64)
    cells = vtk.vtkCellArray()
    cells.ImportLegacyFormat(numpy_to_vtkIdTypeArray(faces.ravel(), deep=1))
    data.SetPolys(cells)
    if places is not None:
        data.GetPointData().SetTCoords(numpy_to_vtk(places, deep=1))
    elif not colour:
        colours = np.ascontiguousarray(mesh.visual.vertex_colors[:, :3], np.uint8)
        data.GetPointData().SetScalars(numpy_to_vtk(colours, deep=1))
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(data)
    normals.SetFeatureAngle(50)
    normals.Update()
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputConnection(normals.GetOutputPort())
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    if image is not None:
        actor.SetTexture(texture_of(image))
    elif colour:
        actor.GetProperty().SetColor(*colour)
    look = actor.GetProperty()
    look.SetAmbient(rng.uniform(0.25, 0.5))
    look.SetDiffuse(rng.uniform(0.6, 0.8))
    look.SetSpecular(shine)
    look.SetSpecularPower(rng.uniform(8, 60))
    return actor


class Stage:
    """A thing, its lights and its camera."""

    def __init__(self, parts: list[Part], rng: random.Random) -> None:
        self.rng = rng
        self.renderer = vtk.vtkRenderer()
        self.renderer.SetBackgroundAlpha(0)
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetAlphaBitPlanes(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(SIDE, SIDE)
        self.window.AddRenderer(self.renderer)
        shine = rng.uniform(0.1, 0.5) if rng.random() < 0.4 else 0.0
        for part in parts:
            self.renderer.AddActor(actor_of(part, shine, rng))
        corners = np.array(self.renderer.ComputeVisiblePropBounds()).reshape(3, 2)
        self.middle = corners.mean(1)
        self.radius = float(np.linalg.norm(corners[:, 1] - corners[:, 0]) / 2)
        self.up = 2 if rng.random() < 0.8 else 1  # models do not say which axis it is
        self.lights = [vtk.vtkLight() for _ in range(2)]
        for light in self.lights:
            light.SetLightTypeToSceneLight()
            self.renderer.AddLight(light)
        self.renderer.AutomaticLightCreationOff()
        self.grab = vtk.vtkWindowToImageFilter()
        self.grab.SetInput(self.window)
        self.grab.SetInputBufferTypeToRGBA()
        self.grab.ReadFrontBufferOff()

    def stand(self, azimuth: float, raised: float) -> NDArray[np.float64]:
        """Put the camera there (radians); the direction from the thing to it."""
        angle = self.rng.uniform(18, 50)
        away = self.radius / math.sin(math.radians(angle / 2))
        x, y = math.cos(azimuth) * math.cos(raised), math.sin(azimuth) * math.cos(raised)
        z = math.sin(raised)
        towards = np.array((x, y, z) if self.up == 2 else (x, z, -y))
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(*self.middle)
        camera.SetPosition(*(self.middle + away * towards))
        camera.SetViewUp(0, self.up == 1, self.up == 2)
        camera.SetViewAngle(angle)
        return towards

    def light(self, towards: NDArray[np.float64]) -> None:
        """Both lights anew, above the thing and rather on the camera's side."""
        rng = self.rng
        for light, least in zip(self.lights, (0.6, 0.0), strict=True):
            place = np.array([rng.gauss(0, 1) for _ in range(3)])
            place[self.up] = abs(place[self.up])
            place = place / np.linalg.norm(place) + 0.6 * towards
            light.SetPosition(*(self.middle + 4 * self.radius * place))
            light.SetFocalPoint(*self.middle)
            warm = rng.uniform(-0.06, 0.06)
            light.SetColor(1 + warm, 1, 1 - warm)
            light.SetIntensity(rng.uniform(least, least + 0.5))

    def shot(self) -> Image.Image | None:
        """The thing, cut out; None where hardly anything is in sight."""
        self.renderer.ResetCameraClippingRange()
        self.window.Render()
        self.grab.Modified()
        self.grab.Update()
        pixels = vtk_to_numpy(self.grab.GetOutput().GetPointData().GetScalars())
        pixels = np.ascontiguousarray(pixels.reshape(SIDE, SIDE, 4)[::-1])
        view = Image.fromarray(pixels, "RGBA")
        box = view.getchannel("A").point(lambda alpha: 255 * (alpha > 16)).getbbox()
        if box is None or (box[2] - box[0]) * (box[3] - box[1]) < 900:
            return None
        view = view.crop(box)
        view.thumbnail((KEPT, KEPT), Image.Resampling.LANCZOS)
        return view


def rendered(parts: list[Part], count: int, rng: random.Random) -> list[Image.Image]:
    """Views from all sides; none of a thing without size."""
    stage = Stage(parts, rng)
    if not 0 < stage.radius < math.inf:
        return []
    keeps_height, keeps_light = rng.random() < 0.3, rng.random() < 0.4
    start, height = rng.uniform(0, 360), rng.uniform(-5, 40)
    views = []
    for k in range(count):
        raised = height if keeps_height else rng.uniform(-15, 65)
        azimuth = start + 360 * k / count + rng.uniform(-5, 5)
        towards = stage.stand(math.radians(azimuth), math.radians(raised))
        if k == 0 or not keeps_light:
            stage.light(towards)
        views.append(stage.shot())
    stage.window.Finalize()
    return [view for view in views if view is not None]


def has_colour(views: list[Image.Image]) -> bool:
    """Whether more than a gray shape is seen: else its other sides can only be guessed."""
    chroma, detail = [], []
    for view in views[::4]:
        pixels = np.asarray(view, np.float32)
        inside = np.asarray(view.getchannel("A").filter(ImageFilter.MinFilter(5))) > 200
        if inside.sum() < 200:
            continue
        chroma.append(np.ptp(pixels[..., :3], axis=2)[inside].mean())
        gray = pixels[..., :3].mean(2)
        steps = np.abs(np.diff(gray, axis=0, append=gray[-1:]))
        detail.append(steps[inside].mean())
    return bool(chroma) and (np.mean(chroma) > LEAST_CHROMA or np.mean(detail) > LEAST_DETAIL)


def one(task: tuple) -> str:
    source, out, count, photos = task
    if out.exists() and any(out.iterdir()):
        return ""
    rng = random.Random(zlib.crc32(out.name.encode()))
    np.random.seed(rng.randrange(1 << 31))
    try:
        parts = parts_of(source) if source else made_thing(rng, photos)
        if not parts or sum(len(mesh.faces) for mesh, *_ in parts) > MOST_FACES:
            return f"{source}: nothing to show, or too much"
        views = rendered(parts, count, rng)
    except Exception as error:  # a model that no library reads is left out, and told
        return f"{source}: {type(error).__name__} {str(error)[:80]}"
    if len(views) < count // 2 or (source and not has_colour(views)):
        return f"{source}: gray, or not in sight"
    out.mkdir(parents=True, exist_ok=True)
    for k, view in enumerate(views):
        view.save(out / f"{k:02}.webp", quality=60, alpha_quality=60, method=3)
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("--views", type=int, default=32)
    parser.add_argument("--made", type=int, default=0)
    parser.add_argument("--made-views", type=int, default=12)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    tasks = []
    for folder in args.models:
        for path in sorted(folder.rglob("*")):
            wanted = path.suffix.lower() in (".obj", ".dae", ".glb", ".gltf")
            if wanted and not NO_THING.search(str(path)):
                name = re.sub(
                    r"\W+", "_", f"{folder.name}_{path.relative_to(folder).with_suffix('')}"
                )
                tasks.append((path, args.output / name[-100:], args.views, []))
    photos = sorted(args.photos.iterdir()) if args.photos else []
    tasks += [
        (None, args.output / f"made_{k:04}", args.made_views, photos) for k in range(args.made)
    ]
    with ProcessPoolExecutor(args.workers) as pool:
        for told in pool.map(one, tasks):
            if told:
                print(told, flush=True)
    things = [folder for folder in args.output.iterdir() if folder.is_dir()]
    print(f"{len(things)} things, {sum(1 for f in things for _ in f.iterdir())} views")


if __name__ == "__main__":
    main()
