//! One layout for every source, without options.
//!
//! In: a source that keeps to the grammar. Out: the same tokens and comments with two spaces a level, single spaces, `\n` line ends and at
//! most one blank line. What the text of a literal, regex or heredoc says never changes. A source is broken into lines where its author
//! broke it: a block with a newline inside, a list with a newline behind its bracket, an operator with a newline beside it.
//!
//! Three steps: [`pieces`] puts the trivia before each token into that token's gap and drops the separators that the layout writes itself;
//! [`lay_out`] walks the tree and says for each gap what it is; [`write`] writes the pieces one after the other.

use rowan::{NodeOrToken, TextSize, WalkEvent};

use crate::{
    Diagnostic, parse,
    syntax::{
        SyntaxKind::{self, *},
        SyntaxNode, SyntaxToken,
    },
};

/// Formats a source; one with problems is not touched and its problems come back.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(text, 0);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let root = parsed.syntax();
    let (mut pieces, last_comments) = pieces(&root);
    lay_out(&root, &mut pieces);
    Ok(write(&pieces, &last_comments))
}

/// What stands between two tokens, when no comment does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Space,
    /// A new line of a block or of a list.
    Element,
    /// The closing bracket on its own line.
    Close,
    /// A new line that goes on with the one before.
    Continue,
}

struct Comment {
    text: String,
    /// Behind a token on its line.
    trailing: bool,
    /// After an empty line.
    blank: bool,
}

/// A token with all that precedes it.
struct Piece {
    token: SyntaxToken,
    gap: Gap,
    /// `,` or `;` that the layout puts behind the token before.
    separator: &'static str,
    comments: Vec<Comment>,
    /// A newline in the source before it.
    newline: bool,
    /// An empty line in the source before it, or before it and behind its comments.
    blank: bool,
    /// A bracket whose content stands on lines of its own.
    opens: bool,
}

/// Separators that the layout writes by itself.
fn is_dropped(token: &SyntaxToken) -> bool {
    let in_list = || token.parent().is_some_and(|parent| is_list(parent.kind()));
    token.kind() == SEMICOLON || (token.kind() == COMMA && in_list())
}

fn is_list(kind: SyntaxKind) -> bool {
    matches!(kind, LIST_EXPR | RECORD_EXPR | ARGS | PARAMS | NAMES | FACTS)
}

/// The tokens of the source, and the comments behind all of them.
fn pieces(root: &SyntaxNode) -> (Vec<Piece>, Vec<Comment>) {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut comments = Vec::new();
    let (mut newlines, mut blank, mut any_newline, mut line_has_token) = (0, false, false, false);
    let tokens = root.descendants_with_tokens().filter_map(NodeOrToken::into_token);
    for token in tokens {
        match token.kind() {
            WHITESPACE => {}
            NEWLINE => {
                newlines += 1;
                blank |= newlines > 1;
                any_newline = true;
                line_has_token = false;
            }
            COMMENT | DOC_COMMENT => {
                let text = token.text().trim_end().to_owned();
                // Behind a dropped comma there may be a second comment; two cannot share a line.
                let trailing = line_has_token && comments.is_empty();
                comments.push(Comment { text, trailing, blank });
                (newlines, blank) = (0, false);
            }
            // A line of nothing but a `;` is no empty line, and a comment behind it stands alone.
            SEMICOLON => newlines = 0,
            _ if is_dropped(&token) => (newlines, line_has_token) = (0, true),
            _ => {
                let comments = std::mem::take(&mut comments);
                pieces.push(Piece { token, gap: Gap::Space, separator: "", comments, newline: any_newline, blank, opens: false });
                (newlines, blank, any_newline, line_has_token) = (0, false, false, true);
            }
        }
    }
    (pieces, comments)
}

fn lay_out(root: &SyntaxNode, pieces: &mut [Piece]) {
    for at in 0..pieces.len() {
        let before = at.checked_sub(1).map(|before| pieces[before].token.clone());
        pieces[at].gap = spacing(before.as_ref(), &pieces[at].token);
    }
    for event in root.preorder() {
        let WalkEvent::Enter(node) = event else { continue };
        match node.kind() {
            FILE => elements(&node, pieces, ""),
            BLOCK => block(&node, pieces),
            PAREN_EXPR | INDEX_EXPR => bracket(&node, pieces, ""),
            kind if is_list(kind) => bracket(&node, pieces, ","),
            BINARY_EXPR | RANGE_EXPR | WHEN | EACH_ROW | IF_EXPR => continuation(&node, pieces),
            _ => {}
        }
    }
}

