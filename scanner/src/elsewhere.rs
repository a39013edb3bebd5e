//! What is asked of a service on a port where another one was expected: SSH on 8443, plain HTTP on a port for TLS.
//!
//! In: a plan; the first answer of a port. Out: the calls that the plan has for the protocol that answered, which take the place of what was
//! left to ask there. Absent when the answer is of the protocol that was asked, or of none that is known.

use std::collections::BTreeMap;

use ksig_protocols::{recognisable, recognise};
use ksig_schema::{ConstructorDef, Delivery, Ended, Observation, ProbePlan, Request, Schema};

use crate::calls::{Call, Carrier, PortCalls, TLS, carrier_inside_tls, protocol};

/// Most conversations with a service that was recognised, follow-ups not counted.
pub(crate) const CALLS_MAX: usize = 8;

/// The calls of a plan by protocol, wherever it is spoken.
pub(crate) struct Elsewhere {
    /// Outside TLS, but for the probes of TLS itself.
    plain: BTreeMap<&'static str, PortCalls>,
    /// Protocols that are spoken inside TLS.
    inside_tls: BTreeMap<&'static str, PortCalls>,
}

impl Elsewhere {
    pub fn new(plan: &ProbePlan, schema: &Schema) -> Elsewhere {
        let mut elsewhere = Elsewhere { plain: BTreeMap::new(), inside_tls: BTreeMap::new() };
        for planned in &plan.probes {
            let known = schema.constructor(planned.request.constructor()).filter(|constructor| constructor.delivery == Delivery::Stream);
            let Some(constructor) = known else { continue };
            let name = constructor.protocol();
            let outside = if name == TLS { Carrier::TlsRecords } else { Carrier::Plain };
            add(&mut elsewhere.plain, constructor, &planned.request, planned.follow_up, outside);
            if constructor.inside_tls {
                add(&mut elsewhere.inside_tls, constructor, &planned.request, planned.follow_up, carrier_inside_tls(constructor));
            }
        }
        elsewhere
    }

    /// What takes the place of the calls of `port` after the answer to its first one. `first_bytes`: what came before TLS, where TLS was
    /// spoken and failed.
    pub fn instead(&self, port: &PortCalls, asked: &Call, answer: &Observation, first_bytes: &[u8]) -> Option<PortCalls> {
        let came = if asked.carrier == Carrier::InsideTls { first_bytes } else { answer.received.as_slice() };
        let waited = matches!(answer.ended, Ended::Complete | Ended::Eof | Ended::Timeout);
        let speaks = recognise(came, waited)?;
        let expected = protocol_of(asked);
        let carrier_fits = (asked.carrier == Carrier::Plain) == (speaks != TLS);
        if carrier_fits && (speaks == expected || !recognisable(expected) && ksig_protocols::decode(answer).answered()) {
            return None;
        }
        let mut calls = if speaks == TLS {
            // A failed handshake of ours says nothing new about a service that does speak TLS.
            if asked.carrier != Carrier::Plain {
                return None;
            }
            self.inside(expected)?
        } else {
            self.plain.get(speaks)?.clone()
        };
        calls.port = port.port;
        calls.first.truncate(CALLS_MAX);
        Some(calls)
    }

    /// The probes of TLS, and those of the protocol that was expected outside it.
    fn inside(&self, expected: &str) -> Option<PortCalls> {
        let parts = [self.plain.get(TLS), self.inside_tls.get(expected)];
        parts.into_iter().flatten().cloned().reduce(|mut all, more| {
            all.first.extend(more.first);
            all.follow_ups.extend(more.follow_ups);
            all
        })
    }
}

fn protocol_of(call: &Call) -> &str {
    call.probe.constructor.split('.').next().unwrap_or_default()
}

fn add(
    by_protocol: &mut BTreeMap<&'static str, PortCalls>,
    constructor: &'static ConstructorDef,
    request: &Request,
    follow_up: bool,
    carrier: Carrier,
) {
    let none = || PortCalls { port: 0, first: Vec::new(), follow_ups: Vec::new() };
    let calls = by_protocol.entry(protocol(constructor)).or_insert_with(none);
    match request {
        Request::Exactly(key) if !follow_up => calls.first.push(Call { probe: key.clone(), carrier, named: false }),
        request => calls.follow_ups.push((request.clone(), carrier)),
    }
}

