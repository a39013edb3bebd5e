//! Every mistake that the compiler can find, as a constructor: what is wrong, where, and what to do, in both languages. [`crate::codes`]
//! explains each code.

use ksig_lang::ast::{Name, TypeExpr};
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId, Text, say};
use ksig_schema::{Type, Vocabulary};

use crate::names::Import;
use crate::vocabulary::{NameKind, bearer};

pub mod vocabulary;

/// The known name that is nearest to what was written; absent when none is near.
pub fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + written.chars().count() / 4;
    let distance = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    known.map(|name| (distance(name), name)).filter(|(far, _)| *far <= most).min().map(|(_, name)| name)
}

/// An unknown name: the nearest known one is offered as a fix.
fn unknown<'a>(
    code: &'static str,
    what: Text,
    written: &str,
    file: FileId,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let message = say!("there is no {what} `{written}` here", "ここに`{written}`という{what}はありません"; what);
    let problem = Diagnostic::error(code, message, file, span, say!("not known", "未知の名前です"));
    match nearest(written, known) {
        Some(near) => problem.help(did_you_mean(near)).fix(write(near), file, span, near),
        None => problem,
    }
}

fn did_you_mean(near: &str) -> Text {
    say!("did you mean `{near}`?", "`{near}`の間違いではありませんか")
}

fn write(what: &str) -> Text {
    say!("write `{what}`", "`{what}`と書く")
}

pub fn declared_twice(name: &Name, file: FileId, first_file: FileId, first: Span) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("`{value}` is declared twice", "`{value}`が二重に宣言されています");
    Diagnostic::error("declared-twice", message, file, *span, say!("here again", "二つ目の宣言")).label(
        first_file,
        first,
        say!("first declared here", "最初の宣言"),
    )
}

pub fn unknown_module<'a>(path: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-module", say!("module", "モジュール"), path, file, span, known)
}

pub fn unknown_import<'a>(
    module: &str,
    name: &Name,
    file: FileId,
    known: impl Iterator<Item = &'a str>,
    vocabulary: &Vocabulary,
) -> Diagnostic {
    let Name { value, span } = name;
    let known: Vec<&str> = known.collect();
    let mut problem = unknown("unknown-import", say!("name", "名前"), value, file, *span, known.iter().copied());
    problem.message = say!("module `{module}` declares no `{value}`", "モジュール`{module}`は`{value}`を宣言していません");
    match bearer(vocabulary, value) {
        Some((id, what)) if known.contains(&id) => of_bearer(problem, value, id, what, file, *span),
        _ => problem,
    }
}

pub fn ambiguous_import(module: &str, name: &Name, homes: &[&str], file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message =
        say!("several modules below `{module}` declare `{value}`", "`{module}`の下にある複数のモジュールが`{value}`を宣言しています");
    let modules = homes.join(", ");
    Diagnostic::error("ambiguous-import", message, file, *span, say!("which one?", "どのモジュールのものか決まりません"))
        .help(say!("import it from one of {modules}", "次のどれかからインポートしてください: {modules}"))
}

/// What a name that is not an id is to its bearer.
pub fn other_name(written: &str, id: &str, what: NameKind) -> Text {
    match what {
        NameKind::Former => say!("`{written}` is a former name of `{id}`", "`{written}`は`{id}`の旧称です"),
        NameKind::Japanese => say!("`{written}` is the Japanese name of `{id}`", "`{written}`は`{id}`の日本語名です"),
        NameKind::Other => say!("`{written}` is another name of `{id}`", "`{written}`は`{id}`の別名です"),
    }
}

/// Says whose name a written one is, in place of a guess.
fn of_bearer(mut problem: Diagnostic, written: &str, id: &str, what: NameKind, file: FileId, span: Span) -> Diagnostic {
    problem.fix = None;
    problem.help(other_name(written, id, what)).fix(write(id), file, span, id)
}

pub fn module_differs(expected: &str, written: &str, file: FileId, span: Span) -> Diagnostic {
    let message =
        say!("this file is module `{expected}`, not `{written}`", "このファイルのモジュールは`{written}`ではなく`{expected}`です");
    Diagnostic::error("module-differs-from-path", message, file, span, say!("not its path", "パスと一致しません"))
        .note(say!(
            "a module's name is its path below the root of the signatures, with dots",
            "モジュール名は、シグネチャのルートからのパスをドットでつないだものです"
        ))
        .fix(write(expected), file, span, expected)
}

pub fn bad_scheme(reason: Text, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-scheme", reason, file, span, say!("not a scheme", "バージョン体系ではありません"))
}

pub fn bad_type(reason: Text, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-type", reason, file, span, say!("not a type", "型ではありません"))
}

