"""Secrets of addresses, and what a terminal obeys, never reach a message; YAML says each thing once."""

import datetime as dt
import sys
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml

from planner.cli import main
from planner.errors import InputError
from planner.io.shown import printable, redacted, redacted_answer, shown_streams, without_formulas
from planner.io.yaml_text import load_yaml

SECRET = ("hunter2", "p@ss", "a/b", "12345/abc", "1?x=q", "x:y@z/w", "%40pct", "s#h?q")
SPELLINGS = (
    "postgresql://u:{}@host/db", "POSTGRESQL://u:{}@host:5432/db", "postgres+psycopg://u:{}@h/db?sslmode=require",
    "jdbc:postgresql://u:{}@h/db", "https://{}@api.example.com/x", "snowflake://u:{}@acc/db/sch?warehouse=w",
    "mysql://:{}@h/db", "redis://{}@h", "could not connect to postgresql://u:{}@h/db: timeout",
)  # fmt: skip
OPTIONS = (
    "host=h user=u password={} dbname=d", "PWD={};Server=h", "Server=h;Pwd={};", "Password={}", "password='{}' host=h",
    "jdbc:sqlserver://h;user=u;password={};", "md:db?motherduck_token={}", "https://h/x?access_token={}&a=1",
    "databricks://h?token={}", "AccountKey={};x=1", "aws_secret_access_key={}", "Authorization: Bearer {}xxxxxxxx",
    '{{"password": "{}"}}', "api_key: {}", "client_secret={}&x", "passwd={}",
    "PGPASSWORD={}", "DbPassword={};", "--password {}", "password => {}", "x-api-key: {}", "Cookie: session={}",
    "https://h/x?key={}&a=1", "u:{}@h:5432/db", "jdbc:oracle:thin:u/{}@h:1521/x", "postgresql://u:'{}'@h/db",
    'postgresql://u:"{}"@h/db', "postgresql://u:<{}>@h/db",
)  # fmt: skip
MORE = Path(__file__).with_name("spellings.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "secret"),
    [*product(SPELLINGS, SECRET), *product(OPTIONS, ("hunter2", "%40pct")), *product(MORE, ("hunter2",))],
)
def test_no_spelling_tells_the_secret(text: str, secret: str) -> None:
    told = redacted(text.format(secret))
    assert secret not in told
    assert "***" in told


@pytest.mark.parametrize("secret", ["Tiger-7 Lion-8", "p/w@x#y9", "with'quote9"])
@pytest.mark.parametrize(
    "text",
    [
        "trino://svc@h:443/hive?access_token={}", "sqlite:///u.db?key={}&mode=ro", "https://h/v1?x=1&access_token={}#f",
        "mssql+pyodbc:///?odbc_connect=Uid%3Dsvc%3BPwd%3D{}", "jdbc:oracle:thin:svc/{}@db:1521:xe",
        "postgresql:////svc:{}@h/db",
    ],
)  # fmt: skip
def test_no_part_of_an_awkward_secret_is_told(text: str, secret: str) -> None:
    told = redacted(f"{text.format(secret)}: cannot be reached").removeprefix("sqlite:///u.db")
    assert not any(part in told for part in ("Tiger", "Lion", "p/w", "y9", "with", "quote"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Server=srv;Password=Tiger-7 Lion-8;Encrypt=yes", "Server=srv;Password=***;Encrypt=yes"),
        ("Uid=svc;Pwd=Tiger-7 Lion-8: refused", "Uid=svc;Pwd=***: refused"),
        ("host=h password=Tiger-7 Lion-8 dbname=usage", "host=h password=*** dbname=usage"),
        ("CREATE SECRET s (TYPE postgres, PASSWORD 'Tiger-7 Lion-8')", "CREATE SECRET s (TYPE postgres, PASSWORD ***)"),
        ("https://h/v1;jsessionid=Tiger-7", "https://h/v1;jsessionid=***"),
        ("SharedAccessSignature=Tiger-7", "SharedAccessSignature=***"),
        ("(-u svc:Tiger-7 https://h)", "(-u svc:*** https://h)"),
    ],
)
def test_the_rest_is_told(text: str, told: str) -> None:
    assert redacted(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "reports/x@2.csv",
        "input_tokens = prompt_tokens",
        "reports/q1/plan.json: is missing",
        "10 tokens: 5",
        "at 09:30 a@b.org asks",
        "C:/x/y.csv",
        "workloads, auth: failover_share 0.95 is too large",
        "the key 'status' appears twice in one object",
        "password is missing: give it in the environment",
        "https://example.com/x?page=2&sort=name",
        "reports/q1/plan.json@2027: is missing",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Port could not be cast to integer value as 'Tiger'", "Port could not be cast to integer value as '***'"),
        ("failed to resolve host 'lion8': unknown", "failed to resolve host '***': unknown"),
        ('password authentication failed for user "svc" on db.example.org', 'password authentication failed for user '
         '"***" on db.example.org'),
    ],
)  # fmt: skip
def test_what_a_driver_says_tells_no_piece_of_the_secret(said: str, told: str) -> None:
    assert redacted_answer(said, "postgresql://svc:Tiger/7@Lion8@db.example.org/usage") == told


def test_a_terminal_obeys_nothing() -> None:
    assert printable("a\x1b[31mb\u202ec\x9bd\ne") == "a\\x1b[31mb\\u202ec\\x9bd\ne"
    assert printable("Zürich 東京 +5 %") == "Zürich 東京 +5 %"


def test_all_that_is_printed_is_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_streams():
        print("a\tb\x1b[31m\u202e")
        print("\x9b", file=sys.stderr)
    assert capsys.readouterr() == ("a\tb\\x1b[31m\\u202e\n", "\\x9b\n")


def test_no_cell_of_an_export_begins_as_a_formula_does() -> None:
    names = ["=1+1", "-x", "plain", None]
    table = pd.DataFrame({"name": names, "usd": [-1.0, 2, 3, 4], "kind": pd.Categorical(["@f", "a", "a", "+b"])})
    csv = without_formulas(table).to_csv(index=False)
    assert csv == "name,usd,kind\n'=1+1,-1.0,'@f\n'-x,2.0,a\nplain,3.0,a\n,4.0,'+b\n"


def test_the_command_line_shows_a_file_name_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "no\x1b]0;owned\x07where"]) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\\x1b]0;owned\\x07where" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: 1\na: 2\n", "'a' appears twice"), ("a: &x [1]\nb: [*x, *x]\n", "aliases are not used"),
     ("[" * 3000, "deep|expected")],
)  # fmt: skip
def test_yaml_says_each_thing_once(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(yaml.YAMLError, match=words):
        load_yaml(tmp_path / "f.yaml")


def test_yaml_is_read_as_it_looks(tmp_path: Path) -> None:
    """A country is no flag, half past one no 90, and 1_000 no number: it is text, which a field of numbers refuses."""
    (tmp_path / "f.yaml").write_text("{NO: NO, a: 1:30, b: 1_000, c: 010, d: true, e: 1e3, f: -2, g: 2027-01-01}")
    day = dt.date(2027, 1, 1)
    told = {"NO": "NO", "a": "1:30", "b": "1_000", "c": 10, "d": True, "e": 1000, "f": -2, "g": day}
    assert load_yaml(tmp_path / "f.yaml") == told


def test_a_large_yaml_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"#" * 2**21)
    with pytest.raises(InputError, match="too large"):
        load_yaml(tmp_path / "f.yaml")
    with pytest.raises(InputError, match="not a file"):
        load_yaml(tmp_path)
