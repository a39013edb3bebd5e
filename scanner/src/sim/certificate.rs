//! Self-signed certificates of simulated devices.
//!
//! In: a checked [`Certificate`] description and what fills its holes. Out: a TLS server that presents it. All devices share one key, made at
//! start; equal subjects share one certificate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;

use super::population::Certificate;
use super::template::Filling;

/// Makes TLS servers on demand and keeps them.
pub(super) struct Certificates {
    provider: Arc<CryptoProvider>,
    key: Option<KeyPair>,
    servers: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// Servers kept at most; a bigger population makes some again.
const SERVERS_MAX: usize = 20_000;

impl Certificates {
    pub fn new() -> Certificates {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Certificates { provider, key: KeyPair::generate().ok(), servers: Mutex::default() }
    }

    /// The server of a device; absent when no certificate can be made of the subject.
    pub fn server(&self, certificate: &Certificate, filling: &Filling) -> Option<Arc<ServerConfig>> {
        let subject: Vec<(&str, String)> =
            certificate.subject.iter().map(|(part, text)| (part.as_str(), text.fill_text(filling))).collect();
        let names: Vec<String> = certificate.names.iter().map(|name| name.fill_text(filling)).collect();
        let what = (&subject, &names, certificate.not_before, certificate.not_after, certificate.only_tls12);
        let id = format!("{what:?}");
        let mut servers = self.servers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(server) = servers.get(&id) {
            return Some(server.clone());
        }
        let server = Arc::new(self.make(certificate, &subject, names)?);
        if servers.len() >= SERVERS_MAX {
            servers.clear();
        }
        servers.insert(id, server.clone());
        Some(server)
    }

    fn make(&self, certificate: &Certificate, subject: &[(&str, String)], names: Vec<String>) -> Option<ServerConfig> {
        let key = self.key.as_ref()?;
        let mut params = CertificateParams::new(names).ok()?;
        params.distinguished_name = DistinguishedName::new();
        for (part, value) in subject {
            params.distinguished_name.push(dn_type(part), value.as_str());
        }
        let moment = |day: jiff::civil::Date| date_time_ymd(day.year().into(), day.month() as u8, day.day() as u8);
        params.not_before = moment(certificate.not_before);
        params.not_after = moment(certificate.not_after);
        let signed = params.self_signed(key).ok()?;
        let versions: &[&rustls::SupportedProtocolVersion] =
            if certificate.only_tls12 { &[&rustls::version::TLS12] } else { &[&rustls::version::TLS13, &rustls::version::TLS12] };
        let builder = ServerConfig::builder_with_provider(self.provider.clone()).with_protocol_versions(versions).ok()?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut server = builder.with_no_client_auth().with_single_cert(vec![signed.der().clone()], private).ok()?;
        // A scan calls each device once: sessions to resume would only cost memory.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Some(server)
    }
}

fn dn_type(part: &str) -> DnType {
    match part {
        "O" => DnType::OrganizationName,
        "OU" => DnType::OrganizationalUnitName,
        "C" => DnType::CountryName,
        "L" => DnType::LocalityName,
        "ST" => DnType::StateOrProvinceName,
        _ => DnType::CommonName,
    }
}