/// A type that cannot be read, or cannot stand where it does. What a list holds is there: its `?` can go.
pub fn bad_type_expr(reason: Text, file: FileId, ty: &TypeExpr) -> Diagnostic {
    let problem = bad_type(reason, file, ty.span);
    match &ty.of {
        Some(of) if ty.name.value == "list" && of.optional => {
            let mark = Span { start: of.span.end.saturating_sub(1), ..of.span };
            problem.fix(say!("leave the `?` out", "`?`を外す"), file, mark, "")
        }
        _ => problem,
    }
}

/// `ty`: where its type stands, with the `?` at the end.
pub fn key_may_be_missing(column: &Name, file: FileId, ty: Span) -> Diagnostic {
    let Name { value, span } = column;
    let message = say!("the key `{value}` may be missing", "キー列`{value}`は欠けることのある型です");
    let mark = Span { start: ty.end.saturating_sub(1), ..ty };
    Diagnostic::error("bad-type", message, file, mark, say!("a key is in each row", "キーはどの行にも必要です"))
        .label(file, *span, say!("what rows are found by", "行を探すための列"))
        .note(say!("a row without a key could never be found", "キーのない行は、見つけることができません"))
        .fix(say!("leave the `?` out", "`?`を外す"), file, mark, "")
}

pub fn second_key(file: FileId, span: Span) -> Diagnostic {
    let message = say!("a table has one key column", "テーブルのキー列は一つだけです");
    Diagnostic::error("second-key", message, file, span, say!("a second key", "二つ目のキー"))
}

pub fn missing_file(name: &str, folder: &str, file: FileId, span: Span) -> Diagnostic {
    let message = match folder {
        "" => say!("there is no file `{name}` in the folder of this file", "このファイルと同じフォルダーにファイル`{name}`がありません"),
        _ => say!("there is no file `{name}` in `{folder}`", "`{folder}`にファイル`{name}`がありません"),
    };
    Diagnostic::error("missing-file", message, file, span, say!("not found", "見つかりません"))
        .help(say!("paths are relative to the folder of the signature", "パスはシグネチャのフォルダーからの相対パスです"))
}

pub fn bad_table_file(name: &str, line: u64, reason: Text, file: FileId, span: Span) -> Diagnostic {
    let message = say!("{name}:{line}: {reason}", "{name}:{line}: {reason}"; reason);
    Diagnostic::error("bad-table-row", message, file, span, say!("read here", "ここで読み込んでいます"))
}

pub fn bad_row(reason: Text, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-table-row", reason, file, span, say!("in this row", "この行"))
}

pub fn key_twice(key: &str, file: FileId, span: Span, first: Span) -> Diagnostic {
    let message = say!("the key `{key}` stands in this table twice", "このテーブルにキー`{key}`が二つあります");
    Diagnostic::error("table-key-duplicate", message, file, span, say!("here again", "二つ目の行")).label(
        file,
        first,
        say!("first here", "最初の行"),
    )
}

pub fn table_with_history(name: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("table `{name}` has several rows of a key", "テーブル`{name}`には同じキーの行が複数あります");
    Diagnostic::error("table-with-history", message, file, span, say!("one row is wanted here", "ここでは一行だけが必要です"))
        .help(say!("write `latest({name}.column, key, at scan.date)`", "`latest({name}.列, キー, at scan.date)`と書いてください"))
}

pub fn unknown_function(name: &str, file: FileId, span: Span) -> Diagnostic {
    unknown("unknown-function", say!("function", "関数"), name, file, span, ["latest"].into_iter())
}

pub fn keys_overlap(one: &str, other: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("the keys `{one}` and `{other}` share a value", "キー`{one}`と`{other}`の範囲が重なっています");
    Diagnostic::error("table-keys-overlap", message, file, span, say!("in this table", "このテーブル")).help(say!(
        "end the first where the second begins: `1.0 ..< 1.20`",
        "前の範囲を次の範囲の始まりで終わらせてください: `1.0 ..< 1.20`"
    ))
}

pub fn table_without_key(name: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("table `{name}` has no key column", "テーブル`{name}`にはキー列がありません");
    Diagnostic::error("table-without-key", message, file, span, say!("looked up by key here", "ここでキーを使って参照しています"))
        .help(say!("write `key` after the type of the column that names a row", "行を識別する列の型の後に`key`と書いてください"))
}

pub fn unknown_column<'a>(table: &str, name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let Name { value, span } = name;
    let mut problem = unknown("unknown-column", say!("column", "列"), value, file, *span, known);
    problem.message = say!("table `{table}` has no column `{value}`", "テーブル`{table}`に列`{value}`はありません");
    problem
}

pub fn unexpected(found: Text, wanted: Text, file: FileId, span: Span) -> Diagnostic {
    let message = say!("{found} cannot stand here", "{found}はここに書けません"; found);
    Diagnostic::error("unexpected-form", message, file, span, say!("expected {wanted}", "{wanted}が必要です"; wanted))
}

