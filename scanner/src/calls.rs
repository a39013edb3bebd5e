//! What is asked on which port: the plan's probes dealt to the ports of a scan.
//!
//! In: a plan, ports and the schema that knows the probes' constructors. Out: [`PortCalls`], one a port.

use std::collections::BTreeSet;

use ksig_schema::probe::ArgumentKind;
use ksig_schema::{ConstructorDef, Delivery, PlannedProbe, ProbeKey, ProbePlan, Request, Schema, Transport};

use crate::ports::{PortUse, ServiceName};

/// What carries a probe's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Plain TCP.
    Plain,
    /// Inside TLS.
    InsideTls,
    /// TLS records over plain TCP, which the probe writes and reads itself.
    TlsRecords,
    /// The same, with a connection for each message.
    TlsRecordsEach,
    /// UDP.
    Datagrams,
}

impl Carrier {
    pub fn transport(self) -> Transport {
        match self {
            Carrier::Plain => Transport::Tcp,
            Carrier::InsideTls | Carrier::TlsRecords | Carrier::TlsRecordsEach => Transport::Tls,
            Carrier::Datagrams => Transport::Udp,
        }
    }
}

/// One probe on one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub probe: ProbeKey,
    pub carrier: Carrier,
    /// An earlier answer named the place, so that it may carry a query.
    pub named: bool,
}

/// All that may be asked on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortCalls {
    pub port: u16,
    /// Asked of everyone, in this order.
    pub first: Vec<Call>,
    /// Asked when the gate says so.
    pub follow_ups: Vec<(Request, Carrier)>,
}

impl PortCalls {
    /// The call that a gate asks for, where the plan allows it here.
    pub fn follow_up(&self, probe: &ProbeKey, transport: Transport) -> Option<Call> {
        let (request, carrier) =
            self.follow_ups.iter().find(|(request, carrier)| request.covers(probe) && carrier.transport() == transport)?;
        Some(Call { probe: probe.clone(), carrier: *carrier, named: matches!(request, Request::Named(_)) })
    }
}

/// Constructors whose follow-ups may be asked on any port of the host: another protocol than their own names the place.
pub(crate) fn anywhere(plan: &ProbePlan, schema: &Schema) -> Vec<String> {
    let leads_anywhere = |name: &str| {
        let constructor = schema.constructor(name).and_then(ConstructorDef::key_parameter);
        constructor.is_some_and(|parameter| parameter.kind == ArgumentKind::Location)
    };
    let named = plan.probes.iter().filter_map(|planned| match &planned.request {
        Request::Named(constructor) if leads_anywhere(constructor) => Some(constructor.clone()),
        _ => None,
    });
    named.collect()
}

/// Deals the probes of a plan to ports. A port for which the plan has nothing gets empty calls.
pub(crate) fn deal(plan: &ProbePlan, ports: &[PortUse], schema: &Schema) -> Vec<PortCalls> {
    let known: Vec<(&PlannedProbe, &ConstructorDef)> =
        plan.probes.iter().filter_map(|planned| Some((planned, schema.constructor(planned.request.constructor())?))).collect();
    let tls_ports: BTreeSet<u16> = schema.constructors().flat_map(|constructor| constructor.tls_ports).copied().collect();
    ports.iter().map(|port| port_calls(port, &known, &tls_ports)).collect()
}

/// `tls_ports`: where some protocol is usually spoken inside TLS.
fn port_calls(port: &PortUse, known: &[(&PlannedProbe, &ConstructorDef)], tls_ports: &BTreeSet<u16>) -> PortCalls {
    let tls_expected = known.iter().any(|(planned, constructor)| protocol(constructor) == TLS && expects(planned, constructor, port.port));
    let mut calls = PortCalls { port: port.port, first: Vec::new(), follow_ups: Vec::new() };
    for (planned, constructor) in known {
        let carrier = match &port.service {
            Some(service) => carrier_of_service(service, constructor),
            None if expects(planned, constructor, port.port) => Some(carrier_of_port(port.port, constructor, tls_expected)),
            None if planned.any_tls && constructor.inside_tls && (tls_expected || tls_ports.contains(&port.port)) => {
                Some(carrier_inside_tls(constructor))
            }
            None => None,
        };
        if let Some(carrier) = carrier {
            match &planned.request {
                Request::Exactly(key) if !planned.follow_up => calls.first.push(Call { probe: key.clone(), carrier, named: false }),
                request => calls.follow_ups.push((request.clone(), carrier)),
            }
        }
    }
    calls
}

/// The protocol whose probes read TLS records themselves.
pub(crate) const TLS: &str = "tls";

pub(crate) fn protocol(constructor: &ConstructorDef) -> &'static str {
    constructor.name.split('.').next().unwrap_or(constructor.name)
}

/// A port whose service is said gets the probes of that protocol, and the TLS ones where it speaks TLS.
fn carrier_of_service(service: &ServiceName, constructor: &ConstructorDef) -> Option<Carrier> {
    match protocol(constructor) {
        TLS => service.tls().then(|| carrier_inside_tls(constructor)),
        protocol if protocol != service.root() => None,
        _ if !service.tls() => Some(carrier_without_tls(constructor)),
        _ => (constructor.delivery == Delivery::Stream).then_some(Carrier::InsideTls),
    }
}

/// Whether the plan wants that probe on a port. A plan that names just the constructor's own ports means those inside TLS too.
fn expects(planned: &PlannedProbe, constructor: &ConstructorDef, port: u16) -> bool {
    let own = constructor.ports.iter().all(|port| planned.ports.contains(port));
    planned.ports.contains(&port) || own && constructor.tls_ports.contains(&port)
}

