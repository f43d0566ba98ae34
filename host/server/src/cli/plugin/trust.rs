//! `lockgate plugin trust` and `require-signature`: whose signatures count, and for which plugins one is needed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash, printable};
use crate::cli::plugin::sign::{short_key, small_file};
use crate::cli::session::Session;
use crate::wire::{DistrustedKey, NewSignatureRule, NewTrustedKey, Page, Plugin, SignatureRule, TrustedKey};

#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Let the signatures of a key count for plugins of some names.
    Add {
        /// What to call the key, such as release-team.
        name: String,
        /// The public key in PEM: `openssl pkey -in KEY.pem -pubout -out PUB.pem`.
        #[arg(long, value_name = "PUB.pem")]
        key: PathBuf,
        /// Names of plugins; `*` stands for any characters. May be given more than once.
        #[arg(long, required = true, value_name = "PATTERN")]
        plugins: Vec<String>,
    },
    /// The keys, and for which plugins they count.
    List,
    /// Let the signatures of a key count no more. What is approved stays approved.
    Remove {
        /// Of the key, as `lockgate plugin trust list` shows it.
        name: String,
        /// Why; goes on the record.
        #[arg(long)]
        reason: String,
    },
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
            TrustCommand::Add { name, key, plugins } => {
                let pem = small_file(&key, "name the public key in PEM")?;
                let public_key = String::from_utf8_lossy(&pem).into_owned();
                let trusted = client.trust_key(&NewTrustedKey { name, public_key, plugins }).await?;
                out.answer(&trusted, |_, trusted| {
                    let TrustedKey { name, public_key, plugins, .. } = trusted;
                    format!("{name}, ed25519 {}, is trusted for {}", short_key(public_key), plugins.join(", "))
                });
            }
            TrustCommand::List => out.answer(&client.trusted_keys().await?, keys),
            TrustCommand::Remove { name, reason } => out.answer(&client.distrust_key(&name, reason).await?, distrusted),
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

fn keys(look: &Look, page: &Page<TrustedKey>) -> String {
    if page.items.is_empty() {
        return "no key is trusted; add one with `lockgate plugin trust add NAME --key PUB.pem --plugins PATTERN`"
            .to_owned();
    }
    let row = |key: &TrustedKey| {
        let added = format!("{} by {}", look.relative(&key.added_at), printable(&key.added_by));
        vec![key.name.clone(), short_key(&key.public_key), key.plugins.join(", "), added]
    };
    look.table(&["NAME", "ED25519", "PLUGINS", "ADDED"], page.items.iter().map(row))
}

fn distrusted(look: &Look, key: &DistrustedKey) -> String {
    let removed = format!("{} is trusted no more", look.strong(&key.name));
    if key.active.is_empty() {
        return format!("{removed}; no active plugin was signed with it");
    }
    format!(
        "{removed}\nIt has signed what stays approved, and cannot be approved anew where a signature is required: {}\n`lockgate plugin retire` takes one out of use",
        key.active.join(", ")
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
    fn who_removes_a_key_sees_what_it_does_not_stop() {
        let key = |active: &[&str]| DistrustedKey {
            name: "ops".to_owned(),
            public_key: String::new(),
            active: active.iter().map(|name| (*name).to_owned()).collect(),
        };
        expect!["ops is trusted no more; no active plugin was signed with it"]
            .assert_eq(&distrusted(&look(), &key(&[])));
        expect![[r#"
            ops is trusted no more
            It has signed what stays approved, and cannot be approved anew where a signature is required: notify (0123456789ab)
            `lockgate plugin retire` takes one out of use"#]]
        .assert_eq(&distrusted(&look(), &key(&["notify (0123456789ab)"])));
    }

    #[test]
    fn lists_of_keys_and_rules() {
        let at = || "2026-03-14T06:30:00Z".to_owned();
        let key = TrustedKey {
            name: "ops".to_owned(),
            public_key: "0123456789ab".repeat(5),
            plugins: vec!["deploy-*".to_owned(), "notify".to_owned()],
            added_by: "ann".to_owned(),
            added_at: at(),
        };
        expect![[r#"
            NAME  ED25519       PLUGINS           ADDED
            ops   0123456789ab  deploy-*, notify  3 h ago by ann"#]]
        .assert_eq(&keys(&look(), &Page { items: vec![key], next: None }));
        let required = Said { by: "ann".to_owned(), at: at(), reason: String::new() };
        let rule = SignatureRule { plugins: "deploy-*".to_owned(), required };
        expect![[r#"
            PLUGINS   REQUIRED        REASON
            deploy-*  3 h ago by ann  -"#]]
        .assert_eq(&rules(&look(), &Page { items: vec![rule], next: None }));
    }
}
