//! What a problem's code means: the form in which every crate explains its codes, and the codes of the lexer and the parser.
//!
//! The examples of this crate are whole files. A test parses them all: the bad one reports its code and no other, the good one nothing.

use crate::text::Text;

/// What one code means, for `ksig explain CODE` and the chapter of problems. Its examples run as tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDoc {
    /// As [`Diagnostic::code`](crate::Diagnostic::code) has it.
    pub code: &'static str,
    /// One paragraph: what is wrong, why it is refused, what to do.
    pub meaning: Text,
    /// A file that reports it; empty for the two limits that no short text passes.
    pub bad: &'static str,
    /// The same file put right; empty when `bad` is.
    pub good: &'static str,
}

/// The doc of a code of this crate.
pub fn explain(code: &str) -> Option<&'static CodeDoc> {
    CODES.iter().find(|doc| doc.code == code)
}

/// Whether a code is that of a limit, which no short example passes.
pub fn is_limit(code: &str) -> bool {
    matches!(code, "file-too-large" | "too-complex")
}

/// All codes of this crate, by name.
pub const CODES: &[CodeDoc] = &[
    CodeDoc {
        code: "bad-date",
        meaning: Text::new(
            "A date literal names a day that no calendar has. Dates are year-month-day in the Gregorian calendar, four, two and two digits.",
            "日付リテラルが、暦に存在しない日を指しています。日付はグレゴリオ暦で、年4桁、月2桁、日2桁で書きます。",
        ),
        bad: "ksig 1\nmodule a\nlet sold = 2026-02-29\n",
        good: "ksig 1\nmodule a\nlet sold = 2024-02-29\n",
    },
    CodeDoc {
        code: "bad-escape",
        meaning: Text::new(
            "A backslash in a text starts an escape, and this is none. Texts know \\\" \\\\ \\n \\r \\t and \\u{...} with one to six hexadecimal digits of a character; bytes literals know \\xNN instead of \\u{...}, because a byte is no character.",
            "テキスト中のバックスラッシュはエスケープの始まりですが、これはエスケープではありません。テキストで使えるのは\\\" \\\\ \\n \\r \\tと、文字を1桁から6桁の16進数で表す\\u{...}です。バイトは文字ではないため、バイト列リテラルでは\\u{...}の代わりに\\xNNを使います。",
        ),
        bad: "ksig 1\nmodule a\nlet x = \"\\x1b\"\n",
        good: "ksig 1\nmodule a\nlet x = \"\\u{1b}\"\nlet y = b\"\\x1b\"\n",
    },
    CodeDoc {
        code: "bad-number",
        meaning: Text::new(
            "Something starts with a digit and is no number, date, duration or dotted number. Integers have at most 18 digits and no fraction; durations end in ms, s, m, h or d; dotted numbers have at least two dots. Versions, serials and hashes are texts with a prefix.",
            "数字で始まっていますが、数値、日付、時間、ドット区切りの数値のいずれでもありません。整数は18桁までで小数部はありません。時間の末尾はms、s、m、h、dのいずれか、ドット区切りの数値にはドットが二つ以上必要です。バージョン、シリアル番号、ハッシュは接頭辞付きのテキストで書きます。",
        ),
        bad: "ksig 1\nmodule a\nlet fw = 1.20\n",
        good: "ksig 1\nmodule a\nlet fw = v\"1.20\"\n",
    },
    CodeDoc {
        code: "bytes-not-ascii",
        meaning: Text::new(
            "A bytes literal holds a character that is not ASCII. The same character is different bytes in every encoding, so the source has to say which: by an encoding's prefix, or byte by byte.",
            "バイト列リテラルにASCII以外の文字があります。同じ文字でも文字コードによってバイト列が異なるため、文字コードの接頭辞か、1バイトずつのエスケープで示してください。",
        ),
        bad: "ksig 1\nmodule a\nlet x = b\"管理\"\n",
        good: "ksig 1\nmodule a\nlet x = sjis\"管理\"\n",
    },
    CodeDoc {
        code: "chained-comparison",
        meaning: Text::new(
            "A comparison has two sides. Other languages read a third one in different ways, so it is refused: join two comparisons with `and`, or ask for membership in a range.",
            "比較は左右の二つの値で行います。三つ目の値の扱いは言語によって異なるため、受け付けません。二つの比較を`and`で結ぶか、範囲に含まれるかを調べてください。",
        ),
        bad: "ksig 1\nmodule a\nlet x = 1 < n < 5\n",
        good: "ksig 1\nmodule a\nlet x = n in 1 ..< 5\n",
    },
    CodeDoc {
        code: "file-too-large",
        meaning: Text::new(
            "A source has at most 16 MiB. Long tables belong into CSV files beside the source.",
            "ソースは16MiBまでです。長い表はソースの隣のCSVファイルに移してください。",
        ),
        bad: "",
        good: "",
    },
    CodeDoc {
        code: "foreign-operator",
        meaning: Text::new(
            "An operator of another language. Conditions are joined by the words `and`, `or` and `not`, and a regex is searched with `~`.",
            "他の言語の演算子です。条件は`and`、`or`、`not`という単語で結び、正規表現の照合には`~`を使います。",
        ),
        bad: "ksig 1\nmodule a\nlet x = a && !b\n",
        good: "ksig 1\nmodule a\nlet x = a and not b\n",
    },
    CodeDoc {
        code: "heredoc-opening",
        meaning: Text::new(
            "The text of a heredoc starts on the line after its opening quotes, and the closing quotes start a line of their own. So what is in the text and what is not can be seen at the margin.",
            "ヒアドキュメントの本文は開始の引用符の次の行から始まり、終了の引用符は独立した行の先頭に書きます。どこまでが本文かが左端を見ればわかるようにするためです。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
    },
    CodeDoc {
        code: "hyphen-name",
        meaning: Text::new(
            "A name with a hyphen stands where a name or a value is expected. Names use underscores; header names and other keys with hyphens stand in quotes. Only metadata takes such words bare, as in `allow generic-title \"why\"`.",
            "名前または値が必要な場所に、ハイフンを含む名前があります。名前にはアンダースコアを使い、ヘッダー名などハイフンを含むキーは引用符で囲みます。そのまま書けるのは、`allow generic-title \"理由\"`のようなメタデータだけです。",
        ),
        bad: "ksig 1\nmodule a\nlet x = { content-type: \"text/html\" }\n",
        good: "ksig 1\nmodule a\nlet x = { \"content-type\": \"text/html\" }\n",
    },
    CodeDoc {
        code: "misplaced-header",
        meaning: Text::new(
            "A file is `ksig 1`, `module`, all `use` lines, then items. One of the first three stands later or twice.",
            "ファイルは`ksig 1`、`module`、すべての`use`、その他の項目の順に書きます。最初の三つのいずれかが、後の方にあるか二度書かれています。",
        ),
        bad: "ksig 1\nmodule a\nlet x = y\nuse vocab.vendors { acme }\n",
        good: "ksig 1\nmodule a\nuse vocab.vendors { acme }\nlet x = y\n",
    },
    CodeDoc {
        code: "missing-edition",
        meaning: Text::new(
            "The first statement of a file is `ksig 1`, the edition of the language it is written in. A later edition may read the same words differently, so no file goes without.",
            "ファイルの最初の文は、書かれている言語のエディションを示す`ksig 1`です。将来のエディションでは同じ語の意味が変わりうるため、省略できません。",
        ),
        bad: "module a\n",
        good: "ksig 1\nmodule a\n",
    },
    CodeDoc {
        code: "missing-module",
        meaning: Text::new(
            "The second statement of a file says which module it is: its path below `signatures/`, with dots and without the extension.",
            "ファイルの二番目の文は、どのモジュールかを示します。`signatures/`からのパスを、拡張子を除いてドットでつないだものです。",
        ),
        bad: "ksig 1\nlet x = y\n",
        good: "ksig 1\nmodule router.acme.x1\nlet x = y\n",
    },
    CodeDoc {
        code: "mixed-and-or",
        meaning: Text::new(
            "`and` and `or` stand in one expression without parentheses. Half of all readers take it one way and half the other, so neither binds tighter here: put parentheses around the part that belongs together, or write the lines into `any { }` and `all { }`.",
            "一つの式に`and`と`or`が括弧なしで混在しています。読み手によって解釈が分かれるため、どちらも優先しません。先に結び付く部分を括弧で囲むか、`any { }`と`all { }`の行に分けてください。",
        ),
        bad: "ksig 1\nmodule a\nlet x = a and b or c\n",
        good: "ksig 1\nmodule a\nlet x = (a and b) or c\n",
    },
    CodeDoc {
        code: "no-not-equal",
        meaning: Text::new(
            "There is no `!=`. Over a field that may be missing it could mean \"there and different\" or \"not there\", and authors mean both. Write `not x == y`; where x may be missing, say what that means: `x absent or not x == y`, or `x present and not x == y`.",
            "`!=`はありません。欠けることのあるフィールドでは「存在して異なる」とも「存在しない」とも読め、書き手によって意図が異なるためです。`not x == y`と書き、xが欠けることがある場合は、`x absent or not x == y`または`x present and not x == y`として意味を示してください。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  match { top.status != 200 }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match { not top.status == 200 }\n}\n",
    },
    CodeDoc {
        code: "port-range",
        meaning: Text::new(
            "A port is a number from 1 to 65535, without leading zeros.",
            "ポート番号は1から65535までの数値で、先頭に0を付けません。",
        ),
        bad: "ksig 1\nmodule a\nprobe top = http.get(\"/\") on 80, 80443\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\") on 80, 8443\n",
    },
    CodeDoc {
        code: "reserved-word",
        meaning: Text::new(
            "A word that joins or compares expressions stands where a name or a value is expected. Often the line is broken in the wrong place: `contains`, `starts`, `ends`, `has`, `in` and `under` stand on the line of what they compare, while `and` and `or` may start a line.",
            "名前または値が必要な場所に、式を結んだり比較したりする単語があります。多くの場合、改行の位置が誤っています。`contains`、`starts`、`ends`、`has`、`in`、`under`は比較対象と同じ行に書き、行の先頭に書けるのは`and`と`or`です。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  match {\n    top.html.title\n      contains \"ACME\"\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match {\n    top.html.title contains\n      \"ACME\"\n  }\n}\n",
    },
    CodeDoc {
        code: "single-equals",
        meaning: Text::new(
            "`=` gives a name a value; two values are compared with `==`.",
            "`=`は名前に値を与えます。二つの値の比較には`==`を使います。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  match { top.status = 200 }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  match { top.status == 200 }\n}\n",
    },
    CodeDoc {
        code: "too-complex",
        meaning: Text::new(
            "The parser gave up after more looks at the file than any real source needs. It is a guard against our own mistakes: if you meet it, please report the file.",
            "実際のソースでは起こりえないほどの手間がかかったため、解析を打ち切りました。これはksig自身の誤りに備えた仕組みです。発生した場合は、そのファイルをお知らせください。",
        ),
        bad: "",
        good: "",
    },
    CodeDoc {
        code: "too-deep",
        meaning: Text::new(
            "Blocks and expressions nest at most 64 deep, and a chain of operators or fields has at most 64 parts. Give parts names with `let`, write lines of a block instead of one chain, or split the signature.",
            "ブロックと式の入れ子は64段まで、演算子やフィールドの連なりは64個までです。一部に`let`で名前を付ける、一つの長い式をブロックの行に分ける、シグネチャを分割する、のいずれかで対処してください。",
        ),
        bad: "ksig 1\nmodule a\nlet x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n",
        good: "ksig 1\nmodule a\nlet x = ((a))\n",
    },
    CodeDoc {
        code: "unclosed-block",
        meaning: Text::new(
            "A `{` has no `}`. The second label shows where the parser noticed: at the end of the file, or at a line that can only belong outside.",
            "`{`に対応する`}`がありません。二つ目のラベルは、解析器がそのことに気付いた場所です。ファイルの終わりか、ブロックの外にしか書けない行です。",
        ),
        bad: "ksig 1\nmodule a\nsignature one {\n  match { a == b }\n\nsignature two {\n  match { a == c }\n}\n",
        good: "ksig 1\nmodule a\nsignature one {\n  match { a == b }\n}\n\nsignature two {\n  match { a == c }\n}\n",
    },
    CodeDoc {
        code: "unclosed-bracket",
        meaning: Text::new(
            "A `(` or `[` has no closing partner. Lists go over several lines when a newline stands beside a comma or a bracket.",
            "`(`または`[`に対応する閉じ括弧がありません。リストを複数行に分ける場合、改行はコンマか括弧の隣に置きます。",
        ),
        bad: "ksig 1\nmodule a\nprobe top = http.get(\"/\"\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\")\n",
    },
    CodeDoc {
        code: "unexpected-character",
        meaning: Text::new(
            "A character that starts no token: a look-alike from a word processor or a Japanese keyboard (“ ” （ ） ： full-width space), a control character, or a sign that the language does not use. In quotes and comments every character is fine.",
            "どのトークンの始まりにもならない文字です。ワープロや日本語入力による似た文字（“ ” （ ） ： 全角スペース）、制御文字、言語で使わない記号などです。引用符の中とコメントでは、どの文字も使えます。",
        ),
        bad: "ksig 1\nmodule a\nlet x = “ACME”\n",
        good: "ksig 1\nmodule a\nlet x = \"ACME\"\n",
    },
    CodeDoc {
        code: "unexpected-token",
        meaning: Text::new(
            "Something else is expected at this place; the message says what. The statement is skipped to its end and reading goes on behind it.",
            "この場所には別のものが必要です。何が必要かはメッセージに示されます。文の終わりまで読み飛ばし、その後から読み続けます。",
        ),
        bad: "ksig 1\nmodule a\nprobe top http.get(\"/\")\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/\")\n",
    },
    CodeDoc {
        code: "unknown-edition",
        meaning: Text::new(
            "The file is written in an edition of the language that this tool does not know. Editions are whole numbers; there is one so far.",
            "このツールが対応していないエディションで書かれています。エディションは整数で、現在は一つだけです。",
        ),
        bad: "ksig 2\nmodule a\n",
        good: "ksig 1\nmodule a\n",
    },
    CodeDoc {
        code: "unknown-expectation",
        meaning: Text::new(
            "A test expects `identify { }`, `captures { }`, `resolved { }` or `resolved unknown`, `no_match`, `tags [ ]` or `sent [ ]`.",
            "テストに書ける期待は`identify { }`、`captures { }`、`resolved { }`または`resolved unknown`、`no_match`、`tags [ ]`、`sent [ ]`です。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" { expect nomatch }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" { expect no_match }\n}\n",
    },
    CodeDoc {
        code: "unknown-item",
        meaning: Text::new(
            "A line outside all blocks starts with a word that starts no item. Items are `table`, `scheme`, `vendor`, `class`, `tag`, `probe`, `let`, `signature` and `choice`.",
            "どのブロックにも属さない行が、項目の始まりではない単語で始まっています。項目は`table`、`scheme`、`vendor`、`class`、`tag`、`probe`、`let`、`signature`、`choice`です。",
        ),
        bad: "ksig 1\nmodule a\nsignatur s { }\n",
        good: "ksig 1\nmodule a\nsignature s { }\n",
    },
    CodeDoc {
        code: "unknown-statement",
        meaning: Text::new(
            "A line of a signature starts with a word that starts no statement, so it was read as metadata: a word and values, as in `confidence weak`. What follows is no value, or there is no metadata of that name.",
            "シグネチャの行が、文の始まりではない単語で始まっているため、`confidence weak`のようなメタデータ（単語と値の並び）として読みました。しかし、続くものが値ではないか、その名前のメタデータがありません。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  idenify { model = m }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  identify { model = m }\n}\n",
    },
    CodeDoc {
        code: "unterminated-heredoc",
        meaning: Text::new(
            "A heredoc has no closing quotes. They are the first three characters of a line but for its indentation; quotes further right belong to the text.",
            "ヒアドキュメントを閉じる引用符がありません。閉じる引用符は、字下げを除いて行の最初の三文字です。それより右にある引用符は本文の一部です。",
        ),
        bad: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n  }\n}\n",
        good: "ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n    given top = http\"\"\"\n      HTTP/1.0 200 OK\n      \"\"\"\n  }\n}\n",
    },
    CodeDoc {
        code: "unterminated-regex",
        meaning: Text::new(
            "A `/` starts a regex, always, and this one does not end on its line. Write a slash inside a regex as `\\/`, even in a character class; paths are texts in quotes.",
            "`/`は常に正規表現の始まりですが、この正規表現は行内で閉じられていません。正規表現の中のスラッシュは、文字クラスの中でも`\\/`と書きます。パスは引用符で囲んだテキストで書きます。",
        ),
        bad: "ksig 1\nmodule a\nprobe top = http.get(/login)\n",
        good: "ksig 1\nmodule a\nprobe top = http.get(\"/login\")\n",
    },
    CodeDoc {
        code: "unterminated-text",
        meaning: Text::new(
            "A text does not end on its line. Close it with a quote; write a line break as \\n and a quote as \\\".",
            "テキストが行内で閉じられていません。引用符で閉じてください。改行は\\n、引用符は\\\"と書きます。",
        ),
        bad: "ksig 1\nmodule a\nlet x = \"ACME\nlet y = z\n",
        good: "ksig 1\nmodule a\nlet x = \"ACME\"\nlet y = z\n",
    },
];
