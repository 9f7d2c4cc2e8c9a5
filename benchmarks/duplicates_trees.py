"""Does applying a plan ever lose anything? Random trees, mishaps and kills, each checked.

    python benchmarks/duplicates_trees.py --trees 1000 --seed 1

Each tree holds pictures with known copies, hard links, symbolic links, odd names, times and
permissions; a plan is made for it. Then mishaps befall it: files change or vanish, folders become
read-only, names in the quarantine are taken, the quarantine lies on another file system. The plan
is applied by a process that is killed (SIGKILL) before its n-th change of the file system, n drawn
by chance; then applied again, killed in undoing, and undone. After every step each file is looked
for, byte by byte.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import shutil
import signal
import stat
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import filelock  # noqa: F401  (loaded before privileges are dropped)
import numpy as np
from PIL import Image

from objsearch.tasks.duplicates import Plan
from objsearch.tasks.removal import apply_plan, undo
from objsearch.tasks.removal.moving import PART
from objsearch.types.plans import Fingerprint, Group, Member

NOBODY = 65534
CHANGES = {"os.link", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.utime", "os.chmod"}
NAMES = ["a b.png", "ä.png", "x.PNG", "weird\udce9.png", "new\nline.png", "quote'\".png", "-n.png"]


@dataclass
class Tree:
    """A made tree: its groups (kept path, copies) and, once mishaps happened, what they were."""

    root: str
    quarantine: str
    plan: Plan
    mishaps: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)


Entry = tuple[object, ...]


def snapshot(root: str) -> dict[str, Entry]:
    """Every entry of a tree: kind, mode, time, bytes, and which names are one file."""
    found: dict[str, Entry] = {}
    first_name: dict[tuple[int, int], str] = {}
    for folder, folders, names in sorted(os.walk(root)):
        for name in sorted((*folders, *names)):
            path = os.path.join(folder, name)
            seen = os.lstat(path)
            mode = stat.S_IMODE(seen.st_mode)
            if stat.S_ISLNK(seen.st_mode):
                found[path] = ("link", os.readlink(path))
            elif stat.S_ISDIR(seen.st_mode):
                found[path] = ("folder", mode)
            else:
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                twin = first_name.setdefault((seen.st_dev, seen.st_ino), path)
                found[path] = ("file", mode, seen.st_mtime_ns, seen.st_size, digest, twin)
    return found


def picture(rng: random.Random) -> bytes:
    """A tiny PNG of noise."""
    pixels = np.frombuffer(rng.randbytes(8 * 8 * 3), np.uint8).reshape(8, 8, 3)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


class Maker:
    """Writes a tree's files, under names that are drawn once."""

    def __init__(self, rng: random.Random, root: str) -> None:
        self.rng = rng
        self.folders = [root]
        self.taken: set[str] = set()
        self.files: dict[str, Fingerprint] = {}
        for number in range(rng.randint(1, 5)):
            name = rng.choice(["d", "é", "x y"]) + str(number)
            self.folders.append(os.path.join(rng.choice(self.folders), name))
            os.makedirs(self.folders[-1])

    def new_path(self) -> str:
        rng = self.rng
        while True:
            name = rng.choice(NAMES) if rng.random() < 0.4 else f"{rng.randrange(10**6)}.png"
            path = os.path.join(rng.choice(self.folders), name)
            if path not in self.taken:
                self.taken.add(path)
                return path

    def group(self, number: int) -> Group:
        """A kept file, copies of it or near ones, other names of both, a link to one of them."""
        rng, data = self.rng, picture(self.rng)
        keep = write(self.new_path(), data, rng)
        self.files[keep] = printed(keep, "", "")
        members = [member(keep, "keep", "kept: most pixels")]
        if rng.random() < 0.3:
            members.append(self._other_name(keep, "keep", ""))
        for _ in range(rng.randint(1, 4)):
            path = write(self.new_path(), data if rng.random() < 0.6 else picture(rng), rng)
            self.files[path] = printed(path, keep, "")
            members.append(member(path, "remove", f"copy of {keep}"))
            if rng.random() < 0.3:
                members.append(self._other_name(path, "remove", keep))
        if rng.random() < 0.3:
            os.symlink(rng.choice(members).path, self.new_path())
        return Group(group=number, relation="same-picture", members=tuple(members))

    def _other_name(self, path: str, action: str, keep: str) -> Member:
        other = self.new_path()
        os.link(path, other)
        self.files[other] = printed(other, keep, path)
        return member(other, action, f"another name of {path}")


def make_tree(rng: random.Random, root: str, quarantine: str) -> Tree:
    """Some groups, and a file that belongs to none."""
    maker = Maker(rng, root)
    groups = tuple(maker.group(number) for number in range(1, rng.randint(2, 6)))
    write(maker.new_path(), picture(rng), rng)
    return Tree(root, quarantine, Plan(groups=groups, files=maker.files))


def write(path: str, data: bytes, rng: random.Random) -> str:
    with open(path, "wb") as stream:
        stream.write(data)
    os.chmod(path, rng.choice([0o644, 0o600, 0o444, 0o755]))
    time = rng.randrange(10**9, 17 * 10**8) * 10**9 + rng.randrange(10**9)
    os.utime(path, ns=(time, time))
    return path


