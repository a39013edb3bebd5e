//! The ways in which a simulated device misbehaves, as a closed list with names.
//!
//! What a fault does to the bytes stands in [`super::script`]; here stand only the names, their reach and what they mean.

use serde::{Deserialize, Serialize};

/// Which services a fault can befall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every service.
    Any,
    /// Services that answer requests: `http`, `https`.
    Http,
    /// Services that greet first: `ssh`, `ftp`, `telnet`, `smtp`, `rtsp` and the like.
    Greeting,
    /// Services inside TLS.
    Tls,
}

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident = $name:literal, $reach:ident;)+) => {
        /// One way of misbehaving.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Fault {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $fault,)+
        }

        impl Fault {
            /// Every fault, in the order of the documentation.
            pub const ALL: &'static [Fault] = &[$(Fault::$fault),+];

            /// Its name in population files: `one-byte-a-second`.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name,)+ }
            }

            /// Which services it can befall.
            pub fn reach(self) -> Reach {
                match self { $(Fault::$fault => Reach::$reach,)+ }
            }
        }
    };
}

faults! {
    /// Accepts, then never sends a byte.
    Silent = "silent", Any;
    /// Accepts and closes at once.
    CloseAtOnce = "close-at-once", Any;
    /// Resets the connection before the first byte of the answer.
    ResetBeforeBanner = "reset-before-banner", Any;
    /// Resets the connection in the middle of the answer.
    ResetInBanner = "reset-in-banner", Any;
    /// Closes in the middle of the answer; an HTTP answer has promised its whole length.
    Truncate = "truncate", Any;
    /// The right answer, one byte a second.
    OneByteASecond = "one-byte-a-second", Any;
    /// A line a second without end, and never the answer.
    Tarpit = "tarpit", Any;
    /// Lines end with LF alone.
    LfOnly = "lf-only", Any;
    /// A body that never ends.
    EndlessBody = "endless-body", Http;
    /// Chunks without a last one.
    ChunkedEndless = "chunked-endless", Http;
    /// Ten megabytes of headers.
    HugeHeaders = "huge-headers", Http;
    /// The body without a status line or headers.
    Http09 = "http-0.9", Http;
    /// Two lengths that contradict each other.
    TwoLengths = "two-lengths", Http;
    /// A length of -1.
    NegativeLength = "negative-length", Http;
    /// A length that overflows 64 bits.
    HugeLength = "huge-length", Http;
    /// A header that goes on in the next line.
    ObsFold = "obs-fold", Http;
    /// NUL bytes inside a header.
    NulInHeader = "nul-in-header", Http;
    /// The status line begins with `ICY`.
    Icy = "icy", Http;
    /// The status is 999.
    Status999 = "status-999", Http;
    /// `100 Continue` without end.
    ContinueFlood = "continue-flood", Http;
    /// Every path redirects to another path of the same host, without end.
    RedirectLoop = "redirect-loop", Http;
    /// Redirects to another host.
    RedirectElsewhere = "redirect-elsewhere", Http;
    /// Says gzip, sends plain text.
    FalseGzip = "false-gzip", Http;
    /// Some kilobytes of gzip that hold 16 megabytes.
    GzipBomb = "gzip-bomb", Http;
    /// Plain HTTP on the TLS port.
    PlainOnTls = "plain-on-tls", Tls;
    /// Answers the hello with an alert.
    TlsAlert = "tls-alert", Tls;
    /// A greeting line of 64 kilobytes.
    LongLine = "long-line", Greeting;
    /// Telnet options, asked again and again without end.
    OptionLoop = "option-loop", Greeting;
}

impl Fault {
    /// Whether it can befall that service.
    pub fn befalls(self, service: &crate::ports::ServiceName) -> bool {
        match self.reach() {
            Reach::Any => true,
            Reach::Http => service.root() == "http",
            Reach::Greeting => service.root() != "http",
            Reach::Tls => service.tls(),
        }
    }
}
