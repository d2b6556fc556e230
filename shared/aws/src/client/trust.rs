//! Whose certificates are trusted.

use std::{fs, io};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// The roots that AWS service endpoints chain up to ("Amazon Trust Services Repository"), so that no start reads the
/// system's certificates.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("../roots/amazon-root-ca-1.der"),
    include_bytes!("../roots/amazon-root-ca-2.der"),
    include_bytes!("../roots/amazon-root-ca-3.der"),
    include_bytes!("../roots/amazon-root-ca-4.der"),
    include_bytes!("../roots/starfield-services-root-ca-g2.der"),
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
pub(super) fn roots(bundle: Option<String>) -> Result<RootCertStore, CaBundleError> {
    let Some(path) = bundle else { return Ok(amazon()) };
    read(&path).map_err(|cause| CaBundleError { path, cause })
}

fn amazon() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(AMAZON_ROOTS.map(CertificateDer::from_slice));
    roots
}

/// The file, every certificate of which can be read.
fn read(path: &str) -> Result<RootCertStore, Unusable> {
    let pem = fs::read(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() { Err(Unusable::Empty) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_of_amazons_is_read() {
        assert_eq!(amazon().len(), AMAZON_ROOTS.len());
    }
}