#[cfg(test)]
mod tests {
    use ksig_schema::{PlannedProbe, Safety, Time, Transport};

    use super::*;

    fn instead(expected: &str, carrier: Carrier, answer: &[u8], first_bytes: &[u8]) -> Option<Vec<String>> {
        let planned = |probe: &str| PlannedProbe {
            request: Request::Exactly(probe.parse().expect(probe)),
            ports: Vec::new(),
            any_tls: false,
            follow_up: false,
            safety: Safety::Benign,
        };
        let probes = [
            "ftp.banner()",
            "http.favicon()",
            "http.get(\"/\")",
            "ipp.printer_attributes()",
            "smtp.banner()",
            "ssh.banner()",
            "tls.hello()",
        ];
        let plan = ProbePlan { probes: probes.map(planned).to_vec() };
        let probe: ksig_schema::ProbeKey = expected.parse().expect(expected);
        let asked = Call { probe: probe.clone(), carrier, named: false };
        let answer = Observation {
            id: String::new(),
            host: String::new(),
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 1,
            transport: Transport::Tcp,
            probe,
            sent: String::new(),
            received: answer.to_vec(),
            ended: Ended::Complete,
            time: Time::UNIX_EPOCH,
        };
        let port = PortCalls { port: 1, first: vec![asked.clone()], follow_ups: Vec::new() };
        let calls = Elsewhere::new(&plan, &ksig_protocols::schema()).instead(&port, &asked, &answer, first_bytes)?;
        Some(calls.first.iter().map(|call| format!("{} {:?}", call.probe, call.carrier)).collect())
    }

    fn asks(found: Option<Vec<String>>, wanted: &[&str]) {
        assert_eq!(found.unwrap_or_default(), wanted);
    }

    #[test]
    fn another_protocol_gets_its_own_probes() {
        asks(instead("http.get(\"/\")", Carrier::Plain, b"SSH-2.0-x\r\n", b""), &["ssh.banner() Plain"]);
        asks(instead("ftp.banner()", Carrier::Plain, b"220 mx ESMTP\r\n", b""), &["smtp.banner() Plain"]);
        asks(instead("ssh.banner()", Carrier::Plain, b"220 FTP ready\r\n", b""), &["ftp.banner() Plain"]);
        let web = ["http.favicon() Plain", "http.get(\"/\") Plain"];
        asks(instead("http.get(\"/\")", Carrier::InsideTls, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"), &web);
        asks(instead("tls.hello()", Carrier::TlsRecords, b"HTTP/1.1 400 Bad Request\r\n\r\n", b""), &web);
        let inside = ["tls.hello() TlsRecords", "http.favicon() InsideTls", "http.get(\"/\") InsideTls"];
        asks(instead("http.get(\"/\")", Carrier::Plain, b"\x15\x03\x01\x00\x02\x02\x0a", b""), &inside);
    }

    #[test]
    fn the_expected_protocol_and_the_unknown_change_nothing() {
        asks(instead("http.get(\"/\")", Carrier::Plain, b"HTTP/1.1 200 OK\r\n\r\n", b""), &[]);
        asks(instead("ipp.printer_attributes()", Carrier::Plain, b"HTTP/1.1 404 x\r\n\r\n", b""), &[]);
        asks(instead("ftp.banner()", Carrier::Plain, b"220 ready\r\n", b""), &[]);
        asks(instead("http.get(\"/\")", Carrier::InsideTls, b"", b"\x15\x03\x01\x00\x02\x02\x28"), &[]);
        asks(instead("tls.hello()", Carrier::TlsRecords, b"\x15\x03\x01\x00\x02\x02\x28", b""), &[]);
        // POP3 is not in the plan.
        asks(instead("http.get(\"/\")", Carrier::Plain, b"+OK ready\r\n", b""), &[]);
    }
}