/// Nothing or a space, from the two tokens alone.
fn spacing(before: Option<&SyntaxToken>, token: &SyntaxToken) -> Gap {
    let Some(before) = before else { return Gap::Nothing };
    let parent = |token: &SyntaxToken| token.parent().map_or(FILE, |parent| parent.kind());
    let inside_type = |token: &SyntaxToken| {
        let node = token.parent();
        let node = node.and_then(|node| if node.kind() == NAME { node.parent() } else { Some(node) });
        node.is_some_and(|node| node.kind() == TYPE)
    };
    let tight = match (before.kind(), token.kind()) {
        // `1 .b`: without the space `1.b` would be one token.
        (INT | DECIMAL | DOTTED | DATE | DURATION, DOT) => parent(before) != LITERAL,
        (L_PAREN | L_BRACKET | DOT, _) | (_, R_PAREN | R_BRACKET | DOT | COMMA | COLON | QUESTION) => true,
        (L_BRACE, R_BRACE) => true,
        (_, L_PAREN) => matches!(parent(token), ARGS | PARAMS | FILE_FIXTURE | TYPE),
        (_, L_BRACKET) => parent(token) == INDEX_EXPR,
        (LT, _) => parent(before) == TYPE,
        (_, LT | GT) => inside_type(token),
        _ => false,
    };
    if tight { Gap::Nothing } else { Gap::Space }
}

fn index(pieces: &[Piece], start: TextSize) -> Option<usize> {
    pieces.binary_search_by_key(&start, |piece| piece.token.text_range().start()).ok()
}

/// Each child starts a line.
fn elements(node: &SyntaxNode, pieces: &mut [Piece], separator: &'static str) {
    for (count, child) in node.children().enumerate() {
        if let Some(at) = index(pieces, child.text_range().start()) {
            pieces[at].gap = Gap::Element;
            pieces[at].separator = if count > 0 { separator } else { "" };
        }
    }
}

/// Children on one line behind each other.
fn inline(node: &SyntaxNode, pieces: &mut [Piece], separator: &'static str) {
    for child in node.children().skip(1) {
        if let Some(at) = index(pieces, child.text_range().start()) {
            pieces[at].separator = separator;
            pieces[at].gap = Gap::Space;
        }
    }
}

fn block(node: &SyntaxNode, pieces: &mut [Piece]) {
    let Some((open, close)) = ends(node, pieces) else { return };
    let empty = close == open + 1 && pieces[close].comments.is_empty();
    if empty || !node.text().contains_char('\n') {
        return inline(node, pieces, ";");
    }
    elements(node, pieces, "");
    pieces[open].opens = true;
    pieces[close].gap = Gap::Close;
}

fn bracket(node: &SyntaxNode, pieces: &mut [Piece], separator: &'static str) {
    let Some((open, close)) = ends(node, pieces) else { return };
    let commented = pieces[open + 1..=close].iter().any(|piece| !piece.comments.is_empty());
    let broken = close > open + 1 && pieces[open + 1].newline;
    if !commented && !broken {
        if separator == "," {
            inline_list(node, open, pieces);
        }
        return;
    }
    if separator.is_empty() {
        pieces[open + 1].gap = if open + 1 == close { Gap::Close } else { Gap::Element };
    } else {
        list_elements(node, open, pieces);
        if close > open + 1 {
            pieces[close].separator = ",";
        }
    }
    pieces[open].opens = true;
    pieces[close].gap = Gap::Close;
}

/// The children of a list that stand behind its bracket; facts have their protocol before it.
fn inside(node: &SyntaxNode, open: usize, pieces: &[Piece]) -> Vec<usize> {
    let behind = pieces[open].token.text_range().end();
    let starts = node.children().map(|child| child.text_range().start()).filter(|start| *start >= behind);
    starts.filter_map(|start| index(pieces, start)).collect()
}

fn list_elements(node: &SyntaxNode, open: usize, pieces: &mut [Piece]) {
    for (count, at) in inside(node, open, pieces).into_iter().enumerate() {
        pieces[at].gap = Gap::Element;
        pieces[at].separator = if count > 0 { "," } else { "" };
    }
}

