//! Literals: a constant of the type that its place needs, bytes in their encoding, CPE names with holes.

use ksig_lang::ast::{self, ExprKind as Ast};
use ksig_lang::say;
use ksig_lang::source::Span;
use ksig_runtime::plan::Datum;
use ksig_schema::{Type, form};
use unicode_normalization::is_nfc;

use super::Checker;
use crate::hir::{Expr, ExprKind};
use crate::{problems, tables};

/// A part of a template.
enum Piece<'t> {
    Text(&'t str),
    /// A name, and the word behind `|`.
    Hole(&'t str, &'t str),
}

impl Checker<'_> {
    /// A literal.
    pub(super) fn constant(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Expr> {
        let natural = match &e.kind {
            Ast::Text(_) => Type::Text,
            Ast::Int(_) => Type::Int,
            Ast::Bool(_) => Type::Bool,
            Ast::Date(_) => Type::Date,
            Ast::Duration(_) => Type::Duration,
            Ast::Dotted(_) => Type::Oid,
            Ast::Prefixed(prefix, text) => match prefix.as_str() {
                "v" => Type::Version("dotted".into()),
                "h" => Type::Hash,
                "b" | "sjis" | "eucjp" => {
                    let datum = match self.bytes_literal(prefix, text, e.span) {
                        Some(bytes) => Datum::Bytes(bytes),
                        None => return None,
                    };
                    return Some(Expr { kind: ExprKind::Const(datum), ty: Type::Bytes, span: e.span });
                }
                "cpe" => return self.cpe_template(text, e.span),
                "t" => return self.text_template(text, e.span),
                other => return self.refuse(problems::unknown_prefix(other, self.file, e.span)),
            },
            _ => match expected {
                Some(ty) => ty.required().clone(),
                None => {
                    return self.refuse(problems::unexpected(
                        say!("this value", "この値"),
                        say!("a value whose type is known here", "型が決まる値"),
                        self.file,
                        e.span,
                    ));
                }
            },
        };
        let ty = match expected.map(Type::required) {
            Some(Type::Bound(of)) if **of == natural || matches!((&**of, &natural), (Type::Version(_), Type::Version(_))) => (**of).clone(),
            Some(wanted @ Type::Version(_)) if matches!(natural, Type::Version(_)) => wanted.clone(),
            Some(wanted @ (Type::Oid | Type::Ip | Type::Url | Type::Path | Type::Cve | Type::Mac | Type::Cpe))
                if matches!(natural, Type::Text | Type::Oid) =>
            {
                wanted.clone()
            }
            Some(wanted @ Type::Hash) if natural == Type::Text => wanted.clone(),
            Some(wanted) if matches!(e.kind, Ast::List(_) | Ast::Worded(..)) => wanted.clone(),
            Some(Type::Range(of) | Type::Set(of)) if of.known_of() == &natural => (**of).clone(),
            _ => natural,
        };
        // In a table an empty cell is a mistake; as a literal, empty text is a value.
        let read = match (&e.kind, &ty) {
            (Ast::Text(text), Type::Text) if !is_nfc(text) => Err(tables::not_nfc()),
            (Ast::Text(text), Type::Text) => Ok(Datum::Text(text.clone())),
            _ => tables::literal(e, &ty, self.names),
        };
        match read {
            Ok(datum) => Some(Expr { kind: ExprKind::Const(datum), ty, span: e.span }),
            Err(reason) => self.refuse(problems::bad_literal(reason, self.file, e.span)),
        }
    }

    /// `b"..."`, `sjis"..."`, `eucjp"..."` as bytes.
    pub(super) fn bytes_literal(&mut self, prefix: &str, text: &str, span: Span) -> Option<Vec<u8>> {
        let encoding = match prefix {
            "sjis" => encoding_rs::SHIFT_JIS,
            "eucjp" => encoding_rs::EUC_JP,
            // `\xNN` escapes of a bytes literal come as the characters U+0000 to U+00FF.
            _ => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                if bytes.is_none() {
                    self.diagnostics.push(problems::bad_literal(
                        say!("b\"...\" holds ASCII and `\\xNN` only", "b\"...\"に書けるのはASCII文字と`\\xNN`だけです"),
                        self.file,
                        span,
                    ));
                }
                return bytes;
            }
        };
        let (bytes, _, unmappable) = encoding.encode(text);
        if unmappable {
            let encoding = encoding.name();
            let reason = say!("a character here has no form in {encoding}", "{encoding}で表せない文字があります");
            self.diagnostics.push(problems::bad_literal(reason, self.file, span));
            return None;
        }
        Some(bytes.into_owned())
    }

    /// `cpe"o:buffalo:{model|cpe}_firmware:{version}"`: a CPE 2.3 name; holes are slots of the record or variables. A missing version is `*`,
    /// what is missing behind `|na` is `-`.
    fn cpe_template(&mut self, text: &str, span: Span) -> Option<Expr> {
        let pieces = self.pieces(text, span)?;
        // A letter in each of the holes.
        let filled: String = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "a" }).collect();
        let wildcards = form::CPE_PARTS.saturating_sub(form::cpe_values(&filled).len());
        if let Err(mistake) = form::cpe(&format!("{}{filled}{}", form::CPE_PREFIX, ":*".repeat(wildcards))) {
            return self.refuse(problems::bad_literal(tables::cpe_mistake(&mistake), self.file, span));
        }
        let constant = |text: &str| Expr { kind: ExprKind::Const(Datum::Text(text.into())), ty: Type::Text, span };
        let mut parts = vec![(constant(form::CPE_PREFIX), false)];
        for piece in pieces {
            let (name, instead) = match piece {
                Piece::Text(text) => {
                    parts.push((constant(text), false));
                    continue;
                }
                Piece::Hole(name, instead) => (name, instead),
            };
            let value = self.hole(name, span)?;
            let instead = match (instead, name) {
                ("na", _) => "-",
                (_, "version") => "*",
                _ => {
                    parts.push((value, true));
                    continue;
                }
            };
            // The value itself is escaped, the sign that stands for it is not.
            let escaped = Expr { kind: ExprKind::Template(vec![(value, true)]), ty: Type::Text.optional(), span };
            parts.push((Expr { kind: ExprKind::FirstOf(vec![escaped, constant(instead)]), ty: Type::Text, span }, false));
        }
        parts.push((constant(&":*".repeat(wildcards)), false));
        parts.retain(|(part, _)| part.kind != ExprKind::Const(Datum::Text(String::new())));
        Some(Expr { kind: ExprKind::Template(parts), ty: Type::Cpe.optional(), span })
    }

    /// `t"{model} Firmware"`: text; missing where a hole is.
    fn text_template(&mut self, text: &str, span: Span) -> Option<Expr> {
        if !is_nfc(text) {
            return self.refuse(problems::bad_literal(tables::not_nfc(), self.file, span));
        }
        let mut parts = Vec::new();
        for piece in self.pieces(text, span)? {
            parts.push(match piece {
                Piece::Text(text) => (Expr { kind: ExprKind::Const(Datum::Text(text.into())), ty: Type::Text, span }, false),
                Piece::Hole(name, _) => (self.hole(name, span)?, false),
            });
        }
        Some(Expr { kind: ExprKind::Template(parts), ty: Type::Text.optional(), span })
    }

    /// A slot of the record that stands before, or a name of the signature.
    fn hole(&mut self, name: &str, span: Span) -> Option<Expr> {
        match self.identity_so_far.iter().rev().find(|(slot, _)| slot == name) {
            Some((_, value)) => Some(value.clone()),
            None => self.expr(&ast::Expr { kind: Ast::Name(name.into()), span }, Some(&Type::Text)),
        }
    }

    /// A text cut at its holes.
    fn pieces<'t>(&mut self, text: &'t str, span: Span) -> Option<Vec<Piece<'t>>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else {
                return self.refuse(problems::bad_literal(
                    say!("a `{{` of this template is not closed", "このテンプレートの`{{`が閉じられていません"),
                    self.file,
                    span,
                ));
            };
            let hole = rest[open + 1..open + length].trim();
            let (name, form) = hole.split_once('|').map_or((hole, ""), |(name, form)| (name.trim(), form.trim()));
            pieces.extend([Piece::Text(&rest[..open]), Piece::Hole(name, form)]);
            rest = &rest[open + length + 1..];
        }
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| !matches!(piece, Piece::Text("")));
        Some(pieces)
    }

    pub(super) fn constant_datum(&mut self, e: &ast::Expr, ty: &Type) -> Option<Datum> {
        match self.expr(e, Some(ty))? {
            Expr { kind: ExprKind::Const(datum), ty: found, .. } if found.required() == ty => Some(datum),
            other => {
                self.refuse(problems::type_mismatch(say!("an element of this list", "このリストの要素"), ty, &other.ty, self.file, e.span))
            }
        }
    }
}
