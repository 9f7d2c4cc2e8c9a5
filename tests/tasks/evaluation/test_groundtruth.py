"""Ground truths: what is read, and the sentence for what is not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from objsearch.errors import UsageError
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import Box

TEXT = """\
group_id,path,role,box
cup,q/cup.jpg,query,
cup,p/desk.jpg,db,"10,20,30,40"
cup,p/shelf.jpg,db,
book,p/desk.jpg,db,"1,2,3.5,4"
book,q/book.jpg,query,"5,6,7,8"
,p/grass.jpg,distractor,
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "truth.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_groups_and_boxes(tmp_path: Path) -> None:
    truth = read_groundtruth(written(tmp_path, TEXT))
    cup, book = truth.queries()
    assert (cup.group_id, cup.path, cup.box_xyxy) == ("cup", tmp_path / "q/cup.jpg", None)
    assert book.box_xyxy == Box(5, 6, 7, 8)
    photos = [tmp_path / "p" / name for name in ("desk.jpg", "shelf.jpg", "grass.jpg")]
    assert truth.references() == photos  # each once
    assert truth.right(cup) == {photos[0]: Box(10, 20, 30, 40), photos[1]: None}
    assert truth.right(book) == {photos[0]: Box(1, 2, 3.5, 4)}


def test_every_photo_of_a_group_as_a_query(tmp_path: Path) -> None:
    truth = read_groundtruth(written(tmp_path, TEXT))
    assert len(truth.queries(every=True)) == 5
    assert len(truth.references(every=True)) == 5
    shelf = next(row for row in truth.rows if row.path.name == "shelf.jpg")
    assert set(truth.right(shelf, every=True)) == {tmp_path / "q/cup.jpg", tmp_path / "p/desk.jpg"}


def test_a_file_from_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert len(read_groundtruth(path).rows) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no rows"),
        ("group_id,path,role,box\n", "no rows"),
        ("group,path,role\na,b,query\n", "no column 'group_id'"),
        ("group_id,path,role\na,b,querry\n", r"line 2: no role 'querry'; did you mean 'query'"),
        ("group_id,path,role\na,b\n", "line 2: no role ''"),
        ("group_id,path,role,box\na,b,query,\na,c,db,1 2 3 4\n", "line 3: the box '1 2 3 4'"),
        ('group_id,path,role,box\na,b,db,"1,2,3"\n', "line 2: the box '1,2,3'"),
        ('group_id,path,role,box\na,b,db,"1,2,3,x"\n', "line 2: the box '1,2,3,x'"),
        ('group_id,path,role,box\na,b,db,"5,2,3,4"\n', "the box '5,2,3,4' is not .* x1 < x2"),
        ('group_id,path,role,box\na,b,db,"1,2,nan,4"\n', "line 2: the box '1,2,nan,4'"),
        ("group_id,path,role\n ,b,db\n", "line 2: a db wants a group_id"),
        ("group_id,path,role\na,,query\n", "line 2: no photo"),
        ("role,group_id,path\nquery,a\n", "line 2: no photo"),
        ("group_id,path,role\n\n\na,b,query\n\na,c,bd\n", "line 6: no role 'bd'"),
        ('group_id,path,role\n"a\nb",c,query\na,c,bd\n', "line 4: no role 'bd'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as caught:
        read_groundtruth(written(tmp_path, text))
    assert "truth.csv" in str(caught.value)


def test_spaces_after_commas_and_around_names_do_not_count(tmp_path: Path) -> None:
    text = 'group_id , path, role, box\ncup, desk.jpg, db, "10, 20, 30, 40"\n'
    (row,) = read_groundtruth(written(tmp_path, text)).rows
    assert (row.path, row.role, row.box_xyxy) == (tmp_path / "desk.jpg", "db", Box(10, 20, 30, 40))


def test_nothing_to_search_for_or_in_is_no_figure(tmp_path: Path) -> None:
    head = "group_id,path,role\n"
    alone = read_groundtruth(written(tmp_path, head + "a,b,db\n"))
    with pytest.raises(UsageError, match=r"truth\.csv: no row has the role query"):
        alone.check()
    alone.check(every=True)
    asking = read_groundtruth(written(tmp_path, head + "a,b,query\n"))
    with pytest.raises(UsageError, match="no row has the role db or distractor"):
        asking.check()
    asking.check(has_more=True)


def test_a_row_names_one_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b#1.tiff"):
        (folder / name).touch()
    good = "group_id,path,role\na,photos/a.jpg,query\na,photos/b#1.tiff#page=2,db\n"
    good += ",photos,distractor\n,photos/*.jpg,distractor\n"
    read_groundtruth(written(tmp_path, good)).check_photos()
    for bad, told in {
        "photos": "' is a folder; name its photos, a row each",
        "photos/*.jpg": "no such photo: '",
        "gone.jpg": "no such photo: '",
    }.items():
        truth = read_groundtruth(written(tmp_path, f"{good}a,{bad},db\n"))
        with pytest.raises(UsageError, match=r"truth\.csv, line 6: ") as caught:
            truth.check_photos()
        assert told in str(caught.value)


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_groundtruth(tmp_path / "gone.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match="not a CSV file"):
        read_groundtruth(tmp_path / "binary.csv")
    (tmp_path / "latin.csv").write_bytes("group_id,path,role\nmüsli,a,db\n".encode("cp1252"))
    with pytest.raises(UsageError, match=r"latin\.csv: not a CSV file in UTF-8; save it as UTF-8"):
        read_groundtruth(tmp_path / "latin.csv")


def test_the_example_ground_truth_is_true_to_the_folder(root: Path) -> None:
    path = root / "examples" / "groundtruth.csv"
    truth = read_groundtruth(path)
    named = {row.path for row in truth.rows}
    lying = {p for kind in ("photos", "queries") for p in (root / "examples" / kind).iterdir()}
    assert named == lying
    assert all(truth.right(query) for query in truth.queries())
    credited = (root / "examples" / "CREDITS.md").read_text(encoding="utf-8")
    assert [p.name for p in lying if p.name not in credited] == []
    with path.open(newline="", encoding="utf-8") as stream:
        assert {len(line) for line in csv.reader(stream)} == {4}
