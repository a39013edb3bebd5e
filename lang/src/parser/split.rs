//! Cuts the tokens of a file into parts, one an item with what hangs on it, so that each is parsed alone.
//!
//! In: the tokens of a file, or of a run of its parts. Out: where parts start, covering every token; brackets with their partners.
//!
//! A part starts at a line that can only start an item: an item's word and a name. Some of these words also start statements of a
//! signature, so a line with one of them is a cut only outside braces, or in an item whose brace has no partner, at the margin. A line
//! with one of [`BLOCK_ENDERS`] is always a cut, and braces have no partner beyond it. So where an item ends depends on nothing that
//! stands behind the next such line, and after an edit the parts around it are found again ([`crate::edit`]).

use super::{BLOCK_ENDERS, ITEM_WORDS, Token, is_operator};
use crate::syntax::SyntaxKind::*;

/// Where a part starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Its first token.
    pub at: usize,
    /// No brace reaches over its start.
    pub hard: bool,
    /// It starts with `module`: at the top of a file such a line is no cut.
    pub module: bool,
    /// A brace in it has no partner, so it ends where the next line at the margin starts an item.
    pub open: bool,
}

/// Finds the partners of brackets, then the cuts before the token `end`. `head` tells that the tokens start at the top of the file.
pub(super) fn split(text: &str, tokens: &mut [Token], end: usize, head: bool) -> Vec<Cut> {
    pair(text, &mut tokens[..end]);
    let first = anchor(text, tokens, 0).unwrap_or_default();
    let mut cuts = vec![Cut { at: 0, hard: head || first.hard, module: first.module, open: false }];
    let mut at = 0;
    let mut part = 0;
    while at < end {
        let token = tokens[at];
        let head = head && part == 0;
        if let Some(anchor) = anchor(text, tokens, at).filter(|anchor| at > 0 && !(head && anchor.module))
            && (anchor.hard || !cuts[part].open || token.margin)
        {
            part = cuts.len();
            cuts.push(Cut { at, ..anchor });
        }
        if token.kind == L_BRACE && !cuts[part].open {
            match token.partner {
                Some(partner) => at = partner,
                None => cuts[part].open = true,
            }
        }
        at += 1;
    }
    part_brackets(tokens, &cuts, end);
    cuts
}

/// What starts at a token, if that can only be an item.
fn anchor(text: &str, tokens: &[Token], at: usize) -> Option<Cut> {
    let word = |token: &Token| &text[token.span.start as usize..token.span.end as usize];
    let token = tokens.get(at).filter(|token| token.newline && token.kind == IDENT)?;
    let next = tokens.get(at + 1).filter(|next| next.kind == IDENT && !next.newline)?;
    if !ITEM_WORDS.contains(&word(token)) || is_operator(word(next)) {
        return None;
    }
    Some(Cut { at, hard: BLOCK_ENDERS.contains(&word(token)), module: word(token) == "module", open: false })
}

/// Finds the partners of brackets; none has one behind a hard cut.
fn pair(text: &str, tokens: &mut [Token]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..tokens.len() {
        let opener = match tokens[at].kind {
            L_BRACE | L_PAREN | L_BRACKET => {
                open.push(at);
                continue;
            }
            R_BRACE => L_BRACE,
            R_PAREN => L_PAREN,
            R_BRACKET => L_BRACKET,
            IDENT => {
                if anchor(text, tokens, at).is_some_and(|anchor| anchor.hard) {
                    open.clear();
                }
                continue;
            }
            _ => continue,
        };
        if opener == L_BRACE {
            // A brace closes over round and square brackets that were left open inside it.
            while open.last().is_some_and(|&last| tokens[last].kind != L_BRACE) {
                open.pop();
            }
        }
        if let Some(&last) = open.last()
            && tokens[last].kind == opener
        {
            tokens[last].partner = Some(at);
            open.pop();
        }
    }
}

/// Takes away partners in other parts.
fn part_brackets(tokens: &mut [Token], cuts: &[Cut], end: usize) {
    for (number, cut) in cuts.iter().enumerate() {
        let limit = cuts.get(number + 1).map_or(end, |next| next.at);
        for token in &mut tokens[cut.at..limit] {
            token.partner = token.partner.filter(|&partner| partner < limit);
        }
    }
}
