//! Plugins and tokens as people see them; never a secret.

use std::collections::BTreeSet;

use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::narrowing::{Narrowing, Scope};
use lockgate_core::plugin::{FolderGrant, Grants, HttpGrant, Limits, ToolGrant, ToolLimits};
use lockgate_core::secret::Secret;
use lockgate_core::system::{Plugin, SystemState, Token};
use lockgate_core::trust::{NamePattern, PublicKey, Root, SignatureRule, Signed, Signer, Trusted};

use super::word;
use crate::clock::rfc3339;
use crate::http::auth::role_word;
use crate::wire;

pub fn plugin(system: &SystemState, digest: &Digest) -> Option<wire::Plugin> {
    let plugin = system.plugins.get(digest)?;
    let is_active = system.active.get(&plugin.name) == Some(digest);
    let status = match (&plugin.approval, is_active, &plugin.retired) {
        (None, _, _) => "pending",
        (Some(_), true, _) => "active",
        (Some(_), false, None) => "superseded",
        (Some(_), false, Some(_)) => "retired",
    };
    let approval = plugin.approval.as_ref().map(|approval| wire::Said {
        by: approval.by.person.clone(),
        at: rfc3339(approval.at),
        reason: approval.reason.clone(),
    });
    let retired = plugin.retired.as_ref().map(|retired| wire::Said {
        by: retired.by.person.clone(),
        at: rfc3339(retired.at),
        reason: retired.reason.clone(),
    });
    Some(wire::Plugin {
        name: plugin.name.to_string(),
        kind: plugin.kind.to_string(),
        digest: digest.to_string(),
        version: plugin.description.version.clone(),
        summary: plugin.description.summary.clone(),
        status: status.to_owned(),
        requests: serde_json::to_value(&plugin.description.requests).unwrap_or_default(),
        grants: plugin.approval.as_ref().map(|approval| grants(&approval.grants)),
        narrowed: narrowed_of(system, &plugin.name, Some(digest)),
        config_schema: plugin.description.config_schema.clone(),
        size_bytes: plugin.size_bytes,
        source: plugin.source.clone().map(String::from),
        signatures: plugin.signatures.iter().map(|signed| signature(system, &plugin.name, signed)).collect(),
        signature_required: system.signature_required(&plugin.name).map(|pattern| pattern.to_string()),
        added_by: plugin.added_by.person.clone(),
        added_at: rfc3339(plugin.added_at),
        approval,
        retired,
    })
}

/// Of the digest that new releases get, or of none: then it is the most that any may do.
pub fn narrowed(system: &SystemState, plugin: &Name) -> Vec<wire::NarrowedPlugin> {
    narrowed_of(system, plugin, system.active.get(plugin))
}

fn narrowed_of(system: &SystemState, plugin: &Name, digest: Option<&Digest>) -> Vec<wire::NarrowedPlugin> {
    let shown = |(scope, narrowing): (&Scope, &Narrowing)| {
        let environment = scope.environment.as_ref().map(Name::as_str);
        let left = digest.and_then(|digest| system.grants_in(*digest, scope.project.as_str(), environment));
        wire::NarrowedPlugin {
            scope: scope.to_string(),
            grants: grants(left.as_ref().unwrap_or(&narrowing.grants)),
            narrowed: wire::Said {
                by: narrowing.by.person.clone(),
                at: rfc3339(narrowing.at),
                reason: narrowing.reason.clone(),
            },
        }
    };
    system.narrowed.get(plugin).into_iter().flatten().map(shown).collect()
}

fn signature(system: &SystemState, plugin: &Name, signed: &Signed) -> wire::PluginSignature {
    let trusted = system.counts(signed, plugin);
    match signed {
        Signed::ByKey { name, key, signature } => wire::PluginSignature {
            key: Some(name.to_string()),
            public_key: Some(key.to_string()),
            signature: Some(crate::signature::base64(signature)),
            trusted,
            ..Default::default()
        },
        Signed::Attested { attested, bundle } => wire::PluginSignature {
            identity: Some(attested.identity.clone()),
            issuer: Some(attested.issuer.clone()),
            trusted_roots: attested.roots.iter().map(Root::to_string).collect(),
            bundle: Some(bundle.to_string()),
            trusted,
            ..Default::default()
        },
    }
}

