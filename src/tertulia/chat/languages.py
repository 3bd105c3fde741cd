"""The languages that code can be written in: what each one's words, strings and comments are.

The pieces below share one rule, on which the time that `highlight` takes depends: an alternative
that has read more than a few characters must not fail. So closing marks are optional, look-ahead
stays within the line, and no repetition stands inside another over the same characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Short names of classes, those of Pygments, so that its style sheets fit too: comment, string,
# number, keyword, constant, function, type, annotation, attribute or key, tag, variable; in a
# difference added, removed and its headings; a prompt.
CLASSES = frozenset(
    ("c", "s", "m", "k", "kc", "nf", "nc", "nd", "na", "nt", "nv", "gi", "gd", "gh", "gp")
)

# Comments
SLASHES = ("c", r"//[^\n]*")
HASH = ("c", r"#[^\n]*")
DASHES = ("c", r"--[^\n]*")
SEMICOLON = ("c", r";[^\n]*")
PERCENT = ("c", r"%[^\n]*")
BLOCK = ("c", r"/\*(?s:.*?)(?:\*/|\Z)")
ANGLE = ("c", r"<!--(?s:.*?)(?:-->|\Z)")
BRACE_DASH = ("c", r"\{-(?s:.*?)(?:-\}|\Z)")
# Strings: an unclosed one ends with its line, or with the code where it may span lines.
DOUBLE = ("s", r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?')
SINGLE = ("s", r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'?")
BACKTICK = ("s", r"`[^`\\]*(?:\\(?s:.)[^`\\]*)*`?")
TRIPLE = ("s", r'"""(?s:.*?)(?:"""|\Z)' + r"|'''(?s:.*?)(?:'''|\Z)")
CHARACTER = ("s", r"'(?:\\[^\n']{1,9}|\\'|[^'\\\n])'")
DOUBLED = ("s", r"'[^']*'?")
# The rest
NUMBER = ("m", r"\.?\d[\w]*(?:\.\d\w*)?")
AT = ("nd", r"@[^\W\d][\w.]*")
DIRECTIVE = ("nd", r"^[ \t]{0,80}#[ \t]{0,80}\w+")
BRACKETED = ("nd", r"#!?\[[^\]\n]*\]?")
DOLLAR = ("nv", r"\$\{[^}\n]*\}?|\$(?:\w+|[@*#?$!-])")
SIGIL = ("nv", r"[$@%][^\W\d]\w*")
WORD = ("w", r"[^\W\d]\w*")
DASHED_WORD = ("w", r"[^\W\d][\w-]*[?!]?")
# A string or word that names what follows it. Read at most twice, since keys are bounded.
QUOTED_KEY = ("na", r'"[^"\\\n]{0,200}"(?=[ \t]{0,20}:)')
KEY = ("na", r"^[ \t]{0,200}(?:-[ \t]{1,20})?[\w.\"'/-]{1,200}(?=[ \t]{0,20}[:=])")
SECTION = ("nt", r"^[ \t]{0,200}\[[^\]\n]*\]?\]?")

C_LIKE = (SLASHES, BLOCK, DOUBLE, SINGLE, AT, NUMBER, WORD)


@dataclass(frozen=True, slots=True)
class Language:
    """`kinds[i]` is the class of group i + 1 of `pattern`; `w` stands for a word to look up."""

    id: str
    name: str
    pattern: re.Pattern[str]
    kinds: tuple[str, ...]
    words: dict[str, str]
    folded: bool
    guesses: bool

    def kind_of(self, word: str, following: str) -> str:
        """The class of a word; `following` is the character after it."""
        known = self.words.get(word.lower() if self.folded else word)
        if known is not None or not self.guesses:
            return known or ""
        if following == "(":
            return "nf"
        return "nc" if word[0].isupper() and not word.isupper() else ""


LANGUAGES: dict[str, Language] = {}


def _add(
    names: str,
    name: str,
    pieces: Iterable[tuple[str, str]],
    keywords: str = "",
    constants: str = "",
    *,
    folded: bool = False,
    guesses: bool = True,
) -> None:
    """`names`: what may follow the fence, the first being the one that the HTML keeps."""
    pieces = tuple(pieces)
    words = dict.fromkeys(keywords.split(), "k") | dict.fromkeys(constants.split(), "kc")
    language = Language(
        names.split()[0],
        name,
        re.compile("|".join(f"({fragment})" for _, fragment in pieces), re.MULTILINE),
        tuple(kind for kind, _ in pieces),
        words,
        folded,
        guesses,
    )
    LANGUAGES.update(dict.fromkeys(names.split(), language))


_add(
    *("python py python3 pyi", "Python"),
    (
        ("s", r"[bfrutBFRUT]{1,2}(?:" + TRIPLE[1] + ")"),
        ("s", r"[bfrutBFRUT]{1,2}(?:" + DOUBLE[1] + "|" + SINGLE[1] + ")"),
        *(TRIPLE, DOUBLE, SINGLE, HASH, AT, NUMBER, WORD),
    ),
    "and as assert async await break case class continue def del elif else except finally for from "
    "global if import in is lambda match nonlocal not or pass raise return try type while with "
    "yield",
    "True False None self cls NotImplemented Ellipsis",
)
_JAVASCRIPT = (
    "as async await break case catch class const continue debugger default delete do else export "
    "extends finally for from function get if import in instanceof let new of return set static "
    "super switch throw try typeof var void while with yield"
)
_NOTHING = "true false null undefined NaN Infinity this"
_SCRIPT = (SLASHES, BLOCK, BACKTICK, DOUBLE, SINGLE, AT, NUMBER, ("w", r"[^\W\d$][\w$]*|\$[\w$]*"))
_add("javascript js mjs cjs node", "JavaScript", _SCRIPT, _JAVASCRIPT, _NOTHING)
_add("jsx", "JSX", _SCRIPT, _JAVASCRIPT, _NOTHING)
_TYPESCRIPT = (
    f"{_JAVASCRIPT} abstract any bigint boolean declare enum implements infer interface is keyof "
    "namespace never number object override private protected public readonly satisfies string "
    "symbol type unknown"
)
_add("typescript ts mts", "TypeScript", _SCRIPT, _TYPESCRIPT, _NOTHING)
_add("tsx", "TSX", _SCRIPT, _TYPESCRIPT, _NOTHING)
_add(
    *("json jsonc json5 geojson", "JSON", (QUOTED_KEY, DOUBLE, SLASHES, BLOCK, NUMBER, WORD)),
    constants="true false null",
    guesses=False,
)
_add(
    *("yaml yml", "YAML"),
    (
        ("c", r"(?:^|(?<=\s))#[^\n]*"),
        KEY,
        DOUBLE,
        ("s", r"'[^'\n]*'?"),
        ("nv", r"[&*]\w+"),
        NUMBER,
        DASHED_WORD,
    ),
    constants="true false null yes no on off",
    guesses=False,
)
_add(
    *("toml", "TOML", (HASH, SECTION, KEY, TRIPLE, DOUBLE, SINGLE, NUMBER, DASHED_WORD)),
    constants="true false inf nan",
    guesses=False,
)
_add(
    *("ini cfg conf properties dotenv env", "INI", (HASH, SEMICOLON, SECTION, KEY, DOUBLE, NUMBER)),
    guesses=False,
)
_TAGS = (
    ANGLE,
    ("nd", r"<[!?][^>]*>?"),
    ("nt", r"</?[^\W\d][\w:.-]*|/?>"),
    ("na", r"(?<![\w:.-])[^\W\d][\w:.-]{0,99}(?==)"),
    ("s", r'"[^"<>]*"?' + r"|'[^'<>\n]*'(?=[\s/>])"),
    ("kc", r"&#?\w{1,32};"),
)
_add("html htm xhtml vue svelte", "HTML", _TAGS, guesses=False)
_add("xml svg rss xsl plist", "XML", _TAGS, guesses=False)
_add("django jinja jinja2 html+django", "Django", (("nd", r"\{[%{#][^}\n]*\}?\}?"), *_TAGS))
_add(
    *("css scss sass less", "CSS"),
    (
        *(BLOCK, SLASHES, DOUBLE, SINGLE),
        ("nd", r"@[\w-]+"),
        ("nv", r"--[\w-]+|\$[\w-]+"),
        ("m", r"#[\da-fA-F]{3,8}\b"),
        ("nc", r"[.#][^\W\d][\w-]*"),
        ("m", r"\.?\d[\d.]*(?:%|[a-zA-Z]{1,9})?"),
        ("na", r"(?<![\w-])[a-z-][\w-]{0,99}(?=[ \t]{0,20}:[ \t\n])"),
        DASHED_WORD,
    ),
)
_add(
    *("bash sh shell zsh ksh fish", "Shell"),
    (
        ("c", r"(?:^|(?<=[\s;]))#[^\n]*"),
        ("s", r'"[^"\\]*(?:\\(?s:.)[^"\\]*)*"?'),
        *(DOUBLED, DOLLAR),
        ("na", r"(?:(?<=\s)|^)--?[^\W\d][\w-]*"),
        *(NUMBER, DASHED_WORD),
    ),
    "alias break case cd continue do done echo elif else esac eval exec exit export fi for "
    "function if in local printf read readonly return set shift source then trap unset until while",
    "true false",
)
_PROMPT = ("gp", r"^[^\n$#>%]{0,99}[$#>%] ")
_add("console session shell-session", "Console", (_PROMPT, DOLLAR), guesses=False)
_add("pycon", "Python", (("gp", r"^(?:>>>|\.\.\.) ?"), DOUBLE, SINGLE, HASH, NUMBER, WORD))
_add(
    *("powershell ps1 pwsh", "PowerShell"),
    (
        ("c", r"<#(?s:.*?)(?:#>|\Z)"),
        *(HASH, ("s", r'"[^"\n]*"?'), DOUBLED, DOLLAR),
        *(("na", r"(?<=\s)-[^\W\d]\w*"), NUMBER, DASHED_WORD),
    ),
    "begin break catch class continue do else elseif end enum exit filter finally for foreach "
    "function if in param process return switch throw trap try until using while",
    folded=True,
)
_add(
    *("sql postgresql postgres psql mysql sqlite plsql", "SQL"),
    (DASHES, BLOCK, DOUBLED, ("nv", r'"[^"\n]*"?|`[^`\n]*`?'), NUMBER, WORD),
    "add all alter analyze and as asc begin between by cascade case cast check column commit "
    "conflict constraint create cross database default delete desc distinct do drop else end "
    "except exists explain for foreign from full function grant group having if in index inner "
    "insert intersect into is join key lateral left like limit materialized natural not nothing "
    "offset on or order outer over partition primary references returning revoke right rollback "
    "row rows select set table then to transaction trigger truncate union unique update using "
    "values view when where window with bigint boolean char date integer int json jsonb numeric "
    "real serial text timestamp uuid varchar",
    "true false null",
    folded=True,
)
_C = (
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register return short signed sizeof static struct switch typedef union "
    "unsigned void volatile while"
)
_NATIVE = (SLASHES, BLOCK, DIRECTIVE, DOUBLE, CHARACTER, NUMBER, WORD)
_add("c h", "C", _NATIVE, _C, "NULL true false")
_add(
    *("cpp c++ cc cxx hpp", "C++", _NATIVE),
    f"{_C} alignas alignof and bool catch class co_await co_return co_yield concept consteval "
    "constexpr decltype delete explicit export final friend import module mutable namespace new "
    "noexcept not operator or override private protected public requires static_cast "
    "dynamic_cast template throw try typename using virtual",
    "nullptr NULL true false this",
)
_OBJECTS = (
    "abstract break case catch class continue default do else enum extends final finally for if "
    "implements import interface new package private protected public return static super switch "
    "throw throws try void while"
)
_add(
    *("java", "Java", (SLASHES, BLOCK, TRIPLE, DOUBLE, CHARACTER, AT, NUMBER, WORD)),
    f"{_OBJECTS} assert boolean byte char double float instanceof int long native non-sealed "
    "permits record sealed short strictfp synchronized transient var volatile yield",
    "true false null this",
)
_add(
    *("kotlin kt kts", "Kotlin", (SLASHES, BLOCK, TRIPLE, DOUBLE, CHARACTER, AT, NUMBER, WORD)),
    f"{_OBJECTS} as by companion constructor data fun get in init inline inner internal is "
    "lateinit object open operator out override reified sealed set suspend tailrec typealias val "
    "var when where",
    "true false null this it",
)
_add(
    *("groovy gradle", "Groovy", (SLASHES, BLOCK, TRIPLE, DOUBLE, SINGLE, AT, NUMBER, WORD)),
    f"{_OBJECTS} as assert boolean def in instanceof int long trait var",
    "true false null this",
)
_add(
    *("csharp cs c# dotnet", "C#"),
    (SLASHES, BLOCK, DIRECTIVE, ("s", r'[$@]{1,2}"[^"]*"?'), DOUBLE, CHARACTER, NUMBER, WORD),
    f"{_OBJECTS} as async await base bool byte char const decimal delegate double event explicit "
    "extern fixed float foreach get goto in init int internal is lock long namespace object "
    "operator out override params partial readonly record ref required sealed set short sizeof "
    "string struct typeof uint ulong unsafe using var virtual when where yield",
    "true false null this",
)
_add(
    *("go golang", "Go", (SLASHES, BLOCK, BACKTICK, DOUBLE, CHARACTER, NUMBER, WORD)),
    "break case chan const continue default defer else fallthrough for func go goto if import "
    "interface map package range return select struct switch type var any bool byte error float64 "
    "int int64 rune string uint uint64 make new len cap append",
    "true false nil iota",
)
_add(
    *("rust rs", "Rust"),
    (
        *(SLASHES, BLOCK, BRACKETED),
        ("s", r'b?r#{1,3}"(?s:.*?)(?:"#|\Z)'),
        ("s", r'b?"[^"\\]*(?:\\(?s:.)[^"\\]*)*"?'),
        *(CHARACTER, ("nv", r"'[^\W\d]\w*"), NUMBER, ("nf", r"[^\W\d]\w{0,99}!"), WORD),
    ),
    "as async await break const continue crate dyn else enum extern fn for if impl in let loop "
    "match mod move mut pub ref return static struct super trait type unsafe use where while bool "
    "char f32 f64 i8 i16 i32 i64 isize str u8 u16 u32 u64 usize",
    "true false self Self",
)
_add(
    *("swift", "Swift", (SLASHES, BLOCK, TRIPLE, DOUBLE, AT, NUMBER, WORD)),
    "actor as associatedtype async await break case catch class continue default defer deinit do "
    "else enum extension fallthrough fileprivate for func guard if import in init inout internal "
    "is let mutating open operator override private protocol public repeat rethrows return some "
    "static struct subscript switch throw throws try typealias var where while",
    "true false nil self Self",
)
_add(
    *("dart", "Dart", (SLASHES, BLOCK, TRIPLE, DOUBLE, SINGLE, AT, NUMBER, WORD)),
    f"{_OBJECTS} as assert async await const dynamic factory get in is late library mixin operator "
    "part required set typedef var with yield bool double int num String",
    "true false null this",
)
_add(
    *("scala", "Scala", (SLASHES, BLOCK, TRIPLE, DOUBLE, CHARACTER, AT, NUMBER, WORD)),
    "abstract case catch class def do else enum extends final finally for given if implicit import "
    "lazy match new object override package private protected return sealed super then throw trait "
    "try type using val var while with yield",
    "true false null this",
)
_add(
    *("php", "PHP"),
    (
        ("nd", r"<\?(?:php|=)?|\?>"),
        *(BRACKETED, SLASHES, BLOCK, HASH),
        ("s", r'"[^"\\]*(?:\\(?s:.)[^"\\]*)*"?' + r"|'[^'\\]*(?:\\(?s:.)[^'\\]*)*'?"),
        *(SIGIL, NUMBER, WORD),
    ),
    f"{_OBJECTS} and array as callable clone const declare echo elseif empty fn foreach function "
    "global goto include instanceof insteadof isset list match namespace or print readonly require "
    "require_once trait unset use var xor yield",
    "true false null parent self",
)
_add(
    *("ruby rb rake", "Ruby"),
    (
        ("c", r"^=begin(?s:.*?)(?:^=end|\Z)"),
        *(HASH, DOUBLE, SINGLE, BACKTICK),
        ("nv", r"@{1,2}[^\W\d]\w*|\$\w+"),
        *(("kc", r":[^\W\d]\w*"), NUMBER, ("w", r"[^\W\d]\w*[?!]?")),
    ),
    "alias and begin break case class def defined? do else elsif end ensure extend for if in "
    "include loop module next not or prepend private protected public raise redo require "
    "require_relative rescue retry return super then undef unless until when while yield "
    "attr_accessor attr_reader",
    "true false nil self",
)
_add(
    *("perl pl pm", "Perl"),
    (("c", r"^=\w+(?s:.*?)(?:^=cut|\Z)"), HASH, DOUBLE, SINGLE, SIGIL, NUMBER, WORD),
    "die do else elsif eval for foreach if last local my next no our package print redo require "
    "return sub unless until use while and or not eq ne",
)
_add(
    *("lua", "Lua", (("c", r"--\[\[(?s:.*?)(?:\]\]|\Z)"), DASHES, DOUBLE, SINGLE, NUMBER, WORD)),
    "and break do else elseif end for function goto if in local not or repeat return then until "
    "while",
    "true false nil self",
)
_add(
    *("r", "R", (HASH, DOUBLE, SINGLE, NUMBER, ("w", r"[^\W\d][\w.]*"))),
    "break else for function if in library next repeat require return while",
    "TRUE FALSE NULL NA NaN Inf",
)
_add(
    *("julia jl", "Julia", (HASH, TRIPLE, DOUBLE, CHARACTER, AT, NUMBER, WORD)),
    "abstract baremodule begin break catch const continue do else elseif end export finally for "
    "function global if import in let local macro module mutable quote return struct try using "
    "where while",
    "true false nothing missing",
)
_add(
    *(
        "haskell hs",
        "Haskell",
        (BRACE_DASH, DASHES, DOUBLE, CHARACTER, NUMBER, ("w", r"[^\W\d][\w']*")),
    ),
    "case class data deriving do else forall foreign if import in infix infixl infixr instance let "
    "module newtype of qualified then type where",
    "True False Nothing Just",
)
_add(
    *("elixir ex exs", "Elixir"),
    (
        *(HASH, TRIPLE, DOUBLE, SINGLE, AT),
        ("kc", r":[^\W\d]\w*"),
        NUMBER,
        ("w", r"[^\W\d]\w*[?!]?"),
    ),
    "after alias and case catch cond def defimpl defmacro defmodule defp defprotocol defstruct do "
    "else end fn for if import in not or quote raise receive require rescue try unless unquote use "
    "when with",
    "true false nil",
)
_add(
    *("erlang erl", "Erlang"),
    (PERCENT, DOUBLE, SINGLE, ("nd", r"^-\w+"), ("nv", r"[A-Z_]\w*"), NUMBER, WORD),
    "after and andalso begin case catch end fun if not of or orelse receive try when",
    "true false undefined ok error",
)
_add(
    *("clojure clj lisp scheme racket elisp", "Lisp"),
    (
        *(SEMICOLON, ("s", r'"[^"\\]*(?:\\(?s:.)[^"\\]*)*"?')),
        *(("kc", r":[\w.*+!?<>=/-]+"), NUMBER, ("w", r"[^\W\d][\w.*+!?<>=/-]*")),
    ),
    "and case cond def define defmacro defn defun do fn if lambda let let* letrec loop not ns or "
    "quote recur require set! setq unless when",
    "true false nil",
    guesses=False,
)
_add(
    *("diff patch udiff", "Diff"),
    (
        ("gh", r"^(?:@@|diff|index|---|\+\+\+)[^\n]*"),
        *(("gi", r"^\+[^\n]*"), ("gd", r"^-[^\n]*")),
    ),
    guesses=False,
)
_add(
    *("dockerfile docker containerfile", "Dockerfile"),
    (HASH, DOUBLE, SINGLE, DOLLAR, ("na", r"(?<=\s)--[\w-]+"), NUMBER, DASHED_WORD),
    "ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL "
    "USER VOLUME WORKDIR",
    guesses=False,
)
_add(
    *("makefile make mk", "Makefile"),
    (
        *(HASH, ("nv", r"\$\([^)\n]*\)?|\$[\w@<^*?$]")),
        *(("nf", r"^[\w./%-]{1,200}(?=[ \t]{0,20}:)"), DOUBLE, SINGLE, DASHED_WORD),
    ),
    "define else endef endif export ifdef ifeq ifndef ifneq include override",
    guesses=False,
)
_add(
    *("nginx nginxconf", "nginx"),
    (HASH, DOUBLE, SINGLE, DOLLAR, ("k", r"^[ \t]{0,200}[a-z_]+"), NUMBER),
    guesses=False,
)
_add(
    *("hcl terraform tf", "HCL", (HASH, SLASHES, BLOCK, DOUBLE, KEY, NUMBER, DASHED_WORD)),
    "data dynamic for for_each if in locals module output provider resource terraform variable",
    "true false null",
)
_add(
    *("graphql gql", "GraphQL", (HASH, TRIPLE, DOUBLE, AT, SIGIL, NUMBER, WORD)),
    "directive enum extend fragment implements input interface mutation on query scalar schema "
    "subscription type union",
    "true false null",
)
_add(
    *("protobuf proto", "Protobuf", C_LIKE),
    "bool bytes double enum extend fixed32 fixed64 float import int32 int64 map message oneof "
    "option optional package repeated required reserved returns rpc service stream string syntax "
    "uint32 uint64",
    "true false",
)
_add(
    *("latex tex", "LaTeX", (PERCENT, ("k", r"\\(?:[^\W\d_]+|.)"), ("s", r"\$[^$\n]*\$?"))),
    guesses=False,
)
_add(
    *("http", "HTTP"),
    (
        ("k", r"^(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|HTTP/[\d.]{1,3})\b"),
        *(("na", r"^[\w-]{1,99}(?=:)"), NUMBER, DOUBLE),
    ),
    guesses=False,
)
_add(
    *("zig", "Zig", C_LIKE),
    "align allowzero and anyframe anytype asm break catch comptime const continue defer else enum "
    "errdefer error export extern fn for if inline noalias or orelse packed pub return struct "
    "switch test threadlocal try union unreachable usingnamespace var volatile while bool u8 u32 "
    "u64 i32 usize",
    "true false null undefined",
)
