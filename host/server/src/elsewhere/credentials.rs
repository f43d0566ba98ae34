//! Who asks a registry: what the environment says for that very registry, else docker's configuration, else nobody.

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential};

use super::ElsewhereError;
use crate::config::RegistryLogin;

/// Never shown: it has no `Debug`.
pub enum Credentials {
    Nobody,
    Password {
        user: String,
        password: String,
    },
    /// What `docker login` leaves of some registries: it is exchanged for a token of an hour.
    IdentityToken(String),
}

impl Credentials {
    /// May run a credential helper of docker's.
    pub fn of(registry: &str, login: Option<RegistryLogin>) -> Result<Self, ElsewhereError> {
        let cannot = |cause: String| ElsewhereError::Credentials { registry: registry.to_owned(), cause };
        if let Some(RegistryLogin { registry: known, user, password }) = login {
            // Else whoever names a registry would be sent the password of another.
            let known = known.ok_or_else(|| {
                cannot(
                    "LOCKGATE_REGISTRY_USER is set, and LOCKGATE_REGISTRY does not say for which registry".to_owned(),
                )
            })?;
            if known.eq_ignore_ascii_case(registry) {
                return Ok(Self::Password { user, password });
            }
        }
        // The name docker keeps its own registry under.
        let key = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
        match get_credential(key) {
            Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Self::Password { user, password }),
            Ok(DockerCredential::IdentityToken(token)) => Ok(Self::IdentityToken(token)),
            Err(
                CredentialRetrievalError::NoCredentialConfigured
                | CredentialRetrievalError::ConfigNotFound
                // A file that is not there is one that cannot be read, to this crate.
                | CredentialRetrievalError::ConfigReadError,
            ) => Ok(Self::Nobody),
            // Helpers say so on their output, with a code that means anything.
            Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if stdout.contains("not found") => {
                Ok(Self::Nobody)
            }
            Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
                Err(cannot(format!("docker's credential helper `{helper}` failed")))
            }
            Err(
                error @ (CredentialRetrievalError::HelperCommunicationError
                | CredentialRetrievalError::MalformedHelperResponse
                | CredentialRetrievalError::CredentialDecodingError
                | CredentialRetrievalError::CredentialMismatchError),
            ) => Err(cannot(error.to_string())),
        }
    }

    /// For errors.
    pub fn who(&self) -> String {
        match self {
            Self::Nobody => "somebody without credentials".to_owned(),
            Self::Password { user, .. } => format!("`{user}`"),
            Self::IdentityToken(_) => "whoever is logged in with docker".to_owned(),
        }
    }
}
