import sys
from io import BytesIO
from pathlib import Path

import pytest
from sources import write

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.rows import NoTextError, TableFile

ROWS = [["1.5", "a b"], ["-2", 'say "no", twice'], ["", "line\nbreak"]]


def read(content: bytes | str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    content = content.encode() if isinstance(content, str) else content
    table = TableFile(Path("table.csv"), BytesIO(content))
    return table.header, list(table.rows)


def refusal(content: bytes | str) -> str:
    with pytest.raises(UserError) as refused:
        read(content)
    message = str(refused.value)
    assert message.startswith("table.csv")
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_encodings_are_found(separator, encoding):
    path = write("table.csv", ROWS, ["größe", "text"], separator, encoding)
    table = TableFile(path)
    assert table.header == ["größe", "text"]
    assert [fields for _, fields in table.rows] == ROWS
    assert table.separator == separator


def test_a_row_has_the_number_of_the_line_where_it_starts():
    _, rows = read('a,b\n1,2\n\n"x\ny",3\n,\n4,5\n')
    assert rows == [(2, ["1", "2"]), (4, ["x\ny", "3"]), (7, ["4", "5"])]


def test_blanks_around_fields_are_no_part_of_them():
    assert read(" a , b\n 1 ,\t2 \n") == (["a", "b"], [(2, ["1", "2"])])


def test_a_header_of_one_column_is_enough():
    assert read("a\n1\n2\n") == (["a"], [(2, ["1"]), (3, ["2"])])


def test_a_column_without_a_name_is_called_by_its_position():
    assert read(",a,\n1,2,3\n")[0] == ["column 1", "a", "column 3"]


def test_decimal_commas_become_points_where_commas_do_not_separate():
    _, rows = read("a;b;c\n1,5;-,25;1,5 cm\n-2;3,e2;a, b\n")
    assert [fields for _, fields in rows] == [["1.5", "-.25", "1,5 cm"], ["-2", "3.e2", "a, b"]]
    assert read('a,b\n"1,5",2\n')[1] == [(2, ["1,5", "2"])]


def test_decimal_commas_beside_points_are_refused():
    assert ":3, column 'b'" in refusal("a;b\n1,5;1.234\n2,5;1,5\n")
    assert read("a;b\n1,5;1.5\n")[1] == [(2, ["1.5", "1.5"])]  # each column in one way


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        (",,\n1,2,3\n", "empty"),
        ("a,b,a\n1,2,3\n", "two columns 'a'"),
        ("a,b\n1,2\n3\n", ":3 has 1 fields and the header 2"),
        ("a,b\n1,2,3\n", ":2 has 3 fields and the header 2"),
        ('a,b\n1,2\n"3,4\n', ":3 can't be read"),
        ('a,b\n1,"2"3\n', ":2 can't be read"),
        (f"a,b\n1,{'x' * 200_000}\n", ":2 can't be read"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(content, named):
    assert named in refusal(content)


def test_a_header_of_very_many_columns_is_read():
    """To compare each with each would take hours."""
    columns = [f"c{number}" for number in range(300_000)]
    assert TableFile(Path("wide.csv"), BytesIO(",".join(columns).encode())).header == columns


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", "größe,b\n1,2\n".encode("latin-1")])
def test_what_is_no_text_is_refused(content):
    with pytest.raises(NoTextError, match="UTF-8"):
        read(content)
    with pytest.raises(NoTextError, match="UTF-8"):
        read(b"a,b\n" + b"1,2\n" * 50_000 + content)


def test_a_file_that_is_missing_is_named():
    with pytest.raises(UserError, match=r"none\.csv: no such file"):
        TableFile(Path("none.csv"))
    with pytest.raises(UserError, match="can't be read"):
        TableFile(Path.cwd())


def test_parquet_is_read_as_text():
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"number": [1.5, None, float("nan")], "text": ["a", "", None]}
    columns["flag"] = [True, False, None]
    parquet.write_table(arrow.table(columns), "table.parquet")
    table = TableFile(Path("table.parquet"))
    assert table.header == ["number", "text", "flag"]
    assert list(table.rows) == [(1, ["1.5", "a", "True"]), (2, ["", "", "False"])]
    Path("broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match=r"broken\.parquet can't be read"):
        TableFile(Path("broken.parquet"))


def test_without_pyarrow_parquet_says_what_to_install(monkeypatch):
    Path("table.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="--group parquet") as refused:
        TableFile(Path("table.parquet"))
    assert len(str(refused.value).splitlines()) == 1
