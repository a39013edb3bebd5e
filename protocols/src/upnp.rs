//! UPnP: what a device says of itself in its description.
//!
//! In: the answer to a GET for the description, whose place an answer of SSDP named. Out: facts under `upnp`. The head is whole as in HTTP,
//! the body when all of the document came and was kept.
//!
//! Serial numbers and unique names stand in fields of their own, which are redacted; `upnp.xml` does not have them.

use std::net::IpAddr;

use ksig_schema::probe::{ArgumentKind, ParameterDef, Place};
use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, ProbeKey, Safety, Sections, Value};

use crate::conversation::{Conversation, Peer};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, http, path, tree};

ksig_schema::fields! {
    /// Status code of the answer to the request for the description.
    ///
    /// Example: `200`.
    STATUS: Int = "upnp.status";

    /// `Server` of the answer.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.11. Example: `Linux/3.4 UPnP/1.0 ACME/1.0`.
    SERVER: Text = "upnp.server";

    /// Text of an element by its path from the root, names without their prefixes, outer white space taken off; an attribute as
    /// `/root/@configId`. Several elements of one path are several values in document order.
    ///
    /// Absent for elements that have child elements, and for `serialNumber` and `UDN`. At most 512 elements, 32 deep, of 256 KiB.
    /// Source: UPnP Device Architecture 1.1 section 2.3. Example: `upnp.xml("/root/device/modelName")` is `AC-10`.
    XML: Text = "upnp.xml", many, call, body;

    /// Kind of the root device.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `deviceType`. Example: `urn:schemas-upnp-org:device:InternetGatewayDevice:1`.
    DEVICE_TYPE: Text = "upnp.device_type", body;

    /// Short name of the root device for people.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `friendlyName`. Example: `ACME AC-10 Router`.
    FRIENDLY_NAME: Text = "upnp.friendly_name", body;

    /// Maker of the root device.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `manufacturer`. Example: `ACME`.
    MANUFACTURER: Text = "upnp.manufacturer", body;

    /// Model of the root device.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `modelName`. Example: `AC-10`.
    MODEL_NAME: Text = "upnp.model_name", body;

    /// Number of the model; many devices give the version of their firmware or software here.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `modelNumber`. Example: `1.20`.
    MODEL_NUMBER: Text = "upnp.model_number", body;

    /// Long description of the model.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `modelDescription`. Example: `ACME broadband router`.
    MODEL_DESCRIPTION: Text = "upnp.model_description", body;

    /// Serial numbers, of the root device first.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `serialNumber`. Example: `00000000`.
    SERIAL: Text = "upnp.serial", many, body, redact, machine(Serial);

    /// Unique names of the devices, of the root device first.
    ///
    /// Source: UPnP Device Architecture 1.1 section 2.3, `UDN`. Example: `uuid:00000000-0000-0000-0000-000000000000`.
    UDN: Text = "upnp.udn", many, body, redact, machine(Uuid);
}

/// Fields of the root device, by the names of their elements.
const OF_ROOT: &[(&str, &FieldDef)] = &[
    ("/root/device/deviceType", &DEVICE_TYPE),
    ("/root/device/friendlyName", &FRIENDLY_NAME),
    ("/root/device/manufacturer", &MANUFACTURER),
    ("/root/device/modelName", &MODEL_NAME),
    ("/root/device/modelNumber", &MODEL_NUMBER),
    ("/root/device/modelDescription", &MODEL_DESCRIPTION),
];

static CONSTRUCTORS: &[ConstructorDef] = &[ConstructorDef {
    name: "upnp.description",
    root: "upnp",
    never_fills: &[],
    parameters: &[ParameterDef {
        name: "location",
        kind: ArgumentKind::Location,
        place: Place::Positional,
        required: true,
        part_of_key: true,
        usual: "/",
        doc: "Where an answer of the same host says that its description is. One on another host is not asked for.",
    }],
    safety: Safety::Benign,
    delivery: Delivery::Stream,
    ports: &[],
    tls_ports: &[],
    inside_tls: false,
    doc: "Gets the description of a device from the place that its own answer named: one GET, as every control point does. No action is \
          called. UPnP Device Architecture 1.1 section 2.11.",
}];

/// UPnP descriptions.
pub static PROTOCOL: Protocol =
    Protocol { name: "upnp", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(crate::head::fixture) };

fn begin(_: &ConstructorDef, target: &str, peer: &Peer) -> Box<dyn Conversation> {
    http::get(target, peer)
}

/// Port and path, with its query, of a location on that very address. Absent for every other place: another address, a host name, another
/// scheme, a port on which nothing may be said.
pub fn location_on(location: &str, address: IpAddr) -> Option<(u16, String)> {
    let (scheme, rest) = location.trim().split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().ok().filter(|port| *port != 0)?),
        _ => (authority, 80),
    };
    let named: IpAddr = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()?;
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_string() } else { format!("/{target}") };
    (named == address && path::check_target(&target).is_ok()).then_some((port, target))
}

