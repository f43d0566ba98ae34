//! On bundles that sigstore's own tools have made; `recorded/README.md` says where they are from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use serde_json::{Value, json};
use sigstore_verify::trust_root::SIGSTORE_STAGING_TRUSTED_ROOT;

use super::*;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// What is verified, and with whose keys.
struct Given {
    component: Vec<u8>,
    bundle: Value,
    root: Value,
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A signature over a blob, with a timestamp beside the promise of the log.
fn blob() -> Given {
    Given {
        component: b"test content for cosign\n".to_vec(),
        bundle: json(include_str!("recorded/blob.sigstore.json")),
        root: json(SIGSTORE_PRODUCTION_TRUSTED_ROOT),
    }
}

/// A statement that names a package.
fn package() -> Given {
    let lines: String = include_str!("recorded/package.base64").lines().collect();
    Given {
        component: STANDARD.decode(lines).unwrap(),
        bundle: json(include_str!("recorded/package.sigstore.json")),
        root: json(SIGSTORE_PRODUCTION_TRUSTED_ROOT),
    }
}

/// In a log of the second version, of another deployment.
fn staging() -> Given {
    let text = "DO NOT MODIFY ME!\n\nthis is \"staging-rekor-v2.txt\", a sample input for sigstore-python's unit tests.\n\nDO NOT MODIFY ME!\n";
    Given {
        component: text.as_bytes().to_vec(),
        bundle: json(include_str!("recorded/staging.sigstore.json")),
        root: json(SIGSTORE_STAGING_TRUSTED_ROOT),
    }
}

impl Given {
    fn verifier(&self) -> Result<RootVerifier, RootError> {
        RootVerifier::of(self.root.to_string().as_bytes())
    }

    fn verify(&self) -> Result<Attested, BundleError> {
        verify(&self.component, self.bundle.to_string().as_bytes(), [&self.verifier().unwrap()])
    }

    fn at(&mut self, place: &str) -> &mut Value {
        self.bundle.pointer_mut(place).unwrap_or_else(|| panic!("nothing at {place}"))
    }

    fn remove(&mut self, place: &str) {
        let (around, name) = place.rsplit_once('/').unwrap();
        self.at(around).as_object_mut().unwrap().remove(name).unwrap();
    }