/// `this` cannot stand here.
pub fn expected(wanted: Text, file: FileId, span: Span) -> Diagnostic {
    unexpected(say!("this", "これ"), wanted, file, span)
}

pub fn type_mismatch(what: Text, wanted: &Type, found: &Type, file: FileId, span: Span) -> Diagnostic {
    let message = say!("{what} is {wanted}, and this is {found}", "{what}は{wanted}型ですが、これは{found}型です"; what);
    Diagnostic::error("type-mismatch", message, file, span, this_is(found)).note(say!(
        "nothing is converted silently; a literal or a typed capture is",
        "暗黙の変換は行いません。変換されるのはリテラルと型付きキャプチャだけです"
    ))
}

fn this_is(ty: &Type) -> Text {
    say!("this is {ty}", "これは{ty}型です")
}

pub fn cannot_compare(left: &Type, right: &Type, file: FileId, left_span: Span, right_span: Span) -> Diagnostic {
    let message = say!("{left} and {right} cannot be compared", "{left}型と{right}型は比較できません");
    Diagnostic::error("type-mismatch", message, file, right_span, this_is(right)).label(file, left_span, this_is(left))
}

pub fn scheme_mismatch(left: &str, right: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!(
        "versions of `{left}` and of `{right}` have no order between them",
        "バージョン体系`{left}`と`{right}`の間には順序がありません"
    );
    Diagnostic::error("version-scheme-mismatch", message, file, span, say!("two schemes", "二つの体系が混ざっています"))
        .help(say!("read both by one scheme", "両方を同じバージョン体系で読み取ってください"))
}

pub fn not_ordered(ty: &Type, file: FileId, span: Span) -> Diagnostic {
    let message = say!("values of type {ty} have no order", "{ty}型の値には順序がありません");
    Diagnostic::error("not-ordered", message, file, span, say!("compared here", "ここで比較しています")).help(say!(
        "numbers, dates and versions have one; a version in text is read by a typed capture: (?<fw: version(dotted)>...)",
        "順序があるのは数値、日付、バージョンです。テキスト中のバージョンは型付きキャプチャ(?<fw: version(dotted)>...)で読み取ります"
    ))
}

pub fn bad_literal(reason: Text, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-literal", reason, file, span, say!("this literal", "このリテラル"))
}

pub fn unknown_prefix(prefix: &str, file: FileId, span: Span) -> Diagnostic {
    let known = ["v", "h", "b", "sjis", "eucjp", "cpe"];
    let message = say!("there is no literal with the prefix `{prefix}`", "接頭辞`{prefix}`を持つリテラルはありません");
    let all = known.join(", ");
    Diagnostic::error("unknown-prefix", message, file, span, say!("not known", "未知の接頭辞です"))
        .help(say!("the prefixes are {all}", "使える接頭辞は{all}です"))
}

pub fn unknown_name<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-name", say!("name", "名前"), name, file, span, known)
}

/// `before`: what of the place stands before the part that may be misspelt, as `top.`.
pub fn unknown_field<'a>(
    full: &str,
    before: &str,
    written: &str,
    file: FileId,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let message = say!("there is no field `{full}`", "`{full}`というフィールドはありません");
    let problem = Diagnostic::error("unknown-field", message, file, span, say!("not a field", "フィールドではありません"));
    match nearest(written, known.iter().copied()) {
        Some(near) => {
            let near = format!("{before}{near}");
            problem.help(did_you_mean(&near)).fix(write(&near), file, span, near)
        }
        None => problem.help(say!(
            "`ksig show fields` lists every field with what it holds",
            "すべてのフィールドとその内容は`ksig show fields`で確認できます"
        )),
    }
}

