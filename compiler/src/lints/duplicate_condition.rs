//! A line that stands twice: see [`LINT`].

use std::collections::BTreeMap;

use ksig_lang::{CodeDoc, Diagnostic, Severity, Span, Text, say};

use super::{Lint, Look, own};
use crate::hir::{Condition, Expr, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "duplicate-condition",
        meaning: Text::new(
            "A line asks what another line of the same group, or of the base, has asked already. It changes nothing, or in `at least 2 of` makes one question count as two. Mostly a line was copied to ask for something else.",
            "同じグループの別の行や基底シグネチャの条件と、同じことを問う行があります。この行は何も変えないか、`at least 2 of`では一つの問いが二つに数えられてしまいます。多くは、別のことを問うつもりで行をコピーしたものです。",
        ),
        bad: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    top.header["server"] contains "acme"
    top.html.title == "ACME router"
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", "header.server": "acme-httpd" }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
        good: r#"
  summary "ACME router"
  match {
    top.html.title == "ACME router"
    top.header["server"] contains "acme"
  }
  identify { vendor = acme; class = router.home }
  test "a page" {
    given top = http { html.title: "ACME router", "header.server": "acme-httpd" }
    expect identify { vendor: acme }
  }
  example "Login" in top.html.title => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let Condition::All(blocks) = &signature.condition else { return };
        // What the base asks stands in another signature, perhaps of another file.
        let inherited = blocks.len() - own::blocks(signature, analysis).len();
        let mut said = Said { signature, found };
        let mut asked = BTreeMap::new();
        for (at, block) in blocks.iter().enumerate() {
            said.together(block, at >= inherited, &mut asked);
        }
    }),
};

/// Questions that were asked, and where, unless in the base.
type Asked = BTreeMap<String, Option<Span>>;

struct Said<'a> {
    signature: &'a Signature,
    found: &'a mut Vec<Diagnostic>,
}

impl Said<'_> {
    /// Lines that must hold with all that was asked.
    fn together(&mut self, condition: &Condition, own: bool, asked: &mut Asked) {
        match condition {
            Condition::Line { expr, .. } => self.parts(expr, true, own, asked),
            Condition::All(lines) => lines.iter().for_each(|line| self.together(line, own, asked)),
            _ => self.apart(condition, own),
        }
    }

    /// A group by itself.
    fn apart(&mut self, condition: &Condition, own: bool) {
        let (Condition::Any(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) | Condition::Each { lines, .. }) = condition
        else {
            return;
        };
        let mut asked = Asked::new();
        for line in lines {
            match line {
                Condition::Line { expr, .. } => self.parts(expr, false, own, &mut asked),
                Condition::All(lines) => {
                    let mut branch = Asked::new();
                    lines.iter().for_each(|line| self.together(line, own, &mut branch));
                }
                _ => self.apart(line, own),
            }
        }
    }

    /// A line; where all lines hold, the sides of `and` are lines too.
    fn parts(&mut self, expr: &Expr, all: bool, own: bool, asked: &mut Asked) {
        if let (Some((a, b)), true) = (own::sides(expr), all) {
            self.parts(a, all, own, asked);
            self.parts(b, all, own, asked);
            return;
        }
        let Some(before) = asked.insert(format!("{:?}", expr.without_places().kind), own.then_some(expr.span)) else { return };
        if !own {
            return;
        }
        let message = say!("this is asked twice", "同じことが二度問われています");
        let mut problem = LINT.finding(self.signature, expr.span, message, say!("again", "二度目"));
        problem = match before {
            Some(first) => problem.label(self.signature.file, first, say!("first here", "最初はここ")),
            None => problem.note(say!("the signature that it refines asks it", "基底シグネチャですでに問われています")),
        };
        self.found
            .push(problem.help(say!("leave the line out, or ask what was meant", "行を削除するか、本来問うべきことに直してください")));
    }
}
