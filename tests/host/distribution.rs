//! Plugins that come from elsewhere: files, URLs and OCI registries; who signed them, and whether that must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Answer, Host, Liar, Registry, Sigstore, Web, binary, component, digest};

/// An administrator at a terminal of their own machine, in a folder of their own.
struct Desk {
    host: Host,
    folder: TempDir,
    environment: Vec<(String, String)>,
}

struct Ended {
    code: i32,
    out: String,
    said: String,
}

impl Desk {
    fn new() -> Self {
        Self { host: Host::start(), folder: TempDir::new().unwrap(), environment: Vec::new() }
    }

    fn with(&mut self, name: &str, value: impl ToString) {
        self.environment.push((name.to_owned(), value.to_string()));
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let ended = Command::new(binary())
            .args(arguments)
            .env_clear()
            .env("LOCKGATE_URL", format!("http://{}", self.host.address()))
            .env("LOCKGATE_TOKEN", self.host.admin().secret)
            .envs(self.environment.clone())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: ended.status.code().unwrap(), out: text(ended.stdout), said: text(ended.stderr) }
    }

    /// What `lockgate plugin` answers to a script.
    fn plugin(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[&["plugin"], arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.said);
        serde_json::from_str(&ended.out).unwrap()
    }

    /// It is refused, and these words say why.
    fn refused(&self, arguments: &[&str], words: &[&str]) {
        let ended = self.run(&[&["plugin"], arguments].concat());
        assert_ne!(ended.code, 0, "{arguments:?} was done: {}", ended.out);
        for word in words {
            assert!(ended.said.contains(word), "`{word}` is missing in: {}", ended.said);
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    fn openssl(&self, arguments: &[&str]) {
        let ended = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }

    /// NAME.pem and NAME.pub.
    fn key(&self, name: &str) {
        let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
        self.openssl(&["genpkey", "-algorithm", "ed25519", "-out", &private]);
        self.openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

// ---- registries ----

#[test]
fn what_is_pushed_is_pulled_and_added_by_a_tag_that_may_move_afterwards() {
    let Some(registry) = Registry::open() else { return };
    let desk = Desk::new();
    let (first, second) = (component("http-request"), component("http-check"));
    desk.write("first.wasm", &first);
    desk.write("second.wasm", &second);
    let tag = registry.place("plugins/notify:v1");

    let pushed = desk.plugin(&["push", "first.wasm", &tag, "--insecure-http"]);
    let reference = text(&pushed["reference"]).to_owned();
    assert!(reference.starts_with(&format!("{tag}@sha256:")), "{reference}");
    let again = desk.plugin(&["push", "first.wasm", &tag, "--insecure-http"]);
    assert_eq!(text(&again["reference"]), reference, "the same component is the same artifact");

    let pulled = desk.plugin(&["pull", &tag, "--insecure-http"]);
    assert_eq!((text(&pulled["file"]), text(&pulled["reference"])), ("notify.wasm", reference.as_str()));
    assert_eq!(desk.read("notify.wasm"), first);
    desk.refused(&["pull", &tag, "--insecure-http"], &["notify.wasm is there already", "--force"]);

    let added = desk.plugin(&["add", &tag, "--insecure-http"]);
    assert_eq!((text(&added["digest"]), text(&added["source"])), (digest(&first).as_str(), reference.as_str()));

    desk.plugin(&["push", "second.wasm", &tag, "--insecure-http"]);
    let moved = desk.plugin(&["add", &tag, "--insecure-http"]);
    assert_eq!(text(&moved["digest"]), digest(&second));
    assert_ne!(text(&moved["source"]), reference);
    assert_eq!(text(&desk.plugin(&["show", "http-request"])["source"]), reference, "what was added stays on record");
    // What is on record is what to give for the same bytes again.
    let by_digest = desk.plugin(&["add", &reference, "--insecure-http"]);
    assert_eq!(text(&by_digest["digest"]), digest(&first));
    assert!(desk.run(&["plugin", "show", "http-request"]).out.contains(&format!("from {reference}")));
}

#[test]
fn a_tag_that_is_not_there_is_answered_with_those_that_are() {
    let Some(registry) = Registry::open() else { return };
    let desk = Desk::new();
    desk.write("first.wasm", &component("http-request"));
    desk.plugin(&["push", "first.wasm", &registry.place("notify:v1"), "--insecure-http"]);
    let unknown = registry.place("notify:v2");
    desk.refused(&["add", &unknown, "--insecure-http"], &[&format!("there is no {unknown}"), "the tags there are: v1"]);
    desk.refused(&["add", &registry.place("other:v1"), "--insecure-http"], &["there is no", "names no tags"]);
    desk.refused(&["push", "first.wasm", &registry.place("notify@sha256:00"), "--insecure-http"], &["sha256:"]);
    desk.write("text.wasm", b"text");
    desk.refused(&["push", "text.wasm", &registry.place("notify:v3"), "--insecure-http"], &["is no component"]);
}

#[test]
fn plain_http_is_refused_unless_it_was_meant() {
    let Some(registry) = Registry::open() else { return };
    let desk = Desk::new();
    desk.write("first.wasm", &component("http-request"));
    let tag = registry.place("notify:v1");
    desk.refused(&["push", "first.wasm", &tag], &[&registry.name(), "--insecure-http"]);
    desk.refused(&["add", "http://plugins.example/notify.wasm"], &["plain HTTP", "--insecure-http"]);
    desk.refused(&["add", "http://192.168.0.1/notify.wasm"], &["plain HTTP", "--insecure-http"]);
}

#[test]
fn a_registry_gets_the_password_that_is_meant_for_it_and_no_other() {
    let Some(registry) = Registry::closed() else { return };
    let mut desk = Desk::new();
    desk.write("first.wasm", &component("http-request"));
    let tag = registry.place("notify:v1");
    let push = ["push", "first.wasm", &tag, "--insecure-http"];
    desk.refused(&push, &["without credentials", "LOCKGATE_REGISTRY_USER"]);

    desk.with("LOCKGATE_REGISTRY_USER", "ann");
    desk.with("LOCKGATE_REGISTRY_PASSWORD", "swordfish");
    desk.refused(&push, &["LOCKGATE_REGISTRY does not say for which registry"]);
    desk.with("LOCKGATE_REGISTRY", "other.example");
    desk.refused(&push, &["without credentials"]);
    desk.with("LOCKGATE_REGISTRY", registry.name());
    desk.plugin(&push);
    desk.with("LOCKGATE_REGISTRY_PASSWORD", "guess");
    desk.refused(&["add", &tag, "--insecure-http"], &["does not let `ann` do this"]);

    let mut other = Desk { host: desk.host, folder: desk.folder, environment: Vec::new() };
    // ann:swordfish
    let auths = json!({ "auths": { registry.name(): { "auth": "YW5uOnN3b3JkZmlzaA==" } } });
    let config = other.write("config.json", auths.to_string().as_bytes());
    other.with("DOCKER_CONFIG", config.parent().unwrap().display());
    assert_eq!(text(&other.plugin(&["add", &tag, "--insecure-http"])["name"]), "http-request");
}

#[test]
fn a_registry_that_serves_other_bytes_than_the_digest_says_adds_nothing() {
    let desk = Desk::new();
    let liar = Liar::new();
    let content = component("http-request");
    let manifest = |digest: &str, size: usize| {
        let config =
            json!({ "mediaType": "application/vnd.wasm.config.v0+json", "digest": self::digest(b"{}"), "size": 2 });
        let layer = json!({ "mediaType": "application/wasm", "digest": digest, "size": size });
        json!({ "schemaVersion": 2, "config": config, "layers": [layer] }).to_string().into_bytes()
    };
    let ok = |body: Vec<u8>| Answer { status: 200, body, ..Answer::default() };
    let refused = |what: &str, words: &[&str]| {
        let place = format!("oci://{}/notify{what}", liar.address);
        desk.refused(&["add", &place, "--insecure-http"], words);
    };
    let honest = manifest(&digest(&content), content.len());
    let blob = format!("/v2/notify/blobs/{}", digest(&content));
    liar.says("/v2/notify/manifests/honest", ok(honest.clone()));
    liar.says(&blob, ok(content.clone()));

    // Another manifest than the digest that was asked for, or than its own header says.
    let asked = digest(b"another manifest");
    liar.says(&format!("/v2/notify/manifests/{asked}"), ok(honest.clone()));
    refused(&format!("@{asked}"), &["sent other bytes than was asked for", &asked, &digest(&honest)]);
    let header = format!("Docker-Content-Digest: {asked}");
    liar.says("/v2/notify/manifests/header", Answer { headers: vec![header], ..ok(honest) });
    refused(":header", &["sent other bytes than was asked for"]);

    // Another component than the manifest names: of the same size, longer, and too large.
    let mut other = content.clone();
    *other.last_mut().unwrap() ^= 1;
    liar.says(&blob, ok(other));
    refused(":honest", &["sent other bytes than was asked for", &digest(&content)]);
    liar.says(&blob, ok([content.as_slice(), b"more"].concat()));
    refused(":honest", &["sends more than", &content.len().to_string()]);
    liar.says("/v2/notify/manifests/large", ok(manifest(&digest(b""), 65 << 20)));
    refused(":large", &["at most 67108864"]);
    liar.says("/v2/notify/manifests/endless", ok(vec![b' '; (4 << 20) + 1]));
    refused(":endless", &["sends more than 4194304 bytes"]);
    assert!(desk.plugin(&["list"])["items"].as_array().unwrap().is_empty());

    // The same registry, when it is honest.
    liar.says(&blob, ok(content.clone()));
    desk.plugin(&["add", &format!("oci://{}/notify:honest", liar.address), "--insecure-http"]);
}

#[test]
fn a_token_service_gets_no_password_over_plain_http_and_no_upload_elsewhere_gets_the_token() {
    let mut desk = Desk::new();
    let (liar, store) = (Liar::new(), Liar::new());
    desk.write("first.wasm", &component("http-request"));
    desk.with("LOCKGATE_REGISTRY", liar.address);
    desk.with("LOCKGATE_REGISTRY_USER", "ann");
    desk.with("LOCKGATE_REGISTRY_PASSWORD", "swordfish");
    let ask = |realm: &str| {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"here\"");
        Answer { status: 401, headers: vec![challenge], ..Answer::default() }
    };
    let digest = digest(&component("http-request"));
    let (blob, uploads) = (format!("/v2/notify/blobs/{digest}"), "/v2/notify/blobs/uploads/");
    let place = format!("oci://{}/notify:v1", liar.address);
    let push = ["push", "first.wasm", &place, "--insecure-http"];

    liar.says(&blob, ask("http://auth.example/token"));
    desk.refused(&push, &["asks for credentials over plain HTTP"]);

    let here = format!("http://{}/token", liar.address);
    let location = format!("Location: http://{}/upload", store.address);
    let begun = Answer { status: 202, headers: vec![location], ..Answer::default() };
    liar.says(&blob, Answer { status: 404, unauthorized: Some(Box::new(ask(&here))), ..Answer::default() });
    liar.says(
        "/token?service=here",
        Answer { status: 200, body: br#"{"token":"of-an-hour"}"#.to_vec(), ..Answer::default() },
    );
    liar.says(uploads, begun);
    desk.refused(&push, &["answered 404"]);
    let heard = liar.heard().join("\n");
    assert!(heard.contains("authorization: Basic YW5uOnN3b3JkZmlzaA=="), "{heard}");
    assert!(heard.contains("authorization: Bearer of-an-hour"), "{heard}");
    let elsewhere = store.heard().join("\n");
    assert!(elsewhere.starts_with("PUT /upload?digest=sha256"), "{elsewhere}");
    assert!(!elsewhere.contains("authorization"), "{elsewhere}");
}

// ---- URLs and files ----

#[test]
fn what_comes_from_a_url_is_recorded_without_its_secrets() {
    let desk = Desk::new();
    let content = component("http-request");
    desk.write("notify.wasm", &content);
    let web = Web::serving(desk.folder.path().to_owned());
    let address = web.url().replace("http://", "");
    let url = format!("http://ann:secret@{address}/notify.wasm?key=secret");
    let wrong = digest(b"another");
    desk.refused(&["add", &url, "--digest", &wrong], &[&digest(&content), &wrong]);
    let added = desk.plugin(&["add", &url, "--digest", &digest(&content)]);
    assert_eq!(text(&added["source"]), format!("http://{address}/notify.wasm"));
    desk.refused(&["add", &format!("http://{address}/none.wasm")], &["answered 404"]);
    assert!(!desk.host.said().contains("secret"));
}

#[test]
fn a_redirect_leads_nowhere_that_was_not_meant_and_not_in_circles() {
    let desk = Desk::new();
    let liar = Liar::new();
    let to = |place: &str| Answer { status: 302, headers: vec![format!("Location: {place}")], ..Answer::default() };
    liar.says("/away", to("http://plugins.example/notify.wasm"));
    liar.says("/round", to("/round"));
    let at = |path: &str| format!("http://{}{path}", liar.address);
    desk.refused(&["add", &at("/away")], &["it redirects to http://plugins.example/notify.wasm"]);
    desk.refused(&["add", &at("/round")], &["redirects more than 5 times"]);
    assert_eq!(liar.heard().len(), 1 + 6);
}

#[test]
fn where_a_plugin_comes_from_outlives_the_host() {
    let mut desk = Desk::new();
    let file = desk.write("notify.wasm", &component("http-request"));
    desk.plugin(&["add", file.to_str().unwrap()]);
    desk.host.kill();
    desk.host.restart();
    assert_eq!(text(&desk.plugin(&["show", "http-request"])["source"]), "notify.wasm");
    assert!(!contains(&desk.host.data().join("journal"), desk.folder.path().to_str().unwrap()));
}

fn contains(folder: &Path, text: &str) -> bool {
    let files = crate::harness::files(folder);
    assert!(!files.is_empty());
    files.iter().any(|file| fs::read(file).unwrap().windows(text.len()).any(|window| window == text.as_bytes()))
}

// ---- signatures ----

#[test]
fn what_must_be_signed_is_approved_when_a_trusted_key_has_signed_it() {
    let desk = Desk::new();
    let content = component("http-request");
    desk.write("notify.wasm", &content);
    ["ours", "theirs"].into_iter().for_each(|name| desk.key(name));
    desk.plugin(&["add", "notify.wasm"]);
    desk.plugin(&["require-signature", "http-*", "--reason", "production"]);
    let approve = ["approve", "http-request", "--yes"];
    desk.refused(&approve, &["`http-*` requires a signature, and it has none", "--signature FILE.sig"]);

    // By openssl, by us, and the other way round.
    desk.openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", "theirs.pem", "-in", "notify.wasm", "-out", "theirs.sig"]);
    let signed = desk.plugin(&["sign", "notify.wasm", "--key", "ours.pem"]);
    assert_eq!(text(&signed["signature"]), "notify.wasm.sig");
    desk.openssl(&[
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        "ours.pub",
        "-in",
        "notify.wasm",
        "-sigfile",
        "notify.wasm.sig",
    ]);

    desk.refused(&["add", "notify.wasm"], &["by none of the keys that are trusted", "--no-signature"]);
    desk.plugin(&["add", "notify.wasm", "--no-signature"]);
    desk.plugin(&["trust", "add", "ours", "--key", "ours.pub", "--plugins", "http-*"]);
    desk.plugin(&["trust", "add", "theirs", "--key", "theirs.pub", "--plugins", "static-*"]);
    desk.refused(&["trust", "add", "private", "--key", "ours.pem", "--plugins", "*"], &["this is a private key"]);
    desk.refused(&["add", "notify.wasm", "--signature", "theirs.sig"], &["by none of the keys", "(ours)"]);
    let added = desk.run(&["plugin", "add", "notify.wasm"]);
    assert!(added.said.contains("signature: the one in notify.wasm.sig"), "{}", added.said);
    assert!(added.out.contains("signed with `ours`"), "{}", added.out);
    assert_eq!(desk.plugin(&approve)["status"], "active");

    // What is approved stays so without the key, and is not approved anew.
    let removed = desk.plugin(&["trust", "remove", "ours", "--reason", "stolen"]);
    assert!(text(&removed["active"][0]).starts_with("http-request ("), "{removed}");
    assert_eq!(desk.plugin(&["show", "http-request"])["status"], "active");
    desk.refused(&approve, &["`ours` is not trusted for it"]);
    desk.plugin(&["require-signature", "http-*", "--remove", "--reason", "a test"]);
    assert_eq!(desk.plugin(&approve)["status"], "active");
}

const WORKFLOW: &str = "https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

#[test]
fn what_must_be_signed_is_approved_when_whom_its_bundle_names_is_trusted() {
    let mut desk = Desk::new();
    let (own, content) = (Sigstore::new(), component("http-request"));
    let (v1, tags) = (format!("{WORKFLOW}v1.2.3"), format!("{WORKFLOW}v*"));
    desk.write("notify.wasm", &content);
    desk.write("root.json", &own.trusted_root());
    desk.write("notify.wasm.sigstore.json", own.bundle(&content, &v1, GITHUB).to_string().as_bytes());
    desk.plugin(&["require-signature", "http-*", "--reason", "production"]);
    let trust = |name: &'static str, identity: &str| {
        ["trust", "add", name, "--identity", identity, "--issuer", GITHUB, "--plugins", "http-*"].map(str::to_owned)
    };
    let own_root = ["--trusted-root", "root.json"].map(str::to_owned);
    let trusted = |arguments: &[String]| desk.plugin(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    // Nobody here knows that deployment, and this very identity of the public one is somebody else.
    trusted(&trust("public", &tags));
    desk.refused(&["add", "notify.wasm"], &["could not be verified with sigstore.dev", "--trusted-root"]);
    assert!(desk.plugin(&["list"])["items"].as_array().unwrap().is_empty(), "nothing was added");

    trusted(&[&trust("ann", "ann@example.com")[..], &own_root].concat());
    let added = desk.run(&["plugin", "add", "notify.wasm"]);
    assert!(added.said.contains("signature: the one in notify.wasm.sigstore.json"), "{}", added.said);
    let named = format!("signed by {v1}, vouched for by {GITHUB} (trusted root ");
    assert!(added.out.contains(&named) && added.out.contains("not trusted for it"), "{}", added.out);
    let approve = ["approve", "http-request", "--yes"];
    let why = format!("`{v1}`, vouched for by {GITHUB} is trusted as `public` by the keys of sigstore.dev alone");
    desk.refused(&approve, &[&why, "ann, which is `ann@example.com`, vouched for by", "--bundle FILE.sigstore.json"]);

    trusted(&[&trust("release", &tags)[..], &own_root].concat());
    assert_eq!(desk.plugin(&approve)["status"], "active");
    desk.host.kill();
    desk.host.restart();
    let shown = desk.plugin(&["show", "http-request"]);
    let signature = &shown["signatures"][0];
    assert_eq!((text(&signature["identity"]), &signature["trusted"]), (v1.as_str(), &json!(true)));

    // Anybody can look again.
    let bundle = format!("/v1/artifacts/{}", text(&signature["bundle"]));
    let kept: Value = serde_json::from_slice(&desk.read("notify.wasm.sigstore.json")).unwrap();
    assert_eq!(desk.host.admin().send("GET", &bundle, Vec::new()).body, kept);

    let removed = desk.plugin(&["trust", "remove", "release", "--reason", "moved"]);
    assert!(text(&removed["active"][0]).starts_with("http-request ("), "{removed}");
    desk.refused(&approve, &["does not count"]);
}

#[test]
fn a_bundle_that_does_not_hold_adds_nothing() {
    let desk = Desk::new();
    let (own, content) = (Sigstore::new(), component("http-request"));
    desk.write("notify.wasm", &content);
    desk.write("root.json", &own.trusted_root());
    let ann = ["--identity", "ann@example.com", "--issuer", GITHUB, "--plugins", "*"];
    desk.plugin(&[&["trust", "add", "ann", "--trusted-root", "root.json"][..], &ann].concat());
    let mut cut = own.bundle(&content, WORKFLOW, GITHUB);
    cut["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionProof").unwrap();
    let mut forged = own.bundle(&content, WORKFLOW, GITHUB);
    forged["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1736157901".into();
    let table = [
        ("of another component", own.bundle(b"other", WORKFLOW, GITHUB).to_string(), "is not of this component"),
        (
            "of a deployment that nobody trusts",
            Sigstore::new().bundle(&content, WORKFLOW, GITHUB).to_string(),
            "could not be verified",
        ),
        ("without a proof", cut.to_string(), "without an inclusion proof"),
        ("of another time", forged.to_string(), "could not be verified"),
        ("for nobody", own.bundle(&content, "", GITHUB).to_string(), "names nobody"),
        ("for whom a terminal obeys", own.bundle(&content, "a\u{1b}[2J", GITHUB).to_string(), "names nobody"),
        ("garbage", "garbage".to_owned(), "this is no sigstore bundle"),
        ("too large", " ".repeat((256 << 10) + 1), "too large for a sigstore bundle"),
    ];
    for (what, bundle, why) in table {
        desk.write("it.json", bundle.as_bytes());
        desk.refused(&["add", "notify.wasm", "--bundle", "it.json"], &[why]);
        assert!(desk.plugin(&["list"])["items"].as_array().unwrap().is_empty(), "{what}");
    }
    desk.write("it.json", own.bundle(&content, WORKFLOW, GITHUB).to_string().as_bytes());
    assert_eq!(desk.plugin(&["add", "notify.wasm", "--bundle", "it.json"])["signatures"][0]["trusted"], false);
}

#[test]
fn a_component_that_was_changed_after_it_was_signed_is_not_taken() {
    let desk = Desk::new();
    desk.key("ours");
    desk.write("notify.wasm", &component("http-request"));
    desk.plugin(&["sign", "notify.wasm", "--key", "ours.pem"]);
    desk.plugin(&["trust", "add", "ours", "--key", "ours.pub", "--plugins", "*"]);
    desk.write("notify.wasm", &component("http-check"));
    desk.refused(&["add", "notify.wasm"], &["changed after it was signed"]);
    assert!(desk.plugin(&["list"])["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_signature_travels_with_its_component_through_a_registry() {
    let Some(registry) = Registry::open() else { return };
    let desk = Desk::new();
    desk.key("ours");
    desk.write("notify.wasm", &component("http-request"));
    desk.plugin(&["sign", "notify.wasm", "--key", "ours.pem"]);
    let tag = registry.place("notify:v1");
    desk.plugin(&["push", "notify.wasm", &tag, "--insecure-http"]);
    desk.plugin(&["pull", &tag, "--insecure-http", "-o", "pulled.wasm"]);
    assert_eq!(desk.read("pulled.wasm.sig"), desk.read("notify.wasm.sig"));

    desk.refused(&["add", &tag, "--insecure-http"], &["by none of the keys that are trusted"]);
    desk.plugin(&["trust", "add", "ours", "--key", "ours.pub", "--plugins", "http-request"]);
    let added = desk.plugin(&["add", &tag, "--insecure-http"]);
    assert_eq!((text(&added["signatures"][0]["key"]), &added["signatures"][0]["trusted"]), ("ours", &json!(true)));
}