/// `fillers`: the probes that do fill it, as they are written.
pub fn field_never_filled(field: &str, constructor: &str, fillers: &[String], file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{constructor}` never fills `{field}`", "`{constructor}`の応答に`{field}`が入ることはありません");
    let problem = Diagnostic::error("field-never-filled", message, file, span, say!("always missing", "常に欠けています"));
    let fillers = fillers.join("`, `");
    problem.help(say!("it is filled by `{fillers}`", "このフィールドが得られるプローブは`{fillers}`です"))
}

/// `what`: the name of the limit in `ksig.toml`.
pub fn probe_budget_exceeded(what: &str, spent: usize, limit: usize, file: FileId, span: Span) -> Diagnostic {
    let (en, ja) = match what {
        "probes" => ("probes", "プローブ"),
        "bytes_sent" => ("bytes sent", "送信バイト"),
        "bytes_kept" => ("bytes kept of answers", "保存する応答のバイト"),
        _ => ("states of its patterns", "正規表現の状態"),
    };
    let message =
        say!("this signature may cost {spent} {en}; {limit} are allowed", "このシグネチャの{ja}は最大{spent}で、上限の{limit}を超えます");
    Diagnostic::error("probe-budget-exceeded", message, file, span, say!("costs too much", "コストが上限を超えています")).help(say!(
        "`ksig plan --costs` shows what each signature costs; the limit is `{what}` below `[policy.budget]` in `ksig.toml`",
        "各シグネチャのコストは`ksig plan --costs`で表示されます。上限は`ksig.toml`の`[policy.budget]`の`{what}`です"
    ))
}

pub fn never_inside_tls(constructor: &str, file: FileId, span: Span, call: Span) -> Diagnostic {
    let message = say!("`{constructor}` is never spoken inside TLS", "`{constructor}`がTLSの中で使われることはありません");
    Diagnostic::error("never-inside-tls", message, file, span, say!("nothing answers it there", "応答は得られません")).label(
        file,
        call,
        say!("this protocol", "このプロトコル"),
    )
}

pub fn unknown_selector<'a>(written: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-selector", say!("function of a field", "フィールドの関数"), written, file, span, known)
}

pub fn not_a_link(file: FileId, span: Span) -> Diagnostic {
    let message = say!("this is no place that a device makes its clients fetch", "これは機器がクライアントに取得させる場所ではありません");
    Diagnostic::error("not-a-link", message, file, span, say!("followed here", "ここでたどられます"))
        .note(say!(
            "a follow asks for what any client fetches next: nothing is built from other text",
            "followは、どのクライアントも次に取得するものだけを求めます。ほかの文字列から要求を組み立てることはありません"
        ))
        .help(say!(
            "a selector such as `top.html.script_src(\"/a.js\")`, a link field, or a capture of type path or url: `(?<p: path>...)`",
            "`top.html.script_src(\"/a.js\")`のような関数、リンクのフィールド、またはpath型かurl型のキャプチャ`(?<p: path>...)`を使います"
        ))
}

pub fn too_many_hops(name: &str, file: FileId, span: Span) -> Diagnostic {
    let most = ksig_runtime::plan::HOPS_MAX;
    let message = say!(
        "`{name}` is more than {most} follows away from the first answer",
        "`{name}`は最初の応答から{most}回を超えてたどった先にあります"
    );
    Diagnostic::error("too-many-hops", message, file, span, say!("too far", "遠すぎます")).note(say!(
        "each hop waits for the device once more, and a visit takes two at most",
        "一段たどるたびに機器の応答を待つため、一回の訪問では二段までです"
    ))
}

pub fn follow_needs_at<'n>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    const SHOWN_MAX: usize = 16;
    let message = say!("it is not said on which port `{name}` is asked", "`{name}`をどのポートに問い合わせるかが書かれていません");
    let known = known.take(SHOWN_MAX).map(|probe| format!("`at {probe}`")).collect::<Vec<_>>().join(", ");
    Diagnostic::error("follow-needs-at", message, file, span, say!("on which service?", "どのサービスですか"))
        .note(say!(
            "with `scope host` each first-stage probe may stand on a port of its own",
            "`scope host`では、最初のプローブがそれぞれ別のポートにあり得ます"
        ))
        .help(say!("write one of {known} at its end", "末尾に次のいずれかを書いてください: {known}"))
}

pub fn scope_below_base(file: FileId, span: Span) -> Diagnostic {
    let message = say!(
        "a signature about one service cannot refine one about the whole host",
        "ホスト全体についてのシグネチャを、一つのサービスについてのシグネチャで詳細化することはできません"
    );
    Diagnostic::error("scope-below-base", message, file, span, say!("narrower than its base", "元より範囲が狭くなります"))
        .help(say!("leave `scope` out: it is that of the base", "`scope`を省いてください。元のシグネチャと同じになります"))
}

pub fn charset_of_a_probe(file: FileId, span: Span) -> Diagnostic {
    let message = say!("a probe has no charset of its own", "プローブごとの文字コードはありません");
    Diagnostic::error(
        "charset-of-a-probe",
        message,
        file,
        span,
        say!("one field would have two texts", "同じフィールドの文字列が二通りになります"),
    )
    .note(say!(
        "all text is decoded by one function, so that a field means the same in every signature, in searches and in evidence",
        "文字列はすべて一つの関数で復号されます。そのためフィールドの値は、どのシグネチャでも、検索でも証拠でも同じです"
    ))
    .help(say!(
        "ask for the charset that was found: `top.text.charset in [\"Shift_JIS\"]`; for bytes: `top.raw contains sjis\"...\"`",
        "判定された文字コードは`top.text.charset in [\"Shift_JIS\"]`で、バイト列は`top.raw contains sjis\"...\"`で調べます"
    ))
    .fix(say!("delete it", "削除する"), file, span, "")
}

