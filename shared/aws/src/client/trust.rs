//! Trusted root certificates.

use std::{fs, io};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// Root certificates of the AWS service endpoints ("Amazon Trust Services Repository"). They are embedded, so that a
/// cold start does not load the system's certificates.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("../roots/amazon-root-ca-1.der"),
    include_bytes!("../roots/amazon-root-ca-2.der"),
    include_bytes!("../roots/amazon-root-ca-3.der"),
    include_bytes!("../roots/amazon-root-ca-4.der"),
    include_bytes!("../roots/starfield-services-root-ca-g2.der"),
];

/// The file that `AWS_CA_BUNDLE` names cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot load CA certificates from {path}")]
pub(super) struct CaBundleError {
    path: String,
    #[source]
    cause: InvalidBundle,
}

#[derive(Debug, thiserror::Error)]
enum InvalidBundle {
    #[error("cannot read the file")]
    File(#[from] io::Error),
    #[error("not a PEM file")]
    Pem(#[from] pem::Error),
    #[error("invalid certificate")]
    Certificate(#[from] rustls::Error),
    #[error("the file contains no certificates")]
    Empty,
}

/// Returns the certificates in the file `bundle`, or the Amazon root certificates if there is no bundle.
pub(super) fn roots(bundle: Option<String>) -> Result<RootCertStore, CaBundleError> {
    let Some(path) = bundle else { return Ok(amazon_roots()) };
    read_bundle(&path).map_err(|cause| CaBundleError { path, cause })
}

fn amazon_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(AMAZON_ROOTS.map(CertificateDer::from_slice));
    roots
}

/// Reads a PEM file. Fails if any certificate in it is invalid.
fn read_bundle(path: &str) -> Result<RootCertStore, InvalidBundle> {
    let pem = fs::read(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() { Err(InvalidBundle::Empty) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_all_amazon_root_certificates() {
        assert_eq!(amazon_roots().len(), AMAZON_ROOTS.len());
    }
}
