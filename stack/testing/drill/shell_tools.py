"""Commands that only work on text: cat, grep, cut, head, test and their kin, over the files that a drill has (none of this machine's)."""

from __future__ import annotations

import re
from collections.abc import Callable

from stack.base.errors import StackError
from stack.testing.drill.shell import Simple
from stack.testing.drill.shell_run import Done
from stack.testing.drill.shell_words import ShellError

Look = Callable[[str], str]  # the text of a file; FileNotFoundError
_SIZES = {"": 1, "c": 1, "k": 1024, "K": 1024, "M": 1 << 20, "kB": 1000, "b": 512}
_LARGEST = 1 << 24
_NESTED = re.compile(r"[)][*+{?]")


def size(text: str) -> int:
    """`4k`"""
    found = re.fullmatch(r"(\d{1,9})(\w*)", text)
    if found is None or found[2] not in _SIZES or int(found[1]) * _SIZES[found[2]] > _LARGEST:
        raise ShellError(f"{text!r} is no size")
    return int(found[1]) * _SIZES[found[2]]


def split(simple: Simple, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options of one letter (those in `valued` take a value) and the other words."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = iter(simple.words[1:])
    for word in rest:
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        if word.startswith("--"):
            options[word] = ""
            continue
        for at, letter in enumerate(word[1:], 2):
            if letter in valued:
                options[letter] = word[at:] or next(rest, "")
                break
            options[letter] = ""
    return options, words


def gathered(simple: Simple, names: list[str], look: Look) -> str:
    """What files hold, or what was handed over."""
    return "".join(look(name) for name in names) if names else simple.stdin


def cat(simple: Simple, look: Look) -> Done:
    """cat(1)"""
    return Done(0, gathered(simple, split(simple)[1], look))


def echo(simple: Simple, look: Look) -> Done:
    """echo(1), printf(1) without values"""
    words = list(simple.words[1:])
    if simple.words[0].endswith("printf"):
        text, *values = words or [""]
        given = iter(values)
        return Done(0, re.sub("%[sd]", lambda _: next(given, ""), text.replace("\\n", "\n").replace("\\t", "\t")))
    newline = "\n"
    while words and words[0] in ("-n", "-e", "-en", "-ne"):
        newline = "" if "n" in words.pop(0) else newline
    return Done(0, " ".join(words) + newline)


def grep(simple: Simple, look: Look) -> Done:
    """grep(1), with -c, -e, -E, -F, -i, -o, -q, -v, -w, -x."""
    options, words = split(simple, "em")
    if set(options) - set("cEFiqovwxhsem"):
        raise ShellError(f"grep does not take -{', -'.join(sorted(set(options) - set('cEFiqovwxhsem')))}")
    if "e" in options:
        words.insert(0, options["e"])
    if not words or len(words[0]) > 200:
        raise ShellError("grep wants a pattern")
    pattern = words[0]
    if "F" in options:
        pattern = re.escape(pattern)
    elif "E" not in options and not simple.words[0].endswith("egrep"):  # of basic expressions: what has a meaning with a backslash
        pattern = re.sub(r"\\?([+?|(){}])", lambda found: found[1] if found[0][0] == "\\" else "\\" + found[1], pattern)
    pattern = re.sub(r"\[\[:(\w+):\]\]", lambda found: {"digit": "[0-9]", "space": r"\s", "alpha": "[A-Za-z]"}.get(found[1], found[0]), pattern)
    pattern = rf"\b(?:{pattern})\b" if "w" in options else rf"^(?:{pattern})$" if "x" in options else pattern
    if _NESTED.search(pattern):  # what might take for ever
        raise ShellError(f"grep does not understand {words[0]!r}")
    try:
        expression = re.compile(pattern, re.IGNORECASE if "i" in options else 0)
    except re.error:
        raise ShellError(f"grep does not understand {words[0]!r}") from None
    lines = gathered(simple, words[1:], look).splitlines()
    found = [line for line in lines if (expression.search(line) is None) == ("v" in options)]
    if "o" in options:
        found = [match[0] for line in found for match in expression.finditer(line)]
    shown = str(len(found)) + "\n" if "c" in options else "".join(f"{line}\n" for line in found)
    return Done(0 if found else 1, "" if "q" in options else shown)


def cut(simple: Simple, look: Look) -> Done:
    """cut(1): -d -f"""
    options, names = split(simple, "df")
    if not options.get("f", "").isdecimal():
        raise ShellError("cut wants -f and a number")
    delimiter, field = options.get("d") or "\t", int(options["f"])
    lines = (line.split(delimiter) for line in gathered(simple, names, look).splitlines())
    return Done(0, "".join(("" if len(parts) < field else parts[field - 1]) + "\n" for parts in lines))


def ends(simple: Simple, look: Look) -> Done:
    """head(1), tail(1): -n lines, -c octets"""
    options, names = split(simple, "nc")
    text = "\0" * size(options.get("c", "0")) if names == ["/dev/zero"] else gathered(simple, names, look)
    first = simple.words[0].endswith("head")
    if "c" in options:
        count = size(options["c"])
        return Done(0, text[:count] if first else text[-count:] if count else "")
    count = size(options.get("n") or "".join(one for one in options if one.isdecimal()) or "10")  # -1: one line
    lines = text.splitlines(keepends=True)
    return Done(0, "".join(lines[:count] if first else lines[-count:] if count else []))


def wc(simple: Simple, look: Look) -> Done:
    """wc(1): -l, -c, -w"""
    options, names = split(simple)
    text = gathered(simple, names, look)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text)}
    return Done(0, " ".join(str(counts[one]) for one in options or counts if one in counts) + "\n")


