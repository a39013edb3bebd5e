//! Colours by meaning: what each token is, as the tree and the checker see it.

use std::collections::HashMap;

use ksig_compiler::{Mark, Target};
use ksig_lang::{NodeOrToken, Span, SyntaxKind, SyntaxToken};
use lsp_types::{Range, SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokensLegend};

use super::view::{View, span_of};

/// Types, by their numbers.
const TYPES: [SemanticTokenType; 14] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::STRING,
    SemanticTokenType::REGEXP,
    SemanticTokenType::NUMBER,
    SemanticTokenType::COMMENT,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::TYPE,
    SemanticTokenType::CLASS,
    SemanticTokenType::STRUCT,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::FUNCTION,
];

/// Modifiers, by their bits.
const MODIFIERS: [SemanticTokenModifier; 3] =
    [SemanticTokenModifier::DECLARATION, SemanticTokenModifier::DOCUMENTATION, SemanticTokenModifier::READONLY];

/// What the numbers mean.
pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: MODIFIERS.to_vec() }
}

/// The tokens of a file, or of a part of it.
pub fn tokens(view: &View, part: Option<Range>) -> Vec<SemanticToken> {
    let lines = view.lines();
    let part = part.map(|range| lines.span(range));
    let marks: HashMap<Span, &Mark> = view.session().marks(view.file).iter().map(|mark| (mark.span, mark)).collect();
    let text = view.text();
    let mut out = Vec::new();
    let (mut line, mut character) = (0, 0);
    for token in view.tree().descendants_with_tokens().filter_map(NodeOrToken::into_token) {
        let span = span_of(token.text_range());
        if part.is_some_and(|part| span.end <= part.start || part.end <= span.start) {
            continue;
        }
        let Some((kind, modifiers)) = kind(&token, &marks) else { continue };
        // A client colours a line at a time.
        let mut start = span.start;
        for piece in text[span.start as usize..span.end as usize].split_inclusive('\n') {
            let shown = piece.trim_end_matches(['\n', '\r']);
            if !shown.trim().is_empty() {
                let position = lines.position(start);
                let delta_start = if position.line == line { position.character - character } else { position.character };
                out.push(SemanticToken {
                    delta_line: position.line - line,
                    delta_start,
                    length: view.encoding.length(shown),
                    token_type: TYPES.iter().position(|known| *known == kind).unwrap_or_default() as u32,
                    token_modifiers_bitset: modifiers,
                });
                (line, character) = (position.line, position.character);
            }
            start += piece.len() as u32;
        }
    }
    out
}

fn kind(token: &SyntaxToken, marks: &HashMap<Span, &Mark>) -> Option<(SemanticTokenType, u32)> {
    let plain = |kind| Some((kind, 0));
    match token.kind() {
        SyntaxKind::COMMENT => plain(SemanticTokenType::COMMENT),
        SyntaxKind::DOC_COMMENT => Some((SemanticTokenType::COMMENT, 2)),
        SyntaxKind::TEXT | SyntaxKind::HEREDOC => plain(SemanticTokenType::STRING),
        SyntaxKind::REGEX => plain(SemanticTokenType::REGEXP),
        SyntaxKind::INT | SyntaxKind::DATE | SyntaxKind::DURATION | SyntaxKind::DOTTED | SyntaxKind::DECIMAL => {
            plain(SemanticTokenType::NUMBER)
        }
        SyntaxKind::TILDE
        | SyntaxKind::EQ
        | SyntaxKind::EQ_EQ
        | SyntaxKind::FAT_ARROW
        | SyntaxKind::LT
        | SyntaxKind::LT_EQ
        | SyntaxKind::GT
        | SyntaxKind::GT_EQ
        | SyntaxKind::DOT_DOT_LT
        | SyntaxKind::DOT_DOT_EQ => plain(SemanticTokenType::OPERATOR),
        SyntaxKind::IDENT | SyntaxKind::KEBAB => word(token, marks),
        _ => None,
    }
}

/// A word: what the checker made of it, or what the tree says of its place.
fn word(token: &SyntaxToken, marks: &HashMap<Span, &Mark>) -> Option<(SemanticTokenType, u32)> {
    let parent = token.parent()?;
    let spans = [Some(token.text_range()), Some(parent.text_range()), parent.parent().map(|above| above.text_range())];
    let mark = spans.into_iter().flatten().find_map(|range| marks.get(&span_of(range)));
    if let Some(mark) = mark {
        let kind = match mark.target {
            Target::Variable(..) => SemanticTokenType::VARIABLE,
            Target::Let(..) => return Some((SemanticTokenType::VARIABLE, 4 | u32::from(mark.declares))),
            Target::Probe(..) | Target::Module(_) => SemanticTokenType::NAMESPACE,
            Target::Table(_) => SemanticTokenType::STRUCT,
            Target::Column(..) | Target::Field(_) => SemanticTokenType::PROPERTY,
            Target::Scheme(_) => SemanticTokenType::TYPE,
            Target::Signature(_) | Target::Choice(_) => SemanticTokenType::CLASS,
            Target::Vendor(_) | Target::Class(_) | Target::Tag(_) | Target::Lint(_) => SemanticTokenType::ENUM_MEMBER,
            Target::Selector(_) | Target::Constructor(_) => SemanticTokenType::FUNCTION,
        };
        return Some((kind, u32::from(mark.declares)));
    }
    let above = parent.parent().map(|above| above.kind());
    Some((
        match (parent.kind(), above) {
            (SyntaxKind::NAME, Some(SyntaxKind::ATTRIBUTE)) => SemanticTokenType::KEYWORD,
            (SyntaxKind::NAME, Some(SyntaxKind::TYPE)) => SemanticTokenType::TYPE,
            (SyntaxKind::NAME, Some(SyntaxKind::SLOT | SyntaxKind::RECORD_ENTRY | SyntaxKind::ARG))
            | (SyntaxKind::FIELD_EXPR | SyntaxKind::KEY | SyntaxKind::RECORD_ENTRY, _) => SemanticTokenType::PROPERTY,
            (SyntaxKind::NAME_EXPR, Some(SyntaxKind::ATTRIBUTE)) => SemanticTokenType::ENUM_MEMBER,
            (SyntaxKind::NAME_EXPR, _) if matches!(token.text(), "true" | "false" | "absent") => SemanticTokenType::KEYWORD,
            (SyntaxKind::NAME | SyntaxKind::NAME_EXPR, _) => SemanticTokenType::VARIABLE,
            (SyntaxKind::PATH, _) => SemanticTokenType::NAMESPACE,
            (SyntaxKind::BROKEN | SyntaxKind::FILE, _) => return None,
            _ => SemanticTokenType::KEYWORD,
        },
        0,
    ))
}