def member(path: str, action: str, reason: str) -> Member:
    n_bytes = os.path.getsize(path)
    return Member.model_validate(
        {
            "path": path,
            "action": action,
            "similarity_to_keep": 1.0,
            "identical_to_keep": True,
            "width": 8,
            "height": 8,
            "bytes": n_bytes,
            "reason": reason,
        }
    )


def printed(path: str, keep: str, same: str) -> Fingerprint:
    seen = os.lstat(path)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return Fingerprint(
        sha256=digest,
        bytes=seen.st_size,
        mtime_ns=seen.st_mtime_ns,
        keep=keep,
        same_file_as=same,
    )


def strike(tree: Tree, rng: random.Random) -> None:
    """What happens between planning and applying."""
    every = [one for group in tree.plan.groups for one in group.members]
    for one in every:
        if rng.random() < 0.12 and os.path.lexists(one.path):
            kind = rng.choice([rewritten, quietly_rewritten, touched, vanished, made_a_link])
            kind(one.path, rng)
            tree.seen[kind.__name__] += 1
    if rng.random() < 0.3:
        folder = os.path.dirname(rng.choice(every).path)
        if folder != tree.root:
            os.chmod(folder, 0o555)
            tree.seen["read-only folder"] += 1
    for one in every:
        if rng.random() < 0.15:
            inside = os.path.join(tree.quarantine, tree.plan.id, "files", one.path.lstrip(os.sep))
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            if not os.path.lexists(inside):
                Path(inside).write_bytes(b"somebody else's" if rng.random() < 0.5 else b"")
                tree.seen["name taken in quarantine"] += 1


def rewritten(path: str, rng: random.Random) -> None:
    os.chmod(path, 0o644)
    with open(path, "ab") as stream:
        stream.write(b"more")


def quietly_rewritten(path: str, rng: random.Random) -> None:
    """Another byte, the same size, the same time."""
    seen = os.lstat(path)
    if not stat.S_ISREG(seen.st_mode):
        return
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(path, 0o644)
    Path(path).write_bytes(bytes(data))
    os.chmod(path, stat.S_IMODE(seen.st_mode))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def touched(path: str, rng: random.Random) -> None:
    os.utime(path, follow_symlinks=False)


def vanished(path: str, rng: random.Random) -> None:
    os.unlink(path)


def made_a_link(path: str, rng: random.Random) -> None:
    """A symbolic link in the file's place, to another file of the folder if there is one."""
    os.unlink(path)
    others = [one.path for one in os.scandir(os.path.dirname(path)) if one.is_file()]
    os.symlink(rng.choice(others) if others else "nowhere", path)


def in_child(action: Callable[[], object], kill_before: int | None = None) -> int:
    """Run in a process of its own, killed before its n-th change of the file system; its status."""
    child = os.fork()
    if child == 0:
        try:
            if kill_before is not None:
                count = [0]

                def count_down(event: str, arguments: tuple[object, ...]) -> None:
                    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
                    if event in CHANGES or writes:
                        count[0] += 1
                        if count[0] == kill_before:
                            os.kill(os.getpid(), signal.SIGKILL)

                sys.addaudithook(count_down)
            action()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return -os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


class LostError(AssertionError):
    """A promise was broken."""


def check_nothing_lost(tree: Tree, before: dict[str, Entry]) -> None:
    """Every file of before lies under its name, or its bytes, time and mode in quarantine."""
    now = snapshot(tree.root)
    held = Counter(entry[1:5] for entry in snapshot(tree.quarantine).values() if entry[0] == "file")
    planned = {one.path for one in tree.plan.removed()}
    for path, entry in before.items():
        if path in now and now[path][:5] == entry[:5]:
            continue
        if path in now or path not in planned or entry[0] != "file":
            raise LostError(f"{path!r} was {entry}, is {now.get(path)}")
        if not held[entry[1:5]]:
            raise LostError(f"{path!r} is neither in its place nor in quarantine")
    for path in now:
        if path not in before and not path.endswith(PART):  # a copy that was stopped, swept later
            raise LostError(f"{path!r} has come from nowhere")


def unchanged(path: str, tree: Tree, before: dict[str, Entry]) -> bool:
    """By the snapshot alone: whether a file is the one of the plan."""
    entry, expected = before.get(path), tree.plan.files[path]
    return (
        entry is not None
        and entry[0] == "file"
        and entry[3:5] == (expected.bytes, expected.sha256)  # a new time is no change
    )


def check_applied(tree: Tree, before: dict[str, Entry]) -> None:
    """Exactly what may go is gone; in each group something is kept, whole."""
    now = snapshot(tree.root)
    for group in tree.plan.groups:
        kept = [one.path for one in group.having("keep")]
        is_sound = all(unchanged(path, tree, before) for path in kept)
        for one in group.having("remove"):
            folder = before.get(os.path.dirname(one.path))
            is_writable = folder is None or bool(int(str(folder[1])) & 0o200)
            may_go = is_sound and unchanged(one.path, tree, before) and is_writable
            if may_go == (one.path in now) and (may_go or one.path in before):
                raise LostError(f"{one.path!r} {'is still there' if may_go else 'is gone'}")
            tree.seen["removed" if may_go else "left"] += 1
        for path in kept:
            if now.get(path) != before.get(path):
                raise LostError(f"the kept {path!r} has changed")