pub fn safety_understated(constructor: &str, safety: ksig_schema::Safety, file: FileId, span: Span) -> Diagnostic {
    let class = match safety {
        ksig_schema::Safety::Passive => "passive",
        ksig_schema::Safety::Benign => "benign",
        ksig_schema::Safety::Review => "review",
    };
    let message = say!("`{constructor}` is of class {class}", "`{constructor}`の安全区分は{class}です");
    Diagnostic::error("safety-understated", message, file, span, say!("said to do less", "実際より安全だと書かれています"))
        .note(say!(
            "what a probe does is for its protocol to say; a signature can only repeat it",
            "プローブの安全区分はプロトコルが決めます。シグネチャはそれを繰り返すだけです"
        ))
        .fix(write(&format!("safety {class}")), file, span, format!("safety {class}"))
}

pub fn unknown_probe_option(name: &Name, file: FileId, span: Span) -> Diagnostic {
    let Name { value, .. } = name;
    let message = say!("a probe has no option `{value}`", "プローブに`{value}`という指定はありません");
    Diagnostic::error("unknown-probe-option", message, file, span, say!("not known", "未知の指定です")).help(say!(
        "options are `safety review` and `requires policy.snmp_public`",
        "指定できるのは`safety review`と`requires policy.snmp_public`です"
    ))
}

pub fn first_stage_named(file: FileId, span: Span) -> Diagnostic {
    let message = say!("a probe asks for a literal place", "probeが求める場所はリテラルで書きます");
    Diagnostic::error("unexpected-form", message, file, span, say!("named by an answer", "応答が指す場所です"))
        .help(say!("what an answer leads to is a `follow`", "応答の先にあるものは`follow`で求めます"))
}

pub fn field_needs_key(written: &str, form: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{written}` is looked up by a key", "`{written}`はキーで参照するフィールドです");
    Diagnostic::error("field-needs-key", message, file, span, say!("no key", "キーがありません"))
        .help(say!("write {written}{form}", "{written}{form}と書いてください"))
}

pub fn field_takes_no_key(written: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{written}` is one value, not a map", "`{written}`は単一の値であり、マップではありません");
    Diagnostic::error("field-takes-no-key", message, file, span, say!("no key can stand here", "キーは指定できません"))
}

pub fn no_such_part(part: &str, ty: &Type, file: FileId, span: Span) -> Diagnostic {
    let message = say!("{ty} has no part `{part}`", "{ty}型に`{part}`という要素はありません");
    Diagnostic::error("no-such-part", message, file, span, say!("rows and probes have parts", "要素を持つのは行とプローブです"))
}

pub fn unknown_class<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    unknown("unknown-class", say!("class", "機器種別"), name, file, span, known.map(String::as_str))
}

/// `import`: what would import it, where the vocabulary has it.
pub fn unknown_vendor(name: &str, file: FileId, span: Span, vocabulary: &Vocabulary, import: Option<Import>) -> Diagnostic {
    if let Some(import) = import {
        let message = say!("vendor `{name}` is not imported here", "ベンダー`{name}`がインポートされていません");
        return import_it(Diagnostic::error("unknown-vendor", message, file, span, not_imported()), &import, name, file);
    }
    let known = vocabulary.vendors.keys().map(String::as_str);
    let problem = unknown("unknown-vendor", say!("vendor", "ベンダー"), name, file, span, known).note(say!(
        "vendors are declared once, in signatures/vocab, and imported",
        "ベンダーはsignatures/vocabで一度だけ宣言し、インポートして使います"
    ));
    match bearer(vocabulary, name) {
        Some((id, what)) => of_bearer(problem, name, id, what, file, span),
        None => problem,
    }
}

fn not_imported() -> Text {
    say!("not imported", "インポートされていません")
}

fn import_it(problem: Diagnostic, import: &Import, name: &str, file: FileId) -> Diagnostic {
    let Import { module, place, text } = import;
    problem
        .help(say!(
            "write `use {module} {{ {name} }}` at the top of the file",
            "ファイルの先頭に`use {module} {{ {name} }}`と書いてください"
        ))
        .fix(say!("import `{name}`", "`{name}`をインポートする"), file, *place, text)
}

/// `import`: what would import it, where the vocabulary has it.
pub fn unknown_tag<'a>(name: &Name, file: FileId, known: impl Iterator<Item = &'a String>, import: Option<Import>) -> Diagnostic {
    let Name { value, span } = name;
    if let Some(import) = import {
        let message = say!("tag `{value}` is not imported here", "タグ`{value}`がインポートされていません");
        return import_it(Diagnostic::error("unknown-tag", message, file, *span, not_imported()), &import, value, file);
    }
    unknown("unknown-tag", say!("tag", "タグ"), value, file, *span, known.map(String::as_str))
}