def tr(simple: Simple, look: Look) -> Done:
    """tr(1): -d"""
    options, words = split(simple)
    if "d" not in options or len(words) != 1:
        raise ShellError("tr is understood with -d only")
    gone = words[0].replace("\\n", "\n")
    return Done(0, "".join(letter for letter in simple.stdin if letter not in gone))


def order(simple: Simple, look: Look) -> Done:
    """sort(1), uniq(1)"""
    lines = gathered(simple, split(simple)[1], look).splitlines()
    lines = sorted(lines) if simple.words[0].endswith("sort") else [line for at, line in enumerate(lines) if not at or line != lines[at - 1]]
    return Done(0, "".join(f"{line}\n" for line in lines))


_AWK = re.compile(r"(?:/([^/]*)/|\$1\s*==\s*\"([^\"]*)\")?\s*(?:\{\s*print(?:\s+\$(\d{1,3}))?\s*;?\s*\})?")


def awk(simple: Simple, look: Look) -> Done:
    """awk(1), as far as it picks a field: '/PATTERN/ {print $2}', '$1 == "NAME" {print $2}'"""
    program = _AWK.fullmatch(simple.words[1].strip()) if len(simple.words) > 1 else None
    if program is None or not program[0]:
        raise ShellError(f"{simple} cannot be mapped")
    pattern, first, field = program.groups()
    lines = gathered(simple, list(simple.words[2:]), look)
    if pattern is not None:
        lines = grep(Simple(("grep", "-E", "-e", pattern), lines), look).text
    chosen = [line for line in lines.splitlines() if first is None or line.split()[:1] == [first]]
    if field is not None and int(field):
        chosen = ["".join(line.split()[int(field) - 1 : int(field)]) for line in chosen]
    return Done(0, "".join(f"{line}\n" for line in chosen))


def uname(simple: Simple, look: Look) -> Done:
    """uname(1), of the kernel whose TCP this is"""
    options, _ = split(simple)
    return Done(0, {"r": "6.18.0", "m": "x86_64", "n": "host"}.get(next(iter(options), "s"), "Linux") + "\n")


def test(simple: Simple, look: Look) -> Done:
    """test(1), [, [["""
    words = list(simple.words[1:])
    if simple.words[0] != "test":
        if not words or words.pop() != simple.words[0].replace("[", "]"):
            raise ShellError("'[' and no ']'")
    return Done(int(not _holds(words, look)))


_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b, "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip


def _holds(words: list[str], look: Look) -> bool:
    for sign, all_of in (("-o", any), ("||", any), ("-a", all), ("&&", all)):
        if sign in words[1:-1]:
            at = words.index(sign)
            return all_of((_holds(words[:at], look), _holds(words[at + 1 :], look)))
    match words:
        case ["!", *rest]:
            return not _holds(rest, look)
        case []:
            return False
        case [one]:
            return one != ""
        case ["-n" | "-z" as sign, text]:
            return (text != "") == (sign == "-n")
        case ["-e" | "-f" | "-r" | "-w" | "-s" | "-x" | "-d", name]:
            try:
                look(name)
            except FileNotFoundError:
                return False
            except StackError:
                return True  # it is there, and cannot be read
            return True
        case [left, "=" | "==", right]:
            return left == right
        case [left, "!=", right]:
            return left != right
        case [left, sign, right] if sign in _NUMBERS:
            try:
                return _NUMBERS[sign](int(left), int(right))
            except ValueError:
                raise ShellError(f"{left!r} {sign} {right!r}: no numbers") from None
    raise ShellError(f"test {' '.join(words)} is not understood")


TOOLS: dict[str, Callable[[Simple, Look], Done]] = {
    "cat": cat, "echo": echo, "printf": echo, "grep": grep, "egrep": grep, "fgrep": grep, "cut": cut, "head": ends, "tail": ends, "wc": wc,
    "awk": awk, "gawk": awk, "mawk": awk, "tr": tr, "sort": order, "uniq": order, "uname": uname, "test": test, "[": test, "[[": test,
}  # fmt: skip
