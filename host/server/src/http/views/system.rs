//! Plugins and tokens as people see them; never a secret.

use lockgate_core::digest::Digest;
use lockgate_core::plugin::{FolderGrant, Grants, HttpGrant, Limits, ToolGrant, ToolLimits};
use lockgate_core::system::{SystemState, Token};

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
        config_schema: plugin.description.config_schema.clone(),
        size_bytes: plugin.size_bytes,
        added_by: plugin.added_by.person.clone(),
        added_at: rfc3339(plugin.added_at),
        approval,
        retired,
    })
}

fn grants(grants: &Grants) -> wire::Grants {
    let http =
        |grant: &HttpGrant| wire::HttpGrant { origin: grant.origin.clone(), private_network: grant.private_network };
    let folder = |grant: &FolderGrant| wire::FolderGrant { path: grant.path.clone(), access: word(grant.access) };
    let Limits { memory_bytes, cpu_ms, wall_ms, log_bytes, output_bytes, http_body_bytes } = grants.limits;
    wire::Grants {
        http: grants.http.iter().map(http).collect(),
        folders: grants.folders.iter().map(|(name, grant)| (name.clone(), folder(grant))).collect(),
        workspace: grants.workspace.map(word),
        tools: grants.tools.iter().map(|(name, grant)| (name.clone(), tool(grant))).collect(),
        limits: wire::Limits {
            memory_bytes: Some(memory_bytes),
            cpu_ms: Some(cpu_ms),
            wall_ms: Some(wall_ms),
            log_bytes: Some(log_bytes),
            output_bytes: Some(output_bytes),
            http_body_bytes: Some(http_body_bytes),
        },
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