pub fn unknown_parameter<'a>(tag: &str, name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let Name { value, span } = name;
    let mut problem = unknown("unknown-parameter", say!("parameter", "パラメーター"), value, file, *span, known);
    problem.message = say!("tag `{tag}` has no parameter `{value}`", "タグ`{tag}`にパラメーター`{value}`はありません");
    problem
}

pub fn unknown_slot<'a>(name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let all = known.join(", ");
    unknown("unknown-slot", say!("slot", "スロット"), &name.value, file, name.span, known.iter().copied())
        .note(say!("the slots are {all}", "使えるスロットは{all}です"))
}

pub fn unknown_word(written: &str, what: Text, known: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{written}` is no {what}", "`{written}`という{what}はありません"; what);
    Diagnostic::error("unknown-word", message, file, span, say!("expected {known}", "使えるのは{known}です"))
}

pub fn unknown_statement(name: &Name, file: FileId) -> Diagnostic {
    const STATEMENTS: &[&str] = &[
        "summary",
        "evidence",
        "added",
        "confidence",
        "scope",
        "redact",
        "allow",
        "reference",
        "probe",
        "match",
        "follow",
        "extract",
        "let",
        "identify",
        "component",
        "details",
        "support",
        "tag",
        "test",
        "example",
    ];
    unknown("unknown-statement", say!("statement", "文"), &name.value, file, name.span, STATEMENTS.iter().copied())
}

pub fn unknown_constructor<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let all = known.join(", ");
    unknown("unknown-probe", say!("probe", "プローブ"), name, file, span, known.iter().copied()).note(say!(
        "probes are harmless by construction; the language has {all}",
        "無害なプローブだけが用意されています。使えるのは{all}です"
    ))
}

pub fn probe_not_benign(reason: Text, file: FileId, span: Span) -> Diagnostic {
    let message = say!("this request is not allowed: {reason}", "このリクエストは許可されていません: {reason}"; reason);
    Diagnostic::error("probe-not-benign", message, file, span, say!("refused", "拒否されました")).note(say!(
        "ksig sends only what a normal client sends to an address that it was given",
        "ksigが送るのは、指定されたアドレスに通常のクライアントが送る正常系の通信だけです"
    ))
}

pub fn unknown_base<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-base", say!("signature", "シグネチャ"), name, file, span, known)
}

pub fn refines_cycle(name: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{name}` refines itself, or stands too deep", "`{name}`の`refines`が循環しているか、深すぎます");
    Diagnostic::error("refines-cycle", message, file, span, say!("the circle closes here", "ここで循環しています"))
}

pub fn let_cycle(reason: Text, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("let-cycle", reason, file, span, say!("named here", "ここで使っています"))
}

pub fn empty_choice(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("choice `{value}` has no member", "`{value}`には選択肢がありません");
    Diagnostic::error("empty-choice", message, file, *span, say!("nothing to choose from", "選ぶ対象がありません"))
        .help(say!("name signatures in it, one a line, the first choice first", "優先する順に、シグネチャを1行に一つずつ書いてください"))
}

pub fn unknown_member<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-member", say!("signature", "シグネチャ"), name, file, span, known)
}

pub fn member_twice(name: &str, file: FileId, span: Span, first_file: FileId, first: Span) -> Diagnostic {
    let message = say!("`{name}` is a member of a choice already", "`{name}`はすでにchoiceに含まれています");
    Diagnostic::error("member-twice", message, file, span, say!("again", "二つ目"))
        .label(first_file, first, say!("first here", "最初の場所"))
        .note(say!("a signature has one place in one choice", "シグネチャは一つのchoiceに一度だけ書けます"))
}

pub fn unknown_flag(flag: &Name, file: FileId) -> Diagnostic {
    unknown("unknown-flag", say!("flag", "フラグ"), &flag.value, file, flag.span, ["i", "iu", "m", "s", "fold_width"].into_iter())
}

pub fn bad_pattern(reason: Text, file: FileId, span: Span) -> Diagnostic {
    let message = say!("this pattern cannot be read: {reason}", "このパターンは読み取れません: {reason}"; reason);
    Diagnostic::error("bad-pattern", message, file, span, say!("here", "ここ"))
}

pub fn bytes_and_text(value_is_bytes: bool, file: FileId, value: Span, pattern: Span) -> Diagnostic {
    let (is, form) = if value_is_bytes { (&Type::Bytes, "b/.../") } else { (&Type::Text, "/.../") };
    Diagnostic::error(
        "bytes-text-mismatch",
        say!("bytes and text do not match each other", "バイト列とテキストは照合できません"),
        file,
        pattern,
        say!("a pattern of the other kind", "種類の異なるパターンです"),
    )
    .label(file, value, this_is(is))
    .help(say!("write {form}", "{form}と書いてください"))
}

