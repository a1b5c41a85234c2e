"""The nomenclature: codes, colours, names, and every line at fault."""

import pytest

from iota2_tools.config.nomenclature import parse_colour, read_nomenclature
from iota2_tools.core.errors import ConfigError


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "nomenclature.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def problems_of(path):
    with pytest.raises(ConfigError) as caught:
        read_nomenclature(path)
    return str(caught.value)


def test_classes_are_sorted_by_code(table):
    classes = read_nomenclature(table("code,name,colour\n51,water,#0000ff\n11,crop,#ff8000\n"))
    assert classes.codes == (11, 51)
    assert classes.classes[0].colour == (255, 128, 0)
    assert classes.classes[0].hex_colour == "#ff8000"


@pytest.mark.parametrize(("largest", "dtype"), [(255, "uint8"), (256, "uint16"), (65535, "uint16")])
def test_map_type_holds_the_largest_code(table, largest, dtype):
    assert read_nomenclature(table(f"code,name\n1,a\n{largest},b\n")).dtype == dtype


def test_reference_value_is_a_code_or_a_name(table):
    classes = read_nomenclature(table("code,name\n11,crop\n51,water\n"))
    assert [classes.code_of(value) for value in (11, 11.0, "11", " water ", "11.0")] == [
        11, 11, 11, 51, 11,
    ]  # fmt: skip
    assert [classes.code_of(value) for value in (12, 11.5, "forest", None, "nan", "")] == [None] * 6


def test_name_that_looks_like_a_number_wins_over_the_code(table):
    classes = read_nomenclature(table("code,name\n1,2\n2,1\n"))
    assert classes.code_of("1") == 2


def test_unknown_code_is_called_by_its_number(table):
    assert read_nomenclature(table("code,name\n11,crop\n")).name_of(12) == "12"


def test_iota2_column_names_are_accepted(table):
    classes = read_nomenclature(table("code,label,color,group\n11,crop,#010203,annual\n"))
    item = classes.classes[0]
    assert (item.name, item.colour, item.parent) == ("crop", (1, 2, 3), "annual")


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#0A0b10", (10, 11, 16)),
        ("10 11 16", (10, 11, 16)),
        ("10,11,16", (10, 11, 16)),
        ("256 0 0", None),
        ("#fff", None),
        ("red", None),
        ("-1 0 0", None),
    ],
)
def test_colour_is_hexadecimal_or_three_numbers(text, colour):
    assert parse_colour(text) == colour


def test_classes_without_colour_get_hues_of_their_own(table):
    lines = "".join(f"{code},class {code}\n" for code in range(1, 24))
    classes = read_nomenclature(table("code,name\n" + lines)).classes
    assert len({item.colour for item in classes}) == 23


def test_all_lines_at_fault_are_told_at_once(table):
    path = table(
        "code,name,colour\n0,a,#000000\nx,b,#000000\n70000,c,#000000\n4,d,red\n5,,#000000\n"
    )
    message = problems_of(path)
    assert "5 problems" in message
    assert [f"line {number}" in message for number in range(2, 7)] == [True] * 5


def test_code_or_name_that_stands_twice_is_refused(table):
    message = problems_of(table("code,name\n1,a\n1,b\n2,a\n"))
    assert "code '1' stands twice" in message
    assert "name 'a' stands twice" in message


def test_missing_column_is_named_with_those_found(table):
    assert "column 'name' is missing, found code, title" in problems_of(table("code,title\n1,a\n"))


def test_empty_table_is_refused(table):
    assert "no class" in problems_of(table("code,name\n"))


def test_missing_file_is_named(tmp_path):
    assert "absent.csv" in problems_of(str(tmp_path / "absent.csv"))


@pytest.mark.parametrize("line", ["5,Maize, grain", "5", "5,a,#000000,b,c"])
def test_a_line_of_another_number_of_values_is_refused_with_its_number(table, line):
    text = "code,name\n1,a\n" if line.count(",") < 3 else "code,name,colour\n1,a,#000000\n"
    message = problems_of(table(f"{text}{line}\n"))
    assert "line 3" in message
    assert "between quotes" in message


def test_a_name_with_a_comma_stands_between_quotes(table):
    classes = read_nomenclature(table('code,name\n5,"Maize, grain"\n'))
    assert classes.name_of(5) == "Maize, grain"


def test_blank_lines_and_a_byte_order_mark_do_not_matter(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufeffcode,name\r\n\r\n5,Maïs\r\n,\r\n".encode())
    assert read_nomenclature(str(path)).name_of(5) == "Maïs"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused(tmp_path, encoding):
    path = tmp_path / "excel.csv"
    path.write_bytes("code,name\n5,Maïs\n".encode(encoding))
    assert "UTF-8" in problems_of(str(path))


def test_semicolons_are_refused_with_the_columns_found(table):
    assert "found code;name" in problems_of(table("code;name\n5;Maize\n"))


def test_an_open_quote_is_refused(table):
    assert "is no table" in problems_of(table('code,name\n5,"Maize\n6,Wheat\n'))


@pytest.mark.parametrize("sign", ["\n", "\t", "\x0b"])
def test_a_name_is_one_line_of_letters_that_documents_may_hold(table, sign):
    """XML of QGIS and the lines of RESULTS.txt could not hold it."""
    said = problems_of(table(f'code,name\n1,"wheat{sign}winter"\n2,maize\n'))
    assert f"the name of class 1, {f'wheat{sign}winter'!r}, holds a line break" in said
    assert "class 2" not in said


def test_a_table_that_may_not_be_read_is_told(table, monkeypatch):
    def refused(*given, **options):
        raise PermissionError(13, "Permission denied")

    path = table("code,name\n1,wheat\n")
    monkeypatch.setattr("builtins.open", refused)
    assert "cannot be read (Permission denied); check its permissions" in problems_of(path)