fn carrier_of_port(port: u16, constructor: &ConstructorDef, tls_expected: bool) -> Carrier {
    let inside_tls = constructor.tls_ports.contains(&port) || tls_expected && !constructor.ports.contains(&port);
    let over_tcp = constructor.delivery != Delivery::Datagrams;
    if over_tcp && (inside_tls || protocol(constructor) == TLS) {
        carrier_inside_tls(constructor)
    } else {
        carrier_without_tls(constructor)
    }
}

fn carrier_without_tls(constructor: &ConstructorDef) -> Carrier {
    if constructor.delivery == Delivery::Datagrams { Carrier::Datagrams } else { Carrier::Plain }
}

pub(crate) fn carrier_inside_tls(constructor: &ConstructorDef) -> Carrier {
    match (protocol(constructor), constructor.delivery) {
        (TLS, Delivery::StreamEach) => Carrier::TlsRecordsEach,
        (TLS, _) => Carrier::TlsRecords,
        _ => Carrier::InsideTls,
    }
}

#[cfg(test)]
mod tests {
    use ksig_schema::Safety;

    use super::*;
    use crate::ports::parse_ports;

    fn planned(probe: &str, ports: &[u16], follow_up: bool) -> PlannedProbe {
        PlannedProbe {
            request: Request::Exactly(probe.parse().expect(probe)),
            ports: ports.to_vec(),
            any_tls: false,
            follow_up,
            safety: Safety::Benign,
        }
    }

    fn dealt(ports: &str) -> Vec<String> {
        let plan = ProbePlan {
            probes: vec![
                planned("http.get(\"/\")", &[80, 8080], false),
                planned("http.get(\"/version\")", &[80], true),
                planned("ssh.banner()", &[22], false),
                planned("tls.hello()", &[443, 4433], false),
                planned("tls.jarm()", &[443], false),
                planned("ssdp.msearch(\"upnp:rootdevice\")", &[1900], false),
                planned("snmp.engine()", &[161], false),
            ],
        };
        let ports = parse_ports(ports).expect(ports);
        let calls = deal(&plan, &ports, &ksig_protocols::schema());
        let show = |port: &PortCalls| {
            let call = |call: &Call| format!("{} {:?}", call.probe, call.carrier);
            let first: Vec<String> = port.first.iter().map(call).collect();
            let follow_up = |(request, carrier): &(Request, Carrier)| format!("{request} {carrier:?}");
            let follow_ups: Vec<String> = port.follow_ups.iter().map(follow_up).collect();
            format!("{}: {} then {}", port.port, first.join(", "), follow_ups.join(", "))
        };
        calls.iter().map(show).collect()
    }

    #[test]
    fn a_stated_service_gets_the_probes_of_its_protocol() {
        assert_eq!(dealt("18080=http"), ["18080: http.get(\"/\") Plain then http.get(\"/version\") Plain"]);
        assert_eq!(
            dealt("18443=https"),
            ["18443: http.get(\"/\") InsideTls, tls.hello() TlsRecords, tls.jarm() TlsRecordsEach then http.get(\"/version\") InsideTls"]
        );
        assert_eq!(dealt("12222=ssh"), ["12222: ssh.banner() Plain then "]);
    }

    #[test]
    fn datagrams_go_where_they_are_expected_or_said() {
        assert_eq!(
            dealt("161,11900=ssdp"),
            ["161: snmp.engine() Datagrams then ", "11900: ssdp.msearch(\"upnp:rootdevice\") Datagrams then "]
        );
        assert_eq!(dealt("10161=snmps"), ["10161: tls.hello() TlsRecords, tls.jarm() TlsRecordsEach then "]);
    }

    #[test]
    fn what_is_asked_on_any_tls_is_asked_on_every_port_that_speaks_it() {
        let on_any = |probe: &str| PlannedProbe { any_tls: true, ..planned(probe, &[], false) };
        let plan = ProbePlan { probes: vec![on_any("http.get(\"/\")"), on_any("tls.hello()")] };
        let calls = deal(&plan, &parse_ports("80,993,8443").expect("ports"), &ksig_protocols::schema());
        let carriers = |calls: &PortCalls| calls.first.iter().map(|call| call.carrier).collect::<Vec<_>>();
        assert_eq!(carriers(&calls[0]), []);
        assert_eq!(carriers(&calls[1]), [Carrier::InsideTls, Carrier::TlsRecords]);
        assert_eq!(carriers(&calls[2]), [Carrier::InsideTls, Carrier::TlsRecords]);
    }

    #[test]
    fn a_gate_gets_only_what_the_plan_allows() {
        let named = |constructor: &str| PlannedProbe {
            request: Request::Named(constructor.into()),
            ports: vec![80],
            any_tls: false,
            follow_up: true,
            safety: Safety::Benign,
        };
        let plan = ProbePlan { probes: vec![named("http.get")] };
        let calls = deal(&plan, &parse_ports("80").expect("ports"), &ksig_protocols::schema());
        let key = |constructor, path| ProbeKey::with(constructor, path);
        let call = calls[0].follow_up(&key("http.get", "/a.js?v=1"), Transport::Tcp).expect("planned");
        assert!(call.named && call.carrier == Carrier::Plain);
        assert_eq!(calls[0].follow_up(&key("http.head", "/a.js"), Transport::Tcp), None);
        assert_eq!(calls[0].follow_up(&key("http.get", "/a.js"), Transport::Tls), None);
    }

    #[test]
    fn a_port_alone_gets_what_the_plan_expects_there() {
        assert_eq!(
            dealt("22,80,8081"),
            ["22: ssh.banner() Plain then ", "80: http.get(\"/\") Plain then http.get(\"/version\") Plain", "8081:  then "]
        );
    }
}
