//! The problems that the lexer and the parser report, explained for `ksig explain CODE`.
//!
//! The examples are whole files. A test parses them all: the bad one reports its code, the good one nothing.

/// What one code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeDoc {
    /// As [`Diagnostic::code`](crate::Diagnostic::code) has it.
    pub code: &'static str,
    /// One paragraph: what is wrong, why it is refused, what to do.
    pub explanation: &'static str,
    /// A file that reports it; empty for the two limits that no short text passes.
    pub bad: &'static str,
    /// The same file put right; empty when `bad` is.
    pub good: &'static str,
}

/// The doc of a code of this crate.
pub fn explain(code: &str) -> Option<&'static CodeDoc> {
    CODES.iter().find(|doc| doc.code == code)
}

/// All codes of this crate, by name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-date",
        explanation: "A date literal names a day that no calendar has. Dates are year-month-day in the Gregorian calendar, four, two and two digits.",
        bad: "ksig 1\nmodule a\nlet sold = 2026-02-29\n",
        good: "ksig 1\nmodule a\nlet sold = 2024-02-29\n",
    },
    CodeDoc {
        code: "bad-escape",
        explanation: "A backslash in a text starts an escape, and this is none. Texts know \\\" \\\\ \\n \\r \\t and \\u{...} with one to six hexadecimal digits of a character; bytes literals know \\xNN instead of \\u{...}, because a byte is no character.",
        bad: "ksig 1\nmodule a\nlet x = \"\\x1b\"\n",
        good: "ksig 1\nmodule a\nlet x = \"\\u{1b}\"\nlet y = b\"\\x1b\"\n",
    },
    CodeDoc {
        code: "bad-number",
        explanation: "Something starts with a digit and is no number, date, duration or dotted number. Integers have at most 18 digits and no fraction; durations end in ms, s, m, h or d; dotted numbers have at least two dots. Versions, serials and hashes are texts with a prefix.",
        bad: "ksig 1\nmodule a\nlet fw = 1.20\n",
        good: "ksig 1\nmodule a\nlet fw = v\"1.20\"\n",
    },
    CodeDoc {
        code: "bytes-not-ascii",
        explanation: "A bytes literal holds a character that is not ASCII. The same character is different bytes in every encoding, so the source has to say which: by an encoding's prefix, or byte by byte.",
        bad: "ksig 1\nmodule a\nlet x = b\"管理\"\n",
        good: "ksig 1\nmodule a\nlet x = sjis\"管理\"\n",
    },
    CodeDoc {
        code: "chained-comparison",
        explanation: "A comparison has two sides. Other languages read a third one in different ways, so it is refused: join two comparisons with `and`, or ask for membership in a range.",
        bad: "ksig 1\nmodule a\nlet x = 1 < n < 5\n",
        good: "ksig 1\nmodule a\nlet x = n in 1 ..< 5\n",
    },
    CodeDoc {
        code: "file-too-large",
        explanation: "A source has at most 16 MiB. Long tables belong into CSV files beside the source.",
        bad: "",
        good: "",
    },
    CodeDoc {
        code: "foreign-operator",
        explanation: "An operator of another language. Conditions are joined by the words `and`, `or` and `not`, and a regex is searched with `~`.",
        bad: "ksig 1\nmodule a\nlet x = a && !b\n",
        good: "ksig 1\nmodule a\nlet x = a and not b\n",
    },
    CodeDoc {
        code: "heredoc-opening",
        explanation: "The text of a heredoc starts on the line after its opening quotes, and the closing quotes start a line of their own. So what is in the text and what is not can be seen at the margin.",
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
    },
    CodeDoc {
        code: "hyphen-name",
        explanation: "A name with a hyphen stands where a name or a value is expected. Names use underscores; header names and other keys with hyphens stand in quotes. Only metadata takes such words bare, as in `allow generic-title \"why\"`.",
        bad: "ksig 1\nmodule a\nlet x = { content-type: \"text/html\" }\n",
        good: "ksig 1\nmodule a\nlet x = { \"content-type\": \"text/html\" }\n",
    },
    CodeDoc {
        code: "misplaced-header",
        explanation: "A file is `ksig 1`, `module`, all `use` lines, then items. One of the first three stands later or twice.",
        bad: "ksig 1\nmodule a\nlet x = y\nuse vocab.vendors { acme }\n",
        good: "ksig 1\nmodule a\nuse vocab.vendors { acme }\nlet x = y\n",
    },
    CodeDoc {
        code: "missing-edition",
        explanation: "The first statement of a file is `ksig 1`, the edition of the language it is written in. A later edition may read the same words differently, so no file goes without.",
        bad: "module a\n",
        good: "ksig 1\nmodule a\n",
    },
    CodeDoc {
        code: "missing-module",
        explanation: "The second statement of a file says which module it is: its path below `signatures/`, with dots and without the extension.",
        bad: "ksig 1\nlet x = y\n",
        good: "ksig 1\nmodule router.acme.x1\nlet x = y\n",
    },
    CodeDoc {
        code: "mixed-and-or",
        explanation: "`and` and `or` stand in one expression without parentheses. Half of all readers take it one way and half the other, so neither binds tighter here: put parentheses around the part that belongs together, or write the lines into `any { }` and `all { }`.",
        bad: "ksig 1\nmodule a\nlet x = a and b or c\n",
        good: "ksig 1\nmodule a\nlet x = (a and b) or c\n",
    },
    CodeDoc {
        code: "no-not-equal",
        explanation: "There is no `!=`. Over a field that may be missing it could mean \"there and different\" or \"not there\", and authors mean both. Write `not x == y`; where x may be missing, say what that means: `x absent or not x == y`, or `x present and not x == y`.",
        bad: "ksig 1\nmodule a\nsignature s {\n  match { top.status != 200 }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match { not top.status == 200 }\n}\n",
    },
    CodeDoc {
        code: "port-range",
        explanation: "A port is a number from 1 to 65535, without leading zeros.",
        bad: "ksig 1\nmodule a\nprobe top = http.get(\"/\") on 80, 80443\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\") on 80, 8443\n",
    },
    CodeDoc {
        code: "reserved-word",
        explanation: "A word that joins or compares expressions stands where a name or a value is expected. Often the line is broken in the wrong place: `contains`, `starts`, `ends`, `has`, `in` and `under` stand on the line of what they compare, while `and` and `or` may start a line.",
        bad: "ksig 1\nmodule a\nsignature s {\n  match {\n    top.html.title\n      contains \"ACME\"\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match {\n    top.html.title contains\n      \"ACME\"\n  }\n}\n",
    },
    CodeDoc {
        code: "single-equals",
        explanation: "`=` gives a name a value; two values are compared with `==`.",
        bad: "ksig 1\nmodule a\nsignature s {\n  match { top.status = 200 }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match { top.status == 200 }\n}\n",
    },
    CodeDoc {
        code: "too-complex",
        explanation: "The parser gave up after more looks at the file than any real source needs. It is a guard against our own mistakes: if you meet it, please report the file.",
        bad: "",
        good: "",
    },
    CodeDoc {
        code: "too-deep",
        explanation: "Blocks and expressions nest at most 64 deep, and a chain of operators or fields has at most 64 parts. Give parts names with `let`, write lines of a block instead of one chain, or split the signature.",
        bad: "ksig 1\nmodule a\nlet x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n",
        good: "ksig 1\nmodule a\nlet x = ((a))\n",
    },
    CodeDoc {
        code: "unclosed-block",
        explanation: "A `{` has no `}`. The second label shows where the parser noticed: at the end of the file, or at a line that can only belong outside.",
        bad: "ksig 1\nmodule a\nsignature one {\n  match { a == b }\n\nsignature two {\n  match { a == c }\n}\n",
        good: "ksig 1\nmodule a\nsignature one {\n  match { a == b }\n}\n\nsignature two {\n  match { a == c }\n}\n",
    },
    CodeDoc {
        code: "unclosed-bracket",
        explanation: "A `(` or `[` has no closing partner. Lists go over several lines when a newline stands beside a comma or a bracket.",
        bad: "ksig 1\nmodule a\nprobe top = http.get(\"/\"\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\")\n",
    },
    CodeDoc {
        code: "unexpected-character",
        explanation: "A character that starts no token: a look-alike from a word processor or a Japanese keyboard (“ ” （ ） ： full-width space), a control character, or a sign that the language does not use. In quotes and comments every character is fine.",
        bad: "ksig 1\nmodule a\nlet x = “ACME”\n",
        good: "ksig 1\nmodule a\nlet x = \"ACME\"\n",
    },
    CodeDoc {
        code: "unexpected-token",
        explanation: "Something else is expected at this place; the message says what. The statement is skipped to its end and reading goes on behind it.",
        bad: "ksig 1\nmodule a\nprobe top http.get(\"/\")\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\")\n",
    },
    CodeDoc {
        code: "unknown-edition",
        explanation: "The file is written in an edition of the language that this tool does not know. Editions are whole numbers; there is one so far.",
        bad: "ksig 2\nmodule a\n",
        good: "ksig 1\nmodule a\n",
    },
    CodeDoc {
        code: "unknown-expectation",
        explanation: "A test expects `identify { }`, `captures { }`, `resolved { }` or `resolved unknown`, `no_match`, `tags [ ]` or `sent [ ]`.",
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" { expect nomatch }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" { expect no_match }\n}\n",
    },
    CodeDoc {
        code: "unknown-item",
        explanation: "A line outside all blocks starts with a word that starts no item. Items are `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` and `choice`.",
        bad: "ksig 1\nmodule a\nsignatur s { }\n",
        good: "ksig 1\nmodule a\nsignature s { }\n",
    },
    CodeDoc {
        code: "unknown-statement",
        explanation: "A line of a signature starts with a word that starts no statement, so it was read as metadata: a word and values, as in `confidence weak`. What follows is no value.",
        bad: "ksig 1\nmodule a\nsignature s {\n  idenify { model = m }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  identify { model = m }\n}\n",
    },
    CodeDoc {
        code: "unterminated-heredoc",
        explanation: "A heredoc has no closing quotes. They are the first three characters of a line but for its indentation; quotes further right belong to the text.",
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
    },
    CodeDoc {
        code: "unterminated-regex",
        explanation: "A `/` starts a regex, always, and this one does not end on its line. Write a slash inside a regex as `\\/`, even in a character class; paths are texts in quotes.",
        bad: "ksig 1\nmodule a\nprobe top = http.get(/login)\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/login\")\n",
    },
    CodeDoc {
        code: "unterminated-text",
        explanation: "A text does not end on its line. Close it with a quote; write a line break as \\n and a quote as \\\".",
        bad: "ksig 1\nmodule a\nlet x = \"ACME\nlet y = z\n",
        good: "ksig 1\nmodule a\nlet x = \"ACME\"\nlet y = z\n",
    },
];
