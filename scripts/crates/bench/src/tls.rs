//! The certificates of the AWS endpoint. They are created anew for each run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::BenchError;
use ferrite_local_stack::files::at;

/// Paths of the system's CA bundle on Amazon Linux and on Debian.
const CA_BUNDLES: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

/// The CA certificates that functions must trust to reach the endpoint.
pub(crate) struct Trust {
    /// Path of a PEM file that contains only the CA certificate of the endpoint.
    pub(crate) authority: PathBuf,
    /// Path of a PEM file that contains the system's CA certificates and the one of the endpoint. A client that loads
    /// the system's certificates then loads as many as in Lambda.
    pub(crate) bundle: PathBuf,
}

/// Creates a TLS server configuration for `localhost`, and writes the CA certificates to trust into `folder`.
///
/// # Errors
/// Returns an error if a certificate cannot be created or written.
pub(crate) fn for_localhost(folder: &Path) -> Result<(Arc<ServerConfig>, Trust), BenchError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let issuer = CertifiedIssuer::self_signed(params, new_key()?).map_err(BenchError::from)?;
    let trust = Trust { authority: folder.join("authority.pem"), bundle: folder.join("bundle.pem") };
    fs::write(&trust.authority, issuer.pem()).map_err(at(&trust.authority))?;
    let system = CA_BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    fs::write(&trust.bundle, system + &issuer.pem()).map_err(at(&trust.bundle))?;

    let key = new_key()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .map_err(BenchError::from)?;
    let chain = vec![certificate.der().clone()];
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(BenchError::from)?
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .map_err(BenchError::from)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), trust))
}

fn new_key() -> Result<KeyPair, BenchError> {
    Ok(KeyPair::generate()?)
}
