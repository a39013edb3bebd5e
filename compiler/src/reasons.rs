//! Why something is refused, where another crate found out: its error in both languages.
//!
//! `runtime`, `protocols` and `schema` know no language of people: they give errors with data, and what authors read of them is worded here.

use ksig_lang::{Text, say};
use ksig_runtime::pattern::{PATTERN_BYTES_MAX, PATTERN_COMPILED_BYTES_MAX, PatternProblem};
use ksig_schema::probe::ArgumentError;
use ksig_schema::target::TARGET_BYTES_MAX;
use ksig_schema::{Refusal, TargetError};
use regex_syntax::{ast, hir};

/// What is wrong with a pattern, as a clause.
pub fn of_pattern(problem: &PatternProblem) -> Text {
    match problem {
        PatternProblem::Syntax(kind) => of_syntax(kind),
        PatternProblem::Meaning(kind) => of_meaning(kind),
        PatternProblem::TooLong => {
            say!("the pattern is longer than {PATTERN_BYTES_MAX} bytes", "パターンが{PATTERN_BYTES_MAX}バイトを超えています")
        }
        PatternProblem::TooLarge => say!(
            "the compiled pattern is larger than {PATTERN_COMPILED_BYTES_MAX} bytes: repeat less, or narrow a class",
            "コンパイル後のパターンが{PATTERN_COMPILED_BYTES_MAX}バイトを超えます。繰り返しを減らすか、文字クラスを狭めてください"
        ),
        PatternProblem::NotCompiled(said) => say!("it does not compile: {said}", "パターンをコンパイルできません"),
        PatternProblem::UnnamedGroup => say!(
            "a group needs a name: write (?<name>...), or (?:...) to only group",
            "グループには名前が必要です。(?<name>...)と書くか、まとめるだけなら(?:...)と書いてください"
        ),
        PatternProblem::FlagX => say!(
            "the flag x is not in the dialect: blanks in a pattern are blanks",
            "フラグxは使えません。パターンの中の空白は、そのまま空白を表します"
        ),
        PatternProblem::OtherFlag => {
            say!("of the flags only i, s and m can be written inside a pattern", "パターンの中に書けるフラグはi、s、mだけです")
        }
        PatternProblem::UnicodeCaseOfBytes => say!(
            "a bytes pattern has no Unicode case: write /i",
            "バイト列のパターンにUnicodeの大文字・小文字はありません。/iと書いてください"
        ),
        PatternProblem::CharacterInBytes => say!(
            "a bytes pattern holds ASCII only: write each byte as \\xNN, or a text pattern",
            "バイト列のパターンに書けるのはASCIIだけです。各バイトを\\xNNと書くか、テキストのパターンにしてください"
        ),
        PatternProblem::PropertyOfBytes => say!(
            "bytes have no Unicode properties: write the bytes, or a text pattern",
            "バイト列にUnicodeプロパティはありません。バイトを書くか、テキストのパターンにしてください"
        ),
    }
}

