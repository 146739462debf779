"""How checks are found, and that a broken one is a line and not the end."""

from __future__ import annotations

import textwrap

from keptn_doctor.catalogue import load_checks

CHECK = '''
    """Something is wrong with it.

    Meaning       It is.
    """
    from keptn_doctor.api import Finding, KeptnService, Layer, check, passed

    @check(about=KeptnService, layer=Layer.HTTP, since="0.1")
    def judge(service: KeptnService) -> Finding:
        return passed("Fine.")
'''


def _write(directory, name, text):
    (directory / name).write_text(textwrap.dedent(text).lstrip())


def test_a_loose_file_is_a_check_named_after_its_file(tmp_path):
    _write(tmp_path, "odd_thing.py", CHECK)

    check = load_checks([tmp_path]).get("odd-thing")

    assert check is not None
    assert check.title == "Something is wrong with it."
    assert check.doc.splitlines()[2].startswith("Meaning")
    assert [need.parameter for need in check.needs] == ["service"]


def test_a_file_that_cannot_be_imported_is_one_line_and_stops_nothing(tmp_path):
    _write(tmp_path, "broken.py", "import does_not_exist_anywhere\n")
    _write(tmp_path, "leaves.py", "raise SystemExit(3)\n")
    _write(tmp_path, "whole.py", CHECK)

    catalogue = load_checks([tmp_path])

    assert catalogue.get("whole") is not None
    broken = [line for line in catalogue.errors if "broken" in line]
    assert len(broken) == 1
    assert "does_not_exist_anywhere" in broken[0]
    assert "\n" not in broken[0]
    assert any("leaves" in line for line in catalogue.errors)


def test_files_that_fail_alike_are_one_line(tmp_path):
    for number in range(5):
        _write(tmp_path, f"broken_{number}.py", "import does_not_exist_anywhere\n")
    _write(tmp_path, "other.py", "raise SystemExit(3)\n")

    told = [line for line in load_checks([tmp_path]).errors if str(tmp_path) in line]

    reason = "ModuleNotFoundError: No module named 'does_not_exist_anywhere'"
    named = "broken_0.py, broken_1.py, broken_2.py and 2 more"
    assert told == [
        f"5 modules of {tmp_path} ({named}) cannot be imported: {reason}",
        f"other.py of {tmp_path} cannot be imported: SystemExit: 3",
    ]


def test_a_second_check_of_one_name_is_reported_and_ignored(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for directory in (first, second):
        directory.mkdir()
        _write(directory, "twice.py", CHECK)

    catalogue = load_checks([first, second])

    assert [c.id for c in catalogue.checks].count("twice") == 1
    assert catalogue.get("twice").source.startswith(str(first))
    assert any("twice" in line and str(second) in line for line in catalogue.errors)


def test_a_loose_file_without_a_check_is_reported(tmp_path):
    _write(tmp_path, "nothing.py", "x = 1\n")

    assert any("nothing.py" in line for line in load_checks([tmp_path]).errors)


def test_an_unreadable_signature_is_reported_with_its_parameter(tmp_path):
    _write(tmp_path, "vague.py", CHECK.replace("service: KeptnService)", "service)"))
    _write(tmp_path, "strange.py", CHECK.replace("service: KeptnService)", "count: int)"))

    errors = load_checks([tmp_path]).errors

    assert any("vague" in line and "service" in line for line in errors)
    assert any("strange" in line and "count" in line for line in errors)


def test_a_directory_that_is_not_there_is_a_line(tmp_path):
    assert any("gone" in line for line in load_checks([tmp_path / "gone"]).errors)


def test_the_built_in_checks_load_without_an_error():
    catalogue = load_checks()

    assert [e for e in catalogue.errors if "keptn_doctor_checks" in e] == []
    assert [c.id for c in catalogue.checks] == sorted(c.id for c in catalogue.checks)
