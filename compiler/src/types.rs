//! Type expressions and version schemes, read from syntax.

use ksig_lang::ast::{self, ExprKind, TypeExpr};
use ksig_lang::{Text, say};
use ksig_runtime::verify::ENUM_WORDS_MAX;
use ksig_schema::{Scheme, SchemeKind, Type};

/// A tag's declared parameters, as written.
pub type Params = Vec<ast::Param>;

/// Reads a scheme: `dotted`, `semver`, `date`, or `dotted(parts: 3, train: leading 2)`. The error is a sentence for the author.
pub fn scheme(name: &str, value: &ast::Expr) -> Result<Scheme, Text> {
    let known = say!(
        "a scheme is `dotted`, `semver`, `date` or `dotted(parts: 3, train: leading 2)`",
        "バージョン体系は`dotted`、`semver`、`date`、`dotted(parts: 3, train: leading 2)`のいずれかです"
    );
    match &value.kind {
        ExprKind::Name(builtin) => {
            let base = Scheme::builtin(builtin)
                .ok_or_else(|| say!("`{builtin}` is no scheme: {known}", "`{builtin}`というバージョン体系はありません。{known}"; known))?;
            Ok(Scheme { name: name.into(), kind: base.kind })
        }
        ExprKind::Call(callee, args) if callee.kind == ExprKind::Name("dotted".into()) => {
            let (mut parts, mut train, mut prefixes, mut build) = (None, 0, Vec::new(), None);
            for (at, arg) in args.iter().enumerate() {
                if let Some(name) = &arg.name
                    && args[..at].iter().any(|before| before.name.as_ref().is_some_and(|before| before.value == name.value))
                {
                    let name = &name.value;
                    return Err(say!("`{name}` is said twice", "`{name}`が二度書かれています"));
                }
                let number = |expr: &ast::Expr| match expr.kind {
                    ExprKind::Int(n @ 1..=16) => Ok(n as u32),
                    _ => Err(say!("expected a number from 1 to 16", "1から16までの数値が必要です")),
                };
                match (arg.name.as_ref().map(|name| name.value.as_str()), &arg.value.kind) {
                    (Some("parts"), _) => parts = Some(number(&arg.value)?),
                    (Some("train"), ExprKind::Worded(word, count)) if word.value == "leading" => train = number(count)?,
                    (Some("train"), ExprKind::Call(word, inner)) if word.kind == ExprKind::Name("leading".into()) && inner.len() == 1 => {
                        train = number(&inner[0].value)?;
                    }
                    (Some("prefix"), ExprKind::Text(text)) if !text.is_empty() => prefixes = vec![text.clone()],
                    (Some("prefix"), ExprKind::List(texts)) if !texts.is_empty() => {
                        for text in texts {
                            match &text.kind {
                                ExprKind::Text(text) if !text.is_empty() => prefixes.push(text.clone()),
                                _ => return Err(say!("a prefix is a text", "prefixはテキストです")),
                            }
                        }
                    }
                    (Some("build"), ExprKind::Text(text)) if !text.is_empty() => build = Some(text.clone()),
                    _ => {
                        return Err(say!(
                            "`dotted` takes `parts: N`, `train: leading N`, `prefix: \"V\"` or a list of them, and `build: \"-\"`",
                            "`dotted`の引数は`parts: N`、`train: leading N`、`prefix: \"V\"`(またはそのリスト)、`build: \"-\"`です"
                        ));
                    }
                }
            }
            if let Some(parts) = parts.filter(|parts| train >= *parts) {
                return Err(say!(
                    "of {parts} parts, {train} cannot be the train: at least one is left to order by",
                    "{parts}個の部分のうち{train}個を系列にはできません。順序を決める部分が一つ以上必要です"
                ));
            }
            Ok(Scheme { name: name.into(), kind: SchemeKind::Dotted { parts, train, prefixes, build } })
        }
        _ => Err(known),
    }
}