pub fn capture_binds_nothing(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("the capture `{value}` would bind nothing here", "キャプチャ`{value}`はここでは何も束縛しません");
    Diagnostic::error("capture-outside-match", message, file, *span, say!("binds nothing", "束縛されません")).help(say!(
        "captures bind in lines of `match` that hold; elsewhere use (?:...), or (?<_>...) for a value",
        "キャプチャは成立した`match`の行で束縛されます。それ以外では(?:...)、値を得るには(?<_>...)を使ってください"
    ))
}

pub fn bound_twice(name: &Name, file: FileId, first: Span) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("`{value}` is bound already", "`{value}`はすでに束縛されています");
    Diagnostic::error("bound-twice", message, file, *span, say!("again", "二度目の束縛"))
        .label(file, first, say!("bound here", "最初の束縛"))
        .help(say!(
            "only branches of one `any {{ }}` may bind the same name",
            "同じ名前を束縛できるのは、一つの`any {{ }}`の分岐どうしだけです"
        ))
}

pub fn reserved_word(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("nothing is called `{value}`", "`{value}`という名前は使えません");
    Diagnostic::error("unexpected-form", message, file, *span, say!("a word of the language", "言語の予約語です"))
        .help(say!("an expression could not say it; choose another name", "式の中で参照できないため、別の名前にしてください"))
}

pub fn capture_types_differ(name: &Name, first: &Type, now: &Type, file: FileId, place: Span) -> Diagnostic {
    let Name { value, span } = name;
    let message =
        say!("`{value}` is {first} in one branch and {now} in another", "`{value}`の型が分岐によって{first}と{now}に分かれています");
    Diagnostic::error("type-mismatch", message, file, *span, say!("{now} here", "ここでは{now}型")).label(
        file,
        place,
        say!("{first} here", "ここでは{first}型"),
    )
}

pub fn negation_may_be_missing(file: FileId, span: Span, place: Span, text: &str) -> Diagnostic {
    let part = |span: Span| text.get(span.start as usize..span.end as usize);
    let what = part(place).unwrap_or("x");
    // Alone on its line the guard needs no parentheses.
    let before = text[..span.start as usize].trim_end_matches([' ', '\t']);
    let after = text[span.end as usize..].trim_start_matches([' ', '\t']);
    let alone = before.ends_with(['\n', '{', ';', ':']) && (after.is_empty() || after.starts_with(['\n', '\r', '}', ';', '/']));
    let guarded = part(span).map(|not| if alone { format!("{what} present and {not}") } else { format!("({what} present and {not})") });
    let problem = Diagnostic::error(
        "negation-may-be-missing",
        say!("`not` over something that may be missing says neither yes nor no", "欠けることのある値の`not`は、真とも偽とも決まりません"),
        file,
        span,
        say!("neither true nor false when it is missing", "欠けている場合に真偽が決まりません"),
    )
    .label(file, place, say!("may be missing", "欠けることがあります"))
    .help(say!(
        "say what a missing one means: `{what} absent or not ...`, or `{what} present and not ...`",
        "欠けている場合の意味を書いてください: `{what} absent or not ...`または`{what} present and not ...`"
    ));
    match guarded {
        Some(guarded) => problem.fix(say!("let a missing one be no match", "欠けている場合は該当しないものとする"), file, span, guarded),
        None => problem,
    }
}

pub fn at_least_out_of_range(count: u32, lines: usize, file: FileId, span: Span) -> Diagnostic {
    let message = say!("at least {count} of {lines} lines", "{lines}行のうち{count}行以上という条件は成り立ちません");
    Diagnostic::error("at-least-out-of-range", message, file, span, say!("from 1 to {lines}", "1から{lines}までです"))
}

pub fn no_match_block(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("signature `{value}` says nothing that must hold", "シグネチャ`{value}`に成立すべき条件がありません");
    Diagnostic::error("no-match-block", message, file, *span, say!("has no `match`", "`match`がありません"))
        .help(say!("add `match {{ ... }}`", "`match {{ ... }}`を追加してください"))
}

pub fn identifies_nothing(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("signature `{value}` identifies nothing", "シグネチャ`{value}`は何も特定しません");
    Diagnostic::error(
        "identifies-nothing",
        message,
        file,
        *span,
        say!("has no `identify` and no `component`", "`identify`も`component`もありません"),
    )
    .help(say!(
        "add `identify {{ vendor = ... }}`, or `component {{ ... }}` for software",
        "`identify {{ vendor = ... }}`を、ソフトウェアなら`component {{ ... }}`を追加してください"
    ))
}

