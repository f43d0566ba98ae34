//! A component as an OCI artifact, of the form that `wkg` writes and reads: a manifest with a configuration that says
//! what the component is, and one layer, which is the component.
//!
//! The signature is an annotation of the manifest: `wkg` takes no artifact with a second layer.

use std::collections::BTreeMap;

use lockgate_core::digest::Digest;
use lockgate_core::trust::Signature;
use lockgate_sandbox::Surface;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::MOST_BYTES;
use crate::signature;

pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
const COMPONENT_TYPE: &str = "application/wasm";
/// Of ed25519 over the component, in base64.
const SIGNATURE: &str = "dev.lockgate.signature.ed25519";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    media_type: String,
    pub digest: Digest,
    pub size: u64,
}

impl Descriptor {
    fn of(media_type: &str, content: &[u8]) -> Self {
        Self { media_type: media_type.to_owned(), digest: Digest::of(content), size: content.len() as u64 }
    }
}

/// What is pushed beside the component.
pub struct Packed {
    pub manifest: Vec<u8>,
    pub config: Vec<u8>,
}

/// The same component makes the same artifact, whenever it is packed.
pub fn pack(component: &[u8], surface: &Surface, signature: Option<&Signature>) -> Packed {
    let layer = Descriptor::of(COMPONENT_TYPE, component);
    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "author": null,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.digest],
        "component": { "exports": surface.exports, "imports": surface.imports, "target": null },
    });
    let config = config.to_string().into_bytes();
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        config: Descriptor::of(CONFIG_TYPE, &config),
        layers: vec![layer],
        annotations: signature.map(|signed| (SIGNATURE.to_owned(), signature::base64(signed))).into_iter().collect(),
    };
    let manifest = serde_json::to_vec(&manifest).expect("a manifest is plain data");
    Packed { manifest, config }
}

/// Where the component is and who signed it, or why there is none. Of the configuration nothing is used: the host asks
/// the component itself.
pub fn unpack(manifest: &[u8]) -> Result<(Descriptor, Option<Signature>), String> {
    let is_index = serde_json::from_slice::<serde_json::Value>(manifest).is_ok_and(|it| it["manifests"].is_array());
    if is_index {
        return Err("it is an index of several manifests; name the digest of one".to_owned());
    }
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| format!("its manifest says: {error}"))?;
    let [layer] = manifest.layers.as_slice() else {
        return Err(format!("it has {} layers, and a component is one", manifest.layers.len()));
    };
    if layer.media_type != COMPONENT_TYPE {
        let what: String = layer.media_type.chars().take(100).collect();
        return Err(format!("its layer is of type `{what}`, and a component is `{COMPONENT_TYPE}`"));
    }
    if layer.size > MOST_BYTES {
        return Err(format!("it has {} bytes, and a host takes at most {MOST_BYTES}", layer.size));
    }
    let signed = manifest.annotations.get(SIGNATURE).map(|text| signature::read(text.as_bytes()));
    let signed = signed.transpose().map_err(|error| format!("its annotation `{SIGNATURE}`: {error}"))?;
    Ok((layer.clone(), signed))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn packed(signature: Option<&Signature>) -> Packed {
        let surface =
            Surface { exports: vec!["lockgate:phase/phase@0.1.0".into()], imports: vec!["wasi:io/poll@0.2.6".into()] };
        pack(b"component", &surface, signature)
    }

    fn manifest(layers: serde_json::Value) -> Vec<u8> {
        let config = Descriptor::of(CONFIG_TYPE, b"{}");
        json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string().into_bytes()
    }

    /// By the rules of oci-wasm 0.6, which `wkg` uses: its types read this, one layer, these media types.
    #[test]
    fn an_artifact_is_what_wkg_reads() {
        let Packed { manifest, config } = packed(None);
        expect![[r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.wasm.config.v0+json","digest":"sha256:c981ffcc0584f3352d70eede3f9f7beef1802dceb0977fa4df0ede68f6da5604","size":277},"layers":[{"mediaType":"application/wasm","digest":"sha256:6985ca1f4daa5a584a28eae043a239cb96689af1337ea13afb63e00c2bf512fa","size":9}]}"#]]
            .assert_eq(&String::from_utf8(manifest).unwrap());
        expect![[r#"{"created":"1970-01-01T00:00:00Z","author":null,"architecture":"wasm","os":"wasip2","layerDigests":["sha256:6985ca1f4daa5a584a28eae043a239cb96689af1337ea13afb63e00c2bf512fa"],"component":{"exports":["lockgate:phase/phase@0.1.0"],"imports":["wasi:io/poll@0.2.6"],"target":null}}"#]].assert_eq(&String::from_utf8(config).unwrap());
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let signature = Signature::new([7; 64]);
        for signature in [None, Some(signature)] {
            let (layer, signed) = unpack(&packed(signature.as_ref()).manifest).unwrap();
            assert_eq!((layer.digest, layer.size, signed), (Digest::of(b"component"), 9, signature));
        }
    }

    #[test]
    fn what_is_no_component_says_why() {
        let layer =
            |media_type: &str, size: u64| json!({ "mediaType": media_type, "digest": Digest::of(b""), "size": size });
        let table = [
            (manifest(json!([])), "0 layers"),
            (manifest(json!([layer(COMPONENT_TYPE, 1), layer(COMPONENT_TYPE, 1)])), "2 layers"),
            (manifest(json!([layer("application/vnd.oci.image.layer.v1.tar", 1)])), "of type `application/vnd.oci"),
            (manifest(json!([layer(COMPONENT_TYPE, MOST_BYTES + 1)])), "at most 67108864"),
            (br#"{"schemaVersion":2,"manifests":[]}"#.to_vec(), "an index of several manifests"),
            (b"text".to_vec(), "its manifest says"),
        ];
        for (manifest, why) in table {
            let refused = unpack(&manifest).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let broken = String::from_utf8(packed(Some(&Signature::new([7; 64]))).manifest).unwrap();
        let broken = broken.replace("BwcH", "B");
        assert!(unpack(broken.as_bytes()).unwrap_err().contains("no signature of ed25519"));
    }
}
