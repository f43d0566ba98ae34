//! `lockgate plugin trust` and `require-signature`: whose signatures count, and for which plugins one is needed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash, printable};
use crate::cli::plugin::sign::{bounded_file, short_key, small_file};
use crate::cli::session::Session;
use crate::sigstore;
use crate::wire::{
    DistrustedSigner, NewSignatureRule, NewTrustedSigner, Page, Plugin, PluginSignature, SignatureRule, TrustedSigner,
};

#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Let the signatures of a key, or of an identity in sigstore bundles, count for plugins of some names.
    Add {
        /// What to call the signer, such as release-team.
        name: String,
        #[command(flatten)]
        who: Box<WhoArgs>,
        /// Names of plugins; `*` stands for any characters. May be given more than once.
        #[arg(long, required = true, value_name = "PATTERN")]
        plugins: Vec<String>,
    },
    /// The signers, and for which plugins they count.
    List,
    /// Let the signatures of a signer count no more. What is approved stays approved.
    Remove {
        /// Of the signer, as `lockgate plugin trust list` shows it.
        name: String,
        /// Why; goes on the record.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub struct WhoArgs {
    /// The public key in PEM: `openssl pkey -in KEY.pem -pubout -out PUB.pem`.
    #[arg(long, value_name = "PUB.pem", required_unless_present = "identity", conflicts_with = "identity")]
    key: Option<PathBuf>,

    /// What sigstore certificates are made out to: an address, or a workflow with its branch or tag, such as
    /// 'https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/v*'. It is exact but for a `*` at the end
    /// of a branch or tag.
    #[arg(long, requires = "issuer")]
    identity: Option<String>,

    /// Who vouches for the identity, such as https://token.actions.githubusercontent.com.
    #[arg(long, value_name = "URL", requires = "identity")]
    issuer: Option<String>,

    /// The keys of a sigstore deployment of your own; sigstore's own come with the host.
    #[arg(long, value_name = "trusted_root.json", requires = "identity")]
    trusted_root: Option<PathBuf>,
}

impl WhoArgs {
    fn read(self, name: String, plugins: Vec<String>) -> Result<NewTrustedSigner, CliError> {
        let Self { key, identity, issuer, trusted_root } = self;
        let pem = key.map(|key| small_file(&key, "name the public key in PEM")).transpose()?;
        let root = trusted_root.map(|root| {
            bounded_file(&root, sigstore::MOST_BYTES, "a trusted root", "name the trusted_root.json of your deployment")
        });
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (public_key, trusted_root) = (pem.map(text), root.transpose()?.map(text));
        Ok(NewTrustedSigner { name, public_key, identity, issuer, trusted_root, plugins })
    }
}

#[derive(Debug, Args)]
pub struct RequireArgs {
    /// Names of plugins, such as 'deploy-*'; `*` stands for any characters.
    #[arg(value_name = "PATTERN")]
    plugins: Option<String>,

    /// Require it no more. Needs a reason.
    #[arg(long, requires_all = ["plugins", "reason"])]
    remove: bool,

    /// Why; goes on the record.
    #[arg(long, requires = "plugins")]
    reason: Option<String>,
}

impl TrustCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let Session { client, out } = session;
        match self {
            TrustCommand::Add { name, who, plugins } => {
                let trusted = client.trust(&who.read(name, plugins)?).await?;
                out.answer(&trusted, |_, trusted| {
                    format!("{}, {}, is trusted for {}", trusted.name, signer(trusted), trusted.plugins.join(", "))
                });
            }
            TrustCommand::List => out.answer(&client.trusted_signers().await?, signers),
            TrustCommand::Remove { name, reason } => out.answer(&client.distrust(&name, reason).await?, distrusted),
        }
        Ok(())
    }
}

impl RequireArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let Session { client, out } = session;
        let Some(plugins) = self.plugins else {
            out.answer(&client.signature_rules().await?, rules);
            return Ok(());
        };
        let rule = NewSignatureRule { plugins, reason: self.reason.unwrap_or_default() };
        if self.remove {
            out.answer(&client.require_no_signature(&rule).await?, rules);
            return Ok(());
        }
        let known = client.require_signature(&rule).await?;
        let unsigned: Vec<String> = client.plugins().await?.items.iter().filter_map(unsigned).collect();
        if !unsigned.is_empty() {
            out.note(&format!("approved before, and without a signature that counts: {}", unsigned.join(", ")));
        }
        out.answer(&known, rules);
        Ok(())
    }
}

/// That serves in spite of a rule which came later.
fn unsigned(plugin: &Plugin) -> Option<String> {
    let counts = plugin.signatures.iter().any(|signature| signature.trusted);
    (plugin.status == "active" && plugin.signature_required.is_some() && !counts).then(|| plugin.name.clone())
}

fn signers(look: &Look, page: &Page<TrustedSigner>) -> String {
    if page.items.is_empty() {
        return "nobody is trusted; `lockgate plugin trust add NAME --plugins PATTERN` with `--key PUB.pem`, or with `--identity` and `--issuer`, changes that"
            .to_owned();
    }
    let row = |trusted: &TrustedSigner| {
        let added = format!("{} by {}", look.relative(&trusted.added_at), printable(&trusted.added_by));
        vec![trusted.name.clone(), signer(trusted), trusted.plugins.join(", "), added]
    };
    look.table(&["NAME", "SIGNER", "PLUGINS", "ADDED"], page.items.iter().map(row))
}

