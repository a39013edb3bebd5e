//! The kinds of tokens and nodes of the lossless tree, and the tree's types.
//!
//! Words are one kind, [`SyntaxKind::IDENT`]: which of them are keywords depends on where they stand, and only the parser knows that.

use logos::Logos;

use crate::{lexer, say, text::Text};

/// What a token or a node of the tree is.
///
/// Tokens come first, in the order in which the lexer tries them; then nodes.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types, missing_docs, clippy::upper_case_acronyms)]
#[logos(extras = lexer::Memory)]
#[repr(u16)]
pub enum SyntaxKind {
    // Trivia.
    #[regex(r"[ \t]+")]
    #[token("\u{FEFF}")]
    WHITESPACE = 0,
    #[regex(r"\r?\n")]
    NEWLINE,
    #[regex(r"//[^\r\n]*", allow_greedy = true)]
    COMMENT,
    /// `/// text`: a [`Self::COMMENT`] of exactly three slashes.
    DOC_COMMENT,

    // Literals.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    IDENT,
    /// `content-type`: never a name, kept whole for a good message; also a word of metadata.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)+")]
    KEBAB,
    /// `"text"`, `cpe"text"`.
    #[regex(r#"([A-Za-z_][A-Za-z0-9_]*)?""#, lexer::text_rest)]
    TEXT,
    /// `http"""` to the line that starts with `"""`.
    #[regex(r#"([A-Za-z_][A-Za-z0-9_]*)?""""#, lexer::heredoc_rest)]
    HEREDOC,
    /// `/re/i`, `b/re/`.
    #[regex(r"b?/", lexer::regex_rest)]
    REGEX,
    /// Anything that starts with a digit but is none of the next five.
    #[regex(r"-?[0-9][0-9A-Za-z_]*", lexer::number_rest)]
    BAD_NUMBER,
    /// `401`, `-5`.
    INT,
    /// `2026-12-31`.
    DATE,
    /// `5s`, `250ms`.
    DURATION,
    /// `192.0.2.1`: numbers with at least two dots.
    DOTTED,
    /// `1.2`: only after a dot, as two parts of a key.
    DECIMAL,

    // Signs.
    #[token("{")]
    L_BRACE,
    #[token("}")]
    R_BRACE,
    #[token("(")]
    L_PAREN,
    #[token(")")]
    R_PAREN,
    #[token("[")]
    L_BRACKET,
    #[token("]")]
    R_BRACKET,
    #[token(",")]
    COMMA,
    #[token(";")]
    SEMICOLON,
    #[token(":")]
    COLON,
    #[token(".")]
    DOT,
    #[token("?")]
    QUESTION,
    #[token("~")]
    TILDE,
    #[token("=")]
    EQ,
    #[token("==")]
    EQ_EQ,
    #[token("=>")]
    FAT_ARROW,
    #[token("<")]
    LT,
    #[token("<=")]
    LT_EQ,
    #[token(">")]
    GT,
    #[token(">=")]
    GT_EQ,
    #[token("..<")]
    DOT_DOT_LT,
    #[token("..=")]
    DOT_DOT_EQ,
    /// `!=`, `&&`, `||`, `!`, `=~`: operators of other languages, known so that the parser can name ours.
    #[token("!=")]
    #[token("&&")]
    #[token("||")]
    #[token("!")]
    #[token("=~")]
    #[token("!~")]
    FOREIGN,
    /// Characters that start no token.
    ERROR,

    /// The end of the file; never in a tree.
    EOF,

    // Nodes: the file and its items.
    FILE,
    EDITION,
    MODULE,
    USE,
    TABLE,
    COLUMN,
    ROW,
    SCHEME,
    VENDOR,
    CLASS,
    TAG_ENTRY,
    PARAMS,
    PARAM,
    ATTRIBUTE,
    PROBE,
    PORTS,
    LET,
    SIGNATURE,
    CHOICE,
    // Statements.
    MATCH,
    FOLLOW,
    EXTRACT,
    EXTRACT_LINE,
    IDENTIFY,
    COMPONENT,
    DETAILS,
    SUPPORT,
    SLOT,
    TAG_USE,
    EACH_ROW,
    WHEN,
    LINE,
    LABEL,
    ANY,
    ALL,
    NONE,
    AT_LEAST,
    EACH,
    // Tests.
    TEST,
    AT,
    GIVEN,
    FILE_FIXTURE,
    FACTS,
    TIMEOUT,
    REFUSED,
    FROM,
    WITH,
    EXPECT,
    EXAMPLE,
    // Shared parts.
    BLOCK,
    NAME,
    NAMES,
    PATH,
    TYPE,
    KEY,
    // Expressions.
    LITERAL,
    NAME_EXPR,
    FIELD_EXPR,
    INDEX_EXPR,
    CALL_EXPR,
    ARGS,
    ARG,
    NOT_EXPR,
    TEST_EXPR,
    BINARY_EXPR,
    RANGE_EXPR,
    IF_EXPR,
    FIRST_OF,
    LIST_EXPR,
    RECORD_EXPR,
    RECORD_ENTRY,
    WORDED_EXPR,
    PAREN_EXPR,
    /// What no rule could take.
    BROKEN,
}

use SyntaxKind::*;

impl SyntaxKind {
    /// Kept in the tree, unseen by the parser.
    pub fn is_trivia(self) -> bool {
        self <= DOC_COMMENT
    }

    /// A token, not a node.
    pub fn is_token(self) -> bool {
        self < EOF
    }

