//! Whose certificates are trusted.

use std::fs;
use std::io;

use aws_smithy_http_client::tls::TrustStore;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// The roots that AWS service endpoints chain up to ("Amazon Trust Services Repository"), so that no start reads the
/// system's certificates.
const AMAZON_ROOTS: [&str; 5] = [
    include_str!("../roots/amazon-root-ca-1.pem"),
    include_str!("../roots/amazon-root-ca-2.pem"),
    include_str!("../roots/amazon-root-ca-3.pem"),
    include_str!("../roots/amazon-root-ca-4.pem"),
    include_str!("../roots/starfield-services-root-ca-g2.pem"),
];

/// The file that `AWS_CA_BUNDLE` names is not used.
#[derive(Debug, thiserror::Error)]
#[error("there are no certificates to trust in {path}")]
pub(super) struct CaBundleError {
    path: String,
    #[source]
    cause: Unusable,
}

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read")]
    File(#[from] io::Error),
    #[error("it is not PEM")]
    Pem(#[from] pem::Error),
    #[error("it holds a certificate that is none")]
    Certificate(#[from] rustls::Error),
    #[error("it holds no certificate")]
    Empty,
}

/// The certificates in the file `bundle`; without one, Amazon's.
pub(super) fn roots(bundle: Option<String>) -> Result<TrustStore, CaBundleError> {
    match bundle {
        Some(path) => match read(&path) {
            Ok(pem) => Ok(TrustStore::empty().with_pem_certificate(pem)),
            Err(cause) => Err(CaBundleError { path, cause }),
        },
        None => Ok(AMAZON_ROOTS.iter().fold(TrustStore::empty(), |store, pem| store.with_pem_certificate(pem.as_bytes()))),
    }
}

/// The file, every certificate of which can be read: the HTTP client looks at them only when it connects, and panics.
fn read(path: &str) -> Result<Vec<u8>, Unusable> {
    let pem = fs::read(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() { Err(Unusable::Empty) } else { Ok(pem) }
}