pub fn trusted_signer(name: &Name, trusted: &Trusted) -> wire::TrustedSigner {
    let (key, who) = match &trusted.signer {
        Signer::Key { key } => (Some(key), None),
        Signer::Identity(who) => (None, Some(who)),
    };
    wire::TrustedSigner {
        name: name.to_string(),
        public_key: key.map(PublicKey::to_string),
        identity: who.map(|who| who.identity.to_string()),
        issuer: who.map(|who| who.issuer.to_string()),
        trusted_root: who.map(|who| who.root.to_string()),
        plugins: trusted.plugins.iter().map(NamePattern::to_string).collect(),
        added_by: trusted.by.person.clone(),
        added_at: rfc3339(trusted.at),
    }
}

/// `after`: the state without it.
pub fn distrusted_signer(name: &Name, trusted: &Trusted, after: &SystemState) -> wire::DistrustedSigner {
    let has_signed = |plugin: &&Plugin| plugin.signatures.iter().any(|signed| trusted.signer.made(signed));
    let named = |plugin: &Plugin, digest: &Digest| format!("{} ({})", plugin.name, digest.short());
    let active = after.active.values().filter_map(|digest| Some((after.plugins.get(digest)?, digest)));
    let active =
        active.filter(|(plugin, _)| has_signed(plugin)).map(|(plugin, digest)| named(plugin, digest)).collect();
    wire::DistrustedSigner { name: name.to_string(), active }
}

pub fn signature_rules(system: &SystemState) -> Vec<wire::SignatureRule> {
    let rule = |(plugins, rule): (&NamePattern, &SignatureRule)| wire::SignatureRule {
        plugins: plugins.to_string(),
        required: wire::Said { by: rule.by.person.clone(), at: rfc3339(rule.at), reason: rule.reason.clone() },
    };
    system.signature_rules.iter().map(rule).collect()
}

fn grants(grants: &Grants) -> wire::Grants {
    let http = |grant: &HttpGrant| wire::HttpGrant {
        origin: grant.origin.clone(),
        private_network: grant.private_network,
        methods: grant.methods.iter().cloned().collect(),
    };
    let folder = |grant: &FolderGrant| wire::FolderGrant { path: grant.path.clone(), access: word(grant.access) };
    let Limits { memory_bytes, cpu_ms, wall_ms, log_bytes, output_bytes, http_body_bytes, concurrent_calls } =
        grants.limits;
    let names = |names: &BTreeSet<Name>| names.iter().map(Name::to_string).collect();
    wire::Grants {
        http: grants.http.iter().map(http).collect(),
        folders: grants.folders.iter().map(|(name, grant)| (name.clone(), folder(grant))).collect(),
        workspace: grants.workspace.map(word),
        secrets: names(&grants.secrets),
        reveal: names(&grants.reveal),
        state: grants.state.as_ref().map(Name::to_string),
        tools: grants.tools.iter().map(|(name, grant)| (name.clone(), tool(grant))).collect(),
        limits: wire::Limits {
            memory_bytes: Some(memory_bytes),
            cpu_ms: Some(cpu_ms),
            wall_ms: Some(wall_ms),
            log_bytes: Some(log_bytes),
            output_bytes: Some(output_bytes),
            http_body_bytes: Some(http_body_bytes),
            concurrent_calls,
        },
    }
}

pub fn secret(name: &Name, secret: &Secret) -> wire::Secret {
    let Secret { file: _, binding, set_by, set_at } = secret;
    wire::Secret {
        name: name.to_string(),
        origins: binding.origins.iter().cloned().collect(),
        headers: binding.headers().into_iter().collect(),
        project: binding.project.as_ref().map(Name::to_string),
        environments: binding.environments.iter().map(Name::to_string).collect(),
        set_by: set_by.person.clone(),
        set_at: rfc3339(*set_at),
    }
}

fn tool(grant: &ToolGrant) -> wire::ToolGrant {
    let ToolLimits { wall_ms, cpu_ms, memory_bytes, output_bytes, processes } = grant.limits;
    wire::ToolGrant {
        path: grant.path.clone(),
        digest: Some(grant.digest.to_string()),
        args: grant.args.clone(),
        env: grant.env.clone(),
        limits: wire::ToolLimits {
            wall_ms: Some(wall_ms),
            cpu_ms: Some(cpu_ms),
            memory_bytes: Some(memory_bytes),
            output_bytes: Some(output_bytes),
            processes: Some(processes),
        },
    }
}

pub fn token(token: &Token) -> wire::Token {
    wire::Token {
        name: token.name.clone(),
        person: token.person.clone(),
        groups: token.groups.iter().cloned().collect(),
        role: role_word(token.role).to_owned(),
        created_at: rfc3339(token.created_at),
        revoked: token.revoked,
        secret: None,
    }
}