fn inline_list(node: &SyntaxNode, open: usize, pieces: &mut [Piece]) {
    for at in inside(node, open, pieces).into_iter().skip(1) {
        pieces[at].gap = Gap::Space;
        pieces[at].separator = ",";
    }
}

/// The pieces of a node's own brackets.
fn ends(node: &SyntaxNode, pieces: &[Piece]) -> Option<(usize, usize)> {
    let own = || node.children_with_tokens().filter_map(NodeOrToken::into_token);
    let open = own().find(|token| matches!(token.kind(), L_BRACE | L_PAREN | L_BRACKET))?;
    let close = own().filter(|token| matches!(token.kind(), R_BRACE | R_PAREN | R_BRACKET)).last()?;
    Some((index(pieces, open.text_range().start())?, index(pieces, close.text_range().start())?))
}

/// An operator with a newline on either side starts a line, if the grammar lets it.
fn continuation(node: &SyntaxNode, pieces: &mut [Piece]) {
    let own = node.children_with_tokens().filter_map(NodeOrToken::into_token);
    for token in own.filter(can_continue) {
        let Some(at) = index(pieces, token.text_range().start()) else { continue };
        if pieces[at].newline || pieces.get(at + 1).is_some_and(|next| next.newline) {
            pieces[at].gap = Gap::Continue;
        }
    }
}

fn can_continue(token: &SyntaxToken) -> bool {
    match token.kind() {
        IDENT => matches!(token.text(), "and" | "or" | "otherwise" | "when" | "where" | "then" | "else"),
        kind => matches!(kind, EQ_EQ | LT | LT_EQ | GT | GT_EQ | TILDE | DOT_DOT_LT | DOT_DOT_EQ),
    }
}

/// A heredoc with `\n` line ends. A `\r` before the one of a line end is text, so such a line stays.
fn line_ends(text: &str) -> String {
    let line = |line: &str| line.strip_suffix('\r').filter(|rest| !rest.ends_with('\r')).unwrap_or(line).to_owned();
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn write(pieces: &[Piece], last_comments: &[Comment]) -> String {
    let mut page = Page { out: String::new(), indent: 0, open: Vec::new(), after_opening: true };
    for piece in pieces {
        page.piece(piece);
    }
    page.after_opening = pieces.is_empty();
    page.comments(last_comments, Gap::Element);
    page.out.push('\n');
    page.out
}

struct Page {
    out: String,
    /// Levels of the line that is being written.
    indent: usize,
    /// Levels of the lines on which the open brackets stand.
    open: Vec<usize>,
    /// Nothing stands yet behind the last bracket that opened lines.
    after_opening: bool,
}

impl Page {
    fn piece(&mut self, piece: &Piece) {
        self.out.push_str(piece.separator);
        self.comments(&piece.comments, piece.gap);
        let gap = match piece.gap {
            // A comment ends its line, whatever follows.
            Gap::Nothing | Gap::Space if !piece.comments.is_empty() => Gap::Continue,
            gap => gap,
        };
        match gap {
            Gap::Nothing => {}
            Gap::Space => self.out.push(' '),
            Gap::Element | Gap::Continue | Gap::Close => self.line(gap, piece.blank && gap == Gap::Element),
        }
        if gap == Gap::Close {
            self.open.pop();
        }
        self.after_opening = piece.opens;
        if piece.opens {
            self.open.push(self.indent);
        }
        self.out.push_str(&line_ends(piece.token.text()));
    }

    fn comments(&mut self, comments: &[Comment], gap: Gap) {
        for comment in comments {
            if comment.trailing {
                self.out.push(' ');
            } else {
                // A comment before a closing bracket belongs to what stands inside.
                let gap = if gap == Gap::Close { Gap::Element } else { gap };
                let gap = if matches!(gap, Gap::Nothing | Gap::Space) { Gap::Continue } else { gap };
                self.line(gap, comment.blank && gap == Gap::Element);
            }
            self.out.push_str(&comment.text);
            self.after_opening &= comment.trailing;
        }
    }

    fn line(&mut self, gap: Gap, blank: bool) {
        let outer = self.open.last().copied();
        let element = outer.map_or(0, |outer| outer + 1);
        self.indent = match gap {
            Gap::Close => outer.unwrap_or(0),
            Gap::Continue => element + 1,
            _ => element,
        };
        if self.out.is_empty() {
            return;
        }
        self.out.push('\n');
        if blank && !self.after_opening {
            self.out.push('\n');
        }
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }
}
