//! Progress of a scan: a bar on a terminal, a line now and then otherwise.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use ksig_scanner::Progress;

use super::remark;

/// How often a terminal is drawn, and how often a line is written to anything else.
const DRAW_EVERY: Duration = Duration::from_millis(200);
const LINE_EVERY: u32 = 25;

/// Shows progress until it is dropped or the scan ends; await it beside the scan.
pub(super) async fn show(progress: Arc<Progress>) {
    let terminal = std::io::stderr().is_terminal();
    let bar = ProgressBar::hidden();
    if terminal {
        bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} hosts {wide_bar} {msg} {elapsed}") {
            bar.set_style(style);
        }
    }
    let mut ticks = 0;
    loop {
        tokio::time::sleep(DRAW_EVERY).await;
        ticks += 1;
        let line = format!("{} conversations, {} in flight", progress.conversations(), progress.in_flight());
        if terminal {
            bar.set_length(progress.hosts());
            bar.set_position(progress.hosts_done());
            bar.set_message(line);
        } else if ticks % LINE_EVERY == 0 {
            remark(&format!("{}/{} hosts, {line}", progress.hosts_done(), progress.hosts()));
        }
    }
}
