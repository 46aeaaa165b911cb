"""Fields find the headers they are about."""

from stack.capture.fields import all_fields
from stack.codec.header import Header
from stack.codec.registry import load_formats


def test_a_field_names_a_header_that_there_is() -> None:
    """Fields find headers by the name of their class: a format that is renamed must not make its fields empty."""
    load_formats()
    names: set[str] = set()
    kinds: list[type[Header]] = [Header]
    while kinds:
        kind = kinds.pop()
        names.add(kind.__name__)
        kinds.extend(kind.__subclasses__())
    for field in all_fields().values():
        for cell in field.read.__closure__ or ():
            wanted = cell.cell_contents
            for one in wanted if isinstance(wanted, tuple) else (wanted,):
                if isinstance(one, str) and one[:1].isupper():
                    assert one in names, f"{field.name} looks for {one}"