def one_tree(seed: int, base: str, elsewhere: str | None) -> Counter[str]:
    """Make, strike, apply with kills, check, undo with kills, check. Raises LostError."""
    rng = random.Random(seed)
    root = os.path.join(base, "tree")
    os.makedirs(root)
    far = elsewhere is not None and rng.random() < 0.3
    quarantine = tempfile.mkdtemp(dir=elsewhere) if far else os.path.join(base, "quarantine")
    tree = make_tree(rng, root, quarantine)
    os.makedirs(quarantine, exist_ok=True)
    tree.seen["quarantine on another file system"] += far
    strike(tree, rng)
    before = snapshot(root)
    foreign = snapshot(quarantine)

    killed_and_applied(tree, before, rng)
    killed_and_undone(tree, before, rng)
    held = snapshot(quarantine)
    if any(held.get(path) != entry for path, entry in foreign.items() if entry[0] == "file"):
        raise LostError("a stranger's file in the quarantine was touched")
    count(tree, before)
    if far:
        freed(quarantine)
    return tree.seen


def killed_and_applied(tree: Tree, before: dict[str, Entry], rng: random.Random) -> None:
    """Apply, killed now and then; mostly to the end. Raises LostError."""

    def applied() -> None:
        apply_plan(tree.plan, tree.quarantine)

    for _ in range(rng.randint(0, 2)):
        status = in_child(applied, rng.randint(1, 60))
        tree.seen["killed while applying"] += status == -signal.SIGKILL
        check_nothing_lost(tree, before)
    if rng.random() < 0.8:
        if in_child(applied) != 0:
            raise LostError("applying failed")
        check_nothing_lost(tree, before)
        check_applied(tree, before)
        tree.seen["applied to the end"] += 1


def killed_and_undone(tree: Tree, before: dict[str, Entry], rng: random.Random) -> None:
    """Undo, killed now and then, to the end: all is as before. Raises LostError."""
    manifest = os.path.join(tree.quarantine, tree.plan.id, "manifest.json")

    def undone() -> None:
        undo(manifest)

    if os.path.exists(manifest):
        for _ in range(rng.randint(0, 2)):
            status = in_child(undone, rng.randint(1, 40))
            tree.seen["killed while undoing"] += status == -signal.SIGKILL
            check_nothing_lost(tree, before)
        if in_child(undone) != 0:
            raise LostError("undoing failed")
    after = snapshot(tree.root)
    if after != before:
        odd = {path for path in {*before, *after} if before.get(path) != after.get(path)}
        told = [(path, before.get(path), after.get(path)) for path in sorted(odd)]
        raise LostError(f"not as before: {told}")


def count(tree: Tree, before: dict[str, Entry]) -> None:
    """What the tree held, for the table."""
    files = {path: entry for path, entry in before.items() if entry[0] == "file"}
    tree.seen["files"] += len(files)
    tree.seen["names of one file"] += sum(entry[5] != path for path, entry in files.items())
    tree.seen["symbolic links"] += sum(entry[0] == "link" for entry in before.values())


def freed(folder: str) -> None:
    for inner, _, _ in os.walk(folder):
        os.chmod(inner, 0o755)
    shutil.rmtree(folder)


def other_file_system(base: str) -> str | None:
    """A folder of another file system that may be written, if there is one."""
    for folder in ("/dev/shm", "/run/shm"):
        if os.access(folder, os.W_OK) and os.stat(folder).st_dev != os.stat(base).st_dev:
            return folder
    return None


def run_trees(n_trees: int, seed: int) -> Counter[str]:
    """Many trees in one process; raises LostError at the first broken promise."""
    total: Counter[str] = Counter()
    base = tempfile.mkdtemp(prefix="trees-")
    elsewhere = other_file_system(base)
    try:
        for number in range(n_trees):
            place = os.path.join(base, str(number))
            os.makedirs(place)
            try:
                total += one_tree(seed * 1_000_003 + number, place, elsewhere)
            except LostError as error:
                raise LostError(f"tree {number} of seed {seed}: {error}") from None
            total["trees"] += 1
            freed(place)
    finally:
        freed(base)
    return total


def without_privileges(action: Callable[[], object]) -> int:
    """Root may write everywhere: what a read-only folder does is seen as another user."""

    def dropped() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        action()

    return in_child(dropped)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trees", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    def report() -> None:
        total = run_trees(options.trees, options.seed)
        print("| what | how many |\n| --- | ---: |")
        for what, count in sorted(total.items(), key=lambda one: one[0] != "trees"):
            print(f"| {what} | {count:,} |")
        print("| promises broken | 0 |", flush=True)

    return without_privileges(report)


if __name__ == "__main__":
    raise SystemExit(main())
