//! From events to the lossless tree.
//!
//! Trivia stands outside the nodes as far as it can: a node starts with its first token and ends with its last one, so its range is what
//! a message underlines. A doc comment therefore stands before the item that it describes.

use rowan::{GreenNode, GreenNodeBuilder, Language, NodeCache};

use crate::{
    parser::Event,
    source::Span,
    syntax::{Ksig, SyntaxKind},
};

/// The tree of one part, under a root of its own.
pub(crate) fn build(text: &str, tokens: &[(SyntaxKind, Span)], mut events: Vec<Event>, shared: &mut NodeCache) -> GreenNode {
    let mut sink = Sink { text, tokens, at: 0, builder: GreenNodeBuilder::with_cache(shared) };
    let mut depth = 0;
    let mut chain = Vec::new();
    for index in 0..events.len() {
        match std::mem::replace(&mut events[index], Event::Token) {
            // The root takes all trivia; a finished forward parent was started with its child and left `None` behind.
            Event::Start { kind, forward } => {
                if depth > 0 {
                    sink.trivia();
                }
                chain.push(kind);
                let mut next = forward;
                while let Some(parent) = next {
                    next = match std::mem::replace(&mut events[parent], Event::Start { kind: SyntaxKind::EOF, forward: None }) {
                        Event::Start { kind, forward } => {
                            chain.push(kind);
                            forward
                        }
                        Event::Token | Event::Finish => None,
                    };
                }
                for kind in chain.drain(..).rev().filter(|kind| *kind != SyntaxKind::EOF) {
                    sink.builder.start_node(Ksig::kind_to_raw(kind));
                    depth += 1;
                }
            }
            Event::Token => {
                sink.trivia();
                sink.token();
            }
            Event::Finish => {
                depth -= 1;
                if depth == 0 {
                    sink.trivia();
                }
                sink.builder.finish_node();
            }
        }
    }
    sink.builder.finish()
}

struct Sink<'t, 'c> {
    text: &'t str,
    tokens: &'t [(SyntaxKind, Span)],
    at: usize,
    builder: GreenNodeBuilder<'c>,
}

impl Sink<'_, '_> {
    fn trivia(&mut self) {
        while self.tokens.get(self.at).is_some_and(|(kind, _)| kind.is_trivia() || *kind == SyntaxKind::ERROR) {
            self.token();
        }
    }

    fn token(&mut self) {
        if let Some((kind, span)) = self.tokens.get(self.at) {
            self.builder.token(Ksig::kind_to_raw(*kind), &self.text[span.start as usize..span.end as usize]);
            self.at += 1;
        }
    }
}