fn decode(_: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let message = http::message::read(received, false, greeting::ended_by_peer(ended));
    let mut decoded = Decoded::default();
    let (Some(status), Some(head)) = (message.status(), &message.head) else { return decoded };
    decoded.facts.push(&STATUS, Value::Int(status.into()));
    if let Some(server) = head.values("server").next() {
        decoded.facts.push_read(&SERVER, None, charset::text(server), server);
    }
    let mut cut = false;
    if status == 200 {
        let leaves = tree::xml(&charset::decode(&message.body, http::declared_charset(head).as_deref()).text);
        cut = leaves.cut;
        for (path, value) in leaves.kept {
            let value = Value::Text(value);
            match path.rsplit('/').next() {
                Some("serialNumber") => decoded.facts.push(&SERIAL, value),
                Some("UDN") => decoded.facts.push(&UDN, value),
                _ => decoded.facts.push_keyed(&XML, &path, value),
            }
        }
    }
    decoded.complete = Sections { head: head.whole(), body: message.unpacked && !cut && http::whole_body(&message, ended) };
    decoded
}

/// The fields of the root device from its elements, or the elements from fields that were given.
fn derive(facts: &mut Facts) {
    for (path, field) in OF_ROOT.iter().copied() {
        let element = facts.get(XML.name, Some(path)).first().cloned();
        let own = facts.get(field.name, None).first().cloned();
        match (element, own) {
            (Some(value), None) => facts.push(field, value),
            (None, Some(value)) => facts.push_keyed(&XML, path, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Facted, decoded, talk};

    /// Made from the template of UPnP Device Architecture 1.1 section 2.3.
    const DESCRIPTION: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nServer: ACME/1.0 UPnP/1.1 AC/2\r\n\r\n\
        <?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\" configId=\"7\"><specVersion><major>1</major></specVersion>\
        <device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>ACME router</friendlyName>\
        <manufacturer>ACME</manufacturer><modelName>AC-10</modelName><modelNumber>1.20</modelNumber><serialNumber>12345678</serialNumber>\
        <UDN>uuid:1</UDN><deviceList><device><deviceType>urn:x</deviceType><UDN>uuid:2</UDN></device></deviceList></device></root>";

    const PROBE: &str = "upnp.description(\"/rootDesc.xml\")";

    #[test]
    fn a_description_is_read() {
        let response = decoded(PROBE, Ended::Eof, DESCRIPTION.as_bytes());
        assert_eq!(response.texts("upnp.xml./root/device/modelName"), ["AC-10"]);
        assert_eq!(response.texts("upnp.xml./root/@configId"), ["7"]);
        assert_eq!(response.texts("upnp.xml./root/device/deviceList/device/deviceType"), ["urn:x"]);
        assert_eq!(response.texts("upnp.model_name"), ["AC-10"]);
        assert_eq!(response.texts("upnp.manufacturer"), ["ACME"]);
        assert_eq!(response.texts("upnp.server"), ["ACME/1.0 UPnP/1.1 AC/2"]);
        assert_eq!(response.texts("upnp.serial"), ["12345678"]);
        assert_eq!(response.texts("upnp.udn"), ["uuid:1", "uuid:2"]);
        assert!(response.texts("upnp.xml./root/device/serialNumber").is_empty());
        assert_eq!(response.complete, Sections::ALL);
    }

    #[test]
    fn a_cut_description_proves_no_absence() {
        let cut = decoded(PROBE, Ended::Cap, &DESCRIPTION.as_bytes()[..DESCRIPTION.len() - 200]);
        assert_eq!(cut.texts("upnp.device_type").len(), 1);
        assert_eq!(cut.complete, Sections { head: true, body: false });
        let missing = decoded(PROBE, Ended::Eof, b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
        assert_eq!((missing.texts("upnp.status"), missing.complete), (vec!["404".to_string()], Sections::ALL));
    }

    #[test]
    fn the_case_of_names_counts() {
        let response = decoded(PROBE, Ended::Eof, DESCRIPTION.as_bytes());
        assert!(response.texts("upnp.xml./root/device/modelname").is_empty());
    }

    #[test]
    fn only_the_host_itself_is_asked() {
        let own: IpAddr = "192.0.2.1".parse().expect("an address");
        assert_eq!(location_on("http://192.0.2.1:49152/desc.xml?id=1#x", own), Some((49152, "/desc.xml?id=1".into())));
        assert_eq!(location_on("HTTP://192.0.2.1", own), Some((80, "/".into())));
        for other in
            ["http://192.0.2.77/d.xml", "https://192.0.2.1/", "http://host/", "/d.xml", "http://192.0.2.1:0/", "http://192.0.2.1/../x", ""]
        {
            assert_eq!(location_on(other, own), None, "{other}");
        }
        let six: IpAddr = "2001:db8::1".parse().expect("an address");
        assert_eq!(location_on("http://[2001:db8::1]:80/d", six), Some((80, "/d".into())));
    }

    #[test]
    fn the_place_is_asked_for_as_it_was_named() {
        let (sent, _) = talk("upnp.description(\"/desc.xml?id=1\")", DESCRIPTION.as_bytes(), 1000);
        assert!(sent.starts_with(b"GET /desc.xml?id=1 HTTP/1.1\r\n"));
    }
}
