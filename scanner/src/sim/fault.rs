//! The ways in which a simulated device misbehaves, as a closed list with names.
//!
//! What a fault does to the bytes stands in [`super::script`]; here stand only the names, their reach and what they mean.

use serde::{Deserialize, Serialize};

/// Which services a fault can befall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every service.
    Any,
    /// Services over TCP.
    Stream,
    /// Services over UDP.
    Datagrams,
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
    /// Accepts, or is asked, then never sends a byte.
    Silent = "silent", Any;
    /// Accepts and closes at once.
    CloseAtOnce = "close-at-once", Stream;
    /// Resets the connection before the first byte of the answer.
    ResetBeforeBanner = "reset-before-banner", Stream;
    /// Resets the connection in the middle of the answer.
    ResetInBanner = "reset-in-banner", Stream;
    /// Accepts, then reads nothing and sends nothing: what is sent to it fills its window.
    ZeroWindow = "zero-window", Stream;
    /// Resets the connection behind the whole answer.
    ResetAfterBanner = "reset-after-banner", Stream;
    /// Closes in the middle of the answer; an HTTP answer has promised its whole length. A datagram has half of its bytes.
    Truncate = "truncate", Any;
    /// The right answer, one byte a second.
    OneByteASecond = "one-byte-a-second", Stream;
    /// A line a second without end, and never the answer.
    Tarpit = "tarpit", Stream;
    /// Lines end with LF alone.
    LfOnly = "lf-only", Stream;
    /// A body that never ends.
    EndlessBody = "endless-body", Http;
    /// Chunks without a last one.
    ChunkedEndless = "chunked-endless", Http;
    /// Ten megabytes of headers.
    HugeHeaders = "huge-headers", Http;
    /// Headers without end.
    EndlessHeaders = "endless-headers", Http;
    /// A hundred thousand headers.
    ManyHeaders = "many-headers", Http;
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
    /// Redirects to a service of whoever asks.
    RedirectToLoopback = "redirect-to-loopback", Http;
    /// Redirects to the host with the next address.
    RedirectToNeighbour = "redirect-to-neighbour", Http;
    /// Says gzip, sends plain text.
    FalseGzip = "false-gzip", Http;
    /// Some kilobytes of gzip that hold 16 megabytes.
    GzipBomb = "gzip-bomb", Http;
    /// Some kilobytes of deflate that hold 16 megabytes.
    DeflateBomb = "deflate-bomb", Http;
    /// 27 bytes of brotli that hold 16 megabytes.
    BrotliBomb = "brotli-bomb", Http;
    /// Half of a body in gzip, under a length that says no more.
    TruncatedGzip = "truncated-gzip", Http;
    /// Says brotli, sends gzip.
    MislabelledEncoding = "mislabelled-encoding", Http;
    /// Says UTF-8, sends a title in Shift_JIS.
    FalseCharset = "false-charset", Http;
    /// Plain HTTP on the TLS port.
    PlainOnTls = "plain-on-tls", Tls;
    /// Answers the hello with an alert.
    TlsAlert = "tls-alert", Tls;
    /// A hello whose length goes far beyond its record, and a record longer than any may be.
    TlsBogusLengths = "tls-bogus-lengths", Tls;
    /// A certificate of one megabyte.
    TlsHugeCertificate = "tls-huge-certificate", Tls;
    /// A chain of 500 certificates.
    TlsLongChain = "tls-long-chain", Tls;
    /// A certificate whose DER is nonsense.
    TlsMalformedCertificate = "tls-malformed-certificate", Tls;
    /// A greeting line of 64 kilobytes.
    LongLine = "long-line", Greeting;
    /// Telnet options, asked again and again without end.
    OptionLoop = "option-loop", Greeting;
    /// The right answer, from another port than the one that was asked.
    AnswerFromAnotherPort = "answer-from-another-port", Datagrams;
    /// Every answer a hundred times.
    HundredAnswers = "hundred-answers", Datagrams;
    /// Every answer twice.
    AnsweredTwice = "answered-twice", Datagrams;
    /// The first datagram of a peer is lost; the second is answered.
    LostDatagram = "lost-datagram", Datagrams;
    /// The right answer, when nobody waits for it any more.
    LateAnswer = "late-answer", Datagrams;
    /// 60 kilobytes of BER, each element inside another.
    BerBomb = "ber-bomb", Datagrams;
}

impl Fault {
    /// Whether it can befall that service.
    pub fn befalls(self, service: &crate::ports::ServiceName) -> bool {
        match self.reach() {
            Reach::Any => true,
            Reach::Stream => service.over_tcp(),
            Reach::Datagrams => service.over_udp(),
            Reach::Http => service.root() == "http",
            Reach::Greeting => service.root() != "http" && service.over_tcp(),
            Reach::Tls => service.tls(),
        }
    }
}