fn signer(trusted: &TrustedSigner) -> String {
    let TrustedSigner { public_key, identity, issuer, trusted_root, .. } = trusted;
    let named = |text: &Option<String>| printable(text.as_deref().unwrap_or_default());
    match public_key {
        Some(key) => format!("ed25519 {}", short_key(key)),
        None => format!("{} by {} ({})", named(identity), named(issuer), short_root(&named(trusted_root))),
    }
}

/// Who has signed a plugin.
pub fn signature(signed: &PluginSignature) -> String {
    let PluginSignature { key, public_key, identity, issuer, trusted_roots, .. } = signed;
    let named = |text: &Option<String>| printable(text.as_deref().unwrap_or_default());
    match key {
        Some(key) => format!("  signed with `{}`, ed25519 {}", printable(key), short_key(&named(public_key))),
        None => {
            let roots: Vec<String> = trusted_roots.iter().map(|root| short_root(&printable(root))).collect();
            format!("  signed by {}, vouched for by {} ({})", named(identity), named(issuer), roots.join(", "))
        }
    }
}

/// `sigstore.dev`, or enough of a digest.
fn short_root(root: &str) -> String {
    root.strip_prefix("sha256:").map_or_else(|| root.to_owned(), |hex| format!("trusted root {}", short_key(hex)))
}

fn distrusted(look: &Look, signer: &DistrustedSigner) -> String {
    let removed = format!("{} is trusted no more", look.strong(&signer.name));
    if signer.active.is_empty() {
        return format!("{removed}; no active plugin was signed by it");
    }
    format!(
        "{removed}\nIt has signed what stays approved, and cannot be approved anew where a signature is required: {}\n`lockgate plugin retire` takes one out of use",
        signer.active.join(", ")
    )
}

fn rules(look: &Look, page: &Page<SignatureRule>) -> String {
    if page.items.is_empty() {
        return "no plugin needs a signature; `lockgate plugin require-signature PATTERN` asks for one".to_owned();
    }
    let row = |rule: &SignatureRule| {
        let said = &rule.required;
        let by = format!("{} by {}", look.relative(&said.at), printable(&said.by));
        vec![rule.plugins.clone(), by, or_dash(printable(&said.reason))]
    };
    look.table(&["PLUGINS", "REQUIRED", "REASON"], page.items.iter().map(row))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::Said;

    #[test]
    fn who_removes_a_signer_sees_what_it_does_not_stop() {
        let key = |active: &[&str]| DistrustedSigner {
            name: "ops".to_owned(),
            active: active.iter().map(|name| (*name).to_owned()).collect(),
        };
        expect!["ops is trusted no more; no active plugin was signed by it"].assert_eq(&distrusted(&look(), &key(&[])));
        expect![[r#"
            ops is trusted no more
            It has signed what stays approved, and cannot be approved anew where a signature is required: notify (0123456789ab)
            `lockgate plugin retire` takes one out of use"#]]
        .assert_eq(&distrusted(&look(), &key(&["notify (0123456789ab)"])));
    }

    #[test]
    fn lists_of_signers_and_rules() {
        let at = || "2026-03-14T06:30:00Z".to_owned();
        let key = TrustedSigner {
            name: "ops".to_owned(),
            public_key: Some("0123456789ab".repeat(5)),
            identity: None,
            issuer: None,
            trusted_root: None,
            plugins: vec!["deploy-*".to_owned(), "notify".to_owned()],
            added_by: "ann".to_owned(),
            added_at: at(),
        };
        let identity = |name: &str, root: String| TrustedSigner {
            name: name.to_owned(),
            public_key: None,
            identity: Some("bob@example.com".to_owned()),
            issuer: Some("https://accounts.example".to_owned()),
            trusted_root: Some(root),
            ..key.clone()
        };
        let public = identity("bob", "sigstore.dev".to_owned());
        let own = identity("own", format!("sha256:{}", "0123456789ab".repeat(5)));
        expect![[r#"
            NAME  SIGNER                                                                   PLUGINS           ADDED
            ops   ed25519 0123456789ab                                                     deploy-*, notify  3 h ago by ann
            bob   bob@example.com by https://accounts.example (sigstore.dev)               deploy-*, notify  3 h ago by ann
            own   bob@example.com by https://accounts.example (trusted root 0123456789ab)  deploy-*, notify  3 h ago by ann"#]]
        .assert_eq(&signers(&look(), &Page { items: vec![key, public, own], next: None }));
        let required = Said { by: "ann".to_owned(), at: at(), reason: String::new() };
        let rule = SignatureRule { plugins: "deploy-*".to_owned(), required };
        expect![[r#"
            PLUGINS   REQUIRED        REASON
            deploy-*  3 h ago by ann  -"#]]
        .assert_eq(&rules(&look(), &Page { items: vec![rule], next: None }));
    }
}
