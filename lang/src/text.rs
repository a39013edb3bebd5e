//! What is said to people, in both languages of the tool, written side by side where it is said.
//!
//! [`say!`](crate::say) makes a [`Text`]; whoever shows it picks with [`Text::in_lang`]. Nothing is looked up and nothing can be left
//! untranslated: a text that only one language has does not compile.

use std::borrow::Cow;

/// A language of the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// A sentence, or a part of one, in both languages. Empty where there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// English.
    pub en: Cow<'static, str>,
    /// Japanese.
    pub ja: Cow<'static, str>,
}

impl Text {
    /// A fixed text, also where constants stand.
    pub const fn new(en: &'static str, ja: &'static str) -> Self {
        Text { en: Cow::Borrowed(en), ja: Cow::Borrowed(ja) }
    }

    /// No text.
    pub const NONE: Text = Text::new("", "");

    /// What reads the same in both languages: a piece of source, or the words of a library's error.
    pub fn quoted(words: impl Into<Cow<'static, str>>) -> Self {
        let words = words.into();
        Text { en: words.clone(), ja: words }
    }

    /// The text in a language.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Ja => &self.ja,
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }
}

/// A [`Text`] of two format strings. Values stand in both by their names; texts that differ by language are named after a `;`.
///
/// ```
/// use ksig_lang::{Lang, say};
/// let what = say!("module", "モジュール");
/// let written = "vocab.x";
/// let text = say!("there is no {what} `{written}` here", "ここに{what}`{written}`はありません"; what);
/// assert_eq!(text.in_lang(Lang::En), "there is no module `vocab.x` here");
/// assert_eq!(text.in_lang(Lang::Ja), "ここにモジュール`vocab.x`はありません");
/// ```
#[macro_export]
macro_rules! say {
    ($en:literal, $ja:literal $(; $($text:ident),+)?) => {
        $crate::Text {
            en: { $($(let $text = &$text.en;)+)? $crate::text::formatted(::std::format_args!($en)) },
            ja: { $($(let $text = &$text.ja;)+)? $crate::text::formatted(::std::format_args!($ja)) },
        }
    };
}

/// A fixed text costs nothing: the parser names what it expects for every token and rarely says it.
#[doc(hidden)]
pub fn formatted(text: std::fmt::Arguments<'_>) -> Cow<'static, str> {
    match text.as_str() {
        Some(fixed) => Cow::Borrowed(fixed),
        None => Cow::Owned(text.to_string()),
    }
}
