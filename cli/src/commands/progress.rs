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

/// Lines that are drawn anew on a terminal; elsewhere the first of them now and then.
pub(super) struct Screen {
    bar: Option<ProgressBar>,
    quiet: bool,
    shown: u32,
}

/// Elsewhere than on a terminal, one of so many is written.
const SHOWN_EVERY: u32 = 5;

impl Screen {
    /// A quiet one shows remarks alone.
    pub(super) fn new(quiet: bool) -> Screen {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Screen { bar, quiet, shown: 0 }
    }

    pub(super) fn show(&mut self, lines: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(lines.to_string());
                bar.tick();
            }
            None if self.quiet => {}
            None => {
                if self.shown.is_multiple_of(SHOWN_EVERY) {
                    remark(lines.lines().next().unwrap_or_default());
                }
                self.shown += 1;
            }
        }
    }

    /// Says something that stays.
    pub(super) fn remark(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| remark(text)),
            None => remark(text),
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
