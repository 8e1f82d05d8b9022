//! An authority that signs certificates for one test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The authority, and where its files are.
pub(super) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both as PEM.
pub(super) struct Signed {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    /// Makes one; its certificate is in the folder.
    pub(super) fn create(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        fs::write(folder.join("authority.pem"), params.self_signed(&key)?.pem())?;
        Ok(Self {
            folder,
            issuer: Issuer::new(params, key),
        })
    }

    /// The file that whoever believes this authority is given.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A certificate for somebody of this name, or a server at this address.
    pub(super) fn sign(&self, name: &str) -> anyhow::Result<Signed> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        Ok(Signed {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
        })
    }

    /// The same as files: of the certificate, and of its key.
    pub(super) fn sign_into_files(&self, name: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
        let signed = self.sign(name)?;
        let paths = (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key.pem")));
        fs::write(&paths.0, signed.certificate)?;
        fs::write(&paths.1, signed.key)?;
        Ok(paths)
    }
}
