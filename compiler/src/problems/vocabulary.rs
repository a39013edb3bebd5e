//! Mistakes in the entries of the vocabulary.

use ksig_lang::ast::Name;
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId, Text, say};

use super::{unknown, write};

pub fn unknown_attribute(what: Text, name: &Name, file: FileId, known: &[&str]) -> Diagnostic {
    let statements = known.join(", ");
    unknown("unknown-attribute", say!("statement", "文"), &name.value, file, name.span, known.iter().copied())
        .note(say!("the statements of a {what} are {statements}", "{what}に書ける文は{statements}です"; what))
}

pub fn bad_attribute(word: &str, file: FileId, span: Span) -> Diagnostic {
    let form = match word {
        "former" => "former \"Acme Works\" until 2003-10-01",
        "rebrand" => "rebrand of acme",
        "pen" => "pen 32473",
        "alias" => "alias \"ACME\", \"アクメ\"",
        "ja" => "ja \"アクメ\"",
        "needs" => "needs \"what must have been seen\"",
        "en" => "en \"Router\"",
        _ => "name \"ACME\"",
    };
    let message = say!("`{word}` is written otherwise", "`{word}`の書き方が違います");
    Diagnostic::error("bad-attribute", message, file, span, say!("not its form", "形式が違います")).help(write(form)).note(say!(
        "a text has something that people see, in NFC, and no character that they do not see",
        "テキストはNFCで書き、目に見える文字が必要で、見えない文字は書けません"
    ))
}

pub fn entry_without_name(what: Text, id: &str, word: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("the {what} `{id}` has no name for people", "{what}`{id}`に表示名がありません"; what);
    Diagnostic::error("entry-without-name", message, file, span, say!("no name", "表示名なし"))
        .help(say!("add `{word} \"...\"`", "`{word} \"...\"`を加えてください"))
}

pub fn missing_japanese(what: Text, id: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("the {what} `{id}` has no Japanese name", "{what}`{id}`に日本語名がありません"; what);
    Diagnostic::warning("missing-japanese", message, file, span, say!("no `ja`", "`ja`がありません")).help(say!(
        "add `ja \"...\"`: answers and the search speak both languages",
        "`ja \"...\"`を加えてください。結果の表示と検索は両方の言語を使います"
    ))
}

pub fn name_taken(what: Text, name: &str, other: &str, file: FileId, span: Span, first_file: FileId, first: Span) -> Diagnostic {
    let message = say!("the {what} `{other}` bears the name `{name}` already", "名前`{name}`はすでに{what}`{other}`のものです"; what);
    Diagnostic::error("name-taken", message, file, span, say!("again", "二度目"))
        .label(first_file, first, say!("first here", "最初の箇所"))
        .help(say!(
            "a name leads to one entry; case, width, spaces and signs make no other name, nor do letters of other scripts that look alike",
            "一つの名前が指す項目は一つです。大文字と小文字、全角と半角、空白、記号の違いや、他の文字体系の似た文字は区別しません"
        ))
}

pub fn pen_taken(number: u32, other: &str, file: FileId, span: Span, first_file: FileId, first: Span) -> Diagnostic {
    let message = say!("the enterprise number {number} is that of `{other}`", "企業番号{number}は`{other}`のものです");
    Diagnostic::error("pen-taken", message, file, span, say!("again", "二度目")).label(first_file, first, say!("first here", "最初の箇所"))
}

pub fn class_without_parent(id: &str, parent: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!("`{id}` is part of `{parent}`, which is not declared", "`{id}`の親`{parent}`が宣言されていません");
    Diagnostic::error("class-without-parent", message, file, span, say!("no parent", "親がありません"))
        .help(say!("declare `class {parent} {{ ... }}`", "`class {parent} {{ ... }}`を宣言してください"))
}

pub fn rebrand_cycle(id: &str, maker: &str, file: FileId, span: Span) -> Diagnostic {
    let message = say!(
        "`{id}` sells machines of `{maker}`, which sells those of `{id}`",
        "`{id}`が`{maker}`の製品を売り、`{maker}`が`{id}`の製品を売るという循環になっています"
    );
    Diagnostic::error("rebrand-cycle", message, file, span, say!("a circle", "循環"))
        .help(say!("`rebrand of` leads from a brand to who makes its machines", "`rebrand of`はブランドから製造元への一方向で書きます"))
}