    /// One bit of what stands there in base64.
    fn flip(&mut self, place: &str) {
        let mut bytes = STANDARD.decode(self.at(place).as_str().unwrap()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        *self.at(place) = STANDARD.encode(bytes).into();
    }
}

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const CERTIFICATE: &str = "/verificationMaterial/certificate/rawBytes";
const TIMESTAMPS: &str = "/verificationMaterial/timestampVerificationData";

fn entry(name: &str) -> String {
    format!("{ENTRY}/{name}")
}

#[test]
fn what_cosign_and_a_workflow_signed_is_verified_and_says_by_whom() {
    let found = |given: Given| {
        let Attested { identity, issuer, roots } = given.verify().unwrap();
        assert_eq!(roots, [given.verifier().unwrap().root].into());
        (identity, issuer)
    };
    let oauth = "https://github.com/login/oauth".to_owned();
    assert_eq!(found(blob()), ("w.vollprecht@gmail.com".to_owned(), oauth.clone()));
    let workflow = "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main";
    assert_eq!(found(package()), (workflow.to_owned(), GITHUB.to_owned()));
    assert_eq!(found(staging()), ("jku@goto.fi".to_owned(), oauth));
}

#[test]
fn a_promise_of_the_log_is_no_proof() {
    let mut given = blob();
    *given.at("/mediaType") = "application/vnd.dev.sigstore.bundle+json;version=0.1".into();
    given.remove(&entry("inclusionProof"));
    assert_eq!(given.verify(), Err(BundleError::NoProof));
}

/// Before anything is verified: who would make another one here has no key.
#[test]
fn a_statement_that_does_not_vouch_for_the_component_counts_as_no_signature() {
    let mut given = package();
    let payload = STANDARD.decode(given.at("/dsseEnvelope/payload").as_str().unwrap()).unwrap();
    let mut statement = json(&String::from_utf8(payload).unwrap());
    statement["predicateType"] = "https://in-toto.io/attestation/test-result/v0.1".into();
    *given.at("/dsseEnvelope/payload") = STANDARD.encode(statement.to_string()).into();
    let refused = given.verify().unwrap_err().to_string();
    assert!(refused.contains("test-result/v0.1") && refused.contains("slsa.dev/provenance"), "{refused}");
}

#[test]
fn every_deployment_that_vouches_for_it_is_named() {
    let given = blob();
    let bundle = given.bundle.to_string();
    let (public, own, other) = (RootVerifier::public(), given.verifier().unwrap(), staging().verifier().unwrap());
    let attested = verify(&given.component, bundle.as_bytes(), [public, &own, &other]).unwrap();
    assert_eq!(attested.roots, [Root::Public, own.root].into());
}

#[test]
fn whatever_is_changed_no_bundle_holds() {
    type Row = (&'static str, fn() -> Given, fn(&mut Given));
    let table: [Row; 33] = [
        ("other bytes", blob, |given| given.component[0] ^= 1),
        ("bytes that a statement does not name", package, |given| given.component[0] ^= 1),
        ("no bytes", package, |given| given.component.clear()),
        ("a signature of something else", blob, |given| given.flip("/messageSignature/signature")),
        ("the digest of something else", blob, |given| given.flip("/messageSignature/messageDigest/digest")),
        ("the digest and the bytes of something else", blob, |given| {
            given.component = b"something else".to_vec();
            let digest = Digest::of(&given.component).hex();
            let digest = STANDARD.encode(hex::decode(digest).unwrap());
            *given.at("/messageSignature/messageDigest/digest") = digest.into();
        }),
        ("another statement", package, |given| {
            let payload = STANDARD.decode(given.at("/dsseEnvelope/payload").as_str().unwrap()).unwrap();
            given.component = b"something else".to_vec();
            let (mut payload, digest) =
                (json(&String::from_utf8(payload).unwrap()), Digest::of(&given.component).hex());
            payload["subject"][0]["digest"]["sha256"] = digest.into();
            *given.at("/dsseEnvelope/payload") = STANDARD.encode(payload.to_string()).into();
        }),
        ("a statement that somebody else signed", package, |given| given.flip("/dsseEnvelope/signatures/0/sig")),
        ("a statement of another kind", package, |given| *given.at("/dsseEnvelope/payloadType") = "text/plain".into()),
        ("another's certificate", blob, |given| *given.at(CERTIFICATE) = package().at(CERTIFICATE).take()),
        ("a changed certificate", blob, |given| given.flip(CERTIFICATE)),
        ("a key and no certificate", blob, |given| {
            given.remove("/verificationMaterial/certificate");
            given.at("/verificationMaterial")["publicKey"] = json!({ "hint": "mine" });
        }),
        ("no entry of the log", blob, |given| *given.at("/verificationMaterial/tlogEntries") = json!([])),
        ("another's entry of the log", blob, |given| *given.at(ENTRY) = package().at(ENTRY).take()),
        ("a changed entry", blob, |given| given.flip(&entry("canonicalizedBody"))),
        ("no proof", blob, |given| given.remove(&entry("inclusionProof"))),
        ("a proof that is cut", blob, |given| {
            given.at(&entry("inclusionProof/hashes")).as_array_mut().unwrap().pop().unwrap();
        }),
        ("a changed proof", blob, |given| given.flip(&entry("inclusionProof/hashes/0"))),
        ("a proof for another place", blob, |given| *given.at(&entry("inclusionProof/logIndex")) = "1".into()),
        ("a proof to another root", blob, |given| given.flip(&entry("inclusionProof/rootHash"))),
        ("a head of the log that nobody signed", blob, |given| {
            let place = entry("inclusionProof/checkpoint/envelope");
            let (text, signature) = given.at(&place).as_str().unwrap().trim_end().rsplit_once(' ').unwrap();
            let mut signature = STANDARD.decode(signature).unwrap();
            *signature.last_mut().unwrap() ^= 1;
            *given.at(&place) = format!("{text} {}\n", STANDARD.encode(signature)).into();
        }),
        ("a changed promise", blob, |given| given.flip(&entry("inclusionPromise/signedEntryTimestamp"))),
        ("another time of the log", package, |given| *given.at(&entry("integratedTime")) = "1756728900".into()),
        ("no promise, so no time", package, |given| given.remove(&entry("inclusionPromise"))),
        ("a changed timestamp", blob, |given| {
            given.flip(&format!("{TIMESTAMPS}/rfc3161Timestamps/0/signedTimestamp"));
        }),
        ("no timestamp where the log has no time", staging, |given| *given.at(TIMESTAMPS) = json!({})),
        ("another deployment", blob, |given| given.root = staging().root),
        ("an authority whose time was over", package, |given| {
            for authority in given.root["certificateAuthorities"].as_array_mut().unwrap() {
                authority["validFor"]["end"] = "2025-09-01T12:00:00Z".into();
            }
        }),
        ("an authority that was not yet", package, |given| {
            for authority in given.root["certificateAuthorities"].as_array_mut().unwrap() {
                authority["validFor"] = json!({ "start": "2026-01-01T00:00:00Z" });
            }
        }),
        ("another log of certificates", package, |given| given.root["ctlogs"] = staging().root["ctlogs"].take()),
        ("another log of signatures", package, |given| given.root["tlogs"] = staging().root["tlogs"].take()),
        ("another authority for certificates", package, |given| {
            given.root["certificateAuthorities"] = staging().root["certificateAuthorities"].take();
        }),
        ("another authority for time", blob, |given| {
            given.root["timestampAuthorities"] = staging().root["timestampAuthorities"].take();
        }),
    ];
    let refused = table.map(|(what, given, change)| {
        let mut given = given();
        given.verify().unwrap();
        change(&mut given);
        let why = match given.verify() {
            Ok(attested) => panic!("{what}: {attested:?}"),
            Err(BundleError::NotABundle(why)) => format!("no bundle: {why}"),
            Err(BundleError::OtherBytes(why)) => format!("of other bytes: {why}"),
            Err(BundleError::NotVerified(why)) => why.split_once(": ").unwrap().1.to_owned(),
            Err(BundleError::NoProof) => "no proof".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("{what} -> {why}\n")
    });
    expect![[r#"
        other bytes -> of other bytes: artifact mismatch: message digest in bundle does not match artifact hash
        bytes that a statement does not name -> of other bytes: artifact mismatch: artifact hash does not match any subject in attestation
        no bytes -> of other bytes: artifact mismatch: artifact hash does not match any subject in attestation
        a signature of something else -> invalid RFC 3161 timestamp: TSA timestamp verification failed: Timestamp message hash mismatch: expected baa85fece9ebe7eaeb84f81048043633df3044de12ba7025b770d17ce75e7a6e, got d73ff858750b1e4a31b9a5ce03e8fe2eb1bbb300e1bccd4379a944a7c34bb196
        the digest of something else -> of other bytes: artifact mismatch: message digest in bundle does not match artifact hash
        the digest and the bytes of something else -> of other bytes: invalid signature: signature verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        another statement -> of other bytes: invalid signature: DSSE signature verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        a statement that somebody else signed -> of other bytes: invalid signature: DSSE signature verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        a statement of another kind -> unsupported bundle: unsupported DSSE payload type "text/plain": cannot bind artifact to attestation
        another's certificate -> certificate chain is invalid: certificate chain validation failed: CertExpired { time: UnixTime(1764787002), not_after: UnixTime(1756729439) }
        a changed certificate -> certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey
        a key and no certificate -> invalid bundle: bundle has no signing certificate
        no entry of the log -> no proof
        another's entry of the log -> certificate chain is invalid: certificate chain validation failed: CertNotValidYet { time: UnixTime(1756728839), not_before: UnixTime(1764787002) }
        a changed entry -> invalid inclusion promise: SET verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        no proof -> no proof
        a proof that is cut -> invalid inclusion proof: inclusion proof verification failed: expected 17 proof hashes, got 16
        a changed proof -> invalid inclusion proof: inclusion proof verification failed: root hash mismatch: expected 74c8688d62f02998e9df174b045802cac6c8629e054def78becef4cc50789c03, computed 664007221ef8f913fa7e99466ffa35a720d45f8a9f36d0977c692401e1621642
        a proof for another place -> invalid inclusion proof: inclusion proof verification failed: expected 30 proof hashes, got 17
        a proof to another root -> Bundle error: inclusion proof root hash does not match checkpoint root hash
        a head of the log that nobody signed -> invalid checkpoint: No valid Rekor signature found on checkpoint
        a changed promise -> invalid inclusion promise: SET verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        another time of the log -> invalid inclusion promise: SET verification failed: Verification error: ECDSA_P256_SHA256 does not hold
        no promise, so no time -> no verified timestamp: No verified timestamp found. V1 bundles require either an RFC3161 timestamp or a tlog entry with both an integrated time and an inclusion_promise (SET).
        a changed timestamp -> invalid RFC 3161 timestamp: TSA timestamp verification failed: Failed to verify timestamp signature: Verification error: ECDSA_P384_SHA256 does not hold
        no timestamp where the log has no time -> no verified timestamp: V2 bundle requires RFC3161 timestamp but none could be verified. V2 tlog entries have no integrated time by design. Ensure TSA certificates are present in the trusted root.
        another deployment -> invalid RFC 3161 timestamp: TSA timestamp verification failed: Failed to verify timestamp signature: CMS signer does not match any trusted TSA certificate
        an authority whose time was over -> no trusted certificate authority is valid at 2025-09-01T12:13:59Z
        an authority that was not yet -> no trusted certificate authority is valid at 2025-09-01T12:13:59Z
        another log of certificates -> invalid signed certificate timestamp: SCT signature verification failed: Verification error: key not found or not valid at 2025-09-01T12:13:59.06Z: dd3d306ac6c7113263191e1c99673702a24a5eb8de3cadff878a72802f29ee8e
        another log of signatures -> invalid inclusion promise: No log key valid at integrated time 2025-09-01T12:13:59Z for log ID wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0=
        another authority for certificates -> certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey
        another authority for time -> invalid RFC 3161 timestamp: TSA timestamp verification failed: Failed to verify timestamp signature: CMS signer does not match any trusted TSA certificate
    "#]].assert_eq(&refused.concat());
}

#[test]
fn what_is_no_bundle_is_refused_as_one() {
    let nested = "[".repeat(200_000);
    let (version, array) = (blob().bundle.to_string().replace("v0.3", "v9.9"), "[]".repeat(3));
    for text in ["", "text", "{}", "null", "[]", "\u{1b}[2J", &version, &array, &nested] {
        let refused = verify(b"component", text.as_bytes(), [RootVerifier::public()]).unwrap_err();
        assert!(matches!(refused, BundleError::NotABundle(_)), "{refused:?}");
        assert!(refused.to_string().len() < LONGEST_REASON + 200 && !refused.to_string().contains('\u{1b}'));
    }
    assert!(matches!(verify(b"", b"\xff", [RootVerifier::public()]), Err(BundleError::NotABundle(_))));
}

#[test]
fn a_trusted_root_must_be_able_to_vouch() {
    let refused = |change: fn(&mut Value)| {
        let mut given = blob();
        change(&mut given.root);
        given.verifier().err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused(|_| {}), "");
    for (missing, change) in [
        ("certificateAuthorities", (|root| root["certificateAuthorities"] = json!([])) as fn(&mut Value)),
        ("ctlogs", |root| root["ctlogs"] = json!([])),
        ("tlogs", |root| root["tlogs"] = json!([])),
    ] {
        assert!(refused(change).contains(&format!("it has no `{missing}`")), "{missing}");
    }
    assert!(refused(|root| root["tlogs"][0]["publicKey"]["rawBytes"] = "AAAA".into()).contains("no trusted root"));
    assert!(refused(|root| *root = json!("text")).contains("no trusted root of sigstore"));
}