    /// A node that is an expression.
    pub fn is_expr(self) -> bool {
        matches!(
            self,
            LITERAL
                | NAME_EXPR
                | FIELD_EXPR
                | INDEX_EXPR
                | CALL_EXPR
                | NOT_EXPR
                | TEST_EXPR
                | BINARY_EXPR
                | RANGE_EXPR
                | IF_EXPR
                | FIRST_OF
                | LIST_EXPR
                | RECORD_EXPR
                | WORDED_EXPR
                | PAREN_EXPR
        )
    }

    /// What a message calls it.
    pub(crate) fn describe(self) -> Text {
        match self {
            NEWLINE => say!("the end of the line", "行末"),
            IDENT => say!("a name", "名前"),
            KEBAB => say!("a name with hyphens", "ハイフンを含む名前"),
            TEXT => say!("a text", "テキスト"),
            HEREDOC => say!("a heredoc", "ヒアドキュメント"),
            REGEX => say!("a regex", "正規表現"),
            BAD_NUMBER | DECIMAL => say!("a malformed number", "不正な数値"),
            INT => say!("a number", "数値"),
            DATE => say!("a date", "日付"),
            DURATION => say!("a duration", "時間"),
            DOTTED => say!("dotted numbers", "ドット区切りの数値"),
            L_BRACE => Text::quoted("`{`"),
            R_BRACE => Text::quoted("`}`"),
            L_PAREN => Text::quoted("`(`"),
            R_PAREN => Text::quoted("`)`"),
            L_BRACKET => Text::quoted("`[`"),
            R_BRACKET => Text::quoted("`]`"),
            COMMA => Text::quoted("`,`"),
            SEMICOLON => Text::quoted("`;`"),
            COLON => Text::quoted("`:`"),
            DOT => Text::quoted("`.`"),
            QUESTION => Text::quoted("`?`"),
            TILDE => Text::quoted("`~`"),
            EQ => Text::quoted("`=`"),
            EQ_EQ => Text::quoted("`==`"),
            FAT_ARROW => Text::quoted("`=>`"),
            LT => Text::quoted("`<`"),
            LT_EQ => Text::quoted("`<=`"),
            GT => Text::quoted("`>`"),
            GT_EQ => Text::quoted("`>=`"),
            DOT_DOT_LT => Text::quoted("`..<`"),
            DOT_DOT_EQ => Text::quoted("`..=`"),
            FOREIGN => say!("an unknown operator", "未知の演算子"),
            EOF => say!("the end of the file", "ファイルの終わり"),
            _ => say!("something unknown", "不明なもの"),
        }
    }

    fn from_raw(raw: u16) -> SyntaxKind {
        KINDS.get(usize::from(raw)).copied().unwrap_or(BROKEN)
    }
}

/// Every kind at the place of its number, so that a number becomes a kind again without `unsafe`.
static KINDS: [SyntaxKind; BROKEN as usize + 1] = [
    WHITESPACE,
    NEWLINE,
    COMMENT,
    DOC_COMMENT,
    IDENT,
    KEBAB,
    TEXT,
    HEREDOC,
    REGEX,
    BAD_NUMBER,
    INT,
    DATE,
    DURATION,
    DOTTED,
    DECIMAL,
    L_BRACE,
    R_BRACE,
    L_PAREN,
    R_PAREN,
    L_BRACKET,
    R_BRACKET,
    COMMA,
    SEMICOLON,
    COLON,
    DOT,
    QUESTION,
    TILDE,
    EQ,
    EQ_EQ,
    FAT_ARROW,
    LT,
    LT_EQ,
    GT,
    GT_EQ,
    DOT_DOT_LT,
    DOT_DOT_EQ,
    FOREIGN,
    ERROR,
    EOF,
    FILE,
    EDITION,
    MODULE,
    USE,
    TABLE,
    COLUMN,
    ROW,
    SCHEME,
    VENDOR,
    CLASS,
    TAG_ENTRY,
    PARAMS,
    PARAM,
    ATTRIBUTE,
    PROBE,
    PORTS,
    LET,
    SIGNATURE,
    CHOICE,
    MATCH,
    FOLLOW,
    EXTRACT,
    EXTRACT_LINE,
    IDENTIFY,
    COMPONENT,
    DETAILS,
    SUPPORT,
    SLOT,
    TAG_USE,
    EACH_ROW,
    WHEN,
    LINE,
    LABEL,
    ANY,
    ALL,
    NONE,
    AT_LEAST,
    EACH,
    TEST,
    AT,
    GIVEN,
    FILE_FIXTURE,
    FACTS,
    TIMEOUT,
    REFUSED,
    FROM,
    WITH,
    EXPECT,
    EXAMPLE,
    BLOCK,
    NAME,
    NAMES,
    PATH,
    TYPE,
    KEY,
    LITERAL,
    NAME_EXPR,
    FIELD_EXPR,
    INDEX_EXPR,
    CALL_EXPR,
    ARGS,
    ARG,
    NOT_EXPR,
    TEST_EXPR,
    BINARY_EXPR,
    RANGE_EXPR,
    IF_EXPR,
    FIRST_OF,
    LIST_EXPR,
    RECORD_EXPR,
    RECORD_ENTRY,
    WORDED_EXPR,
    PAREN_EXPR,
    BROKEN,
];

/// Ties [`SyntaxKind`] to rowan's trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ksig {}

impl rowan::Language for Ksig {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        SyntaxKind::from_raw(raw.0)
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

/// A node with its place in a file.
pub type SyntaxNode = rowan::SyntaxNode<Ksig>;
/// A token with its place in a file.
pub type SyntaxToken = rowan::SyntaxToken<Ksig>;
/// A node or a token.
pub type SyntaxElement = rowan::SyntaxElement<Ksig>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_its_number() {
        for (number, kind) in KINDS.iter().enumerate() {
            assert_eq!(number, *kind as usize, "{kind:?}");
        }
    }
}