/// Reads a type; `resolve_scheme` gives the full name of a scheme in scope. The error is a sentence for the author.
pub fn read(ty: &TypeExpr, resolve_scheme: &dyn Fn(&str) -> Option<String>) -> Result<Type, Text> {
    let inner = |what: &str| match &ty.of {
        Some(of) => read(of, resolve_scheme).map(Box::new),
        None => Err(say!("`{what}` needs what it holds: `{what}<text>`", "`{what}`には`{what}<text>`のように要素の型が必要です")),
    };
    let written = ty.name.value.as_str();
    if ty.of.is_some() && !matches!(written, "list" | "range" | "set" | "bound") {
        return Err(say!("`{written}` holds no other type", "`{written}`は要素の型を取りません"));
    }
    match (written, ty.words.as_slice()) {
        ("version", [] | [_]) | ("enum", _) | (_, []) => {}
        ("version", _) => return Err(say!("a version has one scheme", "バージョンの体系は一つです")),
        _ => return Err(say!("nothing stands in parentheses behind `{written}`", "`{written}`の後に括弧は書けません")),
    }
    let plain = match written {
        "enum" => Type::Enum(words(&ty.words)?),
        "list" => match *inner("list")? {
            of @ (Type::List(_) | Type::Optional(_)) => {
                return Err(say!(
                    "the values of a list are there, and are no lists themselves: a list of {of} cannot be written or asked about",
                    "リストの要素は欠けることがなく、リストでもありません。{of}型のリストは書くことも調べることもできません"
                ));
            }
            of => Type::List(Box::new(of)),
        },
        "range" => match *inner("range")? {
            of if of.is_ordered() => Type::Range(Box::new(of)),
            other => {
                return Err(say!(
                    "a range is of a date, a duration, an int or a version, not of {other}",
                    "rangeに使えるのは日付、時間、整数、バージョンで、{other}型は使えません"
                ));
            }
        },
        "set" => match *inner("set")? {
            of if of.is_ordered() => Type::Set(Box::new(of)),
            other => {
                return Err(say!(
                    "a set is of a date, a duration, an int or a version, not of {other}",
                    "setに使えるのは日付、時間、整数、バージョンで、{other}型は使えません"
                ));
            }
        },
        "bound" => match *inner("bound")? {
            of @ (Type::Date | Type::Version(_)) => Type::Bound(Box::new(of)),
            other => {
                return Err(say!(
                    "a bound is of a date or a version, not of {other}",
                    "`bound`にできるのは日付かバージョンで、{other}にはできません"
                ));
            }
        },
        "version" => {
            let name = ty.words.first().map_or("dotted", |scheme| scheme.value.as_str());
            Type::Version(
                resolve_scheme(name)
                    .ok_or_else(|| say!("there is no version scheme `{name}` here", "ここに`{name}`というバージョン体系はありません"))?,
            )
        }
        other => simple(other).ok_or_else(|| {
            let nearest = crate::problems::nearest(other, crate::words::types());
            match nearest {
                Some(near) => {
                    say!("`{other}` is no type; did you mean `{near}`?", "`{other}`という型はありません。`{near}`の間違いではありませんか")
                }
                None => say!("`{other}` is no type", "`{other}`という型はありません"),
            }
        })?,
    };
    Ok(if ty.optional { plain.optional() } else { plain })
}

/// The words of an enum, sorted, so that two enums of the same words are one type.
fn words(written: &[ast::Name]) -> Result<Vec<String>, Text> {
    if written.is_empty() {
        return Err(say!("an enum lists its words: `enum(bridge, router)`", "enumには`enum(bridge, router)`のように語を並べます"));
    }
    if written.len() > ENUM_WORDS_MAX {
        return Err(say!("an enum has at most {ENUM_WORDS_MAX} words", "enumの語は{ENUM_WORDS_MAX}個までです"));
    }
    let mut words: Vec<String> = written.iter().map(|word| word.value.clone()).collect();
    words.sort();
    let twice = words.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &pair[0]);
    if let Some(word) = twice {
        return Err(say!("`{word}` stands in this enum twice", "このenumに`{word}`が二つあります"));
    }
    match words.iter().find(|word| matches!(word.as_str(), "absent" | "true" | "false")) {
        Some(word) => Err(say!(
            "`{word}` means something else where a word of an enum may stand",
            "`{word}`は別の意味を持つため、enumの語にはできません"
        )),
        None => Ok(words),
    }
}

/// Types that are one word.
pub(crate) const SIMPLE: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("text", Type::Text),
    ("bytes", Type::Bytes),
    ("date", Type::Date),
    ("duration", Type::Duration),
    ("url", Type::Url),
    ("path", Type::Path),
    ("ip", Type::Ip),
    ("mac", Type::Mac),
    ("oid", Type::Oid),
    ("cve", Type::Cve),
    ("cpe", Type::Cpe),
    ("hash", Type::Hash),
    ("vendor", Type::Vendor),
    ("class", Type::Class),
];

/// Whether text can be read as a type: a capture or an extract of it. Vendors and classes are words of the vocabulary, which no device
/// extends; what has parts is written, not read.
pub fn is_read_from_text(ty: &Type) -> bool {
    let written =
        matches!(ty.required(), Type::Vendor | Type::Class | Type::List(_) | Type::Bound(_) | Type::Range(_) | Type::Set(_) | Type::Row(_));
    !written
}

/// A type without parameters by its name.
pub fn simple(name: &str) -> Option<Type> {
    SIMPLE.iter().find(|(simple, _)| *simple == name).map(|(_, ty)| ty.clone())
}
