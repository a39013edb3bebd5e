//! TLS towards devices that are older than TLS 1.2, or know only ciphers that nobody should use: by OpenSSL, at security level 0.
//!
//! In: a connection to a server that rustls did not come to terms with. Out: the same inside TLS, or the error. Compiled with the feature
//! `legacy-tls` alone, for it builds OpenSSL from source. Certificates are data, as in [`crate::tls`]; nothing secret is ever sent.

use std::io;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::provider::Provider;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode, SslVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_openssl::SslStream;

/// Every cipher with a certificate, also those that no default has.
const CIPHERS: &str = "ALL:COMPLEMENTOFALL:!aNULL:!eNULL:@SECLEVEL=0";

/// `SSL_OP_LEGACY_SERVER_CONNECT` of OpenSSL, for which the bindings have no name.
const LEGACY_SERVER_CONNECT: SslOptions = SslOptions::from_bits_retain(4);

/// A client for SSL 3.0 to TLS 1.2.
pub(crate) struct LegacyClient {
    context: SslContext,
    /// RC4, DES and others of their age live there. They are usable as long as it is.
    _old_ciphers: Provider,
}

impl LegacyClient {
    /// An error says that OpenSSL was built without what this needs.
    pub fn new() -> Result<LegacyClient, ErrorStack> {
        let old_ciphers = Provider::try_load(None, "legacy", true)?;
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_security_level(0);
        context.set_cipher_list(CIPHERS)?;
        context.set_min_proto_version(Some(SslVersion::SSL3))?;
        context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
        context.set_verify(SslVerifyMode::NONE);
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        // Servers that never heard of RFC 5746: nothing is renegotiated with them.
        context.set_options(LEGACY_SERVER_CONNECT | SslOptions::NO_TICKET);
        Ok(LegacyClient { context: context.build(), _old_ciphers: old_ciphers })
    }

    /// Shakes hands. The error is one of the connection, or [`io::ErrorKind::InvalidData`].
    pub async fn connect<W: AsyncRead + AsyncWrite + Unpin>(&self, wire: W) -> io::Result<SslStream<W>> {
        let mut stream = SslStream::new(Ssl::new(&self.context)?, wire)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(error.into_io_error().unwrap_or_else(|error| io::Error::new(io::ErrorKind::InvalidData, error))),
        }
    }
}
