//! A signature that waits for an answer to what nobody asks: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};

use super::{Lint, Look};
use crate::hir::{Asks, Condition, Expr, ExprKind, Probe, Signature};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unreachable-by-plan",
        meaning: Text::new(
            "No probe that a release may send can make this signature match: `[policy]` of `ksig.toml` does not allow what it asks, or its probe names no port. A scan never identifies anything by it, and nothing else says so but `ksig plan`. A probe that says `safety review` or `requires policy.x` itself is left alone: its author knows. So are answers that another tool was given (`foreign`).",
            "リリースが送れるどのプローブでも、このシグネチャは該当しません。`ksig.toml`の`[policy]`で許可されていないか、プローブにポートの指定がありません。スキャンで何かを特定することはなく、それは`ksig plan`でしか分かりません。プローブ自身に`safety review`や`requires policy.x`とあるものは、作者が承知しているので対象外です。他のツールが得た応答（`foreign`）も対象外です。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe media = rtsp.describe("/")

signature one {
  summary "ACME camera by its description"
  match { media.header["server"] == "ACME-CAM" }
  identify { vendor = acme }
  example "ACME-CAM" in media.header["server"] => { vendor: acme }
  example "Login" in media.header["server"] => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe media = rtsp.describe("/") { safety review }

signature one {
  summary "ACME camera by its description"
  match { media.header["server"] == "ACME-CAM" }
  identify { vendor = acme }
  example "ACME-CAM" in media.header["server"] => { vendor: acme }
  example "Login" in media.header["server"] => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Ruled(|analysis, rules, found| {
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            let closed: Vec<bool> = signature.probes.iter().map(|probe| is_closed(probe, signature, &rules.policy)).collect();
            if !closed.contains(&true) || can_hold(&signature.condition, &closed) {
                continue;
            }
            let used = signature.used_probes();
            let Some(probe) = used.iter().find(|id| closed[**id as usize]).map(|id| signature.probe(*id)) else { continue };
            if says_so(analysis, probe) {
                continue;
            }
            let (name, text) = (&signature.name, &probe.text);
            let message = say!("no scan can make `{name}` match", "`{name}`はどのスキャンでも該当しません");
            let label = match rules.policy.allows(probe.safety, &probe.requires) {
                true => say!("on no port", "ポートの指定がありません"),
                false => say!("a release may not send {text}", "リリースは{text}を送れません"),
            };
            let help = say!(
                "allow it in `[policy]` of ksig.toml, say `{{ safety review }}` at the probe, or name its ports",
                "ksig.tomlの`[policy]`で許可するか、プローブに`{{ safety review }}`かポートを書いてください"
            );
            // A probe may be imported.
            let span = if probe.file == signature.file { probe.span } else { signature.name_span };
            found.push((number, LINT.finding(signature, span, message, label).help(help)));
        }
    }),
};

/// Whether no release under that policy sends it. A follow is as closed as what leads to it.
fn is_closed(probe: &Probe, signature: &Signature, policy: &ksig_schema::Policy) -> bool {
    if !probe.asks.is_sent() {
        return false;
    }
    let refused = !policy.allows(probe.safety, &probe.requires);
    let nowhere = probe.hop == 0 && probe.ports.is_empty() && !probe.any_tls;
    let led_nowhere = match &probe.asks {
        Asks::Named { from, .. } => {
            let mut closed = false;
            from.walk(&mut |expr| {
                if let ExprKind::Field(field) = &expr.kind {
                    let source = signature.probe(field.probe);
                    closed |= source.asks.is_sent() && !policy.allows(source.safety, &source.requires);
                }
            });
            closed
        }
        Asks::Exactly(_) => false,
    };
    refused || nowhere || led_nowhere
}

/// Whether the author wrote at the probe that it needs more than every scan does.
fn says_so(analysis: &crate::Analysis, probe: &Probe) -> bool {
    let text = analysis.sources.get(probe.file).map_or("", |source| source.text.as_str());
    let written = text.get(probe.span.start as usize..probe.span.end as usize).unwrap_or_default();
    !probe.requires.is_empty() || written.contains("safety")
}

/// Whether a condition can be true while the closed probes are never answered: a line that reads one is false (V1), and so is an absence,
/// which needs proof (V3).
fn can_hold(condition: &Condition, closed: &[bool]) -> bool {
    let holds = |line: &Condition| can_hold(line, closed);
    match condition {
        Condition::Line { expr, .. } => line_can_hold(expr, closed),
        Condition::All(lines) => lines.iter().all(holds),
        Condition::Any(lines) => lines.iter().any(holds),
        Condition::None(_) => !reads(condition, closed),
        Condition::AtLeast(count, lines) => lines.iter().filter(|line| holds(line)).count() >= *count as usize,
        Condition::Each { list, lines, .. } => line_can_hold(list, closed) && lines.iter().all(holds),
    }
}

fn line_can_hold(expr: &Expr, closed: &[bool]) -> bool {
    match &expr.kind {
        ExprKind::And(a, b) => line_can_hold(a, closed) && line_can_hold(b, closed),
        ExprKind::Or(a, b) => line_can_hold(a, closed) || line_can_hold(b, closed),
        _ => {
            let mut reads = false;
            expr.walk(&mut |expr| reads |= matches!(&expr.kind, ExprKind::Field(field) if closed[field.probe as usize]));
            !reads
        }
    }
}

fn reads(condition: &Condition, closed: &[bool]) -> bool {
    let mut reads = false;
    condition.walk(&mut |expr| reads |= matches!(&expr.kind, ExprKind::Field(field) if closed[field.probe as usize]));
    reads
}
