//! The certificates of the endpoint that stands in for AWS, made anew for each run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::BenchError;
use ferrite_local_stack::files::at;

/// Where distributions keep the certificates that they trust, as one file: Amazon Linux, and Debian.
const BUNDLES: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

/// The certificates that functions have to trust to reach the endpoint.
pub(crate) struct Trust {
    /// A PEM file with the one certificate that it takes.
    pub(crate) authority: PathBuf,
    /// The same behind everything that the system trusts: a client that reads the system's certificates reads as many in
    /// Lambda.
    pub(crate) bundle: PathBuf,
}

/// A server configuration for `localhost`, and the certificates to trust for it, in files in `folder`.
///
/// # Errors
/// When a certificate cannot be made or written.
pub(crate) fn for_localhost(folder: &Path) -> Result<(Arc<ServerConfig>, Trust), BenchError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let issuer = CertifiedIssuer::self_signed(params, new_key()?).map_err(BenchError::from)?;
    let trust = Trust { authority: folder.join("authority.pem"), bundle: folder.join("bundle.pem") };
    fs::write(&trust.authority, issuer.pem()).map_err(at(&trust.authority))?;
    let system = BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
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
