//! TLS: version, cipher suite and certificate that a server answers to a hello.
//!
//! In: records as they came, in clear. Out: facts under `tls`. The handshake is whole when the certificate came, or when the server said
//! that its turn is over.
//!
//! The talk itself is held over plain TCP: it is the beginning of a TLS connection, not a talk inside one.
//!
//! ksig says one ClientHello of TLS 1.2, reads, and closes. No key is exchanged, so there is no cryptography here; up to TLS 1.2 the
//! certificate travels in clear. Certificates are facts: expired, self-signed and short keys are normal. Nothing is verified.

mod certificate;
mod hello;
mod jarm;
mod name;
mod records;

use md5::{Digest, Md5};

use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::conversation::{Conversation, Limits, Peer, PeerState, Step};
use crate::protocol::{Decoded, Protocol};
use records::Flight;

ksig_schema::fields! {
    /// Version that the server chose: `SSLv3`, `TLSv1.0`, `TLSv1.1`, `TLSv1.2`; others as their number. Never `TLSv1.3`, which is not
    /// offered.
    ///
    /// Source: RFC 5246 section 7.4.1.3. Example: `TLSv1.2`.
    VERSION: Text = "tls.version";

    /// Cipher suite that the server chose, by its name in the IANA registry; others as their number, `0x1302`.
    ///
    /// Source: RFC 5246 section 7.4.1.3. Example: `TLS_RSA_WITH_AES_128_CBC_SHA`.
    CIPHER: Text = "tls.cipher";

    /// JA3S: MD5 of the version, the cipher suite and the extensions that the server chose, which tells its software apart. It is of ksig's own
    /// hello, and comparable with that of the same offers alone.
    ///
    /// Absent when it chose nothing.
    /// Source: <https://github.com/salesforce/ja3>. Example: 16 bytes.
    JA3S: Hash = "tls.ja3s";

    /// First alert that the server sent, by its name; unknown ones by their number.
    ///
    /// Absent when it sent none.
    /// Source: RFC 5246 section 7.2. Example: `handshake_failure`.
    ALERT: Text = "tls.alert";

    /// Name of whom the server's certificate was made for, most specific part first.
    ///
    /// Absent when it is empty.
    /// Source: RFC 5280 section 4.1.2.6, RFC 4514. Example: `CN=192.168.0.1,O=ACME\, Inc.,C=JP`.
    SUBJECT: Text = "tls.cert.subject";

    /// Most specific common name of the subject.
    ///
    /// Source: RFC 5280 section 4.1.2.6. Example: `192.168.0.1`.
    SUBJECT_CN: Text = "tls.cert.subject.cn";

    /// Organisation of the subject.
    ///
    /// Source: RFC 5280 section 4.1.2.6. Example: `ACME, Inc.`.
    SUBJECT_O: Text = "tls.cert.subject.o";

    /// Organisational units of the subject, as in its text.
    ///
    /// Source: RFC 5280 section 4.1.2.6. Example: `Routers`.
    SUBJECT_OU: Text = "tls.cert.subject.ou", many;

    /// Name of who made the server's certificate, most specific part first.
    ///
    /// Absent when it is empty.
    /// Source: RFC 5280 section 4.1.2.4, RFC 4514. Example: `CN=ACME CA,O=ACME\, Inc.`.
    ISSUER: Text = "tls.cert.issuer";

    /// Most specific common name of the issuer.
    ///
    /// Source: RFC 5280 section 4.1.2.4. Example: `ACME CA`.
    ISSUER_CN: Text = "tls.cert.issuer.cn";

    /// Organisation of the issuer.
    ///
    /// Source: RFC 5280 section 4.1.2.4. Example: `ACME, Inc.`.
    ISSUER_O: Text = "tls.cert.issuer.o";

    /// Alternative names of the subject in order: host names, addresses, mail addresses and URIs. At most 256.
    ///
    /// Source: RFC 5280 section 4.2.1.6. Example: `router.example`.
    SAN: Text = "tls.cert.san", many;

    /// First day on which the certificate is valid, in UTC.
    ///
    /// Source: RFC 5280 section 4.1.2.5. Example: `2020-01-01`.
    NOT_BEFORE: Date = "tls.cert.not_before";

    /// Last day on which the certificate is valid, in UTC.
    ///
    /// Source: RFC 5280 section 4.1.2.5. Example: `2030-01-01`.
    NOT_AFTER: Date = "tls.cert.not_after";

    /// Whether issuer and subject are equal. The signature is not verified.
    ///
    /// Absent when both are empty.
    /// Source: RFC 5280 section 3.2. Example: `true`.
    SELF_SIGNED: Bool = "tls.cert.self_signed";

    /// Serial number of the certificate in lower-case hexadecimal.
    ///
    /// Source: RFC 5280 section 4.1.2.2. Example: `00c0ffee`.
    SERIAL: Text = "tls.cert.serial", redact;

    /// SHA-256 of the certificate.
    ///
    /// Source: FIPS 180-4.
    SHA256: Hash = "tls.cert.sha256", machine(Certificate);

    /// SHA-1 of the certificate, by which others look it up.
    ///
    /// Source: FIPS 180-4.
    SHA1: Hash = "tls.cert.sha1";

    /// Size of the certificate's key in bits.
    ///
    /// Absent for keys other than RSA, elliptic curve and Edwards curve ones.
    /// Source: RFC 3279 section 2.3. Example: `1024`.
    KEY_BITS: Int = "tls.cert.key_bits";

    /// How many certificates the server sent.
    ///
    /// Absent when the last of them did not come.
    /// Source: RFC 5246 section 7.4.2. Example: `1`.
    CHAIN_LENGTH: Int = "tls.chain_length";

    /// JARM hash: how the server chooses among the offers of ten hellos. Filled by `tls.jarm()` alone.
    ///
    /// Absent when it refused them all. A connection that failed counts as a refusal.
    /// Source: <https://github.com/salesforce/jarm>. Example: 62 hexadecimal digits, `29d29d15d29d29d...`.
    JARM: Text = "tls.jarm";
}

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "tls.hello",
        root: "tls",
        never_fills: &["tls.jarm"],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: &[],
        tls_ports: &[443, 465, 563, 636, 990, 992, 993, 995, 4443, 8443, 9443],
        inside_tls: true,
        doc: "Says one ClientHello of TLS 1.2 without a server name, reads the certificate, which is in clear, and closes before any key is \
          exchanged. RFC 5246 section 7.3.",
    },
    ConstructorDef {
        name: "tls.jarm",
        root: "tls",
        never_fills: &["tls.version", "tls.cipher", "tls.ja3s", "tls.alert", "tls.cert", "tls.chain_length"],
        parameters: &[],
        safety: Safety::Review,
        delivery: Delivery::StreamEach,
        ports: &[],
        tls_ports: &[443, 4443, 8443, 9443],
        inside_tls: true,
        doc: "Says ten ClientHellos of odd shapes, each over a connection of its own, and reads which cipher suite, version and extensions the \
              server chooses. No key is exchanged. No normal client does so, so this needs an attestation.",
    },
];