/// The words of the regex parser, and ours in Japanese.
fn of_syntax(kind: &ast::ErrorKind) -> Text {
    use ast::ErrorKind as Kind;
    let ja = match kind {
        Kind::CaptureLimitExceeded => "グループが多すぎます",
        Kind::ClassEscapeInvalid => "文字クラスの中では使えないエスケープです",
        Kind::ClassRangeInvalid => "文字クラスの範囲の始まりが終わりより後です",
        Kind::ClassRangeLiteral => "文字クラスの範囲の端は一つの文字でなければなりません",
        Kind::ClassUnclosed => "文字クラスが`]`で閉じられていません",
        Kind::DecimalEmpty => "数がありません",
        Kind::DecimalInvalid => "数として読めません",
        Kind::EscapeHexEmpty => "16進数がありません",
        Kind::EscapeHexInvalid => "16進数がUnicodeの文字を表していません",
        Kind::EscapeHexInvalidDigit => "16進数に使えない文字です",
        Kind::EscapeUnexpectedEof => "エスケープの途中でパターンが終わっています",
        Kind::EscapeUnrecognized => "このようなエスケープはありません",
        Kind::FlagDanglingNegation => "`-`の後にフラグがありません",
        Kind::FlagDuplicate { .. } => "同じフラグが二度書かれています",
        Kind::FlagRepeatedNegation { .. } => "フラグの`-`が二度書かれています",
        Kind::FlagUnexpectedEof => "フラグの途中でパターンが終わっています",
        Kind::FlagUnrecognized => "このようなフラグはありません",
        Kind::GroupNameDuplicate { .. } => "同じ名前のグループが二つあります",
        Kind::GroupNameEmpty => "グループの名前が空です",
        Kind::GroupNameInvalid => "グループの名前に使えない文字です",
        Kind::GroupNameUnexpectedEof => "グループの名前が閉じられていません",
        Kind::GroupUnclosed => "グループが`)`で閉じられていません",
        Kind::GroupUnopened => "`)`に対応する`(`がありません",
        Kind::NestLimitExceeded(limit) => {
            return say!("groups and repetitions nest deeper than {limit}", "グループや繰り返しの入れ子が{limit}段を超えています");
        }
        Kind::RepetitionCountInvalid => "繰り返しの下限が上限を超えています",
        Kind::RepetitionCountDecimalEmpty => "繰り返しの回数がありません",
        Kind::RepetitionCountUnclosed => "繰り返しの回数が`}`で閉じられていません",
        Kind::RepetitionMissing => "繰り返す対象がありません",
        Kind::SpecialWordBoundaryUnclosed => "`\\b{`が閉じられていないか、使えない文字を含んでいます",
        Kind::SpecialWordBoundaryUnrecognized => "`\\b{...}`に書けるのはstart、end、start-half、end-halfだけです",
        Kind::SpecialWordOrRepetitionUnexpectedEof => "`\\b{`が`}`で閉じられていません",
        Kind::UnicodeClassInvalid => "Unicodeの文字クラスの書き方が正しくありません",
        Kind::UnsupportedBackreference => "後方参照は使えません",
        Kind::UnsupportedLookAround => "先読み・後読みは使えません",
        _ => "正規表現の構文が正しくありません",
    };
    say!("{kind}", "{ja}")
}

fn of_meaning(kind: &hir::ErrorKind) -> Text {
    use hir::ErrorKind as Kind;
    let ja = match kind {
        Kind::UnicodeNotAllowed => "ここではUnicodeを使えません",
        Kind::InvalidUtf8 => "UTF-8でないバイト列に一致するパターンです",
        Kind::InvalidLineTerminator => "行の区切りに使えるのはASCIIの文字だけです",
        Kind::UnicodePropertyNotFound => "このようなUnicodeプロパティはありません",
        Kind::UnicodePropertyValueNotFound => "このUnicodeプロパティに、このような値はありません",
        Kind::UnicodePerlClassNotFound => "Unicodeの`\\d`、`\\s`、`\\w`は使えません",
        Kind::UnicodeCaseUnavailable => "Unicodeの大文字・小文字の同一視は使えません",
        _ => "正規表現の意味が定まりません",
    };
    say!("{kind}", "{ja}")
}

/// Why an argument of a probe is refused, as a clause.
pub fn of_argument(error: &ArgumentError) -> Text {
    match error {
        ArgumentError::Query => {
            say!("a path has no query: `?` is not allowed", "パスにクエリは書けません。`?`は使えません")
        }
        ArgumentError::Target(error) => of_target(error),
        ArgumentError::NotAmong(written, known) => {
            let known = known.join(", ");
            say!("`{written}` is not among {known}", "`{written}`は使えません。使えるのは次のどれかです: {known}")
        }
        ArgumentError::NotBetween(written, low, high) => {
            say!("`{written}` is not a number from {low} to {high}", "`{written}`は{low}から{high}までの整数ではありません")
        }
    }
}

/// Why a place that a device named is not asked for, as a clause.
pub fn of_refusal(refusal: &Refusal) -> Text {
    match refusal {
        Refusal::OtherHost => say!("it names another host", "別のホストを指しています"),
        Refusal::OtherPort => say!("it names another port", "別のポートを指しています"),
        Refusal::OtherScheme => say!("it has another scheme", "URLのスキームが異なります"),
        Refusal::UnsafePort(port) => say!("nothing is sent to port {port}", "ポート{port}には何も送信しません"),
        Refusal::Path(error) => of_target(error),
    }
}