pub fn match_of_unknown_follow(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("`{value}` is no follow of this signature", "`{value}`はこのシグネチャの`follow`ではありません");
    Diagnostic::error("match-of-unknown-follow", message, file, *span, say!("not a follow", "`follow`ではありません"))
        .help(say!("`match name {{ }}` speaks of a `follow name = ...`", "`match name {{ }}`は`follow name = ...`に対する条件です"))
}

pub fn said_twice(name: &Name, file: FileId, first: Span) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("`{value}` is said twice", "`{value}`が二度書かれています");
    Diagnostic::error("said-twice", message, file, *span, say!("again", "二度目")).label(file, first, say!("first here", "最初はここ"))
}

/// `what`: a label, the name of a test.
pub fn empty_name(what: Text, file: FileId, span: Span) -> Diagnostic {
    let message = say!("{what} is empty", "{what}が空です"; what);
    Diagnostic::error("empty-name", message, file, span, say!("names nothing", "何も指しません"))
}

pub fn label_of_group(label: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = label;
    let message = say!("a group has no label", "グループにラベルは付けられません");
    Diagnostic::error("label-of-group", message, file, *span, say!("nothing would show it", "どこにも表示されません"))
        .help(say!("write `\"{value}\":` before a line of the group", "グループの中の行の前に`\"{value}\":`と書いてください"))
}

/// `as_name`: how it would be written without quotes, as the known ones are.
pub fn unknown_lint<'a>(name: &Name, as_name: &str, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let Name { value, span } = name;
    let known: Vec<&str> = known.collect();
    let mut problem = unknown("unknown-lint", say!("lint", "リント"), as_name, file, *span, known.iter().copied());
    problem.message = say!("there is no lint `{value}`", "`{value}`というリントはありません");
    let all = known.join(", ");
    match problem.fix {
        Some(_) => problem,
        None => problem.help(say!("the lints are {all}", "リントは{all}です")),
    }
}

pub fn evidence_without_source(file: FileId, span: Span) -> Diagnostic {
    let message = say!("evidence names its source", "`evidence`には出典が必要です");
    Diagnostic::error("evidence-without-source", message, file, span, say!("no source", "出典がありません")).help(say!(
        "write `evidence observed \"where the banner was seen\"`; only `unverified` stands alone",
        "`evidence observed \"バナーを観測した場所\"`のように書いてください。出典なしで書けるのは`unverified`だけです"
    ))
}

pub fn bad_metadata(word: &str, file: FileId, span: Span) -> Diagnostic {
    let form = match word {
        "summary" => "summary \"one line\"",
        "added" => "added 2026-12-31",
        "allow" => "allow lint_name \"why\"",
        "confidence" => "confidence strong",
        "evidence" => "evidence observed \"where it was seen\"",
        "scope" => "scope service",
        "redact" => "redact name",
        _ => "reference \"https://...\"",
    };
    let message = say!("`{word}` is written otherwise", "`{word}`の書き方が正しくありません");
    Diagnostic::error("bad-metadata", message, file, span, say!("not its form", "形式が異なります"))
        .help(say!("write `{form}`", "`{form}`のように書いてください"))
}

pub fn component_without_product(file: FileId, span: Span) -> Diagnostic {
    let message = say!("a component has a `product`", "`component`には`product`が必要です");
    Diagnostic::error("component-without-product", message, file, span, say!("names no product", "`product`がありません"))
}

/// `takes`: the forms that are fixtures of it, as they are written.
pub fn fixture_form(asked: Text, takes: &[String], file: FileId, span: Span) -> Diagnostic {
    let message = say!("an answer of {asked} is not given in this form", "{asked}の応答はこの形では書けません"; asked);
    let problem = Diagnostic::error("fixture-form", message, file, span, say!("it would say nothing", "この内容は読み取れません"));
    let takes = takes.join("`, `");
    problem.help(say!("the forms that can stand here: `{takes}`", "ここに書けるのは`{takes}`です"))
}

pub fn test_expects_nothing(name: &Name, file: FileId) -> Diagnostic {
    let message = say!("this test expects nothing, so it cannot fail", "このテストには期待がないため、失敗することがありません");
    Diagnostic::error("test-expects-nothing", message, file, name.span, say!("no `expect`", "`expect`がありません"))
        .help(say!("add `expect ...`", "`expect ...`を追加してください"))
}

pub fn follow_without_gate(name: &Name, file: FileId) -> Diagnostic {
    let Name { value, span } = name;
    let message = say!("nothing gates the follows of `{value}`", "`{value}`の`follow`を送る条件がありません");
    Diagnostic::error("follow-without-gate", message, file, *span, say!("no condition on the first stage", "第1段の条件がありません"))
        .help(say!("add lines of `match` about a first-stage probe", "第1段のプローブに対する`match`の行を追加してください"))
}
