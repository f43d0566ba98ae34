//! Signatures over components: ed25519 over all their bytes, as `openssl pkeyutl -sign -rawin` makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate_core::trust::{PublicKey, Signature};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

/// What stands before the 32 bytes of an ed25519 key in its DER form (RFC 8410).
const PUBLIC_KEY_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "this is no public key of ed25519 in PEM; make one of a private key with `openssl pkey -in KEY.pem -pubout -out PUB.pem`"
    )]
    NotPublic,
    #[error(
        "this is a private key, which nobody but its owner should have: give the public one, `openssl pkey -in KEY.pem -pubout -out PUB.pem`"
    )]
    Private,
    #[error(
        "this is no private key of ed25519 in PEM without a passphrase; make one with `openssl genpkey -algorithm ed25519 -out KEY.pem`, or sign with openssl itself: `openssl pkeyutl -sign -rawin -inkey KEY.pem -in FILE -out FILE.sig`"
    )]
    NotPrivate,
    #[error("this is no signature of ed25519: it has 64 bytes, as they are or in base64")]
    NotASignature,
}

/// Of a PEM file, as `openssl pkey -pubout` writes it.
pub fn public_key(pem: &str) -> Result<PublicKey, KeyError> {
    if PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).is_ok() || pem.contains("PRIVATE KEY") {
        return Err(KeyError::Private);
    }
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPublic)?;
    let key = der.as_ref().strip_prefix(&PUBLIC_KEY_HEAD).and_then(|key| key.try_into().ok());
    key.map(PublicKey::new).ok_or(KeyError::NotPublic)
}

/// The 64 bytes, or what base64 makes of them.
pub fn read(content: &[u8]) -> Result<Signature, KeyError> {
    let decoded = || STANDARD.decode(content.trim_ascii()).ok()?.try_into().ok();
    content.try_into().ok().or_else(decoded).map(Signature::new).ok_or(KeyError::NotASignature)
}

pub fn base64(signature: &Signature) -> String {
    STANDARD.encode(signature.bytes())
}

pub fn sign(pem: &[u8], component: &[u8]) -> Result<(Signature, PublicKey), KeyError> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyError::NotPrivate)?;
    // Not every tool writes the public key beside the private one.
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| KeyError::NotPrivate)?;
    let signature = pair.sign(component).as_ref().try_into().map_err(|_| KeyError::NotPrivate)?;
    let key = pair.public_key().as_ref().try_into().map_err(|_| KeyError::NotPrivate)?;
    Ok((Signature::new(signature), PublicKey::new(key)))
}

pub fn is_by(key: &PublicKey, component: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key.bytes()).verify(component, signature.bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by `openssl genpkey -algorithm ed25519`, its public half, and its signature over `component`.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIMPztz5XIdfa2f+WFwVcotGhYMSfODBqOLfkSaBMJ4ng\n-----END PRIVATE KEY-----";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAst/IBqZOJoYjMhLOyh7dnCAVs78H+sKW8Mf6BDunILk=\n-----END PUBLIC KEY-----";
    const OF_OPENSSL: &str = "+KjnkXNEasi98Eh88sHlgw6XBLoEmiYxqwXOLvClbo8d+3gS0+R9id7M7Dcy9ei+AcWjOm5Z2Mp3vDBdYGOHBw==";
    const OF_ANOTHER_KIND: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0cFgEp5VvoVJOWn9a1dGDlHjJv4m\nVGkb852hXDwnyJI2Rv/sXCrsyTa9nhnU5G4zi/M+QexlQQh5RiMUbOd9gw==\n-----END PUBLIC KEY-----";

    #[test]
    fn what_openssl_signs_is_verified_and_the_other_way_round() {
        let (signature, key) = sign(PRIVATE.as_bytes(), b"component").unwrap();
        assert_eq!(public_key(PUBLIC), Ok(key));
        assert_eq!(base64(&signature), OF_OPENSSL);
        assert!(is_by(&key, b"component", &signature));
    }

    #[test]
    fn a_signature_is_by_one_key_over_one_component() {
        let (signature, key) = sign(PRIVATE.as_bytes(), b"component").unwrap();
        assert!(!is_by(&key, b"Component", &signature));
        assert!(!is_by(&PublicKey::new([7; 32]), b"component", &signature));
        let mut other = *signature.bytes();
        other[63] ^= 1;
        assert!(!is_by(&key, b"component", &Signature::new(other)));
    }

    #[test]
    fn a_signature_is_read_raw_or_in_base64() {
        let signature = read(OF_OPENSSL.as_bytes()).unwrap();
        assert_eq!(read(signature.bytes()), Ok(signature));
        assert_eq!(read(format!("{OF_OPENSSL}\n").as_bytes()), Ok(signature));
        for wrong in [&b""[..], b"text", &[7; 63], &[7; 65], &OF_OPENSSL.as_bytes()[..84]] {
            assert_eq!(read(wrong), Err(KeyError::NotASignature), "{wrong:?}");
        }
    }

    #[test]
    fn other_keys_say_what_was_expected() {
        assert_eq!(public_key("text"), Err(KeyError::NotPublic));
        assert_eq!(public_key(OF_ANOTHER_KIND), Err(KeyError::NotPublic));
        assert_eq!(public_key(PRIVATE), Err(KeyError::Private));
        assert_eq!(sign(PUBLIC.as_bytes(), b""), Err(KeyError::NotPrivate));
        assert_eq!(sign(b"text", b""), Err(KeyError::NotPrivate));
    }
}