/// Why a path is not asked for, as a clause.
pub fn of_target(error: &TargetError) -> Text {
    match error {
        TargetError::Empty => say!("it is empty", "パスが空です"),
        TargetError::NotRooted => say!("a path starts with `/`", "パスは`/`で始まります"),
        TargetError::NamesHost => {
            say!("a path does not start with `//`, which would name another host", "`//`で始まるパスは別のホストを指すため、使えません")
        }
        TargetError::TooLong(bytes) => say!(
            "a path has at most {TARGET_BYTES_MAX} bytes, this one has {bytes}",
            "パスは{TARGET_BYTES_MAX}バイトまでですが、これは{bytes}バイトあります"
        ),
        TargetError::NotPrintable(character) => say!(
            "a path is printable ASCII without spaces: {character:?} is not allowed",
            "パスに書けるのは空白を除く印字可能なASCII文字だけです。{character:?}は使えません"
        ),
        TargetError::Fragment => {
            say!("a path has no fragment: `#` is not allowed", "パスにフラグメントは書けません。`#`は使えません")
        }
        TargetError::Backslash => {
            say!("a path has no `\\`, which some servers read as `/`", "`\\`を`/`と解釈するサーバーがあるため、パスに`\\`は使えません")
        }
        TargetError::Hidden(code) => say!(
            "a path hides no dot, slash, percent sign or NUL: `{code}` is not allowed",
            "ピリオド、スラッシュ、パーセント記号、NULを符号化してパスに書くことはできません。`{code}`は使えません"
        ),
        TargetError::Upwards => say!("a path has no `..`", "パスに`..`は使えません"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn japanese(text: &Text) -> bool {
        text.ja.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
    }

    fn reason(pattern: &str, bytes: bool, ignore_case_unicode: bool) -> Text {
        let pattern = ksig_runtime::plan::Pattern { source: pattern.into(), ignore_case: false, ignore_case_unicode, bytes };
        let error = ksig_runtime::CompiledPattern::new(&pattern).expect_err(&pattern.source);
        // Where the words are the parser's, the English ones are the error's own.
        assert!(of_pattern(&error.problem).en.starts_with("groups and") || of_pattern(&error.problem).en == error.to_string());
        of_pattern(&error.problem)
    }

    /// A pattern for each thing that the parser refuses, so that a mistake which has no words of its own shows.
    #[test]
    fn every_mistake_in_a_pattern_has_its_own_japanese() {
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        let texts = [
            r"[\b]",
            "[z-a]",
            r"[a-\d]",
            "[a",
            "a{,3}",
            "a{99999999999}",
            r"\x{}",
            r"\x{110000}",
            r"\xZZ",
            "\\",
            r"\q",
            "(?i-)a",
            "(?ii)a",
            "(?--i)a",
            "(?i",
            "(?y)a",
            "(?<a>x)(?<a>y)",
            "(?<>x)",
            "(?<a",
            "(?<a-b>x)",
            "(a",
            "a)",
            "a{3,2}",
            "a{",
            "a{2",
            "*",
            r"\b{start",
            r"\b{x}",
            r"\b{",
            r"\p{",
            r"\1",
            "(?=a)",
            r"\p{Nope}",
            r"\p{Script=Nope}",
            "(a)",
            "(?x)a",
            "(?U)a",
            r"(?:\w{500}){500}",
            &long,
        ];
        let nested = "(?:".repeat(100);
        let reasons = texts.into_iter().chain([nested.as_str()]).map(|pattern| (pattern, reason(pattern, false, false)));
        let bytes = [("ル", reason("ル", true, false)), (r"\p{L}", reason(r"\p{L}", true, false)), ("a", reason("a", true, true))];
        for (pattern, reason) in reasons.chain(bytes) {
            let shown = &pattern[..pattern.len().min(40)];
            assert!(
                japanese(&reason) && !reason.ja.contains("正しくありません") || reason.ja.contains("クラスの書き方"),
                "{shown}: {reason:?}"
            );
        }
    }

    #[test]
    fn every_refusal_of_an_argument_is_said_in_both_languages() {
        let targets = [
            TargetError::Empty,
            TargetError::NotRooted,
            TargetError::NamesHost,
            TargetError::TooLong(300),
            TargetError::NotPrintable('\u{202e}'),
            TargetError::Fragment,
            TargetError::Backslash,
            TargetError::Hidden("%2e"),
            TargetError::Upwards,
        ];
        let others =
            [ArgumentError::Query, ArgumentError::NotAmong("v3".into(), &["v1", "v2c"]), ArgumentError::NotBetween("9".into(), 1, 5)];
        for error in targets.into_iter().map(ArgumentError::Target).chain(others) {
            let reason = of_argument(&error);
            assert!(japanese(&reason), "{error:?}: {reason:?}");
            assert_eq!(reason.en, error.to_string());
        }
    }
}