/// TLS.
pub static PROTOCOL: Protocol = Protocol { name: "tls", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: None };

/// Bounds of one hello and its answer: the longest chain that is read, with its records.
const LIMITS: Limits = Limits { response_bytes_max: 160 * 1024, first_byte_ms: 10_000, silence_ms: 5_000, total_ms: 15_000 };

/// Versions that servers choose.
const VERSIONS: &[(u16, &str)] = &[(0x0300, "SSLv3"), (0x0301, "TLSv1.0"), (0x0302, "TLSv1.1"), (0x0303, "TLSv1.2")];

/// Alerts of RFC 5246 section 7.2 and of RFC 6066 section 9.
const ALERTS: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (47, "illegal_parameter"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (112, "unrecognized_name"),
    (120, "no_application_protocol"),
];

fn begin(constructor: &ConstructorDef, _: &str, peer: &Peer) -> Box<dyn Conversation> {
    if constructor.name == "tls.jarm" {
        return jarm::begin(peer);
    }
    Box::new(Exchange { hello: Some(hello::client_hello(peer)), flight: Flight::default() })
}

struct Exchange {
    /// Taken when it was sent.
    hello: Option<Vec<u8>>,
    flight: Flight,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if let Some(hello) = self.hello.take() {
            return Step::Send(hello);
        }
        self.flight.look(received);
        if self.flight.over || state != PeerState::Open { Step::Done } else { Step::Read }
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn ended(&self, _: &[u8], state: PeerState) -> Ended {
        match state {
            _ if self.flight.whole => Ended::Complete,
            _ if self.flight.alert.is_some() => Ended::TlsAlert,
            PeerState::Closed => Ended::Eof,
            PeerState::Open => Ended::Complete,
            PeerState::Silent => Ended::Timeout,
        }
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    // An alert of two bytes, or a ServerHello, in a record of version 3.
    matches!(bytes, [21, 3, 0..=4, 0, 2, ..] | [22, 3, 0..=4, _, _, 2, ..])
}

fn decode(probe: &ProbeKey, _: Ended, received: &[u8]) -> Decoded {
    if probe.constructor == "tls.jarm" {
        return decode_jarm(received);
    }
    let mut flight = Flight::default();
    flight.look(received);
    flight.finish();
    let mut facts = Facts::default();
    if let Some((version, cipher)) = flight.chosen {
        facts.push(&VERSION, Value::Text(named(VERSIONS, version)));
        facts.push(&CIPHER, Value::Text(named(hello::CIPHERS, cipher)));
        facts.push(&JA3S, Value::Bytes(ja3s(version, cipher, &flight.extensions)));
    }
    if let Some((_, description)) = flight.alert {
        let name = ALERTS.iter().find(|(known, _)| *known == description);
        facts.push(&ALERT, Value::Text(name.map_or_else(|| description.to_string(), |(_, name)| name.to_string())));
    }
    let chain = flight.certificates.as_deref().map(records::chain).unwrap_or_default();
    if let Some(own) = chain.first() {
        certificate::push_facts(&mut facts, own);
    }
    if flight.whole && flight.certificates.is_some() {
        facts.push(&CHAIN_LENGTH, Value::Int(i64::try_from(chain.len()).unwrap_or(i64::MAX)));
    }
    Decoded { complete: if flight.whole { Sections::ALL } else { Sections::default() }, facts }
}

/// `771,49199,65281-0-11` in MD5.
fn ja3s(version: u16, cipher: u16, extensions: &[u16]) -> Vec<u8> {
    let extensions = extensions.iter().map(u16::to_string).collect::<Vec<_>>().join("-");
    Md5::digest(format!("{version},{cipher},{extensions}")).to_vec()
}

fn decode_jarm(received: &[u8]) -> Decoded {
    let answers = jarm::answers(received);
    let mut decoded = Decoded::default();
    if let Some(hash) = jarm::fingerprint(&answers) {
        decoded.facts.push(&JARM, Value::Text(hash));
    }
    decoded.complete = if answers.len() == jarm::HELLOS { Sections::ALL } else { Sections::default() };
    decoded
}

fn named(names: &[(u16, &str)], number: u16) -> String {
    names.iter().find(|(known, _)| *known == number).map_or_else(|| format!("{number:#06x}"), |(_, name)| name.to_string())
}

/// Parts of subject and issuer, and whether they are equal.
fn derive(facts: &mut Facts) {
    let subject_parts: [(&str, &'static FieldDef); 3] = [("CN", &SUBJECT_CN), ("O", &SUBJECT_O), ("OU", &SUBJECT_OU)];
    let issuer_parts: [(&str, &'static FieldDef); 2] = [("CN", &ISSUER_CN), ("O", &ISSUER_O)];
    derive_parts(facts, &SUBJECT, &subject_parts);
    derive_parts(facts, &ISSUER, &issuer_parts);
    if let (Some(subject), Some(issuer)) = (facts.text(SUBJECT.name), facts.text(ISSUER.name)) {
        let equal = subject == issuer;
        facts.push(&SELF_SIGNED, Value::Bool(equal));
    }
}

fn derive_parts(facts: &mut Facts, name: &FieldDef, parts: &[(&str, &'static FieldDef)]) {
    let attributes = facts.text(name.name).map(name::attributes).unwrap_or_default();
    for (part, field) in parts {
        let given = !facts.get(field.name, None).is_empty();
        for (_, value) in attributes.iter().filter(|(name, _)| name == part && !given) {
            facts.push(field, Value::text(value));
        }
    }
}

#[cfg(test)]
mod tests;
