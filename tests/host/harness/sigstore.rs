//! A sigstore deployment of its own, in one value: who certifies identities, who logs certificates, and who logs
//! signatures. What `cosign sign-blob --bundle` writes in a minute of such a deployment is made here from its parts.
//!
//! All of it happened on one morning, for that is what is verified: the time of the log, and not the time of the test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// As certificates write it.
const CERTIFIED: [&str; 2] = ["250106100000Z", "250106101000Z"];
/// Seconds since 1970: between these two.
const LOGGED_AT: u64 = 1_736_157_900;
const DAY: &str = "2025-01-06T00:00:00Z";

pub struct Sigstore {
    authority: Key,
    certificates: Key,
    signatures: Key,
}

impl Sigstore {
    pub fn new() -> Self {
        Self { authority: Key::new(), certificates: Key::new(), signatures: Key::new() }
    }

    /// Its `trusted_root.json`.
    pub fn trusted_root(&self) -> Vec<u8> {
        let log = |key: &Key| {
            json!({
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.public()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": DAY },
                },
                "logId": { "keyId": STANDARD.encode(key.id()) },
            })
        };
        let name = name_of_the_authority();
        let own =
            self.authority.certify(&body(&self.authority, &name, &[extension(&BASIC_CONSTRAINTS, &der(0x30, &[]))]));
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.signatures)],
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "example" },
                "uri": "https://authority.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(own) }] },
                "validFor": { "start": DAY },
            }],
            "ctlogs": [log(&self.certificates)],
        });
        root.to_string().into_bytes()
    }

    /// Signed by whoever this is, with a key of that moment.
    pub fn bundle(&self, content: &[u8], identity: &str, issuer: &str) -> Value {
        let key = Key::new();
        let certificate = self.certificate(&key, identity, issuer);
        let (digest, signature) = (Sha256::digest(content), key.sign(content));
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&certificate));
        let entry = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": hex::encode(digest) } },
                "signature": {
                    "content": STANDARD.encode(&signature),
                    "publicKey": { "content": STANDARD.encode(pem) },
                },
            },
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(certificate) },
                "tlogEntries": [self.logged(entry.to_string().as_bytes())],
            },
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(digest) },
                "signature": STANDARD.encode(signature),
            },
        })
    }

    /// The only entry of the log: so its hash is the head, and the proof is empty.
    fn logged(&self, entry: &[u8]) -> Value {
        let head = STANDARD.encode(Sha256::digest([&[0], entry].concat()));
        let note = format!("log.example - 1\n1\n{head}\n");
        let signed = [&self.signatures.id()[..4], &self.signatures.sign(note.as_bytes())].concat();
        let promise = json!({
            "body": STANDARD.encode(entry),
            "integratedTime": LOGGED_AT,
            "logID": hex::encode(self.signatures.id()),
            "logIndex": 0,
        });
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(self.signatures.id()) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.1" },
            "integratedTime": LOGGED_AT.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": STANDARD.encode(self.signatures.sign(promise.to_string().as_bytes())),
            },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": head,
                "treeSize": "1",
                "hashes": [],
                "checkpoint": { "envelope": format!("{note}\n— log.example {}\n", STANDARD.encode(signed)) },
            },
            "canonicalizedBody": STANDARD.encode(entry),
        })
    }

    /// With the word of the log of certificates that it has seen this very one, but for that word.
    fn certificate(&self, key: &Key, identity: &str, issuer: &str) -> Vec<u8> {
        let names = der(0x30, &der(0x86, identity.as_bytes()));
        let mut extensions = vec![
            extension(&EXTENDED_KEY_USAGE, &der(0x30, &CODE_SIGNING)),
            extension(&SUBJECT_ALT_NAME, &names),
            extension(&OIDC_ISSUER, &der(0x0c, issuer.as_bytes())),
        ];
        let seen = body(key, &der(0x30, &[]), &extensions);
        let at = (LOGGED_AT * 1000).to_be_bytes();
        // RFC 6962: version 1, a timestamp of a certificate, which is one before it has this extension.
        let length = &(seen.len() as u32).to_be_bytes()[1..];
        let said = [&[0, 0], &at[..], &[0, 1], &self.authority.id(), length, &seen, &[0, 0]].concat();
        let signature = self.certificates.sign(&said);
        let (ecdsa_with_sha256, none) = ([4, 3], [0, 0]);
        let timestamp = [
            &[0],
            &self.certificates.id()[..],
            &at,
            &none,
            &ecdsa_with_sha256,
            &length_of_two_bytes(&signature),
            &signature,
        ]
        .concat();
        let one = [&length_of_two_bytes(&timestamp)[..], &timestamp].concat();
        let list = [&length_of_two_bytes(&one)[..], &one].concat();
        extensions.push(extension(&SEEN_BY_LOGS, &der(0x04, &list)));
        self.authority.certify(&body(key, &der(0x30, &[]), &extensions))
    }
}

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap())
    }

    fn sign(&self, content: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), content).unwrap().as_ref().to_vec()
    }

    /// With what kind of key it is, in DER.
    fn public(&self) -> Vec<u8> {
        let point = [&[0], self.0.public_key().as_ref()].concat();
        der(0x30, &[der(0x30, &[ELLIPTIC_CURVE, P256].concat()), der(0x03, &point)].concat())
    }

    fn id(&self) -> [u8; 32] {
        Sha256::digest(self.public()).into()
    }

    fn certify(&self, body: &[u8]) -> Vec<u8> {
        let signature = [&[0], &self.sign(body)[..]].concat();
        der(0x30, &[body.to_vec(), der(0x30, &ECDSA_WITH_SHA256), der(0x03, &signature)].concat())
    }
}

// ---- certificates, in DER ----

const ELLIPTIC_CURVE: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x13];
const SUBJECT_ALT_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
const EXTENDED_KEY_USAGE: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x25];
const CODE_SIGNING: [u8; 10] = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
/// 1.3.6.1.4.1.57264.1.8
const OIDC_ISSUER: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];
/// 1.3.6.1.4.1.11129.2.4.2
const SEEN_BY_LOGS: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..128 => vec![short as u8],
        middle @ 128..256 => vec![0x81, middle as u8],
        long => [&[0x82], &(long as u16).to_be_bytes()[..]].concat(),
    };
    [&[tag], &length[..], content].concat()
}

fn extension(kind: &[u8], value: &[u8]) -> Vec<u8> {
    der(0x30, &[kind, &der(0x04, value)].concat())
}

/// Of a certificate by the authority: what it signs.
fn body(key: &Key, subject: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let (version, serial) = (der(0xa0, &der(0x02, &[2])), der(0x02, &[7]));
    let validity = CERTIFIED.map(|time| der(0x17, time.as_bytes())).concat();
    let parts = [
        version,
        serial,
        der(0x30, &ECDSA_WITH_SHA256),
        name_of_the_authority(),
        der(0x30, &validity),
        subject.to_vec(),
        key.public(),
        der(0xa3, &der(0x30, &extensions.concat())),
    ];
    der(0x30, &parts.concat())
}

fn name_of_the_authority() -> Vec<u8> {
    let name = [&COMMON_NAME[..], &der(0x0c, b"example")].concat();
    der(0x30, &der(0x31, &der(0x30, &name)))
}

fn length_of_two_bytes(content: &[u8]) -> [u8; 2] {
    (content.len() as u16).to_be_bytes()
}
